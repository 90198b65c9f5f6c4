"""One row per time someone signed in to the desk."""

from sqlalchemy import Column, DateTime, ForeignKey, Integer, Table, Text

from warehouse.tables.base import OPS, metadata

session = Table(
    "session",
    metadata,
    Column("token_hash", Text, primary_key=True, comment="SHA-256 of the token in the cookie; the token itself is kept nowhere"),
    Column("account_id", Integer, ForeignKey("ops.account.account_id"), nullable=False, index=True, comment="Who signed in (ops.account)"),
    Column("created_at", DateTime(timezone=True), nullable=False, comment="When"),
    Column("last_seen_at", DateTime(timezone=True), nullable=False, comment="When it last asked for a page, to the minute"),
    Column("expires_at", DateTime(timezone=True), nullable=False, comment="When it ends, however busy it is"),
    Column(
        "revoked_at", DateTime(timezone=True), comment="When it was ended before its time: signed out, password changed, account closed"
    ),
    Column("address", Text, nullable=False, comment="Network address it came from"),
    schema=OPS,
    comment="One row per time someone signed in to the desk.",
)
