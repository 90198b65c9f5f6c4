"""A payment and what it pays find each other, whenever either comes: bill, dossier, shop; and a collector's files beside each other."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from expectations.contract import contract
from tasks.ask import questions
from tasks.deliveries.coverage import Stretch
from tasks.load.beside_days import differences
from tasks.load.deliver import load
from tasks.read.file import FAULTS, Chunk
from tasks.report.site import write_site
from tasks.validate.checks import validate
from tasks.words.vietnamese import VIETNAM
from tests.warehouse.deliveries import checked, deliver, land
from tests.warehouse.facts import begin, publish, value
from tests.warehouse.test_load_rows import Row, agency, all_rows, bill, dossier, payment

DOSSIER = "H56.38.05-240301-0001"


def shop(code: str, unit: str, begin: date = date(2023, 1, 1), end: date | None = None, provider: str = "vnpay") -> Row:
    named = {"provider_code": provider, "merchant_code": code, "merchant_name": f"Quán {code}", "merchant_kind": "cua_hang"}
    return {**named, "unit_code": unit, "valid_from": begin, "valid_to": end}


def units(engine: Engine) -> dict[str, str]:
    """Transaction → code of its unit, as known now."""
    return dict(
        all_rows(
            engine,
            "SELECT transaction_code, unit_code FROM warehouse.fact_payment JOIN warehouse.dim_unit USING (unit_key) "
            "WHERE known_to = 'infinity' ORDER BY 1",
        )
    )


def observed(engine: Engine, rule: str) -> list[str | None]:
    """What a rule found in each delivery in which it did not hold, in the order in which these were made."""
    query = f"SELECT observed FROM ops.verdict JOIN ops.delivery USING (delivery_id) WHERE rule_code = '{rule}' AND NOT success"
    return [row[0] for row in all_rows(engine, f"{query} ORDER BY exported_at")]


def paid(engine: Engine, day: str, rows: list[Row], provider: str = "vnpay") -> None:
    """Payments at shops of a provider."""
    shopping = [{"service_code": "MUA_SAM", **row} for row in rows]
    deliver(engine, land(engine, "payments", day, source=f"payments-{provider}", provider=provider), shopping)


# A shop ------------------------------------------------------------------------------------------------------------------


def test_a_shop_that_nobody_knew_gives_its_payments_a_unit_when_a_list_names_it(engine: Engine) -> None:
    deliver(engine, land(engine, "merchants", "2024-01-01"), [shop("S1", "15655")])
    paid(engine, "2024-03-01", [payment("T1", merchant_code="S1"), *(payment(f"T{n}", merchant_code=f"S{n % 2 + 2}") for n in (2, 3, 4))])
    assert units(engine) == {"T1": "15655", "T2": "0", "T3": "0", "T4": "0"}
    assert observed(engine, "PAY-009") == ["3 dòng, 2 mã (dòng 2, 3, 4)"]
    deliver(engine, land(engine, "merchants", "2024-03-05"), [shop("S1", "15655"), shop("S2", "15661")])
    assert units(engine) == {"T1": "15655", "T2": "15661", "T3": "0", "T4": "15661"}
    shops = "SELECT merchant_code, is_inferred FROM warehouse.fact_payment JOIN warehouse.dim_merchant USING (merchant_key)"
    assert all_rows(engine, f"{shops} WHERE known_to = 'infinity' ORDER BY 1") == [
        ("S1", False), ("S2", False), ("S2", False), ("S3", True),
    ]  # fmt: skip


def test_a_shop_of_another_unit_takes_its_payments_along_from_the_export_of_the_list(engine: Engine) -> None:
    deliver(engine, land(engine, "merchants", "2024-01-01"), [shop("S1", "15655"), shop("S2", "15655")])
    paid(engine, "2024-03-01", [payment("T1", merchant_code="S1"), payment("T2", merchant_code="S2")])
    deliver(engine, land(engine, "merchants", "2024-03-05"), [shop("S1", "15661"), shop("S2", "15655")])
    states = (
        "SELECT transaction_code, unit_code, known_from::text, known_to::text FROM warehouse.fact_payment "
        "JOIN warehouse.dim_unit USING (unit_key) ORDER BY 1, 3"
    )
    assert all_rows(engine, states) == [
        ("T1", "15655", "2024-03-01 23:59:59+07", "2024-03-05 23:59:59+07"),
        ("T1", "15661", "2024-03-05 23:59:59+07", "infinity"),
        ("T2", "15655", "2024-03-01 23:59:59+07", "infinity"),
    ]


def test_a_shop_that_moved_has_its_payments_where_it_stood_on_their_day(engine: Engine) -> None:
    deliver(engine, land(engine, "merchants", "2024-01-01"), [shop("S1", "15655")])
    days = {"T1": datetime(2024, 2, 29, 23, 59), "T2": datetime(2024, 3, 1, 0, 0)}
    paid(engine, "2024-03-01", [payment(code, merchant_code="S1", paid_at=at) for code, at in days.items()])
    moved = [shop("S1", "15655", end=date(2024, 2, 29)), shop("S1", "15661", begin=date(2024, 3, 1))]
    deliver(engine, land(engine, "merchants", "2024-03-05"), moved)
    assert units(engine) == {"T1": "15655", "T2": "15661"}


def test_a_shop_lies_in_the_unit_that_took_over_on_the_day_of_the_reform(engine: Engine) -> None:
    days = {"T1": datetime(2025, 6, 30, 8), "T2": datetime(2025, 7, 1, 8)}
    paid(engine, "2025-07-01", [payment(code, merchant_code="S1", paid_at=at) for code, at in days.items()])
    deliver(engine, land(engine, "merchants", "2025-07-02"), [shop("S1", "15655")])
    ends = all_rows(
        engine,
        "SELECT transaction_code, business_date BETWEEN u.valid_from AND u.valid_to, unit_code <> '0' FROM warehouse.fact_payment p "
        "JOIN warehouse.dim_unit u USING (unit_key) WHERE known_to = 'infinity' ORDER BY 1",
    )
    assert ends == [("T1", True, True), ("T2", True, True)]


def test_payments_of_a_shop_that_a_list_leaves_out_stay_where_they_were(engine: Engine) -> None:
    deliver(engine, land(engine, "merchants", "2024-01-01"), [shop("S1", "15655"), shop("S2", "15655")])
    paid(engine, "2024-03-01", [payment("T1", merchant_code="S1")])
    deliver(engine, land(engine, "merchants", "2024-03-05"), [shop("S2", "15655")])
    assert units(engine) == {"T1": "15655"}
    paid(engine, "2024-03-06", [payment("T2", merchant_code="S1", paid_at=datetime(2024, 3, 6, 8))])
    assert units(engine) == {"T1": "15655", "T2": "0"}


def test_the_terminals_of_two_providers_are_two_shops_though_they_bear_one_number(engine: Engine) -> None:
    paid(engine, "2024-03-01", [payment("T1", merchant_code="S1", amount_vnd=1)])
    paid(engine, "2024-03-01", [payment("T1", merchant_code="S1", amount_vnd=2)], provider="momo")
    deliver(engine, land(engine, "merchants", "2024-03-05"), [shop("S1", "15655"), shop("S1", "15661", provider="momo")])
    found = all_rows(
        engine,
        "SELECT amount_vnd, unit_code FROM warehouse.fact_payment JOIN warehouse.dim_unit USING (unit_key) "
        "WHERE known_to = 'infinity' ORDER BY 1",
    )
    assert found == [(1, "15655"), (2, "15661")]


# Bill, else dossier, else shop -------------------------------------------------------------------------------------------


def test_the_unit_is_the_bills_else_the_dossiers_else_the_shops_whoever_is_unknown(engine: Engine) -> None:
    deliver(engine, land(engine, "bills", "2024-02-28"), [bill("B1", unit_code="15607")])
    deliver(engine, land(engine, "agencies", "2024-01-01"), [agency("H56.38.05", "15661")])
    deliver(engine, land(engine, "dossiers", "2024-03-01"), [dossier(DOSSIER)])
    deliver(engine, land(engine, "merchants", "2024-01-01"), [shop("S1", "15655")])
    paid(
        engine,
        "2024-03-01",
        [
            payment("T1", bill_code="B1", merchant_code="S1"),
            payment("T2", bill_code="B1", merchant_code="NOBODY"),
            payment("T3", dossier_code=DOSSIER, merchant_code="S1"),
            payment("T4", dossier_code=DOSSIER, merchant_code="NOBODY"),
            payment("T5", dossier_code="H56.38.05-240301-0009", merchant_code="S1"),
            payment("T6", merchant_code="NOBODY"),
        ],
    )
    expected = {"T1": "15607", "T2": "15607", "T3": "15661", "T4": "15661", "T5": "15655", "T6": "0"}
    assert units(engine) == expected
    deliver(engine, land(engine, "merchants", "2024-03-05"), [shop("S1", "15646"), shop("NOBODY", "15646")])
    assert units(engine) == {**expected, "T5": "15646", "T6": "15646"}


def test_a_fee_goes_from_the_shops_unit_to_the_dossiers_when_that_comes(engine: Engine) -> None:
    deliver(engine, land(engine, "merchants", "2024-01-01"), [shop("S1", "15655")])
    paid(engine, "2024-03-01", [payment("T1", dossier_code=DOSSIER, merchant_code="S1")])
    deliver(engine, land(engine, "dossiers", "2024-03-02"), [dossier(DOSSIER)])  # of an agency that nobody knows yet
    assert units(engine) == {"T1": "15655"}
    deliver(engine, land(engine, "agencies", "2024-03-03"), [agency("H56.38.05", "15661")])
    assert units(engine) == {"T1": "15661"}


def test_a_payment_follows_its_bill_to_another_unit(engine: Engine) -> None:
    deliver(engine, land(engine, "bills", "2024-02-28"), [bill("B1")])
    paid(engine, "2024-03-01", [payment("T1", bill_code="B1")], provider="ecpay")
    deliver(engine, land(engine, "bills", "2024-03-05"), [bill("B1", unit_code="15661")])
    assert units(engine) == {"T1": "15661"}


# Bills paid in part, twice, partly in cash -------------------------------------------------------------------------------


def test_bills_are_told_apart_by_what_is_paid_of_them_as_the_indicators_count_them(engine: Engine) -> None:
    deliver(engine, land(engine, "bills", "2024-02-28"), [bill(f"B{n}") for n in range(1, 9)])
    payments = [
        payment("T1", bill_code="B1"),
        payment("T2", bill_code="B2", amount_vnd=400),
        payment("T3", bill_code="B3", amount_vnd=600),
        payment("T4", bill_code="B3", amount_vnd=400, method_code="TIEN_MAT"),
        payment("T5", bill_code="B4"),
        payment("T6", bill_code="B4"),
        payment("T7", bill_code="B5", status_code="cancelled"),
        payment("T8", bill_code="B6", method_code="TIEN_MAT"),
        payment("T9", bill_code="B7"),
        payment("T10", bill_code="B7", amount_vnd=300, method_code="TIEN_MAT"),
    ]
    paid(engine, "2024-03-01", payments, provider="ecpay")
    with engine.connect() as connection:
        row = connection.execute(text("SELECT * FROM mart.bill_payment")).mappings().one()
    told = {name: row[name] for name in row if name in ("unit_code", "period", "service_code") or name.endswith(("bills", "_vnd"))}
    # B5 and B8 unpaid, B2 in part, B1 B3 B6 in full, B4 twice and B7 by 300 too much; B3 and B7 partly in cash; B1 B2 B4 B7 without.
    assert told == {
        "unit_code": "15655", "period": "2024-02", "service_code": "DIEN", "bills": 8,
        "unpaid_bills": 2, "partly_paid_bills": 1, "paid_bills": 3, "overpaid_bills": 2, "cashless_bills": 4, "partly_in_cash_bills": 2,
        "amount_vnd": 8000, "paid_vnd": 1000 + 400 + 1000 + 2000 + 1000 + 1300, "paid_in_cash_vnd": 400 + 1000 + 300,
        "owed_vnd": 600 + 1000 + 1000, "overpaid_vnd": 1000 + 300,
    }  # fmt: skip
    publish(engine)
    assert observed(engine, "PAY-021") == ["2 hóa đơn, thừa 1.300 đồng"]
    assert value(engine, "K2b", "15655", "2024-02")[:2] == (row["cashless_bills"], row["bills"])  # type: ignore[index]


def test_a_second_payment_of_another_collector_is_told_to_the_one_who_came_second(engine: Engine) -> None:
    deliver(engine, land(engine, "bills", "2024-02-28"), [bill("B1"), bill("B2")])
    paid(engine, "2024-03-01", [payment("T1", bill_code="B1"), payment("T2", bill_code="B2")], provider="ecpay")
    publish(engine)
    assert observed(engine, "PAY-021") == []
    paid(engine, "2024-03-02", [payment("T1", bill_code="B1", amount_vnd=250)], provider="momo")
    publish(engine)
    told = "SELECT provider, observed, verdict FROM ops.verdict v JOIN ops.delivery d USING (delivery_id) WHERE rule_code = 'PAY-021'"
    assert all_rows(engine, told) == [("momo", "1 hóa đơn, thừa 250 đồng", "accept_with_flags")]


def test_what_was_overpaid_stays_told_of_a_delivery_that_is_read_again(engine: Engine) -> None:
    deliver(engine, land(engine, "bills", "2024-02-28"), [bill("B1")])
    twice = [payment("T1", bill_code="B1"), payment("T2", bill_code="B1")]
    landed = land(engine, "payments", "2024-03-01", source="ecpay")
    deliver(engine, landed, twice)
    publish(engine)
    outcome = deliver(engine, replace(landed, is_loaded=True), twice)
    publish(engine)
    assert outcome.verdict == "accept_with_flags"
    assert observed(engine, "PAY-021") == ["1 hóa đơn, thừa 1.000 đồng"]


def test_a_bill_that_is_lowered_below_what_was_paid_is_told(engine: Engine) -> None:
    deliver(engine, land(engine, "bills", "2024-02-28"), [bill("B1"), bill("B2")])
    paid(engine, "2024-03-01", [payment("T1", bill_code="B1"), payment("T2", bill_code="B2")], provider="ecpay")
    publish(engine)
    deliver(engine, land(engine, "bills", "2024-03-05"), [bill("B1", amount_vnd=900), bill("B2")])
    publish(engine)
    assert observed(engine, "BIL-020") == ["1 hóa đơn, thừa 100 đồng"]


def test_payments_that_wait_are_told_by_source_with_the_day_since_which(engine: Engine) -> None:
    paid(engine, "2024-03-01", [payment("T1", bill_code="B1")], provider="ecpay")
    paid(engine, "2024-03-04", [payment("T2", bill_code="B1"), payment("T3", bill_code="B2")], provider="ecpay")
    paid(engine, "2024-03-03", [payment("T1", bill_code="B2")], provider="momo")
    with engine.connect() as connection:
        told = [(row.source, row.rows, row.since.date()) for row in questions.waiting(connection)]
    assert told == [("payments-ecpay", 3, date(2024, 3, 1)), ("payments-momo", 1, date(2024, 3, 3))]


def test_the_stewards_page_says_how_many_payments_wait_and_for_how_long(engine: Engine, tmp_path: Path) -> None:
    paid(engine, "2024-03-01", [payment("T1", bill_code="B1")], provider="ecpay")
    night = datetime(2024, 3, 13, 2, tzinfo=VIETNAM)
    with engine.begin() as connection:
        begin(connection, night)
        write_site(connection, tmp_path)
    page = re.sub(r"<[^>]+>", " ", (tmp_path / "viec-can-lam.html").read_text("utf-8").split('id="cho-hoa-don"')[1].split("</table>")[0])
    assert page.split()[-4:] == ["payments-ecpay", "1", "01/03/2024", "12"]


# What takes a payment back in its own file -----------------------------------------------------------------------------------


@pytest.mark.parametrize("month_is_known", [True, False], ids=["month known", "month new"])
def test_what_takes_a_payment_back_further_down_in_its_file_holds_however_often_it_is_read(engine: Engine, month_is_known: bool) -> None:
    if month_is_known:
        paid(engine, "2024-03-01", [payment("A1", paid_at=datetime(2024, 3, 1, 8))], provider="momo")
    landed = land(engine, "payments", "2024-03-02", source="payments-napas", provider="napas", layout="napas_dat")
    shopping: Row = {"service_code": "MUA_SAM", "merchant_code": "S1"}
    first = [payment(code, **shopping) for code in ("T1", "T2", "T3")]
    last = [payment("T2", **shopping, status_code="cancelled", row_number=4), payment("T4", **shopping, row_number=5)]
    tables = [checked("payments", rows).table for rows in (first, last)]
    outcomes = []
    for is_loaded in (False, True, True):
        chunks = [Chunk(rows, FAULTS.empty_table(), 0, rows.num_rows) for rows in tables]
        parts = validate(chunks, contract("payments"), "napas_dat", landed.file_name)
        outcomes.append(load(engine, replace(landed, is_loaded=is_loaded), contract("payments"), parts))
    states = (
        "SELECT transaction_code, payment_status_code, row_number, known_to = 'infinity' FROM warehouse.fact_payment "
        "JOIN warehouse.dim_payment_status USING (payment_status_key) WHERE transaction_code LIKE 'T%' AND known_to > known_from ORDER BY 1"
    )
    assert all_rows(engine, states) == [
        ("T1", "settled", 1, True), ("T2", "cancelled", 4, True), ("T3", "settled", 3, True), ("T4", "settled", 5, True),
    ]  # fmt: skip
    assert {(one.received, one.loaded + one.unchanged + one.quarantined + one.ignored) for one in outcomes} == {(5, 5)}


# A month file beside day files ----------------------------------------------------------------------------------------------

MARCH = "2024-03"
SAID: dict[str, list[tuple[str, int, int]]] = {
    # file → transaction, day it was paid, amount
    "2024-03-14": [("TA", 14, 100), ("TB", 14, 100), ("TC", 14, 100), ("TD", 13, 100)],
    "2024-03-15": [("TE", 15, 100), ("TF", 15, 100), ("TL", 14, 100)],
    MARCH: [
        ("TA", 14, 100),
        ("TB", 14, 250),
        ("TD", 13, 100),
        ("TE", 15, 100),
        ("TG", 14, 100),
        ("TH", 15, 100),
        ("TI", 20, 100),
        ("TL", 14, 100),
    ],
}
# Of the 14th and 15th, the month file has TG and TH that no day file has, it lacks TC and TF, and TB has another amount; TL was just late.
# TI and TD are of days that have no file.
IN_FORCE = {"TA": 100, "TB": 250, "TC": 100, "TD": 100, "TE": 100, "TF": 100, "TG": 100, "TH": 100, "TI": 100, "TL": 100}


@pytest.mark.parametrize("month_source", ["ecpay", "ecpay-month"])
@pytest.mark.parametrize(
    "order", [("2024-03-14", "2024-03-15", MARCH), (MARCH, "2024-03-14", "2024-03-15"), ("2024-03-15", MARCH, "2024-03-14")]
)
def test_a_month_file_beside_day_files_counts_each_transaction_once_and_tells_what_differs(
    engine: Engine, order: tuple[str, ...], month_source: str
) -> None:
    files(engine, order, month_source)
    found = all_rows(engine, "SELECT transaction_code, amount_vnd FROM warehouse.fact_payment WHERE known_to = 'infinity' ORDER BY 1")
    assert found == sorted(IN_FORCE.items())
    with engine.connect() as connection:
        rows = differences(connection, "ecpay", Stretch.of("2024"))
    assert rows is not None
    told = {row["transaction_code"]: (row["day_row_number"], row["longer_row_number"]) for row in rows}
    assert told == {"TB": (2, 2), "TC": (3, None), "TF": (2, None), "TG": (None, 5), "TH": (None, 6)}
    assert {row["transaction_code"]: (row["day_amount_vnd"], row["longer_amount_vnd"]) for row in rows}["TB"] == (100, 250)


def test_the_month_file_tells_its_differences_by_numbers_in_its_verdict(engine: Engine) -> None:
    files(engine, ("2024-03-14", "2024-03-15", MARCH))
    assert observed(engine, "PAY-022") == [
        "tệp tháng có 2 giao dịch mà các tệp ngày không có; các tệp ngày có 2 giao dịch mà tệp tháng không có; "
        "1 giao dịch khác số tiền; so 2 ngày"
    ]


def test_a_day_file_that_comes_after_the_month_file_tells_what_differs_on_its_day(engine: Engine) -> None:
    files(engine, (MARCH, "2024-03-15"))
    assert observed(engine, "PAY-022") == [
        "tệp tháng có 1 giao dịch mà các tệp ngày không có; các tệp ngày có 1 giao dịch mà tệp tháng không có; so 1 ngày"
    ]


def test_a_day_whose_file_has_not_come_is_no_difference(engine: Engine) -> None:
    files(engine, (MARCH,))
    with engine.connect() as connection:
        assert differences(connection, "ecpay", Stretch.of("2024")) is None
    assert all_rows(engine, "SELECT * FROM ops.verdict WHERE rule_code = 'PAY-022'") == []


def test_what_a_correction_of_the_day_file_puts_right_is_no_difference_any_more(engine: Engine) -> None:
    files(engine, ("2024-03-14", "2024-03-15", MARCH))
    correction = [("TA", 14, 100), ("TB", 14, 250), ("TD", 13, 100), ("TG", 14, 100)]
    deliver(engine, land(engine, "payments", "2024-04-02", source="ecpay", covers="2024-03-14"), [collected(*one) for one in correction])
    with engine.connect() as connection:
        rows = differences(connection, "ecpay", Stretch.of(MARCH))
    assert rows is not None
    assert [row["transaction_code"] for row in rows] == ["TF", "TH"]
    found = all_rows(engine, "SELECT transaction_code, amount_vnd FROM warehouse.fact_payment WHERE known_to = 'infinity' ORDER BY 1")
    assert found == sorted({code: amount for code, amount in IN_FORCE.items() if code != "TC"}.items())  # TC no file says any more


def test_a_row_set_aside_of_one_file_is_not_said_to_be_missing_there(engine: Engine) -> None:
    deliver(engine, land(engine, "payments", "2024-03-14", source="ecpay"), [collected("TA", 14, 100), collected("TB", 14, 100)])
    fault = {"row_number": 2, "rule_code": "PAY-002", "column_name": "SO_TIEN_TTOAN", "natural_key": "TB"}
    month = land(engine, "payments", "2024-03-31", source="ecpay", covers=MARCH)
    deliver(engine, month, [collected("TA", 14, 100)], faults=[fault])
    with engine.connect() as connection:
        assert differences(connection, "ecpay", Stretch.of(MARCH)) == []
    assert observed(engine, "PAY-022") == []


def test_read_again_a_month_file_tells_the_same(engine: Engine) -> None:
    landed = files(engine, ("2024-03-14", "2024-03-15", MARCH))
    before = observed(engine, "PAY-022")
    deliver(engine, replace(landed[MARCH], is_loaded=True), [collected(*one) for one in SAID[MARCH]])
    assert observed(engine, "PAY-022") == before


def collected(code: str, day: int, amount: int) -> Row:
    return payment(code, paid_at=datetime(2024, 3, day, 8), amount_vnd=amount)


def files(engine: Engine, order: tuple[str, ...], month_source: str = "ecpay") -> dict[str, Any]:
    """The files arrive in an order, each made when its stretch ends."""
    landed = {}
    for name in order:
        source, day = (month_source, "2024-03-31") if name == MARCH else ("ecpay", name)
        landed[name] = land(engine, "payments", day, source=source, provider="ecpay", covers=name)
        deliver(engine, landed[name], [collected(*one) for one in SAID[name]])
    return landed
