"""Results read back from files written with --json."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import ScoringError
from .files import read_json

SCORES = ("J&F", "J", "F")


@dataclass(frozen=True)
class StoredObject:
    """What a file says about an object: its SCORES, from 0 to 1, and whether it is seen or unseen, if known."""

    scores: tuple[float, ...]
    group: str | None


@dataclass(frozen=True)
class StoredResult:
    """A result: how it was made, and its objects by (video, id)."""

    settings: dict[str, Any]
    objects: dict[tuple[str, str], StoredObject]


def read_result(path: str | Path) -> StoredResult:
    """Reads a file written with --json.

    Raises:
        ScoringError: If it is not such a file; the message says where something else was expected.
    """
    document = read_json(path)
    try:
        settings = _field(document, "settings", dict)
        if settings.get("tool") != "vos-benchmark":
            raise _Unexpected("settings/tool", "vos-benchmark", settings.get("tool"))
        objects = {
            (video, id): _stored_object(item, f"videos/{video}/objects/{id}")
            for video, description in _field(document, "videos", dict).items()
            for id, item in _field(description, "objects", dict, f"videos/{video}/").items()
        }
    except _Unexpected as error:
        raise ScoringError(f"{path}: expected a file that this tool wrote with --json, but {error}") from error
    return StoredResult(settings, objects)


class _Unexpected(Exception):
    """Something in a file is not what it should be."""

    def __init__(self, where: str, expected: str, found: Any) -> None:
        text = repr(found)
        shown = text if len(text) <= 60 else f"{text[:60]}…"
        super().__init__(f"{where} is {shown}, expected {expected}")


def _field(container: Any, name: str, kind: type, above: str = "") -> Any:
    if not isinstance(container, dict):
        raise _Unexpected(above.rstrip("/") or "the whole", "a dictionary", container)
    value = container.get(name)
    if not isinstance(value, kind):
        raise _Unexpected(above + name, "a dictionary", value)
    return value


def _stored_object(item: Any, where: str) -> StoredObject:
    if not isinstance(item, dict):
        raise _Unexpected(where, "a dictionary", item)
    for name in SCORES:
        value = item.get(name)
        if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= 1:
            raise _Unexpected(f"{where}/{name}", "a number from 0 to 1", value)
    group = item.get("group")
    if group is not None and not isinstance(group, str):
        raise _Unexpected(f"{where}/group", "a name or null", group)
    return StoredObject(tuple(float(item[name]) for name in SCORES), group)
