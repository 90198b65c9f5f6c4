"""One row per source of sources.yaml as of the last night: who sends what, and how often."""

from sqlalchemy import Column, SmallInteger, Table, Text

from warehouse.tables.base import OPS, metadata

source = Table(
    "source",
    metadata,
    Column("source", Text, primary_key=True, comment="Name of the source"),
    Column("feed", Text, nullable=False, comment="Feed it sends, the contract it is read by"),
    Column("layout", Text, nullable=False, comment="Layout it writes"),
    Column("expected", Text, nullable=False, comment="Rhythm: daily, monthly, quarterly, yearly or once"),
    Column("provider", Text, nullable=False, server_default="", comment="Who sends it (dim_provider.provider_code)"),
    Column("title", Text, nullable=False, server_default="", comment="What officials call it, in Vietnamese"),
    Column("rank", SmallInteger, nullable=False, server_default="0", comment="Place in sources.yaml"),
    schema=OPS,
    comment="One row per source of sources.yaml as of the last night: who sends what, and how often.",
)
