"""JSON files that others wrote: values are checked where they are taken, and errors name the file and the place."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from livos.files.names import refuse_lone_surrogates

_SHOWN = 60  # characters of a value that is not what was expected


class Entry:
    """A value in a JSON file, and where it stands in it."""

    __slots__ = ("_holder", "_key", "value")

    def __init__(self, value: Any, holder: Entry | Path, key: str = ""):
        self.value, self._holder, self._key = value, holder, key

    @property
    def path(self) -> Path:
        """The file."""
        return self._holder if isinstance(self._holder, Path) else self._holder.path

    @property
    def place(self) -> str:
        """Where in the file, such as `annotations[3].bbox`."""
        before = "" if isinstance(self._holder, Path) else self._holder.place
        return (before + self._key).removeprefix(".")

    @property
    def where(self) -> str:
        """File and place, as errors begin."""
        return f"{self.path}: {self.place}" if self.place else str(self.path)

    def error(self, expected: str) -> ValueError:
        """An error to raise: what was expected here, and what was found."""
        found = ascii(self.value) if isinstance(self.value, str) else _describe(self.value)
        return ValueError(f"{self.where}: expected {expected}, found {found[:_SHOWN]}{'…' * (len(found) > _SHOWN)}")

    def __getitem__(self, key: str) -> Entry:
        """The value of a key that has to be there. Raises ValueError where this is no object or lacks it."""
        entry = self.get(key)
        if entry is None:
            raise self.error(f"an object with {key!r}")
        return entry

    def get(self, key: str) -> Entry | None:
        """The value of a key; None where it is missing or null. Raises ValueError where this is no object."""
        if not isinstance(self.value, dict):
            raise self.error("an object {…}")
        value = self.value.get(key)
        return None if value is None else Entry(value, self, f".{key}")

    def items(self) -> list[Entry]:
        """The entries of a list. Raises ValueError where this is none."""
        if not isinstance(self.value, list):
            raise self.error("a list […]")
        return [Entry(value, self, f"[{place}]") for place, value in enumerate(self.value)]

    def pairs(self) -> list[tuple[str, Entry]]:
        """Keys and values of an object. Raises ValueError where this is none."""
        if not isinstance(self.value, dict):
            raise self.error("an object {…}")
        return [(key, Entry(value, self, f"[{ascii(key)[:_SHOWN]}]")) for key, value in self.value.items()]

    def text(self) -> str:
        """A text that can be written to any file. Raises ValueError where this is none."""
        if not isinstance(self.value, str):
            raise self.error("a text")
        refuse_lone_surrogates(self.value, self.where)
        return self.value

    def whole(self, lowest: int, highest: int) -> int:
        """A whole number in a range, both ends included. Raises ValueError where this is none."""
        value = self.value
        whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
        if isinstance(value, bool) or not whole or not lowest <= value <= highest:
            raise self.error(f"a whole number from {lowest} to {highest}")
        return int(value)

    def number(self) -> float:
        """A finite number. Raises ValueError where this is none."""
        value = self.value
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) < 1e300:
            raise self.error("a finite number")
        return float(value)


def read_json(path: Path) -> Entry:
    """The content of a JSON file, which may begin with a byte order mark.

    Raises:
        ValueError: the file, which is named, is no JSON, holds NaN or infinity, or is nested too deeply.
        OSError: it cannot be read.
    """
    try:
        content = json.loads(path.read_bytes().decode("utf-8-sig"), parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        reason = "nested too deeply" if isinstance(error, RecursionError) else " ".join(str(error).split())[:200]
        raise ValueError(f"{path}: not readable as JSON: {reason}") from error
    return Entry(content, path)


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no number")


def _describe(value: Any) -> str:
    if isinstance(value, list) and len(value) <= 4 and all(isinstance(part, (int, float)) for part in value):
        return f"[{', '.join(map(_describe, value))}]"
    if isinstance(value, (list, dict)):
        return f"{'a list' if isinstance(value, list) else 'an object'} of {len(value)}"
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 10**40:
        return f"a number of more than {math.floor(value.bit_length() * 0.30103)} digits"
    return str(value)
