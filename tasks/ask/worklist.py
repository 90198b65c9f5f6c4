"""What stewards have to see to: what was set aside and what was refused, a line for each delivery, rule and column, and its rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, Row, text

from expectations.contract import contract
from tasks.load.decisions import OF_WHAT_IS_USUAL, is_dismissed

STANDING = ("open", "waiting", "released", "rejected")
"""Statuses of what is not done with."""


@dataclass(frozen=True)
class Item:
    """Faults of one delivery by one rule in one column that stand alike: what is decided on at once."""

    delivery_id: int
    source: str
    feed: str
    file_name: str
    exported_at: datetime
    rule_code: str
    column: str
    """As the file names it; empty where the whole row or file is meant."""
    severity: str
    message_vi: str
    status: str
    rows: int
    """How many; of a refused delivery, what the rule found in all of its rows, of which the first are kept."""
    first_row: int | None
    is_delivery: bool
    """Whether it is a delivery that was refused as a whole, by this rule."""
    can_let_pass: bool
    """Whether that was for being unusual only."""
    first_seen: datetime
    since: datetime
    """When the first delivery came since which all of the source's break the rule."""
    is_new: bool
    """Whether the last run set it aside."""
    is_new_fault: bool
    """Whether the delivery before it did not break the rule."""
    assignee: str | None
    notes: int
    last_note: str | None
    last_note_by: str | None
    last_note_at: datetime | None
    corrections: int
    """Corrected cells that the next night puts in."""

    @property
    def place(self) -> str:
        """Where people decide on it."""
        return f"viec-can-lam/{self.delivery_id}/{self.rule_code}" + (f"?cot={quote(self.column)}" if self.column else "")


_ITEMS = f"""
WITH fault AS (
    SELECT delivery_id, rule_code, column_name, status, max(severity) AS severity, max(message_vi) AS message_vi, count(*) AS rows,
        min(row_number) AS first_row, false AS is_delivery, min(seen_at) AS first_seen
    FROM ops.quarantine WHERE status = ANY(:statuses) AND status <> 'rejected'
    GROUP BY delivery_id, rule_code, column_name, status
    UNION ALL
    SELECT delivery_id, v.rule_code, q.column_name, q.status, v.severity, max(q.message_vi), count(*), min(q.row_number), false,
        min(q.seen_at)
    FROM ops.quarantine AS q JOIN ops.verdict AS v USING (delivery_id, rule_code)
    WHERE q.status = 'rejected' AND q.status = ANY(:statuses)
    GROUP BY delivery_id, v.rule_code, q.column_name, q.status, v.severity
    UNION ALL
    (SELECT DISTINCT ON (delivery_id) delivery_id, v.rule_code, '', d.status, v.severity, d.message_vi, d.rows_received, NULL::int, true,
        d.received_at
    FROM ops.delivery AS d JOIN ops.verdict AS v USING (delivery_id)
    WHERE d.status = 'rejected' AND d.status = ANY(:statuses) AND d.corrected_by IS NULL
        AND NOT v.success AND v.scope = 'delivery' AND v.severity = 'critical'
    ORDER BY delivery_id, v.unexpected_count DESC)
), item AS (
    SELECT f.*, d.source, d.feed, d.file_name, d.exported_at FROM fault AS f JOIN ops.delivery AS d USING (delivery_id)
    WHERE (CAST(:source AS text) IS NULL OR d.source = :source)
        AND (CAST(:delivery_id AS int) IS NULL OR delivery_id = :delivery_id)
        AND (CAST(:rule_code AS text) IS NULL OR f.rule_code = :rule_code)
        AND (f.status <> 'rejected' OR NOT {is_dismissed("f")})
), fault_of_source AS (  -- a delivery that was refused for something else says nothing of the rule
    SELECT DISTINCT i.source, i.rule_code, i.exported_at, (
        SELECT min(d.received_at) FROM ops.delivery AS d JOIN ops.verdict AS v USING (delivery_id)
        WHERE d.source = i.source AND v.rule_code = i.rule_code AND NOT v.success AND d.exported_at <= i.exported_at
            AND d.exported_at > coalesce((
                SELECT max(e.exported_at) FROM ops.delivery AS e
                LEFT JOIN ops.verdict AS w ON w.delivery_id = e.delivery_id AND w.rule_code = i.rule_code
                WHERE e.source = i.source AND e.exported_at < i.exported_at AND e.status IN ('loaded', 'superseded')
                    AND w.success IS NOT FALSE), '-infinity')
    ) AS since
    FROM item AS i
), last_run AS (SELECT coalesce(max(started_at), '-infinity') AS started_at FROM ops.run WHERE flow <> 'ingest')
SELECT i.*, coalesce(s.since, i.first_seen) AS since, i.first_seen >= r.started_at AS is_new,
    coalesce(s.since, i.first_seen) >= r.started_at AS is_new_fault, a.assignee, said.notes,
    last.words AS last_note, last.made_by AS last_note_by, last.made_at AS last_note_at, (
        SELECT count(DISTINCT c.row_number) FROM ops.correction AS c
        WHERE c.delivery_id = i.delivery_id AND c.rule_code = i.rule_code AND c.column_name = i.column_name
            AND c.read_at IS NULL) AS corrections
FROM item AS i
CROSS JOIN last_run AS r
JOIN fault_of_source AS s USING (source, rule_code, exported_at)
LEFT JOIN LATERAL (SELECT count(*) AS notes, max(n.note_id) AS last_id, max(n.note_id) FILTER (WHERE n.kind = 'assigned') AS assigned_id
    FROM ops.quarantine_note AS n WHERE n.delivery_id = i.delivery_id AND coalesce(n.rule_code, i.rule_code) = i.rule_code
        AND coalesce(n.column_name, i.column_name) = i.column_name) AS said ON true
LEFT JOIN ops.quarantine_note AS last ON last.note_id = said.last_id
LEFT JOIN ops.quarantine_note AS a ON a.note_id = said.assigned_id
ORDER BY is_new_fault DESC, i.source, i.rule_code, i.exported_at, i.delivery_id, i.column_name, i.status
"""


