"""How fast the page of docs/browser tracks, in a headless Chromium.

    python docs/browser/assemble.py --output FOLDER
    python benchmarks/browser.py --page FOLDER --objects 1 --frames 20

Draws a square for each object on the demo clip, tracks, and prints what the page says: frames per second, without the
time for loading the network. Needs playwright and a Chromium (pip install '.[dev]').
"""

import argparse
import functools
import re
import shutil
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from livos.files.bundled import bundled_dir

BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
PLACES = (0.25, 0.5, 0.75)  # where the objects are, as shares of the stage's width
LARGEST_SECONDS = 900


class QuietHandler(SimpleHTTPRequestHandler):
    """Serves files without printing a line for each."""

    def log_message(self, *arguments: object) -> None:
        pass


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--page", required=True, metavar="FOLDER", help="the folder that assemble.py made")
    parser.add_argument("--objects", type=int, default=1, choices=range(1, 1 + len(PLACES)))
    parser.add_argument("--frames", type=int, default=20, help="of the demo clip (default: %(default)s)")
    parser.add_argument("--size", help="short side at which the network works (default: as trained)")
    options = parser.parse_args()
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        parser.error(f"none of these browsers is installed: {', '.join(BROWSERS)}")
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(QuietHandler, directory=options.page))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    frames = sorted(bundled_dir().glob("examples/demo/JPEGImages/*/*.jpg"))[: options.frames]
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 720})
        page.goto(f"http://127.0.0.1:{server.server_port}/")
        print(f"{browser.version}: {tracked(page, frames, options.objects, options.size)}")
        browser.close()
    server.shutdown()


def tracked(page: Page, frames: list[Path], num_objects: int, size: str | None) -> str:
    """Tracks objects through the frames, and returns what the page says about it."""
    page.get_by_test_id("files").set_input_files(frames)
    page.wait_for_selector("#stage[data-frame='0']")
    if size is not None:
        page.get_by_test_id("size").select_option(size)
    box = page.get_by_test_id("stage").bounding_box()
    assert box is not None
    for place in PLACES[:num_objects]:
        page.keyboard.press("n")
        for y in range(300, 400, 15):
            page.mouse.move(box["x"] + place * box["width"] - 40, y)
            page.mouse.down()
            page.mouse.move(box["x"] + place * box["width"] + 40, y, steps=3)
            page.mouse.up()
    page.get_by_test_id("track-forward").click()
    note = page.get_by_text(re.compile(r"Tracked \d+ frames"))
    note.wait_for(timeout=1000 * LARGEST_SECONDS)
    return note.inner_text()


if __name__ == "__main__":
    main()
