"""New months of payments are filled before they are indexed and attached; deliveries keep the range of their natural keys."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

ENSURE = """
CREATE FUNCTION warehouse.ensure_payment_partition(month date) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    first date := date_trunc('month', month)::date;
    partition text := 'fact_payment_' || to_char(first, 'YYYYMM');
BEGIN
    IF to_regclass('warehouse.' || partition) IS NULL THEN
        -- made beside the table and attached to it: readers are not locked out until the load commits
        EXECUTE format('CREATE TABLE warehouse.%I (LIKE warehouse.fact_payment INCLUDING DEFAULTS INCLUDING COMMENTS)', partition);
        EXECUTE format(
            'ALTER TABLE warehouse.fact_payment ATTACH PARTITION warehouse.%I FOR VALUES FROM (%L) TO (%L)',
            partition, first, (first + interval '1 month')::date
        );
    END IF;
END
$$;
COMMENT ON FUNCTION warehouse.ensure_payment_partition(date) IS
    'Makes the partition of fact_payment for the month of a day where it is missing; runs as the owner, so that bakhong_etl may';
REVOKE EXECUTE ON FUNCTION warehouse.ensure_payment_partition(date) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION warehouse.ensure_payment_partition(date) TO bakhong_etl;
"""
BEGIN_AND_ATTACH = """
CREATE FUNCTION warehouse.begin_payment_partition(month date) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    partition text := 'fact_payment_' || to_char(month, 'YYYYMM');
BEGIN
    IF to_regclass('warehouse.' || partition) IS NOT NULL THEN
        RETURN false;
    END IF;
    EXECUTE format('CREATE TABLE warehouse.%I (LIKE warehouse.fact_payment INCLUDING DEFAULTS INCLUDING COMMENTS)', partition);
    EXECUTE format('GRANT INSERT ON warehouse.%I TO bakhong_etl', partition);
    RETURN true;
END
$$;
COMMENT ON FUNCTION warehouse.begin_payment_partition(date) IS
    'Makes the table of payments of the month of a day where it is missing, to be filled before it is attached, and says whether it did';
CREATE FUNCTION warehouse.attach_payment_partition(month date) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    first date := date_trunc('month', month)::date;
    partition text := 'fact_payment_' || to_char(first, 'YYYYMM');
BEGIN
    -- what was made beside the table locks no reader out until the load commits
    EXECUTE format(
        'ALTER TABLE warehouse.fact_payment ATTACH PARTITION warehouse.%I FOR VALUES FROM (%L) TO (%L)',
        partition, first, (first + interval '1 month')::date
    );
    EXECUTE format('REVOKE INSERT ON warehouse.%I FROM bakhong_etl', partition);
END
$$;
COMMENT ON FUNCTION warehouse.attach_payment_partition(date) IS
    'Indexes the table of payments of the month of a day and makes it a partition of fact_payment';
REVOKE EXECUTE ON FUNCTION warehouse.begin_payment_partition(date), warehouse.attach_payment_partition(date) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION warehouse.begin_payment_partition(date), warehouse.attach_payment_partition(date) TO bakhong_etl;
"""
COMMENT = "One row per delivery that told codes: the stretch they lie in, byte by byte, beside the facts that hold them."
KNOWN = (("fact_bill", "bill_code"), ("fact_payment", "transaction_code"), ("fact_dossier", "dossier_code"))
"""Facts whose natural key is one code, and its column."""


def upgrade() -> None:
    """What was delivered before gets the range of the states that are kept of it."""
    op.execute("DROP FUNCTION warehouse.ensure_payment_partition(date)")
    op.execute(BEGIN_AND_ATTACH)
    op.create_table(
        "code_range",
        sa.Column("delivery_id", sa.Integer(), autoincrement=False, nullable=False, comment="Delivery (ops.delivery)"),
        sa.Column("first_code", sa.Text(), nullable=False, comment="Least natural key among the rows it told"),
        sa.Column("last_code", sa.Text(), nullable=False, comment="Greatest natural key among the rows it told"),
        sa.PrimaryKeyConstraint("delivery_id", name=op.f("pk_code_range")),
        schema="warehouse",
        comment=COMMENT,
    )
    for table, code in KNOWN:
        op.execute(
            f'INSERT INTO warehouse.code_range SELECT delivery_id, min({code} COLLATE "C"), max({code} COLLATE "C") '
            f"FROM warehouse.{table} GROUP BY delivery_id"
        )


def downgrade() -> None:
    """Ranges are forgotten."""
    op.drop_table("code_range", schema="warehouse")
    op.execute("DROP FUNCTION warehouse.begin_payment_partition(date); DROP FUNCTION warehouse.attach_payment_partition(date)")
    op.execute(ENSURE)
