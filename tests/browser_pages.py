"""A real browser for tests of pages."""

import shutil

import pytest

PATIENCE_MS = 60_000
"""So long a page may take to show something: it matters only where it never does, and machines may be busy."""

REMEMBER_NOTES = """
window.told = [];
new MutationObserver((changes) => {
    for (const { addedNodes } of changes)
        for (const node of addedNodes)
            if (node.dataset?.testid === "note") window.told.push(node.textContent);
}).observe(document, { childList: true, subtree: true });
"""
"""Notes go away by themselves: what was told is kept for tests that look later, in `window.told`."""

BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")


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
    """A function that opens an address in a new page, and fails the test if the page throws."""
    contexts, errors = [], []

    def open_page(address: str):
        context = browser.new_context(viewport={"width": 1280, "height": 720}, accept_downloads=True)
        contexts.append(context)
        context.set_default_timeout(PATIENCE_MS)
        context.add_init_script(REMEMBER_NOTES)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(address)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not errors
