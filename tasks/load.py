"""Accepted rows → dimensions and facts, in one transaction: keys resolved in vectors, every state kept, the delivery closed last.

A fact row is a state of a thing, valid from the export time of the delivery that told it until the next state.
Deliveries may come in any order and may be loaded again: what is kept depends on what was exported when, not on
when it arrived. A row to load is therefore written over a window of its thing's history, from the export of its
delivery to the next word about the thing, and neighbours that say the same are one state.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Connection, Engine, MetaData, Table, delete, func, insert, select, text, update

from expectations.contract import ROW_NUMBER, Contract
from tasks.dimensions import Dimensions, days_of, first_of
from tasks.keys import code_hash, row_hash, row_key, scoped
from tasks.members import load_members
from tasks.pull import LOCAL, Delivery
from warehouse.bulk import copy_in, copy_out, copy_out_blocks
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
    quarantine,
    verdict,
)
from warehouse.tables import delivery as deliveries

if TYPE_CHECKING:
    from tasks.read import Rejected
    from tasks.validate import Checked

Mask = npt.NDArray[np.bool_]
Moments = npt.NDArray[np.int64]

FOREVER = np.iinfo(np.int64).max
"""`infinity` of PostgreSQL, in microseconds since 1970."""


@dataclass(frozen=True)
class Outcome:
    """What became of a delivery."""

    delivery_id: int
    status: str
    verdict: str
    received: int
    loaded: int
    unchanged: int
    quarantined: int
    ignored: int
    message_vi: str | None = None


@dataclass
class _Tally:
    """What was checked and found by one rule over the whole delivery."""

    severity: str
    scope: str
    success: bool = True
    observed: str | None = None
    unexpected: int = 0


@dataclass
class _Load:
    """One delivery being loaded: what all steps share, and its counts."""

    connection: Connection
    delivery: Delivery
    contract: Contract
    dimensions: Dimensions
    received: int = 0
    loaded: int = 0
    unchanged: int = 0
    quarantined: int = 0
    ignored: int = 0
    tallies: dict[str, _Tally] = field(default_factory=dict)
    cuts_others: bool = False
    """An older state that a later delivery may have confirmed was cut short."""

    @property
    def provider_key(self) -> int:
        return self.dimensions.codes(dim_provider).get(self.delivery.provider, UNKNOWN)

    @property
    def moment(self) -> int:
        """Export time in microseconds."""
        return _microseconds(self.delivery.exported_at)

    def exported_on(self, rows: pa.Table) -> pa.Array:
        return pa.repeat(pa.scalar(self.delivery.exported_at.astimezone(LOCAL).date(), pa.date32()), rows.num_rows)

    def prefix(self) -> str:
        return self.delivery.provider if self.contract.feed in BY_PROVIDER else self.contract.feed


@dataclass(frozen=True)
class _Found:
    """A row rule of the loader: which rows broke it, and for which bill they wait."""

    check: str
    rows: Mask
    awaited: pa.Array | None = None


Build = Callable[[_Load, pa.Table], tuple[dict[str, Any], list[_Found]]]

BY_PROVIDER = {"bills", "payments", "signatures", "signature_holders"}
"""Feeds whose natural key holds only within one provider."""

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
        work = _Load(connection, delivery, contract, Dimensions(connection, delivery.delivery_id))
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
            for _, places in _bills(connection, hashes)[1]:
                arrived |= places >= 0
            found |= set(waiting["delivery_id"].to_numpy()[arrived].tolist())
    return sorted(found)


# Facts -----------------------------------------------------------------------------------------------------------------


def _load_facts(work: _Load, checked: Iterable[Checked]) -> Outcome:
    table, natural, build = FACTS[work.contract.feed]
    replaces = work.contract.mode == "replace"
    _temporary(work.connection, "incoming", "row_key bigint")
    _temporary(work.connection, "delivered", "row_key bigint")
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
        work.received += part.received
        work.ignored += part.ignored
        _tally(work, part.results)
        _set_aside(work, part.faults, len(pc.unique(part.faults["row_number"])))
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
    work: _Load, table: Table, natural: tuple[str, ...], build: Build, rows: pa.Table, until: int, *, empty: bool, remember: bool
) -> None:
    if not rows.num_rows:
        return
    if table is fact_dossier:
        rows = _by_name(work, rows)
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
        _ensure_partitions(work.connection, facts["business_date"])
    if empty:
        work.loaded += facts.num_rows
        _append(work, table, facts, None)
        return
    keys = facts["row_key"].to_numpy()
    states = _states(work.connection, table, natural, keys, remember=remember)
    plan = _weigh(keys, facts["row_hash"].to_numpy(), work.moment, until, states, upsert=work.contract.mode == "upsert")
    _compare_natural_keys(table, natural, facts, states, plan.known)
    confirmed = plan.same & (states["delivery_id"].to_numpy()[plan.known] == work.delivery.delivery_id) if states.num_rows else plan.same
    work.loaded += int((~plan.same | confirmed).sum())
    work.unchanged += int((plan.same & ~confirmed).sum())
    work.cuts_others |= plan.cuts
    _apply(work, table, facts, states, plan)


def _last_of_each(work: _Load, facts: pa.Table) -> pa.Table:
    """The validator lets one row of each key through; should a contract not ask for that, the last one speaks."""
    keys = facts["row_key"].to_numpy()
    last = np.append(keys[1:] != keys[:-1], True) if len(keys) else np.zeros(0, dtype=bool)
    work.ignored += int((~last).sum())
    return facts if last.all() else facts.filter(pa.array(last))


def _append(work: _Load, table: Table, facts: pa.Table, until: Moments | None) -> None:
    count = facts.num_rows
    if not count:
        return
    added = facts.append_column("delivery_id", pa.repeat(pa.scalar(work.delivery.delivery_id, pa.int32()), count))
    added = added.append_column("known_from", pa.repeat(pa.scalar(work.delivery.exported_at, pa.timestamp("us", "UTC")), count))
    if until is not None and (until != FOREVER).any():
        added = added.append_column("known_to", _timestamps(until))
    copy_in(work.connection, table, added)


def _states(connection: Connection, table: Table, natural: tuple[str, ...], keys: Moments, *, remember: bool) -> pa.Table:
    """The states known of the given keys, in order of key and time."""
    connection.execute(text("TRUNCATE pg_temp.incoming"))
    _copy_keys(connection, "incoming", keys)
    if remember:
        connection.execute(text("INSERT INTO pg_temp.delivered SELECT row_key FROM pg_temp.incoming"))
    connection.execute(text("ANALYZE pg_temp.incoming"))
    names = ", ".join(f"coalesce(f.{name}::text, '') AS {name}" for name in natural)
    chosen = (
        "SELECT f.row_key, f.row_hash, (extract(epoch FROM f.known_from) * 1000000)::bigint AS known_from, "
        f"CASE WHEN f.known_to = 'infinity' THEN {FOREVER} ELSE (extract(epoch FROM f.known_to) * 1000000)::bigint END AS known_to, "
        f"f.delivery_id, f.row_number, {names} FROM {table.fullname} AS f JOIN pg_temp.incoming USING (row_key) WHERE f.known_to"
    )
    # Two halves, since nearly all states are current and those have an index of their own.
    query = f"{chosen} = 'infinity' UNION ALL {chosen} <> 'infinity'"
    numbers = ("row_key", "row_hash", "known_from", "known_to", "delivery_id", "row_number")
    states = copy_out_blocks(connection, query, numbers, natural)
    return states.take(pa.array(np.lexsort((states["known_from"].to_numpy(), states["row_key"].to_numpy()))))


@dataclass(frozen=True)
class _Plan:
    """What the rows of a chunk do to the states known so far; positions are into the states."""

    known: npt.NDArray[np.int64]
    """For each row, any state of its key; -1 where none is known."""
    same: Mask
    """Rows that say what is known already."""
    added: Mask
    """Rows that become a state of their own."""
    until: Moments
    """End of those states."""
    cuts: bool
    ends: tuple[npt.NDArray[np.int64], Moments]
    """States and their new end."""
    begins: tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]
    """States that begin earlier now, and the rows that say so."""
    gone: npt.NDArray[np.int64]
    """States that another one took the place of."""
    tails: tuple[npt.NDArray[np.int64], Moments]
    """States that go on after the window, and from when."""


def _weigh(keys: Moments, hashes: Moments, moment: int, until: int, states: pa.Table, *, upsert: bool) -> _Plan:
    """Writes each row over its key's history from `moment` to `until` (upsert: to the next state) and says what changes.

    States that follow each other without a gap and say the same are one run: they differ only in how a
    dimension was resolved at the time, which is no word of the supplier's.
    """
    count = len(keys)
    if not states.num_rows:
        nothing = np.zeros(0, dtype=np.int64)
        none = np.full(count, -1, dtype=np.int64)
        ones = np.ones(count, dtype=bool)
        return _Plan(none, ~ones, ones, np.full(count, until), False, (nothing, nothing), (nothing, nothing), nothing, (nothing, nothing))
    key, value, begin, end = (states[name].to_numpy() for name in ("row_key", "row_hash", "known_from", "known_to"))
    goes_on = np.append(False, (key[1:] == key[:-1]) & (value[1:] == value[:-1]) & (begin[1:] == end[:-1]))
    run = np.cumsum(~goes_on) - 1
    first = np.flatnonzero(~goes_on)
    last = np.append(first[1:] - 1, len(key) - 1)
    run_key, run_begin, run_end, run_value = key[first], begin[first], end[last], value[first]

    any_state = np.searchsorted(key, keys)
    any_state = np.where((any_state < len(key)) & (key[np.minimum(any_state, len(key) - 1)] == keys), any_state, -1)
    before = _match(
        run_key,
        np.flatnonzero((run_begin <= moment) & (np.append(run_key[1:] != run_key[:-1], True) | np.append(run_begin[1:] > moment, True))),
        keys,
    )
    after = _match(
        run_key,
        np.flatnonzero((run_begin > moment) & (np.append(True, run_key[1:] != run_key[:-1]) | np.append(True, run_begin[:-1] <= moment))),
        keys,
    )
    window = np.where(after >= 0, np.minimum(run_begin[after], until), until)

    covers = (before >= 0) & (run_end[before] > moment)
    # A state that ended at this very moment and says the same goes on.
    equal = (before >= 0) & (run_end[before] >= moment) & (run_value[before] == hashes)
    same = equal & (run_end[before] >= window)
    longer = equal & ~same
    other = covers & ~equal
    # What comes right after and says the same is the same state: it begins here.
    joins = ~equal & (after >= 0) & (run_value[after] == hashes) & (window == run_begin[after])

    covering = other & (run_end[before] > window)
    tail_state, tail_from = last[before[covering]], window[covering]
    # A run that is cut loses all its states but the one that holds at the moment.
    cut_runs = np.zeros(len(first), dtype=bool)
    cut_runs[before[other]] = True
    in_cut = cut_runs[run]
    gone = np.flatnonzero(in_cut & (begin >= moment))
    cut = np.flatnonzero(in_cut & (begin < moment) & (end > moment))
    return _Plan(
        known=any_state,
        same=same,
        added=~equal & ~joins,
        until=window,
        cuts=bool(upsert and other.any()),
        ends=(np.concatenate([cut, last[before[longer]]]), np.concatenate([np.full(len(cut), moment), window[longer]])),
        begins=(first[after[joins]], np.flatnonzero(joins)),
        gone=gone,
        tails=(tail_state, tail_from),
    )


def _match(run_key: Moments, chosen: npt.NDArray[np.int64], keys: Moments) -> npt.NDArray[np.int64]:
    """For each key the chosen run of that key, or -1."""
    if not len(chosen):
        return np.full(len(keys), -1, dtype=np.int64)
    place = np.minimum(np.searchsorted(run_key[chosen], keys), len(chosen) - 1)
    return np.where(run_key[chosen][place] == keys, chosen[place], -1)


def _apply(work: _Load, table: Table, facts: pa.Table, states: pa.Table, plan: _Plan) -> None:
    connection, names = work.connection, [column.name for column in table.columns]
    tail_state, tail_from = plan.tails
    if len(tail_state):
        # Copied before their states are cut, written after: one state of a key is current at any moment.
        _changes(connection, "tails", states, tail_state, {"new_from": _timestamps(tail_from)})
        others = ", ".join("t.new_from AS known_from" if name == "known_from" else f"f.{name}" for name in names)
        connection.execute(
            text(
                f"CREATE TEMP TABLE rest ON COMMIT DROP AS SELECT {others} FROM {table.fullname} AS f "
                "JOIN pg_temp.tails AS t ON t.row_key = f.row_key AND t.known_from = f.known_from"
            )
        )
    if len(plan.gone):
        _changes(connection, "gone", states, plan.gone, {})
        connection.execute(
            text(f"DELETE FROM {table.fullname} AS f USING pg_temp.gone AS g WHERE f.row_key = g.row_key AND f.known_from = g.known_from")
        )
        connection.execute(text("DROP TABLE pg_temp.gone"))
    ended, new_end = plan.ends
    if len(ended):
        _changes(connection, "ended", states, ended, {"new_to": _timestamps(new_end)})
        connection.execute(
            text(
                f"UPDATE {table.fullname} AS f SET known_to = e.new_to FROM pg_temp.ended AS e "
                "WHERE f.row_key = e.row_key AND f.known_from = e.known_from"
            )
        )
        connection.execute(text("DROP TABLE pg_temp.ended"))
    begun, by_row = plan.begins
    if len(begun):
        _changes(connection, "begun", states, begun, {"row_number": facts["row_number"].take(pa.array(by_row))})
        connection.execute(
            text(
                f"UPDATE {table.fullname} AS f SET known_from = :moment, delivery_id = :delivery_id, row_number = b.row_number "
                "FROM pg_temp.begun AS b WHERE f.row_key = b.row_key AND f.known_from = b.known_from"
            ),
            {"moment": work.delivery.exported_at, "delivery_id": work.delivery.delivery_id},
        )
        connection.execute(text("DROP TABLE pg_temp.begun"))
    if len(tail_state):
        columns = ", ".join(names)
        connection.execute(text(f"INSERT INTO {table.fullname} ({columns}) SELECT {columns} FROM pg_temp.rest"))
        connection.execute(text("DROP TABLE pg_temp.tails, pg_temp.rest"))
    if plan.added.all():
        _append(work, table, facts, plan.until)
    elif plan.added.any():
        _append(work, table, facts.filter(pa.array(plan.added)), plan.until[plan.added])


def _changes(connection: Connection, name: str, states: pa.Table, chosen: npt.NDArray[np.int64], extra: dict[str, Any]) -> None:
    """A temporary table that names states by key and begin, with what is to become of them."""
    kinds = {"new_from": "timestamptz", "new_to": "timestamptz", "row_number": "integer"}
    _temporary(
        connection, name, ", ".join(["row_key bigint", "known_from timestamptz", *(f"{column} {kinds[column]}" for column in extra)])
    )
    picked = states.take(pa.array(chosen))
    _copy_temporary(
        connection, name, pa.table({"row_key": picked["row_key"], "known_from": _timestamps(picked["known_from"].to_numpy()), **extra})
    )
    connection.execute(text(f"ANALYZE pg_temp.{name}"))


def _compare_natural_keys(table: Table, natural: tuple[str, ...], facts: pa.Table, states: pa.Table, known: npt.NDArray[np.int64]) -> None:
    rows = np.flatnonzero(known >= 0)
    for name in natural:
        here = pc.fill_null(facts[name].cast(pa.string()), "").take(pa.array(rows))
        there = states[name].take(pa.array(known[rows]))
        if table.c[name].type.__class__.__name__ == "Uuid":
            there = pc.replace_substring(there, "-", "")
        if not pc.all(pc.equal(here, there)).as_py() and len(rows):
            raise RuntimeError(f"{table.name}: two different {name} have the same 64-bit key; nothing was loaded")


# Replace: what a correction leaves out is closed -----------------------------------------------------------------------


def _has_siblings(work: _Load) -> bool:
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


def _newer(work: _Load, period: str | None = None, *, any_period: bool = True) -> datetime | None:
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


def _until(work: _Load, period: str | None) -> int:
    newer = _newer(work, period, any_period=False)
    return FOREVER if newer is None else _microseconds(newer)


def _close_absent(work: _Load, table: Table, period: str | None, until: int) -> int | None:
    """Ends, within the window, the states of deliveries of the same source and period that are not in this one; returns the one it corrects."""
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
        values = {"ids": older_ids, "moment": delivery.exported_at, "until": None if until == FOREVER else _datetime(until)}
        absent = (
            f"FROM {table.fullname} AS f WHERE f.delivery_id = ANY(:ids) AND f.known_to > :moment "
            "AND f.known_from < coalesce(CAST(:until AS timestamptz), 'infinity') "
            "AND NOT EXISTS (SELECT FROM pg_temp.delivered AS d WHERE d.row_key = f.row_key)"
        )
        connection.execute(text("ANALYZE pg_temp.delivered"))
        connection.execute(text(f"CREATE TEMP TABLE absent ON COMMIT DROP AS SELECT f.* {absent}"), values)
        connection.execute(
            text(
                f"UPDATE {table.fullname} AS f SET known_to = :moment FROM pg_temp.absent AS a "
                "WHERE f.row_key = a.row_key AND f.known_from = a.known_from AND a.known_from < :moment"
            ),
            values,
        )
        if until != FOREVER:
            names = [column.name for column in table.columns]
            shown = ", ".join("CAST(:until AS timestamptz)" if name == "known_from" else name for name in names)
            connection.execute(
                text(f"INSERT INTO {table.fullname} ({', '.join(names)}) SELECT {shown} FROM pg_temp.absent WHERE known_to > :until"),
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

    def __init__(self, work: _Load) -> None:
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


# Rules that need the warehouse, quarantine, the delivery's end ---------------------------------------------------------


def _judge(work: _Load, rows: pa.Table, found: list[_Found]) -> Mask:
    """Counts what broke the rules that need the warehouse and sets aside what may not be loaded; True for rows to load."""
    keep = np.ones(rows.num_rows, dtype=bool)
    for item in found:
        for rule in work.contract.rules:
            if rule.check != item.check:
                continue
            broken = item.rows & keep
            tally = work.tallies.setdefault(rule.code, _Tally(rule.severity, rule.scope))
            tally.unexpected += int(broken.sum())
            tally.success = tally.unexpected == 0
            if rule.severity == "critical" and broken.any():
                keep &= ~broken
                _set_aside(work, _faults(work, rows, broken, rule.code, rule.columns, item.awaited), int(broken.sum()))
    return keep


def _faults(work: _Load, rows: pa.Table, broken: Mask, rule_code: str, columns: list[str], awaited: pa.Array | None) -> pa.Table:
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


def _set_aside(work: _Load, faults: pa.Table, rows: int) -> None:
    """Writes faults into quarantine, each with the words of its rule; a steward's dismissal stays, a release that did not help opens again."""
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
    _temporary(work.connection, "faults", "LIKE ops.quarantine")
    _copy_temporary(
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
            "INSERT INTO ops.quarantine SELECT * FROM pg_temp.faults ON CONFLICT (delivery_id, row_number, rule_code, column_name) DO UPDATE "
            "SET status = excluded.status, awaited_key = excluded.awaited_key, message_vi = excluded.message_vi WHERE quarantine.status = 'released'"
        )
    )
    work.connection.execute(text("DROP TABLE pg_temp.faults"))


