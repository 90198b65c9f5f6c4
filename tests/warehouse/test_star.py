"""The star as BI tools drill into it: counted by day, unit and what the indicators know of, and nobody in it."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Engine, text

from tests.warehouse import facts
from tests.warehouse.facts import EXPORTED, LUAN_KHE, NGOC_PHUNG, unit_key
from warehouse.indicators import indicators
from warehouse.tables import fact_bill, fact_dossier

PERSONAL = ("hash", "row_key", "bill_key", "dossier_key", "order_key", "key_number", "delivery_id", "row_number")
NAMED = ("dossier_code", "bill_code", "transaction_code", "merchant_code", "merchant_name", "holder", "applicant", "customer")


def ask(engine: Engine, query: str) -> list[tuple[Any, ...]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(query))]


def columns(engine: Engine, condition: str = "TRUE") -> list[tuple[str, str, str]]:
    """View, column and type of all columns of the star."""
    return ask(
        engine,
        "SELECT c.relname, a.attname, format_type(a.atttypid, NULL) FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid "
        f"WHERE c.relnamespace = 'star'::regnamespace AND a.attnum > 0 AND {condition} ORDER BY 1, a.attnum",
    )


def test_no_column_of_the_star_leads_to_a_person_or_to_one_dossier_bill_or_payment(engine_of_module: Engine) -> None:
    found = columns(engine_of_module)
    assert len({view for view, _, _ in found if view.startswith("fact_")}) == 7
    assert not [one for one in found if one[2] in ("uuid", "bytea") or any(word in one[1] for word in PERSONAL)]
    told = {name for name in NAMED for _, column, _ in found if name in column}
    assert told == {"holder"}, "of holders, how many a carrier reports"
    assert {column for _, column, _ in found if "holder" in column} == {"holders_cumulative"}
    clock = [one for one in found if one[2].startswith("timestamp")]
    assert clock == [], "the day is enough: a minute tells one from another"


def test_every_key_of_a_fact_finds_its_member(engine_of_module: Engine) -> None:
    """Named alike, a key joins its dimension in any tool; the unknown member is there, so an inner join loses nothing."""
    found = columns(engine_of_module)
    keys = {column for view, column, _ in found if view.startswith("fact_") and column.endswith("_key")}
    dimensions = {column: view for view, column, _ in found if view == f"dim_{column.removesuffix('_key')}"}
    assert keys == dimensions.keys()
    for key in keys - {"date_key"}:
        assert ask(engine_of_module, f"SELECT count(*) FROM star.{dimensions[key]} WHERE {key} = 0") == [(1,)], key


def test_dossiers_are_counted_by_day_unit_and_channel_and_only_those_that_hold(engine: Engine) -> None:
    monday, later = {"received_at": "2024-03-18 08:00"}, {"received_at": "2024-03-18 16:30"}
    with engine.begin() as connection:
        facts.dossiers(
            connection,
            [
                {**monday, "fee_vnd": 5000, "online_payment_code": 1, "reuse_code": 1},
                {**later, "fee_vnd": 3000, "finished_at": "2024-03-28 09:00:00"},  # due on the 20th: late
                {**later, "channel_key": 1},
                {**monday, "dossier_status_key": 3},  # not accepted
                {**monday, "deleted_at": "2024-03-19 08:00"},
                {**monday, "unit_key": unit_key(connection, LUAN_KHE)},
            ],
        )
        before = facts.dossiers(connection, [monday])
        facts.close(connection, fact_dossier, before, EXPORTED)
    assert ask(
        engine,
        "SELECT unit_name, channel_name, dossiers, ended_dossiers, in_time_dossiers, fee_dossiers, fee_paid_online_dossiers, fee_vnd, "
        "reused_dossiers FROM star.fact_dossier JOIN star.dim_unit USING (unit_key) JOIN star.dim_channel USING (channel_key) "
        "WHERE date_key = '2024-03-18' ORDER BY 1, 2",
    ) == [
        ("Xã Luận Khê", "Trực tuyến", 1, 1, 1, 0, 0, 0, 0),
        ("Xã Ngọc Phụng", "Trực tiếp", 1, 1, 1, 0, 0, 0, 0),
        ("Xã Ngọc Phụng", "Trực tuyến", 2, 2, 1, 2, 1, 8000, 1),
    ]
    assert ask(
        engine,
        "SELECT date_key::text, sum(dossiers), sum(in_time_dossiers), sum(handling_days) FROM star.fact_dossier_ended "
        "JOIN star.dim_unit USING (unit_key) WHERE unit_code = '15655' GROUP BY 1 ORDER BY 1",
    ) == [("2024-03-18", 2, 2, 0), ("2024-03-28", 1, 0, 10)]


def test_a_month_of_the_star_adds_up_to_the_published_indicators(engine: Engine) -> None:
    with engine.begin() as connection:
        facts.dossiers(connection, [{"received_at": f"2024-03-{day:02} 08:00", "channel_key": 1 + day % 2} for day in range(1, 12)])
        facts.dossiers(connection, [{"received_at": "2024-04-01 08:00"}])
    facts.publish(engine)
    drilled = ask(
        engine,
        "SELECT coalesce(sum(dossiers) FILTER (WHERE channel_code = '2'), 0), sum(dossiers) FROM star.fact_dossier "
        "JOIN star.dim_date USING (date_key) JOIN star.dim_unit USING (unit_key) JOIN star.dim_channel USING (channel_key) "
        "WHERE month = '2024-03' AND parent_code = '396'",
    )
    assert drilled == [(6, 11)]  # of the days 1 to 11 six are odd
    assert facts.value(engine, "CQ4", "396", "2024-03")[:2] == (6, 11)  # type: ignore[index]


def test_bills_and_payments_keep_the_unknown_unit_and_count_cash_as_the_indicators_do(engine: Engine) -> None:
    with engine.begin() as connection:
        delivered = facts.bills(connection, [{"amount_vnd": 100}, {"amount_vnd": 300}, {"amount_vnd": 50, "unit_key": 0}])
        paid, cash = (
            connection.scalar(text("SELECT row_key FROM warehouse.fact_bill WHERE amount_vnd = :amount"), {"amount": amount})
            for amount in (100, 300)
        )
        facts.payments(
            connection,
            [
                {"bill_key": paid, "amount_vnd": 100},
                {"bill_key": cash, "amount_vnd": 300, "payment_method_key": 1},
                {"unit_key": 0, "amount_vnd": 7, "payment_status_key": 3},  # cancelled
            ],
        )
    assert ask(
        engine,
        "SELECT unit_key = 0, bills, settled_bills, cashless_bills, amount_vnd, paid_vnd, cashless_vnd, paid_in_cash_vnd, date_key::text "
        "FROM star.fact_bill ORDER BY 1",
    ) == [(False, 2, 2, 1, 400, 400, 100, 300, "2024-03-01"), (True, 1, 0, 0, 50, 0, 0, 0, "2024-03-01")]
    assert ask(
        engine,
        "SELECT payment_method_name, pays, is_settled, payments, amount_vnd, paid_vnd FROM star.fact_payment "
        "JOIN star.dim_payment_method USING (payment_method_key) JOIN star.dim_payment_status USING (payment_status_key) ORDER BY 5",
    ) == [
        ("Quét mã QR", "other", False, 1, 7, 0),
        ("Quét mã QR", "bill", True, 1, 100, 100),
        ("Tiền mặt", "bill", True, 1, 300, 300),
    ]
    with engine.begin() as connection:
        facts.close(connection, fact_bill, delivered, EXPORTED)
    assert ask(engine, "SELECT count(*) FROM star.fact_bill") == [(0,)]


def test_answers_of_fewer_than_a_survey_may_show_are_kept_back(engine: Engine) -> None:
    threshold = {one.suppress_below for one in indicators() if one.is_sample}
    assert threshold == {5}
    with engine.begin() as connection:
        facts.surveys(connection, [{"respondents": 5, "positive_answers": 4}])
        facts.surveys(connection, [{"respondents": 4, "positive_answers": 4, "unit_key": unit_key(connection, LUAN_KHE)}])
    told = "SELECT unit_code, respondents, positive_answers, is_suppressed"
    query = f"{told} FROM star.fact_survey JOIN star.dim_unit USING (unit_key) ORDER BY 1"
    assert ask(engine, query) == [(LUAN_KHE, None, None, True), (NGOC_PHUNG, 5, 4, False)]


def test_reports_of_offices_and_carriers_stand_on_the_last_day_they_tell_of(engine: Engine) -> None:
    with engine.begin() as connection:
        facts.signatures(connection, [{"month": "2024-02", "certificates_in_force": 30, "certificates_issued": 2}])
        facts.unit_counts(connection, NGOC_PHUNG, "2024-Q1", {"population_adult": 100, "training_sessions": 3})
    told = (
        "SELECT date_key::text, certificates_in_force, provider_name FROM star.fact_signature JOIN star.dim_provider USING (provider_key)"
    )
    assert ask(engine, told) == [("2024-02-29", 30, "VNPT")]
    counted = "SELECT measure_name, counted, is_stock, date_key::text, period_start::text FROM star.fact_unit_count ORDER BY 2"
    assert ask(engine, counted) == [
        ("Buổi tập huấn", 3, False, "2024-03-31", "2024-01-01"),
        ("Dân số trưởng thành (từ đủ 18 tuổi)", 100, True, "2024-03-31", "2024-01-01"),
    ]


def test_what_a_file_wrote_as_the_name_of_something_on_no_list_is_not_shown(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO warehouse.dim_procedure "
                "(procedure_code, valid_from, valid_to, procedure_name, sector_code, sector_name, is_inferred) "
                "VALUES ('1.009', '0001-01-01', '9999-12-31', 'Nguyễn Văn Mẫu', 'X', 'Nguyễn Văn Mẫu', true), "
                "('1.010', '0001-01-01', '9999-12-31', 'Chứng thực', 'CT', 'Tư pháp', false);"
                "INSERT INTO warehouse.dim_agency (agency_code, valid_from, valid_to, agency_name, unit_key, is_inferred) "
                "VALUES ('H56.1', '0001-01-01', '9999-12-31', 'Nguyễn Văn Mẫu', 0, true)"
            )
        )
    procedures = (
        "SELECT procedure_name, field_name, is_listed, begins_on, ends_on FROM star.dim_procedure WHERE procedure_key <> 0 ORDER BY 1"
    )
    assert ask(engine, procedures) == [("1.009", "X", False, None, None), ("Chứng thực", "Tư pháp", True, None, None)]
    assert ask(engine, "SELECT agency_name, is_listed FROM star.dim_agency WHERE agency_key <> 0") == [("H56.1", False)]


@pytest.mark.parametrize(
    ("day", "told"),
    [
        ("2024-02-12", ("2024-02", "2024-Q1", "2024", "2024-02-01", "2024-01-01", "2024-01-01", "Thứ Hai", False, "Tết Âm lịch")),
        ("2024-12-08", ("2024-12", "2024-Q4", "2024", "2024-12-01", "2024-10-01", "2024-01-01", "Chủ Nhật", False, None)),
    ],
)
def test_a_day_knows_the_stretches_it_lies_in(engine_of_module: Engine, day: str, told: tuple[Any, ...]) -> None:
    query = (
        "SELECT month, quarter, year, month_start::text, quarter_start::text, year_start::text, day_name, is_working_day, holiday_name "
        f"FROM star.dim_date WHERE date_key = '{day}'"
    )
    assert ask(engine_of_module, query) == [told]


def test_a_unit_of_the_star_has_no_first_or_last_day_that_is_not_known(engine_of_module: Engine) -> None:
    query = "SELECT unit_name, begins_on::text, ends_on::text, parent_name FROM star.dim_unit WHERE unit_code = '15655'"
    assert ask(engine_of_module, query) == [("Xã Ngọc Phụng", None, "2025-06-30", "Huyện Thường Xuân")]
