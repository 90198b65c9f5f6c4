"""What is kept counted from night to night: a query over states that bear a sign, so that it counts a whole and a change alike.

The states that hold have the sign 1. A change has them as well, those that came with 1 and those that no longer hold with -1:
what the query makes of a change, added to what it made of the whole before, is what it makes of the whole after.
Distinct things do not add up; they are kept themselves, in `warehouse.agg_thing`, and what changed of them is counted before and after.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

SCHEMA = "warehouse"


@dataclass(frozen=True)
class Beside:
    """Rows of another fact that decide what a row counts as: where one of them changes, the row is counted again."""

    table: str
    by: str
    """Its column that holds the row_key of the row."""


@dataclass(frozen=True)
class Things:
    """Things counted once however many rows tell of them, as the customers of bills: kept by unit, month and key, once for each row."""

    name: str
    """As it stands in agg_thing.counted, and in ops.mark."""
    query: str
    """SELECT sign, unit_key, year, month, key_number, thing, holds over {rows}."""
    depends_on: tuple[str, ...]
    """Dimensions whose content, not only their keys, decides what rows say of a thing."""


@dataclass(frozen=True)
class Counted:
    """One thing that is counted by unit, part, day and month received into `warehouse.agg_count`."""

    name: str
    """As it stands in agg_count.counted."""
    table: str
    """Fact whose states it counts."""
    query: str
    """SELECT unit_key, part, day, received, counts over {states} of the fact, {rows} or {things}."""
    measures: tuple[str, ...]
    """Names of the counts, after the first, which is the number of rows."""
    depends_on: tuple[str, ...] = ()
    """Dimensions whose content, not only their keys, decides what counts."""
    rows: str = ""
    """{rows}: what several counts of one fact have in common, a SELECT over {states}, and over {beside}: every column and `sign`."""
    beside: Beside | None = None
    things: Things | None = None
    """{things}: the distinct things it counts, with 1 what holds now only, with -1 what held before only, with 0 what held and holds."""
    belonging: str = "SELECT * FROM {things} thing"
    """SELECT over {things}, or over lists of them: each at the units it is counted for."""

    def over(self, states: str, beside: str = "") -> str:
        """The query over relations of states in SQL."""
        return self.over_rows(f"({self.rows})").replace("{states}", states).replace("{beside}", beside)

    def over_rows(self, rows: str) -> str:
        """The query over a relation of its rows in SQL."""
        things = "" if self.things is None else self.belonging.replace("{things}", f"({self.things.query})")
        return self.query.replace("{things}", f"({things})").replace("{rows}", rows)

    def place(self, measure: str) -> str:
        """SQL of one of its counts in a row of agg_count."""
        return f"counts[{self.measures.index(measure) + 2}]"

    @property
    def width(self) -> int:
        """How many counts a row of it has."""
        return len(self.measures) + 1


def counts(amounts: Sequence[tuple[str, str]]) -> str:
    """SQL array of the number of rows and of what is summed up where a condition holds, given as (amount, condition)."""
    sums = "".join(f", coalesce(sum({amount}) FILTER (WHERE {condition}), 0)" for amount, condition in amounts)
    return f"ARRAY[sum(sign){sums}]::bigint[]"


def month(day: str) -> str:
    """SQL date: the first of the month of a day."""
    return f"date_trunc('month', {day}::timestamp)::date"  # as a time without zone it is worked out thrice as fast


def half_month(day: str) -> str:
    """SQL date: the first or the fifteenth of a month, whichever is the last up to a day."""
    return f"({month(day)} + CASE WHEN extract(day FROM {day}) < 15 THEN 0 ELSE 14 END)"


def by_step(step: Callable[[str], str], day: str) -> str:
    """SQL date of an event of a state d: the step its day lies in; the day itself where it still lay ahead when it became known.

    So nothing that is counted depends on the day it is counted on, and what comes due is there to be found.
    """
    ahead = f"{day} > (d.known_from AT TIME ZONE 'Asia/Ho_Chi_Minh')::date"
    return f"CASE WHEN {ahead} THEN {day} ELSE {step(day)} END"
