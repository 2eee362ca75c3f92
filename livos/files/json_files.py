"""JSON files from other programs: values are checked when they are read, and errors name the file and the place."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from livos.files.names import refuse_lone_surrogates

_SHOWN = 60  # characters of a value that is not what was expected


class Entry:
    """A value in a JSON file, and its place there."""

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
        """File and place, for the beginning of an error message."""
        return f"{self.path}: {self.place}" if self.place else str(self.path)

    def error(self, expected: str) -> ValueError:
        """An error to raise, which says what was expected here and what was found."""
        found = ascii(self.value) if isinstance(self.value, str) else _describe(self.value)
        return ValueError(f"{self.where}: expected {expected}, found {found[:_SHOWN]}{'…' * (len(found) > _SHOWN)}")

    def __getitem__(self, key: str) -> Entry:
        """The value of a required key. Raises ValueError if this is not an object or lacks the key."""
        entry = self.get(key)
        if entry is None:
            raise self.error(f"an object with {key!r}")
        return entry

    def get(self, key: str) -> Entry | None:
        """The value of a key; None if it is missing or null. Raises ValueError if this is not an object."""
        if not isinstance(self.value, dict):
            raise self.error("an object {…}")
        value = self.value.get(key)
        return None if value is None else Entry(value, self, f".{key}")

    def items(self) -> list[Entry]:
        """The entries of a list. Raises ValueError if this is not a list."""
        if not isinstance(self.value, list):
            raise self.error("a list […]")
        return [Entry(value, self, f"[{place}]") for place, value in enumerate(self.value)]

    def pairs(self) -> list[tuple[str, Entry]]:
        """Keys and values of an object. Raises ValueError if this is not an object."""
        if not isinstance(self.value, dict):
            raise self.error("an object {…}")
        return [(key, Entry(value, self, f"[{ascii(key)[:_SHOWN]}]")) for key, value in self.value.items()]

    def text(self) -> str:
        """A string that can be written to any file. Raises ValueError if this is not one."""
        if not isinstance(self.value, str):
            raise self.error("a string")
        refuse_lone_surrogates(self.value, self.where)
        return self.value

    def whole(self, lowest: int, highest: int) -> int:
        """A whole number in a range, both ends included. Raises ValueError if this is not one."""
        value = self.value
        whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
        if isinstance(value, bool) or not whole or not lowest <= value <= highest:
            raise self.error(f"a whole number from {lowest} to {highest}")
        return int(value)

    def number(self) -> float:
        """A finite number. Raises ValueError if this is not one."""
        value = self.value
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) < 1e300:
            raise self.error("a finite number")
        return float(value)


def read_json(path: Path) -> Entry:
    """The content of a JSON file, which may begin with a byte order mark.

    Raises:
        ValueError: If the file, which is named, is not JSON, contains NaN or infinity, or is nested too deeply.
        OSError: If it cannot be read.
    """
    try:
        content = json.loads(path.read_bytes().decode("utf-8-sig"), parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        reason = "nested too deeply" if isinstance(error, RecursionError) else " ".join(str(error).split())[:200]
        raise ValueError(f"{path}: not valid JSON: {reason}") from error
    return Entry(content, path)


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a number")


def _describe(value: Any) -> str:
    if isinstance(value, list) and len(value) <= 4 and all(isinstance(part, (int, float)) for part in value):
        return f"[{', '.join(map(_describe, value))}]"
    if isinstance(value, (list, dict)):
        return f"{'a list' if isinstance(value, list) else 'an object'} of {len(value)}"
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 10**40:
        return f"a number of more than {math.floor(value.bit_length() * 0.30103)} digits"
    return str(value)
