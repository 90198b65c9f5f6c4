"""Quarantine keeps the first rows at fault of rejected deliveries too: it says so."""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

COMMENTS = {
    "TABLE ops.quarantine": (
        "One row per row set aside and rule it broke.",
        "One row per row set aside and rule it broke; of a rejected delivery the first of each rule and column.",
    ),
    "COLUMN ops.quarantine.status": (
        "open, waiting (for a bill), released or dismissed",
        "open, waiting (for a bill), released, dismissed, or rejected with its delivery",
    ),
}
"""Table or column → its comment before this step, and after it."""


def upgrade() -> None:
    """Says what is new."""
    for thing, (_, after) in COMMENTS.items():
        op.execute(f"COMMENT ON {thing} IS '{after}'")


def downgrade() -> None:
    """Rows of rejected deliveries go: the version before does not know them."""
    op.execute("DELETE FROM ops.quarantine WHERE status = 'rejected'")
    for thing, (before, _) in COMMENTS.items():
        op.execute(f"COMMENT ON {thing} IS '{before}'")
