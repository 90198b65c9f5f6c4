"""One row per department, period and figure the national portal answered, as captured."""

from sqlalchemy import BigInteger, Column, ForeignKey, Integer, Numeric, Table, Text

from warehouse.tables.base import WAREHOUSE, history, history_indexes, metadata, provenance

fact_portal_766 = Table(
    "fact_portal_766",
    metadata,
    Column(
        "department_key",
        Integer,
        ForeignKey("warehouse.dim_department.department_key"),
        nullable=False,
        comment="Department (dim_department)",
    ),
    Column("period", Text, nullable=False, comment="2026, 2026-Q3 or 2026-08: what was asked for"),
    Column("group_code", Text, nullable=False, comment="Group: CKMB, TDGQ, CLGQ, TTTT, MDHL, MDSH"),
    Column("component_code", Text, nullable=False, comment="Component, as REUSED_DIGITIZED_DATA; empty text for the group's total"),
    Column("numerator", BigInteger, comment="Numerator as answered; empty where the portal says null or gives none"),
    Column("denominator", BigInteger, comment="Denominator as answered; empty where the portal says null or gives none"),
    Column("ratio", Numeric, comment="Percentage as printed"),
    Column("score", Numeric, comment="Score as printed; empty where the portal says null or prints none"),
    Column("max_score", Numeric, comment="Maximum as printed"),
    Column("quality_status", Text, comment="dataQualityStatus, as TEMP_NATIONAL_REPORT_DENOMINATOR"),
    *history(),
    *provenance(),
    *history_indexes("fact_portal_766"),
    schema=WAREHOUSE,
    comment="One row per department, period and figure the national portal answered, as captured.",
)
