"""Frames of video files: right numbers, right times, forwards and backwards, and what damage does."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from video_makers import damage, make_video, number_shown, packets_of, picture, turn_clockwise

from livos.video import video_file
from livos.video.video_file import VideoFile

CONTAINERS = [
    ("a.mp4", "libx264"),
    ("a.mkv", "libx264"),
    ("a.ts", "libx264"),
    ("a.mpg", "mpeg2video"),
    ("a.avi", "mpeg4"),
    ("a.webm", "libvpx-vp9"),
    ("vp8.webm", "libvpx"),
    ("a.mov", "mjpeg"),
]


@pytest.mark.parametrize(("name", "codec"), CONTAINERS, ids=[f"{name}-{codec}" for name, codec in CONTAINERS])
def test_every_way_to_read_gives_the_same_frames(tmp_path, name, codec, monkeypatch):
    video = VideoFile(make_video(tmp_path / name, codec=codec))
    assert video.size == (48, 64)
    frames = list(video.frames())
    assert [frame.number for frame in frames] == list(range(30)) == [number_shown(frame.image) for frame in frames]
    middle = list(video.frames(start=7, stop=23))
    monkeypatch.setattr(video_file, "BACKWARD_BYTES", 48 * 64 * 2 * 4)  # four frames at a time, ten between keys
    backward = list(video.frames(start=7, stop=23, backward=True))
    for found in (middle, backward[::-1]):
        assert [(frame.number, frame.pts) for frame in found] == [(frame.number, frame.pts) for frame in frames[7:23]]
        for frame, expected in zip(found, frames[7:23], strict=True):
            np.testing.assert_array_equal(frame.image, expected.image)


def test_colours_come_through(tmp_path):
    frame = next(VideoFile(make_video(tmp_path / "a.mp4", codec="libx264")).frames())
    np.testing.assert_allclose(frame.image[20:30, 30:40].astype(int), picture(0)[20:30, 30:40], atol=4)
    np.testing.assert_allclose(frame.image[30, 3].astype(int), (200, 30, 30), atol=12)


def test_uneven_times_are_kept(tmp_path):
    pts = [0, 1000, 1500, 4000, 4100, 9000]
    video = VideoFile(make_video(tmp_path / "a.mkv", 6, pts=pts, time_base=Fraction(1, 1000)))
    assert [frame.pts * video.time_base for frame in video.frames()] == [Fraction(time, 1000) for time in pts]
    assert [video.frame_at(seconds) for seconds in (0, 1.0, 1.2, 4.1, 100)] == [0, 1, 2, 4, 6]


def test_a_phones_rotation_is_applied(tmp_path):
    upright = VideoFile(make_video(tmp_path / "a.mp4", 2))
    expected = np.rot90(next(upright.frames()).image, -1)  # clockwise
    turn_clockwise(tmp_path / "a.mp4")
    turned = VideoFile(tmp_path / "a.mp4")
    assert turned.size == (64, 48)
    np.testing.assert_array_equal(next(turned.frames()).image, expected)


def test_odd_sizes_are_read(tmp_path):
    video = VideoFile(make_video(tmp_path / "a.webm", 2, size=(47, 63), codec="libvpx-vp9"))
    assert video.size == (47, 63) == next(video.frames()).image.shape[:2]


@pytest.mark.parametrize("packet", [5, 25])
def test_a_damaged_frame_keeps_its_number(tmp_path, packet, caplog):
    path = make_video(tmp_path / "a.mp4")
    damage(path, packet)
    frames = list(VideoFile(path).frames())
    assert [frame.number for frame in frames] == list(range(30))
    lost = [frame.number for frame in frames if frame.image is None]
    assert len(lost) == 1 and f"frame {lost[0]} (at {lost[0] / 25:.2f} s) is damaged" in caplog.text
    shown = [frame for frame in frames if frame.image is not None]
    assert all(abs(number_shown(frame.image) - frame.number) <= 1 for frame in shown)  # some refer to what was lost


def test_a_damaged_key_frame_loses_what_depends_on_it_and_shifts_nothing(tmp_path):
    path = make_video(tmp_path / "a.mp4")
    key = [place for place, packet in enumerate(packets_of(path)) if packet[2]][1]
    damage(path, key)
    video = VideoFile(path)
    frames = list(video.frames())
    assert [frame.number for frame in frames] == list(range(30))
    lost = [frame.number for frame in frames if frame.image is None]
    assert 10 in lost and set(lost) <= set(range(7, 20))
    outside = [frame for frame in frames if frame.number < 7 or frame.number >= 20]  # the rest refers to what is lost
    assert [number_shown(frame.image) for frame in outside] == [frame.number for frame in outside]
    assert [frame.number for frame in video.frames(backward=True)] == list(range(29, -1, -1))


def test_a_beginning_that_cannot_be_decoded_is_told(tmp_path, caplog):
    path = make_video(tmp_path / "a.mp4")
    damage(path, 0)
    frames = list(VideoFile(path).frames())
    lost = number_shown(frames[0].image)
    assert 8 <= lost <= 10 and [number_shown(frame.image) for frame in frames] == list(range(lost, 30))
    assert frames[0].number == 0 and f"begins with {lost} frames that cannot be decoded" in caplog.text


def test_a_cut_file_gives_what_it_has(tmp_path, caplog):
    path = make_video(tmp_path / "a.mp4")  # its table of contents is at the end: cut that, and nothing is left
    path.write_bytes(path.read_bytes()[:-300])
    with pytest.raises(ValueError, match=r"a.mp4: cannot be opened as a video"):
        VideoFile(path)
    path = make_video(tmp_path / "a.mkv")
    path.write_bytes(path.read_bytes()[: packets_of(path)[20][0]])
    numbers = [frame.number for frame in VideoFile(path).frames()]
    assert numbers == list(range(len(numbers))) and 15 <= len(numbers) <= 20


def test_what_is_no_video_is_named(tmp_path):
    (tmp_path / "a.mp4").write_text("hello")
    with pytest.raises(ValueError, match=r"a.mp4: cannot be opened as a video"):
        VideoFile(tmp_path / "a.mp4")


def test_a_stream_without_timestamps_can_be_read_but_not_searched(tmp_path):
    video = VideoFile(make_video(tmp_path / "a.h264"))
    frames = list(video.frames(stop=12))
    assert [number_shown(frame.image) for frame in frames] == list(range(12))
    assert [frame.pts * video.time_base for frame in frames] == [Fraction(number, 25) for number in range(12)]
    with pytest.raises(ValueError, match=r"a.h264: has no timestamps.* ffmpeg -fflags \+genpts"):
        next(video.frames(backward=True))


def test_a_size_that_changes_midway_is_refused(tmp_path):
    small, large = make_video(tmp_path / "a.h264", 3), make_video(tmp_path / "b.h264", 3, size=(64, 96))
    (tmp_path / "both.h264").write_bytes(small.read_bytes() + large.read_bytes())
    with pytest.raises(ValueError, match="frame 3 is 96 x 64, the frames before it 64 x 48"):
        list(VideoFile(tmp_path / "both.h264").frames())
