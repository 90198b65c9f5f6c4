"""Printed figures keep what their words say; indicators say what they count; bills say whether the customer is a household."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

OF_INDICATORS = {
    "numerator_counts": "What the numerator counts, the same text for the same thing; a measure where offices count it",
    "denominator_counts": "What the denominator counts, told alike; empty of a count, which has none",
    "may_exceed": "Why the numerator may exceed the denominator; empty where it never may",
}
"""New columns of dim_indicator; the next publication fills them from what is declared."""

COMMENTS = {
    "numerator": ("Numerator as printed", "Numerator as printed, beside the figure or as 16/16"),
    "denominator": ("Denominator as printed", "Denominator as printed, likewise"),
    "printed_decimals": ("Decimals it was printed with", "Decimals it was printed with; below zero where thousands or millions were"),
}
"""Column of fact_published_figure → its comment before this step, and after it."""

SAID = """
UPDATE warehouse.fact_published_figure SET
    printed_as = CASE WHEN printed ~* '^(hơn|trên)' THEN 'above' WHEN printed ~* '^khoảng' THEN 'about' ELSE 'exact' END,
    numerator = CASE WHEN is_counts THEN replace(split_part(printed, '/', 1), '.', '')::bigint ELSE numerator END,
    denominator = CASE WHEN is_counts THEN replace(split_part(printed, '/', 2), '.', '')::bigint ELSE denominator END
FROM (
    SELECT row_key AS key, known_from AS since, numerator IS NULL AND denominator IS NULL AND printed LIKE '%/%' AS is_counts
    FROM warehouse.fact_published_figure
) figure
WHERE row_key = key AND known_from = since
"""
"""What the figures loaded before say, by the words that were read until now."""


def upgrade() -> None:
    """Adds the columns, and reads what stored figures say."""
    for name, comment in OF_INDICATORS.items():
        op.add_column("dim_indicator", sa.Column(name, sa.Text(), comment=comment), schema="warehouse")
    op.add_column("fact_bill", sa.Column("is_household", sa.Boolean(), comment=HOUSEHOLD), schema="warehouse")
    op.add_column(
        "fact_published_figure",
        sa.Column("printed_as", sa.Text(), server_default=sa.text("'exact'"), nullable=False, comment=PRINTED_AS),
        schema="warehouse",
    )
    for name, (_, after) in COMMENTS.items():
        op.execute(f"COMMENT ON COLUMN warehouse.fact_published_figure.{name} IS '{after}'")
    op.execute(SAID)


def downgrade() -> None:
    """Takes the columns away; counts that were read from the figure stay."""
    views = "SELECT string_agg(format('mart.%I', viewname), ', ') FROM pg_views WHERE schemaname = 'mart'"
    op.execute(f"DO $$ BEGIN EXECUTE coalesce('DROP VIEW ' || ({views}), 'SELECT'); END $$")  # the older version makes its own
    op.execute("DELETE FROM ops.installation WHERE item = 'views'")
    for name, (before, _) in COMMENTS.items():
        op.execute(f"COMMENT ON COLUMN warehouse.fact_published_figure.{name} IS '{before}'")
    op.drop_column("fact_published_figure", "printed_as", schema="warehouse")
    op.drop_column("fact_bill", "is_household", schema="warehouse")
    for name in OF_INDICATORS:
        op.drop_column("dim_indicator", name, schema="warehouse")


HOUSEHOLD = "Whether the bill says that the customer is a household; empty where it does not say who is one"
PRINTED_AS = "What its words say: exact, about, nearly, above, at_least, below or at_most (rule PUB-003)"
