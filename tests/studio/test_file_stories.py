"""How people open, export and import files in LiVOS Studio: real browser, real server, real network."""

import io
import json
import re
import zipfile

import numpy as np
import pytest
from PIL import Image
from running_studio import NUM_FRAMES, ROOT
from story_steps import (
    ASTRONAUT,
    HEIGHT,
    SIZE,
    TRACK_MS,
    WIDTH,
    draw_polygon,
    mask,
    masks,
    overlap,
    paint_astronaut_and_track,
    timeline,
    wait_for_frame,
    wait_for_given,
    wait_for_note,
)

from livos.masks.drawn_files import read_drawn_masks


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
