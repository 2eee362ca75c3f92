"""The page that tracks in the browser: it does what PyTorch does, and says what it cannot do."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from livos import VideoSegmenter

CLIP = Path(__file__).parents[2] / "examples" / "demo" / "JPEGImages" / "launch-pad-cafe"
FRAMES = sorted(CLIP.glob("*.jpg"))[:10]
CAT = [((x, 260), (x, 340)) for x in range(110, 230, 18)]
ASTRONAUT = [((x, 300), (x, 350)) for x in range(620, 800, 18)]
ERASED = [((x, 250), (x, 270)) for x in range(120, 260, 18)]
TRACKING_MS = 300_000


def open_files(page, paths: list[Path]) -> None:
    page.get_by_test_id("files").set_input_files(paths)
    page.wait_for_selector("#stage[data-frame='0']")


def draw(page, strokes: list) -> None:
    """Draws straight strokes, with ends in pixels of frames of 854 x 480, with the tool that is chosen."""
    box = page.get_by_test_id("stage").bounding_box()
    scale = min((box["width"] - 32) / 854, (box["height"] - 32) / 480)
    left, top = box["x"] + (box["width"] - 854 * scale) / 2, box["y"] + (box["height"] - 480 * scale) / 2
    for (x0, y0), (x1, y1) in strokes:
        page.mouse.move(left + x0 * scale, top + y0 * scale)
        page.mouse.down()
        page.mouse.move(left + x1 * scale, top + y1 * scale, steps=4)
        page.mouse.up()


def track(page) -> None:
    page.get_by_test_id("track-forward").click()
    page.get_by_test_id("stop").wait_for()
    page.get_by_test_id("track-forward").wait_for(timeout=TRACKING_MS)


def downloaded(page) -> dict[str, np.ndarray]:
    """The masks of all frames by file name."""
    with page.expect_download() as download:
        page.get_by_test_id("download-all").click()
    with zipfile.ZipFile(download.value.path()) as archive:
        assert archive.testzip() is None
        pictures = {name: Image.open(io.BytesIO(archive.read(name))) for name in archive.namelist()}
    assert {picture.mode for picture in pictures.values()} == {"P"}
    return {name: np.asarray(picture) for name, picture in pictures.items()}


def assert_as_pytorch(masks: dict[str, np.ndarray], given: dict[int, np.ndarray]) -> None:
    """Fails unless the masks are PyTorch's, except for a pixel in a thousand, and contain what was drawn."""
    assert list(masks) == [f"{path.stem}.png" for path in FRAMES]
    segmenter = VideoSegmenter("lite", device="cpu")
    for t, (path, found) in enumerate(zip(FRAMES, masks.values(), strict=True)):
        expected = segmenter.step(Image.open(path), given.get(t)).labels
        assert (found == expected).mean() >= 0.999, t
        assert min((found == 1).sum(), (found == 2).sum()) > 3000, t


def note(page) -> str:
    return page.get_by_test_id("note").last.inner_text()


def test_labels_are_those_of_pytorch_also_after_a_correction(page):
    open_files(page, FRAMES)
    draw(page, CAT)
    page.keyboard.press("n")
    draw(page, ASTRONAUT)
    track(page)
    masks = downloaded(page)
    first = masks["00000.png"]
    assert_as_pytorch(masks, {0: first})

    page.get_by_test_id("frame-slider").fill("4")
    page.wait_for_selector("#stage[data-frame='4']")
    page.keyboard.press("1")
    page.keyboard.press("e")
    draw(page, ERASED)
    track(page)
    masks = downloaded(page)
    corrected = masks["00004.png"] * (masks["00004.png"] == 1)
    assert_as_pytorch(masks, {0: first, 4: corrected})


def test_steps_can_be_undone_and_objects_deleted(page):
    open_files(page, FRAMES[:1])
    draw(page, CAT[:2])
    page.keyboard.press("n")
    draw(page, ASTRONAUT[:2])
    page.keyboard.press("Control+z")
    page.keyboard.press("Control+z")
    page.keyboard.press("Control+Shift+z")
    page.wait_for_function("document.querySelectorAll('.object').length === 2")
    both = downloaded(page)["00000.png"]
    assert set(np.unique(both)) == {0, 1, 2}
    page.get_by_role("button", name="Delete Object 1").click()
    assert set(np.unique(downloaded(page)["00000.png"])) == {0, 2}


def test_frames_of_a_video_are_found_one_by_one(page, tmp_path):
    av = pytest.importorskip("av")
    path = tmp_path / "grey.webm"
    with av.open(path, "w") as container:
        stream = container.add_stream("libvpx-vp9", rate=24)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for grey in range(20, 220, 10):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), grey, np.uint8), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    open_files(page, [path])
    assert "20 frames · 24 fps" in page.locator(".project-facts").inner_text()
    for frame in (0, 1, 7, 8, 19, 3):
        page.get_by_test_id("frame-slider").fill(str(frame))
        page.wait_for_selector(f"#stage[data-frame='{frame}']")
        pixel = page.evaluate(
            "() => { const canvas = document.querySelector('.scene');"
            " return canvas.getContext('2d').getImageData(canvas.width / 2, canvas.height / 2, 1, 1).data[0]; }"
        )
        assert abs(pixel - (20 + 10 * frame)) < 5, frame


def test_what_cannot_be_done_is_said_in_a_sentence(page, tmp_path):
    (tmp_path / "notes.txt").write_text("no video")
    (tmp_path / "broken.png").write_bytes(b"no picture")
    Image.new("RGB", (32, 32)).save(tmp_path / "a.png")
    Image.new("RGB", (48, 32)).save(tmp_path / "b.png")
    chooser = page.get_by_test_id("files")
    for names, sentence in (
        (["notes.txt"], "notes.txt is no video that this browser can play."),
        (["broken.png"], "broken.png is no picture that this browser can read."),
        (["notes.txt", "a.png"], "Choose one video, or its frames as pictures"),
    ):
        chooser.set_input_files([tmp_path / name for name in names])
        page.get_by_text(sentence).wait_for()
    open_files(page, [tmp_path / "a.png", tmp_path / "b.png"])
    page.keyboard.press("t")
    page.get_by_text("Paint an object first").wait_for()
    page.keyboard.press("ArrowRight")
    page.get_by_text("b.png has 48 × 32 pixels, the first picture 32 × 32").wait_for()


def test_a_page_without_its_model_says_so(assembled, new_page, address):
    model = assembled / "model"
    model.rename(assembled / "elsewhere")
    try:
        page = new_page(address)
        page.get_by_text("There is no model next to this page").wait_for()
    finally:
        (assembled / "elsewhere").rename(model)
