"""One row per run of the nightly flow."""

from sqlalchemy import UUID, Column, DateTime, Identity, Integer, Table, Text, func

from warehouse.tables.base import OPS, metadata

run = Table(
    "run",
    metadata,
    Column("run_id", Integer, Identity(), primary_key=True, comment="Surrogate key"),
    Column(
        "run_uuid",
        UUID,
        nullable=False,
        server_default=func.gen_random_uuid(),
        comment="Name that no run of any warehouse shares: in its log lines and lineage events",
    ),
    Column("flow", Text, nullable=False, comment="nightly, backfill, or publish: a night that looked for no new files"),
    Column("as_of", DateTime(timezone=True), nullable=False, comment="Deliveries up to this time were taken"),
    Column("started_at", DateTime(timezone=True), nullable=False, comment="Start"),
    Column("finished_at", DateTime(timezone=True), comment="End; empty while it runs or where it was killed"),
    Column("status", Text, nullable=False, comment="running, completed, failed or killed"),
    Column("host", Text, nullable=False, comment="Machine"),
    Column("process_id", Integer, nullable=False, comment="Process"),
    Column("deliveries", Integer, comment="Deliveries ingested"),
    Column("message", Text, comment="Why it failed"),
    Column("prefect_run", UUID, comment="The run of Prefect that it was"),
    schema=OPS,
    comment="One row per run of the nightly flow.",
)
