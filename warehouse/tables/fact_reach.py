"""One row per version of an indicator, period and state known: how far the deliveries that it counts reach, and which are awaited."""

from sqlalchemy import ARRAY, Boolean, Column, Date, DateTime, Index, SmallInteger, Table, Text, text

from warehouse.tables.base import WAREHOUSE, metadata

fact_reach = Table(
    "fact_reach",
    metadata,
    Column("indicator_key", SmallInteger, primary_key=True, comment="Version of the indicator (dim_indicator)"),
    Column("period", Text, primary_key=True, comment="2024, 2024-Q1 or 2024-03"),
    Column("known_from", DateTime(timezone=True), primary_key=True, comment="State of knowledge from which it was so, inclusive"),
    Column(
        "known_to",
        DateTime(timezone=True),
        nullable=False,
        server_default=text("'infinity'"),
        comment="Until which it was, exclusive; infinity while it is",
    ),
    Column("data_until", Date, comment="Last day, of the period or before, up to which every source has spoken; empty where none has"),
    Column("next_due", Date, comment="Day by which the next delivery awaited is due; empty where none is awaited"),
    Column("awaited", ARRAY(Text), nullable=False, comment="Sources that have not yet spoken for all of the period (ops.source)"),
    Column("is_closed", Boolean, nullable=False, comment="Whether a steward said of every source that no more will come (ops.completion)"),
    Index("ux_fact_reach_current", "period", "indicator_key", unique=True, postgresql_where=text("known_to = 'infinity'")),
    schema=WAREHOUSE,
    comment=(
        "One row per version of an indicator, period and state known: how far the deliveries that it counts reach, and which are awaited."
    ),
)
