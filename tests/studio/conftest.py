"""A real server of LiVOS Studio, and a real browser that opens it."""

import shutil

import pytest
from running_studio import CLIP, NUM_FRAMES, StudioProcess, StudioThread
from video_makers import make_video


@pytest.fixture
def clip_folder(tmp_path):
    """A folder with the first frames of the bundled clip as `clip`."""
    (tmp_path / "clip").mkdir()
    for path in sorted(CLIP.glob("*.jpg"))[:NUM_FRAMES]:
        shutil.copy(path, tmp_path / "clip")
    return tmp_path


@pytest.fixture
def studio(clip_folder, monkeypatch):
    """A server that has the clip open, with the weights of the repository at a small working size."""
    monkeypatch.chdir(clip_folder)
    running = StudioThread(clip_folder, clip_folder / "clip")
    yield running
    running.stop()


@pytest.fixture
def empty_studio(clip_folder, monkeypatch):
    """A server without a video, in the folder of the clip."""
    monkeypatch.chdir(clip_folder)
    running = StudioThread(clip_folder, None)
    yield running
    running.stop()


@pytest.fixture
def film_studio(tmp_path, monkeypatch):
    """A server that has a film of 1280 x 720 open, in which the first frame is the only key frame."""
    monkeypatch.chdir(tmp_path)
    options = {"preset": "ultrafast", "sc_threshold": "0"}
    film = make_video(tmp_path / "film.mp4", 34, size=(720, 1280), gop=50, options=options)
    running = StudioThread(tmp_path, film)
    yield running
    running.stop()


@pytest.fixture
def studio_process(clip_folder):
    """A server that can be killed."""
    running = StudioProcess(clip_folder, str(clip_folder / "clip"), "--size", "96", "--device", "cpu")
    yield running
    running.kill()


@pytest.fixture
def page(studio, new_page):
    """A page at 1280 x 720 on the running server."""
    return new_page(studio.address)
