"""What changed since the last publication: for each fact the months whose rows are counted again, and the periods they lie in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, Table, text

from tasks.count.counts import DOSSIERS
from tasks.count.revisions import last_publication
from warehouse import periods
from warehouse.bulk import analyze
from warehouse.indicators import FACTS, Fact
from warehouse.tables import fact_bill, fact_dossier, fact_payment, fact_signature, fact_signature_holder, fact_survey, fact_unit_count

_BULK = 5_000
"""Rows of a feed loaded since the last publication from which the planner has to be told anew what its fact holds."""


@dataclass(frozen=True)
class Changes:
    """What has to be computed again."""

    from_scratch: bool
    """Nothing was published yet, or the way of counting changed."""
    months: dict[Fact, list[str]]
    """Months in which rows of a fact were added, changed or ended."""
    periods: dict[Fact, set[str]]
    """Periods in which indicators of a fact may have another value or status; in others the published ones hold."""

    def touched(self) -> list[str]:
        """All periods in which anything is computed again, in the order of time."""
        return sorted(set().union(*self.periods.values()), key=lambda period: (periods.days(period), period))


@dataclass(frozen=True)
class _Feed:
    """Where the rows of a feed are, in what they are counted, and which periods they belong to."""

    table: Table
    facts: tuple[Fact, ...]
    periods: str
    """Query of the periods of those rows that are {new}."""
    row: str = "f"
    """Alias of the table there."""


# What offices, carriers and persons count is divided by the same populations.
_BY_OFFICES: tuple[Fact, ...] = ("unit_count", "signature", "signature_holder")


def _months(days: str) -> str:
    return f"SELECT DISTINCT to_char(day, 'YYYY-MM') FROM (SELECT DISTINCT {days}) days WHERE day IS NOT NULL"


_FEEDS: dict[str, _Feed] = {
    "dossiers": _Feed(
        fact_dossier,
        ("dossier",),
        _months(f"day FROM ({DOSSIERS} WHERE {{new}}) dossier CROSS JOIN LATERAL (VALUES (received), (ended)) happened (day)"),
        row="d",
    ),
    "bills": _Feed(fact_bill, ("bill",), _months("billing_month AS day FROM warehouse.fact_bill f WHERE {new}")),
    "payments": _Feed(
        fact_payment,
        ("bill",),
        _months(
            "b.billing_month AS day FROM warehouse.fact_payment f "
            "JOIN warehouse.fact_bill b ON b.row_key = f.bill_key AND b.known_to = 'infinity' WHERE {new}"
        ),
    ),
    "surveys": _Feed(fact_survey, ("survey",), _months("asked_on AS day FROM warehouse.fact_survey f WHERE {new}")),
    "unit_counts": _Feed(fact_unit_count, _BY_OFFICES, "SELECT DISTINCT period FROM warehouse.fact_unit_count f WHERE {new}"),
    "signatures": _Feed(fact_signature, _BY_OFFICES, "SELECT DISTINCT month FROM warehouse.fact_signature f WHERE {new}"),
    "signature_holders": _Feed(
        fact_signature_holder,
        _BY_OFFICES,
        _months(f"(known_from AT TIME ZONE '{periods.VIETNAM}')::date AS day FROM warehouse.fact_signature_holder f WHERE {{new}}"),
    ),
}

# Rows of the deliveries that are new, and rows that a new delivery closed: each by its own index.
_NEW_ROWS = "({row}.delivery_id = ANY(:deliveries) OR {row}.known_to <> 'infinity' AND {row}.known_to = ANY(:exported_at))"

# A delivery made no later than one that is published may take states back and leaves no mark where they were.
# One that is loaded again, for rows that waited, only adds to what it said.
_NEW_DELIVERIES = """
SELECT d.feed, d.delivery_id, d.exported_at, d.rows_loaded,
    d.received_at > :since AND EXISTS (
        SELECT FROM ops.delivery o
        WHERE o.feed = d.feed AND (o.provider = d.provider OR d.feed = 'dossiers') AND o.exported_at >= d.exported_at
          AND o.loaded_at <= :since AND o.status IN ('loaded', 'superseded')
    ) AS is_late
