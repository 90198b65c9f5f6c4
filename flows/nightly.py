"""The night: pull → ingest each new delivery → count → audit → publish → report. Read this page and you know the system."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date as Day
from datetime import datetime, time
from functools import partial
from operator import attrgetter
from typing import Any

from prefect import flow, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State
from prefect.exceptions import TerminationSignal
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from flows.cluster import ClusterLost, spread
from flows.ending import NightStopped, state_of
from flows.health import telling_troubles, troubles
from flows.ingest import NotAllIngested, ingest_batch
from flows.lineage import Told, lineage
from flows.logs import log_with_prefect
from flows.prefect_runs import made_up_for, tell_of_the_dead, this_run
from flows.progress import Meter, Turn, each, in_turn, note, tell
from flows.publish import Published, publish
from flows.stopping import is_stopping, stoppable
from tasks.ask.questions import SourceState, source_states
from tasks.deliveries.batches import Batch, batches, size_of
from tasks.deliveries.ledger import Delivery, Outcome, delivered, know_sources, note_unreachable, pending
from tasks.deliveries.run_lock import LockLost, Run, in_one_line, one_at_a_time
from tasks.deliveries.source import Source, read_providers, read_provinces, read_reporting_calendars, read_sample, read_sources
from tasks.deliveries.steps import Step
from tasks.deliveries.steps import step as step_of
from tasks.load.dependents import releasable
from tasks.open_data.declaration import OpenData, read_open_data
from tasks.open_data.shelf import write_missing
from tasks.pull.landing import Pulled, Unreadable, pull
from tasks.pull.writing import Unwritable
from tasks.read.bounded import get_ready, stand_down
from tasks.read.limits import Limits, read_limits
from tasks.report.edition import Report, artifacts, report
from tasks.report.message import check_address, tell_news
from tasks.validate import gx
from tasks.validate.data_docs import DataDocs
from tasks.validate.examined import examined
from tasks.words.vietnamese import VIETNAM, some
from warehouse.database import open_warehouse
from warehouse.pseudonym_key import hold_to_key
from warehouse.seed import choose_reporting_calendars, know_providers, know_provinces, know_publisher, mark_sample
from warehouse.settings import Refusal, Settings


@dataclass(frozen=True)
class Night:
    """What one night did."""

    run_id: int
    outcomes: list[Outcome]
    unreachable: list[str]
    """Sources or files that could not be taken, one line each."""
    ahead: list[str]
    """Files that wait for the night of the day they are of, a line a source."""
    published: Published
    report: Report | None
    problems: list[str]
    """What broke that is no fault of a supplier, one line each; everything else was done."""
    late: list[SourceState[Source]]
    """Sources whose silence is late."""

    @property
    def shortcomings(self) -> list[str]:
        """What was not taken or not published, one line each: what broke, was out of reach, was rejected, was held back."""
        rejected = [line for _, line in self._rejected]
        return [*self.problems, *self.unreachable, *rejected, *self.published.not_published]

    @property
    def causes(self) -> list[tuple[str, str]]:
        """The same and who is late, each finding apart, with what it is about: a text that stays as it is while the fault lasts."""
        others = [(line.partition(":")[0], line) for line in (*self.problems, *self.unreachable)]
        late = [(f"late {state.source.name} {state.taken_at}", f"Nguồn chậm: {state.told}") for state in self.late]
        return [*others, *self._rejected, *self.published.causes, *late]

    @property
    def _rejected(self) -> list[tuple[str, str]]:
        refused = (outcome for outcome in self.outcomes if outcome.status == "rejected")
        return [(f"rejected {outcome.cause}", f"Bị từ chối: {outcome.message_vi}") for outcome in refused]


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


log = logging.getLogger("bakhong")

WITHOUT_PREFECT = Steps(pull, ingest_batch, publish, report)


def night(
    settings: Settings,
    engine: Engine,
    until: Day | None,
    flow_name: str = "nightly",
    steps: Steps = WITHOUT_PREFECT,
    docs: DataDocs | None = None,
) -> Night:
    """One night, whoever carries out the steps: Prefect's tasks, or plain functions in a benchmark."""
    as_of = datetime.combine(until, time.max, VIETNAM) if until else datetime.now(VIETNAM)
    sources, limits = read_sources(settings.sources), read_limits(settings.sources)
    providers, provinces = read_providers(settings.sources), read_provinces(settings.sources)
    calendars, is_sample = read_reporting_calendars(settings.sources), read_sample(settings.sources)
    docs, declared = docs or DataDocs(settings.home / "data_docs"), read_open_data(settings.sources)
    check_address(settings.message_to)
    with (
        one_at_a_time(engine, flow_name, as_of, this_run()) as run,
        stoppable(lambda: run.standing, NightStopped, TOLD_BY_PREFECT),
        lineage(engine, run) as told,
    ):
        with engine.begin() as connection:
            hold_to_key(connection, settings.secret_key)  # again: it may have been changed until we were alone
            know_providers(connection, providers)
            know_provinces(connection, provinces)
            choose_reporting_calendars(connection, calendars)
            know_publisher(connection, declared.publisher or "")
            know_sources(connection, sources)
            if is_sample is not None:
                mark_sample(connection, is_sample)
        step = partial(_step, engine, run, told)
        unreachable: list[str] = []
        ahead: list[str] = []
        if steps.pull:
            with step("pull"):
                unreachable, ahead = _pull(engine, settings, run, sources, until, steps.pull)
        with step("ingest"):
            by_name = {source.name: source for source in sources}
            take = partial(_ingest, engine, settings, run, steps, by_name, limits)
            broken = _take_waiting(engine, settings, as_of, take, set())
            broken |= take(delivered(engine, settings.home, releasable(engine, by_name)))
            _take_waiting(engine, settings, as_of, take, broken)
            stand_down()
        tell("Tính chỉ tiêu và công bố")
        with step("publish"):
            published = steps.publish(engine, run.run_id, as_of)
            run.is_published = not published.is_held
        docs.deliveries |= {outcome.delivery_id for outcome in run.outcomes}
        made = None
        if steps.report:
            tell("Lập báo cáo")
            with step("report"):
                run.problems += _written(engine, settings, declared)
                docs.examined = examined(engine, docs.deliveries, sources)
                made = steps.report(engine, settings.home, run.run_id, docs)
        with engine.connect() as connection:
            late = [state for state in source_states(connection, sources, as_of) if state.is_late]
        for state in late:
            log.warning("source is late", extra={"source": state.source.name, "due": state.due})
        return Night(run.run_id, run.outcomes, unreachable, ahead, published, made, [*run.problems, *steps.problems], late)


