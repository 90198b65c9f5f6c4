"""One row per administrative procedure (TTHC) and period of validity."""

from sqlalchemy import Boolean, Column, Date, Identity, Integer, SmallInteger, Table, Text, UniqueConstraint

from warehouse.tables.base import WAREHOUSE, metadata

dim_procedure = Table(
    "dim_procedure",
    metadata,
    Column("procedure_key", Integer, Identity(), primary_key=True, comment="Surrogate key; 0 is the unknown procedure"),
    Column("procedure_code", Text, nullable=False, comment="National code MaTTHC, as 2.000815; without the provincial suffix"),
    Column(
        "valid_from",
        Date,
        nullable=False,
        comment="First day on which this version holds, inclusive; 0001-01-01 where the start is not known",
    ),
    Column("valid_to", Date, nullable=False, comment="Last day on which this version holds, inclusive; 9999-12-31 while it is in force"),
    Column("procedure_name", Text, nullable=False, comment="Name in Vietnamese"),
    Column("sector_code", Text, nullable=False, comment="MaLinhVuc"),
    Column("sector_name", Text, nullable=False, comment="Name of the sector (lĩnh vực)"),
    Column("service_level", SmallInteger, comment="MucDo: 4 toàn trình, 3 một phần, 2 cung cấp thông tin"),
    Column("has_fee", Boolean, comment="Whether the procedure carries a fee (CoPhiLePhi)"),
    Column("authority_level", Text, comment="CapThucHien: tinh, huyen or xa"),
    Column("statutory_working_days", SmallInteger, comment="ThoiHanGiaiQuyet: longest handling time laid down, in working days"),
    Column(
        "is_inferred",
        Boolean,
        nullable=False,
        comment="True where only dossiers mention the code and no procedures list has brought it yet",
    ),
    Column("delivery_id", Integer, comment="Delivery that brought this row"),
    UniqueConstraint("procedure_code", "valid_from"),
    schema=WAREHOUSE,
    comment="One row per administrative procedure (TTHC) and period of validity.",
)
