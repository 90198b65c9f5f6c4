"""One row per person who signs in to the desk."""

from sqlalchemy import Boolean, CheckConstraint, Column, DateTime, Identity, Integer, Table, Text, func, true

from warehouse.tables.base import OPS, metadata

account = Table(
    "account",
    metadata,
    Column("account_id", Integer, Identity(), primary_key=True, comment="Surrogate key"),
    Column("account_name", Text, nullable=False, unique=True, comment="Name typed to sign in: small letters, digits, . - _"),
    Column("shown_name", Text, nullable=False, comment="Name of the person as others see it"),
    Column("password_hash", Text, nullable=False, comment="Argon2id, with its salt and cost"),
    Column("role", Text, nullable=False, comment="viewer looks; steward also decides on deliveries and rows; approver also on publication"),
    Column("unit_code", Text, comment="Unit to which the account is confined, with all below it; empty where it is not"),
    Column("is_active", Boolean, nullable=False, server_default=true(), comment="False: may not sign in any more"),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now(), comment="When it was made"),
    CheckConstraint("role IN ('viewer', 'steward', 'approver')", name="role"),
    schema=OPS,
    comment="One row per person who signs in to the desk.",
)
