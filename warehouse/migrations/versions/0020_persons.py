"""Lists of persons say until when a certificate holds and from when its holder is of age; values say which lists they lack."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

REASON = "COLUMN warehouse.fact_indicator.obs_reason"
BEFORE = (
    "Why there is no value: not_applicable or no_cases (0 of 0) beside M; held_back beside L where the audit let it not pass (ops.held_back)"
)
AFTER = (
    f"{BEFORE}. Why it stays provisional, beside P: stands_in where another count stands in, lists_missing where providers_missing name "
    "nobody"
)
COLUMNS: dict[str, list[sa.Column[Any]]] = {
    "fact_signature_holder": [
        sa.Column("expires_on", sa.Date(), comment="Last day on which the certificate is valid; empty where the list does not say it"),
        sa.Column(
            "adult_from",
            sa.Date(),
            comment="Day from which the holder is known to be of age (18): the day of issue, or the first of the month of that birthday "
            "where it comes later; empty where the list states no age",
        ),
    ],
    "fact_indicator": [
        sa.Column(
            "providers_missing",
            sa.ARRAY(sa.SmallInteger()),
            comment="Providers that report counts of what is counted here by the person, and list no persons (dim_provider)",
        )
    ],
    "dim_indicator": [
        sa.Column(
            "fallback_note", sa.Text(), comment="What is shown where another count stands in, in Vietnamese; empty where none does"
        )
    ],
}


def upgrade() -> None:
    """Of what is stored neither end nor age is known. The next night counts again, and says why values stay provisional."""
    for table, columns in COLUMNS.items():
        for column in columns:
            op.add_column(table, column, schema="warehouse")
    op.execute(f"COMMENT ON {REASON} IS '{AFTER}'")


def downgrade() -> None:
    """What only this version knows goes: provisional values stay so without their reason."""
    views = "SELECT string_agg(format('mart.%I', viewname), ', ') FROM pg_views WHERE schemaname = 'mart'"
    op.execute(f"DO $$ BEGIN EXECUTE coalesce('DROP VIEW ' || ({views}), 'SELECT'); END $$")  # the older version makes its own
    op.execute("DELETE FROM ops.installation WHERE item = 'views'")
    for table in ("fact_indicator", "fact_indicator_restated"):
        op.execute(f"UPDATE warehouse.{table} SET obs_reason = NULL WHERE obs_reason IN ('stands_in', 'lists_missing')")
    for table, columns in COLUMNS.items():
        for column in columns:
            op.drop_column(table, column.name, schema="warehouse")
    op.execute(f"COMMENT ON {REASON} IS '{BEFORE}'")
