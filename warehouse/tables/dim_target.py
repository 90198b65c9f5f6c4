"""One row per state of an indicator's version, kind and period in which a target holds."""

from sqlalchemy import Column, Date, DateTime, ForeignKeyConstraint, Numeric, SmallInteger, Table, Text

from warehouse.tables.base import WAREHOUSE, metadata

dim_target = Table(
    "dim_target",
    metadata,
    Column("indicator_key", SmallInteger, primary_key=True, comment="Version of the indicator (dim_indicator)"),
    Column(
        "known_from",
        DateTime(timezone=True),
        primary_key=True,
        comment="Its state to which the target belongs: another target is another state",
    ),
    Column(
        "kind",
        Text,
        primary_key=True,
        comment="target: to be reached; full_marks: from which decision 766 gives all points, which nobody has to reach",
    ),
    Column("valid_from", Date, primary_key=True, comment="First day of a period to which the target applies, inclusive"),
    Column(
        "province_code",
        Text,
        primary_key=True,
        server_default="",
        comment="Province that set it for its units; empty where the whole country's",
    ),
    Column("valid_to", Date, nullable=False, comment="Last day, inclusive"),
    Column("target", Numeric, nullable=False, comment="Value to be reached, in the indicator's unit"),
    Column("population", Text, nullable=False, comment="Of whom or what it is a share, as households: that of the indicator"),
    Column("legal_source", Text, nullable=False, comment="Document that lays it down, with its number"),
    Column("document_date", Date, comment="Day of the document; empty where it is not known"),
    Column("place", Text, comment="Where it stands in the document: article, criterion, page; empty where that is not known"),
    ForeignKeyConstraint(
        ["indicator_key", "known_from"],
        ["warehouse.dim_indicator.indicator_key", "warehouse.dim_indicator.known_from"],
        name="fk_dim_target_indicator_key",
        ondelete="CASCADE",
    ),
    schema=WAREHOUSE,
    comment="One row per state of an indicator's version, kind and period in which a target holds.",
)
