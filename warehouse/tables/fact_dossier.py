"""One row per dossier and state known of it."""

from sqlalchemy import BigInteger, Boolean, Column, DateTime, Index, Integer, SmallInteger, Table, Text, Uuid, text

from warehouse.tables.base import WAREHOUSE, big, history, history_indexes, metadata, provenance, pseudonymised

fact_dossier = Table(
    "fact_dossier",
    metadata,
    Column("dossier_code", Text, nullable=False, comment="MaHoSo, the natural key"),
    Column("procedure_key", Integer, nullable=False, comment="Procedure (dim_procedure) at the day received"),
    Column("agency_key", Integer, nullable=False, comment="Handling agency (dim_agency) at the time of the state"),
    Column(
        "unit_key",
        Integer,
        nullable=False,
        comment="Administrative unit (dim_unit) of the handling agency at the time of the state: when it ended, else when it was exported",
    ),
    Column(
        "receiving_agency_key", Integer, comment="Agency (dim_agency) that received it, where the export tells it from the handling one"
    ),
    Column(
        "received_unit_key",
        Integer,
        nullable=False,
        comment="Administrative unit (dim_unit) that received it, on that day; 0 where none is known",
    ),
    Column("channel_key", SmallInteger, nullable=False, comment="How it was handed in (dim_channel)"),
    Column("dossier_status_key", SmallInteger, nullable=False, comment="Status (dim_dossier_status)"),
    Column("service_level", SmallInteger, comment="MucDo of the online service: 4 toàn trình, 3 một phần, 2 thông tin"),
    Column("applicant_type", SmallInteger, comment="LoaiDoiTuong: 1 citizen, 2 business, 3 state agency, 4 other"),
    Column("applicant_hash", Uuid, comment="Applicant's identity paper: first 128 bits of a keyed HMAC-SHA-256"),
    Column("submitted_at", DateTime(), comment="NgayNopHoSo, local time"),
    Column("received_at", DateTime(), comment="NgayTiepNhan, local time"),
    Column("due_at", DateTime(), comment="NgayHenTra, local time"),
    Column("finished_at", DateTime(), comment="NgayKetThucXuLy, local time"),
    Column("returned_at", DateTime(), comment="NgayTra, local time"),
    Column("refused_at", DateTime(), comment="NgayTuChoi, local time"),
    Column("supplement_count", SmallInteger, comment="SoLanBoSung: how often supplements were asked for"),
    Column("supplement_requested_at", DateTime(), comment="NgayYeuCauBoSung: when last, local time"),
    Column("is_digitised", Boolean, comment="HoSoCoThanhPhanSoHoa: has a digitised component"),
    Column("reuse_code", SmallInteger, comment="DuocTaiSuDung: 0 none, 1 from another component, 2 from another result"),
    Column("has_electronic_result", Boolean, comment="CoKetQuaDienTu"),
    Column("is_vneid_verified", Boolean, comment="TaiKhoanDuocXacThucVoiVNeID"),
    Column(
        "online_payment_code",
        SmallInteger,
        comment="DuocThanhToanTrucTuyen: 1 national portal, 2 ministry or province gateway, 3 other; empty = not paid online",
    ),
    Column("fee_vnd", BigInteger, comment="TongPhiLePhi in VND; 0 or empty = no financial obligation"),
    Column("updated_at", DateTime(), comment="NgayCapNhat, local time"),
    Column("deleted_at", DateTime(), comment="DeletedOn: soft-deleted at the source, local time; such a state counts nowhere"),
    pseudonymised(),
    *history(),
    *provenance(),
    *history_indexes("fact_dossier"),
    *big("fact_dossier"),
    Index("ix_fact_dossier_row_key", "row_key", "known_from"),
    Index("ix_fact_dossier_received_at", "received_at"),
    Index("ix_fact_dossier_finished_at", "finished_at", postgresql_where=text("known_to = 'infinity'")),
    schema=WAREHOUSE,
    comment="One row per dossier and state known of it.",
)
