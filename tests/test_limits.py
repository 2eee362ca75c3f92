"""Scarce resources, much work and odd sizes: each gives an error in one sentence, or just works."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tiny_evaluation import masks_in, run
from tiny_network import tiny_network
from tiny_sets import numbered, write_video
from video_makers import make_video

from livos import VideoSegmenter, read_labels, segment_video, write_labels
from livos.commands import track

ROOT = Path(__file__).parent.parent


def mask(size: tuple[int, int], *boxes: tuple[int, slice, slice]) -> np.ndarray:
    labels = np.zeros(size, np.int32)
    for object_id, rows, columns in boxes:
        labels[rows, columns] = object_id
    return labels


@pytest.mark.parametrize("size", [(1, 1), (15, 17), (1, 2000), (2000, 1), (3, 300)])
def test_frames_of_odd_sizes_are_segmented(size):
    images = np.random.default_rng(0).integers(0, 256, (3, *size, 3), dtype=np.uint8)
    segmenter = VideoSegmenter(tiny_network(), device="cpu", size=32)
    labels = [result.labels for result in segment_video(images, np.ones(size, np.int32), segmenter)]
    assert [found.shape for found in labels] == [size] * 3 and (labels[0] == 1).all()


def test_a_frame_of_48_million_pixels_is_segmented(tmp_path):
    """8000 x 6000, at a small size for the network: what is full-size are the image, the mask and the result."""
    picture = Image.fromarray(np.zeros((6000, 8000, 3), np.uint8))
    (tmp_path / "frames").mkdir()
    picture.save(tmp_path / "frames" / "0.jpg")
    write_labels(tmp_path / "0.png", mask((6000, 8000), (1, slice(0, 3000), slice(0, 4000))))
    segmenter = VideoSegmenter(tiny_network(), device="cpu", size=32)
    (result,) = segment_video(tmp_path / "frames", tmp_path / "0.png", segmenter)
    assert (result.labels == 1).sum() == 3000 * 4000


def test_three_hundred_objects_are_tracked():
    ids = np.arange(300).reshape(15, 20) + 1
    labels = np.kron(ids, np.ones((4, 4), np.int32)).astype(np.int32)
    images = np.random.default_rng(0).integers(0, 256, (2, *labels.shape, 3), dtype=np.uint8)
    segmenter = VideoSegmenter(tiny_network(), device="cpu", chunk_size=100)
    first, second = segment_video(images, labels, segmenter)
    np.testing.assert_array_equal(first.labels, labels)
    assert len(second.object_ids) == 300


def test_a_hundred_short_videos_are_evaluated(tmp_path):
    for number in range(100):
        write_video(tmp_path / "images", tmp_path / "masks", f"v{number:03d}", numbered(3), {"00000": [1]})
    report = run(tmp_path)
    assert len(report.segmented) == 100 and not report.errors and len(masks_in(tmp_path)) == 300


@pytest.mark.skipif(os.name == "nt", reason="Windows knows no such limit")
def test_sixty_four_open_files_are_enough(tmp_path):
    write_labels(tmp_path / "mask.png", mask((48, 64), (1, slice(10, 30), slice(10, 30))))
    video = make_video(tmp_path / "clip.mp4", 80)
    program = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64)); "
        "from livos.commands.track import main; sys.exit(main(sys.argv[1:]))"
    )
    arguments = ["--video", str(video), "--masks", str(tmp_path / "mask.png"), "--output", str(tmp_path / "out")]
    arguments += ["--write", "masks", "overlay", "boxes", "coco", "cutouts", "--size", "32", "--device", "cpu"]
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments], capture_output=True, text=True, timeout=300, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr
    assert len(list((tmp_path / "out/masks").glob("*.png"))) == 80


def test_a_full_disk_ends_track_with_a_sentence_and_nothing_half_written(tmp_path, monkeypatch, capsys):
    write_labels(tmp_path / "mask.png", mask((48, 64), (1, slice(10, 30), slice(10, 30))))
    video, saved = make_video(tmp_path / "clip.mp4", 6), Image.Image.save

    def no_space(image, file, *arguments, **options):
        if "000003" in str(file):
            raise OSError(errno.ENOSPC, "No space left on device")
        saved(image, file, *arguments, **options)

    monkeypatch.setattr(Image.Image, "save", no_space)
    arguments = ["--video", str(video), "--masks", str(tmp_path / "mask.png"), "--output", str(tmp_path / "out")]
    assert track.main(arguments, lambda *_: VideoSegmenter(tiny_network(), "cpu")) == 1
    told = capsys.readouterr().err
    assert "No space left on device" in told and "000003.png" in told and "Traceback" not in told
    left = [path for path in (tmp_path / "out").rglob("*") if ".part" in path.name or path.suffix == ".mp4"]
    assert left == [] and not (tmp_path / "out/masks/000003.png").exists()


def test_a_folder_where_nothing_may_be_written_is_reported(tmp_path, capsys):
    write_labels(tmp_path / "mask.png", mask((48, 64), (1, slice(10, 30), slice(10, 30))))
    video = make_video(tmp_path / "clip.mp4", 3)
    (tmp_path / "out").write_text("a file where a folder should be")  # what root may not do, either
    arguments = ["--video", str(video), "--masks", str(tmp_path / "mask.png"), "--output", str(tmp_path / "out")]
    assert track.main(arguments, lambda *_: VideoSegmenter(tiny_network(), "cpu")) == 1
    told = capsys.readouterr().err
    assert str(tmp_path / "out") in told and "Traceback" not in told


def test_a_mask_of_only_the_second_frame_is_accepted_with_a_warning(tmp_path, caplog):
    write_labels(tmp_path / "00001.png", mask((48, 64), (1, slice(10, 30), slice(10, 30))))
    video = make_video(tmp_path / "clip.mp4", 3)
    arguments = ["--video", str(video), "--masks", str(tmp_path / "00001.png"), "--output", str(tmp_path / "out")]
    assert track.main(arguments, lambda *_: VideoSegmenter(tiny_network(), "cpu")) == 0
    assert "00001.png is the mask of frame 1, but the first frame is 0: nothing is marked until then" in caplog.text
    assert "--count-from 1" in caplog.text and read_labels(tmp_path / "out/masks/000000.png").ids == []
