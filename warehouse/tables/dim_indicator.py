"""One row per version of an indicator and state known of it, as declared in warehouse/indicators/."""

from sqlalchemy import Column, Date, DateTime, Identity, Index, SmallInteger, Table, Text, text

from warehouse.tables.base import WAREHOUSE, metadata

dim_indicator = Table(
    "dim_indicator",
    metadata,
    Column("indicator_key", SmallInteger, Identity(), primary_key=True, comment="Number of the version, the same in all its states"),
    Column(
        "known_from",
        DateTime(timezone=True),
        primary_key=True,
        comment="State of knowledge from which it was declared so, inclusive; -infinity for the first state",
    ),
    Column(
        "known_to",
        DateTime(timezone=True),
        nullable=False,
        server_default=text("'infinity'"),
        comment="Until which it was, exclusive; infinity while it is, and never again where the indicator was taken out",
    ),
    Column("indicator_code", Text, nullable=False, comment="Code, as CQ4"),
    Column("version", SmallInteger, nullable=False, comment="1 for the first version under the code, then 2, 3 … in the order of validity"),
    Column("indicator_name", Text, nullable=False, comment="Official name in Vietnamese"),
    Column("official_table", Text, nullable=False, comment="Official table it is printed in"),
    Column("pillar", Text, nullable=False, comment="chinh_quyen_so, kinh_te_so or xa_hoi_so"),
    Column("definition", Text, nullable=False, comment="What is counted over what, in Vietnamese"),
    Column("legal_source", Text, nullable=False, comment="Decision, circular or plan it comes from"),
    Column("unit_measure", Text, nullable=False, comment="PERCENT or the thing counted"),
    Column("decimals", SmallInteger, nullable=False, comment="Decimals it is printed with"),
    Column("sort_order", SmallInteger, nullable=False, comment="Place in the official table"),
    Column("valid_from", Date, nullable=False, comment="First day of a period to which the version applies, inclusive"),
    Column("valid_to", Date, nullable=False, comment="Last day, inclusive; 9999-12-31 while it holds"),
    Column(
        "counted_as", Text, nullable=False, comment="How it is counted, as declared: fact, numerator, denominator and what goes with them"
    ),
    Column(
        "numerator_counts", Text, comment="What the numerator counts, the same text for the same thing; a measure where offices count it"
    ),
    Column("denominator_counts", Text, comment="What the denominator counts, told alike; empty of a count, which has none"),
    Column("may_exceed", Text, comment="Why the numerator may exceed the denominator; empty where it never may"),
    Column("fallback_note", Text, comment="What is shown where another count stands in, in Vietnamese; empty where none does"),
    Column(
        "counted_since",
        DateTime(timezone=True),
        nullable=False,
        comment="Time at which counted_as last changed; every period is computed again after it",
    ),
    Index("ux_dim_indicator_current", "indicator_code", "version", unique=True, postgresql_where=text("known_to = 'infinity'")),
    schema=WAREHOUSE,
    comment="One row per version of an indicator and state known of it, as declared in warehouse/indicators/.",
)
