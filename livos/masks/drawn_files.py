"""Recognises which annotation program wrote a file, and reads the masks in it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from livos.files.json_files import read_json
from livos.masks.coco import read_coco
from livos.masks.drawn_shapes import DrawnMasks
from livos.masks.labelme import read_labelme
from livos.masks.yolo import read_yolo

DRAWING_SUFFIXES = (".json", ".txt")


def read_drawn_masks(paths: Sequence[Path], frame_size: tuple[int, int]) -> DrawnMasks:
    """The masks of labelme or YOLO files, one per frame, or of one COCO file.

    Args:
        paths: JSON files, or text files (YOLO).
        frame_size: (H, W) of the frames, for files that do not say.

    Raises:
        ValueError: If a file, which is named, cannot be read as areas of objects.
    """
    if all(path.suffix.lower() == ".txt" for path in paths):
        return read_yolo(paths, frame_size)
    contents = {path: read_json(path) for path in paths}
    coco = [path for path, content in contents.items() if content.get("annotations") and content.get("images")]
    if coco and len(paths) > 1:
        raise ValueError(f"{coco[0]}: a COCO file next to {len(paths) - 1} other JSON files; it must be the only one")
    if coco:
        return read_coco(contents[coco[0]])
    for path, content in contents.items():
        if content.get("shapes") is None:
            raise ValueError(f'{path}: neither labelme (with "shapes") nor COCO (with "images" and "annotations")')
    return read_labelme(contents, frame_size)