def _tally(work: _Load, results: Iterable[Any]) -> None:
    for result in results:
        tally = work.tallies.setdefault(result.rule_code, _Tally(result.severity, result.scope))
        tally.success &= result.success
        tally.observed = result.observed if result.observed is not None else tally.observed
        tally.unexpected += result.unexpected_count or 0


def _close(work: _Load, period: str | None, status: str, supersedes: int | None) -> Outcome:
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


# Dimensions that arrive as feeds ---------------------------------------------------------------------------------------


def _load_members(work: _Load, checked: Iterable[Checked]) -> Outcome:
    parts: list[pa.Table] = []
    for part in checked:
        work.received += part.received
        work.ignored += part.ignored
        _tally(work, part.results)
        _set_aside(work, part.faults, len(pc.unique(part.faults["row_number"])))
        parts.append(part.table)
    rows = pa.concat_tables(parts) if parts else work.contract.schema.empty_table()
    if "unit_code" in rows.column_names:
        known = np.isin(rows["unit_code"].to_numpy(zero_copy_only=False), work.dimensions.units.members["code"].to_numpy())
        rows = rows.filter(pa.array(_judge(work, rows, [_Found("unit_known", ~known)])))
    if _newer(work) is not None:
        # A list exported before the one in force has nothing to say any more.
        work.ignored += rows.num_rows
        return _close(work, None, "superseded", None)
    changed = load_members(work.connection, work.delivery, work.contract.feed, rows)
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


