"""Masks in YOLO text files, one per frame: a line for each object, `class x1 y1 x2 y2 …`, as fractions of the image."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from livos.files.names import read_lines
from livos.masks.drawn_shapes import DrawnMasks, Shape, ShapeMask
from livos.masks.polygons import Polygon, box, checked_polygon

CLASS_NAMES = ("classes.txt", "obj.names", "labels.txt")
MOST_CLASSES = 100_000


def read_yolo(paths: Sequence[Path], frame_size: tuple[int, int]) -> DrawnMasks:
    """The masks of some files, by the names of the files.

    In a single file, each line is an object. In several files, each class is one, since nothing else links the lines of
    different frames. Names of classes are read from `classes.txt` in the same folder.

    Args:
        paths: The text files.
        frame_size: (H, W) of the frames.

    Raises:
        ValueError: If a line is not the area of an object, or if a class has several lines in one of several files.
            The message names file and line.
    """
    lines = {path: _read_lines(path, frame_size) for path in paths}
    single = len(paths) == 1
    titles = _class_names(paths)
    masks, names = {}, {}
    for path, found in lines.items():
        classes = [label for label, _ in found]
        twice = next((label for place, label in enumerate(classes) if label in classes[:place]), None)
        if twice is not None and not single:
            raise ValueError(
                f"{path}: class {twice} has several lines: which of them is which on the other frames? Give each "
                "object its own class, or provide the masks of one frame only"
            )
        shapes = []
        for place, (label, polygon) in enumerate(found, start=1):
            object_id = place if single else label + 1
            names[object_id] = titles[label] if label < len(titles) else f"class {label}"
            shapes.append(Shape(object_id, (polygon,), where=str(path)))
        masks[path.stem] = ShapeMask(path, frame_size, tuple(shapes))
    return DrawnMasks(masks, names)


def _class_names(paths: Sequence[Path]) -> list[str]:
    return next((read_lines(paths[0].with_name(n)) for n in CLASS_NAMES if paths[0].with_name(n).is_file()), [])


def _read_lines(path: Path, size: tuple[int, int]) -> list[tuple[int, Polygon]]:
    """The class and the outline of each line, in pixels."""
    found = []
    for number, line in enumerate(read_lines(path), start=1):
        if not line.strip():
            continue
        where = f"{path}: line {number}"
        try:
            label, *values = (float(word) for word in line.split())
        except ValueError as error:
            raise ValueError(f"{where}: expected `class x1 y1 x2 y2 …`, found {line[:60]!a}") from error
        if not (0 <= label < MOST_CLASSES and label.is_integer() and all(map(math.isfinite, values))):
            raise ValueError(f"{where}: expected a class number (0 or more) and finite numbers, found {line[:60]!a}")
        found.append((int(label), checked_polygon(_corners(values, size, where), size, where)))
    return found


def _corners(values: Sequence[float], size: tuple[int, int], where: str) -> Sequence[tuple[float, float]]:
    height, width = size
    if len(values) == 4:  # a box, as in YOLO detections: its centre and its size
        x, y, w, h = values
        return box((x - w / 2) * width, (y - h / 2) * height, (x + w / 2) * width, (y + h / 2) * height)
    if len(values) < 6 or len(values) % 2:
        raise ValueError(f"{where}: {len(values)} numbers after the class, expected pairs x, y of at least 3 corners")
    if max(map(abs, values)) > 2:
        raise ValueError(f"{where}: coordinates up to {max(values):g}, expected fractions of the image, 0 to 1")
    return [(x * width, y * height) for x, y in zip(values[::2], values[1::2], strict=True)]
