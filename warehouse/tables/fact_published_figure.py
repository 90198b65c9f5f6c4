"""One row per document, unit, period and indicator: a figure as printed, only ever compared, never counted."""

from sqlalchemy import BigInteger, Column, ForeignKey, Integer, Numeric, SmallInteger, Table, Text, text

from warehouse.tables.base import WAREHOUSE, history, history_indexes, metadata, provenance

fact_published_figure = Table(
    "fact_published_figure",
    metadata,
    Column("source_document", Text, nullable=False, comment="Document that prints the figure"),
    Column("unit_key", Integer, ForeignKey("warehouse.dim_unit.unit_key"), nullable=False, comment="Administrative unit"),
    Column("period", Text, nullable=False, comment="2024, 2024-Q1 or 2024-03"),
    Column("indicator_code", Text, nullable=False, comment="Indicator"),
    Column("numerator", BigInteger, comment="Numerator as printed, beside the figure or as 16/16"),
    Column("denominator", BigInteger, comment="Denominator as printed, likewise"),
    Column("printed", Text, nullable=False, comment="The figure as printed, as 92,1%"),
    Column("printed_value", Numeric, comment="Its number"),
    Column("printed_decimals", SmallInteger, comment="Decimals it was printed with; below zero where thousands or millions were"),
    Column(
        "printed_as",
        Text,
        nullable=False,
        server_default=text("'exact'"),
        comment="What its words say: exact, about, nearly, above, at_least, below or at_most (rule PUB-003)",
    ),
    *history(),
    *provenance(),
    *history_indexes("fact_published_figure"),
    schema=WAREHOUSE,
    comment="One row per document, unit, period and indicator: a figure as printed, only ever compared, never counted.",
)
