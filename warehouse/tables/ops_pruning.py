"""One row per rule of retention and time something went by it: who had it done, and how much went."""

from sqlalchemy import BigInteger, Column, DateTime, Identity, Integer, Table, Text

from warehouse.tables.base import OPS, metadata

pruning = Table(
    "pruning",
    metadata,
    Column("pruning_id", Integer, Identity(), primary_key=True, comment="Surrogate key"),
    Column("rule", Text, nullable=False, comment="Rule of warehouse/retention.yaml"),
    Column("kept_for", Text, nullable=False, comment="How long it keeps what it is about, as it was on that day"),
    Column("source", Text, nullable=False, comment="Who says so"),
    Column("pruned_at", DateTime(timezone=True), nullable=False, comment="When"),
    Column("pruned_by", Text, nullable=False, comment="Who"),
    Column("files", Integer, nullable=False, comment="Files that were compressed or removed"),
    Column("rows", Integer, nullable=False, comment="Rows that were removed, or emptied of what they quote"),
    Column("bytes", BigInteger, nullable=False, comment="Bytes that were freed"),
    schema=OPS,
    comment="One row per rule of retention and time something went by it: who had it done, and how much went.",
)
