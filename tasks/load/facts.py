"""Typed rows of one feed → columns of its table: codes become surrogate keys, a unit's code the unit of the right day.

A feed's contract says what is looked up and when; only dossiers, payments, printed figures and the portal's answers need more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Connection, select, text

from expectations.contract import EXPORTED_ON, ROW_NUMBER, Rule
from tasks.load.dimensions import Keys, days_of, ends_of_periods, first_of
from tasks.load.editions import exceeding, miscounted, of_another_sender, outside_period, require_of_sender, undefined
from tasks.load.history import Mask, Microseconds, copy_keys, current_of, temporary
from tasks.load.received import ISSUER
from tasks.load.work import Finding, Load, constant, mask_of
from tasks.words.keys import code_hash, row_hash, row_key, scoped
from warehouse import country
from warehouse.bulk import copy_out_blocks
from warehouse.indicators import indicators, measures
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
    metadata,
)
from warehouse.tables import delivery as deliveries
from warehouse.tables.bridge_unit_succession import WENT_ON

HISTORY = {"row_key", "row_hash", "known_from", "known_to", "loaded_by", "ended_by", "delivery_id", "row_number", "key_number"}
"""Columns of every fact that the load itself fills."""

Columns = dict[str, Any]


def facts_of(work: Load, rows: pa.Table) -> tuple[pa.Table, list[Finding], pa.Table]:
    """The rows as the table keeps them, with key and hash; what broke rules that need the warehouse; and the rows with their codes and
    what was found beside them, as the amount of the bill that a payment pays.
    """
    rows = with_codes(work, rows) if work.contract.feed == "dossiers" else rows
    columns, found = BUILDERS.get(work.contract.feed, _as_declared)(work, rows)
    found += [Finding(rule.check, CHECKS[rule.check](work, rows, columns, rule)) for rule in work.contract.rules if rule.check in CHECKS]
    content = [name for name in rows.column_names if name not in {ROW_NUMBER, *work.contract.natural_key, *work.contract.not_kept}]
    if "row_key" not in columns:
        columns["row_key"] = row_key(work.prefix, [rows[name] for name in work.contract.natural_key])
    columns |= {"row_hash": row_hash(rows.select(content)), "row_number": rows[ROW_NUMBER]}
    if "key_number" in work.table.c:
        columns["key_number"] = constant(work.key_number, rows, pa.int16())
    for name in columns.keys() - work.table.c.keys():
        rows = rows.append_column(name, columns.pop(name))
    return pa.table(columns), found, rows


# As the contract says --------------------------------------------------------------------------------------------------


def _as_declared(work: Load, rows: pa.Table) -> tuple[Columns, list[Finding]]:
    """Every column of the table: as it is in the file, or by the code that stands for it."""
    columns: Columns = {}
    found: list[Finding] = []
    for name in (column.name for column in work.table.columns if column.name not in HISTORY):
        code = name.removesuffix("_key") + "_code"
        if name in rows.column_names:
            columns[name] = rows[name]
        elif name == "unit_key":
            columns[name], broken = _units(work, rows)
            found += broken
        elif name == "provider_key":
            columns[name] = constant(work.provider_key, rows, pa.int16())
        elif code in rows.column_names:
            columns[name] = work.dimensions.listed(metadata.tables[f"warehouse.dim_{name.removesuffix('_key')}"], rows[code])
        else:
            raise LookupError(f"{work.contract.feed}: nothing says what {work.table.name}.{name} holds")
    if work.contract.role == "list":
        found += _of_a_list(work, rows)
    if work.contract.adding is not None:
        _by_provider(work, rows, columns)
    return columns, found


def _units(work: Load, rows: pa.Table) -> tuple[Keys, list[Finding]]:
    """The unit of each row, and the rows whose code is that of none, or of one of another province."""
    days = unit_days(work, rows)
    units = work.dimensions.unit(rows["unit_code"], *days, goes_over=work.contract.goes_over)
    return units, _unknown_units(units == UNKNOWN, lambda: work.dimensions.elsewhere(rows["unit_code"], *days))


def _unknown_units(unknown: Mask, elsewhere: Callable[[], Mask]) -> list[Finding]:
    """Rows without unit; first those for which there is one in another province, which is looked for only then."""
    others = unknown & elsewhere() if unknown.any() else unknown
    return [*([Finding("unit_elsewhere", others, "unit_code")] if others.any() else []), Finding("unit_known", unknown)]


def unit_days(work: Load, rows: pa.Table) -> list[pa.Array]:
    """The days on which the contract has units looked up, one after the other."""
    days: list[pa.Array] = []
    for name in work.contract.unit_on:
        if name == EXPORTED_ON:
            days.append(pa.repeat(pa.scalar(work.exported_on, pa.date32()), rows.num_rows))
        elif work.contract.columns[name].type == "period":
            days += ends_of_periods(rows[name])
        else:
            days.append(days_of(rows[name]))
    return days


def _of_a_list(work: Load, rows: pa.Table) -> list[Finding]:
    """Lines that name no unit in force while they hold, or no provider there is; and those that overlap the next of their code."""
    found: list[Finding] = []
    if "unit_code" in rows.column_names:
        lines = rows["unit_code"], rows["valid_from"], rows["valid_to"]
        found += _unknown_units(~work.dimensions.units.overlap(*lines), lambda: work.dimensions.country.overlap(*lines))
    if "provider_code" in rows.column_names:
        found.append(Finding("provider_known", work.dimensions.listed(dim_provider, rows["provider_code"]).to_numpy() == UNKNOWN))
    codes = [name for name in work.contract.natural_key if name != "valid_from"]
    lines = rows.select([*codes, "valid_from", "valid_to"]).to_pandas().sort_values([*codes, "valid_from"])
    following = lines.groupby(codes, dropna=False)["valid_from"].shift(-1)
    overlapping = following.notna() & (lines["valid_to"].isna() | (lines["valid_to"] >= following))
    found.append(Finding("overlapping", overlapping.sort_index().to_numpy(dtype=bool)))
    return found


def _by_provider(work: Load, rows: pa.Table, columns: Columns) -> None:
    """Counts that add up over providers have a key within their own; of any other there is one number, whoever says it."""
    adding = [measure for measure, of_measure in measures().items() if of_measure.adds_up]
    several = np.isin(rows[work.contract.adding].to_numpy(zero_copy_only=False), adding)
    keys = [rows[name] for name in work.contract.natural_key]
    own, shared = (row_key(prefix, keys).to_numpy() for prefix in (f"{work.contract.feed} {work.delivery.provider}", work.prefix))
    columns["provider_key"] = pa.array(np.where(several, work.provider_key, UNKNOWN).astype(np.int16))
    columns["row_key"] = pa.array(np.where(several, own, shared))


def _fallen(work: Load, _rows: pa.Table, columns: Columns, rule: Rule) -> Mask:
    """Rows between which and a neighbouring period of their unit a cumulative count falls, in the file or in the warehouse.

    Of two in the file the later one; a row of an earlier period than one that is known makes that one fall, and is found itself. A unit
    that others went into begins anew; one that only stands under another since goes on.
    """
    period, counted = str(work.contract.period_column), str(rule.column)
    here = pd.DataFrame({"unit_key": columns["unit_key"], **{name: columns[name].to_pandas() for name in (period, counted)}})
    went_on = {row.unit_key: row.later_key for row in work.connection.execute(text(WENT_ON))}
    series = {key: _end_of(key, went_on) for key in {*here["unit_key"], *went_on, *went_on.values()}}
    asked = {series[key] for key in here["unit_key"].unique()}
    known = select(*(work.table.c[name] for name in ("unit_key", period, counted))).where(
        work.table.c.provider_key == work.provider_key,
        work.table.c.known_to == text("'infinity'"),
        work.table.c.unit_key.in_([key for key, end in series.items() if end in asked]),
    )
    there = pd.DataFrame(work.connection.execute(known).all(), columns=here.columns)
    told = pd.concat([here, there], ignore_index=True).assign(series=lambda found: found["unit_key"].map(series))
    told = told.drop_duplicates(["series", period]).dropna(subset=counted).sort_values(["series", period])
    falls = told[counted] < told.groupby("series")[counted].shift()
    by_what_is_known = falls & (told.index >= len(here))
    makes_fall = by_what_is_known.groupby(told["series"]).shift(-1, fill_value=False)
    return np.isin(np.arange(len(here)), told.index[falls | makes_fall])


def _end_of(key: int, went_on: Mapping[int, int]) -> int:
    while key in went_on:
        key = went_on[key]
    return key


def _impossible(_work: Load, rows: pa.Table, _columns: Columns, _rule: Rule) -> Mask:
    """Counts of a unit and period of which the part is larger than the whole, where an indicator divides the two."""
    place = ["unit_code", "period", "measure"]
    counted = rows.select([*place, "value"]).to_pandas()
    wide = counted.pivot_table(index=place[:2], columns="measure", values="value", aggfunc="max")
    impossible: set[tuple[str, str, str]] = set()
    for indicator in indicators():
        if indicator.fact != "unit_count" or indicator.may_exceed or not {indicator.numerator, indicator.denominator} <= set(wide.columns):
            continue
        too_much = wide.index[wide[indicator.numerator] > wide[indicator.denominator]]
        impossible |= {(*unit, measure) for unit in too_much for measure in (indicator.numerator, indicator.denominator)}
    return pd.MultiIndex.from_frame(counted[place]).isin(sorted(impossible)) if impossible else np.zeros(rows.num_rows, dtype=bool)


def _elsewhere(work: Load, rows: pa.Table, _columns: Columns, rule: Rule) -> Mask:
    """Rows whose code begins with the identifier of a ministry, or of a province that is not reported for."""
    encoded = pc.dictionary_encode(
        pc.struct_field(pc.extract_regex(rows[rule.args["column"]].combine_chunks(), rule.args["identifier"]), "code")
    )
    ours = work.dimensions.provinces.unique()
    strange = [not country.may_identify(code, ours) for code in encoded.dictionary.to_pylist()]
    found: Mask = np.array([*strange, False])[pc.fill_null(encoded.indices, -1).to_numpy(zero_copy_only=False)]
    return found


def _waived(work: Load, rows: pa.Table, columns: Columns, rule: Rule) -> Mask:
    """Rows that cost something although the province of their unit had waived it."""
    waived = pc.and_kleene(pc.not_equal(rows[rule.args["column"]], 0), pc.equal(rows["channel_code"], rule.args["channel_code"]))
    waived = pc.and_kleene(waived, pc.greater_equal(rows["received_at"].cast(pa.date32()), pa.scalar(rule.args["received_from"])))
    provinces = work.dimensions.provinces
    return mask_of(pc.fill_null(waived, False)) & np.isin(columns["unit_key"], provinces.index[provinces == rule.args["province"]])


CHECKS: dict[str | None, Callable[[Load, pa.Table, Columns, Rule], Mask]] = {
    "cumulative": _fallen,
    "possible": _impossible,
    "code_elsewhere": _elsewhere,
    "waived": _waived,
    "unit_of_sender": of_another_sender,
    "outside_period": outside_period,
    "exceeding": exceeding,
    "miscounted": miscounted,
}
"""Checks that a rule of a contract may name and that need more than a row's own cells: its neighbours, its unit, the provinces."""


