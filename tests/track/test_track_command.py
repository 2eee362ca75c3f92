"""`livos track` with a stand-in for the network that marks each frame with the number it shows."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from fractions import Fraction

import cv2
import numpy as np
import pytest
import torch
from marking_segmenter import marks, write_mask
from script_modules import ROOT
from tiny_network import tiny_network
from video_makers import make_video, number_shown, picture, turn_clockwise

from livos import VideoSegmenter, build_model, save_weights
from livos.commands import track
from livos.distributed import Process
from livos.files.images import read_image
from livos.masks.label_maps import LabelCoding, read_labels
from livos.video.video_file import VideoFile
from livos.video.writer import H264, VideoWriter


def test_every_frame_gets_its_mask_overlay_and_boxes(tmp_path, run):
    video = make_video(tmp_path / "clip.mp4", sound=True)
    mask = write_mask(tmp_path / "mask.png", 7, coding=LabelCoding("palette", bytes(range(256)) * 3))
    assert run(video, mask) == 0
    assert marks(tmp_path / "out/masks") == {f"{number:06d}": {7: number} for number in range(30)}
    assert read_labels(tmp_path / "out/masks/000003.png").coding == read_labels(mask).coding
    overlay = VideoFile(tmp_path / "out/overlay.mp4")
    assert [number_shown(frame.image) for frame in overlay.frames()] == list(range(30)) and overlay.has_sound
    report = json.loads((tmp_path / "out/objects.json").read_text())
    assert (report["width"], report["height"], report["frame_rate"]) == (64, 48, 25)
    assert report["frames"][5] == {
        "frame": 5, "name": "000005", "seconds": 0.2,
        "objects": [{"id": 7, "area": 6, "box": [8, 10, 6, 1], "confidence": 0.85}],
    }  # fmt: skip
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "job.json", "masks", "objects.json", "overlay.mp4",
    ]  # fmt: skip


def test_backward_gives_the_same_files_in_order_of_time(tmp_path, run, segmenter):
    video = make_video(tmp_path / "clip.mp4")
    mask = write_mask(tmp_path / "mask.png", 1)
    assert run(video, mask, "--backward", "--start", "5", "--end", "20", "--write", "overlay", "boxes", "coco") == 0
    assert segmenter.seen == list(range(20, 4, -1)) and segmenter.given == [(20, [1])]
    frames = list(VideoFile(tmp_path / "out/overlay.mp4").frames())
    assert [number_shown(frame.image) for frame in frames] == list(range(5, 21))
    report = json.loads((tmp_path / "out/objects.json").read_text())
    assert [(frame["frame"], frame["objects"][0]["area"] - 1) for frame in report["frames"]] == [
        (number, number) for number in range(5, 21)
    ]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "coco.json", "job.json", "objects.json", "overlay.mp4",
    ]  # fmt: skip


def test_masks_of_several_frames_are_linked_by_number(tmp_path, run, segmenter):
    video = make_video(tmp_path / "clip.mp4")
    write_mask(tmp_path / "masks/frame_3.png", 2)
    write_mask(tmp_path / "masks/00010.png", 2, 300, coding=LabelCoding("rgb_ids"))
    assert run(video, tmp_path / "masks", "--end", "12") == 0
    assert segmenter.given == [(3, [2]), (10, [2, 300])]
    found = marks(tmp_path / "out/masks")
    assert len(found) == 13 and found["000002"] == {} and found["000003"] == {2: 3}
    assert found["000012"] == {2: 12, 300: 12}


def test_frames_can_count_from_one(tmp_path, run, segmenter):
    video = make_video(tmp_path / "clip.mp4")
    write_mask(tmp_path / "masks/00004.png", 1)
    assert run(video, tmp_path / "masks", "--count-from", "1", "--start", "4", "--end", "6") == 0
    assert segmenter.given == [(3, [1])] and segmenter.seen == [3, 4, 5]
    assert list(marks(tmp_path / "out/masks")) == ["000004", "000005", "000006"]


def test_start_and_end_may_be_times(tmp_path, run, segmenter):
    video = make_video(tmp_path / "clip.mp4", sound=True)
    assert run(video, write_mask(tmp_path / "mask.png", 1), "--start", "0.4s", "--end", "00:00.8") == 0
    assert segmenter.seen == list(range(10, 20)) and segmenter.given == [(10, [1])]


def test_a_folder_of_images_is_a_video(tmp_path, run, segmenter):
    (tmp_path / "frames").mkdir()
    for number in (8, 9, 10):
        cv2.imwrite(str(tmp_path / f"frames/shot{number}.png"), picture(number)[..., ::-1])
    write_mask(tmp_path / "masks/shot9.png", 1)
    assert run(tmp_path / "frames", tmp_path / "masks", "--frame-rate", "5") == 0
    assert marks(tmp_path / "out/masks") == {"shot8": {}, "shot9": {1: 9}, "shot10": {1: 10}}
    assert segmenter.seen == [8, 9, 10]
    assert json.loads((tmp_path / "out/objects.json").read_text())["frames"][2]["seconds"] == 0.4
    assert run(f"{tmp_path}/frames/shot*.png", tmp_path / "masks/shot9.png", "--backward", "--overwrite") == 0
    assert segmenter.seen == [10, 9, 8] and segmenter.given == [(9, [1])]


def test_several_videos_get_folders_and_one_bad_does_not_lose_the_others(tmp_path, run, capsys):
    for name in ("a", "b"):
        (tmp_path / "videos").mkdir(exist_ok=True)
        make_video(tmp_path / f"videos/{name}.mp4", 4)
    (tmp_path / "videos/broken.mp4").write_text("no video")
    write_mask(tmp_path / "masks/a.png", 1)
    write_mask(tmp_path / "masks/b/00002.png", 5)
    write_mask(tmp_path / "masks/broken.png", 1)
    assert run(tmp_path / "videos", tmp_path / "masks") == 1
    assert marks(tmp_path / "out/a/masks")["000003"] == {1: 3}
    assert marks(tmp_path / "out/b/masks") == {"000000": {}, "000001": {}, "000002": {5: 2}, "000003": {5: 3}}
    assert "broken: " in capsys.readouterr().err
    assert run(f"{tmp_path}/videos/?.mp4", tmp_path / "masks") == 0  # finished already


def test_a_turned_video_is_segmented_upright(tmp_path, run, capsys):
    video = make_video(tmp_path / "clip.mp4", 3)
    turn_clockwise(video)
    assert run(video, write_mask(tmp_path / "mask.png", 1)) == 1
    assert "It seems rotated" in capsys.readouterr().err
    assert run(video, write_mask(tmp_path / "mask.png", 1, size=(64, 48))) == 0
    assert VideoFile(tmp_path / "out/overlay.mp4").size == (64, 48)
    assert read_labels(tmp_path / "out/masks/000000.png").labels.shape == (64, 48)


def test_processes_share_the_videos(tmp_path):
    for name in ("a", "b", "c"):
        (tmp_path / "videos").mkdir(exist_ok=True)
        make_video(tmp_path / f"videos/{name}.mp4", 3)
        write_mask(tmp_path / f"masks/{name}.png", 1)
    save_weights(build_model("lite", seed=0), tmp_path / "lite.pth")
    arguments = ["--video", f"{tmp_path}/videos/*.mp4", "--masks", str(tmp_path / "masks"), "--device", "cpu"]
    arguments += ["--output", str(tmp_path / "out"), "--size", "48", "--weights", str(tmp_path / "lite.pth")]
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2", "-m", "livos"]
    done = subprocess.run([*launcher, "track", *arguments], capture_output=True, text=True, timeout=300, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert sorted(done.stdout.split()) == [str(tmp_path / "out" / name) for name in ("a", "b", "c")]
    assert "3 of 3 videos segmented" in done.stderr
    assert all(len(marks(tmp_path / f"out/{name}/masks")) == 3 for name in ("a", "b", "c"))


@pytest.mark.parametrize(
    ("given", "expected"), [([], 320), (["--internal-size", "96"], 96), (["--internal-size", "0"], None)]
)
def test_the_network_works_at_the_size_that_suits_the_weights_unless_told_otherwise(given, expected):
    options = track.parse_arguments(["--video", "a.mp4", "--masks", "a.png", "--output", "out", *given])
    assert track.build_segmenter(options, Process(0, 1, torch.device("cpu"))).size == expected


DEMO = ROOT / "examples" / "demo"


def test_the_demo_clip_as_mp4_through_a_real_network(tmp_path):
    """The frames that eval.py reads as JPEG, as a video file: objects 1 and 2 from the start, 3 from frame 20 on."""
    frames = sorted((DEMO / "JPEGImages/launch-pad-cafe").glob("*.jpg"))[:22]
    with VideoWriter(tmp_path / "demo.mp4", H264, Fraction(1, 24), Fraction(24)) as video:
        for number, path in enumerate(frames):
            video.add(read_image(path), number)
    given = tmp_path / "given"
    given.mkdir()
    for name in ("00000.png", "00020.png"):  # the third is for a later frame
        shutil.copy(DEMO / "GivenMasks/launch-pad-cafe" / name, given)
    arguments = ["--video", str(tmp_path / "demo.mp4"), "--masks", str(given), "--output", str(tmp_path / "out")]
    arguments += ["--device", "cpu", "--memory-limit", "64GB"]
    status = track.main(arguments, lambda *_: VideoSegmenter(tiny_network(), "cpu", size=48))
    assert status == 0
    masks = [read_labels(path) for path in sorted((tmp_path / "out/masks").glob("*.png"))]
    assert len(masks) == 22 and all(mask.labels.shape == (480, 854) for mask in masks)
    first = read_labels(given / "00000.png")
    np.testing.assert_array_equal(masks[0].labels, first.labels)
    assert masks[0].coding == first.coding
    cup = read_labels(given / "00020.png").labels == 3
    assert not any(3 in mask.ids for mask in masks[:20]) and (masks[20].labels[cup] == 3).all()
    segmenter = VideoSegmenter(tiny_network(), "cpu", size=48)
    for frame in VideoFile(tmp_path / "demo.mp4").frames(stop=5):
        assert frame.image is not None
        labels = segmenter.step(frame.image, first.labels if frame.number == 0 else None).labels
        np.testing.assert_array_equal(masks[frame.number].labels, labels)
    drawn = VideoFile(tmp_path / "out/overlay.mp4")
    assert len(list(drawn.frames())) == 22 and drawn.frame_rate == 24
