"""One row per unit, section, sector and day: what happened to dossiers, ready to be added up into form II.06a."""

from sqlalchemy import Column, Date, Integer, Table, Text

from warehouse.tables.base import WAREHOUSE, metadata

agg_form_06a = Table(
    "agg_form_06a",
    metadata,
    Column("unit_key", Integer, primary_key=True, comment="Reporting unit: the handling unit or one above it"),
    Column("section", Text, primary_key=True, comment="Level of the handling unit: province, district, commune or unknown"),
    Column("sector_code", Text, primary_key=True, comment="Sector (lĩnh vực) of the procedure"),
    Column(
        "day", Date, primary_key=True, comment="First of the month it happened in; the day itself where it lay ahead when it became known"
    ),
    Column("online", Integer, nullable=False, comment="Received online"),
    Column("other", Integer, nullable=False, comment="Received directly or by post"),
    Column("early", Integer, nullable=False, comment="Handled early"),
    Column("on_day", Integer, nullable=False, comment="Handled on the day due, without due date, or withdrawn"),
    Column("late", Integer, nullable=False, comment="Handled late"),
    Column("overdue", Integer, nullable=False, comment="Became overdue, less those overdue that were handled"),
    schema=WAREHOUSE,
    comment="One row per unit, section, sector and day: what happened to dossiers, ready to be added up into form II.06a.",
)
