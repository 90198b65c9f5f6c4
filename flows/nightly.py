"""The night: pull → ingest each new delivery → compute → audit → publish → report. Read this page and you know the system."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date as Day
from datetime import datetime, time
from functools import partial
from itertools import groupby
from typing import Any

from prefect import flow, task
from prefect.cache_policies import NO_CACHE
from sqlalchemy import Engine

from flows.ingest import ingest_delivery
from flows.progress import each, tell
from tasks.audit import AuditFailed, Warned, audit
from tasks.compute import Publication, compute, publish_values
from tasks.data_docs import DataDocs
from tasks.form_06a import DoesNotAddUp
from tasks.load import Outcome, releasable
from tasks.publish import Report, artifacts, report
from tasks.pull import Delivery, Source, Unreadable, delivered, pending, pull, read_sources
from tasks.run import Run, in_one_line, one_at_a_time
from tasks.scores import Scores, compute_scores
from tasks.vietnamese import VIETNAM
from warehouse.database import open_warehouse
from warehouse.settings import Refusal, Settings

FIRST = {"procedures", "agencies", "merchants"}
LAST = {"payments"}
"""Others refer to the first; the last refer to bills and dossiers."""


@dataclass(frozen=True)
class Night:
    """What one night did."""

    run_id: int
    outcomes: list[Outcome]
    unreachable: list[str]
    """Sources or files that could not be taken, one line each."""
    publication: Publication
    scores: Scores
    warned: list[Warned]
    """Values published that deserve a look."""
    report: Report | None


class NightFailed(Exception):
    """Something broke that is no fault of a supplier; everything else was done. One line."""


@dataclass(frozen=True)
class Published:
    """What one publication changed: indicators, form 06a and the scores of decision 766."""

    publication: Publication
    scores: Scores
    warned: list[Warned]


def publish(engine: Engine, run_id: int, as_of: datetime) -> Published:
    """Computes what changed, audits it and publishes it in one transaction: readers never see half a night."""
    with engine.begin() as connection:
        compute(connection, as_of)
        warned = audit(connection)
        publication = publish_values(connection, run_id, as_of)
        try:
            scores = compute_scores(connection, as_of, run_id)
        except DoesNotAddUp as wrong:
            raise AuditFailed(f"Không công bố số liệu vì biểu 06a không cân đối ({wrong}).") from wrong
        return Published(publication, scores, warned)


@dataclass(frozen=True)
class Steps:
    """The steps of a night: plain functions, or the same as tasks."""

    pull: Callable[..., int]
    ingest: Callable[..., Outcome]
    publish: Callable[..., Published]
    report: Callable[..., Report] | None


PLAIN = Steps(pull, ingest_delivery, publish, report)


def night(
    settings: Settings, engine: Engine, until: Day | None, flow_name: str = "nightly", steps: Steps = PLAIN, docs: DataDocs | None = None
) -> Night:
    """One night, whoever carries out the steps: Prefect's tasks, or plain functions in a benchmark."""
    as_of = datetime.combine(until, time.max, VIETNAM) if until else datetime.now(VIETNAM)
    sources = read_sources(settings.sources)
    docs = docs or DataDocs(settings.home / "data_docs")
    with one_at_a_time(engine, flow_name, as_of) as run:
        unreachable = _pull(engine, settings, sources, as_of.date(), steps)
        outcomes = []
        for wave in waves([new for new in pending(engine, settings.home) if new.exported_at <= as_of]):
            outcomes += _ingest(engine, settings, wave, run, steps, docs)
        outcomes += _ingest(engine, settings, [delivered(engine, settings.home, releasable(engine))], run, steps, docs)
        tell("Tính chỉ tiêu và công bố")
        published = steps.publish(engine, run.run_id, as_of)
        tell("Lập báo cáo")
        made = steps.report(engine, settings.home, sources, run.run_id, docs) if steps.report else None
        done = Night(run.run_id, outcomes, unreachable, published.publication, published.scores, published.warned, made)
    if run.problems:
        raise NightFailed("; ".join(run.problems))
    return done


def waves(waiting: Iterable[Delivery]) -> list[list[list[Delivery]]]:
    """Deliveries in three waves, one after the other; inside a wave, a source's own deliveries in the order they were made."""
    ranked: list[list[Delivery]] = [[], [], []]
    for delivery in waiting:
        ranked[0 if delivery.feed in FIRST else 2 if delivery.feed in LAST else 1].append(delivery)
    return [_chains(wave) for wave in ranked]


def _chains(wave: list[Delivery]) -> list[list[Delivery]]:
    by_feed = sorted(wave, key=lambda delivery: (delivery.feed, delivery.exported_at, delivery.delivery_id))
    return sorted((list(chain) for _, chain in groupby(by_feed, lambda delivery: delivery.feed)), key=len, reverse=True)


def _pull(engine: Engine, settings: Settings, sources: list[Source], until: Day, steps: Steps) -> list[str]:
    pulled = each("Nhận tệp", lambda source: steps.pull(engine, source, settings.home, until), [[source] for source in sources])
    failed = [(source, result) for source, result in pulled if isinstance(result, Exception)]
    lines = [str(why) if isinstance(why, Unreadable | Refusal) else f"{source.name}: {in_one_line(why)}" for source, why in failed]
    if sources and sum(not isinstance(why, Unreadable) for _, why in failed) == len(sources):
        raise Refusal(f"Không nguồn nào nhận được tệp. {lines[0]}")
    return lines


def _ingest(engine: Engine, settings: Settings, chains: list[list[Delivery]], run: Run, steps: Steps, docs: DataDocs) -> list[Outcome]:
    taken = each("Kiểm tra và nạp", lambda delivery: steps.ingest(engine, delivery, settings, docs), chains)
    run.deliveries += len(taken)
    run.problems += [f"{what.source}/{what.file_name}: {in_one_line(why)}" for what, why in taken if isinstance(why, Exception)]
    return [outcome for _, outcome in taken if not isinstance(outcome, Exception)]


def _passing(_task: Any, _run: Any, state: Any) -> bool:
    """Whether trying again may help: a refusal or an unreadable file stays what it is."""
    return not isinstance(state.result(raise_on_failure=False), Refusal | Unreadable | FileNotFoundError | PermissionError)


a_task = partial(task, cache_policy=NO_CACHE, persist_result=False)
retried = partial(a_task, retries=3, retry_delay_seconds=[10, 60, 180], retry_jitter_factor=0.3, retry_condition_fn=_passing)
TASKS = Steps(
    pull=retried(pull, task_run_name="pull-{source.name}"),
    ingest=a_task(ingest_delivery, name="ingest", task_run_name="ingest-{delivery.source}-{delivery.file_name}"),
    publish=a_task(publish),
    report=a_task(report),
)


@flow(name="nightly")
def nightly(date: Day | None = None) -> Night:
    """The nightly run, for deliveries up to a date; without one, for all there are."""
    settings = Settings.from_environment()
    with open_warehouse(settings) as engine:
        done = night(settings, engine, date, steps=TASKS)
        artifacts(engine, done.run_id, done.report)
    return done
