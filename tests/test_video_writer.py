"""Videos written from pictures: times, sizes, sound, alpha, and nothing half-written."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from video_makers import make_video, number_shown, picture

from livos.files.atomic import clear_leftovers
from livos.video.video_file import VideoFile
from livos.video.writer import H264, PRORES_4444, VP9_ALPHA, VideoWriter, suffix_for_sound

MILLISECOND = Fraction(1, 1000)


def times_of(path) -> list[float]:
    video = VideoFile(path)
    return [round(float(frame.pts * video.time_base), 3) for frame in video.frames()]


def test_uneven_times_begin_at_zero_and_are_kept(tmp_path):
    with VideoWriter(tmp_path / "a.mp4", H264, MILLISECOND, Fraction(25)) as video:
        for number, pts in enumerate((500, 540, 1000, 1017)):
            video.add(picture(number), pts)
    assert times_of(tmp_path / "a.mp4") == [0, 0.04, 0.5, 0.517]


def test_times_that_start_over_continue(tmp_path):
    with VideoWriter(tmp_path / "a.mp4", H264, MILLISECOND, Fraction(25)) as video:
        for number, pts in enumerate((0, 40, 0, 40)):
            video.add(picture(number), pts)
    assert times_of(tmp_path / "a.mp4") == [0, 0.04, 0.08, 0.12]


def test_times_too_far_apart_for_mp4_continue_too(tmp_path):
    with VideoWriter(tmp_path / "a.mp4", H264, Fraction(1, 90000), Fraction(25)) as video:
        for number, pts in enumerate((0, 3600, 3600 + 2**33, 7200 + 2**33)):
            video.add(picture(number), pts)
    assert times_of(tmp_path / "a.mp4") == [0, 0.04, 0.08, 0.12]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is full")
def test_a_full_disk_is_reported_with_the_name_of_the_video(tmp_path, monkeypatch):
    @contextmanager
    def on_a_full_disk(path):
        (tmp_path / "full.mkv").symlink_to("/dev/full")
        yield tmp_path / "full.mkv"

    monkeypatch.setattr("livos.video.writer.written_aside", on_a_full_disk)
    with pytest.raises(OSError, match=r"No space left.*a\.mkv"), written(tmp_path / "a.mkv") as video:
        for number in range(60):
            video.add(np.random.default_rng(number).integers(0, 256, (48, 64, 3), np.uint8), 40 * number)


def written(path) -> VideoWriter:
    return VideoWriter(path, replace(H264, suffix=path.suffix), MILLISECOND, Fraction(25))


def test_odd_sizes_are_made_even_for_h264_only(tmp_path):
    with VideoWriter(tmp_path / "a.mp4", H264, MILLISECOND, Fraction(25)) as video:
        video.add(picture(3, (47, 63)), 0)
    assert VideoFile(tmp_path / "a.mp4").size == (48, 64)
    with VideoWriter(tmp_path / "a.webm", VP9_ALPHA, MILLISECOND, Fraction(25)) as video:
        video.add(np.dstack([picture(3, (47, 63)), np.full((47, 63), 255, np.uint8)]), 0)
    assert VideoFile(tmp_path / "a.webm").size == (47, 63)


@pytest.mark.parametrize("height", [48, 720])
def test_colours_survive_writing_and_reading(tmp_path, height):
    original = picture(5, (height, 64))
    with VideoWriter(tmp_path / "a.mp4", H264, MILLISECOND, Fraction(25)) as video:
        video.add(original, 0)
    shown = next(VideoFile(tmp_path / "a.mp4").frames()).image
    np.testing.assert_allclose(shown[4, 40].astype(int), (30, 180, 30), atol=12)
    np.testing.assert_allclose(shown[height // 2, 40].astype(int), original[height // 2, 40], atol=4)


@pytest.mark.parametrize(("video_format", "decoder"), [(PRORES_4444, None), (VP9_ALPHA, "libvpx-vp9")])
def test_alpha_is_kept(tmp_path, video_format, decoder):
    path = tmp_path / f"a{video_format.suffix}"
    alpha = np.zeros((48, 64), np.uint8)
    alpha[:, 30:] = 255
    with VideoWriter(path, video_format, MILLISECOND, Fraction(25)) as video:
        for number in range(3):
            video.add(np.dstack([picture(number), alpha]), 40 * number)
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        context = av.CodecContext.create(decoder, "r") if decoder else stream.codec_context
        frames = [frame for packet in container.demux(stream) if packet.size for frame in context.decode(packet)]
    shown = frames[0].to_ndarray(format="rgba")
    assert shown[24, 10, 3] < 8 and shown[24, 50, 3] > 247
    assert number_shown(shown[..., :3]) == 0


def sound_of(path) -> tuple[float, float]:
    """Start and length of the sound in seconds."""
    with av.open(str(path)) as container:
        frames = list(container.decode(audio=0))
        samples = [(frame.time or 0.0, frame.samples / frame.sample_rate) for frame in frames]
    return samples[0][0], sum(length for _, length in samples)


def test_sound_is_copied_whole(tmp_path):
    source = VideoFile(make_video(tmp_path / "a.mkv", sound=True))
    with VideoWriter(tmp_path / "b.mp4", H264, source.time_base, source.frame_rate, source.path) as video:
        for frame in source.frames():
            video.add(frame.image, frame.pts)
    begin, length = sound_of(tmp_path / "b.mp4")
    assert abs(begin) < 0.13 and length == pytest.approx(sound_of(source.path)[1], abs=0.13)
    assert len(times_of(tmp_path / "b.mp4")) == 30


def test_sound_is_cut_where_the_pictures_are(tmp_path):
    source = VideoFile(make_video(tmp_path / "a.mkv", sound=True))
    arguments = (tmp_path / "b.mp4", H264, source.time_base, source.frame_rate, source.path)
    with VideoWriter(*arguments, sound_to_end=False) as video:
        for frame in source.frames(start=10, stop=20):
            video.add(frame.image, frame.pts)
    begin, length = sound_of(tmp_path / "b.mp4")
    assert abs(begin) < 0.13 and length == pytest.approx(0.4, abs=0.27)  # whole packets, of 0.128 s


def with_sound_of(source: VideoFile, target) -> None:
    with VideoWriter(target, H264, source.time_base, source.frame_rate, source.path) as video:
        for frame in source.frames():
            video.add(frame.image, frame.pts)


@pytest.mark.parametrize("name", ["a.mov", "a.mkv", "a.avi"])
def test_uncompressed_sound_becomes_aac_in_mp4(tmp_path, name):
    source = VideoFile(make_video(tmp_path / name, sound=True, sound_codec="pcm_s16le"))
    assert suffix_for_sound(source.path) == ".mp4"
    with_sound_of(source, tmp_path / "b.mp4")
    with av.open(str(tmp_path / "b.mp4")) as container:
        assert [stream.codec_context.name for stream in container.streams.audio] == ["aac"]
    begin, length = sound_of(tmp_path / "b.mp4")
    assert abs(begin) < 0.13 and length == pytest.approx(1.2, abs=0.27)


def test_uncompressed_sound_begins_with_the_first_picture(tmp_path):
    source = VideoFile(make_video(tmp_path / "a.mov", sound=True, sound_codec="pcm_s16le"))
    arguments = (tmp_path / "b.mp4", H264, source.time_base, source.frame_rate, source.path)
    with VideoWriter(*arguments, sound_to_end=False) as video:
        for frame in source.frames(start=10, stop=20):
            video.add(frame.image, frame.pts)
    begin, length = sound_of(tmp_path / "b.mp4")
    assert abs(begin) < 0.13 and length == pytest.approx(0.4, abs=0.27)


@pytest.mark.parametrize(("name", "sound_codec"), [("a.ts", "aac"), ("a.ts", "mp2"), ("a.mpg", "mp2")])
def test_the_sound_of_concatenated_files_continues(tmp_path, name, sound_codec, caplog):
    part = make_video(tmp_path / name, 25, codec="mpeg2video", sound=True, sound_codec=sound_codec)
    joined = tmp_path / f"joined{part.suffix}"
    joined.write_bytes(3 * part.read_bytes())
    with_sound_of(VideoFile(joined), tmp_path / "b.mp4")
    assert "sound" not in caplog.text
    begin, length = sound_of(tmp_path / "b.mp4")
    assert abs(begin) < 0.13 and length == pytest.approx(3.0, abs=0.5)
    times = times_of(tmp_path / "b.mp4")
    assert len(times) == 75 and times == sorted(set(times)) and times[-1] == pytest.approx(2.96, abs=0.1)


def test_sound_that_cannot_be_written_is_dropped_with_a_warning(tmp_path, caplog, monkeypatch):
    source = VideoFile(make_video(tmp_path / "a.mkv", sound=True))

    def refuse(self, template, *_, **__):
        raise ValueError("no tag for this codec")

    monkeypatch.setattr("livos.video.sound._track", refuse)
    with_sound_of(source, tmp_path / "b.mp4")
    assert len(times_of(tmp_path / "b.mp4")) == 30 and "one of its sound tracks cannot be kept (no tag" in caplog.text


def test_the_shape_of_pixels_is_kept(tmp_path):
    for video_format in (H264, PRORES_4444, VP9_ALPHA):
        path = tmp_path / f"a{video_format.suffix}"
        image = np.dstack([picture(3), np.full((48, 64), 255, np.uint8)])[..., : 3 if video_format == H264 else 4]
        ratio = Fraction(5, 4)
        with VideoWriter(path, video_format, MILLISECOND, Fraction(25), sample_aspect_ratio=ratio) as video:
            video.add(image, 0)
            video.add(image, 40)
        made = VideoFile(path)
        height, width = made.size
        assert Fraction(width, height) * (made.sample_aspect_ratio or 1) == Fraction(64, 48) * ratio, video_format


def test_a_half_written_video_has_the_name_that_is_cleared(tmp_path):
    video = VideoWriter(tmp_path / "a.mp4", H264, MILLISECOND, Fraction(25))
    with video:
        for number in range(60):  # until the encoder gives something to write
            video.add(picture(number), 40 * number)
        (unfinished,) = tmp_path.iterdir()
    killed = unfinished.with_name(unfinished.name.replace(f".{os.getpid()}-", ".4194305-"))  # above any process's
    killed.touch()
    clear_leftovers(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]


def test_the_container_suits_the_sound(tmp_path):
    assert suffix_for_sound(make_video(tmp_path / "a.mkv", 3, sound=True)) == ".mp4"
    assert suffix_for_sound(make_video(tmp_path / "b.mkv", 3, sound=True, sound_codec="wavpack")) == ".mkv"
    assert suffix_for_sound(tmp_path / "b.mkv", {".mp4": "mp4"}) is None


def test_nothing_is_left_of_a_video_that_failed(tmp_path):
    with pytest.raises(RuntimeError), VideoWriter(tmp_path / "a.mp4", H264, MILLISECOND, Fraction(25)) as video:
        video.add(picture(0), 0)
        raise RuntimeError
    with pytest.raises(ValueError, match="no frame was added"):
        VideoWriter(tmp_path / "a.mp4", H264, MILLISECOND, Fraction(25)).__enter__().__exit__(None, None, None)
    assert list(tmp_path.iterdir()) == []


def test_another_size_is_refused(tmp_path):
    path = tmp_path / "a.mp4"
    with pytest.raises(ValueError, match="frame 1 is"), VideoWriter(path, H264, MILLISECOND, Fraction(25)) as video:
        video.add(picture(0), 0)
        video.add(picture(1, (64, 64)), 1)


def test_mpeg4_is_the_way_out_without_h264_and_says_so(tmp_path, caplog):
    no_h264 = replace(H264, codecs=("no-such-codec", "mpeg4"))
    with VideoWriter(tmp_path / "a.mp4", no_h264, MILLISECOND, Fraction(25)) as video:
        video.add(picture(0), 0)
    with av.open(str(tmp_path / "a.mp4")) as container:
        assert container.streams.video[0].codec_context.name == "mpeg4"
    assert "lacks no-such-codec: writing mpeg4" in caplog.text
    nothing = replace(H264, codecs=("no-such-codec",))
    with (
        pytest.raises(ValueError, match="cannot write no-such-codec"),
        VideoWriter(tmp_path / "b.mp4", nothing, MILLISECOND, Fraction(25)) as video,
    ):
        video.add(picture(0), 0)
    assert not (tmp_path / "b.mp4").exists()
