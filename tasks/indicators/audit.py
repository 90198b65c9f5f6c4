"""A look at computed values before they are published: what cannot be right is held back, alone, as is what somebody rejected.

Held back means that no number is shown (L, held_back). The value published before does not stay in its place: no delivery in force
says it any more, and the units above could not be the sum of what stands below them; it still answers as known then. A unit's own
count that cannot be right is taken out before counts are added up, so that the units above are incomplete (P), not wrong.
"""

from __future__ import annotations

from datetime import date

from sqlalchemy import Connection, text

from tasks.count.held_back import HeldBack, write_held_back
from tasks.count.revisions import Publication
from tasks.indicators.publish import indicator_keys
from warehouse.indicators import indicators, never_more_together


def hold_back(connection: Connection) -> None:
    """Moves the units' own counts that cannot be right out of `counted`, before they are added up, into `held_back` with the reason."""
    keys = indicator_keys(connection)
    several = [i for i in indicators() if (i.listed_from, i.listed_to) != (date.min, date.max)]
    if several:
        listed = {name: [getattr(i, name) for i in several] for name in ("listed_from", "listed_to")}
        connection.execute(text(_OF_ANOTHER_VERSION), listed | {"keys": [keys[i.version_name] for i in several]})
    _hold(connection, "counted", keys)
    connection.execute(text(_OUT_OF.format(table="counted")))


def audit(connection: Connection, publication: Publication) -> list[HeldBack]:
    """Holds back the candidates that cannot be right, beside what `hold_back` took out, and tells what was held back."""
    keys = indicator_keys(connection)
    stock = {"stock": [keys[i.version_name] for i in indicators() if i.is_stock]}
    whole = {"whole": [keys[i.version_name] for i in indicators() if i.counted_fact.counts_whole]}
    _hold(connection, "candidate", keys)
    connection.execute(text(_NOT_THE_SUM), stock)
    connection.execute(text(_NO_NUMBER))
    connection.execute(text(_INCOMPLETE_ABOVE), stock | whole)
    return write_held_back(connection, publication, _LOOKED_AT, _HELD)


def out_of_what_was_added_up(connection: Connection) -> None:
    """Takes units whose own count is held back out of `added_up`: what stands above them is incomplete without them."""
    connection.execute(text(_OUT_OF.format(table="added_up")))


def _hold(connection: Connection, table: str, keys: dict[str, int]) -> None:
    """Notes what of `counted` or `candidate` cannot be right, or was rejected."""
    may_exceed = {"may_exceed": [keys[i.version_name] for i in indicators() if i.may_exceed]}
    connection.execute(text(_IMPOSSIBLE.format(table=table)), may_exceed)
    for group in never_more_together():
        parts = {"parts": [keys[i.version_name] for i in indicators() if i.code in group], "names": " và ".join(group)}
        connection.execute(text(_PARTS.format(table=table)), parts)
    connection.execute(text(_REJECTED.format(table=table)))


# A version counts whatever it is asked to: what is shown by another one is none of its.
_OF_ANOTHER_VERSION = """
DELETE FROM counted c
USING touched_period t, (SELECT unnest(CAST(:keys AS smallint[])) AS indicator_key, unnest(CAST(:listed_from AS date[])) AS listed_from,
    unnest(CAST(:listed_to AS date[])) AS listed_to) i
WHERE c.indicator_key = i.indicator_key AND c.period = t.period AND t.last_day NOT BETWEEN i.listed_from AND i.listed_to
"""


def _with_dots(count: str) -> str:
    """SQL of a count as it is written in Vietnamese."""
    return f"replace(to_char({count}, 'FM999,999,999,999,990'), ',', '.')"


_IMPOSSIBLE = f"""
INSERT INTO held_back
SELECT indicator_key, unit_key, period, CASE WHEN least(numerator, denominator) < 0 THEN 'số âm' ELSE 'tử số lớn hơn mẫu số' END
    || ' (' || {_with_dots("numerator")} || '/' || {_with_dots("denominator")} || ')'
FROM {{table}}
WHERE numerator > denominator AND indicator_key <> ALL(CAST(:may_exceed AS smallint[])) OR numerator < 0 OR denominator < 0
ON CONFLICT DO NOTHING
"""

_PARTS = f"""
INSERT INTO held_back
SELECT indicator_key, unit_key, period, 'cộng ' || CAST(:names AS text) || ' vượt quá mẫu số ('
    || {_with_dots("together")} || '/' || {_with_dots("whole")} || ')'
FROM {{table}} JOIN (
    SELECT unit_key, period, sum(numerator) AS together, max(denominator) AS whole FROM {{table}}
    WHERE indicator_key = ANY(CAST(:parts AS smallint[])) GROUP BY unit_key, period HAVING sum(numerator) > max(denominator)
) too_much USING (unit_key, period)
WHERE indicator_key = ANY(CAST(:parts AS smallint[]))
ON CONFLICT DO NOTHING
"""

