"""Which published values are not for the public: the lines of a year and the sums between them → warehouse.indicator_confidentiality.

Looked at are the years in which a publication changed anything, after it is decided whether it goes out; all of them where the rules are
others, the threshold, or the units. Sums lie between units and those above them, between months, quarters and the year, and between a
unit of today and those that went into it. Indicators that count the same thing show the same cell.

What provinces signed, they have looked at before it left home: in an installation of the whole country what they withhold is withheld,
and a sum of what anybody may see gives nothing away.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from sqlalchemy import Connection, insert, text

from tasks.count.counting import Counting, fingerprint, leave_mark, marked
from tasks.count.small_groups import withheld
from warehouse import periods
from warehouse.bulk import BULK, analyze
from warehouse.confidentiality import confidentiality
from warehouse.indicators import in_force
from warehouse.periods import VIETNAM, days, parts
from warehouse.seed import is_country
from warehouse.tables import indicator_confidentiality
from warehouse.tables.bridge_unit_succession import WENT_ON

ITEM = "confidentiality"
"""Mark of a year, with the year behind it: what it was judged by. The view of what is public looks for it."""
UNITS = "confidentiality units"
"""Mark of the units whose sums were looked at."""

Place = tuple[int, str, bool]
"""Unit, period, and whether it is restated for a unit of today."""


def protect(connection: Connection, counting: Counting, changed: Collection[str], *, everything: bool = False) -> None:
    """Looks at the years that changed, and at those not looked at by the rules of today; a vintage changes nothing of what is shown."""
    if counting.is_vintage:
        return
    rules, withhold_in = confidentiality(), _withheld_by_provinces if is_country(connection) else _judge_year
    units = fingerprint(connection, [], ("dim_unit", "bridge_unit_lineage"), counting.contents)
    known = marked(connection, UNITS)
    everything = everything or known is None or known.fingerprint != units
    for year in connection.scalars(text(_YEARS)).all():
        mark = marked(connection, f"{ITEM} {year}")
        is_judged = mark is not None and mark.fingerprint == rules.fingerprint and not mark.is_altered
        if everything or year in changed or not (is_judged and mark and rules.on(_day(mark.as_of)) == rules.on(counting.today)):
            withhold_in(connection, year, counting)
            leave_mark(connection, f"{ITEM} {year}", counting, rules.fingerprint)
    leave_mark(connection, UNITS, counting, units)


def _withheld_by_provinces(connection: Connection, year: str, _counting: Counting) -> None:
    for statement in (_FORGET, _WITHHELD):
        connection.execute(text(statement), {"year": year, "periods": parts(year)})


_FORGET = "DELETE FROM warehouse.indicator_confidentiality WHERE left(period, 4) = :year"
_WITHHELD = """
INSERT INTO warehouse.indicator_confidentiality (period, indicator_code, unit_key, is_restated, conf_status)
SELECT period, indicator_code, unit_key, FALSE, conf_status FROM warehouse.fact_edition
WHERE known_to = 'infinity' AND period = ANY(:periods) AND conf_status IN ('A', 'D')
"""


def _day(moment: datetime) -> date:
    return moment.astimezone(VIETNAM).date()


def _judge_year(connection: Connection, year: str, counting: Counting) -> None:
    lines, sums = _shown(connection, year), _bound(connection, year, counting)
    below = confidentiality().on(counting.today).below
    found = []
    for together in _alike(lines):
        table = _Cells(together, sums)
        if not table.is_any_small(below):
            continue
        primary, besides = withheld(table.counts, table.sums, table.lines, below)
        for status, numbers in (("A", primary), ("D", besides)):
            for code, (unit_key, period, is_restated) in (table.names[number] for number in numbers):
                line = {"period": period, "indicator_code": code, "unit_key": unit_key, "is_restated": is_restated}
                found.append({**line, "conf_status": status})
    connection.execute(text(_FORGET), {"year": year})
    if found:
        connection.execute(insert(indicator_confidentiality), found)
    if len(found) > BULK:
        analyze(connection, indicator_confidentiality.fullname)


# Lines ------------------------------------------------------------------------------------------------------------------


@dataclass
class _Shown:
    """What an indicator shows in the places of a year."""

    code: str
    numerator_counts: str
    denominator_counts: str | None
    counts: dict[Place, tuple[int, int]] = field(default_factory=dict)
    """Place → numerator and denominator."""
    left_out: set[Place] = field(default_factory=set)
    """Places whose value nobody sees, and that no restated value holds (Q)."""

    def of_today(self, place: Place) -> Place:
        """The place of a unit of today: the one in which it is restated, where it is."""
        again = (place[0], place[1], True)
        return again if again in self.counts else (place[0], place[1], False)


def _shown(connection: Connection, year: str) -> list[_Shown]:
    found: dict[str, _Shown] = {}
    for row in connection.execute(text(_LINES), {"periods": parts(year), "exempt": list(confidentiality().exempt)}):
        shown = found.setdefault(row.indicator_code, _Shown(row.indicator_code, row.numerator_counts, row.denominator_counts))
        place = (row.unit_key, row.period, row.is_restated)
        shown.counts[place] = (row.numerator, row.denominator)
        if row.obs_status == "Q":
            shown.left_out.add(place)
    return list(found.values())


def _alike(lines: Collection[_Shown]) -> Iterator[list[_Shown]]:
    """Indicators that count anything in common, or that belong to one another: together."""
    belongs_to = confidentiality().belongs_to
    groups = [({belongs_to[one.code]} if one.code in belongs_to else _things(one), [one]) for one in lines]
    while groups:
        things, together = groups.pop()
        while near := [group for group in groups if group[0] & things]:
            for group in near:
                groups.remove(group)
                things |= group[0]
                together += group[1]
        yield together


def _things(one: _Shown) -> set[str]:
    return {one.code, one.numerator_counts, *filter(None, [one.denominator_counts])}


_YEARS = """
WITH RECURSIVE year AS (
    (SELECT left(period, 4) AS year FROM warehouse.fact_indicator WHERE known_to = 'infinity' ORDER BY period LIMIT 1)
  UNION ALL
    SELECT (SELECT left(period, 4) FROM warehouse.fact_indicator WHERE known_to = 'infinity' AND period >= (year.year::integer + 1)::text
        ORDER BY period LIMIT 1)
    FROM year WHERE year.year IS NOT NULL
)
SELECT year FROM year WHERE year IS NOT NULL
"""
"""From one to the next in the index, however many values there are."""

_LINES = """
SELECT i.indicator_code, i.numerator_counts, i.denominator_counts, f.unit_key, f.period, f.is_restated, f.numerator, f.denominator,
    f.obs_status
