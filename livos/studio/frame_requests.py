"""Answers requests for frames: at once if a frame is cached, otherwise by decoding one frame of each kind at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from livos.studio.frames import THUMBNAIL_WIDTH, FrameStore, Picture

if TYPE_CHECKING:
    from livos.studio.session import Session

LONGEST_SPAN = 10**7
"""The most frames that a thumbnail may stand for."""

Answer = tuple[int, Picture]
"""The number of the frame that is shown, and its picture."""


@dataclass(frozen=True)
class Wanted:
    """What a request asks for."""

    kind: str  # the queue in which it waits to be decoded
    kept: Callable[[], Answer | None]  # looks in the cache, without decoding anything
    make: Callable[[], Answer]


class Turns:
    """Lets the requests of each kind decode one after another.

    They wait without holding a thread, and a request that was cancelled meanwhile costs nothing when its turn comes:
    dragging along the timeline cancels many.
    """

    def __init__(self) -> None:
        self._turns = {kind: asyncio.Lock() for kind in ("stage", "quick", "thumbnail")}

    async def take(self, kind: str, request: Request, make: Callable[[], Answer]) -> Answer | None:
        """What a function makes, called in another thread; None if the request was cancelled meanwhile."""
        async with self._turns[kind]:
            if await request.is_disconnected():
                return None
            return await run_in_threadpool(make)


async def frame(request: Request, session: Session) -> Response:
    """A frame as JPEG.

    `width` is the wanted width. With `quick=1`, the answer is the key frame before it if the frame itself takes long.
    `span=K` asks for a thumbnail that stands for K frames, starting with this one. The header X-Studio-Frame says which
    frame it is. The status is 204 if the page has cancelled the request.
    """
    number = request.path_params["number"]
    session.check_number(number)
    wanted = _wanted(request, session.frames, number)
    found = await run_in_threadpool(wanted.kept)
    if found is None:
        found = await request.app.state.turns.take(wanted.kind, request, wanted.make)
    if found is None:
        return Response(status_code=204)
    shown, picture = found
    headers = {"X-Studio-Frame": str(shown)}
    headers["Cache-Control"] = "no-store" if wanted.kind == "quick" else "private, max-age=3600"
    if picture.damaged:
        headers["X-Studio-Damaged"] = "1"
    return Response(picture.jpeg, media_type="image/jpeg", headers=headers)


def _wanted(request: Request, frames: FrameStore, number: int) -> Wanted:
    width, span = _number(request, "width"), _number(request, "span")
    if span is not None:
        stands_for = min(span, LONGEST_SPAN)
        kept = partial(frames.kept_thumbnail, number, stands_for)
        return Wanted("thumbnail", kept, partial(frames.thumbnail, number, stands_for))
    kept = partial(frames.kept, number, width)
    if "quick" in request.query_params:
        return Wanted("quick", kept, partial(frames.quick, number, width))
    is_thumbnail = width is not None and width <= THUMBNAIL_WIDTH
    return Wanted("thumbnail" if is_thumbnail else "stage", kept, lambda: (number, frames.picture(number, width)))


def _number(request: Request, name: str) -> int | None:
    """A whole number in an address; None if it is missing or something else."""
    text = request.query_params.get(name, "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None
