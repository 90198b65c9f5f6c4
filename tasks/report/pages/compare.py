"""Two units or two periods beside each other."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlencode

from tasks.ask.comparison import Compared, Side, compared, side
from tasks.ask.official_table import years
from tasks.ask.overview import Overview
from tasks.report.drawings import to_pair
from tasks.report.hidden import note_on
from tasks.report.rendering import Page
from warehouse.names import LEVELS
from warehouse.periods import period_type
from warehouse.settings import Refusal

PLACE = "so-sanh"
ASKED = ("a", "ky-a", "b", "ky-b")
"""What the address says: unit and period of the first side, of the second."""
LENGTHS = {"month": "tháng", "quarter": "quý", "year": "năm"}


def place(*asked: str) -> str:
    """The page that compares a unit in a period with another, or with another of its periods."""
    return f"{PLACE}?{urlencode(dict(zip(ASKED, asked, strict=True)))}"


def compare(overview: Overview, asked: Mapping[str, str]) -> Page:
    """What is asked for beside each other; a form alone where nothing is yet, and what is wrong with it where that cannot be answered."""
    one, period, other, other_period = (asked.get(name, "") for name in ASKED)
    period = period or next(iter(years(overview.connection)), "")
    content: dict[str, Any] = {"asked": dict(zip(ASKED, (one, period, other, other_period), strict=True)), "sides": None, "wrong": ""}
    if one:
        try:
            content |= _sides(*sides(overview, one, period, other or one, other_period or period), overview.as_of)
        except Refusal as refusal:
            content["wrong"] = str(refusal)
    return Page(PLACE, "compare.html", content)


def sides(overview: Overview, one: str, period: str, other: str, other_period: str) -> tuple[Side, Side]:
    """Both sides; Refusal where one cannot be told, or both are the same."""
    first = side(overview.connection, overview.scope, one, period)
    second = side(overview.connection, overview.scope, other, other_period)
    if (first.unit.code, first.unit.valid_from, first.period) == (second.unit.code, second.unit.valid_from, second.period):
        raise Refusal(f"Hai bên là một: {first.name}. Chọn đơn vị khác hoặc kỳ khác.")
    return first, second


def _sides(first: Side, second: Side, as_of: datetime) -> dict[str, Any]:
    rows = compared(first.lines, second.lines)
    lengths, levels = (period_type(first.period), period_type(second.period)), (first.unit.level, second.unit.level)
    chart = "/".join(quote(part, safe="@") for part in (PLACE, first.asked_as, first.period, second.asked_as, second.period))
    return {
        "sides": (first, second),
        "rows": rows,
        "lengths": [LENGTHS[one] for one in lengths] if lengths[0] != lengths[1] else [],
        "levels": [LEVELS[one] for one in levels] if levels[0] != levels[1] else [],
        "tally": _tally(rows),
        "chart": chart if to_pair(rows) else "",
        "hidden": note_on([*first.lines, *second.lines], as_of),
        "as_of": as_of,
    }


def _tally(rows: list[Compared]) -> dict[str, int]:
    """In how many indicators the first side is above the second, and so on."""
    differences = [row.difference for row in rows]
    known = [difference for difference in differences if difference is not None]
    return {
        "cao hơn": sum(one > 0 for one in known),
        "thấp hơn": sum(one < 0 for one in known),
        "bằng nhau": sum(one == 0 for one in known),
        "chưa so được": len(differences) - len(known),
    }
