"""One row per administrative unit and period in which its name, kind, parent and extent did not change."""

from sqlalchemy import ARRAY, Column, Date, Identity, Integer, Table, Text, UniqueConstraint

from warehouse.tables.base import WAREHOUSE, metadata

dim_unit = Table(
    "dim_unit",
    metadata,
    Column("unit_key", Integer, Identity(), primary_key=True, comment="Surrogate key; 0 is the unknown unit"),
    Column(
        "unit_code",
        Text,
        nullable=False,
        comment="Code of the General Statistics Office (mã ĐVHC), text; reused after the reform of 2025-07-01 for other extents",
    ),
    Column(
        "valid_from",
        Date,
        nullable=False,
        comment="First day on which this version holds, inclusive; 0001-01-01 where the start is not known",
    ),
    Column("valid_to", Date, nullable=False, comment="Last day on which this version holds, inclusive; 9999-12-31 while it is in force"),
    Column("unit_name", Text, nullable=False, comment="Name with its kind, as Xã Ngọc Phụng"),
    Column(
        "unit_kind",
        Text,
        nullable=False,
        comment="Kind in Vietnamese: cả nước, tỉnh, huyện, thị xã, thành phố, xã, phường, thị trấn, đặc khu",
    ),
    Column("unit_level", Text, nullable=False, comment="country, province, district, commune or unknown"),
    Column("parent_code", Text, comment="Code of the unit above; empty for the highest"),
    Column("name_key", Text, nullable=False, comment="Name without kind, accents of tone placement and case, for matching names"),
    Column(
        "province_code",
        Text,
        nullable=False,
        comment="Code of the province of today that it is, belongs to or went into: what a province laid down holds for its units",
    ),
    Column("other_names", ARRAY(Text), nullable=False, comment="Other spellings of the name in use, with its kind, for matching names"),
    UniqueConstraint("unit_code", "valid_from"),
    schema=WAREHOUSE,
    comment="One row per administrative unit and period in which its name, kind, parent and extent did not change.",
)
