"""What refers to what was just loaded follows it: payments their bill, dossier or shop, and those that waited for a bill."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
import pyarrow as pa
from sqlalchemy import Engine, select, text

from tasks.deliveries.source import Source
from tasks.load.checked_with import checked_otherwise
from tasks.load.facts import bills_of_hashes
from tasks.load.history import copy_keys, renew, temporary
from tasks.load.work import Load
from tasks.words.keys import code_hash, scoped
from warehouse.bulk import copy_out
from warehouse.tables import delivery as deliveries
from warehouse.tables import fact_payment, quarantine

REFERRING = {"bills": "bill_key", "dossiers": "dossier_key", "agencies": "dossier_key", "merchants": "merchant_key"}
"""Feed → column of payments that names its things, or what they are resolved by."""


def are_there(work: Load) -> bool:
    """Whether any payment refers to what the delivery is about: only then its keys have to be kept in mind."""
    referring = REFERRING.get(work.contract.feed)
    query = f"SELECT EXISTS (SELECT FROM warehouse.fact_payment WHERE known_to = 'infinity' AND {referring} IS NOT NULL)"
    return referring is not None and bool(work.connection.scalar(text(query)))


def follow(work: Load) -> None:
    """Gives payments the unit and service of the bill, dossier or shop as it is known now."""
    match work.contract.feed:
        case "bills":
            found = (
                "SELECT p.row_key, p.known_from, t.unit_key, t.service_key FROM pg_temp.told_again AS k "
                "JOIN warehouse.fact_payment AS p ON p.bill_key = k.row_key AND p.known_to = 'infinity' "
                "JOIN warehouse.fact_bill AS t ON t.row_key = k.row_key AND t.known_to = 'infinity' "
                "WHERE (p.unit_key, p.service_key) IS DISTINCT FROM (t.unit_key, t.service_key)"
            )
            _move(work, found, "unit_key", "service_key")
            _read_again_those_of_twins(work)
        case "merchants":
            _move(work, _OF_SHOPS, "unit_key", "merchant_key")
        case _:
            _move(work, _OF_DOSSIERS, "unit_key")


_UNIT = "coalesce(nullif(d.unit_key, 0), m.unit_key, p.unit_key)"
"""SQL of the unit of a payment p of no bill: of its dossier d where that is known, else of its shop m on the day, else as it was."""
_OF_DOSSIERS = f"""
SELECT p.row_key, p.known_from, {_UNIT} AS unit_key
FROM (SELECT row_key FROM pg_temp.told_new UNION SELECT row_key FROM pg_temp.told_again) AS k
JOIN warehouse.fact_payment AS p ON p.dossier_key = k.row_key AND p.known_to = 'infinity' AND p.bill_key IS NULL
JOIN warehouse.fact_dossier AS d ON d.row_key = k.row_key AND d.known_to = 'infinity'
JOIN warehouse.dim_merchant AS m ON m.merchant_key = p.merchant_key
WHERE p.unit_key <> {_UNIT}
"""
# A shop that no list names on that day any more stays what it was.
_OF_SHOPS = f"""
SELECT * FROM (
    SELECT p.row_key, p.known_from, p.unit_key AS unit_was, p.merchant_key AS shop_was,
        coalesce(m.merchant_key, p.merchant_key) AS merchant_key,
        CASE WHEN p.bill_key IS NULL THEN {_UNIT} ELSE p.unit_key END AS unit_key
    FROM (SELECT DISTINCT provider_key, merchant_code FROM pg_temp.changed) AS k
    JOIN warehouse.dim_merchant AS o USING (provider_key, merchant_code)
    JOIN warehouse.fact_payment AS p ON p.merchant_key = o.merchant_key AND p.known_to = 'infinity' AND p.merchant_key <> 0
    LEFT JOIN warehouse.dim_merchant AS m ON (m.provider_key, m.merchant_code) = (o.provider_key, o.merchant_code)
        AND p.business_date BETWEEN m.valid_from AND m.valid_to
    LEFT JOIN warehouse.fact_dossier AS d ON d.row_key = p.dossier_key AND d.known_to = 'infinity'
) AS now
WHERE (unit_key, merchant_key) <> (unit_was, shop_was)
"""


def _move(work: Load, found: str, *attributes: str) -> None:
    """Payments that a query names by key and begin go on with the attributes it gives."""
    work.connection.execute(text("ANALYZE pg_temp.told_new, pg_temp.told_again"))
    work.connection.execute(text(f"CREATE TEMP TABLE moved ON COMMIT DROP AS {found}"))
    renew(work.connection, fact_payment, work.load_id, work.delivery.exported_at, "pg_temp.moved", attributes)
    work.connection.execute(text("DROP TABLE pg_temp.moved"))


def _read_again_those_of_twins(work: Load) -> None:
    """A new bill may bear the number of another utility's: whose payment is whose is then not known, and they are read again."""
    query = select(deliveries.c.provider).where(deliveries.c.feed == "bills", deliveries.c.provider != work.delivery.provider).distinct()
    others = work.connection.scalars(query).all()
    if not others:
        return
    codes = copy_out(
        work.connection,
        "SELECT b.bill_code FROM pg_temp.told_new JOIN warehouse.fact_bill AS b USING (row_key) WHERE b.known_to = 'infinity'",
        {"bill_code": pa.string()},
    )
    if not codes.num_rows:
        return
    hashes = code_hash([codes["bill_code"]])
    temporary(work.connection, "twin", "row_key bigint")
    for provider in others:
        copy_keys(work.connection, "twin", scoped(provider, hashes).to_numpy())
    work.connection.execute(text("ANALYZE pg_temp.twin"))
    work.connection.execute(
        text(
            "UPDATE ops.delivery SET status = 'landed' "
            "WHERE file_removed_at IS NULL AND delivery_id IN (SELECT p.delivery_id FROM pg_temp.twin AS t "
            "JOIN warehouse.fact_bill AS b ON b.row_key = t.row_key AND b.known_to = 'infinity' "
            "JOIN warehouse.fact_payment AS p ON p.bill_key = t.row_key AND p.known_to = 'infinity')"
        )
    )


_CORRECTED = """
SELECT DISTINCT delivery_id FROM ops.correction AS c JOIN ops.delivery AS d USING (delivery_id)
WHERE c.read_at IS NULL AND d.corrected_by IS NULL
"""


def releasable(engine: Engine, sources: Mapping[str, Source] = MappingProxyType({})) -> list[int]:
    """Deliveries to be read again: a bill their payments wait for is there now, a steward released rows, cells were corrected, or what
    their rows were set aside by, or they were refused by, is checked with something else now. `sources`: by name, as of tonight.
    """
    released = select(quarantine.c.delivery_id).where(quarantine.c.status == "released").distinct()
    with engine.begin() as connection:
        found = {*connection.scalars(released), *connection.scalars(text(_CORRECTED)), *checked_otherwise(connection, sources)}
        waiting = copy_out(
            connection,
            "SELECT delivery_id, awaited_key FROM ops.quarantine WHERE status = 'waiting' AND awaited_key IS NOT NULL",
            {"delivery_id": pa.int64(), "awaited": pa.int64()},
        )
        if waiting.num_rows:
            hashes = waiting["awaited"].combine_chunks()
            arrived = np.zeros(len(hashes), dtype=bool)
            for _, places in bills_of_hashes(connection, hashes)[1]:
                arrived |= places >= 0
            found |= set(waiting["delivery_id"].to_numpy()[arrived].tolist())
    return sorted(found)
