"""What people do in LiVOS Studio, from start to end: real browser, real server, real network at a small size."""

import io
import json
import re
import time
import zipfile
from urllib.parse import parse_qs, urlsplit
from urllib.request import Request, urlopen

import numpy as np
import pytest
from PIL import Image
from running_studio import NUM_FRAMES, ROOT

from livos.masks.drawn_files import read_drawn_masks
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


def test_paint_an_object_and_track_it(studio, page):
    paint_astronaut_and_track(studio, page)
    given = mask(studio, 0)
    assert overlap(given == 1, truth(0, 1)) > 0.7
    for number in range(1, NUM_FRAMES):
        assert overlap(mask(studio, number) == 1, truth(number, 1)) > 0.5
    assert tracked_by(studio, 1) == "." + "f" * LAST
    assert timeline(studio)["marks"] == {"0": [1]}


def test_brush_and_eraser_change_the_pixels_that_they_touch(studio, page):
    wait_for_frame(page, 0)
    page.keyboard.press("b")
    stroke(page, [(100, 100), (300, 100)])
    wait_for_given(studio, page, 0, "1")
    painted = mask(studio, 0) == 1
    assert painted[100, 102:298].all()
    assert painted.sum() == pytest.approx(24 * 200 + np.pi * 12**2, rel=0.05)
    page.keyboard.press("e")
    stroke(page, [(200, 60), (200, 140)])
    until(page, lambda: "eraser" in page.get_by_test_id("undo").get_attribute("aria-label"))
    erased = mask(studio, 0) == 1
    assert not erased[60:140, 190:210].any()
    assert erased[100, 110] and erased[100, 290]
    page.keyboard.press("Control+z")
    wait_for_note(page, "Undone")
    np.testing.assert_array_equal(mask(studio, 0) == 1, painted)


def test_clicks_find_an_object_and_undo_takes_one_back(studio, page):
    wait_for_frame(page, 0)
    page.keyboard.press("Shift+C")
    page.mouse.click(*place(page, 700, 300))
    until(page, lambda: overlap(mask(studio, 0) == 1, truth(0, 1)) > 0.5)
    wait_for_given(studio, page, 0, "1")
    after_one = mask(studio, 0)
    for button, x, y in (("left", 730, 180), ("right", 690, 310)):
        page.mouse.click(*place(page, x, y), button=button)
        until(page, lambda: (mask(studio, 0) != after_one).any())  # before the next step, or undo would be too early
        page.get_by_test_id("busy").wait_for(state="hidden")
        page.keyboard.press("Control+z")
        until(page, lambda: (mask(studio, 0) == after_one).all())


def test_box_of_the_click_tool_finds_an_object(studio, page):
    wait_for_frame(page, 0)
    page.get_by_test_id("tool-clicks").click()
    rows, columns = (np.flatnonzero(truth(0, 1).any(axis)) for axis in (1, 0))
    stroke(page, [(columns[0] - 3, rows[0] - 3), (columns[-1] + 3, rows[-1] + 3)])
    until(page, lambda: overlap(mask(studio, 0) == 1, truth(0, 1)) > 0.7)


def test_object_that_was_taken_off_a_frame_is_marked_as_absent_there(studio, page):
    wait_for_frame(page, 0)
    draw_polygon(page, ASTRONAUT)
    wait_for_given(studio, page, 0, "1")
    mark = page.get_by_test_id("given")
    until(page, lambda: mark.get_attribute("aria-label") == "Mask given by hand on this frame")
    page.keyboard.press("Delete")
    until(page, lambda: mark.get_attribute("aria-label") == "Marked as absent from this frame")
    assert not mask(studio, 0).any()


