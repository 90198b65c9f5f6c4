"""Computed lines → revisions: what differs from the line in force replaces it, what is gone is closed, nothing is overwritten."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Table, text


@dataclass(frozen=True)
class Revised:
    """What a publication of lines changed."""

    added: int
    revised: int
    closed: int


def revise(
    connection: Connection,
    table: Table,
    candidate: str,
    keys: Sequence[str],
    values: Sequence[str],
    scope: str,
    as_of: datetime,
    run_id: int,
) -> Revised:
    """Brings the lines in force inside `scope` (a condition on f, the table) to those of the candidate table."""
    of_f, of_c = (", ".join(f"{alias}.{name}" for name in values) for alias in "fc")
    same = " AND ".join(f"f.{key} = c.{key}" for key in keys)
    names = ", ".join((*keys, *values))
    found = connection.execute(
        text(f"""
        WITH closed AS (
            UPDATE {table.fullname} f SET known_to = greatest(f.known_from, :as_of)
            WHERE f.known_to = 'infinity' AND ({scope})
              AND NOT EXISTS (SELECT FROM {candidate} c WHERE {same} AND ({of_c}) IS NOT DISTINCT FROM ({of_f}))
            RETURNING f.*
        ), inserted AS (
            INSERT INTO {table.fullname} ({names}, revision, known_from, run_id)
            SELECT {", ".join(f"c.{name}" for name in (*keys, *values))}, coalesce(before.revision, 0) + 1, greatest(before.known_from, :as_of), :run_id
            FROM {candidate} c
            LEFT JOIN LATERAL (SELECT max(f.revision) AS revision, max(f.known_from) AS known_from FROM {table.fullname} f WHERE {same}) before ON true
            WHERE NOT EXISTS (SELECT FROM {table.fullname} f WHERE {same} AND f.known_to = 'infinity' AND ({of_c}) IS NOT DISTINCT FROM ({of_f}))
              AND (SELECT count(*) FROM closed) >= 0
            RETURNING revision
        )
        SELECT count(*) FILTER (WHERE revision = 1), count(*) FILTER (WHERE revision > 1), (SELECT count(*) FROM closed) FROM inserted
        """),
        {"as_of": as_of, "run_id": run_id},
    ).one()
    return Revised(found[0], found[1], found[2])