# One function a feed: typed rows → columns of its fact -----------------------------------------------------------------


def _by_name(work: _Load, rows: pa.Table) -> pa.Table:
    """Dossiers with the codes that their layout writes as names, so that every layout tells the same state."""
    for table, code, name in ((dim_agency, "agency_code", "agency_name"), (dim_procedure, "procedure_code", "procedure_name")):
        codes = work.dimensions.coded(table, rows[code], rows[name], _received_on(work, rows))
        rows = rows.set_column(rows.column_names.index(code), code, codes)
    return rows


def _received_on(work: _Load, rows: pa.Table) -> pa.Array:
    return first_of(days_of(rows["received_at"]), days_of(rows["submitted_at"]), work.exported_on(rows))


def _dossiers(work: _Load, rows: pa.Table) -> tuple[dict[str, Any], list[_Found]]:
    dims = work.dimensions
    received = _received_on(work, rows)
    agency, unit = dims.agencies(rows["agency_code"], rows["agency_name"], received)
    procedure = dims.procedures(rows["procedure_code"], rows["procedure_name"], rows["sector_code"], rows["sector_name"], received)
    kept = [
        "dossier_code", "service_level", "applicant_type", "applicant_hash", "submitted_at", "received_at", "due_at", "finished_at", "returned_at",
        "refused_at", "supplement_count", "supplement_requested_at", "is_digitised", "reuse_code", "has_electronic_result", "is_vneid_verified",
        "online_payment_code", "fee_vnd", "updated_at", "deleted_at",
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
        _Found("agency_known", (unit == UNKNOWN) & ~agency_unnamed),
        _Found("agency_named", agency_unnamed),
        _Found("procedure_known", given & ~(listed & (procedure != UNKNOWN))),
        _Found("procedure_named", procedure_unnamed),
    ]