# Somebody did not accept this very number (tasks.indicators.edition).
_REJECTED = """
INSERT INTO held_back
SELECT t.indicator_key, t.unit_key, t.period, 'không được chấp nhận công bố: ' || a.reason
FROM ops.alarm a
JOIN warehouse.dim_indicator i ON i.indicator_code = a.indicator_code AND i.known_to = 'infinity'
JOIN {table} t ON (t.indicator_key, t.unit_key, t.period) = (i.indicator_key, a.unit_key, a.period)
    AND (t.numerator, t.denominator) IS NOT DISTINCT FROM (a.numerator, a.denominator)
WHERE a.ended_by IS NULL AND a.decision = 'rejected'
ON CONFLICT DO NOTHING
"""

# Where the unit reported nothing itself, its number is the sum of what stands below it, and of nothing else.
_NOT_THE_SUM = """
INSERT INTO held_back
SELECT indicator_key, unit_key, period, 'số của đơn vị khác tổng các đơn vị cấp dưới'
FROM (
    SELECT c.indicator_key, c.unit_key, c.period
    FROM candidate c JOIN (
        SELECT a.indicator_key, p.parent_key AS unit_key, p.period, sum(a.numerator) AS numerator, sum(a.denominator) AS denominator
        FROM added_up a JOIN place p USING (period, unit_key)
        WHERE p.is_at_end OR a.indicator_key <> ALL(CAST(:stock AS smallint[])) GROUP BY a.indicator_key, p.parent_key, p.period
    ) below USING (indicator_key, unit_key, period)
    WHERE (below.numerator, below.denominator) IS DISTINCT FROM (c.numerator, c.denominator) AND c.obs_status <> 'M'
    OFFSET 0  -- few, if any, are looked up in what the units reported
) other
WHERE (indicator_key, unit_key, period) NOT IN (SELECT indicator_key, unit_key, period FROM counted)
ON CONFLICT DO NOTHING
"""

_OUT_OF = """
DELETE FROM {table} c USING held_back h WHERE (c.indicator_key, c.unit_key, c.period) = (h.indicator_key, h.unit_key, h.period)
"""

_NO_NUMBER = """
MERGE INTO candidate c USING held_back h ON (c.indicator_key, c.unit_key, c.period) = (h.indicator_key, h.unit_key, h.period)
WHEN MATCHED AND c.obs_status <> 'M' THEN
    UPDATE SET numerator = NULL, denominator = NULL, value = NULL, obs_status = 'L', obs_reason = 'held_back', key_numbers = NULL,
        units_counted = NULL, units_expected = NULL, providers_missing = NULL
WHEN NOT MATCHED THEN
    INSERT (indicator_key, unit_key, period, obs_status, obs_reason) VALUES (h.indicator_key, h.unit_key, h.period, 'L', 'held_back')
"""

# Most are incomplete since a unit below them is missing; those held back after the adding up are told here. A figure reported for a
# unit as a whole needs nothing from below.
_INCOMPLETE_ABOVE = """
WITH RECURSIVE above AS (
    SELECT h.indicator_key, h.period, p.parent_key AS unit_key FROM held_back h JOIN place p USING (period, unit_key)
    WHERE p.is_at_end OR h.indicator_key <> ALL(CAST(:stock AS smallint[]))
  UNION
    SELECT a.indicator_key, a.period, p.parent_key FROM above a JOIN place p USING (period, unit_key)
    WHERE (a.indicator_key <> ALL(CAST(:whole AS smallint[]))
            OR (a.indicator_key, a.unit_key, a.period) NOT IN (SELECT indicator_key, unit_key, period FROM counted))
)
UPDATE candidate c SET obs_status = 'P'
FROM above a
WHERE (c.indicator_key, c.unit_key, c.period) = (a.indicator_key, a.unit_key, a.period) AND c.obs_status IN ('A', 'B')
  AND (a.indicator_key <> ALL(CAST(:whole AS smallint[]))
    OR (a.indicator_key, a.unit_key, a.period) NOT IN (SELECT indicator_key, unit_key, period FROM counted))
"""

_HELD = """
SELECT indicator_code, unit_key, period, reason_vi
FROM held_back JOIN warehouse.dim_indicator USING (indicator_key) WHERE known_to = 'infinity'
"""
_LOOKED_AT = """
SELECT indicator_code, unit_key, period FROM candidate JOIN warehouse.dim_indicator USING (indicator_key) WHERE known_to = 'infinity'
UNION
SELECT indicator_code, unit_key, period FROM ops.held_back
WHERE released_by IS NULL AND indicator_code IN (SELECT indicator_code FROM warehouse.dim_indicator)
  AND indicator_code NOT IN (SELECT indicator_code FROM warehouse.dim_indicator WHERE known_to = 'infinity')  -- taken out
"""
