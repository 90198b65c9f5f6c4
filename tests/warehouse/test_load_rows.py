"""How codes of a file become keys of the star, and what becomes of rows that cannot go in."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from typing import Any

import pyarrow as pa
import pytest
from sqlalchemy import Engine, text

from expectations.contract import contract
from tasks.ask import questions
from tasks.deliveries.ledger import Outcome
from tasks.load.chosen import Chosen
from tasks.load.decisions import release
from tasks.load.deliver import load, reject
from tasks.load.dependents import releasable
from tasks.read.file import Rejected
from tasks.validate.checks import RuleResult
from tests.warehouse.deliveries import checked, deliver, land
from warehouse.settings import Refusal

Row = dict[str, Any]


def bill(code: str, **others: Any) -> Row:
    whole = {"bill_code": code, "unit_code": "15655", "service_code": "DIEN", "billing_month": date(2024, 2, 1), "amount_vnd": 1000}
    return {**whole, "issued_on": date(2024, 2, 28), **others}


def payment(code: str, **others: Any) -> Row:
    whole = {
        "transaction_code": code,
        "method_code": "QR",
        "status_code": "settled",
        "paid_at": datetime(2024, 3, 1, 8),
        "amount_vnd": 1000,
    }
    return {**whole, **others}


def dossier(code: str, **others: Any) -> Row:
    whole = {"dossier_code": code, "procedure_code": "2.000815", "agency_code": "H56.38.05", "status_code": "10", "channel_code": "2"}
    return {**whole, "received_at": datetime(2024, 3, 1, 8), **others}


def agency(code: str, unit: str, begin: date = date(2000, 1, 1), end: date | None = None) -> Row:
    return {"agency_code": code, "agency_name": f"Cơ quan {code}", "unit_code": unit, "valid_from": begin, "valid_to": end}


def one(engine: Engine, query: str) -> Any:
    with engine.connect() as connection:
        return connection.execute(text(query)).one()


def all_rows(engine: Engine, query: str) -> list[tuple[Any, ...]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(query))]


def conserves(outcome: Outcome) -> bool:
    return outcome.received == outcome.loaded + outcome.unchanged + outcome.quarantined + outcome.ignored


def test_a_bill_lies_in_the_unit_that_had_its_code_in_the_month_billed_whenever_it_was_issued(engine: Engine) -> None:
    june, july = {"billing_month": date(2025, 6, 1)}, {"billing_month": date(2025, 7, 1)}
    bills = [bill("A", **june, issued_on=date(2025, 7, 5)), bill("B", **july, unit_code="15661", issued_on=date(2025, 7, 5))]
    outcome = deliver(engine, land(engine, "bills", "2025-07-06"), bills)
    assert (conserves(outcome), outcome.loaded) == (True, 2)
    found = all_rows(
        engine,
        "SELECT b.bill_code, u.unit_name, b.billing_month BETWEEN u.valid_from AND u.valid_to "
        "FROM warehouse.fact_bill b JOIN warehouse.dim_unit u USING (unit_key) ORDER BY 1",
    )
    assert found[0] == ("A", "Xã Ngọc Phụng", True)
    assert all(inside for _, _, inside in found)


def test_a_unit_code_nobody_knows_is_set_aside_with_the_words_of_the_rule(engine: Engine) -> None:
    outcome = deliver(engine, land(engine, "bills", "2024-03-01"), [bill("HD-1"), bill("HD-2", unit_code="99999")])
    assert (outcome.received, outcome.loaded, outcome.quarantined, outcome.verdict) == (2, 1, 1, "accept_with_flags")
    row = one(engine, "SELECT row_number, natural_key, column_name, status, message_vi FROM ops.quarantine")
    assert (row.row_number, row.natural_key, row.column_name, row.status) == (2, "HD-2", "MA_DVHC", "open")
    assert "MA_DVHC" in row.message_vi
    assert "99999" not in row.message_vi


def test_a_payment_takes_unit_and_service_from_its_bill(engine: Engine) -> None:
    deliver(engine, land(engine, "bills", "2024-03-01", source="water", provider="nuoc"), [bill("HD-1", service_code="NUOC")])
    outcome = deliver(engine, land(engine, "payments", "2024-03-01"), [payment("T1", bill_code="HD-1"), payment("T2")])
    assert (outcome.loaded, outcome.quarantined) == (2, 0)
    found = all_rows(
        engine,
        "SELECT p.transaction_code, u.unit_code, s.service_code, p.bill_key = b.row_key FROM warehouse.fact_payment p "
        "JOIN warehouse.dim_unit u USING (unit_key) JOIN warehouse.dim_service s USING (service_key) "
        "LEFT JOIN warehouse.fact_bill b ON b.row_key = p.bill_key ORDER BY 1",
    )
    assert found == [("T1", "15655", "NUOC", True), ("T2", "0", "0", None)]


def test_a_payment_waits_for_its_bill_and_goes_in_when_it_arrives(engine: Engine) -> None:
    delivery, rows = land(engine, "payments", "2024-03-01"), [payment("T1", bill_code="HD-1"), payment("T2", bill_code="HD-2")]
    deliver(engine, land(engine, "bills", "2024-02-28"), [bill("HD-2")])
    first = deliver(engine, delivery, rows)
    assert (first.loaded, first.quarantined) == (1, 1)
    assert all_rows(engine, "SELECT row_number, status FROM ops.quarantine") == [(1, "waiting")]
    assert releasable(engine) == []
    deliver(engine, land(engine, "bills", "2024-03-02"), [bill("HD-1")])
    assert releasable(engine) == [delivery.delivery_id]
    second = deliver(engine, delivery, rows)
    assert (second.loaded, second.unchanged, second.quarantined) == (2, 0, 0)
    assert all_rows(engine, "SELECT * FROM ops.quarantine") == []
    assert releasable(engine) == []
    assert one(engine, "SELECT count(*) FROM warehouse.fact_payment WHERE known_to = 'infinity'")[0] == 2


def test_a_bill_number_of_two_providers_decides_nothing(engine: Engine) -> None:
    deliver(engine, land(engine, "bills", "2024-02-28"), [bill("HD-1")])
    deliver(engine, land(engine, "bills", "2024-02-28", source="water", provider="nuoc"), [bill("HD-1", service_code="NUOC")])
    outcome = deliver(engine, land(engine, "payments", "2024-03-01"), [payment("T1", bill_code="HD-1")])
    assert (outcome.loaded, outcome.quarantined) == (0, 1)
    assert all_rows(engine, "SELECT rule_code, status FROM ops.quarantine") == [("PAY-020", "open")]


def test_a_fee_lies_in_the_unit_of_its_dossier_and_does_not_wait_for_it(engine: Engine) -> None:
    deliver(engine, land(engine, "agencies", "2024-01-01"), [agency("H56.38.05", "15655")])
    deliver(engine, land(engine, "dossiers", "2024-03-01"), [dossier("H56.38.05-240301-0001")])
    fees = [payment("T1", dossier_code="H56.38.05-240301-0001"), payment("T2", dossier_code="H56.38.05-240301-0002")]
    outcome = deliver(engine, land(engine, "payments", "2024-03-01", provider="dvcqg"), [{**fee, "service_code": "DVC"} for fee in fees])
    assert outcome.loaded == 2
    found = all_rows(
        engine,
        "SELECT transaction_code, unit_code FROM warehouse.fact_payment JOIN warehouse.dim_unit USING (unit_key) "
        "LEFT JOIN warehouse.fact_dossier d ON d.row_key = dossier_key ORDER BY 1",
    )
    assert found == [("T1", "15655"), ("T2", "0")]


IN_FORCE = (
    "SELECT transaction_code, unit_code FROM warehouse.fact_payment JOIN warehouse.dim_unit USING (unit_key) "
    "WHERE known_to = 'infinity' ORDER BY 1"
)


def test_a_fee_paid_before_its_dossier_came_follows_it_to_its_unit(engine: Engine) -> None:
    deliver(engine, land(engine, "agencies", "2024-01-01"), [agency("H56.38.05", "15655")])
    fee = payment("T1", dossier_code="H56.38.05-240301-0001", service_code="DVC")
    deliver(engine, land(engine, "payments", "2024-03-01", provider="dvcqg"), [fee])
    assert all_rows(engine, IN_FORCE) == [("T1", "0")]
    deliver(engine, land(engine, "dossiers", "2024-03-02"), [dossier("H56.38.05-240301-0001")])
    assert all_rows(engine, IN_FORCE) == [("T1", "15655")]


def test_a_fee_follows_its_dossier_when_a_list_says_whose_the_agency_is(engine: Engine) -> None:
    deliver(engine, land(engine, "dossiers", "2024-03-01"), [dossier("H56.38.05-240301-0001")])
    fee = payment("T1", dossier_code="H56.38.05-240301-0001", service_code="DVC")
    deliver(engine, land(engine, "payments", "2024-03-01", provider="dvcqg"), [fee])
    deliver(engine, land(engine, "agencies", "2024-01-01"), [agency("H56.38.05", "15655")])
    assert all_rows(engine, IN_FORCE) == [("T1", "15655")]


def test_a_row_that_a_reading_again_sets_aside_holds_no_more(engine: Engine) -> None:
    delivery = land(engine, "bills", "2024-03-01")
    deliver(engine, delivery, [bill("A"), bill("B")])
    again = deliver(engine, replace(delivery, is_loaded=True), [bill("A"), bill("B", unit_code="99999")])
    assert (again.received, again.loaded, again.quarantined) == (2, 1, 1)
    assert all_rows(engine, "SELECT bill_code FROM warehouse.fact_bill WHERE known_to = 'infinity'") == [("A",)]


def test_carriers_counts_add_up_and_two_counts_of_people_are_one_number(engine: Engine) -> None:
    for provider, subscribers in (("vnpt", 300), ("viettel", 500)):
        counts = {"smartphone_subscribers": subscribers, "population_adult": 1000}
        rows = [{"unit_code": "15655", "period": "2024", "measure": measure, "value": value} for measure, value in counts.items()]
        deliver(engine, land(engine, "unit_counts", "2025-01-05", source=provider, provider=provider), rows)
    assert all_rows(engine, "SELECT measure, sum(value) FROM warehouse.fact_unit_count GROUP BY measure ORDER BY 1") == [
        ("population_adult", 1000),
        ("smartphone_subscribers", 800),
    ]


def test_counts_of_which_the_part_exceeds_the_whole_are_named_to_their_supplier(engine: Engine) -> None:
    counts = {"population_adult": 200, "eid_issued": 1000, "eid_activated": 100}
    rows = [{"unit_code": "15655", "period": "2024", "measure": measure, "value": value} for measure, value in counts.items()]
    outcome = deliver(engine, land(engine, "unit_counts", "2025-01-05"), rows)
    assert (outcome.loaded, outcome.verdict) == (3, "accept_with_flags")
    assert all_rows(engine, "SELECT unexpected_count FROM ops.verdict WHERE rule_code = 'CNT-008'") == [(2,)]


def test_a_payment_at_a_market_lies_in_the_unit_of_the_stall(engine: Engine) -> None:
    stall = {"provider_code": "vnpay", "merchant_code": "TMN1", "merchant_name": "Sạp 1", "merchant_kind": "cho", "unit_code": "15655"}
    deliver(engine, land(engine, "merchants", "2024-01-01"), [{**stall, "valid_from": date(2023, 1, 1)}])
    deliver(engine, land(engine, "payments", "2024-03-01", provider="vnpay"), [payment("T1", merchant_code="TMN1", service_code="MUA_SAM")])
    row = one(
        engine,
        "SELECT unit_code, merchant_code FROM warehouse.fact_payment p "
        "JOIN warehouse.dim_unit USING (unit_key) JOIN warehouse.dim_merchant m USING (merchant_key)",
    )
    assert tuple(row) == ("15655", "TMN1")


def test_an_unknown_agency_is_kept_and_counted_and_put_right_when_the_list_comes(engine: Engine) -> None:
    outcome = deliver(engine, land(engine, "dossiers", "2024-03-01"), [dossier("H56.38.05-240301-0001", agency_name="UBND xã")])
    assert (outcome.loaded, outcome.quarantined, outcome.verdict) == (1, 0, "accept_with_flags")
    query = (
        "SELECT a.agency_code, a.is_inferred, u.unit_code, f.known_to::text AS known_to FROM warehouse.fact_dossier f "
        "JOIN warehouse.dim_agency a USING (agency_key) JOIN warehouse.dim_unit u ON u.unit_key = f.unit_key ORDER BY f.known_from"
    )
    assert all_rows(engine, query) == [("H56.38.05", True, "0", "infinity")]
    assert one(engine, "SELECT unexpected_count FROM ops.verdict WHERE rule_code = 'DOS-017'")[0] == 1
    deliver(engine, land(engine, "agencies", "2024-03-05"), [agency("H56.38.05", "15655")])
    assert all_rows(engine, query) == [
        ("H56.38.05", True, "0", "2024-03-05 23:59:59+07"),
        ("H56.38.05", False, "15655", "infinity"),
    ]


def test_a_dossier_told_again_after_the_list_came_is_no_new_state(engine: Engine) -> None:
    deliver(engine, land(engine, "dossiers", "2024-03-01"), [dossier("H56.38.05-240301-0001")])
    deliver(engine, land(engine, "agencies", "2024-03-05"), [agency("H56.38.05", "15655")])
    again = deliver(engine, land(engine, "dossiers", "2024-03-06"), [dossier("H56.38.05-240301-0001")])
    assert (again.loaded, again.unchanged) == (0, 1)


def test_an_agency_is_divided_where_its_unit_was_reorganised(engine: Engine) -> None:
    deliver(engine, land(engine, "agencies", "2025-08-01"), [agency("H56.38.05", "15658")])
    found = all_rows(
        engine,
        "SELECT a.valid_from >= u.valid_from AND a.valid_to <= u.valid_to "
        "FROM warehouse.dim_agency a JOIN warehouse.dim_unit u USING (unit_key) WHERE agency_key <> 0",
    )
    versions = one(engine, "SELECT count(*) FROM warehouse.dim_unit WHERE unit_code = '15658'")[0]
    assert found == [(True,)] * versions


def test_the_same_list_again_changes_nothing_and_a_member_left_out_holds_no_more(engine: Engine) -> None:
    both = [agency("H56.38.05", "15655"), agency("H56.38.06", "15658")]
    first = deliver(engine, land(engine, "agencies", "2024-01-01"), both)
    again = deliver(engine, land(engine, "agencies", "2024-01-02"), both)
    assert (first.loaded, again.loaded, again.unchanged) == (2, 0, 2)
    deliver(engine, land(engine, "agencies", "2024-01-03"), both[:1])
    holding = (
        "SELECT DISTINCT agency_code FROM warehouse.dim_agency WHERE agency_key <> 0 AND DATE '2024-03-01' BETWEEN valid_from AND valid_to"
    )
    assert all_rows(engine, holding) == [("H56.38.05",)]


def test_a_dossier_is_of_the_procedure_in_the_list(engine: Engine) -> None:
    listed = {"procedure_code": "1.004616", "procedure_name": "Cấp giấy", "valid_from": date(2020, 1, 1)}
    deliver(engine, land(engine, "procedures", "2024-01-01"), [listed])
    outcome = deliver(engine, land(engine, "dossiers", "2024-03-01"), [dossier("H56.38.05-240301-0001", procedure_code="1.004616")])
    assert outcome.loaded == 1
    assert (
        one(engine, "SELECT procedure_name FROM warehouse.fact_dossier JOIN warehouse.dim_procedure USING (procedure_key)")[0] == "Cấp giấy"
    )
    assert one(engine, "SELECT success FROM ops.verdict WHERE rule_code = 'DOS-016'")[0]


def test_faults_of_the_validator_are_kept_and_every_row_is_accounted_for(engine: Engine) -> None:
    faults = [
        {"row_number": 7, "rule_code": "STR-010", "column_name": "TONG_TIEN"},
        {"row_number": 7, "rule_code": "BIL-003", "column_name": "TONG_TIEN"},
    ]
    outcome = deliver(engine, land(engine, "bills", "2024-03-01"), [bill("HD-1")], ignored=1, faults=faults)
    assert (outcome.received, outcome.loaded, outcome.quarantined, outcome.ignored) == (3, 1, 1, 1)
    assert all_rows(engine, "SELECT rule_code, severity FROM ops.quarantine ORDER BY 1") == [
        ("BIL-003", "critical"),
        ("STR-010", "critical"),
    ]
    row = one(engine, "SELECT rows_received, rows_loaded, rows_quarantined, rows_ignored, status FROM ops.delivery")
    assert tuple(row) == (3, 1, 1, 1, "loaded")


def test_a_dismissed_row_stays_dismissed_and_a_released_one_that_still_fails_opens_again(engine: Engine) -> None:
    faults = [{"row_number": number, "rule_code": "BIL-003", "column_name": "TONG_TIEN"} for number in (7, 8)]
    delivery = land(engine, "bills", "2024-03-01")
    deliver(engine, delivery, [bill("HD-1")], faults=faults)
    with engine.begin() as connection:
        connection.execute(
            text("UPDATE ops.quarantine SET status = CASE row_number WHEN 7 THEN 'dismissed' ELSE 'released' END, decided_at = now()")
        )
    assert releasable(engine) == [delivery.delivery_id]
    deliver(engine, delivery, [bill("HD-1")], faults=faults)
    assert all_rows(engine, "SELECT row_number, status FROM ops.quarantine ORDER BY 1") == [(7, "dismissed"), (8, "open")]
    assert releasable(engine) == []


def test_a_rejected_delivery_leaves_a_reason_and_no_rows(engine: Engine) -> None:
    delivery = land(engine, "bills", "2024-03-01")
    outcome = reject(engine, delivery, Rejected("STR-008", "Dòng tổng cộng không khớp."), received=5)
    assert conserves(outcome)
    row = one(engine, "SELECT status, verdict, message_vi, rows_received, rows_quarantined FROM ops.delivery")
    assert tuple(row) == ("rejected", "reject", "Dòng tổng cộng không khớp.", 5, 5)
    assert all_rows(engine, "SELECT rule_code, success FROM ops.verdict") == [("STR-008", False)]


def refused_for(rows: range) -> Any:
    """Checks of a delivery that the loader finds a unit code in, and the reader some days, before it is refused."""
    faults = [{"row_number": number, "rule_code": "STR-010", "column_name": "NGAY_PHANH"} for number in rows]
    part = checked("bills", [bill("HD-1"), bill("HD-2", unit_code="99999")], faults=faults)
    yield part
    results = [
        RuleResult("STR-010", "critical", "row", False, f"{len(rows)} dòng", len(rows)),
        RuleResult("BIL-003", "critical", "row", True, None, 0),
    ]
    raise Rejected("BIL-009", "Quá nhiều lỗi.", results, part.faults)


def test_a_refusal_keeps_what_was_found_of_its_rows_anew_each_time_it_is_read(engine: Engine) -> None:
    delivery = land(engine, "bills", "2024-03-01")
    for rows in (range(3, 6), range(3, 5)):
        with pytest.raises(Rejected) as refused:
            load(engine, delivery, contract("bills"), refused_for(rows))
        outcome = reject(engine, delivery, refused.value, received=2 + len(rows))
        assert conserves(outcome)
        assert outcome.message_vi is not None
        assert outcome.message_vi.startswith(f"Quá nhiều lỗi. Lỗi đã thấy: STR-010 – {len(rows)} dòng; BIL-007 – ")
        assert 'cột "MA_DVHC"' in outcome.message_vi
        assert "99999" not in outcome.message_vi
    assert all_rows(engine, "SELECT row_number, rule_code, column_name, status FROM ops.quarantine ORDER BY 1") == [
        (2, "BIL-007", "MA_DVHC", "rejected"),
        (3, "STR-010", "NGAY_PHANH", "rejected"),
        (4, "STR-010", "NGAY_PHANH", "rejected"),
    ]
    found = all_rows(engine, "SELECT rule_code, success, unexpected_count FROM ops.verdict WHERE rule_code <> 'BIL-001' ORDER BY 1")
    assert {("BIL-003", True, 0), ("BIL-007", False, 1), ("BIL-009", False, 4), ("STR-010", False, 2)} <= set(found)
    with engine.connect() as connection:
        told = {row.rule_code: (row.rows, row.first_row, row.column_name) for row in questions.set_aside(connection)}
    assert told == {"BIL-007": (1, 2, "MA_DVHC"), "STR-010": (2, 3, "NGAY_PHANH")}
    deliver(engine, delivery, [bill("HD-1")])
    assert all_rows(engine, "SELECT * FROM ops.quarantine") == []


def test_rows_of_a_rejected_delivery_cannot_be_released(engine: Engine) -> None:
    delivery = land(engine, "bills", "2024-03-01")
    with pytest.raises(Rejected) as refused:
        load(engine, delivery, contract("bills"), refused_for(range(3, 6)))
    reject(engine, delivery, refused.value, received=5)
    with engine.begin() as connection, pytest.raises(Refusal, match="bị từ chối cả tệp"):
        release(connection, Chosen(delivery.delivery_id), "Lan")
    assert releasable(engine) == []


@pytest.mark.parametrize(
    ("feed", "row", "query"),
    [
        (
            "signatures",
            {"month": "2024-03", "certificates_in_force": 5},
            "SELECT month, certificates_in_force FROM warehouse.fact_signature",
        ),
        (
            "surveys",
            {
                "survey_code": "S1",
                "wave": "1",
                "question_code": "K1b",
                "asked_on": date(2024, 3, 1),
                "respondents": 10,
                "positive_answers": 7,
            },
            "SELECT question_code, positive_answers FROM warehouse.fact_survey",
        ),
        (
            "published_figures",
            {"period": "2024", "indicator_code": "CQ5", "printed": "92,1%", "source_document": "Báo"},
            "SELECT printed_value::text, printed_decimals FROM warehouse.fact_published_figure",
        ),
        (
            "signature_holders",
            {"holder_hash": "0" * 31 + "1", "issued_on": date(2022, 3, 1), "certificate_status": "HIEU_LUC"},
            "SELECT certificate_status, unit_key <> 0 FROM warehouse.fact_signature_holder",
        ),
    ],
)
def test_each_feed_reaches_its_fact(engine: Engine, feed: str, row: Row, query: str) -> None:
    delivery = land(engine, feed, "2024-04-01")
    outcome = deliver(engine, delivery, [{"unit_code": "15655", **row}])
    assert (outcome.loaded, outcome.received) == (1, 1)
    expected = {
        "signatures": ("2024-03", 5),
        "surveys": ("K1b", 7),
        "published_figures": ("92.1000000000", 1),
        "signature_holders": ("HIEU_LUC", True),
    }
    assert all_rows(engine, query) == [expected[feed]]
    assert deliver(engine, delivery, [{"unit_code": "15655", **row}]).loaded == 1


def test_rows_that_come_in_several_chunks_are_one_delivery(engine: Engine) -> None:
    delivery = land(engine, "bills", "2024-03-01")
    parts = [checked("bills", [bill("HD-1")]), checked("bills", [bill("HD-2")])]
    assert load(engine, delivery, contract("bills"), parts).loaded == 2


def test_an_error_on_the_way_leaves_nothing(engine: Engine) -> None:
    def breaking() -> Any:
        yield checked("bills", [bill("HD-1"), bill("HD-2", unit_code="99999")])
        raise pa.ArrowInvalid("the file ends here")

    with pytest.raises(pa.ArrowInvalid):
        load(engine, land(engine, "bills", "2024-03-01"), contract("bills"), breaking())
    assert one(engine, "SELECT (SELECT count(*) FROM warehouse.fact_bill) + (SELECT count(*) FROM ops.quarantine)")[0] == 0
    assert one(engine, "SELECT status FROM ops.delivery")[0] == "landed"


def test_a_daily_file_with_payments_from_around_midnight_is_about_its_day(engine: Engine) -> None:
    first = [payment("T1", paid_at=datetime(2024, 3, 1, 23, 59)), payment("T2", paid_at=datetime(2024, 3, 2, 10))]
    second = [payment("T3", paid_at=datetime(2024, 3, 2, 23, 59)), payment("T4", paid_at=datetime(2024, 3, 3, 10))]
    deliver(engine, land(engine, "payments", "2024-03-02"), first)
    deliver(engine, land(engine, "payments", "2024-03-03"), second)
    assert one(engine, "SELECT count(*) FROM warehouse.fact_payment WHERE known_to = 'infinity'")[0] == 4


def cumulative(month: str, holders: int | None, unit: str = "15655") -> Row:
    """A carrier's report of a unit and month."""
    return {"unit_code": unit, "month": month, "certificates_in_force": 10, "holders_cumulative": holders}


