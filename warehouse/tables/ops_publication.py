"""One row per publication of indicator values."""

from sqlalchemy import Column, DateTime, ForeignKey, Identity, Integer, Table

from warehouse.tables.base import OPS, metadata

publication = Table(
    "publication",
    metadata,
    Column("publication_id", Integer, Identity(), primary_key=True, comment="Surrogate key"),
    Column("run_id", Integer, ForeignKey("ops.run.run_id"), nullable=False, comment="Run that published"),
    Column("published_at", DateTime(timezone=True), nullable=False, comment="Time of the commit"),
    Column("load_id", Integer, nullable=False, comment="Last load whose states it counts (ops.load); 0 where there was none"),
    Column("as_of", DateTime(timezone=True), nullable=False, comment="State of knowledge it shows"),
    Column("values_added", Integer, nullable=False, comment="Values of new periods, units or indicators"),
    Column("values_revised", Integer, nullable=False, comment="Values that differ from the revision before"),
    Column("values_unchanged", Integer, nullable=False, comment="Values computed again and found the same"),
    schema=OPS,
    comment="One row per publication of indicator values.",
)
