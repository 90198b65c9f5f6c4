"""One row per run and step of it: when it began, and when it was done."""

from sqlalchemy import Column, DateTime, ForeignKey, Integer, Table, Text

from warehouse.tables.base import OPS, metadata

step = Table(
    "step",
    metadata,
    Column("run_id", Integer, ForeignKey("ops.run.run_id"), primary_key=True, autoincrement=False, comment="Run (ops.run)"),
    Column("step", Text, primary_key=True, comment="pull, ingest, publish or report"),
    Column("started_at", DateTime(timezone=True), nullable=False, comment="Start"),
    Column("finished_at", DateTime(timezone=True), comment="End; empty while it goes on, and where the run broke in it"),
    schema=OPS,
    comment="One row per run and step of it: when it began, and when it was done.",
)
