"""Opens video files: one plain file, never anything it refers to, with errors that name it.

FFmpeg follows playlists, addresses and lists of files that it finds inside a file, whatever the file is called. Here
only containers that hold the pictures themselves are read, and nothing but the file is opened.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import av
from av.container import InputContainer
from av.video.stream import VideoStream

logger = logging.getLogger(__name__)

# fmt: off
PLAIN_FORMATS = (
    "4xm", "amv", "apng", "asf", "asf_o", "av1", "avi", "avs", "avs2", "avs3", "bink", "cavsvideo", "cine", "dhav",
    "dirac", "dnxhd", "dv", "ea", "evc", "film_cpk", "filmstrip", "flic", "flv", "gif", "gxf", "h261", "h263", "h264",
    "hevc", "idcin", "ifv", "ipu", "ivf", "ivr", "jpegxl_anim", "kux", "live_flv", "lmlm4", "lxf", "m4v", "matroska",
    "mgsts", "mjpeg", "mjpeg_2000", "mm", "moflex", "mov", "mpeg", "mpegts", "mpegvideo", "mpjpeg", "mtv", "mv", "mxf",
    "nsv", "nut", "nuv", "obu", "ogg", "paf", "pmp", "psxstr", "pva", "rl2", "rm", "roq", "rpl", "ser", "siff",
    "smjpeg", "smk", "swf", "thp", "tiertexseq", "tmv", "ty", "usm", "vc1", "vc1test", "vivo", "vmd", "vvc",
    "wc3movie", "webm", "wsvqa", "wtv", "xmv", "yop", "yuv4mpegpipe",
    "aac", "aiff", "ape", "flac", "mp3", "wav", "w64",
)
# fmt: on
"""Names of FFmpeg's demuxers for files that hold a video themselves, or only sound, which is then reported."""

_POINTS_ELSEWHERE = {
    b"#EXTM3U": "a playlist (HLS)",
    b"ffconcat": "a list of files (concat)",
    b"v=0": "a description of a network stream (SDP)",
    b"<MPD": "a playlist (DASH)",
    b"[playlist]": "a playlist",
    b"[Reference]": "a reference to another file",
}

MOST_PIXELS = 2**28
"""Larger frames are refused. This is twice a frame of 16384 x 8192."""


ANY_TAGS: dict[str, Any] = {} if int(av.__version__.split(".")[0]) >= 19 else {"metadata_errors": "replace"}
"""What lets `av.open` open files with tags that are not UTF-8. From version 19 on it does so by itself."""


@contextmanager
def naming(path: Path | str) -> Iterator[None]:
    """Turns what PyAV raises in this block into a ValueError that names the file."""
    try:
        yield
    except Exception as error:  # PyAV raises FFmpegError, LookupError, UnicodeError, AttributeError and others
        if isinstance(error, ValueError) and str(path) in str(error):
            raise
        raise ValueError(f"{path}: cannot be read as a video ({_in_one_line(error)})") from error


def open_video(path: Path, options: Mapping[str, str] | None = None) -> InputContainer:
    """Opens the file. Raises ValueError, naming it, if it is missing, is not a video, or refers to other files.

    options: options of FFmpeg's demuxer, in addition to those that restrict it to this file.
    """
    closed = {**(options or {}), "protocol_whitelist": "file", "format_whitelist": ",".join(PLAIN_FORMATS)}
    try:
        return av.open(f"file:{path}", container_options=closed, **ANY_TAGS)
    except Exception as error:
        reason = _points_elsewhere(path) or _in_one_line(error)
        raise ValueError(f"{path}: cannot be opened as a video ({reason})") from error


def main_video(container: InputContainer, path: Path | str) -> VideoStream:
    """The stream that a player would show: not a cover picture, and the best of several.

    Raises ValueError, naming the file, if there is none or it cannot be decoded.
    """
    streams = [stream for stream in container.streams.video if not _is_still(stream)]
    if not streams:
        found = "a cover picture, but no video" if container.streams.video else "no video"
        raise ValueError(f"{path}: has {found} stream")
    stream = max(streams, key=_preference)
    with naming(path):
        if stream.codec_context is None:
            raise ValueError(f"{path}: FFmpeg has no decoder for its video")
        if _num_pixels(stream) > MOST_PIXELS:
            size = f"{stream.codec_context.width} x {stream.codec_context.height}"
            raise ValueError(f"{path}: its frames claim a size of {size}, more than {MOST_PIXELS} pixels")
        stream.codec_context.options = {"max_pixels": str(MOST_PIXELS)}
    return stream


def say_which(container: InputContainer, stream: VideoStream, path: Path) -> None:
    """Logs which video is used if a file has several."""
    others = [one for one in container.streams.video if not _is_still(one) and one.index != stream.index]
    if others:
        logger.warning("%s: has %d videos; using %s", path, len(others) + 1, _described(stream))


def _described(stream: VideoStream) -> str:
    context = stream.codec_context
    return f"stream {stream.index} ({context.width} x {context.height}, {context.name})"


def _is_still(stream: VideoStream) -> bool:
    disposition = stream.disposition
    stills = av.stream.Disposition.attached_pic | av.stream.Disposition.timed_thumbnails
    return bool(disposition & stills)


def _preference(stream: VideoStream) -> tuple[bool, bool, bool, int, int]:
    """Greater for preferred streams: can be decoded, is not a single picture, is marked as default, is larger."""
    can = stream.codec_context is not None
    return can, stream.frames != 1, _is_default(stream), _num_pixels(stream), -stream.index


def _is_default(stream: VideoStream) -> bool:
    return bool(stream.disposition & av.stream.Disposition.default)


def _num_pixels(stream: VideoStream) -> int:
    context = stream.codec_context
    return 0 if context is None else context.width * context.height


def _points_elsewhere(path: Path) -> str | None:
    """What kind of file it is, if it refers to other files or addresses instead of holding a video."""
    try:
        with open(path, "rb") as file:
            beginning = file.read(1024).removeprefix(b"\xef\xbb\xbf").lstrip()
    except OSError:
        return None
    for mark, kind in _POINTS_ELSEWHERE.items():
        if beginning.startswith(mark) or (mark == b"<MPD" and mark in beginning):
            return f"it is {kind}, which refers to other files or addresses: pass the video itself"
    return None


def _in_one_line(error: BaseException) -> str:
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return " ".join(str(text).split())


@contextmanager
def opened(path: Path, options: Mapping[str, str] | None = None) -> Iterator[tuple[InputContainer, VideoStream]]:
    """A file and its video stream, open for the duration of a block. Raises ValueError, naming the file."""
    with open_video(path, options) as container:
        yield container, main_video(container, path)