def _written(engine: Engine, settings: Settings, declared: OpenData) -> list[str]:
    """Writes the open data that are missing, and returns what went wrong: it does not cost the night its report."""
    try:
        with engine.connect() as connection:
            write_missing(connection, settings.home, declared)
    except Exception as why:
        return [f"Dữ liệu mở: {in_one_line(why)}"]
    return []


@contextmanager
def _step(engine: Engine, run: Run, told: Told, name: Step) -> Iterator[None]:
    """A step of a night, as the ledger keeps it and lineage is told of it."""
    with told(name), step_of(engine, run.run_id, name):
        yield


def _take_waiting(
    engine: Engine, settings: Settings, as_of: datetime, take: Callable[[list[Delivery]], set[int]], broken: set[int]
) -> set[int]:
    """Takes deliveries in until none waits, and returns which broke something, those that did before among them.

    One that comes late, or is read again, sends those made after it back into the queue: they are read again before anything is published.
    """
    while waiting := _waiting(engine, settings, as_of, broken):
        broken = broken | take(waiting)
    return broken


def _waiting(engine: Engine, settings: Settings, as_of: datetime, broken: set[int]) -> list[Delivery]:
    """Deliveries to take: made up to the night, or loaded before and to be read again, whenever they were made."""
    return [new for new in pending(engine, settings.home) if (new.exported_at <= as_of or new.is_loaded) and new.delivery_id not in broken]


def _pull(
    engine: Engine, settings: Settings, run: Run, sources: list[Source], until: Day | None, pull_one: Callable[..., Pulled]
) -> tuple[list[str], list[str]]:
    """Takes what the sources have; what could not be taken, which is written down, and what is of a later day, one line each."""

    def step(source: Source) -> Pulled:
        found = pull_one(engine, source, settings.home, until, run.as_of)
        if found.landed:
            get_ready()  # while the others are fetched
            gx.get_ready()
        return found

    pulled = each("Nhận tệp", step, sources, fatal=(Unwritable,), name=attrgetter("name"))
    failed = [(source, result) for source, result in pulled if isinstance(result, Exception)]
    missed = [(source.name, line) for source, why in failed for line in _lines(source, why)]
    for name, line in missed:
        log.warning("source or file not taken: %s", line, extra={"source": name})
    with engine.begin() as connection:
        note_unreachable(connection, run.run_id, missed)
    if sources and sum(not isinstance(why, Unreadable) for _, why in failed) == len(sources):
        raise Refusal(f"Không nguồn nào nhận được tệp. {missed[0][1]}")
    ahead = [f"{source.name}: {some(it.ahead)}" for source, it in pulled if isinstance(it, Pulled | Unreadable) and it.ahead]
    return [line for _, line in missed], ahead


