"""Reads the masks in a project's folder, with the present meaning of their ids, and keeps their notes by frame."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from livos.studio.document import Document
from livos.studio.mask_files import Given, Tracked, given_note, read_given, read_tracked, tracked_note
from livos.studio.runs import Labels
from livos.studio.state_files import StateFile, state_files
from livos.studio.tracked_index import TrackedIndex

FOLDERS = ("given", "tracked", "states")


class ProjectMasks:
    """Reads the masks of a project. Its methods may be called from several threads."""

    def __init__(self, folder: Path, document: Document):
        """folder: one that contains FOLDERS. Raises ValueError or OSError if a file in them is not a mask."""
        self.folder, self.document = folder, document
        self.size = (document.video.height, document.video.width)
        self.num_frames = document.video.num_frames
        self._lock = threading.RLock()
        self._given: dict[int, tuple[tuple[int, ...], int]] = {}  # ids and revision, by frame
        self.index = TrackedIndex(self.num_frames)
        self.states = set(state_files(folder / "states"))
        self._read_notes(self.folder.glob("given/*.png"))
        self._read_notes(self.folder.glob("tracked/*.png"))

    def labels(self, number: int) -> Labels:
        """(H, W) uint8: the masks shown on a frame, given ones over tracked ones."""
        with self._lock:
            tracked, given = self.tracked(number), self.given(number)
        labels = np.zeros(self.size, np.uint8) if tracked is None else tracked.labels
        if given is None:
            return labels
        labels[np.isin(labels, given.ids)] = 0
        return np.where(given.labels > 0, given.labels, labels)

    def given(self, number: int) -> Given | None:
        """The masks that were given by hand on a frame, with the present ids; None if there are none."""
        with self._lock:
            ids = self.given_ids(number)
            if not ids:
                return None
            given = read_given(self.given_path(number), self.size)
            table = self.document.table(number, given.revision, given=True)
            return replace(given, labels=given.labels if table is None else table[given.labels], ids=ids)

    def tracked(self, number: int) -> Tracked | None:
        """The masks that were tracked on a frame, with the present ids; None if there are none."""
        with self._lock:
            if not self.index.is_there(number):
                return None
            tracked = read_tracked(self.tracked_path(number), self.size)
            table = self.document.table(number, tracked.revision, given=False)
            if table is None:
                return tracked
            objects = {int(table[i]): track for i, track in tracked.objects.items() if table[i]}
            return replace(tracked, labels=table[tracked.labels], objects=objects)

    def given_ids(self, number: int) -> tuple[int, ...]:
        """The objects that were given by hand on a frame, ascending."""
        ids, revision = self._given.get(number, ((), 0))
        table = self.document.table(number, revision, given=True)
        return ids if table is None else tuple(sorted({int(table[i]) for i in ids} - {0}))

    def marks(self) -> dict[int, tuple[int, ...]]:
        """The frames with masks given by hand, in order, and the objects given on each."""
        with self._lock:
            found = ((number, self.given_ids(number)) for number in sorted(self._given))
            return {number: ids for number, ids in found if ids}

    def given_revision(self, number: int) -> int:
        """The revision at which the mask given by hand on a frame was written; -1 if there is none."""
        return self._given[number][1] if number in self._given else -1

    def timeline(self) -> dict[str, Any]:
        """Marks and tracked frames, as the page receives them."""
        with self._lock:
            objects = self.index.timeline([known.id for known in self.document.objects], self.document.changes)
            return {"marks": {str(number): list(ids) for number, ids in self.marks().items()}, "objects": objects}

    def given_path(self, number: int) -> Path:
        """The file of a frame's given masks."""
        return self.folder / "given" / f"{number:06d}.png"

    def tracked_path(self, number: int) -> Path:
        """The file of a frame's tracked masks."""
        return self.folder / "tracked" / f"{number:06d}.png"

    def state_path(self, state: StateFile) -> Path:
        """The file of a tracker's state."""
        return self.folder / "states" / state.name

    def _read_notes(self, paths: Iterable[Path]) -> None:
        """Reads the notes of files that may have changed or been removed. Raises ValueError or OSError otherwise."""
        for path in paths:
            if not path.stem.isdecimal() or not int(path.stem) < self.num_frames:
                raise ValueError(f"{path}: expected masks named by frames from 0 to {self.num_frames - 1}")
            number, given, there = int(path.stem), path.parent.name == "given", path.exists()
            if given and there:
                self._given[number] = given_note(path)
            elif given:
                self._given.pop(number, None)
            elif there:
                self.index.set(number, *tracked_note(path))
            else:
                self.index.forget(number)

    def _check_number(self, number: int) -> None:
        if not 0 <= number < self.num_frames:
            raise ValueError(f"There is no frame {number}: the video has frames 0 to {self.num_frames - 1}.")

    def _check_size(self, labels: Labels) -> None:
        if labels.shape != self.size:
            raise ValueError(f"A mask of {labels.shape[::-1]} pixels for a video of {self.size[::-1]}.")
