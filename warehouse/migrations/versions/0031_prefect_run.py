"""A run says which of Prefect's it was: where its process dies, Prefect is told.

A night that looked for no new files is called so: it makes up for no other.
"""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Of earlier runs nobody knows."""
    op.add_column("run", sa.Column("prefect_run", sa.Uuid(), nullable=True, comment="The run of Prefect that it was"), schema="ops")
    comment_of_flow("nightly, backfill, or publish: a night that looked for no new files", "nightly or backfill")


def downgrade() -> None:
    """A night that looked for no new files is a nightly one again."""
    op.execute("UPDATE ops.run SET flow = 'nightly' WHERE flow = 'publish'")
    comment_of_flow("nightly or backfill", "nightly, backfill, or publish: a night that looked for no new files")
    op.drop_column("run", "prefect_run", schema="ops")


def comment_of_flow(comment: str, before: str) -> None:
    op.alter_column("run", "flow", comment=comment, existing_comment=before, existing_type=sa.Text(), existing_nullable=False, schema="ops")
