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
    *,
    keys: Sequence[str],
    values: Sequence[str],
    scope: str,
    as_of: datetime,
    run_id: int,
) -> Revised:
    """Brings the lines in force inside `scope` (a condition on f, the table) to those of the candidate table."""
    of_f, of_c = (", ".join(f"{alias}.{name}" for name in values) for alias in "fc")
    names, by_key = ", ".join((*keys, *values)), ", ".join(keys)
    connection.execute(
        text(f"""
        DROP TABLE IF EXISTS compared;
        CREATE TEMPORARY TABLE compared ON COMMIT DROP AS
        SELECT {by_key}, {of_c}, f.revision, f.known_from, c.is_there
        FROM (SELECT *, TRUE AS is_there FROM {candidate}) c
        FULL JOIN (SELECT * FROM {table.fullname} f WHERE known_to = 'infinity' AND {scope}) f USING ({by_key})
        WHERE c.is_there IS NULL OR f.revision IS NULL OR ({of_c}) IS DISTINCT FROM ({of_f});
        ANALYZE compared
        """)
    )
    when = {"as_of": as_of, "run_id": run_id}
    same = " AND ".join(f"f.{key} = c.{key}" for key in keys)
    closed = connection.execute(
        text(
            f"UPDATE {table.fullname} f SET known_to = greatest(f.known_from, :as_of) FROM compared c "
            f"WHERE c.revision IS NOT NULL AND {same} AND f.revision = c.revision"
        ),
        when,
    ).rowcount
    # A line that was gone and is back goes on where it stopped.
    added, revised = connection.execute(
        text(f"""
        WITH inserted AS (
            INSERT INTO {table.fullname} ({names}, revision, known_from, run_id)
            SELECT {names}, coalesce(c.revision, b.revision, 0) + 1, greatest(c.known_from, b.known_from, :as_of), :run_id
            FROM compared c
            LEFT JOIN LATERAL (
                SELECT max(f.revision) AS revision, max(f.known_from) AS known_from FROM {table.fullname} f
                WHERE c.revision IS NULL AND {same}
            ) b ON TRUE
            WHERE c.is_there
            ORDER BY {by_key}
            RETURNING revision
        )
        SELECT count(*) FILTER (WHERE revision = 1), count(*) FILTER (WHERE revision > 1) FROM inserted
        """),
        when,
    ).one()
    return Revised(added, revised, closed)
