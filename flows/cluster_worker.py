"""What a worker of the cluster does, by its own settings: says whether it can take part in a night, and takes a batch in.

A worker is a machine with the same installation: its own environment says where the warehouse is, with which key people are
pseudonymised, and where it sees the night's BAKHONG_HOME.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from importlib.metadata import version
from socket import gethostname
from uuid import UUID

from prefect import task
from prefect.cache_policies import NO_CACHE
from sqlalchemy import Engine, text
from sqlalchemy.exc import OperationalError

from flows.ingest import NotAllIngested, ingest_batch
from flows.logs import log_with_prefect
from flows.progress import Meter
from tasks.deliveries import landed
from tasks.deliveries.batches import Batch
from tasks.deliveries.ledger import Delivery, Outcome
from tasks.deliveries.run_lock import RunName, in_one_line, require_lock, spoken_of
from tasks.deliveries.source import Source
from tasks.read.limits import Limits
from warehouse.database import read_warehouse
from warehouse.pseudonym_key import fingerprint, hold_to_key
from warehouse.settings import Refusal, Settings, given_key
from warehouse.standing import require_to_load

LOOK_SECONDS = 5
"""So often who waits looks whether what it waits for is still there."""


@dataclass(frozen=True)
class Needed:
    """What a worker has to have in common with the night."""

    version: str
    key: str
    """Fingerprint of the key of the pseudonyms."""
    last_run: UUID | None
    """By which a warehouse is known from a copy of it."""
    last_file: tuple[str, str] | None
    """Source and hash of what was landed last."""

    @classmethod
    def by(cls, engine: Engine) -> Needed:
        """What it takes to take part in the night of this process."""
        with engine.connect() as connection:
            last_run = connection.scalar(text("SELECT run_uuid FROM ops.run ORDER BY run_id DESC LIMIT 1"))
            kept = "SELECT source, sha256 FROM ops.delivery WHERE file_removed_at IS NULL ORDER BY delivery_id DESC LIMIT 1"
            last_file = connection.execute(text(kept)).first()
        return cls(version("bakhong"), fingerprint(given_key()), last_run, tuple(last_file) if last_file else None)


def lacks(needed: Needed) -> str:
    """Why this machine cannot take part, in one sentence; empty where it can."""
    try:
        if version("bakhong") != needed.version:
            raise Refusal(f"chạy Ba Không bản {version('bakhong')}, lượt đêm chạy bản {needed.version}")
        settings = Settings.from_environment(reading=True)
        if settings.warehouse_url is None:  # the embedded server is the other machine's: two would ruin its files
            raise Refusal("chưa đặt BAKHONG_WAREHOUSE_URL")
        with read_warehouse(settings) as engine, engine.connect() as connection:
            require_to_load(connection)
            known = connection.scalar(text("SELECT run_uuid FROM ops.run ORDER BY run_id DESC LIMIT 1"))
        if known != needed.last_run:
            raise Refusal("BAKHONG_WAREHOUSE_URL chỉ tới một kho khác kho của lượt đêm")
        if fingerprint(given_key()) != needed.key:
            raise Refusal("BAKHONG_SECRET_KEY không phải khóa của lượt đêm")
        if needed.last_file and not landed.is_there(landed.place(settings.home, *needed.last_file)):
            raise Refusal(f"không thấy tệp đã nhận trong BAKHONG_HOME {settings.home}: phải là thư mục chung với máy chạy lượt đêm")
    except Refusal as refusal:
        return f"máy {gethostname()}: {refusal}"
    return ""


@dataclass
class Taken:
    """What became of a batch on a worker."""

    outcomes: list[Outcome] = field(default_factory=list)
    failed: list[tuple[int, str]] = field(default_factory=list)
    """Number and reason of deliveries that could not be taken in for a reason that is no fault of their supplier."""


def ingest_here(batch: Batch, source: Source | None, limits: Limits, its_turn: str, run: RunName) -> Taken:
    """Takes a batch in on the machine this runs on, by its own settings."""
    from distributed import Event, rejoin, secede  # noqa: PLC0415  # an optional extra

    taken = Taken()
    may_load = Event(its_turn)
    try:
        settings = Settings.from_environment()
        log_with_prefect(settings)
        spoken_of.set(run)
        with read_warehouse(settings) as engine:
            with engine.begin() as connection:
                hold_to_key(connection, settings.secret_key)  # another key would make other people of those who are known

            def turn() -> None:
                if may_load.is_set():
                    return
                secede()  # it waits without a slot, so that those it waits for are never kept from theirs
                while not may_load.wait(timeout=LOOK_SECONDS):
                    with engine.connect() as connection:
                        require_lock(connection, run.run_id)  # a night that was stopped lets nobody go on
                rejoin()

            here = replace(batch, deliveries=tuple(_seen_here(delivery, settings) for delivery in batch.deliveries))
            ingest_batch(engine, here, settings, source, limits, run.run_id, turn, taken.outcomes.append, Meter({}))
    except NotAllIngested as some:
        taken.failed += [(delivery.delivery_id, _told(why)) for delivery, why in some.problems]
    except (Refusal, OperationalError) as why:  # it is this machine's: the night goes on without it
        done = {outcome.delivery_id for outcome in taken.outcomes}
        taken.failed += [(each.delivery_id, _told(why)) for each in batch.deliveries if each.delivery_id not in done]
    return taken


def _seen_here(delivery: Delivery, settings: Settings) -> Delivery:
    return replace(delivery, path=landed.place(settings.home, delivery.source, delivery.sha256))


def _told(why: Exception) -> str:
    return f"máy {gethostname()}: {in_one_line(why)}"


ON_A_WORKER = task(name="ingest", task_run_name="ingest-{batch.name}", cache_policy=NO_CACHE, persist_result=False)(ingest_here)
"""The same as a task of Prefect."""
