"""Which column comes of which, as the declarations have it: from a feed to its table of the warehouse, and on to an indicator.

Nothing is declared here twice: a column of a table bears the name of the feed's column, or is the key of a dimension that the feed's
code stands for; an indicator names the columns of its conditions. Only what the load works out itself is said here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, TypeAlias

from sqlalchemy import Connection, Row, text

from expectations.contract import contract
from warehouse.counted import SCHEMA
from warehouse.indicators import Indicator, facts
from warehouse.indicators.facts import CountedFact
from warehouse.tables import metadata

How: TypeAlias = Literal["IDENTITY", "TRANSFORMATION", "AGGREGATION", "CONDITIONAL", "FILTER", "GROUP_BY"]
"""OpenLineage's words: the first three give a value what it says, the others decide where it counts."""

OF_THE_LOAD = {
    "row_key",
    "row_hash",
    "known_from",
    "known_to",
    "loaded_by",
    "ended_by",
    "delivery_id",
    "row_number",
    "key_number",
    "provider_key",
}
"""Columns that say when and from whom a row came, which no column of a file says."""

WORKED_OUT: dict[tuple[str, str], tuple[str, ...]] = {
    ("dossiers", "unit_key"): ("agency_code", "agency_name"),
    ("dossiers", "received_unit_key"): ("receiving_agency_code", "agency_code", "agency_name"),
    ("payments", "unit_key"): ("bill_code", "dossier_code", "merchant_code"),
    ("payments", "business_date"): ("paid_at",),
    ("published_figures", "printed_value"): ("printed",),
    ("published_figures", "printed_decimals"): ("printed",),
    ("published_figures", "printed_as"): ("printed",),
}
"""Feed and column of its table → columns of the feed, where names do not tell (tasks.load.facts)."""

SURVEYED = {"numerator": "positive_answers", "denominator": "respondents"}
"""What the counts of a survey are (tasks/count/waves.sql)."""


@dataclass(frozen=True)
class Origin:
    """A column that another one is made of."""

    table: str
    """A table of the warehouse; of a file, its feed."""
    column: str
    how: How
    is_masked: bool = False
    """Whether only a keyed hash of it is left."""
    words: str = ""
    """Of which rows, or how."""


@cache
def columns_of(feed: str) -> dict[str, list[Origin]]:
    """Columns of a feed's table → columns of the feed that they are made of."""
    terms = contract(feed)
    kept = {name for name, column in terms.columns.items() if column.type != "dropped"}
    found: dict[str, list[Origin]] = {}
    for name in (column.name for column in metadata.tables[f"{SCHEMA}.{terms.table}"].columns if column.name not in OF_THE_LOAD):
        if name in kept:
            is_hash = terms.columns[name].type == "hash"
            found[name] = [Origin(feed, name, "TRANSFORMATION" if is_hash else "IDENTITY", is_hash)]
        else:
            made_of = WORKED_OUT.get((feed, name)) or _codes(name.removesuffix("_key"), sorted(kept))
            found[name] = [Origin(feed, column, "TRANSFORMATION") for column in made_of]
    return found


def _codes(thing: str, columns: Sequence[str]) -> list[str]:
    """The columns that say which thing is meant, by its whole name or the end of it: `method_code` a payment_method."""
    whole = [name for name in columns if name.rpartition("_")[0] == thing]
    return whole or [name for name in columns if name.endswith("_code") and thing.endswith(f"_{name.removesuffix('_code')}")]


def counts_of(indicator: Indicator) -> dict[str, list[Origin]]:
    """Numerator, denominator and value of an indicator → columns of the warehouse that they are made of."""
    fact = indicator.counted_fact
    numerator, denominator = _counted(indicator, fact)
    found = {"numerator": numerator, "denominator": [] if indicator.is_count else denominator}
    return found | {"value": list(dict.fromkeys(numerator + found["denominator"]))}


