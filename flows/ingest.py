"""One delivery: read → validate → load. The unit of work, of retry and of parallelism."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from functools import partial
from threading import current_thread

from prefect import flow
from sqlalchemy import Engine

from flows import faults
from flows.logs import log_with_prefect
from flows.progress import Meter, Turn
from tasks.deliveries import landed
from tasks.deliveries.batches import Batch
from tasks.deliveries.ledger import Delivery, Outcome, delivered, usual_rows
from tasks.deliveries.run_lock import LockLost, in_one_line, one_at_a_time, require_lock
from tasks.deliveries.source import Source, read_sources, terms_of
from tasks.load.deliver import load, reject, stays_loaded
from tasks.load.prefetch import prefetched
from tasks.pull.names import shown
from tasks.read.bounded import quoted, read
from tasks.read.file import Chunk, Rejected
from tasks.read.limits import DEFAULT, Limits, read_limits
from tasks.read.rows import File
from tasks.validate.checks import Opened, check_together
from warehouse.database import open_warehouse
from warehouse.pseudonym_key import hold_to_key
from warehouse.settings import Refusal, Settings

log = logging.getLogger("bakhong")


class IngestFailed(Exception):
    """A delivery could not be taken in for a reason that is no fault of its supplier."""


class NotAllIngested(Exception):
    """Deliveries of a batch that could not be taken in, for the reason each; the others were."""

    def __init__(self, problems: list[tuple[Delivery, IngestFailed]]) -> None:
        super().__init__("; ".join(f"{delivery.file_name}: {problem}" for delivery, problem in problems))
        self.problems = problems


def ingest_batch(
    engine: Engine,
    batch: Batch,
    settings: Settings,
    source: Source | None,
    limits: Limits,
    run_id: int,
    turn: Turn,
    told: Callable[[Outcome], None],
    meter: Meter,
) -> None:
    """Reads and checks the deliveries of a batch together, and takes them into the warehouse one after the other.

    `turn`: asked before each, waits until it may be loaded. `told`: hears of each outcome, `meter` of what is read. NotAllIngested
    where the system failed some; LockLost where the run is no longer the one at work.
    """
    current_thread().name = batch.deliveries[0].feed  # told by whoever looks what a thread is at
    problems: list[tuple[Delivery, IngestFailed]] = []
    with ExitStack() as opened:
        arriving = [opened.enter_context(_Arriving(engine, delivery, settings, source, limits, meter)) for delivery in batch.deliveries]
        check_together([one.opened for one in arriving])
        for one in arriving:
            turn()
            with engine.connect() as connection:
                require_lock(connection, run_id)
            try:
                told(one.load())
            except IngestFailed as problem:
                problems.append((one.delivery, problem))
    if problems:
        raise NotAllIngested(problems)


def ingest_delivery(
    engine: Engine,
    delivery: Delivery,
    settings: Settings,
    source: Source | None = None,
    limits: Limits = DEFAULT,
) -> Outcome:
    """Takes one delivery into the warehouse, or refuses it whole: with the reason its supplier can act on, or, where it runs into
    what nobody foresaw, with a reference for the operator. `source`: what sources.yaml says of it now, where it still does.

    IngestFailed, and nothing has changed, where the system is at fault, or where it was loaded before.
    """
    with _Arriving(engine, delivery, settings, source, limits, Meter({})) as arriving:
        return arriving.load()


class _Arriving:
    """A delivery whose first rows are read."""

    def __init__(
        self,
        engine: Engine,
        delivery: Delivery,
        settings: Settings,
        source: Source | None,
        limits: Limits,
        meter: Meter,
    ) -> None:
        self.delivery = delivery
        self._meter = meter
        self._engine, self._home = engine, settings.home
        self._terms = terms_of(delivery.feed, delivery.layout, source)
        self._received = 0
        file = (delivery.path, self._terms, delivery.layout, settings.secret_key, delivery.file_name)
        self._chunks = read(*file, corrections=delivery.corrections, limits=limits)
        self._quoted = partial(quoted, *file, sha256=delivery.sha256, corrections=delivery.corrections, limits=limits)
        self.opened = Opened.of(delivery, self._terms, self._counted())

    def __enter__(self) -> _Arriving:
        return self

    def __exit__(self, *_: object) -> None:
        self._meter.done(self.delivery.delivery_id)
        self._chunks.close()  # whatever happens: what reads ahead is ended, and not left to be found

    def _counted(self) -> Iterator[Chunk]:
        for chunk in self._chunks:
            self._received += chunk.received
            self._meter.read(self.delivery.delivery_id, chunk.received, chunk.read_bytes)
            yield chunk

    def load(self) -> Outcome:
        """Checks what is left to be checked and loads it."""
        became = self._loaded()
        counts = {name: getattr(became, name) for name in ("received", "loaded", "unchanged", "quarantined", "ignored")}
        told = {"delivery": became.delivery_id, "source": self.delivery.source, "file": shown(self.delivery.file_name)}
        judged = {"verdict": became.verdict, "rule": became.cause and became.cause.rpartition(" ")[2]}
        log.info("delivery %s", became.status, extra=told | judged | counts)
        return became

    def _loaded(self) -> Outcome:
        delivery = self.delivery
        _require_landed(delivery)
        try:
            checked = self.opened.checked(lambda: usual_rows(self._engine, delivery))
            with closing(prefetched(checked)) as ready:
                return load(self._engine, delivery, self._terms, ready, self._quoted)
        except Rejected as rejected:
            return self._reject(rejected)
        except LockLost:
            raise
        except Exception as problem:
            # The text of an unknown error may quote a cell, and Prefect would log it: only its kind and place go on.
            if faults.is_of_the_system(problem):
                raise IngestFailed(in_one_line(problem)) from None
            reference = faults.keep(self._home, delivery, problem)
            refused = File(delivery.path, delivery.file_name, self._terms, delivery.layout).refused("STR-021", advice=reference)
        return self._reject(refused)

    def _reject(self, rejected: Rejected) -> Outcome:
        if self.delivery.is_loaded:  # its rows are in the warehouse: they do not become nothing because they cannot be read again
            stays_loaded(self._engine, self.delivery, self._terms)
            raise IngestFailed(f"đã nạp trước đây, nay đọc lại thì bị từ chối nên giữ nguyên: {rejected.message_vi}") from None
        return reject(self._engine, self.delivery, rejected, self._received, self._quoted, self._terms)


def _require_landed(delivery: Delivery) -> None:
    if delivery.removed_at is not None:
        raise IngestFailed(f"{landed.removed(delivery.removed_at)}; lần gửi giữ nguyên như trước.")
    try:
        landed.require_readable(delivery.path)
    except OSError as problem:
        raise IngestFailed(
            f"không đọc được tệp đã nhận {delivery.path} ({problem.strerror}); lần gửi giữ nguyên như trước. "
            "Khôi phục tệp từ bản sao lưu, hoặc để nguyên ở nguồn thì lượt sau nhận lại."
        ) from None


@flow(name="ingest", flow_run_name="ingest-{delivery_id}")
def ingest(delivery_id: int) -> Outcome:
    """Reads one landed delivery again, by its number in ops.delivery; the next night computes and publishes."""
    settings = Settings.from_environment()
    log_with_prefect(settings)
    with open_warehouse(settings) as engine:
        found = delivered(engine, settings.home, [delivery_id])
        if not found:
            raise Refusal(f"Không có lần gửi số {delivery_id}.")
        with one_at_a_time(engine, "ingest", found[0].exported_at) as run:
            with engine.begin() as connection:
                hold_to_key(connection, settings.secret_key)  # again: it may have been changed until we were alone
            source = next((source for source in read_sources(settings.sources) if source.name == found[0].source), None)
            outcome = ingest_delivery(engine, found[0], settings, source=source, limits=read_limits(settings.sources))
            run.outcomes.append(outcome)
            return outcome