def _only_named(rows: pa.Table, thing: str) -> Mask:
    """Rows that name an agency or procedure and have no code, not even after it was looked for by that name."""
    only: Mask = pc.and_(rows[f"{thing}_code"].is_null(), rows[f"{thing}_name"].is_valid()).combine_chunks().to_numpy(zero_copy_only=False)
    return only


def _bills_of(work: _Load, rows: pa.Table) -> tuple[dict[str, Any], list[_Found]]:
    unit = work.dimensions.unit(rows["unit_code"], first_of(rows["issued_on"], rows["billing_month"]))
    columns = {
        **{name: rows[name] for name in ("bill_code", "customer_hash", "billing_month", "issued_on", "amount_vnd")},
        "provider_key": _constant(work.provider_key, rows),
        "service_key": work.dimensions.listed(dim_service, rows["service_code"]),
        "unit_key": unit,
    }
    return columns, [_Found("unit_known", unit == UNKNOWN)]


def _payments(work: _Load, rows: pa.Table) -> tuple[dict[str, Any], list[_Found]]:
    dims, count = work.dimensions, rows.num_rows
    unit, service = np.zeros(count, dtype=np.int32), dims.listed(dim_service, rows["service_code"]).to_numpy().copy()
    merchant = np.zeros(count, dtype=np.int32)
    bill_key = np.zeros(count, dtype=np.int64)
    found: list[_Found] = []

    has_bill = rows["bill_code"].combine_chunks().is_valid().to_numpy(zero_copy_only=False)
    if has_bill.any():
        hashes = code_hash([rows["bill_code"]])
        bills, by_provider = _bills(work.connection, hashes.filter(pa.array(has_bill)))
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
        found = [_Found("bill_known", has_bill & (hits == 0), hashes), _Found("bill_known", hits > 1)]

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


