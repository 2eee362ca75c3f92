"""Frames of the video for the page: any frame, quickly, as JPEG at the displayed width, in constant memory."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

import cv2
import numpy as np
import numpy.typing as npt

from livos.video.sources import FrameSource, OneVideoFile
from livos.video.video_file import Frame

Image = npt.NDArray[np.uint8]
Kept = TypeVar("Kept")

WIDTHS = (96, 160, 320, 640, 960, 1280, 1920)
THUMBNAIL_WIDTH = 160
"""Pictures up to this width are decoded by a separate reader, so the frame on the stage does not have to wait."""

DECODED_BYTES = 128 * 2**20
ENCODED_BYTES = 64 * 2**20
NEAR_PIXELS = 4 * 1920 * 1080
"""A frame is decoded at once if this takes at most this many pixels after its key frame."""

HELD_BACK = 60
"""A damaged frame is replaced by the last intact one among this many before it."""


@dataclass(frozen=True)
class Picture:
    """A frame as the page receives it."""

    jpeg: bytes
    damaged: bool  # it shows the previous frame


class Cache(Generic[Kept]):
    """Keeps the most recently used things, as many as fit into a number of bytes."""

    def __init__(self, most_bytes: int, size_of: Callable[[Kept], int]):
        self._most_bytes, self._size_of = most_bytes, size_of
        self._kept: OrderedDict[Hashable, Kept] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def get(self, key: Hashable) -> Kept | None:
        """What was stored under the key, if it is still there."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def put(self, key: Hashable, thing: Kept) -> None:
        """Stores a thing, and drops the least recently used ones."""
        with self._lock:
            if key in self._kept:
                self._bytes -= self._size_of(self._kept.pop(key))
            self._kept[key] = thing
            self._bytes += self._size_of(thing)
            while self._bytes > self._most_bytes and len(self._kept) > 1:
                self._bytes -= self._size_of(self._kept.popitem(last=False)[1])

    def drop(self, key: Hashable) -> None:
        """Drops what was stored under a key."""
        with self._lock:
            if key in self._kept:
                self._bytes -= self._size_of(self._kept.pop(key))

    def clear(self) -> None:
        """Drops everything."""
        with self._lock:
            self._kept.clear()
            self._bytes = 0


class FrameReader:
    """Reads frames of a source by number, in one thread at a time.

    keys_alone: whether key frames are decoded alone, which is faster unless the frames after them are wanted next.
    """

    def __init__(self, source: FrameSource, keys_alone: bool = False):
        self._source, self._keys_alone = source, keys_alone
        self._video = source.video.another() if isinstance(source, OneVideoFile) else None
        self._lock = threading.Lock()
        self.first = source.first_number

    def read(self, number: int) -> tuple[Image, bool]:
        """The (H, W, 3) RGB image of a frame, and whether it is damaged; if so, the image is the last intact one.

        Raises LookupError if there is no such frame.
        """
        with self._lock:
            for shown in range(number, max(-1, number - 1 - HELD_BACK), -1):
                image = self._read(shown)
                if image is not None:
                    return image, shown != number
            return np.zeros((*self._source.size, 3), np.uint8), True

    def key_before(self, number: int) -> int:
        """The last frame up to this one that can be decoded without others."""
        if self._video is None:
            return number
        return next((key.number for key in self._video.index().keys_before(number)), number)

    def key_within(self, number: int, span: int) -> int:
        """The first of `span` frames from this one on that can be decoded without others; this one if none can."""
        if self._video is None:
            return number
        found = self._video.index().first_key(number, number + span)
        return number if found is None else found

    def _read(self, number: int) -> Image | None:
        first = self._source.first_number
        if self._video is not None:
            alone = self._video.key_frame(number - first) if self._keys_alone else None
            return self._video.frame(number - first).image if alone is None else alone
        found = next(iter(self._source.frames(number, number + 1)), None)
        if found is None:
            raise LookupError(f"There is no frame {number} in the video.")
        return found.image


