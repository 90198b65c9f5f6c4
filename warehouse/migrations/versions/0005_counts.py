"""One table of counts that add up in place of three; what they were made of is marked beside them."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

KEPT = "One row per thing counted, unit, part, day and month received: counts that add up, kept from night to night."
MARK = "One row per thing that is counted or computed night after night: by what, and up to which load and day."


def upgrade() -> None:
    """Makes it empty: the next night counts everything anew."""
    op.execute("DELETE FROM ops.installation WHERE item = 'counted dossiers'")
    for table in ("agg_unit_month", "agg_form_06a", "agg_score_766"):
        op.drop_table(table, schema="warehouse")
    op.create_table(
        "agg_count",
        sa.Column("counted", sa.Text(), nullable=False, comment="What is counted, as dossier, bill, form_06a (warehouse.counted)"),
        sa.Column("unit_key", sa.Integer(), nullable=False, comment="Unit of the event itself, those above it not added (dim_unit)"),
        sa.Column(
            "part",
            sa.Integer(),
            nullable=False,
            comment="What it is counted by inside the unit: the lowest key of a procedure, months of a period; 0 where by nothing",
        ),
        sa.Column(
            "day",
            sa.Date(),
            nullable=False,
            comment="First of the month it happens in; the day itself where it lay ahead when it became known; infinity where never",
        ),
        sa.Column(
            "received",
            sa.Date(),
            nullable=False,
            comment="First of the month what happens was received in; the day where that makes no difference",
        ),
        sa.Column(
            "counts",
            sa.ARRAY(sa.BigInteger()),
            nullable=False,
            comment="Rows counted, then its measures in their order (warehouse.counted)",
        ),
        sa.PrimaryKeyConstraint("counted", "unit_key", "part", "day", "received", name="pk_agg_count"),
        schema="warehouse",
        comment=KEPT,
    )
    op.create_table(
        "mark",
        sa.Column("item", sa.Text(), nullable=False, comment="What is counted (warehouse.agg_count.counted), or the table made of it"),
        sa.Column(
            "fingerprint",
            sa.Text(),
            nullable=False,
            comment="Hash of everything that decides what counts: query, conditions, rules, flags of dimensions; another one means from scratch",
        ),
        sa.Column("load_id", sa.Integer(), nullable=False, comment="Last load whose states are counted in it (ops.load)"),
        sa.Column("as_of", sa.DateTime(timezone=True), nullable=False, comment="State of knowledge it was last brought to"),
        sa.Column("totals", sa.Text(), server_default="", nullable=False, comment="Number and totals of the counts that were left; empty for a table"),
        sa.PrimaryKeyConstraint("item", name="pk_mark"),
        schema="ops",
        comment=MARK,
    )


def _number(name: str, comment: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=False, comment=comment)


def downgrade() -> None:
    """Makes the three tables empty; a new date of the way of counting lets the older version count everything anew."""
    op.drop_table("mark", schema="ops")
    op.drop_table("agg_count", schema="warehouse")
    op.execute("UPDATE warehouse.dim_indicator SET counted_since = now()")
    op.create_table(
        "agg_unit_month",
        sa.Column("indicator_key", sa.SmallInteger(), nullable=False, comment="Indicator (dim_indicator)"),
        sa.Column("unit_key", sa.Integer(), nullable=False, comment="Administrative unit (dim_unit)"),
        sa.Column("month", sa.Text(), nullable=False, comment="2024-03"),
        sa.Column(
            "numerator",
            sa.BigInteger(),
            nullable=False,
            comment="The unit's own rows or VND in the numerator, units below not added",
        ),
        sa.Column(
            "denominator",
            sa.BigInteger(),
            nullable=False,
            comment="The unit's own rows or VND in the denominator, units below not added",
        ),
        sa.PrimaryKeyConstraint("indicator_key", "unit_key", "month", name="pk_agg_unit_month"),
        schema="warehouse",
        comment="One row per indicator of dossiers or bills that adds up, unit and month; quarters and years are sums of it.",
    )
    op.create_index("ix_agg_unit_month_month", "agg_unit_month", ["month"], unique=False, schema="warehouse")
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
        _number("online", "Received online"),
        _number("other", "Received directly or by post"),
        _number("early", "Handled early"),
        _number("on_day", "Handled on the day due, without due date, or withdrawn"),
        _number("late", "Handled late"),
        _number("overdue", "Became overdue, less those overdue that were handled"),
        sa.PrimaryKeyConstraint("unit_key", "section", "sector_code", "day", name="pk_agg_form_06a"),
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
        sa.PrimaryKeyConstraint("rules_from", "unit_key", "procedure_no", "received", "late_from", name="pk_agg_score_766"),
        schema="warehouse",
        comment="One row per unit, procedure, month received and day of falling late: counts of dossiers for the score of decision 766.",
    )
