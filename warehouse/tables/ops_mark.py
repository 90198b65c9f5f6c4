"""One row per thing that is counted or computed night after night: by what, and up to which load and day."""

from sqlalchemy import Boolean, Column, DateTime, Integer, Table, Text, false

from warehouse.tables.base import OPS, metadata

mark = Table(
    "mark",
    metadata,
    Column("item", Text, primary_key=True, comment="What is counted (warehouse.agg_count.counted), or the table made of it"),
    Column(
        "fingerprint",
        Text,
        nullable=False,
        comment="Hash of everything that decides what counts: query, conditions, rules, flags of dimensions; another one means from scratch",
    ),
    Column("load_id", Integer, nullable=False, comment="Last load whose states are counted in it (ops.load)"),
    Column("as_of", DateTime(timezone=True), nullable=False, comment="State of knowledge it was last brought to"),
    Column(
        "is_altered",
        Boolean,
        nullable=False,
        server_default=false(),
        comment="Whether something else than the counting of a night wrote to the counts since; then they are made from scratch",
    ),
    schema=OPS,
    comment="One row per thing that is counted or computed night after night: by what, and up to which load and day.",
)