# What needs more ---------------------------------------------------------------------------------------------------------


def with_codes(work: Load, rows: pa.Table) -> pa.Table:
    """Dossiers with the codes that their layout writes as names, so that every layout tells the same state."""
    received = received_on(work, rows)
    for table, code, name, days in (
        (dim_agency, "agency_code", "agency_name", (state_on(work, rows, received), received)),
        (dim_procedure, "procedure_code", "procedure_name", (received,)),
    ):
        for day in days:
            rows = rows.set_column(rows.column_names.index(code), code, work.dimensions.coded(table, rows[code], rows[name], day))
    return rows


def received_on(work: Load, rows: pa.Table) -> pa.Array:
    """The day each dossier was received, else handed in, else exported."""
    exported = pa.repeat(pa.scalar(work.exported_on, pa.date32()), rows.num_rows)
    return first_of(days_of(rows["received_at"]), days_of(rows["submitted_at"]), exported)


def state_on(work: Load, rows: pa.Table, received: pa.Array) -> pa.Array:
    """The day each state speaks of: when the dossier ended, else the export."""
    query = select(dim_dossier_status.c.dossier_status_code).where(dim_dossier_status.c.is_solved | dim_dossier_status.c.is_withdrawn)
    has_ended = pc.is_in(rows["status_code"].combine_chunks(), pa.array(work.connection.scalars(query).all()))
    ended = first_of(*(days_of(rows[name]) for name in ("finished_at", "returned_at", "refused_at", "updated_at")), received)
    exported = pa.repeat(pa.scalar(work.exported_on, pa.date32()), rows.num_rows)
    return pc.if_else(has_ended, pc.min_element_wise(pc.max_element_wise(ended, received), exported), exported)