class FrameStore:
    """Pictures of frames at several widths; the most recent ones are kept.

    The frame on the stage, what is shown at once after a jump, and thumbnails each have a reader, so none of them waits
    for another.
    """

    def __init__(self, source: FrameSource):
        self._stage = FrameReader(source)
        self._quick, self._beside = FrameReader(source, keys_alone=True), FrameReader(source, keys_alone=True)
        height, self._width = source.size
        self.near = NEAR_PIXELS // (height * self._width)
        self._decoded: Cache[tuple[Image, bool]] = Cache(DECODED_BYTES, lambda decoded: decoded[0].nbytes)
        self._encoded: Cache[Picture] = Cache(ENCODED_BYTES, lambda picture: len(picture.jpeg))

    def image(self, number: int) -> tuple[Image, bool]:
        """The (H, W, 3) RGB image of a frame at full size, and whether it is damaged."""
        return self._image(number, self._stage)

    def picture(self, number: int, wanted_width: int | None) -> Picture:
        """A frame as JPEG, at the smallest of WIDTHS that is at least the wanted one, or at full size."""
        width = self.width(wanted_width)
        is_thumbnail = width is not None and width <= THUMBNAIL_WIDTH
        return self._picture(number, width, self._beside if is_thumbnail else self._stage)

    def quick(self, number: int, wanted_width: int | None) -> tuple[int, Picture]:
        """What can be shown at once in place of a frame that takes long to decode: its number, and the picture.

        That is the frame itself if it is cached or close to its key frame, otherwise the key frame.
        """
        width = self.width(wanted_width)
        if self._encoded.get((number, width)) is None and self._decoded.get(number) is None:
            key = self._quick.key_before(number)
            number = number if number - key <= self.near else key
        return number, self._picture(number, width, self._quick)

    def thumbnail(self, number: int, span: int) -> tuple[int, Picture]:
        """A small picture for `span` frames from this one on: the first key frame among them, if any."""
        shown = self._beside.key_within(number, span)
        return shown, self.picture(shown, THUMBNAIL_WIDTH)

    def kept(self, number: int, wanted_width: int | None) -> tuple[int, Picture] | None:
        """A frame's number and what `picture` gives for it, if that is in the cache."""
        picture = self._encoded.get((number, self.width(wanted_width)))
        return None if picture is None else (number, picture)

    def kept_thumbnail(self, number: int, span: int) -> tuple[int, Picture] | None:
        """What `thumbnail` gives, if that is in the cache."""
        return self.kept(self._beside.key_within(number, span), THUMBNAIL_WIDTH)

    def take(self, frame: Frame) -> None:
        """Keeps a frame that tracking has decoded, which is often shown next. Damaged frames are not kept."""
        if frame.image is not None:
            self._decoded.put(frame.number, (frame.image, False))

    def open(self) -> None:
        """Opens the file for the readers that the user waits for, so the first jump takes no longer than others."""
        for reader in (self._quick, self._stage):
            reader.read(reader.first)

    def _picture(self, number: int, width: int | None, reader: FrameReader) -> Picture:
        kept = self._encoded.get((number, width))
        if kept is None:
            is_small = reader is self._beside
            found = self._decoded.get(number) or (reader.read(number) if is_small else self._image(number, reader))
            kept = Picture(_jpeg(found[0], width), found[1])
            self._encoded.put((number, width), kept)
        return kept

    def _image(self, number: int, reader: FrameReader) -> tuple[Image, bool]:
        found = self._decoded.get(number)
        if found is None:
            found = reader.read(number)
            self._decoded.put(number, found)
        return found

    def width(self, wanted: int | None) -> int | None:
        """The smallest of WIDTHS that is at least the wanted one; None stands for the width of the video."""
        fitting = [width for width in WIDTHS if wanted is not None and wanted <= width < self._width]
        return fitting[0] if fitting else None


def _jpeg(image: Image, width: int | None) -> bytes:
    """JPEG bytes of an (H, W, 3) RGB image at a width; at full size, with visually lossless colours."""
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
