"""Which deliveries a value waits for: the sources of each indicator, how far each has spoken, and until when the next is due.

A period is complete for an indicator once every source of it has spoken to the period's end. An office speaks for the periods of
its report; all others for the days before the export, and where their files say a stretch, for no more than that. A source that
sends once is never awaited, nor one of which a steward said that no more will come (ops.completion). A survey stands for itself.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, text

from expectations.contract import Contract, contract
from tasks.count.counting import Counting
from tasks.count.revisions import Publication
from tasks.deliveries.coverage import Stretch, last_day_over
from tasks.deliveries.rhythm import RHYTHMS
from warehouse import periods
from warehouse.bulk import analyze
from warehouse.indicators import Indicator, facts, indicators
from warehouse.seed import sync_rows
from warehouse.tables import source


@dataclass(frozen=True)
class Speaker:
    """A source, and for what it has spoken up to a state of knowledge."""

    name: str
    contract: Contract
    layout: str
    expected: str
    tells: frozenset[str]
    """Measures or services that it has ever told of."""
    until: date | None
    """Last day for which it has spoken; nothing where nothing was taken of it."""
    stretches: tuple[Stretch, ...]
    """What its files were about, where each says a month or more: a month between them that none is about is missing."""
    closed: frozenset[str]
    """Periods for which a steward said that no more will come."""

    def is_closed(self, period: str) -> bool:
        """Whether no more will come for a period."""
        return any(wider in self.closed for wider in periods.containing(period))

    def is_awaited(self, period: str) -> bool:
        """Whether it has still to speak for a period, or for a part of it."""
        if self.expected not in RHYTHMS or self.is_closed(period):
            return False
        first, last = periods.days(period)
        if self.until is None or self.until < last:
            return True
        steps = RHYTHMS[self.expected].steps(first, last) if self.stretches else []
        return any(all(told.last < begins or told.first > ends for told in self.stretches) for begins, ends in steps)

    def due(self, period: str) -> date:
        """The day by which its next delivery is due."""
        after = periods.days(period)[0] if self.until is None else self.until + timedelta(days=1)
        return RHYTHMS[self.expected].due(after)


@dataclass(frozen=True)
class Expected:
    """What an indicator waits for in a period."""

    data_until: date | None
    next_due: date | None
    awaited: list[str]
    is_closed: bool


@dataclass(frozen=True)
class Expectations:
    """What every indicator waits for, as a state of knowledge has it."""

    speakers: tuple[Speaker, ...]
    _found: dict[tuple[str, str], Expected] = field(default_factory=dict, repr=False)

    def of(self, indicator: Indicator, period: str) -> Expected:
        """What an indicator waits for in a period."""
        key = (indicator.version_name, period)
        if key not in self._found:
            self._found[key] = self._judged(indicator, period)
        return self._found[key]

    def _judged(self, indicator: Indicator, period: str) -> Expected:
        speakers = [speaker for speaker in self.speakers if _speaks_of(speaker, indicator)]
        spoken = [speaker.until for speaker in speakers if speaker.until is not None]
        awaited = [] if indicator.is_sample else [speaker for speaker in speakers if speaker.is_awaited(period)]
        return Expected(
            min((*spoken, periods.days(period)[1])) if spoken else None,
            min((speaker.due(period) for speaker in awaited), default=None),
            sorted(speaker.name for speaker in awaited),
            bool(speakers) and all(speaker.is_closed(period) for speaker in speakers),
        )


# Who speaks -----------------------------------------------------------------------------------------------------------

_SPOKEN = """
WITH taken AS (
    SELECT source, business_period, exported_at, tells FROM ops.delivery
    WHERE loaded_at IS NOT NULL AND status <> 'rejected' AND exported_at <= :as_of
), told AS (
    SELECT source, array_agg(DISTINCT tell) AS tells FROM taken CROSS JOIN unnest(tells) tell GROUP BY source
), closed AS (
    SELECT source, array_agg(period) AS closed FROM ops.completion GROUP BY source
), spoken AS (  -- of a source that sends every day, the last word is enough
    SELECT source, CASE WHEN expected <> 'daily' THEN business_period END AS business_period, max(exported_at) AS exported_at
    FROM taken JOIN ops.source USING (source) GROUP BY 1, 2
)
SELECT source, feed, layout, expected, business_period, exported_at, coalesce(tells, '{}') AS tells, coalesce(closed, '{}') AS closed
FROM ops.source LEFT JOIN spoken USING (source) LEFT JOIN told USING (source) LEFT JOIN closed USING (source)
ORDER BY source, exported_at
"""


def expectations(connection: Connection, counting: Counting) -> Expectations:
    """For what the sources of sources.yaml have spoken, by the deliveries made up to the state of knowledge."""
    spoken: dict[str, list[Any]] = {}
    for row in connection.execute(text(_SPOKEN), {"as_of": counting.as_of}):
        spoken.setdefault(row.source, []).append(row)
    return Expectations(tuple(_speaker(rows) for rows in spoken.values()))


def _speaker(rows: list[Any]) -> Speaker:
    first, terms = rows[0], contract(rows[0].feed)
    taken = [(row.exported_at, _stretch(row.business_period)) for row in rows if row.exported_at is not None]
    is_report = terms.period_column in terms.scope
    stretches = [stretch for _, stretch in taken if stretch is not None and not stretch.is_day]
    # A report is judged unit by unit (tasks.count.counts), and what holds until it is told otherwise leaves no gap.
    may_leave_gaps = terms.period_column is not None and not is_report and len(stretches) == len(taken)
    return Speaker(
        first.source,
        terms,
        first.layout,
        first.expected,
        frozenset(first.tells),
        max((_until(exported_at, stretch, is_report=is_report) for exported_at, stretch in taken), default=None),
        tuple(stretches) if may_leave_gaps else (),
        frozenset(first.closed),
    )


def _stretch(business_period: str | None) -> Stretch | None:
    try:
        return None if business_period is None else Stretch.of(business_period)
    except ValueError:  # a wave, a document
        return None


def _until(exported_at: datetime, said: Stretch | None, *, is_report: bool) -> date:
    """The last day for which a delivery speaks: of the period of its report, else the last that was over when it was made."""
    if is_report and said is not None:
        return said.last
    over = last_day_over(exported_at)
    return over if said is None else min(over, said.last)


def _speaks_of(speaker: Speaker, indicator: Indicator) -> bool:
    """Whether a source sends what an indicator counts; of one that tells several things, those that it has told of."""
    fact = indicator.counted_fact
    wholes = None if fact.divided_by is None else facts()[fact.divided_by]
    if fact.table == speaker.contract.table:
        if fact.way == "reports":
            return bool({indicator.numerator, indicator.denominator} & speaker.tells)
        named = {told for told in speaker.tells if f"'{told}'" in indicator.denominator}
        return bool(named) if speaker.contract.tells is not None else True
    if wholes is not None and wholes.table == speaker.contract.table:
        return indicator.denominator in speaker.tells
    if fact.beside is not None and fact.beside.table == speaker.contract.table:
        return fact.beside.by.removesuffix("_key") + "_code" in speaker.contract.layouts[speaker.layout].columns
    return False


# What is kept of it ---------------------------------------------------------------------------------------------------

_IN_FORCE = "SELECT indicator_key, period, data_until, next_due, awaited, is_closed FROM warehouse.fact_reach WHERE known_to = 'infinity'"


def turned(connection: Connection, found: Expectations, keys: Mapping[str, int], published: Collection[str]) -> dict[str, set[str]]:
    """Fact → published periods that are awaited for an indicator of it otherwise than when they were published last."""
    known = {(row.indicator_key, row.period): (bool(row.awaited), row.is_closed) for row in connection.execute(text(_IN_FORCE))}
    otherwise: dict[str, set[str]] = {}
    for indicator, period in _shown(published):
        now = found.of(indicator, period)
        if known.get((keys[indicator.version_name], period), (False, False)) != (bool(now.awaited), now.is_closed):
            otherwise.setdefault(indicator.fact, set()).add(period)
    return otherwise


def leave_expected(connection: Connection, found: Expectations, keys: Mapping[str, int], looked_at: Iterable[str]) -> None:
    """Leaves what every indicator waits for in some periods in the temporary table `expected`."""
    connection.execute(text(_TEMPORARY))
    rows = [
        {"indicator_key": keys[indicator.version_name], "period": period, **vars(found.of(indicator, period))}
        for indicator, period in _shown(looked_at)
    ]
    if rows:
        connection.execute(text(_LEAVE), rows)
    analyze(connection, "expected")


def keep_spoken(connection: Connection, counting: Counting, found: Expectations) -> None:
    """Keeps up to which day each source has spoken; a vintage knows less, and keeps nothing of it."""
    if not counting.is_vintage:
        spoken = [{"source": speaker.name, "data_until": speaker.until} for speaker in found.speakers]
        sync_rows(connection, source, spoken, ["source"])


def keep_reach(connection: Connection, publication: Publication) -> None:
    """Keeps what differs in `expected` from what is known, as known from the publication on; a vintage keeps what was known then."""
    if not publication.is_vintage:
        for statement in (_END, _KEEP):
            connection.execute(text(statement), {"as_of": publication.as_of})


_TEMPORARY = """
DROP TABLE IF EXISTS expected;
CREATE TEMPORARY TABLE expected
  (indicator_key smallint, period text, data_until date, next_due date, awaited text[], is_closed boolean,
   PRIMARY KEY (indicator_key, period)) ON COMMIT DROP
