"""What is taken along from the desk: tables of a unit and of those below it as workbook or data, an indicator as data, form 06a."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import quote

from starlette.responses import Response

from desk.web.access import Asked, NotFound
from desk.web.gate import XLSX
from tasks.ask.gate import held_values
from tasks.ask.notes import notes_of
from tasks.ask.official_table import UPPER, Line, find_unit, of_period, with_those_below
from tasks.ask.overview import Overview
from tasks.report.form_06a_public import is_for
from tasks.report.form_06a_sheet import rows_of, write_form_06a
from tasks.report.held_csv import held_csv
from tasks.report.hidden import threshold_of
from tasks.report.one_stop_shop import of_unit
from tasks.report.values_csv import values_csv
from tasks.report.workbook import write_workbook
from warehouse.country import COUNTRY
from warehouse.names import LEVELS
from warehouse.periods import is_period
from warehouse.seed import publisher

CSV = "text/csv; charset=utf-8"


def unit_workbook(asked: Asked) -> Response:
    """The official tables of a unit and of those below it, of the country those of its provinces; with its form 06a and scores of 766."""
    period, code = _of_unit(asked)
    with asked.reading() as connection:
        overview = Overview(connection, asked.scope(connection))
        codes, lines = _values(overview, period, code, UPPER if code == COUNTRY else tuple(LEVELS))
        unit = find_unit(connection, code, period)
        notes = [note for note in notes_of(connection, period, overview.scope) if note.unit_code is None or note.unit_code in codes]
        theirs = of_unit(connection, unit, codes, period)
        gathered = overview.gathered.get(period) if code == COUNTRY else None
        rest = theirs and theirs.seen_by(overview.scope, period), ()
        told: dict[str, Any] = {
            "whose": unit.name,
            "publisher": publisher(connection),
            "is_sample": asked.desk.is_sample,
            "is_public": overview.scope.is_public,
            "rests_on": gathered.told(len(gathered.missing)) if gathered else "",
        }
        book = _written(lambda path: write_workbook(lines, period, overview.as_of, path, lambda: rest, notes, **told))
    return _sent(f"ba-khong-{period}-{code}.xlsx", book, XLSX)


def unit_data(asked: Asked) -> Response:
    """The values of a unit and of those below it."""
    period, code = _of_unit(asked)
    with asked.reading() as connection:
        overview = Overview(connection, asked.scope(connection))
        _, lines = _values(overview, period, code, UPPER if code == COUNTRY else tuple(LEVELS))
    return _sent(f"ba-khong-{period}-{code}.csv", values_csv(lines, of_country=code == COUNTRY), CSV)


def indicator_data(asked: Asked) -> Response:
    """An indicator of all units."""
    period, code = asked.request.path_params["year"], asked.request.path_params["code"]
    if not is_period(period):
        raise NotFound
    with asked.reading() as connection:
        lines = of_period(connection, period, asked.scope(connection), indicator=code)
    if not lines:
        raise NotFound
    return _sent(f"ba-khong-{period}-{code}.csv", values_csv(lines, of_country=asked.desk.is_country), CSV)


def held_data(asked: Asked) -> Response:
    """All values that the edition held now would change."""
    with asked.reading() as connection:
        scope = asked.scope(connection)
        rows = [row for row in held_values(connection, scope) if scope.sees(row.unit_code)]
    if not rows:
        raise NotFound
    return _sent("ba-khong-cho-cong-bo.csv", held_csv(rows), CSV)


def form_06a_sheet(asked: Asked) -> Response:
    """Form 06a of a unit, to print and send; of another version of its code where a day stands behind it, as `15646@2025-06-30`."""
    period, wanted = _of_unit(asked)
    with asked.reading() as connection:
        overview = Overview(connection, asked.scope(connection))
        unit = find_unit(connection, wanted, period)
        rows = rows_of(connection, unit, period) if is_for(overview.scope, unit, period) else []
        if not rows:
            raise NotFound
        threshold, sample = threshold_of(overview.as_of) if overview.scope.is_public else None, asked.desk.is_sample
    book = _written(lambda path: write_form_06a(rows, unit, period, path, is_sample=sample, threshold=threshold))
    return _sent(f"06a-{period}-{unit.code}.xlsx", book, XLSX)


def _of_unit(asked: Asked) -> tuple[str, str]:
    """Period and unit of the address."""
    period, code = asked.request.path_params["year"], asked.request.path_params["unit"]
    if not is_period(period):
        raise NotFound
    return period, code


def _values(overview: Overview, period: str, code: str, levels: Collection[str]) -> tuple[frozenset[str], list[Line]]:
    """Codes of a unit and of those below it that are for whoever looks, and their values; NotFound where the unit has none."""
    below = overview.scope.narrowed(with_those_below(overview.connection, code, period))
    lines = of_period(overview.connection, period, below, levels=levels)
    if below.codes is None or not any(line.unit_code == code for line in lines):
        raise NotFound
    return below.codes, lines


def _written(write: Callable[[Path], None]) -> bytes:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "book.xlsx"
        write(path)
        return path.read_bytes()


def _sent(name: str, content: bytes, media_type: str) -> Response:
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(name)}"}
    return Response(content, media_type=media_type, headers=headers)
