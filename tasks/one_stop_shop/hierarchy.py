"""The units above each unit, and when they stood there: what counts of a unit climb."""

from __future__ import annotations

from sqlalchemy import Connection, text

# A dossier counts for the units that stood above its own on the day it was received.
_ANCESTORS = """
DROP TABLE IF EXISTS ancestor;
CREATE TEMPORARY TABLE ancestor ON COMMIT DROP AS
WITH RECURSIVE above AS (
    SELECT unit_key, unit_key AS ancestor_key, unit_level AS section, valid_from, valid_to, parent_code FROM warehouse.dim_unit
  UNION ALL
    SELECT a.unit_key, p.unit_key, a.section, greatest(a.valid_from, p.valid_from), least(a.valid_to, p.valid_to), p.parent_code
    FROM above a JOIN warehouse.dim_unit p ON p.unit_code = a.parent_code AND p.valid_from <= a.valid_to AND p.valid_to >= a.valid_from
)
SELECT a.unit_key, a.ancestor_key, a.section, a.valid_from, a.valid_to, u.valid_from AS unit_from, u.valid_to AS unit_to
FROM above a JOIN warehouse.dim_unit u ON u.unit_key = a.unit_key;
ANALYZE ancestor
"""


def make_ancestors(connection: Connection) -> None:
    """Makes the temporary table `ancestor`: one row per unit and unit above it, itself included, with the days on which it stood there."""
    connection.execute(text(_ANCESTORS))


def holds_on(day: str) -> str:
    """SQL condition on `ancestor`: it stood above its unit on a day, or on the nearest day on which the unit was there."""
    return f"greatest(ancestor.unit_from, least(ancestor.unit_to, {day})) BETWEEN ancestor.valid_from AND ancestor.valid_to"
