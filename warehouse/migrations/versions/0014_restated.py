"""Units of today before they began: out of which units they came, their values restated; no unit has values after its last day."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

WHEN = sa.DateTime(timezone=True)


# A publication for a day cannot end what itself began: that never was.
AFTER_ITS_LAST_DAY = """
WITH after AS (
    SELECT f.indicator_key, f.unit_key, f.period, f.revision FROM warehouse.fact_indicator f JOIN warehouse.dim_unit u USING (unit_key)
    WHERE f.known_to = 'infinity' AND u.valid_to < make_date(left(f.period, 4)::int,
        CASE WHEN f.period LIKE '%Q%' THEN 3 * right(f.period, 1)::int - 2 WHEN f.period LIKE '%-%' THEN right(f.period, 2)::int ELSE 1 END, 1)
), never AS (
    DELETE FROM warehouse.fact_indicator f USING after a WHERE f.known_from = (SELECT max(as_of) FROM ops.publication)
        AND (f.indicator_key, f.unit_key, f.period, f.revision) = (a.indicator_key, a.unit_key, a.period, a.revision)
)
UPDATE warehouse.fact_indicator f SET known_to = (SELECT max(as_of) FROM ops.publication) FROM after a
WHERE f.known_from < (SELECT max(as_of) FROM ops.publication)
    AND (f.indicator_key, f.unit_key, f.period, f.revision) = (a.indicator_key, a.unit_key, a.period, a.revision)
"""


def upgrade() -> None:
    """The tables are made of what is there: `seed` and the next night fill them."""
    op.execute(AFTER_ITS_LAST_DAY)
    op.create_table(
        "bridge_unit_lineage",
        sa.Column("unit_key", sa.Integer(), nullable=False, comment="Unit that others went into"),
        sa.Column("earlier_key", sa.Integer(), nullable=False, comment="Unit that went into it, or itself"),
        sa.Column(
            "extent",
            sa.Text(),
            nullable=False,
            comment="whole: on the first day of the later unit nothing of the earlier one is elsewhere; part: some of it is",
        ),
        sa.ForeignKeyConstraint(["unit_key"], ["warehouse.dim_unit.unit_key"], name=op.f("fk_bridge_unit_lineage_unit_key")),
        sa.ForeignKeyConstraint(["earlier_key"], ["warehouse.dim_unit.unit_key"], name=op.f("fk_bridge_unit_lineage_earlier_key")),
        sa.PrimaryKeyConstraint("unit_key", "earlier_key", name=op.f("pk_bridge_unit_lineage")),
        schema="warehouse",
        comment="One row per unit and each unit out of which it came, over all steps, itself among them.",
    )
    op.create_table(
        "fact_indicator_restated",
        sa.Column("indicator_key", sa.SmallInteger(), nullable=False, comment="Version of the indicator (dim_indicator)"),
        sa.Column("unit_key", sa.Integer(), nullable=False, comment="Administrative unit of today (dim_unit)"),
        sa.Column("period", sa.Text(), nullable=False, comment="2024, 2024-Q1 or 2024-03; it begins before the unit does"),
        sa.Column(
            "revision", sa.SmallInteger(), nullable=False, comment="1 for the first published, then 2, 3 … in the order of publication"
        ),
        sa.Column("numerator", sa.BigInteger(), comment="Numerator; empty where it cannot be told for the unit"),
        sa.Column("denominator", sa.BigInteger(), comment="Denominator; empty where it cannot be told for the unit"),
        sa.Column("value", sa.Numeric(), comment="The rate in its unit, rounded half up once at the printed decimals"),
        sa.Column(
            "obs_status",
            sa.String(1),
            nullable=False,
            comment="SDMX: A normal, P provisional, B break in series, L not collected, M not applicable, Q suppressed",
        ),
        sa.Column(
            "obs_reason",
            sa.Text(),
            comment="part_of_predecessor: a unit of then went into it only in part; predecessor_missing: of one of them there is no "
            "value; else as in fact_indicator",
        ),
        sa.Column(
            "units_counted",
            sa.SmallInteger(),
            nullable=False,
            comment="Units of then, and itself where it had begun, of which it is made up",
        ),
        sa.Column("units_all", sa.SmallInteger(), nullable=False, comment="Units of which it should be made up"),
        sa.Column("units_missing", sa.ARRAY(sa.Integer()), comment="Keys of the units that obs_reason speaks of"),
        sa.Column("known_from", WHEN, nullable=False, comment="Time from which this revision was the published one, inclusive"),
        sa.Column(
            "known_to",
            WHEN,
            nullable=False,
            server_default=sa.text("'infinity'"),
            comment="Time until which it was, exclusive; infinity while it is",
        ),
        sa.Column("publication_id", sa.Integer(), nullable=False, comment="Publication that brought this revision (ops.publication)"),
        sa.PrimaryKeyConstraint("indicator_key", "unit_key", "period", "revision", name=op.f("pk_fact_indicator_restated")),
        schema="warehouse",
        comment="One row per indicator, unit of today, period before it was whole, and revision: as if the unit had always been there.",
    )
    op.create_index(
        "ux_fact_indicator_restated_current",
        "fact_indicator_restated",
        ["period", "indicator_key", "unit_key"],
        unique=True,
        schema="warehouse",
        postgresql_where=sa.text("known_to = 'infinity'"),
    )


def downgrade() -> None:
    """What the tables held is made of what stays; values after the last day of a unit do not come back."""
    views = "SELECT string_agg(format('mart.%I', viewname), ', ') FROM pg_views WHERE schemaname = 'mart'"
    op.execute(f"DO $$ BEGIN EXECUTE coalesce('DROP VIEW ' || ({views}), 'SELECT'); END $$")  # the older version makes its own
    op.execute("DELETE FROM ops.installation WHERE item = 'views'")
    op.drop_table("fact_indicator_restated", schema="warehouse")
    op.drop_table("bridge_unit_lineage", schema="warehouse")
