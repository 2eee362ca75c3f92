"""Lists of the objects on each frame of a video, as JSON: areas and boxes, or COCO run-length codes.

They grow on disk as frames are processed, so memory does not grow with the video.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import IO, Any

import cv2
import numpy as np

from livos.files.atomic import written_aside
from livos.masks.label_maps import object_ids
from livos.masks.run_lengths import encode_mask
from livos.pipeline.frames import SegmentedFrame
from livos.pipeline.outputs import VideoOutput
from livos.video.sources import FrameSource


class JsonLists:
    """A JSON file with some fixed entries and growing lists: `{"width": 64, "frames": [...], ...}`.

    The lists are collected in unnamed temporary files, and combined under the final name when the block succeeds.
    """

    def __init__(self, path: Path, head: Mapping[str, Any], keys: Sequence[str]):
        self.path, self.head, self.keys = path, head, keys
        self._stack = ExitStack()
        self._parts: dict[str, IO[str]] = {}
        self._between = dict.fromkeys(keys, "\n")

    def append(self, key: str, entry: Mapping[str, Any]) -> None:
        self._parts[key].write(self._between[key] + json.dumps(entry))
        self._between[key] = ",\n"

    def __enter__(self) -> JsonLists:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        for key in self.keys:
            part = tempfile.TemporaryFile("w+", encoding="utf-8", dir=self.path.parent)
            self._parts[key] = self._stack.enter_context(part)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._stack:
            if error is None:
                self._join()

    def _join(self) -> None:
        with written_aside(self.path) as aside, aside.open("w", encoding="utf-8") as file:
            file.write("{")
            for key, value in self.head.items():
                file.write(f"{json.dumps(key)}: {json.dumps(value, ensure_ascii=False)},\n")
            for place, (key, part) in enumerate(self._parts.items()):
                part.seek(0)
                file.write(("," if place else "") + f"\n{json.dumps(key)}: [")
                shutil.copyfileobj(part, file)
                file.write("\n]")
            file.write("}\n")


class ObjectReport(VideoOutput):
    """A JSON file with area in pixels, box (x, y, width, height) and confidence of each visible object per frame."""

    def __init__(self, path: Path, source: FrameSource, object_names: Mapping[int, str]):
        """object_names: the name of every object that may be visible, by id."""
        height, width = source.size
        head = {"width": width, "height": height, "frame_rate": float(source.frame_rate), "objects": dict(object_names)}
        self._lists = JsonLists(path, head, ["frames"])
        self._time_base = source.time_base

    def open(self, stack: ExitStack) -> None:
        stack.enter_context(self._lists)

    def write(self, item: SegmentedFrame) -> None:
        frame = item.frame
        entry: dict[str, Any] = {"frame": frame.number, "name": frame.name}
        entry["seconds"] = round(float(frame.pts * self._time_base), 6)
        if item.damaged:
            entry["damaged"] = True
        entry["objects"] = [
            {"id": i, "area": area, "box": box, **_confidence(item, i)} for i, area, box in areas_and_boxes(item.labels)
        ]
        self._lists.append("frames", entry)


class CocoReport(VideoOutput):
    """A COCO file with the run-length code of each visible object per frame; `track_id` is the object's id."""

    def __init__(self, path: Path, source: FrameSource, object_names: Mapping[int, str]):
        """object_names: the name of every object that may be visible, by id."""
        self.size, self._time_base = source.size, source.time_base
        categories = [{"id": i, "name": name or f"object {i}"} for i, name in object_names.items()]
        self._lists = JsonLists(path, {"categories": categories}, ["images", "annotations"])
        self._num_annotations = 0

    def open(self, stack: ExitStack) -> None:
        stack.enter_context(self._lists)

    def write(self, item: SegmentedFrame) -> None:
        frame, (height, width) = item.frame, self.size
        image = {"id": frame.number, "file_name": f"{frame.name}.png", "width": width, "height": height}
        self._lists.append("images", image | {"seconds": round(float(frame.pts * self._time_base), 6)})
        for object_id, area, box in areas_and_boxes(item.labels):
            self._num_annotations += 1
            code = encode_mask(item.labels == object_id)
            entry: dict[str, Any] = {"id": self._num_annotations, "image_id": frame.number, "category_id": object_id}
            entry |= {"track_id": object_id, "iscrowd": 0, "area": area, "bbox": box}
            self._lists.append("annotations", entry | {"segmentation": {"size": [height, width], "counts": code}})


def _confidence(item: SegmentedFrame, object_id: int) -> dict[str, float]:
    """The entry for how far a mask can be trusted, if it is known."""
    return {"confidence": round(item.confidence[object_id], 3)} if object_id in item.confidence else {}


def areas_and_boxes(labels: np.ndarray) -> list[tuple[int, int, list[int]]]:
    """(id, area in pixels, [x, y, width, height]) of each object in labels (H, W), ids ascending."""
    found = []
    for object_id in object_ids(labels):
        area = (labels == object_id).astype(np.uint8)
        found.append((object_id, cv2.countNonZero(area), [int(side) for side in cv2.boundingRect(area)]))
    return found
