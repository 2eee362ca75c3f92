"""`livos track` refuses what makes no sense before the work, and survives damaged frames."""

from __future__ import annotations

import json

import pytest
from marking_segmenter import marks, write_mask
from tiny_network import tiny_network
from video_makers import damage, make_video

from livos import VideoSegmenter
from livos.commands import track


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
