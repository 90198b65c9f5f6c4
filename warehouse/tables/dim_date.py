"""One row per calendar day."""

from sqlalchemy import Boolean, Column, Date, SmallInteger, Table, Text

from warehouse.tables.base import WAREHOUSE, metadata

dim_date = Table(
    "dim_date",
    metadata,
    Column("date_key", Date, primary_key=True, comment="The day itself: four bytes, as narrow as a surrogate and readable"),
    Column("month", Text, nullable=False, comment="Month, as 2024-03"),
    Column("quarter", Text, nullable=False, comment="Quarter, as 2024-Q1"),
    Column("year", Text, nullable=False, comment="Year, as 2024"),
    Column("month_start", Date, nullable=False, comment="First day of the month"),
    Column("day_of_week", SmallInteger, nullable=False, comment="ISO day of the week, 1 Monday to 7 Sunday"),
    Column("is_working_day", Boolean, nullable=False, comment="Monday to Friday, or as dim_holiday says"),
    schema=WAREHOUSE,
    comment="One row per calendar day.",
)
