"""scripts/process_video.py with a stand-in for the network that marks each frame with the number it shows."""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
import torch
from pycocotools import mask as coco_masks
from script_modules import ROOT, load_script
from tiny_network import tiny_network
from video_makers import damage, make_video, number_shown, picture, turn_clockwise

from livos import VideoSegmenter
from livos.files.images import read_image
from livos.masks.label_maps import LabelCoding, read_labels, write_labels
from livos.segmenter.memory_plan import PeakMeter
from livos.video.video_file import VideoFile
from livos.video.writer import H264, VideoWriter

process_video = load_script("scripts/process_video.py")

SIZE = (48, 64)
DEMO = ROOT / "examples" / "demo"


@dataclass
class Marks:
    """Like SegmentationResult."""

    labels: np.ndarray


@dataclass
class MarkingSegmenter:
    """Labels: each object that was given so far has a row, marked from the left as far as the number of the frame."""

    given: list[tuple[int, list[int]]] = field(default_factory=list)
    seen: list[int] = field(default_factory=list)

    def reset(self) -> None:
        self.given.clear()
        self.seen.clear()

    def step(self, image: np.ndarray, labels: np.ndarray | None = None, last: bool = False) -> Marks:
        number = number_shown(image)
        self.seen.append(number)
        if labels is not None:
            self.given.append((number, sorted(set(np.unique(labels).tolist()) - {0})))
        marked = np.zeros(image.shape[:2], np.int32)
        for row, object_id in enumerate(sorted({object_id for _, ids in self.given for object_id in ids})):
            marked[10 + row, 8 : 9 + number] = object_id
        return Marks(marked)


@pytest.fixture
def segmenter() -> MarkingSegmenter:
    return MarkingSegmenter()


@pytest.fixture
def run(tmp_path, segmenter):
    """Runs the program with these options on `video` and `masks` in the test's folder; returns its exit status."""

    def call(video: Path | str, masks: Path, *options: str) -> int:
        arguments = ["--video", str(video), "--masks", str(masks), "--output", str(tmp_path / "out"), *options]
        return process_video.main(arguments, lambda _: segmenter)

    return call


def mask_with(*ids: int, size: tuple[int, int] = SIZE) -> np.ndarray:
    """Labels with a block of 9 x 6 pixels for each id."""
    labels = np.zeros(size, np.int32)
    for place, object_id in enumerate(ids):
        labels[20:29, 8 + 10 * place : 14 + 10 * place] = object_id
    return labels


def write_mask(path: Path, *ids: int, coding: LabelCoding | None = None, size: tuple[int, int] = SIZE) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_labels(path, mask_with(*ids, size=size), coding)
    return path


def marks(directory: Path) -> dict[str, dict[int, int]]:
    """Of each mask in a folder: by object id, the number that its row is marked with."""
    found = {}
    for path in sorted(directory.glob("*.png")):
        labels = read_labels(path).labels
        ids = sorted(set(np.unique(labels).tolist()) - {0})
        found[path.stem] = {object_id: int((labels == object_id).sum()) - 1 for object_id in ids}
    return found


def test_every_frame_gets_its_mask_overlay_and_boxes(tmp_path, run):
    video = make_video(tmp_path / "clip.mp4", sound=True)
    mask = write_mask(tmp_path / "mask.png", 7, coding=LabelCoding("palette", bytes(range(256)) * 3))
    for _ in range(2):  # the second time over the first
        assert run(video, mask) == 0
    assert marks(tmp_path / "out/masks") == {f"{number:06d}": {7: number} for number in range(30)}
    assert read_labels(tmp_path / "out/masks/000003.png").coding == read_labels(mask).coding
    overlay = VideoFile(tmp_path / "out/overlay.mp4")
    assert [number_shown(frame.image) for frame in overlay.frames()] == list(range(30)) and overlay.has_sound
    report = json.loads((tmp_path / "out/objects.json").read_text())
    assert (report["width"], report["height"], report["frame_rate"]) == (64, 48, 25)
    assert report["frames"][5] == {
        "frame": 5, "name": "000005", "seconds": 0.2, "objects": [{"id": 7, "area": 6, "box": [8, 10, 6, 1]}],
    }  # fmt: skip
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["masks", "objects.json", "overlay.mp4"]


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
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["coco.json", "objects.json", "overlay.mp4"]


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