def test_correct_and_track_on(studio, page):
    paint_astronaut_and_track(studio, page)
    before = masks(studio)
    go(page, 6)
    page.keyboard.press("b")
    stroke(page, [(380, 60), (480, 60), (480, 110), (380, 110)])
    wait_for_given(studio, page, 6, "1")
    corrected = mask(studio, 6)
    assert (corrected != before[6]).any()
    track(page)
    after = masks(studio)
    np.testing.assert_array_equal(after[:6], before[:6])
    np.testing.assert_array_equal(after[6], corrected)
    assert (after[7:] != before[7:]).any(axis=(1, 2)).all()
    assert timeline(studio)["marks"] == {"0": [1], "6": [1]}


def test_second_object_later_leaves_the_first_alone(studio, page):
    paint_astronaut_and_track(studio, page)
    first = masks(studio)
    go(page, 7)
    page.keyboard.press("n")
    page.get_by_test_id("object").nth(1).wait_for()
    draw_polygon(page, [(x + 22, y + 4) for x, y in CAT])
    wait_for_given(studio, page, 7, "2")
    track(page)
    both = masks(studio)
    assert not (both[:7] == 2).any()
    assert all((both[number] == 2).sum() > 500 for number in range(7, NUM_FRAMES))
    np.testing.assert_array_equal(both[:7], first[:7])
    for number in range(8, NUM_FRAMES):
        assert overlap(both[number] == 1, first[number] == 1) > 0.8


def test_backwards_and_refill_to_a_seam(studio, page):
    wait_for_frame(page, 0)
    go(page, LAST)
    draw_polygon(page, [(x - 12, y + 2) for x, y in ASTRONAUT])
    wait_for_given(studio, page, LAST, "1")
    track(page, "backward")
    assert tracked_by(studio, 1) == "b" * LAST + "."
    go(page, 0)
    draw_polygon(page, ASTRONAUT)
    wait_for_given(studio, page, 0, "1")
    read_notes(page)
    page.get_by_test_id("track-refill").click()
    wait_for_note(page, "refill")
    wait_until_idle(page)
    assert "s" in tracked_by(studio, 1)
    for number in range(NUM_FRAMES):
        assert overlap(mask(studio, number) == 1, truth(number, 1)) > 0.5


def test_range_only_is_a_choice_of_the_tracking(studio, page):
    wait_for_frame(page, 0)
    draw_polygon(page, ASTRONAUT)
    wait_for_given(studio, page, 0, "1")
    assert page.get_by_test_id("range-only").is_disabled()
    go(page, 3)
    page.keyboard.press("u")
    until(page, lambda: page.get_by_test_id("range-only").is_checked())
    go(page, 0)
    track(page)
    assert tracked_by(studio, 1) == ".fff" + "." * (LAST - 3)
    go(page, 0)
    page.get_by_test_id("range-only").uncheck()
    track(page)
    assert tracked_by(studio, 1) == "." + "f" * LAST


def test_stop_and_continue(studio, page):
    wait_for_frame(page, 0)
    page.keyboard.press("Control+,")
    page.get_by_test_id("setting-size").fill("480")
    page.get_by_test_id("setting-size").press("Tab")
    page.get_by_test_id("settings-done").click()
    draw_polygon(page, ASTRONAUT)
    wait_for_given(studio, page, 0, "1")
    page.get_by_test_id("track-forward").click()
    page.get_by_test_id("stop").wait_for()
    until(page, lambda: "f" in tracked_by(studio, 1))
    page.keyboard.press("Escape")
    wait_until_idle(page)
    by = tracked_by(studio, 1)
    stopped = by.rindex("f")
    assert 1 <= stopped < LAST, by
    half = masks(studio)
    page.get_by_test_id("go-on").click()
    page.wait_for_selector(f'#stage[data-frame="{LAST}"]', timeout=TRACK_MS)
    wait_until_idle(page)
    assert tracked_by(studio, 1) == "." + "f" * LAST
    np.testing.assert_array_equal(masks(studio)[: stopped + 1], half[: stopped + 1])


