"""One row per delivery and rule checked."""

from sqlalchemy import Boolean, Column, DateTime, ForeignKey, Integer, Table, Text

from warehouse.tables.base import OPS, metadata

verdict = Table(
    "verdict",
    metadata,
    Column("delivery_id", Integer, ForeignKey("ops.delivery.delivery_id"), primary_key=True, comment="Delivery"),
    Column("rule_code", Text, primary_key=True, comment="Rule"),
    Column("severity", Text, nullable=False, comment="critical, warning or info"),
    Column("scope", Text, nullable=False, comment="row or delivery"),
    Column("success", Boolean, nullable=False, comment="Whether it held"),
    Column("observed", Text, comment="What was observed, as a number or short text"),
    Column("unexpected_count", Integer, comment="Rows that broke it"),
    Column(
        "checked_with",
        Text,
        comment="Of a rule that set rows aside or refused the delivery: hash of all that it was checked with, so the rule, layout and lists",
    ),
    Column("checked_at", DateTime(timezone=True), nullable=False, comment="When"),
    schema=OPS,
    comment="One row per delivery and rule checked.",
)
