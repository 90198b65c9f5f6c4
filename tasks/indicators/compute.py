"""The units' counts → indicator values: added up the hierarchy, divided once.

Everything runs in the caller's transaction and in the database. `compute` brings the counts up to date and finds the periods that
changed (tasks.indicators.touched), counts them (tasks.count.counts) and leaves the temporary table `candidate`; `audit`
(tasks.indicators.audit) looks at it, `revise_indicators` (tasks.indicators.publish) publishes what differs. A value that cannot
have changed is no candidate: the published one holds. For a vintage, all that was known then is a candidate, and nothing that is
kept is touched.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import Connection, text

from tasks.count.counting import Counting
from tasks.count.counts import Failed, count
from tasks.indicators.audit import hold_back
from tasks.indicators.candidates import leave_candidates
from tasks.indicators.country import put_together
from tasks.indicators.expected import keep_spoken, leave_expected
from tasks.indicators.hierarchy import add_up
from tasks.indicators.publish import indicator_keys
from tasks.indicators.touched import Touched, leave_marks, touched
from warehouse import periods
from warehouse.bulk import analyze
from warehouse.indicators import facts, indicators


@dataclass(frozen=True)
class Candidates:
    """What a computation came to: the periods it looked at and how many values stand in `candidate`."""

    periods: tuple[str, ...]
    values: int
    uncounted: Failed = field(default_factory=dict)
    """Indicators whose declared condition failed: version → reason. The values published before hold."""


def compute(connection: Connection, counting: Counting) -> Candidates:
    """Computes the values that what is new since the last publication may have changed, into the temporary table `candidate`."""
    connection.execute(text(_TEMPORARY))
    connection.execute(text("SET LOCAL work_mem = '128MB'"))
    failed: Failed = {}
    found = touched(connection, counting, failed)
    computed, keys = found.all(), indicator_keys(connection)
    keep_spoken(connection, counting, found.expectations)
    leave_expected(connection, found.expectations, keys, found.published.union(computed))
    if computed:
        _calendar(connection, found, counting)
    if computed and found.is_of_country:
        put_together(connection, counting, keys)
    elif computed:
        count(connection, counting, keys, {name for name in facts() if found.periods[name]}, failed)
        connection.execute(text(_NO_MORE_WILL_COME))
        hold_back(connection)
        declared = [i for i in indicators() if i.version_name not in failed]
        add_up(connection, counting, keys, declared)
        leave_candidates(connection, counting, keys, declared, [i for i in declared if i.counted_fact.way == "listed"])
    leave_marks(connection, counting, failed)
    return Candidates(tuple(computed), connection.scalar(text("SELECT count(*) FROM candidate")) or 0, failed)


# Working tables --------------------------------------------------------------------------------------------------------

_TEMPORARY = """
DROP TABLE IF EXISTS touched_period, touched_part, counted, measured, held_back, reporting, listed, place, due, added_up,
  shown_indicator, shown_line, candidate, flaw;
CREATE TEMPORARY TABLE touched_period
  (period text PRIMARY KEY, period_type text, first_day date, last_day date, seen_to date, has_ended boolean,
   facts text[]) ON COMMIT DROP;
CREATE TEMPORARY TABLE touched_part
  (period text, part text, part_first_day date, part_last_day date, is_month boolean, lies_in text[], facts text[],
   PRIMARY KEY (period, part)) ON COMMIT DROP;
CREATE TEMPORARY TABLE counted
  (indicator_key smallint, unit_key integer, period text, numerator bigint, denominator bigint, is_fallback boolean, is_part boolean)
  ON COMMIT DROP;
CREATE TEMPORARY TABLE flaw
  (indicator_key smallint, unit_key integer, period text, reason text, provider_key smallint, key_number smallint) ON COMMIT DROP;
CREATE TEMPORARY TABLE held_back
  (indicator_key smallint, unit_key integer, period text, reason_vi text, PRIMARY KEY (indicator_key, unit_key, period)) ON COMMIT DROP;
CREATE TEMPORARY TABLE measured (unit_key integer, period text, measure text, value bigint, is_part boolean) ON COMMIT DROP;
CREATE TEMPORARY TABLE reporting (unit_key integer, period text, PRIMARY KEY (unit_key, period)) ON COMMIT DROP;
CREATE TEMPORARY TABLE place
  (period text, unit_key integer, unit_level text, parent_key integer, is_in_force boolean, is_at_end boolean,
   PRIMARY KEY (period, unit_key)) ON COMMIT DROP;
CREATE TEMPORARY TABLE listed (name text, unit_key integer, valid_from date, valid_to date) ON COMMIT DROP;
CREATE TEMPORARY TABLE due
  (sent_by text, unit_key integer, period text, units integer, units_ever integer, PRIMARY KEY (unit_key, period, sent_by))
  ON COMMIT DROP;
CREATE TEMPORARY TABLE added_up
  (indicator_key smallint, unit_key integer, period text, numerator bigint, denominator bigint, units integer, units_ever integer,
   is_firm boolean) ON COMMIT DROP;
CREATE TEMPORARY TABLE candidate
  (indicator_key smallint, unit_key integer, period text, numerator bigint, denominator bigint, value numeric, obs_status text,
   obs_reason text, key_numbers smallint[], units_counted integer, units_expected integer, providers_missing smallint[]) ON COMMIT DROP;
"""


def _calendar(connection: Connection, found: Touched, counting: Counting) -> None:
    for period in found.all():
        first, last = periods.days(period)
        names = [name for name in facts() if period in found.periods[name]]
        connection.execute(
            text("INSERT INTO touched_period VALUES (:period, :period_type, :first_day, :last_day, :seen_to, :has_ended, :facts)"),
            {
                "period": period,
                "period_type": periods.period_type(period),
                "first_day": first,
                "last_day": last,
                "seen_to": max(first, min(last, counting.today)),
                "has_ended": counting.has_ended(period),
                "facts": names,
            },
        )
        connection.execute(
            text("INSERT INTO touched_part VALUES (:period, :part, :first_day, :last_day, :is_month, :lies_in, :facts)"),
            [
                {
                    "period": period,
                    "part": part,
                    "first_day": periods.days(part)[0],
                    "last_day": periods.days(part)[1],
                    "is_month": periods.period_type(part) == "month",
                    "lies_in": periods.containing(part)[1:],
                    "facts": names,
                }
                for part in periods.parts(period)
            ],
        )
    analyze(connection, "touched_period", "touched_part")


# What rests on a part of a period is all there is where a steward said that no more will come.
_NO_MORE_WILL_COME = """
UPDATE counted c SET is_part = false
FROM expected e WHERE is_part AND is_closed AND (c.indicator_key, c.period) = (e.indicator_key, e.period)
"""
