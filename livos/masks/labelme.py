"""Masks in JSON files of labelme, one per frame: polygons, boxes, circles, ellipses, and masks of its AI tools."""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from livos.files.image_formats import refuse_too_large
from livos.files.images import decode_picture
from livos.files.json_files import Entry
from livos.files.names import shown
from livos.masks.drawn_shapes import LARGEST_SIDE, DrawnMasks, Patch, Shape, ShapeMask, label_of
from livos.masks.polygons import Polygon, box, checked_polygon, ellipse

LARGEST_ID = 2**24 - 1

Key = tuple[str, str]  # label and group


def read_labelme(contents: Mapping[Path, Entry], frame_size: tuple[int, int]) -> DrawnMasks:
    """The masks of some files, by the names of the files.

    Args:
        contents: The contents of the files.
        frame_size: (H, W) for files that do not say.

    Raises:
        ValueError: If a shape is not the area of an object; the message names file and shape.
    """
    ids = _number_objects([_key(shape) for content in contents.values() for shape in content["shapes"].items()])
    masks = {}
    for path, content in contents.items():
        height, width = content.get("imageHeight"), content.get("imageWidth")
        size = (
            height.whole(1, LARGEST_SIDE) if height and height.value else frame_size[0],
            width.whole(1, LARGEST_SIDE) if width and width.value else frame_size[1],
        )
        refuse_too_large(*size, path)
        shapes = tuple(_shape(entry, ids[_key(entry)], size) for entry in content["shapes"].items())
        masks[path.stem] = ShapeMask(path, size, shapes)
    return DrawnMasks(masks, {object_id: " ".join(filter(None, key)) for key, object_id in ids.items()})


def _key(shape: Entry) -> Key:
    return label_of(shape.get("label")), label_of(shape.get("group_id"))


def _number_objects(keys: Sequence[Key]) -> dict[Key, int]:
    """Ids by label and group: the labels themselves if they are all positive numbers, else 1, 2, … in order."""
    distinct = list(dict.fromkeys(keys))
    if all(_is_id(label) and not group for label, group in distinct):
        return {key: int(key[0]) for key in distinct}
    return {key: place for place, key in enumerate(distinct, start=1)}


def _is_id(label: str) -> bool:
    return label.isascii() and label.isdecimal() and len(label) <= 8 and 0 < int(label) <= LARGEST_ID


def _shape(entry: Entry, object_id: int, size: tuple[int, int]) -> Shape:
    kind = entry.get("shape_type")
    name = "polygon" if kind is None else kind.text()
    points = [_point(point) for point in entry["points"].items()]
    if name == "mask":
        return Shape(object_id, patch=_patch(entry, points, size), where=entry.where)
    polygon = _corners(name, points)
    if polygon is None:
        raise ValueError(
            f"{entry.where}: {shown(label_of(entry.get('label')))}, a {shown(name)} with {len(points)} points, is not "
            "an area; draw objects as polygons of at least 3 points, rectangles, circles, ellipses or AI masks"
        )
    return Shape(object_id, (checked_polygon(polygon, size, entry.where),), where=entry.where)


def _point(entry: Entry) -> tuple[float, float]:
    values = entry.items()
    if len(values) != 2:
        raise entry.error("a point [x, y]")
    return values[0].number(), values[1].number()


def _corners(kind: str, points: Sequence[tuple[float, float]]) -> Polygon | None:
    """The outline of a shape; None if it has none."""
    if kind == "polygon" and len(points) >= 3:
        return tuple(points)
    if kind in ("oriented_rectangle", "rotation", "quadrilateral") and len(points) == 4:  # includes X-AnyLabeling's
        return tuple(points)
    if kind == "rectangle" and len(points) in (2, 4):
        xs, ys = zip(*points, strict=True)
        return box(min(xs), min(ys), max(xs), max(ys))
    if kind == "circle" and len(points) == 2:
        radius = math.dist(*points)
        return ellipse(points[0], radius, radius)
    if kind == "ellipse" and len(points) == 2:  # corners of the box around it
        (x1, y1), (x2, y2) = points
        return ellipse(((x1 + x2) / 2, (y1 + y2) / 2), abs(x2 - x1) / 2, abs(y2 - y1) / 2)
    return None


def _patch(entry: Entry, points: Sequence[tuple[float, float]], size: tuple[int, int]) -> Patch:
    """The picture, coded in base64, that labelme stores for a mask, at the box given by its first and last pixel."""
    if len(points) != 2:
        raise entry["points"].error("two points, the first and last pixel of the mask")
    (left, top), (right, bottom) = ((int(x), int(y)) for x, y in points)
    if not (0 <= left <= right < size[1] and 0 <= top <= bottom < size[0]):
        raise ValueError(
            f"{entry.where}: a mask from ({left}, {top}) to ({right}, {bottom}), which is not inside the image, "
            f"{size[1]} x {size[0]}"
        )
    try:
        data = base64.b64decode(entry["mask"].text(), validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError(f"{entry.where}: the mask is not a picture in base64: {error}") from error
    pixels = decode_picture(data, f"{entry.where}.mask").pixels
    expected = (bottom - top + 1, right - left + 1)
    if pixels is None or pixels.shape != expected:
        found = "none" if pixels is None else pixels.shape
        raise ValueError(f"{entry.where}: the mask has pixels of shape {found}, but its points imply {expected}")
    return Patch(left, top, pixels > 0)
