"""The desk as a web application: accounts, sessions, an audit of actions; what sources are called; what could not be reached."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

WHEN = sa.DateTime(timezone=True)
ASKED = "warehouse.fact_indicator, warehouse.fact_indicator_restated, warehouse.bridge_unit_lineage"
"""What the pages ask for beside what a steward was shown so far; nothing of it is about persons."""

KEPT = """
CREATE FUNCTION ops.keep_actions() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'ops.action is append-only' USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE TRIGGER kept BEFORE UPDATE OR DELETE OR TRUNCATE ON ops.action FOR EACH STATEMENT EXECUTE FUNCTION ops.keep_actions();
"""

GRANTED = """
REVOKE ALL ON ops.account, ops.session, ops.sign_in FROM bakhong_etl;
REVOKE UPDATE, DELETE ON ops.action FROM bakhong_etl;
GRANT INSERT, UPDATE ON ops.account, ops.session TO bakhong_steward;
GRANT INSERT, UPDATE, DELETE ON ops.sign_in TO bakhong_steward;
GRANT INSERT ON ops.action TO bakhong_steward;
GRANT SELECT ON {asked} TO bakhong_steward;
GRANT SELECT (received_at, known_to) ON warehouse.fact_dossier TO bakhong_steward;
"""


def upgrade() -> None:
    """The night neither reads nor writes accounts; whoever runs the desk has the steward's role."""
    op.create_table(
        "account",
        sa.Column("account_id", sa.Integer(), sa.Identity(), nullable=False, comment="Surrogate key"),
        sa.Column("account_name", sa.Text(), nullable=False, comment="Name typed to sign in: small letters, digits, . - _"),
        sa.Column("shown_name", sa.Text(), nullable=False, comment="Name of the person as others see it"),
        sa.Column("password_hash", sa.Text(), nullable=False, comment="Argon2id, with its salt and cost"),
        sa.Column(
            "role",
            sa.Text(),
            nullable=False,
            comment="viewer looks; steward also decides on deliveries and rows; approver also on publication",
        ),
        sa.Column("unit_code", sa.Text(), comment="Unit to which the account is confined, with all below it; empty where it is not"),
        sa.Column("is_active", sa.Boolean(), server_default=sa.true(), nullable=False, comment="False: may not sign in any more"),
        sa.Column("created_at", WHEN, server_default=sa.func.now(), nullable=False, comment="When it was made"),
        sa.CheckConstraint("role IN ('viewer', 'steward', 'approver')", name=op.f("ck_account_role")),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_account")),
        sa.UniqueConstraint("account_name", name=op.f("uq_account_account_name")),
        schema="ops",
        comment="One row per person who signs in to the desk.",
    )
    op.create_table(
        "session",
        sa.Column(
            "token_hash", sa.Text(), nullable=False, comment="SHA-256 of the token in the cookie; the token itself is kept nowhere"
        ),
        sa.Column("account_id", sa.Integer(), nullable=False, comment="Who signed in (ops.account)"),
        sa.Column("created_at", WHEN, nullable=False, comment="When"),
        sa.Column("last_seen_at", WHEN, nullable=False, comment="When it last asked for a page, to the minute"),
        sa.Column("expires_at", WHEN, nullable=False, comment="When it ends, however busy it is"),
        sa.Column(
            "revoked_at", WHEN, comment="When it was ended before its time: signed out, password changed, account closed"
        ),
        sa.Column("address", sa.Text(), nullable=False, comment="Network address it came from"),
        sa.ForeignKeyConstraint(["account_id"], ["ops.account.account_id"], name=op.f("fk_session_account_id")),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_session")),
        schema="ops",
        comment="One row per time someone signed in to the desk.",
    )
    op.create_index(op.f("ix_session_account_id"), "session", ["account_id"], schema="ops")
    op.create_table(
        "sign_in",
        sa.Column("sign_in_id", sa.Integer(), sa.Identity(), nullable=False, comment="Surrogate key"),
        sa.Column("account_name", sa.Text(), nullable=False, comment="Name that was typed, whether there is such an account or not"),
        sa.Column("address", sa.Text(), nullable=False, comment="Network address it came from"),
        sa.Column("tried_at", WHEN, nullable=False, comment="When"),
        sa.Column("is_right", sa.Boolean(), nullable=False, comment="Whether name and password were right"),
        sa.PrimaryKeyConstraint("sign_in_id", name=op.f("pk_sign_in")),
        schema="ops",
        comment="One row per try to sign in to the desk, of the last days: so many wrong ones and nobody is let in for a while.",
    )
    op.create_index("ix_sign_in_tried_at", "sign_in", ["tried_at"], schema="ops")
    op.create_table(
        "action",
        sa.Column("action_id", sa.BigInteger(), sa.Identity(), nullable=False, comment="Surrogate key"),
        sa.Column("acted_at", WHEN, server_default=sa.func.now(), nullable=False, comment="When"),
        sa.Column("acted_by", sa.Text(), nullable=False, comment="Who: name of the account; of the command line, the system's user"),
        sa.Column("action", sa.Text(), nullable=False, comment="What was done, as sign-in, account-add, release"),
        sa.Column("subject", sa.Text(), nullable=False, comment="On what: account:lan, delivery:12, period:2024"),
        sa.Column("reason", sa.Text(), comment="Why, in the words of whoever did it"),
        sa.Column("address", sa.Text(), comment="Network address it came from; empty of the command line"),
        sa.PrimaryKeyConstraint("action_id", name=op.f("pk_action")),
        schema="ops",
        comment="One row per thing someone did at the desk or to its accounts; never changed, never deleted.",
    )
    op.create_index("ix_action_acted_at", "action", ["acted_at"], schema="ops")
    op.create_table(
        "unreachable",
        sa.Column("run_id", sa.Integer(), nullable=False, comment="Run that tried (ops.run)"),
        sa.Column("source", sa.Text(), nullable=False, comment="Source of sources.yaml"),
        sa.Column("message_vi", sa.Text(), nullable=False, comment="What could not be taken, and why"),
        sa.ForeignKeyConstraint(["run_id"], ["ops.run.run_id"], name=op.f("fk_unreachable_run_id")),
        sa.PrimaryKeyConstraint("run_id", "source", "message_vi", name=op.f("pk_unreachable")),
        schema="ops",
        comment="One row per run and thing that could not be taken from a source: the whole source, or a file of it.",
    )
    for column in (
        sa.Column("provider", sa.Text(), server_default="", nullable=False, comment="Who sends it (dim_provider.provider_code)"),
        sa.Column("title", sa.Text(), server_default="", nullable=False, comment="What officials call it, in Vietnamese"),
        sa.Column("rank", sa.SmallInteger(), server_default="0", nullable=False, comment="Place in sources.yaml"),
    ):
        op.add_column("source", column, schema="ops")
    op.create_index("ix_quarantine_rule_code", "quarantine", ["rule_code"], schema="ops")
    op.execute(KEPT)
    op.execute(GRANTED.format(asked=ASKED))


def downgrade() -> None:
    """Accounts, sessions and the audit go."""
    op.execute("REVOKE SELECT (received_at, known_to) ON warehouse.fact_dossier FROM bakhong_steward")
    op.execute(f"REVOKE SELECT ON {ASKED} FROM bakhong_steward")
    op.drop_index("ix_quarantine_rule_code", table_name="quarantine", schema="ops")
    for column in ("rank", "title", "provider"):
        op.drop_column("source", column, schema="ops")
    for table in ("unreachable", "action", "sign_in", "session", "account"):
        op.drop_table(table, schema="ops")
    op.execute("DROP FUNCTION ops.keep_actions()")
