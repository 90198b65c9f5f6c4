"""The star for BI tools, in a schema of its own; and of each source, when its silence is late and for how long it has spoken."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

ITEM = (
    "views: hash of the mart views as applied; reporting_calendar and a form: calendar of the periods it shows",
    "views, views as declared: hash of the views as applied, without and with what YAML declares; reporting_calendar and a form: "
    "calendar of the periods it shows",
)
ROLES = "bakhong_etl, bakhong_steward, bakhong_reader"


def upgrade() -> None:
    """Until the next night nobody knows when a source is late."""
    op.execute("CREATE SCHEMA star")
    op.execute("COMMENT ON SCHEMA star IS 'The facts without persons: what BI tools drill into'")
    op.execute(f"GRANT USAGE ON SCHEMA star TO {ROLES}")
    op.execute(f"ALTER DEFAULT PRIVILEGES IN SCHEMA star GRANT SELECT ON TABLES TO {ROLES}")
    op.add_column(
        "source",
        sa.Column(
            "patience_days",
            sa.Integer(),
            comment="Days after its last delivery from which its silence counts as late; empty of one that sends once",
        ),
        schema="ops",
    )
    op.add_column(
        "source",
        sa.Column("data_until", sa.Date(), comment="Last day for which it had spoken when last published; empty where nothing was taken of it"),
        schema="ops",
    )
    op.alter_column("installation", "item", comment=ITEM[1], schema="ops")


def downgrade() -> None:
    """The older version makes its own views."""
    views = "SELECT string_agg(format('mart.%I', viewname), ', ') FROM pg_views WHERE schemaname = 'mart'"
    op.execute(f"DO $$ BEGIN EXECUTE coalesce('DROP VIEW ' || ({views}), 'SELECT'); END $$")
    op.execute("DELETE FROM ops.installation WHERE item IN ('views', 'views as declared')")
    op.execute("DROP SCHEMA star CASCADE")
    op.alter_column("installation", "item", comment=ITEM[0], schema="ops")
    op.drop_column("source", "data_until", schema="ops")
    op.drop_column("source", "patience_days", schema="ops")
