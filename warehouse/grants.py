"""The roles and what each may do: `grants.sql`, laid over the warehouse by an upgrade; and what of it is missing.

Rights do not travel with a dump as its tables do: a server without the roles takes the tables and drops the rights.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from sqlalchemy import Connection, text

from warehouse.installation import install

ROLES = ("bakhong_etl", "bakhong_steward", "bakhong_reader")
DECLARED = Path(__file__).with_name("grants.sql")

_DOORS = (
    ("has_database_privilege('public', current_database(), 'TEMPORARY')", "REVOKE TEMPORARY ON DATABASE {database} FROM PUBLIC"),
    ("has_schema_privilege('public', 'public', 'CREATE')", "REVOKE CREATE ON SCHEMA public FROM PUBLIC"),
    *(
        (f"has_function_privilege('public', 'pg_catalog.{makes}', 'EXECUTE')", f"REVOKE EXECUTE ON FUNCTION pg_catalog.{makes} FROM PUBLIC")
        for makes in ("lo_create(oid)", "lo_creat(integer)", "lo_from_bytea(oid, bytea)")
    ),
)
"""Ways in which any login may fill the disk: whether each is open, and the statement that closes it, which not every owner may give.

Functions of PostgreSQL are a superuser's, rights on a database its owner's.
"""

_NEEDED = "GRANT TEMPORARY ON DATABASE {database} TO bakhong_etl, bakhong_steward"
"""A night counts in temporary tables, and so do a steward's questions."""

# Partitions come and go with their months, and tables of staging with their load.
_GRANTED = text(
    """
    WITH role AS (SELECT oid, rolname FROM pg_roles WHERE rolname = ANY(:roles)),
    schema AS (SELECT oid, nspname, nspacl FROM pg_namespace WHERE nspname IN ('staging', 'warehouse', 'mart', 'star', 'ops')),
    relation AS (
        SELECT c.oid, s.nspname, c.relname, c.relacl FROM pg_class c JOIN schema s ON s.oid = c.relnamespace
        WHERE c.relkind IN ('r', 'p', 'v') AND NOT c.relispartition AND s.nspname <> 'staging'
    )
    SELECT r.rolname || ' ' || of.privilege_type || ' ' || of.thing FROM (
        SELECT a.grantee, a.privilege_type, 'SCHEMA ' || s.nspname AS thing FROM schema s CROSS JOIN aclexplode(s.nspacl) a
        UNION ALL
        SELECT a.grantee, a.privilege_type, t.nspname || '.' || t.relname FROM relation t CROSS JOIN aclexplode(t.relacl) a
        UNION ALL
        SELECT a.grantee, a.privilege_type, t.nspname || '.' || t.relname || '.' || c.attname
        FROM relation t JOIN pg_attribute c ON c.attrelid = t.oid AND c.attacl IS NOT NULL AND NOT c.attisdropped
        CROSS JOIN aclexplode(c.attacl) a
        UNION ALL
        SELECT a.grantee, a.privilege_type, s.nspname || '.' || f.proname || '()'
        FROM pg_proc f JOIN schema s ON s.oid = f.pronamespace CROSS JOIN aclexplode(f.proacl) a
        UNION ALL
        SELECT oid, 'TEMPORARY', 'DATABASE' FROM role
        WHERE rolname <> 'bakhong_reader' AND has_database_privilege(oid, current_database(), 'TEMPORARY')
    ) of JOIN role r ON r.oid = of.grantee
    """
)


def granted(connection: Connection) -> set[str]:
    """What the roles may do here, one line each: role, right, thing."""
    return set(connection.scalars(_GRANTED, {"roles": list(ROLES)}))


def lacking(connection: Connection, items: Mapping[str, str]) -> list[str]:
    """What the roles could do after the last upgrade and can no more."""
    return sorted(set(items.get("grants", "").splitlines()) - granted(connection))


def are_laid(connection: Connection, items: Mapping[str, str]) -> bool:
    """Whether what is declared is laid over all there is."""
    return items.get("grants as declared") == _digest() and set(items.get("grants", "").splitlines()) == granted(connection)


def lay(connection: Connection) -> None:
    """Grants what is declared, and keeps what the roles may then do."""
    connection.exec_driver_sql(DECLARED.read_text("utf-8").replace("%", "%%"))
    connection.exec_driver_sql(_NEEDED.format(database=_database(connection)))
    install(connection, {"grants as declared": _digest(), "grants": "\n".join(sorted(granted(connection)))})


def make_roles(connection: Connection, missing: list[str]) -> None:
    """Makes roles that are not there; who may log in with them is the administrator's business."""
    for role in missing:  # a role is the whole server's: another database's upgrade may make it in the same moment
        connection.exec_driver_sql(
            f"DO $$ BEGIN CREATE ROLE {role} NOLOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$"
        )


def open_doors(connection: Connection) -> list[str]:
    """Statements that close what any login could fill the disk by, where it is still open."""
    database = _database(connection)
    return [statement.format(database=database) for is_open, statement in _DOORS if connection.scalar(text(f"SELECT {is_open}"))]


def close_doors(connection: Connection) -> None:
    """Takes from everybody what only those who work here need; where this login may not, PostgreSQL warns and leaves it."""
    for statement in open_doors(connection):
        connection.exec_driver_sql(statement)


def _digest() -> str:
    return hashlib.sha256(DECLARED.read_bytes()).hexdigest()


def _database(connection: Connection) -> str:
    return str(connection.scalar(text("SELECT quote_ident(current_database())")))
