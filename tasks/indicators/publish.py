"""Indicators as declared → their versions and states in the warehouse; candidate values → revisions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, select, text, update

from tasks.count.revisions import Publication, Revised, number, revise
from tasks.indicators.expected import keep_reach
from warehouse.indicators import Indicator, indicators
from warehouse.periods import days
from warehouse.tables import dim_indicator, dim_target, fact_indicator

KEYS = ("indicator_key", "unit_key", "period")
VALUES = ("numerator", "denominator", "value", "obs_status", "obs_reason", "key_numbers")
COVERS = ("units_counted", "units_expected", "providers_missing")

Version = tuple[str, int]
"""Code of an indicator and number of the version under it."""
State = dict[str, Any]
"""Columns of dim_indicator that are declared, and `targets`, rows of dim_target."""

_DECLARED = (
    "indicator_name", "official_table", "pillar", "definition", "legal_source", "unit_measure", "decimals", "sort_order",
    "valid_from", "valid_to", "counted_as", "numerator_counts", "denominator_counts", "may_exceed", "fallback_note",
)  # fmt: skip
_TARGET = ("kind", "valid_from", "valid_to", "target", "population", "legal_source", "document_date", "place", "province_code")
_IN_FORCE = dim_indicator.c.known_to == text("'infinity'")


def declare_indicators(connection: Connection, publication: Publication) -> None:
    """Brings dim_indicator and dim_target to what the YAML declares, as known from the publication on.

    A version that is declared otherwise goes on as another state, one that is taken out ends. A vintage only learns of versions
    never seen before: what was known then is not its to change.
    """
    declared = {(indicator.code, indicator.version): indicator for indicator in indicators()}
    keys, known = _keys(connection), _known(connection)
    new = [version for version in declared if version not in keys]
    other = [version for version in declared if version in keys and known.get(version) != _state(declared[version])]
    gone = [version for version in known if version not in declared]
    for version in new:
        _begin(connection, declared[version], "-infinity", None, datetime.now(UTC))
    follows = [code for code, _ in new if (code, 1) in keys]
    if publication.is_vintage or not (other or gone or follows):
        return
    counted_since = {version: _counted_since(connection, keys[version], declared[version]) for version in other}
    _end(connection, [keys[version] for version in (*other, *gone)], publication.as_of)
    for version in other:
        _begin(connection, declared[version], publication.as_of, keys[version], counted_since[version])
    publication.is_declared_anew = True


def indicator_keys(connection: Connection) -> dict[str, int]:
    """Name of a version (`Indicator.version_name`, the code for the first) → its key, for every version declared."""
    keys = _keys(connection)
    return {indicator.version_name: keys[indicator.code, indicator.version] for indicator in indicators()}


def revise_indicators(connection: Connection, publication: Publication) -> Revised:
    """Publishes the values of `candidate` that differ from those in force, and what they wait for.

    Those end that no version declared shows any more.
    """
    keep_reach(connection, publication)
    if publication.is_declared_anew:
        number(connection, publication)
    keys, periods = _shown_no_more(connection) if publication.is_declared_anew else ([], [])
    return revise(
        connection,
        publication,
        fact_indicator,
        "candidate",
        keys=KEYS,
        values=(*VALUES, *COVERS),
        counted_as="values",
        among="TRUE" if keys else "f.period IN (SELECT period FROM touched_period)",
        ends=_ENDS if keys else "FALSE",
        where={"keys": keys, "periods": periods},
        same_line=SAME_LINE if any(i.version > 1 for i in indicators()) else None,
    )


# A period that another version of the indicator shows now goes on counting its revisions.
SAME_LINE = """
f.unit_key = c.unit_key AND f.period = c.period AND (f.indicator_key, c.indicator_key) IN (
    SELECT a.indicator_key, b.indicator_key FROM warehouse.dim_indicator a JOIN warehouse.dim_indicator b USING (indicator_code))
