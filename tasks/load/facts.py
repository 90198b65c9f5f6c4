"""Typed rows of one feed → columns of its fact: codes become surrogate keys, payments find their bill and its unit."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Connection, Table, select, text

from expectations.contract import Contract
from tasks.deliveries.ledger import Delivery
from tasks.load.dimensions import Dimensions, days_of, first_of
from tasks.load.history import Mask, Moments, copy_keys, microseconds, temporary
from tasks.words.keys import code_hash, row_key, scoped
from tasks.words.vietnamese import VIETNAM
from warehouse.bulk import copy_out_blocks
from warehouse.periods import days as days_of_period
from warehouse.tables import (
    UNKNOWN,
    dim_agency,
    dim_channel,
    dim_dossier_status,
    dim_payment_method,
    dim_payment_status,
    dim_procedure,
    dim_provider,
    dim_service,
    fact_bill,
    fact_dossier,
    fact_payment,
    fact_portal_766,
    fact_published_figure,
    fact_signature,
    fact_signature_holder,
    fact_survey,
    fact_unit_count,
)
from warehouse.tables import delivery as deliveries

BY_PROVIDER = {"bills", "payments", "signatures", "signature_holders"}
"""Feeds whose natural key holds only within one provider."""


@dataclass
class Tally:
    """What was checked and found by one rule over the whole delivery."""

    severity: str
    scope: str
    success: bool = True
    observed: str | None = None
    unexpected: int = 0


@dataclass
class Load:
    """One delivery being loaded: what all steps share, and its counts."""

    connection: Connection
    delivery: Delivery
    contract: Contract
    dimensions: Dimensions
    load_id: int
    """Number of the load: it marks the states written and ended."""
    received: int = 0
    loaded: int = 0
    unchanged: int = 0
    quarantined: int = 0
    ignored: int = 0
    tallies: dict[str, Tally] = field(default_factory=dict)
    cuts_others: bool = False
    """An older state that a later delivery may have confirmed was cut short."""

    @property
    def provider_key(self) -> int:
        """Surrogate key of the source's provider."""
        return self.dimensions.codes(dim_provider).get(self.delivery.provider, UNKNOWN)

    @property
    def moment(self) -> int:
        """Export time in microseconds."""
        return microseconds(self.delivery.exported_at)

    def exported_on(self, rows: pa.Table) -> pa.Array:
        """Day of the export, for each row."""
        return pa.repeat(pa.scalar(self.delivery.exported_at.astimezone(VIETNAM).date(), pa.date32()), rows.num_rows)

    def prefix(self) -> str:
        """Scope in which the natural key is unique."""
        return self.delivery.provider if self.contract.feed in BY_PROVIDER else self.contract.feed


@dataclass(frozen=True)
class Found:
    """A row rule of the loader: which rows broke it, and for which bill they wait."""

    check: str
    rows: Mask
    awaited: pa.Array | None = None


Build = Callable[[Load, pa.Table], tuple[dict[str, Any], list[Found]]]


def by_name(work: Load, rows: pa.Table) -> pa.Table:
    """Dossiers with the codes that their layout writes as names, so that every layout tells the same state."""
    for table, code, name in ((dim_agency, "agency_code", "agency_name"), (dim_procedure, "procedure_code", "procedure_name")):
        codes = work.dimensions.coded(table, rows[code], rows[name], _received_on(work, rows))
        rows = rows.set_column(rows.column_names.index(code), code, codes)
    return rows


def _received_on(work: Load, rows: pa.Table) -> pa.Array:
    return first_of(days_of(rows["received_at"]), days_of(rows["submitted_at"]), work.exported_on(rows))


def _dossiers(work: Load, rows: pa.Table) -> tuple[dict[str, Any], list[Found]]:
    dims = work.dimensions
    received = _received_on(work, rows)
    agency, unit = dims.agencies(rows["agency_code"], rows["agency_name"], received)
    procedure = dims.procedures(rows["procedure_code"], rows["procedure_name"], rows["sector_code"], rows["sector_name"], received)
    kept = [
        "dossier_code", "service_level", "applicant_type", "applicant_hash", "submitted_at", "received_at", "due_at",
        "finished_at", "returned_at", "refused_at", "supplement_count", "supplement_requested_at", "is_digitised",
        "reuse_code", "has_electronic_result", "is_vneid_verified", "online_payment_code", "fee_vnd", "updated_at",
        "deleted_at",
    ]  # fmt: skip
    columns = {
        **{name: rows[name] for name in kept},
        "agency_key": agency,
        "unit_key": unit,
        "procedure_key": procedure,
        "channel_key": dims.listed(dim_channel, rows["channel_code"]),
        "dossier_status_key": dims.listed(dim_dossier_status, rows["status_code"]),
    }
    given = rows["procedure_code"].combine_chunks().is_valid().to_numpy(zero_copy_only=False)
    listed = ~np.isin(procedure, dims.inferred(dim_procedure))
    agency_unnamed, procedure_unnamed = (_only_named(rows, thing) for thing in ("agency", "procedure"))
    return columns, [
        Found("agency_known", (unit == UNKNOWN) & ~agency_unnamed),
        Found("agency_named", agency_unnamed),
        Found("procedure_known", given & ~(listed & (procedure != UNKNOWN))),
        Found("procedure_named", procedure_unnamed),
    ]


