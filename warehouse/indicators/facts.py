"""The facts that indicators count: declared under `facts` in the YAML files beside this module → checked model.

A fact is one object: where its rows are, to which unit and time they belong, which columns a condition may use, how it is
counted, which rows stand behind a value. To add one: its table, a migration, and its entry in a YAML file.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from importlib import resources
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, model_validator

from warehouse.counted import SCHEMA, Beside, Counted, Things, counts, month
from warehouse.scores.on_time import on_time
from warehouse.succession import LATER
from warehouse.tables import metadata

if TYPE_CHECKING:
    from warehouse.indicators import Indicator

Way = Literal["rows", "reports", "carriers", "holders", "waves", "listed", "editions"]
"""rows: rows that fulfil conditions, added up over days and units; reports: measures that offices report for a period;
carriers: the last monthly report of each carrier; holders: distinct persons in the history of a list; waves: answers of the
last time a question was asked; listed: units on a declared list, which the numerator names; editions: what provinces signed, which
takes the place of all others in an installation of the whole country."""
CURRENT = "(SELECT *, 1 AS sign FROM {table} WHERE known_to = 'infinity')"
"""The states that hold now, as a relation in SQL."""


class Model(BaseModel):
    """Strict base: a misspelt key in a YAML is an error, not a silence."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class DependsOnRows(Model):
    """Rows of another fact that decide what a row counts as, found by the column that holds its row_key."""

    table: str
    by: str


class CountedFact(Model):
    """One fact that indicators count."""

    about: str
    """What is counted, in Vietnamese."""
    table: str | None = None
    """Its table of the warehouse; none where it is made of what others count."""
    way: Way = "rows"
    rows: str | None = None
    """way rows: file with its SELECT over {states}, where a row needs more than its table: sign, row_key, delivery_id, row_number,
    unit_key, the days, units and columns named here. {beside} are the rows beside it, {later} what became of units; {judged},
    {ended_at} and {in_time} are the rule named in `on_time`."""
    days: dict[str, str] = {}
    """What happens to a row → its date column, or a column that holds a period; the first is meant where an indicator names none."""
    units: dict[str, str] = {}
    """What happens to a row → column of the unit it then belongs to, where that is not unit_key."""
    columns: list[str] = []
    """Columns that the conditions of its indicators may use, or that they name. way holders: beside them at_end, the day asked for."""
    amounts: dict[str, list[str]] = {}
    """way rows: `count` of an indicator that is a sum → column summed up in the numerator, column in the denominator."""
    distinct: dict[str, str] = {}
    """way rows: `count` of an indicator that counts each value of a column once in a period and unit → that column."""
    zero: Literal["counts", "missing"] = "counts"
    """way rows: whether a unit that has rows, but none in the denominator of an indicator, counts 0 there or says nothing of it."""
    is_stock: bool = False
    """Whether it tells how things stand at the end of a period; of measures, measures.csv says so."""
    is_sample: bool = False
    """Whether only some units are asked: it is told of these alone, and never of those above them."""
    counts_whole: bool = False
    """Whether what is told of a unit holds for it as a whole, and so takes the place of the sum of those below it."""
    divided_by: str | None = None
    """Fact that holds the denominators of its indicators."""
    on_time: str | None = None
    beside: DependsOnRows | None = None
    depends_on: list[str] = []
    """Dimensions whose content, not only their keys, decides what counts."""

    @model_validator(mode="after")
    def _is_in_the_warehouse(self) -> CountedFact:
        tables = {table.name: table for table in metadata.tables.values() if table.schema == SCHEMA}
        named = [self.table, self.beside and self.beside.table, *self.depends_on]
        missing = [name for name in named if name is not None and name not in tables]
        if missing:
            raise ValueError(f"not in warehouse/tables/__init__.py: {missing}")
        if self.rows is not None and not resources.files(__package__).joinpath(self.rows).is_file():
            raise ValueError(f"there is no file {self.rows} in warehouse/indicators/")
        if self.table is None:
            if self.way != "listed":
                raise ValueError("says no table")
            return self
        needed = ["unit_key", "row_key", "known_from", "known_to", "loaded_by", "ended_by", "delivery_id", "row_number"]
        if self.rows is None:
            needed += self.named()
        absent = [name for name in needed if name not in tables[self.table].columns]
        if self.beside is not None and self.beside.by not in tables[self.beside.table].columns:
            raise ValueError(f"column that {self.beside.table} does not have: {self.beside.by}")
        if absent:
            raise ValueError(f"columns that {self.table} does not have: {absent}")
        if not self.days:
            raise ValueError("says no day to which a row belongs")
        return self

    @property
    def fullname(self) -> str:
        """Its table with the schema."""
        return f"{SCHEMA}.{self.table}"

    @property
    def is_pseudonymised(self) -> bool:
        """Whether its rows speak of persons, and say with which key they were hashed."""
        return self.table is not None and "key_number" in metadata.tables[self.fullname].columns

    def day(self, happens: str | None) -> str:
        """Column of the day on which something happens to a row; the first where nothing is named."""
        return self.days[happens] if happens in self.days else next(iter(self.days.values()))

    def unit(self, happens: str) -> str:
        """Column of the unit to which a row belongs when something happens to it."""
        return self.units.get(happens, "unit_key")

    def named(self) -> list[str]:
        """Columns that are named here."""
        of_persons = ["key_number"] if self.distinct and self.is_pseudonymised else []
        amounts = (name for pair in self.amounts.values() for name in pair)
        return [*self.days.values(), *self.columns, *self.distinct.values(), *of_persons, *amounts]

    def select(self) -> str:
        """SELECT of its rows over {states} and {beside}, with every column that conditions may use."""
        if self.rows is None:
            named = "".join(f", f.{name}" for name in dict.fromkeys(self.named()))
            return f"SELECT f.sign, f.row_key, f.delivery_id, f.row_number, f.unit_key{named} FROM {{states}} f WHERE f.unit_key <> 0"
        text = resources.files(__package__).joinpath(self.rows).read_text("utf-8")
        text = text.replace("{later}", LATER)
        if self.on_time is not None:
            rule = on_time(self.on_time)
            for name, sql in (("{judged}", rule.judged), ("{ended_at}", rule.ended_at), ("{in_time}", rule.in_time_at("NULL"))):
                text = text.replace(name, sql)
        return text


