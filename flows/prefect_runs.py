"""Runs as Prefect knows them: which of them a night is, whether another made up for it, and those whose process is gone.

After an outage Prefect still has every night that was missed, and starts them all. The first takes whatever has come since, in the
order in which it was made; the others find that done. A process that was killed tells Prefect nothing, which calls its run `Running`
for ever; the warehouse knows better, as the session that held the run lock is gone.
"""

from __future__ import annotations

import logging
from typing import Any
from uuid import UUID

from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import FlowRun, State
from prefect.context import FlowRunContext
from prefect.exceptions import ObjectNotFound
from prefect.states import Completed, Crashed
from sqlalchemy import Engine, text

from tasks.deliveries.run_lock import LOCK_HELD
from tasks.words.vietnamese import moment

log = logging.getLogger("bakhong")

LOOKED_BACK = "interval '30 days'"
"""Prefect is told of no run that died before that."""

_MADE_UP = text(
    "SELECT run_id, started_at FROM ops.run WHERE flow = 'nightly' AND started_at >= :due AND as_of >= :due "
    f"AND (status = 'completed' OR status = 'running' AND {LOCK_HELD}) ORDER BY run_id LIMIT 1"
)

_DEAD = text(
    f"SELECT run_id, prefect_run FROM ops.run WHERE prefect_run IS NOT NULL AND started_at > now() - {LOOKED_BACK} "
    f"AND (status = 'killed' OR status = 'running' AND NOT {LOCK_HELD}) ORDER BY run_id"
)


def this_run() -> UUID | None:
    """The run of Prefect that is at work here; nothing where a night is run without it."""
    return flow_run.id if (flow_run := _flow_run()) else None


def made_up_for(engine: Engine) -> State[Any] | None:
    """The end of a scheduled night that begins after another has taken what it was to take; nothing where it is to be done."""
    flow_run = _flow_run()
    if flow_run is None or not flow_run.auto_scheduled or flow_run.expected_start_time is None:
        return None
    with engine.connect() as connection:
        found = connection.execute(_MADE_UP, {"due": flow_run.expected_start_time}).first()
    if found is None:
        return None
    words = f"Lượt đêm {moment(flow_run.expected_start_time)} đã được làm bù ở lượt chạy số {found.run_id}, {moment(found.started_at)}."
    log.info("night was made up for", extra={"due": flow_run.expected_start_time.isoformat(), "by_run": found.run_id})
    return Completed(name="MadeUp", message=words)


def _flow_run() -> FlowRun | None:
    context = FlowRunContext.get()
    return context.flow_run if context else None


def tell_of_the_dead(engine: Engine) -> None:
    """Has Prefect's server call those of its runs crashed of which the warehouse knows that nobody is at work on them any more."""
    with engine.connect() as connection:
        dead = connection.execute(_DEAD).all()
    if not dead:
        return
    with get_client(sync_client=True) as client:
        for run_id, prefect_run in dead:
            try:
                state = client.read_flow_run(prefect_run).state
            except ObjectNotFound:  # of another server, or pruned
                continue
            if state is not None and not state.is_final():
                words = f"Lượt chạy số {run_id} đã bị ngắt (its process is gone); những gì đã nạp vẫn nguyên, lượt sau làm tiếp."
                client.set_flow_run_state(prefect_run, Crashed(message=words), force=True)
                log.warning("run had died: Prefect calls it crashed now", extra={"dead_run": run_id, "prefect_run": str(prefect_run)})
