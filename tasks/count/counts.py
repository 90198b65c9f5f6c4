"""Facts → the units' own counts of indicators in the periods that are computed, into the temporary table `counted`; and into
`flaw` what is wrong with one of them: whose lists of persons it lacks, what stands in for persons, which keys of the pseudonyms it mixes.

What adds up is taken from the counts that are kept (tasks.count.kept); reports of offices, holders and surveys are counted
for the periods that something changed in. An indicator whose condition fails is left out, and costs no other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from importlib import resources
from typing import Any

from sqlalchemy import Connection, text
from sqlalchemy.exc import DataError, ProgrammingError

from tasks.count.counting import Counting
from tasks.count.kept import Change, bring_all_up_to_date
from tasks.count.states import no_states
from tasks.count.things import mixed_keys
from warehouse.counted import Counted
from warehouse.indicators import Indicator, facts, indicators, measures
from warehouse.indicators.facts import CountedFact, kept
from warehouse.indicators.restated import kept_restated
from warehouse.pseudonym_key import SPOKE_BEFORE
from warehouse.tables import metadata

Failed = dict[str, str]
"""Indicators that are left out this night: code → why, in one line."""


def of(fact: str, left_out: Iterable[str] = ()) -> list[Indicator]:
    """Indicators of a fact but those left out."""
    return [i for i in indicators() if i.fact == fact and i.version_name not in set(left_out)]


def query_of(way: str) -> str:
    """SQL of a way of counting."""
    return resources.files(__package__).joinpath(f"{way}.sql").read_text("utf-8")


# Rows that add up -------------------------------------------------------------------------------------------------------


def count_rows(connection: Connection, counting: Counting, name: str, failed: Failed) -> list[Change]:
    """Brings what is kept of a fact up to date, for its indicators whose conditions hold together; others are added to `failed`."""
    for i in of(name):
        _try(connection, i, failed, partial(_prepare, connection, i))
    while True:
        counted = [each for kept_so in (kept, kept_restated) for each in kept_so(name, facts()[name], of(name, failed))]
        try:
            with connection.begin_nested():
                return bring_all_up_to_date(connection, counting, counted)
        except (DataError, ProgrammingError):
            known = len(failed)
            for i in of(name, failed):
                _try(connection, i, failed, partial(_count_alone, connection, counting, i))
            if len(failed) == known:
                raise


def _alone(i: Indicator) -> Counted:
    (counted,) = kept(i.fact, i.counted_fact, [i])
    return counted


def _prepare(connection: Connection, i: Indicator) -> None:
    counted = _alone(i)
    beside = no_states(counted.beside.table) if counted.beside else ""
    connection.execute(text(f"EXPLAIN {counted.over(no_states(counted.table), beside)}"))


def _count_alone(connection: Connection, counting: Counting, i: Indicator) -> None:
    counted = _alone(i)
    query = counted.over(counting.states(counted.table), counting.states(counted.beside.table) if counted.beside else "")
    connection.execute(text(f"SELECT sum(counts[1]) FROM ({query}) counting"), as_of(counting))


def _try(connection: Connection, i: Indicator, failed: Failed, step: Callable[[], Any]) -> None:
    try:
        with connection.begin_nested():
            step()
    except (DataError, ProgrammingError) as error:
        failed[i.version_name] = str(error.orig).splitlines()[0]


def as_of(counting: Counting) -> dict[str, Any]:
    """Values that the states of a counting bind."""
    return {"as_of": counting.as_of} if counting.is_vintage else {}


# Of every period --------------------------------------------------------------------------------------------------------


def count(connection: Connection, counting: Counting, keys: Mapping[str, int], touched: Iterable[str], failed: Failed) -> None:
    """Counts the periods in `touched_period` of the facts that something changed in, into `counted`."""
    of_ways = {"rows": _add_up, "reports": _reports, "carriers": _carriers, "holders": _holders, "waves": _waves}
    for name, fact in facts().items():
        if name in touched and fact.way in of_ways:
            of_ways[fact.way](connection, counting, name, fact, keys, failed)
    for i in indicators():
        if i.fallback in failed:
            failed[i.version_name] = f"{i.fallback}: {failed[i.fallback]}"
        elif i.fallback is not None:
            connection.execute(text(_FALLBACK), {"key": keys[i.version_name], "fallback": keys[i.fallback]})
            for statement in (_NOT_MISSING, _STANDS_IN):
                connection.execute(text(statement), {"key": keys[i.version_name]})


_FALLBACK = """
INSERT INTO counted
SELECT :key, unit_key, period, numerator, denominator, true, is_part FROM counted
WHERE indicator_key = :fallback AND (unit_key, period) NOT IN (SELECT unit_key, period FROM counted WHERE indicator_key = :key)
"""


# Where another count stands in, no list is missing from it, and no persons are in it whose keys could mix.
_NOT_MISSING = """
DELETE FROM flaw WHERE indicator_key = :key
    AND (unit_key, period) NOT IN (SELECT unit_key, period FROM counted WHERE indicator_key = :key AND NOT is_fallback)
