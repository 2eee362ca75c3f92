"""Masks drawn as polygons, boxes or run-length codes in JSON files of labelme and COCO.

An object is told apart by its label and group in labelme, and by `track_id` (or `instance_id`, also in `attributes`) in
COCO; the same on several frames is the same object. Where shapes overlap, the later one is seen.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pycocotools import mask as coco_masks

from livos.masks.label_maps import LabelCoding, LabelMap

CIRCLE_CORNERS = 64


@dataclass(frozen=True)
class Shape:
    """An area of one object: polygons as (x, y) corners in pixels, or a run-length code of COCO."""

    object_id: int
    polygons: tuple[tuple[tuple[float, float], ...], ...] = ()
    code: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class ShapeMask:
    """The shapes that a file gives for one frame. A mask like any other: see livos/masks/given_masks.py."""

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
            labels[area_of(shape, self.shape, self.path)] = shape.object_id
        return LabelMap(labels, LabelCoding())


@dataclass(frozen=True)
class DrawnMasks:
    """All masks of some files: by the name of the frame they belong to, and what the objects are called, by id."""

    masks: Mapping[str, ShapeMask]
    object_names: Mapping[int, str]


def area_of(shape: Shape, size: tuple[int, int], path: Path) -> np.ndarray:
    """(H, W) bool, by COCO's rule of which pixels a polygon holds. Raises ValueError for a code of another size."""
    if shape.code is None:
        flat = [[float(value) for corner in polygon for value in corner] for polygon in shape.polygons]
        return coco_masks.decode(coco_masks.merge(coco_masks.frPyObjects(flat, *size))).astype(bool)
    code = dict(shape.code)
    if tuple(code.get("size", ())) != size:
        raise ValueError(f"{path}: a run-length code of size {code.get('size')}, the image has {list(size)}")
    if isinstance(code["counts"], list):
        code = coco_masks.frPyObjects(code, *size)
    return coco_masks.decode(code).astype(bool)


def read_drawn_masks(paths: Sequence[Path], frame_size: tuple[int, int]) -> DrawnMasks:
    """The masks of labelme files, one a frame, or of one COCO file. frame_size: (H, W) where a file does not say.

    Raises ValueError, naming the file, for what it cannot read as areas of objects.
    """
    contents = {path: _read_json(path) for path in paths}
    coco = [path for path, content in contents.items() if "annotations" in content and "images" in content]
    if coco and len(paths) > 1:
        raise ValueError(f"{coco[0]}: a COCO file beside {len(paths) - 1} other JSON files; give it alone")
    if coco:
        return _read_coco(coco[0], contents[coco[0]])
    for path, content in contents.items():
        if not isinstance(content.get("shapes"), list):
            raise ValueError(f'{path}: neither labelme (with "shapes") nor COCO (with "images" and "annotations")')
    return _read_labelme(contents, frame_size)


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path}: not readable as JSON: {error}") from error
    if not isinstance(content, dict):
        raise ValueError(f"{path}: expected a JSON object, found {type(content).__name__}")
    return content


def _read_labelme(contents: Mapping[Path, dict[str, Any]], frame_size: tuple[int, int]) -> DrawnMasks:
    keys = [_labelme_key(shape) for content in contents.values() for shape in content["shapes"]]
    ids = _number_objects(keys)
    masks = {}
    for path, content in contents.items():
        size = (content.get("imageHeight") or frame_size[0], content.get("imageWidth") or frame_size[1])
        shapes = (Shape(ids[_labelme_key(shape)], (_labelme_polygon(shape, path),)) for shape in content["shapes"])
        masks[path.stem] = ShapeMask(path, size, tuple(shapes))
    return DrawnMasks(masks, {object_id: _key_name(key) for key, object_id in ids.items()})


def _labelme_key(shape: Mapping[str, Any]) -> tuple[str, Any]:
    return str(shape.get("label", "")), shape.get("group_id")


def _key_name(key: tuple[str, Any]) -> str:
    return key[0] if key[1] is None else f"{key[0]} {key[1]}"


