"""One row per time a period was signed: who, when, on which edition, and what stood in it."""

from sqlalchemy import Column, DateTime, ForeignKey, Identity, Index, Integer, LargeBinary, Table, Text, func

from warehouse.tables.base import OPS, metadata

release = Table(
    "release",
    metadata,
    Column("release_id", Integer, Identity(), primary_key=True, comment="Number of the signed edition"),
    Column("period", Text, nullable=False, comment="2024, 2024-Q1 or 2024-03"),
    Column(
        "publication_id",
        Integer,
        ForeignKey("ops.publication.publication_id"),
        nullable=False,
        comment="Publication whose values are signed (ops.publication)",
    ),
    Column("as_of", DateTime(timezone=True), nullable=False, comment="State of knowledge they show"),
    Column("signed_by", Text, nullable=False, comment="Who signed"),
    Column("signed_at", DateTime(timezone=True), nullable=False, server_default=func.now(), comment="When"),
    Column("note", Text, comment="What the signer adds; printed with the tables"),
    Column("values_signed", Integer, nullable=False, comment="Values in it, of all units and indicators of the period"),
    Column("checksum", Text, nullable=False, comment="SHA-256 over the signed values, as docs/gate.md says how to take it"),
    Column("workbook_sha256", Text, nullable=False, comment="SHA-256 of the signed workbook's bytes"),
    Column("content", LargeBinary, nullable=False, comment="All that the signed workbook shows, compressed JSON: it is rebuilt from this"),
    Index("ix_release_period", "period"),
    schema=OPS,
    comment="One row per time a period was signed: who, when, on which edition, and what stood in it.",
)