FROM (
    SELECT indicator_key, unit_key, period, FALSE AS is_restated, numerator, denominator, obs_status
    FROM warehouse.fact_indicator WHERE known_to = 'infinity' AND period = ANY(:periods)
    UNION ALL
    SELECT indicator_key, unit_key, period, TRUE, numerator, denominator, obs_status
    FROM warehouse.fact_indicator_restated WHERE known_to = 'infinity' AND period = ANY(:periods)
) f
JOIN warehouse.dim_indicator i USING (indicator_key)
WHERE i.known_to = 'infinity' AND i.indicator_code <> ALL(:exempt) AND f.numerator IS NOT NULL AND f.denominator IS NOT NULL
ORDER BY i.sort_order, i.indicator_code, f.period, f.unit_key, f.is_restated
"""


# Sums -------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Bound:
    """Places whose counts should add up to those of another."""

    kind: str
    """above: units below another, whose offices may handle something themselves; lineage: those that went into a unit of today; today:
    units of today below another."""
    total: Place
    parts: list[Place]
    at_end: list[Place]
    """Of these, those that there are at the end: what a stock is made of."""


def _bound(connection: Connection, year: str, counting: Counting) -> list[_Bound]:
    seen_to = {period: max(days(period)[0], min(days(period)[1], counting.today)) for period in parts(year)}
    asked = {
        "periods": list(seen_to),
        "firsts": [days(period)[0] for period in seen_to],
        "lasts": list(seen_to.values()),
        "today": counting.today,
    }
    found: dict[tuple[Place, str], _Bound] = {}
    for row in connection.execute(text(_PLACES.format(went_on=WENT_ON)), asked):
        total = (row.total_key, row.period, row.is_restated)
        bound = found.setdefault((total, row.kind), _Bound(row.kind, total, [], []))
        part = (row.part_key, row.period, False)
        bound.parts.append(part)
        if row.is_at_end:
            bound.at_end.append(part)
    return list(found.values())


# Units below others in a period; those that went into a unit of today; and units of today below others.
_PLACES = """
WITH RECURSIVE went_on AS ({went_on}), asked AS (
    SELECT unnest(CAST(:periods AS text[])) AS period, unnest(CAST(:firsts AS date[])) AS first_day,
        unnest(CAST(:lasts AS date[])) AS seen_to
)
SELECT 'above' AS kind, a.period, p.unit_key AS total_key, FALSE AS is_restated, u.unit_key AS part_key,
    least(p.valid_to, a.seen_to) BETWEEN u.valid_from AND u.valid_to AS is_at_end
