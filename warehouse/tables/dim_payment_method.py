"""One row per way of paying."""

from sqlalchemy import Boolean, Column, Identity, SmallInteger, Table, Text

from warehouse.tables.base import WAREHOUSE, metadata

dim_payment_method = Table(
    "dim_payment_method",
    metadata,
    Column("payment_method_key", SmallInteger, Identity(), primary_key=True, comment="Surrogate key; 0 is the unknown method"),
    Column("payment_method_code", Text, nullable=False, unique=True, comment="TIEN_MAT, QR, VI, CHUYEN_KHOAN, TU_DONG, THE …"),
    Column("payment_method_name", Text, nullable=False, comment="Name in Vietnamese"),
    Column("is_cashless", Boolean, nullable=False, comment="Whether it counts as cashless payment (NĐ 52/2024/NĐ-CP)"),
    schema=WAREHOUSE,
    comment="One row per way of paying.",
)