def _signatures(work: _Load, rows: pa.Table) -> tuple[dict[str, Any], list[_Found]]:
    unit = work.dimensions.unit(rows["unit_code"], _month_end(rows["month"]), rows["month"])
    columns = {
        **{name: rows[name] for name in ("certificates_issued", "certificates_in_force", "holders_cumulative")},
        "month": pc.strftime(rows["month"], "%Y-%m"),
        "provider_key": _constant(work.provider_key, rows),
        "unit_key": unit,
    }
    return columns, [_Found("unit_known", unit == UNKNOWN)]


def _signature_holders(work: _Load, rows: pa.Table) -> tuple[dict[str, Any], list[_Found]]:
    # The carrier writes the unit as it is called on the day of the export, however old the certificate.
    unit = work.dimensions.unit(rows["unit_code"], work.exported_on(rows), rows["issued_on"])
    columns = {name: rows[name] for name in ("holder_hash", "issued_on", "certificate_status")}
    return {**columns, "provider_key": _constant(work.provider_key, rows), "unit_key": unit}, [_Found("unit_known", unit == UNKNOWN)]


def _unit_counts(work: _Load, rows: pa.Table) -> tuple[dict[str, Any], list[_Found]]:
    unit = work.dimensions.unit(rows["unit_code"], *_ends_of_periods(rows["period"]))
    return {**{name: rows[name] for name in ("period", "measure", "value")}, "unit_key": unit}, [_Found("unit_known", unit == UNKNOWN)]


