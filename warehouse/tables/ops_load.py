"""One row per time a delivery was loaded: numbers the states it wrote and ended."""

from sqlalchemy import Column, DateTime, ForeignKey, Identity, Integer, Table, text

from warehouse.tables.base import OPS, metadata

load = Table(
    "load",
    metadata,
    Column(
        "load_id",
        Integer,
        Identity(),
        primary_key=True,
        comment="Number of the load; a publication counts all up to its own, since loads and publications hold one lock",
    ),
    Column(
        "delivery_id",
        Integer,
        ForeignKey("ops.delivery.delivery_id"),
        comment="Delivery; empty for what an older version had loaded, and where a key of the pseudonyms was forgotten",
    ),
    Column("loaded_at", DateTime(timezone=True), nullable=False, server_default=text("now()"), comment="When it began"),
    schema=OPS,
    comment="One row per time a delivery was loaded: numbers the states it wrote and ended.",
)
