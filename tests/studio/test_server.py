import asyncio
import json
import time
from fractions import Fraction
from types import SimpleNamespace
from unittest.mock import AsyncMock

import cv2
import numpy as np
import pytest
from tiny_network import tiny_network

pytest.importorskip("starlette", reason="Studio's packages are not there: pip install '.[studio]'")
pytest.importorskip("httpx", reason="starlette's test client needs httpx")

from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from livos.segmenter.segmenter import VideoSegmenter
from livos.studio.document import Settings
from livos.studio.frame_requests import Turns
from livos.studio.frames import FrameReader
from livos.studio.guard import Door
from livos.studio.opening import open_path
from livos.studio.pages import Pages
from livos.studio.project import Project
from livos.studio.runs import from_runs, to_runs
from livos.studio.server import make_app
from livos.studio.session import Session

TOKEN, SIZE, NUM_FRAMES = "secret", (48, 64), 12
HOME = {"host": "127.0.0.1:8765", "x-studio-token": TOKEN}


@pytest.fixture(scope="module")
def network():
    return tiny_network()


@pytest.fixture
def clip(tmp_path):
    """A folder of frames: a bright square moves to the right."""
    folder = tmp_path / "clip"
    folder.mkdir()
    noise = np.random.default_rng(0).integers(0, 90, (*SIZE, 3), np.uint8)
    for number in range(NUM_FRAMES):
        image = noise.copy()
        image[10:26, 2 * number : 2 * number + 16] = (40, 220, 160)
        cv2.imwrite(str(folder / f"{number:05d}.png"), image)
    return folder


