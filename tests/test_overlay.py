"""How results are shown to people: overlays, contact sheets, videos."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from livos.masks.label_maps import davis_palette
from livos.pipeline.frames import SegmentedFrame
from livos.pipeline.outputs import OverlayVideo
from livos.pipeline.overlay import contact_sheet, overlay
from livos.pipeline.threads import InBackground
from livos.video.video_file import Frame
from livos.video.writer import H264, VideoWriter


@pytest.fixture
def image() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (60, 80, 3), dtype=np.uint8)


@pytest.fixture
def labels() -> np.ndarray:
    """Two touching squares: 1 in columns 10-29, 2 in columns 30-49, rows 20-39."""
    labels = np.zeros((60, 80), np.int32)
    labels[20:40, 10:30] = 1
    labels[20:40, 30:50] = 2
    return labels


def inner(labels: np.ndarray) -> np.ndarray:
    """(H, W) bool: pixels of objects whose eight neighbours all have their label."""
    padded = np.pad(labels, 1, mode="edge")
    neighbours = [padded[y : y + labels.shape[0], x : x + labels.shape[1]] for y in range(3) for x in range(3)]
    return (labels > 0) & np.all([neighbour == labels for neighbour in neighbours], axis=0)


def test_background_is_untouched(image, labels):
    before = image.copy()
    drawn = overlay(image, labels)
    assert np.array_equal(drawn[labels == 0], image[labels == 0])
    assert np.array_equal(image, before)
    assert np.array_equal(overlay(image, np.zeros_like(labels)), image)


def test_the_fill_blends_in_the_colour_of_the_id(image, labels):
    drawn = overlay(image, labels, alpha=0.25)
    expected = 0.75 * image + 0.25 * davis_palette()[labels]
    assert np.abs(drawn - expected)[inner(labels)].max() <= 1


def test_contours_are_drawn_where_labels_change_and_nowhere_else(image, labels):
    contour = (labels > 0) & ~inner(labels)
    opaque = overlay(image, labels, alpha=1)
    for label in (1, 2):
        colour = opaque[contour & (labels == label)]
        assert (colour == colour[0]).all(), "a contour has one colour"
        assert (opaque[inner(labels) & (labels == label)] == davis_palette()[label]).all()
        assert colour[0].max() > davis_palette()[label].max(), "and is brighter than the fill"
    assert np.array_equal(overlay(image, labels, alpha=0)[inner(labels)], image[inner(labels)])


def test_an_object_that_fills_the_image_has_no_contour(image):
    assert np.array_equal(overlay(image, np.ones((60, 80), np.int32), alpha=0), image)


def test_ids_above_the_palette_begin_again_at_the_first_colour(image, labels):
    many = np.where(labels == 1, 256, np.where(labels == 2, 70_001, 0))
    few = np.where(labels == 1, 1, np.where(labels == 2, (70_001 - 1) % 255 + 1, 0))
    assert np.array_equal(overlay(image, many), overlay(image, few))
    two_colours = np.array([[0, 0, 0], [10, 20, 30], [40, 50, 60]], np.uint8)
    assert np.array_equal(overlay(image, labels + 2 * (labels > 0), two_colours), overlay(image, labels, two_colours))


def test_neighbours_of_the_same_colour_are_still_divided(image, labels):
    same_colour = np.where(labels == 2, 256, labels)
    drawn = overlay(image, same_colour, alpha=0)
    assert (drawn[25:35, 29] == drawn[25, 29]).all() and not np.array_equal(drawn[25:35, 29], image[25:35, 29])


@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.int64])
def test_any_integer_type_of_labels_draws_the_same(image, labels, kind):
    assert np.array_equal(overlay(image, labels.astype(kind)), overlay(image, labels))


def test_wrong_input_is_refused(image, labels):
    with pytest.raises(ValueError, match=r"uint8 \(H, W, 3\), got float64"):
        overlay(image / 255, labels)
    with pytest.raises(ValueError, match=r"shape \(60, 80\), got int32 \(59, 80\)"):
        overlay(image, labels[1:])
    with pytest.raises(ValueError, match="integer labels"):
        overlay(image, labels.astype(float))
    with pytest.raises(ValueError, match="found -1"):
        overlay(image, labels - (labels == 1) * 2)
    with pytest.raises(ValueError, match=r"alpha=1\.5"):
        overlay(image, labels, alpha=1.5)
    with pytest.raises(ValueError, match="palette"):
        overlay(image, labels, np.zeros((300, 3), np.uint8))


def test_contact_sheet_places_frames_row_by_row():
    frames = [np.full((10, 20, 3), 40 * index, np.uint8) for index in range(5)]
    sheet = contact_sheet(frames, columns=3, gap=2)
    assert sheet.shape == (2 * 12 + 2, 3 * 22 + 2, 3)
    for index in range(5):
        top, left = 2 + index // 3 * 12, 2 + index % 3 * 22
        assert (sheet[top : top + 10, left : left + 20] == 40 * index).all()
    assert (sheet[14:, 46:] == 255).all()


def test_titles_are_drawn_on_copies():
    frame = np.full((120, 160, 3), 200, np.uint8)
    sheet = contact_sheet([frame, frame], columns=2, titles=["frame 3", ""], gap=0)
    assert (frame == 200).all()
    assert (sheet[:30, :60] != 200).any()
    assert (sheet[60:] == 200).all()
    with pytest.raises(ValueError, match="1 titles for 2 frames"):
        contact_sheet([frame, frame], columns=2, titles=["only one"])
    with pytest.raises(ValueError, match="one size"):
        contact_sheet([frame, frame[1:]], columns=2)


def read_video(path: Path) -> tuple[list[np.ndarray], Fraction, str]:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(stream)]
        return frames, Fraction(stream.average_rate), stream.codec_context.name


def write_overlays(path: Path, image: np.ndarray, labels: np.ndarray, rate: Fraction, num_frames: int = 7) -> None:
    with InBackground(OverlayVideo(VideoWriter(path, H264, 1 / rate, rate))) as output:
        for number in range(num_frames):
            output.write(SegmentedFrame(Frame(number, "", number, image), image, labels))


@pytest.mark.parametrize(
    ("size", "rate", "read_size"),
    [((64, 96), Fraction(24), (64, 96)), ((65, 97), Fraction(30000, 1001), (66, 98))],
)
def test_videos_can_be_read_back(tmp_path, size, rate, read_size):
    grey = np.linspace(0, 255, size[1]).astype(np.uint8)
    image = np.repeat(np.broadcast_to(grey, size)[..., None], 3, axis=2)
    labels = np.zeros(size, np.int32)
    labels[16:48, 32:64] = 1
    write_overlays(tmp_path / "overlay.mp4", image, labels, rate)
    frames, average_rate, codec = read_video(tmp_path / "overlay.mp4")
    assert (len(frames), frames[0].shape[:2], average_rate) == (7, read_size, rate)
    assert codec == "h264"
    expected = overlay(image, labels).astype(int)
    assert np.abs(frames[3][: size[0], : size[1]] - expected).mean() < 4
    assert [entry.name for entry in tmp_path.iterdir()] == ["overlay.mp4"]


def test_a_video_without_frames_leaves_nothing(tmp_path, image):
    with pytest.raises(ValueError, match="no frame was added"):
        write_overlays(tmp_path / "empty.mp4", image, np.zeros(image.shape[:2], np.int32), Fraction(24), num_frames=0)
    assert list(tmp_path.iterdir()) == []
