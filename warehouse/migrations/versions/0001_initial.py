"""Make the schemas, the tables, the roles."""

from alembic import op
import sqlalchemy as sa


revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# What no autogeneration knows: schemas, roles and what they may do, the function that adds a month of payments.

SCHEMAS = {
    "staging": "Rows on their way in; emptied after each load",
    "warehouse": "The star: dimensions, bridges, facts",
    "mart": "What is published: what BI tools read",
    "ops": "What became of every delivery, row and run",
}
ROLES = ("bakhong_etl", "bakhong_steward", "bakhong_reader")

GRANTS = """
GRANT USAGE ON SCHEMA staging, warehouse, mart, ops TO bakhong_etl;
GRANT CREATE ON SCHEMA staging TO bakhong_etl;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA warehouse, ops TO bakhong_etl;
ALTER DEFAULT PRIVILEGES IN SCHEMA warehouse, ops GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO bakhong_etl;
GRANT USAGE ON SCHEMA mart, ops TO bakhong_steward;
GRANT SELECT ON ALL TABLES IN SCHEMA ops TO bakhong_steward;
ALTER DEFAULT PRIVILEGES IN SCHEMA ops GRANT SELECT ON TABLES TO bakhong_steward;
GRANT UPDATE (status, decided_by, decided_at) ON ops.quarantine TO bakhong_steward;
GRANT USAGE ON SCHEMA mart TO bakhong_reader;
ALTER DEFAULT PRIVILEGES IN SCHEMA mart GRANT SELECT ON TABLES TO bakhong_etl, bakhong_steward, bakhong_reader;
"""

PAYMENT_PARTITION = """
CREATE FUNCTION warehouse.ensure_payment_partition(month date) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    first date := date_trunc('month', month)::date;
    partition text := 'fact_payment_' || to_char(first, 'YYYYMM');
BEGIN
    IF to_regclass('warehouse.' || partition) IS NULL THEN
        EXECUTE format(
            'CREATE TABLE warehouse.%I PARTITION OF warehouse.fact_payment FOR VALUES FROM (%L) TO (%L)',
            partition, first, (first + interval '1 month')::date
        );
    END IF;
END
$$;
COMMENT ON FUNCTION warehouse.ensure_payment_partition(date) IS
    'Makes the partition of fact_payment for the month of a day where it is missing; runs as the owner, so that bakhong_etl may';
REVOKE EXECUTE ON FUNCTION warehouse.ensure_payment_partition(date) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION warehouse.ensure_payment_partition(date) TO bakhong_etl;
"""


def _make_schemas_and_roles() -> None:
    for schema, comment in SCHEMAS.items():
        op.execute(f"CREATE SCHEMA {schema}")
        op.execute(f"COMMENT ON SCHEMA {schema} IS '{comment}'")
    for role in ROLES:
        # Roles belong to the whole server: another database, or a DBA, may have made them, or be about to.
        op.execute(
            f"DO $$ BEGIN IF to_regrole('{role}') IS NULL THEN CREATE ROLE {role} NOLOGIN; END IF; "
            "EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$"
        )


def _drop_schemas_and_roles() -> None:
    op.execute("DROP FUNCTION warehouse.ensure_payment_partition(date)")
    op.execute("DROP SCHEMA staging CASCADE")
    op.execute("DROP SCHEMA warehouse")
    op.execute("DROP SCHEMA ops")
    for role in ROLES:
        op.execute(
            f"DO $$ BEGIN IF to_regrole('{role}') IS NOT NULL THEN DROP ROLE {role}; END IF; "
            "EXCEPTION WHEN dependent_objects_still_exist OR insufficient_privilege THEN NULL; END $$"
        )


