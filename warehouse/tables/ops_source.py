"""One row per source of sources.yaml as of the last night: who sends what, and how often."""

from sqlalchemy import Boolean, Column, Date, Integer, SmallInteger, Table, Text, false

from warehouse.tables.base import OPS, metadata

source = Table(
    "source",
    metadata,
    Column("source", Text, primary_key=True, comment="Name of the source"),
    Column("feed", Text, nullable=False, comment="Feed it sends, the contract it is read by"),
    Column("layout", Text, nullable=False, comment="Layout it writes"),
    Column("expected", Text, nullable=False, comment="Rhythm: daily, monthly, quarterly, yearly or once"),
    Column(
        "is_required",
        Boolean,
        nullable=False,
        server_default=false(),
        comment="Whether an edition is held while it is late (required: true in sources.yaml)",
    ),
    Column(
        "patience_days", Integer, comment="Days after its last delivery from which its silence counts as late; empty of one that sends once"
    ),
    Column("data_until", Date, comment="Last day for which it had spoken when last published; empty where nothing was taken of it"),
    Column("provider", Text, nullable=False, server_default="", comment="Who sends it (dim_provider.provider_code)"),
    Column("title", Text, nullable=False, server_default="", comment="What officials call it, in Vietnamese"),
    Column("rank", SmallInteger, nullable=False, server_default="0", comment="Place in sources.yaml"),
    schema=OPS,
    comment="One row per source of sources.yaml as of the last night: who sends what, and how often.",
)
