"""One row per unit, period, reporting calendar, section, sector and revision of form II.06a (TT 01/2020/TT-VPCP)."""

from sqlalchemy import Column, Index, Integer, SmallInteger, Table, Text, text

from warehouse.tables.base import WAREHOUSE, metadata, revised

fact_form_06a = Table(
    "fact_form_06a",
    metadata,
    Column(
        "unit_key",
        Integer,
        primary_key=True,
        comment="Reporting unit; 0 holds the dossiers of agencies without a unit (dim_unit)",
    ),
    Column("period", Text, primary_key=True, comment="2024, 2024-Q1 or 2024-03"),
    Column(
        "reporting_calendar",
        Text,
        primary_key=True,
        comment="Calendar of the period: lich (the calendar's), nghi_dinh_09 (decree 09/2019/NĐ-CP, from the 15th)",
    ),
    Column("section", Text, primary_key=True, comment="Level of the handling unit: province, district, commune or unknown"),
    Column("sector_code", Text, primary_key=True, comment="Sector (lĩnh vực) of the procedure; the unknown procedure has its own"),
    Column("revision", SmallInteger, primary_key=True, comment="1 for the first published, then 2, 3 … in the order of publication"),
    Column("sector_name", Text, nullable=False, comment="Name of the sector"),
    Column("c3", Integer, nullable=False, comment="(3) Received for handling: total"),
    Column("c4", Integer, nullable=False, comment="(4) Of these received online in the period"),
    Column("c5", Integer, nullable=False, comment="(5) Of these received directly or by post in the period"),
    Column("c6", Integer, nullable=False, comment="(6) Of these carried over from the period before"),
    Column("c7", Integer, nullable=False, comment="(7) Handled: total"),
    Column("c8", Integer, nullable=False, comment="(8) Handled early"),
    Column("c9", Integer, nullable=False, comment="(9) Handled on the day due, without due date, or withdrawn"),
    Column("c10", Integer, nullable=False, comment="(10) Handled late"),
    Column("c11", Integer, nullable=False, comment="(11) Being handled: total"),
    Column("c12", Integer, nullable=False, comment="(12) Being handled in time"),
    Column("c13", Integer, nullable=False, comment="(13) Being handled and overdue"),
    *revised(),
    Index(
        "ux_fact_form_06a_current",
        "unit_key",
        "period",
        "reporting_calendar",
        "section",
        "sector_code",
        unique=True,
        postgresql_where=text("known_to = 'infinity'"),
    ),
    schema=WAREHOUSE,
    comment="One row per unit, period, reporting calendar, section, sector and revision of form II.06a (TT 01/2020/TT-VPCP).",
)
