"""Frames come from the server as pictures, the most wanted first."""

import asyncio
from types import SimpleNamespace
from unittest.mock import AsyncMock

import cv2
import numpy as np
import pytest

pytest.importorskip("starlette", reason="Studio's packages are not there: pip install '.[studio]'")

from livos.studio.frame_requests import Turns


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
