"""The official tables: which years there are; a year by indicator and by unit; an indicator of all units; a unit with all indicators."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import groupby
from operator import attrgetter
from typing import TypeVar

from sqlalchemy import Connection, text

from tasks.ask import official_table
from tasks.ask.around import Around, around
from tasks.ask.notes import notes_of
from tasks.ask.official_table import UPPER, Line, Unit
from tasks.ask.overview import Overview
from tasks.ask.ranks import Key, Rank, key, ranks
from tasks.ask.restated import RestatedLine, restated_of_period
from tasks.report.drawings import charts_of
from tasks.report.form_06a_public import is_for
from tasks.report.hidden import note_on
from tasks.report.pages.compare import place as compare_place
from tasks.report.rendering import Page
from warehouse.names import LEVELS
from warehouse.periods import days, is_period

AnyLine = TypeVar("AnyLine", Line, RestatedLine)


def years(overview: Overview) -> Page:
    """The years, with their tables and files."""
    return Page("bieu", "years.html", {"years": official_table.years(overview.connection), "restated": _restated_years(overview)})


def year(overview: Overview, wanted: str) -> Page | None:
    """A year: its indicators and its units; nothing where nothing is published of it."""
    lines = _lines(overview, wanted, levels=together(overview))
    return _year(overview, wanted, lines, wanted in _restated_years(overview), overview.as_of) if lines else None


def indicator(overview: Overview, wanted: str, code: str) -> Page | None:
    """An indicator of a year in all units; nothing where nothing is published of it."""
    lines = _lines(overview, wanted, code, together(overview))
    return _indicator(overview, wanted, lines, overview.as_of) if lines else None


def units(overview: Overview, wanted: str) -> Page | None:
    """Every unit of the country in a period, to be found by its name; nothing where they all stand on the page of the period."""
    if together(overview) is not UPPER or not is_period(wanted) or overview.publication is None:
        return None
    content = {"year": wanted, "units": _units(overview.connection, wanted), "as_of": overview.as_of}
    return Page(f"bieu/{wanted}/don-vi", "units.html", content)


def together(overview: Overview) -> Collection[str]:
    """Levels whose units stand on one page: all of a province; for who sees the whole country, it and its provinces."""
    return UPPER if overview.is_country and overview.scope.codes is None else tuple(LEVELS)


def unit(overview: Overview, wanted: str, code: str) -> Page | None:
    """A unit with all indicators of a year; nothing where nothing is published of it."""
    connection, versions = overview.connection, versions_of(overview, wanted, code)
    lines = [line for one in versions for line in official_table.of_unit(connection, one, wanted, overview.scope)]
    if not lines:
        return None
    # Of its neighbours an account that is confined to the unit learns no value, only how many stand before it.
    places = ranks(official_table.neighbours(connection, lines, overview.scope))
    beside = around(connection, code, wanted)
    is_told = any(is_for(overview.scope, one, wanted) for one in versions)
    other = replace(beside, has_form=beside.has_form and is_told)
    return _unit(overview, wanted, lines, versions, overview.as_of, places, other)


def restated(overview: Overview, wanted: str) -> Page | None:
    """A year by units of today; nothing where it is not restated."""
    lines = _restated_lines(overview, wanted)
    return _restated(wanted, lines, overview.as_of) if lines else None


def restated_indicator(overview: Overview, wanted: str, code: str) -> Page | None:
    """An indicator of a year in all units of today."""
    lines = [line for line in _restated_lines(overview, wanted) if line.indicator_code == code]
    return _restated_indicator(wanted, lines, overview.as_of) if lines else None


def pages_of(
    overview: Overview, wanted: str, lines: Sequence[Line], again: Sequence[RestatedLine], as_of: datetime, *, by_unit: bool = True
) -> list[Page]:
    """All pages of a year from its lines, and from those by units of today; `by_unit`: also of each unit that has a line."""
    units = _units(overview.connection, wanted)
    of_unit: dict[str, list[Line]] = {}
    for line in lines if by_unit else ():
        of_unit.setdefault(line.unit_code, []).append(line)
    found = [_year(overview, wanted, lines, bool(again), as_of)]
    found += [_indicator(overview, wanted, part, as_of) for part in _by_indicator(lines)]
    places = ranks(lines)
    for code, part in of_unit.items():
        found.append(_unit(overview, wanted, part, [one for one in units if one.code == code], as_of, places))
    if again:
        found += [_restated(wanted, again, as_of), *(_restated_indicator(wanted, part, as_of) for part in _by_indicator(again))]
    return found


def _year(overview: Overview, wanted: str, lines: Sequence[Line], is_restated: bool, as_of: datetime) -> Page:
    units, theirs = _units(overview.connection, wanted), {line.unit_code for line in lines}
    by_unit = {code: list(part) for code, part in groupby(sorted(lines, key=attrgetter("unit_code")), attrgetter("unit_code"))}
    notes = notes_of(overview.connection, wanted, overview.scope)
    tables = _tables(lines)
    if is_of_country := together(overview) is UPPER:
        units.sort(key=lambda one: one.level != "country")
    content = {
        "year": wanted,
        "tables": tables,
        "units": [(one, Tally(by_unit[one.code])) for one in units if one.code in by_unit],
        "is_restated": is_restated,
        "hidden": note_on(_heads(tables), as_of),
        "notes": [note for note in notes if note.unit_code is None or note.unit_code in theirs],
        "as_of": as_of,
        "gathered": overview.gathered.get(wanted),
        "is_of_country": is_of_country,
    }
    return Page(f"bieu/{wanted}", "year.html", content)


class Tally:
    """How a unit's indicators of a year stand."""

    def __init__(self, lines: Sequence[Line]) -> None:
        self.valued = sum(line.value is not None for line in lines)
        self.met = sum(line.is_met is True for line in lines)
        self.missed = sum(line.is_met is False for line in lines)
        self.is_provisional = any(line.obs_status == "P" for line in lines)


