"""One row per bill and state known of it."""

from sqlalchemy import BigInteger, Boolean, Column, Date, Index, Integer, SmallInteger, Table, Text, Uuid

from warehouse.tables.base import WAREHOUSE, big, history, history_indexes, metadata, provenance, pseudonymised

fact_bill = Table(
    "fact_bill",
    metadata,
    Column("bill_code", Text, nullable=False, comment="The provider's bill number, with the provider the natural key"),
    Column("provider_key", SmallInteger, nullable=False, comment="Utility (dim_provider)"),
    Column("service_key", SmallInteger, nullable=False, comment="Service billed (dim_service)"),
    Column("unit_key", Integer, nullable=False, comment="Administrative unit (dim_unit) of the customer on the day of issue"),
    Column("customer_hash", Uuid, comment="Customer: first 128 bits of a keyed HMAC-SHA-256"),
    Column(
        "is_household", Boolean, comment="Whether the bill says that the customer is a household; empty where it does not say who is one"
    ),
    Column("billing_month", Date, nullable=False, comment="First day of the month billed (dim_date)"),
    Column("issued_on", Date, comment="Day of issue (dim_date)"),
    Column("amount_vnd", BigInteger, nullable=False, comment="Amount with tax, VND"),
    pseudonymised(),
    *history(),
    *provenance(),
    *history_indexes("fact_bill"),
    *big("fact_bill"),
    Index("ix_fact_bill_billing_month", "billing_month", postgresql_using="brin"),
    schema=WAREHOUSE,
    comment="One row per bill and state known of it.",
)