def _lines(source: Source, why: Exception) -> list[str]:
    if isinstance(why, Unreadable):
        return why.lines
    return [str(why) if isinstance(why, Refusal) else f"{source.name}: {in_one_line(why)}"]


def _ingest(
    engine: Engine,
    settings: Settings,
    run: Run,
    steps: Steps,
    sources: dict[str, Source],
    limits: Limits,
    waiting: list[Delivery],
) -> set[int]:
    """Takes deliveries in, and returns the numbers of those that broke something."""

    meter = Meter({delivery.delivery_id: size_of(delivery) for delivery in waiting})

    def step(batch: Batch, turn: Turn) -> None:
        source = sources.get(batch.deliveries[0].source)
        steps.ingest(engine, batch, settings, source, limits, run.run_id, turn, run.outcomes.append, meter)

    ordered = batches(waiting)
    in_order = in_turn(step, ordered, attrgetter("after"))
    fatal = (LockLost, OperationalError, ClusterLost)
    taken = each("Kiểm tra và nạp", in_order, ordered, size=len, fatal=fatal, workers=steps.side_by_side, tell=meter.tell)
    broken = [one for batch, why in taken if isinstance(why, Exception) for one in _broken(batch, why)]
    for delivery, why in broken:
        log.error("delivery not taken in: %s", in_one_line(why), extra={"delivery": delivery.delivery_id, "source": delivery.source})
    run.problems += [f"{delivery.source}/{delivery.file_name}: {in_one_line(why)}" for delivery, why in broken]
    return {delivery.delivery_id for delivery, _ in broken}


def _broken(batch: Batch, why: Exception) -> list[tuple[Delivery, Exception]]:
    """The deliveries of a batch that were not taken in, and why."""
    return [*why.problems] if isinstance(why, NotAllIngested) else [(delivery, why) for delivery in batch.deliveries]


def _is_worth_another_try(_task: Any, _run: Any, state: Any) -> bool:
    """Whether trying again may help: a refusal or an unreadable file stays what it is."""
    return not isinstance(state.result(raise_on_failure=False), Refusal | Unreadable | FileNotFoundError | PermissionError)


def _try_again(task: Any, run: Any, state: Any) -> bool:
    """Whether a pull is tried again, which is told to whoever looks."""
    if is_stopping() or not _is_worth_another_try(task, run, state):
        return False
    why, tried = in_one_line(state.result(raise_on_failure=False)), run.run_count
    source = run.name.removeprefix(NAMED)
    log.warning(
        "pull is tried again: %s", why, extra={"source": source, "try": f"{tried + 1}/{len(WAITS) + 1}", "wait_seconds": WAITS[tried - 1]}
    )
    note(f"{source}: {why}. Thử lại lần {tried + 1}/{len(WAITS) + 1} sau khoảng {WAITS[tried - 1]} giây.")
    return True


TOLD_BY_PREFECT = (TerminationSignal, SystemExit)
"""What Prefect raises where a run is to end: it was told to, or its worker is gone."""
NAMED = "pull-"
WAITS = [10, 60, 180]
"""Seconds before each new try to reach a source."""
a_task = partial(task, cache_policy=NO_CACHE, persist_result=False)
retried = partial(a_task, retries=len(WAITS), retry_delay_seconds=WAITS, retry_jitter_factor=0.3, retry_condition_fn=_try_again)
TASKS = Steps(
    pull=retried(pull, task_run_name=NAMED + "{source.name}"),
    ingest=a_task(ingest_batch, name="ingest", task_run_name="ingest-{batch.name}"),
    publish=a_task(publish),
    report=a_task(report),
)


@flow(name="nightly")
def nightly(date: Day | None = None, pulls: bool = True) -> Night | State[Night]:
    """The nightly run, for deliveries up to a date; without one, for all there are. `pulls`: whether it looks for new files."""
    settings = Settings.from_environment()
    log_with_prefect(settings)
    with open_warehouse(settings) as engine, spread(settings, TASKS) as steps:
        tell_of_the_dead(engine)
        if pulls and date is None and (made_up := made_up_for(engine)):
            return made_up
        flow_name, carried_out = ("nightly", steps) if pulls else ("publish", replace(steps, pull=None))
        with telling_troubles(engine, settings):
            done = night(settings, engine, date, flow_name, carried_out)
        artifacts(engine, done.run_id, done.report, settings.desk_url)
        lasting = [(it.cause, "" if it.kind == "failed" else it.words) for it in troubles(engine, datetime.now(VIETNAM))]
        done.problems.extend(tell_news(engine, settings, done.run_id, [*done.causes, *lasting]))  # why it failed is a cause already
    return state_of([done], done)
