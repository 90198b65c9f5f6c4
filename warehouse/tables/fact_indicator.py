"""One row per indicator, unit, period and revision."""

from sqlalchemy import BigInteger, Column, DateTime, Index, Integer, Numeric, SmallInteger, String, Table, Text, text

from warehouse.tables.base import WAREHOUSE, metadata

fact_indicator = Table(
    "fact_indicator",
    metadata,
    Column("indicator_key", SmallInteger, primary_key=True, comment="Indicator (dim_indicator)"),
    Column("unit_key", Integer, primary_key=True, comment="Administrative unit (dim_unit)"),
    Column("period", Text, primary_key=True, comment="2024, 2024-Q1 or 2024-03"),
    Column("revision", SmallInteger, primary_key=True, comment="1 for the first value published, then 2, 3 …"),
    Column("numerator", BigInteger, comment="Numerator; empty where not collected or not applicable"),
    Column("denominator", BigInteger, comment="Denominator; empty where not collected or not applicable"),
    Column("value", Numeric, comment="The rate in its unit, rounded half up once at the printed decimals"),
    Column(
        "obs_status",
        String(1),
        nullable=False,
        comment="SDMX: A normal, P provisional, B break in series, L not collected, M not applicable, Q suppressed",
    ),
    Column("known_from", DateTime(timezone=True), nullable=False, comment="Time from which this revision was the published one, inclusive"),
    Column(
        "known_to",
        DateTime(timezone=True),
        nullable=False,
        server_default=text("'infinity'"),
        comment="Time until which it was, exclusive; infinity while it is",
    ),
    Column(
        "publication_id",
        Integer,
        nullable=False,
        comment="Publication that brought this revision (ops.publication)",
    ),
    Index("ux_fact_indicator_current", "period", "indicator_key", "unit_key", unique=True, postgresql_where=text("known_to = 'infinity'")),
    schema=WAREHOUSE,
    comment="One row per indicator, unit, period and revision.",
)