def received_by(work: Load, rows: pa.Table, received: pa.Array, handled_by: Keys) -> Keys:
    """Unit that received each dossier: of the agency that the row says did, else of the one that handles it, had it a unit that day,
    else, where that one has a unit now, of the one that gave the dossier its code.
    """
    codes = rows["dossier_code"].combine_chunks()
    issuer = pc.struct_field(pc.extract_regex(codes, ISSUER.replace("(", "(?P<agency>", 1)), "agency")
    units = work.dimensions.units_of_agencies(first_of(rows["receiving_agency_code"], rows["agency_code"]), received)
    needed = (units == UNKNOWN) & (handled_by != UNKNOWN)
    return np.where(needed, work.dimensions.units_of_agencies(issuer, received), units) if needed.any() else units


def _receiving_agency(work: Load, rows: pa.Table, received: pa.Array) -> pa.Array:
    codes = rows["receiving_agency_code"].combine_chunks()
    if codes.null_count == len(codes):
        return pa.nulls(len(codes), pa.int32())
    keys, _ = work.dimensions.agencies(codes, codes, received)
    return pa.array(keys, mask=codes.is_null().to_numpy(zero_copy_only=False))


def _dossiers(work: Load, rows: pa.Table) -> tuple[Columns, list[Finding]]:
    """The agency and its unit are those at the time of the state; the unit that received is that of the day received."""
    dims = work.dimensions
    received = received_on(work, rows)
    agency, unit = dims.agencies(rows["agency_code"], rows["agency_name"], state_on(work, rows, received), received)
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
        "receiving_agency_key": _receiving_agency(work, rows, received),
        "unit_key": unit,
        "received_unit_key": received_by(work, rows, received, unit),
        "procedure_key": procedure,
        "channel_key": dims.listed(dim_channel, rows["channel_code"]),
        "dossier_status_key": dims.listed(dim_dossier_status, rows["status_code"]),
    }
    given = rows["procedure_code"].combine_chunks().is_valid().to_numpy(zero_copy_only=False)
    listed = ~np.isin(procedure, dims.inferred(dim_procedure))
    agency_unnamed, procedure_unnamed = (_only_named(rows, thing) for thing in ("agency", "procedure"))
    return columns, [
        Finding("agency_known", (unit == UNKNOWN) & ~agency_unnamed),
        Finding("agency_named", agency_unnamed),
        Finding("procedure_known", given & ~(listed & (procedure != UNKNOWN))),
        Finding("procedure_named", procedure_unnamed),
    ]


