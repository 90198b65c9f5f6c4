"""A dossier keeps the unit that received it beside the one that handles it at the time of the state; forms by several calendars."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

COMMENTS = {
    "agency_key": ("Handling agency (dim_agency) at the day received", "Handling agency (dim_agency) at the time of the state"),
    "unit_key": (
        "Administrative unit (dim_unit) of the handling agency at the day received",
        "Administrative unit (dim_unit) of the handling agency at the time of the state: when it ended, else when it was exported",
    ),
}
"""Column of fact_dossier → its comment before this step, and after it."""
CALENDAR = "Calendar of the period: lich (the calendar's), nghi_dinh_09 (decree 09/2019/NĐ-CP, from the 15th)"
DAY = "First of the month{} it happens in; the day itself where it lay ahead when it became known; infinity where never"
ITEM = "views: hash of the mart views as applied; secret_key: fingerprint of the key people were pseudonymised with"
CHOSEN = "; reporting_calendar and a form: calendar of the periods it shows"
FORM = "One row per unit, {by}, section, sector and revision of form II.06a (TT 01/2020/TT-VPCP)."


def _key(columns: list[str]) -> None:
    op.drop_index("ux_fact_form_06a_current", "fact_form_06a", schema="warehouse")
    op.drop_constraint("pk_fact_form_06a", "fact_form_06a", schema="warehouse")
    op.create_primary_key("pk_fact_form_06a", "fact_form_06a", [*columns, "revision"], schema="warehouse")
    held = sa.text("known_to = 'infinity'")
    op.create_index("ux_fact_form_06a_current", "fact_form_06a", columns, unique=True, schema="warehouse", postgresql_where=held)


def upgrade() -> None:
    """What is stored was received by the unit it stands under; the lists of agencies are read again, and say who handles it."""
    op.add_column(
        "fact_dossier",
        sa.Column(
            "receiving_agency_key", sa.Integer(), comment="Agency (dim_agency) that received it, where the export tells it from the handling one"
        ),
        schema="warehouse",
    )
    op.add_column(
        "fact_dossier",
        sa.Column(
            "received_unit_key",
            sa.Integer(),
            comment="Administrative unit (dim_unit) that received it, on that day; 0 where none is known",
        ),
        schema="warehouse",
    )
    op.execute("UPDATE warehouse.fact_dossier SET received_unit_key = unit_key")
    op.alter_column("fact_dossier", "received_unit_key", nullable=False, schema="warehouse")
    op.execute("UPDATE ops.delivery SET status = 'landed' WHERE feed = 'agencies' AND status = 'loaded'")
    op.add_column(
        "fact_form_06a", sa.Column("reporting_calendar", sa.Text(), nullable=False, server_default="lich", comment=CALENDAR), schema="warehouse"
    )
    op.alter_column("fact_form_06a", "reporting_calendar", server_default=None, schema="warehouse")
    _key(["unit_key", "period", "reporting_calendar", "section", "sector_code"])
    op.execute(f"COMMENT ON TABLE warehouse.fact_form_06a IS '{FORM.format(by='period, reporting calendar')}'")
    op.create_index("ix_agg_count_day", "agg_count", ["counted", "day"], schema="warehouse")  # by it the last day and what fell due are found
    op.execute(f"COMMENT ON COLUMN warehouse.agg_count.day IS '{DAY.format(', or half month,')}'")
    op.execute(f"COMMENT ON COLUMN ops.installation.item IS '{ITEM}{CHOSEN}'")
    for column, (_, after) in COMMENTS.items():
        op.execute(f"COMMENT ON COLUMN warehouse.fact_dossier.{column} IS '{after}'")


def downgrade() -> None:
    """Forgets who received it where another handles it, and what was reported by another calendar."""
    views = "SELECT string_agg(format('mart.%I', viewname), ', ') FROM pg_views WHERE schemaname = 'mart'"
    op.execute(f"DO $$ BEGIN EXECUTE coalesce('DROP VIEW ' || ({views}), 'SELECT'); END $$")  # the older version makes its own
    op.execute("DELETE FROM ops.installation WHERE item = 'views'")
    op.execute("DELETE FROM warehouse.fact_form_06a WHERE reporting_calendar <> 'lich'")
    _key(["unit_key", "period", "section", "sector_code"])
    op.drop_column("fact_form_06a", "reporting_calendar", schema="warehouse")
    op.execute(f"COMMENT ON TABLE warehouse.fact_form_06a IS '{FORM.format(by='period')}'")
    op.drop_column("fact_dossier", "received_unit_key", schema="warehouse")
    op.drop_column("fact_dossier", "receiving_agency_key", schema="warehouse")
    op.drop_index("ix_agg_count_day", "agg_count", schema="warehouse")
    op.execute("DELETE FROM ops.installation WHERE item LIKE 'reporting_calendar %'")
    op.execute(f"COMMENT ON COLUMN warehouse.agg_count.day IS '{DAY.format('')}'")
    op.execute(f"COMMENT ON COLUMN ops.installation.item IS '{ITEM}'")
    for column, (before, _) in COMMENTS.items():
        op.execute(f"COMMENT ON COLUMN warehouse.fact_dossier.{column} IS '{before}'")
