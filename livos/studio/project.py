"""A project: a folder with everything that the user did in Studio, saved after every step.

    project.json       objects, settings, the in and out points (document.py)
    given/000012.png   masks given by hand; tracking never changes them
    tracked/000013.png masks that were tracked
    states/            the tracker's memory after some frames (state_files.py)

Every file is written atomically, and project.json is written before the masks that refer to it, so the project can be
opened no matter when the program was killed.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from livos.files.atomic import clear_leftovers
from livos.files.folder_lock import folder_in_use
from livos.studio.document import Document, Settings, StudioObject, VideoNote, checked_object, read_document
from livos.studio.mask_files import only
from livos.studio.project_masks import FOLDERS
from livos.studio.project_steps import DOCUMENT, ProjectSteps
from livos.studio.runs import Labels

USED_BY = "LiVOS Studio"
PATIENCE_S = 1.0
"""How long to wait for another program to close the project."""


def is_project(folder: Path) -> bool:
    """Whether a folder is a project."""
    return (folder / DOCUMENT).is_file()


class Project(ProjectSteps):
    """An open project. Its methods are thread-safe, and raise ValueError with sentences for the user."""

    def __init__(self, folder: Path, document: Document, in_use: ExitStack):
        self._in_use = in_use
        _prepare(folder)
        super().__init__(folder, document)

    @classmethod
    def create(cls, folder: Path, video: VideoNote) -> Project:
        """A new project in a folder that does not exist yet or is empty. Raises ValueError or OSError."""
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise ValueError(f"{folder}: expected a project, or an empty folder for a new one")
        with ExitStack() as stack:
            stack.enter_context(folder_in_use(folder, USED_BY, patience=PATIENCE_S))
            document = Document(video, (0, video.num_frames - 1))
            document.save(folder / DOCUMENT)
            made = cls(folder, document, stack)
            made._in_use = stack.pop_all()
            return made

    @classmethod
    def open(cls, folder: Path) -> Project:
        """An existing project. Raises ValueError or OSError, and BlockingIOError if another program has it open."""
        with ExitStack() as stack:
            stack.enter_context(folder_in_use(folder, USED_BY, patience=PATIENCE_S))
            made = cls(folder, read_document(folder / DOCUMENT), stack)
            made._in_use = stack.pop_all()
            return made

    def close(self) -> None:
        """Releases the project for other programs. The steps that could be undone are lost."""
        self.history.close()
        self._in_use.close()

    # Steps

    def put(self, number: int, labels: Labels, ids: Sequence[int], title: str) -> tuple[int, ...]:
        """Stores masks of some objects on a frame as given by hand, and returns all objects now given there.

        Args:
            number: Of the frame.
            labels: (H, W) uint8, the whole frame as it should be.
            ids: The objects that were edited. One without pixels is marked as absent.
            title: What the user did.
        """
        self._check_number(number)
        self._check_size(labels)
        known = {one.id for one in self.document.objects}
        if not ids or not set(ids) <= known:
            raise ValueError(f"Masks of the objects {list(ids)}: expected some of {sorted(known)}.")
        with self._lock:
            step = self._begin(title, (number, number))
            everything = tuple(sorted({*self.given_ids(number), *ids}))
            self.forget_states(step, number)
            self._write_given(step, number, only(labels, everything), everything)
            return self.given_ids(number)

    def take(
        self, masks: Mapping[int, tuple[Labels, Sequence[int]]], names: Mapping[int, str]
    ) -> dict[int, tuple[int, ...]]:
        """Stores masks that were drawn elsewhere as given by hand, in one step.

        Args:
            masks: The (H, W) labels and the ids in them, by frame.
            names: The names of all objects in them, by id; "" for none. Objects that the project lacks are added.

        Returns:
            The objects that are now given on each of these frames.
        """
        with self._lock:
            document = self.document
            for object_id in sorted(set(names) - {known.id for known in document.objects}):
                document = replace(document, next_id=object_id).with_new_object(names[object_id] or None)
            seen = {number: (labels, ids) for number, (labels, ids) in masks.items() if ids}
            for number, (labels, _) in seen.items():
                self._check_number(number)
                self._check_size(labels)
            step = self._begin("masks imported", (min(seen), max(seen)))
            self._save(replace(document, revision=self.document.revision))
            for number, (labels, ids) in seen.items():
                given = self.given(number)
                if given is not None:
                    others = only(given.labels, [i for i in given.ids if i not in ids])
                    labels = np.where(labels > 0, labels, others)
                self.forget_states(step, number)
                self._write_given(step, number, labels, tuple(sorted({*self.given_ids(number), *ids})))
            return {number: self.given_ids(number) for number in seen}

    def ungive(self, number: int, ids: Sequence[int] | None) -> None:
        """Removes masks that were given by hand on a frame (None: all of them). Tracked ones are shown again."""
        with self._lock:
            given = self.given(number)
            if given is None:
                raise ValueError(f"Frame {number} has no mask that was given by hand.")
            rest = () if ids is None else tuple(i for i in given.ids if i not in ids)
            step = self._begin(f"given mask of frame {number} removed", (number, number))
            self.forget_states(step, number)
            self._write_given(step, number, only(given.labels, rest), rest)

    def clear_tracked(self, first: int, last: int, ids: Sequence[int] | None) -> None:
        """Removes tracked masks of some objects (None: of all) on frames `first` to `last`. Given masks stay."""
        self._check_number(first)
        self._check_number(last)
        with self._lock:
            step = self._begin("tracked masks cleared", (first, last))
            for object_id in [known.id for known in self.document.objects] if ids is None else ids:
                self._save(self.document.with_change(object_id, 0, first, last, tracked_only=True))
            for state in [state for state in self.states if first <= state.number <= last]:
                self._remove_state(step, state)

    def add_object(self, name: str | None = None, color: str | None = None) -> StudioObject:
        """A new object, without pixels yet."""
        with self._lock:
            changed = self.document.with_new_object(name, color)
            self._begin("object added", (0, -1))
            self._save(replace(changed, revision=self.document.revision))
            return self.document.objects[-1]

    def change_object(self, object_id: int, **fields: Any) -> StudioObject:
        """Changes an object's name or color, or hides or locks it, which is not a step."""
        with self._lock:
            changed = checked_object(replace(self.document.object(object_id), **fields))
            if not set(fields) <= {"hidden", "locked"}:
                self._begin(f"{' and '.join(fields)} of {changed.name}", (0, -1))
            self._save(self.document.with_object(changed))
            return changed

    def delete_object(self, object_id: int, first: int | None = None) -> None:
        """Deletes an object from a frame on, or everywhere (None)."""
        with self._lock:
            name = self.document.object(object_id).name
            self._check_number(first or 0)
            step = self._begin(f"{name} deleted", (first or 0, self.num_frames - 1))
            if first is None:
                self._save(self.document.without_object(object_id))
            else:
                self._save(self.document.with_change(object_id, 0, first))
                for state in [state for state in self.states if state.number >= first]:
                    self._remove_state(step, state)

    def merge_objects(self, object_id: int, into: int) -> None:
        """Assigns all masks of one object to another."""
        with self._lock:
            if object_id == into:
                raise ValueError("An object cannot be merged with itself.")
            names = self.document.object(object_id).name, self.document.object(into).name
            both = (object_id, into)
            united = {number: ids for number, ids in self.marks().items() if set(ids) & set(both)}
            seen = {number: self.labels(number) for number in united}
            step = self._begin(f"{names[0]} merged into {names[1]}", (0, self.num_frames - 1))
            self._save(self.document.without_object(object_id, into))
            for number, labels in seen.items():
                labels[labels == object_id] = into
                ids = tuple(sorted({*united[number], into} - {object_id}))
                self._write_given(step, number, only(labels, ids), ids)
            for state in list(self.states):
                self._remove_state(step, state)

    def set_range(self, first: int, last: int) -> None:
        """Sets the in point and the out point, both included. Not a step."""
        self._check_number(first)
        self._check_number(last)
        if last < first:
            raise ValueError(f"The range ends at frame {last}, before it begins at {first}.")
        with self._lock:
            self._save(replace(self.document, range=(first, last)))

    def set_settings(self, settings: Settings) -> None:
        """Sets the settings for the next tracking run. Not a step."""
        with self._lock:
            self._save(replace(self.document, settings=settings))

    def set_video_path(self, path: Path) -> None:
        """Records where the video is now."""
        with self._lock:
            self._save(replace(self.document, video=replace(self.document.video, path=str(path))))


def _prepare(folder: Path) -> None:
    """Makes the folders of a project, and removes what a program left behind that was killed while writing."""
    for name in FOLDERS:
        (folder / name).mkdir(exist_ok=True)
    for old in folder.glob(".undo-*"):
        shutil.rmtree(old, ignore_errors=True)
    clear_leftovers(folder, below=True)
