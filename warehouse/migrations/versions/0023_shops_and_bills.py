"""Shops that no list knows are members of their own, which payments follow once a list names them."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

INFERRED = "True where only payments mention the code and no list says whose it is on their day"
UNITS = (
    "Administrative unit (dim_unit): the bill's, the dossier's or the merchant's",
    "Administrative unit (dim_unit): the bill's, else the dossier's, else the merchant's",
)
SHOWN = "row_key, row_hash, business_date, provider_key, transaction_code, amount_vnd, delivery_id, row_number, known_from, known_to"
"""What a steward needs of payments to hold a collector's files against each other."""
CURRENT = sa.text("known_to = 'infinity' AND merchant_key <> 0")


def upgrade() -> None:
    """Every member so far came with a list: no layout of before says a shop that is on none."""
    op.add_column(
        "dim_merchant",
        sa.Column("is_inferred", sa.Boolean(), server_default=sa.false(), nullable=False, comment=INFERRED),
        schema="warehouse",
    )
    op.alter_column("dim_merchant", "is_inferred", server_default=None, schema="warehouse")
    op.alter_column("fact_payment", "unit_key", comment=UNITS[1], schema="warehouse")
    op.create_index("ix_fact_payment_merchant_key", "fact_payment", ["merchant_key"], schema="warehouse", postgresql_where=CURRENT)
    op.execute(f"GRANT SELECT ({SHOWN}) ON warehouse.fact_payment TO bakhong_steward")
    op.execute("GRANT SELECT ON warehouse.dim_provider TO bakhong_steward")


def downgrade() -> None:
    """Inferred members stay: payments refer to them."""
    op.execute("REVOKE SELECT ON warehouse.dim_provider FROM bakhong_steward")
    op.execute(f"REVOKE SELECT ({SHOWN}) ON warehouse.fact_payment FROM bakhong_steward")
    op.drop_index("ix_fact_payment_merchant_key", table_name="fact_payment", schema="warehouse")
    op.alter_column("fact_payment", "unit_key", comment=UNITS[0], schema="warehouse")
    op.drop_column("dim_merchant", "is_inferred", schema="warehouse")
