"""The nights: what each took and refused, what it published, what it could not reach."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, text

from tasks.ask.problems import NIGHTS
from tasks.deliveries.run_lock import LOCK_HELD

_NIGHTS = f"""
SELECT r.run_id, r.flow, r.as_of, r.started_at, r.finished_at, r.message,
    CASE WHEN r.status = 'running' AND NOT {LOCK_HELD} THEN 'killed' WHEN r.status <> 'completed' THEN r.status
        WHEN EXISTS (SELECT FROM ops.held_edition WHERE run_id = r.run_id) THEN 'held'
        WHEN d.rejected > 0 OR u.unreachable > 0 OR EXISTS (
            SELECT FROM ops.held_back WHERE held_by <= r.run_id AND (released_by IS NULL OR released_by > r.run_id)) THEN 'not_all_taken'
        ELSE r.status END AS status,
    coalesce(d.taken, 0) AS taken, coalesce(d.flagged, 0) AS flagged, coalesce(d.rejected, 0) AS rejected,
    coalesce(d.rows_loaded, 0) AS rows_loaded, coalesce(d.rows_quarantined, 0) AS rows_quarantined,
    coalesce(u.unreachable, 0) AS unreachable,
    p.publication_id, p.values_added, p.values_revised, p.values_ended
FROM ops.run r JOIN ({NIGHTS}) n USING (run_id)
LEFT JOIN LATERAL (
    SELECT count(*) FILTER (WHERE status <> 'rejected') AS taken, count(*) FILTER (WHERE status = 'rejected') AS rejected,
        count(*) FILTER (WHERE status <> 'rejected' AND rows_quarantined > 0) AS flagged, sum(rows_loaded) AS rows_loaded,
        sum(rows_quarantined) FILTER (WHERE status <> 'rejected') AS rows_quarantined
    FROM ops.delivery WHERE loaded_at >= n.started_at AND loaded_at < n.until) d ON true
LEFT JOIN LATERAL (SELECT count(DISTINCT source) AS unreachable FROM ops.unreachable WHERE run_id = r.run_id) u ON true
LEFT JOIN LATERAL (SELECT * FROM ops.publication WHERE run_id = r.run_id ORDER BY publication_id DESC LIMIT 1) p ON true
WHERE (CAST(:run_id AS int) IS NULL OR r.run_id = :run_id) ORDER BY r.run_id DESC LIMIT :shown
"""


def nights(connection: Connection, shown: int) -> Sequence[Row[Any]]:
    """The last nights, the latest first."""
    return connection.execute(text(_NIGHTS), {"run_id": None, "shown": shown}).all()


def find_night(connection: Connection, run_id: int) -> Row[Any] | None:
    """One night."""
    return connection.execute(text(_NIGHTS), {"run_id": run_id, "shown": 1}).first()


def unreachable(connection: Connection, run_id: int) -> Sequence[Row[Any]]:
    """What a night could not take, source by source."""
    return connection.execute(
        text("SELECT source, message_vi FROM ops.unreachable WHERE run_id = :run_id ORDER BY source, message_vi"), {"run_id": run_id}
    ).all()


def unreachable_since(connection: Connection) -> dict[str, Row[Any]]:
    """Source → since which night it cannot be reached, and why, of those the last night could not reach."""
    rows = connection.execute(
        text(
            "WITH counted AS (SELECT run_id, as_of, row_number() OVER (ORDER BY run_id DESC) AS ago FROM ops.run), "
            "missed AS (SELECT DISTINCT u.source, c.ago, c.as_of FROM ops.unreachable u JOIN counted c USING (run_id)), "
            "in_a_row AS (SELECT *, row_number() OVER (PARTITION BY source ORDER BY ago) AS nth FROM missed) "
            "SELECT source, min(as_of) AS since, count(*) AS nights, (SELECT min(message_vi) FROM ops.unreachable o "
            "  WHERE o.source = i.source AND o.run_id = (SELECT max(run_id) FROM ops.run)) AS message_vi "
            "FROM in_a_row i WHERE ago = nth GROUP BY source"
        )
    )
    return {row.source: row for row in rows}


_DELIVERIES = f"""
SELECT d.* FROM ops.delivery d JOIN ({NIGHTS}) n ON d.loaded_at >= n.started_at AND d.loaded_at < n.until
WHERE n.run_id = :run_id ORDER BY d.status = 'rejected' DESC, (d.rows_quarantined > 0) DESC, d.exported_at, d.delivery_id
"""


def deliveries_of(connection: Connection, run_id: int) -> Sequence[Row[Any]]:
    """What a night took and refused: those first that were refused, then those of which rows were set aside."""
    return connection.execute(text(_DELIVERIES), {"run_id": run_id}).all()
