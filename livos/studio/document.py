"""The content of project.json: the video, the objects, and what was decided about them, but no pixels."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from livos.files.atomic import written_aside
from livos.studio.runs import LARGEST_ID, Labels

VERSION = 1
LONGEST_NAME = 80
COLOURS = ("#e69f00", "#56b4e9", "#009e73", "#f0e442", "#0072b2", "#d55e00", "#cc79a7", "#882255")
"""Colour-blind people can tell them apart too: seven by Okabe and Ito, and Paul Tol's wine."""

Kind = TypeVar("Kind")


def default_colour(object_id: int) -> str:
    """The colour of an object until the user selects another: one of COLOURS, a darker or a lighter version of it.

    The page's colours.js has the same rule.
    """
    turn, place = divmod(object_id - 1, len(COLOURS))
    base, mixed_in = bytes.fromhex(COLOURS[place][1:]), (None, 0, 255)[turn % 3]
    mixed = base if mixed_in is None else bytes(int(part + 0.45 * (mixed_in - part) + 0.5) for part in base)
    return f"#{mixed.hex()}"


@dataclass(frozen=True)
class StudioObject:
    """One of the user's objects."""

    id: int
    name: str
    color: str  # "#rrggbb"
    hidden: bool = False
    locked: bool = False


@dataclass(frozen=True)
class LabelChange:
    """`id` in masks written before this revision means `into` (0: background), on frames `first` to `last`.

    So deleting or merging objects takes one line, however many frames they are on.
    """

    revision: int
    id: int
    into: int
    first: int = 0
    last: int | None = None  # None: to the end
    tracked_only: bool = False  # masks given by hand stay

    def concerns(self, number: int) -> bool:
        """Whether the change applies to this frame."""
        return number >= self.first and (self.last is None or number <= self.last)


@dataclass(frozen=True)
class Settings:
    """The settings for tracking."""

    weights: str = "lite"
    size: int | None = None  # short side in pixels; None: the one that suits the weights
    precision: str = "float32"
    device: str = "auto"


@dataclass(frozen=True)
class VideoNote:
    """Where the video is, and enough about it to recognise another one."""

    path: str
    width: int
    height: int
    num_frames: int