def _indicator(overview: Overview, wanted: str, lines: Sequence[Line], as_of: datetime) -> Page:
    content = {"year": wanted, "head": lines[0], "lines": lines, "as_of": as_of, "charts": charts_of(lines)}
    content |= {"hidden": note_on(lines, as_of), "gathered": overview.gathered.get(wanted), "is_of_country": together(overview) is UPPER}
    return Page(f"bieu/{wanted}/{lines[0].indicator_code}", "indicator.html", content)


def _unit(
    overview: Overview,
    wanted: str,
    lines: Sequence[Line],
    versions: Sequence[Unit],
    as_of: datetime,
    places: Mapping[Key, Rank],
    other: Around | None = None,
) -> Page:
    """Versions of one code stand one after the other. `other`: what else there is of the unit, for the desk to lead to."""
    above = {one.within(wanted)[0]: one.parent_name for one in versions}
    by_version = groupby(sorted(lines, key=attrgetter("first_day")), attrgetter("first_day", "unit_shown"))
    parts = [(name, above.get(first), _tables(list(part))) for (first, name), part in by_version]
    content = {"year": wanted, "unit": versions[-1], "parts": parts, "as_of": as_of, "hidden": note_on(lines, as_of)}
    content |= {"rank_of": lambda line: places.get(key(line)), "is_ranked": any(key(line) in places for line in lines)}
    below = _below(overview, wanted, versions[-1].code) if overview.is_country and lines[0].unit_level != "commune" else []
    content |= {"other": other, "compare": compare_place, "below": below}
    content["gathered"] = overview.gathered.get(wanted) if versions[-1].level == "country" else None
    content["parent_code"] = max(lines, key=attrgetter("first_day")).parent_code
    return Page(f"bieu/{wanted}/don-vi/{versions[-1].code}", "unit.html", content)


