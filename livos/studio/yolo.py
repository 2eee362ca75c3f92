"""A data set for YOLO segmentation: frames, each with a text file of the outlines of its objects."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

import cv2
import numpy as np

from livos.files.atomic import written_aside
from livos.pipeline.frames import SegmentedFrame
from livos.pipeline.outputs import VideoOutput

SMALLEST_PART = 3
"""Shapes with fewer corners are left out."""


class YoloFiles(VideoOutput):
    """`images/train/<frame>.jpg`, `labels/train/<frame>.txt` and data.yaml, which names the objects as classes.

    A line is a class and the corners of an outline as fractions of width and height. An object in several parts has
    several lines. The format has no holes: they are filled.
    """

    def __init__(self, directory: Path, object_names: Mapping[int, str]):
        """object_names: the name of every object that may appear, by id, in the order of the classes."""
        self.directory, self._names = directory, dict(object_names)
        self._classes = {object_id: place for place, object_id in enumerate(object_names)}

    def open(self, stack: ExitStack) -> None:
        for kind in ("images", "labels"):
            (self.directory / kind / "train").mkdir(parents=True, exist_ok=True)
        names = [f"  {place}: {json.dumps(name)}" for place, name in enumerate(self._names.values())]
        with written_aside(self.directory / "data.yaml") as aside:
            aside.write_text("\n".join(["path: .", "train: images/train", "val: images/train", "names:", *names, ""]))

    def write(self, item: SegmentedFrame) -> None:
        encoded = cv2.imencode(".jpg", cv2.cvtColor(item.image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 95])[1]
        with written_aside(self.directory / "images/train" / f"{item.frame.name}.jpg") as aside:
            aside.write_bytes(encoded.tobytes())
        with written_aside(self.directory / "labels/train" / f"{item.frame.name}.txt") as aside:
            aside.write_text("".join(self._lines(item.labels)))

    def _lines(self, labels: np.ndarray) -> list[str]:
        return [
            f"{place} {' '.join(f'{share:.6f}' for share in outline.ravel())}\n"
            for object_id, place in self._classes.items()
            for outline in outlines(labels == object_id)
        ]


def outlines(mask: np.ndarray) -> list[np.ndarray]:
    """The outer outlines of the parts of a mask (H, W), each (K, 2): x and y of corners, as fractions of the size.

    Corners are centres of pixels at the border.
    """
    found, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    size = np.array(mask.shape[::-1], np.float64)
    return [(part.reshape(-1, 2) + 0.5) / size for part in found if len(part) >= SMALLEST_PART]
