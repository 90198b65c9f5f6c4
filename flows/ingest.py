"""One delivery: read → validate → load. The unit of work, of retry and of parallelism."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing
from typing import TYPE_CHECKING

from prefect import flow
from sqlalchemy import Engine

from expectations.contract import contract
from flows import faults
from tasks.deliveries.ledger import Delivery, Outcome, delivered, usual_rows
from tasks.deliveries.run_lock import LockLost, in_one_line, one_at_a_time
from tasks.deliveries.source import Source, read_sources
from tasks.load.deliver import load, reject
from tasks.load.prefetch import prefetched
from tasks.read.bounded import read
from tasks.read.file import Chunk, Rejected
from tasks.read.limits import DEFAULT, Limits, read_limits
from tasks.read.rows import File
from tasks.validate.checks import validate
from warehouse.database import open_warehouse
from warehouse.settings import Refusal, Settings

if TYPE_CHECKING:
    from tasks.validate.data_docs import DataDocs


class IngestFailed(Exception):
    """A delivery could not be taken in for a reason that is no fault of its supplier."""


def ingest_delivery(
    engine: Engine,
    delivery: Delivery,
    settings: Settings,
    docs: DataDocs | None = None,
    source: Source | None = None,
    limits: Limits = DEFAULT,
) -> Outcome:
    """Takes one delivery into the warehouse, or refuses it whole: with the reason its supplier can act on, or, where it runs into
    what nobody foresaw, with a reference for the operator. `source`: what sources.yaml says of it now, where it still does.

    IngestFailed, and nothing has changed, where the system is at fault, or where it was loaded before.
    """
    _require_landed(delivery)
    terms = contract(delivery.feed)
    if source is not None and (source.feed, source.layout) == (delivery.feed, delivery.layout):
        terms = terms.with_headers(delivery.layout, source.headers)
    received = 0

    def counted(chunks: Iterable[Chunk]) -> Iterator[Chunk]:
        nonlocal received
        for chunk in chunks:
            received += chunk.received
            yield chunk

    try:
        # Closed here, whatever happens: what reads ahead is ended, and not left to be found.
        with closing(read(delivery.path, terms, delivery.layout, settings.secret_key, delivery.file_name, limits=limits)) as chunks:
            usual = usual_rows(engine, delivery)
            checked = validate(
                counted(chunks),
                terms,
                delivery.layout,
                delivery.file_name,
                docs=docs,
                usual_rows=usual,
                exported_at=delivery.exported_at,
                covers=delivery.covers,
                is_declared=delivery.is_declared,
            )
            with closing(prefetched(checked)) as ready:
                return load(engine, delivery, terms, ready)
    except Rejected as rejected:
        return _reject(engine, delivery, rejected, received)
    except LockLost:
        raise
    except Exception as problem:
        # The text of an unknown error may quote a cell, and Prefect would log it: only its kind and place go on.
        if faults.is_of_the_system(problem):
            raise IngestFailed(in_one_line(problem)) from None
        reference = faults.keep(settings.home, delivery, problem)
        refused = File(delivery.path, delivery.file_name, terms, delivery.layout).refused("STR-021", advice=reference)
    return _reject(engine, delivery, refused, received)


def _reject(engine: Engine, delivery: Delivery, rejected: Rejected, received: int) -> Outcome:
    if delivery.is_loaded:  # its rows are in the warehouse: they do not become nothing because they cannot be read again
        raise IngestFailed(f"đã nạp trước đây, nay đọc lại thì bị từ chối nên giữ nguyên: {rejected.message_vi}") from None
    return reject(engine, delivery, rejected, received)


def _require_landed(delivery: Delivery) -> None:
    try:
        with delivery.path.open("rb"):
            pass
    except OSError as problem:
        raise IngestFailed(
            f"không đọc được tệp đã nhận {delivery.path} ({problem.strerror}); lần gửi giữ nguyên như trước. "
            "Khôi phục tệp từ bản sao lưu, hoặc để nguyên ở nguồn thì lượt sau nhận lại."
        ) from None


@flow(name="ingest", flow_run_name="ingest-{delivery_id}")
def ingest(delivery_id: int) -> Outcome:
    """Reads one landed delivery again, by its number in ops.delivery; the next night computes and publishes."""
    settings = Settings.from_environment()
    with open_warehouse(settings) as engine:
        found = delivered(engine, settings.home, [delivery_id])
        if not found:
            raise Refusal(f"Không có lần gửi số {delivery_id}.")
        with one_at_a_time(engine, "ingest", found[0].exported_at) as run:
            source = next((source for source in read_sources(settings.sources) if source.name == found[0].source), None)
            outcome = ingest_delivery(engine, found[0], settings, source=source, limits=read_limits(settings.sources))
            run.outcomes.append(outcome)
            return outcome