"""
_LEAVE = "INSERT INTO expected VALUES (:indicator_key, :period, :data_until, :next_due, CAST(:awaited AS text[]), :is_closed)"

_END = """
UPDATE warehouse.fact_reach f SET known_to = :as_of
FROM expected e
WHERE f.known_to = 'infinity' AND (f.indicator_key, f.period) = (e.indicator_key, e.period)
  AND (f.data_until, f.next_due, f.awaited, f.is_closed) IS DISTINCT FROM (e.data_until, e.next_due, e.awaited, e.is_closed)
"""
_KEEP = """
INSERT INTO warehouse.fact_reach (indicator_key, period, data_until, next_due, awaited, is_closed, known_from)
SELECT e.*, :as_of FROM expected e
WHERE (indicator_key, period) NOT IN (SELECT indicator_key, period FROM warehouse.fact_reach WHERE known_to = 'infinity')
ON CONFLICT (indicator_key, period, known_from) DO UPDATE
    SET data_until = excluded.data_until, next_due = excluded.next_due, awaited = excluded.awaited, is_closed = excluded.is_closed,
        known_to = 'infinity'
"""


def _shown(looked_at: Iterable[str]) -> Iterator[tuple[Indicator, str]]:
    """Indicators and periods, each by the version that shows it."""
    for period in looked_at:
        last = periods.days(period)[1]
        yield from ((indicator, period) for indicator in indicators() if indicator.listed_from <= last <= indicator.listed_to)
