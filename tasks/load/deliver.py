"""Accepted rows → dimensions and facts, in one transaction: set aside what may not be loaded, close the delivery last.

`tasks.load.facts` turns typed rows into columns of a fact, `tasks.load.history` merges them into what is known; here is the
order of things, what a correction replaces, the quarantine and the delivery's own row.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Engine, Table, delete, func, insert, select, text, update

from expectations.contract import ROW_NUMBER, Contract
from tasks.deliveries.ledger import Delivery, Outcome
from tasks.load.dimensions import Dimensions, days_of
from tasks.load.lists import load_members
from tasks.words.keys import row_hash, row_key
from warehouse.bulk import copy_out
from warehouse.database import ensure_payment_partitions
from warehouse.periods import days as days_of_period
from warehouse.tables import delivery as deliveries
from warehouse.tables import (
    fact_dossier,
    fact_payment,
    quarantine,
    verdict,
)
from warehouse.tables import load as loads

if TYPE_CHECKING:
    from tasks.read.file import Rejected
    from tasks.validate.checks import Checked

from tasks.load.facts import FACTS, Build, Found, Load, Tally, bills_of_hashes, by_name
from tasks.load.history import (
    FOREVER,
    Mask,
    add_states,
    append,
    apply,
    columns_of,
    compare_natural_keys,
    copy_temporary,
    end_states,
    microseconds,
    moment_of,
    overwrite,
    states_of,
    temporary,
)

MEMBERS = {"procedures", "agencies", "merchants"}
"""Feeds that are dimensions."""


HELP = {"procedure_name", "sector_code", "sector_name", "agency_name", "unit_name", "measure_name", "net_vnd", "tax_vnd"} | {
    "province_code", "department_code", "department_name", "department_level",
}  # fmt: skip
"""Columns that no fact keeps: a change in them alone is no new state."""


def load(engine: Engine, delivery: Delivery, contract: Contract, checked: Iterable[Checked]) -> Outcome:
    """Loads a delivery whole or not at all; loading it again adds only what could not be loaded before."""
    with engine.begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtext(:feed))"), {"feed": f"load {contract.feed}"})
        load_id = connection.execute(insert(loads).values(delivery_id=delivery.delivery_id).returning(loads.c.load_id)).scalar_one()
        work = Load(connection, delivery, contract, Dimensions(connection, delivery.delivery_id), load_id)
        connection.execute(
            delete(quarantine).where(quarantine.c.delivery_id == delivery.delivery_id, quarantine.c.status.in_(("open", "waiting")))
        )
        if contract.feed in MEMBERS:
            return _load_members(work, checked)
        return _load_facts(work, checked)


def reject(engine: Engine, delivery: Delivery, rejected: Rejected, received: int = 0) -> Outcome:
    """Refuses a delivery as a whole: nothing of it is loaded, and its rows count as set aside."""
    with engine.begin() as connection:
        connection.execute(delete(verdict).where(verdict.c.delivery_id == delivery.delivery_id))
        connection.execute(
            insert(verdict).values(
                delivery_id=delivery.delivery_id,
                rule_code=rejected.rule_code,
                severity="critical",
                scope="delivery",
                success=False,
                unexpected_count=received or None,
                checked_at=datetime.now(UTC),
            )
        )
        closing = {"status": "rejected", "verdict": "reject", "message_vi": rejected.message_vi, "rows_received": received}
        closing |= {"rows_loaded": 0, "rows_unchanged": 0, "rows_quarantined": received, "rows_ignored": 0, "loaded_at": datetime.now(UTC)}
        connection.execute(update(deliveries).where(deliveries.c.delivery_id == delivery.delivery_id).values(closing))
    return Outcome(delivery.delivery_id, "rejected", "reject", received, 0, 0, received, 0, rejected.message_vi)


def releasable(engine: Engine) -> list[int]:
    """Deliveries to be read again: a bill their payments wait for is there now, or a steward released rows of them."""
    released = (
        select(quarantine.c.delivery_id)
        .join(deliveries, deliveries.c.delivery_id == quarantine.c.delivery_id)
        .where(quarantine.c.status == "released", quarantine.c.decided_at > deliveries.c.loaded_at)
        .distinct()
    )
    with engine.begin() as connection:
        found = set(connection.scalars(released))
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


def _load_facts(work: Load, checked: Iterable[Checked]) -> Outcome:
    table, natural, build = FACTS[work.contract.feed]
    replaces = work.contract.mode == "replace"
    temporary(work.connection, "incoming", "row_key bigint")
    temporary(work.connection, "delivered", "row_key bigint")
    empty = not work.connection.scalar(text(f"SELECT EXISTS (SELECT FROM {table.fullname})"))
    span = _Span(work)
    until = FOREVER
    siblings = replaces and _has_siblings(work)
    if siblings and _newer(work) is not None:
        # How far this delivery speaks depends on its period, known only after its last row; rare, so memory may pay.
        checked = list(checked)
        for part in checked:
            span.add(part.table)
        until = _until(work, span.period())
    for part in checked:
        _take(work, part)
        span.add(part.table)
        _merge(work, table, natural, build, part.table, until, empty=empty, remember=siblings)
    period = span.period()
    supersedes = None
    if replaces:
        supersedes = _close_absent(work, table, period, until) if siblings else None
    elif work.cuts_others:
        # A later delivery may have said again what was just cut short, which leaves no trace: it is to be read again.
        work.connection.execute(
            update(deliveries)
            .where(
                deliveries.c.feed == work.contract.feed,
                deliveries.c.provider == work.delivery.provider,
                deliveries.c.exported_at > work.delivery.exported_at,
                deliveries.c.status == "loaded",
            )
            .values(status="landed")
        )
    return _close(work, period, "loaded" if until == FOREVER else "superseded", supersedes)


def _merge(
    work: Load, table: Table, natural: tuple[str, ...], build: Build, rows: pa.Table, until: int, *, empty: bool, remember: bool
) -> None:
    if not rows.num_rows:
        return
    if table is fact_dossier:
        rows = by_name(work, rows)
    columns, found = build(work, rows)
    keep = _judge(work, rows, found)
    content = [name for name in rows.column_names if name not in {ROW_NUMBER, *work.contract.natural_key, *HELP}]
    facts = pa.table(
        {
            **columns,
            "row_key": row_key(work.prefix(), [rows[name] for name in work.contract.natural_key]),
            "row_hash": row_hash(rows.select(content)),
            "row_number": rows[ROW_NUMBER],
        }
    )
    if not keep.all():
        facts = facts.filter(pa.array(keep))
    # Rows in the order of the index they enter: the COPY then touches each of its pages once.
    facts = facts.take(pa.array(np.argsort(facts["row_key"].to_numpy(), kind="stable")))
    facts = _last_of_each(work, facts)
    if table is fact_payment:
        ensure_payment_partitions(work.connection, pc.unique(facts["business_date"]).to_pylist())
    if empty:
        work.loaded += facts.num_rows
        append(work.connection, work.delivery, work.load_id, table, facts, None, None)
        return
    keys = facts["row_key"].to_numpy()
    states = states_of(work.connection, table, natural, keys, remember=remember)
    plan = overwrite(keys, facts["row_hash"].to_numpy(), work.moment, np.full(len(keys), until), states)
    compare_natural_keys(table, natural, facts, states, plan.known)
    confirmed = plan.same & (states["delivery_id"].to_numpy()[plan.known] == work.delivery.delivery_id) if states.num_rows else plan.same
    work.loaded += int((~plan.same | confirmed).sum())
    work.unchanged += int((plan.same & ~confirmed).sum())
    work.cuts_others |= work.contract.mode == "upsert" and bool(plan.cut.any())
    apply(work.connection, work.delivery, work.load_id, table, facts, states, plan)


def _last_of_each(work: Load, facts: pa.Table) -> pa.Table:
    """The validator lets one row of each key through; should a contract not ask for that, the last one speaks."""
    keys = facts["row_key"].to_numpy()
    last = np.append(keys[1:] != keys[:-1], True) if len(keys) else np.zeros(0, dtype=bool)
    work.ignored += int((~last).sum())
    return facts if last.all() else facts.filter(pa.array(last))


def _has_siblings(work: Load) -> bool:
    return bool(
        work.connection.scalar(
            select(func.count()).where(
                deliveries.c.source == work.delivery.source,
                deliveries.c.delivery_id != work.delivery.delivery_id,
                deliveries.c.loaded_at.is_not(None),
                deliveries.c.status.in_(("loaded", "superseded", "landed")),
            )
        )
    )


def _newer(work: Load, period: str | None = None, *, any_period: bool = True) -> datetime | None:
    """Export time of the next delivery after this one that was loaded, of the same source (and period)."""
    query = select(func.min(deliveries.c.exported_at)).where(
        deliveries.c.source == work.delivery.source,
        deliveries.c.exported_at > work.delivery.exported_at,
        deliveries.c.status.in_(("loaded", "superseded")),
    )
    if not any_period:
        query = query.where(deliveries.c.business_period.is_not_distinct_from(period))
    newer: datetime | None = work.connection.scalar(query)
    return newer


def _until(work: Load, period: str | None) -> int:
    newer = _newer(work, period, any_period=False)
    return FOREVER if newer is None else microseconds(newer)


def _close_absent(work: Load, table: Table, period: str | None, until: int) -> int | None:
    """Ends, within the window, what deliveries of the same source and period said and this one does not; returns the one it corrects."""
    connection, delivery = work.connection, work.delivery
    same = (deliveries.c.source == delivery.source) & deliveries.c.business_period.is_not_distinct_from(period)
    same &= deliveries.c.status.in_(("loaded", "superseded")) & (deliveries.c.delivery_id != delivery.delivery_id)
    older = connection.execute(
        select(deliveries.c.delivery_id)
        .where(same, deliveries.c.exported_at < delivery.exported_at)
        .order_by(deliveries.c.exported_at.desc())
    ).scalars()
    older_ids = list(older)
    newer_id = connection.scalar(
        select(deliveries.c.delivery_id)
        .where(same, deliveries.c.exported_at > delivery.exported_at)
        .order_by(deliveries.c.exported_at)
        .limit(1)
    )
    if older_ids:
        values = {"ids": older_ids, "moment": delivery.exported_at, "until": None if until == FOREVER else moment_of(until)}
        absent = (
            f"FROM {table.fullname} AS f WHERE f.delivery_id = ANY(:ids) AND f.known_to > :moment "
            "AND f.known_from < coalesce(CAST(:until AS timestamptz), 'infinity') "
            "AND NOT EXISTS (SELECT FROM pg_temp.delivered AS d WHERE d.row_key = f.row_key)"
        )
        connection.execute(text("ANALYZE pg_temp.delivered"))
        connection.execute(text(f"CREATE TEMP TABLE absent ON COMMIT DROP AS SELECT f.* {absent}"), values)
        end_states(connection, table, work.load_id, "pg_temp.absent", "greatest(c.known_from, CAST(:moment AS timestamptz))", values)
        if until != FOREVER:
            taken = {
                "known_from": ":until",
                "loaded_by": f"{work.load_id:d}",
                "ended_by": f"CASE WHEN f.ended_by > 0 THEN {work.load_id:d} END",
            }
            add_states(
                connection,
                table,
                f"(SELECT {columns_of(table, 'f', taken)} FROM pg_temp.absent AS f WHERE f.known_to > :until) AS rest",
                values,
            )
        connection.execute(
            update(deliveries).where(deliveries.c.delivery_id.in_(older_ids), deliveries.c.status == "loaded").values(status="superseded")
        )
    if newer_id is not None:
        connection.execute(update(deliveries).where(deliveries.c.delivery_id == newer_id).values(supersedes=delivery.delivery_id))
    return older_ids[0] if older_ids else None


class _Span:
    """The business period of a delivery, gathered chunk by chunk."""

    def __init__(self, work: Load) -> None:
        self._work = work
        self._first: date | None = None
        self._last: date | None = None
        self._names: set[str] = set()

    def add(self, rows: pa.Table) -> None:
        """Widens the span by the rows of a chunk."""
        feed, column = self._work.contract.feed, self._work.contract.period_column or PERIOD_COLUMNS.get(self._work.contract.feed)
        if feed in SCOPES:
            parts = [rows[name].combine_chunks() for name in SCOPES[feed]]
            self._names |= set(pc.unique(pc.binary_join_element_wise(*parts, " ")).to_pylist())
        elif column is not None and rows.num_rows:
            for first, last in _day_ranges(rows[column]):
                self._first = first if self._first is None else min(self._first, first)
                self._last = last if self._last is None else max(self._last, last)

    def period(self) -> str | None:
        """The smallest day, month, quarter or year that covers the rows; what the file name says where the rows say nothing."""
        named = self._work.delivery.business_period
        if self._names:
            return " + ".join(sorted(self._names))
        first, last = self._first, self._last
        if first is None or last is None:
            return named
        if (last - first).days == 1:
            # A day's file with payments from around midnight is still about one day.
            return named if named in (first.isoformat(), last.isoformat()) else last.isoformat()
        if first == last:
            return first.isoformat()
        if (first.year, first.month) == (last.year, last.month):
            return f"{first:%Y-%m}"
        if (first.year, (first.month - 1) // 3) == (last.year, (last.month - 1) // 3):
            return f"{first.year}-Q{(first.month + 2) // 3}"
        return str(first.year) if first.year == last.year else f"{first.year}/{last.year}"


SCOPES = {
    "surveys": ("survey_code", "wave"),
    "published_figures": ("source_document",),
    "portal_766": ("province_code", "period", "group_code"),
}
"""Feeds that are replaced by what they are about, not by a stretch of time."""


PERIOD_COLUMNS = {"payments": "paid_at"}


def _day_ranges(column: pa.ChunkedArray) -> list[tuple[date, date]]:
    if pa.types.is_string(column.type):
        return [days_of_period(period) for period in pc.unique(column).to_pylist() if period is not None]
    low, high = pc.min_max(days_of(column)).values()
    if low.as_py() is None:
        return []
    first, last = low.as_py(), high.as_py()
    if pa.types.is_date(column.type):
        # A date in a period column is the first day of the month it stands for.
        last = days_of_period(f"{last:%Y-%m}")[1]
    return [(first, last)]


def _judge(work: Load, rows: pa.Table, found: list[Found]) -> Mask:
    """Counts what broke the rules that need the warehouse and sets aside what may not be loaded; True for rows to load."""
    keep = np.ones(rows.num_rows, dtype=bool)
    for item in found:
        for rule in work.contract.rules:
            if rule.check != item.check:
                continue
            broken = item.rows & keep
            tally = work.tallies.setdefault(rule.code, Tally(rule.severity, rule.scope))
            tally.unexpected += int(broken.sum())
            tally.success = tally.unexpected == 0
            if rule.severity == "critical" and broken.any():
                keep &= ~broken
                _set_aside(work, _faults(work, rows, broken, rule.code, rule.columns, item.awaited), int(broken.sum()))
    return keep


def _faults(work: Load, rows: pa.Table, broken: Mask, rule_code: str, columns: list[str], awaited: pa.Array | None) -> pa.Table:
    chosen = pa.array(broken)
    picked = rows.filter(chosen)
    headers = work.contract.layouts[work.delivery.layout].headers
    name = next((header for header, column in headers.items() if columns and column == columns[0]), "")
    return pa.table(
        {
            "row_number": picked[ROW_NUMBER],
            "rule_code": pa.repeat(rule_code, picked.num_rows),
            "column_name": pa.repeat(name, picked.num_rows),
            "natural_key": _shown_key(work.contract, picked),
            "awaited_key": awaited.filter(chosen) if awaited is not None else pa.nulls(picked.num_rows, pa.int64()),
        }
    )


def _shown_key(contract: Contract, rows: pa.Table) -> pa.Array:
    """Natural keys as they may be shown: only where each part has the declared shape."""
    shown = []
    for name in contract.natural_key:
        pattern, column = contract.columns[name].pattern, rows[name].combine_chunks().cast(pa.string())
        if contract.columns[name].type in ("date", "period"):
            shown.append(column)
        elif pattern is None:
            return pa.nulls(rows.num_rows, pa.string())
        else:
            fits = pd.Series(column.to_pylist(), dtype=object).str.fullmatch(pattern).fillna(False).to_numpy(dtype=bool)
            shown.append(pc.if_else(pa.array(fits), column, pa.scalar(None, pa.string())))
    return pc.binary_join_element_wise(*shown, " ")


def _take(work: Load, part: Checked) -> None:
    """Counts what the checks found in a chunk and puts its faults into quarantine."""
    work.received += part.received
    work.ignored += part.ignored
    _tally(work, part.results)
    _set_aside(work, part.faults, len(pc.unique(part.faults["row_number"])))


def _set_aside(work: Load, faults: pa.Table, rows: int) -> None:
    """Writes faults into quarantine in the words of their rules; a dismissal stays, a release that did not help opens again."""
    work.quarantined += rows
    if not faults.num_rows:
        return
    faults = pa.table({name: faults[name] for name in ("row_number", "rule_code", "column_name", "natural_key", "awaited_key")})
    faults = faults.group_by(["row_number", "rule_code", "column_name"], use_threads=False).aggregate(
        [("natural_key", "max"), ("awaited_key", "max")]
    )
    said = faults.group_by(["rule_code", "column_name"], use_threads=False).aggregate([]).to_pylist()
    words = {(s["rule_code"], s["column_name"]): work.contract.rule(s["rule_code"]) for s in said}
    pairs = list(zip(faults["rule_code"].to_pylist(), faults["column_name"].to_pylist(), strict=True))
    texts = {pair: rule.message_vi.replace("{column}", pair[1]).replace("{file}", work.delivery.file_name) for pair, rule in words.items()}
    awaited = faults["awaited_key_max"]
    temporary(work.connection, "faults", "LIKE ops.quarantine")
    copy_temporary(
        work.connection,
        "faults",
        pa.table(
            {
                "delivery_id": pa.repeat(work.delivery.delivery_id, faults.num_rows),
                "row_number": faults["row_number"],
                "rule_code": faults["rule_code"],
                "column_name": faults["column_name"],
                "natural_key": faults["natural_key_max"],
                "severity": pa.array([words[pair].severity for pair in pairs]),
                "message_vi": pa.array([texts[pair] for pair in pairs]),
                "status": pc.if_else(awaited.is_valid(), "waiting", "open"),
                "awaited_key": awaited,
            }
        ),
    )
    work.connection.execute(
        text(
            "INSERT INTO ops.quarantine SELECT * FROM pg_temp.faults ON CONFLICT (delivery_id, row_number, rule_code, column_name) "
            "DO UPDATE SET status = excluded.status, awaited_key = excluded.awaited_key, message_vi = excluded.message_vi "
            "WHERE quarantine.status = 'released'"
        )
    )
    work.connection.execute(text("DROP TABLE pg_temp.faults"))


def _tally(work: Load, results: Iterable[Any]) -> None:
    for result in results:
        tally = work.tallies.setdefault(result.rule_code, Tally(result.severity, result.scope))
        tally.success &= result.success
        tally.observed = result.observed if result.observed is not None else tally.observed
        tally.unexpected += result.unexpected_count or 0


def _close(work: Load, period: str | None, status: str, supersedes: int | None) -> Outcome:
    """Writes the verdict, then the delivery's own row: the last thing its transaction does."""
    connection, delivery, now = work.connection, work.delivery, datetime.now(UTC)
    connection.execute(delete(verdict).where(verdict.c.delivery_id == delivery.delivery_id))
    if work.tallies:
        connection.execute(
            insert(verdict),
            [
                {
                    "delivery_id": delivery.delivery_id,
                    "rule_code": code,
                    "severity": tally.severity,
                    "scope": tally.scope,
                    "success": tally.success,
                    "observed": tally.observed,
                    "unexpected_count": tally.unexpected,
                    "checked_at": now,
                }
                for code, tally in work.tallies.items()
            ],
        )
    flagged = work.quarantined > 0 or not all(tally.success for tally in work.tallies.values())
    judged = "accept_with_flags" if flagged else "accept"
    connection.execute(
        update(deliveries)
        .where(deliveries.c.delivery_id == delivery.delivery_id)
        .values(
            business_period=period,
            status=status,
            verdict=judged,
            message_vi=None,
            rows_received=work.received,
            rows_loaded=work.loaded,
            rows_unchanged=work.unchanged,
            rows_quarantined=work.quarantined,
            rows_ignored=work.ignored,
            supersedes=supersedes,
            loaded_at=now,
        )
    )
    return Outcome(delivery.delivery_id, status, judged, work.received, work.loaded, work.unchanged, work.quarantined, work.ignored)


