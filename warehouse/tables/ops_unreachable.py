"""One row per run and thing that could not be taken from a source: the whole source, or a file of it."""

from sqlalchemy import Column, ForeignKey, Integer, Table, Text

from warehouse.tables.base import OPS, metadata

unreachable = Table(
    "unreachable",
    metadata,
    Column("run_id", Integer, ForeignKey("ops.run.run_id"), primary_key=True, comment="Run that tried (ops.run)"),
    Column("source", Text, primary_key=True, comment="Source of sources.yaml"),
    Column("message_vi", Text, primary_key=True, comment="What could not be taken, and why"),
    schema=OPS,
    comment="One row per run and thing that could not be taken from a source: the whole source, or a file of it.",
)
