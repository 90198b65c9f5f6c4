"""One row per decision, assignment or comment on what was set aside, in the order of time; none is ever changed."""

from sqlalchemy import ARRAY, CheckConstraint, Column, DateTime, ForeignKey, Identity, Index, Integer, Table, Text, func

from warehouse.tables.base import OPS, metadata

quarantine_note = Table(
    "quarantine_note",
    metadata,
    Column("note_id", Integer, Identity(), primary_key=True, comment="Surrogate key"),
    Column("delivery_id", Integer, ForeignKey("ops.delivery.delivery_id"), nullable=False, comment="Delivery"),
    Column("rule_code", Text, comment="Rule it is about; empty where the whole delivery is meant"),
    Column("column_name", Text, comment="Column it is about, as the file names it; empty where any is meant"),
    Column("row_numbers", ARRAY(Integer), comment="Rows it is about; empty where all of the rule and column are meant"),
    Column("kind", Text, nullable=False, comment="released, dismissed, let_pass, assigned, comment or correction"),
    Column("words", Text, comment="Reason or comment"),
    Column("assignee", Text, comment="Who is to see to it; empty where an assignment was taken back"),
    Column("rows", Integer, comment="Faults that a decision touched"),
    Column("made_by", Text, nullable=False, comment="Who"),
    Column("made_at", DateTime(timezone=True), nullable=False, server_default=func.now(), comment="When"),
    Index("ix_quarantine_note_delivery_id", "delivery_id"),
    CheckConstraint("kind IN ('released', 'dismissed', 'let_pass', 'assigned', 'comment', 'correction')", name="kind"),
    schema=OPS,
    comment="One row per decision, assignment or comment on what was set aside, in the order of time; none is ever changed.",
)
