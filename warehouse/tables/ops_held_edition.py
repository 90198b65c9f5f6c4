"""One row per night whose edition was held: what it would have changed, and until which run it was the one held."""

from sqlalchemy import Column, DateTime, ForeignKey, Integer, Table, func

from warehouse.tables.base import OPS, metadata

held_edition = Table(
    "held_edition",
    metadata,
    Column("run_id", Integer, ForeignKey("ops.run.run_id"), primary_key=True, comment="Run that computed it (ops.run)"),
    Column("as_of", DateTime(timezone=True), nullable=False, comment="State of knowledge it shows"),
    Column("held_at", DateTime(timezone=True), nullable=False, server_default=func.now(), comment="When it was held"),
    Column("values_added", Integer, nullable=False, comment="Values of indicators: first revisions"),
    Column("values_revised", Integer, nullable=False, comment="Values of indicators that would take the place of another one"),
    Column("values_ended", Integer, nullable=False, comment="Values of indicators that would be published no more"),
    Column("ended_by", Integer, ForeignKey("ops.run.run_id"), comment="Run whose edition took its place (ops.run); empty while it is held"),
    schema=OPS,
    comment="One row per night whose edition was held: what it would have changed, and until which run it was the one held.",
)
