"""Facts become indicator values: counted, added up, divided once, published as revisions."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, text

from tasks.count.counting import counting
from tasks.indicators.compute import compute
from tests.warehouse.facts import (
    LUAN_KHE,
    NGOC_PHUNG,
    THANH_HOA,
    THUONG_XUAN,
    arrived,
    bills,
    close,
    dossiers,
    holders,
    payments,
    person,
    publish,
    signatures,
    surveys,
    unit_counts,
    unit_key,
    value,
)
from warehouse.tables import fact_dossier, fact_signature_holder

CASH = {"payment_method_key": 1}


def rate(engine: Engine, indicator: str, unit: str = NGOC_PHUNG, period: str = "2024") -> tuple[Any, ...] | None:
    found = value(engine, indicator, unit, period)
    return found and (found[0], found[1], found[2] if found[2] is None else str(found[2]))


def status(engine: Engine, indicator: str, unit: str = NGOC_PHUNG, period: str = "2024") -> str | None:
    found = value(engine, indicator, unit, period)
    return found and found[3]


def communes(connection: Connection) -> list[int]:
    return list(
        connection.scalars(
            text("SELECT unit_key FROM warehouse.dim_unit WHERE parent_code = '396' AND DATE '2024-12-31' BETWEEN valid_from AND valid_to")
        )
    )


# Dossiers -------------------------------------------------------------------------------------------------------------


def test_registered_refused_and_deleted_dossiers_are_not_received(engine: Engine) -> None:
    with engine.begin() as c:
        dossiers(c, [{}, {"channel_key": 1}, {"dossier_status_key": 1}, {"dossier_status_key": 3}, {"deleted_at": "2024-04-01 00:00:00"}])
    publish(engine)
    assert rate(engine, "CQ4") == (1, 2, "50.0")


def test_a_dossier_counts_as_solved_in_the_month_it_ended_and_as_received_in_the_month_it_came(engine: Engine) -> None:
    with engine.begin() as c:
        dossiers(c, [{"received_at": "2024-03-31 16:00:00", "due_at": "2024-04-10 00:00:00", "finished_at": "2024-04-10 17:00:00"}])
    publish(engine)
    assert rate(engine, "CQ4", period="2024-03") == (1, 1, "100.0")
    assert rate(engine, "CQ5", period="2024-03") == (0, 0, None)
    assert rate(engine, "CQ5", period="2024-04") == (1, 1, "100.0")
    assert rate(engine, "CQ4", period="2024-04") == (0, 0, None)


def test_early_on_the_day_withdrawn_and_without_due_date_are_in_time_and_a_day_later_is_late(engine: Engine) -> None:
    with engine.begin() as c:
        dossiers(
            c,
            [
                {"finished_at": "2024-03-19 09:00:00"},
                {"finished_at": "2024-03-20 23:00:00"},
                {"finished_at": "2024-03-21 00:00:00"},
                {"due_at": None},
                {"dossier_status_key": 7, "finished_at": "2024-03-29 09:00:00"},
                {"dossier_status_key": 4, "finished_at": None},
            ],
        )
    publish(engine)
    assert rate(engine, "CQ5") == (4, 5, "80.0")


def test_fees_count_as_paid_online_through_the_official_gateways_only(engine: Engine) -> None:
    with engine.begin() as c:
        dossiers(
            c,
            [
                {"fee_vnd": 10_000, "online_payment_code": 1},
                {"fee_vnd": 10_000, "online_payment_code": 2},
                {"fee_vnd": 10_000, "online_payment_code": 3},
                {"fee_vnd": 10_000},
                {"fee_vnd": 0, "online_payment_code": 1},
                {},
            ],
        )
    publish(engine)
    assert rate(engine, "K2f") == (2, 4, "50.0")


def test_payment_of_fees_is_marked_as_broken_from_the_day_they_were_waived(engine: Engine) -> None:
    with engine.begin() as c:
        keys = {"unit_key": unit_key(c, NGOC_PHUNG), "fee_vnd": 1000, "online_payment_code": 1}
        dossiers(c, [{**keys, "received_at": "2025-05-10 08:00:00"}, {**keys, "received_at": "2025-06-10 08:00:00"}])
    publish(engine, datetime(2026, 1, 5, tzinfo=UTC))
    assert status(engine, "K2f", period="2025-05") == "A"
    assert status(engine, "K2f", period="2025-06") == "B"
    assert status(engine, "K2f", period="2025-Q2") == "B"
    assert status(engine, "CQ4", period="2025-06") == "A"


# Bills and payments ---------------------------------------------------------------------------------------------------


def test_customers_bills_and_amount_are_three_different_rates(engine: Engine) -> None:
    with engine.begin() as c:
        bills(c, [{"customer_hash": person(n), "row_key": -n} for n in range(1, 6)])
        bills(c, [{"customer_hash": person(1), "row_key": -6, "amount_vnd": 500_000}])
        payments(c, [{"bill_key": -1}, {"bill_key": -2}])
    publish(engine)
    assert rate(engine, "K2a") == (2, 5, "40.0")
    assert rate(engine, "K2b") == (2, 6, "33.3")
    assert rate(engine, "K2c") == (200_000, 1_000_000, "20.0")


def test_a_customer_counts_once_however_long_the_period(engine: Engine) -> None:
    with engine.begin() as c:
        rows = [
            {"customer_hash": person(n), "billing_month": f"2024-{m:02}-01", "issued_on": f"2024-{m:02}-05", "row_key": -10 * m - n}
            for m in (1, 2, 4)
            for n in range(1, 6)
        ]
        bills(c, rows)
        payments(
            c,
            [
                {"bill_key": -11, "business_date": "2024-01-10"},
                {"bill_key": -22, "business_date": "2024-02-10"},
                {"bill_key": -42, "business_date": "2024-04-10"},
            ],
        )
    publish(engine)
    assert [rate(engine, "K2a", period=p) for p in ("2024-01", "2024-Q1", "2024-Q2", "2024")] == [
        (1, 5, "20.0"),
        (2, 5, "40.0"),
        (1, 5, "20.0"),
        (2, 5, "40.0"),
    ]
    assert rate(engine, "K2b") == (3, 15, "20.0")


def test_a_bill_paid_twice_counts_once_and_for_no_more_than_its_amount(engine: Engine) -> None:
    with engine.begin() as c:
        bills(c, [{"row_key": -1}, {"row_key": -2}])
        payments(c, [{"bill_key": -1}, {"bill_key": -1}, {"bill_key": -2, "amount_vnd": 30_000}])
    publish(engine)
    assert rate(engine, "K2b") == (2, 2, "100.0")
    assert rate(engine, "K2c") == (130_000, 200_000, "65.0")


@pytest.mark.parametrize("state", ["pending", "cancelled", "refunded", "suspect", "failed", "0"])
def test_a_payment_that_is_not_settled_never_counts(engine: Engine, state: str) -> None:
    with engine.begin() as c:
        query = "SELECT payment_status_key FROM warehouse.dim_payment_status WHERE payment_status_code = :state"
        key = c.scalar(text(query), {"state": state})
        bills(c, [{"row_key": -1}])
        payments(c, [{"bill_key": -1, "payment_status_key": key}])
    publish(engine)
    assert rate(engine, "K2b") == (0, 1, "0.0")


def test_a_bill_paid_in_cash_is_not_cashless(engine: Engine) -> None:
    with engine.begin() as c:
        bills(c, [{"row_key": -1}, {"row_key": -2}])
        payments(c, [{"bill_key": -1, **CASH}, {"bill_key": -2, **CASH}, {"bill_key": -2}])
    publish(engine)
    assert rate(engine, "K2b") == (1, 2, "50.0")


def test_a_payment_made_months_later_counts_for_the_month_billed(engine: Engine) -> None:
    with engine.begin() as c:
        bills(c, [{"row_key": -1}])
    publish(engine)
    assert rate(engine, "K2b", period="2024-03") == (0, 1, "0.0")
    with engine.begin() as c:
        payments(c, [{"bill_key": -1, "business_date": "2024-08-02"}])
    publish(engine)
    assert rate(engine, "K2b", period="2024-03") == (1, 1, "100.0")
    assert value(engine, "K2b", NGOC_PHUNG, "2024-08") is None


def test_a_service_nobody_billed_is_not_collected_rather_than_zero(engine: Engine) -> None:
    with engine.begin() as c:
        bills(c, [{}])
    publish(engine)
    assert value(engine, "K2d", NGOC_PHUNG, "2024") == (None, None, None, "L")


# Counts of offices ----------------------------------------------------------------------------------------------------


def test_a_stock_takes_the_last_report_and_a_flow_the_sum(engine: Engine) -> None:
    with engine.begin() as c:
        for month, users in (("2024-01", 10), ("2024-02", 30), ("2024-03", 20)):
            unit_counts(
                c,
                NGOC_PHUNG,
                month,
                {"safety_software_users": users, "smartphone_subscribers": 100, "documents_signed": users, "documents_outgoing": 50},
            )
    publish(engine)
    assert rate(engine, "ND7", period="2024-Q1") == (20, 100, "20.0")
    assert rate(engine, "CQ3", period="2024-Q1") == (60, 150, "40.0")


def test_a_figure_given_for_the_year_itself_wins_over_its_months(engine: Engine) -> None:
    with engine.begin() as c:
        unit_counts(
            c,
            NGOC_PHUNG,
            "2024-12",
            {"safety_software_users": 10, "smartphone_subscribers": 100, "documents_signed": 1, "documents_outgoing": 2},
        )
        unit_counts(
            c,
            NGOC_PHUNG,
            "2024",
            {"safety_software_users": 50, "smartphone_subscribers": 100, "documents_signed": 9, "documents_outgoing": 10},
        )
    publish(engine)
    assert rate(engine, "ND7") == (50, 100, "50.0")
    assert rate(engine, "CQ3") == (9, 10, "90.0")
    assert rate(engine, "CQ3", period="2024-Q4") == (1, 2, "50.0")


def test_a_month_inside_a_reported_quarter_is_not_added_again(engine: Engine) -> None:
    with engine.begin() as c:
        unit_counts(c, NGOC_PHUNG, "2024-02", {"documents_signed": 5, "documents_outgoing": 5})
        unit_counts(c, NGOC_PHUNG, "2024-Q1", {"documents_signed": 10, "documents_outgoing": 20})
        unit_counts(c, NGOC_PHUNG, "2024-05", {"documents_signed": 10, "documents_outgoing": 20})
    publish(engine)
    assert rate(engine, "CQ3") == (20, 40, "50.0")


def test_counts_of_a_year_say_nothing_about_its_months(engine: Engine) -> None:
    with engine.begin() as c:
        unit_counts(c, NGOC_PHUNG, "2024", {"eid_issued": 90, "population_adult": 100})
        dossiers(c, [{}])
    publish(engine)
    assert rate(engine, "ND3") == (90, 100, "90.0")
    assert value(engine, "ND3", NGOC_PHUNG, "2024-03") == (None, None, None, "L")


# Missing, small, not applicable ---------------------------------------------------------------------------------------


def test_missing_is_not_zero(engine: Engine) -> None:
    with engine.begin() as c:
        unit_counts(c, NGOC_PHUNG, "2024", {"shops_qr": 0, "shops_total": 12, "agencies_total": 5})
    publish(engine)
    assert value(engine, "K2g", NGOC_PHUNG, "2024") == (0, 12, Decimal("0.0"), "A")
    assert value(engine, "K3a", NGOC_PHUNG, "2024") == (None, None, None, "L")
    assert value(engine, "K2g", LUAN_KHE, "2024") == (None, None, None, "L")
    assert value(engine, "K2g", "15772", "2024") is None, "nobody of that district reports"


def test_of_nothing_that_happened_there_is_no_rate_and_it_is_not_missing(engine: Engine) -> None:
    with engine.begin() as c:
        unit_counts(c, NGOC_PHUNG, "2024", {"feedback_on_time": 0, "feedback_received": 0})
    publish(engine)
    assert value(engine, "K3b", NGOC_PHUNG, "2024") == (0, 0, None, "M")


def test_a_rate_of_fewer_than_five_people_is_kept_back_with_its_counts(engine: Engine) -> None:
    with engine.begin() as c:
        unit_counts(c, NGOC_PHUNG, "2024", {"eid_issued": 3, "population_adult": 4})
    publish(engine)
    assert value(engine, "ND3", NGOC_PHUNG, "2024") == (None, None, None, "Q")


def test_a_period_that_still_runs_is_provisional_and_is_no_longer_once_it_ended(engine: Engine) -> None:
    with engine.begin() as c:
        dossiers(c, [{}])
    publish(engine, datetime(2024, 3, 20, tzinfo=UTC))
    assert status(engine, "CQ4", period="2024-03") == "P"
    assert publish(engine, datetime(2024, 3, 25, tzinfo=UTC)).is_nothing
    done = publish(engine, datetime(2024, 3, 31, 16, 59, 59, tzinfo=UTC))
    assert done.revised > 0
    assert status(engine, "CQ4", period="2024-03") == "A"
    assert status(engine, "CQ4", period="2024") == "P"


# Up the hierarchy -----------------------------------------------------------------------------------------------------


def test_a_district_is_the_sum_of_its_communes_and_never_the_mean_of_their_rates(engine: Engine) -> None:
    with engine.begin() as c:
        dossiers(c, [{"unit_key": unit_key(c, NGOC_PHUNG), "channel_key": 2}] * 9 + [{"unit_key": unit_key(c, LUAN_KHE), "channel_key": 1}])
    publish(engine)
    for unit in (THUONG_XUAN, THANH_HOA):
        assert rate(engine, "CQ4", unit) == (9, 10, "90.0")
        assert status(engine, "CQ4", unit) == "P", "fourteen communes sent nothing"


def test_a_district_whose_communes_all_reported_is_final(engine: Engine) -> None:
    with engine.begin() as c:
        dossiers(c, [{"unit_key": key} for key in communes(c)])
    publish(engine)
    assert value(engine, "CQ4", THUONG_XUAN, "2024") == (16, 16, Decimal("100.0"), "A")
    assert value(engine, "ST1", THUONG_XUAN, "2024") == (16, 16, Decimal("100.0"), "A")
    assert value(engine, "ST1", NGOC_PHUNG, "2024") == (None, None, None, "M")
    assert rate(engine, "ST1", THANH_HOA, "2024") == (16, 558, "2.9")


def test_dossiers_of_the_district_itself_are_added_and_its_own_count_replaces_the_sum(engine: Engine) -> None:
    with engine.begin() as c:
        district = unit_key(c, THUONG_XUAN)
        dossiers(c, [{"unit_key": district, "channel_key": 1}, {}])
        unit_counts(c, NGOC_PHUNG, "2024", {"agencies_exchanging": 1, "agencies_total": 2})
        unit_counts(c, THUONG_XUAN, "2024", {"agencies_exchanging": 30, "agencies_total": 30})
    publish(engine)
    assert rate(engine, "CQ4", THUONG_XUAN) == (1, 2, "50.0")
    assert value(engine, "K3a", THUONG_XUAN, "2024") == (30, 30, Decimal("100.0"), "A")


def test_rows_of_a_unit_go_to_the_unit_of_that_day(engine: Engine) -> None:
    with engine.begin() as c:
        new = unit_key(c, "15646", date(2025, 8, 1))
        dossiers(c, [{"received_at": "2025-03-03 08:00:00"}, {"received_at": "2025-08-03 08:00:00", "unit_key": new}])
    publish(engine, datetime(2026, 1, 10, tzinfo=UTC))
    assert rate(engine, "CQ4", NGOC_PHUNG, "2025") == (1, 1, "100.0")
    assert rate(engine, "CQ4", "15646", "2025-08") == (1, 1, "100.0")
    assert rate(engine, "CQ4", THUONG_XUAN, "2025") == (1, 1, "100.0")
    assert value(engine, "CQ4", THUONG_XUAN, "2025-08") is None
    assert rate(engine, "CQ4", THANH_HOA, "2025") == (2, 2, "100.0")


# Signatures and surveys -----------------------------------------------------------------------------------------------


def test_a_person_with_certificates_of_two_carriers_counts_once(engine: Engine) -> None:
    with engine.begin() as c:
        unit_counts(c, NGOC_PHUNG, "2024", {"population_adult": 10})
        signatures(c, [{"certificates_in_force": 3}, {"provider_key": 8, "certificates_in_force": 2}])
        holders(c, [{"holder_hash": person(n)} for n in (1, 2, 3)])
        holders(c, [{"holder_hash": person(n), "provider_key": 8} for n in (3, 4)])
        holders(c, [{"holder_hash": person(5), "certificate_status": "HET_HAN"}, {"holder_hash": person(6), "issued_on": "2025-01-02"}])
    publish(engine)
    assert value(engine, "ND5", NGOC_PHUNG, "2024") == (4, 10, Decimal("40.0"), "A")
    assert value(engine, "ND5C", NGOC_PHUNG, "2024") == (5, 10, Decimal("50.0"), "A")


def test_where_only_counts_arrive_certificates_stand_in_and_the_rate_is_provisional(engine: Engine) -> None:
    with engine.begin() as c:
        unit_counts(c, NGOC_PHUNG, "2024", {"population_adult": 10})
        signatures(c, [{"month": "2024-11", "certificates_in_force": 9}, {"month": "2024-12", "certificates_in_force": 6}])
    publish(engine)
    assert value(engine, "ND5", NGOC_PHUNG, "2024") == (6, 10, Decimal("60.0"), "P")
    assert status(engine, "ND5C") == "A"


def reason(engine: Engine, unit: str = NGOC_PHUNG, period: str = "2024") -> tuple[str, str | None, str | None]:
    """Status, reason and note of ND5 as published."""
    with engine.connect() as connection:
        query = (
            "SELECT obs_status, obs_reason, obs_note FROM mart.indicator WHERE indicator_code = 'ND5' AND unit_code = :u AND period = :p"
        )
        status, why, note = connection.execute(text(query), {"u": unit, "p": period}).one()
        return status, why, note


def test_that_certificates_are_shown_in_place_of_persons_is_said_up_to_the_province(engine: Engine) -> None:
    with engine.begin() as c:
        for unit in (NGOC_PHUNG, "15607"):
            unit_counts(c, unit, "2024", {"population_adult": 10})
        signatures(c, [{"certificates_in_force": 6}])
        signatures(c, [{"certificates_in_force": 7, "unit_key": unit_key(c, "15607")}])
        holders(c, [{"holder_hash": person(1), "unit_key": unit_key(c, "15607")}])
    publish(engine)
    assert reason(engine) == ("P", "stands_in", "số chứng thư của nhà mạng, không phải số người")
    assert reason(engine, "15607") == ("A", None, None)
    above = ("P", "stands_in", "ở đơn vị thiếu danh sách người là số chứng thư của nhà mạng, không phải số người")
    assert (reason(engine, THUONG_XUAN), reason(engine, THANH_HOA)) == (above, above)


def test_a_carrier_that_counts_certificates_and_lists_nobody_is_named_and_keeps_the_persons_provisional(engine: Engine) -> None:
    with engine.begin() as c:
        unit_counts(c, NGOC_PHUNG, "2024", {"population_adult": 10})
        signatures(c, [{"certificates_in_force": 3}, {"provider_key": 8, "certificates_in_force": 2}])
        holders(c, [{"holder_hash": person(n)} for n in (1, 2, 3)])
    publish(engine)
    assert value(engine, "ND5", NGOC_PHUNG, "2024") == (3, 10, Decimal("30.0"), "P")
    assert reason(engine) == ("P", "lists_missing", "chưa có danh sách người của Viettel")
    assert reason(engine, THUONG_XUAN) == ("P", "lists_missing", "chưa có danh sách người của Viettel")
    with engine.begin() as c:
        holders(c, [{"holder_hash": person(3), "provider_key": 8}])
    publish(engine)
    assert value(engine, "ND5", NGOC_PHUNG, "2024") == (3, 10, Decimal("30.0"), "A")
    assert reason(engine) == ("A", None, None)


def test_a_carrier_without_certificates_in_a_unit_need_not_list_anybody_there(engine: Engine) -> None:
    with engine.begin() as c:
        unit_counts(c, NGOC_PHUNG, "2024", {"population_adult": 10})
        signatures(c, [{"certificates_in_force": 3}, {"provider_key": 8, "certificates_in_force": 0}])
        holders(c, [{"holder_hash": person(1)}])
    publish(engine)
    assert value(engine, "ND5", NGOC_PHUNG, "2024") == (1, 10, Decimal("10.0"), "A")


def test_a_list_under_the_unit_of_before_the_reform_is_one_of_the_unit_it_became(engine: Engine) -> None:
    july = date(2025, 7, 1)
    with engine.begin() as c:
        new = unit_key(c, "15646", july)
        unit_counts(c, "15646", "2025-08", {"population_adult": 10}, on=july)
        signatures(c, [{"unit_key": new, "month": "2025-08", "certificates_in_force": 3}])
        holders(c, [{"holder_hash": person(1)}])
    publish(engine, datetime(2025, 9, 5, tzinfo=UTC))
    assert value(engine, "ND5", "15646", "2025-08") == (1, 10, Decimal("10.0"), "A")


def test_where_all_on_the_lists_are_out_there_are_none_and_no_certificates_stand_in(engine: Engine) -> None:
    with engine.begin() as c:
        unit_counts(c, NGOC_PHUNG, "2024", {"population_adult": 10})
        signatures(c, [{"certificates_in_force": 3}])
        holders(c, [{"holder_hash": person(1), "certificate_status": "THU_HOI"}])
    publish(engine)
    assert value(engine, "ND5", NGOC_PHUNG, "2024") == (0, 10, Decimal("0.0"), "A")


def test_a_certificate_counts_up_to_the_day_it_expires_whether_or_not_anybody_says_so(engine: Engine) -> None:
    with engine.begin() as c:
        for period in ("2024-10", "2024-11", "2024-12", "2024"):
            unit_counts(c, NGOC_PHUNG, period, {"population_adult": 10})
        holders(c, [{"holder_hash": person(1)}, {"holder_hash": person(2), "expires_on": "2024-10-31"}])
        holders(c, [{"holder_hash": person(3), "expires_on": "2024-11-29"}])
    publish(engine)
    assert [rate(engine, "ND5", period=period)[0] for period in ("2024-10", "2024-11", "2024-12", "2024")] == [3, 1, 1, 1]


def test_who_is_known_to_be_under_18_at_the_end_of_the_period_is_not_counted(engine: Engine) -> None:
    with engine.begin() as c:
        for period in ("2024-10", "2024-11"):
            unit_counts(c, NGOC_PHUNG, period, {"population_adult": 10})
        of_age = [{"holder_hash": person(1), "adult_from": "2024-03-01"}, {"holder_hash": person(2)}]
        holders(c, [*of_age, {"holder_hash": person(3), "adult_from": "2024-11-01"}])
    publish(engine)
    assert [rate(engine, "ND5", period=period)[0] for period in ("2024-10", "2024-11")] == [2, 3]


def test_a_later_certificate_that_was_revoked_hides_no_valid_earlier_one_elsewhere(engine: Engine) -> None:
    with engine.begin() as c:
        there = unit_key(c, "15607")
        for unit in (NGOC_PHUNG, "15607"):
            unit_counts(c, unit, "2024", {"population_adult": 10})
        holders(c, [{"holder_hash": person(1)}, {"holder_hash": person(2)}])
        later = {"provider_key": 8, "issued_on": "2024-06-01", "unit_key": there}
        holders(c, [{**later, "holder_hash": person(1), "certificate_status": "THU_HOI"}, {**later, "holder_hash": person(2)}])
    publish(engine)
    assert [rate(engine, "ND5", unit)[0] for unit in (NGOC_PHUNG, "15607", THUONG_XUAN)] == [1, 1, 2]


def test_more_certificates_than_people_pass_the_audit(engine: Engine) -> None:
    with engine.begin() as c:
        unit_counts(c, NGOC_PHUNG, "2024", {"population_adult": 10})
        signatures(c, [{"certificates_in_force": 12}])
    publish(engine)
    assert rate(engine, "ND5C") == (12, 10, "120.0")


def test_a_later_wave_of_a_survey_takes_the_place_of_the_earlier(engine: Engine) -> None:
    with engine.begin() as c:
        surveys(
            c,
            [
                {"respondents": 100, "positive_answers": 35},
                {"wave": "2", "asked_on": "2024-11-01", "respondents": 100, "positive_answers": 90},
            ],
        )
    publish(engine)
    assert rate(engine, "K1b", period="2024-Q2") == (35, 100, "35.0")
    assert rate(engine, "K1b", period="2024") == (90, 100, "90.0")


# Publishing -----------------------------------------------------------------------------------------------------------


def test_running_twice_changes_nothing(engine: Engine) -> None:
    with engine.begin() as c:
        dossiers(c, [{}])
    first = publish(engine)
    assert first.added > 0 == first.revised
    assert publish(engine).is_nothing
    with engine.connect() as c:
        assert c.scalar(text("SELECT count(*) FROM ops.publication")) == 1


def test_a_changed_value_is_a_new_revision_and_the_old_one_still_answers(engine: Engine) -> None:
    with engine.begin() as c:
        old = dossiers(c, [{"channel_key": 1}])
    publish(engine, datetime(2025, 2, 1, tzinfo=UTC))
    with engine.begin() as c:
        close(c, fact_dossier, old, datetime(2025, 2, 10, tzinfo=UTC))
        dossiers(c, [{}, {}], exported_at=datetime(2025, 2, 10, tzinfo=UTC))
    done = publish(engine, datetime(2025, 2, 11, tzinfo=UTC))
    assert done.added == 0 < done.revised
    assert value(engine, "CQ4", NGOC_PHUNG, "2024", datetime(2025, 2, 5, tzinfo=UTC)) == (0, 1, Decimal("0.0"), "A")
    assert value(engine, "CQ4", NGOC_PHUNG, "2024") == (2, 2, Decimal("100.0"), "A")
    with engine.connect() as c:
        query = "SELECT revision FROM mart.indicator WHERE indicator_code = 'CQ4' AND unit_code = '15655' AND period = '2024'"
        assert c.scalar(text(query)) == 2


def test_only_the_periods_that_changed_are_computed_again(engine: Engine) -> None:
    with engine.begin() as c:
        dossiers(c, [{}, {"received_at": "2023-05-02 08:00:00", "finished_at": "2023-05-03 08:00:00"}])
    publish(engine)
    with engine.begin() as c:
        dossiers(c, [{"received_at": "2024-11-02 08:00:00", "finished_at": "2024-11-03 08:00:00", "due_at": None}])
    with engine.begin() as c:
        assert compute(c, counting(c, datetime(2025, 6, 1, tzinfo=UTC))).periods == ("2024", "2024-Q4", "2024-11")


def test_a_row_that_was_closed_without_a_new_one_is_taken_out_of_its_period(engine: Engine) -> None:
    with engine.begin() as c:
        gone = dossiers(c, [{}])
        dossiers(c, [{"channel_key": 1}])
    publish(engine)
    with engine.begin() as c:
        close(c, fact_dossier, gone, datetime(2025, 2, 10, tzinfo=UTC))
        arrived(c, "dossiers", datetime(2025, 2, 10, tzinfo=UTC))
    publish(engine)
    assert rate(engine, "CQ4") == (0, 1, "0.0")


@pytest.mark.parametrize(
    ("fact", "change"),
    [
        ("bill", "UPDATE warehouse.dim_payment_method SET is_cashless = FALSE WHERE payment_method_code = 'QR'"),
        ("dossier", "UPDATE warehouse.dim_channel SET channel_code = '2b' WHERE channel_code = '2'"),
        ("dossier", "UPDATE warehouse.dim_dossier_status SET is_received = FALSE WHERE dossier_status_code = '10'"),
    ],
)
def test_another_flag_of_a_code_list_is_applied_to_every_period(engine: Engine, fact: str, change: str) -> None:
    january = {"received_at": "2024-01-15 08:00:00", "finished_at": "2024-01-16 08:00:00"}
    with engine.begin() as c:
        dossiers(c, [{}, january])
        bills(c, [{"row_key": -1}, {"row_key": -2, "billing_month": "2024-01-01"}])
        payments(c, [{"bill_key": -1}, {"bill_key": -2}])
    publish(engine)
    with engine.begin() as c:
        c.execute(text(change))
        dossiers(c, [{"received_at": "2024-02-15 08:00:00", "dossier_status_key": 4, "finished_at": None, "channel_key": 1}])
    publish(engine)
    periods = ("2024-01", "2024-03", "2024")
    expected = {"bill": [(0, 1, "0.0"), (0, 1, "0.0"), (0, 2, "0.0")], "dim_channel": [(0, 1, "0.0"), (0, 1, "0.0"), (0, 3, "0.0")]}
    gone = [None, None, (0, 1, "0.0")]
    code = "K2b" if fact == "bill" else "CQ4"
    found = [rate(engine, code, period=period) for period in periods]
    assert found == expected.get(fact, expected["dim_channel"] if "dim_channel" in change else [(None, None, None)] * 2 + gone[2:])


def test_people_follow_a_unit_that_went_whole_into_another(engine: Engine) -> None:
    with engine.begin() as c:
        unit_counts(c, "15646", "2025-08", {"population_adult": 10}, on=date(2025, 8, 1))
        holders(c, [{"holder_hash": person(1)}, {"holder_hash": person(2)}], exported_at=datetime(2025, 8, 31, 16, tzinfo=UTC))
    publish(engine, datetime(2025, 9, 5, tzinfo=UTC))
    assert rate(engine, "ND5", "15646", "2025-08") == (2, 10, "20.0")


def test_holders_of_a_commune_that_ended_are_its_own_for_its_half_of_the_year_and_its_successors_at_the_end(engine: Engine) -> None:
    """Three people in xã Ngọc Phụng, one whose certificate was withdrawn in September: three on 30 June, two on 31 December 2025."""
    july = date(2025, 7, 1)
    with engine.begin() as c:
        holders(c, [{"holder_hash": person(n)} for n in (1, 2)])
        gone = holders(c, [{"holder_hash": person(3)}])
        close(c, fact_signature_holder, gone, datetime(2025, 9, 1, tzinfo=UTC))
        unit_counts(c, NGOC_PHUNG, "2025-Q2", {"population_adult": 10})
        unit_counts(c, "15646", "2025", {"population_adult": 40}, on=july)
    publish(engine, datetime(2026, 1, 31, tzinfo=UTC))
    with engine.connect() as c:
        query = "SELECT unit_name, numerator, denominator FROM mart.indicator WHERE indicator_code = 'ND5' AND period = '2025'"
        found = {row.unit_name: (row.numerator, row.denominator) for row in c.execute(text(query))}
    assert {name: found[name] for name in ("Xã Ngọc Phụng", "Xã Thường Xuân")} == {"Xã Ngọc Phụng": (3, 10), "Xã Thường Xuân": (2, 40)}
