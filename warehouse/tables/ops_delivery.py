"""One row per file received: what became of it."""

from sqlalchemy import ARRAY, Boolean, CheckConstraint, Column, DateTime, ForeignKey, Identity, Index, Integer, Table, Text, false

from warehouse.tables.base import OPS, metadata

delivery = Table(
    "delivery",
    metadata,
    Column("delivery_id", Integer, Identity(), primary_key=True, comment="Surrogate key"),
    Column("source", Text, nullable=False, comment="Source of sources.yaml"),
    Column("feed", Text, nullable=False, comment="Feed, the contract it was read by"),
    Column("layout", Text, nullable=False, comment="Layout it was read in"),
    Column("provider", Text, nullable=False, comment="Provider code of the source"),
    Column("file_name", Text, nullable=False, comment="Name as received; only a hint"),
    Column("sha256", Text, nullable=False, comment="Hash of its bytes; the file in landing/{source}/ is named by it"),
    Column(
        "about",
        Text,
        nullable=False,
        server_default="",
        comment="What the path says and the bytes do not, where that tells deliveries apart: province, period, time of capture; else empty",
    ),
    Column(
        "file_stamp",
        Text,
        comment="Size, times and place of the file where it was found, or the tag or time of change that its server gave: while all agree, "
        "its bytes need not be read again",
    ),
    Column(
        "named_period", Text, comment="Stretch of days that its name speaks of, written as business_period is; empty where it names none"
    ),
    Column(
        "is_declared",
        Boolean,
        nullable=False,
        server_default=false(),
        comment="Whether the pattern of its source says what the name means; else it was understood as names usually are",
    ),
    Column("named_unit", Text, comment="Unit, or another word for its part of a period, that the source's pattern finds in the name"),
    Column(
        "business_period",
        Text,
        comment="Day, month, quarter, year or stretch of days it is about, as 2024-03-15, 2024-03, 2024-Q1, 2024, 2024-03-01/2024-03-07",
    ),
    Column("tells", ARRAY(Text), comment="Measures or services that its rows are of; empty where its feed does not tell several apart"),
    Column("exported_at", DateTime(timezone=True), comment="Time at which the source made it: orders states of the same row"),
    Column("received_at", DateTime(timezone=True), nullable=False, comment="Time at which it was pulled"),
    Column("loaded_at", DateTime(timezone=True), comment="Time at which its load was committed"),
    Column("status", Text, nullable=False, comment="landed, loaded, rejected or superseded"),
    Column("rows_received", Integer, comment="Rows in the file"),
    Column("rows_loaded", Integer, comment="Rows that made a new state in the warehouse"),
    Column("rows_unchanged", Integer, comment="Rows that said what was known already"),
    Column("rows_quarantined", Integer, comment="Rows set aside with a reason"),
    Column("rows_ignored", Integer, comment="Rows left out by a declared rule, such as totals"),
    Column("supersedes", Integer, ForeignKey("ops.delivery.delivery_id"), comment="Older delivery that this one corrects"),
    Column("corrected_by", Integer, ForeignKey("ops.delivery.delivery_id"), comment="Delivery that came in place of this refused one"),
    Column("verdict", Text, comment="accept, accept_with_flags or reject"),
    Column("message_vi", Text, comment="Why it was rejected, in Vietnamese"),
    Column(
        "file_removed_at",
        DateTime(timezone=True),
        comment="When its file was removed from landing/ by the rules of retention (ops.pruning); empty while it is kept",
    ),
    Index("ix_delivery_source", "source", "exported_at"),
    CheckConstraint("status IN ('landed', 'loaded', 'rejected', 'superseded')", name="status"),
    CheckConstraint(
        "status = 'landed' OR rows_received = rows_loaded + rows_unchanged + rows_quarantined + rows_ignored",
        name="conservation",
    ),
    schema=OPS,
    comment="One row per file received: what became of it.",
)
