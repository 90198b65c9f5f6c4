"""One row per delivery and stretch it speaks for: what an earlier delivery of its source said of it, it replaces."""

from sqlalchemy import Column, Date, ForeignKey, Index, Integer, Table, Text

from warehouse.tables.base import OPS, metadata

coverage = Table(
    "coverage",
    metadata,
    Column("delivery_id", Integer, ForeignKey("ops.delivery.delivery_id"), primary_key=True, comment="Delivery"),
    Column(
        "scope",
        Text,
        primary_key=True,
        comment="Period, period and unit, wave or document that it speaks for, as 2024-03, 2024 15655; empty for a whole list",
    ),
    Column(
        "first_day",
        Date,
        comment="First day of which it tells all payments: as its name declares; of a name that says one day only, that of its first row",
    ),
    Column("last_day", Date, comment="Last day of which it tells all payments: one that was over when it was made; empty where none was"),
    Index("ix_coverage_scope", "scope"),
    schema=OPS,
    comment="One row per delivery and stretch it speaks for: what an earlier delivery of its source said of it, it replaces.",
)
