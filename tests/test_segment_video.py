"""A whole video from Python, in one call: any source of frames, any kind of mask."""

import numpy as np
import pytest
from PIL import Image
from tiny_network import tiny_network
from video_makers import make_video, picture

from livos import VideoSegmenter, read_labels, segment_video, write_labels
from livos.commands import track
from livos.video.video_file import VideoFile

SIZE = (48, 64)


def mask(*ids: int) -> np.ndarray:
    labels = np.zeros(SIZE, np.int32)
    for place, object_id in enumerate(ids):
        labels[20:29, 8 + 10 * place : 14 + 10 * place] = object_id
    return labels


@pytest.fixture
def segmenter() -> VideoSegmenter:
    return VideoSegmenter(tiny_network(), device="cpu")


def labels_of(results) -> dict[int, np.ndarray]:
    return {result.number: result.labels for result in results}


def assert_same(found: dict[int, np.ndarray], expected: dict[int, np.ndarray]) -> None:
    assert list(found) == list(expected)
    assert all(np.array_equal(found[number], expected[number]) for number in expected)


@pytest.mark.parametrize("backward", [False, True])
def test_the_masks_are_those_of_the_command(tmp_path, segmenter, backward):
    video, given = make_video(tmp_path / "clip.mp4", 6), tmp_path / "masks"
    given.mkdir()
    write_labels(given / "4.png", mask(1, 5))
    write_labels(given / "2.png", mask(5))
    found = labels_of(segment_video(video, given, segmenter, start=1, end=4, backward=backward))
    options = ["--video", str(video), "--masks", str(given), "--output", str(tmp_path / "out"), "--write", "masks"]
    options += ["--start", "1", "--end", "4"] + ["--backward"] * backward
    assert track.main(options, lambda *_: segmenter) == 0
    assert list(found) == ([4, 3, 2, 1] if backward else [1, 2, 3, 4])
    for number, labels in found.items():
        np.testing.assert_array_equal(labels, read_labels(tmp_path / f"out/masks/{number:06d}.png").labels)


def test_files_arrays_and_pictures_are_the_same_video(tmp_path, segmenter):
    video = make_video(tmp_path / "clip.mp4", 5)
    write_labels(tmp_path / "mask.png", mask(1))
    expected = labels_of(segment_video(str(video), tmp_path / "mask.png", segmenter))
    images = [frame.image for frame in VideoFile(video).frames()]
    assert_same(labels_of(segment_video(np.stack(images), mask(1), segmenter)), expected)
    assert_same(labels_of(segment_video(iter(images), mask(1) > 0, segmenter)), expected)
    pictures = [Image.fromarray(image) for image in images]
    assert_same(labels_of(segment_video(pictures, {0: tmp_path / "mask.png"}, segmenter)), expected)


def test_results_have_everything_about_a_frame(segmenter):
    images = [picture(number, SIZE) for number in range(3)]
    results = list(segment_video(images, {0: mask(7), 1: mask(9)}, segmenter, keep_probabilities=True))
    assert [result.object_ids for result in results] == [(7,), (7, 9), (7, 9)]
    assert results[2].probabilities.shape == (3, *SIZE) and set(results[2].confidence) == {7, 9}
    np.testing.assert_array_equal(results[1].image, images[1])
    assert not results[0].damaged


def test_weights_are_taken_by_name():
    images = [picture(number, SIZE) for number in range(2)]
    results = list(segment_video(images, mask(1), "lite"))
    assert results[1].labels.shape == SIZE


@pytest.mark.parametrize(
    ("masks", "changes", "complaint"),
    [
        (np.zeros(SIZE, np.int32), {}, "no mask shows an object"),
        (mask(1)[:40], {}, "mask of frame 0: 64 x 40 pixels, but frame 0 has 64 x 48"),
        ({5: mask(1)}, {}, "mask of frame 5: is the mask of frame 5, but the video has 3 frames"),
        ({0: mask(1)}, {"start": 1}, "only frames 1 to the end were requested"),
        (mask(1).astype(float), {}, "labels have type float64"),
        (mask(1), {"start": 7}, "no frames from 7"),
        (mask(1), {"damaged": "skip"}, "damaged='skip': expected one of hold, stop"),
        (mask(1), {"frame_rate": 0}, "frame_rate"),
    ],
)
def test_what_does_not_fit_is_refused_before_the_first_frame(segmenter, masks, changes, complaint):
    images = [picture(number, SIZE) for number in range(3)]
    with pytest.raises(ValueError, match=complaint):
        segment_video(images, masks, segmenter, **changes)


def test_a_folder_of_several_videos_is_refused(tmp_path, segmenter):
    for name in ("a", "b"):
        make_video(tmp_path / f"{name}.mp4", 2)
    with pytest.raises(ValueError, match=r"expected one video, found 2 \(a, b\)"):
        segment_video(tmp_path, mask(1), segmenter)
