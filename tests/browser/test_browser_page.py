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


def write_video(path: Path) -> None:
    """Writes 20 frames of 64 x 48, each of another grey, at 24 frames per second."""
    av = pytest.importorskip("av")
    with av.open(path, "w") as container:
        stream = container.add_stream("libvpx-vp9", rate=24)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for grey in range(20, 220, 10):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), grey, np.uint8), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


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
    path = tmp_path / "grey.webm"
    write_video(path)
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
        (["notes.txt"], "notes.txt is not a video that this browser can play."),
        (["broken.png"], "broken.png is not a picture that this browser can read."),
        (["notes.txt", "a.png"], "Choose one video, or its frames as pictures"),
    ):
        chooser.set_input_files([tmp_path / name for name in names])
        page.get_by_text(sentence).wait_for()
    open_files(page, [tmp_path / "a.png", tmp_path / "b.png"])
    page.keyboard.press("t")
    page.get_by_text("Paint an object first").wait_for()
    page.keyboard.press("ArrowRight")
    page.get_by_text("b.png has 48 × 32 pixels, but the first picture has 32 × 32").wait_for()


def test_a_page_without_its_model_says_so(assembled, new_page, address):
    model = assembled / "model"
    model.rename(assembled / "elsewhere")
    try:
        page = new_page(address)
        page.get_by_text("There is no model next to this page").wait_for()
    finally:
        (assembled / "elsewhere").rename(model)


def test_keys_of_studio_that_the_page_lacks_change_nothing(page):
    open_files(page, FRAMES[:1])
    taken = page.evaluate(
        """() => ["p", "e", "Escape", "d"].map((key) => {
          const event = new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true });
          document.body.dispatchEvent(event);
          return event.defaultPrevented;
        })"""
    )
    assert taken == [False, True, True, False]
    page.keyboard.press("b")
    page.keyboard.press("p")
    draw(page, CAT[:2])
    assert set(np.unique(downloaded(page)["00000.png"])) == {0, 1}


def test_a_browser_that_cannot_find_frame_rates_says_so(page, tmp_path):
    page.evaluate("() => { delete HTMLVideoElement.prototype.requestVideoFrameCallback; }")
    write_video(tmp_path / "grey.webm")
    page.get_by_test_id("files").set_input_files(tmp_path / "grey.webm")
    page.get_by_text("choose the frames as pictures").wait_for()


def test_another_video_lets_go_of_the_one_before(page, tmp_path):
    write_video(tmp_path / "grey.webm")
    found = page.evaluate(
        """async (files) => {
          const { openFiles } = await import(new URL("footage.js", location.href));
          const { Session } = await import(new URL("session.js", location.href));
          const session = new Session();
          const sentences = [];
          session.on("note", ({ sentence }) => sentences.push(sentence));
          const file = new File([Uint8Array.from(files)], "grey.webm", { type: "video/webm" });
          const shown = () => new Promise((resolve) => session.on("shown", resolve));
          const first = await openFiles([file]);
          const seen = shown();
          session.open(first);
          await seen;
          const { picture } = session.shown;
          const asked = session.go(5);
          session.open(await openFiles([file]));
          await asked;
          return { width: picture.width, after: await first.read(1).catch((error) => error.message), sentences };
        }""",
        list((tmp_path / "grey.webm").read_bytes()),
    )
    assert found == {"width": 0, "after": "grey.webm is closed.", "sentences": []}


def test_starting_to_play_again_leaves_one_loop(page):
    loops = page.evaluate(
        """async () => {
          const { Player } = await import(new URL("player.js", location.href));
          const { Session } = await import(new URL("session.js", location.href));
          const session = new Session();
          session.state = { phase: "ready", video: { num_frames: 9, frame_rate: 1e-3 } };
          const player = new Player(session);
          const before = window.requestAnimationFrame;
          let waiting = [];
          window.requestAnimationFrame = (call) => // the rest of the page goes on drawing
            new Error().stack.includes("player.js") ? waiting.push(call) : before(call);
          for (let time = 0; time < 3; time++) player.toggle();
          const due = waiting;
          waiting = [];
          for (const call of due) call();
          await new Promise((resolve) => setTimeout(resolve, 50));
          window.requestAnimationFrame = before;
          player.set(false);
          return [due.length, waiting.length];
        }"""
    )
    assert loops == [2, 1]


def test_deleting_an_object_touches_only_its_frames(page):
    found = page.evaluate(
        """async () => {
          const { Session } = await import(new URL("session.js", location.href));
          const session = new Session();
          session.state = { phase: "ready", video: { width: 4, height: 1, num_frames: 3 } };
          for (const id of [1, 2]) session.addObject();
          session.keep(0, Uint32Array.of(0, 2, 1, 2), new Set([1])); // lengths of 2 are not object 2
          session.keep(1, Uint32Array.of(1, 2, 2, 2), new Set([1, 2]));
          session.keep(2, Uint32Array.of(2, 4), new Set([2]));
          const before = session.masks.get(0);
          let told = 0;
          session.on("masks", () => told++);
          session.removeObject(2);
          const masks = [0, 1, 2].map((frame) => [...session.masks.get(frame)]);
          return { told, same: before === session.masks.get(0), masks, given: [...session.given.keys()] };
        }"""
    )
    assert found == {"told": 1, "same": True, "masks": [[0, 2, 1, 2], [1, 2, 0, 2], [0, 4]], "given": [0, 1]}


def test_more_masks_than_a_zip_file_holds_are_refused(page):
    sentences = page.evaluate(
        """async () => {
          const { Session } = await import(new URL("session.js", location.href));
          const { downloadAll } = await import(new URL("downloads.js", location.href));
          const session = new Session();
          session.state = { phase: "ready", video: { num_frames: 65536 } };
          for (let frame = 0; frame < 65536; frame++) session.masks.set(frame, Uint32Array.of(1, 1));
          const sentences = [];
          session.on("note", ({ sentence }) => sentences.push(sentence));
          await downloadAll(session);
          return sentences;
        }"""
    )
    assert len(sentences) == 1 and "at most 65535 masks, but there are 65536" in sentences[0]
