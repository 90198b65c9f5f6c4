"""The warehouse: where it is, how it is opened, and how it becomes what this version of the project expects."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, create_engine, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError
from sqlalchemy.pool import NullPool

from warehouse.embedded import Server, connection_details, is_there, serve
from warehouse.grants import ROLES, are_laid, close_doors, lay, make_roles, open_doors
from warehouse.installation import install, installed
from warehouse.migrations.steps import newest_revision, run_alembic
from warehouse.pseudonym_key import hold_to_key
from warehouse.seed import seed
from warehouse.settings import Refusal, Settings
from warehouse.standing import (
    are_lists_to_be_laid,
    is_made,
    reference_digest,
    require_current,
    require_to_load,
    require_upgradable,
    require_writable,
    revision,
)
from warehouse.views.applied import apply_views, outsiders

TIME_ZONE = "Asia/Ho_Chi_Minh"
SESSION = f"bakhong {os.getpid()} {socket.gethostname()}"[:63]
"""Name of this process's sessions in the database."""
STANDS_UPON = "2BP01"
"""PostgreSQL's code for what cannot be dropped, for something stands on it."""

_UPGRADE_LOCK = 0x0BA4054  # two processes that open an empty warehouse at once


@contextlib.contextmanager
def open_warehouse(settings: Settings) -> Iterator[Engine]:
    """Opens the warehouse to load into it; starts the embedded server where no URL is given.

    An empty database becomes a warehouse, by a login that may own it; the owner has the lists of this program laid down: rules are data.
    Nothing else is changed on the way: Refusal where the owner has to do that first.
    """
    with _engine(settings) as (engine, server):
        with _connected(engine) as connection, connection.begin():
            require_writable(connection)
            if not is_made(connection):
                _upgrade(connection)
                if server is not None:
                    _let_log_in(connection, server)
            if are_lists_to_be_laid(connection):
                _lay_lists(connection)
            require_to_load(connection)
            hold_to_key(connection, settings.secret_key)
        yield engine


@contextlib.contextmanager
def read_warehouse(settings: Settings) -> Iterator[Engine]:
    """Opens the warehouse as it stands: nothing is made, migrated or seeded; Refusal where its owner has to do that first."""
    _require_there(settings)
    with _engine(settings) as (engine, _):
        with _connected(engine) as connection:
            require_current(connection)
        yield engine


@contextlib.contextmanager
def examine_warehouse(settings: Settings) -> Iterator[Connection]:
    """Connects to the warehouse whatever it is, an empty database or one of another version too; makes nothing."""
    with _engine(settings) as (engine, _), _connected(engine) as connection:
        yield connection


@contextlib.contextmanager
def watch_warehouse(settings: Settings) -> Iterator[Engine]:
    """Opens the warehouse whether it is well or not: whoever asks finds out. Refusal where none was ever made."""
    _require_there(settings)
    with _engine(settings) as (engine, _):
        yield engine


@contextlib.contextmanager
def open_as_it_is(settings: Settings, *, brings_back: bool = False) -> Iterator[Engine]:
    """Opens the warehouse, of whatever version or still empty, for who takes it away whole; `brings_back`: to fill it from a backup."""
    if not brings_back:
        _require_there(settings)
    with _engine(settings, brings_back=brings_back) as (engine, server):
        _connected(engine).close()
        yield engine
        if server is not None:
            with engine.begin() as connection:
                _let_log_in(connection, server)


def _require_there(settings: Settings) -> None:
    if settings.warehouse_url is None and not is_there(settings.home):
        raise Refusal(
            f"Chưa có kho số liệu trong {settings.home}: chạy `bakhong nightly` trước; nếu kho ở chỗ khác thì chạy ở thư mục cài đặt, "
            "hoặc đặt BAKHONG_HOME hay BAKHONG_WAREHOUSE_URL."
        )


def coming_back(home: Path) -> Path:
    """The file that lies in a home while it is brought back from a backup, and says by which command."""
    return home / "coming-back"


