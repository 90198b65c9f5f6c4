"""What a delivery replaces: what its source said earlier of the same stretch and this delivery does not say again.

A row holds as long as one delivery in force says it. So where another source, or a delivery of another stretch, said the same,
that is noted (ops.confirmation), and when a row is withdrawn the latest word in force of all others takes its place.
"""

from __future__ import annotations

import re
from importlib import resources

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import delete, insert, select, text

from tasks.deliveries.coverage import Stretch, last_day_over
from tasks.load.history import (
    Mask,
    Microseconds,
    Plan,
    add_states,
    columns_of,
    copy_temporary,
    end_states,
    microseconds,
    temporary,
)
from tasks.load.work import Load, mask_of
from tasks.words.vietnamese import number
from warehouse.bulk import FOREVER
from warehouse.tables import confirmation, coverage
from warehouse.tables import delivery as deliveries

TAKEN = "loaded_at IS NOT NULL AND status <> 'rejected'"
"""SQL condition on deliveries whose word counts or counted: one that is to be read again has been heard all the same."""

_KEY_SINCE = "SELECT coalesce(max(used_from), '-infinity') FROM ops.pseudonym_key WHERE key_number > 1"
_WORDS = resources.files(__name__.rpartition(".")[0]).joinpath("words_in_force.sql").read_text("utf-8")


