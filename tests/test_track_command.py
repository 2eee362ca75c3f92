"""`livos track` with a stand-in for the network that marks each frame with the number it shows."""

from __future__ import annotations

import json
import shutil
import subprocess
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
from script_modules import ROOT
from tiny_network import tiny_network
from video_makers import damage, make_video, number_shown, picture, turn_clockwise

from livos import SegmenterState, VideoSegmenter, build_model, save_weights
from livos.commands import track
from livos.distributed import Process
from livos.files.images import read_image
from livos.masks.label_maps import LabelCoding, read_labels, write_labels
from livos.pipeline import job
from livos.pipeline.memory_plan import PeakMeter
from livos.video.sources import find_videos
from livos.video.video_file import VideoFile
from livos.video.writer import H264, VideoWriter

SIZE = (48, 64)
DEMO = ROOT / "examples" / "demo"


@dataclass
class Marks:
    """Like SegmentationResult; only object 7 has a confidence."""

    labels: np.ndarray
    object_ids: tuple[int, ...] = ()
    confidence: dict[int, float] = field(default_factory=dict)


@dataclass
class MarkingSegmenter:
    """Labels: each object given so far has a row, filled from the left up to the frame's number."""

    given: list[tuple[int, list[int]]] = field(default_factory=list)
    seen: list[int] = field(default_factory=list)
    device = torch.device("cpu")

    def state(self) -> SegmenterState:
        return SegmenterState()

    def made_with(self) -> dict[str, str]:
        return {"network": "stand-in"}

    def reset(self) -> None:
        self.given.clear()
        self.seen.clear()

    def step(self, image: np.ndarray, labels: np.ndarray | None = None, last: bool = False, absent=()) -> Marks:
        number = number_shown(image)
        self.seen.append(number)
        if labels is not None:
            self.given.append((number, sorted(set(np.unique(labels).tolist()) - {0})))
        marked = np.zeros(image.shape[:2], np.int32)
        for row, object_id in enumerate(sorted({object_id for _, ids in self.given for object_id in ids})):
            marked[10 + row, 8 : 9 + number] = object_id
        return Marks(marked, confidence={7: 0.9 - 0.01 * number})


@pytest.fixture
def segmenter() -> MarkingSegmenter:
    return MarkingSegmenter()


@pytest.fixture
def run(tmp_path, segmenter):
    """Runs the program with these options on `video` and `masks` in the test's folder; returns its exit status."""

    def call(video: Path | str, masks: Path, *options: str) -> int:
        arguments = ["--video", str(video), "--masks", str(masks), "--output", str(tmp_path / "out"), *options]
        return track.main(arguments, lambda *_: segmenter)

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


@pytest.mark.parametrize(("start", "end"), [("20", "10"), ("ten", "20"), ("40", "50")])
def test_a_range_without_frames_is_refused(tmp_path, run, capsys, start, end):
    video = make_video(tmp_path / "clip.mp4")
    assert run(video, write_mask(tmp_path / "mask.png", 1), "--start", start, "--end", end) == 1
    complaint = capsys.readouterr().err
    assert "no frames" in complaint or "'ten': expected a frame number" in complaint


def test_a_mask_outside_the_range_is_refused(tmp_path, run, capsys):
    video = make_video(tmp_path / "clip.mp4")
    assert run(video, write_mask(tmp_path / "00003.png", 1), "--start", "5") == 1
    assert "00003.png: is the mask of frame 3, but only frames 5 to the end were requested" in capsys.readouterr().err


def test_a_mask_beyond_the_end_is_refused_or_reported(tmp_path, run, capsys, caplog):
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


def test_a_damaged_frame_keeps_the_previous_mask(tmp_path, run, caplog):
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
    assert "is damaged; --damaged hold would continue" in capsys.readouterr().err
    assert not (tmp_path / "out/overlay.mp4").exists() and not list((tmp_path / "out").glob(".*.part*"))


