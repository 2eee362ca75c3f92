"""Runs of frames whose masks should be checked are found from the written masks."""

import json

import numpy as np
import pytest
import torch
from PIL import Image
from tiny_network import tiny_network
from video_makers import make_video

from livos import VideoSegmenter
from livos.commands import track
from livos.masks.confidence_notes import confidence_note
from livos.masks.label_maps import write_labels
from livos.pipeline.doubtful import DoubtfulRun, doubtful_runs


def write_masks(folder, values: dict[int, list[float]]) -> None:
    folder.mkdir()
    for number in range(len(next(iter(values.values())))):
        confidence = {object_id: series[number] for object_id, series in values.items()}
        write_labels(folder / f"{number:03d}.png", np.ones((4, 4), np.int32), note=confidence_note(confidence))


def test_runs_are_bridged_over_single_good_frames_and_sorted_by_doubt(tmp_path):
    write_masks(tmp_path / "masks", {1: [0.9, 0.4, 0.9, 0.3, 0.9, 0.9, 0.9, 0.45], 7: [0.9] * 7 + [0.1]})
    found = doubtful_runs(tmp_path / "masks")
    assert found == [
        DoubtfulRun(7, "007", "007", 1, 0.1),
        DoubtfulRun(1, "001", "003", 3, 0.3),
        DoubtfulRun(1, "007", "007", 1, 0.45),
    ]
    assert str(found[1]) == "check frames 001 to 003 of object 1 (confidence down to 0.30)"
    assert str(found[0]) == "check frame 007 of object 7 (confidence down to 0.10)"


def test_masks_without_notes_are_not_doubted(tmp_path):
    Image.fromarray(np.ones((4, 4), np.uint8)).save(tmp_path / "0.png")
    assert doubtful_runs(tmp_path) == []
    (tmp_path / "1.png").write_text("no picture")
    with pytest.raises(ValueError, match=r"1\.png"):
        doubtful_runs(tmp_path)


def test_track_says_what_to_check(tmp_path, caplog):
    labels = np.zeros((48, 64), np.int32)
    labels[10:30, 10:30] = 3
    write_labels(tmp_path / "mask.png", labels)
    caplog.set_level("INFO")
    arguments = ["--video", str(make_video(tmp_path / "a.mp4", 6)), "--masks", str(tmp_path / "mask.png")]
    segmenter = VideoSegmenter(tiny_network(), "cpu")
    segmenter.confidence_model = lambda features: torch.full(features.shape[:1], 0.25)
    assert track.main([*arguments, "--output", str(tmp_path / "out")], lambda *_: segmenter) == 0
    (run,) = json.loads((tmp_path / "out/job.json").read_text())["doubtful"]
    assert (run["object_id"], run["last"], run["least"]) == (3, "000005", 0.25)
    assert f"check frames {run['first']} to 000005 of object 3 (confidence down to 0.25)" in caplog.text