@dataclass(frozen=True)
class Document:
    """All of project.json. `range` is the in point and the out point, both included."""

    video: VideoNote
    range: tuple[int, int]
    objects: tuple[StudioObject, ...] = ()
    changes: tuple[LabelChange, ...] = ()
    revision: int = 0  # grows with every step
    next_id: int = 1  # ids are never reused
    settings: Settings = field(default_factory=Settings)

    def object(self, object_id: int) -> StudioObject:
        """Raises LookupError, with a sentence for the user, if no object has this id."""
        for known in self.objects:
            if known.id == object_id:
                return known
        raise LookupError(f"There is no object {object_id}.")

    def with_object(self, changed: StudioObject) -> Document:
        """This document with one object replaced."""
        return replace(self, objects=tuple(changed if known.id == changed.id else known for known in self.objects))

    def with_new_object(self, name: str | None = None, color: str | None = None) -> Document:
        """This document with one more object. Raises ValueError for too many objects or an invalid name or colour."""
        if self.next_id > LARGEST_ID:
            raise ValueError(f"A project can have at most {LARGEST_ID} objects in all, deleted ones included.")
        name = f"Object {self.next_id}" if name is None else name
        color = default_colour(self.next_id) if color is None else color
        made = checked_object(StudioObject(self.next_id, name, color))
        return replace(self, objects=(*self.objects, made), next_id=self.next_id + 1)

    def without_object(self, object_id: int, into: int = 0) -> Document:
        """This document without an object, whose pixels become another object's, or background."""
        rest = tuple(known for known in self.objects if known.id != object_id)
        return replace(self.with_change(object_id, into), objects=rest)

    def with_change(
        self, object_id: int, into: int = 0, first: int = 0, last: int | None = None, tracked_only: bool = False
    ) -> Document:
        """This document with another meaning for an id in the masks written so far."""
        change = LabelChange(self.revision + 1, object_id, into, first, last, tracked_only)
        return replace(self, changes=(*self.changes, change), revision=self.revision + 1)

    def table(self, number: int, revision: int, given: bool) -> Labels | None:
        """(256,) what each id in a mask of frame `number` written at `revision` stands for; None if none changed."""
        table: Labels | None = None
        for change in self.changes:
            if change.revision > revision and change.concerns(number) and not (given and change.tracked_only):
                table = np.arange(256, dtype=np.uint8) if table is None else table
                table[table == change.id] = change.into
        return table

    def save(self, path: Path) -> None:
        """Writes the file atomically."""
        content = {"livos_project": VERSION, **asdict(self)}
        with written_aside(path) as aside:
            aside.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def read_document(path: Path) -> Document:
    """What `Document.save` wrote.

    Raises:
        OSError: If the file cannot be read.
        ValueError: If it is something else, damaged, or from a later version.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path}: not valid JSON: {error}") from error
    if not isinstance(content, dict) or "livos_project" not in content:
        raise ValueError(f"{path}: not a LiVOS Studio project")
    if content["livos_project"] != VERSION:
        raise ValueError(
            f"{path}: a project of version {content['livos_project']!r}, but this LiVOS reads version {VERSION}"
        )
    try:
        return _document(content)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ValueError(f"{path}: damaged: {type(error).__name__}: {error}") from error


def checked_object(candidate: StudioObject) -> StudioObject:
    """The same object. Raises ValueError, with a sentence for the user, if a field is invalid."""
    if not isinstance(candidate.name, str) or not 0 < len(candidate.name.strip()) <= LONGEST_NAME:
        raise ValueError(f"A name must have 1 to {LONGEST_NAME} characters.")
    if any(ord(character) < 32 for character in candidate.name):
        raise ValueError("A name cannot contain control characters.")
    if not isinstance(candidate.color, str) or not re.fullmatch(r"#[0-9a-fA-F]{6}", candidate.color):
        raise ValueError(f"A colour is written like #e69f00, not {candidate.color!r}.")
    if not isinstance(candidate.hidden, bool) or not isinstance(candidate.locked, bool):
        raise ValueError("hidden and locked must be true or false.")
    return candidate


def _document(content: Mapping[str, Any]) -> Document:
    first, last = (_whole(number, 0) for number in content["range"])
    objects = tuple(checked_object(_made(StudioObject, entry)) for entry in content["objects"])
    document = Document(
        video=_made(VideoNote, content["video"]),
        range=(first, last),
        objects=objects,
        changes=tuple(_made(LabelChange, entry) for entry in content["changes"]),
        revision=_whole(content["revision"], 0),
        next_id=_whole(content["next_id"], 1),
        settings=_made(Settings, content["settings"]),
    )
    ids = [known.id for known in objects]
    if len(set(ids)) < len(ids) or not all(0 < known < document.next_id <= LARGEST_ID + 1 for known in ids):
        raise ValueError(f"objects with ids {ids}, but next_id is {document.next_id}")
    return document


def _made(kind: Callable[..., Kind], entry: Any) -> Kind:
    """A dataclass from a JSON object of its fields. Raises TypeError or ValueError for values of the wrong type."""
    if not isinstance(entry, dict):
        raise TypeError(f"expected an object, found {entry!r}")
    types: Mapping[str, str] = kind.__annotations__
    for name, value in entry.items():
        expected = types.get(name, "nothing of this name")
        if type(value).__name__ not in expected.replace("None", "NoneType"):
            raise TypeError(f"{name}={value!r}, expected {expected}")
        if isinstance(value, int):
            _whole(value, 0)
    return kind(**entry)


def _whole(number: Any, smallest: int) -> int:
    if not isinstance(number, int) or number < smallest:
        raise ValueError(f"{number!r}: expected a whole number from {smallest}")
    return int(number)