FROM asked a
JOIN warehouse.dim_unit u ON u.unit_key <> 0 AND u.valid_from <= a.seen_to AND u.valid_to >= a.first_day
JOIN warehouse.dim_unit above ON above.unit_code = u.parent_code
    AND least(u.valid_to, a.seen_to) BETWEEN above.valid_from AND above.valid_to
LEFT JOIN went_on ON went_on.unit_key = above.unit_key AND went_on.since <= a.seen_to
JOIN warehouse.dim_unit p ON p.unit_key = coalesce(went_on.later_key, above.unit_key)
UNION ALL
SELECT 'lineage', a.period, l.unit_key, TRUE, l.earlier_key, a.seen_to BETWEEN e.valid_from AND e.valid_to
FROM asked a
JOIN warehouse.dim_unit u ON CAST(:today AS date) BETWEEN u.valid_from AND u.valid_to AND u.valid_from > a.first_day
JOIN warehouse.bridge_unit_lineage l ON l.unit_key = u.unit_key AND l.extent = 'whole'
JOIN warehouse.dim_unit e ON e.unit_key = l.earlier_key AND e.valid_from <= a.seen_to AND e.valid_to >= a.first_day
UNION ALL
SELECT 'today', a.period, p.unit_key, TRUE, u.unit_key, TRUE
FROM asked a
JOIN warehouse.dim_unit u ON u.unit_key <> 0 AND CAST(:today AS date) BETWEEN u.valid_from AND u.valid_to
JOIN warehouse.dim_unit p ON p.unit_code = u.parent_code AND CAST(:today AS date) BETWEEN p.valid_from AND p.valid_to
ORDER BY 1, 2, 3, 5
"""


# Cells ------------------------------------------------------------------------------------------------------------------


class _Cells:
    """Counts, sums and lines of indicators that are looked at together, as `withheld` takes them."""

    def __init__(self, together: Collection[_Shown], bound: Collection[_Bound]) -> None:
        self.counts: list[int] = []
        self.lines: list[list[int]] = []
        self.names: list[tuple[str, Place]] = []
        """Indicator and place of each line."""
        self._cells: dict[tuple[object, Place, int], int] = {}
        self._sums: dict[tuple[int, ...], None] = {}
        belongs_to = confidentiality().belongs_to
        roles = {one.code: self._roles(one) for one in together if one.code not in belongs_to}
        for one in together:
            told = roles.get(belongs_to.get(one.code, one.code), [])
            # Of an amount, the cells of the count that it belongs to; where that is not shown, the amount may be anybody's.
            own = [[role[place] for role in told if place in role] or [self._cell("unknown", place, 1)] for place in one.counts]
            self.names += ((one.code, place) for place in one.counts)
            self.lines += own
            if one.code in roles:
                self._add_up(one, told, bound)
                self._sums |= {(whole, part, between): None for part, whole, between in (cells for cells in own if len(cells) > 1)}

    @property
    def sums(self) -> list[tuple[int, ...]]:
        """Each once, however many indicators it is a sum of."""
        return list(self._sums)

    def is_any_small(self, below: int) -> bool:
        """Whether there is anything to hide."""
        return any(0 < count < below for count in self.counts)

    def _cell(self, what: object, place: Place, count: int) -> int:
        """The number of a cell: two indicators that count the same thing show the same one, unless one is not up to date."""
        key = (what, place, count)
        if key not in self._cells:
            self._cells[key] = len(self.counts)
            self.counts.append(count)
        return self._cells[key]

    def _roles(self, one: _Shown) -> list[dict[Place, int]]:
        """Numerator, denominator and what lies between them, as cells; of a plain count the number alone."""
        numerator = {place: self._cell(one.numerator_counts, place, part) for place, (part, _) in one.counts.items()}
        if one.denominator_counts is None:
            return [numerator]
        denominator = {place: self._cell(one.denominator_counts, place, whole) for place, (_, whole) in one.counts.items()}
        between = (one.numerator_counts, one.denominator_counts)
        return [
            numerator,
            denominator,
            {place: self._cell(between, place, whole - part) for place, (part, whole) in one.counts.items()},
        ]

    # Whatever adds up is taken for a sum, be it by chance: who reads the tables may do so as well.
    def _add_up(self, one: _Shown, roles: Sequence[dict[Place, int]], bound: Collection[_Bound]) -> None:
        """Notes the sums between the places of an indicator, for each of its cells."""
        declared = {period: in_force(one.code, days(period)[1]) for period in {period for _, period, _ in one.counts}}
        stocks = {period for period, each in declared.items() if each is not None and each.is_stock}
        handles = {period for period, each in declared.items() if each and each.is_additive and not each.counted_fact.counts_whole} - stocks
        for each in bound:
            period = each.total[1]
            total, among = each.total, each.at_end if period in stocks else each.parts
            if each.kind == "today":
                total, among = one.of_today(total), [one.of_today(part) for part in among]
            shown = [part for part in among if part in one.counts]
            if total not in one.counts or not shown:
                continue
            seen = [part for part in shown if part not in one.left_out] if each.kind == "lineage" else shown
            for cells in roles:
                may_hold_more = each.kind == "above" and period in handles
                if not self._adds_up(cells, total, seen, may_hold_more=may_hold_more) and seen != shown:
                    self._adds_up(cells, total, shown)
        inside = {period: list(_inside(period)) for period in declared}
        for place in one.counts:
            unit_key, period, is_restated = place
            for shorter in inside[period]:
                parts_of = [(unit_key, part, False) for part in shorter]
                shown = [part for part in (map(one.of_today, parts_of) if is_restated else parts_of) if part in one.counts]
                shown = shown[-1:] if period in stocks else shown
                held = [self._adds_up(cells, place, shown) for cells in roles]
                if all(held):
                    break

    def _adds_up(self, cells: dict[Place, int], total: Place, below: Collection[Place], *, may_hold_more: bool = False) -> bool:
        """Notes a sum where it is one, or becomes one by a cell that nobody shows."""
        among = [cells[part] for part in below]
        more = self.counts[cells[total]] - sum(self.counts[cell] for cell in among)
        if not among or more < 0 or (more > 0 and not may_hold_more):
            return False
        beside = [self._cell(("beside", *among), total, more)] if more else []
        self._sums[(cells[total], *among, *beside)] = None
        return True


def _inside(period: str) -> Iterator[list[str]]:
    """The quarters of a year, then its months; the months of a quarter."""
    for shorter in ("quarter", "month"):
        if found := [part for part in parts(period)[1:] if periods.period_type(part) == shorter]:
            yield found
