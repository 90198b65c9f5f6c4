"""One row per row set aside and rule it broke; of a rejected delivery the first of each rule and column."""

from sqlalchemy import BigInteger, Column, DateTime, ForeignKey, Index, Integer, Table, Text

from warehouse.tables.base import OPS, ROW_NUMBER, metadata

quarantine = Table(
    "quarantine",
    metadata,
    Column("delivery_id", Integer, ForeignKey("ops.delivery.delivery_id"), primary_key=True, comment="Delivery"),
    Column("row_number", Integer, primary_key=True, comment=ROW_NUMBER),
    Column("rule_code", Text, primary_key=True, comment="Rule it broke, as DOS-003"),
    Column("column_name", Text, primary_key=True, comment="Column as the file names it; empty where the whole row is meant"),
    Column("natural_key", Text, comment="Natural key of the row where it has the declared shape, never personal data"),
    Column("severity", Text, nullable=False, comment="critical or warning"),
    Column("message_vi", Text, nullable=False, comment="What is wrong and what to do, in Vietnamese; never quotes the cell"),
    Column("status", Text, nullable=False, comment="open, waiting (for a bill), released, dismissed, or rejected with its delivery"),
    Column("awaited_key", BigInteger, comment="row_key of the bill a waiting payment waits for"),
    Column("decided_by", Text, comment="Steward who decided"),
    Column("decided_at", DateTime(timezone=True), comment="When"),
    Index("ix_quarantine_rule_code", "rule_code"),
    schema=OPS,
    comment="One row per row set aside and rule it broke; of a rejected delivery the first of each rule and column.",
)
