"""The rows that stand behind a value of an indicator, one line a row of a delivery, and whether it makes the numerator."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import Uuid

from warehouse.counted import SCHEMA
from warehouse.indicators.facts import CountedFact, Way
from warehouse.pseudonym_key import SPOKE_BEFORE
from warehouse.tables import metadata

if TYPE_CHECKING:
    from warehouse.indicators import Indicator

# Rows by their conditions, over the columns these are declared for.
_ROWS = """
SELECT row_key, delivery_id, coalesce(({numerator}), FALSE) AS is_in_numerator
FROM ({select}) counted_row
WHERE {unit} = ANY(:units) AND {day} BETWEEN :first AND :last AND ({denominator})
"""

# Both measures of a unit: of what was reported for the period and inside it the last of a stock; of a flow what nothing longer holds.
_BY_OFFICES = """
SELECT s.delivery_id, s.measure = :numerator AS is_in_numerator
FROM said s
WHERE NOT EXISTS (SELECT FROM said w WHERE (w.unit_key, w.measure) = (s.unit_key, s.measure) AND w.period = ANY(s.lies_in))
  AND (s.measure = ANY(:flows)
    OR NOT EXISTS (SELECT FROM said w WHERE (w.unit_key, w.measure) = (s.unit_key, s.measure) AND w.last_day > s.last_day))
"""
_SAID = """
WITH said AS (
    SELECT f.delivery_id, f.unit_key, f.measure, part.*
    FROM warehouse.fact_unit_count f
    JOIN json_to_recordset(CAST(:inside AS json)) part (period text, last_day date, lies_in text[]) USING (period)
    WHERE f.known_to = 'infinity' AND f.unit_key = ANY(:units) AND f.measure IN (:numerator, :denominator)
)
"""

# The last month of each carrier, over what offices counted.
_SIGNATURES = (
    _SAID
    + """
SELECT * FROM (
    SELECT DISTINCT ON (provider_key, unit_key) delivery_id, true AS is_in_numerator FROM warehouse.fact_signature
    WHERE known_to = 'infinity' AND unit_key = ANY(:units) AND month = ANY(:parts) AND {numerator} IS NOT NULL
    ORDER BY provider_key, unit_key, month DESC
) carrier
UNION ALL """
    + _BY_OFFICES
)

_HERE = """(unit_key = ANY(:units)
    OR unit_key IN (SELECT l.earlier_key FROM warehouse.bridge_unit_lineage l WHERE l.extent = 'whole' AND l.unit_key = ANY(:units)))"""

_SPOKE_BEFORE = SPOKE_BEFORE.format(history="(SELECT * FROM warehouse.fact_signature_holder WHERE known_to > known_from)")

# Each person once, by the last certificate that held at the end of the period, wherever that lies; a unit that went whole into another
# takes its people along.
_PERSONS = f"""
SELECT delivery_id, is_of_unknown_age FROM (
    SELECT DISTINCT ON (holder_hash) delivery_id, unit_key, adult_from IS NULL AS is_of_unknown_age
    FROM (
        SELECT h.*, known_from = min(known_from) OVER (PARTITION BY provider_key, holder_hash)
            AND (known_from >= since AND issued_on < used_on) IS NOT TRUE AS is_first, CAST(:last AS date) AS at_end
        FROM warehouse.fact_signature_holder h LEFT JOIN ({_SPOKE_BEFORE}) before USING (provider_key, key_number)
        WHERE known_to > known_from AND holder_hash IN (SELECT holder_hash FROM warehouse.fact_signature_holder WHERE {_HERE})
    ) state
    WHERE issued_on <= :last AND (is_first OR known_from < :ends_at) AND known_to >= :ends_at AND unit_key <> 0 AND ({{numerator}})
    ORDER BY holder_hash, issued_on DESC, provider_key
) person
WHERE {_HERE}
"""

# The same over what offices counted.
_HOLDERS = _SAID + f"SELECT delivery_id, true AS is_in_numerator FROM ({_PERSONS}) person UNION ALL " + _BY_OFFICES

# The last time each unit was asked in the period.
_SURVEYS = """
SELECT DISTINCT ON (unit_key) delivery_id, true AS is_in_numerator FROM warehouse.fact_survey
WHERE known_to = 'infinity' AND asked_on BETWEEN :first AND :last AND unit_key = ANY(:units) AND question_code = :code
ORDER BY unit_key, asked_on DESC, wave DESC, survey_code
"""

# Its own row, in the edition of its province; under the country, those of the provinces.
_EDITIONS = """
SELECT f.delivery_id, true AS is_in_numerator FROM warehouse.fact_edition f JOIN warehouse.dim_unit u USING (unit_key)
WHERE f.known_to = 'infinity' AND f.unit_key = ANY(:units) AND f.indicator_code = :code AND f.period = :period
  AND (u.unit_level = 'province' OR NOT EXISTS (
    SELECT FROM warehouse.dim_unit province WHERE province.unit_key = ANY(:units) AND province.unit_level = 'province'))