def upgrade() -> None:
    _make_schemas_and_roles()
    op.create_table(
        "delivery",
        sa.Column("delivery_id", sa.Integer(), sa.Identity(always=False), nullable=False, comment="Surrogate key"),
        sa.Column("source", sa.Text(), nullable=False, comment="Source of sources.yaml"),
        sa.Column("feed", sa.Text(), nullable=False, comment="Feed, the contract it was read by"),
        sa.Column("layout", sa.Text(), nullable=False, comment="Layout it was read in"),
        sa.Column("provider", sa.Text(), nullable=False, comment="Provider code of the source"),
        sa.Column("file_name", sa.Text(), nullable=False, comment="Name as received; only a hint"),
        sa.Column("sha256", sa.Text(), nullable=False, comment="Hash of its bytes; the file in landing/{source}/ is named by it"),
        sa.Column(
            "about",
            sa.Text(),
            server_default="",
            nullable=False,
            comment="What the path says and the bytes do not, where that tells deliveries apart: province, period, time of capture; else empty",
        ),
        sa.Column(
            "business_period",
            sa.Text(),
            nullable=True,
            comment="Day, month, quarter or year it is about, as 2024-03-15, 2024-03, 2024-Q1, 2024",
        ),
        sa.Column(
            "exported_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="Time at which the source made it: orders states of the same row",
        ),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False, comment="Time at which it was pulled"),
        sa.Column("loaded_at", sa.DateTime(timezone=True), nullable=True, comment="Time at which its load was committed"),
        sa.Column("status", sa.Text(), nullable=False, comment="landed, loaded, rejected or superseded"),
        sa.Column("rows_received", sa.Integer(), nullable=True, comment="Rows in the file"),
        sa.Column("rows_loaded", sa.Integer(), nullable=True, comment="Rows that made a new state in the warehouse"),
        sa.Column("rows_unchanged", sa.Integer(), nullable=True, comment="Rows that said what was known already"),
        sa.Column("rows_quarantined", sa.Integer(), nullable=True, comment="Rows set aside with a reason"),
        sa.Column("rows_ignored", sa.Integer(), nullable=True, comment="Rows left out by a declared rule, such as totals"),
        sa.Column("supersedes", sa.Integer(), nullable=True, comment="Older delivery that this one corrects"),
        sa.Column("verdict", sa.Text(), nullable=True, comment="accept, accept_with_flags or reject"),
        sa.Column("message_vi", sa.Text(), nullable=True, comment="Why it was rejected, in Vietnamese"),
        sa.CheckConstraint(
            "status = 'landed' OR rows_received = rows_loaded + rows_unchanged + rows_quarantined + rows_ignored",
            name=op.f("ck_delivery_conservation"),
        ),
        sa.CheckConstraint("status IN ('landed', 'loaded', 'rejected', 'superseded')", name=op.f("ck_delivery_status")),
        sa.ForeignKeyConstraint(["supersedes"], ["ops.delivery.delivery_id"], name=op.f("fk_delivery_supersedes")),
        sa.PrimaryKeyConstraint("delivery_id", name=op.f("pk_delivery")),
        sa.UniqueConstraint("source", "sha256", "about", name=op.f("uq_delivery_source")),
        schema="ops",
        comment="One row per file received: what became of it.",
    )
    op.create_table(
        "installation",
        sa.Column(
            "item",
            sa.Text(),
            nullable=False,
            comment="views: hash of the mart views as applied; secret_key: fingerprint of the key people were pseudonymised with",
        ),
        sa.Column("value", sa.Text(), nullable=False, comment="Its value"),
        sa.Column(
            "changed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False, comment="When it was last set"
        ),
        sa.PrimaryKeyConstraint("item", name=op.f("pk_installation")),
        schema="ops",
        comment="One row per fact this installation keeps about itself.",
    )
    op.create_table(
        "run",
        sa.Column("run_id", sa.Integer(), sa.Identity(always=False), nullable=False, comment="Surrogate key"),
        sa.Column("flow", sa.Text(), nullable=False, comment="nightly or backfill"),
        sa.Column("as_of", sa.DateTime(timezone=True), nullable=False, comment="Deliveries up to this time were taken"),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False, comment="Start"),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True, comment="End; empty while it runs or where it was killed"),
        sa.Column("status", sa.Text(), nullable=False, comment="running, completed, failed or killed"),
        sa.Column("host", sa.Text(), nullable=False, comment="Machine"),
        sa.Column("process_id", sa.Integer(), nullable=False, comment="Process"),
        sa.Column("deliveries", sa.Integer(), nullable=True, comment="Deliveries ingested"),
        sa.Column("message", sa.Text(), nullable=True, comment="Why it failed"),
        sa.PrimaryKeyConstraint("run_id", name=op.f("pk_run")),
        schema="ops",
        comment="One row per run of the nightly flow.",
    )
    op.create_table(
        "dim_channel",
        sa.Column(
            "channel_key",
            sa.SmallInteger(),
            sa.Identity(always=False),
            nullable=False,
            comment="The source's own code: 1, 2, 3; 0 is not stated or unknown",
        ),
        sa.Column("channel_code", sa.Text(), nullable=False, comment="Code as text"),
        sa.Column("channel_name", sa.Text(), nullable=False, comment="Name in Vietnamese"),
        sa.PrimaryKeyConstraint("channel_key", name=op.f("pk_dim_channel")),
        sa.UniqueConstraint("channel_code", name=op.f("uq_dim_channel_channel_code")),
        schema="warehouse",
        comment="One row per way in which a dossier was handed in (KenhThucHien).",
    )
    op.create_table(
        "dim_date",
        sa.Column("date_key", sa.Date(), nullable=False, comment="The day itself: four bytes, as narrow as a surrogate and readable"),
        sa.Column("month", sa.Text(), nullable=False, comment="Month, as 2024-03"),
        sa.Column("quarter", sa.Text(), nullable=False, comment="Quarter, as 2024-Q1"),
        sa.Column("year", sa.Text(), nullable=False, comment="Year, as 2024"),
        sa.Column("month_start", sa.Date(), nullable=False, comment="First day of the month"),
        sa.Column("day_of_week", sa.SmallInteger(), nullable=False, comment="ISO day of the week, 1 Monday to 7 Sunday"),
        sa.Column("is_working_day", sa.Boolean(), nullable=False, comment="Monday to Friday; public holidays are not taken out"),
        sa.PrimaryKeyConstraint("date_key", name=op.f("pk_dim_date")),
        schema="warehouse",
        comment="One row per calendar day.",
    )
    op.create_table(
        "dim_dossier_status",
        sa.Column(
            "dossier_status_key",
            sa.SmallInteger(),
            sa.Identity(always=False),
            nullable=False,
            comment="Surrogate key; 0 is the unknown status",
        ),
        sa.Column("dossier_status_code", sa.Text(), nullable=False, comment="The source's code, 0 to 10"),
        sa.Column("dossier_status_name", sa.Text(), nullable=False, comment="Label in Vietnamese, as the source prints it"),
        sa.Column(
            "is_received", sa.Boolean(), nullable=False, comment="Counts as received (all but 1 Mới đăng ký and 3 Không được tiếp nhận)"
        ),
        sa.Column("is_in_progress", sa.Boolean(), nullable=False, comment="Being handled on the system (2, 4, 5, 6, 8)"),
        sa.Column("is_solved", sa.Boolean(), nullable=False, comment="Handled to the end (9, 10)"),
        sa.Column("is_withdrawn", sa.Boolean(), nullable=False, comment="Withdrawn by the citizen (7)"),
        sa.PrimaryKeyConstraint("dossier_status_key", name=op.f("pk_dim_dossier_status")),
        sa.UniqueConstraint("dossier_status_code", name=op.f("uq_dim_dossier_status_dossier_status_code")),
        schema="warehouse",
        comment="One row per status of a dossier (TrangThaiHoSo).",
    )
    op.create_table(
        "dim_indicator",
        sa.Column("indicator_key", sa.SmallInteger(), sa.Identity(always=False), nullable=False, comment="Surrogate key"),
        sa.Column("indicator_code", sa.Text(), nullable=False, comment="Code, as CQ4"),
        sa.Column("indicator_name", sa.Text(), nullable=False, comment="Official name in Vietnamese"),
        sa.Column("official_table", sa.Text(), nullable=False, comment="Official table it is printed in"),
        sa.Column("pillar", sa.Text(), nullable=False, comment="chinh_quyen_so, kinh_te_so or xa_hoi_so"),
        sa.Column("definition", sa.Text(), nullable=False, comment="What is counted over what, in Vietnamese"),
        sa.Column("legal_source", sa.Text(), nullable=False, comment="Decision, circular or plan it comes from"),
        sa.Column("unit_measure", sa.Text(), nullable=False, comment="PERCENT or the thing counted"),
        sa.Column("decimals", sa.SmallInteger(), nullable=False, comment="Decimals it is printed with"),
        sa.Column("sort_order", sa.SmallInteger(), nullable=False, comment="Place in the official table"),
        sa.Column("valid_from", sa.Date(), nullable=False, comment="First day of a period to which the definition applies, inclusive"),
        sa.Column("valid_to", sa.Date(), nullable=False, comment="Last day, inclusive; 9999-12-31 while it holds"),
        sa.Column(
            "counted_as",
            sa.Text(),
            nullable=False,
            comment="How it is counted, as declared: fact, numerator, denominator and what goes with them",
        ),
        sa.Column(
            "counted_since",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="Time at which counted_as last changed; every period is computed again after it",
        ),
        sa.PrimaryKeyConstraint("indicator_key", name=op.f("pk_dim_indicator")),
        sa.UniqueConstraint("indicator_code", name=op.f("uq_dim_indicator_indicator_code")),
        schema="warehouse",
        comment="One row per indicator, as declared in warehouse/indicators/.",
    )
    op.create_table(
        "dim_payment_method",
        sa.Column(
            "payment_method_key",
            sa.SmallInteger(),
            sa.Identity(always=False),
            nullable=False,
            comment="Surrogate key; 0 is the unknown method",
        ),
        sa.Column("payment_method_code", sa.Text(), nullable=False, comment="TIEN_MAT, QR, VI, CHUYEN_KHOAN, TU_DONG, THE …"),
        sa.Column("payment_method_name", sa.Text(), nullable=False, comment="Name in Vietnamese"),
        sa.Column("is_cashless", sa.Boolean(), nullable=False, comment="Whether it counts as cashless payment (NĐ 52/2024/NĐ-CP)"),
        sa.PrimaryKeyConstraint("payment_method_key", name=op.f("pk_dim_payment_method")),
        sa.UniqueConstraint("payment_method_code", name=op.f("uq_dim_payment_method_payment_method_code")),
        schema="warehouse",
        comment="One row per way of paying.",
    )
    op.create_table(
        "dim_payment_status",
        sa.Column(
            "payment_status_key",
            sa.SmallInteger(),
            sa.Identity(always=False),
            nullable=False,
            comment="Surrogate key; 0 is the unknown status",
        ),
        sa.Column("payment_status_code", sa.Text(), nullable=False, comment="settled, pending, cancelled, refunded, suspect, failed"),
        sa.Column("payment_status_name", sa.Text(), nullable=False, comment="Name in Vietnamese"),
        sa.Column("is_settled", sa.Boolean(), nullable=False, comment="Whether the payment counts as paid"),
        sa.PrimaryKeyConstraint("payment_status_key", name=op.f("pk_dim_payment_status")),
        sa.UniqueConstraint("payment_status_code", name=op.f("uq_dim_payment_status_payment_status_code")),
        schema="warehouse",
        comment="One row per state of a payment; only settled counts as paid.",
    )
    op.create_table(
        "dim_procedure",
        sa.Column(
            "procedure_key", sa.Integer(), sa.Identity(always=False), nullable=False, comment="Surrogate key; 0 is the unknown procedure"
        ),
        sa.Column("procedure_code", sa.Text(), nullable=False, comment="National code MaTTHC, as 2.000815; without the provincial suffix"),
        sa.Column(
            "valid_from",
            sa.Date(),
            nullable=False,
            comment="First day on which this version holds, inclusive; 0001-01-01 where the start is not known",
        ),
        sa.Column(
            "valid_to",
            sa.Date(),
            nullable=False,
            comment="Last day on which this version holds, inclusive; 9999-12-31 while it is in force",
        ),
        sa.Column("procedure_name", sa.Text(), nullable=False, comment="Name in Vietnamese"),
        sa.Column("sector_code", sa.Text(), nullable=False, comment="MaLinhVuc"),
        sa.Column("sector_name", sa.Text(), nullable=False, comment="Name of the sector (lĩnh vực)"),
        sa.Column("service_level", sa.SmallInteger(), nullable=True, comment="MucDo: 4 toàn trình, 3 một phần, 2 cung cấp thông tin"),
        sa.Column("has_fee", sa.Boolean(), nullable=True, comment="Whether the procedure carries a fee (CoPhiLePhi)"),
        sa.Column("authority_level", sa.Text(), nullable=True, comment="CapThucHien: tinh, huyen or xa"),
        sa.Column(
            "is_inferred",
            sa.Boolean(),
            nullable=False,
            comment="True where only dossiers mention the code and no procedures list has brought it yet",
        ),
        sa.Column("delivery_id", sa.Integer(), nullable=True, comment="Delivery that brought this row"),
        sa.PrimaryKeyConstraint("procedure_key", name=op.f("pk_dim_procedure")),
        sa.UniqueConstraint("procedure_code", "valid_from", name=op.f("uq_dim_procedure_procedure_code")),
        schema="warehouse",
        comment="One row per administrative procedure (TTHC) and period of validity.",
    )
    op.create_table(
        "dim_provider",
        sa.Column(
            "provider_key", sa.SmallInteger(), sa.Identity(always=False), nullable=False, comment="Surrogate key; 0 is the unknown provider"
        ),
        sa.Column("provider_code", sa.Text(), nullable=False, comment="Code used in sources.yaml, as evn"),
        sa.Column("provider_name", sa.Text(), nullable=False, comment="Name in Vietnamese"),
        sa.PrimaryKeyConstraint("provider_key", name=op.f("pk_dim_provider")),
        sa.UniqueConstraint("provider_code", name=op.f("uq_dim_provider_provider_code")),
        schema="warehouse",
        comment="One row per supplier of data: utilities, payment providers, telecoms, offices.",
    )
    op.create_table(
        "dim_service",
        sa.Column(
            "service_key", sa.SmallInteger(), sa.Identity(always=False), nullable=False, comment="Surrogate key; 0 is the unknown service"
        ),
        sa.Column(
            "service_code", sa.Text(), nullable=False, comment="DIEN, NUOC, VSMT, DVC (public service fee), MUA_SAM (shops and markets)"
        ),
        sa.Column("service_name", sa.Text(), nullable=False, comment="Name in Vietnamese"),
        sa.PrimaryKeyConstraint("service_key", name=op.f("pk_dim_service")),
        sa.UniqueConstraint("service_code", name=op.f("uq_dim_service_service_code")),
        schema="warehouse",
        comment="One row per essential service that is billed or paid.",
    )
    op.create_table(
        "dim_unit",
        sa.Column("unit_key", sa.Integer(), sa.Identity(always=False), nullable=False, comment="Surrogate key; 0 is the unknown unit"),
        sa.Column(
            "unit_code",
            sa.Text(),
            nullable=False,
            comment="Code of the General Statistics Office (mã ĐVHC), text; reused after the reform of 2025-07-01 for other extents",
        ),
        sa.Column(
            "valid_from",
            sa.Date(),
            nullable=False,
            comment="First day on which this version holds, inclusive; 0001-01-01 where the start is not known",
        ),
        sa.Column(
            "valid_to",
            sa.Date(),
            nullable=False,
            comment="Last day on which this version holds, inclusive; 9999-12-31 while it is in force",
        ),
        sa.Column("unit_name", sa.Text(), nullable=False, comment="Name with its kind, as Xã Ngọc Phụng"),
        sa.Column(
            "unit_kind", sa.Text(), nullable=False, comment="Kind in Vietnamese: tỉnh, huyện, thị xã, thành phố, xã, phường, thị trấn"
        ),
        sa.Column("unit_level", sa.Text(), nullable=False, comment="province, district, commune or unknown"),
        sa.Column("parent_code", sa.Text(), nullable=True, comment="Code of the unit above; empty for the province"),
        sa.Column(
            "name_key", sa.Text(), nullable=False, comment="Name without kind, accents of tone placement and case, for matching names"
        ),
        sa.PrimaryKeyConstraint("unit_key", name=op.f("pk_dim_unit")),
        sa.UniqueConstraint("unit_code", "valid_from", name=op.f("uq_dim_unit_unit_code")),
        schema="warehouse",
        comment="One row per administrative unit and period in which its name, kind, parent and extent did not change.",
    )
    op.create_table(
        "fact_bill",
        sa.Column("bill_code", sa.Text(), nullable=False, comment="The provider's bill number, with the provider the natural key"),
        sa.Column("provider_key", sa.SmallInteger(), nullable=False, comment="Utility (dim_provider)"),
        sa.Column("service_key", sa.SmallInteger(), nullable=False, comment="Service billed (dim_service)"),
        sa.Column("unit_key", sa.Integer(), nullable=False, comment="Administrative unit (dim_unit) of the customer on the day of issue"),
        sa.Column("customer_hash", sa.Uuid(), nullable=True, comment="Customer: first 128 bits of a keyed HMAC-SHA-256"),
        sa.Column("billing_month", sa.Date(), nullable=False, comment="First day of the month billed (dim_date)"),
        sa.Column("issued_on", sa.Date(), nullable=True, comment="Day of issue (dim_date)"),
        sa.Column("amount_vnd", sa.BigInteger(), nullable=False, comment="Amount with tax, VND"),
        sa.Column("row_key", sa.BigInteger(), nullable=False, comment="64-bit hash of the natural key: recognises the row again"),
        sa.Column(
            "row_hash", sa.BigInteger(), nullable=False, comment="64-bit hash of the content: tells a changed row from an unchanged one"
        ),
        sa.Column(
            "known_from",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="Time from which this state was known (export time of its delivery), inclusive",
        ),
        sa.Column(
            "known_to",
            sa.DateTime(timezone=True),
            server_default=sa.text("'infinity'"),
            nullable=False,
            comment="Time until which this state held, exclusive; infinity while it is the current one",
        ),
        sa.Column("delivery_id", sa.Integer(), nullable=False, comment="Delivery that brought this row (ops.delivery)"),
        sa.Column(
            "row_number", sa.Integer(), nullable=False, comment="Number of the row in the delivered file, the header not counted, from 1"
        ),
        schema="warehouse",
        comment="One row per bill and state known of it.",
    )
    op.create_index("ix_fact_bill_billing_month", "fact_bill", ["billing_month"], unique=False, schema="warehouse", postgresql_using="brin")
    op.create_index("ix_fact_bill_delivery_id", "fact_bill", ["delivery_id"], unique=False, schema="warehouse", postgresql_using="brin")
    op.create_index(
        "ix_fact_bill_known_to",
        "fact_bill",
        ["known_to"],
        unique=False,
        schema="warehouse",
        postgresql_where=sa.text("known_to <> 'infinity'"),
    )
    op.create_index(
        "ux_fact_bill_current", "fact_bill", ["row_key"], unique=True, schema="warehouse", postgresql_where=sa.text("known_to = 'infinity'")
    )
    op.create_table(
        "fact_dossier",
        sa.Column("dossier_code", sa.Text(), nullable=False, comment="MaHoSo, the natural key"),
        sa.Column("procedure_key", sa.Integer(), nullable=False, comment="Procedure (dim_procedure) at the day received"),
        sa.Column("agency_key", sa.Integer(), nullable=False, comment="Handling agency (dim_agency) at the day received"),
        sa.Column(
            "unit_key", sa.Integer(), nullable=False, comment="Administrative unit (dim_unit) of the handling agency at the day received"
        ),
        sa.Column("channel_key", sa.SmallInteger(), nullable=False, comment="How it was handed in (dim_channel)"),
        sa.Column("dossier_status_key", sa.SmallInteger(), nullable=False, comment="Status (dim_dossier_status)"),
        sa.Column(
            "service_level", sa.SmallInteger(), nullable=True, comment="MucDo of the online service: 4 toàn trình, 3 một phần, 2 thông tin"
        ),
        sa.Column(
            "applicant_type", sa.SmallInteger(), nullable=True, comment="LoaiDoiTuong: 1 citizen, 2 business, 3 state agency, 4 other"
        ),
        sa.Column("applicant_hash", sa.Uuid(), nullable=True, comment="Applicant's identity paper: first 128 bits of a keyed HMAC-SHA-256"),
        sa.Column("submitted_at", sa.DateTime(), nullable=True, comment="NgayNopHoSo, local time"),
        sa.Column("received_at", sa.DateTime(), nullable=True, comment="NgayTiepNhan, local time"),
        sa.Column("due_at", sa.DateTime(), nullable=True, comment="NgayHenTra, local time"),
        sa.Column("finished_at", sa.DateTime(), nullable=True, comment="NgayKetThucXuLy, local time"),
        sa.Column("returned_at", sa.DateTime(), nullable=True, comment="NgayTra, local time"),
        sa.Column("refused_at", sa.DateTime(), nullable=True, comment="NgayTuChoi, local time"),
        sa.Column("supplement_count", sa.SmallInteger(), nullable=True, comment="SoLanBoSung: how often supplements were asked for"),
        sa.Column("supplement_requested_at", sa.DateTime(), nullable=True, comment="NgayYeuCauBoSung: when last, local time"),
        sa.Column("is_digitised", sa.Boolean(), nullable=True, comment="HoSoCoThanhPhanSoHoa: has a digitised component"),
        sa.Column(
            "reuse_code", sa.SmallInteger(), nullable=True, comment="DuocTaiSuDung: 0 none, 1 from another component, 2 from another result"
        ),
        sa.Column("has_electronic_result", sa.Boolean(), nullable=True, comment="CoKetQuaDienTu"),
        sa.Column("is_vneid_verified", sa.Boolean(), nullable=True, comment="TaiKhoanDuocXacThucVoiVNeID"),
        sa.Column(
            "online_payment_code",
            sa.SmallInteger(),
            nullable=True,
            comment="DuocThanhToanTrucTuyen: 1 national portal, 2 ministry or province gateway, 3 other; empty = not paid online",
        ),
        sa.Column("fee_vnd", sa.BigInteger(), nullable=True, comment="TongPhiLePhi in VND; 0 or empty = no financial obligation"),
        sa.Column("updated_at", sa.DateTime(), nullable=True, comment="NgayCapNhat, local time"),
        sa.Column(
            "deleted_at",
            sa.DateTime(),
            nullable=True,
            comment="DeletedOn: soft-deleted at the source, local time; such a state counts nowhere",
        ),
        sa.Column("row_key", sa.BigInteger(), nullable=False, comment="64-bit hash of the natural key: recognises the row again"),
        sa.Column(
            "row_hash", sa.BigInteger(), nullable=False, comment="64-bit hash of the content: tells a changed row from an unchanged one"
        ),
        sa.Column(
            "known_from",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="Time from which this state was known (export time of its delivery), inclusive",
        ),
        sa.Column(
            "known_to",
            sa.DateTime(timezone=True),
            server_default=sa.text("'infinity'"),
            nullable=False,
            comment="Time until which this state held, exclusive; infinity while it is the current one",
        ),
        sa.Column("delivery_id", sa.Integer(), nullable=False, comment="Delivery that brought this row (ops.delivery)"),
        sa.Column(
            "row_number", sa.Integer(), nullable=False, comment="Number of the row in the delivered file, the header not counted, from 1"
        ),
        schema="warehouse",
        comment="One row per dossier and state known of it.",
    )
    op.create_index(
        "ix_fact_dossier_delivery_id", "fact_dossier", ["delivery_id"], unique=False, schema="warehouse", postgresql_using="brin"
    )
    op.create_index(
        "ix_fact_dossier_finished_at",
        "fact_dossier",
        ["finished_at"],
        unique=False,
        schema="warehouse",
        postgresql_where=sa.text("known_to = 'infinity'"),
    )
    op.create_index(
        "ix_fact_dossier_known_to",
        "fact_dossier",
        ["known_to"],
        unique=False,
        schema="warehouse",
        postgresql_where=sa.text("known_to <> 'infinity'"),
    )
    op.create_index("ix_fact_dossier_received_at", "fact_dossier", ["received_at"], unique=False, schema="warehouse")
    op.create_index("ix_fact_dossier_row_key", "fact_dossier", ["row_key", "known_from"], unique=True, schema="warehouse")
    op.create_index(
        "ux_fact_dossier_current",
        "fact_dossier",
        ["row_key"],
        unique=True,
        schema="warehouse",
        postgresql_where=sa.text("known_to = 'infinity'"),
    )
    op.create_table(
        "fact_payment",
        sa.Column(
            "transaction_code", sa.Text(), nullable=False, comment="The provider's transaction number, with the provider the natural key"
        ),
        sa.Column("provider_key", sa.SmallInteger(), nullable=False, comment="Payment provider (dim_provider)"),
        sa.Column("service_key", sa.SmallInteger(), nullable=False, comment="Service paid for (dim_service)"),
        sa.Column(
            "unit_key", sa.Integer(), nullable=False, comment="Administrative unit (dim_unit): the bill's, the dossier's or the merchant's"
        ),
        sa.Column("bill_key", sa.BigInteger(), nullable=True, comment="row_key of the bill paid (fact_bill); empty where it pays no bill"),
        sa.Column(
            "dossier_key",
            sa.BigInteger(),
            nullable=True,
            comment="row_key of the dossier paid for (fact_dossier); empty where it pays no dossier",
        ),
        sa.Column("merchant_key", sa.Integer(), nullable=False, comment="Merchant (dim_merchant)"),
        sa.Column("payment_method_key", sa.SmallInteger(), nullable=False, comment="Way of paying (dim_payment_method)"),
        sa.Column("payment_status_key", sa.SmallInteger(), nullable=False, comment="State (dim_payment_status)"),
        sa.Column("paid_at", sa.DateTime(), nullable=False, comment="When it was paid, local time"),
        sa.Column("business_date", sa.Date(), nullable=False, comment="Day it was paid (dim_date)"),
        sa.Column("amount_vnd", sa.BigInteger(), nullable=False, comment="Amount, VND"),
        sa.Column("row_key", sa.BigInteger(), nullable=False, comment="64-bit hash of the natural key: recognises the row again"),
        sa.Column(
            "row_hash", sa.BigInteger(), nullable=False, comment="64-bit hash of the content: tells a changed row from an unchanged one"
        ),
        sa.Column(
            "known_from",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="Time from which this state was known (export time of its delivery), inclusive",
        ),
        sa.Column(
            "known_to",
            sa.DateTime(timezone=True),
            server_default=sa.text("'infinity'"),
            nullable=False,
            comment="Time until which this state held, exclusive; infinity while it is the current one",
        ),
        sa.Column("delivery_id", sa.Integer(), nullable=False, comment="Delivery that brought this row (ops.delivery)"),
        sa.Column(
            "row_number", sa.Integer(), nullable=False, comment="Number of the row in the delivered file, the header not counted, from 1"
        ),
        schema="warehouse",
        comment="One row per payment transaction and state known of it; partitioned by month of the business date.",
        postgresql_partition_by="RANGE (business_date)",
    )
    op.create_index(
        "ix_fact_payment_delivery_id", "fact_payment", ["delivery_id"], unique=False, schema="warehouse", postgresql_using="brin"
    )
    op.create_index(
        "ix_fact_payment_known_to",
        "fact_payment",
        ["known_to"],
        unique=False,
        schema="warehouse",
        postgresql_where=sa.text("known_to <> 'infinity'"),
    )
    op.create_index(
        "ux_fact_payment_current",
        "fact_payment",
        ["row_key", "business_date"],
        unique=True,
        schema="warehouse",
        postgresql_where=sa.text("known_to = 'infinity'"),
    )
    op.create_table(
        "publication",
        sa.Column("publication_id", sa.Integer(), sa.Identity(always=False), nullable=False, comment="Surrogate key"),
        sa.Column("run_id", sa.Integer(), nullable=False, comment="Run that published"),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False, comment="Time of the commit"),
        sa.Column("as_of", sa.DateTime(timezone=True), nullable=False, comment="State of knowledge it shows"),
        sa.Column("values_added", sa.Integer(), nullable=False, comment="Values of new periods, units or indicators"),
        sa.Column("values_revised", sa.Integer(), nullable=False, comment="Values that differ from the revision before"),
        sa.Column("values_unchanged", sa.Integer(), nullable=False, comment="Values computed again and found the same"),
        sa.ForeignKeyConstraint(["run_id"], ["ops.run.run_id"], name=op.f("fk_publication_run_id")),
        sa.PrimaryKeyConstraint("publication_id", name=op.f("pk_publication")),
        schema="ops",
        comment="One row per publication of indicator values.",
    )
    op.create_table(
        "quarantine",
        sa.Column("delivery_id", sa.Integer(), nullable=False, comment="Delivery"),
        sa.Column("row_number", sa.Integer(), nullable=False, comment="Number of the row in the file, from 1"),
        sa.Column("rule_code", sa.Text(), nullable=False, comment="Rule it broke, as DOS-003"),
        sa.Column("column_name", sa.Text(), nullable=False, comment="Column as the file names it; empty where the whole row is meant"),
        sa.Column(
            "natural_key", sa.Text(), nullable=True, comment="Natural key of the row where it has the declared shape, never personal data"
        ),
        sa.Column("severity", sa.Text(), nullable=False, comment="critical or warning"),
        sa.Column("message_vi", sa.Text(), nullable=False, comment="What is wrong and what to do, in Vietnamese; never quotes the cell"),
        sa.Column("status", sa.Text(), nullable=False, comment="open, waiting (for a bill), released or dismissed"),
        sa.Column("awaited_key", sa.BigInteger(), nullable=True, comment="row_key of the bill a waiting payment waits for"),
        sa.Column("decided_by", sa.Text(), nullable=True, comment="Steward who decided"),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True, comment="When"),
        sa.ForeignKeyConstraint(["delivery_id"], ["ops.delivery.delivery_id"], name=op.f("fk_quarantine_delivery_id")),
        sa.PrimaryKeyConstraint("delivery_id", "row_number", "rule_code", "column_name", name=op.f("pk_quarantine")),
        schema="ops",
        comment="One row per row set aside and rule it broke.",
    )
    op.create_table(
        "verdict",
        sa.Column("delivery_id", sa.Integer(), nullable=False, comment="Delivery"),
        sa.Column("rule_code", sa.Text(), nullable=False, comment="Rule"),
        sa.Column("severity", sa.Text(), nullable=False, comment="critical, warning or info"),
        sa.Column("scope", sa.Text(), nullable=False, comment="row or delivery"),
        sa.Column("success", sa.Boolean(), nullable=False, comment="Whether it held"),
        sa.Column("observed", sa.Text(), nullable=True, comment="What was observed, as a number or short text"),
        sa.Column("unexpected_count", sa.Integer(), nullable=True, comment="Rows that broke it"),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=False, comment="When"),
        sa.ForeignKeyConstraint(["delivery_id"], ["ops.delivery.delivery_id"], name=op.f("fk_verdict_delivery_id")),
        sa.PrimaryKeyConstraint("delivery_id", "rule_code", name=op.f("pk_verdict")),
        schema="ops",
        comment="One row per delivery and rule checked.",
    )
    op.create_table(
        "bridge_unit_succession",
        sa.Column("old_unit_key", sa.Integer(), nullable=False, comment="Unit that ended"),
        sa.Column("new_unit_key", sa.Integer(), nullable=False, comment="Unit that began"),
        sa.Column("effective_date", sa.Date(), nullable=False, comment="First day of the new unit"),
        sa.Column("extent", sa.Text(), nullable=False, comment="whole: all of the old unit went there; part: it was divided"),
        sa.ForeignKeyConstraint(["new_unit_key"], ["warehouse.dim_unit.unit_key"], name=op.f("fk_bridge_unit_succession_new_unit_key")),
        sa.ForeignKeyConstraint(["old_unit_key"], ["warehouse.dim_unit.unit_key"], name=op.f("fk_bridge_unit_succession_old_unit_key")),
        sa.PrimaryKeyConstraint("old_unit_key", "new_unit_key", name=op.f("pk_bridge_unit_succession")),
        schema="warehouse",
        comment="One row per old unit and the new unit that took it over, whole or in part, at a date.",
    )
    op.create_table(
        "dim_agency",
        sa.Column("agency_key", sa.Integer(), sa.Identity(always=False), nullable=False, comment="Surrogate key; 0 is the unknown agency"),
        sa.Column("agency_code", sa.Text(), nullable=False, comment="Electronic identifier (QĐ 20/2020/QĐ-TTg), as H56.38.05"),
        sa.Column(
            "valid_from",
            sa.Date(),
            nullable=False,
            comment="First day on which this version holds, inclusive; 0001-01-01 where the start is not known",
        ),
        sa.Column(
            "valid_to",
            sa.Date(),
            nullable=False,
            comment="Last day on which this version holds, inclusive; 9999-12-31 while it is in force",
        ),
        sa.Column("agency_name", sa.Text(), nullable=False, comment="Name in Vietnamese"),
        sa.Column(
            "unit_key",
            sa.Integer(),
            nullable=False,
            comment="Administrative unit the agency works for in that period; 0 where none is known",
        ),
        sa.Column(
            "is_inferred",
            sa.Boolean(),
            nullable=False,
            comment="True where only facts mention the code and no agencies list has brought it yet",
        ),
        sa.Column("delivery_id", sa.Integer(), nullable=True, comment="Delivery that brought this row"),
        sa.ForeignKeyConstraint(["unit_key"], ["warehouse.dim_unit.unit_key"], name=op.f("fk_dim_agency_unit_key")),
        sa.PrimaryKeyConstraint("agency_key", name=op.f("pk_dim_agency")),
        sa.UniqueConstraint("agency_code", "valid_from", name=op.f("uq_dim_agency_agency_code")),
        schema="warehouse",
        comment="One row per agency and period in which its name and administrative unit did not change.",
    )
    op.create_table(
        "dim_merchant",
        sa.Column(
            "merchant_key", sa.Integer(), sa.Identity(always=False), nullable=False, comment="Surrogate key; 0 is the unknown merchant"
        ),
        sa.Column("provider_key", sa.SmallInteger(), nullable=False, comment="Payment provider of the terminal"),
        sa.Column("merchant_code", sa.Text(), nullable=False, comment="terminal_code at that provider"),
        sa.Column(
            "valid_from",
            sa.Date(),
            nullable=False,
            comment="First day on which this version holds, inclusive; 0001-01-01 where the start is not known",
        ),
        sa.Column(
            "valid_to",
            sa.Date(),
            nullable=False,
            comment="Last day on which this version holds, inclusive; 9999-12-31 while it is in force",
        ),
        sa.Column("merchant_name", sa.Text(), nullable=False, comment="Name"),
        sa.Column("merchant_kind", sa.Text(), nullable=False, comment="cho, cua_hang or diem_thu"),
        sa.Column("unit_key", sa.Integer(), nullable=False, comment="Administrative unit it stands in; 0 where none is known"),
        sa.Column("delivery_id", sa.Integer(), nullable=True, comment="Delivery that brought this row"),
        sa.ForeignKeyConstraint(["provider_key"], ["warehouse.dim_provider.provider_key"], name=op.f("fk_dim_merchant_provider_key")),
        sa.ForeignKeyConstraint(["unit_key"], ["warehouse.dim_unit.unit_key"], name=op.f("fk_dim_merchant_unit_key")),
        sa.PrimaryKeyConstraint("merchant_key", name=op.f("pk_dim_merchant")),
        sa.UniqueConstraint("provider_key", "merchant_code", "valid_from", name=op.f("uq_dim_merchant_provider_key")),
        schema="warehouse",
        comment="One row per shop, stall or collection point taking payments, and period of validity.",
    )
    op.create_table(
        "dim_target",
        sa.Column("indicator_key", sa.SmallInteger(), nullable=False, comment="Indicator"),
        sa.Column("valid_from", sa.Date(), nullable=False, comment="First day of a period to which the target applies, inclusive"),
        sa.Column("valid_to", sa.Date(), nullable=False, comment="Last day, inclusive"),
        sa.Column("target", sa.Numeric(), nullable=False, comment="Value to be reached, in the indicator's unit"),
        sa.Column("legal_source", sa.Text(), nullable=False, comment="Where the target is laid down"),
        sa.ForeignKeyConstraint(["indicator_key"], ["warehouse.dim_indicator.indicator_key"], name=op.f("fk_dim_target_indicator_key")),
        sa.PrimaryKeyConstraint("indicator_key", "valid_from", name=op.f("pk_dim_target")),
        schema="warehouse",
        comment="One row per indicator and period in which a target holds.",
    )
    op.create_table(
        "fact_form_06a",
        sa.Column("unit_key", sa.Integer(), nullable=False, comment="Reporting unit; 0 holds the dossiers of agencies without a unit (dim_unit)"),
        sa.Column("period", sa.Text(), nullable=False, comment="2024, 2024-Q1 or 2024-03"),
        sa.Column("section", sa.Text(), nullable=False, comment="Level of the handling unit: province, district, commune or unknown"),
        sa.Column(
            "sector_code", sa.Text(), nullable=False, comment="Sector (lĩnh vực) of the procedure; the unknown procedure has its own"
        ),
        sa.Column("revision", sa.SmallInteger(), nullable=False, comment="1 for the first, then 2, 3 …"),
        sa.Column("sector_name", sa.Text(), nullable=False, comment="Name of the sector"),
        sa.Column("c3", sa.Integer(), nullable=False, comment="(3) Received for handling: total"),
        sa.Column("c4", sa.Integer(), nullable=False, comment="(4) Of these received online in the period"),
        sa.Column("c5", sa.Integer(), nullable=False, comment="(5) Of these received directly or by post in the period"),
        sa.Column("c6", sa.Integer(), nullable=False, comment="(6) Of these carried over from the period before"),
        sa.Column("c7", sa.Integer(), nullable=False, comment="(7) Handled: total"),
        sa.Column("c8", sa.Integer(), nullable=False, comment="(8) Handled early"),
        sa.Column("c9", sa.Integer(), nullable=False, comment="(9) Handled on the day due, without due date, or withdrawn"),
        sa.Column("c10", sa.Integer(), nullable=False, comment="(10) Handled late"),
        sa.Column("c11", sa.Integer(), nullable=False, comment="(11) Being handled: total"),
        sa.Column("c12", sa.Integer(), nullable=False, comment="(12) Being handled in time"),
        sa.Column("c13", sa.Integer(), nullable=False, comment="(13) Being handled and overdue"),
        sa.Column(
            "known_from", sa.DateTime(timezone=True), nullable=False, comment="State of knowledge from which this revision holds, inclusive"
        ),
        sa.Column(
            "known_to",
            sa.DateTime(timezone=True),
            server_default=sa.text("'infinity'"),
            nullable=False,
            comment="Until which it held, exclusive; infinity while it does",
        ),
        sa.Column("run_id", sa.Integer(), nullable=False, comment="Run that computed it (ops.run)"),
        sa.PrimaryKeyConstraint("unit_key", "period", "section", "sector_code", "revision", name=op.f("pk_fact_form_06a")),
        schema="warehouse",
        comment="One row per unit, period, section, sector and revision of form II.06a (TT 01/2020/TT-VPCP).",
    )
    op.create_index(
        "ux_fact_form_06a_current",
        "fact_form_06a",
        ["unit_key", "period", "section", "sector_code"],
        unique=True,
        schema="warehouse",
        postgresql_where=sa.text("known_to = 'infinity'"),
    )
    op.create_table(
        "fact_published_figure",
        sa.Column("source_document", sa.Text(), nullable=False, comment="Document that prints the figure"),
        sa.Column("unit_key", sa.Integer(), nullable=False, comment="Administrative unit"),
        sa.Column("period", sa.Text(), nullable=False, comment="2024, 2024-Q1 or 2024-03"),
        sa.Column("indicator_code", sa.Text(), nullable=False, comment="Indicator"),
        sa.Column("numerator", sa.BigInteger(), nullable=True, comment="Numerator as printed"),
        sa.Column("denominator", sa.BigInteger(), nullable=True, comment="Denominator as printed"),
        sa.Column("printed", sa.Text(), nullable=False, comment="The figure as printed, as 92,1%"),
        sa.Column("printed_value", sa.Numeric(), nullable=True, comment="Its number"),
        sa.Column("printed_decimals", sa.SmallInteger(), nullable=True, comment="Decimals it was printed with"),
        sa.Column("row_key", sa.BigInteger(), nullable=False, comment="64-bit hash of the natural key: recognises the row again"),
        sa.Column(
            "row_hash", sa.BigInteger(), nullable=False, comment="64-bit hash of the content: tells a changed row from an unchanged one"
        ),
        sa.Column(
            "known_from",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="Time from which this state was known (export time of its delivery), inclusive",
        ),
        sa.Column(
            "known_to",
            sa.DateTime(timezone=True),
            server_default=sa.text("'infinity'"),
            nullable=False,
            comment="Time until which this state held, exclusive; infinity while it is the current one",
        ),
        sa.Column("delivery_id", sa.Integer(), nullable=False, comment="Delivery that brought this row (ops.delivery)"),
        sa.Column(
            "row_number", sa.Integer(), nullable=False, comment="Number of the row in the delivered file, the header not counted, from 1"
        ),
        sa.ForeignKeyConstraint(["unit_key"], ["warehouse.dim_unit.unit_key"], name=op.f("fk_fact_published_figure_unit_key")),
        schema="warehouse",
        comment="One row per document, unit, period and indicator: a figure as printed, only ever compared, never counted.",
    )
    op.create_index(
        "ux_fact_published_figure_current",
        "fact_published_figure",
        ["row_key"],
        unique=True,
        schema="warehouse",
        postgresql_where=sa.text("known_to = 'infinity'"),
    )
    op.create_table(
        "fact_signature",
        sa.Column("provider_key", sa.SmallInteger(), nullable=False, comment="Carrier"),
        sa.Column("unit_key", sa.Integer(), nullable=False, comment="Administrative unit"),
        sa.Column("month", sa.Text(), nullable=False, comment="Month, as 2024-03"),
        sa.Column("certificates_issued", sa.Integer(), nullable=True, comment="Certificates newly issued in the month"),
        sa.Column("certificates_in_force", sa.Integer(), nullable=True, comment="Certificates in force at the end of the month"),
        sa.Column("holders_cumulative", sa.Integer(), nullable=True, comment="Persons issued a certificate so far"),
        sa.Column("row_key", sa.BigInteger(), nullable=False, comment="64-bit hash of the natural key: recognises the row again"),
        sa.Column(
            "row_hash", sa.BigInteger(), nullable=False, comment="64-bit hash of the content: tells a changed row from an unchanged one"
        ),
        sa.Column(
            "known_from",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="Time from which this state was known (export time of its delivery), inclusive",
        ),
        sa.Column(
            "known_to",
            sa.DateTime(timezone=True),
            server_default=sa.text("'infinity'"),
            nullable=False,
            comment="Time until which this state held, exclusive; infinity while it is the current one",
        ),
        sa.Column("delivery_id", sa.Integer(), nullable=False, comment="Delivery that brought this row (ops.delivery)"),
        sa.Column(
            "row_number", sa.Integer(), nullable=False, comment="Number of the row in the delivered file, the header not counted, from 1"
        ),
        sa.ForeignKeyConstraint(["provider_key"], ["warehouse.dim_provider.provider_key"], name=op.f("fk_fact_signature_provider_key")),
        sa.ForeignKeyConstraint(["unit_key"], ["warehouse.dim_unit.unit_key"], name=op.f("fk_fact_signature_unit_key")),
        schema="warehouse",
        comment="One row per provider, unit and month: digital-signature certificates as the carrier reports them.",
    )
    op.create_index(
        "ux_fact_signature_current",
        "fact_signature",
        ["row_key"],
        unique=True,
        schema="warehouse",
        postgresql_where=sa.text("known_to = 'infinity'"),
    )
    op.create_table(
        "fact_signature_holder",
        sa.Column("provider_key", sa.SmallInteger(), nullable=False, comment="Carrier (dim_provider)"),
        sa.Column(
            "holder_hash",
            sa.Uuid(),
            nullable=False,
            comment="Holder: first 128 bits of a keyed HMAC-SHA-256; the same person has the same hash at every carrier",
        ),
        sa.Column("unit_key", sa.Integer(), nullable=False, comment="Administrative unit (dim_unit)"),
        sa.Column("issued_on", sa.Date(), nullable=False, comment="Day of issue"),
        sa.Column("certificate_status", sa.Text(), nullable=False, comment="HIEU_LUC, HET_HAN or THU_HOI"),
        sa.Column("row_key", sa.BigInteger(), nullable=False, comment="64-bit hash of the natural key: recognises the row again"),
        sa.Column(
            "row_hash", sa.BigInteger(), nullable=False, comment="64-bit hash of the content: tells a changed row from an unchanged one"
        ),
        sa.Column(
            "known_from",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="Time from which this state was known (export time of its delivery), inclusive",
        ),
        sa.Column(
            "known_to",
            sa.DateTime(timezone=True),
            server_default=sa.text("'infinity'"),
            nullable=False,
            comment="Time until which this state held, exclusive; infinity while it is the current one",
        ),
        sa.Column("delivery_id", sa.Integer(), nullable=False, comment="Delivery that brought this row (ops.delivery)"),
        sa.Column(
            "row_number", sa.Integer(), nullable=False, comment="Number of the row in the delivered file, the header not counted, from 1"
        ),
        schema="warehouse",
        comment="One row per carrier and holder of a digital signature.",
    )
    op.create_index(
        "ux_fact_signature_holder_current",
        "fact_signature_holder",
        ["row_key"],
        unique=True,
        schema="warehouse",
        postgresql_where=sa.text("known_to = 'infinity'"),
    )
    op.create_table(
        "fact_survey",
        sa.Column("survey_code", sa.Text(), nullable=False, comment="Survey"),
        sa.Column("wave", sa.Text(), nullable=False, comment="Wave of the survey"),
        sa.Column("unit_key", sa.Integer(), nullable=False, comment="Administrative unit surveyed"),
        sa.Column("question_code", sa.Text(), nullable=False, comment="Question, which is the code of the indicator it measures"),
        sa.Column("asked_on", sa.Date(), nullable=False, comment="Day of the survey"),
        sa.Column("respondents", sa.Integer(), nullable=False, comment="Valid answers"),
        sa.Column("positive_answers", sa.Integer(), nullable=False, comment="Positive answers"),
        sa.Column("row_key", sa.BigInteger(), nullable=False, comment="64-bit hash of the natural key: recognises the row again"),
        sa.Column(
            "row_hash", sa.BigInteger(), nullable=False, comment="64-bit hash of the content: tells a changed row from an unchanged one"
        ),
        sa.Column(
            "known_from",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="Time from which this state was known (export time of its delivery), inclusive",
        ),
        sa.Column(
            "known_to",
            sa.DateTime(timezone=True),
            server_default=sa.text("'infinity'"),
            nullable=False,
            comment="Time until which this state held, exclusive; infinity while it is the current one",
        ),
        sa.Column("delivery_id", sa.Integer(), nullable=False, comment="Delivery that brought this row (ops.delivery)"),
        sa.Column(
            "row_number", sa.Integer(), nullable=False, comment="Number of the row in the delivered file, the header not counted, from 1"
        ),
        sa.ForeignKeyConstraint(["unit_key"], ["warehouse.dim_unit.unit_key"], name=op.f("fk_fact_survey_unit_key")),
        schema="warehouse",
        comment="One row per survey, wave, unit and question.",
    )
    op.create_index(
        "ux_fact_survey_current",
        "fact_survey",
        ["row_key"],
        unique=True,
        schema="warehouse",
        postgresql_where=sa.text("known_to = 'infinity'"),
    )
    op.create_table(
        "fact_unit_count",
        sa.Column("unit_key", sa.Integer(), nullable=False, comment="Administrative unit"),
        sa.Column("period", sa.Text(), nullable=False, comment="2024, 2024-Q1 or 2024-03"),
        sa.Column("measure", sa.Text(), nullable=False, comment="What was counted, as population_adult"),
        sa.Column("value", sa.BigInteger(), nullable=False, comment="The count"),
        sa.Column("row_key", sa.BigInteger(), nullable=False, comment="64-bit hash of the natural key: recognises the row again"),
        sa.Column(
            "row_hash", sa.BigInteger(), nullable=False, comment="64-bit hash of the content: tells a changed row from an unchanged one"
        ),
        sa.Column(
            "known_from",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="Time from which this state was known (export time of its delivery), inclusive",
        ),
        sa.Column(
            "known_to",
            sa.DateTime(timezone=True),
            server_default=sa.text("'infinity'"),
            nullable=False,
            comment="Time until which this state held, exclusive; infinity while it is the current one",
        ),
        sa.Column("delivery_id", sa.Integer(), nullable=False, comment="Delivery that brought this row (ops.delivery)"),
        sa.Column(
            "row_number", sa.Integer(), nullable=False, comment="Number of the row in the delivered file, the header not counted, from 1"
        ),
        sa.ForeignKeyConstraint(["unit_key"], ["warehouse.dim_unit.unit_key"], name=op.f("fk_fact_unit_count_unit_key")),
        schema="warehouse",
        comment="One row per unit, period and measure, as counted by an office.",
    )
    op.create_index(
        "ux_fact_unit_count_current",
        "fact_unit_count",
        ["row_key"],
        unique=True,
        schema="warehouse",
        postgresql_where=sa.text("known_to = 'infinity'"),
    )
    op.create_table(
        "dim_department",
        sa.Column(
            "department_key", sa.Integer(), sa.Identity(always=False), nullable=False, comment="Surrogate key; 0 is the unknown department"
        ),
        sa.Column("department_id", sa.Text(), nullable=False, comment="The portal's identifier; two of its answers carry nothing else"),
        sa.Column("agency_key", sa.Integer(), nullable=False, comment="Agency; 0 until an answer has brought the department's code"),
        sa.Column(
            "department_name",
            sa.Text(),
            nullable=False,
            comment="Name as the portal writes it; letter case varies from answer to answer, so it is no key",
        ),
        sa.Column(
            "department_level", sa.Text(), nullable=False, comment="province: the province itself; body: provincial body; commune; unknown"
        ),
        sa.ForeignKeyConstraint(["agency_key"], ["warehouse.dim_agency.agency_key"], name=op.f("fk_dim_department_agency_key")),
        sa.PrimaryKeyConstraint("department_key", name=op.f("pk_dim_department")),
        sa.UniqueConstraint("department_id", name=op.f("uq_dim_department_department_id")),
        schema="warehouse",
        comment="One row per department of the national portal, of any province.",
    )
    op.create_table(
        "agg_unit_month",
        sa.Column("indicator_key", sa.SmallInteger(), nullable=False, comment="Indicator (dim_indicator)"),
        sa.Column("unit_key", sa.Integer(), nullable=False, comment="Administrative unit (dim_unit)"),
        sa.Column("month", sa.Text(), nullable=False, comment="2024-03"),
        sa.Column(
            "numerator", sa.BigInteger(), nullable=False, comment="The unit's own rows or VND in the numerator, units below not added"
        ),
        sa.Column(
            "denominator", sa.BigInteger(), nullable=False, comment="The unit's own rows or VND in the denominator, units below not added"
        ),
        sa.PrimaryKeyConstraint("indicator_key", "unit_key", "month", name=op.f("pk_agg_unit_month")),
        schema="warehouse",
        comment="One row per indicator of dossiers or bills that adds up, unit and month; quarters and years are sums of it.",
    )
    op.create_index("ix_agg_unit_month_month", "agg_unit_month", ["month"], unique=False, schema="warehouse")
    op.create_table(
        "fact_indicator",
        sa.Column("indicator_key", sa.SmallInteger(), nullable=False, comment="Indicator (dim_indicator)"),
        sa.Column("unit_key", sa.Integer(), nullable=False, comment="Administrative unit (dim_unit)"),
        sa.Column("period", sa.Text(), nullable=False, comment="2024, 2024-Q1 or 2024-03"),
        sa.Column("revision", sa.SmallInteger(), nullable=False, comment="1 for the first value published, then 2, 3 …"),
        sa.Column("numerator", sa.BigInteger(), nullable=True, comment="Numerator; empty where not collected or not applicable"),
        sa.Column("denominator", sa.BigInteger(), nullable=True, comment="Denominator; empty where not collected or not applicable"),
        sa.Column("value", sa.Numeric(), nullable=True, comment="The rate in its unit, rounded half up once at the printed decimals"),
        sa.Column(
            "obs_status",
            sa.String(length=1),
            nullable=False,
            comment="SDMX: A normal, P provisional, B break in series, L not collected, M not applicable, Q suppressed",
        ),
        sa.Column(
            "known_from",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="Time from which this revision was the published one, inclusive",
        ),
        sa.Column(
            "known_to",
            sa.DateTime(timezone=True),
            server_default=sa.text("'infinity'"),
            nullable=False,
            comment="Time until which it was, exclusive; infinity while it is",
        ),
        sa.Column("publication_id", sa.Integer(), nullable=False, comment="Publication that brought this revision (ops.publication)"),
        sa.PrimaryKeyConstraint("indicator_key", "unit_key", "period", "revision", name=op.f("pk_fact_indicator")),
        schema="warehouse",
        comment="One row per indicator, unit, period and revision.",
    )
    op.create_index(
        "ux_fact_indicator_current",
        "fact_indicator",
        ["period", "indicator_key", "unit_key"],
        unique=True,
        schema="warehouse",
        postgresql_where=sa.text("known_to = 'infinity'"),
    )
    op.create_table(
        "fact_score_766",
        sa.Column(
            "counted_by",
            sa.Text(),
            nullable=False,
            comment="pipeline: from our own dossiers; portal: from the counts the national portal answered",
        ),
        sa.Column("agency_key", sa.Integer(), nullable=False, comment="Department of the portal; 0 where a unit as a whole is scored (dim_agency)"),
        sa.Column("unit_key", sa.Integer(), nullable=False, comment="Administrative unit; 0 for departments of another province (dim_unit)"),
        sa.Column("period", sa.Text(), nullable=False, comment="2024, 2024-Q1 or 2024-03"),
        sa.Column("group_code", sa.Text(), nullable=False, comment="Group of the decision"),
        sa.Column("component_code", sa.Text(), nullable=False, comment="Component; empty text for the group's total"),
        sa.Column("revision", sa.SmallInteger(), nullable=False, comment="1 for the first, then 2, 3 …"),
        sa.Column("numerator", sa.BigInteger(), nullable=True, comment="Numerator; empty for a total and where nothing was counted"),
        sa.Column("denominator", sa.BigInteger(), nullable=True, comment="Denominator; empty for a total and where nothing was counted"),
        sa.Column(
            "ratio", sa.Numeric(), nullable=True, comment="Percentage of the counts, or of the maximum for a total; half up at 2 decimals"
        ),
        sa.Column("score", sa.Numeric(), nullable=True, comment="Points; empty where there is no score, which is not 0"),
        sa.Column(
            "max_score", sa.Numeric(), nullable=True, comment="Points that could be earned; empty where the component does not apply"
        ),
        sa.Column(
            "obs_status",
            sa.String(length=1),
            nullable=False,
            comment="SDMX: A normal, P provisional denominator, L not collected, M no cases or not applicable",
        ),
        sa.Column(
            "is_computed", sa.Boolean(), nullable=False, comment="False where the portal gives no counts and its own score is taken over"
        ),
        sa.Column(
            "known_from", sa.DateTime(timezone=True), nullable=False, comment="State of knowledge from which this revision holds, inclusive"
        ),
        sa.Column(
            "known_to",
            sa.DateTime(timezone=True),
            server_default=sa.text("'infinity'"),
            nullable=False,
            comment="Until which it held, exclusive; infinity while it does",
        ),
        sa.Column("run_id", sa.Integer(), nullable=False, comment="Run that computed it (ops.run)"),
        sa.PrimaryKeyConstraint(
            "counted_by", "agency_key", "unit_key", "period", "group_code", "component_code", "revision", name=op.f("pk_fact_score_766")
        ),
        schema="warehouse",
        comment="One row per score of decision 766 we computed: who counted, agency, unit, period, group, component and revision.",
    )
    op.create_index(
        "ux_fact_score_766_current",
        "fact_score_766",
        ["counted_by", "agency_key", "unit_key", "period", "group_code", "component_code"],
        unique=True,
        schema="warehouse",
        postgresql_where=sa.text("known_to = 'infinity'"),
    )
    op.create_table(
        "fact_portal_766",
        sa.Column("department_key", sa.Integer(), nullable=False, comment="Department (dim_department)"),
        sa.Column("period", sa.Text(), nullable=False, comment="2026, 2026-Q3 or 2026-08: what was asked for"),
        sa.Column("group_code", sa.Text(), nullable=False, comment="Group: CKMB, TDGQ, CLGQ, TTTT, MDHL, MDSH"),
        sa.Column(
            "component_code", sa.Text(), nullable=False, comment="Component, as REUSED_DIGITIZED_DATA; empty text for the group's total"
        ),
        sa.Column(
            "numerator", sa.BigInteger(), nullable=True, comment="Numerator as answered; empty where the portal says null or gives none"
        ),
        sa.Column(
            "denominator", sa.BigInteger(), nullable=True, comment="Denominator as answered; empty where the portal says null or gives none"
        ),
        sa.Column("ratio", sa.Numeric(), nullable=True, comment="Percentage as printed"),
        sa.Column("score", sa.Numeric(), nullable=True, comment="Score as printed; empty where the portal says null or prints none"),
        sa.Column("max_score", sa.Numeric(), nullable=True, comment="Maximum as printed"),
        sa.Column("quality_status", sa.Text(), nullable=True, comment="dataQualityStatus, as TEMP_NATIONAL_REPORT_DENOMINATOR"),
        sa.Column("row_key", sa.BigInteger(), nullable=False, comment="64-bit hash of the natural key: recognises the row again"),
        sa.Column(
            "row_hash", sa.BigInteger(), nullable=False, comment="64-bit hash of the content: tells a changed row from an unchanged one"
        ),
        sa.Column(
            "known_from",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="Time from which this state was known (export time of its delivery), inclusive",
        ),
        sa.Column(
            "known_to",
            sa.DateTime(timezone=True),
            server_default=sa.text("'infinity'"),
            nullable=False,
            comment="Time until which this state held, exclusive; infinity while it is the current one",
        ),
        sa.Column("delivery_id", sa.Integer(), nullable=False, comment="Delivery that brought this row (ops.delivery)"),
        sa.Column(
            "row_number", sa.Integer(), nullable=False, comment="Number of the row in the delivered file, the header not counted, from 1"
        ),
        sa.ForeignKeyConstraint(
            ["department_key"], ["warehouse.dim_department.department_key"], name=op.f("fk_fact_portal_766_department_key")
        ),
        schema="warehouse",
        comment="One row per department, period and figure the national portal answered, as captured.",
    )
    op.create_index(
        "ux_fact_portal_766_current",
        "fact_portal_766",
        ["row_key"],
        unique=True,
        schema="warehouse",
        postgresql_where=sa.text("known_to = 'infinity'"),
    )
    op.execute(PAYMENT_PARTITION)
    op.execute(GRANTS)


