"""Facts are append-only: numbered loads write and end states; what a delivery covers is kept; lists are kept as they were sent."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

BIG = ("fact_bill", "fact_dossier", "fact_payment")
FACTS = (
    *BIG,
    "fact_portal_766",
    "fact_published_figure",
    "fact_signature",
    "fact_signature_holder",
    "fact_survey",
    "fact_unit_count",
)
LOADED_BY = "Load that wrote this state (ops.load)"
ENDED_BY = "Load that ended this state (ops.load); empty while it is the current one"
PERIOD = (
    "Day, month, quarter or year it is about, as 2024-03-15, 2024-03, 2024-Q1, 2024",
    "Day, month, quarter, year or stretch of days it is about, as 2024-03-15, 2024-03, 2024-Q1, 2024, 2024-03-01/2024-03-07",
)
WHAT = {"list_agency": "list of agencies", "list_merchant": "list of shops", "list_procedure": "list of procedures"}
LISTS: dict[str, tuple[sa.Column[Any], ...]] = {
    "list_agency": (
        sa.Column("agency_code", sa.Text(), nullable=False, comment="Electronic identifier of the agency, with valid_from the natural key"),
        sa.Column("agency_name", sa.Text(), nullable=False, comment="Name"),
        sa.Column("unit_code", sa.Text(), nullable=False, comment="Administrative unit it works for"),
    ),
    "list_merchant": (
        sa.Column("provider_code", sa.Text(), nullable=False, comment="Payment provider; with merchant_code and valid_from the natural key"),
        sa.Column("merchant_code", sa.Text(), nullable=False, comment="terminal_code at that provider"),
        sa.Column("merchant_name", sa.Text(), nullable=False, comment="Name"),
        sa.Column("merchant_kind", sa.Text(), nullable=False, comment="cho, cua_hang or diem_thu"),
        sa.Column("unit_code", sa.Text(), nullable=False, comment="Administrative unit it stands in"),
    ),
    "list_procedure": (
        sa.Column("procedure_code", sa.Text(), nullable=False, comment="National code of the procedure, with valid_from the natural key"),
        sa.Column("procedure_name", sa.Text(), nullable=False, comment="Name"),
        sa.Column("sector_code", sa.Text(), comment="Code of the sector (lĩnh vực)"),
        sa.Column("sector_name", sa.Text(), comment="Name of the sector"),
        sa.Column("service_level", sa.SmallInteger(), comment="MucDo: 4 toàn trình, 3 một phần, 2 thông tin"),
        sa.Column("has_fee", sa.Boolean(), comment="CoPhiLePhi"),
        sa.Column("authority_level", sa.Text(), comment="CapThucHien: tinh, huyen or xa"),
    ),
}

PARTITION = """
CREATE OR REPLACE FUNCTION warehouse.ensure_payment_partition(month date) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    first date := date_trunc('month', month)::date;
    partition text := 'fact_payment_' || to_char(first, 'YYYYMM');
BEGIN
    IF to_regclass('warehouse.' || partition) IS NULL THEN
        {make}
    END IF;
