"""The requests that the server answers: each function handles one request of the page by calling the session."""

from __future__ import annotations

import logging
import shutil
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from functools import wraps
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from livos.studio import received
from livos.studio.exchange_requests import begin_import, download, export, finish_import, import_file
from livos.studio.frame_requests import frame
from livos.studio.received import TooLargeError, ids_in_address, ids_of, point, read_json, whole
from livos.studio.runs import from_runs, to_runs
from livos.studio.session import Session
from livos.video.sources import VIDEO_SUFFIXES

logger = logging.getLogger(__name__)

Handler = Callable[[Request, Session], Awaitable[Response]]

LONGEST_TITLE = 60
BINARY = "application/octet-stream"


def status_of(error: Exception) -> int:
    """The HTTP status for an error."""
    if isinstance(error, TooLargeError):
        return 413
    kinds = ((BlockingIOError, 409), (LookupError, 404), (ValueError, 400))
    return next((status for kind, status in kinds if isinstance(error, kind)), 500)


def answered(handler: Handler, changes: bool) -> Callable[[Request], Awaitable[Response]]:
    """Wraps a handler: errors become sentences for the user. changes: whether only the active page may call it."""

    @wraps(handler)
    async def endpoint(request: Request) -> Response:
        session: Session = request.app.state.session
        try:
            if changes and not session.pages.is_active(request.headers.get("x-studio-page")):
                raise BlockingIOError("This project is being edited in another page: take over first.")
            return await handler(request, session)
        except (ValueError, LookupError, OSError) as error:
            if status_of(error) == 500:
                logger.exception("%s %s", request.method, request.url.path)
            sentence = error.args[0] if isinstance(error, LookupError) and error.args else str(error)
            return JSONResponse({"error": str(sentence)}, status_of(error))
        except Exception as error:
            logger.exception("%s %s", request.method, request.url.path)
            return JSONResponse({"error": f"A bug in LiVOS: {type(error).__name__}: {error}"}, 500)

    return endpoint


async def state(request: Request, session: Session) -> Response:
    return JSONResponse(session.state())


async def browse(request: Request, session: Session) -> Response:
    session.refuse_unless_choosing()
    return JSONResponse(await run_in_threadpool(session.chooser.list, request.query_params.get("id")))


async def open_chosen(request: Request, session: Session) -> Response:
    content = await read_json(request, "id", "demo")
    if content.get("demo"):
        session.open_demo()
    else:
        session.open(session.chooser.path(content.get("id")))
    return JSONResponse({}, 202)


async def drop_video(request: Request, session: Session) -> Response:
    session.refuse_unless_choosing()
    suffix = "." + request.query_params.get("suffix", "").lower()
    if suffix not in VIDEO_SUFFIXES:
        raise ValueError(f"Expected a video ({', '.join(VIDEO_SUFFIXES)}), not a file ending in {suffix[:12]!r}.")
    path = Path.cwd() / f"dropped-{time.strftime('%Y%m%d-%H%M%S')}{suffix}"
    aside = path.with_name(f".{path.name}.part")
    announced = int(request.headers.get("content-length", 0))
    if announced > shutil.disk_usage(path.parent).free:
        raise ValueError(f"{path.parent} has no space for a video of {announced / 2**30:.1f} GiB.")
    try:
        await received.save_body(request, aside, received.VIDEO_BYTES)
        aside.rename(path)
    finally:
        aside.unlink(missing_ok=True)
    session.open(path, dropped=True)
    return JSONResponse({}, 202)


async def mask(request: Request, session: Session) -> Response:
    runs, given = await run_in_threadpool(session.runs, request.path_params["number"])
    headers = {"X-Studio-Given": ",".join(map(str, given)), "Cache-Control": "no-store"}
    return Response(runs, media_type=BINARY, headers=headers)


async def put_mask(request: Request, session: Session) -> Response:
    number = request.path_params["number"]
    session.check_number(number)
    ids = ids_in_address(request.query_params.get("ids"))
    what = "".join(c for c in request.query_params.get("title", "stroke") if c.isprintable())[:LONGEST_TITLE]
    data = await received.read_body(request, received.RUNS_BYTES)

    def put() -> tuple[int, ...]:
        labels = from_runs(data, session.project.size)
        with session.edit():
            return session.project.put(number, labels, ids, f"{what} on frame {number}")

    given = await run_in_threadpool(put)
    session.masks_changed(number, number)
    return JSONResponse({"given": list(given)})


async def ungive(request: Request, session: Session) -> Response:
    number, content = request.path_params["number"], await read_json(request, "ids")
    with session.edit():
        session.project.ungive(number, ids_of(content))
    session.masks_changed(number, number)
    return JSONResponse({"given": list(session.project.given_ids(number))})


async def clear(request: Request, session: Session) -> Response:
    content = await read_json(request, "first", "last", "ids")
    first, last = whole(content, "first"), whole(content, "last")
    with session.edit():
        session.project.clear_tracked(first, last, ids_of(content))
    session.masks_changed(first, last)
    return JSONResponse({})