def test_a_turned_video_is_segmented_upright(tmp_path, run, capsys):
    video = make_video(tmp_path / "clip.mp4", 3)
    turn_clockwise(video)
    assert run(video, write_mask(tmp_path / "mask.png", 1)) == 1
    assert "It seems rotated" in capsys.readouterr().err
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
    assert run(video, tmp_path / "cutouts", "--write", "masks", "--overwrite") == 0
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
    assert run(video, tmp_path / "coco.json", "--write", "masks", "--overwrite") == 0
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
    assert "mask.png: 64 x 50 pixels, but frame 0 has 64 x 48" in capsys.readouterr().err
    assert run(video, write_mask(tmp_path / "mask.png")) == 1
    assert "no mask shows an object" in capsys.readouterr().err
    assert segmenter.seen == []


def test_missing_weights_say_how_to_get_them(tmp_path, capsys):
    video = make_video(tmp_path / "clip.mp4", 2)
    mask = write_mask(tmp_path / "mask.png", 1)
    arguments = ["--video", str(video), "--masks", str(mask), "--output", str(tmp_path / "out")]
    assert track.main([*arguments, "--weights", str(tmp_path / "none.pth")]) == 2
    assert "none.pth: expected a file, or one of the names lite, nomose-480p" in capsys.readouterr().err


@pytest.mark.skipif(sys.platform != "linux", reason="peaks of memory can be forgotten on Linux only")
def test_memory_does_not_grow_with_the_video(tmp_path):
    """A frame that is kept would show as 83 KB x 200 frames, of image alone, in the second half."""
    peaks = []
    meter = PeakMeter(torch.device("cpu"))

    class Repeating(MarkingSegmenter):
        def step(self, image: np.ndarray, labels: np.ndarray | None = None, last: bool = False, absent=()) -> Marks:
            self.seen.append(0)
            if len(self.seen) % 100 == 0:
                peaks.append(meter.peak())
            return Marks(np.ones(image.shape[:2], np.int32))

    video = make_video(tmp_path / "clip.mp4", 400, size=(144, 192))
    mask = write_mask(tmp_path / "mask.png", 1, size=(144, 192))
    arguments = ["--video", str(video), "--masks", str(mask), "--output", str(tmp_path / "out")]
    assert track.main(arguments, lambda *_: Repeating()) == 0
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


class Interrupted(VideoSegmenter):
    """A real network that is interrupted at its n-th step."""

    steps_left = 9

    def step(self, *arguments, **options):
        if not self.steps_left:
            raise KeyboardInterrupt
        self.steps_left -= 1
        return super().step(*arguments, **options)


@pytest.fixture
def states_are_saved_at_once(monkeypatch):
    monkeypatch.setattr(job, "SECONDS_BETWEEN_STATES", 0.0)


@pytest.mark.usefixtures("states_are_saved_at_once")
@pytest.mark.parametrize("options", [[], ["--backward"], ["--write", "overlay", "boxes"]])
def test_an_interrupted_run_resumes_to_the_same_results(tmp_path, capsys, caplog, options):
    video, mask = make_video(tmp_path / "clip.mp4", 14), write_mask(tmp_path / "mask.png", 1, 5)

    def run_into(name: str, kind: type[VideoSegmenter]) -> int:
        arguments = ["--video", str(video), "--masks", str(mask), "--output", str(tmp_path / name), *options]
        return track.main(arguments, lambda *_: kind(tiny_network(), "cpu"))

    assert run_into("whole", VideoSegmenter) == 0
    assert run_into("parts", Interrupted) == 130
    assert "the same command continues where it stopped" in capsys.readouterr().err
    assert {path.name for path in (tmp_path / "parts").iterdir()} <= {"masks", "job.json", ".resume"}
    caplog.set_level("INFO")
    assert run_into("parts", VideoSegmenter) == 0
    assert "continuing after frame" in caplog.text

    def files(name: str) -> dict[str, bytes]:
        kept = [path for path in (tmp_path / name).rglob("*") if path.is_file() and path.suffix != ".mp4"]
        return {path.relative_to(tmp_path / name).as_posix(): path.read_bytes() for path in kept}

    assert files("parts") == files("whole")
    frames = [list(VideoFile(tmp_path / name / "overlay.mp4").frames()) for name in ("whole", "parts")]
    assert all(np.array_equal(a.image, b.image) for a, b in zip(*frames, strict=True))


