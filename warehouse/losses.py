"""What a step back to an older version of the tables would lose: tried, looked at, and taken back."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Connection, Engine, text

from warehouse.migrations.scope import SCHEMAS
from warehouse.migrations.steps import revisions, run_alembic
from warehouse.settings import Refusal
from warehouse.standing import is_owner, revision


class Loss(NamedTuple):
    """What would go with a step back."""

    table: str
    column: str | None
    """Nothing where it is the whole table, or rows of one that stays."""
    rows: int
    """Rows that go, or in which the column holds something."""


def require_step_back(engine: Engine, to: str) -> None:
    """Refusal where a revision is none before the one the warehouse stands at, or this login may not go back to it."""
    with engine.connect() as connection:
        now = revision(connection)
        if not is_owner(connection):
            raise Refusal("Lùi bản là việc của chủ kho.")
    before = [number for number in revisions() if now is not None and number < now]
    if to not in before:
        raise Refusal(f"Không lùi được về {to!r}: kho ở bản {now}, lùi được về {before[0]} đến {before[-1]}.")


def losses(engine: Engine, to: str) -> list[Loss]:
    """Every table and column that holds something and would be gone at a revision, and tables that would have fewer rows."""
    with engine.connect() as connection:
        trial = connection.begin()
        before, rows = _columns(connection), _rows(connection)
        run_alembic(connection, "downgrade", revision=to)
        left, left_rows = _columns(connection), _rows(connection)
        trial.rollback()
        found = [Loss(table, None, rows[table] - left_rows.get(table, 0)) for table in before]
        found += [
            Loss(table, column, _filled(connection, table, column, usual))
            for table, columns in before.items()
            for column, usual in columns.items()
            if table in left and column not in left[table]
        ]
    return [loss for loss in found if loss.rows > 0]


def _columns(connection: Connection) -> dict[str, dict[str, str]]:
    """Table → column → what it holds where nobody said anything."""
    found: dict[str, dict[str, str]] = {}
    for table, column, usual in connection.execute(text(_COLUMNS), {"ours": list(SCHEMAS)}):
        found.setdefault(table, {})[column] = usual
    return found


def _rows(connection: Connection) -> dict[str, int]:
    return {table: connection.scalar(text(f"SELECT count(*) FROM {table}")) or 0 for table in _columns(connection)}


def _filled(connection: Connection, table: str, column: str, usual: str) -> int:
    return connection.scalar(text(f"SELECT count(*) FROM {table} WHERE {column} IS DISTINCT FROM {usual}")) or 0


_COLUMNS = """
SELECT format('%I.%I', nspname, relname), quote_ident(attname),
    CASE WHEN pg_get_expr(adbin, adrelid) LIKE '%nextval%' THEN 'NULL' ELSE coalesce(pg_get_expr(adbin, adrelid), 'NULL') END
FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace JOIN pg_attribute a ON attrelid = c.oid
LEFT JOIN pg_attrdef d ON adrelid = c.oid AND adnum = attnum
WHERE nspname = ANY(:ours) AND relkind IN ('r', 'p') AND NOT relispartition AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
ORDER BY nspname, relname, attnum
"""
