"""One run at a time: the lock held in PostgreSQL, and the row that says who holds it."""

from __future__ import annotations

import logging
import os
import socket
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import Connection, Engine, insert, select, text, update
from sqlalchemy.exc import DBAPIError, OperationalError

from tasks.words.vietnamese import moment, number
from warehouse.database import end_sessions
from warehouse.settings import Refusal
from warehouse.standing import require_writable
from warehouse.tables import run as runs

if TYPE_CHECKING:
    from tasks.deliveries.ledger import Outcome

log = logging.getLogger("bakhong")

ROOT = Path(__file__).parents[2]
HOST = socket.gethostname()
OURS = ("desk", "flows", "tasks", "expectations", "warehouse")
LOCK = 0x6BA0_6B68
"""Key of the advisory lock, one per database."""

LOCK_HELD = f"""EXISTS (
    SELECT FROM pg_locks JOIN pg_database ON pg_database.oid = pg_locks.database
    WHERE locktype = 'advisory' AND classid = 0 AND objid = {LOCK} AND objsubid = 1 AND granted AND datname = current_database()
)"""
"""SQL condition: some run is at work. A session that is gone holds nothing, whatever its row in ops.run says."""


@dataclass(frozen=True)
class RunName:
    """A run by its number in this warehouse, and by a name that no run of any other bears."""

    run_id: int
    run_uuid: UUID


spoken_of: ContextVar[RunName | None] = ContextVar("run", default=None)
"""The run that whatever happens here is about: the one at work, after its end the last one; it is named in every line of the log."""


@dataclass
class Run:
    """The run at work: its row in ops.run and what is to be noted there at the end."""

    name: RunName
    flow: str
    as_of: datetime
    started_at: datetime
    outcomes: list[Outcome] = field(default_factory=list)
    """What became of the deliveries taken so far."""
    is_published: bool = False
    problems: list[str] = field(default_factory=list)
    """What went wrong without stopping the others; one is enough for the run to end as failed."""

    @property
    def run_id(self) -> int:
        """Its number."""
        return self.name.run_id

    @property
    def status(self) -> str:
        """How it ends, by what went wrong so far."""
        return "failed" if self.problems else "completed"

    @property
    def standing(self) -> str:
        """What stands if the run ended now."""
        figures = "số liệu mới đã công bố" if self.is_published else "chưa công bố gì, số liệu công bố trước vẫn nguyên"
        return f"Lượt chạy số {self.run_id}: {number(len(self.outcomes))} lần gửi đã xong và giữ nguyên, {figures}; chạy lại sẽ làm tiếp."


class LockLost(Exception):
    """The run no longer holds the lock that keeps others out: it may not go on."""


def require_lock(connection: Connection, run_id: int) -> None:
    """LockLost where another run may be at work; where not, none can begin before the transaction ends."""
    # Whoever takes the lock next first closes the row of the run before it, and waits for those who share it.
    ours = text(f"SELECT status = 'running' AND {LOCK_HELD} FROM ops.run WHERE run_id = :run_id FOR SHARE OF run")
    if not connection.scalar(ours, {"run_id": run_id}):
        raise LockLost(
            f"Lượt chạy số {run_id} mất kết nối giữ khóa nên dừng lại, không công bố; những gì đã nạp vẫn nguyên, chạy lại sẽ làm tiếp."
        )


@contextmanager
def alone(engine: Engine) -> Iterator[Connection]:
    """Holds the run lock, on a session of its own; Refusal, naming the holder, where another run is at work."""
    lock = engine.connect().execution_options(isolation_level="AUTOCOMMIT")
    try:
        require_writable(lock)  # the lock of a standby keeps nobody out of the primary
        _require_own_session(engine, lock)
        if not lock.scalar(select(text(f"pg_try_advisory_lock({LOCK})"))):
            raise _held(lock)
        yield lock
    finally:
        with suppress(DBAPIError):  # said, not left to the end of the session, of which the server may hear late
            lock.execute(text(f"SELECT pg_advisory_unlock({LOCK})"))
        lock.invalidate()  # the pool would keep the session; where it is not ours any more, there is nothing to keep
        lock.close()


def _require_own_session(engine: Engine, lock: Connection) -> None:
    """Refusal where a pooler lends one session of the database to several of ours in turn: the lock would be nobody's."""
    asked = select(text("pg_backend_pid()"))
    ours = lock.scalar(asked)
    with engine.connect() as other:
        is_shared = other.scalar(asked) == ours
    if is_shared or lock.scalar(asked) != ours:
        raise Refusal(
            "Kết nối tới kho đi qua một bộ gom kết nối theo giao dịch (PgBouncer pool_mode = transaction), không giữ được khóa của lượt "
            "chạy: nối thẳng tới PostgreSQL, hoặc dùng pool_mode = session."
        )


