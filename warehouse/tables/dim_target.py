"""One row per indicator and period in which a target holds."""

from sqlalchemy import Column, Date, ForeignKey, Numeric, SmallInteger, Table, Text

from warehouse.tables.base import WAREHOUSE, metadata

dim_target = Table(
    "dim_target",
    metadata,
    Column("indicator_key", SmallInteger, ForeignKey("warehouse.dim_indicator.indicator_key"), primary_key=True, comment="Indicator"),
    Column("valid_from", Date, primary_key=True, comment="First day of a period to which the target applies, inclusive"),
    Column("valid_to", Date, nullable=False, comment="Last day, inclusive"),
    Column("target", Numeric, nullable=False, comment="Value to be reached, in the indicator's unit"),
    Column("legal_source", Text, nullable=False, comment="Where the target is laid down"),
    schema=WAREHOUSE,
    comment="One row per indicator and period in which a target holds.",
)
