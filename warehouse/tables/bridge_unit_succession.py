"""One row per old unit and the new unit that took it over, whole or in part, at a date."""

from sqlalchemy import Column, Date, ForeignKey, Integer, Table, Text

from warehouse.tables.base import WAREHOUSE, metadata

WENT_ON = """
    SELECT min(s.old_unit_key) AS unit_key, s.new_unit_key AS later_key, min(s.effective_date) AS since
    FROM warehouse.bridge_unit_succession s
    JOIN warehouse.dim_unit o ON o.unit_key = s.old_unit_key
    JOIN warehouse.dim_unit n ON n.unit_key = s.new_unit_key
    GROUP BY s.new_unit_key HAVING count(*) = 1 AND bool_and(s.extent = 'whole' AND o.unit_code = n.unit_code)
"""
"""Query of the units of which only the kind or name changed, as of a province that became a city: key, later key, first day as such."""

bridge_unit_succession = Table(
    "bridge_unit_succession",
    metadata,
    Column("old_unit_key", Integer, ForeignKey("warehouse.dim_unit.unit_key"), primary_key=True, comment="Unit that ended"),
    Column("new_unit_key", Integer, ForeignKey("warehouse.dim_unit.unit_key"), primary_key=True, comment="Unit that began"),
    Column("effective_date", Date, nullable=False, comment="First day of the new unit"),
    Column("extent", Text, nullable=False, comment="whole: all of the old unit went there; part: it was divided"),
    schema=WAREHOUSE,
    comment="One row per old unit and the new unit that took it over, whole or in part, at a date.",
)
