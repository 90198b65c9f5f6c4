"""Deciding on a held edition and signing a period, at the desk."""

from __future__ import annotations

import logging

from starlette.responses import RedirectResponse, Response

from desk import accounts
from desk.web.access import Asked, NotFound
from tasks.ask.gate import understood
from tasks.ask.releases import find_signed
from tasks.deliveries.run_lock import in_one_line
from tasks.indicators.edition import judge
from tasks.open_data.declaration import read_open_data
from tasks.open_data.shelf import write_signed
from tasks.report.pages.gate import PLACE
from tasks.report.signing import sign, signed_workbook
from tasks.words.vietnamese import DECISION
from warehouse.settings import Refusal

log = logging.getLogger("bakhong")

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def decide(asked: Asked) -> Response:
    """Accepts or rejects the findings that were ticked."""
    decision, reason = asked.told("decision"), asked.told("reason")
    chosen = understood([word for one in asked.form.getlist("chosen") if isinstance(one, str) for word in one.split()])
    if decision not in DECISION or not chosen:
        raise Refusal("Chọn ít nhất một điểm bất thường, rồi chấp nhận hoặc không chấp nhận.")
    with asked.engine.begin() as connection:
        judge(connection, chosen, decision, reason, asked.who.shown_name)
        accounts.act(connection, asked.who.name, f"gate-{decision}", f"alarm:{', '.join(map(str, chosen))}", reason, asked.address)
    return RedirectResponse(asked.desk.address(f"{PLACE}#khac-thuong"), 303)


def sign_period(asked: Asked) -> Response:
    """Signs a period in the name of whoever is signed in."""
    with asked.engine.begin() as connection:
        row = sign(connection, asked.told("period"), asked.who.shown_name, asked.told("note").strip() or None)
        accounts.act(connection, asked.who.name, "sign", f"period:{row.period}", row.note, asked.address)
    _open(asked, row.release_id)
    return RedirectResponse(asked.desk.address(f"{PLACE}/ban-ky/{row.release_id}"), 303)


def _open(asked: Asked, release_id: int) -> None:
    """Writes the open data of what was just signed; where that cannot be done, the next night does it."""
    settings = asked.desk.settings
    try:
        with asked.engine.connect() as connection:
            signature = find_signed(connection, release_id)
            if signature is not None:
                write_signed(connection, settings.home, read_open_data(settings.sources), signature)
    except (OSError, Refusal) as error:
        log.error("open data of signed edition %s: %s", release_id, in_one_line(error))


def workbook(asked: Asked) -> Response:
    """The workbook that was signed, byte for byte; who only looks gets it without what is confidential."""
    with asked.reading() as connection:
        found = find_signed(connection, asked.request.path_params["number"])
        if found is None:
            raise NotFound
        book = signed_workbook(connection, found, asked.scope(connection))
        name = f"ba-khong-{found.period}-ban-ky-{found.release_id}.xlsx"
        return Response(book, media_type=XLSX, headers={"Content-Disposition": f'attachment; filename="{name}"'})
