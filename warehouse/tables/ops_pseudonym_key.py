"""One row per key that persons were pseudonymised with: how it is recognised, never the key itself."""

from sqlalchemy import Column, DateTime, SmallInteger, Table, Text, func

from warehouse.tables.base import OPS, metadata

pseudonym_key = Table(
    "pseudonym_key",
    metadata,
    Column("key_number", SmallInteger, primary_key=True, autoincrement=False, comment="1 for the first, then 2, 3 …; the last is in use"),
    Column(
        "fingerprint",
        Text,
        nullable=False,
        unique=True,
        comment="First 64 bits of an HMAC-SHA-256 of a known text: tells one key from another, and gives none away",
    ),
    Column("used_from", DateTime(timezone=True), nullable=False, server_default=func.now(), comment="Since when rows are hashed with it"),
    Column("forgotten_at", DateTime(timezone=True), comment="When its pseudonyms were replaced by such as lead to nobody; empty where not"),
    schema=OPS,
    comment="One row per key that persons were pseudonymised with: how it is recognised, never the key itself.",
)
