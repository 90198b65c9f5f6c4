"""One row per refused delivery and rule that a steward lets it break, because the new level is right."""

from sqlalchemy import Column, DateTime, ForeignKey, Integer, Table, Text

from warehouse.tables.base import OPS, metadata

allowance = Table(
    "allowance",
    metadata,
    Column("delivery_id", Integer, ForeignKey("ops.delivery.delivery_id"), primary_key=True, comment="Delivery"),
    Column("rule_code", Text, primary_key=True, comment="Rule that compares it with what is usual"),
    Column("decided_by", Text, nullable=False, comment="Who said so"),
    Column("decided_at", DateTime(timezone=True), nullable=False, comment="When"),
    schema=OPS,
    comment="One row per refused delivery and rule that a steward lets it break, because the new level is right.",
)
