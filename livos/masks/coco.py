"""Masks in a JSON file in COCO format, as CVAT and others export it: polygons, run-length codes, boxes."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from livos.files.image_formats import refuse_too_large
from livos.files.json_files import Entry
from livos.files.names import checked_name
from livos.masks.drawn_shapes import LARGEST_SIDE, DrawnMasks, Shape, ShapeMask, label_of
from livos.masks.polygons import box, checked_polygon

logger = logging.getLogger(__name__)

LARGEST_ID = 2**24 - 1


@dataclass(frozen=True)
class _Image:
    name: str  # without suffix
    size: tuple[int, int]  # (H, W)


def read_coco(content: Entry) -> DrawnMasks:
    """The masks of a file, by the names of its images.

    If only some annotations have a `track_id`, each of the others is a separate object, like shapes next to tracks in
    CVAT. If tracks are counted from 0, ids are one higher.

    Raises:
        ValueError: If an entry is not the area of an object, or if it is not clear which annotations are the same
            object. The message names file and entry.
    """
    images = _images(content)
    annotations = [entry for entry in content["annotations"].items() if _image_id(entry["image_id"]) in images]
    ids = _object_ids(annotations, content)
    titles = _titles(content)
    shapes: dict[int | str, list[Shape]] = {}
    names: dict[int, str] = {}
    for entry, object_id in zip(annotations, ids, strict=True):
        image_id = _image_id(entry["image_id"])
        shapes.setdefault(image_id, []).append(_shape(entry, object_id, images[image_id].size))
        category = entry.get("category_id")
        names[object_id] = "" if category is None else titles.get(_image_id(category), "")
    masks = {
        image.name: ShapeMask(content.path, image.size, tuple(shapes[image_id]))
        for image_id, image in images.items()
        if image_id in shapes
    }
    return DrawnMasks(masks, names)


def _images(content: Entry) -> dict[int | str, _Image]:
    images: dict[int | str, _Image] = {}
    names: dict[str, str] = {}
    for entry in content["images"].items():
        file_name = entry["file_name"]
        stem = PurePosixPath(file_name.text().replace("\\", "/")).stem
        name = checked_name(stem, file_name.where)
        size = entry["height"].whole(1, LARGEST_SIDE), entry["width"].whole(1, LARGEST_SIDE)
        refuse_too_large(*size, entry.where)
        if names.setdefault(name, file_name.value) != file_name.value:
            raise ValueError(f"{file_name.where}: another image has the same name, so which frame has which masks?")
        images[_image_id(entry["id"])] = _Image(name, size)
    return images


def _image_id(entry: Entry) -> int | str:
    return entry.text() if isinstance(entry.value, str) else entry.whole(-(2**63), 2**63)


def _titles(content: Entry) -> dict[int | str, str]:
    categories = content.get("categories")
    if categories is None:
        return {}
    return {_image_id(entry["id"]): label_of(entry.get("name")) for entry in categories.items()}


def _object_ids(annotations: list[Entry], content: Entry) -> list[int]:
    """The object of each annotation: that of its track, or a separate one."""
    tracks = [_track_of(entry) for entry in annotations]
    of_shapes = {_image_id(e["image_id"]) for e, track in zip(annotations, tracks, strict=True) if track is None}
    if len(of_shapes) > 1:
        without = "" if all(track is None for track in tracks) else " without a track_id"
        raise ValueError(
            f"{content.path}: which annotations{without} of different images are the same object? Give each a "
            "track_id, or annotate one image only"
        )
    from_zero = 0 in tracks
    if from_zero:
        logger.info("%s: tracks are counted from 0, so the ids of its objects are one higher", content.path)
    known = [track + from_zero for track in tracks if track is not None]
    own = max(known, default=0)
    ids = []
    for entry, track in zip(annotations, tracks, strict=True):
        if track is None:
            own += 1
        ids.append(own if track is None else track + from_zero)
        if ids[-1] > LARGEST_ID:
            raise entry.error(f"at most {LARGEST_ID} objects (the largest id that a mask file can hold)")
    return ids


def _track_of(annotation: Entry) -> int | None:
    for holder in (annotation, annotation.get("attributes")):
        if holder is None or not isinstance(holder.value, Mapping):
            continue
        for key in ("track_id", "instance_id"):
            entry = holder.get(key)
            if entry is None:
                continue
            text = entry.value
            if isinstance(text, str) and text.isascii() and text.isdecimal() and len(text) <= 8:
                return int(text)
            return entry.whole(0, LARGEST_ID)
    return None


def _shape(annotation: Entry, object_id: int, size: tuple[int, int]) -> Shape:
    segmentation = annotation.get("segmentation")
    where = annotation.where
    if segmentation is not None and isinstance(segmentation.value, Mapping):
        told = segmentation["size"]
        if [side.whole(0, LARGEST_SIDE) for side in told.items()] != list(size):
            raise told.error(f"a run-length code of the image's size {list(size)}")
        return Shape(object_id, code=segmentation["counts"].value, where=segmentation.where)
    if segmentation is not None and segmentation.items():
        polygons = [checked_polygon(_corners(entry), size, entry.where) for entry in segmentation.items()]
        return Shape(object_id, tuple(polygons), where=where)
    values = [entry.number() for entry in annotation["bbox"].items()]
    if len(values) != 4 or min(values[2:]) < 0:
        raise annotation["bbox"].error("a box [left, top, width, height]")
    left, top, width, height = values
    return Shape(object_id, (checked_polygon(box(left, top, left + width, top + height), size, where),), where=where)


def _corners(entry: Entry) -> list[tuple[float, float]]:
    values = entry.items()
    if len(values) % 2:
        raise entry.error("pairs of coordinates x, y")
    numbers = [value.number() for value in values]
    return list(zip(numbers[::2], numbers[1::2], strict=True))
