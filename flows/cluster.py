"""The night's deliveries spread over a Dask cluster, where BAKHONG_TASK_RUNNER says `dask`: its workers read, check and load them.

A worker is a machine with the same installation: its own environment says where the warehouse is and with which key people are
pseudonymised, and BAKHONG_HOME is a folder that all of them see. The cluster is the one of DASK_SCHEDULER_ADDRESS, else made for the
night on this machine. What is read may be read anywhere and at any time; what is loaded waits here for its turn, as without a cluster.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING
from uuid import uuid4

from prefect import task
from prefect.cache_policies import NO_CACHE
from sqlalchemy import Engine

from flows.ingest import IngestFailed, NotAllIngested, ingest_batch
from flows.logs import log_with_prefect
from flows.progress import Meter, Turn
from tasks.deliveries.batches import Batch
from tasks.deliveries.ledger import Outcome
from tasks.deliveries.run_lock import RunName, in_one_line, spoken_of
from tasks.deliveries.source import Source
from tasks.read.limits import Limits
from warehouse.database import read_warehouse
from warehouse.pseudonym_key import hold_to_key
from warehouse.settings import Refusal, Settings

if TYPE_CHECKING:
    from prefect_dask.task_runners import DaskTaskRunner

    from flows.nightly import Steps

SCHEDULER = "DASK_SCHEDULER_ADDRESS"
"""Dask's own variable."""


@dataclass
class Taken:
    """What became of a batch on a worker."""

    outcomes: list[Outcome] = field(default_factory=list)
    failed: list[tuple[int, str]] = field(default_factory=list)
    """Number and reason of deliveries that could not be taken in for a reason that is no fault of their supplier."""


@contextmanager
def spread(settings: Settings, steps: Steps) -> Iterator[Steps]:
    """The steps of a night: as they are, or with batches taken in by the workers of a cluster, one for each of their slots."""
    if settings.task_runner is None:
        yield steps
        return
    with _cluster() as runner:
        slots = sum(runner.client.nthreads().values())
        yield replace(steps, ingest=partial(_ingest_on_a_worker, runner), side_by_side=max(steps.side_by_side, slots))


@contextmanager
def _cluster() -> Iterator[DaskTaskRunner]:
    try:
        from prefect_dask.task_runners import DaskTaskRunner  # noqa: PLC0415  # an optional extra
    except ImportError:
        raise Refusal('BAKHONG_TASK_RUNNER=dask cần gói prefect-dask: pip install "bakhong[dask]".') from None
    address = os.environ.get(SCHEDULER)
    runner = (
        DaskTaskRunner(address=address) if address else DaskTaskRunner(cluster_kwargs={"threads_per_worker": 1, "dashboard_address": None})
    )
    with runner:
        try:
            runner.client.wait_for_workers(1, timeout=60)
        except (OSError, TimeoutError):
            raise Refusal(f"Không có worker nào ở cụm Dask {address or 'trên máy này'}.") from None
        yield runner


def _ingest_on_a_worker(
    runner: DaskTaskRunner,
    _engine: Engine,
    batch: Batch,
    _settings: Settings,
    source: Source | None,
    limits: Limits,
    _run_id: int,
    turn: Turn,
    told: Callable[[Outcome], None],
    meter: Meter,
) -> None:
    """Has a worker take a batch in, and lets it load when its turn has come."""
    from distributed import Event  # noqa: PLC0415

    its_turn = Event(f"bakhong-{uuid4()}", client=runner.client)
    asked = {"batch": batch, "source": source, "limits": limits, "its_turn": its_turn.name, "run": spoken_of.get()}
    sent = runner.submit(ON_A_WORKER, asked)
    try:
        turn()
    finally:
        its_turn.set()  # where the night is no longer this one's, the worker finds that out itself
    taken: Taken = sent.result()
    for outcome in taken.outcomes:
        told(outcome)
    for delivery in batch.deliveries:
        meter.done(delivery.delivery_id)
    if taken.failed:
        deliveries = {delivery.delivery_id: delivery for delivery in batch.deliveries}
        raise NotAllIngested([(deliveries[number], IngestFailed(why)) for number, why in taken.failed])


def ingest_here(batch: Batch, source: Source | None, limits: Limits, its_turn: str, run: RunName) -> Taken:
    """Takes a batch in on the machine this runs on, by its own settings."""
    from distributed import Event, rejoin, secede  # noqa: PLC0415

    settings = Settings.from_environment()
    log_with_prefect(settings)
    spoken_of.set(run)
    taken = Taken()
    may_load = Event(its_turn)

    def turn() -> None:
        if not may_load.is_set():  # it waits without a slot, so that those it waits for are never kept from theirs
            secede()
            may_load.wait()
            rejoin()

    with read_warehouse(settings) as engine:
        with engine.begin() as connection:
            hold_to_key(connection, settings.secret_key)  # another key would make other people of those who are known
        try:
            ingest_batch(engine, batch, settings, source, limits, run.run_id, turn, taken.outcomes.append, Meter({}))
        except NotAllIngested as some:
            taken.failed += [(delivery.delivery_id, in_one_line(why)) for delivery, why in some.problems]
    return taken


ON_A_WORKER = task(name="ingest", task_run_name="ingest-{batch.name}", cache_policy=NO_CACHE, persist_result=False)(ingest_here)
