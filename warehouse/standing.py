"""Where a warehouse stands, and who asks: what is missing is told in one sentence with the command that mends it.

Nothing but an upgrade, by the owner, changes the house; whoever finds it older, newer or without its rights is refused.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, text

from warehouse import views
from warehouse.country import REFERENCE
from warehouse.grants import ROLES, lacking
from warehouse.installation import installed
from warehouse.migrations.steps import newest_revision
from warehouse.settings import Refusal

OLDEST = 150_000
"""PostgreSQL 15."""
MENDED = "chủ kho chạy `bakhong warehouse upgrade`"
READ_ONLY = "25006"
"""PostgreSQL's code for what would have to be written where that cannot be."""
ONLY_READ = Refusal(
    "Kho số liệu này chỉ cho đọc (bản sao dự phòng của PostgreSQL, hoặc máy chủ khóa ghi): việc này cần máy chủ chính, "
    "đặt địa chỉ của nó ở BAKHONG_WAREHOUSE_URL."
)


@dataclass(frozen=True)
class Login:
    """Who asks, as the database knows him."""

    name: str
    database: str
    owner: str | None
    """Who owns the warehouse; nobody where there is none."""
    is_owner: bool
    """Whether he may do what the owner may; of a database without a warehouse, every login may try."""
    missing: list[str]
    """Roles that the server does not have."""
    roles: list[str]
    """Roles of the warehouse that he has."""
    may_ask: bool
    """Whether he may read where the warehouse stands."""


def login_of(connection: Connection) -> Login:
    """Who this connection is."""
    row = connection.execute(
        text(
            """
            SELECT quote_ident(current_user), quote_ident(current_database()), quote_ident(pg_get_userbyid(ops.nspowner)),
                coalesce(pg_has_role(ops.nspowner, 'USAGE'), true),
                ARRAY(SELECT role FROM unnest(CAST(:roles AS text[])) AS role WHERE to_regrole(role) IS NULL),
                ARRAY(SELECT rolname::text FROM pg_roles WHERE rolname = ANY(:roles) AND pg_has_role(oid, 'USAGE')),
                coalesce(has_schema_privilege(ops.oid, 'USAGE') AND has_table_privilege(kept.oid, 'SELECT'), false)
            FROM (VALUES (1)) AS here
            LEFT JOIN pg_namespace AS ops ON ops.nspname = 'ops'
            LEFT JOIN pg_class AS kept ON kept.relnamespace = ops.oid AND kept.relname = 'installation'
            """
        ),
        {"roles": list(ROLES)},
    ).one()
    return Login(*row)


def is_made(connection: Connection) -> bool:
    """Whether the database holds a warehouse, of whatever version."""
    return login_of(connection).owner is not None


def is_owner(connection: Connection) -> bool:
    """Whether this login owns the warehouse; of a database without one, every login may try."""
    return login_of(connection).is_owner


def revision(connection: Connection) -> str | None:
    """The step the database stands at; nothing where it is empty, or older than the right to ask."""
    may_ask = "SELECT has_table_privilege(to_regclass('public.alembic_version'), 'SELECT')"
    if not connection.scalar(text(may_ask)):
        return None
    return connection.execute(text("SELECT version_num FROM public.alembic_version")).scalar()


def reference_digest() -> str:
    """What tells the reference data of this program from others."""
    return hashlib.sha256(b"\0".join(file.read_bytes() for file in sorted(REFERENCE.glob("*.csv")))).hexdigest()


def are_lists_to_be_laid(connection: Connection) -> bool:
    """Whether this login, the owner's, finds the warehouse at this program's step with other reference data than the program has."""
    is_here = is_owner(connection) and revision(connection) == newest_revision()
    return is_here and installed(connection).get("reference") != reference_digest()


