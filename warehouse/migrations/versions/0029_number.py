"""What a number is asked about: where rows set aside would count, and the facts behind it, without persons, for those at the desk."""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

HISTORY = "row_key, row_hash, known_from, known_to, loaded_by, ended_by, delivery_id, row_number"
SHOWN = {
    "fact_dossier": "procedure_key, agency_key, unit_key, receiving_agency_key, received_unit_key, channel_key, dossier_status_key, "
    "service_level, applicant_type, submitted_at, received_at, due_at, finished_at, returned_at, refused_at, supplement_count, "
    "supplement_requested_at, is_digitised, reuse_code, has_electronic_result, is_vneid_verified, online_payment_code, fee_vnd, "
    "updated_at, deleted_at, key_number",
    "fact_bill": "provider_key, service_key, unit_key, is_household, billing_month, issued_on, amount_vnd, key_number",
    "fact_payment": "provider_key, service_key, unit_key, bill_key, merchant_key, payment_method_key, payment_status_key, paid_at, "
    "business_date, amount_vnd, refunded_vnd, is_refund",
    "fact_signature_holder": "provider_key, unit_key, issued_on, certificate_status, expires_on, adult_from, key_number",
    "fact_unit_count": "unit_key, period, measure, provider_key, value",
    "fact_signature": "provider_key, unit_key, month, certificates_issued, certificates_in_force, holders_cumulative",
    "fact_survey": "survey_code, wave, unit_key, question_code, asked_on, respondents, positive_answers",
}
"""Columns of facts that decide values: no pseudonym of a person is among them, and no code by which a case is looked up."""
LISTS = ", ".join(
    f"warehouse.{table}"
    for table in (
        "dim_dossier_status", "dim_channel", "dim_service", "dim_payment_method", "dim_payment_status", "dim_merchant",
        "bridge_unit_succession",
    )
)  # fmt: skip
ROW_NUMBER = "Number of the row in the delivered file, as the program shows it that wrote the file"
PLACE = "One row per row set aside and thing that would happen by it: to which unit and days it would count, as far as its own cells say."


def upgrade() -> None:
    """Of rows set aside before, nobody knows where they would count until they are read again."""
    op.create_table(
        "quarantine_place",
        sa.Column("delivery_id", sa.Integer(), nullable=False, comment="Delivery"),
        sa.Column("row_number", sa.Integer(), nullable=False, comment=ROW_NUMBER),
        sa.Column(
            "happens",
            sa.Text(),
            nullable=False,
            comment="What would happen, as the days of a fact are called: received, ended, billed, paid, counted, reported, issued, asked",
        ),
        sa.Column("unit_key", sa.Integer(), comment="Administrative unit (dim_unit) it would count for; empty where it is not known"),
        sa.Column("first_day", sa.Date(), comment="First day on which it may have happened; empty where that is not known"),
        sa.Column("last_day", sa.Date(), comment="Last day on which it may have happened"),
        sa.Column(
            "row_key",
            sa.BigInteger(),
            comment="row_key of the case it tells of in its fact, of a payment that of its bill; empty where none is known",
        ),
        sa.Column(
            "about",
            sa.Text(),
            comment="Service or measure it tells of; empty where its feed does not tell several apart, or that is not known",
        ),
        sa.ForeignKeyConstraint(["delivery_id"], ["ops.delivery.delivery_id"], name=op.f("fk_quarantine_place_delivery_id")),
        sa.PrimaryKeyConstraint("delivery_id", "row_number", "happens", name=op.f("pk_quarantine_place")),
        schema="ops",
        comment=PLACE,
    )
    for table, columns in SHOWN.items():
        op.execute(f"GRANT SELECT ({columns}, {HISTORY}) ON warehouse.{table} TO bakhong_steward")
    op.execute(f"GRANT SELECT ON {LISTS} TO bakhong_steward")


def downgrade() -> None:
    """What stewards could read before stays readable."""
    op.execute(f"REVOKE SELECT ON {LISTS} FROM bakhong_steward")
    for table, columns in SHOWN.items():
        op.execute(f"REVOKE SELECT ({columns}, {HISTORY}) ON warehouse.{table} FROM bakhong_steward")
    op.execute(
        "GRANT SELECT (row_key, row_hash, business_date, provider_key, transaction_code, amount_vnd, delivery_id, row_number, known_from, "
        "known_to) ON warehouse.fact_payment TO bakhong_steward; "
        "GRANT SELECT (received_at, known_to) ON warehouse.fact_dossier TO bakhong_steward"
    )
    op.drop_table("quarantine_place", schema="ops")
