"""A payment keeps how much of it was given back, and of which order of a shop it is."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Of what is stored nothing was given back in part: its layouts say only whether all of a payment was."""
    columns: tuple[sa.Column[Any], ...] = (
        sa.Column(
            "refunded_vnd",
            sa.BigInteger(),
            nullable=False,
            server_default=sa.text("0"),
            comment="Of the amount, given back so far, VND: as the provider says, or by its refunds of the same order",
        ),
        sa.Column(
            "is_refund",
            sa.Boolean(),
            nullable=False,
            server_default=sa.false(),
            comment="Whether it is no payment, but gives back what was paid for the same order",
        ),
        sa.Column(
            "order_key", sa.BigInteger(), comment="64-bit hash of the order of a shop that it is of; empty where the provider names none"
        ),
    )
    for column in columns:
        op.add_column("fact_payment", column, schema="warehouse")
    held = sa.text("known_to = 'infinity' AND order_key IS NOT NULL")
    op.create_index("ix_fact_payment_order_key", "fact_payment", ["order_key"], schema="warehouse", postgresql_where=held)


def downgrade() -> None:
    """Refunds that are transactions of their own stay, as payments that are not settled."""
    op.drop_index("ix_fact_payment_order_key", "fact_payment", schema="warehouse")
    for column in ("order_key", "is_refund", "refunded_vnd"):
        op.drop_column("fact_payment", column, schema="warehouse")
