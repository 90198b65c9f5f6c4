"""One row per source and period of which a steward said that no more will come."""

from sqlalchemy import Column, DateTime, Table, Text

from warehouse.tables.base import OPS, metadata

completion = Table(
    "completion",
    metadata,
    Column("source", Text, primary_key=True, comment="Source of sources.yaml"),
    Column("period", Text, primary_key=True, comment="2024, 2024-Q1 or 2024-03; what lies in it is meant too"),
    Column("decided_by", Text, nullable=False, comment="Who said so"),
    Column("decided_at", DateTime(timezone=True), nullable=False, comment="When"),
    schema=OPS,
    comment="One row per source and period of which a steward said that no more will come.",
)
