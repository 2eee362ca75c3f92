"""A video from pictures that a program holds in memory or produces one after the other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt
from PIL import Image

from livos.files.names import trailing_number
from livos.video.video_file import Frame


class ArraySource:
    """Pictures at a constant rate: (H, W, 3) uint8 RGB arrays, or Pillow images.

    A sequence (a list, a 4-D array) can be read in any direction; anything else only once, from its beginning.
    """

    sound_path: Path | None = None
    sample_aspect_ratio: Fraction | None = None

    def __init__(self, pictures: Iterable[Any], frame_rate: Fraction | float = 25, first_number: int = 0):
        """Raises ValueError if there are no pictures or the first is invalid; TypeError if it cannot be iterated."""
        self.first_number = first_number
        self.frame_rate = Fraction(frame_rate).limit_denominator(100_000)
        if self.frame_rate <= 0:
            raise ValueError(f"frame_rate={frame_rate}: expected a positive number of pictures per second")
        self.time_base = 1 / self.frame_rate
        self._sequence = _as_sequence(pictures)
        self.num_frames: int | None = None if self._sequence is None else len(self._sequence)
        self._once = iter(pictures) if self._sequence is None else None
        first = self._first(pictures)
        self.size: tuple[int, int] = _checked(first, first_number).shape[:2]

    def frames(self, start: int | None = None, stop: int | None = None, backward: bool = False) -> Iterator[Frame]:
        """Frames `start` to `stop` - 1. Raises ValueError if an iterator is read again, or backward."""
        if self._sequence is None:
            if backward or self._once is None:
                raise ValueError("these pictures can be read only once, in order: pass a sequence to go back")
            coming, self._once = self._once, None
            return self._coming_frames(coming, start, stop)
        begin = max(0, (start or self.first_number) - self.first_number)
        end = len(self._sequence) if stop is None else min(len(self._sequence), stop - self.first_number)
        places = range(begin, max(begin, end))
        return (
            self._frame(place, cast(Sequence, self._sequence)[place])
            for place in (places[::-1] if backward else places)
        )

    def frame_at(self, seconds: float) -> int:
        """The number of the first frame at this time after the first one, or later."""
        return self.first_number + int(np.ceil(float(seconds * self.frame_rate) - 1e-6))

    def end(self) -> int:
        """The number after that of the last frame. Raises ValueError if it is not known."""
        if self.num_frames is None:
            raise ValueError("the last frame of an iterator is not known in advance: pass a sequence")
        return self.first_number + self.num_frames

    def number_of(self, name: str, exact: bool = False) -> int | None:
        """The number of the frame that a mask of this name belongs to."""
        return trailing_number(name, exact)

    def _first(self, pictures: Iterable[Any]) -> Any:
        if self._sequence is not None:
            if not len(self._sequence):
                raise ValueError("no pictures to make a video of")
            return self._sequence[0]
        assert self._once is not None
        try:
            first = next(self._once)
        except StopIteration:
            raise ValueError("no pictures to make a video of") from None
        self._once = chain([first], self._once)
        return first

    def _coming_frames(self, coming: Iterator[Any], start: int | None, stop: int | None) -> Iterator[Frame]:
        for place, picture in enumerate(coming):
            number = self.first_number + place
            if stop is not None and number >= stop:
                return
            if start is None or number >= start:
                yield self._frame(place, picture)

    def _frame(self, place: int, picture: Any) -> Frame:
        number = self.first_number + place
        image = _checked(picture, number)
        if image.shape[:2] != self.size:
            found, expected = (f"{width} x {height}" for height, width in (image.shape[:2], self.size))
            raise ValueError(f"picture {number} has {found} pixels, but the first has {expected}")
        return Frame(number, f"{number:06d}", place, image)


def _as_sequence(pictures: Iterable[Any]) -> Sequence[Any] | None:
    has_places = hasattr(pictures, "__len__") and hasattr(pictures, "__getitem__") and not isinstance(pictures, dict)
    return cast(Sequence, pictures) if has_places else None


def _checked(picture: Any, number: int) -> npt.NDArray[np.uint8]:
    if isinstance(picture, Image.Image):
        picture = np.array(picture.convert("RGB"))  # a copy, which may be written to
    array = np.asarray(picture)
    if array.dtype != np.uint8 or array.ndim != 3 or array.shape[2] != 3 or 0 in array.shape:
        raise ValueError(
            f"picture {number}: expected (H, W, 3) uint8 in RGB or a Pillow image, found {array.dtype} {array.shape}"
        )
    return np.ascontiguousarray(array)
