"""Lines of lists in force → members of a dimension; facts that now resolve otherwise get a new state."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Table, text

from tasks.load.history import renew
from tasks.load.work import Load
from warehouse.tables import dim_agency, dim_merchant, dim_procedure, fact_dossier


@dataclass(frozen=True)
class Members:
    """How the lines of a list become members: one a line and stretch of days in which nothing about it changes."""

    table: Table
    code: tuple[str, ...]
    """Columns that a member is known by, beside the day from which it is valid."""
    content: tuple[str, ...]
    """Columns of the dimension → taken from the line under the same name, unless `said` says otherwise."""
    said: dict[str, str]
    """Column of the dimension → SQL over the line l, its unit u and its provider p."""
    has_inferred: bool
    """Whether facts make members of codes that no list knows yet."""


_UNIT = {"unit_key": "u.unit_key"}
MEMBERS = {
    "procedures": Members(
        dim_procedure,
        ("procedure_code",),
        ("valid_to", "procedure_name", "sector_code", "sector_name", "service_level", "has_fee", "authority_level", "is_inferred"),
        {
            "sector_code": "coalesce(l.sector_code, '0')",
            "sector_name": "coalesce(l.sector_name, 'Không rõ')",
            "is_inferred": "false",
        },
        has_inferred=True,
    ),
    "agencies": Members(
        dim_agency,
        ("agency_code",),
        ("valid_to", "agency_name", "unit_key", "is_inferred"),
        {**_UNIT, "is_inferred": "false"},
        has_inferred=True,
    ),
    "merchants": Members(
        dim_merchant,
        ("provider_key", "merchant_code"),
        ("valid_to", "merchant_name", "merchant_kind", "unit_key"),
        {**_UNIT, "provider_key": "p.provider_key"},
        has_inferred=False,
    ),
}
"""List → how its lines become members."""


def make_members(work: Load) -> None:
    """Makes a dimension say what the lines in force of all sources say.

    A line ends where the next of its code begins. One whose unit was reorganised is divided at that day, so that a member always
    lies in one unit. What no list of the source says any more holds on no day; the member stays, since older states refer to it.
    """
    members = MEMBERS[work.contract.feed]
    table, key = members.table.fullname, (*members.code, "valid_from")
    _want(work, members)
    same = " AND ".join(f"d.{name} = w.{name}" for name in key)
    old, new = (", ".join(f"{side}.{name}" for name in members.content) for side in "dw")
    values = {"delivery_id": work.delivery.delivery_id, "source": work.delivery.source}
    assignments = ", ".join(f"{name} = w.{name}" for name in members.content)
    work.connection.execute(
        text(
            f"UPDATE {table} AS d SET {assignments}, delivery_id = :delivery_id FROM pg_temp.wanted AS w "
            f"WHERE {same} AND ({old}) IS DISTINCT FROM ({new})"
        ),
        values,
    )
    names = ", ".join([*key, *members.content])
    work.connection.execute(
        text(
            f"INSERT INTO {table} ({names}, delivery_id) SELECT {names}, :delivery_id FROM pg_temp.wanted AS w "
            f"WHERE NOT EXISTS (SELECT FROM {table} AS d WHERE {same})"
        ),
        values,
    )
    listed = "d.delivery_id IN (SELECT delivery_id FROM ops.delivery WHERE source = :source)"
    if members.has_inferred:
        (code,) = members.code
        named = f"d.{code} IN (SELECT {code} FROM pg_temp.wanted)"
        listed = f"({listed} AND NOT d.is_inferred OR d.is_inferred AND d.valid_from < '9999-12-31' AND {named})"
    work.connection.execute(
        text(
            f"UPDATE {table} AS d SET valid_to = greatest(d.valid_from - 1, DATE '0001-01-01') "
            f"WHERE {listed} AND d.valid_to >= d.valid_from AND d.valid_to > '0001-01-01' "
            f"AND NOT EXISTS (SELECT FROM pg_temp.wanted AS w WHERE {same})"
        ),
        values,
    )
    if members.has_inferred:
        _resolve_again(work)


def _want(work: Load, members: Members) -> None:
    """The temporary table `wanted`: members as the lines in force say, those of unknown units and providers having been set aside."""
    codes = [name for name in work.contract.natural_key if name != "valid_from"]
    columns = [*members.code, *members.content]
    taken = {"valid_to": "least(l.ends, u.valid_to)" if "unit_key" in columns else "l.ends", **members.said}
    shown = ", ".join(f"{taken.get(name, f'l.{name}')} AS {name}" for name in columns)
    begins = "greatest(l.valid_from, u.valid_from)" if "unit_key" in columns else "l.valid_from"
    joined = ""
    if "unit_key" in columns:
        joined += "JOIN warehouse.dim_unit AS u ON u.unit_code = l.unit_code AND u.valid_from <= l.ends AND u.valid_to >= l.valid_from "
    if "provider_key" in columns:
        joined += "JOIN warehouse.dim_provider AS p ON p.provider_code = l.provider_code "
    by_code = ", ".join(codes)
    work.connection.execute(
        text(
            f"CREATE TEMP TABLE wanted ON COMMIT DROP AS SELECT {begins} AS valid_from, {shown} FROM ("
            "SELECT *, least(coalesce(valid_to, DATE '9999-12-31'), "
            f"lead(valid_from) OVER (PARTITION BY {by_code} ORDER BY valid_from) - 1) AS ends FROM {work.table.fullname} "
            f"WHERE known_to = 'infinity') AS l {joined}WHERE l.ends >= l.valid_from"
        )
    )


def _resolve_again(work: Load) -> None:
    """Current dossiers whose agency, unit or procedure is another now go on with these from the export of the list."""
    day = "coalesce(f.received_at, f.submitted_at, f.known_from AT TIME ZONE 'Asia/Ho_Chi_Minh')::date"
    attributes = ("agency_key", "unit_key", "procedure_key")
    now = ", ".join(f"coalesce({'ap'[name == 'procedure_key']}.{name}, f.{name}) AS {name}" for name in attributes)
    then = ", ".join(f"f.{name}" for name in attributes)
    changed = ", ".join(f"coalesce({'ap'[name == 'procedure_key']}.{name}, f.{name})" for name in attributes)
    work.connection.execute(
        text(
            f"CREATE TEMP TABLE resolved ON COMMIT DROP AS SELECT f.row_key, f.known_from, {now} FROM warehouse.fact_dossier AS f "
            "JOIN warehouse.dim_agency AS oa ON oa.agency_key = f.agency_key "
            "JOIN warehouse.dim_procedure AS op ON op.procedure_key = f.procedure_key "
            f"LEFT JOIN warehouse.dim_agency AS a ON a.agency_code = oa.agency_code AND {day} BETWEEN a.valid_from AND a.valid_to "
            f"LEFT JOIN warehouse.dim_procedure AS p ON p.procedure_code = op.procedure_code AND {day} BETWEEN p.valid_from AND p.valid_to "
            f"WHERE f.known_to = 'infinity' AND ({changed}) IS DISTINCT FROM ({then})"
        )
    )
    renew(work.connection, fact_dossier, work.load_id, work.delivery.exported_at, "pg_temp.resolved", attributes)
    work.connection.execute(text("INSERT INTO pg_temp.told_again SELECT row_key FROM pg_temp.resolved"))