def test_undo_reverts_a_whole_tracking_run_and_redo_repeats_it(studio, page):
    wait_for_frame(page, 0)
    draw_polygon(page, ASTRONAUT)
    wait_for_given(studio, page, 0, "1")
    before = masks(studio)
    track(page)
    tracked = masks(studio)
    page.get_by_test_id("undo").click()
    wait_for_note(page, "Undone")
    np.testing.assert_array_equal(masks(studio), before)
    assert set(tracked_by(studio, 1)) == {"."}
    page.get_by_test_id("redo").click()
    wait_for_note(page, "Redone")
    np.testing.assert_array_equal(masks(studio), tracked)


def export(page, kinds):
    """The archive that the page lets one download."""
    page.get_by_test_id("export").click()
    for box in page.locator("[data-testid^=export-][type=checkbox]").all():
        box.set_checked(box.get_attribute("data-testid").removeprefix("export-") in kinds)
    page.get_by_test_id("export-start").click()
    link = page.get_by_test_id("download").first
    link.wait_for(timeout=TRACK_MS)
    with page.expect_download() as download:
        link.click()
    return zipfile.ZipFile(io.BytesIO(open(download.value.path(), "rb").read()))


def test_every_kind_of_export_can_be_read_back(studio, page):
    av = pytest.importorskip("av")
    paint_astronaut_and_track(studio, page)
    expected = masks(studio)
    archive = export(page, {"masks", "overlay", "boxes", "cutouts", "prores", "vp9", "coco", "yolo"})
    names = archive.namelist()

    def read(pattern):
        return [archive.read(name) for name in sorted(names) if re.search(pattern, name)]

    written = [np.array(Image.open(io.BytesIO(data))) for data in read(r"masks/\d+\.png$")]
    np.testing.assert_array_equal(np.stack(written), expected)
    for pattern, pixel_format in ((r"overlay.*\.mp4$", "yuv420p"), (r"\.mov$", "yuva"), (r"\.webm$", "yuv")):
        [data] = read(pattern)
        with av.open(io.BytesIO(data)) as video:
            assert video.streams.video[0].codec_context.pix_fmt.startswith(pixel_format)
            assert sum(1 for _ in video.decode(video=0)) == NUM_FRAMES
    cut_outs = [np.array(Image.open(io.BytesIO(data))) for data in read(r"cutouts/1/\d+\.png$")]
    np.testing.assert_array_equal(np.stack(cut_outs)[..., 3] > 0, expected == 1)
    boxes = json.loads(read(r"objects\.json$")[0])
    assert len(boxes["frames"]) == NUM_FRAMES
    coco = studio.folder / "coco.json"
    coco.write_bytes(read(r"coco\.json$")[0])
    drawn = read_drawn_masks([coco], SIZE).masks
    assert len(drawn) == NUM_FRAMES
    for key, shape in drawn.items():
        np.testing.assert_array_equal(shape.read().labels, expected[int(key)])
    for number, text in enumerate(read(r"labels/.*\d+\.txt$")):
        outline = Image.new("1", (WIDTH, HEIGHT))
        for line in text.decode().splitlines():
            numbers = [float(word) for word in line.split()[1:]]
            fill_polygon(outline, [(x * WIDTH, y * HEIGHT) for x, y in zip(numbers[::2], numbers[1::2], strict=True)])
        assert overlap(np.array(outline), expected[number] == 1) > 0.95


def fill_polygon(image, corners):
    from PIL import ImageDraw

    ImageDraw.Draw(image).polygon(corners, fill=1)


def test_exported_masks_come_back_as_given_ones(studio, page):
    paint_astronaut_and_track(studio, page)
    expected = masks(studio)
    archive = export(page, {"masks"})
    archive.extractall(studio.folder / "exported")
    page.get_by_test_id("export-dialog-close").click()
    page.get_by_test_id("object-more").first.click()
    page.get_by_test_id("delete-everywhere").click()
    page.locator("[data-testid=object]").first.wait_for(state="detached")
    page.keyboard.press("Control+i")
    files = sorted((studio.folder / "exported").rglob("0000*.png"))[:3]
    page.get_by_test_id("import-files").set_input_files([str(path) for path in files])
    page.get_by_test_id("import-start").click()
    wait_for_note(page, "Imported masks on 3 frames")
    for number in range(3):
        np.testing.assert_array_equal(mask(studio, number) > 0, expected[number] > 0)
    assert list(timeline(studio)["marks"]) == ["0", "1", "2"]