def downgrade() -> None:
    op.execute("DROP SCHEMA mart CASCADE")  # the views stand on the tables
    op.drop_index(
        "ux_fact_portal_766_current", table_name="fact_portal_766", schema="warehouse", postgresql_where=sa.text("known_to = 'infinity'")
    )
    op.drop_table("fact_portal_766", schema="warehouse")
    op.drop_index(
        "ux_fact_score_766_current", table_name="fact_score_766", schema="warehouse", postgresql_where=sa.text("known_to = 'infinity'")
    )
    op.drop_table("fact_score_766", schema="warehouse")
    op.drop_index(
        "ux_fact_indicator_current", table_name="fact_indicator", schema="warehouse", postgresql_where=sa.text("known_to = 'infinity'")
    )
    op.drop_table("fact_indicator", schema="warehouse")
    op.drop_index("ix_agg_unit_month_month", table_name="agg_unit_month", schema="warehouse")
    op.drop_table("agg_unit_month", schema="warehouse")
    op.drop_table("dim_department", schema="warehouse")
    op.drop_index(
        "ux_fact_unit_count_current", table_name="fact_unit_count", schema="warehouse", postgresql_where=sa.text("known_to = 'infinity'")
    )
    op.drop_table("fact_unit_count", schema="warehouse")
    op.drop_index("ux_fact_survey_current", table_name="fact_survey", schema="warehouse", postgresql_where=sa.text("known_to = 'infinity'"))
    op.drop_table("fact_survey", schema="warehouse")
    op.drop_index(
        "ux_fact_signature_holder_current",
        table_name="fact_signature_holder",
        schema="warehouse",
        postgresql_where=sa.text("known_to = 'infinity'"),
    )
    op.drop_table("fact_signature_holder", schema="warehouse")
    op.drop_index(
        "ux_fact_signature_current", table_name="fact_signature", schema="warehouse", postgresql_where=sa.text("known_to = 'infinity'")
    )
    op.drop_table("fact_signature", schema="warehouse")
    op.drop_index(
        "ux_fact_published_figure_current",
        table_name="fact_published_figure",
        schema="warehouse",
        postgresql_where=sa.text("known_to = 'infinity'"),
    )
    op.drop_table("fact_published_figure", schema="warehouse")
    op.drop_index(
        "ux_fact_form_06a_current", table_name="fact_form_06a", schema="warehouse", postgresql_where=sa.text("known_to = 'infinity'")
    )
    op.drop_table("fact_form_06a", schema="warehouse")
    op.drop_table("dim_target", schema="warehouse")
    op.drop_table("dim_merchant", schema="warehouse")
    op.drop_table("dim_agency", schema="warehouse")
    op.drop_table("bridge_unit_succession", schema="warehouse")
    op.drop_table("verdict", schema="ops")
    op.drop_table("quarantine", schema="ops")
    op.drop_table("publication", schema="ops")
    op.drop_index(
        "ux_fact_payment_current", table_name="fact_payment", schema="warehouse", postgresql_where=sa.text("known_to = 'infinity'")
    )
    op.drop_index(
        "ix_fact_payment_known_to", table_name="fact_payment", schema="warehouse", postgresql_where=sa.text("known_to <> 'infinity'")
    )
    op.drop_index("ix_fact_payment_delivery_id", table_name="fact_payment", schema="warehouse", postgresql_using="brin")
    op.drop_table("fact_payment", schema="warehouse")
    op.drop_index(
        "ux_fact_dossier_current", table_name="fact_dossier", schema="warehouse", postgresql_where=sa.text("known_to = 'infinity'")
    )
    op.drop_index("ix_fact_dossier_row_key", table_name="fact_dossier", schema="warehouse")
    op.drop_index("ix_fact_dossier_received_at", table_name="fact_dossier", schema="warehouse")
    op.drop_index(
        "ix_fact_dossier_known_to", table_name="fact_dossier", schema="warehouse", postgresql_where=sa.text("known_to <> 'infinity'")
    )
    op.drop_index(
        "ix_fact_dossier_finished_at", table_name="fact_dossier", schema="warehouse", postgresql_where=sa.text("known_to = 'infinity'")
    )
    op.drop_index("ix_fact_dossier_delivery_id", table_name="fact_dossier", schema="warehouse", postgresql_using="brin")
    op.drop_table("fact_dossier", schema="warehouse")
    op.drop_index("ux_fact_bill_current", table_name="fact_bill", schema="warehouse", postgresql_where=sa.text("known_to = 'infinity'"))
    op.drop_index("ix_fact_bill_known_to", table_name="fact_bill", schema="warehouse", postgresql_where=sa.text("known_to <> 'infinity'"))
    op.drop_index("ix_fact_bill_delivery_id", table_name="fact_bill", schema="warehouse", postgresql_using="brin")
    op.drop_index("ix_fact_bill_billing_month", table_name="fact_bill", schema="warehouse", postgresql_using="brin")
    op.drop_table("fact_bill", schema="warehouse")
    op.drop_table("dim_unit", schema="warehouse")
    op.drop_table("dim_service", schema="warehouse")
    op.drop_table("dim_provider", schema="warehouse")
    op.drop_table("dim_procedure", schema="warehouse")
    op.drop_table("dim_payment_status", schema="warehouse")
    op.drop_table("dim_payment_method", schema="warehouse")
    op.drop_table("dim_indicator", schema="warehouse")
    op.drop_table("dim_dossier_status", schema="warehouse")
    op.drop_table("dim_date", schema="warehouse")
    op.drop_table("dim_channel", schema="warehouse")
    op.drop_table("run", schema="ops")
    op.drop_table("installation", schema="ops")
    op.drop_table("delivery", schema="ops")
    _drop_schemas_and_roles()
