"""Pictures as videos: files in a folder, or several pictures in one file."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np

from livos.files.images import image_size, read_image, read_orientation, upright
from livos.files.names import trailing_number
from livos.files.picture_series import durations, holds_several, read_series, rgb_of
from livos.video.video_file import BACKWARD_BYTES, Frame

logger = logging.getLogger(__name__)


class ImageFolder:
    """Image files as a video: names in natural order, a constant frame rate, rotated as cameras recorded (EXIF)."""

    sound_path: Path | None = None
    sample_aspect_ratio: Fraction | None = None

    def __init__(self, paths: Sequence[Path], frame_rate: Fraction, first_number: int = 0):
        """paths: in order. Raises ValueError if there are none, two share a name, or the first is not an image."""
        if not paths:
            raise ValueError("no images to make a video of")
        self.paths, self.first_number = list(paths), first_number
        self._place = {path.stem: place for place, path in enumerate(paths)}
        if len(self._place) < len(paths):
            twice = next(path for place, path in enumerate(paths) if self._place[path.stem] != place)
            raise ValueError(f"{twice}: another image has the same name, so the name of a mask would be ambiguous")
        self.num_frames: int | None = len(paths)
        self.frame_rate, self.time_base = frame_rate, 1 / frame_rate
        self.size = _upright_size(paths[0])

    def frames(self, start: int | None = None, stop: int | None = None, backward: bool = False) -> Iterator[Frame]:
        places = range(len(self.paths))[place_of(start, self.first_number) : place_of(stop, self.first_number)]
        for place in reversed(places) if backward else places:
            yield Frame(self.first_number + place, self.paths[place].stem, place, self._read(self.paths[place]))

    def frame_at(self, seconds: float) -> int:
        return self.first_number + int(np.ceil(seconds * self.frame_rate - 1e-6))

    def end(self) -> int:
        return self.first_number + len(self.paths)

    def number_of(self, name: str, exact: bool = False) -> int | None:
        if name in self._place:
            return self.first_number + self._place[name]
        digits = trailing_number(name, exact)
        same = [place for stem, place in self._place.items() if digits is not None and trailing_number(stem) == digits]
        return self.first_number + same[0] if len(same) == 1 else None

    def _read(self, path: Path) -> np.ndarray | None:
        try:
            image = upright(read_image(path), read_orientation(path))
            several = holds_several(path)
        except ValueError as error:
            logger.warning("damaged frame: %s", error)
            return None
        if several:
            raise ValueError(f"{path}: holds several pictures: pass it alone as the video, or one picture in each file")
        if image.shape[:2] != self.size:
            height, width = image.shape[:2]
            raise ValueError(f"{path}: {width} x {height} pixels; the first frame has {self.size[1]} x {self.size[0]}")
        return image


class PictureFile:
    """The pages of a TIFF file at a constant rate, or an animated GIF, WebP or PNG with its own timing."""

    sound_path: Path | None = None
    sample_aspect_ratio: Fraction | None = None

    def __init__(self, path: Path, frame_rate: Fraction, first_number: int = 0):
        """frame_rate: for pages. Raises ValueError, naming the file, if it cannot be read."""
        self.path, self.first_number = path, first_number
        self.size: tuple[int, int] = rgb_of(next(read_series(path)), path).shape[:2]
        shown = durations(path)
        self.num_frames: int | None = len(shown)
        if shown[0] is None:
            self.frame_rate, self.time_base = frame_rate, 1 / frame_rate
            self._pts = list(range(len(shown)))
        else:
            times = np.cumsum([0, *(round(each or 0) for each in shown)])
            self._pts, self.time_base = times[:-1].tolist(), Fraction(1, 1000)
            self.frame_rate = Fraction(1000 * len(shown), max(1, int(times[-1]))).limit_denominator(1000)

    def frames(self, start: int | None = None, stop: int | None = None, backward: bool = False) -> Iterator[Frame]:
        begin, end = place_of(start, self.first_number) or 0, place_of(stop, self.first_number)
        end = len(self._pts) if end is None else min(end, len(self._pts))
        if not backward:
            yield from self._between(begin, end)
            return
        most = max(1, BACKWARD_BYTES // (3 * self.size[0] * self.size[1]))
        while end > begin:
            earliest = max(begin, end - most)
            yield from reversed(list(self._between(earliest, end)))
            end = earliest

    def frame_at(self, seconds: float) -> int:
        return self.first_number + int(np.searchsorted(self._pts, seconds / self.time_base - 1e-6))

    def end(self) -> int:
        return self.first_number + len(self._pts)

    def number_of(self, name: str, exact: bool = False) -> int | None:
        return trailing_number(name, exact)

    def _between(self, begin: int, end: int) -> Iterator[Frame]:
        if begin >= end:
            return
        for place, picture in enumerate(read_series(self.path, begin), begin):
            if place == end:
                return
            image = rgb_of(picture, self.path)
            if image.shape[:2] != self.size:
                found, expected = (f"{width} x {height}" for height, width in (image.shape[:2], self.size))
                raise ValueError(f"{self.path}: picture {place} has {found} pixels, but the first has {expected}")
            number = self.first_number + place
            yield Frame(number, f"{number:06d}", self._pts[place], image)


def _upright_size(path: Path) -> tuple[int, int]:
    """(H, W) as viewers show it."""
    height, width = image_size(path)
    return (width, height) if read_orientation(path) >= 5 else (height, width)


def place_of(number: int | None, first_number: int) -> int | None:
    """How many frames come before the one of this number."""
    return None if number is None else max(0, number - first_number)
