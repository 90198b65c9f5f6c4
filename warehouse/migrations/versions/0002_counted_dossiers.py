"""Keep dossiers counted, so that a night adds only what changed."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds the counts that official tables are made of."""
    op.create_table(
        "agg_form_06a",
        sa.Column("unit_key", sa.Integer(), nullable=False, comment="Reporting unit: the handling unit or one above it"),
        sa.Column("section", sa.Text(), nullable=False, comment="Level of the handling unit: province, district, commune or unknown"),
        sa.Column("sector_code", sa.Text(), nullable=False, comment="Sector (lĩnh vực) of the procedure"),
        sa.Column(
            "day",
            sa.Date(),
            nullable=False,
            comment="First of the month it happened in; the day itself where it lay ahead when it became known",
        ),
        sa.Column("online", sa.Integer(), nullable=False, comment="Received online"),
        sa.Column("other", sa.Integer(), nullable=False, comment="Received directly or by post"),
        sa.Column("early", sa.Integer(), nullable=False, comment="Handled early"),
        sa.Column("on_day", sa.Integer(), nullable=False, comment="Handled on the day due, without due date, or withdrawn"),
        sa.Column("late", sa.Integer(), nullable=False, comment="Handled late"),
        sa.Column("overdue", sa.Integer(), nullable=False, comment="Became overdue, less those overdue that were handled"),
        sa.PrimaryKeyConstraint("unit_key", "section", "sector_code", "day", name=op.f("pk_agg_form_06a")),
        schema="warehouse",
        comment="One row per unit, section, sector and day: what happened to dossiers, ready to be added up into form II.06a.",
    )
    op.create_table(
        "agg_score_766",
        sa.Column("rules_from", sa.Date(), nullable=False, comment="Day from which the rules hold that it was counted by"),
        sa.Column("unit_key", sa.Integer(), nullable=False, comment="Unit that handles the dossiers"),
        sa.Column("procedure_no", sa.Integer(), nullable=False, comment="Lowest key of all versions of the procedure, which counts once"),
        sa.Column(
            "received",
            sa.Date(),
            nullable=False,
            comment="First of the month the dossiers were received in; the day itself where it lay ahead when it became known",
        ),
        sa.Column(
            "late_from",
            sa.Date(),
            nullable=False,
            comment="Day from which unfinished dossiers are late, by month once it is past; infinity for all others",
        ),
        sa.Column("dossiers", sa.Integer(), nullable=False, comment="All dossiers"),
        sa.Column("counts", sa.ARRAY(sa.Integer()), nullable=False, comment="Dossiers by measure of the rules, in their order"),
        sa.PrimaryKeyConstraint("rules_from", "unit_key", "procedure_no", "received", "late_from", name=op.f("pk_agg_score_766")),
        schema="warehouse",
        comment="One row per unit, procedure, month received and day of falling late: counts of dossiers for the score of decision 766.",
    )


def downgrade() -> None:
    """Drops them; the next computation after an upgrade counts everything anew."""
    op.execute("DELETE FROM ops.installation WHERE item = 'counted dossiers'")
    op.drop_table("agg_score_766", schema="warehouse")
    op.drop_table("agg_form_06a", schema="warehouse")
