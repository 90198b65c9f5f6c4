"""What stands beside values so that others can read them alone: their units, what was counted, who sent it, and what moved since."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import Connection, text

from expectations.contract import contract, feeds
from tasks.ask.official_table import Line
from tasks.ask.province_editions import gathered
from tasks.indicators.moved import period_of, tables_of, touched_by
from warehouse.indicators import in_force, indicators
from warehouse.indicators.here import counted_here
from warehouse.periods import days

Key = tuple[str, str, date]
"""Indicator, unit and first day of a value in its period."""


@dataclass(frozen=True)
class NamedUnit:
    """A unit in one of its versions, as it was called."""

    code: str
    name: str
    kind: str
    level: str
    parent_code: str | None
    valid_from: date
    valid_to: date


@dataclass(frozen=True)
class Definition:
    """A version of an indicator, as it was declared."""

    indicator_code: str
    version: int
    name: str
    name_en: str
    definition: str
    definition_en: str
    legal_source: str
    official_table: str
    pillar: str
    unit_measure: str
    decimals: int
    valid_from: date
    valid_to: date


@dataclass(frozen=True)
class Moved:
    """A value that is another than the edition before said, and whose deliveries came between."""

    indicator_code: str
    unit_code: str
    first_day: date
    sources: tuple[str, ...]
    """What officials call the sources that sent rows of it; none where the definition or the status alone is another."""


@dataclass(frozen=True)
class Annex:
    """All that an edition says beside its values."""

    units: list[NamedUnit]
    definitions: list[Definition]
    sources: list[str]
    """Who sends, as officials call it; of the country, the provincial editions that its numbers rest on."""
    moved: list[Moved]
    missing: list[str] | None = None
    """Provinces that the country's numbers are without; nothing where they are not the country's."""


def annex_of(
    connection: Connection,
    lines: Sequence[Line],
    period: str,
    as_of: datetime,
    before: Collection[Line] = (),
    loads: tuple[int, int] = (0, 0),
) -> Annex:
    """What stands beside the values of a period as they were known at a time.

    `before`: those of the edition before, to say what moved; `loads`: the last load that each of both counted.
    """
    units = _units(connection, [*lines, *before], period)
    of_provinces = gathered(connection).get(period)
    return Annex(
        units,
        _definitions(connection, as_of),
        list(connection.scalars(text(_SOURCES))) if of_provinces is None else [one.citation for one in of_provinces.there],
        _moved(connection, different(before, lines), period, units, loads) if before else [],
        None if of_provinces is None else of_provinces.missing,
    )


_SOURCES = "SELECT DISTINCT title FROM ops.source WHERE title <> '' ORDER BY title"


def key_of(line: Line) -> Key:
    """What a value is the value of, in its period."""
    return line.indicator_code, line.unit_code, line.first_day


def told(line: Line | None) -> tuple[int | None, int | None, Decimal | None, str] | None:
    """What a value says; nothing where there is none."""
    return None if line is None else (line.numerator, line.denominator, line.value, line.obs_status)


def different(before: Iterable[Line], lines: Iterable[Line]) -> list[tuple[Line | None, Line | None]]:
    """The values that are no longer what they were, each as it was and as it is: those of today in their order, then what is gone."""
    then, now = {key_of(line): line for line in before}, {key_of(line): line for line in lines}
    return [(then.get(key), now.get(key)) for key in {**now, **then} if told(then.get(key)) != told(now.get(key))]


# Units ------------------------------------------------------------------------------------------------------------------

_UNITS = """
SELECT unit_code, unit_name, unit_kind, unit_level, parent_code, valid_from, valid_to FROM warehouse.dim_unit
WHERE unit_key <> 0 AND valid_from <= :last AND valid_to >= :first ORDER BY unit_code, valid_from
"""


def _units(connection: Connection, lines: Iterable[Line], period: str) -> list[NamedUnit]:
    """The units of values, and those above them, that were there in a period."""
    first, last = days(period)
    found = [NamedUnit(*row) for row in connection.execute(text(_UNITS), {"first": first, "last": last})]
    above = above_of(found)
    valued: dict[str, set[date]] = defaultdict(set)
    for line in lines:
        valued[line.unit_code].add(line.first_day)
    over = {code for unit in valued for code in above.get(unit, set()) - {unit}}
    return [
        unit for unit in found if unit.code in over or any(unit.valid_from <= day <= unit.valid_to for day in valued.get(unit.code, ()))
    ]


def above_of(units: Sequence[NamedUnit]) -> dict[str, set[str]]:
    """Code → itself and the codes of all units above it at any time."""
    parents: dict[str, set[str]] = defaultdict(set)
    for unit in units:
        parents[unit.code] |= {unit.parent_code} - {None} if unit.parent_code else set()
    found: dict[str, set[str]] = {}
    for code in parents:
        chain, waiting = {code}, [code]
        while waiting:
            new = parents.get(waiting.pop(), set()) - chain
            chain |= new
            waiting += new
        found[code] = chain
    return found


# Definitions ------------------------------------------------------------------------------------------------------------

_DEFINITIONS = """
SELECT indicator_code, version, indicator_name, definition, legal_source, official_table, pillar, unit_measure, decimals,
    valid_from, valid_to