FROM ops.delivery d
WHERE d.status IN ('loaded', 'superseded') AND d.loaded_at > coalesce(CAST(:since AS timestamptz), '-infinity')
"""

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


def changes(connection: Connection, as_of: datetime) -> Changes:
    """Finds what new deliveries, the calendar and the units changed since the last publication."""
    last = last_publication(connection)
    counted_otherwise = "SELECT bool_or(counted_since > :published_at) FROM warehouse.dim_indicator WHERE known_to = 'infinity'"
    from_scratch = last is None or bool(connection.scalar(text(counted_otherwise), {"published_at": last.published_at}))
    since = None if from_scratch or last is None else last.published_at
    new = connection.execute(text(_NEW_DELIVERIES), {"since": since}).all()
    published = set(connection.scalars(text(_PUBLISHED)))
    _refresh_statistics(connection, new)

    found: dict[Fact, set[str]] = {fact: set() for fact in FACTS}
    for name, feed in _FEEDS.items():
        touched = _touched_by(connection, name, new, published, from_scratch)
        for fact in feed.facts:
            found[fact] |= touched
    everywhere = published if last is None or from_scratch else _moved_on(connection, published, last.as_of, as_of)
    return Changes(
        from_scratch,
        {fact: sorted(period for period in found[fact] if periods.period_type(period) == "month") for fact in FACTS},
        {fact: everywhere.union(*(periods.containing(period) for period in found[fact])) for fact in FACTS},
    )


def ended(period: str, as_of: datetime) -> bool:
    """Whether the last second of a period lies behind: a night's state of knowledge is the end of its day."""
    return (as_of + timedelta(seconds=1)).astimezone(periods.VIETNAM).date() > periods.days(period)[1]


def _touched_by(connection: Connection, name: str, new: Sequence[Row[Any]], published: set[str], from_scratch: bool) -> set[str]:
    """Periods to which rows of a feed were added, or in which they were changed or ended."""
    feed, arrived = _FEEDS[name], [delivery for delivery in new if delivery.feed == name]
    # A new list of agencies may have given dossiers another unit, which leaves no mark on their rows.
    everything = from_scratch or (name == "dossiers" and any(d.feed == "agencies" and d.rows_loaded for d in new))
    if not (everything or arrived) or (from_scratch and name == "payments"):  # which lie in the months of their bills
        return set()
    which = "TRUE" if everything else _NEW_ROWS.format(row=feed.row)
    rows = {"deliveries": [d.delivery_id for d in arrived], "exported_at": [d.exported_at for d in arrived]}
    found = set(connection.scalars(text(feed.periods.format(new=which)), {} if everything else rows))
    if any(d.is_late for d in arrived):
        found |= published
    if name == "signature_holders":
        # A holder counts at the end of every period from the day of issue on.
        first_issued = "SELECT min(issued_on) FROM warehouse.fact_signature_holder WHERE delivery_id = ANY(:deliveries)"
        issued = connection.scalar(text(first_issued), rows)
        found |= {period for period in published if issued is not None and periods.days(period)[1] >= issued}
    return found


def _moved_on(connection: Connection, published: set[str], before: datetime, now: datetime) -> set[str]:
    """Published periods that ended, and so are no longer provisional, or in which units changed, since the night before."""
    turned = {period for period in published if ended(period, now) and not ended(period, before)}
    first, last = before.astimezone(periods.VIETNAM).date(), now.astimezone(periods.VIETNAM).date()
    units_changed = "valid_from > :first AND valid_from <= :last OR valid_to >= :first AND valid_to < :last"
    if connection.scalar(text(f"SELECT EXISTS (SELECT FROM warehouse.dim_unit WHERE {units_changed})"), {"first": first, "last": last}):
        turned |= {period for period in published if periods.days(period)[0] <= last and periods.days(period)[1] > first}
    return turned


def _refresh_statistics(connection: Connection, new: Sequence[Row[Any]]) -> None:
    """Tells the planner about facts of which much is new: nobody else does between the load and the publication."""
    for name, feed in _FEEDS.items():
        if sum(delivery.rows_loaded for delivery in new if delivery.feed == name) > _BULK:
            analyze(connection, feed.table)
