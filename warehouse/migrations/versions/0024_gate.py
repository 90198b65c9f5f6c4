"""A gate before publication: what is out of line in an edition, which edition is held for it, which were signed, who was told."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing is held from before; stewards decide on what is, and sign."""
    op.add_column(
        "source",
        sa.Column(
            "is_required",
            sa.Boolean(),
            server_default=sa.false(),
            nullable=False,
            comment="Whether an edition is held while it is late (required: true in sources.yaml)",
        ),
        schema="ops",
    )
    op.create_table(
        "alarm",
        sa.Column("alarm_id", sa.Integer(), sa.Identity(), nullable=False, comment="Surrogate key"),
        sa.Column("subject", sa.Text(), nullable=False, comment="What it is about and what it found there: the same finding is the same alarm"),
        sa.Column("check_code", sa.Text(), nullable=False, comment="Check of the gate, as GAT-001 (warehouse/gate.yaml)"),
        sa.Column("raised_by", sa.Integer(), nullable=False, comment="Run that found it first (ops.run)"),
        sa.Column("ended_by", sa.Integer(), nullable=True, comment="Run that no longer found it (ops.run); empty while it stands"),
        sa.Column("indicator_code", sa.Text(), nullable=True, comment="Code of the indicator; empty where a delivery or a source is meant"),
        sa.Column("unit_key", sa.Integer(), nullable=True, comment="Administrative unit (dim_unit)"),
        sa.Column("period", sa.Text(), nullable=True, comment="2024, 2024-Q1 or 2024-03"),
        sa.Column("source", sa.Text(), nullable=True, comment="Source that is out of line; empty where a value is"),
        sa.Column("old_numerator", sa.BigInteger(), nullable=True, comment="As published"),
        sa.Column("old_denominator", sa.BigInteger(), nullable=True, comment="As published"),
        sa.Column("old_value", sa.Numeric(), nullable=True, comment="As published; for a jump that of the period before"),
        sa.Column("numerator", sa.BigInteger(), nullable=True, comment="As computed"),
        sa.Column("denominator", sa.BigInteger(), nullable=True, comment="As computed"),
        sa.Column("value", sa.Numeric(), nullable=True, comment="As computed; empty where there is none any more"),
        sa.Column("message_vi", sa.Text(), nullable=False, comment="What is out of line, in Vietnamese"),
        sa.Column(
            "deliveries", postgresql.ARRAY(sa.Integer()), nullable=False, comment="Deliveries that moved it, who moved most first (ops.delivery)"
        ),
        sa.Column("decision", sa.Text(), nullable=True, comment="accepted or rejected; empty while nobody has decided"),
        sa.Column("reason", sa.Text(), nullable=True, comment="Why, in the words of who decided; printed with the table it touches"),
        sa.Column("decided_by", sa.Text(), nullable=True, comment="Who decided"),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True, comment="When"),
        sa.Column("publication_id", sa.Integer(), nullable=True, comment="Publication in which it went out as accepted"),
        sa.CheckConstraint("decision IN ('accepted', 'rejected')", name=op.f("ck_alarm_decision")),
        sa.CheckConstraint("(decision IS NULL) = (reason IS NULL)", name=op.f("ck_alarm_reason")),
        sa.ForeignKeyConstraint(["raised_by"], ["ops.run.run_id"], name=op.f("fk_alarm_raised_by")),
        sa.ForeignKeyConstraint(["ended_by"], ["ops.run.run_id"], name=op.f("fk_alarm_ended_by")),
        sa.ForeignKeyConstraint(["publication_id"], ["ops.publication.publication_id"], name=op.f("fk_alarm_publication_id")),
        sa.PrimaryKeyConstraint("alarm_id", name=op.f("pk_alarm")),
        schema="ops",
        comment="One row per thing out of line in an edition, from the run that found it to the one that no longer did; with what was decided.",
    )
    op.create_index("ux_alarm_standing", "alarm", ["subject"], unique=True, schema="ops", postgresql_where=sa.text("ended_by IS NULL"))
    op.create_table(
        "held_edition",
        sa.Column("run_id", sa.Integer(), nullable=False, comment="Run that computed it (ops.run)"),
        sa.Column("as_of", sa.DateTime(timezone=True), nullable=False, comment="State of knowledge it shows"),
        sa.Column("held_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False, comment="When it was held"),
        sa.Column("values_added", sa.Integer(), nullable=False, comment="Values of indicators: first revisions"),
        sa.Column("values_revised", sa.Integer(), nullable=False, comment="Values of indicators that would take the place of another one"),
        sa.Column("values_ended", sa.Integer(), nullable=False, comment="Values of indicators that would be published no more"),
        sa.Column("ended_by", sa.Integer(), nullable=True, comment="Run whose edition took its place (ops.run); empty while it is held"),
        sa.ForeignKeyConstraint(["run_id"], ["ops.run.run_id"], name=op.f("fk_held_edition_run_id")),
        sa.ForeignKeyConstraint(["ended_by"], ["ops.run.run_id"], name=op.f("fk_held_edition_ended_by")),
        sa.PrimaryKeyConstraint("run_id", name=op.f("pk_held_edition")),
        schema="ops",
        comment="One row per night whose edition was held: what it would have changed, and until which run it was the one held.",
    )
    op.create_table(
        "held_value",
        sa.Column("indicator_key", sa.SmallInteger(), autoincrement=False, nullable=False, comment="Indicator (dim_indicator)"),
        sa.Column("unit_key", sa.Integer(), autoincrement=False, nullable=False, comment="Administrative unit (dim_unit)"),
        sa.Column("period", sa.Text(), nullable=False, comment="2024, 2024-Q1 or 2024-03"),
        sa.Column("old_numerator", sa.BigInteger(), nullable=True, comment="As published; empty where nothing was"),
        sa.Column("old_denominator", sa.BigInteger(), nullable=True, comment="As published"),
        sa.Column("old_value", sa.Numeric(), nullable=True, comment="As published"),
        sa.Column("old_obs_status", sa.String(length=1), nullable=True, comment="As published, SDMX"),
        sa.Column("numerator", sa.BigInteger(), nullable=True, comment="As computed"),
        sa.Column("denominator", sa.BigInteger(), nullable=True, comment="As computed"),
        sa.Column("value", sa.Numeric(), nullable=True, comment="As computed"),
        sa.Column("obs_status", sa.String(length=1), nullable=False, comment="As computed, SDMX"),
        sa.PrimaryKeyConstraint("indicator_key", "unit_key", "period", name=op.f("pk_held_value")),
        schema="ops",
        comment="One row per value that the edition held now would change: as published, and as computed.",
    )
    op.create_table(
        "release",
        sa.Column("release_id", sa.Integer(), sa.Identity(), nullable=False, comment="Number of the signed edition"),
        sa.Column("period", sa.Text(), nullable=False, comment="2024, 2024-Q1 or 2024-03"),
        sa.Column("publication_id", sa.Integer(), nullable=False, comment="Publication whose values are signed (ops.publication)"),
        sa.Column("as_of", sa.DateTime(timezone=True), nullable=False, comment="State of knowledge they show"),
        sa.Column("signed_by", sa.Text(), nullable=False, comment="Who signed"),
        sa.Column("signed_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False, comment="When"),
        sa.Column("note", sa.Text(), nullable=True, comment="What the signer adds; printed with the tables"),
        sa.Column("values_signed", sa.Integer(), nullable=False, comment="Values in it, of all units and indicators of the period"),
        sa.Column("checksum", sa.Text(), nullable=False, comment="SHA-256 over the signed values, as docs/gate.md says how to take it"),
        sa.Column("workbook_sha256", sa.Text(), nullable=False, comment="SHA-256 of the signed workbook's bytes"),
        sa.Column(
            "content", sa.LargeBinary(), nullable=False, comment="All that the signed workbook shows, compressed JSON: it is rebuilt from this"
        ),
        sa.ForeignKeyConstraint(["publication_id"], ["ops.publication.publication_id"], name=op.f("fk_release_publication_id")),
        sa.PrimaryKeyConstraint("release_id", name=op.f("pk_release")),
        schema="ops",
        comment="One row per time a period was signed: who, when, on which edition, and what stood in it.",
    )
    op.create_index("ix_release_period", "release", ["period"], schema="ops")
    op.create_table(
        "told",
        sa.Column("cause", sa.Text(), nullable=False, comment="What went wrong, without what changes from night to night"),
        sa.Column("run_id", sa.Integer(), nullable=False, comment="Run whose message told of it (ops.run)"),
        sa.Column("told_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False, comment="When"),
        sa.ForeignKeyConstraint(["run_id"], ["ops.run.run_id"], name=op.f("fk_told_run_id")),
        sa.PrimaryKeyConstraint("cause", name=op.f("pk_told")),
        schema="ops",
        comment="One row per cause of which a night's message told, for as long as it lasts.",
    )
    op.execute("GRANT UPDATE (decision, reason, decided_by, decided_at) ON ops.alarm TO bakhong_steward")
    op.execute("GRANT INSERT ON ops.release TO bakhong_steward")


def downgrade() -> None:
    """Decisions and signatures are lost; what was published stays."""
    op.drop_table("told", schema="ops")
    op.drop_table("release", schema="ops")
    op.drop_table("held_value", schema="ops")
    op.drop_table("held_edition", schema="ops")
    op.drop_table("alarm", schema="ops")
    op.drop_column("source", "is_required", schema="ops")
