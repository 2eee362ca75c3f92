"""What the stories of LiVOS Studio do in the browser again and again, and what they read from the server."""

import json
import re
import time
from urllib.parse import parse_qs, urlsplit
from urllib.request import Request, urlopen

import numpy as np
from running_studio import NUM_FRAMES, ROOT

from livos.masks.label_maps import read_labels

TRUTH = ROOT / "examples" / "demo" / "Annotations" / "launch-pad-cafe"
SIZE = HEIGHT, WIDTH = 480, 854
LAST = NUM_FRAMES - 1
MARGIN = 16  # CSS pixels around a frame that is shown whole
TRACK_MS = 90_000
ASTRONAUT = [(682, 150), (745, 140), (765, 190), (750, 240), (800, 300), (812, 350), (606, 350), (625, 285), (680, 225)]
CAT = [(102, 232), (140, 240), (190, 238), (228, 226), (222, 300), (196, 350), (100, 350)]


def truth(number, object_id):
    return read_labels(TRUTH / f"{number:05d}.png").labels == object_id


def overlap(one, other):
    return (one & other).sum() / max(1, (one | other).sum())


def ask(studio, path):
    """Bytes and headers of the server's answer to a request outside the page."""
    address = urlsplit(studio.address)
    token = parse_qs(address.query)["token"][0]
    request = Request(f"http://{address.netloc}{path}", headers={"X-Studio-Token": token})
    with urlopen(request, timeout=60) as answer:
        return answer.read(), answer.headers


def mask(studio, number):
    runs = np.frombuffer(ask(studio, f"/api/masks/{number}")[0], "<u4").reshape(-1, 2)
    return np.repeat(runs[:, 0], runs[:, 1]).astype(np.uint8).reshape(SIZE)


def masks(studio):
    return np.stack([mask(studio, number) for number in range(NUM_FRAMES)])


def timeline(studio):
    return json.loads(ask(studio, "/api/timeline")[0])


def tracked_by(studio, object_id):
    return next(entry["by"] for entry in timeline(studio)["objects"] if entry["id"] == object_id)


def place(page, x, y):
    """Where a point of the frame is on the screen, while the frame is shown whole."""
    box = page.get_by_test_id("stage").bounding_box()
    scale = min((box["width"] - 2 * MARGIN) / WIDTH, (box["height"] - 2 * MARGIN) / HEIGHT)
    left = box["x"] + (box["width"] - WIDTH * scale) / 2
    top = box["y"] + (box["height"] - HEIGHT * scale) / 2
    return left + x * scale, top + y * scale


def wait_for_frame(page, number):
    page.wait_for_selector(f'#stage[data-frame="{number}"]')


def go(page, number):
    page.get_by_test_id("frame-number").fill(str(number))
    page.get_by_test_id("frame-number").press("Enter")
    wait_for_frame(page, number)


def draw_polygon(page, corners):
    page.get_by_test_id("tool-polygon").click()
    for x, y in corners:
        page.mouse.click(*place(page, x, y))
    page.keyboard.press("Enter")


def stroke(page, points):
    page.mouse.move(*place(page, *points[0]))
    page.mouse.down()
    for point in points[1:]:
        page.mouse.move(*place(page, *point), steps=4)
    page.mouse.up()


def until(page, holds, seconds=60):
    """Waits for something that the page does not show; the page's policy lets no condition be sent into it."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not happen in time"
        page.wait_for_timeout(100)


def wait_for_given(studio, page, number, ids):
    """Until the server has given masks of these objects, and no others, on a frame."""
    until(page, lambda: ask(studio, f"/api/masks/{number}")[1]["X-Studio-Given"] == ids)


def wait_until_idle(page):
    page.get_by_test_id("track-hint").wait_for(timeout=TRACK_MS)


def read_notes(page):
    """Forgets what the page has told so far, so that what it tells next is new."""
    page.evaluate("told.length = 0")


def wait_for_note(page, words):
    """Until the page has told something, since the last `read_notes`; the note itself may be gone again."""
    until(page, lambda: any(re.search(words, told, re.I) for told in page.evaluate("told")), TRACK_MS / 1000)


def track(page, direction="forward"):
    read_notes(page)
    page.get_by_test_id(f"track-{direction}").click()
    wait_for_note(page, "Track")
    wait_until_idle(page)


def paint_astronaut_and_track(studio, page):
    wait_for_frame(page, 0)
    draw_polygon(page, ASTRONAUT)
    wait_for_given(studio, page, 0, "1")
    track(page)
