"""One row per unit, period and measure, as counted by an office."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, Table, Text, text

from warehouse.tables.base import WAREHOUSE, history, metadata, provenance

fact_unit_count = Table(
    "fact_unit_count",
    metadata,
    Column("unit_key", Integer, ForeignKey("warehouse.dim_unit.unit_key"), nullable=False, comment="Administrative unit"),
    Column("period", Text, nullable=False, comment="2024, 2024-Q1 or 2024-03"),
    Column("measure", Text, nullable=False, comment="What was counted, as population_adult"),
    Column("value", BigInteger, nullable=False, comment="The count"),
    *history(),
    *provenance(),
    Index("ux_fact_unit_count_current", "row_key", unique=True, postgresql_where=text("known_to = 'infinity'")),
    schema=WAREHOUSE,
    comment="One row per unit, period and measure, as counted by an office.",
)