def require_free(engine: Engine) -> None:
    """Refusal, naming the holder, where another run is at work just now."""
    with engine.connect() as connection:
        if connection.scalar(text(f"SELECT {LOCK_HELD}")):
            raise _held(connection)


@contextmanager
def one_at_a_time(engine: Engine, flow: str, as_of: datetime, prefect_run: UUID | None = None) -> Iterator[Run]:
    """Holds the run lock and keeps ops.run; Refusal, naming the holder, where another run is at work."""
    with alone(engine) as lock:
        # A row that says `running` while the lock was free: its process died without a word.
        ended = update(runs).where(runs.c.status == "running").values(status="killed").returning(runs.c.run_id)
        for killed in lock.scalars(ended).all():
            log.warning("a run before had died without a word", extra={"killed_run": killed})
        this = _begin(lock, flow, as_of, prefect_run)
        log.info("run began, alone", extra={"flow": flow, "as_of": as_of.isoformat(), "host": HOST, "process_id": os.getpid()})
        try:
            yield this
        except BaseException as problem:
            this.problems.append(in_one_line(problem))
            log.log(logging.ERROR if isinstance(problem, Exception) else logging.WARNING, "run ended before its end: %s", this.problems[-1])
            with suppress(DBAPIError):  # the database may be what broke: the next run closes the row
                _close(engine, this)
                if not isinstance(problem, Exception):  # told to end: steps side by side are still at work
                    end_sessions(engine)
            raise
        _close(engine, this)
        seconds = round((datetime.now(UTC) - this.started_at).total_seconds(), 1)
        log.info("run ended", extra={"status": this.status, "deliveries": len(this.outcomes), "seconds": seconds})


def _begin(lock: Connection, flow: str, as_of: datetime, prefect_run: UUID | None) -> Run:
    """Writes the beginning of a run into a row of its own."""
    now = datetime.now(UTC)
    row = {"flow": flow, "as_of": as_of, "started_at": now, "status": "running", "prefect_run": prefect_run}
    row |= {"host": HOST, "process_id": os.getpid()}
    name = RunName(*lock.execute(insert(runs).values(row).returning(runs.c.run_id, runs.c.run_uuid)).one())
    spoken_of.set(name)
    return Run(name, flow, as_of, now)


def _close(engine: Engine, this: Run) -> None:
    """Writes the end of a run into its row, unless another run has done so meanwhile."""
    end = {
        "finished_at": datetime.now(UTC),
        "status": this.status,
        "deliveries": len(this.outcomes),
        "message": "; ".join(this.problems) or None,
    }
    with engine.begin() as connection:
        connection.execute(update(runs).where(runs.c.run_id == this.run_id, runs.c.status == "running").values(end))


def in_one_line(problem: BaseException) -> str:
    """An error in one line that quotes no cell: in full where the words are ours or the system's, else its kind and place."""
    name = type(problem).__name__
    if isinstance(problem, DBAPIError):
        state = getattr(problem.orig, "sqlstate", None)
        # Out of disk, connection lost, killed by an operator: nothing of the data is in it.
        harmless = isinstance(problem, OperationalError)
        return f"PostgreSQL {state or ''}: {problem.orig}".splitlines()[0] if harmless else f"PostgreSQL {state} ({name}){_place(problem)}"
    if is_ours(problem) or isinstance(problem, OSError):
        return " ".join(str(problem).split()) or name
    return f"{name}{_place(problem)}"


def is_ours(problem: BaseException) -> bool:
    """Whether its words are ours, and complete; Prefect loads a flow's module under a name of its own, but not what that stands on."""
    return any(kind.__module__.split(".")[0] in OURS for kind in type(problem).__mro__)


def _place(problem: BaseException) -> str:
    frames = [
        frame
        for frame in traceback.extract_tb(problem.__traceback__)
        if Path(frame.filename).is_relative_to(ROOT) and Path(frame.filename).relative_to(ROOT).parts[0] in OURS
    ]
    return f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""


def _held(connection: Connection) -> Refusal:
    holder = connection.execute(select(runs).where(runs.c.status == "running").order_by(runs.c.run_id.desc()).limit(1)).first()
    if holder is None:
        log.warning("the run lock is held by a run that has just begun, or by who keeps house")
        return Refusal("Kho này đang bận: một lượt chạy khác vừa bắt đầu, hoặc bakhong prune, backup đang làm. Chờ xong rồi chạy lại.")
    told = {"holder": holder.run_id, "flow": holder.flow, "host": holder.host, "process_id": holder.process_id}
    log.warning("the run lock is held", extra=told)
    return Refusal(
        f"Một lượt chạy khác ({holder.flow}) đang làm việc: máy {holder.host}, tiến trình {holder.process_id}, "
        f"từ {moment(holder.started_at)}. Chờ nó xong rồi chạy lại."
    )
