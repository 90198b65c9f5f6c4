"""The history of facts: every state of a thing, valid from the export that told it until the next word about it.

Deliveries may come in any order and may be loaded again: what is kept depends on what was exported when, not on
when it arrived. A row is therefore written over a window of its thing's history, from the export of its delivery
to the next word about the thing. A state is written by one load and ended by another, and nothing else of it is ever
changed: one that another takes the place of ends where it begins, and what goes on after a window is written anew.
All of it is decided in vectors; the database is asked once for the states known and told once what becomes of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Connection, MetaData, Table, text

from warehouse.bulk import FOREVER, copy_in, copy_out_blocks

if TYPE_CHECKING:
    from tasks.load.work import Load

Mask = npt.NDArray[np.bool_]
Microseconds = npt.NDArray[np.int64]


def append(work: Load, facts: pa.Table, since: Microseconds, until: Microseconds) -> None:
    """Adds rows as new states of the delivery, each from and until its moment."""
    count = facts.num_rows
    if not count:
        return
    added = facts.append_column("delivery_id", pa.repeat(pa.scalar(work.delivery.delivery_id, pa.int32()), count))
    added = added.append_column("known_from", pa.array(since))
    added = added.append_column("loaded_by", pa.repeat(pa.scalar(work.load_id, pa.int32()), count))
    if (until != FOREVER).any():
        added = added.append_column("known_to", pa.array(until))
        added = added.append_column("ended_by", pa.array(np.full(count, work.load_id, dtype=np.int32), mask=until == FOREVER))
    work.partitions.copy(added)


def states_of(connection: Connection, table: Table, natural: Sequence[str], keys: Microseconds) -> pa.Table:
    """The states known of the given keys, in order of key and time."""
    connection.execute(text("TRUNCATE pg_temp.incoming"))
    copy_keys(connection, "incoming", keys)
    connection.execute(text("ANALYZE pg_temp.incoming"))
    names = ", ".join(f"coalesce(f.{name}::text, '') AS {name}" for name in natural)
    told = (
        "SELECT f.row_key, f.row_hash, (extract(epoch FROM f.known_from) * 1000000)::bigint AS known_from, "
        f"CASE WHEN f.known_to = 'infinity' THEN {FOREVER} ELSE (extract(epoch FROM f.known_to) * 1000000)::bigint END AS known_to, "
        f"f.delivery_id, f.row_number, (extract(epoch FROM d.exported_at) * 1000000)::bigint AS said_at, {names} "
        "FROM {states} JOIN ops.delivery AS d ON d.delivery_id = f.delivery_id"
    )
    # Nearly all states are current, and those have an index by key; of the others there are few.
    is_ended = "f.known_to > f.known_from AND f.ended_by IS NOT NULL"
    ended = f"pg_temp.incoming AS k JOIN {table.fullname} AS f ON f.row_key = k.row_key AND {is_ended}"
    current = current_of(table.fullname, "pg_temp.incoming")
    states = pa.concat_tables(copy_out_blocks(connection, told.format(states=of), _NUMBERS, natural) for of in (current, ended))
    return states.take(pa.array(np.lexsort((states["known_from"].to_numpy(), states["row_key"].to_numpy()))))


def current_of(table: str, keys: str) -> str:
    """The current states f of the keys of a relation, as a FROM in SQL: each key is looked up by the index.

    Keys that come in order find their rows faster than a scan, whatever is stored beside them, and whatever the planner was told.
    """
    return f"{keys} AS k CROSS JOIN LATERAL (SELECT * FROM {table} WHERE row_key = k.row_key AND known_to = 'infinity' OFFSET 0) AS f"


_NUMBERS = ("row_key", "row_hash", "known_from", "known_to", "delivery_id", "row_number", "said_at")


def no_states(natural: Sequence[str]) -> pa.Table:
    """What `states_of` returns where nothing is known."""
    return pa.table({name: pa.array([], pa.int64() if name in _NUMBERS else pa.string()) for name in (*_NUMBERS, *natural)})


@dataclass(frozen=True)
class Plan:
    """What the rows of a chunk do to the states known so far; positions are into the states."""

    known: npt.NDArray[np.int64]
    """For each row, any state of its key; -1 where none is known."""
    same: Mask
    """Rows that say what is known already."""
    told: npt.NDArray[np.int64]
    """For each row that says what a state says already at the time, if not for as long, that state; -1 for all others."""
    added: Mask
    """Rows that become a state of their own."""
    since: Microseconds
    """Begin of those states: the export, or where what they say stopped holding."""
    until: Microseconds
    """End of those states."""
    cut: Mask
    """Rows that cut another word short."""
    ends: tuple[npt.NDArray[np.int64], Microseconds]
    """States and their new end; where it is their begin, another state takes their place."""
    tails: tuple[npt.NDArray[np.int64], Microseconds]
    """States that go on after the window, and from when."""
    gaps: tuple[npt.NDArray[np.int64], Microseconds, Microseconds]
    """Rows that hold beyond their window, where a later word was withdrawn, from when and until when."""


def overwrite(keys: Microseconds, hashes: Microseconds, moment: int, until: Microseconds, states: pa.Table) -> Plan:
    """Writes each row, in the order of their keys, over its key's history from `moment` to `until` or to the next state.

    States of one delivery that follow each other without a gap are one run: they differ only in how a dimension was resolved at
    the time, which is no word of the supplier's.
    """
    count = len(keys)
    since = np.full(count, moment)
    if not states.num_rows:
        nothing = np.zeros(0, dtype=np.int64)
        none = np.full(count, -1, dtype=np.int64)
        ones = np.ones(count, dtype=bool)
        return Plan(none, ~ones, none, ones, since, until, ~ones, (nothing, nothing), (nothing, nothing), (nothing, nothing, nothing))
    key, value, begin, end = (states[name].to_numpy() for name in ("row_key", "row_hash", "known_from", "known_to"))
    by, said_at = states["delivery_id"].to_numpy(), states["said_at"].to_numpy()
    goes_on = np.append(False, (key[1:] == key[:-1]) & (by[1:] == by[:-1]) & (value[1:] == value[:-1]) & (begin[1:] == end[:-1]))
    run = np.cumsum(~goes_on) - 1
    first = np.flatnonzero(~goes_on)
    last = np.append(first[1:] - 1, len(key) - 1)
    run_key, run_begin, run_end, run_value, run_said = key[first], begin[first], end[last], value[first], said_at[first]

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

    # Beyond the window a row holds where nothing does, and where an older word was put back, until its source speaks again.
    row = np.minimum(np.searchsorted(keys, run_key), count - 1)
    beyond = (keys[row] == run_key) & (run_begin >= window[row]) & (run_begin < until[row]) & (run_said < moment)
    next_begin = np.where(np.append(run_key[1:] == run_key[:-1], False), np.append(run_begin[1:], FOREVER), FOREVER)
    is_gap = (keys[row] == run_key) & (run_end < next_begin) & (run_end >= window[row]) & (run_end < until[row])
    spare = np.concatenate([run_end[is_gap], run_begin[beyond]])
    spare_row = np.concatenate([row[is_gap], row[beyond]])
    spare_end = np.minimum(np.concatenate([next_begin[is_gap], run_end[beyond]]), until[spare_row])

    covering = other & (run_end[before] > window)
    outlasting = beyond & (run_end > until[row])
    tail_state = np.concatenate([last[before[covering]], last[outlasting]])
    tail_from = np.concatenate([window[covering], until[row[outlasting]]])
    # A run that is cut loses all its states but the one that holds at the moment.
    cut_runs = beyond.copy()
    cut_runs[before[other]] = True
    ended = np.flatnonzero(cut_runs[run] & (end > moment))
    cut = other.copy()
    cut[row[beyond]] = True
    return Plan(
        known=any_state,
        same=same,
        told=np.where(equal & covers, last[before], -1),
        added=~same,
        since=np.where(longer, run_end[before], since),
        until=window,
        cut=cut,
        ends=(ended, np.maximum(begin[ended], moment)),
        tails=(tail_state, tail_from),
        gaps=(spare_row, spare, spare_end),
    )


def _match(run_key: Microseconds, chosen: npt.NDArray[np.int64], keys: Microseconds) -> npt.NDArray[np.int64]:
    """For each key the chosen run of that key, or -1."""
    if not len(chosen):
        return np.full(len(keys), -1, dtype=np.int64)
    place = np.minimum(np.searchsorted(run_key[chosen], keys), len(chosen) - 1)
    return np.where(run_key[chosen][place] == keys, chosen[place], -1)


def apply(work: Load, facts: pa.Table, states: pa.Table, plan: Plan) -> None:
    """Writes a plan down: states end, go on after the window as states of their own, and new ones are added."""
    connection, table, load_id = work.connection, work.table, work.load_id
    tail_state, tail_from = plan.tails
    if len(tail_state):
        # Copied before their states are cut, written after: one state of a key is current at any moment.
        _changes(connection, "tails", states, tail_state, {"new_from": pa.array(tail_from)})
        taken = {
            "known_from": "t.new_from",
            "loaded_by": f"{load_id:d}",
            "ended_by": f"CASE WHEN f.ended_by > 0 THEN {load_id:d} END",
        }
        connection.execute(
            text(
                f"CREATE TEMP TABLE rest ON COMMIT DROP AS SELECT {columns_of(table, 'f', taken)} FROM {table.fullname} AS f "
                "JOIN pg_temp.tails AS t ON t.row_key = f.row_key AND t.known_from = f.known_from AND f.known_to > f.known_from"
            )
        )
    ended, new_end = plan.ends
    if len(ended):
        _changes(connection, "ended", states, ended, {"new_to": pa.array(new_end)})
        end_states(connection, table, load_id, "pg_temp.ended", "c.new_to")
        connection.execute(text("DROP TABLE pg_temp.ended"))
    if len(tail_state):
        add_states(connection, table, "pg_temp.rest")
        connection.execute(text("DROP TABLE pg_temp.tails, pg_temp.rest"))
    if plan.added.all():
        append(work, facts, plan.since, plan.until)
    elif plan.added.any():
        append(work, facts.filter(pa.array(plan.added)), plan.since[plan.added], plan.until[plan.added])
    rows, since, until = plan.gaps
    append(work, facts.take(pa.array(rows)), since, until)


def columns_of(table: Table, alias: str, taken: dict[str, str]) -> str:
    """The columns of a fact for a SELECT, those taken from elsewhere by their expression."""
    return ", ".join(f"{taken.get(column.name, f'{alias}.{column.name}')} AS {column.name}" for column in table.columns)


def end_states(connection: Connection, table: Table, load_id: int, chosen: str, moment: str, values: dict[str, Any] | None = None) -> int:
    """Ends the states that a relation names by key and begin at a moment (SQL over its alias c); returns their number.

    A state that had ended before keeps the load that ended it: what was counted once is not taken off twice.
    """
    # Two halves, since nearly all states are current and those have an index of their own.
    return sum(
        connection.execute(
            text(
                f"UPDATE {table.fullname} AS f SET known_to = {moment}, ended_by = coalesce(f.ended_by, {load_id:d}) FROM {chosen} AS c "
                f"WHERE f.row_key = c.row_key AND f.known_from = c.known_from AND f.known_to > {moment} AND f.known_to > f.known_from "
                f"AND {half}"
            ),
            values or {},
        ).rowcount
        for half in ("f.known_to = 'infinity'", "f.ended_by IS NOT NULL")
    )


def renew(connection: Connection, table: Table, load_id: int, moment: datetime, changed: str, attributes: Sequence[str]) -> None:
    """Current states that a relation names by key and begin go on with the attributes it gives: from a moment, or from their begin.

    A state younger than the moment gives way to one that holds from when it did: so it would have been, had both come in order.
    """
    values = {"moment": moment}
    taken = {name: f"c.{name}" for name in attributes}
    taken |= {"known_from": "greatest(f.known_from, CAST(:moment AS timestamptz))", "loaded_by": f"{load_id:d}"}
    connection.execute(
        text(
            f"CREATE TEMP TABLE renewed ON COMMIT DROP AS SELECT {columns_of(table, 'f', taken)} FROM {table.fullname} AS f "
            f"JOIN {changed} AS c ON f.row_key = c.row_key AND f.known_from = c.known_from AND f.known_to = 'infinity'"
        ),
        values,
    )
    end_states(connection, table, load_id, changed, "greatest(c.known_from, CAST(:moment AS timestamptz))", values)
    add_states(connection, table, "pg_temp.renewed")
    connection.execute(text("DROP TABLE pg_temp.renewed"))


def add_states(connection: Connection, table: Table, source: str, values: dict[str, Any] | None = None) -> None:
    """Adds whole states out of a relation that has every column of the fact."""
    columns = ", ".join(column.name for column in table.columns)
    connection.execute(text(f"INSERT INTO {table.fullname} ({columns}) SELECT {columns} FROM {source}"), values or {})


def _changes(connection: Connection, name: str, states: pa.Table, chosen: npt.NDArray[np.int64], extra: dict[str, Any]) -> None:
    """A temporary table that names states by key and begin, with what is to become of them."""
    kinds = {"new_from": "timestamptz", "new_to": "timestamptz"}
    temporary(connection, name, ", ".join(["row_key bigint", "known_from timestamptz", *(f"{column} {kinds[column]}" for column in extra)]))
    picked = states.take(pa.array(chosen))
    copy_temporary(connection, name, pa.table({"row_key": picked["row_key"], "known_from": picked["known_from"], **extra}))
    connection.execute(text(f"ANALYZE pg_temp.{name}"))


def compare_natural_keys(table: Table, natural: Sequence[str], facts: pa.Table, states: pa.Table, known: npt.NDArray[np.int64]) -> None:
    """Stops the load where a 64-bit key stands for two natural keys."""
    rows = np.flatnonzero(known >= 0)
    for name in natural:
        here = pc.fill_null(facts[name].cast(pa.string()), "").take(pa.array(rows))
        there = states[name].take(pa.array(known[rows]))
        if table.c[name].type.__class__.__name__ == "Uuid":
            there = pc.replace_substring(there, "-", "")
        if not pc.all(pc.equal(here, there)).as_py() and len(rows):
            raise RuntimeError(f"{table.name}: two different {name} have the same 64-bit key; nothing was loaded")


def temporary(connection: Connection, name: str, columns: str) -> None:
    """Creates a temporary table that goes with the transaction."""
    connection.execute(text(f"CREATE TEMP TABLE {name} ({columns}) ON COMMIT DROP"))


def copy_temporary(connection: Connection, name: str, rows: pa.Table) -> None:
    """Copies rows into a temporary table."""
    copy_in(connection, Table(name, MetaData(), schema="pg_temp"), rows)


def copy_keys(connection: Connection, name: str, keys: Microseconds) -> None:
    """Copies keys into a temporary table that holds nothing else."""
    copy_temporary(connection, name, pa.table({"row_key": keys}))


def microseconds(moment: datetime) -> int:
    """Moment in microseconds since 1970."""
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
