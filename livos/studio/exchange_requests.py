"""Answers requests to export masks from a project, and to import masks into it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response

from livos.studio import received
from livos.studio.exporting import KINDS, begin_export, zipped
from livos.studio.importing import Import, import_masks
from livos.studio.received import read_json, whole

if TYPE_CHECKING:
    from livos.studio.session import Session


async def export(request: Request, session: Session) -> Response:
    content = await read_json(request, "kinds", "first", "last")
    kinds = content.get("kinds")
    if not isinstance(kinds, list) or not kinds or not all(kind in KINDS for kind in kinds):
        raise ValueError(f"kinds: expected some of {', '.join(KINDS)}.")
    first, last = session.project.document.range
    frames = whole(content, "first", first), whole(content, "last", last)
    return JSONResponse({"job": begin_export(session, list(dict.fromkeys(kinds)), *frames)})


async def download(request: Request, session: Session) -> Response:
    number = request.path_params["number"]
    found = next((made for made in session.exports if made.id == number), None)
    if found is None:
        raise LookupError(f"There is no export {number}.")
    path = await run_in_threadpool(zipped, found)
    return FileResponse(path, media_type="application/zip", filename=f"{found.folder.name}.zip")


async def begin_import(request: Request, session: Session) -> Response:
    session.project.marks()  # a video must be open
    imports: dict[int, Import] = request.app.state.imports
    for left in imports.values():  # one at a time
        left.discard()
    imports.clear()
    number = request.app.state.num_imports = request.app.state.num_imports + 1
    imports[number] = Import()
    return JSONResponse({"import": number})


async def import_file(request: Request, session: Session) -> Response:
    place = _import(request).place(request.query_params.get("name", ""), session.source)
    place.write_bytes(await received.read_body(request, received.IMPORT_BYTES))
    return JSONResponse({})


async def finish_import(request: Request, session: Session) -> Response:
    content, begun = await read_json(request, "frame"), _import(request)
    session.check_number(whole(content, "frame", 0))
    path = begun.masks()

    def take() -> dict[int, tuple[int, ...]]:
        with session.edit():
            return import_masks(session.project, session.source, path, whole(content, "frame", 0))

    try:
        taken = await run_in_threadpool(take)
    except ValueError as error:  # the names of the temporary files mean nothing to the user
        raise ValueError(str(error).replace(f"{begun.folder}/", "").replace(str(begun.folder), "The files")) from error
    finally:
        request.app.state.imports.pop(request.path_params["number"]).discard()
    session.masks_changed(min(taken), max(taken))
    objects = sorted({i for ids in taken.values() for i in ids})
    return JSONResponse({"marks": sorted(taken), "objects": objects})


def _import(request: Request) -> Import:
    found: Import | None = request.app.state.imports.get(request.path_params["number"])
    if found is None:
        raise LookupError("This import has ended.")
    return found
