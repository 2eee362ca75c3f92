"""Masks drawn as areas in files of annotation programs: labelme and COCO (JSON), YOLO (text).

Objects are distinguished by label and group in labelme, by `track_id` (or `instance_id`, also in `attributes`) in
COCO, and by class or line in YOLO; the same value on several frames means the same object. Where shapes overlap, the
later one is on top.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from livos.files.json_files import Entry
from livos.masks.label_maps import LabelCoding, LabelMap
from livos.masks.polygons import Polygon, fill
from livos.masks.run_lengths import decode_mask

LARGEST_SIDE = 2**31 - 1


@dataclass(frozen=True)
class Patch:
    """A small mask at a place in the image."""

    left: int
    top: int
    pixels: npt.NDArray[np.bool_]  # (h, w)


@dataclass(frozen=True)
class Shape:
    """An area of one object: polygons that `checked_polygon` returned, a run-length code, or a patch."""

    object_id: int
    polygons: tuple[Polygon, ...] = ()
    code: Any = None  # text or list of lengths, see livos/masks/run_lengths.py
    patch: Patch | None = None
    where: str = ""  # file and place in it, for messages

    def area(self, size: tuple[int, int]) -> npt.NDArray[np.bool_]:
        """(H, W), True where the shape is. Raises ValueError for a run-length code of another size."""
        if self.code is not None:
            return decode_mask(self.code, size, self.where)
        if self.patch is None:
            return fill(self.polygons, size)
        area = np.zeros(size, bool)
        height, width = self.patch.pixels.shape
        area[self.patch.top : self.patch.top + height, self.patch.left : self.patch.left + width] = self.patch.pixels
        return area


@dataclass(frozen=True)
class ShapeMask:
    """The shapes in a file for one frame. A mask like any other: see livos/masks/given_masks.py."""

    path: Path
    shape: tuple[int, int]  # (H, W)
    shapes: tuple[Shape, ...]

    def size(self) -> tuple[int, int]:
        return self.shape

    def palette(self) -> bytes | None:
        return b"" if all(shape.object_id <= 255 for shape in self.shapes) else None

    def read(self) -> LabelMap:
        labels = np.zeros(self.shape, np.int32)
        for shape in self.shapes:
            labels[shape.area(self.shape)] = shape.object_id
        return LabelMap(labels, LabelCoding())


@dataclass(frozen=True)
class DrawnMasks:
    """All masks of some files, by the name of their frame, and the names of the objects, by id."""

    masks: Mapping[str, ShapeMask]
    object_names: Mapping[int, str]


def label_of(entry: Entry | None) -> str:
    """The name of an object: a string or number, without control characters; empty if there is none."""
    if entry is None:
        return ""
    if isinstance(entry.value, int):
        return str(entry.whole(-(2**53), 2**53))
    return "".join(character if character.isprintable() else " " for character in entry.text())[:1000]
