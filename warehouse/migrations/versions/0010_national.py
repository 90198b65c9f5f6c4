"""Any province: a unit says to which province of today it belongs and how else its name is written; a target, whose it is."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

OF_THE_PROVINCE = "legal_source ~ 'tỉnh Thanh Hóa|1829/QĐ-UBND'"
"""Targets that were set by Thanh Hóa and not by the government."""
KIND = "Kind in Vietnamese: tỉnh, huyện, thị xã, thành phố, xã, phường, thị trấn"


def upgrade() -> None:
    """Until now there was one province, Thanh Hóa."""
    op.add_column("dim_unit", sa.Column("province_code", sa.Text()), schema="warehouse")
    op.add_column("dim_unit", sa.Column("other_names", postgresql.ARRAY(sa.Text())), schema="warehouse")
    op.execute("UPDATE warehouse.dim_unit SET province_code = CASE unit_key WHEN 0 THEN '0' ELSE '38' END, other_names = '{}'")
    op.alter_column("dim_unit", "province_code", nullable=False, schema="warehouse")
    op.alter_column("dim_unit", "other_names", nullable=False, schema="warehouse")
    op.execute(
        "COMMENT ON COLUMN warehouse.dim_unit.province_code IS "
        "'Code of the province of today that it is, belongs to or went into: what a province laid down holds for its units'"
    )
    op.execute(
        "COMMENT ON COLUMN warehouse.dim_unit.other_names IS 'Other spellings of the name in use, with its kind, for matching names'"
    )
    op.execute(f"COMMENT ON COLUMN warehouse.dim_unit.unit_kind IS '{KIND}, đặc khu'")
    op.add_column(
        "dim_target",
        sa.Column(
            "province_code",
            sa.Text(),
            nullable=False,
            server_default="",
            comment="Province that set it for its units; empty where the whole country's",
        ),
        schema="warehouse",
    )
    op.execute(f"UPDATE warehouse.dim_target SET province_code = '38' WHERE {OF_THE_PROVINCE}")
    _key_of_targets("indicator_key, known_from, valid_from, province_code")


def downgrade() -> None:
    """Targets of several provinces for the same days do not go back into one: the first stays."""
    views = "SELECT string_agg(format('mart.%I', viewname), ', ') FROM pg_views WHERE schemaname = 'mart'"
    op.execute(f"DO $$ BEGIN EXECUTE coalesce('DROP VIEW ' || ({views}), 'SELECT'); END $$")  # the older version makes its own
    op.execute("DELETE FROM ops.installation WHERE item = 'views'")
    op.execute(
        "DELETE FROM warehouse.dim_target t USING warehouse.dim_target o WHERE o.province_code < t.province_code "
        "AND (o.indicator_key, o.known_from, o.valid_from) = (t.indicator_key, t.known_from, t.valid_from)"
    )
    _key_of_targets("indicator_key, known_from, valid_from")
    op.drop_column("dim_target", "province_code", schema="warehouse")
    op.drop_column("dim_unit", "province_code", schema="warehouse")
    op.drop_column("dim_unit", "other_names", schema="warehouse")
    op.execute(f"COMMENT ON COLUMN warehouse.dim_unit.unit_kind IS '{KIND}'")


def _key_of_targets(columns: str) -> None:
    op.execute("ALTER TABLE warehouse.dim_target DROP CONSTRAINT pk_dim_target")
    op.execute(f"ALTER TABLE warehouse.dim_target ADD CONSTRAINT pk_dim_target PRIMARY KEY ({columns})")
