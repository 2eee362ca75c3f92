"""Reading what the page sends, with limits on its size and content."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from starlette.requests import Request

from livos.studio.runs import LARGEST_ID

JSON_BYTES = 4 * 2**20
RUNS_BYTES = 64 * 2**20
VIDEO_BYTES = 20 * 2**30
IMPORT_BYTES = 64 * 2**20


class TooLargeError(ValueError):
    """A request has too many bytes."""


async def read_body(request: Request, most: int) -> bytes:
    """The bytes of a request. Raises TooLargeError for more than `most`, without reading them all."""
    _refuse_announced(request, most)
    parts, count = [], 0
    async for part in request.stream():
        count += len(part)
        if count > most:
            raise TooLargeError(f"More than {most // 2**20} MiB were sent.")
        parts.append(part)
    return b"".join(parts)


async def save_body(request: Request, path: Path, most: int) -> None:
    """Writes the bytes of a request to a file as they arrive. Raises TooLargeError for more than `most`."""
    _refuse_announced(request, most)
    count = 0
    with path.open("wb") as file:
        async for part in request.stream():
            count += len(part)
            if count > most:
                raise TooLargeError(f"More than {most // 2**30} GiB were sent.")
            file.write(part)


def _refuse_announced(request: Request, most: int) -> None:
    announced = request.headers.get("content-length", "0")
    if not announced.isascii() or not announced.isdecimal() or int(announced) > most:
        raise TooLargeError(f"{announced} bytes were announced, but at most {most} are accepted.")


async def read_json(request: Request, *allowed: str) -> dict[str, Any]:
    """The JSON object of a request. Raises ValueError for anything else, and for fields that are not allowed."""
    data = await read_body(request, JSON_BYTES)
    try:
        content = json.loads(data or b"{}")
    except (ValueError, RecursionError) as error:
        raise ValueError("The request is not valid JSON.") from error
    if not isinstance(content, dict):
        raise ValueError("The request is not a JSON object.")
    unknown = sorted(set(content) - set(allowed)) if allowed else []
    if unknown:
        raise ValueError(f"Unknown fields: {', '.join(unknown)}; known: {', '.join(allowed)}.")
    return content


def whole(content: dict[str, Any], name: str, default: int | None = None) -> int:
    """A whole number in a request. Raises ValueError if it is something else, or is missing and has no default."""
    value = content.get(name)
    value = default if value is None else value
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"{name}: expected a whole number, found {value!r}.")
    return value


def ids_of(content: dict[str, Any], name: str = "ids") -> list[int] | None:
    """The ids in a request; None stands for all. Raises ValueError if they are invalid."""
    value = content.get(name)
    if value is None:
        return None
    if not isinstance(value, list) or not value:
        raise ValueError(f"{name}: expected a list of ids, or null.")
    return [checked_id(entry) for entry in value]


def checked_id(value: Any) -> int:
    """The same value. Raises ValueError if it is not the id of an object."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= LARGEST_ID:
        raise ValueError(f"{value!r}: expected the id of an object, 1 to {LARGEST_ID}.")
    return value


def ids_in_address(text: str | None) -> list[int]:
    """The ids in `1,2,3`. Raises ValueError if they are invalid."""
    parts = (text or "").split(",")
    if not all(part.isascii() and part.isdecimal() and len(part) < 4 for part in parts):
        raise ValueError("ids: expected ids of objects, like 1,2.")
    return [checked_id(int(part)) for part in parts]


def point(value: Any) -> tuple[float, float]:
    """A pair of numbers. Raises ValueError for anything else."""
    if (
        not isinstance(value, Sequence)
        or isinstance(value, str)
        or len(value) != 2
        or not all(isinstance(side, int | float) and abs(side) < 1e6 for side in value)
    ):
        raise ValueError(f"{value!r}: expected a point [x, y].")
    return float(value[0]), float(value[1])
