"""Random access to single frames, for viewers, which need them quickly."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from contextlib import ExitStack
from fractions import Fraction
from itertools import islice
from pathlib import Path

import av

from livos.video.decoding import packets_of
from livos.video.frame_index import FrameIndex, KeyPacket
from livos.video.opening import opened
from livos.video.seeking import SEEK_ATTEMPTS, Numbered, decode_from, frames_after_seeking

CACHE_BYTES = 128 * 2**20
"""Decoded frames that are kept, in the decoder's format: about 40 of 1920 x 1080."""

_ALL_BEFORE = 12  # frames before the requested one that are decoded and kept, for going back one by one


class FrameReader:
    """Frames of a file by their number. Keeps the file open, and the most recently decoded frames."""

    def __init__(self, path: Path, index: FrameIndex, ticks: Fraction):
        self._path, self._index, self._ticks = path, index, ticks
        self._stack = ExitStack()
        self._container, self._stream = self._stack.enter_context(opened(path))
        self._stream.thread_type = "AUTO"
        self._recent: OrderedDict[int, av.VideoFrame | None] = OrderedDict()
        self._coming: Iterator[Numbered] = iter(())
        self._next = 0  # the earliest frame that can come next
        self._wanted = 0

    def close(self) -> None:
        self._stack.close()
        self._recent.clear()

    def frame(self, number: int) -> av.VideoFrame | None:
        """The frame; None if it is damaged. Raises IndexError if there is no frame of this number."""
        if not 0 <= number < len(self._index.pts):
            raise IndexError(f"{self._path}: has frames 0 to {len(self._index.pts) - 1}, but no frame {number}")
        if number not in self._recent:
            self._wanted = number
            if not self._is_on_the_way(number) or not self._advance(number):
                self._find(number)
        return self._recent[number]

    def _is_on_the_way(self, number: int) -> bool:
        return self._next <= number and self._index.first_key(self._next, number + 1) is None

    def _find(self, number: int) -> None:
        for key in islice(self._index.keys_before(number), SEEK_ATTEMPTS):
            for time in (key.pts, key.dts):
                if time is None:
                    continue
                self._coming = frames_after_seeking(
                    self._container, self._stream, self._path, self._index, number, key, time, self._skip
                )
                if self._advance(number):
                    return
        self._coming, self._next = iter(()), len(self._index.pts)
        found = next(
            (frame for place, frame in decode_from(self._path, self._index, number, self._ticks) if place == number),
            None,
        )
        self._keep(number, found)

    def _advance(self, number: int) -> bool:
        """Decodes up to this frame; False if nothing came."""
        for place, frame in self._coming:
            self._next = place + 1
            self._keep(place, frame)
            if place == number:
                return True
            if place > number:
                self._keep(number, None)
                return True
        return False

    def _skip(self, packet: av.Packet) -> None:
        """Skips non-reference frames, except just before the requested one."""
        needed = self._index.pts[max(0, self._wanted - _ALL_BEFORE)]
        early = self._index.packets is None and packet.pts is not None and packet.pts < needed
        self._stream.codec_context.skip_frame = "NONREF" if early else "DEFAULT"

    def _keep(self, number: int, frame: av.VideoFrame | None) -> None:
        self._recent[number] = None if frame is None or frame.is_corrupt else frame
        most = CACHE_BYTES // max(1, 2 * self._stream.codec_context.width * self._stream.codec_context.height)
        while len(self._recent) > max(2, most):
            self._recent.popitem(last=False)


class KeyFrameReader:
    """Key frames of a file, each decoded alone. Keeps the file open.

    A decoder usually returns a frame only after it got some of those that follow: as many as it has threads, and as
    many as may be shown before it. Here it is told that nothing follows.
    """

    def __init__(self, path: Path, index: FrameIndex):
        self._path, self._index = path, index
        self._stack = ExitStack()
        self._container, self._stream = self._stack.enter_context(opened(path))
        self._stream.thread_type = "SLICE"  # threads for several frames would only have to be started and stopped

    def close(self) -> None:
        self._stack.close()

    def frame(self, number: int) -> av.VideoFrame | None:
        """The frame; None if it is no key frame, or cannot be had in this way."""
        key = next(self._index.keys_before(number), None)
        if key is None or key.number != number or not key.is_shown or self._index.packets is not None:
            return None
        times = dict.fromkeys(time for time in (key.pts, key.dts) if time is not None)
        return next((found for time in times if (found := self._decoded(key, time)) is not None), None)

    def _decoded(self, key: KeyPacket, time: int) -> av.VideoFrame | None:
        decoder = self._stream.codec_context
        try:
            self._container.seek(time, stream=self._stream)
            packets = packets_of(self._container, self._stream, self._path, quiet=True)
            packet = next((packet for packet in packets if self._index.key_at(packet) is not None), None)
            if packet is None or self._index.key_at(packet) is not key:
                return None
            frames = [*decoder.decode(packet), *decoder.decode(None)]
        except av.error.FFmpegError:
            return None
        finally:
            decoder.flush_buffers()
        intact = (frame for frame in frames if not frame.is_corrupt)
        return next((frame for frame in intact if self._index.number_of(frame) == key.number), None)
