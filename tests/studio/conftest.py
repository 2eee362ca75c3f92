"""A real server of LiVOS Studio, and a real browser that looks at it."""

import shutil

import pytest
from running_studio import CLIP, NUM_FRAMES, StudioProcess, StudioThread

BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")


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
def studio_process(clip_folder):
    """A server that can be killed."""
    running = StudioProcess(clip_folder, str(clip_folder / "clip"), "--size", "96", "--device", "cpu")
    yield running
    running.kill()


@pytest.fixture(scope="session")
def browser():
    """The distribution's Chromium without a window."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: pip install '.[dev]'")
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        pytest.skip("no Chromium is installed (Debian: apt-get install chromium-headless-shell)")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def new_page(browser):
    """A function that opens an address in a page of its own, and fails the test if the page throws."""
    contexts, errors = [], []

    def open_page(address: str):
        context = browser.new_context(viewport={"width": 1280, "height": 720}, accept_downloads=True)
        contexts.append(context)
        context.set_default_timeout(20_000)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(address)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not errors


@pytest.fixture
def page(studio, new_page):
    """A page at 1280 x 720 on the running server."""
    return new_page(studio.address)
