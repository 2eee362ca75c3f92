"""Who may talk to the server: only those who know the token in its address, and no page of another site."""

from __future__ import annotations

import ipaddress
import secrets
import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.datastructures import Headers, QueryParams
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocketClose

LOOPBACK = ("127.0.0.1", "localhost", "::1")

POLICY = (
    "default-src 'self'; img-src 'self' blob: data:; style-src 'self' 'unsafe-inline'; connect-src 'self' ws:; "
    "object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = (
    ("Content-Security-Policy", POLICY),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
)


@dataclass(frozen=True)
class Door:
    """What the server expects of a request.

    token: known only to those who have the address. host: the address that the server listens on. port: its port.
    """

    token: str
    host: str
    port: int

    @property
    def is_loopback(self) -> bool:
        """Whether only programs on this machine can reach it."""
        return self.host in LOOPBACK

    def complaint(self, path: str, headers: Headers, query: QueryParams) -> str | None:
        """Why a request is refused; None if it is allowed.

        The Host header must be an address of this server, which refuses names that an attacker points at this machine
        (DNS rebinding). If the browser says which page a request comes from, it must be our own.
        """
        hosts = headers.getlist("host")
        if len(hosts) != 1 or not self._is_ours(hosts[0]):
            return "This server answers only to its own address."
        origins = headers.getlist("origin")
        if origins and (len(origins) > 1 or not self._is_ours_with_scheme(origins[0], hosts[0])):
            return "This server answers only to its own page."
        if path.startswith("/page/"):
            return None  # the page's code is not secret
        token = headers.get("x-studio-token") or query.get("token") or ""
        if not secrets.compare_digest(token.encode(), self.token.encode()):
            return "The address lacks its token: open the one that `livos studio` printed."
        return None

    def _is_ours(self, host: str) -> bool:
        try:
            parts = urlsplit(f"//{host}")
            name, port = parts.hostname or "", parts.port or 80
        except ValueError:
            return False
        if port != self.port or parts.username is not None or parts.path:
            return False
        if name in LOOPBACK or name == self.host:
            return True
        return not self.is_loopback and (name == socket.gethostname().lower() or _is_number(name))

    def _is_ours_with_scheme(self, origin: str, host: str) -> bool:
        return origin.lower() == f"http://{host.lower()}"


class Guard:
    """Passes on the requests that a door allows, and adds headers that isolate the page from others."""

    def __init__(self, app: ASGIApp, door: Door):
        self._app, self._door = app, door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        complaint = self._door.complaint(scope["path"], Headers(scope=scope), QueryParams(scope["query_string"]))
        if complaint is None and scope["type"] == "websocket" and "origin" not in Headers(scope=scope):
            complaint = "This server answers only to its own page."
        if complaint is None:
            await self._app(scope, receive, _with_headers(send))
        elif scope["type"] == "websocket":
            await WebSocketClose(code=1008)(scope, receive, send)
        else:
            wants_page = scope["path"] == "/"
            answer = Response(complaint, 403) if wants_page else JSONResponse({"error": complaint}, 403)
            await answer(scope, receive, _with_headers(send))


def _with_headers(send: Send) -> Send:
    async def send_more(message: Message) -> None:
        if message["type"] == "http.response.start":
            there = {name.lower() for name, _ in message["headers"]}
            more = [(name.lower().encode(), value.encode()) for name, value in HEADERS]
            message["headers"] = [*message["headers"], *(pair for pair in more if pair[0] not in there)]
        await send(message)

    return send_more


def _is_number(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
