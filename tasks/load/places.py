"""Where and when rows that are set aside would count, as far as their own cells say: so that a number can tell what they could change.

Nothing is made for them: no member of a dimension, no state. What a broken rule looks at is not believed, so it stays empty.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import text

from expectations.contract import ROW_NUMBER, Contract
from tasks.load.dimensions import Keys, days_of, ends_of_periods, first_of
from tasks.load.facts import bills_of_hashes, received_by, received_on, state_on, unit_days, with_codes
from tasks.load.history import Mask, copy_temporary, temporary
from tasks.load.work import Load, mask_of
from tasks.words.keys import code_hash, row_key
from warehouse.indicators import facts
from warehouse.tables import UNKNOWN

_ENDED = ("finished_at", "returned_at", "refused_at")
"""Columns of which the first that is there says when a dossier ended."""

Doubted = Mapping[str, set[int]]
"""Column → numbers of the rows in which a broken rule looks at it."""


@dataclass(frozen=True)
class Place:
    """What would happen to some rows, as their fact calls it: to which of them, in which unit, between which days."""

    happens: str
    rows: Mask
    units: Keys
    first: pa.Array
    last: pa.Array
    keys: pa.Int64Array
    about: pa.Array | None = None


def keep_places(work: Load, rows: pa.Table, faults: pa.Table) -> None:
    """Notes the places of rows set aside, in the contract's schema, with what they broke; takes those of an earlier reading away."""
    if not rows.num_rows or work.contract.role == "list":
        return
    doubted = _doubted(work.contract, work.delivery.layout, faults)
    believed = _believed(rows.select(work.contract.schema.names).combine_chunks(), doubted)
    found = [_as_table(work, believed, place) for place in _places(work, believed, doubted)]
    if not found:
        return
    temporary(work.connection, "place", "LIKE ops.quarantine_place")
    copy_temporary(work.connection, "place", pa.concat_tables(found))
    for statement in (_GONE, _OF_BILLS, _PLACED):
        work.connection.execute(text(statement), {"number": work.delivery.delivery_id} if ":number" in statement else {})
    work.connection.execute(text("DROP TABLE pg_temp.place"))


def _doubted(contract: Contract, layout: str, faults: pa.Table) -> Doubted:
    """What is not believed; a key that stands in two rows is one nevertheless."""
    columns = {contract.header(layout, name): name for name in contract.schema.names}
    pairs = faults.group_by(["rule_code", "column_name"]).aggregate([("row_number", "list")]).to_pylist()
    doubted: dict[str, set[int]] = {}
    for pair in pairs:
        rule = contract.rule(pair["rule_code"])
        looked_at = [] if rule.check == "unique" else rule.columns
        named = [part for name in looked_at for part in (contract.derived[name].columns if name in contract.derived else [name])]
        said = [columns[pair["column_name"]]] if pair["column_name"] in columns and rule.check != "unique" else []
        for name in {*named, *said}:
            doubted.setdefault(name, set()).update(pair["row_number_list"])
    return doubted


def _believed(rows: pa.Table, doubted: Doubted) -> pa.Table:
    """The rows without the cells that are not believed."""
    for name, numbers in doubted.items():
        if name in rows.column_names:
            told = pc.if_else(pa.array(_are(rows, numbers)), pa.scalar(None, rows[name].type), rows[name])
            rows = rows.set_column(rows.column_names.index(name), name, told)
    return rows


def _are(rows: pa.Table, numbers: set[int]) -> Mask:
    found: Mask = np.isin(rows[ROW_NUMBER].to_numpy(), sorted(numbers))
    return found


def _places(work: Load, rows: pa.Table, doubted: Doubted) -> Iterator[Place]:
    if work.contract.feed == "dossiers":
        yield from _of_dossiers(work, rows, doubted)
    elif work.contract.feed == "payments":
        yield from _of_payments(work, rows, doubted)
    else:
        yield from _as_declared(work, rows)


def _as_declared(work: Load, rows: pa.Table) -> Iterator[Place]:
    """By the unit and the day or period that the row itself names; a unit whose day is not known as it is called on the day of export."""
    fact = next((fact for fact in facts().values() if fact.table == work.contract.table), None)
    if fact is None:
        return
    [(happens, column)] = fact.days.items()
    units = work.dimensions.unit(rows["unit_code"], *unit_days(work, rows), _exported_on(work, rows), goes_over=work.contract.goes_over)
    if work.contract.columns[column].type == "period":
        last, first = ends_of_periods(rows[column])
    else:
        first = last = days_of(rows[column])
    about = rows[work.contract.tells].combine_chunks() if work.contract.tells else None
    yield Place(happens, np.ones(rows.num_rows, dtype=bool), units, first, last, _keys(work, rows), about)


