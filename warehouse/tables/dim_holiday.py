"""One row per day that is worked, or not, otherwise than its weekday says, with the decision that ordered it."""

from sqlalchemy import Boolean, Column, Date, Table, Text

from warehouse.tables.base import WAREHOUSE, metadata

dim_holiday = Table(
    "dim_holiday",
    metadata,
    Column("date_key", Date, primary_key=True, comment="The day (dim_date)"),
    Column("is_working_day", Boolean, nullable=False, comment="False for a holiday, true for a Saturday worked in exchange for a weekday"),
    Column("holiday_name", Text, nullable=False, comment="What the day is, in Vietnamese"),
    Column("legal_source", Text, nullable=False, comment="Law, and decision or notice of the year, that orders it"),
    Column(
        "evidence",
        Text,
        nullable=False,
        comment="law: the date follows from the law's own text; notice: the year's notice was read; reported: known from what public sources say of it",
    ),
    schema=WAREHOUSE,
    comment="One row per day that is worked, or not, otherwise than its weekday says, with the decision that ordered it.",
)