def _only_named(rows: pa.Table, thing: str) -> Mask:
    """Rows that name an agency or procedure and have no code, not even after it was looked for by that name."""
    only: Mask = pc.and_(rows[f"{thing}_code"].is_null(), rows[f"{thing}_name"].is_valid()).combine_chunks().to_numpy(zero_copy_only=False)
    return only


def _payments(work: Load, rows: pa.Table) -> tuple[Columns, list[Finding]]:
    """The unit is the bill's, else the dossier's, else the shop's: who does not know it takes it from nobody."""
    dims, count = work.dimensions, rows.num_rows
    unit, service = np.zeros(count, dtype=np.int32), dims.listed(dim_service, rows["service_code"]).to_numpy().copy()
    has_bill, has_dossier, has_merchant = (mask_of(rows[name].is_valid()) for name in ("bill_code", "dossier_code", "merchant_code"))
    paid_on = days_of(rows["paid_at"])
    found: list[Finding] = []

    merchant = np.zeros(count, dtype=np.int32)
    if has_merchant.any():
        merchant, unit, is_listed = dims.merchants(work.delivery.provider, rows["merchant_code"], paid_on)
        found.append(Finding("merchant_known", has_merchant & ~is_listed, things=merchant))
    dossier_key = row_key("dossiers", [rows["dossier_code"]])
    if has_dossier.any():
        units = _units_of_dossiers(work.connection, dossier_key.to_numpy()[has_dossier])
        unit[has_dossier] = np.where(units == UNKNOWN, unit[has_dossier], units)
    bill_key, bill_amount, is_billed = np.zeros(count, dtype=np.int64), np.zeros(count, dtype=np.int64), np.zeros(count, dtype=bool)
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
            bill_amount[one], is_billed = bills["amount_vnd"].to_numpy()[place[one]], one
        found += [Finding("bill_known", has_bill & (hits == 0), awaited=hashes), Finding("bill_of_one", hits > 1)]
    columns = {
        **{name: rows[name] for name in ("transaction_code", "paid_at", "amount_vnd")},
        "provider_key": constant(work.provider_key, rows, pa.int16()),
        "service_key": service,
        "unit_key": unit,
        "bill_key": pa.array(bill_key, mask=~has_bill),
        "bill_amount_vnd": pa.array(bill_amount, mask=~is_billed),
        "dossier_key": pa.array(dossier_key.to_numpy(), mask=~has_dossier),
        "merchant_key": merchant,
        "payment_method_key": dims.listed(dim_payment_method, rows["method_code"]),
        "payment_status_key": dims.listed(dim_payment_status, rows["status_code"]),
        "business_date": paid_on,
        "refunded_vnd": _refunded(rows),
        "is_refund": pc.fill_null(rows["is_refund"], False),
        "order_key": _order_keys(work, rows),
    }
    return columns, found