@pytest.mark.parametrize(("start", "end"), [("20", "10"), ("ten", "20"), ("40", "50")])
def test_a_range_without_frames_is_refused(tmp_path, run, capsys, start, end):
    video = make_video(tmp_path / "clip.mp4")
    assert run(video, write_mask(tmp_path / "mask.png", 1), "--start", start, "--end", end) == 1
    complaint = capsys.readouterr().err
    assert "no frames" in complaint or "'ten': expected the number of a frame" in complaint


def test_a_mask_outside_the_range_is_refused(tmp_path, run, capsys):
    video = make_video(tmp_path / "clip.mp4")
    assert run(video, write_mask(tmp_path / "00003.png", 1), "--start", "5") == 1
    assert "00003.png: is the mask of frame 3, but only frames 5 to the end are asked for" in capsys.readouterr().err


def test_a_mask_beyond_the_end_is_refused_or_told(tmp_path, run, capsys, caplog):
    mask = write_mask(tmp_path / "00030.png", 1)
    assert run(make_video(tmp_path / "clip.mp4"), mask) == 1
    assert "00030.png: is the mask of frame 30, but the video has 30 frames" in capsys.readouterr().err
    assert run(make_video(tmp_path / "clip.mkv"), mask) == 0  # does not say how many it has
    assert "00030.png is the mask of frame 30, which never came" in caplog.text


def test_a_folder_of_images_is_a_video(tmp_path, run, segmenter):
    (tmp_path / "frames").mkdir()
    for number in (8, 9, 10):
        cv2.imwrite(str(tmp_path / f"frames/shot{number}.png"), picture(number)[..., ::-1])
    write_mask(tmp_path / "masks/shot9.png", 1)
    assert run(tmp_path / "frames", tmp_path / "masks", "--frame-rate", "5") == 0
    assert marks(tmp_path / "out/masks") == {"shot8": {}, "shot9": {1: 9}, "shot10": {1: 10}}
    assert segmenter.seen == [8, 9, 10]
    assert json.loads((tmp_path / "out/objects.json").read_text())["frames"][2]["seconds"] == 0.4
    assert run(f"{tmp_path}/frames/shot*.png", tmp_path / "masks/shot9.png", "--backward") == 0
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
    assert run(f"{tmp_path}/videos/?.mp4", tmp_path / "masks") == 0


def test_a_damaged_frame_keeps_the_mask_before_it(tmp_path, run, caplog):
    video = make_video(tmp_path / "clip.mp4")
    damage(video, 5)
    assert run(video, write_mask(tmp_path / "mask.png", 1)) == 0
    report = json.loads((tmp_path / "out/objects.json").read_text())
    (lost,) = [frame["frame"] for frame in report["frames"] if frame.get("damaged")]
    assert f"frame {lost} " in caplog.text and "is damaged" in caplog.text
    found = marks(tmp_path / "out/masks")
    assert found[f"{lost:06d}"] == found[f"{lost - 1:06d}"] and len(found) == 30


def test_damage_can_be_refused(tmp_path, run, capsys):
    video = make_video(tmp_path / "clip.mp4")
    damage(video, 5)
    assert run(video, write_mask(tmp_path / "mask.png", 1), "--damaged", "stop") == 1
    assert "is damaged; --damaged hold would go on" in capsys.readouterr().err
    assert not (tmp_path / "out/overlay.mp4").exists() and not list((tmp_path / "out").glob(".*"))


def test_a_turned_video_is_segmented_upright(tmp_path, run, capsys):
    video = make_video(tmp_path / "clip.mp4", 3)
    turn_clockwise(video)
    assert run(video, write_mask(tmp_path / "mask.png", 1)) == 1
    assert "It seems turned" in capsys.readouterr().err
    assert run(video, write_mask(tmp_path / "mask.png", 1, size=(64, 48))) == 0
    assert VideoFile(tmp_path / "out/overlay.mp4").size == (64, 48)
    assert read_labels(tmp_path / "out/masks/000000.png").labels.shape == (64, 48)


