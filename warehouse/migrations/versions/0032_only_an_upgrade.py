"""Only an upgrade changes the warehouse: it notes which views, rights and reference data it left. Files of servers are known again."""

from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

ITEM = (
    "views, views as declared: hash of the views as applied, without and with what YAML declares; reporting_calendar and a form: "
    "calendar of the periods it shows",
    "views, views as declared: hash of the views as applied, without and with what YAML declares; each view: hash of each; "
    "grants, grants as declared: what the roles may do since the last upgrade, hash of grants.sql; reference: hash of the reference "
    "data; reporting_calendar and a form: calendar of the periods it shows",
)

STAMP = (
    "Size, times and place of the file where it was found: while all agree, its bytes need not be read again",
    "Size, times and place of the file where it was found, or the tag or time of change that its server gave: while all agree, "
    "its bytes need not be read again",
)


def upgrade() -> None:
    """What is noted is noted by the upgrade itself."""
    op.alter_column("installation", "item", comment=ITEM[1], schema="ops")
    op.alter_column("delivery", "file_stamp", comment=STAMP[1], schema="ops")


def downgrade() -> None:
    """The older version replaces all views at once."""
    op.execute("DELETE FROM ops.installation WHERE item IN ('each view', 'grants', 'grants as declared', 'reference')")
    op.alter_column("delivery", "file_stamp", comment=STAMP[0], schema="ops")
    op.alter_column("installation", "item", comment=ITEM[0], schema="ops")
