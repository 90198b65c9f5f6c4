"""What is printed with an official table beside its values: what went out on somebody's word, and what was left out on it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, Row, text

from expectations.contract import contract
from tasks.ask.gate import INDICATOR, told
from tasks.ask.scope import Scope
from tasks.deliveries.coverage import Stretch
from tasks.words import vietnamese as vi
from warehouse.gate import gate
from warehouse.indicators import facts, indicators, official_tables
from warehouse.periods import VIETNAM, days


@dataclass(frozen=True)
class Note:
    """A sentence, and the official tables under which it stands."""

    official_tables: tuple[str, ...]
    words: str
    unit_code: str | None = None
    """The unit whose value it is about; nothing where a source is."""


def notes_of(connection: Connection, period: str, scope: Scope) -> list[Note]:
    """The notes on a period, in the order in which it was decided; what was left out after what went out."""
    stretch = Stretch(*days(period))
    accepted, of_rows = connection.execute(text(_ACCEPTED.format(told=told(scope))), {"period": period}), connection.execute(text(_OF_ROWS))
    return [_of_finding(row) for row in accepted if row.period is not None or _touches(row, stretch)] + [
        _of_rows(row) for row in of_rows if _touches(row, stretch)
    ]


def _touches(row: Row[Any], stretch: Stretch) -> bool:
    """Whether what a source sent, or did not send, is of a period."""
    at: date = row.as_of.astimezone(VIETNAM).date()
    told = [Stretch.of(one) for one in row.business_periods or ()] or [Stretch(at, at)]
    return any(one.first <= stretch.last and one.last >= stretch.first for one in told)


def _of_finding(row: Row[Any]) -> Note:
    title = gate().titled(row.check_code).lower()
    word = f"{row.decided_by} chấp nhận ngày {vi.day(row.decided_at)}: {row.reason}"
    if row.period is None:
        return Note(_tables_of(row.feed), f"Nguồn {row.source}, {title}: {row.told}; {word}")
    return Note((row.official_table,), f"{row.indicator_code}, {row.unit_name}, {title}: {row.told}; {word}", row.unit_code)


def _of_rows(row: Row[Any]) -> Note:
    of_file = f"của tệp {row.file_name} ({row.source})"
    rule = f" vi phạm {row.rule_code}" if row.rule_code else ""
    did = (
        f"Bỏ {vi.number(row.rows)} dòng{rule} {of_file}"
        if row.kind == "dismissed"
        else f"Nhận dù khác mức thường, {row.rule_code}, {of_file}"
    )
    return Note(
        _tables_of(row.feed), f"{did}; {row.made_by} quyết định ngày {vi.day(row.made_at)}" + (f": {row.words}" if row.words else "")
    )


def _tables_of(feed: str | None) -> tuple[str, ...]:
    """Official tables whose indicators count what a feed brings."""
    table = contract(feed).table if feed else None
    if table == facts()["edition"].table:  # in it stands what comes of every fact
        return tuple(official_tables().values())
    of_feed = (i for i in indicators() if table in (i.counted_fact.table, i.counted_fact.beside and i.counted_fact.beside.table))
    return tuple(dict.fromkeys(i.official_table for i in of_feed))


_ACCEPTED = f"""
SELECT a.*, {{told}} AS told, u.unit_name, u.unit_code, i.official_table, r.as_of,
    coalesce((SELECT s.feed FROM ops.source s WHERE s.source = a.source),
        (SELECT max(d.feed) FROM ops.delivery d WHERE d.source = a.source)) AS feed,
    (SELECT array_agg(d.business_period) FROM ops.delivery d
        WHERE d.delivery_id = ANY(a.deliveries) AND d.business_period IS NOT NULL) AS business_periods
FROM ops.alarm a
JOIN ops.run r ON r.run_id = a.raised_by
LEFT JOIN warehouse.dim_unit u USING (unit_key)
{INDICATOR}
WHERE a.decision = 'accepted' AND a.publication_id IS NOT NULL AND (a.period IS NULL OR a.period = :period)
ORDER BY a.decided_at, a.alarm_id
"""

# What is left out still, since rows may have been released or put right; and unusual files that somebody let pass.
_OF_ROWS = """
SELECT n.kind, n.rule_code, n.rows, n.made_by, n.made_at, n.words, d.feed, d.source, d.file_name,
    coalesce(d.exported_at, d.received_at) AS as_of,
    CASE WHEN d.business_period IS NOT NULL THEN ARRAY[d.business_period] END AS business_periods
FROM ops.quarantine_note n JOIN ops.delivery d USING (delivery_id)
WHERE n.kind = 'let_pass' AND d.status = 'loaded'
   OR n.kind = 'dismissed' AND d.corrected_by IS NULL AND (d.status = 'rejected' OR EXISTS (
        SELECT FROM ops.quarantine q
        WHERE q.delivery_id = n.delivery_id AND q.rule_code = coalesce(n.rule_code, q.rule_code) AND q.status = 'dismissed'))
ORDER BY n.note_id
"""
