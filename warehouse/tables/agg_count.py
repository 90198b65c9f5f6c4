"""One row per thing counted, unit, part, day and month received: counts that add up, kept from night to night."""

from sqlalchemy import ARRAY, BigInteger, Column, Date, Index, Integer, Table, Text

from warehouse.tables.base import WAREHOUSE, metadata

agg_count = Table(
    "agg_count",
    metadata,
    Column("counted", Text, primary_key=True, comment="What is counted, as dossier, bill, form_06a (warehouse.counted)"),
    Column("unit_key", Integer, primary_key=True, comment="Unit of the event itself, those above it not added (dim_unit)"),
    Column(
        "part",
        Integer,
        primary_key=True,
        comment="What it is counted by inside the unit: the lowest key of a procedure, months of a period; 0 where by nothing",
    ),
    Column(
        "day",
        Date,
        primary_key=True,
        comment="First of the month, or half month, it happens in; the day itself where it lay ahead when it became known; infinity where never",
    ),
    Column(
        "received",
        Date,
        primary_key=True,
        comment="First of the month what happens was received in; the day where that makes no difference",
    ),
    Column("counts", ARRAY(BigInteger), nullable=False, comment="Rows counted, then its measures in their order (warehouse.counted)"),
    Index("ix_agg_count_day", "counted", "day"),
    schema=WAREHOUSE,
    comment="One row per thing counted, unit, part, day and month received: counts that add up, kept from night to night.",
)
