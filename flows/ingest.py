"""One delivery: read → validate → load. The unit of work, of retry and of parallelism."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from prefect import flow
from sqlalchemy import Engine

from expectations.contract import contract
from tasks.deliveries.ledger import Delivery, Outcome, delivered, usual_rows
from tasks.deliveries.run_lock import in_one_line, one_at_a_time
from tasks.load.deliver import load, reject
from tasks.load.prefetch import prefetched
from tasks.read.file import Chunk, Rejected, read
from tasks.validate.checks import validate
from warehouse.database import open_warehouse
from warehouse.settings import Refusal, Settings

if TYPE_CHECKING:
    from tasks.validate.data_docs import DataDocs


class IngestFailed(Exception):
    """A delivery could not be taken in for a reason that is no fault of its supplier."""


def ingest_delivery(engine: Engine, delivery: Delivery, settings: Settings, docs: DataDocs | None = None) -> Outcome:
    """Takes one delivery into the warehouse, or refuses it whole with the reason its supplier can act on.

    IngestFailed, and nothing has changed, where it broke for a reason that is none of the supplier's.
    """
    _require_landed(delivery)
    terms = contract(delivery.feed)
    received = 0

    def counted(chunks: Iterable[Chunk]) -> Iterator[Chunk]:
        nonlocal received
        for chunk in chunks:
            received += chunk.received
            yield chunk

    try:
        chunks = read(delivery.path, terms, delivery.layout, settings.secret_key, delivery.file_name)
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
        return load(engine, delivery, terms, prefetched(checked))
    except Rejected as rejected:
        if delivery.is_loaded:  # its rows are in the warehouse: they do not become nothing because they cannot be read again
            raise IngestFailed(f"đã nạp trước đây, nay đọc lại thì bị từ chối nên giữ nguyên: {rejected.message_vi}") from None
        return reject(engine, delivery, rejected, received)
    except Exception as problem:
        # The text of an unknown error may quote a cell, and Prefect would log it: only its kind and place go on.
        raise IngestFailed(in_one_line(problem)) from None


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
            outcome = ingest_delivery(engine, found[0], settings)
            run.outcomes.append(outcome)
            return outcome
