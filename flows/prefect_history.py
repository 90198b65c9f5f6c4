"""Prefect's own database: runs of long ago go by Prefect's own means, with their logs, artifacts and task runs.

A server that stands does so by itself, told by `.env`; of the one that a command starts for itself nothing of the kind runs, and its
database lies in PREFECT_HOME.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path

from tasks.keep.prune import Pruned, Pruning

NAME = "prefect.db"
COPY = ".tried.db"


def old_runs(work: Pruning) -> Pruned:
    """Has the runs of long ago go, and gives the room back to the disk; what is only looked at is done to a copy."""
    home = Path(os.environ.get("PREFECT_HOME") or work.home / "prefect")
    database = home / NAME
    with work.line("prefect_runs") as line:
        if _is_kept_by_a_server():
            line.stays["máy chủ Prefect tự dọn (docs/retention.md)"] = 0
        elif database.exists():
            with _copied(database, home / COPY) if work.tries else _itself(database) as at_work:
                rows, size = _rows(at_work), at_work.stat().st_size
                asyncio.run(_vacuum(at_work, timedelta(days=line.kept.term.number)))
                with closing(sqlite3.connect(at_work)) as connection:
                    connection.execute("VACUUM")
                    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                line.rows, line.bytes = rows - _rows(at_work), size - at_work.stat().st_size
    return line


def _is_kept_by_a_server() -> bool:
    """Whether a server answers that has the database for its own: `.env` may name one where nights have theirs."""
    import httpx  # noqa: PLC0415

    if not (url := os.environ.get("PREFECT_API_URL")):
        return False
    try:
        httpx.get(f"{url}/health", timeout=5)
    except (httpx.HTTPError, httpx.InvalidURL):
        return False
    return True


async def _vacuum(database: Path, age: timedelta) -> None:
    """What Prefect's server does hourly where it is told to."""
    from prefect.server.database.configurations import AioSqliteConfiguration  # noqa: PLC0415  # Prefect takes a second to import
    from prefect.server.database.dependencies import provide_database_interface, temporary_database_config  # noqa: PLC0415
    from prefect.server.services import db_vacuum  # noqa: PLC0415
    from prefect.settings import PREFECT_SERVER_SERVICES_DB_VACUUM_RETENTION_PERIOD, temporary_settings  # noqa: PLC0415

    url = f"sqlite+aiosqlite:///{database}"
    kept = temporary_settings({PREFECT_SERVER_SERVICES_DB_VACUUM_RETENTION_PERIOD: age})
    with kept, temporary_database_config(AioSqliteConfiguration(connection_url=url)):
        db = provide_database_interface()
        for clear in (
            db_vacuum.vacuum_old_flow_runs,
            db_vacuum.vacuum_orphaned_logs,
            db_vacuum.vacuum_orphaned_artifacts,
            db_vacuum.vacuum_stale_artifact_collections,
            db_vacuum.vacuum_old_events,
        ):
            await clear(db=db)
        await (await db.engine()).dispose()


@contextmanager
def _copied(database: Path, copy: Path) -> Iterator[Path]:
    copy.unlink(missing_ok=True)
    try:
        with closing(sqlite3.connect(database)) as there, closing(sqlite3.connect(copy)) as here:
            there.backup(here)
        yield copy
    finally:
        for path in copy.parent.glob(f"{copy.name}*"):
            path.unlink()


@contextmanager
def _itself(database: Path) -> Iterator[Path]:
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    yield database


def _rows(database: Path) -> int:
    with closing(sqlite3.connect(database)) as connection:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return sum(int(connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]) for name in tables)
