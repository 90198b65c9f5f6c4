"""The distinct things behind counts are kept: filled by the next night, which counts them from scratch."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Of lists of pseudonyms the planner needs to know nothing, and they do not get smaller by compression."""
    op.create_table(
        "agg_thing",
        sa.Column("counted", sa.Text(), nullable=False, comment="What is counted, as bill customers things (warehouse.counted)"),
        sa.Column("unit_key", sa.Integer(), nullable=False, comment="Unit of the rows, those above it not added (dim_unit)"),
        sa.Column("year", sa.Integer(), autoincrement=False, nullable=False, comment="Year of the rows"),
        sa.Column("month", sa.Integer(), nullable=False, comment="Month of the rows, 1 to 12"),
        sa.Column(
            "holds",
            sa.Integer(),
            nullable=False,
            comment="Measures in which the rows are counted, as bits in their order (warehouse.counted)",
        ),
        sa.Column(
            "things",
            sa.ARRAY(sa.Uuid()),
            nullable=False,
            comment="The things, as fact_bill.customer_hash, each as often as a row tells of it",
        ),
        sa.PrimaryKeyConstraint("counted", "unit_key", "year", "month", "holds", name=op.f("pk_agg_thing")),
        schema="warehouse",
        comment="One row per thing counted, unit, month and measures told: the distinct things of which rows tell it, kept from night to "
        "night.",
    )
    op.execute("ALTER TABLE warehouse.agg_thing ALTER things SET STATISTICS 0, ALTER things SET STORAGE EXTERNAL")


def downgrade() -> None:
    """What it held is made of facts."""
    op.drop_table("agg_thing", schema="warehouse")
