"""What a steward does about what was set aside or refused: looks at it, decides, assigns, comments, writes to who sent it."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import quote

from starlette.datastructures import UploadFile
from starlette.responses import RedirectResponse, Response

from desk import accounts
from desk.web.access import Asked, NotFound
from desk.web.frame import shown
from desk.web.gate import XLSX
from tasks.ask.overview import Overview
from tasks.ask.worklist import Item, history, items, rows_of
from tasks.deliveries.source import read_sources
from tasks.load.chosen import Chosen
from tasks.load.corrections import take_corrections
from tasks.load.decisions import assign, comment, dismiss, let_pass, release
from tasks.read.limits import read_limits
from tasks.report.letter import write_letter
from tasks.report.rendering import Page
from warehouse.settings import Refusal

PLACE = "viec-can-lam"
ROWS = 200
"""Rows of an item that are shown, and can be chosen one by one."""


def item_page(asked: Asked) -> Page:
    """An item: what is wrong, its rows with the cells as they were sent, what was decided and said."""
    return _page(asked)


def act(asked: Asked) -> Response:
    """Does what the form says: looks ahead, releases, dismisses, lets pass, assigns or comments."""
    does, reason, who = asked.told("act"), asked.told("reason").strip(), asked.who.shown_name
    if does == "foresee":
        return shown(asked.request, _page(asked, foreseen=_foreseen(asked).told))
    chosen = _chosen(asked)
    ahead = _foreseen(asked) if does == "release" else None
    with asked.engine.begin() as connection:
        match does:
            case "release":
                release(connection, chosen, who, reason or None, ahead)
            case "dismiss":
                dismiss(connection, chosen, who, reason)
            case "let_pass":
                let_pass(connection, chosen.delivery_id, str(chosen.rule_code), who, reason or None)
            case "assign":
                assign(connection, chosen, asked.told("to"), who)
            case "comment":
                comment(connection, chosen, asked.told("words"), who)
            case _:
                raise Refusal("Không có việc này.")
        about = f"delivery:{chosen.delivery_id} {chosen.rule_code or ''} {chosen.column or ''}".strip()
        accounts.act(connection, asked.who.name, f"quarantine-{does}", about, reason or None, asked.address)
    rule = asked.request.path_params["rule"]
    return RedirectResponse(asked.desk.address(f"{PLACE}/{chosen.delivery_id}/{rule}?cot={quote(asked.told('column'))}"), 303)


def letter(asked: Asked) -> Response:
    """The letter to a supplier about what stands of a source."""
    source = asked.request.path_params["source"]
    until = asked.asked_for("han")
    try:
        deadline = date.fromisoformat(until) if until else None
    except ValueError as error:
        raise Refusal(f"Hạn {until!r} không phải một ngày.") from error
    with asked.reading(in_steps=True) as connection, TemporaryDirectory() as folder:
        path = Path(folder) / "thu.xlsx"
        write_letter(connection, path, read_sources(asked.desk.settings.sources), source=source, deadline=deadline)
        headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(f'thu-{source}.xlsx')}"}
        return Response(path.read_bytes(), media_type=XLSX, headers=headers)


def take_letter(asked: Asked) -> Response:
    """Takes a filled letter back in, all of it or nothing."""
    given = asked.form.get("letter")
    if not isinstance(given, UploadFile) or not (given.filename or "").lower().endswith(".xlsx"):
        raise Refusal("Chọn tệp thư .xlsx đã điền.")
    sources = asked.desk.settings.sources
    with TemporaryDirectory() as folder, asked.engine.begin() as connection:
        path = Path(folder) / "thu.xlsx"
        path.write_bytes(given.file.read())
        cells = take_corrections(connection, path, asked.who.shown_name, read_sources(sources), limits=read_limits(sources))
        accounts.act(connection, asked.who.name, "quarantine-correct", f"{cells} ô", None, asked.address)
    return RedirectResponse(asked.desk.address(f"{PLACE}#thu"), 303)


def _page(asked: Asked, foreseen: str = "") -> Page:
    with asked.reading() as connection:
        item = _item(asked, connection)
        rows = (
            [] if item.is_delivery else rows_of(connection, item.delivery_id, item.rule_code, item.column, status=item.status, limit=ROWS)
        )
        content: dict[str, Any] = {
            "item": item,
            "rows": rows,
            "history": history(connection, item.delivery_id, item.rule_code, item.column),
            "senders": Overview(connection).senders,
            "foreseen": foreseen,
            "picked": {int(row) for row in _rows(asked)},
            "reason": asked.told("reason"),
        }
    return Page(f"{PLACE}/{item.delivery_id}/{item.rule_code}", "item.html", content)


def _item(asked: Asked, connection: Any) -> Item:
    wanted = asked.request.path_params
    column = asked.told("column") or asked.asked_for("cot")
    every = ("open", "waiting", "released", "rejected", "dismissed", "corrected")
    found = items(connection, delivery_id=wanted["number"], rule_code=wanted["rule"], statuses=every)
    for one in sorted(found, key=lambda one: every.index(one.status)):
        if one.column == column:
            return one
    raise NotFound


def _rows(asked: Asked) -> list[str]:
    return [row for row in asked.form.getlist("row") if isinstance(row, str) and row.isdecimal() and len(row) < 10]


def _chosen(asked: Asked) -> Chosen:
    """What the form is about, as whoever sent it saw it."""
    wanted, seen = asked.request.path_params, asked.told("seen")
    rows = tuple(int(row) for row in _rows(asked))
    is_whole = asked.told("is_delivery") == "1"
    return Chosen(
        wanted["number"],
        None if is_whole and asked.told("act") == "dismiss" else wanted["rule"],
        None if is_whole else asked.told("column"),
        rows,
        None if is_whole else asked.told("status") or None,
        int(seen) if seen.isdecimal() and not rows and not is_whole else None,
    )


def _foreseen(asked: Asked) -> Any:
    from tasks.load.foreseen import foreseen  # noqa: PLC0415  # reads files: pandas and what checks them

    return foreseen(asked.engine, asked.desk.settings, _chosen(asked))
