"""Which charts stand beside the official tables: the units of an indicator in a period, and an indicator of a unit through the year."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import text

from tasks.ask.comparison import Compared
from tasks.ask.official_table import Line
from tasks.ask.overview import Overview
from tasks.report.plots import Mark, Pair, pairs, ranking, spark, tiles
from tasks.words import vietnamese as vi
from warehouse.periods import parts, period_type

MOST_BARS, MOST_TILES = 40, 240
"""More units than that are not told apart by anybody."""
FEWEST = 3
"""Fewer are read faster than looked at."""


def charts_of(lines: Sequence[Line]) -> dict[str, str]:
    """The charts that there are of an indicator's units: name → what it shows, in words."""
    found = {}
    if bars := _to_rank(lines):
        found["hang"] = f"{vi.number(len(bars))} đơn vị, từ cao xuống thấp"
    if communes := _to_map(lines):
        found["ban-do"] = f"{vi.number(len(communes))} xã, phường theo thứ tự mã, càng đậm càng cao; ô xám là {_grey(communes)}"
    return found


def _grey(communes: Sequence[Line]) -> str:
    """What the tiles without a value are."""
    hidden = [line.is_hidden for line in communes if line.value is None]
    kinds = {"chưa có số liệu": not all(hidden) or not hidden, f"số không công khai ({vi.HIDDEN})": any(hidden)}
    return " hoặc ".join(words for words, is_there in kinds.items() if is_there)


def ranked(lines: Sequence[Line]) -> bytes | None:
    """The units of a level from the highest value down; nothing where that says nothing."""
    shown = _to_rank(lines)
    return ranking([Mark(line.unit_shown, line.value) for line in shown], shown[0].unit_measure, shown[0].target) if shown else None


def _to_rank(lines: Sequence[Line]) -> list[Line]:
    """Those of the lowest level whose units can be told apart."""
    for level in ("commune", "district"):
        shown = [line for line in lines if line.unit_level == level]
        if FEWEST <= len(shown) <= MOST_BARS and any(line.value is not None for line in shown):
            return shown
    return []


def _to_map(lines: Sequence[Line]) -> list[Line]:
    shown = [line for line in lines if line.unit_level == "commune"]
    return shown if FEWEST <= len(shown) <= MOST_TILES and any(line.value is not None for line in shown) else []


def mapped(lines: Sequence[Line]) -> bytes | None:
    """Every commune as a tile, in the order of the codes, which goes by neighbourhood; nothing where there are too few or too many."""
    shown = _to_map(lines)
    if not shown:
        return None
    bare = [line.unit_name.removeprefix("Xã ").removeprefix("Phường ") for line in shown]
    return tiles([Mark(name, line.value, line.is_hidden) for name, line in zip(bare, shown, strict=True)])


def to_pair(rows: Sequence[Compared]) -> list[Pair]:
    """Rates that both sides have: what can be seen on one scale."""
    rates = [(row.line, row.values) for row in rows if row.line.unit_measure == "PERCENT"]
    return [Pair(f"{line.indicator_code} {line.indicator_name}", *values) for line, values in rates if values is not None]


def paired(rows: Sequence[Compared]) -> bytes | None:
    """Both sides of each rate; nothing where they share none."""
    shown = to_pair(rows)
    return pairs(shown) if shown else None


def through_the_year(overview: Overview, unit_code: str, indicator_code: str, year: str) -> bytes | None:
    """An indicator of a unit month by month; nothing where fewer than two months have a value."""
    months = [part for part in parts(year) if period_type(part) == "month"]
    values = {"unit": unit_code, "indicator": indicator_code, "months": months}
    query = _MONTHS.format(view=overview.scope.view("indicator"))
    found = {row.period: row.value for row in overview.connection.execute(text(query), values)}
    points = [Mark(vi.period(month), found.get(month)) for month in months]
    return spark(points) if sum(point.value is not None for point in points) > 1 else None


_MONTHS = """
SELECT DISTINCT ON (period) period, value FROM {view}
WHERE unit_code = :unit AND indicator_code = :indicator AND period = ANY(:months) ORDER BY period, unit_valid_from DESC
"""