def _refunded(rows: pa.Table) -> pa.ChunkedArray:
    """What was given back of each payment: all of it where its state says so and no amount."""
    whole = pc.and_kleene(pc.equal(rows["status_code"], "refunded"), pc.invert(pc.fill_null(rows["is_refund"], False)))
    return pc.fill_null(pc.coalesce(rows["refunded_vnd"], pc.if_else(whole, rows["amount_vnd"], None)), 0)


def _order_keys(work: Load, rows: pa.Table) -> pa.Array:
    codes = rows["order_code"].combine_chunks()
    if codes.null_count == len(codes):
        return pa.nulls(len(codes), pa.int64())
    return pc.if_else(codes.is_valid(), row_key(f"order {work.prefix}", [codes]), None)


def _published_figures(work: Load, rows: pa.Table) -> tuple[Columns, list[Finding]]:
    """The figure as printed, and what it says by the groups of rule PUB-003: a word and a number with its decimals, or two counts."""
    ends, begins = unit_days(work, rows)
    unit, found = _units(work, rows)
    said = pc.extract_regex(rows["printed"].combine_chunks(), work.contract.rule("PUB-003").args["regex"])
    part = {field.name: pc.struct_field(said, field.name) for field in said.type}
    is_said = {name: pc.not_equal(text, "") for name, text in part.items()}
    words = ("above", "below", "at_least", "at_most", "about", "nearly")
    # As printed in Vietnamese: a dot between thousands, a comma before decimals.
    number = pc.replace_substring(pc.if_else(is_said["numerator"], part["numerator"], part["number"]), ".", "")
    after_comma = pc.utf8_length(pc.replace_substring_regex(number, r"^[^,]*,?", ""))
    zeros = pc.if_else(is_said["millions"], 6, pc.if_else(is_said["thousands"], 3, 0)).cast(pa.int32())
    one, thousand, million = (pa.scalar(Decimal(10**power), pa.decimal128(7, 0)) for power in (0, 3, 6))
    times = pc.if_else(is_said["millions"], million, pc.if_else(is_said["thousands"], thousand, one))
    value = pc.multiply(pc.replace_substring(number, ",", ".").cast(pa.decimal128(20, 6)), times)
    columns = {
        **{name: rows[name] for name in ("source_document", "period", "indicator_code", "numerator", "denominator", "printed")},
        "printed_value": value.cast(pa.decimal128(38, 10)),
        "printed_decimals": pc.subtract(after_comma, zeros),
        "printed_as": pc.case_when(pc.make_struct(*(is_said[word] for word in words), field_names=words), *words, "exact"),
        "unit_key": work.dimensions.unit_by_name(unit, rows["unit_code"], rows["unit_name"], begins, ends),
    }
    # Where the file names no counts, those printed as 16/16 are the indicator's.
    counts = pc.and_(is_said["numerator"], pc.and_(rows["numerator"].is_null(), rows["denominator"].is_null()).combine_chunks())
    for name in ("numerator", "denominator"):
        printed = pc.if_else(is_said[name], pc.replace_substring(part[name], ".", ""), None).cast(pa.int64())
        columns[name] = pc.if_else(counts, printed, rows[name].combine_chunks())
    return columns, found


