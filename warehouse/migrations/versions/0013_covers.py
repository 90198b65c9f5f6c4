"""What a value covers: units it rests on, how far deliveries reach, who sends how often; targets with their kind and population."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

COMMENTS = {
    "TABLE warehouse.dim_target": (
        "One row per state of an indicator's version and period in which a target holds.",
        "One row per state of an indicator's version, kind and period in which a target holds.",
    ),
    "COLUMN warehouse.dim_target.legal_source": (
        "Where the target is laid down",
        "Document that lays it down, with its number",
    ),
    "COLUMN warehouse.fact_indicator.obs_status": (
        "SDMX: A normal, P provisional, B break in series, L not collected, M not applicable, Q suppressed",
        "SDMX: A normal, P provisional, B break in series, L not collected, M cannot exist, Q suppressed",
    ),
    "COLUMN warehouse.fact_indicator.obs_reason": (
        "Why there is no value: not_applicable beside M; held_back beside L where the audit let it not pass (ops.held_back)",
        "Why there is no value: not_applicable or no_cases (0 of 0) beside M; held_back beside L where the audit let it not pass "
        "(ops.held_back)",
    ),
}
"""Table or column → its comment before this step, and after it."""

# What a delivery tells of that is stored already: from the rows that it brought.
TELLS = """
UPDATE ops.delivery d SET tells = told.tells
FROM (
    SELECT delivery_id, array_agg(DISTINCT measure ORDER BY measure) AS tells FROM warehouse.fact_unit_count GROUP BY 1
    UNION ALL
    SELECT delivery_id, array_agg(DISTINCT service_code ORDER BY service_code)
    FROM (SELECT DISTINCT delivery_id, service_key FROM warehouse.fact_bill) b JOIN warehouse.dim_service USING (service_key) GROUP BY 1
) told
WHERE told.delivery_id = d.delivery_id
"""


def upgrade() -> None:
    """Nothing published changes until the next night, which computes every value again: each is told otherwise from then on."""
    op.create_table(
        "source",
        sa.Column("source", sa.Text(), nullable=False, comment="Name of the source"),
        sa.Column("feed", sa.Text(), nullable=False, comment="Feed it sends, the contract it is read by"),
        sa.Column("layout", sa.Text(), nullable=False, comment="Layout it writes"),
        sa.Column("expected", sa.Text(), nullable=False, comment="Rhythm: daily, monthly, quarterly, yearly or once"),
        sa.PrimaryKeyConstraint("source", name=op.f("pk_source")),
        schema="ops",
        comment="One row per source of sources.yaml as of the last night: who sends what, and how often.",
    )
    op.create_table(
        "completion",
        sa.Column("source", sa.Text(), nullable=False, comment="Source of sources.yaml"),
        sa.Column("period", sa.Text(), nullable=False, comment="2024, 2024-Q1 or 2024-03; what lies in it is meant too"),
        sa.Column("decided_by", sa.Text(), nullable=False, comment="Who said so"),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False, comment="When"),
        sa.PrimaryKeyConstraint("source", "period", name=op.f("pk_completion")),
        schema="ops",
        comment="One row per source and period of which a steward said that no more will come.",
    )
    op.execute("GRANT INSERT, DELETE ON ops.completion TO bakhong_steward")
    op.create_table(
        "fact_reach",
        sa.Column(
            "indicator_key", sa.SmallInteger(), autoincrement=False, nullable=False, comment="Version of the indicator (dim_indicator)"
        ),
        sa.Column("period", sa.Text(), nullable=False, comment="2024, 2024-Q1 or 2024-03"),
        sa.Column(
            "known_from", sa.DateTime(timezone=True), nullable=False, comment="State of knowledge from which it was so, inclusive"
        ),
        sa.Column(
            "known_to",
            sa.DateTime(timezone=True),
            server_default=sa.text("'infinity'"),
            nullable=False,
            comment="Until which it was, exclusive; infinity while it is",
        ),
        sa.Column(
            "data_until",
            sa.Date(),
            comment="Last day, of the period or before, up to which every source has spoken; empty where none has",
        ),
        sa.Column("next_due", sa.Date(), comment="Day by which the next delivery awaited is due; empty where none is awaited"),
        sa.Column(
            "awaited",
            sa.ARRAY(sa.Text()),
            nullable=False,
            comment="Sources that have not yet spoken for all of the period (ops.source)",
        ),
        sa.Column(
            "is_closed",
            sa.Boolean(),
            nullable=False,
            comment="Whether a steward said of every source that no more will come (ops.completion)",
        ),
        sa.PrimaryKeyConstraint("indicator_key", "period", "known_from", name=op.f("pk_fact_reach")),
        schema="warehouse",
        comment=(
            "One row per version of an indicator, period and state known: how far the deliveries that it counts reach, and which are "
            "awaited."
        ),
    )
    op.create_index(
        "ux_fact_reach_current",
        "fact_reach",
        ["period", "indicator_key"],
        unique=True,
        schema="warehouse",
        postgresql_where=sa.text("known_to = 'infinity'"),
    )
    columns: list[sa.Column[Any]] = [
        sa.Column(
            "units_counted",
            sa.Integer(),
            comment="Above the commune: of the communes that must send it, how many the value rests on; empty for a commune and in a survey",
        ),
        sa.Column("units_expected", sa.Integer(), comment="How many must send it"),
    ]
    for column in columns:
        op.add_column("fact_indicator", column, schema="warehouse")
    op.add_column(
        "delivery",
        sa.Column(
            "tells",
            sa.ARRAY(sa.Text()),
            comment="Measures or services that its rows are of; empty where its feed does not tell several apart",
        ),
        schema="ops",
    )
    op.execute(TELLS)
    op.drop_constraint("pk_dim_target", "dim_target", schema="warehouse")
    columns = [
        sa.Column(
            "kind",
            sa.Text(),
            nullable=False,
            server_default="target",
            comment="target: to be reached; full_marks: from which decision 766 gives all points, which nobody has to reach",
        ),
        sa.Column(
            "population",
            sa.Text(),
            nullable=False,
            server_default="",
            comment="Of whom or what it is a share, as households: that of the indicator",
        ),
        sa.Column("document_date", sa.Date(), comment="Day of the document; empty where it is not known"),
        sa.Column(
            "place",
            sa.Text(),
            comment="Where it stands in the document: article, criterion, page; empty where that is not known",
        ),
    ]
    for column in columns:
        op.add_column("dim_target", column, schema="warehouse")
    for name in ("kind", "population"):
        op.alter_column("dim_target", name, schema="warehouse", server_default=None)
    op.create_primary_key("pk_dim_target", "dim_target", ["indicator_key", "known_from", "kind", "valid_from", "province_code"], schema="warehouse")
    for thing, (_, after) in COMMENTS.items():
        op.execute(f"COMMENT ON {thing} IS '{_quoted(after)}'")


def downgrade() -> None:
    """What only this version knows goes: what no case was stands as not collected again, thresholds of full marks as targets."""
    views = "SELECT string_agg(format('mart.%I', viewname), ', ') FROM pg_views WHERE schemaname = 'mart'"
    op.execute(f"DO $$ BEGIN EXECUTE coalesce('DROP VIEW ' || ({views}), 'SELECT'); END $$")  # the older version makes its own
    op.execute("DELETE FROM ops.installation WHERE item = 'views'")
    op.execute("UPDATE warehouse.fact_indicator SET obs_status = 'L', obs_reason = NULL WHERE obs_reason = 'no_cases'")
    op.execute(
        "DELETE FROM warehouse.dim_target f USING warehouse.dim_target t WHERE f.kind = 'full_marks' AND t.kind = 'target' "
        "AND (f.indicator_key, f.known_from) = (t.indicator_key, t.known_from)"
    )
    op.drop_constraint("pk_dim_target", "dim_target", schema="warehouse")
    op.create_primary_key("pk_dim_target", "dim_target", ["indicator_key", "known_from", "valid_from", "province_code"], schema="warehouse")
    _drop("dim_target", "kind", "population", "document_date", "place")
    _drop("fact_indicator", "units_counted", "units_expected")
    op.drop_column("delivery", "tells", schema="ops")
    op.drop_table("fact_reach", schema="warehouse")
    op.drop_table("completion", schema="ops")
    op.drop_table("source", schema="ops")
    for thing, (before, _) in COMMENTS.items():
        op.execute(f"COMMENT ON {thing} IS '{_quoted(before)}'")


def _drop(table: str, *columns: str) -> None:
    for column in columns:
        op.drop_column(table, column, schema="warehouse")


def _quoted(words: str) -> str:
    return words.replace("'", "''")
