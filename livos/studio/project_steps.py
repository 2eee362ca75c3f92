"""How a project changes: every change to its files is part of a step, which can be undone."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from livos.studio.document import Document, LabelChange, StudioObject
from livos.studio.history import History, Step
from livos.studio.mask_files import Given, Track, Tracked, only, write_given, write_tracked
from livos.studio.project_masks import ProjectMasks
from livos.studio.runs import Labels
from livos.studio.state_files import StateFile, state_files

DOCUMENT = "project.json"

Memo = tuple[tuple[StudioObject, ...], tuple[LabelChange, ...]]
"""The part of project.json that undo restores."""


class ProjectSteps(ProjectMasks):
    """The masks of a project and their history: what tracking writes, and undo and redo of every step."""

    def __init__(self, folder: Path, document: Document):
        super().__init__(folder, document)
        self.history: History[Memo] = History(folder / f".undo-{os.getpid()}", self._recall)

    def begin_tracking(self, title: str, frames: tuple[int, int]) -> Step[Memo]:
        """A step that records what `write_tracked` and `write_state` write until the next one begins."""
        with self._lock:
            return self._begin(title, frames)

    def drop_if_empty(self, step: Step[Memo]) -> None:
        """Drops a step that changed nothing."""
        with self._lock:
            if not step.files:
                self.history.drop_last()

    def write_tracked(self, step: Step[Memo], number: int, labels: Labels, objects: Mapping[int, Track]) -> None:
        """Replaces the tracked masks of some objects on a frame. Those of other objects stay.

        Args:
            step: What `begin_tracking` returned.
            number: Of the frame.
            labels: (H, W); ids of any other objects are ignored.
            objects: How their masks were tracked, by id. Masks given by hand are still shown over them.
        """
        new = only(labels, list(objects))
        with self._lock:
            before = self.tracked(number)
            if before is not None:
                others = {i: track for i, track in before.objects.items() if i not in objects}
                new = np.where(new > 0, new, only(before.labels, list(others)))
                objects = {**others, **objects}
            path = self.tracked_path(number)
            self.history.keep(step, path)
            write_tracked(path, Tracked(new, objects, self.document.revision))
            self.index.set(number, objects, self.document.revision)

    def write_state(self, step: Step[Memo], state: StateFile, content: Any) -> None:
        """Saves a tracker's memory; content: a SegmenterState."""
        with self._lock:
            self.history.keep(step, self.state_path(state))
            content.save(self.state_path(state))
            self.states.add(state)

    def forget_states(self, step: Step[Memo], number: int) -> None:
        """Removes the saved states that have seen a frame whose mask has changed."""
        for state in [state for state in self.states if state.has_seen(number)]:
            self._remove_state(step, state)

    def drop_states(self, step: Step[Memo], direction: str, numbers: Iterable[int], start: int | None = None) -> None:
        """Removes the states of a direction after some frames, or only those of a tracker that started at `start`."""
        wanted = set(numbers)
        with self._lock:
            for state in list(self.states):
                if state.direction == direction and state.number in wanted and start in (None, state.start):
                    self._remove_state(step, state)

    def undo(self) -> Step[Memo]:
        """Undoes the last step. Raises IndexError if there is none."""
        with self._lock:
            return self._reread(self.history.undo())

    def redo(self) -> Step[Memo]:
        """Redoes the last undone step. Raises IndexError if there is none."""
        with self._lock:
            return self._reread(self.history.redo())

    def _begin(self, title: str, frames: tuple[int, int]) -> Step[Memo]:
        step = self.history.begin(title, (self.document.objects, self.document.changes), frames)
        self._save(replace(self.document, revision=self.document.revision + 1))
        return step

    def _recall(self, memo: Memo) -> Memo:
        now = self.document.objects, self.document.changes
        self._save(replace(self.document, objects=memo[0], changes=memo[1]))
        return now

    def _reread(self, step: Step[Memo]) -> Step[Memo]:
        masks = [path for path in step.files if path.suffix == ".png"]
        self._read_notes(masks)
        self.states = set(state_files(self.folder / "states"))
        return step

    def _save(self, document: Document) -> None:
        document.save(self.folder / DOCUMENT)
        self.document = document

    def _write_given(self, step: Step[Memo], number: int, labels: Labels, ids: tuple[int, ...]) -> None:
        path = self.given_path(number)
        self.history.keep(step, path)
        if ids:
            write_given(path, Given(labels, ids, self.document.revision))
            self._given[number] = ids, self.document.revision
        else:
            path.unlink(missing_ok=True)
            self._given.pop(number, None)

    def _remove_state(self, step: Step[Memo], state: StateFile) -> None:
        path = self.state_path(state)
        self.history.keep(step, path)
        path.unlink(missing_ok=True)
        self.states.discard(state)