"""
_STANDS_IN = """
INSERT INTO flaw SELECT indicator_key, unit_key, period, 'stands_in' FROM counted WHERE indicator_key = :key AND is_fallback
"""

_MIXED_KEYS = """
INSERT INTO flaw (indicator_key, unit_key, period, reason, key_number)
SELECT indicator_key, unit_key, period, 'mixed_keys', key_number FROM ({mixed}) mixed
"""


def _add_up(connection: Connection, counting: Counting, name: str, fact: CountedFact, keys: Mapping[str, int], failed: Failed) -> None:
    """Months, and longer periods as sums of their months; what counts once in a period was counted for each."""
    for counted in kept(name, fact, of(name, failed)):
        codes = [measure.removeprefix("n_") for measure in counted.measures[::2]]
        rows = ", ".join(f"({keys[code]:d}, {counted.place(f'n_{code}')}, {counted.place(f'd_{code}')})" for code in codes)
        if counted.things is None:
            part = "JOIN touched_part t ON t.is_month AND t.part_first_day = a.day"
        else:
            months = "CASE t.period_type WHEN 'month' THEN 1 WHEN 'quarter' THEN 3 ELSE 12 END"
            part = f"JOIN touched_period t ON t.first_day = a.day AND a.part = {months}"
        connection.execute(
            text(
                "INSERT INTO counted SELECT indicator_key, a.unit_key, t.period, sum(numerator), sum(denominator), false, false "
                f"FROM {counting.counts} a {part} CROSS JOIN LATERAL (VALUES {rows}) one (indicator_key, numerator, denominator) "
                "WHERE a.counted = :counted AND :fact = ANY(t.facts) GROUP BY indicator_key, a.unit_key, t.period"
                + (" HAVING sum(denominator) > 0" if fact.zero == "missing" else "")
            ),
            {"counted": counted.name, "fact": name},
        )
        if counted.things is not None:
            mixed = mixed_keys(counting, counted, counted.things, keys, "(SELECT * FROM touched_period WHERE :fact = ANY(facts))")
            connection.execute(text(_MIXED_KEYS.format(mixed=mixed)), {"fact": name})


def _reports(connection: Connection, counting: Counting, name: str, fact: CountedFact, keys: Mapping[str, int], failed: Failed) -> None:
    given = {
        "fact": name,
        "flows": [measure for measure, of_measure in measures().items() if of_measure.is_flow],
        "adding": [measure for measure, of_measure in measures().items() if of_measure.adds_up],
    }
    query = query_of(fact.way).replace("{states}", counting.states(str(fact.table))).replace("{day}", fact.day(None))
    connection.execute(text(query), given | as_of(counting))
    connection.execute(text("ANALYZE measured"))
    for i in of(name, failed):
        connection.execute(
            text("""
            INSERT INTO counted
            SELECT :key, n.unit_key, n.period, n.value, d.value, false, n.is_part OR d.is_part
            FROM measured n JOIN measured d USING (unit_key, period) WHERE n.measure = :numerator AND d.measure = :denominator
            """),
            {"key": keys[i.version_name], "numerator": i.numerator, "denominator": i.denominator},
        )


def _carriers(connection: Connection, counting: Counting, name: str, fact: CountedFact, keys: Mapping[str, int], failed: Failed) -> None:
    _each(connection, counting, name, fact, keys, failed, {"{states}": counting.states(str(fact.table))})


def _holders(connection: Connection, counting: Counting, name: str, fact: CountedFact, keys: Mapping[str, int], failed: Failed) -> None:
    """A period is told as its end was known; so the history is looked at, as far as it was known itself.

    Who counts what stands in for the persons, and lists nobody, is noted in `flaw`.
    """
    table = metadata.tables[fact.fullname]
    ends = "CASE WHEN known_to > :as_of THEN 'infinity' ELSE known_to END AS known_to"
    columns = ", ".join(ends if column.name == "known_to" and counting.is_vintage else column.name for column in table.columns)
    known = "known_to > known_from" + (" AND known_from <= :as_of" if counting.is_vintage else "")
    history = {"{history}": f"(SELECT {columns} FROM {fact.fullname} WHERE {known})", "{day}": fact.day(None)}
    for i in of(name, failed):
        if i.fallback is not None:
            other = next(one for one in indicators() if one.code == i.fallback)
            reports = {"{reports}": counting.states(str(other.counted_fact.table)), "{reported_day}": other.counted_fact.day(None)}
            query = _filled(query_of("unlisted"), {**history, **reports, "{reported}": other.numerator})
            _try(connection, i, failed, partial(connection.execute, text(query), _bound(query, i, name, keys, counting)))
    _each(connection, counting, name, fact, keys, failed, {"{spoke_before}": SPOKE_BEFORE, **history})


def _waves(connection: Connection, counting: Counting, name: str, fact: CountedFact, keys: Mapping[str, int], failed: Failed) -> None:
    _each(connection, counting, name, fact, keys, failed, {"{states}": counting.states(str(fact.table))})


def _each(
    connection: Connection,
    counting: Counting,
    name: str,
    fact: CountedFact,
    keys: Mapping[str, int],
    failed: Failed,
    source: Mapping[str, str],
) -> None:
    """One query an indicator."""
    for i in of(name, failed):
        query = _filled(query_of(fact.way), {**source, "{day}": fact.day(None), "{numerator}": i.numerator})
        _try(connection, i, failed, partial(connection.execute, text(query), _bound(query, i, name, keys, counting)))


def _filled(query: str, parts: Mapping[str, str]) -> str:
    for placeholder, sql in parts.items():
        query = query.replace(placeholder, sql)
    return query


def _bound(query: str, i: Indicator, fact: str, keys: Mapping[str, int], counting: Counting) -> dict[str, Any]:
    values = {"key": keys[i.version_name], "fact": fact, "code": i.version_name, "denominator": i.denominator, **as_of(counting)}
    return {name: value for name, value in values.items() if f":{name}" in query}


def counted_by(name: str, left_out: Iterable[str] = ()) -> Sequence[str]:
    """All texts that decide how a fact that is not kept counted counts."""
    fact = facts()[name]
    queries = [query_of(fact.way), *([query_of("unlisted")] if fact.way == "holders" else [])]
    return [repr(fact), *queries, repr(measures()), *(f"{i.version_name} {i.counted_as}" for i in of(name, left_out))]
