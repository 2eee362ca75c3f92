"""What a page changes through the server: masks, objects, settings, and tracking."""

import json

import numpy as np
from server_pages import SIZE, Page, draw, square

from livos.studio.runs import from_runs, to_runs


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
