"""The periods that a night computes again: where something was counted or is counted otherwise, that ended, or whose units changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Date, text

from tasks.count.counting import Counting, ended_between, fingerprint, leave_mark, marked
from tasks.count.counts import Failed, as_of, count_rows, counted_by
from tasks.count.overpaid import tell_overpaid
from tasks.count.states import tell_the_planner
from tasks.indicators.expected import Expectations, expectations, turned
from tasks.indicators.publish import indicator_keys
from warehouse import periods
from warehouse.indicators import facts, indicators, listed_units
from warehouse.indicators.facts import CountedFact
from warehouse.seed import is_country
from warehouse.tables import metadata

ITEM = "indicators"
"""Mark of the table of indicators."""


@dataclass(frozen=True)
class Touched:
    """What has to be computed again."""

    periods: Mapping[str, set[str]]
    """Fact → periods in which its indicators may have another value or status; in others the published ones hold."""
    expectations: Expectations
    """What every indicator waits for."""
    published: set[str]
    """Periods of which anything is published."""
    is_of_country: bool
    """Whether everything is counted in the editions of provinces, instead of in facts of one's own."""

    def all(self) -> list[str]:
        """All periods in which anything is computed again, in the order of time."""
        return sorted(set().union(*self.periods.values()), key=lambda period: (periods.days(period), period))


# From one period to the next by the index: of each, a single line is read.
_PUBLISHED = """
WITH RECURSIVE published AS (
    SELECT min(period) AS period FROM warehouse.fact_indicator WHERE known_to = 'infinity'
  UNION ALL
    SELECT (SELECT min(f.period) FROM warehouse.fact_indicator f WHERE f.known_to = 'infinity' AND f.period > published.period)
    FROM published WHERE published.period IS NOT NULL
)
SELECT period FROM published WHERE period IS NOT NULL
"""
_PUBLISHED_THEN = "SELECT DISTINCT period FROM warehouse.fact_indicator WHERE known_from <= :as_of AND known_to > :as_of"


def touched(connection: Connection, counting: Counting, failed: Failed) -> Touched:
    """Brings what is kept counted up to date, and finds the periods that this, the calendar, the units and what came changed."""
    published = set(connection.scalars(text(_PUBLISHED_THEN if counting.is_vintage else _PUBLISHED), as_of(counting)))
    mark, now = marked(connection, ITEM), _laid_down(connection, counting)
    is_of_country = is_country(connection)
    counted = [name for name, fact in facts().items() if (fact.way == "editions") is is_of_country]
    periods_of = {name: _of_fact(connection, counting, name, facts()[name], published, failed) for name in counted}
    # In an edition stands what comes of every fact.
    found = {name: set().union(*periods_of.values()) if is_of_country else periods_of.get(name, set()) for name in facts()}
    awaited = expectations(connection, counting)
    for name, now_otherwise in turned(connection, awaited, indicator_keys(connection), published).items():
        found[name] |= now_otherwise
    for name, fact in facts().items():  # what is divided by the same numbers goes together
        if fact.divided_by is not None:
            found[fact.divided_by] |= found[name]
    for name, fact in facts().items():
        if fact.divided_by is not None:
            found[name] = found[fact.divided_by]
    if counting.is_vintage or mark is None or mark.fingerprint != now:
        everywhere = published
    else:
        everywhere = _moved_on(connection, published, mark.as_of, counting.as_of)
    leave_mark(connection, ITEM, counting, now)
    found = {name: everywhere.union(*(periods.containing(period) for period in found[name])) for name in facts()}
    return Touched(found, awaited, published, is_of_country)


def leave_marks(connection: Connection, counting: Counting, failed: Failed) -> None:
    """Marks how the facts that are counted by the period were counted: without the indicators that failed, which are tried again."""
    for name, fact in facts().items():
        if fact.way not in ("rows", "listed"):
            leave_mark(connection, name, counting, fingerprint(connection, counted_by(name, failed)))


def _laid_down(connection: Connection, counting: Counting) -> str:
    """What decides over values beside the counts: how indicators and lists are laid down, the units there are, the days there are."""
    last_day = str(connection.scalar(text("SELECT max(date_key) FROM warehouse.dim_date")))
    laid_down = [*map(repr, listed_units()), *(f"{i.version_name} {i.counted_as}" for i in indicators())]
    return fingerprint(connection, [last_day, *laid_down], ("dim_unit", "bridge_unit_succession"), counting.contents)


def _of_fact(connection: Connection, counting: Counting, name: str, fact: CountedFact, published: set[str], failed: Failed) -> set[str]:
    if fact.way == "listed":
        return set()
    if fact.way == "rows":
        changes = count_rows(connection, counting, name, failed)
        if name == "bill" and not counting.is_vintage:
            tell_overpaid(connection, changes)
        months = {month for change in changes for month in _months(connection, change.lines)}
        return months | (published if any(change.from_scratch for change in changes) else set())
    mark, now = marked(connection, name), fingerprint(connection, counted_by(name))
    if counting.is_vintage:
        return published | _of_rows(connection, fact, counting.states(str(fact.table)), published, as_of(counting))
    since = 0 if mark is None or mark.fingerprint != now else mark.load_id
    tell_the_planner(connection, counting, str(fact.table), since)
    if not since:
        return published | _of_rows(connection, fact, counting.states(str(fact.table)), published, {})
    changed = f"(SELECT * FROM {fact.fullname} WHERE loaded_by > :since UNION ALL SELECT * FROM {fact.fullname} WHERE ended_by > :since)"
    return _of_rows(connection, fact, changed, published, {"since": since})


def _months(connection: Connection, lines: str) -> Iterable[str]:
    """Months, of those there are days of, in which something was counted."""
    days = f"SELECT DISTINCT day FROM {lines} l WHERE part <= 1"
    return connection.scalars(text(f"SELECT DISTINCT d.month FROM ({days}) l JOIN warehouse.dim_date d ON d.date_key = l.day"))


def _of_rows(connection: Connection, fact: CountedFact, rows: str, published: set[str], values: Mapping[str, datetime | int]) -> set[str]:
    """Periods to which rows belong. Who holds something from a day on does so at the end of every period since."""
    day = fact.day(None)
    if fact.way == "holders":
        known = f"to_char(known_from AT TIME ZONE '{periods.VIETNAM}', 'YYYY-MM')"
        first, months = connection.execute(text(f"SELECT min({day}), array_agg(DISTINCT {known}) FROM {rows} f"), values).one()
        return set(months or []) | {period for period in published if first is not None and periods.days(period)[1] >= first}
    is_date = isinstance(metadata.tables[fact.fullname].columns[day].type, Date)
    period = f"to_char({day}, 'YYYY-MM')" if is_date else day
    found: Sequence[str] = connection.scalars(text(f"SELECT DISTINCT {period} FROM {rows} f"), values).all()
    return set(found)


def _moved_on(connection: Connection, published: set[str], before: datetime, now: datetime) -> set[str]:
    """Published periods that ended, and so are no longer provisional, or in which units changed, since the night before."""
    turned = {period for period in published if ended_between(period, before, now)}
    first, last = before.astimezone(periods.VIETNAM).date(), now.astimezone(periods.VIETNAM).date()
    units_changed = "valid_from > :first AND valid_from <= :last OR valid_to >= :first AND valid_to < :last"
    if connection.scalar(text(f"SELECT EXISTS (SELECT FROM warehouse.dim_unit WHERE {units_changed})"), {"first": first, "last": last}):
        turned |= {period for period in published if periods.days(period)[0] <= last and periods.days(period)[1] > first}
    return turned
