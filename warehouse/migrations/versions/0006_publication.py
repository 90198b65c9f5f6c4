"""One publication number for indicators, forms and scores; indicators have versions and states; what the audit holds back is kept."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

WHEN = sa.DateTime(timezone=True)
LINES = ("fact_form_06a", "fact_score_766")
IN_ORDER = "1 for the first published, then 2, 3 … in the order of publication"
NEW_COUNTS = {
    "values_ended": "Values of indicators that are published no more",
    "lines_added": "Lines of form 06a and scores of decision 766: first revisions",
    "lines_revised": "Lines and scores that take the place of another one",
    "lines_ended": "Lines and scores that are published no more",
}
TABLES = {
    "warehouse.dim_indicator": (
        "One row per indicator, as declared in warehouse/indicators/.",
        "One row per version of an indicator and state known of it, as declared in warehouse/indicators/.",
    ),
    "warehouse.dim_target": (
        "One row per indicator and period in which a target holds.",
        "One row per state of an indicator's version and period in which a target holds.",
    ),
    "ops.publication": (
        "One row per publication of indicator values.",
        "One row per publication: of indicators, of form 06a, of the scores of decision 766.",
    ),
}
"""Table → its comment before this step, and after it."""
COLUMNS = {
    "warehouse.dim_indicator.indicator_key": ("Surrogate key", "Number of the version, the same in all its states"),
    "warehouse.dim_indicator.valid_from": (
        "First day of a period to which the definition applies, inclusive",
        "First day of a period to which the version applies, inclusive",
    ),
    "warehouse.dim_target.indicator_key": ("Indicator", "Version of the indicator (dim_indicator)"),
    "warehouse.fact_indicator.indicator_key": ("Indicator (dim_indicator)", "Version of the indicator (dim_indicator)"),
    "warehouse.fact_indicator.revision": ("1 for the first value published, then 2, 3 …", IN_ORDER),
    **{
        f"warehouse.{table}.{column}": comments
        for table in LINES
        for column, comments in {
            "revision": ("1 for the first, then 2, 3 …", IN_ORDER),
            "known_from": (
                "State of knowledge from which this revision holds, inclusive",
                "Time from which this revision was the published one, inclusive",
            ),
            "known_to": (
                "Until which it held, exclusive; infinity while it does",
                "Time until which it was, exclusive; infinity while it is",
            ),
        }.items()
    },
    "ops.publication.publication_id": ("Surrogate key", "Number of the publication"),
    "ops.publication.as_of": (
        "State of knowledge it shows",
        "State of knowledge it shows; earlier than that of one before where it only adds what would have been published then",
    ),
    "ops.publication.values_added": ("Values of new periods, units or indicators", "Values of indicators: first revisions"),
    "ops.publication.values_revised": (
        "Values that differ from the revision before",
        "Values of indicators that take the place of another one",
    ),
}
"""Column → its comment before this step, and after it."""


def upgrade() -> None:
    """What was published keeps its numbers; runs that published forms or scores alone get a publication of their own."""
    _states_of_indicators()
    op.add_column(
        "fact_indicator",
        sa.Column(
            "obs_reason",
            sa.Text(),
            comment="Why there is no value: not_applicable beside M; held_back beside L where the audit let it not pass (ops.held_back)",
        ),
        schema="warehouse",
    )
    op.execute("UPDATE warehouse.fact_indicator SET obs_reason = 'not_applicable' WHERE obs_status = 'M'")
    op.drop_column("publication", "values_unchanged", schema="ops")
    for name in ("values_added", "values_revised"):
        op.alter_column("publication", name, server_default="0", schema="ops")
    for name, comment in NEW_COUNTS.items():
        op.add_column("publication", sa.Column(name, sa.Integer(), server_default="0", nullable=False, comment=comment), schema="ops")
    _one_number()
    op.create_table(
        "held_back",
        sa.Column("held_back_id", sa.Integer(), sa.Identity(), comment="Surrogate key"),
        sa.Column(
            "held_by",
            sa.Integer(),
            sa.ForeignKey("ops.run.run_id", name="fk_held_back_held_by"),
            nullable=False,
            comment="Run that held it back (ops.run)",
        ),
        sa.Column(
            "released_by",
            sa.Integer(),
            sa.ForeignKey("ops.run.run_id", name="fk_held_back_released_by"),
            comment="Run that found it right, or no longer there (ops.run); empty while it is held back",
        ),
        sa.Column("indicator_code", sa.Text(), nullable=False, comment="Code of the indicator; 06a for form II.06a"),
        sa.Column("unit_key", sa.Integer(), nullable=False, comment="Administrative unit (dim_unit)"),
        sa.Column("period", sa.Text(), nullable=False, comment="2024, 2024-Q1 or 2024-03"),
        sa.Column("reason_vi", sa.Text(), nullable=False, comment="What cannot be right, in Vietnamese"),
        sa.PrimaryKeyConstraint("held_back_id", name="pk_held_back"),
        schema="ops",
        comment="One row per value or form that the audit held back, from the run that held it to the one that let it go.",
    )
    op.create_index(
        "ux_held_back_current",
        "held_back",
        ["indicator_code", "unit_key", "period"],
        unique=True,
        schema="ops",
        postgresql_where=sa.text("released_by IS NULL"),
    )
    _comment(after=True)


def _states_of_indicators() -> None:
    op.drop_constraint("fk_dim_target_indicator_key", "dim_target", schema="warehouse")
    op.drop_constraint("pk_dim_target", "dim_target", schema="warehouse")
    op.drop_constraint("uq_dim_indicator_indicator_code", "dim_indicator", schema="warehouse")
    op.drop_constraint("pk_dim_indicator", "dim_indicator", schema="warehouse")
    known_from = {
        "dim_indicator": "State of knowledge from which it was declared so, inclusive; -infinity for the first state",
        "dim_target": "Its state to which the target belongs: another target is another state",
    }
    for table, comment in known_from.items():
        column = sa.Column("known_from", WHEN, server_default=sa.text("'-infinity'"), nullable=False, comment=comment)
        op.add_column(table, column, schema="warehouse")
        op.alter_column(table, "known_from", server_default=None, schema="warehouse")
    op.add_column(
        "dim_indicator",
        sa.Column(
            "known_to",
            WHEN,
            server_default=sa.text("'infinity'"),
            nullable=False,
            comment="Until which it was, exclusive; infinity while it is, and never again where the indicator was taken out",
        ),
        schema="warehouse",
    )
    version = "1 for the first version under the code, then 2, 3 … in the order of validity"
    op.add_column(
        "dim_indicator", sa.Column("version", sa.SmallInteger(), server_default="1", nullable=False, comment=version), schema="warehouse"
    )
    op.alter_column("dim_indicator", "version", server_default=None, schema="warehouse")
    op.create_primary_key("pk_dim_indicator", "dim_indicator", ["indicator_key", "known_from"], schema="warehouse")
    op.create_primary_key("pk_dim_target", "dim_target", ["indicator_key", "known_from", "valid_from"], schema="warehouse")
    op.create_foreign_key(
        "fk_dim_target_indicator_key",
        "dim_target",
        "dim_indicator",
        ["indicator_key", "known_from"],
        ["indicator_key", "known_from"],
        source_schema="warehouse",
        referent_schema="warehouse",
        ondelete="CASCADE",
    )
    op.create_index(
        "ux_dim_indicator_current",
        "dim_indicator",
        ["indicator_code", "version"],
        unique=True,
        schema="warehouse",
        postgresql_where=sa.text("known_to = 'infinity'"),
    )


def _one_number() -> None:
    op.execute(
        """
        INSERT INTO ops.publication (run_id, published_at, load_id, as_of)
        SELECT run_id, coalesce(run.finished_at, run.started_at),
            coalesce((SELECT max(p.load_id) FROM ops.publication p WHERE p.run_id < run.run_id), 0), run.as_of
        FROM (SELECT run_id FROM warehouse.fact_form_06a UNION SELECT run_id FROM warehouse.fact_score_766) published
        JOIN ops.run USING (run_id)
        WHERE NOT EXISTS (SELECT FROM ops.publication p WHERE p.run_id = published.run_id)
        ORDER BY run_id
        """
    )
    for table in LINES:
        comment = "Publication that brought this revision (ops.publication)"
        op.add_column(table, sa.Column("publication_id", sa.Integer(), comment=comment), schema="warehouse")
        op.execute(
            f"UPDATE warehouse.{table} f SET publication_id = p.publication_id "
            "FROM (SELECT run_id, max(publication_id) AS publication_id FROM ops.publication GROUP BY run_id) p WHERE p.run_id = f.run_id"
        )
        op.alter_column(table, "publication_id", nullable=False, schema="warehouse")
        op.drop_column(table, "run_id", schema="warehouse")
    op.execute(
        """
        UPDATE ops.publication p SET lines_added = n.added, lines_revised = n.revised
        FROM (
            SELECT publication_id, count(*) FILTER (WHERE revision = 1) AS added, count(*) FILTER (WHERE revision > 1) AS revised
            FROM (
                SELECT publication_id, revision FROM warehouse.fact_form_06a
                UNION ALL
                SELECT publication_id, revision FROM warehouse.fact_score_766
            ) line
            GROUP BY publication_id
        ) n
        WHERE n.publication_id = p.publication_id
        """
    )


def _comment(*, after: bool) -> None:
    for kind, comments in (("TABLE", TABLES), ("COLUMN", COLUMNS)):
        for name, both in comments.items():
            words = both[after].replace("'", "''")
            op.execute(f"COMMENT ON {kind} {name} IS '{words}'")


def downgrade() -> None:
    """Keeps of each indicator its last version as last known, with the values of all of them; what was held back is forgotten."""
    views = "SELECT string_agg(format('mart.%I', viewname), ', ') FROM pg_views WHERE schemaname = 'mart'"
    op.execute(f"DO $$ BEGIN EXECUTE coalesce('DROP VIEW ' || ({views}), 'SELECT'); END $$")  # the older version makes its own
    op.execute("DELETE FROM ops.installation WHERE item = 'views'")
    op.drop_table("held_back", schema="ops")
    for table in LINES:
        op.add_column(table, sa.Column("run_id", sa.Integer(), comment="Run that computed it (ops.run)"), schema="warehouse")
        op.execute(
            f"UPDATE warehouse.{table} f SET run_id = p.run_id FROM ops.publication p WHERE p.publication_id = f.publication_id"
        )
        op.alter_column(table, "run_id", nullable=False, schema="warehouse")
        op.drop_column(table, "publication_id", schema="warehouse")
    for name in NEW_COUNTS:
        op.drop_column("publication", name, schema="ops")
    for name in ("values_added", "values_revised"):
        op.alter_column("publication", name, server_default=None, schema="ops")
    unchanged = "Values computed again and found the same"
    op.add_column(
        "publication", sa.Column("values_unchanged", sa.Integer(), server_default="0", nullable=False, comment=unchanged), schema="ops"
    )
    op.alter_column("publication", "values_unchanged", server_default=None, schema="ops")
    op.drop_column("fact_indicator", "obs_reason", schema="warehouse")
    _one_state_of_each_indicator()
    _comment(after=False)


def _one_state_of_each_indicator() -> None:
    op.drop_index("ux_dim_indicator_current", table_name="dim_indicator", schema="warehouse")
    op.execute(
        """
        CREATE TEMPORARY TABLE kept ON COMMIT DROP AS
        SELECT DISTINCT ON (indicator_code) indicator_code, indicator_key, known_from
        FROM warehouse.dim_indicator ORDER BY indicator_code, version DESC, known_to DESC, known_from DESC;
        CREATE TEMPORARY TABLE moved ON COMMIT DROP AS
        SELECT kept.indicator_key AS kept_key, row_number() OVER (
            PARTITION BY kept.indicator_key, f.unit_key, f.period ORDER BY f.publication_id, f.known_from, f.revision) AS number, f.*
        FROM warehouse.fact_indicator f
        JOIN (SELECT DISTINCT indicator_key, indicator_code FROM warehouse.dim_indicator) every USING (indicator_key)
        JOIN kept USING (indicator_code)
        WHERE indicator_code IN (SELECT indicator_code FROM warehouse.dim_indicator WHERE version > 1);
        DELETE FROM warehouse.fact_indicator WHERE indicator_key IN (SELECT indicator_key FROM moved);
        INSERT INTO warehouse.fact_indicator
            (indicator_key, unit_key, period, revision, numerator, denominator, value, obs_status, known_from, known_to, publication_id)
        SELECT kept_key, unit_key, period, number, numerator, denominator, value, obs_status, known_from, known_to, publication_id FROM moved;
        DELETE FROM warehouse.dim_indicator WHERE (indicator_key, known_from) NOT IN (SELECT indicator_key, known_from FROM kept)
        """
    )
    op.drop_constraint("fk_dim_target_indicator_key", "dim_target", schema="warehouse")
    op.drop_constraint("pk_dim_target", "dim_target", schema="warehouse")
    op.drop_constraint("pk_dim_indicator", "dim_indicator", schema="warehouse")
    for table, columns in {"dim_target": ("known_from",), "dim_indicator": ("known_from", "known_to", "version")}.items():
        for column in columns:
            op.drop_column(table, column, schema="warehouse")
    op.create_primary_key("pk_dim_indicator", "dim_indicator", ["indicator_key"], schema="warehouse")
    op.create_unique_constraint("uq_dim_indicator_indicator_code", "dim_indicator", ["indicator_code"], schema="warehouse")
    op.create_primary_key("pk_dim_target", "dim_target", ["indicator_key", "valid_from"], schema="warehouse")
    op.create_foreign_key(
        "fk_dim_target_indicator_key",
        "dim_target",
        "dim_indicator",
        ["indicator_key"],
        ["indicator_key"],
        source_schema="warehouse",
        referent_schema="warehouse",
    )
