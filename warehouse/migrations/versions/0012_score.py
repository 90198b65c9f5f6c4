"""Holidays and worked Saturdays are data; a procedure may have its statutory limit in working days."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

HOLIDAYS = "One row per day that is worked, or not, otherwise than its weekday says, with the decision that ordered it."
WORKING_DAY = ("Monday to Friday; public holidays are not taken out", "Monday to Friday, or as dim_holiday says")
RATIO = (
    "Percentage of the counts, or of the maximum for a total; half up at 2 decimals",
    "Percentage of the counts, or of the maximum for a total but TDGQ''s; half up at 2 decimals",
)
"""Comments of dim_date.is_working_day and fact_score_766.ratio before this step, and after it."""
LIMIT = "ThoiHanGiaiQuyet: longest handling time laid down, in working days"
PROCEDURES = ("list_procedure", "dim_procedure")


def upgrade() -> None:
    """The days themselves come with the reference data; lists of procedures say their limits when they are next delivered."""
    op.create_table(
        "dim_holiday",
        sa.Column("date_key", sa.Date(), nullable=False, comment="The day (dim_date)"),
        sa.Column(
            "is_working_day",
            sa.Boolean(),
            nullable=False,
            comment="False for a holiday, true for a Saturday worked in exchange for a weekday",
        ),
        sa.Column("holiday_name", sa.Text(), nullable=False, comment="What the day is, in Vietnamese"),
        sa.Column("legal_source", sa.Text(), nullable=False, comment="Law, and decision or notice of the year, that orders it"),
        sa.Column(
            "evidence",
            sa.Text(),
            nullable=False,
            comment="law: the date follows from the law's own text; notice: the year's notice was read; reported: known from what public sources say of it",
        ),
        sa.PrimaryKeyConstraint("date_key", name=op.f("pk_dim_holiday")),
        schema="warehouse",
        comment=HOLIDAYS,
    )
    for table in PROCEDURES:
        op.add_column(table, sa.Column("statutory_working_days", sa.SmallInteger(), nullable=True, comment=LIMIT), schema="warehouse")
    op.execute(f"COMMENT ON COLUMN warehouse.dim_date.is_working_day IS '{WORKING_DAY[1]}'")
    op.execute(f"COMMENT ON COLUMN warehouse.fact_score_766.ratio IS '{RATIO[1]}'")


def downgrade() -> None:
    """Days are worked as their weekday says."""
    op.execute(f"COMMENT ON COLUMN warehouse.fact_score_766.ratio IS '{RATIO[0]}'")
    op.execute(f"COMMENT ON COLUMN warehouse.dim_date.is_working_day IS '{WORKING_DAY[0]}'")
    op.execute("UPDATE warehouse.dim_date SET is_working_day = day_of_week < 6 WHERE is_working_day <> (day_of_week < 6)")
    for table in PROCEDURES:
        op.drop_column(table, "statutory_working_days", schema="warehouse")
    op.execute("DROP VIEW IF EXISTS mart.holiday")
    op.drop_table("dim_holiday", schema="warehouse")
