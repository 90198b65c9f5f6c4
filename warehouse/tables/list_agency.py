"""One row per line of a list of agencies and state known of it: dim_agency is made of those in force."""

from sqlalchemy import Column, Date, Table, Text

from warehouse.tables.base import WAREHOUSE, history, history_indexes, metadata, provenance

list_agency = Table(
    "list_agency",
    metadata,
    Column("agency_code", Text, nullable=False, comment="Electronic identifier of the agency, with valid_from the natural key"),
    Column("valid_from", Date, nullable=False, comment="First day on which this line holds, inclusive"),
    Column("valid_to", Date, comment="Last day on which it holds, inclusive; empty while in force"),
    Column("agency_name", Text, nullable=False, comment="Name"),
    Column("unit_code", Text, nullable=False, comment="Administrative unit it works for"),
    *history(),
    *provenance(),
    *history_indexes("list_agency"),
    schema=WAREHOUSE,
    comment="One row per line of a list of agencies and state known of it: dim_agency is made of those in force.",
)
