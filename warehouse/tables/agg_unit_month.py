"""One row per indicator that adds up, unit and month."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, SmallInteger, Table, Text

from warehouse.tables.base import WAREHOUSE, metadata

agg_unit_month = Table(
    "agg_unit_month",
    metadata,
    Column("indicator_key", SmallInteger, ForeignKey("warehouse.dim_indicator.indicator_key"), primary_key=True, comment="Indicator"),
    Column("unit_key", Integer, ForeignKey("warehouse.dim_unit.unit_key"), primary_key=True, comment="Administrative unit"),
    Column("month", Text, primary_key=True, comment="2024-03"),
    Column("numerator", BigInteger, nullable=False, comment="The unit's own rows or VND in the numerator, units below not added"),
    Column("denominator", BigInteger, nullable=False, comment="The unit's own rows or VND in the denominator, units below not added"),
    Index("ix_agg_unit_month_month", "month"),
    schema=WAREHOUSE,
    comment="One row per indicator of dossiers or bills that adds up, unit and month; quarters and years are sums of it.",
)
