"""The whole country from what its provinces signed: their values as they are, and above them the sum, divided once.

A value of a province, or of a unit below it, is carried over with its status and its reason: it was counted, audited and signed at
home. The country's own is made of the provinces' counts by the same rules as a province's is of its communes': stocks of those there
are at the end, flows of all there were, nothing of samples; and it rests on so many of the provinces that have anything to send.
"""

from __future__ import annotations

from sqlalchemy import Connection

from tasks.count.counting import Counting
from tasks.count.counts import as_of, query_of
from tasks.indicators.audit import hold_back
from tasks.indicators.candidates import leave_candidates
from tasks.indicators.hierarchy import add_up_to, flaws_above, held, leave_places
from warehouse.bulk import analyze
from warehouse.country import COUNTRY
from warehouse.indicators import facts, indicators
from warehouse.queries import execute_with


def put_together(connection: Connection, counting: Counting, keys: dict[str, int]) -> None:
    """Leaves the values of the touched periods in `candidate`: those of the editions in force, and the country's."""
    fact = facts()["edition"]
    # Of how many communes some are on a list, every province tells, whoever has any on it.
    declared = [i.model_copy(update={"sent_by": "all"}) if i.counted_fact.way == "listed" else i for i in indicators()]
    of_indicators = ("version", "is_count", "is_stock", "decimals", "listed_from", "listed_to")
    given = {
        "keys": [keys[i.version_name] for i in declared],
        "codes": [i.code for i in declared],
        "country": COUNTRY,
        **{name: [getattr(i, name) for i in declared] for name in of_indicators},
        **as_of(counting),
    }
    editions = query_of(fact.way).replace("{states}", counting.states(str(fact.table))).replace("{day}", fact.day(None))

    def run(statement: str) -> None:
        execute_with(connection, statement.replace("{editions}", f"({editions})").replace("{held}", held(counting)), given)

    run(_COUNTED)
    hold_back(connection)
    leave_places(connection, counting, keys, declared)
    for statement in (_NOT_COMMUNES, _PROVINCES_DUE, _PROVINCES, _FLAWS):
        run(statement)
    add_up_to(connection, "country", keys, declared)
    flaws_above(connection, keys, declared)
    leave_candidates(connection, counting, keys, declared, [], _LINES)
    for statement in (_BREAKS, _CARRIED):
        run(statement)
    analyze(connection, "candidate")
    run(_GONE)


# Nothing is added up from communes, of which some may be withheld.
_COUNTED = """
INSERT INTO counted
SELECT indicator_key, unit_key, period, numerator, denominator, false, obs_status = 'P' FROM {editions} e
WHERE numerator IS NOT NULL AND denominator IS NOT NULL
"""

_NOT_COMMUNES = "DELETE FROM due USING warehouse.dim_unit u WHERE u.unit_key = due.unit_key AND u.unit_code = :country"

# Provinces of which a commune has anything to send: those there are at the end, and those that ever were in the period.
_PROVINCES_DUE = """
INSERT INTO due
SELECT d.sent_by, p.parent_key, p.period, count(*) FILTER (WHERE p.is_at_end AND d.units > 0), count(*) FILTER (WHERE d.units_ever > 0)
FROM place p JOIN due d USING (unit_key, period)
WHERE p.unit_level = 'province' AND p.parent_key IS NOT NULL GROUP BY 1, 2, 3
"""

_PROVINCES = """
INSERT INTO added_up
SELECT c.indicator_key, c.unit_key, c.period, c.numerator, c.denominator, 1, 1, NOT c.is_part
FROM counted c JOIN place p USING (unit_key, period) WHERE p.unit_level = 'province'
"""

# What a province's own value lacks, which keeps it provisional.
_FLAWS = """
INSERT INTO flaw (indicator_key, unit_key, period, reason)
SELECT indicator_key, unit_key, period, obs_reason FROM {editions} e JOIN place p USING (unit_key, period)
WHERE p.unit_level = 'province' AND obs_status = 'P' AND obs_reason IS NOT NULL
"""

_LINES = """
CREATE TEMPORARY TABLE shown_line ON COMMIT DROP AS
SELECT p.period, p.unit_key, published.period IS NULL AS is_new, p.unit_level, u.province_code, u.valid_to,
    d.sent_by, d.units, d.units_ever, NULL::bigint AS units_sending
FROM place p
JOIN warehouse.dim_unit u USING (unit_key)
JOIN due d USING (unit_key, period)
LEFT JOIN (
    SELECT DISTINCT f.period, f.unit_key FROM warehouse.fact_indicator f JOIN touched_period USING (period) WHERE f.{held}
) published USING (period, unit_key)
WHERE p.unit_level = 'country' AND p.period IN (SELECT period FROM counted)
"""

# A sum is no longer like those before it where a part of it is not.
_BREAKS = """
UPDATE candidate c SET obs_status = 'B'
FROM (
    SELECT DISTINCT indicator_key, p.parent_key AS unit_key, period FROM {editions} e JOIN place p USING (unit_key, period)
    WHERE p.unit_level = 'province' AND obs_status = 'B' AND (p.is_at_end OR NOT is_stock)
) broken
WHERE (c.indicator_key, c.unit_key, c.period) = (broken.indicator_key, broken.unit_key, broken.period) AND c.obs_status = 'A'
"""

_CARRIED = """
INSERT INTO candidate
SELECT indicator_key, unit_key, period, numerator, denominator, value, obs_status, obs_reason, NULL, units_counted, units_expected, NULL
FROM {editions} e
"""

# What no edition in force tells any more has been told, and is missing now.
_GONE = """
INSERT INTO candidate (indicator_key, unit_key, period, obs_status)
SELECT f.indicator_key, f.unit_key, f.period, 'L'
FROM touched_period t
JOIN warehouse.fact_indicator f ON f.period = t.period AND f.{held}
JOIN (SELECT unnest(CAST(:keys AS smallint[])) AS indicator_key, unnest(CAST(:listed_from AS date[])) AS listed_from,
    unnest(CAST(:listed_to AS date[])) AS listed_to) i ON i.indicator_key = f.indicator_key AND t.last_day BETWEEN listed_from AND listed_to
WHERE NOT EXISTS (
    SELECT FROM candidate c WHERE (c.indicator_key, c.unit_key, c.period) = (f.indicator_key, f.unit_key, f.period))
"""
