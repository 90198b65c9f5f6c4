"""Which published values are not for the public; until the next night has looked at a year, all that could be is withheld."""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """The next night goes over every year."""
    op.create_table(
        "indicator_confidentiality",
        sa.Column("period", sa.Text(), nullable=False, comment="2024, 2024-Q1 or 2024-03"),
        sa.Column("indicator_code", sa.Text(), nullable=False, comment="Code of the indicator"),
        sa.Column("unit_key", sa.Integer(), autoincrement=False, nullable=False, comment="Administrative unit (dim_unit)"),
        sa.Column(
            "is_restated",
            sa.Boolean(),
            nullable=False,
            comment="Whether it is the value put together for a unit of today, else that of the unit itself",
        ),
        sa.Column(
            "conf_status",
            sa.String(1),
            nullable=False,
            comment="SDMX: A confidential because of small counts, D withheld so that another is not given away",
        ),
        sa.CheckConstraint("conf_status IN ('A', 'D')", name=op.f("ck_indicator_confidentiality_conf_status")),
        sa.PrimaryKeyConstraint("period", "indicator_code", "unit_key", "is_restated", name=op.f("pk_indicator_confidentiality")),
        schema="warehouse",
        comment="One row per value published now that is not for the public: of few persons, "
        "or withheld so that another is not given away.",
    )


def downgrade() -> None:
    """Nothing of it can be told from what is left; the next night of a newer version makes it again."""
    op.execute("DELETE FROM ops.mark WHERE item LIKE 'confidentiality %'")
    views = "SELECT string_agg(format('%I.%I', schemaname, viewname), ', ') FROM pg_views WHERE schemaname IN ('mart', 'star')"
    op.execute(f"DO $$ BEGIN EXECUTE coalesce('DROP VIEW ' || ({views}), 'SELECT'); END $$")
    op.execute("DELETE FROM ops.installation WHERE item IN ('views', 'views as declared')")
    op.drop_table("indicator_confidentiality", schema="warehouse")