def kept(name: str, fact: CountedFact, indicators: Sequence[Indicator]) -> list[Counted]:
    """What of a fact is kept counted for these indicators: sums, and each distinct thing once a period; nothing for other ways."""
    if fact.way != "rows" or not indicators:
        return []
    columns = ", ".join(dict.fromkeys(["sign", "unit_key", *fact.units.values(), *fact.named()]))
    of_fact = partial(
        Counted,
        table=str(fact.table),
        depends_on=tuple(fact.depends_on),
        rows=f"SELECT {columns} FROM ({fact.select()}) counted_row",
        beside=None if fact.beside is None else Beside(fact.beside.table, fact.beside.by),
    )
    found = []
    added = [i for i in indicators if i.count not in fact.distinct]
    if added:
        found.append(of_fact(name=name, query=_sums(fact, added), measures=_measures(added)))
    for count, column in fact.distinct.items():
        once = [i for i in indicators if i.count == count]
        if once:
            key = "key_number" if fact.is_pseudonymised else "0"
            things = Things(f"{name} {count} things", _things(once, column, fact.day(None), key), tuple(fact.depends_on))
            found.append(of_fact(name=f"{name} {count}", query=_once(once), measures=_measures(once), things=things))
    return found


def _measures(indicators: Sequence[Indicator]) -> tuple[str, ...]:
    return tuple(f"{part}_{i.version_name}" for i in indicators for part in "nd")


def _sums(fact: CountedFact, indicators: Sequence[Indicator]) -> str:
    """Rows and amounts, for each day on which something happens to a row: all indicators in one pass."""
    summed = []
    for i in indicators:
        part, whole = (f"sign * {amount}" for amount in fact.amounts[i.count]) if i.count in fact.amounts else ("sign", "sign")
        happens = f"happens = '{i.counted_by}' AND " if len(fact.days) > 1 else ""
        summed += [(part, f"{happens}({i.denominator}) AND ({i.numerator})"), (whole, f"{happens}({i.denominator})")]
    days = ", ".join(f"('{happens}', {column}, {fact.unit(happens)})" for happens, column in fact.days.items())
    first = month("happens_on")
    return f"""
    SELECT happening.unit_key, 0 AS part, {first} AS day, {first} AS received, {counts(summed)} AS counts
    FROM {{rows}} counted_row
    CROSS JOIN LATERAL (VALUES {days}) happening (happens, happens_on, unit_key)
    WHERE happens_on IS NOT NULL AND happening.unit_key <> 0
    GROUP BY 1, 3
    """


