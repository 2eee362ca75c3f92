"""Forwards, backwards and by number, every container gives the same frames under the same numbers."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
from video_makers import copy_packets, make_field_pictures, make_video, number_shown

from livos.video import video_file
from livos.video.video_file import VideoFile

CLOSED = {"preset": "veryfast", "bf": "2", "x264-params": "scenecut=0"}
OPEN = {"preset": "veryfast", "bf": "2", "x264-params": "open-gop=1:scenecut=0"}
REFRESH = {"preset": "veryfast", "bf": "2", "x264-params": "intra-refresh=1"}
HEVC = {"preset": "ultrafast", "x265-params": "log-level=none:keyint=10:bframes=3:open-gop=1"}
B_FRAMES = {"bf": "2"}
NUM_FRAMES = 30


Maker = Callable[[Path], tuple[Path, range]]
"""Makes a video in a folder; returns it with the numbers that its frames show."""

FROM_A_KEY_FRAME, TWICE = range(-1, 0), range(-2, 0)


def coded(name: str, codec: str, options: dict[str, str] | None = None) -> Maker:
    return lambda folder: (make_video(folder / name, codec=codec, options=options), range(NUM_FRAMES))


def hidden(name: str, codec: str, options: dict[str, str] | None, num_hidden: int = 6) -> Maker:
    """Cut without re-encoding: an edit list hides the first frames."""

    def make(folder: Path) -> tuple[Path, range]:
        whole = make_video(folder / "whole.mp4", codec=codec, options=options)
        return copy_packets(whole, folder / name, num_hidden), range(num_hidden, NUM_FRAMES)

    return make


def cut(name: str, codec: str, options: dict[str, str] | None) -> Maker:
    """A stream joined in the middle: it can be decoded only from the next key frame on."""

    def make(folder: Path) -> tuple[Path, range]:
        whole = make_video(folder / f"whole{Path(name).suffix}", codec=codec, options=options)
        content = whole.read_bytes()
        (folder / name).write_bytes(content[len(content) // 3 // 188 * 188 :])
        return folder / name, FROM_A_KEY_FRAME

    return make


def joined(name: str, codec: str, options: dict[str, str] | None) -> Maker:
    def make(folder: Path) -> tuple[Path, range]:
        part = make_video(folder / f"part{Path(name).suffix}", NUM_FRAMES // 2, codec=codec, options=options)
        (folder / name).write_bytes(2 * part.read_bytes())
        return folder / name, TWICE

    return make


def fields(name: str) -> Maker:
    def make(folder: Path) -> tuple[Path, range]:
        bare = make_field_pictures(folder / "bare.h264")
        return (bare if name.endswith(".h264") else copy_timed(bare, folder / name)), range(12)

    return make


def copy_timed(bare: Path, target: Path) -> Path:
    """Packets of a bare stream at 50 fields a second."""
    with av.open(str(bare)) as given, av.open(str(target), "w") as made:
        copied = made.add_stream_from_template(given.streams.video[0], opaque=True)
        for number, packet in enumerate(packet for packet in given.demux(video=0) if packet.size):
            packet.pts = packet.dts = round(number / 50 / packet.time_base)
            packet.stream = copied
            made.mux(packet)
    return target


H264 = [coded(f"a.{kind}", "libx264", CLOSED) for kind in ("mp4", "mov", "mkv", "ts", "flv", "nut", "3gp")]
H264_OPEN = [coded(f"a.{kind}", "libx264", OPEN) for kind in ("mp4", "mov", "mkv", "ts", "flv")]
H264_MIXED_TIMES = [coded(f"a.{kind}", "libx264", OPEN) for kind in ("avi", "asf", "mxf", "mpg", "h264")]
OTHERS = {
    "hevc": [coded(f"a.{kind}", "libx265", HEVC) for kind in ("mp4", "mkv", "ts", "hevc")],
    "mpeg2": [coded(f"a.{kind}", "mpeg2video", B_FRAMES) for kind in ("mpg", "ts", "mkv", "mp4", "avi", "mxf")],
    "mpeg1": [coded("a.mpg", "mpeg1video", B_FRAMES)],
    "mpeg4": [coded(f"a.{kind}", "mpeg4", B_FRAMES) for kind in ("mp4", "avi", "asf", "mkv", "mov", "m4v")],
    "mpeg4_in_order": [coded("a.avi", "mpeg4")],
    "vp8": [coded("a.webm", "libvpx", {"auto-alt-ref": "1", "lag-in-frames": "10"})],
    "vp9": [coded(f"a.{kind}", "libvpx-vp9", {"lag-in-frames": "10"}) for kind in ("webm", "mp4")],
    "av1": [coded(f"a.{kind}", "libsvtav1", {"preset": "11", "crf": "10"}) for kind in ("mp4", "mkv")],
    "flv1": [coded("a.flv", "flv"), coded("a.avi", "flv")],
    "wmv2": [coded("a.wmv", "wmv2")],
    "msmpeg4": [coded("a.avi", "msmpeg4")],
    "intra": [coded("a.avi", "mjpeg"), coded("a.mov", "prores_ks"), coded("a.mkv", "ffv1"), coded("a.avi", "huffyuv")],
    "refresh": [coded("a.mp4", "libx264", REFRESH), coded("a.ts", "libx264", REFRESH)],
    "fields": [fields(f"a.{kind}") for kind in ("ts", "mp4", "mkv", "h264")],
    "hidden": [
        hidden("a.mp4", "libx264", CLOSED), hidden("a.mov", "libx264", CLOSED), hidden("a.mp4", "libx264", OPEN),
        hidden("a.mp4", "libx265", HEVC), hidden("a.mp4", "mpeg4", B_FRAMES), hidden("a.mov", "mjpeg", None),
        hidden("a.mp4", "libvpx-vp9", None), hidden("a.mp4", "libx264", CLOSED, 13),
    ],
    "cut": [cut("a.ts", "libx264", OPEN), cut("a.ts", "mpeg2video", B_FRAMES), cut("a.ts", "libx265", HEVC)],
    "joined": [
        joined("a.ts", "libx264", OPEN), joined("a.mpg", "mpeg2video", B_FRAMES), joined("a.h264", "libx264", OPEN)
    ],
}  # fmt: skip
KINDS = {"h264": H264, "h264_open": H264_OPEN, "h264_mixed_times": H264_MIXED_TIMES, **OTHERS}
CASES = [
    pytest.param(make, id=f"{name}-{place}") for name, makers in KINDS.items() for place, make in enumerate(makers)
]


@pytest.mark.parametrize("make", CASES)
def test_every_way_to_read_gives_the_same_frames(tmp_path, make, monkeypatch, caplog):
    path, expected = make(tmp_path)
    frames = list(VideoFile(path).frames())
    shown = [number_shown(frame.image) for frame in frames]  # none is lost
    assert "damaged" not in caplog.text
    if expected == FROM_A_KEY_FRAME:
        assert shown == list(range(NUM_FRAMES - len(shown), NUM_FRAMES)) and len(shown) >= 10
    elif expected == TWICE:
        assert shown == 2 * list(range(NUM_FRAMES // 2))
    else:
        assert shown == list(expected)
    assert [frame.number for frame in frames] == list(range(len(frames)))
    assert all(one.pts < another.pts for one, another in pairwise(frames))

    def assert_same(found: list[video_file.Frame], expected: list[video_file.Frame]) -> None:
        assert [(frame.number, frame.pts) for frame in found] == [(frame.number, frame.pts) for frame in expected]
        for one, another in zip(found, expected, strict=True):
            np.testing.assert_array_equal(one.image, another.image)

    fresh = VideoFile(path)  # which knows nothing of its frames yet
    monkeypatch.setattr(video_file, "BACKWARD_BYTES", frames[0].image.size // 3 * 2 * 4)  # four frames at a time
    assert_same(list(fresh.frames(backward=True))[::-1], frames)
    for begin in (1, 5, 9):
        assert_same(list(fresh.frames(begin, begin + 5)), frames[begin : begin + 5])
    for number in (7, 3, 8, 9, 10, 2):
        assert_same([fresh.frame(number)], [frames[number]])
    for frame in frames:
        alone = fresh.key_frame(frame.number)
        assert alone is None or np.array_equal(alone, frame.image)
    fresh.close()
    assert len(fresh.index().pts) == len(frames)