def _of_dossiers(work: Load, rows: pa.Table, doubted: Doubted) -> Iterator[Place]:
    """Received by one unit, ended in the one that handled it; one that says of no day that it ended then has no such place."""
    is_doubted = _are(rows, set().union(*(doubted.get(name, set()) for name in _ENDED)))
    ended = pc.if_else(pa.array(is_doubted), pa.scalar(None, pa.date32()), first_of(*(days_of(rows[name]) for name in _ENDED)))
    coded = with_codes(work, rows)
    received, keys = received_on(work, coded), _keys(work, rows)
    handled_by = work.dimensions.units_of_agencies(coded["agency_code"], state_on(work, coded, received))
    units = received_by(work, coded, received, handled_by)
    day = days_of(rows["received_at"])
    yield Place("received", np.ones(rows.num_rows, dtype=bool), units, day, day, keys)
    yield Place("ended", mask_of(ended.is_valid()) | is_doubted, np.where(handled_by == UNKNOWN, units, handled_by), ended, ended, keys)


def _of_payments(work: Load, rows: pa.Table, doubted: Doubted) -> Iterator[Place]:
    """What it says of a bill counts where and when the bill does; as a payment it is of its shop, on the day it was paid."""
    day = days_of(rows["paid_at"])
    shops = work.dimensions.units_of_merchants(work.delivery.provider, rows["merchant_code"], day)
    yield Place("paid", mask_of(rows["merchant_code"].is_valid()), shops, day, day, _keys(work, rows))
    nowhere, never = np.zeros(rows.num_rows, dtype=np.int32), pa.nulls(rows.num_rows, pa.date32())
    pays_a_bill = mask_of(rows["bill_code"].is_valid()) | _are(rows, doubted.get("bill_code", set()))
    yield Place("billed", pays_a_bill, nowhere, never, never, _bill_keys(work, rows))


def _bill_keys(work: Load, rows: pa.Table) -> pa.Int64Array:
    """Key of the bill that each payment pays; nothing where it names none, or one that nobody has sent, or several have."""
    is_named = mask_of(rows["bill_code"].is_valid())
    keys, is_known = np.zeros(rows.num_rows, dtype=np.int64), np.zeros(rows.num_rows, dtype=bool)
    if is_named.any():
        bills, by_provider = bills_of_hashes(work.connection, code_hash([rows["bill_code"].filter(pa.array(is_named))]))
        places = np.array([here for _, here in by_provider], dtype=np.int64).reshape(len(by_provider), -1)
        is_known[is_named] = (places >= 0).sum(axis=0) == 1
        keys[is_known] = bills["row_key"].to_numpy()[places.max(axis=0, initial=-1)[is_known[is_named]]]
    return pa.array(keys, mask=~is_known)


def _exported_on(work: Load, rows: pa.Table) -> pa.Array:
    return pa.repeat(pa.scalar(work.exported_on, pa.date32()), rows.num_rows)


def _keys(work: Load, rows: pa.Table) -> pa.Int64Array:
    """Key that each row would have; nothing where a part of its natural key is not known."""
    parts = [rows[name] for name in work.contract.natural_key]
    is_known = np.logical_and.reduce([mask_of(part.is_valid()) for part in parts])
    return pa.array(row_key(work.prefix, parts).to_numpy(), mask=~is_known)


def _as_table(work: Load, rows: pa.Table, place: Place) -> pa.Table:
    chosen = pa.array(place.rows)
    told = {
        "row_number": rows[ROW_NUMBER].combine_chunks(),
        "unit_key": pa.array(place.units, pa.int32(), mask=place.units == UNKNOWN),
        "first_day": place.first,
        "last_day": place.last,
        "row_key": place.keys,
        "about": pa.nulls(rows.num_rows, pa.string()) if place.about is None else place.about,
    }
    chosen_rows = int(place.rows.sum())
    delivery = pa.repeat(pa.scalar(work.delivery.delivery_id, pa.int32()), chosen_rows)
    happens = pa.repeat(pa.scalar(place.happens), chosen_rows)
    return pa.table({"delivery_id": delivery, "happens": happens, **{name: column.filter(chosen) for name, column in told.items()}})


_GONE = "DELETE FROM ops.quarantine_place WHERE delivery_id = :number AND row_number IN (SELECT row_number FROM pg_temp.place)"
_OF_BILLS = """
UPDATE pg_temp.place p SET unit_key = nullif(b.unit_key, 0), first_day = b.billing_month, last_day = b.billing_month, about = s.service_code
FROM warehouse.fact_bill b JOIN warehouse.dim_service s USING (service_key)
WHERE p.happens = 'billed' AND p.unit_key IS NULL AND p.first_day IS NULL AND b.row_key = p.row_key AND b.known_to = 'infinity'
"""
_PLACED = "INSERT INTO ops.quarantine_place SELECT * FROM pg_temp.place"
