"""What waits for a steward: deliveries refused and not sent again, rows set aside, values held back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, text

from tasks.ask.scope import WHOLE, Scope
from tasks.load.decisions import is_refused


def refused(connection: Connection) -> Sequence[Row[Any]]:
    """Deliveries refused that nobody dismissed and in whose place none has come, with the reason for their supplier; the latest first."""
    return connection.execute(
        text(f"SELECT d.* FROM ops.delivery d WHERE {is_refused('d')} ORDER BY d.loaded_at DESC, d.delivery_id")
    ).all()


def open_rows(connection: Connection) -> Sequence[Row[Any]]:
    """Rows set aside that wait for somebody, by source and rule: how many, of how many files; the most severe first."""
    return connection.execute(
        text(
            "SELECT d.source, q.rule_code, min(q.severity) AS severity, count(DISTINCT (q.delivery_id, q.row_number)) AS rows, "
            "  count(DISTINCT q.delivery_id) AS files, min(d.exported_at) AS since, min(q.message_vi) AS message_vi "
            "FROM ops.quarantine q JOIN ops.delivery d USING (delivery_id) WHERE q.status = 'open' "
            "GROUP BY d.source, q.rule_code ORDER BY severity, since DESC, d.source, q.rule_code"
        )
    ).all()


def rows_by_status(connection: Connection) -> dict[str, int]:
    """Status → rows set aside, each counted once however many rules it broke; those of refused deliveries as these were received."""
    found = connection.execute(
        text(
            "SELECT status, count(DISTINCT (delivery_id, row_number)) AS rows FROM ops.quarantine "
            "WHERE status <> 'rejected' GROUP BY status "
            "UNION ALL SELECT 'rejected', sum(rows_quarantined) FROM ops.delivery WHERE status = 'rejected'"
        )
    )
    return {row.status: int(row.rows or 0) for row in found}


_WHICH = """
WHERE (CAST(:delivery_id AS int) IS NULL OR q.delivery_id = :delivery_id)
  AND (CAST(:rule_code AS text) IS NULL OR q.rule_code = :rule_code)
  AND (CAST(:status AS text) IS NULL OR q.status = :status)
  AND (CAST(:words AS text) IS NULL
    OR position(lower(:words) IN lower(concat_ws(' ', q.natural_key, q.column_name, q.message_vi, d.file_name))) > 0)
  AND (CAST(:codes AS text[]) IS NULL OR d.named_unit = ANY(:codes))
"""
_ROWS = f"""
SELECT q.*, d.source, d.file_name FROM ops.quarantine q JOIN ops.delivery d USING (delivery_id) {_WHICH}
ORDER BY array_position(ARRAY['open', 'waiting', 'released', 'rejected', 'dismissed'], q.status), d.exported_at DESC,
  q.delivery_id, q.row_number, q.rule_code, q.column_name
LIMIT :shown OFFSET :skipped
"""


@dataclass(frozen=True)
class Which:
    """Which rows set aside are meant: those of a delivery, a rule, a status, with some words in them; else all in scope."""

    scope: Scope = WHOLE
    delivery_id: int | None = None
    rule_code: str | None = None
    status: str | None = None
    words: str | None = None

    @property
    def given(self) -> dict[str, Any]:
        """The same as a query takes it."""
        told = {name: getattr(self, name) for name in ("delivery_id", "rule_code", "status", "words")}
        return told | {"codes": self.scope.listed}


def rows_set_aside(connection: Connection, which: Which, shown: int, skipped: int = 0) -> Sequence[Row[Any]]:
    """Rows set aside, a row for each rule it broke, those first that wait for somebody."""
    return connection.execute(text(_ROWS), {**which.given, "shown": shown, "skipped": skipped}).all()


def count_set_aside(connection: Connection, which: Which) -> int:
    """How many there are."""
    query = f"SELECT count(*) FROM ops.quarantine q JOIN ops.delivery d USING (delivery_id) {_WHICH}"
    return int(connection.scalar(text(query), which.given) or 0)
