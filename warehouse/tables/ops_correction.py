"""One row per cell that its supplier corrected in a letter; the landed file stays as it is, and the reader puts it right."""

from sqlalchemy import Column, DateTime, ForeignKey, Identity, Index, Integer, Table, Text, func

from warehouse.tables.base import OPS, ROW_NUMBER, metadata

correction = Table(
    "correction",
    metadata,
    Column("correction_id", Integer, Identity(), primary_key=True, comment="Surrogate key; of one cell they hold one after the other"),
    Column("delivery_id", Integer, ForeignKey("ops.delivery.delivery_id"), nullable=False, comment="Delivery"),
    Column("row_number", Integer, nullable=False, comment=ROW_NUMBER),
    Column("column_name", Text, nullable=False, comment="Column as the file names it; never one of personal data"),
    Column("rule_code", Text, nullable=False, comment="Rule that the cell broke"),
    Column("cell_hash", Text, nullable=False, comment="Keyed hash of the cell that is put right, as in ops.quarantine"),
    Column("value", Text, nullable=False, comment="What it ought to say, never personal data"),
    Column("reason", Text, comment="Why, where somebody said so"),
    Column("file_name", Text, nullable=False, comment="Letter that said so"),
    Column("made_by", Text, nullable=False, comment="Who took it in"),
    Column("made_at", DateTime(timezone=True), nullable=False, server_default=func.now(), comment="When"),
    Column("read_at", DateTime(timezone=True), comment="When its delivery was first read by it; empty while it waits for the next night"),
    Index("ix_correction_delivery_id", "delivery_id"),
    schema=OPS,
    comment="One row per cell that its supplier corrected in a letter; the landed file stays as it is, and the reader puts it right.",
)
