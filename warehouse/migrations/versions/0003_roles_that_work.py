"""Let the roles do their work: ask which step the warehouse stands at, refresh statistics, show published tables."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

ROLES = "bakhong_etl, bakhong_steward, bakhong_reader"
SHOWN = "warehouse.dim_indicator, warehouse.dim_unit, warehouse.dim_agency, warehouse.dim_department, warehouse.fact_score_766"
"""What stands behind the official tables that a steward asks for; nothing of it is about persons."""
MAINTAIN = "DO $$ BEGIN IF current_setting('server_version_num')::int >= 170000 THEN {} END IF; END $$"
"""From PostgreSQL 17 on others than the owner may refresh statistics; before, the autovacuum does it in time."""


def upgrade() -> None:
    """Grants what was missing."""
    op.execute(f"GRANT SELECT ON public.alembic_version TO {ROLES}")
    op.execute("GRANT USAGE ON SCHEMA warehouse TO bakhong_steward")
    op.execute(f"GRANT SELECT ON {SHOWN} TO bakhong_steward")
    op.execute(
        MAINTAIN.format(
            "GRANT MAINTAIN ON ALL TABLES IN SCHEMA warehouse, ops TO bakhong_etl; "
            "ALTER DEFAULT PRIVILEGES IN SCHEMA warehouse, ops GRANT MAINTAIN ON TABLES TO bakhong_etl;"
        )
    )


def downgrade() -> None:
    """Takes it back."""
    op.execute(
        MAINTAIN.format(
            "ALTER DEFAULT PRIVILEGES IN SCHEMA warehouse, ops REVOKE MAINTAIN ON TABLES FROM bakhong_etl; "
            "REVOKE MAINTAIN ON ALL TABLES IN SCHEMA warehouse, ops FROM bakhong_etl;"
        )
    )
    op.execute(f"REVOKE SELECT ON {SHOWN} FROM bakhong_steward")
    op.execute("REVOKE USAGE ON SCHEMA warehouse FROM bakhong_steward")
    op.execute(f"REVOKE SELECT ON public.alembic_version FROM {ROLES}")