def _surveys(work: _Load, rows: pa.Table) -> tuple[dict[str, Any], list[_Found]]:
    unit = work.dimensions.unit(rows["unit_code"], rows["asked_on"])
    kept = ("survey_code", "wave", "question_code", "asked_on", "respondents", "positive_answers")
    return {**{name: rows[name] for name in kept}, "unit_key": unit}, [_Found("unit_known", unit == UNKNOWN)]


def _published_figures(work: _Load, rows: pa.Table) -> tuple[dict[str, Any], list[_Found]]:
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
    return columns, [_Found("unit_known", unit == UNKNOWN)]


def _portal_766(work: _Load, rows: pa.Table) -> tuple[dict[str, Any], list[_Found]]:
    kept = ("period", "group_code", "component_code", "numerator", "denominator", "ratio", "score", "max_score", "quality_status")
    departments = work.dimensions.departments(
        rows["department_id"], rows["department_code"], rows["department_name"], rows["department_level"]
    )
    return {**{name: rows[name] for name in kept}, "department_key": departments}, []


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


def _bills(connection: Connection, hashes: pa.Int64Array) -> tuple[pa.Table, list[tuple[str, npt.NDArray[np.int64]]]]:
    """Current bills of any provider with the given hashes of their numbers, and by provider the place of each hash among them (-1: none)."""
    providers = connection.scalars(
        select(deliveries.c.provider).where(deliveries.c.feed == "bills").distinct().order_by(deliveries.c.provider)
    ).all()
    candidates = [(provider, scoped(provider, hashes).to_numpy()) for provider in providers]
    _temporary(connection, "candidates", "row_key bigint")
    for _, keys in candidates:
        _copy_keys(connection, "candidates", keys)
    connection.execute(text("ANALYZE pg_temp.candidates"))
    bills = copy_out_blocks(
        connection,
        "SELECT f.row_key, f.unit_key, f.service_key, f.bill_code FROM warehouse.fact_bill AS f "
        "JOIN (SELECT DISTINCT row_key FROM pg_temp.candidates) AS c USING (row_key) WHERE f.known_to = 'infinity'",
        ("row_key", "unit_key", "service_key"),
        ("bill_code",),
    )
    connection.execute(text("DROP TABLE pg_temp.candidates"))
    index = pd.Index(bills["row_key"].to_numpy())
    return bills, [(provider, index.get_indexer(keys)) for provider, keys in candidates]


