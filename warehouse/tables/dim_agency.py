"""One row per agency and period in which its name and administrative unit did not change."""

from sqlalchemy import Boolean, Column, Date, ForeignKey, Identity, Integer, Table, Text, UniqueConstraint

from warehouse.tables.base import WAREHOUSE, metadata

dim_agency = Table(
    "dim_agency",
    metadata,
    Column("agency_key", Integer, Identity(), primary_key=True, comment="Surrogate key; 0 is the unknown agency"),
    Column("agency_code", Text, nullable=False, comment="Electronic identifier (QĐ 20/2020/QĐ-TTg), as H56.38.05"),
    Column(
        "valid_from",
        Date,
        nullable=False,
        comment="First day on which this version holds, inclusive; 0001-01-01 where the start is not known",
    ),
    Column("valid_to", Date, nullable=False, comment="Last day on which this version holds, inclusive; 9999-12-31 while it is in force"),
    Column("agency_name", Text, nullable=False, comment="Name in Vietnamese"),
    Column(
        "unit_key",
        Integer,
        ForeignKey("warehouse.dim_unit.unit_key"),
        nullable=False,
        comment="Administrative unit the agency works for in that period; 0 where none is known",
    ),
    Column(
        "is_inferred", Boolean, nullable=False, comment="True where only facts mention the code and no agencies list has brought it yet"
    ),
    Column("delivery_id", Integer, comment="Delivery that brought this row"),
    UniqueConstraint("agency_code", "valid_from"),
    schema=WAREHOUSE,
    comment="One row per agency and period in which its name and administrative unit did not change.",
)
