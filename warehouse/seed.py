"""The reference data the project ships: days, administrative units and their successions, code lists, unknown members."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Connection, Table, select, text

from warehouse import country
from warehouse.country import COUNTRY
from warehouse.names import normalise_unit_name
from warehouse.settings import Refusal
from warehouse.tables import (
    UNKNOWN,
    dim_agency,
    dim_channel,
    dim_department,
    dim_dossier_status,
    dim_holiday,
    dim_merchant,
    dim_payment_method,
    dim_payment_status,
    dim_procedure,
    dim_provider,
    dim_service,
    dim_unit,
    installation,
)

FIRST_DAY = date(2000, 1, 1)
YEARS_AHEAD = 10
ALWAYS = {"valid_from": "0001-01-01", "valid_to": "9999-12-31"}
UNKNOWN_CODE = "0"
SAMPLE = "sample"
"""The item of ops.installation that says whether the warehouse holds sample data."""
PUBLISHER = "publisher"
"""The item that says who answers for what is published."""
UNKNOWN_NAME = "Không rõ"

_CODE_LISTS = {
    "services": dim_service,
    "payment_methods": dim_payment_method,
    "payment_statuses": dim_payment_status,
    "channels": dim_channel,
    "dossier_statuses": dim_dossier_status,
}

_UNKNOWN_MEMBERS: tuple[tuple[Table, Mapping[str, Any]], ...] = (
    (
        dim_unit,
        {
            "unit_key": UNKNOWN,
            "unit_code": UNKNOWN_CODE,
            "unit_name": UNKNOWN_NAME,
            "unit_kind": UNKNOWN_NAME,
            "unit_level": "unknown",
            "province_code": UNKNOWN_CODE,
            "name_key": "",
            "other_names": [],
            **ALWAYS,
        },
    ),
    (
        dim_agency,
        {
            "agency_key": UNKNOWN,
            "agency_code": UNKNOWN_CODE,
            "agency_name": UNKNOWN_NAME,
            "unit_key": UNKNOWN,
            "is_inferred": False,
            **ALWAYS,
        },
    ),
    (
        dim_procedure,
        {
            "procedure_key": UNKNOWN,
            "procedure_code": UNKNOWN_CODE,
            "procedure_name": UNKNOWN_NAME,
            "sector_code": UNKNOWN_CODE,
            "sector_name": UNKNOWN_NAME,
            "is_inferred": False,
            **ALWAYS,
        },
    ),
    (
        dim_merchant,
        {
            "merchant_key": UNKNOWN,
            "provider_key": UNKNOWN,
            "merchant_code": UNKNOWN_CODE,
            "merchant_name": UNKNOWN_NAME,
            "merchant_kind": UNKNOWN_CODE,
            "unit_key": UNKNOWN,
            "is_inferred": False,
            **ALWAYS,
        },
    ),
    (
        dim_department,
        {
            "department_key": UNKNOWN,
            "department_id": UNKNOWN_CODE,
            "agency_key": UNKNOWN,
            "department_name": UNKNOWN_NAME,
            "department_level": "unknown",
        },
    ),
)


def seed(connection: Connection) -> None:
    """Brings the reference data of the warehouse to what the project ships; what is right already stays untouched.

    Of the country's units, it holds those of the provinces that it reports for: see `know_provinces`.
    """
    extend_dates(connection, date.today())
    _sync_holidays(connection, _rows("holidays"))
    know_providers(connection, {str(row["provider_code"]): str(row["provider_name"]) for row in _rows("providers")}, rename=False)
    for name, table in _CODE_LISTS.items():
        sync_rows(connection, table, _rows(name), [column.name for column in table.primary_key])
    _sync_units(connection, _provinces(connection))
    for table, row in _UNKNOWN_MEMBERS:
        sync_rows(connection, table, [row], [column.name for column in table.primary_key])


def know_provinces(connection: Connection, codes: Collection[str]) -> None:
    """Brings in the units of provinces that are reported for from now on; those of a province given up stay, as what hangs on them does.

    COUNTRY among the codes makes it an installation of the whole country. Refusal where it became something else and holds data already.
    """
    known = set(_provinces(connection))
    if (COUNTRY in codes) != (COUNTRY in known) and connection.scalar(
        text("SELECT EXISTS (SELECT FROM ops.load WHERE delivery_id IS NOT NULL)")
    ):
        raise Refusal(f"Kho này đã có dữ liệu của {'một tỉnh' if COUNTRY in codes else 'cả nước'}: dùng một kho khác, chưa có dữ liệu.")
    if new := sorted(set(codes) - known):
        _sync_units(connection, sorted(codes) if COUNTRY in new else new)


def is_country(connection: Connection) -> bool:
    """Whether the installation reports for the whole country: it takes the editions of provinces, and computes the sum above them."""
    return bool(connection.scalar(text("SELECT EXISTS (SELECT FROM warehouse.dim_unit WHERE unit_code = :code)"), {"code": COUNTRY}))


def choose_reporting_calendars(connection: Connection, chosen: Mapping[str, str]) -> None:
    """Lets the views of forms show the periods of the calendars that the installation chose."""
    rows = [{"item": f"reporting_calendar {form}", "value": calendar} for form, calendar in chosen.items()]
    sync_rows(connection, installation, rows, ["item"])


def mark_sample(connection: Connection, is_sample: bool) -> None:
    """Marks the warehouse as one of sample data, or takes the mark back."""
    sync_rows(connection, installation, [{"item": SAMPLE, "value": str(is_sample).lower()}], ["item"])


def is_sample(connection: Connection) -> bool:
    """Whether the warehouse holds sample data, which must not be taken for real figures."""
    return connection.scalar(select(installation.c.value).where(installation.c.item == SAMPLE)) == "true"


def know_publisher(connection: Connection, name: str) -> None:
    """Keeps who answers for what is published, as the installation declares it; nothing where it does not say."""
    sync_rows(connection, installation, [{"item": PUBLISHER, "value": name}], ["item"])


def declared_publisher(connection: Connection) -> str:
    """Who answers for what is published, as the installation declares it; nothing where it does not."""
    return connection.scalar(select(installation.c.value).where(installation.c.item == PUBLISHER)) or ""


def publisher(connection: Connection) -> str:
    """Who answers for what is published: as declared, else the provinces that are reported for, by their names of today."""
    codes = _provinces(connection)
    return declared_publisher(connection) or ", ".join(map(country.name_of, [COUNTRY] if COUNTRY in codes else codes))


def know_providers(connection: Connection, named: Mapping[str, str], *, rename: bool = True) -> None:
    """Adds suppliers by code; a name that a province gives takes the place of the one shipped, a code alone does not."""
    rows = [{"provider_code": code, "provider_name": name} for code, name in named.items()]
    connection.execute(
        text(
            "INSERT INTO warehouse.dim_provider (provider_key, provider_code, provider_name) "
            "SELECT last + row_number() OVER (ORDER BY ordinality), provider_code, provider_name "
            "FROM json_populate_recordset(NULL::warehouse.dim_provider, CAST(:rows AS json)) WITH ORDINALITY AS given "
            "CROSS JOIN (SELECT coalesce(max(provider_key), -1) AS last FROM warehouse.dim_provider) AS known "
            "WHERE provider_code NOT IN (SELECT provider_code FROM warehouse.dim_provider)"
        ),
        {"rows": json.dumps(rows)},
    )
    if rename:
        sync_rows(connection, dim_provider, [row for row in rows if row["provider_name"] != row["provider_code"]], ["provider_code"])


def extend_dates(connection: Connection, day: date) -> None:
    """Makes dim_date reach the end of a year long after a day: between two upgrades it must never run out."""
    end = date(day.year + YEARS_AHEAD, 12, 31)
    last = connection.execute(text("SELECT max(date_key) FROM warehouse.dim_date")).scalar()
    if last is not None and last >= end:
        return
    connection.execute(
        text(
            """
            INSERT INTO warehouse.dim_date (date_key, month, quarter, year, month_start, day_of_week, is_working_day)
            SELECT day, to_char(day, 'YYYY-MM'), to_char(day, 'YYYY-"Q"Q'), to_char(day, 'YYYY'),
                   date_trunc('month', day)::date, extract(isodow FROM day), extract(isodow FROM day) < 6
            FROM (SELECT generate_series(CAST(:first AS timestamp), CAST(:end AS timestamp), '1 day')::date AS day) AS days
            ON CONFLICT (date_key) DO NOTHING
            """
        ),
        {"first": last or FIRST_DAY, "end": end},
    )


def sync_rows(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]], key: Iterable[str]) -> None:
    """Inserts the rows that are new by their key, in the order given, and updates those that differ; deletes none."""
    if not rows:
        return
    keys, columns = list(key), list(rows[0])
    others = [name for name in columns if name not in keys]
    same = " AND ".join(f"known.{name} = given.{name}" for name in keys)
    given = f"json_populate_recordset(NULL::{table.fullname}, CAST(:rows AS json))"
    values = {"rows": json.dumps([dict(row) for row in rows], default=str)}
    if others:
        assignments = ", ".join(f"{name} = given.{name}" for name in others)
        differs = f"({', '.join(f'known.{name}' for name in others)}) IS DISTINCT FROM ({', '.join(f'given.{name}' for name in others)})"
        connection.execute(
            text(f"UPDATE {table.fullname} AS known SET {assignments} FROM {given} AS given WHERE {same} AND {differs}"), values
        )
    names = ", ".join(columns)
    connection.execute(
        text(
            f"INSERT INTO {table.fullname} ({names}) SELECT {names} FROM {given} WITH ORDINALITY AS given "
            f"WHERE NOT EXISTS (SELECT FROM {table.fullname} AS known WHERE {same}) ORDER BY ordinality"
        ),
        values,
    )


def _rows(name: str) -> list[dict[str, str | None]]:
    return [{column: value or None for column, value in row.items()} for row in country.rows(name)]


def _provinces(connection: Connection) -> list[str]:
    """Provinces whose units the warehouse holds, and COUNTRY where that is one of them."""
    query = "SELECT DISTINCT province_code FROM warehouse.dim_unit WHERE unit_key <> :unknown ORDER BY province_code"
    return list(connection.scalars(text(query), {"unknown": UNKNOWN}))


def _sync_holidays(connection: Connection, rows: Sequence[Mapping[str, str | None]]) -> None:
    """A day is worked as its weekday says, but for the days that a decision in force says otherwise of."""
    connection.execute(
        dim_holiday.delete().where(dim_holiday.c.date_key.not_in([date.fromisoformat(str(row["date_key"])) for row in rows]))
    )
    sync_rows(connection, dim_holiday, rows, ["date_key"])
    connection.execute(
        text(
            "UPDATE warehouse.dim_date AS d SET is_working_day = said.is_working_day "
            "FROM (SELECT date_key, coalesce(h.is_working_day, day_of_week < 6) AS is_working_day "
            "FROM warehouse.dim_date LEFT JOIN warehouse.dim_holiday AS h USING (date_key)) AS said "
            "WHERE said.date_key = d.date_key AND d.is_working_day <> said.is_working_day"
        )
    )


def _sync_units(connection: Connection, provinces: Collection[str]) -> None:
    """Units of the provinces with their successions, in the order of the reference file; under the country where it is known."""
    above = COUNTRY if COUNTRY in provinces or is_country(connection) else None
    variants: Mapping[tuple[str, str], list[str]] = defaultdict(list)
    for row in country.rows("name_variants"):
        variants[row["code"], row["valid_to"] or ALWAYS["valid_to"]].append(row["variant"])
    rows = [
        {
            "unit_code": row["code"],
            "valid_from": row["valid_from"],
            "valid_to": row["valid_to"],
            "unit_name": row["name"],
            "unit_kind": row["kind"],
            "unit_level": row["level"],
            "parent_code": row["parent_code"] or (above if row["level"] == "province" else None),
            "province_code": province,
            "name_key": normalise_unit_name(row["name"]),
            "other_names": variants[row["code"], row["valid_to"]],
        }
        for province in provinces
        for row in country.units_of(province)
    ]
    sync_rows(connection, dim_unit, rows, ["unit_code", "valid_from"])
    ended = {(row["unit_code"], row["valid_to"]) for row in rows}
    _sync_successions(connection, [row for row in country.successions() if (row["old_code"], row["ended"]) in ended])
    connection.execute(text(_LINEAGE))


def _sync_successions(connection: Connection, rows: Sequence[Mapping[str, str]]) -> None:
    """The old unit is the version that ended the day before, the new one the version that began that day."""
    connection.execute(
        text(
            """
            INSERT INTO warehouse.bridge_unit_succession AS known (old_unit_key, new_unit_key, effective_date, extent)
            SELECT old.unit_key, new.unit_key, given.effective_date, given.note
            FROM json_to_recordset(CAST(:rows AS json)) AS given(old_code text, new_code text, effective_date date, note text)
            JOIN warehouse.dim_unit AS old ON old.unit_code = given.old_code AND old.valid_to = given.effective_date - 1
            JOIN warehouse.dim_unit AS new ON new.unit_code = given.new_code AND new.valid_from = given.effective_date
            ON CONFLICT (old_unit_key, new_unit_key) DO UPDATE SET effective_date = excluded.effective_date, extent = excluded.extent
            WHERE (known.effective_date, known.extent) IS DISTINCT FROM (excluded.effective_date, excluded.extent)
            """
        ),
        {"rows": json.dumps([dict(row) for row in rows])},
    )


# A unit went whole into a later one where none of those it became, step by step, is another one on that one's first day. Of a
# unit of which one part only is known to have gone somewhere, the rest is nowhere: with the unknown member, which is always there.
_LINEAGE = """
WITH RECURSIVE step AS (
    SELECT old_unit_key, new_unit_key FROM warehouse.bridge_unit_succession
    UNION ALL
    SELECT old_unit_key, 0 FROM warehouse.bridge_unit_succession GROUP BY old_unit_key HAVING count(*) = 1 AND bool_or(extent = 'part')
), became AS (
    SELECT unit_key AS earlier_key, unit_key FROM warehouse.dim_unit WHERE unit_key <> 0
    UNION
    SELECT b.earlier_key, s.new_unit_key FROM became b JOIN step s ON s.old_unit_key = b.unit_key
), dated AS (
    SELECT b.*, u.valid_from, u.valid_to FROM became b JOIN warehouse.dim_unit u USING (unit_key)
), lineage AS (
    SELECT d.unit_key, d.earlier_key,
        CASE WHEN bool_or(other.unit_key <> d.unit_key AND d.valid_from BETWEEN other.valid_from AND other.valid_to) THEN 'part'
            ELSE 'whole' END AS extent
    FROM dated d JOIN dated other USING (earlier_key)
    WHERE d.unit_key IN (SELECT new_unit_key FROM warehouse.bridge_unit_succession)
    GROUP BY d.unit_key, d.earlier_key
), gone AS (
    DELETE FROM warehouse.bridge_unit_lineage k
    WHERE NOT EXISTS (SELECT FROM lineage l WHERE (l.unit_key, l.earlier_key) = (k.unit_key, k.earlier_key))
)
INSERT INTO warehouse.bridge_unit_lineage AS known (unit_key, earlier_key, extent)
SELECT unit_key, earlier_key, extent FROM lineage
ON CONFLICT (unit_key, earlier_key) DO UPDATE SET extent = excluded.extent WHERE known.extent <> excluded.extent
"""