def _things(indicators: Sequence[Indicator], column: str, day: str, key: str) -> str:
    """What each row says of a thing: the measures in which it is counted in its month, as bits in their order; and its key."""
    conditions = [condition for i in indicators for condition in (f"({i.denominator}) AND ({i.numerator})", i.denominator)]
    holds = " | ".join(f"((({condition}) IS TRUE)::int << {place})" for place, condition in enumerate(conditions))
    of_any = " OR ".join(f"({i.denominator})" for i in indicators)
    return f"""
    SELECT sign, unit_key, date_part('year', {day})::int AS year, date_part('month', {day})::int AS month,
        {key}::smallint AS key_number, {column} AS thing, {holds} AS holds
    FROM {{rows}} counted_row
    WHERE {column} IS NOT NULL AND {day} IS NOT NULL AND ({of_any})
    """


_A_MONTH = 5
"""Measures that a number holds for each of twelve months."""


def _once(indicators: Sequence[Indicator]) -> str:
    """Each thing once in every month, quarter and year; what a change leaves as it was is looked at once, and stands on both sides.

    What a thing holds in which months are bits of numbers, so that one pass serves all periods, and things of a unit that hold the
    same go on together: there are far fewer of these ways than things.
    """
    measures = _measures(indicators)
    numbers = range(0, len(measures), _A_MONTH)
    wholes, periods = range(1, len(measures), 2), [(first, part) for part in (1, 3, 12) for first in range(0, 12, part)]

    def every(form: str) -> str:
        return ", ".join(form.format(number=number) for number in numbers)

    def in_period(of: Iterable[int], first: int, part: int) -> str:
        """SQL of whether a thing holds any of the measures in any of the months."""
        bits = dict.fromkeys(numbers, 0)
        for place in of:
            number, bit = place // _A_MONTH * _A_MONTH, place % _A_MONTH
            bits[number] |= sum(1 << _A_MONTH * month + bit for month in range(first, first + part))
        return " OR ".join(f"held_{number} & {mask} <> 0" for number, mask in bits.items() if mask)

    def counted(first: int, part: int) -> str:
        """SQL of how many ways there are, and of the counts."""
        sums = (f"coalesce(sum(side.times) FILTER (WHERE {in_period(of, first, part)}), 0)" for of in (wholes, *zip(range(len(measures)))))
        return f"ARRAY[count(*) FILTER (WHERE {in_period(wholes, first, part)}), {', '.join(sums)}]::bigint[] AS of_{first}_{part}"

    held = every(f"(holds >> {{number}} & {(1 << _A_MONTH) - 1})::bigint << {_A_MONTH} * (month - 1) AS held_{{number}}")
    sides = every(
        "coalesce(bit_or(held_{number}) FILTER (WHERE sign >= 0), 0) AS now_{number}, "
        "coalesce(bit_or(held_{number}) FILTER (WHERE sign <= 0), 0) AS then_{number}"
    )
    of_periods = ", ".join(f"({part}, {first + 1}, of_{first}_{part})" for first, part in periods)
    return f"""
    SELECT unit_key, part, make_date(year, first, 1) AS day, make_date(year, first, 1) AS received, counts[2:] AS counts
    FROM (
        SELECT unit_key, year, {", ".join(counted(first, part) for first, part in periods)}
        FROM (
            SELECT unit_key, year, {every("now_{number}, then_{number}")}, count(*)::int AS times
            FROM (
                SELECT unit_key, year, {sides} FROM (SELECT sign, unit_key, year, thing, {held} FROM {{things}} thing) said
                GROUP BY unit_key, year, thing
            ) one
            GROUP BY unit_key, year, {every("now_{number}, then_{number}")}
        ) alike
        CROSS JOIN LATERAL (VALUES (alike.times, {every("now_{number}")}), (-alike.times, {every("then_{number}")}))
            side (times, {every("held_{number}")})
        GROUP BY unit_key, year
    ) of_unit
    CROSS JOIN LATERAL (VALUES {of_periods}) period (part, first, counts)
    WHERE counts[1] > 0
    """
