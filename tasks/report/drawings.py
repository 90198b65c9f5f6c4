"""Which charts stand beside the official tables: the units of an indicator in a period, and an indicator of a unit through the year."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from sqlalchemy import text

from tasks.ask.comparison import Compared
from tasks.ask.official_table import Line
from tasks.ask.overview import Overview
from tasks.report.plots import Mark, Pair, pairs, ranking, spark, tiles, trend
from tasks.words import vietnamese as vi
from warehouse.periods import days, months

MOST_BARS, MOST_TILES = 40, 240
"""More units than that are not told apart by anybody."""
FEWEST = 3
"""Fewer are read faster than looked at."""


RANKING, MAP = "hang", "ban-do"
"""Names of the charts of an indicator's units, in their addresses."""


@dataclass(frozen=True)
class Chart:
    """A chart of an indicator's units, with all that it shows."""

    name: str
    words: str
    """What it shows."""
    marks: tuple[Mark, ...]
    unit_measure: str
    target: Decimal | None = None

    def drawn(self) -> bytes:
        """The chart as SVG."""
        return tiles(self.marks) if self.name == MAP else ranking(self.marks, self.unit_measure, self.target)


def charts_of(lines: Sequence[Line]) -> list[Chart]:
    """The charts that there are of an indicator's units: none where they would say nothing. Of provinces, those at its end."""
    found = []
    country = next((line for line in lines if line.unit_level == "country"), None)
    if country is not None:
        lines = [replace(line, first_day=days(line.period)[0]) for line in lines if line.last_day == days(line.period)[1]]
    if bars := _to_rank(lines):
        words = f"{vi.number(len(bars))} đơn vị, từ cao xuống thấp"
        marks = tuple(Mark(line.unit_shown, line.value) for line in bars)
        target = bars[0].target if country is None else country.target  # a province may have one of its own
        found.append(Chart(RANKING, words, marks, bars[0].unit_measure, target))
    if communes := _to_map(lines):
        units = "tỉnh" if communes[0].unit_level == "province" else "xã, phường"
        words = f"{vi.number(len(communes))} {units} theo thứ tự mã, càng đậm càng cao; ô xám là {_grey(communes)}"
        marks = tuple(Mark(_short(line.unit_name), line.value, line.is_hidden) for line in communes)
        found.append(Chart(MAP, words, marks, communes[0].unit_measure))
    return found


def _grey(communes: Sequence[Line]) -> str:
    """What the tiles without a value are."""
    hidden = [line.is_hidden for line in communes if line.value is None]
    kinds = {"chưa có số liệu": not all(hidden) or not hidden, f"số không công khai ({vi.HIDDEN})": any(hidden)}
    return " hoặc ".join(words for words, is_there in kinds.items() if is_there)


def _short(name: str) -> str:
    """A unit's name on a tile: without its kind."""
    return next((name.removeprefix(kind) for kind in ("Xã ", "Phường ", "Tỉnh ", "Thành phố ") if name.startswith(kind)), name)


def _to_rank(lines: Sequence[Line]) -> list[Line]:
    """The units of the lowest level at which they can be told apart; of the country, its provinces."""
    for level in _levels(lines):
        shown = [line for line in lines if line.unit_level == level]
        if FEWEST <= len(shown) <= MOST_BARS and any(line.value is not None for line in shown):
            return shown
    return []


def _levels(lines: Sequence[Line]) -> tuple[str, ...]:
    return ("province",) if any(line.unit_level == "country" for line in lines) else ("commune", "district")


def _to_map(lines: Sequence[Line]) -> list[Line]:
    """Every commune, or province of the country, in the order of the codes, which goes by neighbourhood; none of too few or too many."""
    shown = [line for line in lines if line.unit_level == _levels(lines)[0]]
    return shown if FEWEST <= len(shown) <= MOST_TILES and any(line.value is not None for line in shown) else []


def to_pair(rows: Sequence[Compared]) -> list[Pair]:
    """Rates that both sides have: what can be seen on one scale."""
    rates = [(row.line, row.values) for row in rows if row.line.unit_measure == "PERCENT"]
    return [Pair(f"{line.indicator_code} {line.indicator_name}", *values) for line, values in rates if values is not None]


def paired(rows: Sequence[Compared]) -> bytes | None:
    """Both sides of each rate; nothing where they share none."""
    shown = to_pair(rows)
    return pairs(shown) if shown else None


def has_trend(lines: Sequence[Line] | Sequence[Mark]) -> bool:
    """Whether months of a year have values enough to see which way they go."""
    return sum(line.value is not None for line in lines) > 1


def month_by_month(lines: Sequence[Line]) -> bytes | None:
    """An indicator of a unit month by month, to be read; nothing where fewer than two months have a value."""
    if not has_trend(lines):
        return None
    return trend([Mark(line.period[5:], line.value) for line in lines], lines[0].unit_measure, lines[0].target)


def through_the_year(overview: Overview, unit_code: str, indicator_code: str, year: str) -> bytes | None:
    """An indicator of a unit month by month; nothing where fewer than two months have a value."""
    values = {"unit": unit_code, "indicator": indicator_code, "months": months(year)}
    query = _MONTHS.format(view=overview.scope.view("indicator"))
    found = {row.period: row.value for row in overview.connection.execute(text(query), values)}
    points = [Mark(vi.period(month), found.get(month)) for month in months(year)]
    return spark(points) if has_trend(points) else None


_MONTHS = """
SELECT DISTINCT ON (period) period, value FROM {view}
WHERE unit_code = :unit AND indicator_code = :indicator AND period = ANY(:months) ORDER BY period, unit_valid_from DESC
"""