FROM warehouse.dim_indicator WHERE known_from <= :as_of AND known_to > :as_of ORDER BY sort_order, indicator_code, version
"""


def _definitions(connection: Connection, as_of: datetime) -> list[Definition]:
    """Every version of every indicator as it was declared at a time; in English where the declaration of today is still that one."""
    english = {(i.code, i.version, i.name, i.definition): (i.name_en, i.definition_en) for i in indicators()}
    found = []
    for code, version, name, definition, *rest in connection.execute(text(_DEFINITIONS), {"as_of": as_of}):
        name_en, definition_en = english.get((code, version, name, definition), ("", ""))
        found.append(Definition(code, version, name, name_en, definition, definition_en, *rest))
    return found


# What moved -------------------------------------------------------------------------------------------------------------

_MOVED = """
SELECT DISTINCT coalesce(nullif(s.title, ''), d.source) AS source, d.feed, u.unit_code, m.period FROM (
    SELECT loaded_by AS load_id, unit_key, {period} AS period FROM warehouse.{table} f WHERE loaded_by > :since AND loaded_by <= :until
    UNION ALL
    SELECT ended_by, unit_key, {period} FROM warehouse.{table} f WHERE ended_by > :since AND ended_by <= :until
) m JOIN ops.load l USING (load_id) JOIN ops.delivery d USING (delivery_id) JOIN warehouse.dim_unit u USING (unit_key)
LEFT JOIN ops.source s ON s.source = d.source
"""


def _moved(
    connection: Connection,
    changed: Sequence[tuple[Line | None, Line | None]],
    period: str,
    units: Sequence[NamedUnit],
    loads: tuple[int, int],
) -> list[Moved]:
    """The values that changed, each with the sources whose rows of its fact, its period and its units came or ended between two loads."""
    above, by_table = above_of(units), dict[str, Mapping[tuple[str, bool], set[str]]]()
    found = []
    for line in (now or then for then, now in changed):
        assert line is not None  # noqa: S101  # of a pair, one is there
        indicator = in_force(line.indicator_code, days(period)[1])
        indicator = indicator and counted_here(connection, indicator)
        own, beside = ("", ()) if indicator is None or indicator.counted_fact.table is None else tables_of(indicator)
        sources: set[str] = set()
        for table in filter(None, (own, *beside)):
            if table not in by_table:
                by_table[table] = _moved_in(connection, table, period, above, loads)
            sources |= by_table[table].get((line.unit_code, True), set())
            if table != own:
                sources |= by_table[table].get((line.unit_code, False), set())
        found.append(Moved(line.indicator_code, line.unit_code, line.first_day, tuple(sorted(sources))))
    return found


def _moved_in(
    connection: Connection, table: str, period: str, above: Mapping[str, set[str]], loads: tuple[int, int]
) -> dict[tuple[str, bool], set[str]]:
    """Unit, and whether the rows were of the period itself → sources whose rows of it, or of a unit below, came or ended."""
    named = {feed for feed in feeds() if contract(feed).table == table}
    found: dict[tuple[str, bool], set[str]] = defaultdict(set)
    query = text(_MOVED.format(table=table, period=period_of(table)))
    for row in connection.execute(query, {"since": loads[0], "until": loads[1]}):
        if row.feed in named:
            is_of_it = row.period is None or period in touched_by(table, row.period)
            for code in above.get(row.unit_code, {row.unit_code}):
                found[code, is_of_it].add(row.source)
    return found
