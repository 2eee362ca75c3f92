"""Undo and redo of every change to a project's files, bit for bit.

A step keeps the earlier files, under other names in a hidden folder of the project, and the part of project.json that
it changed. Undo swaps the earlier files with the current ones; swapping them again is redo.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, TypeVar

Memo = TypeVar("Memo")


@dataclass
class Step(Generic[Memo]):
    """Something that the user did. `files` maps each path to the earlier file (None: it did not exist)."""

    title: str
    memo: Memo
    frames: tuple[int, int]  # the first and last whose masks may differ
    files: dict[Path, Path | None] = field(default_factory=dict)


class History(Generic[Memo]):
    """The steps of a session. They are lost when it ends.

    folder: a hidden one for this session only, on the project's file system. recall: restores what a memo remembers,
    and returns a memo of what it replaced.
    """

    def __init__(self, folder: Path, recall: Callable[[Memo], Memo]):
        self.folder, self._recall = folder, recall
        self._undo: list[Step[Memo]] = []
        self._redo: list[Step[Memo]] = []
        self._num_kept = 0
        folder.mkdir(parents=True)

    @property
    def undo_title(self) -> str | None:
        """What the next undo reverts; None if there is nothing to undo."""
        return self._undo[-1].title if self._undo else None

    @property
    def redo_title(self) -> str | None:
        """What the next redo repeats; None if there is nothing to redo."""
        return self._redo[-1].title if self._redo else None

    def begin(self, title: str, memo: Memo, frames: tuple[int, int]) -> Step[Memo]:
        """Begins a step, which lasts until the next one. memo: the state before it. Undone steps are forgotten."""
        for step in self._redo:
            self._forget(step)
        self._redo.clear()
        self._undo.append(Step(title, memo, frames))
        return self._undo[-1]

    def drop_last(self) -> None:
        """Removes the last step, which must not have changed any file."""
        assert not self._undo[-1].files
        self._undo.pop()

    def keep(self, step: Step[Memo], path: Path) -> None:
        """Remembers a file before its first change in a step. The file itself stays in place."""
        if path not in step.files:
            step.files[path] = self._second_name(path) if path.exists() else None

    def undo(self) -> Step[Memo]:
        """Undoes the last step and returns it. Raises IndexError if there is none."""
        step = self._undo.pop()
        self._exchange(step)
        self._redo.append(step)
        return step

    def redo(self) -> Step[Memo]:
        """Redoes the last undone step and returns it. Raises IndexError if there is none."""
        step = self._redo.pop()
        self._exchange(step)
        self._undo.append(step)
        return step

    def close(self) -> None:
        """Forgets everything."""
        self._undo.clear()
        self._redo.clear()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _exchange(self, step: Step[Memo]) -> None:
        for path, before in step.files.items():
            now = self._second_name(path) if path.exists() else None
            if before is None:
                path.unlink(missing_ok=True)
            else:
                os.replace(before, path)
            step.files[path] = now
        step.memo = self._recall(step.memo)

    def _second_name(self, path: Path) -> Path:
        self._num_kept += 1
        kept = self.folder / f"{self._num_kept:08d}{path.suffix}"
        try:
            os.link(path, kept)
        except OSError:  # a file system without hard links
            shutil.copyfile(path, kept)
        return kept

    def _forget(self, step: Step[Memo]) -> None:
        for before in step.files.values():
            if before is not None:
                before.unlink(missing_ok=True)
