"""One row per unit, period and measure, as counted by an office."""

from sqlalchemy import BigInteger, Column, ForeignKey, Integer, SmallInteger, Table, Text, text

from warehouse.tables.base import WAREHOUSE, history, history_indexes, metadata, provenance

fact_unit_count = Table(
    "fact_unit_count",
    metadata,
    Column("unit_key", Integer, ForeignKey("warehouse.dim_unit.unit_key"), nullable=False, comment="Administrative unit"),
    Column("period", Text, nullable=False, comment="2024, 2024-Q1 or 2024-03"),
    Column("measure", Text, nullable=False, comment="What was counted, as population_adult"),
    Column(
        "provider_key",
        SmallInteger,
        nullable=False,
        server_default=text("0"),
        comment="Who counted (dim_provider), where the counts of several add up; 0 where they would contradict each other",
    ),
    Column("value", BigInteger, nullable=False, comment="The count"),
    *history(),
    *provenance(),
    *history_indexes("fact_unit_count"),
    schema=WAREHOUSE,
    comment="One row per unit, period and measure, as counted by an office.",
)