def test_killed_server_comes_back_with_all_that_was_done(studio_process, new_page):
    studio, page = studio_process, new_page(studio_process.address)
    paint_astronaut_and_track(studio, page)
    go(page, 5)
    draw_polygon(page, [(100, 50), (200, 50), (200, 100), (100, 100)])
    wait_for_given(studio, page, 5, "1")
    before, marks = masks(studio), timeline(studio)["marks"]
    studio.kill()
    page.get_by_test_id("banner").filter(has_text="connection").wait_for()
    studio.restart()
    again = new_page(studio.address)
    wait_for_frame(again, 0)
    np.testing.assert_array_equal(masks(studio), before)
    assert timeline(studio)["marks"] == marks
    track(again)
    assert tracked_by(studio, 1).count("f") >= NUM_FRAMES - 2


def test_wrong_files_are_refused_with_a_sentence(studio, page):
    wait_for_frame(page, 0)
    draw_polygon(page, ASTRONAUT)
    wait_for_given(studio, page, 0, "1")
    before = masks(studio)
    small, text = studio.folder / "00003.png", studio.folder / "00004.png"
    Image.new("P", (64, 48)).save(small)
    text.write_text("no picture")
    page.keyboard.press("Control+i")
    for path, words in ((small, "64"), (text, "00004.png")):
        page.get_by_test_id("import-files").set_input_files(str(path))
        page.get_by_test_id("import-start").click()
        page.get_by_test_id("import-problem").filter(has_text=words).wait_for()
    page.get_by_test_id("import-files").set_input_files(str(ROOT / "README.md"))
    page.get_by_test_id("import-problem").filter(has_text="left out").wait_for()
    assert page.get_by_test_id("import-start").is_disabled()
    np.testing.assert_array_equal(masks(studio), before)


def test_file_that_is_not_a_video_is_refused_and_another_can_be_chosen(empty_studio, new_page):
    page = new_page(empty_studio.address)
    page.get_by_test_id("start").wait_for()
    wrong = empty_studio.folder / "wrong.mp4"
    wrong.write_bytes(b"no video at all" * 100)
    page.get_by_test_id("drop-input").set_input_files(str(wrong))
    wait_for_note(page, "video|read")
    page.get_by_test_id("entry").first.click()
    page.get_by_test_id("entry").filter(has_text=re.compile("^clip")).first.click()
    wait_for_frame(page, 0)


def test_demo_clip_opens_with_one_click(empty_studio, new_page):
    page = new_page(empty_studio.address)
    page.get_by_test_id("demo").click()
    wait_for_frame(page, 0)
    assert "64 frames" in page.locator(".project-facts").inner_text()


def test_second_page_is_told_and_can_take_over(studio, page, new_page):
    wait_for_frame(page, 0)
    other = new_page(studio.address)
    wait_for_frame(other, 0)
    other.get_by_test_id("banner").filter(has_text="another page").wait_for()
    draw_polygon(other, ASTRONAUT)
    wait_for_note(other, "can only watch")
    draw_polygon(page, ASTRONAUT)
    wait_for_given(studio, page, 0, "1")
    other.get_by_test_id("take-over").click()
    page.get_by_test_id("banner").filter(has_text="another page").wait_for()
    other.get_by_test_id("banner").wait_for(state="hidden")
    go(other, 4)
    draw_polygon(other, ASTRONAUT)
    wait_for_given(studio, other, 4, "1")


