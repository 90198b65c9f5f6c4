"""The views of the database are brought to what the program writes, each in its place: what others built upon them stays.

A view that changed is replaced as it stands. Where PostgreSQL cannot do that, because a column went or has another type, it is made anew
with those of ours that stand on it; of somebody else's views that is theirs to do, and they are told.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

from sqlalchemy import Connection, Row, text
from sqlalchemy.exc import DBAPIError

from warehouse import views
from warehouse.grants import ROLES
from warehouse.installation import install
from warehouse.settings import Refusal
from warehouse.views import View

CANNOT_REPLACE = "42P16"
"""PostgreSQL's code for a view whose columns would not begin with those it has."""

_ABOVE = """
WITH RECURSIVE above AS (
    SELECT CAST(:view AS regclass)::oid AS oid
    UNION
    SELECT r.ev_class FROM above a JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = a.oid
    JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
)
SELECT n.nspname AS schema, c.relname AS name, format('%I.%I', n.nspname, c.relname) AS shown, pg_get_userbyid(c.relowner) AS owner,
    n.nspname = ANY(:schemas) AS is_ours
FROM above JOIN pg_class c USING (oid) JOIN pg_namespace n ON n.oid = c.relnamespace ORDER BY 1, 2
"""
"""A view, and all that stand on it."""


def apply_views(connection: Connection, items: Mapping[str, str]) -> None:
    """Brings the views to what the program writes; those that did not change are not touched."""
    complete, there = views.complete(), _there(connection)
    wanted = {f"{view.schema}.{view.name}": view for view in complete}
    known = {"views": views.digest(views.written()), "views as declared": views.digest(complete)}
    if there >= wanted.keys() and all(items.get(item) == digest for item, digest in known.items()):
        return
    applied, given = json.loads(items.get("each view", "{}")), _given_to_others(connection)
    for name in sorted(there - wanted.keys()):
        if name in there:
            there -= _dropped(connection, name)
    for name, view in wanted.items():
        if name in there and applied.get(name) == _digest(view):
            continue
        if name not in there or not _replaced(connection, name, view.select):
            there -= _made_room_for(connection, name, view) if name in there else set()
            if name not in there:
                _execute(connection, f"CREATE VIEW {name} AS\n{view.select}")
                for grant in given.get(name, ()):
                    _execute(connection, grant)
    _explain(connection, wanted)
    install(connection, known | {"each view": json.dumps({name: _digest(view) for name, view in wanted.items()})})


def outsiders(connection: Connection) -> list[str]:
    """Views of others that stand on ours, with their owners."""
    found = {one.shown: one for name in _there(connection) for one in _above(connection, name) if not one.is_ours}
    return [f"{name} (của {one.owner})" for name, one in sorted(found.items())]


def _replaced(connection: Connection, name: str, select: str) -> bool:
    """Puts a SELECT into the place of a view's; False where its columns do not allow that."""
    try:
        with connection.begin_nested():
            _execute(connection, f"CREATE OR REPLACE VIEW {name} AS\n{select}")
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) != CANNOT_REPLACE:
            raise
        return False
    return True


def _made_room_for(connection: Connection, name: str, view: View) -> set[str]:
    """Drops a view with those of ours on it, and returns their names; under somebody else's it stays, new columns behind those it has."""
    if any(not one.is_ours for one in _above(connection, name)) and _replaced(connection, name, _in_order(connection, name, view.select)):
        return set()
    return _dropped(connection, name)


def _in_order(connection: Connection, name: str, select: str) -> str:
    """A SELECT with its columns in the order of the view that is there, those that are new behind them."""
    new = connection.exec_driver_sql(f"SELECT * FROM (\n{select.replace('%', '%%')}\n) AS new LIMIT 0").keys()
    there = [column for column in _columns(connection, name) if column in new]
    return f"SELECT {', '.join([*there, *(column for column in new if column not in there)])} FROM (\n{select}\n) AS new"


def _dropped(connection: Connection, name: str) -> set[str]:
    """Drops a view with those of ours that stand on it, and returns their names; Refusal where something of others does."""
    above = _above(connection, name)
    if others := [f"{one.shown} (của {one.owner})" for one in above if not one.is_ours]:
        raise Refusal(
            f"Chưa nâng được kho, chưa đổi gì: {name} phải lập lại mà có khung nhìn của người khác dựa vào: {', '.join(others)}. "
            "Nhờ chủ của nó giữ lại định nghĩa (SELECT pg_get_viewdef('tên')), DROP VIEW, rồi lập lại sau khi nâng kho."
        )
    names = {f"{one.schema}.{one.name}" for one in above}
    connection.exec_driver_sql(f"DROP VIEW {', '.join(sorted(names))}")
    return names


def _above(connection: Connection, name: str) -> list[Row[tuple[str, str, str, str, bool]]]:
    return list(connection.execute(text(_ABOVE), {"view": name, "schemas": list(views.SCHEMAS)}))


def _there(connection: Connection) -> set[str]:
    query = "SELECT schemaname || '.' || viewname FROM pg_views WHERE schemaname = ANY(:schemas)"
    return set(connection.scalars(text(query), {"schemas": list(views.SCHEMAS)}))


def _given_to_others(connection: Connection) -> dict[str, list[str]]:
    """View → statements that give again what an administrator gave on it, beyond our roles."""
    rows = connection.execute(
        text(
            """
            SELECT n.nspname || '.' || c.relname AS name, format('GRANT %s ON %I.%I TO %s', a.privilege_type, n.nspname, c.relname,
                CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END) AS statement
            FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = ANY(:schemas) CROSS JOIN aclexplode(c.relacl) a
            LEFT JOIN pg_roles r ON r.oid = a.grantee
            WHERE a.grantee <> c.relowner AND coalesce(r.rolname, '') <> ALL(:roles) ORDER BY 1, 2
            """
        ),
        {"schemas": list(views.SCHEMAS), "roles": list(ROLES)},
    )
    given: dict[str, list[str]] = {}
    for row in rows:
        given.setdefault(row.name, []).append(row.statement)
    return given


def _columns(connection: Connection, name: str) -> list[str]:
    query = "SELECT attname FROM pg_attribute WHERE attrelid = CAST(:name AS regclass) AND attnum > 0 ORDER BY attnum"
    return list(connection.scalars(text(query), {"name": name}))


def _explain(connection: Connection, wanted: Mapping[str, View]) -> None:
    """Says in both languages what rows and columns are."""
    meanings = views.meanings()
    for name, view in wanted.items():
        _execute(connection, f"COMMENT ON VIEW {name} IS {views.literal(view.row.both)}")
        for column in _columns(connection, name):
            words = view.columns.get(column) or meanings[column]
            _execute(connection, f"COMMENT ON COLUMN {name}.{column} IS {views.literal(words.both)}")


def _execute(connection: Connection, statement: str) -> None:
    connection.exec_driver_sql(statement.replace("%", "%%"))


def _digest(view: View) -> str:
    return hashlib.sha256(view.select.encode()).hexdigest()[:32]
