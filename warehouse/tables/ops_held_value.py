"""One row per value that the edition held now would change: as published, and as computed."""

from sqlalchemy import ARRAY, BigInteger, Column, Integer, Numeric, SmallInteger, String, Table, Text

from warehouse.tables.base import OPS, metadata

held_value = Table(
    "held_value",
    metadata,
    Column("indicator_key", SmallInteger, primary_key=True, autoincrement=False, comment="Indicator (dim_indicator)"),
    Column("unit_key", Integer, primary_key=True, autoincrement=False, comment="Administrative unit (dim_unit)"),
    Column("period", Text, primary_key=True, comment="2024, 2024-Q1 or 2024-03"),
    Column("old_numerator", BigInteger, comment="As published; empty where nothing was"),
    Column("old_denominator", BigInteger, comment="As published"),
    Column("old_value", Numeric, comment="As published"),
    Column("old_obs_status", String(1), comment="As published, SDMX"),
    Column("numerator", BigInteger, comment="As computed"),
    Column("denominator", BigInteger, comment="As computed"),
    Column("value", Numeric, comment="As computed"),
    Column("obs_status", String(1), nullable=False, comment="As computed, SDMX"),
    Column("deliveries", ARRAY(Integer), nullable=False, server_default="{}", comment="Deliveries that moved it, who moved most first"),
    schema=OPS,
    comment="One row per value that the edition held now would change: as published, and as computed.",
)
