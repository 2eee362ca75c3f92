"""The length that a file's header promises, and whether the file keeps it."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from av.container import InputContainer
from av.video.stream import VideoStream

logger = logging.getLogger(__name__)

_MICROSECONDS = 1_000_000
_ESTIMATED = ("mpegts", "mpeg", "h264", "hevc", "m4v", "mpegvideo", "mp3", "obu", "mjpeg")
"""Demuxers that do not know the length but guess it from the file, even if it is truncated."""


@dataclass(frozen=True)
class Promise:
    """How long a video is according to the header of its file."""

    num_frames: int | None  # None: it does not say
    seconds: float | None
    tolerance: float  # seconds by which a complete file may be shorter

    @classmethod
    def of(cls, container: InputContainer, stream: VideoStream, frame_rate: Fraction) -> Promise:
        names = container.format.name.split(",")
        seconds = _length_of_stream(stream)
        tolerance = 0.5
        if any(name in _ESTIMATED for name in names):
            seconds = None
        elif seconds is None and container.duration and container.duration > 0:
            seconds, tolerance = container.duration / _MICROSECONDS, 2.0 if len(container.streams) > 1 else 0.5
        num_frames = stream.frames or None
        if num_frames and "avi" in names:  # the length is guessed from the file if its index is lost
            seconds = max(seconds or 0.0, float(num_frames / frame_rate))
        if num_frames and seconds and "mov" in names:  # an edit list may hide some frames
            num_frames = min(num_frames, max(1, round(seconds * frame_rate)))
        return cls(num_frames, seconds, tolerance)

    def check(self, path: Path, num_frames: int, seconds: float, frame_rate: Fraction) -> None:
        """Warns if a file that was read to its end is clearly shorter: it had `num_frames` in `seconds`."""
        if self.seconds is None or self.seconds - seconds <= max(self.tolerance, 0.01 * self.seconds):
            return
        promised = self.num_frames or round(self.seconds * frame_rate)
        logger.warning(
            "%s: ends after %d frames (%.2f s), but its header promises %d (%.2f s): it seems to be truncated",
            path, num_frames, seconds, promised, self.seconds,
        )  # fmt: skip


def _length_of_stream(stream: VideoStream) -> float | None:
    if stream.duration and stream.duration > 0 and stream.time_base:
        return float(stream.duration * stream.time_base)
    told = re.fullmatch(r"(\d+):(\d\d):(\d\d(?:\.\d+)?)", stream.metadata.get("DURATION", ""))  # Matroska's
    if told is None:
        return None
    hours, minutes, seconds = told.groups()
    return 3600 * int(hours) + 60 * int(minutes) + float(seconds)
