"""One row per status of a dossier (TrangThaiHoSo)."""

from sqlalchemy import Boolean, Column, Identity, SmallInteger, Table, Text

from warehouse.tables.base import WAREHOUSE, metadata

dim_dossier_status = Table(
    "dim_dossier_status",
    metadata,
    Column("dossier_status_key", SmallInteger, Identity(), primary_key=True, comment="Surrogate key; 0 is the unknown status"),
    Column("dossier_status_code", Text, nullable=False, unique=True, comment="The source's code, 0 to 10"),
    Column("dossier_status_name", Text, nullable=False, comment="Label in Vietnamese, as the source prints it"),
    Column("is_received", Boolean, nullable=False, comment="Counts as received (all but 1 Mới đăng ký and 3 Không được tiếp nhận)"),
    Column("is_in_progress", Boolean, nullable=False, comment="Being handled on the system (2, 4, 5, 6, 8)"),
    Column("is_solved", Boolean, nullable=False, comment="Handled to the end (9, 10)"),
    Column("is_withdrawn", Boolean, nullable=False, comment="Withdrawn by the citizen (7)"),
    schema=WAREHOUSE,
    comment="One row per status of a dossier (TrangThaiHoSo).",
)