def _portal_766(work: Load, rows: pa.Table) -> tuple[Columns, list[Finding]]:
    """Figures by the portal's departments, which are made where they are new."""
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
        connection,
        "warehouse.fact_bill",
        [keys for _, keys in candidates],
        ("row_key", "unit_key", "service_key", "amount_vnd"),
        ("bill_code",),
    )
    index = pd.Index(bills["row_key"].to_numpy())
    return bills, [(provider, index.get_indexer(keys)) for provider, keys in candidates]


def _units_of_dossiers(connection: Connection, keys: Microseconds) -> npt.NDArray[np.int64]:
    known = _current(connection, "warehouse.fact_dossier", [keys], ("row_key", "unit_key"))
    units: npt.NDArray[np.int64] = np.append(known["unit_key"].to_numpy(), UNKNOWN)
    found: npt.NDArray[np.int64] = units[pd.Index(known["row_key"].to_numpy()).get_indexer(keys)]
    return found


def _current(
    connection: Connection, table: str, candidates: Iterable[Microseconds], numbers: tuple[str, ...], texts: tuple[str, ...] = ()
) -> pa.Table:
    """Those columns of the current rows of a fact that have one of these keys."""
    temporary(connection, "candidates", "row_key bigint")
    copy_keys(connection, "candidates", np.unique(np.concatenate([*candidates, np.empty(0, np.int64)])))
    connection.execute(text("ANALYZE pg_temp.candidates"))
    columns = ", ".join(f"f.{name}" for name in (*numbers, *texts))
    found = copy_out_blocks(connection, f"SELECT {columns} FROM {current_of(table, 'pg_temp.candidates')}", numbers, texts)
    connection.execute(text("DROP TABLE pg_temp.candidates"))
    return found


def _editions(work: Load, rows: pa.Table) -> tuple[Columns, list[Finding]]:
    """As declared, of editions that are the sender's own."""
    require_of_sender(work, rows)
    columns, found = _as_declared(work, rows)
    return columns, found + undefined(rows)


Build = Callable[[Load, pa.Table], tuple[Columns, list[Finding]]]

BUILDERS: dict[str, Build] = {
    "dossiers": _dossiers,
    "payments": _payments,
    "published_figures": _published_figures,
    "portal_766": _portal_766,
    "editions": _editions,
}
"""Feeds whose rows need more than their contract says."""
