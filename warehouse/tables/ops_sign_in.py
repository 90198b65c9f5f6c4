"""One row per try to sign in to the desk, of the last days: so many wrong ones and nobody is let in for a while."""

from sqlalchemy import Boolean, Column, DateTime, Identity, Index, Integer, Table, Text

from warehouse.tables.base import OPS, metadata

sign_in = Table(
    "sign_in",
    metadata,
    Column("sign_in_id", Integer, Identity(), primary_key=True, comment="Surrogate key"),
    Column("account_name", Text, nullable=False, comment="Name that was typed, whether there is such an account or not"),
    Column("address", Text, nullable=False, comment="Network address it came from"),
    Column("tried_at", DateTime(timezone=True), nullable=False, comment="When"),
    Column("is_right", Boolean, nullable=False, comment="Whether name and password were right"),
    Index("ix_sign_in_tried_at", "tried_at"),
    schema=OPS,
    comment="One row per try to sign in to the desk, of the last days: so many wrong ones and nobody is let in for a while.",
)
