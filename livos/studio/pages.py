"""The open pages, and the messages to them. One of them, the active one, may change the project."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

MOST_WAITING = 4000
"""A page that reads no messages is disconnected after this many. It requests everything again when it reconnects."""


class Page:
    """One open page."""

    def __init__(self, number: int):
        self.number = number
        self.waiting: asyncio.Queue[str | None] = asyncio.Queue()  # None: the page is disconnected

    def tell(self, message: dict[str, Any]) -> None:
        """Queues a message. Call it in the event loop's thread."""
        if self.waiting.qsize() < MOST_WAITING:
            self.waiting.put_nowait(json.dumps(message))
        elif self.waiting.qsize() == MOST_WAITING:
            self.waiting.put_nowait(None)


class Pages:
    """All open pages. `tell` and `soon` may be called from any thread, the rest in the event loop's."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._pages: dict[int, Page] = {}
        self._active: int | None = None
        self._count = 0

    def begin(self, loop: asyncio.AbstractEventLoop) -> None:
        """Takes the event loop that sends the messages."""
        self._loop = loop

    def is_active(self, number: str | None) -> bool:
        """Whether the page with this number may change the project."""
        return self._active is not None and number == str(self._active)

    def join(self) -> Page:
        """Adds a page that was opened, and tells it whether it is the active one."""
        self._count += 1
        page = Page(self._count)
        self._pages[page.number] = page
        if self._active is None:
            self._active = page.number
        page.tell({"type": "hello", "page": page.number, "active": self._active == page.number})
        return page

    def leave(self, page: Page) -> None:
        """Removes a page that was closed. If it was active, the oldest of the others becomes active."""
        self._pages.pop(page.number, None)
        if self._active == page.number:
            self._active = None
            if self._pages:
                self.take_over(next(iter(self._pages.values())))

    def take_over(self, page: Page) -> None:
        """Makes a page the active one, and tells both."""
        before = self._pages.get(self._active) if self._active is not None else None
        if before is page:
            return
        self._active = page.number
        if before is not None:
            before.tell({"type": "active", "active": False})
        page.tell({"type": "active", "active": True})

    def tell(self, message: dict[str, Any]) -> None:
        """Tells all pages."""
        self.soon(self._tell, message)

    def soon(self, function: Callable[..., None], *arguments: Any) -> None:
        """Has the event loop call a function; does nothing if the loop is not running."""
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(function, *arguments)

    def _tell(self, message: dict[str, Any]) -> None:
        for page in self._pages.values():
            page.tell(message)