def fallen(engine: Engine, day: str, *rows: Row) -> tuple[int, str | None]:
    """How many rows rule SIG-009 found in a delivery of a day, and its words; all of them are loaded."""
    outcome = deliver(engine, land(engine, "signatures", day), rows)
    assert outcome.loaded == len(rows)
    query = f"SELECT unexpected_count, observed FROM ops.verdict WHERE rule_code = 'SIG-009' AND delivery_id = {outcome.delivery_id}"
    return one(engine, query)


def test_a_cumulative_count_that_falls_is_loaded_and_warned_about_with_its_units_and_rows(engine: Engine) -> None:
    assert fallen(engine, "2024-01-31", cumulative("2024-01", 900), cumulative("2024-01", 50, "15607")) == (0, None)
    assert fallen(engine, "2024-02-29", cumulative("2024-02", 900), cumulative("2024-02", 51, "15607")) == (0, None)
    third = [cumulative("2024-03", 899), cumulative("2024-03", 52, "15610"), cumulative("2024-03", 50, "15607")]
    assert fallen(engine, "2024-03-31", *third) == (2, "2 dòng của 2 đơn vị (dòng 1, 3)")


def test_a_month_without_the_cumulative_count_hides_no_fall(engine: Engine) -> None:
    rows = [cumulative("2024-01", 900), cumulative("2024-02", None), cumulative("2024-03", 899)]
    assert fallen(engine, "2024-03-31", *rows) == (1, "1 dòng của 1 đơn vị (dòng 3)")


def test_an_earlier_month_that_is_corrected_upwards_makes_the_later_one_fall(engine: Engine) -> None:
    assert fallen(engine, "2024-01-31", cumulative("2024-01", 900)) == (0, None)
    assert fallen(engine, "2024-02-29", cumulative("2024-02", 950)) == (0, None)
    assert fallen(engine, "2024-03-10", cumulative("2024-01", 950)) == (0, None)
    assert fallen(engine, "2024-03-11", cumulative("2024-01", 951)) == (1, "1 dòng của 1 đơn vị (dòng 1)")


def test_a_code_that_another_unit_bears_since_the_reform_has_not_fallen(engine: Engine) -> None:
    """15646 was a town to 30 June 2025 and is a larger commune from then on; 15607 went on as it was."""
    assert fallen(engine, "2025-06-30", cumulative("2025-06", 900, "15646"), cumulative("2025-06", 900, "15607")) == (0, None)
    july = [cumulative("2025-07", 100, "15646"), cumulative("2025-07", 100, "15607")]
    assert fallen(engine, "2025-07-31", *july) == (1, "1 dòng của 1 đơn vị (dòng 2)")
