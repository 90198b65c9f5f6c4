"""Lists of procedures, agencies and merchants → dimension members; facts that now resolve otherwise get a new state."""

from __future__ import annotations

import pyarrow as pa
from sqlalchemy import Connection, MetaData, Table, text

from tasks.deliveries.ledger import Delivery
from tasks.load.dimensions import national_code
from tasks.load.history import add_states, columns_of, end_states
from warehouse.bulk import copy_in
from warehouse.tables import fact_dossier

# Every list becomes rows `wanted`: one a member and stretch of days in which nothing about it changes, with the row it comes from.
# An agency or merchant whose unit was reorganised is divided at that day, so that a member always lies in one unit.
_WANTED = {
    "procedures": """
        SELECT DISTINCT ON (procedure_code, valid_from) row_number, procedure_code,
               valid_from, coalesce(valid_to, '9999-12-31') AS valid_to, procedure_name,
               coalesce(sector_code, '0') AS sector_code, coalesce(sector_name, 'Không rõ') AS sector_name,
               service_level::smallint AS service_level, has_fee, authority_level, false AS is_inferred
        FROM pg_temp.listed ORDER BY procedure_code, valid_from, row_number""",
    "agencies": """
        SELECT DISTINCT ON (l.agency_code, greatest(l.valid_from, u.valid_from)) l.row_number, l.agency_code,
               greatest(l.valid_from, u.valid_from) AS valid_from, least(coalesce(l.valid_to, '9999-12-31'), u.valid_to) AS valid_to,
               l.agency_name, u.unit_key, false AS is_inferred
        FROM pg_temp.listed AS l
        JOIN warehouse.dim_unit AS u ON u.unit_code = l.unit_code
             AND u.valid_from <= coalesce(l.valid_to, '9999-12-31') AND u.valid_to >= l.valid_from
        ORDER BY l.agency_code, greatest(l.valid_from, u.valid_from), l.row_number""",
    "merchants": """
        SELECT DISTINCT ON (p.provider_key, l.merchant_code, greatest(l.valid_from, u.valid_from)) l.row_number,
               p.provider_key, l.merchant_code,
               greatest(l.valid_from, u.valid_from) AS valid_from, least(coalesce(l.valid_to, '9999-12-31'), u.valid_to) AS valid_to,
               l.merchant_name, l.merchant_kind, u.unit_key
        FROM pg_temp.listed AS l
        JOIN warehouse.dim_provider AS p ON p.provider_code = l.provider_code
        JOIN warehouse.dim_unit AS u ON u.unit_code = l.unit_code
             AND u.valid_from <= coalesce(l.valid_to, '9999-12-31') AND u.valid_to >= l.valid_from
        ORDER BY p.provider_key, l.merchant_code, greatest(l.valid_from, u.valid_from), l.row_number""",
}
_TABLE = {"procedures": "warehouse.dim_procedure", "agencies": "warehouse.dim_agency", "merchants": "warehouse.dim_merchant"}
_KEY = {
    "procedures": ["procedure_code", "valid_from"],
    "agencies": ["agency_code", "valid_from"],
    "merchants": ["provider_key", "merchant_code", "valid_from"],
}
_CONTENT = {
    "procedures": [
        "valid_to", "procedure_name", "sector_code", "sector_name", "service_level", "has_fee", "authority_level", "is_inferred",
    ],
    "agencies": ["valid_to", "agency_name", "unit_key", "is_inferred"],
    "merchants": ["valid_to", "merchant_name", "merchant_kind", "unit_key"],
}  # fmt: skip