def _only_named(rows: pa.Table, thing: str) -> Mask:
    """Rows that name an agency or procedure and have no code, not even after it was looked for by that name."""
    only: Mask = pc.and_(rows[f"{thing}_code"].is_null(), rows[f"{thing}_name"].is_valid()).combine_chunks().to_numpy(zero_copy_only=False)
    return only


def _bills_of(work: Load, rows: pa.Table) -> tuple[dict[str, Any], list[Found]]:
    unit = work.dimensions.unit(rows["unit_code"], first_of(rows["issued_on"], rows["billing_month"]))
    columns = {
        **{name: rows[name] for name in ("bill_code", "customer_hash", "billing_month", "issued_on", "amount_vnd")},
        "provider_key": _constant(work.provider_key, rows),
        "service_key": work.dimensions.listed(dim_service, rows["service_code"]),
        "unit_key": unit,
    }
    return columns, [Found("unit_known", unit == UNKNOWN)]


def _payments(work: Load, rows: pa.Table) -> tuple[dict[str, Any], list[Found]]:
    dims, count = work.dimensions, rows.num_rows
    unit, service = np.zeros(count, dtype=np.int32), dims.listed(dim_service, rows["service_code"]).to_numpy().copy()
    merchant = np.zeros(count, dtype=np.int32)
    bill_key = np.zeros(count, dtype=np.int64)
    found: list[Found] = []

    has_bill = rows["bill_code"].combine_chunks().is_valid().to_numpy(zero_copy_only=False)
    if has_bill.any():
        hashes = code_hash([rows["bill_code"]])
        bills, by_provider = bills_of_hashes(work.connection, hashes.filter(pa.array(has_bill)))
        place, hits = np.full(count, -1, dtype=np.int64), np.zeros(count, dtype=np.int64)
        for _, places in by_provider:
            here = np.full(count, -1, dtype=np.int64)
            here[has_bill] = places
            hits += here >= 0
            place = np.where(here >= 0, here, place)
        one = hits == 1
        if bills.num_rows:
            there = bills["bill_code"].take(pa.array(place[one]))
            if not pc.all(pc.equal(there, rows["bill_code"].filter(pa.array(one)))).as_py() and one.any():
                raise RuntimeError("fact_bill: two different bill_code have the same 64-bit key; nothing was loaded")
            unit[one] = bills["unit_key"].to_numpy()[place[one]]
            service[one] = bills["service_key"].to_numpy()[place[one]]
            bill_key[one] = bills["row_key"].to_numpy()[place[one]]
        found = [Found("bill_known", has_bill & (hits == 0), hashes), Found("bill_known", hits > 1)]

    dossier_key = row_key("dossiers", [rows["dossier_code"]])
    has_dossier = rows["dossier_code"].combine_chunks().is_valid().to_numpy(zero_copy_only=False)
    if has_dossier.any():
        unit[has_dossier] = _units_of_dossiers(work.connection, dossier_key.to_numpy()[has_dossier])

    paid_on = days_of(rows["paid_at"])
    has_merchant = rows["merchant_code"].combine_chunks().is_valid().to_numpy(zero_copy_only=False)
    if has_merchant.any():
        versions = dims.merchants(work.delivery.provider)
        merchant = versions.at(rows["merchant_code"], paid_on)
        unit = np.where(has_merchant, versions.attribute(merchant, "unit_key"), unit).astype(np.int32)
    columns = {
        **{name: rows[name] for name in ("transaction_code", "paid_at", "amount_vnd")},
        "provider_key": _constant(work.provider_key, rows),
        "service_key": service,
        "unit_key": unit,
        "bill_key": pa.array(bill_key, mask=~has_bill),
        "dossier_key": pa.array(dossier_key.to_numpy(), mask=~has_dossier),
        "merchant_key": merchant,
        "payment_method_key": dims.listed(dim_payment_method, rows["method_code"]),
        "payment_status_key": dims.listed(dim_payment_status, rows["status_code"]),
        "business_date": paid_on,
    }
    return columns, found


