"""One row per thing counted, unit, month, key and measures told: the distinct things of which rows tell it, kept from night to night."""

from sqlalchemy import ARRAY, Column, Integer, SmallInteger, Table, Text, Uuid

from warehouse.tables.base import WAREHOUSE, metadata

agg_thing = Table(
    "agg_thing",
    metadata,
    Column("counted", Text, primary_key=True, comment="What is counted, as bill customers things (warehouse.counted)"),
    Column("unit_key", Integer, primary_key=True, comment="Unit of the rows, those above it not added (dim_unit)"),
    Column("year", Integer, primary_key=True, autoincrement=False, comment="Year of the rows"),
    Column("month", Integer, primary_key=True, comment="Month of the rows, 1 to 12"),
    Column(
        "key_number",
        SmallInteger,
        primary_key=True,
        autoincrement=False,
        comment="Key that the things were pseudonymised with (ops.pseudonym_key); 0 where they are no pseudonyms",
    ),
    Column(
        "holds", Integer, primary_key=True, comment="Measures in which the rows are counted, as bits in their order (warehouse.counted)"
    ),
    Column("things", ARRAY(Uuid), nullable=False, comment="The things, as fact_bill.customer_hash, each as often as a row tells of it"),
    schema=WAREHOUSE,
    comment="One row per thing counted, unit, month, key and measures told: the distinct things of which rows tell it, kept from night to "
    "night.",
)
