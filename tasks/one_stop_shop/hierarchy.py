"""The units above each unit, and when they stood there: what counts of a unit climb."""

from __future__ import annotations

from sqlalchemy import Connection, text

from warehouse.bulk import analyze
from warehouse.succession import ABOVE

_ANCESTORS = f"""
DROP TABLE IF EXISTS ancestor;
CREATE TEMPORARY TABLE ancestor ON COMMIT DROP AS
SELECT a.*, u.valid_from AS unit_from, u.valid_to AS unit_to, p.valid_from AS ancestor_from, p.valid_to AS ancestor_to
FROM ({ABOVE}) a JOIN warehouse.dim_unit u USING (unit_key) JOIN warehouse.dim_unit p ON p.unit_key = ancestor_key
"""


def make_ancestors(connection: Connection) -> None:
    """Makes the temporary table `ancestor`: one row per unit and unit above it, itself included, with the days on which it stood there."""
    connection.execute(text(_ANCESTORS))
    analyze(connection, "ancestor")


def holds_on(day: str) -> str:
    """SQL condition on `ancestor`: it stood above its unit on a day, or on the nearest day on which the unit was there."""
    return f"greatest(ancestor.unit_from, least(ancestor.unit_to, {day})) BETWEEN ancestor.valid_from AND ancestor.valid_to"
