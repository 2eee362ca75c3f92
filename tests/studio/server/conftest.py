"""A server of LiVOS Studio without a network connection, and a page on it."""

import cv2
import numpy as np
import pytest
from server_pages import HOME, NUM_FRAMES, SIZE, TOKEN, Page
from tiny_network import tiny_network

from livos.segmenter.segmenter import VideoSegmenter
from livos.studio.pages import Pages
from livos.studio.session import Session


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
    pytest.importorskip("starlette", reason="Studio's packages are not there: pip install '.[studio]'")
    pytest.importorskip("httpx", reason="starlette's test client needs httpx")
    from starlette.testclient import TestClient

    from livos.studio.guard import Door
    from livos.studio.server import make_app

    with TestClient(make_app(session, Door(TOKEN, "127.0.0.1", 8765)), headers=HOME) as made:
        yield made


@pytest.fixture
def page(client, session, clip):
    with client.websocket_connect("/api/events", headers={"origin": "http://127.0.0.1:8765"}) as socket:
        made = Page(client, socket)
        session.open(clip)
        made.until_idle()
        yield made
