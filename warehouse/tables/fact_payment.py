"""One row per payment transaction and state known of it; partitioned by month of the business date."""

from sqlalchemy import BigInteger, Boolean, Column, Date, DateTime, Index, Integer, SmallInteger, Table, Text, false, text

from warehouse.tables.base import WAREHOUSE, big, history, metadata, provenance

fact_payment = Table(
    "fact_payment",
    metadata,
    Column("transaction_code", Text, nullable=False, comment="The provider's transaction number, with the provider the natural key"),
    Column("provider_key", SmallInteger, nullable=False, comment="Payment provider (dim_provider)"),
    Column("service_key", SmallInteger, nullable=False, comment="Service paid for (dim_service)"),
    Column(
        "unit_key", Integer, nullable=False, comment="Administrative unit (dim_unit): the bill's, else the dossier's, else the merchant's"
    ),
    Column("bill_key", BigInteger, comment="row_key of the bill paid (fact_bill); empty where it pays no bill"),
    Column("dossier_key", BigInteger, comment="row_key of the dossier paid for (fact_dossier); empty where it pays no dossier"),
    Column("merchant_key", Integer, nullable=False, comment="Merchant (dim_merchant)"),
    Column("payment_method_key", SmallInteger, nullable=False, comment="Way of paying (dim_payment_method)"),
    Column("payment_status_key", SmallInteger, nullable=False, comment="State (dim_payment_status)"),
    Column("paid_at", DateTime(), nullable=False, comment="When it was paid, local time"),
    Column("business_date", Date, nullable=False, comment="Day it was paid (dim_date)"),
    Column("amount_vnd", BigInteger, nullable=False, comment="Amount, VND"),
    Column(
        "refunded_vnd",
        BigInteger,
        nullable=False,
        server_default=text("0"),
        comment="Of the amount, given back so far, VND: as the provider says, or by its refunds of the same order",
    ),
    Column(
        "is_refund",
        Boolean,
        nullable=False,
        server_default=false(),
        comment="Whether it is no payment, but gives back what was paid for the same order",
    ),
    Column("order_key", BigInteger, comment="64-bit hash of the order of a shop that it is of; empty where the provider names none"),
    *history(),
    *provenance(),
    Index("ux_fact_payment_current", "row_key", "business_date", unique=True, postgresql_where=text("known_to = 'infinity'")),
    Index("ix_fact_payment_ended_by", "ended_by", postgresql_where=text("ended_by IS NOT NULL")),
    *big("fact_payment"),
    Index("ix_fact_payment_bill_key", "bill_key", postgresql_where=text("known_to = 'infinity' AND bill_key IS NOT NULL")),
    Index("ix_fact_payment_order_key", "order_key", postgresql_where=text("known_to = 'infinity' AND order_key IS NOT NULL")),
    Index("ix_fact_payment_merchant_key", "merchant_key", postgresql_where=text("known_to = 'infinity' AND merchant_key <> 0")),
    Index("ix_fact_payment_dossier_key", "dossier_key", postgresql_where=text("known_to = 'infinity' AND dossier_key IS NOT NULL")),
    schema=WAREHOUSE,
    comment="One row per payment transaction and state known of it; partitioned by month of the business date.",
    postgresql_partition_by="RANGE (business_date)",
)