def _units_of_dossiers(connection: Connection, keys: Moments) -> npt.NDArray[np.int64]:
    _temporary(connection, "candidates", "row_key bigint")
    _copy_keys(connection, "candidates", keys)
    connection.execute(text("ANALYZE pg_temp.candidates"))
    known = copy_out_blocks(
        connection,
        "SELECT f.row_key, f.unit_key FROM warehouse.fact_dossier AS f "
        "JOIN (SELECT DISTINCT row_key FROM pg_temp.candidates) AS c USING (row_key) WHERE f.known_to = 'infinity'",
        ("row_key", "unit_key"),
    )
    connection.execute(text("DROP TABLE pg_temp.candidates"))
    units: npt.NDArray[np.int64] = np.append(known["unit_key"].to_numpy(), UNKNOWN)
    found: npt.NDArray[np.int64] = units[pd.Index(known["row_key"].to_numpy()).get_indexer(keys)]
    return found


def _ensure_partitions(connection: Connection, days: pa.ChunkedArray) -> None:
    for month in pc.unique(pc.floor_temporal(days, unit="month")).to_pylist():
        connection.execute(text("SELECT warehouse.ensure_payment_partition(:month)"), {"month": month})


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


# COPY helpers ----------------------------------------------------------------------------------------------------------


