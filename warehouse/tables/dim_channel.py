"""One row per way in which a dossier was handed in (KenhThucHien)."""

from sqlalchemy import Column, Identity, SmallInteger, Table, Text

from warehouse.tables.base import WAREHOUSE, metadata

dim_channel = Table(
    "dim_channel",
    metadata,
    Column("channel_key", SmallInteger, Identity(), primary_key=True, comment="The source's own code: 1, 2, 3; 0 is not stated or unknown"),
    Column("channel_code", Text, nullable=False, unique=True, comment="Code as text"),
    Column("channel_name", Text, nullable=False, comment="Name in Vietnamese"),
    schema=WAREHOUSE,
    comment="One row per way in which a dossier was handed in (KenhThucHien).",
)
