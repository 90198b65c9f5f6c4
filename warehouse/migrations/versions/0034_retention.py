"""What is kept no longer than a rule says: when the file of a delivery went, and what went by which rule."""

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None

REMOVED = "When its file was removed from landing/ by the rules of retention (ops.pruning); empty while it is kept"
PRUNING = "One row per rule of retention and time something went by it: who had it done, and how much went."


def upgrade() -> None:
    """Until now everything was kept."""
    op.add_column("delivery", sa.Column("file_removed_at", sa.DateTime(timezone=True), nullable=True, comment=REMOVED), schema="ops")
    op.create_table(
        "pruning",
        sa.Column("pruning_id", sa.Integer(), sa.Identity(), nullable=False, comment="Surrogate key"),
        sa.Column("rule", sa.Text(), nullable=False, comment="Rule of warehouse/retention.yaml"),
        sa.Column("kept_for", sa.Text(), nullable=False, comment="How long it keeps what it is about, as it was on that day"),
        sa.Column("source", sa.Text(), nullable=False, comment="Who says so"),
        sa.Column("pruned_at", sa.DateTime(timezone=True), nullable=False, comment="When"),
        sa.Column("pruned_by", sa.Text(), nullable=False, comment="Who"),
        sa.Column("files", sa.Integer(), nullable=False, comment="Files that were compressed or removed"),
        sa.Column("rows", sa.Integer(), nullable=False, comment="Rows that were removed, or emptied of what they quote"),
        sa.Column("bytes", sa.BigInteger(), nullable=False, comment="Bytes that were freed"),
        sa.PrimaryKeyConstraint("pruning_id", name=op.f("pk_pruning")),
        schema="ops",
        comment=PRUNING,
    )


def downgrade() -> None:
    """Which files were removed is forgotten: they are missing then, for no reason that is told."""
    op.drop_table("pruning", schema="ops")
    op.drop_column("delivery", "file_removed_at", schema="ops")
