"""The night: pull → ingest each new delivery → count → audit → publish → report. Read this page and you know the system."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date as Day
from datetime import datetime, time
from functools import partial

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.exceptions import TerminationSignal
from sqlalchemy import Engine

from flows.cluster import spread
from flows.ending import NightStopped, state_of
from flows.health import telling_troubles, troubles
from flows.intake import pull_all, take_in
from flows.lineage import Told, lineage
from flows.logs import log_with_prefect
from flows.prefect_runs import made_up_for, tell_of_the_dead, this_run
from flows.progress import tell
from flows.publish import Published
from flows.steps import TASKS, WITHOUT_PREFECT, Steps
from flows.stopping import stoppable
from tasks.ask.questions import SourceState, source_states
from tasks.deliveries.ledger import Outcome, know_sources
from tasks.deliveries.run_lock import Run, in_one_line, one_at_a_time
from tasks.deliveries.source import Source, read_providers, read_provinces, read_reporting_calendars, read_sample, read_sources
from tasks.deliveries.steps import Step
from tasks.deliveries.steps import step as step_of
from tasks.open_data.declaration import OpenData, read_open_data
from tasks.open_data.shelf import write_missing
from tasks.read.limits import read_limits
from tasks.report.edition import Report, artifacts
from tasks.report.message import check_address, tell_news
from tasks.validate.data_docs import DataDocs
from tasks.validate.examined import examined
from tasks.words.vietnamese import VIETNAM
from warehouse.database import open_warehouse
from warehouse.pseudonym_key import hold_to_key
from warehouse.seed import choose_reporting_calendars, know_providers, know_provinces, know_publisher, mark_sample
from warehouse.settings import Settings

log = logging.getLogger("bakhong")

TOLD_BY_PREFECT = (TerminationSignal, SystemExit)
"""What Prefect raises where a run is to end: it was told to, or its worker is gone."""


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
                unreachable, ahead = pull_all(engine, settings, run, sources, until, steps.pull)
        with step("ingest"):
            take_in(engine, settings, run, steps, sources, limits)
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
