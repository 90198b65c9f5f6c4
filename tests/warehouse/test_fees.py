"""Fees of public services: what the national portal's payment files say beside what the dossiers say."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import Engine

from expectations.contract import contract
from tasks.load import fees
from tests.warehouse.deliveries import deliver, land
from tests.warehouse.test_load_rows import agency, all_rows, dossier
from warehouse.views import FOLDER

Row = dict[str, Any]
TOLD = {"dossiers": "online_payment_code", "payments": "dossier_code"}
"""Feed → column that its layouts must have for it to be compared."""
LATER = {"received_at": datetime(2024, 4, 2, 8)}


def fee(transaction: str, dossier_code: str, amount: int, paid_at: datetime = datetime(2024, 3, 5, 9), **others: Any) -> Row:
    whole = {"transaction_code": transaction, "dossier_code": dossier_code, "amount_vnd": amount, "paid_at": paid_at}
    return {**whole, "service_code": "DVC", "method_code": "QR", "status_code": "settled", **others}


def marked(code: str, fee_vnd: int | None, by: int | None = 1, **others: Any) -> Row:
    """A dossier of Luận Khê (15637), received and handed over on 1 March, with its fee and how it says it was paid."""
    whole = {"fee_vnd": fee_vnd, "online_payment_code": by, "returned_at": datetime(2024, 3, 1, 16)}
    return dossier(code, **{**whole, **others})


def send_dossiers(engine: Engine, day: str, *rows: Row, **given: Any) -> None:
    deliver(engine, land(engine, "dossiers", day, **given), rows)


def send_fees(engine: Engine, day: str, *rows: Row, covers: str = "2024-03", **given: Any) -> Any:
    usual = {"source": "dvcqg", "provider": "dvcqg", "layout": "dvcqg_payment_csv"}
    delivery = land(engine, "payments", day, covers=covers, **{**usual, **given})
    return deliver(engine, delivery, rows)


def classes(engine: Engine) -> list[tuple[Any, ...]]:
    return all_rows(engine, "SELECT dossier_code, class, paid_vnd, fee_vnd, difference_vnd FROM mart.fee_dossier ORDER BY 1, 3")


def reconciled(engine: Engine, unit: str = "15637") -> list[tuple[Any, ...]]:
    query = f"SELECT month, class, dossiers, paid_vnd, fee_vnd, difference_vnd FROM mart.fee_reconciliation WHERE unit_code = '{unit}'"
    return all_rows(engine, f"{query} ORDER BY 1, 2")


@pytest.fixture
def offices(engine: Engine) -> Engine:
    """Luận Khê (15637) and Ngọc Phụng (15655), both of Thường Xuân (396) in Thanh Hóa (38), have an office each."""
    deliver(engine, land(engine, "agencies", "2024-01-01"), [agency("H56.38.05", "15637"), agency("H56.38.14", "15655")])
    return engine


def test_every_dossier_paid_or_marked_is_of_the_class_that_both_sides_make_it(offices: Engine) -> None:
    send_dossiers(
        offices,
        "2024-03-31",
        marked("A", 8000),
        marked("B", 8000),
        marked("C", 8000, by=None),
        marked("D", 15000),
        marked("E", 8000, by=2),
        marked("F", 8000, by=3),
        marked("G", 8000, by=2),
        marked("H", 8000, by=None),
        marked("I", 8000),
        marked("J", None, by=None),
        marked("K", 8000, deleted_at=datetime(2024, 3, 2)),
        marked("L", 8000),
    )
    send_fees(
        offices,
        "2024-04-01",
        fee("1", "A", 8000),
        fee("2", "B", 7000),
        fee("3", "C", 8000),
        fee("4", "D", 5000),
        fee("5", "D", 10000, datetime(2024, 3, 9, 9)),  # the rest of what it costs
        fee("6", "E", 8000),
        fee("7", "F", 9000),
        fee("8", "I", 8000, status_code="pending"),
        fee("9", "J", 4000),
        fee("10", "K", 8000),
        fee("11", "NOT-THERE", 6000, datetime(2024, 3, 31, 20)),
        fee("12", "L", 8000, status_code="failed"),
        fee("13", "L", 8000),
    )
    assert classes(offices) == [
        ("A", "matched", 8000, 8000, 0),
        ("B", "amount_differs", 7000, 8000, -1000),
        ("C", "paid_not_marked", 8000, 8000, 0),
        ("D", "matched", 15000, 15000, 0),
        ("E", "matched", 8000, 8000, 0),
        ("F", "amount_differs", 9000, 8000, 1000),
        ("G", "other_gateway", None, 8000, None),
        ("I", "marked_not_paid", 0, 8000, -8000),
        ("J", "paid_not_marked", 4000, 0, 4000),
        ("K", "no_dossier", 8000, None, None),
        ("L", "matched", 8000, 8000, 0),
        (None, "no_dossier", 6000, None, None),
    ]
    # amount_differs: B + F, 16.000 paid of 16.000; matched: A + D + E + L; K is deleted, its office known all the same
    assert reconciled(offices) == [
        ("2024-03", "amount_differs", 2, 16000, 16000, 0),
        ("2024-03", "marked_not_paid", 1, 0, 8000, -8000),
        ("2024-03", "matched", 4, 39000, 39000, 0),
        ("2024-03", "no_dossier", 1, 8000, None, None),
        ("2024-03", "other_gateway", 1, None, 8000, None),
        ("2024-03", "paid_not_marked", 2, 12000, 8000, 4000),
    ]
    assert reconciled(offices, "0") == [("2024-03", "no_dossier", 1, 6000, None, None)]


def test_units_above_are_added_up_and_a_fee_counts_for_the_month_and_unit_that_received_the_dossier(offices: Engine) -> None:
    of_ngoc_phung = {"agency_code": "H56.38.14"}
    send_dossiers(offices, "2024-04-30", marked("A", 8000), marked("B", 4000, **of_ngoc_phung), marked("C", 2000, **of_ngoc_phung, **LATER))
    send_fees(offices, "2024-04-30", fee("1", "A", 8000), fee("2", "B", 4000, datetime(2024, 4, 1, 9)), covers="2024-03-01/2024-04-30")
    send_fees(offices, "2024-04-30", fee("3", "C", 1000, datetime(2024, 4, 2, 9)), fee("4", "X", 500), covers="2024-04-02", source="other")
    ngoc_phung = [("2024-03", "matched", 1, 4000, 4000, 0), ("2024-04", "amount_differs", 1, 1000, 2000, -1000)]
    assert reconciled(offices, "15637") == [("2024-03", "matched", 1, 8000, 8000, 0)]
    assert reconciled(offices, "15655") == ngoc_phung
    whole = [("2024-03", "matched", 2, 12000, 12000, 0), ("2024-04", "amount_differs", 1, 1000, 2000, -1000)]
    assert reconciled(offices, "396") == whole
    # what belongs to no unit is the province's, which is the only one
    assert reconciled(offices, "38") == [whole[0], ("2024-03", "no_dossier", 1, 500, None, None), whole[1]]


def test_a_unit_that_went_over_keeps_what_it_received_under_those_above_it_then(offices: Engine) -> None:
    now = {"received_at": datetime(2025, 6, 30, 8), "returned_at": datetime(2025, 7, 2, 8)}
    send_dossiers(offices, "2025-07-03", marked("A", 8000, **now))
    send_fees(offices, "2025-07-05", fee("1", "A", 8000, datetime(2025, 7, 1, 9)), covers="2025-07-01/2025-07-04")
    query = "SELECT unit_code, unit_level, month, dossiers FROM mart.fee_reconciliation ORDER BY 1"
    assert all_rows(offices, query) == [
        ("15637", "commune", "2025-06", 1),
        ("38", "province", "2025-06", 1),
        ("396", "district", "2025-06", 1),
    ]


def test_a_mark_is_held_against_no_file_that_has_not_come(offices: Engine) -> None:
    send_dossiers(offices, "2024-04-30", marked("A", 8000), marked("B", 8000, **LATER, returned_at=datetime(2024, 4, 3, 8)))
    assert [row[:2] for row in classes(offices)] == [("A", "not_checkable"), ("B", "not_checkable")]
    send_fees(offices, "2024-05-01", fee("1", "X", 1))
    assert [row[:3] for row in classes(offices)][:2] == [("A", "marked_not_paid", 0), ("B", "not_checkable", None)]
    send_fees(offices, "2024-05-01", fee("2", "Y", 1, datetime(2024, 4, 3, 9)), covers="2024-04")
    assert [row[:3] for row in classes(offices)][:2] == [("A", "marked_not_paid", 0), ("B", "marked_not_paid", 0)]


def test_a_dossier_of_the_last_day_of_a_month_may_be_paid_in_the_next_whose_file_is_awaited(offices: Engine) -> None:
    open_still = {"received_at": datetime(2024, 3, 31, 15), "returned_at": None}
    send_dossiers(offices, "2024-03-31", marked("A", 8000, **open_still), marked("B", 8000, by=None, **open_still))
    send_dossiers(offices, "2024-04-01", marked("B", 8000, **open_still))
    send_fees(offices, "2024-04-02", fee("1", "X", 1))
    # A was marked on 31 March already, B on 1 April
    assert [row[:2] for row in classes(offices)][:2] == [("A", "marked_not_paid"), ("B", "not_checkable")]
    send_dossiers(offices, "2024-04-20", marked("A", 8000, **open_still, finished_at=datetime(2024, 4, 19, 8)))
    assert classes(offices)[0][:2] == ("A", "marked_not_paid")  # that it goes on says nothing new of its mark


def test_a_file_speaks_for_the_days_that_were_over_when_it_was_made(offices: Engine) -> None:
    send_dossiers(offices, "2024-03-31", marked("A", 8000), marked("B", 8000, returned_at=datetime(2024, 3, 20, 8)))
    send_fees(offices, "2024-03-15", fee("1", "X", 1))  # March, made in the middle of it
    assert [row[:2] for row in classes(offices)][:2] == [("A", "marked_not_paid"), ("B", "not_checkable")]


@pytest.mark.parametrize(("is_declared", "found"), [(False, "marked_not_paid"), (True, "not_checkable")])
def test_a_file_named_by_the_day_of_its_export_speaks_from_its_first_payment_unless_the_day_is_declared(
    offices: Engine, is_declared: bool, found: str
) -> None:
    send_dossiers(offices, "2024-03-31", marked("A", 8000))
    rows = fee("1", "X", 1, datetime(2024, 3, 1, 7)), fee("2", "Y", 1, datetime(2024, 3, 8, 7))
    send_fees(offices, "2024-03-08", *rows, covers="2024-03-08", is_declared=is_declared)
    assert classes(offices)[0][:2] == ("A", found)


def test_files_of_other_payments_confirm_nothing(offices: Engine) -> None:
    send_dossiers(offices, "2024-03-31", marked("A", 8000))
    collected = {"transaction_code": "1", "status_code": "settled", "paid_at": datetime(2024, 3, 1, 8), "amount_vnd": 1}
    deliver(offices, land(offices, "payments", "2024-04-01", covers="2024-03"), [collected])
    assert [row[1] for row in classes(offices)] == ["not_checkable"]


def test_what_is_corrected_later_moves_to_its_class(offices: Engine) -> None:
    send_dossiers(offices, "2024-03-31", marked("A", 8000, by=None), marked("B", 8000), marked("C", 8000))
    send_fees(offices, "2024-04-01", fee("1", "A", 8000), fee("2", "B", 8000), fee("3", "LATE", 4000))
    assert [row[:2] for row in classes(offices)] == [
        ("A", "paid_not_marked"), ("B", "matched"), ("C", "marked_not_paid"), (None, "no_dossier"),
    ]  # fmt: skip
    send_dossiers(offices, "2024-04-05", marked("A", 8000), marked("LATE", 4000))  # marked now; and there now
    cancelled = fee("2", "B", 8000, status_code="cancelled")
    send_fees(offices, "2024-04-06", fee("1", "A", 8000), cancelled, fee("3", "LATE", 4000), fee("4", "C", 8000))
    assert [row[:2] for row in classes(offices)] == [("A", "matched"), ("B", "marked_not_paid"), ("C", "matched"), ("LATE", "matched")]
    assert reconciled(offices) == [("2024-03", "marked_not_paid", 1, 0, 8000, -8000), ("2024-03", "matched", 3, 20000, 20000, 0)]


def test_a_dossier_whose_list_has_no_column_for_the_mark_is_not_said_to_lack_it(offices: Engine) -> None:
    row = {"dossier_code": "A", "status_code": "10", "received_at": datetime(2024, 3, 1, 8)}
    send_dossiers(offices, "2024-03-31", row, layout="td_html_xls")
    send_fees(offices, "2024-04-01", fee("1", "A", 8000))
    assert classes(offices) == [("A", "not_checkable", 8000, None, None)]


def test_the_views_name_the_layouts_that_can_say_it() -> None:
    told = {feed: {n for n, layout in contract(feed).layouts.items() if column in layout.columns} for feed, column in TOLD.items()}
    assert set(contract("dossiers").layouts) - told["dossiers"] == {"td_html_xls"}
    assert told["payments"] == {"dvcqg_payment_csv"}
    view = (FOLDER / "mart" / "85_fee_dossier.sql").read_text("utf-8")
    assert set(re.findall(r"layout (?:=|<>) '(\w+)'", view)) == {"td_html_xls", "dvcqg_payment_csv"}


def test_the_rows_of_both_files_can_be_found(offices: Engine) -> None:
    send_dossiers(offices, "2024-03-31", marked("Z", 1), marked("A", 8000))
    send_fees(offices, "2024-04-01", fee("0", "X", 1), fee("1", "A", 7000), fee("2", "A", 500))
    query = "SELECT d.file_name, d.row_number, p.file_name, p.row_number FROM mart.fee_dossier d JOIN mart.fee_payment p"
    assert all_rows(offices, f"{query} USING (dossier_key) WHERE class = 'amount_differs' ORDER BY 4") == [
        ("dossiers_20240331.csv", 2, "payments_20240401.csv", 2),
        ("dossiers_20240331.csv", 2, "payments_20240401.csv", 3),
    ]


# The rule -----------------------------------------------------------------------------------------------------------------


def judged(engine: Engine) -> list[tuple[Any, ...]]:
    return all_rows(engine, "SELECT success, unexpected_count, observed FROM ops.verdict WHERE rule_code = 'PAY-015' ORDER BY delivery_id")


@pytest.mark.parametrize("few", [fees.FEW, 0], ids=["looked up", "gone through"])
def test_a_delivery_of_which_too_little_agrees_is_warned_about(offices: Engine, few: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fees, "FEW", few)
    codes = [f"D{n}" for n in range(20)]
    send_dossiers(offices, "2024-03-31", *(marked(code, 8000, by=None if n < 3 else 1) for n, code in enumerate(codes)))
    outcome = send_fees(offices, "2024-04-01", *(fee(code, code, 8000) for code in codes))
    assert outcome.verdict == "accept_with_flags"
    assert judged(offices) == [(False, 3, "khớp 17/20 hồ sơ (85,0%); đã nộp, hồ sơ chưa ghi 3")]


def test_a_delivery_of_which_nine_of_ten_agree_is_accepted(offices: Engine) -> None:
    codes = [f"D{n}" for n in range(20)]
    dossiers = [marked(code, 8000, by=None if n < 1 else 1) for n, code in enumerate(codes)]
    send_dossiers(offices, "2024-03-31", *dossiers)
    send_fees(offices, "2024-04-01", *(fee(code, code, 8000 if n < 19 else 1) for n, code in enumerate(codes)))
    assert judged(offices) == [(True, 0, "khớp 18/20 hồ sơ (90,0%); lệch số tiền 1; đã nộp, hồ sơ chưa ghi 1")]


def test_few_dossiers_are_no_reason_to_warn(offices: Engine) -> None:
    send_dossiers(offices, "2024-03-31", marked("A", 8000), marked("B", 8000))
    send_fees(offices, "2024-04-01", fee("1", "A", 1), fee("2", "UNKNOWN", 1))
    told = "khớp 0/3 hồ sơ (0,0%); lệch số tiền 1; hồ sơ ghi đã nộp, không có giao dịch 1; nộp cho hồ sơ không có trong dữ liệu 1"
    assert judged(offices) == [(True, 0, told)]


def test_what_other_months_or_payers_of_bills_do_is_not_held_against_a_delivery(offices: Engine) -> None:
    send_dossiers(offices, "2024-05-01", marked("A", 8000), *(marked(f"D{n}", 8000, **LATER) for n in range(30)))
    send_fees(offices, "2024-05-02", fee("0", "Y", 1, datetime(2024, 4, 2, 8)), covers="2024-04", source="earlier")
    send_fees(offices, "2024-05-02", fee("1", "A", 8000))
    deliver(offices, land(offices, "payments", "2024-05-02", covers="2024-03"), [])
    assert judged(offices)[1:] == [(True, 0, "khớp 1/1 hồ sơ (100,0%)")]


def test_payments_whose_dossiers_have_not_come_at_all_say_so_and_alarm_nobody(offices: Engine) -> None:
    paid = [fee(f"T{n}", f"D{n}", 8000) for n in range(25)]
    send_fees(offices, "2024-04-01", *paid)
    awaited = "25 hồ sơ đã nộp mà dữ liệu hồ sơ của những ngày đó chưa đến"
    assert judged(offices) == [(True, 0, f"chưa có gì để đối soát; {awaited}")]
    send_dossiers(offices, "2024-04-30", marked("LATER", 8000, **LATER))  # of another month
    send_fees(offices, "2024-05-01", *paid)
    assert judged(offices)[1] == (True, 0, f"chưa có gì để đối soát; {awaited}")
    send_dossiers(offices, "2024-05-01", *(marked(f"D{n}", 8000) for n in range(20)))
    send_fees(offices, "2024-05-02", *paid)
    assert judged(offices)[2] == (False, 5, "khớp 20/25 hồ sơ (80,0%); nộp cho hồ sơ không có trong dữ liệu 5")


def test_payments_after_the_last_export_of_dossiers_wait_for_the_next(offices: Engine) -> None:
    send_dossiers(offices, "2024-03-10", marked("A", 8000))
    send_fees(offices, "2024-04-01", fee("1", "A", 8000), *(fee(f"T{n}", f"D{n}", 8000, datetime(2024, 3, 11, 8)) for n in range(25)))
    assert judged(offices) == [(True, 0, "khớp 1/1 hồ sơ (100,0%); 25 hồ sơ đã nộp mà dữ liệu hồ sơ của những ngày đó chưa đến")]


def test_a_delivery_that_is_read_again_is_judged_again(offices: Engine) -> None:
    delivery = land(offices, "payments", "2024-04-01", source="dvcqg", provider="dvcqg", covers="2024-03", layout="dvcqg_payment_csv")
    send_dossiers(offices, "2024-03-31", marked("A", 8000))
    deliver(offices, delivery, [fee("1", "A", 1)])
    deliver(offices, replace(delivery, is_loaded=True), [fee("1", "A", 8000)])
    assert judged(offices) == [(True, 0, "khớp 1/1 hồ sơ (100,0%)")]


def test_a_dossier_that_says_no_day_is_of_the_month_in_which_it_was_first_said_to_be_paid(offices: Engine) -> None:
    nothing = {"received_at": None, "returned_at": None, "status_code": "1"}
    send_dossiers(offices, "2024-02-10", marked("A", 8000, by=None, **nothing), marked("B", 8000, by=3, **nothing))
    send_dossiers(offices, "2024-03-10", marked("A", 8000, **nothing), marked("B", 9000, by=3, **nothing))
    send_fees(offices, "2024-04-01", fee("1", "X", 1))
    query = "SELECT dossier_code, class, month FROM mart.fee_dossier WHERE dossier_code IS NOT NULL ORDER BY 1"
    assert all_rows(offices, query) == [("A", "marked_not_paid", "2024-03"), ("B", "other_gateway", "2024-02")]


def test_a_delivery_of_which_every_row_is_set_aside_tells_no_day(offices: Engine) -> None:
    waiting = fee("1", "X", 1) | {"dossier_code": None, "bill_code": "NOT-THERE"}
    assert send_fees(offices, "2024-04-01", waiting).quarantined == 1
    told = "SELECT first_day, last_day FROM ops.coverage JOIN ops.delivery USING (delivery_id) WHERE feed = 'payments'"
    assert all_rows(offices, told) == [(None, None)]
    assert judged(offices) == []