def test_a_finished_job_is_not_done_again_and_more_outputs_come_from_its_masks(tmp_path, run, segmenter, caplog):
    video, mask = make_video(tmp_path / "clip.mp4"), write_mask(tmp_path / "mask.png", 1)
    caplog.set_level("INFO")
    assert run(video, mask, "--write", "masks") == 0
    segmenter.seen.clear()
    assert run(video, mask, "--write", "masks") == 0
    assert "was already finished" in caplog.text
    assert run(video, mask, "--write", "masks", "coco", "cutouts") == 0
    assert segmenter.seen == [] and (tmp_path / "out/coco.json").is_file() and (tmp_path / "out/cutouts/1").is_dir()


@pytest.mark.parametrize("change", ["mask", "option", "stranger"])
def test_results_of_another_job_are_refused_or_replaced(tmp_path, run, capsys, change):
    video = make_video(tmp_path / "clip.mp4", 6)
    options = ["--write", "masks", "boxes"]
    if change == "stranger":
        write_mask(tmp_path / "out/masks/000000.png", 9)
    else:
        assert run(video, write_mask(tmp_path / "mask.png", 1), *options) == 0
    mask = write_mask(tmp_path / "mask.png", 1, 2 if change == "mask" else 1)
    options += ["--end", "3"] if change == "option" else []
    assert run(video, mask, *options) == 1
    complaint = capsys.readouterr().err
    expected = {"mask": "it differs in: masks", "option": "it differs in: last_frame", "stranger": "contains masks"}
    assert expected[change] in complaint and "--overwrite" in complaint
    assert run(video, mask, "--overwrite", *options) == 0
    assert len(marks(tmp_path / "out/masks")) == (4 if change == "option" else 6)


def test_given_masks_in_the_output_folder_are_not_written_over(tmp_path, run, capsys):
    video = make_video(tmp_path / "clip.mp4", 3)
    mask = write_mask(tmp_path / "out/masks/000000.png", 1)
    assert run(video, mask.parent, "--overwrite") == 1
    assert "is a given mask in an output folder" in capsys.readouterr().err and mask.is_file()


def test_a_job_can_be_watched_and_stopped_by_a_program(tmp_path):
    video, mask = make_video(tmp_path / "clip.mp4", 8), write_mask(tmp_path / "mask.png", 1)
    (found,) = find_videos(str(video))
    watched = job.TrackJob.of(found, mask, tmp_path / "out", job.TrackSettings())
    seen = []
    for progress in watched.run(MarkingSegmenter()):
        seen.append((progress.stage, progress.number, progress.done, progress.total))
        if progress.done == 3:
            assert progress.frames_per_second > 0 and progress.seconds_left > 0
            break
    assert seen == [("segmenting", number, number + 1, 8) for number in range(3)]
    assert not (tmp_path / "out/overlay.mp4").exists()
    assert [progress.done for progress in watched.run(MarkingSegmenter())][-1] == 8
    with pytest.raises(ValueError, match="write='sound': expected one of masks, overlay"):
        job.TrackSettings(write=("sound",))


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--chunk-size", "-2"], "expected a positive number, or -1 for no limit"),
        (["--size", "none"], "expected a positive number, or -1 for no limit"),
        (["--frame-rate", "0"], "expected frames per second above 0"),
        (["--frame-rate", "-5"], "expected frames per second above 0"),
        (["--frame-rate", "1/0"], "expected frames per second above 0"),
        (["--memory-limit", "much"], "expected an amount of memory"),
    ],
)
def test_options_that_make_no_sense_are_reported(capsys, options, complaint):
    with pytest.raises(SystemExit, match="2"):
        track.parse_arguments(["--video", "a.mp4", "--masks", "a.png", "--output", "out", *options])
    assert complaint in capsys.readouterr().err


def test_a_memory_limit_below_everything_is_reported(tmp_path, capsys):
    video, mask = make_video(tmp_path / "clip.mp4", 3), write_mask(tmp_path / "mask.png", 1)
    arguments = ["--video", str(video), "--masks", str(mask), "--output", str(tmp_path / "out")]
    arguments += ["--memory-limit", "1MB"]
    assert track.main(arguments, lambda *_: VideoSegmenter(tiny_network(), "cpu")) == 1
    assert "not possible within the memory limit" in capsys.readouterr().err


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
