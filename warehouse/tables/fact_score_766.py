"""One row per score of decision 766 we computed: who counted, agency, unit, period, group, component and revision."""

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, Numeric, SmallInteger, String, Table, Text, text

from warehouse.tables.base import WAREHOUSE, metadata, revised

fact_score_766 = Table(
    "fact_score_766",
    metadata,
    Column(
        "counted_by",
        Text,
        primary_key=True,
        comment="pipeline: from our own dossiers; portal: from the counts the national portal answered",
    ),
    Column(
        "agency_key",
        Integer,
        primary_key=True,
        comment="Department of the portal; 0 where a unit as a whole is scored (dim_agency)",
    ),
    Column(
        "unit_key",
        Integer,
        primary_key=True,
        comment="Administrative unit; 0 for departments of another province (dim_unit)",
    ),
    Column("period", Text, primary_key=True, comment="2024, 2024-Q1 or 2024-03"),
    Column("group_code", Text, primary_key=True, comment="Group of the decision"),
    Column("component_code", Text, primary_key=True, comment="Component; empty text for the group's total"),
    Column("revision", SmallInteger, primary_key=True, comment="1 for the first published, then 2, 3 … in the order of publication"),
    Column("numerator", BigInteger, comment="Numerator; empty for a total and where nothing was counted"),
    Column("denominator", BigInteger, comment="Denominator; empty for a total and where nothing was counted"),
    Column("ratio", Numeric, comment="Percentage of the counts, or of the maximum for a total but TDGQ's; half up at 2 decimals"),
    Column("score", Numeric, comment="Points; empty where there is no score, which is not 0"),
    Column("max_score", Numeric, comment="Points that could be earned; empty where the component does not apply"),
    Column(
        "obs_status",
        String(1),
        nullable=False,
        comment="SDMX: A normal, P provisional denominator, L not collected, M no cases or not applicable",
    ),
    Column("is_computed", Boolean, nullable=False, comment="False where the portal gives no counts and its own score is taken over"),
    *revised(),
    Index(
        "ux_fact_score_766_current",
        "counted_by",
        "agency_key",
        "unit_key",
        "period",
        "group_code",
        "component_code",
        unique=True,
        postgresql_where=text("known_to = 'infinity'"),
    ),
    schema=WAREHOUSE,
    comment="One row per score of decision 766 we computed: who counted, agency, unit, period, group, component and revision.",
)