def _counted(indicator: Indicator, fact: CountedFact) -> tuple[list[Origin], list[Origin]]:
    measured = [_measure(name) for name in (indicator.numerator, indicator.denominator)]
    by_office = facts()[fact.divided_by] if fact.divided_by else fact
    match fact.way:
        case "reports":
            numerator, denominator = measured
            return numerator + _places(fact), denominator + _places(fact)
        case "carriers":
            amount = Origin(f"{SCHEMA}.{fact.table}", indicator.numerator, "AGGREGATION", words="last monthly report of each carrier")
            return [amount, *_places(fact)], measured[1] + _places(by_office)
        case "holders":
            holder = Origin(f"{SCHEMA}.{fact.table}", "holder_hash", "AGGREGATION", is_masked=True, words="each person once")
            return [holder, *_named(fact, indicator.numerator, "CONDITIONAL"), *_places(fact)], measured[1] + _places(by_office)
        case "waves":
            asked = Origin(f"{SCHEMA}.{fact.table}", "question_code", "FILTER", words=f"question_code = '{indicator.code}'")
            both = [[Origin(f"{SCHEMA}.{fact.table}", column, "AGGREGATION"), asked, *_places(fact)] for column in SURVEYED.values()]
            return both[0], both[1]
        case "listed":
            listed = [Origin(f"{SCHEMA}.dim_unit", "unit_key", "AGGREGATION", words=f"units on the list {indicator.numerator}")]
            return listed, [Origin(f"{SCHEMA}.dim_unit", "unit_key", "AGGREGATION")]
        case "editions":
            table, words = f"{SCHEMA}.{fact.table}", f"indicator_code = '{indicator.code}'"
            beside = [Origin(table, "indicator_code", "FILTER", words=words), *_places(fact)]
            signed = [Origin(table, column, "AGGREGATION", words=words) for column in ("numerator", "denominator")]
            return [signed[0], *beside], [signed[1], *beside]
        case _:
            return _of_rows(indicator, fact)


def _measure(name: str) -> list[Origin]:
    table = f"{SCHEMA}.{facts()['unit_count'].table}"
    return [
        Origin(table, "value", "AGGREGATION", words=f"measure = '{name}'"),
        Origin(table, "measure", "FILTER", words=f"measure = '{name}'"),
    ]


def _of_rows(indicator: Indicator, fact: CountedFact) -> tuple[list[Origin], list[Origin]]:
    """What is counted of each row, and the columns of the conditions under which it counts."""
    once = fact.distinct.get(indicator.count)
    amounts = fact.amounts.get(indicator.count, [once or "row_key"] * 2)
    words = "each once" if once else "sum" if indicator.count in fact.amounts else "number of rows"
    own, whole = ([Origin(o.table, o.column, "AGGREGATION", o.is_masked, words) for o in _resolved(fact, amount)] for amount in amounts)
    condition = _named(fact, indicator.denominator, "FILTER")
    where = [*_named(fact, fact.day(indicator.counted_by), "GROUP_BY"), *_named(fact, fact.unit(indicator.counted_by), "GROUP_BY")]
    numerator = [*own, *_named(fact, indicator.numerator, "CONDITIONAL"), *condition, *where]
    return list(dict.fromkeys(numerator)), list(dict.fromkeys([*whole, *condition, *where]))


def _places(fact: CountedFact) -> list[Origin]:
    table = f"{SCHEMA}.{fact.table}"
    return [Origin(table, "unit_key", "GROUP_BY"), Origin(table, fact.day(None), "GROUP_BY")]


def _named(fact: CountedFact, condition: str, how: How) -> list[Origin]:
    """The columns that a condition names."""
    known = {*fact.named(), *fact.units.values(), "unit_key"}
    words = "" if condition in known else condition
    return [
        Origin(one.table, one.column, how, one.is_masked, words)
        for name in dict.fromkeys(re.findall(r"\w+", condition))
        if name in known
        for one in _resolved(fact, name)
    ]