def _load_members(work: Load, checked: Iterable[Checked]) -> Outcome:
    parts: list[pa.Table] = []
    for part in checked:
        _take(work, part)
        parts.append(part.table)
    rows = pa.concat_tables(parts) if parts else work.contract.schema.empty_table()
    if "unit_code" in rows.column_names:
        known = np.isin(rows["unit_code"].to_numpy(zero_copy_only=False), work.dimensions.units.members["code"].to_numpy())
        rows = rows.filter(pa.array(_judge(work, rows, [Found("unit_known", ~known)])))
    if _newer(work) is not None:
        # A list exported before the one in force has nothing to say any more.
        work.ignored += rows.num_rows
        return _close(work, None, "superseded", None)
    changed = load_members(work.connection, work.delivery, work.load_id, work.contract.feed, rows)
    work.loaded += changed
    work.unchanged += rows.num_rows - changed
    older = work.connection.scalars(
        select(deliveries.c.delivery_id)
        .where(deliveries.c.source == work.delivery.source, deliveries.c.exported_at < work.delivery.exported_at)
        .where(deliveries.c.status.in_(("loaded", "superseded")))
        .order_by(deliveries.c.exported_at.desc())
    ).all()
    work.connection.execute(
        update(deliveries).where(deliveries.c.delivery_id.in_(older), deliveries.c.status == "loaded").values(status="superseded")
    )
    return _close(work, None, "loaded", older[0] if older else None)