def _number_objects(keys: Sequence[tuple[str, Any]]) -> dict[tuple[str, Any], int]:
    """Ids by label and group: the labels themselves if they are all positive numbers, else 1, 2, … as they come."""
    distinct = list(dict.fromkeys(keys))
    if all(label.isdecimal() and int(label) > 0 and group is None for label, group in distinct):
        return {key: int(key[0]) for key in distinct}
    return {key: place for place, key in enumerate(distinct, start=1)}


def _labelme_polygon(shape: Mapping[str, Any], path: Path) -> tuple[tuple[float, float], ...]:
    kind = shape.get("shape_type", "polygon")
    points = [(float(x), float(y)) for x, y in shape["points"]]
    if kind == "polygon" and len(points) >= 3:
        return tuple(points)
    if kind == "rectangle" and len(points) in (2, 4):
        xs, ys = zip(*points, strict=True)
        return _box(min(xs), min(ys), max(xs), max(ys))
    if kind == "circle" and len(points) == 2:
        return _circle(*points)
    raise ValueError(
        f"{path}: {kind} {shape.get('label')!r} with {len(points)} points is no area; draw objects as polygons of at "
        "least 3 points, rectangles or circles"
    )


def _box(left: float, top: float, right: float, bottom: float) -> tuple[tuple[float, float], ...]:
    return (left, top), (right, top), (right, bottom), (left, bottom)


def _circle(centre: tuple[float, float], edge: tuple[float, float]) -> tuple[tuple[float, float], ...]:
    radius = math.dist(centre, edge)
    angles = (2 * math.pi * corner / CIRCLE_CORNERS for corner in range(CIRCLE_CORNERS))
    return tuple((centre[0] + radius * math.cos(angle), centre[1] + radius * math.sin(angle)) for angle in angles)


def _read_coco(path: Path, content: Mapping[str, Any]) -> DrawnMasks:
    try:
        images = {image["id"]: image for image in content["images"]}
        annotations = [annotation for annotation in content["annotations"] if annotation["image_id"] in images]
        ids = _coco_ids(annotations, path)
        titles = {category["id"]: category["name"] for category in content.get("categories", [])}
        masks: dict[str, ShapeMask] = {}
        names: dict[int, str] = {}
        for image_id, image in images.items():
            own = [place for place, annotation in enumerate(annotations) if annotation["image_id"] == image_id]
            if own:
                shapes = tuple(_coco_shape(annotations[place], ids[place], path) for place in own)
                masks[Path(image["file_name"]).stem] = ShapeMask(path, (image["height"], image["width"]), shapes)
                names |= {ids[place]: titles.get(annotations[place].get("category_id"), "") for place in own}
    except (KeyError, TypeError) as error:
        raise ValueError(f"{path}: an entry of this COCO file lacks or garbles {error}") from error
    return DrawnMasks(masks, names)


def _coco_ids(annotations: Sequence[Mapping[str, Any]], path: Path) -> list[int]:
    tracks = [_track_of(annotation) for annotation in annotations]
    if all(track is None for track in tracks):
        if len({annotation["image_id"] for annotation in annotations}) > 1:
            raise ValueError(
                f"{path}: which annotations of different images are the same object? Give each a track_id, or "
                "annotate one image only"
            )
        return list(range(1, len(annotations) + 1))
    ids = [int(str(track)) if str(track).isdecimal() else 0 for track in tracks]
    if not all(ids):
        raise ValueError(f"{path}: expected a positive number as track_id of each annotation, found {tracks}")
    return ids


def _track_of(annotation: Mapping[str, Any]) -> Any:
    for holder in (annotation, annotation.get("attributes") or {}):
        for key in ("track_id", "instance_id"):
            if holder.get(key) is not None:
                return holder[key]
    return None


def _coco_shape(annotation: Mapping[str, Any], object_id: int, path: Path) -> Shape:
    segmentation = annotation.get("segmentation")
    if isinstance(segmentation, dict):
        return Shape(object_id, code=segmentation)
    if segmentation:
        polygons = tuple(tuple(zip(flat[::2], flat[1::2], strict=True)) for flat in segmentation)
        if min(map(len, polygons)) < 3:
            raise ValueError(f"{path}: annotation {annotation.get('id')} has a polygon of fewer than 3 corners")
        return Shape(object_id, polygons)
    left, top, width, height = annotation["bbox"]
    return Shape(object_id, (_box(left, top, left + width, top + height),))