def test_objects_are_cut_out(tmp_path, run):
    video = make_video(tmp_path / "clip.mp4", 3)
    mask = write_mask(tmp_path / "mask.png", 1, 4)
    assert run(video, mask, "--write", "cutouts") == 0
    files = sorted(path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.png"))
    assert files == [f"cutouts/{object_id}/{number:06d}.png" for object_id in (1, 4) for number in range(3)]
    cut = cv2.imread(str(tmp_path / "out/cutouts/4/000002.png"), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(np.argwhere(cut[..., 3]), [[11, 8], [11, 9], [11, 10]])
    assert not cut[cut[..., 3] == 0].any()


@pytest.mark.parametrize(("kind", "suffix"), [("prores", ".mov"), ("vp9", ".webm")])
def test_objects_are_cut_out_as_videos(tmp_path, run, kind, suffix):
    video = make_video(tmp_path / "clip.mp4", 4)
    assert run(video, write_mask(tmp_path / "mask.png", 1, 4), "--write", "cutouts", "--cutouts-as", kind) == 0
    for object_id in (1, 4):
        with av.open(str(tmp_path / f"out/cutouts/{object_id}{suffix}")) as container:
            assert len([packet for packet in container.demux(video=0) if packet.size]) == 4


def test_cut_outs_are_taken_back_as_masks(tmp_path, run, segmenter):
    video = make_video(tmp_path / "clip.mp4", 3)
    run(video, write_mask(tmp_path / "mask.png", 1, 4), "--write", "cutouts")
    (tmp_path / "out/cutouts").rename(tmp_path / "cutouts")
    assert run(video, tmp_path / "cutouts", "--write", "masks") == 0
    assert segmenter.given == [(0, [1, 4]), (1, [1, 4]), (2, [1, 4])]


def test_coco_says_what_the_masks_say_and_is_taken_back(tmp_path, run, segmenter):
    video = make_video(tmp_path / "clip.mp4", 3)
    assert run(video, write_mask(tmp_path / "mask.png", 1, 4), "--write", "masks", "coco") == 0
    coco = json.loads((tmp_path / "out/coco.json").read_text())
    assert [image["file_name"] for image in coco["images"]] == ["000000.png", "000001.png", "000002.png"]
    for entry in coco["annotations"]:
        labels = read_labels(tmp_path / f"out/masks/{entry['image_id']:06d}.png").labels
        np.testing.assert_array_equal(coco_masks.decode(entry["segmentation"]), labels == entry["track_id"])
        assert entry["area"] == (labels == entry["track_id"]).sum()
    (tmp_path / "out/coco.json").rename(tmp_path / "coco.json")
    assert run(video, tmp_path / "coco.json", "--write", "masks") == 0
    assert segmenter.given == [(0, [1, 4]), (1, [1, 4]), (2, [1, 4])]


def test_names_of_drawn_objects_are_reported(tmp_path, run, segmenter):
    video = make_video(tmp_path / "clip.mp4", 2)
    shapes = [
        {"label": "dog", "points": [[10, 10], [20, 10], [20, 20]], "shape_type": "polygon"},
        {"label": "ball", "points": [[30, 30], [40, 40]], "shape_type": "rectangle"},
    ]
    (tmp_path / "first.json").write_text(json.dumps({"shapes": shapes, "imageHeight": 48, "imageWidth": 64}))
    assert run(video, tmp_path / "first.json", "--write", "boxes") == 0
    assert segmenter.given == [(0, [1, 2])]
    assert json.loads((tmp_path / "out/objects.json").read_text())["objects"] == {"1": "dog", "2": "ball"}


def test_a_mask_of_another_size_and_an_empty_one_are_refused_before_the_work(tmp_path, run, capsys, segmenter):
    video = make_video(tmp_path / "clip.mp4", 2)
    assert run(video, write_mask(tmp_path / "mask.png", 1, size=(50, 64))) == 1
    assert "mask.png: 64 x 50 pixels, frame 0 has 64 x 48" in capsys.readouterr().err
    assert run(video, write_mask(tmp_path / "mask.png")) == 1
    assert "not one of 1 masks shows an object" in capsys.readouterr().err
    assert segmenter.seen == []


def test_missing_weights_are_said_how_to_get(tmp_path, capsys):
    video = make_video(tmp_path / "clip.mp4", 2)
    mask = write_mask(tmp_path / "mask.png", 1)
    arguments = ["--video", str(video), "--masks", str(mask), "--output", str(tmp_path / "out")]
    assert process_video.main([*arguments, "--weights", str(tmp_path / "none.pth")]) == 1
    assert "download.py" in capsys.readouterr().err


@pytest.mark.skipif(sys.platform != "linux", reason="peaks of memory can be forgotten on Linux only")
def test_memory_does_not_grow_with_the_video(tmp_path):
    """A frame that is kept would show as 83 KB x 200 frames, of image alone, in the second half."""
    peaks = []
    meter = PeakMeter(torch.device("cpu"))

    class Repeating(MarkingSegmenter):
        def step(self, image: np.ndarray, labels: np.ndarray | None = None, last: bool = False) -> Marks:
            self.seen.append(0)
            if len(self.seen) % 100 == 0:
                peaks.append(meter.peak())
            return Marks(np.ones(image.shape[:2], np.int32))

    video = make_video(tmp_path / "clip.mp4", 400, size=(144, 192))
    mask = write_mask(tmp_path / "mask.png", 1, size=(144, 192))
    arguments = ["--video", str(video), "--masks", str(mask), "--output", str(tmp_path / "out")]
    assert process_video.main(arguments, lambda _: Repeating()) == 0
    assert len(peaks) == 4 and peaks[3] - peaks[1] < 6 * 2**20


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
    status = process_video.main(arguments, lambda _: VideoSegmenter(tiny_network(), "cpu", internal_size=48))
    assert status == 0
    masks = [read_labels(path) for path in sorted((tmp_path / "out/masks").glob("*.png"))]
    assert len(masks) == 22 and all(mask.labels.shape == (480, 854) for mask in masks)
    first = read_labels(given / "00000.png")
    np.testing.assert_array_equal(masks[0].labels, first.labels)
    assert masks[0].coding == first.coding
    cup = read_labels(given / "00020.png").labels == 3
    assert not any(3 in mask.ids for mask in masks[:20]) and (masks[20].labels[cup] == 3).all()
    segmenter = VideoSegmenter(tiny_network(), "cpu", internal_size=48)
    for frame in VideoFile(tmp_path / "demo.mp4").frames(stop=5):
        assert frame.image is not None
        labels = segmenter.step(frame.image, first.labels if frame.number == 0 else None).labels
        np.testing.assert_array_equal(masks[frame.number].labels, labels)
    drawn = VideoFile(tmp_path / "out/overlay.mp4")
    assert len(list(drawn.frames())) == 22 and drawn.frame_rate == 24


def test_an_interrupt_leaves_masks_and_nothing_unfinished(tmp_path, capsys):
    class Interrupted(MarkingSegmenter):
        def step(self, image: np.ndarray, labels: np.ndarray | None = None, last: bool = False) -> Marks:
            if len(self.seen) == 20:
                raise KeyboardInterrupt
            return super().step(image, labels)

    video, mask = make_video(tmp_path / "clip.mp4"), write_mask(tmp_path / "mask.png", 1)
    arguments = ["--video", str(video), "--masks", str(mask), "--output", str(tmp_path / "out")]
    assert process_video.main(arguments, lambda _: Interrupted()) == 130
    assert "masks that are written stay" in capsys.readouterr().err
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["masks"]


@pytest.mark.parametrize(
    ("given", "expected"), [([], 320), (["--internal-size", "96"], 96), (["--internal-size", "0"], None)]
)
def test_the_network_works_at_the_size_that_suits_the_weights_unless_told_otherwise(given, expected):
    options = process_video.parse_arguments(["--video", "a.mp4", "--masks", "a.png", "--output", "out", *given])
    assert process_video.build_segmenter(options).internal_size == expected
