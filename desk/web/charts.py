"""Charts at the desk: drawn when they are first looked at, and kept for as long as the same is published."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

from starlette.responses import Response

from desk.web.access import Asked, NotFound
from tasks.ask.comparison import compared
from tasks.ask.official_table import find_unit, of_indicator, of_period
from tasks.ask.overview import Overview
from tasks.report.drawings import MAP, RANKING, charts_of, month_by_month, paired, through_the_year
from tasks.report.pages.compare import sides
from tasks.report.pages.tables import together
from warehouse.periods import is_period, months

KEPT = "charts"
"""Folder of the home in which they are kept, a folder a publication and way in which small groups were looked at."""
SVG = {"Cache-Control": "private, max-age=300"}
NOTHING = b'<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>'
"""Where there is nothing to draw."""


def of_units(asked: Asked) -> Response:
    """An indicator in all units: `hang` from the highest down, `ban-do` as tiles."""
    year, code, how = (asked.request.path_params[name] for name in ("year", "code", "how"))
    if how not in (RANKING, MAP) or not is_period(year):
        raise NotFound

    def drawn(overview: Overview) -> bytes | None:
        charts = charts_of(of_period(overview.connection, year, overview.scope, levels=together(overview), indicator=code))
        return next((chart.drawn() for chart in charts if chart.name == how), None)

    return _kept(asked, f"{how} {year} {code}", drawn)


def of_unit(asked: Asked) -> Response:
    """An indicator of a unit through the year."""
    year, unit, code = (asked.request.path_params[name] for name in ("year", "unit", "code"))
    if not is_period(year) or len(year) != 4:
        raise NotFound

    def drawn(overview: Overview) -> bytes | None:
        return through_the_year(overview, unit, code, year) if overview.scope.sees(unit) else None

    return _kept(asked, f"nam {year} {unit} {code}", drawn)


def of_two(asked: Asked) -> Response:
    """What two sides share, beside each other."""
    asked_for = [asked.request.path_params[name] for name in ("one", "period", "other", "other_period")]

    def drawn(overview: Overview) -> bytes | None:
        first, second = sides(overview, *asked_for)
        return paired(compared(first.lines, second.lines))

    return _kept(asked, f"hai {asked_for}", drawn)


def of_number(asked: Asked) -> Response:
    """The same to be read, of one version of the unit: beside the page of a number."""
    year, unit, code = (asked.request.path_params[name] for name in ("year", "unit", "code"))
    if not is_period(year) or len(year) != 4:
        raise NotFound

    def drawn(overview: Overview) -> bytes | None:
        found = find_unit(overview.connection, unit, year)
        lines = of_indicator(overview.connection, found, code, months(year), overview.scope) if overview.scope.sees(found.code) else []
        return month_by_month(lines)

    return _kept(asked, f"tháng {year} {unit} {code}", drawn)


def _kept(asked: Asked, name: str, drawn: Callable[[Overview], bytes | None]) -> Response:
    with asked.reading() as connection:
        overview = Overview(connection, asked.scope(connection))
        seen_by = f"{asked.who.unit_code} {overview.scope.is_public}"
        place = _folder(asked, overview) / f"{sha256(f'{name} {seen_by}'.encode()).hexdigest()}.svg"
        if place.is_file():
            svg = place.read_bytes()
        else:
            svg = drawn(overview) or NOTHING
            draft = place.with_suffix(f".{id(svg)}")
            draft.write_bytes(svg)
            draft.replace(place)
    return Response(svg, media_type="image/svg+xml", headers=SVG)


def _folder(asked: Asked, overview: Overview) -> Path:
    """The folder of what is published now, and withheld of it; those of before are gone."""
    published = overview.publication
    home = asked.desk.settings.home / KEPT
    folder = home / f"{published.publication_id if published is not None else 0}-{overview.withheld_by}"
    if not folder.is_dir():
        shutil.rmtree(home, ignore_errors=True)
        folder.mkdir(parents=True, exist_ok=True)
    return folder
