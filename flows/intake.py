"""What a night takes: all sources pulled, then every delivery that waits, side by side and each in its turn."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import date as Day
from functools import partial
from operator import attrgetter

from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from flows.cluster import ClusterLost
from flows.ingest import NotAllIngested
from flows.progress import Meter, Turn, each, in_turn
from flows.steps import Steps
from tasks.deliveries.batches import Batch, batches, size_of
from tasks.deliveries.ledger import Delivery, delivered, note_unreachable, pending
from tasks.deliveries.run_lock import LockLost, Run, in_one_line
from tasks.deliveries.source import Source
from tasks.load.dependents import releasable
from tasks.pull.landing import Pulled, Unreadable
from tasks.pull.writing import Unwritable
from tasks.read.bounded import get_ready, stand_down
from tasks.read.limits import Limits
from tasks.validate import gx
from tasks.words.vietnamese import some
from warehouse.settings import Refusal, Settings

log = logging.getLogger("bakhong")


def pull_all(
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


def take_in(engine: Engine, settings: Settings, run: Run, steps: Steps, sources: list[Source], limits: Limits) -> None:
    """Takes every delivery in that waits, those set aside whose turn has come among them; what broke stands among the run's problems.

    One that comes late, or is read again, sends those made after it back into the queue: they are read again before anything is published.
    """
    by_name = {source.name: source for source in sources}
    take = partial(_ingest, engine, settings, run, steps, by_name, limits)
    broken = _take_waiting(engine, settings, run, take, set())
    broken |= take(delivered(engine, settings.home, releasable(engine, by_name)))
    _take_waiting(engine, settings, run, take, broken)
    stand_down()


def _take_waiting(engine: Engine, settings: Settings, run: Run, take: Callable[[list[Delivery]], set[int]], broken: set[int]) -> set[int]:
    """Takes deliveries in until none waits, and returns which broke something, those that did before among them."""
    while waiting := _waiting(engine, settings, run, broken):
        broken = broken | take(waiting)
    return broken


def _waiting(engine: Engine, settings: Settings, run: Run, broken: set[int]) -> list[Delivery]:
    """Deliveries to take: made up to the night, or loaded before and to be read again, whenever they were made."""
    waiting = (new for new in pending(engine, settings.home) if new.exported_at <= run.as_of or new.is_loaded)
    return [new for new in waiting if new.delivery_id not in broken]


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
