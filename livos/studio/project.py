"""A project: a folder with all that a person did in Studio, saved after every step.

    project.json       objects, settings, the in and out points (document.py)
    given/000012.png   masks given by hand; tracking never changes them
    tracked/000013.png masks that were tracked
    states/            the tracker's memory after some frames (state_files.py)

Every file is written atomically, and project.json is written before the masks that refer to it, so the project can
be opened whenever the program was killed.
"""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from livos.files.atomic import clear_leftovers
from livos.files.folder_lock import folder_in_use
from livos.studio.document import (
    Document,
    LabelChange,
    Settings,
    StudioObject,
    VideoNote,
    checked_object,
    read_document,
)
from livos.studio.history import History, Step
from livos.studio.mask_files import (
    Given,
    Track,
    Tracked,
    given_note,
    only,
    read_given,
    read_tracked,
    tracked_note,
    write_given,
    write_tracked,
)
from livos.studio.runs import Labels
from livos.studio.state_files import StateFile, state_files
from livos.studio.tracked_index import TrackedIndex

DOCUMENT = "project.json"
USED_BY = "LiVOS Studio"
PATIENCE_S = 1.0
"""How long to wait for another program that has the project open to end."""

_FOLDERS = ("given", "tracked", "states")

Memo = tuple[tuple[StudioObject, ...], tuple[LabelChange, ...]]
"""The part of project.json that undo restores."""


def is_project(folder: Path) -> bool:
    """Whether a folder is a project."""
    return (folder / DOCUMENT).is_file()


class Project:
    """An open project. Its methods are thread-safe, and raise ValueError with sentences for the user."""

    def __init__(self, folder: Path, document: Document, in_use: ExitStack):
        self.folder, self.document = folder, document
        self.size = (document.video.height, document.video.width)
        self.num_frames = document.video.num_frames
        self._in_use, self._lock = in_use, threading.RLock()
        for name in _FOLDERS:
            (folder / name).mkdir(exist_ok=True)
        self._remove_leftovers()
        self._given: dict[int, tuple[tuple[int, ...], int]] = {}  # ids and revision, by frame
        self.index = TrackedIndex(self.num_frames)
        self.states = set(state_files(folder / "states"))
        self._read_notes(self.folder.glob("given/*.png"))
        self._read_notes(self.folder.glob("tracked/*.png"))
        self.history: History[Memo] = History(folder / f".undo-{os.getpid()}", self._recall)

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
        """Releases the project for other programs. What could be undone is forgotten."""
        self.history.close()
        self._in_use.close()

    # What is there

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
        """The masks that were given by hand on a frame, with the ids of today; None: there are none."""
        with self._lock:
            ids = self.given_ids(number)
            if not ids:
                return None
            given = read_given(self.given_path(number), self.size)
            table = self.document.table(number, given.revision, given=True)
            return replace(given, labels=given.labels if table is None else table[given.labels], ids=ids)

    def tracked(self, number: int) -> Tracked | None:
        """The masks that were tracked on a frame, with the ids of today; None: there are none."""
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
        """Of a frame's given mask."""
        return self.folder / "given" / f"{number:06d}.png"

    def tracked_path(self, number: int) -> Path:
        """Of a frame's tracked mask."""
        return self.folder / "tracked" / f"{number:06d}.png"

    def state_path(self, state: StateFile) -> Path:
        """Of a tracker's state."""
        return self.folder / "states" / state.name

    # Steps

    def put(self, number: int, labels: Labels, ids: Sequence[int], title: str) -> tuple[int, ...]:
        """Stores masks of some objects on a frame as given by hand, and returns all objects now given there.

        Args:
            number: Of the frame.
            labels: (H, W) uint8, the whole frame as it should be.
            ids: The objects that were edited. One without pixels is given as absent.
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
            masks: By frame, (H, W) labels and the ids in them.
            names: Of all objects in them, by id; "" for none. Objects that the project lacks are added.

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
            step = self._begin(f"mask of frame {number} taken back", (number, number))
            self.forget_states(step, number)
            self._write_given(step, number, only(given.labels, rest), rest)

    def clear_tracked(self, first: int, last: int, ids: Sequence[int] | None) -> None:
        """Removes tracked masks (None: of all objects) on frames `first` to `last`. Given ones stay."""
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
        """Sets what to track with from the next time on. Not a step."""
        with self._lock:
            self._save(replace(self.document, settings=settings))

    def set_video_path(self, path: Path) -> None:
        """Records where the video is now."""
        with self._lock:
            self._save(replace(self.document, video=replace(self.document.video, path=str(path))))

    # Tracking

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
        """Replaces the tracked masks of some objects. Others stay as they were.

        Args:
            step: What `begin_tracking` returned.
            number: Of the frame.
            labels: (H, W); other ids than those of the objects are ignored.
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

    # History

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

    def _read_notes(self, paths: Iterable[Path]) -> None:
        """Reads the notes of files that may have changed or gone. Raises ValueError or OSError for other files."""
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

    def _remove_leftovers(self) -> None:
        """Removes what a program left behind that was killed while writing."""
        for folder in self.folder.glob(".undo-*"):
            shutil.rmtree(folder, ignore_errors=True)
        clear_leftovers(self.folder, below=True)

    def _check_number(self, number: int) -> None:
        if not 0 <= number < self.num_frames:
            raise ValueError(f"There is no frame {number}: the video has frames 0 to {self.num_frames - 1}.")

    def _check_size(self, labels: Labels) -> None:
        if labels.shape != self.size:
            raise ValueError(f"A mask of {labels.shape[::-1]} pixels for a video of {self.size[::-1]}.")
