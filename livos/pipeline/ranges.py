"""The requested range of frames of a video, by number or by time."""

import re
from dataclasses import dataclass

from livos.video.sources import FrameSource, has_frame


@dataclass(frozen=True)
class FrameRange:
    """The requested frames, `first` to `last` (None: to the end), and the one to begin with."""

    first: int
    last: int | None
    begin: int

    def __contains__(self, number: int) -> bool:
        return number >= self.first and (self.last is None or number <= self.last)

    def __str__(self) -> str:
        return f"{self.first} to {'the end' if self.last is None else self.last}"

    @property
    def stop(self) -> int | None:
        """The number after that of the last frame; None: to the end."""
        return None if self.last is None else self.last + 1


def frame_range(
    source: FrameSource, start: int | str | None = None, end: int | str | None = None, backward: bool = False
) -> FrameRange:
    """The frames from `start` to `end`, both included.

    Args:
        source: The video.
        start: A frame's number or a time (`4.5s`, `1:30`); None: the first frame.
        end: The same; a time is when the last frame ends. None: the last frame.
        backward: Whether to begin at the end.

    Raises:
        ValueError: If there are no such frames.
    """
    first = source.first_number if start is None else moment(source, str(start))
    last = None if end is None else moment(source, str(end))
    if end is not None and last is not None and not str(end).isdecimal():
        last -= 1  # the frame shown until then
    if backward:
        last = source.end() - 1 if last is None else min(last, source.end() - 1)
    if not has_frame(source, first) or (last is not None and last < first):
        known = "" if source.num_frames is None else f" in a video of {source.num_frames}"
        given_start = first if start is None else start
        raise ValueError(f"no frames from {given_start} to {'the last' if end is None else end}{known}")
    return FrameRange(first, last, last if backward and last is not None else first)


def moment(source: FrameSource, text: str) -> int:
    """The number of the frame at `120` (a number), `4.5s`, `1:30` or `1:02:03.5`."""
    if text.isdecimal():
        return int(text)
    if re.fullmatch(r"[0-9]+(\.[0-9]+)?s", text):
        return source.frame_at(float(text[:-1]))
    if re.fullmatch(r"([0-9]+:)?[0-9]{1,2}:[0-9]{2}(\.[0-9]+)?", text):
        return source.frame_at(sum(float(part) * 60**place for place, part in enumerate(reversed(text.split(":")))))
    raise ValueError(f"{text!r}: expected a frame number (120) or a time (4.5s, 1:30, 1:02:03.5)")
