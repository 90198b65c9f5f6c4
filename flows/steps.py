"""The steps of a night as Prefect's tasks, or as plain functions; when a pull is tried again."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE

from flows.ingest import ingest_batch
from flows.progress import note
from flows.publish import Published, publish
from flows.stopping import is_stopping
from tasks.deliveries.run_lock import in_one_line
from tasks.pull.landing import Pulled, Unreadable, pull
from tasks.report.edition import Report, report
from warehouse.settings import Refusal

log = logging.getLogger("bakhong")

WAITS = [10, 60, 180]
"""Seconds before each new try to reach a source."""
NAMED = "pull-"
"""How the name of a pull's run begins."""


@dataclass(frozen=True)
class Steps:
    """The steps of a night: plain functions, or the same as tasks."""

    pull: Callable[..., Pulled] | None
    ingest: Callable[..., None]
    publish: Callable[..., Published]
    report: Callable[..., Report] | None
    side_by_side: int = 2
    """Batches that are taken in at the same time: one is read while the other is loaded."""
    problems: list[str] = field(default_factory=list)
    """What whoever carries them out does without, one line each."""


def is_worth_another_try(_task: Any, _run: Any, state: Any) -> bool:
    """Whether trying again may help: a refusal or an unreadable file stays what it is."""
    return not isinstance(state.result(raise_on_failure=False), Refusal | Unreadable | FileNotFoundError | PermissionError)


def try_again(task: Any, run: Any, state: Any) -> bool:
    """Whether a pull is tried again, which is told to whoever looks."""
    if is_stopping() or not is_worth_another_try(task, run, state):
        return False
    why, tried = in_one_line(state.result(raise_on_failure=False)), run.run_count
    source = run.name.removeprefix(NAMED)
    log.warning(
        "pull is tried again: %s", why, extra={"source": source, "try": f"{tried + 1}/{len(WAITS) + 1}", "wait_seconds": WAITS[tried - 1]}
    )
    note(f"{source}: {why}. Thử lại lần {tried + 1}/{len(WAITS) + 1} sau khoảng {WAITS[tried - 1]} giây.")
    return True


a_task = partial(task, cache_policy=NO_CACHE, persist_result=False)
retried = partial(a_task, retries=len(WAITS), retry_delay_seconds=WAITS, retry_jitter_factor=0.3, retry_condition_fn=try_again)

TASKS = Steps(
    pull=retried(pull, task_run_name=NAMED + "{source.name}"),
    ingest=a_task(ingest_batch, name="ingest", task_run_name="ingest-{batch.name}"),
    publish=a_task(publish),
    report=a_task(report),
)
WITHOUT_PREFECT = Steps(pull, ingest_batch, publish, report)
