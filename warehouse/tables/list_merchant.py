"""One row per line of a list of shops and state known of it: dim_merchant is made of those in force."""

from sqlalchemy import Column, Date, Table, Text

from warehouse.tables.base import WAREHOUSE, history, history_indexes, metadata, provenance

list_merchant = Table(
    "list_merchant",
    metadata,
    Column("provider_code", Text, nullable=False, comment="Payment provider; with merchant_code and valid_from the natural key"),
    Column("merchant_code", Text, nullable=False, comment="terminal_code at that provider"),
    Column("valid_from", Date, nullable=False, comment="First day on which this line holds, inclusive"),
    Column("valid_to", Date, comment="Last day on which it holds, inclusive; empty while in force"),
    Column("merchant_name", Text, nullable=False, comment="Name"),
    Column("merchant_kind", Text, nullable=False, comment="cho, cua_hang or diem_thu"),
    Column("unit_code", Text, nullable=False, comment="Administrative unit it stands in"),
    *history(),
    *provenance(),
    *history_indexes("list_merchant"),
    schema=WAREHOUSE,
    comment="One row per line of a list of shops and state known of it: dim_merchant is made of those in force.",
)
