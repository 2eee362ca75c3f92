"""A stand-in for the network that marks each frame with the number it shows; masks to give it, and what it wrote."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from video_makers import number_shown

from livos import SegmenterState
from livos.masks.label_maps import LabelCoding, read_labels, write_labels

SIZE = (48, 64)


@dataclass
class Marks:
    """Like SegmentationResult; only object 7 has a confidence."""

    labels: np.ndarray
    object_ids: tuple[int, ...] = ()
    confidence: dict[int, float] = field(default_factory=dict)


@dataclass
class MarkingSegmenter:
    """Labels: each object given so far has a row, filled from the left up to the frame's number."""

    given: list[tuple[int, list[int]]] = field(default_factory=list)
    seen: list[int] = field(default_factory=list)
    device = torch.device("cpu")

    def state(self) -> SegmenterState:
        return SegmenterState()

    def made_with(self) -> dict[str, str]:
        return {"network": "stand-in"}

    def reset(self) -> None:
        self.given.clear()
        self.seen.clear()

    def step(self, image: np.ndarray, labels: np.ndarray | None = None, last: bool = False, absent=()) -> Marks:
        number = number_shown(image)
        self.seen.append(number)
        if labels is not None:
            self.given.append((number, sorted(set(np.unique(labels).tolist()) - {0})))
        marked = np.zeros(image.shape[:2], np.int32)
        for row, object_id in enumerate(sorted({object_id for _, ids in self.given for object_id in ids})):
            marked[10 + row, 8 : 9 + number] = object_id
        return Marks(marked, confidence={7: 0.9 - 0.01 * number})


def mask_with(*ids: int, size: tuple[int, int] = SIZE) -> np.ndarray:
    """Labels with a block of 9 x 6 pixels for each id."""
    labels = np.zeros(size, np.int32)
    for place, object_id in enumerate(ids):
        labels[20:29, 8 + 10 * place : 14 + 10 * place] = object_id
    return labels


def write_mask(path: Path, *ids: int, coding: LabelCoding | None = None, size: tuple[int, int] = SIZE) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_labels(path, mask_with(*ids, size=size), coding)
    return path


def marks(directory: Path) -> dict[str, dict[int, int]]:
    """Of each mask in a folder: by object id, the number that its row is marked with."""
    found = {}
    for path in sorted(directory.glob("*.png")):
        labels = read_labels(path).labels
        ids = sorted(set(np.unique(labels).tolist()) - {0})
        found[path.stem] = {object_id: int((labels == object_id).sum()) - 1 for object_id in ids}
    return found
