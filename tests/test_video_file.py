"""Frames of video files: correct numbers and times, forwards and backwards, and the effects of damage."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from video_makers import copy_packets, damage, make_video, mirror, number_shown, packets_of, picture

from livos.video.video_file import VideoFile
from livos.video.writer import H264, VideoWriter


def test_colours_come_through(tmp_path):
    frame = next(VideoFile(make_video(tmp_path / "a.mp4", codec="libx264")).frames())
    np.testing.assert_allclose(frame.image[20:30, 30:40].astype(int), picture(0)[20:30, 30:40], atol=4)
    np.testing.assert_allclose(frame.image[30, 3].astype(int), (200, 30, 30), atol=12)


def test_uneven_times_are_kept(tmp_path):
    pts = [0, 1000, 1500, 4000, 4100, 9000]
    video = VideoFile(make_video(tmp_path / "a.mkv", 6, pts=pts, time_base=Fraction(1, 1000)))
    assert [frame.pts * video.time_base for frame in video.frames()] == [Fraction(time, 1000) for time in pts]
    assert [video.frame_at(seconds) for seconds in (0, 1.0, 1.2, 4.1, 100)] == [0, 1, 2, 4, 6]


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


def test_a_beginning_that_cannot_be_decoded_is_reported(tmp_path, caplog):
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


def test_what_is_not_a_video_is_named(tmp_path):
    (tmp_path / "a.mp4").write_text("hello")
    with pytest.raises(ValueError, match=r"a.mp4: cannot be opened as a video"):
        VideoFile(tmp_path / "a.mp4")


def test_a_stream_without_timestamps_has_those_of_its_rate(tmp_path, caplog):
    video = VideoFile(make_video(tmp_path / "a.h264"))
    frames = list(video.frames(stop=12))
    assert [number_shown(frame.image) for frame in frames] == list(range(12))
    assert [frame.pts * video.time_base for frame in frames] == [Fraction(number, 25) for number in range(12)]
    assert "cannot be decoded" not in caplog.text


def test_many_damaged_frames_are_reported_in_one_line(tmp_path, caplog):
    path = make_video(tmp_path / "a.mkv", codec="mjpeg")
    for packet in range(3, 20):
        damage(path, packet)
    frames = list(VideoFile(path).frames())
    lost = [frame.number for frame in frames if frame.image is None]
    assert len(frames) == 30 and len(lost) > 10
    told = [record.message for record in caplog.records if "damaged" in record.message]
    assert len(told) == 4 and f"{len(lost)} frames are damaged" in told[-1]


def test_times_that_turn_out_wrong_later_lose_nothing(tmp_path, caplog):
    calm = make_video(tmp_path / "calm.avi", 60, options={"preset": "veryfast", "bf": "0"})
    lively = make_video(tmp_path / "lively.avi", 20)
    with av.open(str(tmp_path / "both.avi"), "w") as made:
        stream, number = None, 0
        for part in (calm, lively):
            with av.open(str(part)) as given:
                stream = stream or made.add_stream_from_template(given.streams.video[0], opaque=True)
                for packet in [packet for packet in given.demux(video=0) if packet.size]:
                    packet.pts = packet.dts = number
                    packet.stream, number = stream, number + 1
                    made.mux(packet)
    frames = list(VideoFile(tmp_path / "both.avi").frames())
    assert len(frames) == 80 and all(frame.image is not None for frame in frames) and "damaged" not in caplog.text


def test_a_cover_picture_is_not_a_video(tmp_path, caplog):
    with_cover(make_video(tmp_path / "plain.mp4", 6), tmp_path / "a.mp4", "video")
    video = VideoFile(tmp_path / "a.mp4")
    assert [number_shown(frame.image) for frame in video.frames()] == list(range(6))
    assert "has 2 videos" not in caplog.text
    with_cover(make_video(tmp_path / "sound.mp4", 6, sound=True), tmp_path / "a.m4a", "audio")
    with pytest.raises(ValueError, match=r"a.m4a: has a cover picture, but no video stream"):
        VideoFile(tmp_path / "a.m4a")


def with_cover(source, target, kind: str) -> None:
    """The stream of this kind, after a picture that is marked as cover."""
    with av.open(str(source)) as given, av.open(str(target), "w", format="mp4") as made:
        cover = made.add_stream("mjpeg", rate=1)
        cover.width, cover.height, cover.pix_fmt = 32, 32, "yuvj420p"
        cover.disposition = av.stream.Disposition.attached_pic.value
        frame = av.VideoFrame.from_ndarray(picture(0, (32, 32)), format="rgb24")
        frame.pts = 0
        copied = made.add_stream_from_template(next(one for one in given.streams if one.type == kind), opaque=True)
        made.mux([*cover.encode(frame), *cover.encode(None)])
        for packet in given.demux(next(one for one in given.streams if one.type == kind)):
            if packet.size:
                packet.stream = copied
                made.mux(packet)


def test_the_larger_of_two_videos_is_used_and_that_is_reported(tmp_path, caplog):
    with av.open(str(tmp_path / "a.mkv"), "w") as made:
        streams = []
        for height, width in ((48, 64), (96, 128)):
            stream = made.add_stream("mjpeg", rate=25)
            stream.height, stream.width, stream.pix_fmt = height, width, "yuvj420p"
            streams.append(stream)
        for number in range(3):
            for stream in streams:
                frame = av.VideoFrame.from_ndarray(picture(number, (stream.height, stream.width)), format="rgb24")
                frame.pts = number
                made.mux(stream.encode(frame))
    assert VideoFile(tmp_path / "a.mkv").size == (96, 128)
    assert "has 2 videos; using stream 1 (128 x 96, mjpeg)" in caplog.text


MATRICES = {
    "as it is": ((1, 0, 0, 1), lambda image: image),
    "mirrored": ((-1, 0, 0, 1), lambda image: image[:, ::-1]),
    "upside down, mirrored": ((1, 0, 0, -1), lambda image: image[::-1]),
    "half a turn": ((-1, 0, 0, -1), lambda image: image[::-1, ::-1]),
    "clockwise": ((0, 1, -1, 0), lambda image: np.rot90(image, -1)),
    "counterclockwise": ((0, -1, 1, 0), lambda image: np.rot90(image)),
    "diagonal": ((0, 1, 1, 0), lambda image: image.swapaxes(0, 1)),
    "other diagonal": ((0, -1, -1, 0), lambda image: image[::-1, ::-1].swapaxes(0, 1)),
}


@pytest.mark.parametrize(("matrix", "turn"), MATRICES.values(), ids=MATRICES)
def test_pictures_are_turned_and_mirrored_as_players_do(tmp_path, matrix, turn):
    path = make_video(tmp_path / "a.mp4", 1)
    expected = turn(next(VideoFile(path).frames()).image)
    mirror(path, matrix)
    video = VideoFile(path)
    assert video.size == expected.shape[:2]
    np.testing.assert_array_equal(next(video.frames()).image, expected)


@pytest.mark.parametrize(("matrix", "expected"), [((1, 0, 0, 1), Fraction(4, 3)), ((0, 1, -1, 0), Fraction(3, 4))])
def test_the_shape_of_pixels_turns_with_the_picture(tmp_path, matrix, expected):
    with VideoWriter(
        tmp_path / "a.mp4", H264, Fraction(1, 25), Fraction(25), sample_aspect_ratio=Fraction(4, 3)
    ) as made:
        made.add(picture(0), 0)
    mirror(tmp_path / "a.mp4", matrix)
    assert VideoFile(tmp_path / "a.mp4").sample_aspect_ratio == expected


@pytest.mark.parametrize("text", [
    "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nreal.ts\n#EXT-X-ENDLIST\n",
    "ffconcat version 1.0\nfile real.ts\n",
    "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 9999 RTP/AVP 96\n",
    '<?xml version="1.0"?>\n<MPD><Period><BaseURL>real.ts</BaseURL></Period></MPD>\n',
], ids=["HLS", "concat", "SDP", "DASH"])  # fmt: skip
@pytest.mark.parametrize("name", ["a.mp4", "a.m3u8"])
def test_what_points_to_other_files_is_refused(tmp_path, text, name):
    make_video(tmp_path / "real.ts", 3)
    (tmp_path / name).write_text(text)
    with pytest.raises(ValueError, match=rf"{name}: cannot be opened as a video \(it is a .*refers to other files"):
        VideoFile(tmp_path / name)


@pytest.mark.parametrize(
    "name", ["colon:x.mp4", "http:x.mp4", "a%03d.mp4", "subfile,,start,0,end,9,,:x.mp4", "a?b.mp4"]
)
def test_names_are_names_of_files(tmp_path, name, monkeypatch):
    make_video(tmp_path / "a.mp4", 2).rename(tmp_path / name)
    monkeypatch.chdir(tmp_path)
    assert len(list(VideoFile(Path(name)).frames())) == 2


CUT = [("a.mkv", "libx264"), ("a.webm", "libvpx-vp9"), ("a.avi", "mjpeg"), ("b.avi", "mpeg4"), ("a.flv", "flv")]


@pytest.mark.parametrize(("name", "codec"), [*CUT, ("a.mp4", "libx264"), ("a.mov", "mjpeg")])
def test_a_file_that_ends_too_early_is_distinguished_from_a_whole_one(tmp_path, name, codec, caplog):
    path = make_video(tmp_path / name, 50, codec=codec)
    if name.endswith(("mp4", "mov")):
        path = with_index_in_front(path)
    assert len(list(VideoFile(path).frames())) == 50 and not caplog.text
    path.write_bytes(path.read_bytes()[: int(0.6 * path.stat().st_size)])
    frames = list(VideoFile(path).frames())
    assert 5 <= len(frames) <= 45
    assert f"{path.name}: ends after {len(frames)} frames" in caplog.text and "its header promises 50 (" in caplog.text


def with_index_in_front(path: Path) -> Path:
    with av.open(str(path)) as given, av.open(str(path.with_stem("b")), "w", options={"movflags": "faststart"}) as made:
        copied = made.add_stream_from_template(given.streams.video[0], opaque=True)
        for packet in [packet for packet in given.demux(video=0) if packet.size]:
            packet.stream = copied
            made.mux(packet)
    return path.with_stem("b")


def test_frames_that_an_edit_list_hides_are_not_promised(tmp_path):
    path = copy_packets(make_video(tmp_path / "a.mp4"), tmp_path / "b.mp4", hide_before=6)
    assert VideoFile(path).num_frames == 24


@pytest.mark.parametrize(("name", "codec"), [("a.mp4", "libx264"), ("a.mkv", "mpeg4"), ("a.webm", "libvpx-vp9")])
def test_key_frames_and_no_others_can_be_decoded_alone(tmp_path, name, codec):
    path = make_video(tmp_path / name, 30, codec=codec, gop=10)
    video = VideoFile(path)
    keys = [key.number for key in video.index().keys]
    alone = [number for number in range(30) if video.key_frame(number) is not None]
    assert alone == keys and len(keys) >= 3
    for number in (keys[2], keys[0], keys[1]):
        np.testing.assert_array_equal(video.key_frame(number), video.frame(number).image)


def test_damaged_key_frame_is_not_decoded_alone(tmp_path):
    path = make_video(tmp_path / "a.mp4")
    damage(path, next(place for place, packet in enumerate(packets_of(path)) if packet[2] and place))
    video = VideoFile(path)
    _, damaged, intact, *_ = (key.number for key in video.index().keys)
    assert video.key_frame(damaged) is None
    assert number_shown(video.key_frame(intact)) == intact


def test_a_frame_beyond_the_end_is_refused(tmp_path):
    video = VideoFile(make_video(tmp_path / "a.mp4", 5))
    with pytest.raises(IndexError, match=r"a.mp4: has frames 0 to 4, but no frame 5"):
        video.frame(5)


def test_a_size_that_changes_midway_is_refused(tmp_path):
    small, large = make_video(tmp_path / "a.h264", 3), make_video(tmp_path / "b.h264", 3, size=(64, 96))
    (tmp_path / "both.h264").write_bytes(small.read_bytes() + large.read_bytes())
    with pytest.raises(ValueError, match="frame 3 is 96 x 64, but the frames before it are 64 x 48"):
        list(VideoFile(tmp_path / "both.h264").frames())
