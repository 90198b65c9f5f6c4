"""The warehouse: where it is, how it is opened, and how it becomes what this version of the project expects."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError
from sqlalchemy.pool import NullPool

from warehouse import views
from warehouse.embedded import Server, connection_details, is_there, serve
from warehouse.pseudonym_key import hold_to_key
from warehouse.seed import seed
from warehouse.settings import Refusal, Settings
from warehouse.views import View, Words

TIME_ZONE = "Asia/Ho_Chi_Minh"
SESSION = f"bakhong {os.getpid()} {socket.gethostname()}"[:63]
"""Name of this process's sessions in the database."""
OLDEST = 150_000
"""PostgreSQL 15."""

MIGRATIONS = Path(__file__).parent / "migrations"
_ROLES = ("bakhong_etl", "bakhong_steward", "bakhong_reader")
_UPGRADE_LOCK = 0x0BA4054  # two processes that open an empty warehouse at once


@contextlib.contextmanager
def open_warehouse(settings: Settings) -> Iterator[Engine]:
    """Opens the warehouse to write in it; starts the embedded server where no URL is given.

    Its owner brings it up to date on the way; anybody else is refused where something is missing, and keeps its seeds only.
    """
    with _engine(settings) as (engine, server):
        with _connected(engine) as connection, connection.begin():
            if is_owner(connection):
                _upgrade(connection)
            else:
                _require_current(connection)
                seed(connection)
            if server is not None:
                _let_log_in(connection, server)
            hold_to_key(connection, settings.secret_key)
        yield engine


@contextlib.contextmanager
def read_warehouse(settings: Settings) -> Iterator[Engine]:
    """Opens the warehouse as it stands: nothing is made, migrated or seeded; Refusal where its owner has to do that first."""
    _require_made(settings)
    with _engine(settings) as (engine, _):
        with _connected(engine) as connection:
            _require_current(connection)
        yield engine


@contextlib.contextmanager
def examine_warehouse(settings: Settings) -> Iterator[Connection]:
    """Connects to the warehouse whatever it is, an empty database or one of another version too; makes nothing."""
    with _engine(settings) as (engine, _), _connected(engine) as connection:
        yield connection


@contextlib.contextmanager
def watch_warehouse(settings: Settings) -> Iterator[Engine]:
    """Opens the warehouse whether it is well or not: whoever asks finds out. Refusal where none was ever made."""
    _require_made(settings)
    with _engine(settings) as (engine, _):
        yield engine


def _require_made(settings: Settings) -> None:
    if settings.warehouse_url is None and not is_there(settings.home):
        raise Refusal(
            f"Chưa có kho số liệu trong {settings.home}: chạy `bakhong nightly` trước; nếu kho ở chỗ khác thì chạy ở thư mục cài đặt, "
            "hoặc đặt BAKHONG_HOME hay BAKHONG_WAREHOUSE_URL."
        )


@contextlib.contextmanager
def _engine(settings: Settings) -> Iterator[tuple[Engine, Server | None]]:
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


def upgrade_warehouse(settings: Settings) -> str:
    """Brings the warehouse of an installation up to date, as its owner, and returns its revision."""
    with _engine(settings) as (engine, server):
        upgrade(engine)
        if server is not None:
            with engine.begin() as connection:
                _let_log_in(connection, server)
    return newest_revision()


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
        return engine.connect()
    except OperationalError as error:
        raise Refusal(f"Kho số liệu ở {_place(engine)} không trả lời: {_reason(error)}") from error


def _upgrade(connection: Connection) -> None:
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _UPGRADE_LOCK})
    if _revision(connection) != newest_revision():
        _require_not_newer(connection)
        _require_rights(connection)
        run_alembic(connection, "upgrade", revision="head")
    _apply_views(connection)
    seed(connection)


def downgrade(engine: Engine, revision: str = "base") -> None:
    """Takes the tables back to an older revision; `base` leaves nothing of the warehouse."""
    with engine.begin() as connection:
        run_alembic(connection, "downgrade", revision=revision)


def run_alembic(connection: Connection, command: str, **arguments: Any) -> None:
    """Runs a command of Alembic on a connection, in its transaction; no alembic.ini is needed."""
    from alembic import command as alembic  # noqa: PLC0415  # a quarter of a second that only a change of version needs
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    getattr(alembic, command)(config, **arguments)


def newest_revision() -> str:
    """Returns the newest step in migrations/versions, read from the file names: Alembic is only loaded when needed."""
    return max(file.name.split("_", 1)[0] for file in (MIGRATIONS / "versions").glob("[0-9]*_*.py"))


def _parsed(address: str) -> URL:
    try:
        parsed = make_url(address)
    except ArgumentError as error:
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
        text("SELECT rolname FROM pg_roles WHERE rolname = ANY(:roles) AND NOT rolcanlogin"), {"roles": list(_ROLES)}
    )
    for role in closed.scalars().all():
        connection.exec_driver_sql(f"ALTER ROLE {role} LOGIN PASSWORD '{server.passwords[role.removeprefix('bakhong_')]}'")


def _revision(connection: Connection) -> str | None:
    """The step the database stands at; nothing where it is empty, or older than the right to ask."""
    may_ask = "SELECT has_table_privilege(to_regclass('public.alembic_version'), 'SELECT')"
    if not connection.scalar(text(may_ask)):
        return None
    return connection.execute(text("SELECT version_num FROM public.alembic_version")).scalar()


