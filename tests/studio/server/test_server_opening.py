"""Videos and projects are opened through the server, moved, replaced, and released when opening fails."""

from fractions import Fraction

import numpy as np
import pytest
from server_pages import SIZE, Page, draw, square

from livos.studio.document import Settings
from livos.studio.frames import FrameReader
from livos.studio.opening import open_path
from livos.studio.pages import Pages
from livos.studio.project import Project
from livos.studio.session import Session


def test_video_is_opened_with_a_project_next_to_it(page, clip):
    state = page.ask("GET", "state")
    assert state["video"] == {
        "name": "clip", "width": 64, "height": 48, "num_frames": 12, "frame_rate": 24.0, "has_sound": False,
    }  # fmt: skip
    assert state["project"]["folder"] == str(clip.with_name("clip.livos"))
    assert state["range"] == {"first": 0, "last": 11} and state["undo"] is None


def test_project_is_reopened_with_its_masks(page, session, clip, network):
    page.ask("POST", "objects", json={"name": "square"})
    draw(page, 0, square(0))
    session.close()
    again = Session(Pages())
    again.open(clip)
    again.jobs._thread.join()
    assert np.array_equal(again.labels(0), square(0)) and again.state()["objects"][0]["name"] == "square"
    again.close()


def test_project_whose_video_moved_asks_for_it(page, session, clip, tmp_path):
    page.ask("POST", "objects", json={})
    session.close()
    clip.rename(tmp_path / "elsewhere")
    again = Session(Pages())
    again.open(tmp_path / "clip.livos")
    again.jobs._thread.join()
    assert again.state()["phase"] == "missing" and "is no longer at" in again.state()["sentence"]
    again.open(tmp_path / "elsewhere")
    again.jobs._thread.join()
    assert again.state()["phase"] == "ready" and again.labels(0).shape == SIZE
    again.close()


def test_other_video_in_place_of_a_moved_one_is_refused(page, session, clip, tmp_path):
    session.close()
    (clip / "00011.png").unlink()
    again = Session(Pages())
    again.open(tmp_path / "clip.livos")
    again.jobs._thread.join()
    assert again.state()["phase"] == "missing"
    again.open(clip)
    again.jobs._thread.join()
    assert again.state()["phase"] == "missing"
    again.close()


def test_file_is_chosen_by_what_the_list_says(client, session, clip):
    with client.websocket_connect("/api/events", headers={"origin": "http://127.0.0.1:8765"}) as socket:
        page = Page(client, socket)
        places = page.ask("GET", "browse")["entries"]
        inside = page.ask("GET", f"browse?id={places[0]['id']}")
        assert [(entry["name"], entry["kind"]) for entry in inside["entries"]] == [("clip", "frames")]
        page.ask("GET", "browse?id=/etc", status=404)
        page.ask("POST", "open", status=404, json={"id": str(clip)})
        page.ask("POST", "open", status=202, json={"id": inside["entries"][0]["id"]})
        page.until(lambda message: message["type"] == "state" and message["state"]["phase"] == "ready")
        page.ask("GET", "browse", status=409)


def test_file_that_is_not_a_video_brings_the_choice_back(client, tmp_path):
    with client.websocket_connect("/api/events", headers={"origin": "http://127.0.0.1:8765"}) as socket:
        page = Page(client, socket)
        page.ask("POST", "videos?suffix=exe", status=400, content=b"MZ")
        page.ask("POST", "videos?suffix=../mp4", status=400, content=b"MZ")
        page.ask("POST", "videos?suffix=mp4", status=202, content=b"no video at all")
        note = page.until(lambda message: message["type"] == "note")
        assert note["level"] == "error" and "cannot be opened" in note["sentence"]
        page.until(lambda message: message["type"] == "state" and message["state"]["phase"] == "choose")
        assert not list(tmp_path.glob("*dropped-*"))


def broken(*_):
    raise OSError("the disk is broken")


@pytest.mark.parametrize("fails", [(FrameReader, "read"), (Project, "set_settings")])
def test_opening_that_fails_releases_the_project(fails, session, clip, monkeypatch):
    session._settings = Settings()
    with monkeypatch.context() as patched:
        patched.setattr(*fails, broken)
        session.open(clip)
        session.jobs._thread.join()
    assert session.state()["phase"] == "choose" and session.state()["project"] is None
    Project.open(clip.with_name("clip.livos")).close()  # raises BlockingIOError while it is held
    session.open(clip)
    session.jobs._thread.join()
    assert session.state()["phase"] == "ready"
    session.close()


def test_project_whose_video_cannot_be_noted_is_released(page, session, clip, tmp_path, monkeypatch):
    session.close()
    (tmp_path / "elsewhere").mkdir()
    for path in (clip, tmp_path / "clip.livos"):
        path.rename(tmp_path / "elsewhere" / path.name)
    moved = tmp_path / "elsewhere" / "clip.livos"
    monkeypatch.setattr(Project, "set_video_path", broken)
    with pytest.raises(OSError, match="the disk is broken"):
        open_path(moved)
    Project.open(moved).close()


def test_moved_video_that_cannot_be_read_is_asked_for_again(page, session, clip, tmp_path, monkeypatch):
    session.close()
    clip.rename(tmp_path / "elsewhere")
    again = Session(Pages())
    again.open(tmp_path / "clip.livos")
    again.jobs._thread.join()
    with monkeypatch.context() as patched:
        patched.setattr(FrameReader, "read", broken)
        again.open(tmp_path / "elsewhere")
        again.jobs._thread.join()
    assert again.state()["phase"] == "missing" and "is no longer at" in again.state()["sentence"]
    with pytest.raises(BlockingIOError):
        Project.open(tmp_path / "clip.livos")
    again.open(tmp_path / "elsewhere")
    again.jobs._thread.join()
    assert again.state()["phase"] == "ready"
    again.close()


def test_time_base_of_the_clip_is_kept(session, clip):
    session.open(clip)
    session.jobs._thread.join()
    assert session.source.frame_rate == Fraction(24)
    session.close()
