"""One row per unit and each unit out of which it came, over all steps, itself among them."""

from sqlalchemy import Column, ForeignKey, Integer, Table, Text

from warehouse.tables.base import WAREHOUSE, metadata

bridge_unit_lineage = Table(
    "bridge_unit_lineage",
    metadata,
    Column("unit_key", Integer, ForeignKey("warehouse.dim_unit.unit_key"), primary_key=True, comment="Unit that others went into"),
    Column(
        "earlier_key", Integer, ForeignKey("warehouse.dim_unit.unit_key"), primary_key=True, comment="Unit that went into it, or itself"
    ),
    Column(
        "extent",
        Text,
        nullable=False,
        comment="whole: on the first day of the later unit nothing of the earlier one is elsewhere; part: some of it is",
    ),
    schema=WAREHOUSE,
    comment="One row per unit and each unit out of which it came, over all steps, itself among them.",
)
