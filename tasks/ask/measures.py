"""What a monitor asks of the warehouse: how the runs went and how long they took, what was delivered, what is held, who holds what up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, text

from tasks.ask.gate import held_edition
from tasks.ask.questions import KnownSource, SourceState, known_sources, last_run, source_states
from tasks.count.revisions import last_publication
from tasks.deliveries.run_lock import LOCK_HELD


@dataclass(frozen=True)
class Measures:
    """The warehouse at one moment, in numbers of files, rows and values: none of them is a figure of a unit."""

    last_run: Row[Any] | None
    last_success: datetime | None
    """When the last night ended that did not fail."""
    steps: Sequence[Row[Any]]
    """Seconds of each step of the last run, in their order: step, seconds; of the one under way, so far."""
    deliveries: Sequence[Row[Any]]
    """source, verdict (accept, accept_with_flags, reject; waiting where there is none yet), how many, their rows by what became of them."""
    sources: Sequence[SourceState[KnownSource]]
    held_since: datetime | None
    """Since when an edition is held; nothing where none is."""
    held_values: int
    """Values that it would change."""
    held_back: int
    """Values and forms that are held back alone."""
    published_at: datetime | None
    is_locked: bool
    """Whether a run is at work."""
    lock_waits: int
    """Sessions that wait for a lock of another one."""
    database_bytes: int
    revision: str


def measures(connection: Connection, now: datetime) -> Measures:
    """What there is to measure, counted now."""
    run, published, held = last_run(connection), last_publication(connection), held_edition(connection)
    one = connection.execute(_ONES).one()
    return Measures(
        last_run=run,
        last_success=one.last_success,
        steps=connection.execute(_STEPS, {"run_id": None if run is None else run.run_id}).all(),
        deliveries=connection.execute(_DELIVERIES).all(),
        sources=source_states(connection, known_sources(connection), now),
        held_since=None if held is None else held.since,
        held_values=0 if held is None else held.values_added + held.values_revised + held.values_ended,
        held_back=one.held_back,
        published_at=None if published is None else published.published_at,
        is_locked=one.is_locked,
        lock_waits=one.lock_waits,
        database_bytes=one.database_bytes,
        revision=one.revision,
    )


_ONES = text(
    f"""
    SELECT (SELECT max(finished_at) FROM ops.run WHERE flow = 'nightly' AND status = 'completed') AS last_success,
        (SELECT count(*) FROM ops.held_back WHERE released_by IS NULL) AS held_back,
        {LOCK_HELD} AS is_locked,
        (SELECT count(DISTINCT pid) FROM pg_locks JOIN pg_database ON pg_database.oid = pg_locks.database
         WHERE NOT granted AND datname = current_database()) AS lock_waits,
        pg_database_size(current_database()) AS database_bytes,
        (SELECT version_num FROM public.alembic_version) AS revision
    """
)
_STEPS = text(
    "SELECT step, extract(epoch FROM coalesce(finished_at, now()) - started_at)::float AS seconds FROM ops.step "
    "WHERE run_id = :run_id ORDER BY started_at"
)
_DELIVERIES = text(
    """
    SELECT source, coalesce(verdict, 'waiting') AS verdict, count(*) AS deliveries,
        coalesce(sum(rows_received), 0) AS received, coalesce(sum(rows_loaded), 0) AS loaded, coalesce(sum(rows_unchanged), 0) AS unchanged,
        coalesce(sum(rows_quarantined), 0) AS quarantined, coalesce(sum(rows_ignored), 0) AS ignored
    FROM ops.delivery GROUP BY 1, 2 ORDER BY 1, 2
    """
)
