"""One row per delivery that told codes: the stretch they lie in, byte by byte, beside the facts that hold them."""

from sqlalchemy import Column, Integer, Table, Text

from warehouse.tables.base import WAREHOUSE, metadata

code_range = Table(
    "code_range",
    metadata,
    Column("delivery_id", Integer, primary_key=True, autoincrement=False, comment="Delivery (ops.delivery)"),
    Column("first_code", Text, nullable=False, comment="Least natural key among the rows it told"),
    Column("last_code", Text, nullable=False, comment="Greatest natural key among the rows it told"),
    schema=WAREHOUSE,
    comment="One row per delivery that told codes: the stretch they lie in, byte by byte, beside the facts that hold them.",
)
