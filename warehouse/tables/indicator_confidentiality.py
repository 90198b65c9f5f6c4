"""One row per value published now that is not for the public: of few persons, or withheld so that another is not given away."""

from sqlalchemy import Boolean, CheckConstraint, Column, Integer, String, Table, Text

from warehouse.tables.base import WAREHOUSE, metadata

indicator_confidentiality = Table(
    "indicator_confidentiality",
    metadata,
    Column("period", Text, primary_key=True, comment="2024, 2024-Q1 or 2024-03"),
    Column("indicator_code", Text, primary_key=True, comment="Code of the indicator"),
    Column("unit_key", Integer, primary_key=True, autoincrement=False, comment="Administrative unit (dim_unit)"),
    Column(
        "is_restated",
        Boolean,
        primary_key=True,
        comment="Whether it is the value put together for a unit of today, else that of the unit itself",
    ),
    Column(
        "conf_status",
        String(1),
        nullable=False,
        comment="SDMX: A confidential because of small counts, D withheld so that another is not given away",
    ),
    CheckConstraint("conf_status IN ('A', 'D')", name="conf_status"),
    schema=WAREHOUSE,
    comment="One row per value published now that is not for the public: of few persons, or withheld so that another is not given away.",
)
