"""One row per row of a delivery that said what another source or stretch had said already: it holds while either says so."""

from sqlalchemy import BigInteger, Column, ForeignKey, Integer, Table, Text

from warehouse.tables.base import OPS, ROW_NUMBER, metadata

confirmation = Table(
    "confirmation",
    metadata,
    Column("feed", Text, primary_key=True, comment="Feed"),
    Column("row_key", BigInteger, primary_key=True, comment="64-bit hash of the natural key, as in the feed's fact"),
    Column("delivery_id", Integer, ForeignKey("ops.delivery.delivery_id"), primary_key=True, comment="Delivery that said it too"),
    Column("row_hash", BigInteger, nullable=False, comment="64-bit hash of the content, as in the feed's fact"),
    Column("row_number", Integer, nullable=False, comment=ROW_NUMBER),
    Column("scope", Text, nullable=False, comment="Stretch the row lies in (ops.coverage)"),
    schema=OPS,
    comment="One row per row of a delivery that said what another source or stretch had said already: it holds while either says so.",
)
