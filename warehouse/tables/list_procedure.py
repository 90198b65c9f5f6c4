"""One row per line of a list of procedures and state known of it: dim_procedure is made of those in force."""

from sqlalchemy import Boolean, Column, Date, SmallInteger, Table, Text

from warehouse.tables.base import WAREHOUSE, history, history_indexes, metadata, provenance

list_procedure = Table(
    "list_procedure",
    metadata,
    Column("procedure_code", Text, nullable=False, comment="National code of the procedure, with valid_from the natural key"),
    Column("valid_from", Date, nullable=False, comment="First day on which this line holds, inclusive"),
    Column("valid_to", Date, comment="Last day on which it holds, inclusive; empty while in force"),
    Column("procedure_name", Text, nullable=False, comment="Name"),
    Column("sector_code", Text, comment="Code of the sector (lĩnh vực)"),
    Column("sector_name", Text, comment="Name of the sector"),
    Column("service_level", SmallInteger, comment="MucDo: 4 toàn trình, 3 một phần, 2 thông tin"),
    Column("has_fee", Boolean, comment="CoPhiLePhi"),
    Column("authority_level", Text, comment="CapThucHien: tinh, huyen or xa"),
    Column("statutory_working_days", SmallInteger, comment="ThoiHanGiaiQuyet: longest handling time laid down, in working days"),
    *history(),
    *provenance(),
    *history_indexes("list_procedure"),
    schema=WAREHOUSE,
    comment="One row per line of a list of procedures and state known of it: dim_procedure is made of those in force.",
)