async def suggest(request: Request, session: Session) -> Response:
    content = await read_json(request)
    object_id = received.checked_id(content.get("object"))
    found = await run_in_threadpool(session.suggest, request.path_params["number"], object_id, content)
    return Response(to_runs(found), media_type=BINARY)


async def path_along_edges(request: Request, session: Session) -> Response:
    content = await read_json(request, "from", "to")
    ends = point(content.get("from")), point(content.get("to"))
    corners = await run_in_threadpool(session.path_along_edges, request.path_params["number"], *ends)
    return JSONResponse({"points": corners})


async def timeline(request: Request, session: Session) -> Response:
    return JSONResponse(await run_in_threadpool(session.project.timeline))


async def add_object(request: Request, session: Session) -> Response:
    content = await read_json(request, "name", "color")
    with session.edit():
        added = session.project.add_object(content.get("name"), content.get("color"))
    session.tell()
    return JSONResponse(asdict(added))


async def change_object(request: Request, session: Session) -> Response:
    content = await read_json(request, "name", "color", "hidden", "locked")
    with session.edit():
        changed = session.project.change_object(request.path_params["object_id"], **content)
    session.tell()
    return JSONResponse(asdict(changed))


async def delete_object(request: Request, session: Session) -> Response:
    content = await read_json(request, "from")
    first = None if content.get("from") is None else whole(content, "from")
    with session.edit():
        session.project.delete_object(request.path_params["object_id"], first)
    session.masks_changed(first or 0, session.project.num_frames - 1)
    return JSONResponse({})


async def merge_object(request: Request, session: Session) -> Response:
    content = await read_json(request, "into")
    with session.edit():
        session.project.merge_objects(request.path_params["object_id"], received.checked_id(content.get("into")))
    session.masks_changed(0, session.project.num_frames - 1)
    return JSONResponse({})


async def track(request: Request, session: Session) -> Response:
    content = await read_json(request, "frame", "direction", "first", "last", "ids")
    begin, end = session.project.document.range
    number = whole(content, "frame")
    first, last = whole(content, "first", min(begin, number)), whole(content, "last", max(end, number))
    job = await run_in_threadpool(session.track, number, str(content.get("direction")), first, last, ids_of(content))
    return JSONResponse({"job": job})


async def refill(request: Request, session: Session) -> Response:
    content = await read_json(request, "first", "last", "ids")
    return JSONResponse({"job": session.refill(whole(content, "first"), whole(content, "last"), ids_of(content))})


async def stop(request: Request, session: Session) -> Response:
    session.jobs.stop()
    return JSONResponse({})


async def undo(request: Request, session: Session) -> Response:
    return await _travel(session, "undo", "There is nothing to undo.")


async def redo(request: Request, session: Session) -> Response:
    return await _travel(session, "redo", "There is nothing to redo.")


async def _travel(session: Session, way: str, nothing: str) -> Response:
    step = await run_in_threadpool(session.travel, lambda project: getattr(project, way)(), nothing)
    first, last = step.frames if step.frames[0] <= step.frames[1] else (None, None)
    return JSONResponse({"title": step.title, "first": first, "last": last})


async def set_range(request: Request, session: Session) -> Response:
    content = await read_json(request, "first", "last")
    session.project.set_range(whole(content, "first"), whole(content, "last"))
    session.tell()
    return JSONResponse(content)


async def set_settings(request: Request, session: Session) -> Response:
    content = await read_json(request, "weights", "size", "precision", "device")
    return JSONResponse(asdict(session.set_settings(content)))


def _route(method: str, path: str, handler: Handler, changes: bool | None = None) -> Route:
    changes = method != "GET" if changes is None else changes
    return Route(f"/api/{path}", answered(handler, changes), methods=[method])


ROUTES = [
    _route("GET", "state", state),
    _route("GET", "browse", browse),
    _route("POST", "open", open_chosen),
    _route("POST", "videos", drop_video),
    _route("GET", "frames/{number:int}", frame),
    _route("GET", "masks/{number:int}", mask),
    _route("PUT", "masks/{number:int}", put_mask),
    _route("POST", "masks/{number:int}/ungive", ungive),
    _route("POST", "masks/{number:int}/suggest", suggest, changes=False),
    _route("POST", "masks/{number:int}/path", path_along_edges, changes=False),
    _route("POST", "masks/clear", clear),
    _route("GET", "timeline", timeline),
    _route("POST", "objects", add_object),
    _route("PATCH", "objects/{object_id:int}", change_object),
    _route("POST", "objects/{object_id:int}/delete", delete_object),
    _route("POST", "objects/{object_id:int}/merge", merge_object),
    _route("POST", "track", track),
    _route("POST", "refill", refill),
    _route("POST", "stop", stop),
    _route("POST", "undo", undo),
    _route("POST", "redo", redo),
    _route("PUT", "range", set_range),
    _route("PUT", "settings", set_settings),
    _route("POST", "exports", export),
    _route("GET", "exports/{number:int}", download),
    _route("POST", "imports", begin_import),
    _route("PUT", "imports/{number:int}/files", import_file),
    _route("POST", "imports/{number:int}/finish", finish_import),
]