def _signatures(work: Load, rows: pa.Table) -> tuple[dict[str, Any], list[Found]]:
    unit = work.dimensions.unit(rows["unit_code"], _month_end(rows["month"]), rows["month"])
    columns = {
        **{name: rows[name] for name in ("certificates_issued", "certificates_in_force", "holders_cumulative")},
        "month": pc.strftime(rows["month"], "%Y-%m"),
        "provider_key": _constant(work.provider_key, rows),
        "unit_key": unit,
    }
    return columns, [Found("unit_known", unit == UNKNOWN), Found("cumulative", _fallen(work, columns))]


def _fallen(work: Load, columns: dict[str, Any]) -> npt.NDArray[np.bool_]:
    """Units whose cumulative count is below that of the last month known before, in the file or in the warehouse."""
    here = pd.DataFrame({name: columns[name] if name == "unit_key" else columns[name].to_pandas() for name in _COUNTED_UP})
    known = select(*(fact_signature.c[name] for name in _COUNTED_UP)).where(
        fact_signature.c.provider_key == work.provider_key, fact_signature.c.known_to == text("'infinity'")
    )
    there = pd.DataFrame(work.connection.execute(known).all(), columns=list(_COUNTED_UP))
    told = pd.concat([here, there], ignore_index=True).drop_duplicates(["unit_key", "month"]).sort_values(["unit_key", "month"])
    fallen = told.index[told["holders_cumulative"] < told.groupby("unit_key")["holders_cumulative"].shift()]
    return np.isin(np.arange(len(here)), fallen)


_COUNTED_UP = ("unit_key", "month", "holders_cumulative")


def _signature_holders(work: Load, rows: pa.Table) -> tuple[dict[str, Any], list[Found]]:
    # The carrier writes the unit as it is called on the day of the export, however old the certificate.
    unit = work.dimensions.unit(rows["unit_code"], work.exported_on(rows), rows["issued_on"])
    columns = {name: rows[name] for name in ("holder_hash", "issued_on", "certificate_status")}
    return {**columns, "provider_key": _constant(work.provider_key, rows), "unit_key": unit}, [Found("unit_known", unit == UNKNOWN)]


def _unit_counts(work: Load, rows: pa.Table) -> tuple[dict[str, Any], list[Found]]:
    unit = work.dimensions.unit(rows["unit_code"], *_ends_of_periods(rows["period"]))
    return {**{name: rows[name] for name in ("period", "measure", "value")}, "unit_key": unit}, [Found("unit_known", unit == UNKNOWN)]


def _surveys(work: Load, rows: pa.Table) -> tuple[dict[str, Any], list[Found]]:
    unit = work.dimensions.unit(rows["unit_code"], rows["asked_on"])
    kept = ("survey_code", "wave", "question_code", "asked_on", "respondents", "positive_answers")
    return {**{name: rows[name] for name in kept}, "unit_key": unit}, [Found("unit_known", unit == UNKNOWN)]


def _published_figures(work: Load, rows: pa.Table) -> tuple[dict[str, Any], list[Found]]:
    unit = work.dimensions.unit(rows["unit_code"], *_ends_of_periods(rows["period"]))
    printed = rows["printed"].combine_chunks()
    # As printed in Vietnamese: a dot between thousands, a comma before decimals.
    number = pc.struct_field(pc.extract_regex(printed, r"(?P<number>-?\d[\d.]*(?:,\d+)?)"), "number")
    value = pc.replace_substring(pc.replace_substring(number, ".", ""), ",", ".")
    decimals = pc.if_else(
        pc.match_substring(value, "."), pc.utf8_length(pc.replace_substring_regex(value, r"^[^.]*\.", "")), pa.scalar(0, pa.int32())
    )
    columns = {
        **{name: rows[name] for name in ("source_document", "period", "indicator_code", "numerator", "denominator", "printed")},
        "printed_value": value.cast(pa.decimal128(30, 10), safe=False),
        "printed_decimals": pc.if_else(value.is_valid(), decimals, pa.scalar(None, pa.int32())),
        "unit_key": unit,
    }
    return columns, [Found("unit_known", unit == UNKNOWN)]


