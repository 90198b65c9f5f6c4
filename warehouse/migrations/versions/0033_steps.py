"""Runs say how long each of their steps took, and bear a name that no other run has; a message may tell of what was no run's."""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

NIGHTS = "Run whose message told of it (ops.run)"
ANYBODYS = "Run whose message told of it (ops.run); empty where no run was there"
OF_NIGHTS = "One row per cause of which a night's message told, for as long as it lasts."
OF_ANYBODY = "One row per cause of which a message told, for as long as it lasts."


def upgrade() -> None:
    """Of the runs before, nobody knows how long their steps took."""
    op.add_column(
        "run",
        sa.Column(
            "run_uuid",
            sa.UUID(),
            server_default=sa.func.gen_random_uuid(),
            nullable=False,
            comment="Name that no run of any warehouse shares: in its log lines and lineage events",
        ),
        schema="ops",
    )
    op.create_table(
        "step",
        sa.Column("run_id", sa.Integer(), autoincrement=False, nullable=False, comment="Run (ops.run)"),
        sa.Column("step", sa.Text(), nullable=False, comment="pull, ingest, publish or report"),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False, comment="Start"),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True, comment="End; empty while it goes on, and where the run broke in it"),
        sa.ForeignKeyConstraint(["run_id"], ["ops.run.run_id"], name=op.f("fk_step_run_id")),
        sa.PrimaryKeyConstraint("run_id", "step", name=op.f("pk_step")),
        schema="ops",
        comment="One row per run and step of it: when it began, and when it was done.",
    )
    op.alter_column("told", "run_id", nullable=True, comment=ANYBODYS, existing_comment=NIGHTS, schema="ops")
    op.create_table_comment("told", OF_ANYBODY, existing_comment=OF_NIGHTS, schema="ops")


def downgrade() -> None:
    """What was told outside of a run is told again."""
    op.execute("DELETE FROM ops.told WHERE run_id IS NULL")
    op.create_table_comment("told", OF_NIGHTS, existing_comment=OF_ANYBODY, schema="ops")
    op.alter_column("told", "run_id", nullable=False, comment=NIGHTS, existing_comment=ANYBODYS, schema="ops")
    op.drop_table("step", schema="ops")
    op.drop_column("run", "run_uuid", schema="ops")
