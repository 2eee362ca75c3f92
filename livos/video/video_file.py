"""Frames of a video file, forwards or backwards, in memory that does not depend on its length.

Frames are numbered from 0 in display order, whichever way they are read. A frame that cannot be decoded keeps its
number and has no image, so the frames after it are not shifted. Rotation and mirroring that a phone recorded in the
file are applied.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from livos.video.colours import Image, display_matrix, is_hdr, is_turned, to_rgb
from livos.video.decoding import DisplayOrder, decode_all, packets_of
from livos.video.frame_index import FrameIndex, comes_in_order, index_by_decoding, index_by_times
from livos.video.opening import naming, opened, say_which
from livos.video.promise import Promise
from livos.video.random_access import FrameReader, KeyFrameReader
from livos.video.seeking import decode_from

logger = logging.getLogger(__name__)

BACKWARD_BYTES = 256 * 2**20
"""How much of a video is kept decoded while the order of its frames is reversed."""

DAMAGED_TOLD = 3
"""Damaged frames that are reported one by one; if there are more, their number is reported at the end."""


@dataclass(frozen=True)
class Frame:
    """One frame of a video, from any kind of source."""

    number: int  # from 0, in order of time
    name: str  # of the files that belong to it, without suffix
    pts: int  # when it is shown, in the source's time_base
    image: Image | None  # (H, W, 3) uint8 RGB; None: the frame is damaged


Found = tuple[int, int, "av.VideoFrame | None"]
"""Number, time and frame; None if it could not be decoded."""


class VideoFile:
    """A video file. `size` is (H, W) as shown."""

    def __init__(self, path: Path):
        """Raises ValueError, naming the file, if it cannot be read or has no video that can be decoded."""
        self.path = path
        self._index: FrameIndex | None = None
        self._reader: FrameReader | None = None
        self._key_reader: KeyFrameReader | None = None
        self._times_are_wrong = False
        with opened(path) as (container, stream), naming(path):
            say_which(container, stream, path)
            self.frame_rate = Fraction(stream.average_rate or stream.guessed_rate or 25)
            self.time_base = Fraction(stream.time_base or 1 / self.frame_rate)
            self.has_sound = bool(container.streams.audio)
            self._promise = Promise.of(container, stream, self.frame_rate)
            packets = packets_of(container, stream, path, quiet=True)
            decoded = decode_all(packets, stream, path, DisplayOrder(self.ticks), quiet=True)
            first = next((one.frame for one in decoded if one.frame is not None), None)
            if first is None:
                raise ValueError(f"{path}: not a single frame of its video could be decoded")
            self._rotation, self._matrix = first.rotation, display_matrix(first)
            self._transfer = stream.codec_context.color_trc
            self.size: tuple[int, int] = self._to_rgb(first).shape[:2]
            self.sample_aspect_ratio = _aspect_ratio(stream.sample_aspect_ratio, is_turned(self._matrix))
            if is_hdr(self._transfer):
                logger.info("%s: HDR, whose colours are mapped to standard dynamic range", path)

    @property
    def num_frames(self) -> int | None:
        """The counted number, or the one in the header until it is counted; None if the header does not say."""
        return self._promise.num_frames if self._index is None else len(self._index.pts)

    @property
    def ticks(self) -> Fraction:
        """Units of time per frame, on average."""
        return 1 / (self.frame_rate * self.time_base)

    def frames(self, start: int = 0, stop: int | None = None, backward: bool = False) -> Iterator[Frame]:
        """Frames `start` to `stop` - 1 (None: to the end), the last one first if `backward`."""
        told = DamageReport(self.path, self.time_base)
        if backward:
            found = self._backward(start, stop)
        elif start == 0:
            found = self._from_the_beginning(stop)
        else:
            found = self._between(start, len(self.index().pts) if stop is None else stop)
        try:
            for number, pts, frame in found:
                yield self._frame(number, pts, frame, told)
        finally:
            told.finish()

    def frame(self, number: int) -> Frame:
        """One frame, for viewers that need random access.

        The first call reads through the file (see `index`). Afterwards a frame costs decoding from the key frame
        before it: about 30 frames with one key frame per second, half of which are skipped if nothing refers to them.
        The frames around the last requested one (128 MiB of them) cost next to nothing, and those that follow it cost
        one decoding. Raises IndexError if there is no frame of this number. Not safe to call from several threads.
        """
        if self._reader is None:
            self._reader = FrameReader(self.path, self.index(), self.ticks)
        frame = self._reader.frame(number)
        return self._frame(number, int(self.index().pts[number]), frame, DamageReport(self.path, self.time_base))

    def key_frame(self, number: int) -> Image | None:
        """(H, W, 3) RGB of a frame, sooner than `frame` has it; None if that frame needs others, or `frame` must try.

        Not safe to call from several threads.
        """
        if self._key_reader is None:
            self._key_reader = KeyFrameReader(self.path, self.index())
        frame = self._key_reader.frame(number)
        if frame is None:
            return None
        return self._frame(number, int(self.index().pts[number]), frame, DamageReport(self.path, self.time_base)).image

    def another(self) -> VideoFile:
        """The same file for another thread, with a separate reader; the index is shared."""
        other = copy(self)
        other._reader = other._key_reader = None
        return other

    def close(self) -> None:
        """Releases what `frame` keeps open."""
        for reader in (self._reader, self._key_reader):
            if reader is not None:
                reader.close()
        self._reader = self._key_reader = None

    def frame_at(self, seconds: float) -> int:
        """The number of the first frame at this time after the first one, or later."""
        pts = self.index().pts
        return int(np.searchsorted(pts, pts[0] + seconds / self.time_base - 1e-6))

    def index(self) -> FrameIndex:
        """Where each frame is; made once. For most files this means reading through them, without decoding.

        The video is decoded once if the file's times are not reliable: AVI, ASF and MXF with frames that refer to later
        ones, raw streams, and concatenated files.
        """
        if self._index is None and not self._times_are_wrong:
            with opened(self.path) as (container, stream):
                self._times_are_wrong = not comes_in_order(container, stream, self.path, self.ticks)
        if self._index is None and not self._times_are_wrong:
            with opened(self.path) as (container, stream):
                self._index = index_by_times(container, stream, self.path, self.ticks)
        if self._index is None:
            with opened(self.path) as (container, stream):
                self._index = index_by_decoding(container, stream, self.path, self.ticks)
        if not len(self._index.pts):
            raise ValueError(f"{self.path}: not a single frame of its video could be decoded")
        return self._index

    def _frame(self, number: int, pts: int, frame: av.VideoFrame | None, told: DamageReport) -> Frame:
        with naming(self.path):
            image = None if frame is None else self._to_rgb(frame)
        if image is not None and image.shape[:2] != self.size:
            raise ValueError(
                f"{self.path}: frame {number} is {image.shape[1]} x {image.shape[0]}, but the frames before it are "
                f"{self.size[1]} x {self.size[0]}; cut the video there"
            )
        if image is None:
            told.add(number, pts)
        return Frame(number, f"{number:06d}", pts, image)

    def _to_rgb(self, frame: av.VideoFrame) -> Image:
        matrix = self._matrix if frame.rotation == self._rotation else display_matrix(frame)
        return to_rgb(frame, matrix, self._transfer)

    def _from_the_beginning(self, stop: int | None) -> Iterator[Found]:
        number, pts, first = -1, 0, 0
        with opened(self.path) as (container, stream):
            order = DisplayOrder(self.ticks)
            packets = packets_of(container, stream, self.path)
            for number, decoded in enumerate(decode_all(packets, stream, self.path, order)):
                if not order.trusted and not self._times_are_wrong:
                    self._times_are_wrong, self._index = True, None
                if number == stop:
                    return
                pts = decoded.pts or 0
                first = pts if number == 0 else first
                yield number, pts, decoded.frame
        seconds = float((pts - first + self.ticks) * self.time_base)
        self._promise.check(self.path, number + 1, seconds, self.frame_rate)

    def _between(self, start: int, stop: int) -> Iterator[Found]:
        """Number, time and frame of `start` to `stop` - 1, found by seeking."""
        index = self.index()
        stop = min(stop, len(index.pts))
        following = start
        if start < stop:
            for number, frame in decode_from(self.path, index, start, self.ticks):
                for lost in range(following, min(number, stop)):
                    yield lost, int(index.pts[lost]), None
                if number >= stop:
                    return
                if number >= following:
                    yield number, int(index.pts[number]), None if frame is None or frame.is_corrupt else frame
                    following = number + 1
                else:
                    continue
                if following == stop:
                    return
        for lost in range(following, stop):
            yield lost, int(index.pts[lost]), None

    def _backward(self, start: int, stop: int | None) -> Iterator[Found]:
        index = self.index()
        stop = len(index.pts) if stop is None else min(stop, len(index.pts))
        most = max(1, BACKWARD_BYTES // (2 * self.size[0] * self.size[1]))
        while stop > start:
            earliest = max(start, stop - most)
            key = index.first_key(earliest, stop)  # to decode nothing twice if possible
            begin = earliest if key is None else key
            yield from reversed(list(self._between(begin, stop)))
            stop = begin


class DamageReport:
    """Warnings about damaged frames: the first few one by one, and their number at the end."""

    def __init__(self, path: Path, time_base: Fraction):
        self._path, self._time_base, self._count = path, time_base, 0

    def add(self, number: int, pts: int) -> None:
        self._count += 1
        if self._count <= DAMAGED_TOLD:
            logger.warning("%s: frame %d (at %.2f s) is damaged", self._path, number, float(pts * self._time_base))

    def finish(self) -> None:
        if self._count > DAMAGED_TOLD:
            logger.warning("%s: %d frames are damaged, including those reported above", self._path, self._count)


def _aspect_ratio(stored: Fraction | None, is_turned: bool) -> Fraction | None:
    """Width / height of a pixel as it is shown; None: square, or not known."""
    if not stored or stored == 1:
        return None
    return 1 / stored if is_turned else stored
