"""One row per thing someone did at the desk or to its accounts; never changed, never deleted."""

from sqlalchemy import BigInteger, Column, DateTime, Identity, Index, Table, Text, func

from warehouse.tables.base import OPS, metadata

action = Table(
    "action",
    metadata,
    Column("action_id", BigInteger, Identity(), primary_key=True, comment="Surrogate key"),
    Column("acted_at", DateTime(timezone=True), nullable=False, server_default=func.now(), comment="When"),
    Column("acted_by", Text, nullable=False, comment="Who: name of the account; of the command line, the system's user"),
    Column("action", Text, nullable=False, comment="What was done, as sign-in, account-add, release"),
    Column("subject", Text, nullable=False, comment="On what: account:lan, delivery:12, period:2024"),
    Column("reason", Text, comment="Why, in the words of whoever did it"),
    Column("address", Text, comment="Network address it came from; empty of the command line"),
    Index("ix_action_acted_at", "acted_at"),
    schema=OPS,
    comment="One row per thing someone did at the desk or to its accounts; never changed, never deleted.",
)