def test_lost_connection_is_shown_and_restored(studio, browser):
    context = browser.new_context(viewport={"width": 1280, "height": 720})
    page = context.new_page()
    lines = []

    def connect(line):
        lines.append(line)
        line.connect_to_server()

    page.route_web_socket(re.compile("/api/events"), connect)
    page.goto(studio.address)
    wait_for_frame(page, 0)
    lines[-1].close()
    page.get_by_test_id("banner").filter(has_text="lost").wait_for(state="attached")
    page.get_by_test_id("banner").wait_for(state="hidden")
    draw_polygon(page, ASTRONAUT)
    wait_for_given(studio, page, 0, "1")
    context.close()


def test_keyboard_alone_paints_tracks_and_undoes(studio, page):
    wait_for_frame(page, 0)
    page.keyboard.press("b")
    page.get_by_test_id("stage").focus()
    page.keyboard.press("Alt+ArrowRight")
    page.keyboard.press("Alt+Enter")
    for _ in range(4):
        page.keyboard.press("Alt+Shift+ArrowRight")
    page.keyboard.press("Alt+Enter")
    wait_for_given(studio, page, 0, "1")
    page.keyboard.press("t")
    wait_for_note(page, "Track")
    wait_until_idle(page)
    assert tracked_by(studio, 1) == "." + "f" * LAST
    page.keyboard.press("Control+z")
    wait_for_note(page, "Undone")
    assert set(tracked_by(studio, 1)) == {"."}
    page.keyboard.press("?")
    page.get_by_test_id("help-dialog").filter(has_text="Previous given mask").wait_for()


def test_jump_shows_the_key_frame_until_the_frame_is_there_and_nothing_can_be_drawn_on_it(film_studio, new_page):
    page = new_page(film_studio.address)
    wait_for_frame(page, 0)
    held = []
    page.route(re.compile(r"/api/frames/30\?width=\d+&v="), lambda route: held.append(route))
    page.get_by_test_id("frame-number").fill("30")
    page.get_by_test_id("frame-number").press("Enter")
    page.wait_for_selector('#stage[data-preview="0"]')
    assert page.get_by_test_id("preview-sign").inner_text() == "Showing key frame 0 until frame 30 is decoded"
    page.keyboard.press("b")
    stroke(page, [(100, 100), (300, 100)])
    wait_for_note(page, "Frame 30 is not there yet")
    until(page, lambda: held)
    held[0].continue_()
    wait_for_frame(page, 30)
    assert page.get_by_test_id("preview-sign").is_hidden()
    assert timeline(film_studio)["marks"] == {}


def test_sign_names_the_frame_that_was_asked_for_last(film_studio, new_page):
    page = new_page(film_studio.address)
    wait_for_frame(page, 0)
    page.route(re.compile(r"/api/frames/30\?width=\d+&v="), lambda route: None)  # neither frame ever comes
    page.route(re.compile(r"/api/frames/25\?"), lambda route: None)
    number, sign = page.get_by_test_id("frame-number"), page.get_by_test_id("preview-sign")
    for frame in ("30", "25"):
        number.fill(frame)
        number.press("Enter")
        sign.filter(has_text=f"until frame {frame} is decoded").wait_for()
    page.unroute_all(behavior="ignoreErrors")


def test_page_scrolls_nowhere_and_every_control_has_a_name(studio, page):
    wait_for_frame(page, 0)
    draw_polygon(page, ASTRONAUT)
    wait_for_given(studio, page, 0, "1")
    for width, height in ((1280, 720), (1920, 1080)):
        page.set_viewport_size({"width": width, "height": height})
        extent = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.scrollHeight]")
        assert extent == [width, height]
        outside = page.evaluate(
            """() => [...document.querySelectorAll("button, input, canvas")].filter((control) => {
                const box = control.getBoundingClientRect();
                return control.checkVisibility() && (box.right > innerWidth + 1 || box.bottom > innerHeight + 1);
            }).map((control) => control.outerHTML)"""
        )
        assert outside == []
    nameless = page.evaluate(
        """() => [...document.querySelectorAll("button, input, select, a")].filter((control) =>
            !control.ariaLabel && !control.textContent.trim() && !control.labels?.length && control.tabIndex >= 0
        ).map((control) => control.outerHTML)"""
    )
    assert nameless == []
