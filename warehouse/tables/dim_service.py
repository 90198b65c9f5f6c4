"""One row per essential service that is billed or paid."""

from sqlalchemy import Column, Identity, SmallInteger, Table, Text

from warehouse.tables.base import WAREHOUSE, metadata

dim_service = Table(
    "dim_service",
    metadata,
    Column("service_key", SmallInteger, Identity(), primary_key=True, comment="Surrogate key; 0 is the unknown service"),
    Column(
        "service_code", Text, nullable=False, unique=True, comment="DIEN, NUOC, VSMT, DVC (public service fee), MUA_SAM (shops and markets)"
    ),
    Column("service_name", Text, nullable=False, comment="Name in Vietnamese"),
    schema=WAREHOUSE,
    comment="One row per essential service that is billed or paid.",
)