def _portal_766(work: Load, rows: pa.Table) -> tuple[dict[str, Any], list[Found]]:
    kept = ("period", "group_code", "component_code", "numerator", "denominator", "ratio", "score", "max_score", "quality_status")
    departments = work.dimensions.departments(
        rows["department_id"], rows["department_code"], rows["department_name"], rows["department_level"]
    )
    return {**{name: rows[name] for name in kept}, "department_key": departments}, []


def bills_of_hashes(connection: Connection, hashes: pa.Int64Array) -> tuple[pa.Table, list[tuple[str, npt.NDArray[np.int64]]]]:
    """Current bills of any provider with these hashes of their numbers, and by provider each hash's place among them (-1: none)."""
    providers = connection.scalars(
        select(deliveries.c.provider).where(deliveries.c.feed == "bills").distinct().order_by(deliveries.c.provider)
    ).all()
    candidates = [(provider, scoped(provider, hashes).to_numpy()) for provider in providers]
    bills = _current(
        connection, "warehouse.fact_bill", [keys for _, keys in candidates], ("row_key", "unit_key", "service_key"), ("bill_code",)
    )
    index = pd.Index(bills["row_key"].to_numpy())
    return bills, [(provider, index.get_indexer(keys)) for provider, keys in candidates]


def _units_of_dossiers(connection: Connection, keys: Moments) -> npt.NDArray[np.int64]:
    known = _current(connection, "warehouse.fact_dossier", [keys], ("row_key", "unit_key"))
    units: npt.NDArray[np.int64] = np.append(known["unit_key"].to_numpy(), UNKNOWN)
    found: npt.NDArray[np.int64] = units[pd.Index(known["row_key"].to_numpy()).get_indexer(keys)]
    return found


def _current(
    connection: Connection, table: str, candidates: Iterable[Moments], numbers: tuple[str, ...], texts: tuple[str, ...] = ()
) -> pa.Table:
    """Those columns of the current rows of a fact that have one of these keys."""
    temporary(connection, "candidates", "row_key bigint")
    for keys in candidates:
        copy_keys(connection, "candidates", keys)
    connection.execute(text("ANALYZE pg_temp.candidates"))
    found = copy_out_blocks(
        connection,
        f"SELECT {', '.join(f'f.{name}' for name in (*numbers, *texts))} FROM {table} AS f "
        "JOIN (SELECT DISTINCT row_key FROM pg_temp.candidates) AS c USING (row_key) WHERE f.known_to = 'infinity'",
        numbers,
        texts,
    )
    connection.execute(text("DROP TABLE pg_temp.candidates"))
    return found


def _month_end(months: pa.ChunkedArray) -> pa.Array:
    return (
        pc.subtract(pc.ceil_temporal(months, unit="month", ceil_is_strictly_greater=True), timedelta(days=1))
        .cast(pa.date32())
        .combine_chunks()
    )


def _ends_of_periods(periods: pa.ChunkedArray) -> tuple[pa.Array, pa.Array]:
    """Last and first day of each period: a unit reported for a year is the one that stood at its end, else the one it began with."""
    encoded = pc.dictionary_encode(periods.combine_chunks())
    ranges = [days_of_period(period) for period in encoded.dictionary.to_pylist()]
    first, last = (pa.array([pair[side] for pair in ranges], pa.date32()).take(encoded.indices) for side in (0, 1))
    return last, first


def _constant(value: int, rows: pa.Table) -> pa.Array:
    return pa.repeat(pa.scalar(value, pa.int16()), rows.num_rows)


FACTS: dict[str, tuple[Table, tuple[str, ...], Build]] = {
    "dossiers": (fact_dossier, ("dossier_code",), _dossiers),
    "bills": (fact_bill, ("bill_code",), _bills_of),
    "payments": (fact_payment, ("transaction_code",), _payments),
    "signatures": (fact_signature, ("month",), _signatures),
    "signature_holders": (fact_signature_holder, ("holder_hash",), _signature_holders),
    "unit_counts": (fact_unit_count, ("period", "measure"), _unit_counts),
    "surveys": (fact_survey, ("survey_code", "wave", "question_code"), _surveys),
    "published_figures": (fact_published_figure, ("source_document", "period", "indicator_code"), _published_figures),
    "portal_766": (fact_portal_766, ("department_key", "period", "group_code", "component_code"), _portal_766),
}
"""Feed → its fact, the natural key's columns there (compared beside the 64-bit key), and how its rows become facts."""
