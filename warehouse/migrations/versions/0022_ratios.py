"""What deliveries come to (amount per bill, payments per shop) is kept; a steward may let a delivery pass that differs and is right."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """What is usual is learnt from the deliveries that come from now on: facts do not say which unchanged rows a delivery told."""
    op.create_table(
        "ratio",
        sa.Column("delivery_id", sa.Integer(), nullable=False, comment="Delivery"),
        sa.Column("ratio", sa.Text(), nullable=False, comment="Ratio of the feed's contract, as amount_per_bill"),
        sa.Column(
            "part",
            sa.Text(),
            nullable=False,
            comment="Service, unit or the like that it is told apart by, as its key; empty for the whole",
        ),
        sa.Column("rows_counted", sa.Integer(), nullable=False, comment="Rows that count in it"),
        sa.Column("numerator", sa.Double(), nullable=False, comment="What is divided"),
        sa.Column(
            "denominator",
            sa.Double(),
            nullable=False,
            comment="What it is divided by, above 0; many different values are counted within 2 %",
        ),
        sa.ForeignKeyConstraint(["delivery_id"], ["ops.delivery.delivery_id"], name=op.f("fk_ratio_delivery_id")),
        sa.PrimaryKeyConstraint("delivery_id", "ratio", "part", name=op.f("pk_ratio")),
        schema="ops",
        comment="One row per delivery, ratio of its feed and part: what the rows it told come to, as amount per bill of electricity.",
    )
    op.create_table(
        "allowance",
        sa.Column("delivery_id", sa.Integer(), nullable=False, comment="Delivery"),
        sa.Column("rule_code", sa.Text(), nullable=False, comment="Rule that compares it with what is usual"),
        sa.Column("decided_by", sa.Text(), nullable=False, comment="Who said so"),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False, comment="When"),
        sa.ForeignKeyConstraint(["delivery_id"], ["ops.delivery.delivery_id"], name=op.f("fk_allowance_delivery_id")),
        sa.PrimaryKeyConstraint("delivery_id", "rule_code", name=op.f("pk_allowance")),
        schema="ops",
        comment="One row per refused delivery and rule that a steward lets it break, because the new level is right.",
    )
    op.execute("GRANT INSERT, UPDATE ON ops.allowance TO bakhong_steward")


def downgrade() -> None:
    """What was let pass stays loaded."""
    op.drop_table("allowance", schema="ops")
    op.drop_table("ratio", schema="ops")