def is_owner(connection: Connection) -> bool:
    """Whether this login owns the warehouse; of a database without one, every login may try."""
    owns = connection.scalar(text("SELECT pg_has_role(nspowner, 'USAGE') FROM pg_namespace WHERE nspname = 'ops'"))
    return owns is None or bool(owns)


def _require_current(connection: Connection) -> None:
    """Refusal, in one sentence, where the warehouse is not what this version of the project expects."""
    if connection.scalar(text("SELECT to_regnamespace('ops')")) is None:
        raise Refusal("Kho số liệu còn trống: chủ kho chạy `bakhong warehouse upgrade` trước.")
    _require_not_newer(connection)
    found = _revision(connection)
    if found != newest_revision() or _installed(connection, "views") != views.digest(views.written()):
        steps = f" (kho: bản {found or 'cũ hơn'}, cần: bản {newest_revision()})" if found != newest_revision() else ""
        raise Refusal(f"Kho số liệu chưa theo kịp chương trình này{steps}: chủ kho chạy `bakhong warehouse upgrade`.")


def shortfall(connection: Connection) -> str:
    """Why the warehouse cannot be used as it stands and who mends it, in one sentence; empty where it can."""
    try:
        _require_current(connection)
    except Refusal as refusal:
        return str(refusal)
    return ""


def _require_not_newer(connection: Connection) -> None:
    found = _revision(connection)
    if found is not None and found > newest_revision():
        raise Refusal(f"Kho số liệu ở bản {found}, mới hơn chương trình này ({newest_revision()}): cập nhật chương trình.")


def _require_rights(connection: Connection) -> None:
    version, may_create, may_make_roles = connection.execute(
        text(
            """
            SELECT current_setting('server_version_num')::int,
                   has_database_privilege(current_database(), 'CREATE') AND has_schema_privilege('public', 'CREATE'),
                   rolsuper OR rolcreaterole
            FROM pg_roles WHERE rolname = current_user
            """
        )
    ).one()
    if version < OLDEST:
        raise Refusal(f"Kho số liệu cần PostgreSQL 15 trở lên; {_place(connection.engine)} là bản {version // 10_000}.")
    if not may_create:
        raise Refusal("Tài khoản kho không lập được lược đồ (schema): cho nó làm chủ cơ sở dữ liệu (ALTER DATABASE … OWNER TO …).")
    missing = [role for role in _ROLES if connection.execute(text("SELECT to_regrole(:role)"), {"role": role}).scalar() is None]
    if missing and not may_make_roles:
        statements = " ".join(f"CREATE ROLE {role};" for role in missing)
        raise Refusal(f"Tài khoản kho không lập được vai trò: nhờ người quản trị PostgreSQL chạy một lần: {statements}")


def _apply_views(connection: Connection) -> None:
    """Replaces the views where one of them changed. Their schemas are ours alone: views of others belong elsewhere."""
    wanted = views.complete()
    digests = {"views": views.digest(views.written()), "views as declared": views.digest(wanted)}
    if all(_installed(connection, item) == digest for item, digest in digests.items()):
        return
    schemas = ", ".join(views.SCHEMAS)
    known = connection.scalar(
        text("SELECT string_agg(format('%I.%I', schemaname, viewname), ', ') FROM pg_views WHERE schemaname = ANY(:schemas)"),
        {"schemas": list(views.SCHEMAS)},
    )
    try:
        if known:
            connection.exec_driver_sql(f"DROP VIEW {known}")
    except DBAPIError as error:
        raise Refusal(f"Không thay được các khung nhìn của {schemas}, có thứ bên ngoài dựa vào chúng: {_reason(error)}") from error
    meanings = views.meanings()
    for view in wanted:
        _make(connection, view, meanings)
    connection.exec_driver_sql(f"GRANT SELECT ON ALL TABLES IN SCHEMA {schemas} TO {', '.join(_ROLES)}")
    for item, digest in digests.items():
        _install(connection, item, digest)


def _make(connection: Connection, view: View, meanings: Mapping[str, Words]) -> None:
    """Makes a view, which says in both languages what its rows and columns are."""
    name = f"{view.schema}.{view.name}"
    _execute(connection, f"CREATE VIEW {name} AS\n{view.select}")
    _execute(connection, f"COMMENT ON VIEW {name} IS {views.literal(view.row.both)}")
    columns = text("SELECT attname FROM pg_attribute WHERE attrelid = CAST(:name AS regclass) AND attnum > 0")
    for column in connection.scalars(columns, {"name": name}).all():
        words = view.columns.get(column) or meanings[column]
        _execute(connection, f"COMMENT ON COLUMN {name}.{column} IS {views.literal(words.both)}")


def _execute(connection: Connection, statement: str) -> None:
    connection.exec_driver_sql(statement.replace("%", "%%"))


def _installed(connection: Connection, item: str) -> str | None:
    return connection.execute(text("SELECT value FROM ops.installation WHERE item = :item"), {"item": item}).scalar()


def _install(connection: Connection, item: str, value: str) -> None:
    connection.execute(
        text(
            "INSERT INTO ops.installation (item, value) VALUES (:item, :value) "
            "ON CONFLICT (item) DO UPDATE SET value = excluded.value, changed_at = now()"
        ),
        {"item": item, "value": value},
    )