class Covered:
    """The stretches a delivery speaks for, gathered chunk by chunk, and what it does to those who spoke for them before."""

    def __init__(self, work: Load) -> None:
        """Looks up who else spoke for what, before anything of the delivery is read."""
        self._work = work
        self._scopes: set[str] = set()
        self._period: Stretch | None = None
        self._seen: Stretch | None = None
        self._of_other_units = 0
        self._is_replacing = work.contract.replaces != "nothing"
        connection, delivery = work.connection, work.delivery
        connection.execute(delete(confirmation).where(confirmation.c.delivery_id == delivery.delivery_id))
        connection.execute(delete(coverage).where(coverage.c.delivery_id == delivery.delivery_id))
        others = select(deliveries.c.delivery_id).where(
            deliveries.c.feed == delivery.feed, text(TAKEN), deliveries.c.delivery_id != delivery.delivery_id
        )
        self.is_late = connection.scalar(select(others.where(deliveries.c.exported_at > delivery.exported_at).exists())) or False
        has_older = others.where(deliveries.c.source == delivery.source, deliveries.c.exported_at < delivery.exported_at)
        self._has_older = self._is_replacing and bool(connection.scalar(select(has_older.exists())))
        self._until = self._next_words() if self._is_replacing and self.is_late else {}
        self._own = self._own_deliveries() if self._is_replacing else np.zeros(0, dtype=np.int64)
        temporary(connection, "delivered", "row_key bigint")

    @property
    def remembers(self) -> bool:
        """Whether the keys delivered have to be kept: some may be missing that were said before."""
        return self._has_older or self._work.delivery.is_loaded

    def add(self, rows: pa.Table) -> Microseconds:
        """Notes the stretches of a chunk; returns until when each row holds at most: until its source speaks for its stretch again."""
        if not self._is_replacing:
            return np.full(rows.num_rows, FOREVER)
        self._widen(rows)
        if not self._work.contract.scope:
            self._scopes.add(self._named())
            self._see(rows)
            return np.full(rows.num_rows, self._until.get(self._named(), FOREVER))
        encoded = pc.dictionary_encode(self._scope_of(rows))
        scopes = encoded.dictionary.to_pylist()
        inside = encoded.indices.filter(pa.array(self._inside(rows)))
        self._scopes |= {scopes[place] for place in pc.unique(inside).to_pylist()}
        until = np.array([self._until.get(scope, FOREVER) for scope in scopes], dtype=np.int64)
        found: Microseconds = until[encoded.indices.to_numpy()]
        return found

    def confirm(self, facts: pa.Table, rows: pa.Table, states: pa.Table, plan: Plan) -> None:
        """Notes rows that say what a delivery of another source or stretch said already."""
        if not self._is_replacing or not states.num_rows:
            return
        by_others = (plan.told >= 0) & ~np.isin(states["delivery_id"].to_numpy()[plan.told], self._own)
        if not by_others.any():
            return
        chosen = pa.array(by_others)
        temporary(self._work.connection, "confirmed", "LIKE ops.confirmation")
        said = facts.filter(chosen)
        copy_temporary(
            self._work.connection,
            "confirmed",
            pa.table(
                {
                    "feed": pa.repeat(self._work.contract.feed, said.num_rows),
                    "row_key": said["row_key"],
                    "delivery_id": pa.repeat(self._work.delivery.delivery_id, said.num_rows),
                    "row_hash": said["row_hash"],
                    "row_number": said["row_number"],
                    "scope": self._scope_of(rows.filter(chosen)),
                }
            ),
        )
        self._work.connection.execute(text("INSERT INTO ops.confirmation SELECT * FROM pg_temp.confirmed ON CONFLICT DO NOTHING"))
        self._work.connection.execute(text("DROP TABLE pg_temp.confirmed"))

    def unsettle(self, keys: Microseconds, states: pa.Table, plan: Plan) -> None:
        """Sends deliveries back to be read again that may have said again what is cut short, which leaves no trace."""
        if not self.is_late or not plan.cut.any():
            return
        work = self._work
        values = {
            "feed": work.contract.feed,
            "moment": work.delivery.exported_at,
            "provider": work.delivery.provider,
            "keys": keys[plan.cut].tolist(),
            "cut": np.unique(states["delivery_id"].to_numpy()[plan.ends[0]]).tolist(),
        }
        whose = "provider = :provider" if work.contract.key_within == "provider" else "true"
        if self._is_replacing:
            whose = (
                "delivery_id IN (SELECT delivery_id FROM ops.confirmation WHERE feed = :feed AND row_key = ANY(:keys)) "
                "OR delivery_id IN (SELECT o.delivery_id FROM ops.coverage AS c JOIN ops.coverage AS o USING (scope) "
                "JOIN ops.delivery AS d ON d.delivery_id = c.delivery_id JOIN ops.delivery AS l ON l.delivery_id = o.delivery_id "
                "WHERE c.delivery_id = ANY(:cut) AND l.source = d.source)"
            )
        later = f"feed = :feed AND exported_at > :moment AND {TAKEN} AND file_removed_at IS NULL"
        work.connection.execute(text(f"UPDATE ops.delivery SET status = 'landed' WHERE {later} AND ({whose})"), values)

    def withdraw(self) -> int | None:
        """Ends what is not said any more, within the window of each stretch; returns the delivery that this one corrects."""
        work = self._work
        self._write_down()
        if self._of_other_units:
            for rule in work.rules("outside"):
                work.count(rule, self._of_other_units, f"{number(self._of_other_units)} dòng không phải của {work.delivery.named_unit}")
        if not self.remembers:
            return None
        temporary(work.connection, "absent", f"LIKE {work.table.fullname}, scope text, until timestamptz")
        work.connection.execute(text("ANALYZE pg_temp.delivered"))
        if self._has_older:
            self._find_withdrawn()
        if work.delivery.is_loaded:
            self._find_unsaid()
        if work.connection.scalar(text("SELECT EXISTS (SELECT FROM pg_temp.absent)")):
            self._end_absent()
        return self._supersede() if self._has_older else None

    @property
    def is_superseded(self) -> bool:
        """Whether its source has spoken for all of its stretches again."""
        return bool(self._scopes) and all(scope in self._until for scope in self._scopes)

    @property
    def business_period(self) -> str | None:
        """What the delivery is about, for people: its periods, waves or documents, else what its name says."""
        if self._period is not None:
            return self._period.text
        if self._work.contract.scope and self._scopes:
            return " + ".join(sorted(self._scopes))
        return self._work.delivery.covers.text if self._work.delivery.covers else None

    # What rows lie in -----------------------------------------------------------------------------------------------

    def _named(self) -> str:
        """The stretch that the name of the delivery says; of a name that says none, the file itself; of a list, all of it."""
        delivery = self._work.delivery
        if self._work.contract.replaces == "list":
            return ""
        period = delivery.covers.text if delivery.covers else delivery.file_name
        return f"{period} {delivery.named_unit}" if delivery.named_unit else period

    def _scope_of(self, rows: pa.Table) -> pa.Array:
        if not self._work.contract.scope:
            return pa.repeat(self._named(), rows.num_rows)
        return pc.binary_join_element_wise(*(rows[name].combine_chunks().cast(pa.string()) for name in self._work.contract.scope), " ")

    def _inside(self, rows: pa.Table) -> Mask:
        """Rows of the stretch and the unit that the source's pattern finds in the name: only for these does the delivery speak."""
        contract, delivery = self._work.contract, self._work.delivery
        inside = np.ones(rows.num_rows, dtype=bool)
        if delivery.is_declared and delivery.covers is not None and contract.period_column in contract.scope:
            periods = rows[contract.period_column].combine_chunks().dictionary_encode()
            ranges = [Stretch.of(period) for period in periods.dictionary.to_pylist()]
            near = [other.first <= delivery.covers.last and other.last >= delivery.covers.first for other in ranges]
            inside &= np.array(near, dtype=bool)[periods.indices.to_numpy()]
        if delivery.named_unit and re.fullmatch(r"\d{2,5}", delivery.named_unit) and "unit_code" in rows.column_names:
            of_the_unit = mask_of(pc.equal(rows["unit_code"], delivery.named_unit))
            self._of_other_units += int((~of_the_unit).sum())
            inside &= of_the_unit
        return inside

    def _widen(self, rows: pa.Table) -> None:
        contract = self._work.contract
        if contract.period_column is None or contract.period_column not in contract.scope:
            return
        for period in pc.unique(rows[contract.period_column]).to_pylist():
            other, known = Stretch.of(period), self._period
            self._period = other if known is None else Stretch(min(known.first, other.first), max(known.last, other.last))

    def _see(self, rows: pa.Table) -> None:
        """Notes of which days there are rows."""
        if self._work.contract.period_column is None or not rows.num_rows:
            return
        found = pc.min_max(rows[self._work.contract.period_column].cast(pa.date32())).as_py()
        known = self._seen or Stretch(found["min"], found["max"])
        self._seen = Stretch(min(known.first, found["min"]), max(known.last, found["max"]))

    @property
    def days(self) -> Stretch | None:
        """The days of which it tells all there is, as far as they were over when it was made; nothing where that is not known.

        A name of one day that nobody declared is often that of the export: such a file tells of the days from its first row on.
        """
        covers, seen = self._work.delivery.covers, self._seen
        if seen is None:
            return None
        if covers is None:
            covers = seen
        elif covers.is_day and not self._work.delivery.is_declared:
            covers = Stretch(min(covers.first, seen.first), covers.last)
        last = min(covers.last, last_day_over(self._work.delivery.exported_at))
        return Stretch(covers.first, last) if covers.first <= last else None

    # Who else spoke ---------------------------------------------------------------------------------------------------

    def _next_words(self) -> dict[str, int]:
        """Stretch → export of the next delivery after this one in which the source spoke for it."""
        rows = self._work.connection.execute(
            text(
                "SELECT scope, min(exported_at) FROM ops.coverage JOIN ops.delivery USING (delivery_id) "
                f"WHERE source = :source AND exported_at > :moment AND {TAKEN} GROUP BY scope"
            ),
            {"source": self._work.delivery.source, "moment": self._work.delivery.exported_at},
        )
        return {row[0]: microseconds(row[1]) for row in rows}

    def _own_deliveries(self) -> npt.NDArray[np.int64]:
        """Deliveries of the same source and, where names say the stretch, of the same one: their word is this one's."""
        query = select(deliveries.c.delivery_id).where(deliveries.c.source == self._work.delivery.source)
        if not self._work.contract.scope:
            query = query.join(coverage, coverage.c.delivery_id == deliveries.c.delivery_id).where(coverage.c.scope == self._named())
        return np.array([*self._work.connection.scalars(query), self._work.delivery.delivery_id], dtype=np.int64)

    # What becomes of it -----------------------------------------------------------------------------------------------

    def _write_down(self) -> None:
        if self._scopes:
            delivery_id, days = self._work.delivery.delivery_id, self.days
            first, last = (days.first, days.last) if days else (None, None)
            told = [{"delivery_id": delivery_id, "scope": scope, "first_day": first, "last_day": last} for scope in sorted(self._scopes)]
            self._work.connection.execute(insert(coverage), told)

    def _find_withdrawn(self) -> None:
        """States of earlier deliveries of the source that lie in a stretch covered and were not delivered again."""
        work = self._work
        temporary(work.connection, "covered", "scope text, until timestamptz")
        until = np.array([self._until.get(scope, FOREVER) for scope in sorted(self._scopes)], dtype=np.int64)
        copy_temporary(
            work.connection, "covered", pa.table({"scope": pa.array(sorted(self._scopes), pa.string()), "until": pa.array(until)})
        )
        expressed = self._expressed()
        whose = f"source = :source AND exported_at < :moment AND {TAKEN}"
        if expressed is None:
            whose += " AND delivery_id IN (SELECT delivery_id FROM ops.coverage JOIN pg_temp.covered USING (scope))"
        values = {"source": work.delivery.source, "moment": work.delivery.exported_at, "feed": work.delivery.feed}
        whose += " AND feed = :feed"
        told = work.connection.execute(text(f"SELECT delivery_id, business_period FROM ops.delivery WHERE {whose}"), values)
        earlier = [row.delivery_id for row in told if self._may_lie_in(row.business_period)]
        if not earlier:
            return
        names = [column.name for column in work.table.columns]
        joined = "JOIN warehouse.dim_unit AS u ON u.unit_key = f.unit_key" if expressed and "u.unit_code" in expressed else ""
        work.connection.execute(
            text(
                f"INSERT INTO pg_temp.absent ({', '.join(names)}, scope, until) "
                f"SELECT f.{', f.'.join(names)}, c.scope, c.until FROM {work.table.fullname} AS f {joined} "
                f"JOIN pg_temp.covered AS c ON {f'c.scope = {expressed}' if expressed else 'true'} "
                "WHERE f.delivery_id = ANY(:earlier) AND f.known_to > :moment AND f.known_to > f.known_from AND f.known_from < c.until "
                "AND NOT EXISTS (SELECT FROM pg_temp.delivered AS d WHERE d.row_key = f.row_key)"
            ),
            values | {"earlier": earlier},
        )

    def _may_lie_in(self, about: str | None) -> bool:
        """Whether rows of a delivery about some stretch may lie in what this one is about: so most of a long history is not looked at."""
        if self._period is None or about is None:
            return True
        other = Stretch.of(about)
        return other.first <= self._period.last and other.last >= self._period.first

    def _expressed(self) -> str | None:
        """SQL of the stretch a state f lies in; nothing where only its delivery tells."""
        scope = self._work.contract.scope
        known = {name: f"f.{name}" for name in scope if name in self._work.table.c} | {"unit_code": "u.unit_code"}
        return " || ' ' || ".join(known[name] for name in scope) if scope and set(scope) <= known.keys() else None

    def _find_unsaid(self) -> None:
        """States that this delivery told when it was read before and does not tell now."""
        work = self._work
        names = [column.name for column in work.table.columns]
        work.connection.execute(
            text(
                f"INSERT INTO pg_temp.absent ({', '.join(names)}, scope, until) "
                f"SELECT f.{', f.'.join(names)}, :scope, 'infinity' FROM {work.table.fullname} AS f "
                "WHERE f.delivery_id = :delivery_id AND f.known_to > f.known_from "
                "AND NOT EXISTS (SELECT FROM pg_temp.delivered AS d WHERE d.row_key = f.row_key)"
            ),
            {"delivery_id": work.delivery.delivery_id, "scope": self._named()},
        )

    def _end_absent(self) -> None:
        work = self._work
        connection, table, load_id = work.connection, work.table, work.load_id
        values = {"feed": work.contract.feed, "source": work.delivery.source, "moment": work.delivery.exported_at}
        self._tell_left_out()
        connection.execute(text("ANALYZE pg_temp.absent"))
        connection.execute(text(self._words()), values)
        taken = {
            "known_from": "w.since",
            "known_to": "w.until",
            "delivery_id": "w.delivery_id",
            "row_number": "w.row_number",
            "loaded_by": f"{load_id:d}",
            "ended_by": f"CASE WHEN w.until < 'infinity' THEN {load_id:d} END",
        }
        connection.execute(
            text(
                f"CREATE TEMP TABLE restored ON COMMIT DROP AS SELECT {columns_of(table, 'f', taken)} FROM pg_temp.word_in_force AS w "
                f"JOIN LATERAL (SELECT * FROM {table.fullname} AS s WHERE s.row_key = w.row_key AND s.row_hash = w.row_hash "
                "ORDER BY s.loaded_by DESC LIMIT 1) AS f ON true"
            )
        )
        end_states(connection, table, load_id, "pg_temp.absent", "greatest(c.known_from, CAST(:moment AS timestamptz))", values)
        add_states(connection, table, "pg_temp.restored")
        rest = {"known_from": "f.until", "loaded_by": f"{load_id:d}", "ended_by": f"CASE WHEN f.ended_by > 0 THEN {load_id:d} END"}
        add_states(
            connection, table, f"(SELECT {columns_of(table, 'f', rest)} FROM pg_temp.absent AS f WHERE f.known_to > f.until) AS rest"
        )

    def _words(self) -> str:
        """SQL of what holds in place of what is absent: another's word in force; of what stays until told otherwise, the state before."""
        table = self._work.table.fullname
        if not self._is_replacing:
            return (
                "CREATE TEMP TABLE word_in_force ON COMMIT DROP AS "
                "SELECT a.row_key, a.known_from, a.known_from AS since, a.known_to AS until, s.row_hash, s.delivery_id, s.row_number "
                "FROM pg_temp.absent AS a "
                f"JOIN {table} AS s ON s.row_key = a.row_key AND s.known_to = a.known_from AND s.known_to > s.known_from"
            )
        if self._work.contract.scope:
            return _WORDS.format(table=table, scope="a.scope", others="w.source <> :source")
        named = "(SELECT v.scope FROM ops.coverage AS v WHERE v.delivery_id = s.delivery_id LIMIT 1)"
        return _WORDS.format(table=table, scope=named, others="(w.source, w.scope) <> (:source, a.scope)")

    def _tell_left_out(self) -> None:
        """What was there before and is left out is shown to the steward, with the units it is of."""
        work = self._work
        units = "count(DISTINCT unit_key)" if "unit_key" in work.table.c else "0"
        rows, of = work.connection.execute(
            text(f"SELECT count(DISTINCT row_key), {units} FROM pg_temp.absent WHERE known_to = 'infinity'")
        ).one()
        if rows:
            observed = f"{number(rows)} dòng của {number(of)} đơn vị" if of else f"{number(rows)} dòng"
            for rule in work.rules("left_out"):
                work.count(rule, rows, observed)

    def _supersede(self) -> int | None:
        """Marks earlier deliveries of which nothing is in force any more; the latest of those this one speaks again for."""
        connection, delivery = self._work.connection, self._work.delivery
        values = {"source": delivery.source, "moment": delivery.exported_at, "delivery_id": delivery.delivery_id}
        connection.execute(
            text(
                "UPDATE ops.delivery AS d SET status = 'superseded' WHERE source = :source AND exported_at < :moment AND status = 'loaded' "
                "AND EXISTS (SELECT FROM ops.coverage WHERE delivery_id = d.delivery_id) AND NOT EXISTS ("
                "SELECT FROM ops.coverage AS c WHERE c.delivery_id = d.delivery_id AND NOT EXISTS ("
                "SELECT FROM ops.coverage AS o JOIN ops.delivery AS l USING (delivery_id) "
                "WHERE o.scope = c.scope AND l.source = d.source AND l.exported_at > d.exported_at "
                "AND (l.loaded_at IS NOT NULL AND l.status <> 'rejected' OR l.delivery_id = :delivery_id)))"
            ),
            values,
        )
        same = (
            f"source = :source AND {TAKEN} AND delivery_id IN (SELECT o.delivery_id FROM ops.coverage AS o "
            "JOIN ops.coverage AS c USING (scope) WHERE c.delivery_id = :delivery_id)"
        )
        connection.execute(
            text(
                "UPDATE ops.delivery SET supersedes = :delivery_id WHERE delivery_id = ("
                f"SELECT delivery_id FROM ops.delivery WHERE {same} AND exported_at > :moment ORDER BY exported_at LIMIT 1)"
            ),
            values,
        )
        corrected: int | None = connection.scalar(
            text(f"SELECT delivery_id FROM ops.delivery WHERE {same} AND exported_at < :moment ORDER BY exported_at DESC LIMIT 1"), values
        )
        return corrected