def items(
    connection: Connection,
    *,
    source: str | None = None,
    delivery_id: int | None = None,
    rule_code: str | None = None,
    statuses: Sequence[str] = STANDING,
) -> list[Item]:
    """What stands in those statuses, new faults first."""
    asked = {"source": source, "delivery_id": delivery_id, "rule_code": rule_code, "statuses": list(statuses)}
    found = connection.execute(text(_ITEMS), asked).mappings()
    return [
        Item(
            **{name: row[name] for name in Item.__dataclass_fields__ if name not in ("column", "can_let_pass")},
            column=row["column_name"],
            can_let_pass=row["is_delivery"] and contract(row["feed"]).rule(row["rule_code"]).check in OF_WHAT_IS_USUAL,
        )
        for row in found
    ]


_ROWS = """
SELECT q.row_number, q.column_name, q.natural_key, q.value, q.message_vi, q.status, q.decided_by, q.decided_at, q.corrected_by,
    c.value AS new_value
FROM ops.quarantine AS q
LEFT JOIN LATERAL (
    SELECT c.value FROM ops.correction AS c
    WHERE (c.delivery_id, c.row_number, c.column_name) = (q.delivery_id, q.row_number, q.column_name) AND c.read_at IS NULL
    ORDER BY c.correction_id DESC LIMIT 1
) AS c ON true
WHERE q.delivery_id = :delivery_id AND q.rule_code = :rule_code AND q.column_name = :column
    AND (CAST(:status AS text) IS NULL OR q.status = :status)
ORDER BY q.row_number LIMIT :limit OFFSET :offset
"""


def rows_of(
    connection: Connection,
    delivery_id: int,
    rule_code: str,
    column: str,
    *,
    status: str | None = None,
    limit: int = 200,
    offset: int = 0,
) -> Sequence[Row[Any]]:
    """Rows of an item by their numbers, with the cell where it may be told, and the corrected one that the next night puts in."""
    return connection.execute(
        text(_ROWS),
        {"delivery_id": delivery_id, "rule_code": rule_code, "column": column, "status": status, "limit": limit, "offset": offset},
    ).all()


def history(connection: Connection, delivery_id: int, rule_code: str | None = None, column: str | None = None) -> Sequence[Row[Any]]:
    """What was decided, assigned and said, in the order of time; of one rule and column where these are given."""
    return connection.execute(
        text(
            "SELECT made_at, made_by, kind, words, assignee, rows, rule_code, column_name, row_numbers FROM ops.quarantine_note "
            "WHERE delivery_id = :delivery_id AND (CAST(:rule_code AS text) IS NULL OR coalesce(rule_code, :rule_code) = :rule_code) "
            "  AND (CAST(:column AS text) IS NULL OR coalesce(column_name, :column) = :column) ORDER BY note_id"
        ),
        {"delivery_id": delivery_id, "rule_code": rule_code, "column": column},
    ).all()
