"""Deliveries of payments keep the days of which they tell all, so that what they do not tell can be held against what others say."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

COMMENTS = {
    "first_day": "First day of which it tells all payments: as its name declares; of a name that says one day only, that of its first row",
    "last_day": "Last day of which it tells all payments: one that was over when it was made; empty where none was",
}
# As a load does it: what is of one day only, and not declared, begins with its first row.
KNOWN = """
UPDATE ops.coverage c SET first_day = known.first_day, last_day = known.last_day
FROM (
    SELECT delivery_id,
        CASE WHEN named_first IS NULL OR named_first = named_last AND NOT is_declared THEN least(named_first, seen_first)
            ELSE named_first END AS first_day,
        least(coalesce(named_last, seen_last), ((exported_at + interval '1 s') AT TIME ZONE 'Asia/Ho_Chi_Minh')::date - 1) AS last_day
    FROM (
        SELECT d.delivery_id, is_declared, exported_at, min(date_key) AS named_first, max(date_key) AS named_last
        FROM ops.delivery d
        LEFT JOIN warehouse.dim_date ON d.business_period IN (date_key::text, month, quarter, year)
            OR date_key BETWEEN to_date(substring(d.business_period FROM '^(.{10})/'), 'YYYY-MM-DD')
                AND to_date(substring(d.business_period FROM '/(.{10})$'), 'YYYY-MM-DD')
        WHERE d.feed = 'payments' GROUP BY d.delivery_id
    ) named
    JOIN (
        SELECT delivery_id, min(business_date) AS seen_first, max(business_date) AS seen_last
        FROM warehouse.fact_payment GROUP BY delivery_id
    ) seen USING (delivery_id)
) known
WHERE known.delivery_id = c.delivery_id AND known.first_day <= known.last_day
"""


def upgrade() -> None:
    """Of what was loaded before, the days are those of its period and of the rows kept of it."""
    for name, comment in COMMENTS.items():
        op.add_column("coverage", sa.Column(name, sa.Date(), comment=comment), schema="ops")
    op.execute(KNOWN)


def downgrade() -> None:
    """The days are forgotten, and the views that ask for them."""
    views = "SELECT string_agg(format('mart.%I', viewname), ', ') FROM pg_views WHERE schemaname = 'mart'"
    op.execute(f"DO $$ BEGIN EXECUTE coalesce('DROP VIEW ' || ({views}), 'SELECT'); END $$")  # the older version makes its own
    op.execute("DELETE FROM ops.installation WHERE item = 'views'")
    for name in COMMENTS:
        op.drop_column("coverage", name, schema="ops")
