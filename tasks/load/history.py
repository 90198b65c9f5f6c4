"""The history of facts: every state of a thing, valid from the export that told it until the next word about it.

Deliveries may come in any order and may be loaded again: what is kept depends on what was exported when, not on
when it arrived. A row is therefore written over a window of its thing's history, from the export of its delivery
to the next word about the thing, and neighbours that say the same are one state. All of it is decided in vectors;
the database is asked once for the states known and told once what becomes of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Connection, MetaData, Table, text

from tasks.deliveries.ledger import Delivery
from warehouse.bulk import copy_in, copy_out_blocks

Mask = npt.NDArray[np.bool_]
Moments = npt.NDArray[np.int64]

FOREVER = np.iinfo(np.int64).max
"""`infinity` of PostgreSQL, in microseconds since 1970."""


def append(connection: Connection, delivery: Delivery, table: Table, facts: pa.Table, until: Moments | None) -> None:
    """Adds rows as new states of the delivery, each until the given moment or for ever."""
    count = facts.num_rows
    if not count:
        return
    added = facts.append_column("delivery_id", pa.repeat(pa.scalar(delivery.delivery_id, pa.int32()), count))
    added = added.append_column("known_from", pa.repeat(pa.scalar(delivery.exported_at, pa.timestamp("us", "UTC")), count))
    if until is not None and (until != FOREVER).any():
        added = added.append_column("known_to", timestamps(until))
    copy_in(connection, table, added)


def states_of(connection: Connection, table: Table, natural: tuple[str, ...], keys: Moments, *, remember: bool) -> pa.Table:
    """The states known of the given keys, in order of key and time."""
    connection.execute(text("TRUNCATE pg_temp.incoming"))
    copy_keys(connection, "incoming", keys)
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
class Plan:
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


def weigh(keys: Moments, hashes: Moments, moment: int, until: int, states: pa.Table, *, upsert: bool) -> Plan:
    """Writes each row over its key's history from `moment` to `until` (upsert: to the next state) and says what changes.

    States that follow each other without a gap and say the same are one run: they differ only in how a
    dimension was resolved at the time, which is no word of the supplier's.
    """
    count = len(keys)
    if not states.num_rows:
        nothing = np.zeros(0, dtype=np.int64)
        none = np.full(count, -1, dtype=np.int64)
        ones = np.ones(count, dtype=bool)
        return Plan(none, ~ones, ones, np.full(count, until), False, (nothing, nothing), (nothing, nothing), nothing, (nothing, nothing))
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
    return Plan(
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


def apply(connection: Connection, delivery: Delivery, table: Table, facts: pa.Table, states: pa.Table, plan: Plan) -> None:
    """Writes a plan down: states end, begin earlier, go on after the window or give way, and new ones are added."""
    names = [column.name for column in table.columns]
    tail_state, tail_from = plan.tails
    if len(tail_state):
        # Copied before their states are cut, written after: one state of a key is current at any moment.
        _changes(connection, "tails", states, tail_state, {"new_from": timestamps(tail_from)})
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
        _changes(connection, "ended", states, ended, {"new_to": timestamps(new_end)})
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
            {"moment": delivery.exported_at, "delivery_id": delivery.delivery_id},
        )
        connection.execute(text("DROP TABLE pg_temp.begun"))
    if len(tail_state):
        columns = ", ".join(names)
        connection.execute(text(f"INSERT INTO {table.fullname} ({columns}) SELECT {columns} FROM pg_temp.rest"))
        connection.execute(text("DROP TABLE pg_temp.tails, pg_temp.rest"))
    if plan.added.all():
        append(connection, delivery, table, facts, plan.until)
    elif plan.added.any():
        append(connection, delivery, table, facts.filter(pa.array(plan.added)), plan.until[plan.added])


def _changes(connection: Connection, name: str, states: pa.Table, chosen: npt.NDArray[np.int64], extra: dict[str, Any]) -> None:
    """A temporary table that names states by key and begin, with what is to become of them."""
    kinds = {"new_from": "timestamptz", "new_to": "timestamptz", "row_number": "integer"}
    temporary(connection, name, ", ".join(["row_key bigint", "known_from timestamptz", *(f"{column} {kinds[column]}" for column in extra)]))
    picked = states.take(pa.array(chosen))
    copy_temporary(
        connection, name, pa.table({"row_key": picked["row_key"], "known_from": timestamps(picked["known_from"].to_numpy()), **extra})
    )
    connection.execute(text(f"ANALYZE pg_temp.{name}"))


def compare_natural_keys(table: Table, natural: tuple[str, ...], facts: pa.Table, states: pa.Table, known: npt.NDArray[np.int64]) -> None:
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


def copy_keys(connection: Connection, name: str, keys: Moments) -> None:
    """Keys into a temporary table by binary COPY: no text is made of a number and none is read."""
    rows = np.empty(len(keys), dtype=[("fields", ">i2"), ("length", ">i4"), ("value", ">i8")])
    rows["fields"], rows["length"], rows["value"] = 1, 8, keys
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(f"COPY pg_temp.{name} FROM STDIN (FORMAT binary)") as copy:
        copy.write(b"PGCOPY\n\xff\r\n\0" + bytes(8))
        copy.write(rows.tobytes())
        copy.write(b"\xff\xff")


def timestamps(moments: Moments) -> pa.Array:
    """Microseconds as the text PostgreSQL reads, with its `infinity`."""
    finite = pa.array(np.where(moments == FOREVER, 0, moments), pa.timestamp("us", "UTC")).cast(pa.string())
    return pc.if_else(pa.array(moments == FOREVER), "infinity", finite)


def microseconds(moment: datetime) -> int:
    """Moment in microseconds since 1970."""
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def moment_of(microseconds: int) -> datetime:
    """The moment of so many microseconds since 1970."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)
