"""The official tables of units of today for any period: before they began, put together from the units that went into them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from itertools import starmap

from sqlalchemy import Connection, text

from tasks.ask.official_table import VALUES, Line, Unit, called, check_period, like, several, sharing_texts, units_between
from tasks.ask.scope import Scope
from tasks.count.revisions import last_publication
from warehouse.names import LEVELS, from_the_top
from warehouse.periods import VIETNAM
from warehouse.settings import Refusal


@dataclass(frozen=True)
class RestatedLine(Line):
    """One value of a unit of today, with the units it was put together from."""

    is_restated: bool = False
    predecessors: str | None = None
    predecessors_counted: int | None = None
    predecessors_all: int | None = None

    @property
    def status(self) -> str:
        """How the value is to be taken, in words; with how many of the units it rests on where that is not all."""
        if self.obs_reason == "part_of_predecessor":
            return "không tính lại được"
        rests = f" ({self.predecessors_counted}/{self.predecessors_all} đơn vị)" if self.obs_reason == "predecessor_missing" else ""
        return super().status + rests


_LINES = """
{values}, i.is_restated, i.predecessors, i.predecessors_counted, i.predecessors_all
FROM {view} i
WHERE i.period = :period AND (CAST(:code AS text) IS NULL OR i.unit_code = :code AND i.unit_valid_from = :valid_from)
    AND (CAST(:codes AS text[]) IS NULL OR i.unit_code = ANY(:codes)) AND i.unit_level = ANY(:levels)
ORDER BY i.sort_order, i.indicator_code, {highest}, i.unit_code
"""


def find_unit_of_today(connection: Connection, wanted: str) -> Unit:
    """The unit of today that someone means by a code or a name; Refusal where none or several are meant."""
    published = last_publication(connection)
    today = date.today() if published is None else published.as_of.astimezone(VIETNAM).date()
    units = units_between(connection, today, today)
    named = called(units, wanted)
    if not named:
        raise Refusal(f"Hiện nay không có đơn vị hành chính nào mang mã hoặc tên {wanted!r}.{like(units, wanted)}")
    if len(named) > 1:
        raise several(wanted, named)
    return named[0]


def restated_of_unit(connection: Connection, unit: Unit, period: str, scope: Scope) -> list[RestatedLine]:
    """The official tables of a unit of today in a period, in the order in which they are printed."""
    check_period(period)
    return _lines(connection, period, scope, unit=unit)


def restated_of_period(connection: Connection, period: str, scope: Scope, *, levels: Collection[str] = tuple(LEVELS)) -> list[RestatedLine]:
    """The values of the units of today in a period that whoever has a scope may see; nothing where they all were there already."""
    lines = _lines(connection, period, scope, levels)
    return lines if any(line.is_restated for line in lines) else []


def _lines(
    connection: Connection, period: str, scope: Scope, levels: Collection[str] = tuple(LEVELS), unit: Unit | None = None
) -> list[RestatedLine]:
    one = {"code": unit and unit.code, "valid_from": unit and unit.valid_from}
    query = _LINES.format(values=VALUES, view=scope.view("indicator_restated"), highest=from_the_top("i.unit_level"))
    rows = connection.execute(text(query), {"period": period, "codes": scope.listed, "levels": list(levels), **one})
    return list(starmap(RestatedLine, sharing_texts(rows)))
