"""The pages that are read at the desk: those of tasks/report, answered from the warehouse as it is now."""

from __future__ import annotations

import mimetypes
from collections.abc import Callable
from datetime import datetime
from typing import Any

from starlette.responses import FileResponse, Response
from starlette.routing import Route

from desk.web import charts, downloads, gate
from desk.web import worklist as worklist_actions
from desk.web.access import Asked, Handler, NotFound, route
from desk.web.compare import compare_page
from desk.web.publish_now import publish_now
from desk.web.rows import rows_page
from tasks.ask.fees import fees, first_shown
from tasks.ask.overview import Overview
from tasks.report.pages.deliveries import delivery
from tasks.report.pages.fees import fees_page
from tasks.report.pages.gate import publication, release
from tasks.report.pages.nights import night, past_nights
from tasks.report.pages.number import number
from tasks.report.pages.one_stop_shop import form_06a, score_766
from tasks.report.pages.provinces import provinces
from tasks.report.pages.published import document, published
from tasks.report.pages.rules import rule, rules
from tasks.report.pages.sources import source, sources
from tasks.report.pages.tables import indicator, restated, restated_indicator, unit, units, year, years
from tasks.report.pages.tonight import tonight
from tasks.report.pages.worklist import worklist
from tasks.report.rendering import PROVINCES, Page
from tasks.words.vietnamese import VIETNAM


def page(shown: Callable[..., Page | None], *named: str) -> Callable[[Asked], Page]:
    """Answers with a page of tasks/report; the parts of the address that it is named by follow the overview."""

    def answer(asked: Asked) -> Page:
        with asked.reading() as connection:
            found = shown(Overview(connection, asked.scope(connection)), *(asked.request.path_params[name] for name in named))
        if found is None:
            raise NotFound
        return found

    return answer


def tonight_now(overview: Overview) -> Page:
    """The start page as of now."""
    return tonight(overview, datetime.now(VIETNAM))


def for_all(handler: Callable[[Asked], Response | Page]) -> Handler:
    """Answers those only whose account is confined to no unit."""

    def answer(asked: Asked) -> Response | Page:
        if asked.who.unit_code is not None:
            raise NotFound
        return handler(asked)

    return answer


def reconciled_fees(asked: Asked) -> Page:
    """Fees beside dossiers, of all units."""
    with asked.reading(in_steps=True) as connection:
        publication = Overview(connection).publication
        if publication is None:
            raise NotFound
        as_of: Any = publication.as_of
        return fees_page(fees(connection, first_shown(connection, as_of)), as_of)


def file(asked: Asked) -> Response:
    """A file of the edition: workbook, list, Data Docs."""
    path = asked.desk.file(asked.request.path_params["name"])
    if path is None:
        raise NotFound
    return FileResponse(path, media_type=mimetypes.guess_type(path.name)[0])


ROUTES: list[Route] = [
    route("/", page(tonight_now), "viewer"),
    route("/viec-can-lam", page(worklist), "viewer"),
    route("/viec-can-lam/thu", for_all(worklist_actions.take_letter), "steward", acts=True, files=1, again=page(worklist)),
    route("/viec-can-lam/thu/{source}.xlsx", for_all(worklist_actions.letter), "steward"),
    route("/viec-can-lam/{number:int}/{rule}", for_all(worklist_actions.item_page), "viewer"),
    route("/viec-can-lam/{number:int}/{rule}", for_all(worklist_actions.act), "steward", acts=True, again=worklist_actions.item_page),
    route("/cong-bo", page(publication), "viewer"),
    route("/cong-bo", for_all(gate.decide), "approver", acts=True, again=page(publication)),
    route("/cong-bo/se-doi.csv", downloads.held_data, "viewer"),
    route("/cong-bo/ngay", for_all(publish_now), "approver", acts=True, again=page(publication)),
    route("/cong-bo/ky", for_all(gate.sign_period), "approver", acts=True, again=page(publication)),
    route("/cong-bo/ban-ky/{number:int}.xlsx", for_all(gate.workbook), "viewer"),
    route("/cong-bo/ban-ky/{number:int}", page(release, "number"), "viewer"),
    route("/nguon", page(sources), "viewer"),
    route("/nguon/{name}", page(source, "name"), "viewer"),
    route("/lan-gui/{number:int}", page(delivery, "number"), "viewer"),
    route(f"/{PROVINCES}", page(provinces), "viewer"),
    route("/bieu", page(years), "viewer"),
    route("/bieu/{year}", page(year, "year"), "viewer"),
    route("/bieu/{year}/don-vi", page(units, "year"), "viewer"),
    route("/bieu/{year}/hien-nay", page(restated, "year"), "viewer"),
    route("/bieu/{year}/hien-nay/{code}", page(restated_indicator, "year", "code"), "viewer"),
    route("/bieu/{year}/don-vi/{unit}/06a.xlsx", downloads.form_06a_sheet, "viewer"),
    route("/bieu/{year}/don-vi/{code}/06a", page(form_06a, "year", "code"), "viewer"),
    route("/bieu/{year}/don-vi/{code}/766", page(score_766, "year", "code"), "viewer"),
    route("/bieu/{year}/don-vi/{unit}.xlsx", downloads.unit_workbook, "viewer"),
    route("/bieu/{year}/don-vi/{unit}.csv", downloads.unit_data, "viewer"),
    route("/bieu/{year}/{code}.csv", downloads.indicator_data, "viewer"),
    route("/bieu/{year}/don-vi/{unit}/{code}.svg", charts.of_unit, "viewer"),
    route("/bieu/{year}/don-vi/{unit}/{code}/nam.svg", charts.of_number, "viewer"),
    route("/bieu/{year}/{code}/{how}.svg", charts.of_units, "viewer"),
    route("/bieu/{year}/don-vi/{code}", page(unit, "year", "code"), "viewer"),
    route("/bieu/{year}/{code}", page(indicator, "year", "code"), "viewer"),
    route("/bieu/{period}/{indicator}/{unit}", page(number, "period", "indicator", "unit"), "viewer"),
    route("/so-sanh", compare_page, "viewer"),
    route("/so-sanh/{one}/{period}/{other}/{other_period}.svg", charts.of_two, "viewer"),
    route("/doi-soat-phi", for_all(reconciled_fees), "viewer"),
    route("/da-cong-bo", page(published), "viewer"),
    route("/da-cong-bo/{number}", page(document, "number"), "viewer"),
    route("/dong", rows_page, "viewer"),
    route("/cac-dem", page(past_nights), "viewer"),
    route("/cac-dem/{number:int}", page(night, "number"), "viewer"),
    route("/quy-tac", page(rules), "viewer"),
    route("/quy-tac/{code}", page(rule, "code"), "viewer"),
    route("/tep/{name:path}", for_all(file), "viewer"),
]
