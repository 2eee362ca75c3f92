"""Which objects were tracked on which frames, how, and with what confidence; two bytes per frame and object."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from livos.studio.document import LabelChange
from livos.studio.mask_files import DIRECTIONS, Track

_LETTERS = np.frombuffer(b"." + "".join(direction[0] for direction in DIRECTIONS).encode(), np.uint8)


class TrackedIndex:
    """The notes of all tracked masks, as arrays over the frames."""

    def __init__(self, num_frames: int):
        self.num_frames = num_frames
        self._revision = np.full(num_frames, -1, np.int32)  # -1: no mask
        self._by: dict[int, npt.NDArray[np.uint8]] = {}  # 0: not tracked, otherwise 1 + the place in DIRECTIONS
        self._confidence: dict[int, npt.NDArray[np.int8]] = {}  # per cent, -1: none

    def set(self, number: int, objects: Mapping[int, Track], revision: int) -> None:
        """Records the note of a frame's mask."""
        self.forget(number)
        self._revision[number] = revision
        for object_id, track in objects.items():
            by, confidence = self._arrays(object_id)
            by[number] = 1 + DIRECTIONS.index(track.by)
            confidence[number] = round(100 * min(1.0, max(0.0, track.confidence)))

    def forget(self, number: int) -> None:
        """Records that a frame has no tracked mask."""
        self._revision[number] = -1
        for object_id in self._by:
            self._by[object_id][number], self._confidence[object_id][number] = 0, -1

    def revision(self, number: int) -> int:
        """The revision at which the tracked mask of a frame was written; -1 if there is none."""
        return int(self._revision[number])

    def is_there(self, number: int) -> bool:
        """Whether a frame has a tracked mask."""
        return bool(self._revision[number] >= 0)

    def timeline(self, ids: Iterable[int], changes: Iterable[LabelChange]) -> list[dict[str, Any]]:
        """How and with what confidence (percent) each object was tracked on each frame, as the page receives it."""
        by = {i: array.copy() for i, array in self._by.items()}
        confidence = {i: array.copy() for i, array in self._confidence.items()}
        for change in changes:
            if change.id not in by:
                continue
            span = slice(change.first, None if change.last is None else change.last + 1)
            where = np.zeros(self.num_frames, bool)
            where[span] = self._revision[span] < change.revision
            if change.into and change.into not in by:
                by[change.into], confidence[change.into] = self._empty()
            if change.into:
                moved = where & (by[change.into] == 0)
                by[change.into][moved] = by[change.id][moved]
                confidence[change.into][moved] = confidence[change.id][moved]
            by[change.id][where], confidence[change.id][where] = 0, -1
        return [self._entry(i, *((by[i], confidence[i]) if i in by else self._empty())) for i in ids]

    def _entry(self, object_id: int, by: npt.NDArray[np.uint8], confidence: npt.NDArray[np.int8]) -> dict[str, Any]:
        return {"id": object_id, "by": _LETTERS[by].tobytes().decode(), "confidence": confidence.tolist()}

    def _arrays(self, object_id: int) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int8]]:
        if object_id not in self._by:
            self._by[object_id], self._confidence[object_id] = self._empty()
        return self._by[object_id], self._confidence[object_id]

    def _empty(self) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int8]]:
        return np.zeros(self.num_frames, np.uint8), np.full(self.num_frames, -1, np.int8)