@dataclass(frozen=True)
class Below:
    """The units right below another beside each other, in the indicators of an official table."""

    title: str
    heads: list[Line]
    """A line of each indicator."""
    rows: list[tuple[Line, list[Line | None]]]
    """A line that tells of the unit, and its line of each indicator."""
    hidden: str


def _below(overview: Overview, wanted: str, code: str) -> list[Below]:
    """What stands below a unit of the country, as a province's communes: they are on no page together with those of others."""
    lines, found = official_table.of_period(overview.connection, wanted, overview.scope, parents=[code]), []
    for title, part in official_table.sections(lines):
        heads, by_unit = [of_one[0] for of_one in _by_indicator(part)], defaultdict[tuple[str, date], dict[str, Line]](dict)
        for line in part:
            by_unit[line.unit_code, line.first_day][line.indicator_code] = line
        rows = [(next(iter(theirs.values())), [theirs.get(head.indicator_code) for head in heads]) for _, theirs in sorted(by_unit.items())]
        found.append(Below(title, heads, rows, note_on(part, overview.as_of)))
    return found


def _restated(wanted: str, lines: Sequence[RestatedLine], as_of: datetime) -> Page:
    tables = _tables(lines)
    content = {"year": wanted, "tables": tables, "as_of": as_of, "hidden": note_on(_heads(tables), as_of)}
    return Page(f"bieu/{wanted}/hien-nay", "restated.html", content)


def _restated_indicator(wanted: str, lines: Sequence[RestatedLine], as_of: datetime) -> Page:
    content = {"year": wanted, "head": lines[0], "lines": lines, "as_of": as_of, "hidden": note_on(lines, as_of)}
    return Page(f"bieu/{wanted}/hien-nay/{lines[0].indicator_code}", "restated_indicator.html", content)


def _tables(lines: Sequence[AnyLine]) -> list[tuple[str, list[tuple[AnyLine, int]]]]:
    """Official table → a line that tells of each of its indicators, that of the unit furthest up, and how many lines there are."""
    return [
        (title, [(part[0], len(part)) for part in _by_indicator(list(group))])
        for title, group in groupby(lines, attrgetter("official_table"))
    ]


def _heads(tables: Sequence[tuple[str, Sequence[tuple[Line, int]]]]) -> list[Line]:
    """The lines that are shown in tables."""
    return [head for _, part in tables for head, _ in part]


def _by_indicator(lines: Sequence[AnyLine]) -> list[list[AnyLine]]:
    return [list(part) for _, part in groupby(lines, attrgetter("indicator_code"))]


def _lines(overview: Overview, wanted: str, code: str | None = None, levels: Collection[str] = tuple(LEVELS)) -> list[Line]:
    if not is_period(wanted):
        return []
    return official_table.of_period(overview.connection, wanted, overview.scope, levels=levels, indicator=code)


def _restated_lines(overview: Overview, wanted: str) -> list[RestatedLine]:
    return restated_of_period(overview.connection, wanted, overview.scope, levels=together(overview))


def _units(connection: Connection, wanted: str) -> list[Unit]:
    return official_table.units_between(connection, *days(wanted)) if is_period(wanted) else []


def versions_of(overview: Overview, wanted: str, code: str) -> list[Unit]:
    """The versions of a unit there were in a period, by time; none of what is not for whoever looks."""
    return [one for one in _units(overview.connection, wanted) if one.code == code] if overview.scope.sees(code) else []


def _restated_years(overview: Overview) -> list[str]:
    """The years of which a unit that stands on the page of a year is restated."""
    query = (
        "SELECT DISTINCT period FROM warehouse.fact_indicator_restated JOIN warehouse.dim_unit USING (unit_key) "
        "WHERE known_to = 'infinity' AND length(period) = 4 AND unit_level = ANY(:levels)"
    )
    return list(overview.connection.scalars(text(query), {"levels": list(together(overview))}))