def _resolved(fact: CountedFact, name: str) -> list[Origin]:
    """The columns of the warehouse that a column of a fact's rows is made of: its own, or what its SELECT makes of others."""
    table = str(fact.table)
    if fact.rows is None:
        return [_kept(table, name)]
    select = fact.select()
    made = _made_in(select)
    if name not in made and name in metadata.tables[fact.fullname].c:
        return [_kept(table, name)]
    read = [table, *([fact.beside.table] if fact.beside else [])]
    called = dict(zip(_CALLED.findall(select), read, strict=False))  # {states} comes first, {beside} after it
    found: list[Origin] = []
    for alias, word in dict.fromkeys(re.findall(r"(?:(\w+)\.)?(\w+)", _unfolded(made, name) if name in made else name)):
        if alias in called and word in metadata.tables[f"{SCHEMA}.{called[alias]}"].c:
            found.append(_kept(called[alias], word))
        elif alias not in called:
            found += _looked_up(fact, read, word)
    return list(dict.fromkeys(found))


_CALLED = re.compile(r"\{(?:states|beside)\} (\w+)")


def _looked_up(fact: CountedFact, read: Sequence[str], word: str) -> list[Origin]:
    """A column of a dimension that decides what rows count as, with the key by which they name it."""
    dimension = next((one for one in fact.depends_on if word in metadata.tables[f"{SCHEMA}.{one}"].c), None)
    if dimension is None or word.endswith("_key"):
        return []
    key = f"{dimension.removeprefix('dim_')}_key"
    by = next((_kept(one, key) for one in read if key in metadata.tables[f"{SCHEMA}.{one}"].c), None)
    return [_kept(dimension, word), by] if by else []


def _kept(table: str, column: str) -> Origin:
    return Origin(f"{SCHEMA}.{table}", column, "TRANSFORMATION", column.endswith("_hash"))


def _unfolded(made: dict[str, str], name: str) -> str:
    """The expression of a column, with those of the columns of subqueries that it names behind it."""
    words, seen = [made[name]], {name}
    while more := [word for word in re.findall(r"\w+", " ".join(words)) if word in made and word not in seen]:
        seen |= set(more)
        words += [made[word] for word in more]
    return " ".join(words)


@cache
def _made_in(select: str) -> dict[str, str]:
    """`expression AS name` of a SELECT and its subqueries: name → expression."""
    found: dict[str, str] = {}
    for end in re.finditer(r"\s+AS\s+(\w+)", select):
        depth, start = 0, end.start()
        while start and depth >= 0:
            start -= 1
            depth += {")": 1, "(": -1}.get(select[start], 0)
            if depth == 0 and (select[start] == "," or re.match(r"SELECT\s", select[start:])):
                break
        found[end[1]] = re.sub(r"^(SELECT\s|[,(])", "", select[start : end.start()]).strip()
    return found


def deliveries_of(connection: Connection, ids: Iterable[int]) -> Sequence[Row[Any]]:
    """Deliveries by number, with every rule that was held against them: rule_code, severity, success, unexpected_count."""
    return connection.execute(
        text(
            "SELECT d.delivery_id, d.source, d.feed, d.sha256, d.status, d.rows_received, d.rows_loaded, coalesce("
            "  (SELECT jsonb_agg(jsonb_build_object('rule', rule_code, 'severity', severity, 'success', success, 'rows', unexpected_count) "
            "     ORDER BY rule_code) FROM ops.verdict v WHERE v.delivery_id = d.delivery_id), '[]') AS verdicts "
            "FROM ops.delivery d WHERE d.delivery_id = ANY(:ids) ORDER BY d.delivery_id"
        ),
        {"ids": list(ids)},
    ).all()


def landed_since(connection: Connection, run_id: int) -> list[int]:
    """Numbers of the deliveries that a run pulled."""
    query = "SELECT delivery_id FROM ops.delivery WHERE received_at >= (SELECT started_at FROM ops.run WHERE run_id = :run_id) ORDER BY 1"
    return list(connection.scalars(text(query), {"run_id": run_id}))
