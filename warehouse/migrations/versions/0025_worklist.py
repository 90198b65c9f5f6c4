"""What was set aside is worked on: cells and when they were first seen, who decided what and why, corrections, what corrects what."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

STATUSES = "'open', 'waiting', 'released', 'dismissed', 'corrected', 'rejected'"
KINDS = "'released', 'dismissed', 'let_pass', 'assigned', 'comment', 'correction'"
DOCUMENTED = {
    "status": (
        "open, waiting (for a bill), released, dismissed, or rejected with its delivery",
        "open; waiting (for a bill); released (to be read again); dismissed (left out for good); corrected (by a later delivery); "
        "rejected with its delivery",
    ),
    "decided_by": ("Steward who decided", "Steward who decided last (ops.quarantine_note has all decisions)"),
}
ROW_NUMBER = "Number of the row in the delivered file, as the program shows it that wrote the file"


def upgrade() -> None:
    """Of rows set aside before, the cell is not known, and they are taken for seen when their file came."""
    _extend()
    _new_tables()
    op.execute("GRANT INSERT ON ops.quarantine_note, ops.correction TO bakhong_steward")
    op.execute("REVOKE UPDATE, DELETE ON ops.quarantine_note, ops.correction FROM bakhong_etl")
    op.execute("GRANT UPDATE (read_at) ON ops.correction TO bakhong_etl")


def _extend() -> None:
    def text(name: str, comment: str) -> sa.Column[str]:
        return sa.Column(name, sa.Text(), comment=comment)

    def moment(name: str, comment: str) -> sa.Column[Any]:
        return sa.Column(name, sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False, comment=comment)

    def corrected_by(comment: str) -> sa.Column[int]:
        return sa.Column("corrected_by", sa.Integer(), comment=comment)

    added: list[sa.Column[Any]] = [
        text("value", "The cell as its supplier wrote it, shortened; only where it cannot be personal data, else empty"),
        text(
            "cell_hash",
            "Keyed hash of the cell and its place: a correction names it; empty where the column holds personal data or no cell",
        ),
        corrected_by("Delivery that came in place of what this row says"),
        moment("seen_at", "When it was first set aside"),
        moment("checked_at", "When it last broke the rule"),
    ]
    for column in added:
        op.add_column("quarantine", column, schema="ops")
    op.execute(
        "UPDATE ops.quarantine q SET seen_at = d.received_at, checked_at = coalesce(d.loaded_at, d.received_at) "
        "FROM ops.delivery d WHERE d.delivery_id = q.delivery_id"
    )
    op.add_column("delivery", corrected_by("Delivery that came in place of this refused one"), schema="ops")
    for table in ("quarantine", "delivery"):
        name = op.f(f"fk_{table}_corrected_by")
        op.create_foreign_key(
            name, table, "delivery", ["corrected_by"], ["delivery_id"], source_schema="ops", referent_schema="ops"
        )
    op.create_check_constraint(op.f("ck_quarantine_status"), "quarantine", f"status IN ({STATUSES})", schema="ops")
    for column_name, (_, comment) in DOCUMENTED.items():
        op.alter_column("quarantine", column_name, comment=comment, schema="ops")
    checked_with = "Of a rule that set rows aside or refused the delivery: hash of all that it was checked with, so the rule, layout and lists"
    op.add_column("verdict", text("checked_with", checked_with), schema="ops")


def _new_tables() -> None:
    def delivery() -> sa.Column[int]:
        return sa.Column("delivery_id", sa.Integer(), nullable=False, comment="Delivery")

    def made(by: str) -> list[sa.Column[Any]]:
        return [
            sa.Column("made_by", sa.Text(), nullable=False, comment=by),
            sa.Column("made_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False, comment="When"),
        ]

    op.create_table(
        "quarantine_note",
        sa.Column("note_id", sa.Integer(), sa.Identity(), nullable=False, comment="Surrogate key"),
        delivery(),
        sa.Column("rule_code", sa.Text(), comment="Rule it is about; empty where the whole delivery is meant"),
        sa.Column("column_name", sa.Text(), comment="Column it is about, as the file names it; empty where any is meant"),
        sa.Column(
            "row_numbers", sa.ARRAY(sa.Integer()), comment="Rows it is about; empty where all of the rule and column are meant"
        ),
        sa.Column("kind", sa.Text(), nullable=False, comment="released, dismissed, let_pass, assigned, comment or correction"),
        sa.Column("words", sa.Text(), comment="Reason or comment"),
        sa.Column("assignee", sa.Text(), comment="Who is to see to it; empty where an assignment was taken back"),
        sa.Column("rows", sa.Integer(), comment="Faults that a decision touched"),
        *made("Who"),
        sa.CheckConstraint(f"kind IN ({KINDS})", name=op.f("ck_quarantine_note_kind")),
        sa.ForeignKeyConstraint(["delivery_id"], ["ops.delivery.delivery_id"], name=op.f("fk_quarantine_note_delivery_id")),
        sa.PrimaryKeyConstraint("note_id", name=op.f("pk_quarantine_note")),
        schema="ops",
        comment="One row per decision, assignment or comment on what was set aside, in the order of time; none is ever changed.",
    )
    op.create_index("ix_quarantine_note_delivery_id", "quarantine_note", ["delivery_id"], schema="ops")
    op.create_table(
        "correction",
        sa.Column(
            "correction_id",
            sa.Integer(),
            sa.Identity(),
            nullable=False,
            comment="Surrogate key; of one cell they hold one after the other",
        ),
        delivery(),
        sa.Column("row_number", sa.Integer(), nullable=False, comment=ROW_NUMBER),
        sa.Column("column_name", sa.Text(), nullable=False, comment="Column as the file names it; never one of personal data"),
        sa.Column("rule_code", sa.Text(), nullable=False, comment="Rule that the cell broke"),
        sa.Column("cell_hash", sa.Text(), nullable=False, comment="Keyed hash of the cell that is put right, as in ops.quarantine"),
        sa.Column("value", sa.Text(), nullable=False, comment="What it ought to say, never personal data"),
        sa.Column("reason", sa.Text(), comment="Why, where somebody said so"),
        sa.Column("file_name", sa.Text(), nullable=False, comment="Letter that said so"),
        *made("Who took it in"),
        sa.Column(
            "read_at",
            sa.DateTime(timezone=True),
            comment="When its delivery was first read by it; empty while it waits for the next night",
        ),
        sa.ForeignKeyConstraint(["delivery_id"], ["ops.delivery.delivery_id"], name=op.f("fk_correction_delivery_id")),
        sa.PrimaryKeyConstraint("correction_id", name=op.f("pk_correction")),
        schema="ops",
        comment="One row per cell that its supplier corrected in a letter; the landed file stays as it is, and the reader puts it right.",
    )
    op.create_index("ix_correction_delivery_id", "correction", ["delivery_id"], schema="ops")


def downgrade() -> None:
    """Rows that a later delivery corrected stand open again; what was loaded as corrected stays so until it is read again."""
    op.drop_table("correction", schema="ops")
    op.drop_table("quarantine_note", schema="ops")
    op.drop_column("verdict", "checked_with", schema="ops")
    for column_name, (comment, _) in DOCUMENTED.items():
        op.alter_column("quarantine", column_name, comment=comment, schema="ops")
    op.drop_constraint("ck_quarantine_status", "quarantine", schema="ops")
    op.execute("UPDATE ops.quarantine SET status = 'open' WHERE status = 'corrected'")
    op.drop_column("delivery", "corrected_by", schema="ops")
    for column_name in ("checked_at", "seen_at", "corrected_by", "cell_hash", "value"):
        op.drop_column("quarantine", column_name, schema="ops")
