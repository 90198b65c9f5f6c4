"""One row per shop, stall or collection point taking payments, and period of validity."""

from sqlalchemy import Boolean, Column, Date, ForeignKey, Identity, Integer, SmallInteger, Table, Text, UniqueConstraint

from warehouse.tables.base import WAREHOUSE, metadata

dim_merchant = Table(
    "dim_merchant",
    metadata,
    Column("merchant_key", Integer, Identity(), primary_key=True, comment="Surrogate key; 0 is the unknown merchant"),
    Column(
        "provider_key",
        SmallInteger,
        ForeignKey("warehouse.dim_provider.provider_key"),
        nullable=False,
        comment="Payment provider of the terminal",
    ),
    Column("merchant_code", Text, nullable=False, comment="terminal_code at that provider"),
    Column(
        "valid_from",
        Date,
        nullable=False,
        comment="First day on which this version holds, inclusive; 0001-01-01 where the start is not known",
    ),
    Column("valid_to", Date, nullable=False, comment="Last day on which this version holds, inclusive; 9999-12-31 while it is in force"),
    Column("merchant_name", Text, nullable=False, comment="Name"),
    Column("merchant_kind", Text, nullable=False, comment="cho, cua_hang or diem_thu"),
    Column(
        "unit_key",
        Integer,
        ForeignKey("warehouse.dim_unit.unit_key"),
        nullable=False,
        comment="Administrative unit it stands in; 0 where none is known",
    ),
    Column(
        "is_inferred",
        Boolean,
        nullable=False,
        comment="True where only payments mention the code and no list says whose it is on their day",
    ),
    Column("delivery_id", Integer, comment="Delivery that brought this row"),
    UniqueConstraint("provider_key", "merchant_code", "valid_from"),
    schema=WAREHOUSE,
    comment="One row per shop, stall or collection point taking payments, and period of validity.",
)