@contextlib.contextmanager
def _engine(settings: Settings, *, brings_back: bool = False) -> Iterator[tuple[Engine, Server | None]]:
    if not brings_back and (mark := coming_back(settings.home)).exists():
        raise Refusal(f"Lần khôi phục vào {settings.home} chưa xong: chạy lại `{mark.read_text('utf-8').strip()}`.")
    with contextlib.ExitStack() as stack:
        if settings.warehouse_url is None:
            server = stack.enter_context(serve(settings.home))
            _make_database(server)
            engine = connect(server.url("owner"))
        else:
            server = None
            engine = connect(settings.warehouse_url)
        stack.callback(engine.dispose)
        yield engine, server


def upgrade_warehouse(settings: Settings) -> Upgraded:
    """Brings the warehouse of an installation up to date, as its owner."""
    with _engine(settings) as (engine, server):
        upgrade(engine)
        with engine.begin() as connection:
            if server is not None:
                _let_log_in(connection, server)
            return Upgraded(newest_revision(), open_doors(connection))


@dataclass(frozen=True)
class Upgraded:
    """A warehouse that is up to date."""

    revision: str
    still_open: list[str]
    """Statements for the administrator of PostgreSQL, which this login may not give: they keep readers from filling the disk."""


def url(settings: Settings, role: str = "reader") -> str:
    """Returns the connection URL of a role (owner, etl, steward, reader); of a given warehouse, only the owner's secret is known."""
    if settings.warehouse_url is None:
        return connection_details(settings.home).url(role)
    given = _parsed(settings.warehouse_url).set(drivername="postgresql")
    if role != "owner":
        given = URL.create(
            "postgresql", username=f"bakhong_{role}", host=given.host, port=given.port, database=given.database, query=given.query
        )
    return given.render_as_string(hide_password=False)


def unprotected(settings: Settings) -> str | None:
    """What to tell of a warehouse on another machine whose URL lets passwords and rows travel unencrypted; nothing of any other."""
    if settings.warehouse_url is None:
        return None
    given = _parsed(settings.warehouse_url)
    host = str(given.host or given.query.get("host") or "")
    mode = given.query.get("sslmode") or os.environ.get("PGSSLMODE") or "prefer"
    if mode not in ("disable", "allow", "prefer") or host in ("", "localhost", "::1") or host.startswith(("/", "127.")):
        return None
    return (
        f"Kết nối tới kho số liệu ở {host} có thể không mã hóa (sslmode={mode}): thêm ?sslmode=verify-full&sslrootcert=TỆP vào "
        "BAKHONG_WAREHOUSE_URL."
    )


def connect(address: str) -> Engine:
    """Returns an engine for a PostgreSQL URL; its sessions speak the province's time and bear the name of this process.

    Either side notices within minutes that the other is gone without a word, so the session of a dead machine holds no lock.
    """
    parsed = _parsed(address)
    settings = {"timezone": TIME_ZONE, "tcp_keepalives_idle": 60, "tcp_keepalives_interval": 10, "tcp_keepalives_count": 6}
    options = " ".join([str(parsed.query.get("options", "")), *(f"-c {name}={value}" for name, value in settings.items())]).strip()
    ours = {"options": options, "application_name": SESSION, "connect_timeout": 15}
    ours |= {"keepalives_idle": 60, "keepalives_interval": 10, "keepalives_count": 6}
    return create_engine(parsed, connect_args=ours, pool_pre_ping=True)


def end_sessions(engine: Engine) -> None:
    """Ends every session of this process and login, whatever query it is at: nothing it began goes on in the database."""
    with engine.connect() as connection:
        connection.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE application_name = :name AND datname = current_database() AND usename = current_user AND pid <> pg_backend_pid()"
            ),
            {"name": SESSION},
        )


def upgrade(engine: Engine) -> None:
    """Brings tables, views and reference data to this version of the project, in one transaction; harmless when they are."""
    with _connected(engine) as connection, connection.begin():
        _upgrade(connection)


