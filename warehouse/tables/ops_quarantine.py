"""One row per row set aside and rule it broke; of a rejected delivery the first of each rule and column."""

from sqlalchemy import BigInteger, CheckConstraint, Column, DateTime, ForeignKey, Index, Integer, Table, Text, func

from warehouse.tables.base import OPS, ROW_NUMBER, metadata

quarantine = Table(
    "quarantine",
    metadata,
    Column("delivery_id", Integer, ForeignKey("ops.delivery.delivery_id"), primary_key=True, comment="Delivery"),
    Column("row_number", Integer, primary_key=True, comment=ROW_NUMBER),
    Column("rule_code", Text, primary_key=True, comment="Rule it broke, as DOS-003"),
    Column("column_name", Text, primary_key=True, comment="Column as the file names it; empty where the whole row is meant"),
    Column("natural_key", Text, comment="Natural key of the row where it has the declared shape, never personal data"),
    Column("value", Text, comment="The cell as its supplier wrote it, shortened; only where it cannot be personal data, else empty"),
    Column(
        "cell_hash",
        Text,
        comment="Keyed hash of the cell and its place: a correction names it; empty where the column holds personal data or no cell",
    ),
    Column("severity", Text, nullable=False, comment="critical or warning"),
    Column("message_vi", Text, nullable=False, comment="What is wrong and what to do, in Vietnamese; never quotes the cell"),
    Column(
        "status",
        Text,
        nullable=False,
        comment="open; waiting (for a bill); released (to be read again); dismissed (left out for good); corrected (by a later delivery); "
        "rejected with its delivery",
    ),
    Column("awaited_key", BigInteger, comment="row_key of the bill a waiting payment waits for"),
    Column("corrected_by", Integer, ForeignKey("ops.delivery.delivery_id"), comment="Delivery that came in place of what this row says"),
    Column("decided_by", Text, comment="Steward who decided last (ops.quarantine_note has all decisions)"),
    Column("decided_at", DateTime(timezone=True), comment="When"),
    Column("seen_at", DateTime(timezone=True), nullable=False, server_default=func.now(), comment="When it was first set aside"),
    Column("checked_at", DateTime(timezone=True), nullable=False, server_default=func.now(), comment="When it last broke the rule"),
    CheckConstraint("status IN ('open', 'waiting', 'released', 'dismissed', 'corrected', 'rejected')", name="status"),
    Index("ix_quarantine_rule_code", "rule_code"),
    schema=OPS,
    comment="One row per row set aside and rule it broke; of a rejected delivery the first of each rule and column.",
)
