"""One row per cause of which a message told, for as long as it lasts."""

from sqlalchemy import Column, DateTime, ForeignKey, Integer, Table, Text, func

from warehouse.tables.base import OPS, metadata

told = Table(
    "told",
    metadata,
    Column("cause", Text, primary_key=True, comment="What went wrong, without what changes from night to night"),
    Column("run_id", Integer, ForeignKey("ops.run.run_id"), comment="Run whose message told of it (ops.run); empty where no run was there"),
    Column("told_at", DateTime(timezone=True), nullable=False, server_default=func.now(), comment="When"),
    schema=OPS,
    comment="One row per cause of which a message told, for as long as it lasts.",
)
