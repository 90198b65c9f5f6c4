"""The key of the pseudonyms has a number: what is stored was hashed with the first, and says so."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

FACTS = ("fact_bill", "fact_dossier", "fact_signature_holder")
VALUES = ("fact_indicator", "fact_indicator_restated")
KEY = "Key of the pseudonyms in this row (ops.pseudonym_key)"
KEYS = "Numbers of the keys under which persons were counted, where these are several (ops.pseudonym_key)"
OF_A_THING = "Key that the things were pseudonymised with (ops.pseudonym_key); 0 where they are no pseudonyms"
COMMENTS = {
    "COLUMN ops.load.delivery_id": (
        "Delivery; empty for what an older version had loaded",
        "Delivery; empty for what an older version had loaded, and where a key of the pseudonyms was forgotten",
    ),
    "TABLE warehouse.agg_thing": (
        "One row per thing counted, unit, month and measures told: the distinct things of which rows tell it, kept from night to night.",
        "One row per thing counted, unit, month, key and measures told: the distinct things of which rows tell it, kept from night to night.",
    ),
    "COLUMN ops.installation.item": (
        "views: hash of the mart views as applied; secret_key: fingerprint of the key people were pseudonymised with; "
        "reporting_calendar and a form: calendar of the periods it shows",
        "views: hash of the mart views as applied; reporting_calendar and a form: calendar of the periods it shows",
    ),
    "COLUMN warehouse.fact_indicator.obs_reason": (
        "Why there is no value: not_applicable or no_cases (0 of 0) beside M; held_back beside L where the audit let it not pass "
        "(ops.held_back). Why it stays provisional, beside P: stands_in where another count stands in, lists_missing where "
        "providers_missing name nobody",
        "Why there is no value: not_applicable or no_cases (0 of 0) beside M; held_back beside L where the audit let it not pass "
        "(ops.held_back). Why it stays provisional, beside P: stands_in where another count stands in, lists_missing where "
        "providers_missing name nobody. Else, of a value: mixed_keys where persons were counted under several keys, so that one may count "
        "twice",
    ),
}
"""Table or column → its comment before this step, and after it."""


def upgrade() -> None:
    """No row is written for it: a constant that a column begins with is kept once. The lists of things are made anew by the next night."""
    op.create_table(
        "pseudonym_key",
        sa.Column(
            "key_number",
            sa.SmallInteger(),
            autoincrement=False,
            nullable=False,
            comment="1 for the first, then 2, 3 …; the last is in use",
        ),
        sa.Column(
            "fingerprint",
            sa.Text(),
            nullable=False,
            comment="First 64 bits of an HMAC-SHA-256 of a known text: tells one key from another, and gives none away",
        ),
        sa.Column(
            "used_from",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="Since when rows are hashed with it",
        ),
        sa.Column(
            "forgotten_at",
            sa.DateTime(timezone=True),
            comment="When its pseudonyms were replaced by such as lead to nobody; empty where not",
        ),
        sa.PrimaryKeyConstraint("key_number", name=op.f("pk_pseudonym_key")),
        sa.UniqueConstraint("fingerprint", name=op.f("uq_pseudonym_key_fingerprint")),
        schema="ops",
        comment="One row per key that persons were pseudonymised with: how it is recognised, never the key itself.",
    )
    op.execute("REVOKE UPDATE, DELETE ON ops.pseudonym_key FROM bakhong_etl")  # whose nights begin with the first, and change none
    op.execute(
        "INSERT INTO ops.pseudonym_key (key_number, fingerprint, used_from) "
        "SELECT 1, value, changed_at FROM ops.installation WHERE item = 'secret_key'"
    )
    op.execute("DELETE FROM ops.installation WHERE item = 'secret_key'")
    for fact in FACTS:
        op.add_column(
            fact, sa.Column("key_number", sa.SmallInteger(), server_default="1", nullable=False, comment=KEY), schema="warehouse"
        )
        op.alter_column(fact, "key_number", server_default=None, schema="warehouse")
    for values in VALUES:
        op.add_column(values, sa.Column("key_numbers", sa.ARRAY(sa.SmallInteger()), comment=KEYS), schema="warehouse")
    op.drop_constraint("pk_agg_thing", "agg_thing", schema="warehouse")
    op.add_column(
        "agg_thing", sa.Column("key_number", sa.SmallInteger(), server_default="1", nullable=False, comment=OF_A_THING), schema="warehouse"
    )
    op.alter_column("agg_thing", "key_number", server_default=None, schema="warehouse")
    op.create_primary_key("pk_agg_thing", "agg_thing", ["counted", "unit_key", "year", "month", "key_number", "holds"], schema="warehouse")
    for thing, (_, after) in COMMENTS.items():
        op.execute(f"COMMENT ON {thing} IS '{after}'")


def downgrade() -> None:
    """The key in use is the only one that is known then; what was hashed with one before can no longer be told from the rest."""
    views = "SELECT string_agg(format('mart.%I', viewname), ', ') FROM pg_views WHERE schemaname = 'mart'"
    op.execute(f"DO $$ BEGIN EXECUTE coalesce('DROP VIEW ' || ({views}), 'SELECT'); END $$")  # the older version makes its own
    op.execute("DELETE FROM ops.installation WHERE item = 'views'")
    for thing, (before, _) in COMMENTS.items():
        op.execute(f"COMMENT ON {thing} IS '{before}'")
    op.execute("TRUNCATE warehouse.agg_thing")
    op.drop_constraint("pk_agg_thing", "agg_thing", schema="warehouse")
    op.drop_column("agg_thing", "key_number", schema="warehouse")
    op.create_primary_key("pk_agg_thing", "agg_thing", ["counted", "unit_key", "year", "month", "holds"], schema="warehouse")
    for values in VALUES:
        op.execute(f"UPDATE warehouse.{values} SET obs_reason = NULL WHERE obs_reason = 'mixed_keys'")
        op.drop_column(values, "key_numbers", schema="warehouse")
    for fact in FACTS:
        op.drop_column(fact, "key_number", schema="warehouse")
    op.execute(
        "INSERT INTO ops.installation (item, value, changed_at) "
        "SELECT 'secret_key', fingerprint, used_from FROM ops.pseudonym_key ORDER BY key_number DESC LIMIT 1"
    )
    op.drop_table("pseudonym_key", schema="ops")
