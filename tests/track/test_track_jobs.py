"""`livos track` resumes after an interruption and keeps the results of two jobs apart; its memory does not grow."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import torch
from marking_segmenter import MarkingSegmenter, Marks, marks, write_mask
from tiny_network import tiny_network
from video_makers import make_video

from livos import VideoSegmenter
from livos.commands import track
from livos.pipeline import job
from livos.pipeline.memory_plan import PeakMeter
from livos.video.sources import find_videos
from livos.video.video_file import VideoFile


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