"""

_BEHIND: dict[Way, str] = {
    "reports": _SAID + _BY_OFFICES,
    "carriers": _SIGNATURES,
    "holders": _HOLDERS,
    "waves": _SURVEYS,
    "editions": _EDITIONS,
}
"""Way of counting, but for rows → what stands behind a value; of a declared list, nothing does."""


_OF_A_CASE = ("dossier_code", "bill_code", "transaction_code", "dossier_key", "order_key")
"""Columns by which a single case is looked up elsewhere; like the pseudonyms of persons they decide no value, and no steward reads them."""


def _current(table: str) -> str:
    """The states of a fact that hold now, without whose or which case they are: a relation in SQL."""
    columns = [column for column in metadata.tables[f"{SCHEMA}.{table}"].columns if column.name not in _OF_A_CASE]
    named = ", ".join(f"NULL::uuid AS {column.name}" if isinstance(column.type, Uuid) else column.name for column in columns)
    return f"(SELECT {named}, 1 AS sign FROM {SCHEMA}.{table} WHERE known_to = 'infinity')"


def states_behind(fact: CountedFact) -> str:
    """SELECT of the rows of a fact that hold now, with every column that conditions may use."""
    select = fact.select().replace("{states}", _current(str(fact.table)))
    return select if fact.beside is None else select.replace("{beside}", _current(fact.beside.table))


def cases_behind(fact: CountedFact, indicator: Indicator) -> str | None:
    """SELECT row_key, delivery_id, is_in_numerator of the cases in the denominator of an indicator; nothing where no rows are counted.

    Binds :units, :first and :last, as `rows_behind`.
    """
    if fact.way != "rows":
        return None
    amount = fact.amounts.get(indicator.count)
    return _ROWS.format(
        numerator=f"({indicator.numerator}) AND {amount[0]} > 0" if amount else indicator.numerator,
        denominator=indicator.denominator,
        day=fact.day(indicator.counted_by),
        unit=fact.unit(indicator.counted_by),
        select=states_behind(fact),
    )


def rows_behind(fact: CountedFact, indicator: Indicator) -> str | None:
    """SELECT delivery_id, is_in_numerator of the rows that stand behind a value of an indicator; nothing where none do.

    Binds, where it names them, :units (keys of the unit and all below it), :first and :last day of the period and :ends_at, :parts
    (the period and all inside it), :inside (the same as JSON: period, last_day, lies_in), :flows, :code, :period, :numerator, :denominator.
    """
    cases, query = cases_behind(fact, indicator), _BEHIND.get(fact.way)
    if cases is None:
        return query and query.format(numerator=indicator.numerator)
    if fact.beside is None:
        return cases
    return (
        f"WITH behind AS ({cases}) SELECT delivery_id, is_in_numerator FROM behind UNION ALL "
        f"SELECT b.delivery_id, TRUE FROM {_current(fact.beside.table)} b "
        f"JOIN behind ON behind.row_key = b.{fact.beside.by} AND behind.is_in_numerator"
    )


def of_unknown_age(indicator: Indicator) -> str | None:
    """SELECT of how many of the persons counted have no age stated; nothing where no persons are counted. Binds as `rows_behind`."""
    if indicator.counted_fact.way != "holders":
        return None
    return f"SELECT count(*) FROM ({_PERSONS.format(numerator=indicator.numerator)}) person WHERE is_of_unknown_age"
