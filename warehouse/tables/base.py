"""What every table of the warehouse shares: the metadata, the schemas, the columns of provenance and history."""

from typing import Any

from sqlalchemy import BigInteger, Column, DateTime, Index, Integer, MetaData, SmallInteger, text

WAREHOUSE, OPS, MART, STAR, STAGING = "warehouse", "ops", "mart", "star", "staging"

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)

ROW_NUMBER = "Number of the row in the delivered file, as the program shows it that wrote the file"
"""Comment of the column wherever a row of a file is named."""

UNKNOWN = 0
"""Surrogate key of the unknown member of every dimension."""


def provenance() -> list[Column[Any]]:
    """The columns that trace a fact row to the row of the file it came from."""
    return [
        Column("delivery_id", Integer, nullable=False, comment="Delivery that brought this row (ops.delivery)"),
        Column("row_number", Integer, nullable=False, comment=ROW_NUMBER),
    ]


def pseudonymised() -> Column[Any]:
    """The column that a fact has whose rows speak of persons: equal pseudonyms mean one person under one key only."""
    return Column("key_number", SmallInteger, nullable=False, comment="Key of the pseudonyms in this row (ops.pseudonym_key)")


def history() -> list[Column[Any]]:
    """The columns by which `tasks.load.deliver` recognises a row again and keeps every state of it.

    `row_key` and `row_hash` are 64-bit hashes: narrow, computed in Arrow before the COPY. Equality is
    always decided on the natural key as well, so a collision stops the load and can never merge two rows.
    """
    return [
        Column("row_key", BigInteger, nullable=False, comment="64-bit hash of the natural key: recognises the row again"),
        Column("row_hash", BigInteger, nullable=False, comment="64-bit hash of the content: tells a changed row from an unchanged one"),
        Column(
            "known_from",
            DateTime(timezone=True),
            nullable=False,
            comment="Time from which this state was known (export time of its delivery), inclusive",
        ),
        Column(
            "known_to",
            DateTime(timezone=True),
            nullable=False,
            server_default=text("'infinity'"),
            comment="Time until which this state held, exclusive; infinity while it is the current one",
        ),
        Column("loaded_by", Integer, nullable=False, comment="Load that wrote this state (ops.load)"),
        Column("ended_by", Integer, comment="Load that ended this state (ops.load); empty while it is the current one"),
    ]


def history_indexes(table: str) -> list[Index]:
    """The indexes by which a load finds the current states of its keys, and a publication what loads since the last one ended."""
    return [
        Index(f"ux_{table}_current", "row_key", unique=True, postgresql_where=text("known_to = 'infinity'")),
        Index(f"ix_{table}_ended_by", "ended_by", postgresql_where=text("ended_by IS NOT NULL")),
    ]


def big(table: str) -> list[Index]:
    """The indexes of facts that grow by the million: what a load or a delivery wrote lies together."""
    return [
        Index(f"ix_{table}_loaded_by", "loaded_by", postgresql_using="brin"),
        Index(f"ix_{table}_delivery_id", "delivery_id", postgresql_using="brin"),
    ]


def revised() -> list[Column[Any]]:
    """The columns of a revision: the state of knowledge it shows, and the publication that brought it."""
    return [
        Column(
            "known_from", DateTime(timezone=True), nullable=False, comment="Time from which this revision was the published one, inclusive"
        ),
        Column(
            "known_to",
            DateTime(timezone=True),
            nullable=False,
            server_default=text("'infinity'"),
            comment="Time until which it was, exclusive; infinity while it is",
        ),
        Column("publication_id", Integer, nullable=False, comment="Publication that brought this revision (ops.publication)"),
    ]