END
$$
"""
ATTACHED = """-- made beside the table and attached to it: readers are not locked out until the load commits
        EXECUTE format('CREATE TABLE warehouse.%I (LIKE warehouse.fact_payment INCLUDING DEFAULTS INCLUDING COMMENTS)', partition);
        EXECUTE format(
            'ALTER TABLE warehouse.fact_payment ATTACH PARTITION warehouse.%I FOR VALUES FROM (%L) TO (%L)',
            partition, first, (first + interval '1 month')::date
        );"""
WITHIN = """EXECUTE format(
            'CREATE TABLE warehouse.%I PARTITION OF warehouse.fact_payment FOR VALUES FROM (%L) TO (%L)',
            partition, first, (first + interval '1 month')::date
        );"""


def _history() -> list[sa.Column[Any]]:
    when = sa.DateTime(timezone=True)
    return [
        sa.Column("valid_from", sa.Date(), nullable=False, comment="First day on which this line holds, inclusive"),
        sa.Column("valid_to", sa.Date(), comment="Last day on which it holds, inclusive; empty while in force"),
        sa.Column("row_key", sa.BigInteger(), nullable=False, comment="64-bit hash of the natural key: recognises the row again"),
        sa.Column("row_hash", sa.BigInteger(), nullable=False, comment="64-bit hash of the content: tells a changed row from an unchanged one"),
        sa.Column("known_from", when, nullable=False, comment="Time from which this state was known (export time of its delivery), inclusive"),
        sa.Column(
            "known_to",
            when,
            server_default=sa.text("'infinity'"),
            nullable=False,
            comment="Time until which this state held, exclusive; infinity while it is the current one",
        ),
        sa.Column("loaded_by", sa.Integer(), nullable=False, comment=LOADED_BY),
        sa.Column("ended_by", sa.Integer(), comment=ENDED_BY),
        sa.Column("delivery_id", sa.Integer(), nullable=False, comment="Delivery that brought this row (ops.delivery)"),
        sa.Column("row_number", sa.Integer(), nullable=False, comment="Number of the row in the delivered file, the header not counted, from 1"),
    ]


def _make_ops() -> None:
    op.create_table(
        "load",
        sa.Column(
            "load_id",
            sa.Integer(),
            sa.Identity(),
            primary_key=True,
            comment="Number of the load; a publication counts all up to its own, since loads and publications hold one lock",
        ),
        sa.Column(
            "delivery_id",
            sa.Integer(),
            sa.ForeignKey("ops.delivery.delivery_id", name="fk_load_delivery_id"),
            comment="Delivery; empty for what an older version had loaded",
        ),
        sa.Column("loaded_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False, comment="When it began"),
        sa.PrimaryKeyConstraint("load_id", name="pk_load"),
        schema="ops",
        comment="One row per time a delivery was loaded: numbers the states it wrote and ended.",
    )
    op.create_table(
        "coverage",
        sa.Column("delivery_id", sa.Integer(), sa.ForeignKey("ops.delivery.delivery_id", name="fk_coverage_delivery_id"), comment="Delivery"),
        sa.Column(
            "scope",
            sa.Text(),
            comment="Period, period and unit, wave or document that it speaks for, as 2024-03, 2024 15655; empty for a whole list",
        ),
        sa.PrimaryKeyConstraint("delivery_id", "scope", name="pk_coverage"),
        schema="ops",
        comment="One row per delivery and stretch it speaks for: what an earlier delivery of its source said of it, it replaces.",
    )
    op.create_index("ix_coverage_scope", "coverage", ["scope"], schema="ops")
    op.create_table(
        "confirmation",
        sa.Column("feed", sa.Text(), comment="Feed"),
        sa.Column("row_key", sa.BigInteger(), comment="64-bit hash of the natural key, as in the feed's fact"),
        sa.Column(
            "delivery_id",
            sa.Integer(),
            sa.ForeignKey("ops.delivery.delivery_id", name="fk_confirmation_delivery_id"),
            comment="Delivery that said it too",
        ),
        sa.Column("row_hash", sa.BigInteger(), nullable=False, comment="64-bit hash of the content, as in the feed's fact"),
        sa.Column("row_number", sa.Integer(), nullable=False, comment="Number of the row in the delivered file, the header not counted, from 1"),
        sa.Column("scope", sa.Text(), nullable=False, comment="Stretch the row lies in (ops.coverage)"),
        sa.PrimaryKeyConstraint("feed", "row_key", "delivery_id", name="pk_confirmation"),
        schema="ops",
        comment="One row per row of a delivery that said what another source or stretch had said already: it holds while either says so.",
    )


def upgrade() -> None:
    """Numbers what is stored as one load; what earlier deliveries cover is what their period said; lists are read again."""
    _make_ops()
    number = "(SELECT max(load_id) FROM ops.load)"
    op.execute("INSERT INTO ops.load (delivery_id) VALUES (NULL)")
    op.add_column(
        "delivery",
        sa.Column(
            "file_stamp",
            sa.Text(),
            comment="Size, times and place of the file where it was found: while all agree, its bytes need not be read again",
        ),
        schema="ops",
    )
    op.add_column(
        "delivery",
        sa.Column("named_period", sa.Text(), comment="Stretch of days that its name speaks of, written as business_period is; empty where it names none"),
        schema="ops",
    )
    op.add_column(
        "delivery",
        sa.Column(
            "is_declared",
            sa.Boolean(),
            server_default=sa.false(),
            nullable=False,
            comment="Whether the pattern of its source says what the name means; else it was understood as names usually are",
        ),
        schema="ops",
    )
    op.add_column(
        "delivery",
        sa.Column("named_unit", sa.Text(), comment="Unit, or another word for its part of a period, that the source's pattern finds in the name"),
        schema="ops",
    )
    op.execute("UPDATE ops.delivery SET named_period = business_period WHERE business_period ~ '^\\d{4}(-Q[1-4]|-\\d{2}(-\\d{2})?)?$'")
    op.alter_column("delivery", "business_period", comment=PERIOD[1], schema="ops")
    op.drop_constraint("uq_delivery_source", "delivery", schema="ops")
    op.create_index("ix_delivery_source", "delivery", ["source", "exported_at"], schema="ops")
    op.execute(
        "INSERT INTO ops.coverage SELECT delivery_id, unnest(string_to_array(business_period, ' + ')) FROM ops.delivery "
        "WHERE loaded_at IS NOT NULL AND status <> 'rejected' AND business_period IS NOT NULL "
        "AND feed IN ('payments', 'surveys', 'published_figures', 'portal_766')"
    )
    op.execute(
        "INSERT INTO ops.coverage SELECT DISTINCT delivery_id, month FROM warehouse.fact_signature "
        "UNION SELECT DISTINCT delivery_id, period || ' ' || unit_code FROM warehouse.fact_unit_count JOIN warehouse.dim_unit USING (unit_key)"
    )
    op.execute("UPDATE ops.delivery SET status = 'landed' WHERE feed IN ('procedures', 'agencies', 'merchants') AND status = 'loaded'")
    op.add_column(
        "publication",
        sa.Column("load_id", sa.Integer(), server_default="0", nullable=False, comment="Last load whose states it counts (ops.load); 0 where there was none"),
        schema="ops",
    )
    op.alter_column("publication", "load_id", server_default=None, schema="ops")
    for table in FACTS:
        # A constant default costs no rewrite of what is stored.
        op.execute(
            f"DO $$ BEGIN EXECUTE format('ALTER TABLE warehouse.{table} ADD COLUMN loaded_by integer NOT NULL DEFAULT %s', {number}); END $$"
        )
        op.alter_column("" + table, "loaded_by", server_default=None, comment=LOADED_BY, schema="warehouse")
        op.add_column(table, sa.Column("ended_by", sa.Integer(), comment=ENDED_BY), schema="warehouse")
        op.execute(f"UPDATE warehouse.{table} SET ended_by = {number} WHERE known_to <> 'infinity'")
        op.create_index(f"ix_{table}_ended_by", table, ["ended_by"], schema="warehouse", postgresql_where=sa.text("ended_by IS NOT NULL"))
    for table in BIG:
        op.drop_index(f"ix_{table}_known_to", table_name=table, schema="warehouse")
        op.create_index(f"ix_{table}_loaded_by", table, ["loaded_by"], schema="warehouse", postgresql_using="brin")
    op.drop_index("ix_fact_dossier_row_key", table_name="fact_dossier", schema="warehouse")
    op.create_index("ix_fact_dossier_row_key", "fact_dossier", ["row_key", "known_from"], schema="warehouse")
    for referred in ("bill_key", "dossier_key"):
        current = sa.text(f"known_to = 'infinity' AND {referred} IS NOT NULL")
        op.create_index(f"ix_fact_payment_{referred}", "fact_payment", [referred], schema="warehouse", postgresql_where=current)
    op.add_column(
        "fact_unit_count",
        sa.Column(
            "provider_key",
            sa.SmallInteger(),
            server_default=sa.text("0"),
            nullable=False,
            comment="Who counted (dim_provider), where the counts of several add up; 0 where they would contradict each other",
        ),
        schema="warehouse",
    )
    op.execute(PARTITION.format(make=ATTACHED))
    for table, columns in LISTS.items():
        comment = f"One row per line of a {WHAT[table]} and state known of it: {table.replace('list_', 'dim_')} is made of those in force."
        op.create_table(table, *columns, *_history(), schema="warehouse", comment=comment)
        op.create_index(f"ix_{table}_ended_by", table, ["ended_by"], schema="warehouse", postgresql_where=sa.text("ended_by IS NOT NULL"))
        op.create_index(
            f"ux_{table}_current", table, ["row_key"], unique=True, schema="warehouse", postgresql_where=sa.text("known_to = 'infinity'")
        )


def downgrade() -> None:
    """Takes it back; states that never held go, and of deliveries of the same bytes all but one get a mark of their own."""
    op.execute(PARTITION.format(make=WITHIN))
    for table in LISTS:
        op.drop_table(table, schema="warehouse")
    op.drop_column("fact_unit_count", "provider_key", schema="warehouse")
    for referred in ("bill_key", "dossier_key"):
        op.drop_index(f"ix_fact_payment_{referred}", table_name="fact_payment", schema="warehouse")
    op.drop_index("ix_fact_dossier_row_key", table_name="fact_dossier", schema="warehouse")
    for table in FACTS:
        op.execute(f"DELETE FROM warehouse.{table} WHERE known_to <= known_from")
        op.drop_index(f"ix_{table}_ended_by", table_name=table, schema="warehouse")
        if table in BIG:
            op.drop_index(f"ix_{table}_loaded_by", table_name=table, schema="warehouse")
            op.create_index(
                f"ix_{table}_known_to", table, ["known_to"], schema="warehouse", postgresql_where=sa.text("known_to <> 'infinity'")
            )
        op.drop_column(table, "ended_by", schema="warehouse")
        op.drop_column(table, "loaded_by", schema="warehouse")
    op.create_index("ix_fact_dossier_row_key", "fact_dossier", ["row_key", "known_from"], unique=True, schema="warehouse")
    op.drop_column("publication", "load_id", schema="ops")
    op.execute(
        "UPDATE ops.delivery AS d SET about = about || '#' || delivery_id WHERE EXISTS (SELECT FROM ops.delivery AS o "
        "WHERE (o.source, o.sha256, o.about) = (d.source, d.sha256, d.about) AND o.delivery_id > d.delivery_id)"
    )
    op.drop_index("ix_delivery_source", table_name="delivery", schema="ops")
    op.create_unique_constraint("uq_delivery_source", "delivery", ["source", "sha256", "about"], schema="ops")
    op.alter_column("delivery", "business_period", comment=PERIOD[0], schema="ops")
    for column in ("named_unit", "is_declared", "named_period", "file_stamp"):
        op.drop_column("delivery", column, schema="ops")
    for table in ("confirmation", "coverage", "load"):
        op.drop_table(table, schema="ops")
