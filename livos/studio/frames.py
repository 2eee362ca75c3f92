"""Frames of the video for the page: any frame soon, as JPEG of the width that is shown, in flat memory."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

import cv2
import numpy as np
import numpy.typing as npt

from livos.video.sources import FrameSource
from livos.video.video_file import Frame

Image = npt.NDArray[np.uint8]
Kept = TypeVar("Kept")

WIDTHS = (96, 160, 320, 640, 960, 1280, 1920)
THUMBNAIL_WIDTH = 160
"""Up to this width, pictures are decoded by a reader of their own, so that the frame on the stage need not wait."""

DECODED_BYTES = 128 * 2**20
ENCODED_BYTES = 64 * 2**20
AHEAD = 12
"""A frame at most so many after the last one is come to by decoding on instead of seeking."""

HELD_BACK = 60
"""In place of a damaged frame, one of so many before it is shown."""


@dataclass(frozen=True)
class Picture:
    """A frame as the page gets it."""

    jpeg: bytes
    damaged: bool  # it shows the frame before


class Cache(Generic[Kept]):
    """The things used last, as many as fit into so many bytes."""

    def __init__(self, most_bytes: int, size_of: Callable[[Kept], int]):
        self._most_bytes, self._size_of = most_bytes, size_of
        self._kept: OrderedDict[Hashable, Kept] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def get(self, key: Hashable) -> Kept | None:
        """What was put under the key, if it is still there."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def put(self, key: Hashable, thing: Kept) -> None:
        """Keeps a thing, and forgets those that were not used for longest."""
        with self._lock:
            if key in self._kept:
                self._bytes -= self._size_of(self._kept.pop(key))
            self._kept[key] = thing
            self._bytes += self._size_of(thing)
            while self._bytes > self._most_bytes and len(self._kept) > 1:
                self._bytes -= self._size_of(self._kept.popitem(last=False)[1])

    def drop(self, key: Hashable) -> None:
        """Forgets what was put under a key."""
        with self._lock:
            if key in self._kept:
                self._bytes -= self._size_of(self._kept.pop(key))

    def clear(self) -> None:
        """Forgets everything."""
        with self._lock:
            self._kept.clear()
            self._bytes = 0


class FrameReader:
    """Frames of a source by number, in one thread at a time. Those that follow one another are decoded on."""

    def __init__(self, source: FrameSource):
        self._source = source
        self._frames: Iterator[Frame] = iter(())
        self._next: int | None = None  # number of the frame that `_frames` gives next
        self._lock = threading.Lock()

    def read(self, number: int) -> tuple[Image, bool]:
        """The (H, W, 3) RGB image of a frame, and whether it is damaged: then it is the last one before that is not.

        Raises ValueError if there is no such frame.
        """
        with self._lock:
            image = self._read(number)
            for earlier in range(number - 1, max(-1, number - 1 - HELD_BACK), -1):
                if image is not None:
                    return image, earlier != number - 1
                image = self._read(earlier)
            if image is not None:
                return image, number > 0
            return np.zeros((*self._source.size, 3), np.uint8), True

    def _read(self, number: int) -> Image | None:
        if self._next is None or not self._next <= number <= self._next + AHEAD:
            self._frames, self._next = self._source.frames(number), number
        for frame in self._frames:
            self._next = frame.number + 1
            if frame.number == number:
                return frame.image
        self._next = None
        raise ValueError(f"There is no frame {number} in the video.")


class FrameStore:
    """Pictures of frames, at some widths, the last ones kept."""

    def __init__(self, source: FrameSource):
        self._stage, self._thumbnails = FrameReader(source), FrameReader(source)
        self._width = source.size[1]
        self._decoded: Cache[tuple[Image, bool]] = Cache(DECODED_BYTES, lambda decoded: decoded[0].nbytes)
        self._encoded: Cache[Picture] = Cache(ENCODED_BYTES, lambda picture: len(picture.jpeg))

    def image(self, number: int, width: int | None = None) -> tuple[Image, bool]:
        """The (H, W, 3) RGB image of a frame in full, and whether it is damaged."""
        found = self._decoded.get(number)
        if found is None:
            small = width is not None and width <= THUMBNAIL_WIDTH
            found = (self._thumbnails if small else self._stage).read(number)
            if not small:
                self._decoded.put(number, found)
        return found

    def picture(self, number: int, wanted_width: int | None) -> Picture:
        """A frame as JPEG, at the smallest of WIDTHS that is at least the wanted one, or in full."""
        width = self.width(wanted_width)
        kept = self.kept(number, width)
        if kept is None:
            image, damaged = self.image(number, width)
            kept = Picture(_jpeg(image, width), damaged)
            self._encoded.put((number, width), kept)
        return kept

    def kept(self, number: int, width: int | None) -> Picture | None:
        """A picture at one of WIDTHS (None: in full) if it is there already."""
        return self._encoded.get((number, width))

    def width(self, wanted: int | None) -> int | None:
        """The smallest of WIDTHS that is at least the wanted one; None: the width of the video."""
        fitting = [width for width in WIDTHS if wanted is not None and wanted <= width < self._width]
        return fitting[0] if fitting else None


def _jpeg(image: Image, width: int | None) -> bytes:
    """JPEG bytes of an (H, W, 3) RGB image, so wide; in full, with all that can be seen of its colours."""
    options = [cv2.IMWRITE_JPEG_QUALITY, 85]
    if width is None:
        options = [cv2.IMWRITE_JPEG_QUALITY, 95]
    else:
        height = max(1, round(image.shape[0] * width / image.shape[1]))
        image = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
    done, data = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), options)
    if not done:
        raise ValueError("A frame could not be encoded as JPEG.")
    return data.tobytes()
