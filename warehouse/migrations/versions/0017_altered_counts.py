"""Counts that somebody else writes to are marked as such when it happens, instead of being summed up every night to find out."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

KEPT = ("agg_count", "agg_thing")
MARKED = f"""
CREATE FUNCTION warehouse.mark_altered() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF current_setting('bakhong.counting', true) IS DISTINCT FROM 'on' THEN
        UPDATE ops.mark SET is_altered = true WHERE NOT is_altered;
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION warehouse.mark_altered() IS
    'Notes that counts were written by something else than the counting of a night, which sets bakhong.counting';
""" + "".join(
    f"""
CREATE TRIGGER altered AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON warehouse.{table}
FOR EACH STATEMENT EXECUTE FUNCTION warehouse.mark_altered();
"""
    for table in KEPT
)
COMMENT = "Whether something else than the counting of a night wrote to the counts since; then they are made from scratch"


def upgrade() -> None:
    """What was counted so far is taken to be whole."""
    op.add_column(
        "mark", sa.Column("is_altered", sa.Boolean(), server_default=sa.false(), nullable=False, comment=COMMENT), schema="ops"
    )
    op.drop_column("mark", "totals", schema="ops")
    op.execute(MARKED)


def downgrade() -> None:
    """The first night after it counts from scratch, since no totals are known."""
    for table in KEPT:
        op.execute(f"DROP TRIGGER altered ON warehouse.{table}")
    op.execute("DROP FUNCTION warehouse.mark_altered()")
    op.add_column(
        "mark",
        sa.Column("totals", sa.Text(), server_default="", nullable=False, comment="Number and totals of the counts that were left; empty for a table"),
        schema="ops",
    )
    op.drop_column("mark", "is_altered", schema="ops")