def load_members(connection: Connection, delivery: Delivery, load_id: int, feed: str, rows: pa.Table) -> int:
    """Makes a dimension say what the list says and returns how many of its rows changed something.

    What an earlier list of the same source said and this one leaves out holds on no day any more; the member stays,
    since older states of facts refer to it.
    """
    table, key, content = _TABLE[feed], _KEY[feed], _CONTENT[feed]
    if feed == "procedures":
        place = rows.column_names.index("procedure_code")
        rows = rows.set_column(place, "procedure_code", national_code(rows["procedure_code"]))
    _copy_listed(connection, rows)
    connection.execute(text(f"CREATE TEMP TABLE wanted ON COMMIT DROP AS {_WANTED[feed]}"))
    same = " AND ".join(f"d.{name} = w.{name}" for name in key)
    old, new = (", ".join(f"{side}.{name}" for name in content) for side in "dw")
    connection.execute(
        text(
            f"CREATE TEMP TABLE changed ON COMMIT DROP AS SELECT w.* FROM pg_temp.wanted AS w LEFT JOIN {table} AS d ON {same} "
            f"WHERE d.{key[-2]} IS NULL OR ({old}) IS DISTINCT FROM ({new})"
        )
    )
    assignments = ", ".join(f"{name} = w.{name}" for name in content)
    names = ", ".join([*key, *content])
    values = {"delivery_id": delivery.delivery_id, "source": delivery.source}
    connection.execute(
        text(f"UPDATE {table} AS d SET {assignments}, delivery_id = :delivery_id FROM pg_temp.changed AS w WHERE {same}"), values
    )
    connection.execute(
        text(
            f"INSERT INTO {table} ({names}, delivery_id) SELECT {names}, :delivery_id FROM pg_temp.changed AS w "
            f"WHERE NOT EXISTS (SELECT FROM {table} AS d WHERE {same})"
        ),
        values,
    )
    listed = "d.delivery_id IN (SELECT delivery_id FROM ops.delivery WHERE source = :source)"
    if feed != "merchants":
        code = key[0]
        named = f"d.{code} IN (SELECT {code} FROM pg_temp.wanted)"
        listed = f"({listed} AND NOT d.is_inferred OR d.is_inferred AND d.valid_from < '9999-12-31' AND {named})"
    connection.execute(
        text(
            f"UPDATE {table} AS d SET valid_to = greatest(d.valid_from - 1, DATE '0001-01-01') "
            f"WHERE {listed} AND d.valid_to >= d.valid_from AND d.valid_to > '0001-01-01' "
            f"AND NOT EXISTS (SELECT FROM pg_temp.wanted AS w WHERE {same})"
        ),
        values,
    )
    changed = connection.scalar(text("SELECT count(DISTINCT row_number) FROM pg_temp.changed")) or 0
    if feed != "merchants":
        _resolve_again(connection, delivery, load_id)
    return int(changed)


def _copy_listed(connection: Connection, rows: pa.Table) -> None:
    kinds = {pa.string(): "text", pa.date32(): "date", pa.int64(): "bigint", pa.int32(): "integer", pa.bool_(): "boolean"}
    columns = ", ".join(f"{field.name} {kinds[field.type]}" for field in rows.schema)
    connection.execute(text(f"CREATE TEMP TABLE listed ({columns}) ON COMMIT DROP"))
    copy_in(connection, Table("listed", MetaData(), schema="pg_temp"), rows)


def _resolve_again(connection: Connection, delivery: Delivery, load_id: int) -> None:
    """Current dossiers whose agency, unit or procedure is another now get a new state from the export of the list.

    A state that is younger than the list gives way to one that holds from when it did: so it would have been, had the list come first.
    """
    day = "coalesce(f.received_at, f.submitted_at, f.known_from AT TIME ZONE 'Asia/Ho_Chi_Minh')::date"
    connection.execute(
        text(
            f"""
            CREATE TEMP TABLE resolved ON COMMIT DROP AS
            SELECT f.row_key, f.known_from, coalesce(a.agency_key, f.agency_key) AS agency_key,
                   coalesce(a.unit_key, f.unit_key) AS unit_key, coalesce(p.procedure_key, f.procedure_key) AS procedure_key
            FROM warehouse.fact_dossier AS f
            JOIN warehouse.dim_agency AS oa ON oa.agency_key = f.agency_key
            JOIN warehouse.dim_procedure AS op ON op.procedure_key = f.procedure_key
            LEFT JOIN warehouse.dim_agency AS a ON a.agency_code = oa.agency_code AND {day} BETWEEN a.valid_from AND a.valid_to
            LEFT JOIN warehouse.dim_procedure AS p ON p.procedure_code = op.procedure_code AND {day} BETWEEN p.valid_from AND p.valid_to
            WHERE f.known_to = 'infinity'
              AND (coalesce(a.agency_key, f.agency_key), coalesce(a.unit_key, f.unit_key), coalesce(p.procedure_key, f.procedure_key))
                  IS DISTINCT FROM (f.agency_key, f.unit_key, f.procedure_key)
            """
        )
    )
    values = {"moment": delivery.exported_at}
    begins = "greatest(f.known_from, CAST(:moment AS timestamptz))"
    taken = {
        "agency_key": "r.agency_key",
        "unit_key": "r.unit_key",
        "procedure_key": "r.procedure_key",
        "known_from": begins,
        "loaded_by": f"{load_id:d}",
    }
    connection.execute(
        text(
            f"CREATE TEMP TABLE renewed ON COMMIT DROP AS SELECT {columns_of(fact_dossier, 'f', taken)} FROM warehouse.fact_dossier AS f "
            "JOIN pg_temp.resolved AS r ON f.row_key = r.row_key AND f.known_from = r.known_from AND f.known_to = 'infinity'"
        ),
        values,
    )
    end_states(connection, fact_dossier, load_id, "pg_temp.resolved", "greatest(c.known_from, CAST(:moment AS timestamptz))", values)
    add_states(connection, fact_dossier, "pg_temp.renewed")
