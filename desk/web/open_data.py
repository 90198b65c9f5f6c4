"""Editions as folders that others take, at stable addresses: for everybody, from any page, with a checksum as their entity tag."""

from __future__ import annotations

import hashlib
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, RedirectResponse, Response
from starlette.routing import Route

from desk.web.access import NotFound, not_found
from tasks.deliveries.edition_folder import DESCRIPTOR, Damaged, read_sums
from tasks.open_data.kinds import content_type
from tasks.open_data.shelf import FOLDER, INDEX, find, shelf_of

OPEN = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "ETag, Content-Length, Content-Range, Accept-Ranges",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Cache-Control": "public, no-cache",  # kept, and asked about each time: an answer of no bytes where nothing is another
}
PREFLIGHT = {"Access-Control-Allow-Methods": "GET, HEAD", "Access-Control-Allow-Headers": "If-None-Match, If-Range, Range"}


async def open_data(request: Request) -> Response:
    """A file of an edition, or of what lists them; of a folder, where it is listed."""
    if request.method == "OPTIONS":
        return Response(status_code=204, headers=OPEN | PREFLIGHT)
    if "name" not in request.path_params:  # the addresses on the page are relative to the folder
        return RedirectResponse(request.app.state.desk.address(f"{FOLDER}/"), 301, OPEN)
    return await run_in_threadpool(_answer, request, request.path_params["name"])


def _answer(request: Request, name: str) -> Response:
    found = find(shelf_of(request.app.state.desk.settings.home), name or INDEX)
    if found is None:
        return not_found(request, NotFound())
    if found.is_dir():
        listed = f"{found.parent.name}-{found.resolve().name}"
        return RedirectResponse(request.app.state.desk.address(f"{FOLDER}/{INDEX}#{listed}"), 303, OPEN)
    headers = OPEN | {"ETag": f'"{digest_of(found)}"'}
    if _is_known(request.headers.get("if-none-match", ""), headers["ETag"]):
        return Response(status_code=304, headers=headers)
    return FileResponse(
        found, headers=headers, media_type=content_type(f"sdmx/{found.name}" if found.parent.name == "sdmx" else found.name)
    )


open_data.role = None  # type: ignore[attr-defined]

ROUTES = [
    Route(f"/{FOLDER}", open_data, methods=["GET", "OPTIONS"]),
    Route(f"/{FOLDER}/{{name:path}}", open_data, methods=["GET", "OPTIONS"]),
]


def digest_of(path: Path) -> str:
    """SHA-256 of a file: as its folder's checksums say, else of its bytes."""
    for folder in path.parents[:2]:  # of a file of the edition, or in its folder sdmx
        if (folder / DESCRIPTOR).is_file():
            try:
                listed = read_sums(folder)
            except Damaged:
                break
            if told := listed.get(path.relative_to(folder).as_posix()):
                return told
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _is_known(given: str, tag: str) -> bool:
    """Whether the one who asks has it already."""
    return given.strip() == "*" or tag in (one.strip().removeprefix("W/") for one in given.split(","))
