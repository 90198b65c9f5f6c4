"""The signed editions of provinces, from which an installation of the whole country computes, and the country above the provinces."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None

CURRENT = sa.text("known_to = 'infinity'")
KINDS = "tỉnh, huyện, thị xã, thành phố, xã, phường, thị trấn, đặc khu"
COMMENTS = {
    "unit_kind": (f"Kind in Vietnamese: {KINDS}", f"Kind in Vietnamese: cả nước, {KINDS}"),
    "unit_level": ("province, district, commune or unknown", "country, province, district, commune or unknown"),
    "parent_code": ("Code of the unit above; empty for the province", "Code of the unit above; empty for the highest"),
}
OF_A_VALUE: list[sa.Column[Any]] = [
    sa.Column("unit_key", sa.Integer(), nullable=False, comment="Administrative unit"),
    sa.Column("indicator_code", sa.Text(), nullable=False, comment="Code of the indicator"),
    sa.Column("definition_version", sa.SmallInteger(), nullable=False, comment="Version of its definition by which the value was counted"),
    sa.Column("period", sa.Text(), nullable=False, comment="2024, 2024-Q1 or 2024-03"),
    sa.Column("first_day", sa.Date(), nullable=False, comment="First day of the period on which the unit was there"),
    sa.Column("numerator", sa.BigInteger(), comment="Numerator; empty where there is none, or it is withheld"),
    sa.Column("denominator", sa.BigInteger(), comment="Denominator; empty where there is none, or it is withheld"),
    sa.Column("value", sa.Numeric(18, 4), comment="The rate in its unit as it was published; empty where there is none, or it is withheld"),
    sa.Column(
        "obs_status", sa.String(1), nullable=False, comment="SDMX: A normal, P provisional, B break in series, L, M missing, Q suppressed"
    ),
    sa.Column("obs_reason", sa.Text(), comment="Why the status is that one, as in fact_indicator or where a value is withheld"),
    sa.Column("conf_status", sa.String(1), comment="SDMX: F free, A of few persons, D so that another is not given away"),
    sa.Column(
        "units_counted", sa.Integer(), comment="Above the commune: of the communes that must send it, how many the value rests on"
    ),
    sa.Column("units_expected", sa.Integer(), comment="How many must send it"),
]
HISTORY: list[sa.Column[Any]] = [
    sa.Column("row_key", sa.BigInteger(), nullable=False, comment="64-bit hash of the natural key: recognises the row again"),
    sa.Column("row_hash", sa.BigInteger(), nullable=False, comment="64-bit hash of the content: tells a changed row from an unchanged one"),
    sa.Column(
        "known_from",
        sa.DateTime(timezone=True),
        nullable=False,
        comment="Time from which this state was known (export time of its delivery), inclusive",
    ),
    sa.Column(
        "known_to",
        sa.DateTime(timezone=True),
        server_default=sa.text("'infinity'"),
        nullable=False,
        comment="Time until which this state held, exclusive; infinity while it is the current one",
    ),
    sa.Column("loaded_by", sa.Integer(), nullable=False, comment="Load that wrote this state (ops.load)"),
    sa.Column("ended_by", sa.Integer(), comment="Load that ended this state (ops.load); empty while it is the current one"),
    sa.Column("delivery_id", sa.Integer(), nullable=False, comment="Delivery that brought this row (ops.delivery)"),
    sa.Column(
        "row_number",
        sa.Integer(),
        nullable=False,
        comment="Number of the row in the delivered file, as the program shows it that wrote the file",
    ),
]


def upgrade() -> None:
    """A province's own installation takes no editions: nothing is stored that would have to be brought over."""
    op.create_table(
        "fact_edition",
        *OF_A_VALUE,
        *HISTORY,
        sa.ForeignKeyConstraint(["unit_key"], ["warehouse.dim_unit.unit_key"], name=op.f("fk_fact_edition_unit_key")),
        schema="warehouse",
        comment="One row per indicator, unit and period of a signed edition, as a province published it.",
    )
    op.create_index("ux_fact_edition_current", "fact_edition", ["row_key"], unique=True, schema="warehouse", postgresql_where=CURRENT)
    ended = sa.text("ended_by IS NOT NULL")
    op.create_index("ix_fact_edition_ended_by", "fact_edition", ["ended_by"], schema="warehouse", postgresql_where=ended)
    for column in ("loaded_by", "delivery_id"):
        op.create_index(f"ix_fact_edition_{column}", "fact_edition", [column], schema="warehouse", postgresql_using="brin")
    op.create_index("ix_fact_edition_period", "fact_edition", ["period"], schema="warehouse", postgresql_where=CURRENT)
    for column, (before, now) in COMMENTS.items():
        op.alter_column("dim_unit", column, comment=now, existing_comment=before, schema="warehouse")


def downgrade() -> None:
    """What provinces sent is lost with the table; their folders can be fetched again."""
    for column, (before, now) in COMMENTS.items():
        op.alter_column("dim_unit", column, comment=before, existing_comment=now, schema="warehouse")
    op.drop_table("fact_edition", schema="warehouse")