def said_otherwise(work: Load, facts: pa.Table, states: pa.Table, of_the_day: dict[int, str]) -> tuple[int, set[str]]:
    """How many rows contradict what another source said of them on the same day, and which sources these are."""
    if not of_the_day or not states.num_rows:
        return 0, set()
    others = np.isin(states["delivery_id"].to_numpy(), list(of_the_day))
    key, value, by = (states[name].to_numpy()[others] for name in ("row_key", "row_hash", "delivery_id"))
    place = np.searchsorted(facts["row_key"].to_numpy(), key)
    differs = facts["row_hash"].to_numpy()[place] != value
    return len(np.unique(key[differs])), {of_the_day[int(one)] for one in np.unique(by[differs])}


def deliveries_of_the_day(work: Load) -> dict[int, str]:
    """Deliveries of other sources of the feed that were made on the same day, and their sources.

    Of rows that speak of persons, only those hashed with the same key: of others nobody can tell what they say.
    """
    alike = f" AND loaded_at >= ({_KEY_SINCE})" if "key_number" in work.table.c else ""
    rows = work.connection.execute(
        text(
            f"SELECT delivery_id, source FROM ops.delivery WHERE feed = :feed AND source <> :source AND {TAKEN} "
            f"AND (exported_at AT TIME ZONE 'Asia/Ho_Chi_Minh')::date = :day{alike}"
        ),
        {"feed": work.contract.feed, "source": work.delivery.source, "day": work.exported_on},
    )
    return {row.delivery_id: row.source for row in rows}