def _connected(engine: Engine) -> Connection:
    try:
        connection = engine.connect()
    except OperationalError as error:
        reason = _reason(error)
        if "certificate" in reason:
            raise Refusal(
                f"Kho số liệu ở {_place(engine)}: không tin được chứng thư TLS của máy chủ ({reason}); xem tên máy chủ, sslmode và "
                "sslrootcert trong BAKHONG_WAREHOUSE_URL."
            ) from error
        raise Refusal(f"Kho số liệu ở {_place(engine)} không trả lời: {reason}") from error
    zone = connection.scalar(text("SELECT current_setting('timezone')"))
    connection.rollback()  # nothing is begun yet
    if zone != TIME_ZONE:  # days would be those of another place
        connection.close()
        raise Refusal(
            f"Kết nối tới kho số liệu ở {_place(engine)} bị mất múi giờ {TIME_ZONE}, có lẽ vì đi qua một bộ gom kết nối (PgBouncer): nối "
            "thẳng tới PostgreSQL, xem docs/several-machines.md."
        )
    return connection


def _upgrade(connection: Connection) -> None:
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _UPGRADE_LOCK})
    login = require_upgradable(connection)
    make_roles(connection, login.missing)
    if login.owner is not None:  # what a superuser makes is the owner's as well
        connection.exec_driver_sql(f"SET LOCAL ROLE {login.owner}")
    if revision(connection) != newest_revision():
        _migrate(connection)
    items = installed(connection)
    apply_views(connection, items)
    _lay_lists(connection)
    if open_doors(connection) or not are_laid(connection, items):
        lay(connection)
    connection.exec_driver_sql("SET LOCAL ROLE NONE")
    close_doors(connection)


def _lay_lists(connection: Connection) -> None:
    seed(connection)
    install(connection, {"reference": reference_digest()})


def _migrate(connection: Connection) -> None:
    try:
        with connection.begin_nested():
            run_alembic(connection, "upgrade", revision="head")
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) != STANDS_UPON:
            raise
        raise Refusal(
            f"Chưa nâng được kho, chưa đổi gì: có khung nhìn của người khác dựa vào những gì phải đổi: {', '.join(outsiders(connection))}. "
            "Nhờ chủ của nó giữ lại định nghĩa (SELECT pg_get_viewdef('tên')), DROP VIEW, rồi lập lại sau khi nâng kho."
        ) from error


def downgrade(engine: Engine, revision: str = "base") -> None:
    """Takes the tables back to an older revision; `base` leaves nothing of the warehouse."""
    with engine.begin() as connection:
        run_alembic(connection, "downgrade", revision=revision)


def _parsed(address: str) -> URL:
    try:
        parsed = make_url(address)
    except (ArgumentError, ValueError) as error:
        raise Refusal("BAKHONG_WAREHOUSE_URL không phải URL như postgresql://user:password@host:5432/database.") from error
    if parsed.get_backend_name() not in ("postgresql", "postgres"):
        raise Refusal(f"BAKHONG_WAREHOUSE_URL là của {parsed.get_backend_name()}: kho số liệu phải là PostgreSQL 15 trở lên.")
    return parsed.set(drivername="postgresql+psycopg")


def _place(engine: Engine) -> str:
    return engine.url.set(drivername="postgresql", query={}).render_as_string(hide_password=True)


def _reason(error: DBAPIError) -> str:
    return " ".join(str(error.orig).split())


def _make_database(server: Server) -> None:
    engine = create_engine(_parsed(server.url("owner", "postgres")), poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _UPGRADE_LOCK})
        if not connection.execute(text("SELECT 1 FROM pg_database WHERE datname = 'bakhong'")).first():
            connection.execute(text("CREATE DATABASE bakhong"))


def _let_log_in(connection: Connection, server: Server) -> None:
    """Gives the roles of the embedded server their passwords; elsewhere that is the DBA's business."""
    closed = connection.execute(
        text("SELECT rolname FROM pg_roles WHERE rolname = ANY(:roles) AND NOT rolcanlogin"), {"roles": list(ROLES)}
    )
    for role in closed.scalars().all():
        connection.exec_driver_sql(f"ALTER ROLE {role} LOGIN PASSWORD '{server.passwords[role.removeprefix('bakhong_')]}'")
