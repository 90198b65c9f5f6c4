"""What becomes of units over time, as relations in SQL: what stands above them, what they came from, where their things belong later."""

from __future__ import annotations

ABOVE = """
WITH RECURSIVE above AS (
    SELECT unit_key, unit_key AS ancestor_key, unit_level AS section, valid_from, valid_to, parent_code FROM warehouse.dim_unit
  UNION ALL
    SELECT a.unit_key, p.unit_key, a.section, greatest(a.valid_from, p.valid_from), least(a.valid_to, p.valid_to), p.parent_code
    FROM above a JOIN warehouse.dim_unit p ON p.unit_code = a.parent_code AND p.valid_from <= a.valid_to AND p.valid_to >= a.valid_from
)
SELECT unit_key, ancestor_key, section, valid_from, valid_to FROM above
UNION ALL
SELECT 0, p.unit_key, 'unknown', p.valid_from, p.valid_to FROM warehouse.dim_unit p
WHERE p.unit_level = 'province' AND NOT EXISTS (
    SELECT FROM warehouse.dim_unit q WHERE q.unit_level = 'province' AND q.unit_key <> p.unit_key
      AND q.valid_from <= p.valid_to AND q.valid_to >= p.valid_from)
"""
"""One row per unit and unit above it, itself included, with the days on which it stood there.

What belongs to no unit stands under the province, while there is one alone.
"""

PLACE = """unit.parent_code,
       (SELECT parent.unit_name FROM warehouse.dim_unit AS parent
           WHERE parent.unit_code = unit.parent_code AND unit.valid_to BETWEEN parent.valid_from AND parent.valid_to) AS parent_name,
       unit.province_code,
       (SELECT province.unit_name FROM warehouse.dim_unit AS province
           WHERE province.unit_code = unit.province_code AND province.valid_to = '9999-12-31') AS province_name,
       unit.unit_key"""
"""Columns that say where a `unit` lies: the unit above it, by its name when the unit was last there, and its province of today.

The names are queries of their own, which cost nothing where nobody asks for one.
"""

LATER = """
WITH RECURSIVE sole AS (  -- the one unit that took over all of another; nothing where it was divided
    SELECT old_unit_key, CASE WHEN count(*) = 1 THEN min(new_unit_key) END AS new_unit_key
    FROM warehouse.bridge_unit_succession GROUP BY old_unit_key
), later AS (
    SELECT unit_key, unit_key AS later_key, valid_from, valid_to FROM warehouse.dim_unit
    UNION ALL
    SELECT l.unit_key, coalesce(u.unit_key, 0), l.valid_to + 1, coalesce(u.valid_to, '9999-12-31')
    FROM later l
    LEFT JOIN sole ON sole.old_unit_key = l.later_key
    LEFT JOIN warehouse.dim_unit u ON u.unit_key = sole.new_unit_key
    WHERE l.valid_to < '9999-12-31'
)
SELECT unit_key, later_key, valid_from, valid_to FROM later
"""
"""One row per unit and stretch of days: the unit to which its things belong then, itself while it is in force.

The unknown unit (0) from the day on which it was divided, or ended without a successor: what only a later word about a thing can
tell is not guessed.
"""

BY_CODE = f"""
SELECT u.unit_code, l.valid_from, l.valid_to, l.later_key AS unit_key
FROM ({LATER}) l JOIN warehouse.dim_unit u USING (unit_key)
WHERE l.later_key = l.unit_key
   OR NOT EXISTS (SELECT FROM warehouse.dim_unit v WHERE v.unit_code = u.unit_code AND v.valid_from > u.valid_to)
"""
"""One row per code of a unit and stretch of days: the unit that bears it; after it ended for good, the one that took over all of it, or
the unknown unit (0). While another bears a code, it is that one: it took over at least a part."""

OWNERS = f"""
WITH stretch AS (  -- of a unit, in which nothing above it changes
    SELECT unit_key, since, coalesce(lead(since) OVER (PARTITION BY unit_key ORDER BY since) - 1, valid_to) AS until
    FROM (SELECT DISTINCT unit_key, valid_from AS since FROM ({ABOVE}) above WHERE unit_key <> 0 OR ancestor_key = 0) begin
    JOIN warehouse.dim_unit USING (unit_key)
), belongs AS (
    SELECT l.unit_key, l.later_key, greatest(l.valid_from, s.since) AS since, least(l.valid_to, s.until) AS until
    FROM ({LATER}) l JOIN stretch s ON s.unit_key = l.later_key AND s.since <= l.valid_to AND s.until >= l.valid_from
), pair AS (
    SELECT first_key, last_key, f.valid_from AS begins,
        CASE WHEN first_key = last_key THEN '-infinity' WHEN first_key = 0 THEN u.valid_from
            ELSE greatest(u.valid_from, f.valid_to + 1) END AS passed_on
    FROM (SELECT DISTINCT first_key, last_key FROM alike) pair
    JOIN warehouse.dim_unit f ON f.unit_key = first_key JOIN warehouse.dim_unit u ON u.unit_key = last_key
)
SELECT *, lag(owner_key) OVER (PARTITION BY first_key, last_key ORDER BY since) AS before_key
FROM (
    SELECT first_key, last_key, begins, later_key AS owner_key, since, least(until, passed_on - 1) AS until
    FROM pair JOIN belongs ON unit_key = first_key AND since < passed_on
    UNION ALL
    SELECT first_key, last_key, begins, later_key, greatest(since, passed_on), until
    FROM pair JOIN belongs ON unit_key = last_key AND until >= passed_on
) stretches
"""
"""One row per pair of `alike` (first_key, last_key: the unit that received things, the one that handles them) and stretch of days: the
unit that has them (owner_key), the one that had them before (before_key), and `begins`, the first day of first_key.

From the unit that received, and what became of it, they go to the one that handles them.
"""