def require_current(connection: Connection) -> None:
    """Refusal, in one sentence, where the warehouse is not what this program expects, or this login has no business in it."""
    login = login_of(connection)
    if login.owner is None:
        raise Refusal(f"Kho số liệu còn trống: {MENDED} trước.")
    _require_role(login, *ROLES[:2])
    require_not_newer(connection)
    found = revision(connection)
    if found is not None and found != newest_revision():
        raise Refusal(f"Kho số liệu chưa theo kịp chương trình này (kho: bản {found}, cần: bản {newest_revision()}): {MENDED}.")
    if found is None or not login.may_ask:
        raise Refusal(f"Kho số liệu thiếu quyền của các vai trò, hoặc cũ hơn chương trình này: {MENDED}.")
    items = installed(connection)
    if items.get("views") != views.digest(views.written()):
        raise Refusal(f"Kho số liệu chưa theo kịp chương trình này (khung nhìn): {MENDED}.")
    if lost := lacking(connection, items):
        raise Refusal(f"Kho số liệu thiếu {len(lost)} quyền của các vai trò (như {lost[0]}), có lẽ vì phục hồi từ bản sao: {MENDED}.")


def shortfall(connection: Connection, *, to_load: bool = False) -> str:
    """Why the warehouse cannot be used as it stands and who mends it, in one sentence; empty where it can."""
    try:
        (require_to_load if to_load else require_current)(connection)
    except Refusal as refusal:
        return str(refusal)
    return ""


def require_to_load(connection: Connection) -> None:
    """The same for those who load: reference data and calendar have to be this program's too.

    An indicator that is declared anew stops nobody: it is counted, and has its column in the wide views after the next upgrade.
    """
    require_writable(connection)
    require_current(connection)
    _require_role(login_of(connection), ROLES[0])
    items = installed(connection)
    behind = [
        words
        for words, is_behind in (
            ("danh mục", items.get("reference") != reference_digest()),
            ("lịch ngày", _calendar_ends(connection) < date(date.today().year + 1, 12, 31)),
        )
        if is_behind
    ]
    if behind:
        raise Refusal(f"Kho số liệu chưa theo kịp chương trình này ({', '.join(behind)}): {MENDED}.")


def is_only_read(connection: Connection) -> bool:
    """Whether nothing can be written: a standby of a replicated server, or one that its administrator or its disk has closed."""
    return bool(connection.scalar(text("SELECT current_setting('transaction_read_only')::boolean")))


def require_writable(connection: Connection) -> None:
    """Refusal where nothing can be written."""
    if is_only_read(connection):
        raise ONLY_READ


def require_not_newer(connection: Connection) -> None:
    """Refusal where a later version of the program was here."""
    found = revision(connection)
    if found is not None and found > newest_revision():
        raise Refusal(f"Kho số liệu ở bản {found}, mới hơn chương trình này ({newest_revision()}): cập nhật chương trình.")


def require_upgradable(connection: Connection) -> Login:
    """Refusal where this login may not upgrade the warehouse, or nobody may with this program; else who it is."""
    require_writable(connection)
    login = login_of(connection)
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
        raise Refusal(f"Kho số liệu cần PostgreSQL 15 trở lên; máy chủ này là bản {version // 10_000}.")
    if not login.is_owner or (login.owner is None and login.roles and not may_create):
        whom = f"{login.owner}" if login.owner else "một tài khoản khác, sẽ là chủ kho"
        raise Refusal(
            f"Lập và nâng kho là việc của chủ kho, không phải của tài khoản {login.name}: chạy `bakhong warehouse upgrade` với "
            f"BAKHONG_WAREHOUSE_URL của {whom}."
        )
    require_not_newer(connection)
    if login.owner is None and not may_create:
        raise Refusal(
            f"Tài khoản {login.name} không lập được lược đồ (schema): người quản trị PostgreSQL chạy một lần: "
            f"ALTER DATABASE {login.database} OWNER TO {login.name};"
        )
    if login.missing and not may_make_roles:
        statements = " ".join(f"CREATE ROLE {role};" for role in login.missing)
        raise Refusal(f"Tài khoản {login.name} không lập được vai trò: người quản trị PostgreSQL chạy một lần: {statements}")
    return login


def _require_role(login: Login, *needed: str) -> None:
    if login.is_owner or set(needed) & set(login.roles):
        return
    grant = f"người quản trị PostgreSQL chạy GRANT {needed[0]} TO {login.name};"
    if login.missing:
        raise Refusal(f"Máy chủ PostgreSQL chưa có vai trò {', '.join(login.missing)}: {MENDED}, rồi {grant}")
    raise Refusal(f"Tài khoản {login.name} không có vai trò {' hay '.join(needed)}: {grant}")


def _calendar_ends(connection: Connection) -> date:
    return connection.scalar(text("SELECT max(date_key) FROM warehouse.dim_date")) or date.min