def _constant(value: int, rows: pa.Table) -> pa.Array:
    return pa.repeat(pa.scalar(value, pa.int16()), rows.num_rows)


def _temporary(connection: Connection, name: str, columns: str) -> None:
    connection.execute(text(f"CREATE TEMP TABLE {name} ({columns}) ON COMMIT DROP"))


def _copy_temporary(connection: Connection, name: str, rows: pa.Table) -> None:
    copy_in(connection, Table(name, MetaData(), schema="pg_temp"), rows)


def _copy_keys(connection: Connection, name: str, keys: Moments) -> None:
    """Keys into a temporary table by binary COPY: no text is made of a number and none is read."""
    rows = np.empty(len(keys), dtype=[("fields", ">i2"), ("length", ">i4"), ("value", ">i8")])
    rows["fields"], rows["length"], rows["value"] = 1, 8, keys
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(f"COPY pg_temp.{name} FROM STDIN (FORMAT binary)") as copy:
        copy.write(b"PGCOPY\n\xff\r\n\0" + bytes(8))
        copy.write(rows.tobytes())
        copy.write(b"\xff\xff")


def _timestamps(moments: Moments) -> pa.Array:
    """Microseconds as the text PostgreSQL reads, with its `infinity`."""
    finite = pa.array(np.where(moments == FOREVER, 0, moments), pa.timestamp("us", "UTC")).cast(pa.string())
    return pc.if_else(pa.array(moments == FOREVER), "infinity", finite)


def _microseconds(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def _datetime(microseconds: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)