"""
_ENDS = "(f.indicator_key, f.period) IN (SELECT unnest(CAST(:keys AS smallint[])), unnest(CAST(:periods AS text[])))"


def _shown_no_more(connection: Connection) -> tuple[list[int], list[str]]:
    """Keys and periods of values in force whose version was taken out, or has left the period to another one."""
    keys = indicator_keys(connection)
    shown = {keys[i.version_name]: i for i in indicators()}
    in_force = select(fact_indicator.c.indicator_key, fact_indicator.c.period).where(fact_indicator.c.known_to == text("'infinity'"))
    gone = [
        (row.indicator_key, row.period)
        for row in connection.execute(in_force.distinct())
        if (i := shown.get(row.indicator_key)) is None or not i.listed_from <= days(row.period)[1] <= i.listed_to
    ]
    return [key for key, _ in gone], [period for _, period in gone]


def _state(indicator: Indicator) -> State:
    targets = sorted(
        (t.kind, t.valid_from, t.valid_to, t.value, t.population, t.source, t.dated, t.place, t.province) for t in indicator.targets
    )
    return {name: getattr(indicator, name.removeprefix("indicator_")) for name in _DECLARED} | {"targets": targets}


def _known(connection: Connection) -> dict[Version, State]:
    """The states in force."""
    targets: dict[int, list[tuple[Any, ...]]] = defaultdict(list)
    of_state = dim_target.join(dim_indicator)
    for row in connection.execute(
        select(dim_target.c.indicator_key, *(dim_target.c[name] for name in _TARGET)).select_from(of_state).where(_IN_FORCE)
    ):
        targets[row.indicator_key].append(tuple(row)[1:])
    columns = [dim_indicator.c[name] for name in ("indicator_key", "indicator_code", "version", *_DECLARED)]
    return {
        (row.indicator_code, row.version): {name: getattr(row, name) for name in _DECLARED}
        | {"targets": sorted(targets[row.indicator_key])}
        for row in connection.execute(select(*columns).where(_IN_FORCE))
    }


def _keys(connection: Connection) -> dict[Version, int]:
    """Key of every version ever declared."""
    rows = connection.execute(select(dim_indicator.c.indicator_code, dim_indicator.c.version, dim_indicator.c.indicator_key).distinct())
    return {(row.indicator_code, row.version): row.indicator_key for row in rows}


def _counted_since(connection: Connection, key: int, indicator: Indicator) -> datetime:
    """Since when a version is counted as it is declared now: since the state before, unless that was counted otherwise or had ended."""
    counted_alike = (dim_indicator.c.indicator_key == key) & _IN_FORCE & (dim_indicator.c.counted_as == indicator.counted_as)
    return connection.scalar(select(dim_indicator.c.counted_since).where(counted_alike)) or datetime.now(UTC)


def _end(connection: Connection, keys: Collection[int], as_of: datetime) -> None:
    """Ends the states in force; one that began with the same state of knowledge never held."""
    current = dim_indicator.c.indicator_key.in_(keys) & _IN_FORCE
    connection.execute(delete(dim_indicator).where(current, dim_indicator.c.known_from == as_of))
    connection.execute(update(dim_indicator).where(current).values(known_to=as_of))


def _begin(connection: Connection, indicator: Indicator, known_from: datetime | str, key: int | None, counted_since: datetime) -> None:
    """Writes a state with its targets; without a key, that of a version never seen before."""
    row = _state(indicator)
    targets = [dict(zip(_TARGET, target, strict=True)) for target in row.pop("targets")]
    row |= {"indicator_code": indicator.code, "version": indicator.version, "known_from": known_from, "counted_since": counted_since}
    if key is not None:
        row["indicator_key"] = key
    key = connection.execute(insert(dim_indicator).values(row).returning(dim_indicator.c.indicator_key)).scalar_one()
    if targets:
        connection.execute(insert(dim_target), [{"indicator_key": key, "known_from": known_from, **target} for target in targets])
