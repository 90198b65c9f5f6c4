"""One row per indicator that adds up, unit and month."""

from sqlalchemy import BigInteger, Column, Index, Integer, SmallInteger, Table, Text

from warehouse.tables.base import WAREHOUSE, metadata

agg_unit_month = Table(
    "agg_unit_month",
    metadata,
    Column("indicator_key", SmallInteger, primary_key=True, comment="Indicator (dim_indicator)"),
    Column("unit_key", Integer, primary_key=True, comment="Administrative unit (dim_unit)"),
    Column("month", Text, primary_key=True, comment="2024-03"),
    Column("numerator", BigInteger, nullable=False, comment="The unit's own rows or VND in the numerator, units below not added"),
    Column("denominator", BigInteger, nullable=False, comment="The unit's own rows or VND in the denominator, units below not added"),
    Index("ix_agg_unit_month_month", "month"),
    schema=WAREHOUSE,
    comment="One row per indicator of dossiers or bills that adds up, unit and month; quarters and years are sums of it.",
)
