"""One row per state of a payment; only settled counts as paid."""

from sqlalchemy import Boolean, Column, Identity, SmallInteger, Table, Text

from warehouse.tables.base import WAREHOUSE, metadata

dim_payment_status = Table(
    "dim_payment_status",
    metadata,
    Column("payment_status_key", SmallInteger, Identity(), primary_key=True, comment="Surrogate key; 0 is the unknown status"),
    Column("payment_status_code", Text, nullable=False, unique=True, comment="settled, pending, cancelled, refunded, suspect, failed"),
    Column("payment_status_name", Text, nullable=False, comment="Name in Vietnamese"),
    Column("is_settled", Boolean, nullable=False, comment="Whether the payment counts as paid"),
    schema=WAREHOUSE,
    comment="One row per state of a payment; only settled counts as paid.",
)
