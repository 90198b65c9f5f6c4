"""One row per old unit and the new unit that took it over, whole or in part, at a date."""

from sqlalchemy import Column, Date, ForeignKey, Integer, Table, Text

from warehouse.tables.base import WAREHOUSE, metadata

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
