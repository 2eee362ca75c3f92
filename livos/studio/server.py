"""The server of LiVOS Studio: it serves the page, answers the requests in routes.py, and sends events."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.websockets import WebSocket, WebSocketDisconnect

from livos.studio.frame_requests import Turns
from livos.studio.guard import Door, Guard
from livos.studio.importing import Import
from livos.studio.pages import Page
from livos.studio.routes import ROUTES
from livos.studio.session import Session

PAGE_DIR = Path(__file__).with_name("page")
MESSAGE_BYTES = 4096
BETWEEN_STATES_S = 0.25
"""The shortest time between two states that are sent during a job."""


def make_app(session: Session, door: Door) -> Starlette:
    """The application that serves one session to requests that the door allows."""

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        session.pages.begin(asyncio.get_running_loop())
        telling = asyncio.create_task(_tell_states(session))
        try:
            yield
        finally:
            telling.cancel()
            for begun in app.state.imports.values():
                begun.discard()
            await asyncio.to_thread(session.close)

    routes = [
        Route("/", _page),
        Mount("/page", _Files(directory=PAGE_DIR, check_dir=False)),
        WebSocketRoute("/api/events", _events),
        *ROUTES,
    ]
    app = Starlette(routes=routes, middleware=[Middleware(Guard, door=door)], lifespan=lifespan)
    app.state.session, app.state.turns = session, Turns()
    imports: dict[int, Import] = {}
    app.state.imports, app.state.num_imports = imports, 0
    return app


def listen(host: str, port: int | None) -> socket.socket:
    """A socket for an address. Without a port, it takes 8765 or, if that is in use, any free one.

    Raises OSError if that fails.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for candidate in (8765, 0) if port is None else (port,):
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, candidate))
        except OSError as error:
            listener.close()
            if port is not None or candidate == 0:
                raise OSError(f"cannot listen on {host}, port {port or 8765}: {error.strerror or error}") from error
        else:
            return listener
    raise AssertionError("the last port either worked or raised an error")


def serve(session: Session, door: Door, listener: socket.socket, begun: Callable[[], None]) -> None:
    """Serves until the program is interrupted. begun: called once the page can be opened."""
    config = uvicorn.Config(
        make_app(session, door),
        log_level="warning",
        access_log=False,
        ws_max_size=MESSAGE_BYTES,
        timeout_graceful_shutdown=2,
        server_header=False,
    )
    server = _Server(config, begun)
    server.run(sockets=[listener])


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, begun: Callable[[], None]):
        super().__init__(config)
        self._begun = begun

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._begun()


class _Files(StaticFiles):
    """The page's files. Browsers revalidate them each time, so a new version is used at once."""

    def file_response(self, *arguments: object, **more: object) -> Response:
        response = super().file_response(*arguments, **more)  # type: ignore[arg-type]
        response.headers["Cache-Control"] = "no-cache"
        return response


async def _page(_: Request) -> Response:
    return FileResponse(PAGE_DIR / "index.html", headers={"Cache-Control": "no-store"})


async def _events(socket_: WebSocket) -> None:
    session: Session = socket_.app.state.session
    await socket_.accept()
    page = session.pages.join()
    page.tell({"type": "state", "state": session.state()})
    sending = asyncio.create_task(_send(socket_, page))
    try:
        while True:
            message = json.loads(await socket_.receive_text())
            if isinstance(message, dict) and message.get("type") == "take_over":
                session.pages.take_over(page)
    except (WebSocketDisconnect, ValueError, KeyError):
        pass
    finally:
        sending.cancel()
        session.pages.leave(page)


async def _send(socket_: WebSocket, page: Page) -> None:
    with contextlib.suppress(WebSocketDisconnect, RuntimeError):
        while (message := await page.waiting.get()) is not None:
            await socket_.send_text(message)
        await socket_.close()


async def _tell_states(session: Session) -> None:
    """Sends the state whenever it has changed; during a job, not too often."""
    while True:
        await session.changed.wait()
        session.changed.clear()
        session.pages.tell({"type": "state", "state": await asyncio.to_thread(session.state)})
        if session.jobs.progress is not None:
            await asyncio.sleep(BETWEEN_STATES_S)