@pytest.fixture
def session(network, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return Session(Pages(), make_segmenter=lambda settings: VideoSegmenter(network, "cpu"))


@pytest.fixture
def client(session):
    with TestClient(make_app(session, Door(TOKEN, "127.0.0.1", 8765)), headers=HOME) as made:
        yield made


class Page:
    """An open page: the messages to it, and requests in its name."""

    def __init__(self, client, socket):
        self.client, self.socket = client, socket
        hello = socket.receive_json()
        self.number, self.active = hello["page"], hello["active"]
        self.told = []

    def until(self, wanted, seconds=60):
        """The next message that fits."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            message = self.socket.receive_json()
            self.told.append(message)
            if wanted(message):
                return message
        raise TimeoutError

    def until_idle(self):
        """The note with which a job ends."""
        note = self.until(lambda message: message["type"] == "note")
        self.until(lambda message: message["type"] == "state" and message["state"]["job"] is None)
        return note

    def ask(self, method, path, status=200, **more):
        headers = {"x-studio-page": str(self.number)}
        answer = self.client.request(method, f"/api/{path}", headers=headers, **more)
        assert answer.status_code == status, answer.text
        return answer.json() if answer.headers["content-type"] == "application/json" else answer.content

    def labels(self, number):
        return from_runs(self.ask("GET", f"masks/{number}"), SIZE)


@pytest.fixture
def page(client, session, clip):
    with client.websocket_connect("/api/events", headers={"origin": "http://127.0.0.1:8765"}) as socket:
        made = Page(client, socket)
        session.open(clip)
        made.until_idle()
        yield made


def square(number, object_id=1, top=10):
    labels = np.zeros(SIZE, np.uint8)
    labels[top : top + 16, 2 * number : 2 * number + 16] = object_id
    return labels


def draw(page, number, labels, ids="1"):
    return page.ask("PUT", f"masks/{number}?ids={ids}&title=stroke", content=to_runs(labels))


def test_video_is_opened_with_a_project_next_to_it(page, clip):
    state = page.ask("GET", "state")
    assert state["video"] == {
        "name": "clip", "width": 64, "height": 48, "num_frames": 12, "frame_rate": 24.0, "has_sound": False,
    }  # fmt: skip
    assert state["project"]["folder"] == str(clip.with_name("clip.livos"))
    assert state["range"] == {"first": 0, "last": 11} and state["undo"] is None


def test_frames_come_as_jpeg(page, client):
    answer = client.get("/api/frames/3?width=5000")
    assert answer.headers["content-type"] == "image/jpeg"
    assert cv2.imdecode(np.frombuffer(answer.content, np.uint8), 1).shape == (48, 64, 3)
    assert page.ask("GET", "frames/12", status=404)["error"].startswith("There is no frame 12")


def test_frame_says_which_one_it_is_also_where_another_may_stand_for_it(client, page):
    for query in ("", "?quick=1&width=96", "?span=4"):
        answer = client.get(f"/api/frames/3{query}")
        assert answer.status_code == 200 and answer.headers["x-studio-frame"] == "3"  # each picture is a key frame


def test_frame_that_nobody_waits_for_is_not_decoded():
    def run(is_disconnected):
        made = []
        request = SimpleNamespace(is_disconnected=AsyncMock(return_value=is_disconnected))
        return asyncio.run(Turns().take("stage", request, lambda: made.append(1) or (3, None))), made

    assert run(True) == (None, [])
    assert run(False) == ((3, None), [1])


def test_kept_frame_does_not_wait_for_one_that_is_decoded(client, page):
    queries = ("", "?width=40", "?quick=1", "?span=4")
    pictures = [client.get(f"/api/frames/3{query}").content for query in queries]
    client.app.state.turns = SimpleNamespace(take=AsyncMock(return_value=None))  # none gets a turn any more
    assert [client.get(f"/api/frames/3{query}").content for query in queries] == pictures
    assert client.get("/api/frames/4").status_code == 204


def test_object_is_painted_tracked_undone_and_redone(page):
    assert page.ask("POST", "objects", json={"name": "square"})["id"] == 1
    assert draw(page, 0, square(0)) == {"given": [1]}
    assert np.array_equal(page.labels(0), square(0))
    page.ask("POST", "track", json={"frame": 0, "direction": "forward"})
    assert page.until_idle()["sentence"] == "Tracked 11 frames from frame 0."
    frames = [message["frame"] for message in page.told if message["type"] == "frame"]
    assert frames == list(range(1, 12))
    timeline = page.ask("GET", "timeline")
    assert timeline["marks"] == {"0": [1]} and timeline["objects"][0]["by"] == ".fffffffffff"
    tracked = [page.labels(number) for number in range(12)]
    assert page.ask("POST", "undo", json={}) == {"title": "tracking from frame 0", "first": 1, "last": 11}
    assert not any(page.labels(number).any() for number in range(1, 12))
    page.ask("POST", "redo", json={})
    assert all(np.array_equal(page.labels(number), tracked[number]) for number in range(12))


def test_nothing_to_undo_is_said(page):
    assert page.ask("POST", "undo", status=409)["error"] == "There is nothing to undo."


def test_edits_wait_until_tracking_is_stopped(page, session):
    page.ask("POST", "objects", json={})
    draw(page, 0, square(0))
    began = session.jobs.start("track", "Tracking forwards", (0, 11), lambda job: job._stop.wait(30) and "Stopped.")
    assert began == page.ask("GET", "state")["job"]["id"]
    error = page.ask("PUT", "masks/0?ids=1", status=409, content=to_runs(square(0)))["error"]
    assert error == "Tracking forwards is under way: stop it first."
    assert np.array_equal(page.labels(0), square(0))
    page.ask("POST", "stop", json={})
    assert page.until_idle()["sentence"] == "Stopped."


def test_job_that_fails_ends_with_a_sentence_and_the_page_keeps_working(page, session):
    def fail(job):
        raise RuntimeError("the network broke")

    session.jobs.start("track", "Tracking forwards", (0, 11), fail)
    note = page.until_idle()
    assert note["level"] == "error" and "the network broke" in note["sentence"]
    assert page.ask("GET", "state")["job"] is None


def test_second_page_is_told_and_may_take_over(page, client):
    with client.websocket_connect("/api/events", headers={"origin": "http://127.0.0.1:8765"}) as socket:
        second = Page(client, socket)
        assert not second.active
        assert "another page" in second.ask("POST", "objects", status=409, json={})["error"]
        socket.send_text(json.dumps({"type": "take_over"}))
        assert second.until(lambda message: message["type"] == "active")["active"]
        assert not page.until(lambda message: message["type"] == "active")["active"]
        page.ask("POST", "objects", status=409, json={})
        second.ask("POST", "objects", json={})
    assert page.until(lambda message: message["type"] == "active")["active"]


def test_tools_suggest_masks_that_are_not_kept(page):
    page.ask("POST", "objects", json={})
    holed = square(0)
    holed[14:17, 4:7] = 0
    draw(page, 0, holed)
    found = from_runs(page.ask("POST", "masks/0/suggest", json={"tool": "holes", "object": 1}), SIZE)
    assert np.array_equal(found, square(0)) and np.array_equal(page.labels(0), holed)
    path = page.ask("POST", "masks/0/path", json={"from": [1, 10], "to": [15, 10]})["points"]
    assert path[0] == [1, 10] and path[-1] == [15, 10]


def test_objects_are_named_deleted_and_merged(page):
    for _ in range(3):
        page.ask("POST", "objects", json={})
    draw(page, 0, square(0) + square(0, 2, top=30), "1,2")
    assert page.ask("PATCH", "objects/1", json={"name": "Tasse", "hidden": True})["name"] == "Tasse"
    page.ask("POST", "objects/2/merge", json={"into": 1})
    assert np.array_equal(page.labels(0), square(0) + square(0, 1, top=30))
    page.ask("POST", "objects/3/delete", json={"from": None})
    assert [known["id"] for known in page.ask("GET", "state")["objects"]] == [1]
    assert page.ask("POST", "objects/9/delete", status=404, json={})["error"] == "There is no object 9."


def test_only_available_settings_are_accepted(page):
    assert page.ask("PUT", "settings", json={"size": 240})["size"] == 240
    for wrong in ({"weights": "/etc/passwd"}, {"size": 4}, {"device": "tpu"}, {"precision": "int8"}, {"speed": 9}):
        page.ask("PUT", "settings", status=400, json=wrong)
    assert page.ask("GET", "state")["settings"]["weights"] == "lite"


def test_range_must_be_in_the_video(page):
    page.ask("PUT", "range", json={"first": 2, "last": 9})
    assert page.ask("GET", "state")["range"] == {"first": 2, "last": 9}
    for wrong in ({"first": 5, "last": 2}, {"first": 0, "last": 12}, {"first": "a", "last": 3}, {}):
        page.ask("PUT", "range", status=400, json=wrong)


def test_refill_of_a_gap(page):
    page.ask("POST", "objects", json={})
    draw(page, 1, square(1))
    draw(page, 9, square(9))
    page.ask("POST", "refill", json={"first": 1, "last": 9})
    assert page.until_idle()["sentence"] == "Refilled 7 frames between 1 and 9."
    by = page.ask("GET", "timeline")["objects"][0]["by"]
    assert set(by[2:9]) <= set("fbs") and by[:2] + by[9:] == "....."


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


@pytest.mark.parametrize(
    "headers",
    [
        {"x-studio-token": ""},
        {"x-studio-token": "guess"},
        {"host": "evil.example:8765"},
        {"host": "127.0.0.1:80"},
        {"host": "127.0.0.1:8765@evil.example"},
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:9999"},
    ],
)
def test_strangers_are_not_answered(client, headers):
    for path in ("/api/state", "/", "/api/frames/0"):
        assert client.get(path, headers=headers).status_code == 403
    with pytest.raises(WebSocketDisconnect), client.websocket_connect("/api/events", headers=headers):
        pass


def test_events_need_the_page_as_their_origin(client):
    with pytest.raises(WebSocketDisconnect), client.websocket_connect("/api/events"):
        pass


def test_token_may_be_in_the_address(client):
    assert client.get(f"/api/state?token={TOKEN}", headers={"x-studio-token": ""}).status_code == 200


def test_nothing_is_changed_without_an_open_page(client):
    answer = client.post("/api/objects", json={})
    assert answer.status_code == 409


def test_answers_keep_the_page_apart_from_others(client):
    headers = client.get("/api/state").headers
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff" and headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize("path", ["/page/../server.py", "/page/%2e%2e/server.py", "/page//etc/passwd"])
def test_only_the_page_is_served(client, path):
    assert client.get(path).status_code in (403, 404)


@pytest.mark.parametrize(
    ("method", "path", "content", "status"),
    [
        ("PUT", "masks/0?ids=1", b"\0" * 12, 400),
        ("PUT", "masks/0?ids=1", b"", 400),
        ("PUT", "masks/0?ids=1;rm", b"\0" * 8, 400),
        ("PUT", "masks/0?ids=", b"\0" * 8, 400),
        ("PUT", "masks/99?ids=1", b"\0" * 8, 404),
        ("POST", "objects", b"[1]", 400),
        ("POST", "objects", b"{", 400),
        ("POST", "objects", b"[" * 100_000, 400),
        ("POST", "objects", b'{"name": ""}', 400),
        ("POST", "objects", b'{"name": 5}', 400),
        ("POST", "objects", b'{"color": "red"}', 400),
        ("POST", "objects", b"x" * (5 * 2**20), 413),
        ("POST", "track", b'{"frame": 0, "direction": "forward"}', 400),
        ("POST", "track", b'{"frame": true, "direction": "forward"}', 400),
        ("POST", "track", b'{"frame": 0, "direction": "up"}', 400),
        ("POST", "exports", b'{"kinds": ["exe"]}', 400),
        ("POST", "exports", b'{"kinds": ["masks"]}', 400),
        ("POST", "masks/0/path", b'{"from": [1], "to": [2, 3]}', 400),
        ("GET", "exports/7", b"", 404),
        ("GET", "frames/x", b"", 404),
    ],
)
def test_invalid_requests_get_a_sentence(page, method, path, content, status):
    page.ask(method, path, status=status, content=content)
    assert page.ask("GET", "state")["objects"] == []


def test_time_base_of_the_clip_is_kept(session, clip):
    session.open(clip)
    session.jobs._thread.join()
    assert session.source.frame_rate == Fraction(24)
    session.close()
