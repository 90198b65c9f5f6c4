"""One row per delivery, ratio of its feed and part: what the rows it told come to, as amount per bill of electricity."""

from sqlalchemy import Column, Double, ForeignKey, Integer, Table, Text

from warehouse.tables.base import OPS, metadata

ratio = Table(
    "ratio",
    metadata,
    Column("delivery_id", Integer, ForeignKey("ops.delivery.delivery_id"), primary_key=True, comment="Delivery"),
    Column("ratio", Text, primary_key=True, comment="Ratio of the feed's contract, as amount_per_bill"),
    Column("part", Text, primary_key=True, comment="Service, unit or the like that it is told apart by, as its key; empty for the whole"),
    Column("rows_counted", Integer, nullable=False, comment="Rows that count in it"),
    Column("numerator", Double, nullable=False, comment="What is divided"),
    Column("denominator", Double, nullable=False, comment="What it is divided by, above 0; many different values are counted within 2 %"),
    schema=OPS,
    comment="One row per delivery, ratio of its feed and part: what the rows it told come to, as amount per bill of electricity.",
)
