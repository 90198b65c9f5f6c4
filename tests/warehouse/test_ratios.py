"""What deliveries come to, held against the source's own last months and against other feeds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from tasks.deliveries.ledger import Delivery, Outcome, pending
from tasks.load.chosen import Chosen
from tasks.load.decisions import release
from tasks.load.deliver import load, reject
from tasks.read.rows import Rejected
from tests.warehouse.deliveries import checked, contract, deliver, land
from warehouse.settings import Refusal

Row = dict[str, Any]
NGOC_PHUNG, LUAN_KHE = "15655", "15637"


def bills(month: int, amount: int, count: int = 60, **others: Any) -> list[Row]:
    """Bills of a month, of a customer each, that come to this amount on average."""
    service = others.get("service_code", "DIEN")
    usual = {"unit_code": NGOC_PHUNG, "service_code": service, "billing_month": date(2024, month, 1), "issued_on": date(2024, month, 5)}
    spread = (-amount // 2, 0, amount // 2)
    return [
        {**usual, "bill_code": f"{service}-{month}-{n}", "customer_hash": f"{n:032x}", "amount_vnd": amount + spread[n % 3], **others}
        for n in range(count)
    ]


def send(engine: Engine, month: int, rows: Sequence[Row], feed: str = "bills", day: int = 28, **others: Any) -> Outcome:
    return deliver(engine, sent(engine, month, feed, day, **others), rows)


def sent(engine: Engine, month: int, feed: str = "bills", day: int = 28, **others: Any) -> Delivery:
    return land(engine, feed, f"2024-{month:02}-{day:02}", covers=f"2024-{month:02}", **others)


def said(engine: Engine, rule: str) -> tuple[bool, str]:
    """Whether a rule held in the last delivery, and what was observed."""
    query = "SELECT success, observed FROM ops.verdict WHERE rule_code = :rule ORDER BY delivery_id DESC LIMIT 1"
    with engine.connect() as connection:
        found = connection.execute(text(query), {"rule": rule}).one()
        return found.success, found.observed


def numbers(engine: Engine, query: str) -> list[tuple[Any, ...]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(query))]


@pytest.fixture
def quarter(engine: Engine) -> Engine:
    """A warehouse that took electricity bills of three months: 90.000, 100.000 and 120.000 VND on average."""
    for month, amount in ((1, 90_000), (2, 100_000), (3, 120_000)):
        send(engine, month, bills(month, amount))
    return engine


@pytest.mark.parametrize(
    ("amount", "words"),
    [
        (1_000_000, "bình quân 1.000.000 đồng/hóa đơn, các lần trước 100.000: gấp khoảng 10 lần, có thể sai đơn vị tính"),
        (10_000_000, "bình quân 10.000.000 đồng/hóa đơn, các lần trước 100.000: gấp khoảng 100 lần, có thể sai đơn vị tính"),
        (100_000_000, "bình quân 100.000.000 đồng/hóa đơn, các lần trước 100.000: gấp khoảng 1.000 lần, có thể sai đơn vị tính"),
        (100, "bình quân 100 đồng/hóa đơn, các lần trước 100.000: chỉ bằng khoảng 1/1.000, có thể sai đơn vị tính"),
    ],
)
def test_amounts_at_a_factor_of_the_sources_own_last_months_are_refused_whole(quarter: Engine, amount: int, words: str) -> None:
    delivery = sent(quarter, 4)
    with pytest.raises(Rejected) as refused:
        deliver(quarter, delivery, bills(4, amount))
    assert refused.value.rule_code == "BIL-011"
    assert f"(Điện: {words})" in refused.value.message_vi
    outcome = reject(quarter, delivery, refused.value, received=60)
    assert (outcome.loaded, outcome.quarantined) == (0, 60)
    assert said(quarter, "BIL-011") == (False, f"Điện: {words}")
    assert numbers(quarter, "SELECT count(*) FROM warehouse.fact_bill") == [(180,)]
    assert numbers(quarter, "SELECT count(DISTINCT delivery_id) FROM ops.ratio") == [(3,)]  # a refused one is no example


def test_amounts_more_than_doubled_are_taken_and_flagged(quarter: Engine) -> None:
    outcome = send(quarter, 4, bills(4, 210_000))
    assert (outcome.loaded, outcome.verdict) == (60, "accept_with_flags")
    assert said(quarter, "BIL-010") == (False, "Điện: bình quân 210.000 đồng/hóa đơn, các lần trước 100.000: gấp 2,1 lần")
    assert said(quarter, "BIL-011") == (True, "Điện: bình quân 210.000 đồng/hóa đơn, các lần trước 100.000")


def test_an_ordinary_month_is_accepted_and_says_what_it_came_to(quarter: Engine) -> None:
    assert send(quarter, 4, bills(4, 199_000)).verdict == "accept"
    assert said(quarter, "BIL-010") == (True, "Điện: bình quân 199.000 đồng/hóa đơn, các lần trước 100.000")


def test_a_few_bills_are_not_judged(quarter: Engine) -> None:
    assert send(quarter, 4, bills(4, 10_000_000, count=49)).verdict == "accept"


def test_the_first_deliveries_of_a_source_are_not_judged(engine: Engine) -> None:
    for month, amount in ((1, 100), (2, 100_000), (3, 100_000_000)):
        assert send(engine, month, bills(month, amount)).verdict == "accept"
    assert said(engine, "BIL-010") == (True, "Điện: bình quân 100.000.000 đồng/hóa đơn, chưa đủ số liệu để so")


def test_another_source_has_its_own_months(quarter: Engine) -> None:
    assert send(quarter, 4, bills(4, 10_000_000), source="evn-2").verdict == "accept"


def test_of_a_corrected_month_the_correction_is_the_example_and_the_month_itself_none(quarter: Engine) -> None:
    send(quarter, 4, bills(4, 700_000))
    # held against 90.000, 100.000 and 120.000: and not against the month that it corrects
    assert send(quarter, 4, bills(4, 110_000), day=29).verdict == "accept"
    assert said(quarter, "BIL-010")[1].endswith("các lần trước 100.000")
    send(quarter, 5, bills(5, 110_000))
    assert said(quarter, "BIL-010")[1].endswith("các lần trước 105.000")  # of 90, 100, 110 and 120


def test_the_services_of_a_file_are_compared_each_with_itself(engine: Engine) -> None:
    for month in (1, 2, 3):
        send(engine, month, bills(month, 1_000_000) + bills(month, 50_000, service_code="NUOC"))
    outcome = send(engine, 4, bills(4, 1_000_000) + bills(4, 150_000, service_code="NUOC"))
    assert outcome.verdict == "accept_with_flags"
    assert said(engine, "BIL-010") == (False, "Nước sạch: bình quân 150.000 đồng/hóa đơn, các lần trước 50.000: gấp 3,0 lần")
    assert send(engine, 5, bills(5, 100_000, service_code="VSMT")).verdict == "accept"


def test_what_is_usual_is_the_median_of_the_last_twelve(engine: Engine) -> None:
    for day in range(1, 14):
        rows = [{**row, "bill_code": f"{day}-{row['bill_code']}"} for row in bills(1, 10_000 if day == 1 else 100_000 + 2 * day)]
        deliver(engine, land(engine, "bills", f"2024-01-{day:02}"), rows)
    send(engine, 2, bills(2, 100_000))
    assert said(engine, "BIL-010")[1].endswith("các lần trước 100.015")  # between the 7th and the 8th: the 1st is forgotten


def test_a_delivery_that_was_loaded_before_is_flagged_and_stays(engine: Engine) -> None:
    """Earlier months may come later, and then it stands out; what it brought is published, and does not become nothing."""
    delivery = sent(engine, 6)
    deliver(engine, delivery, bills(6, 10_000_000))
    for month in (1, 2, 3):
        send(engine, month, bills(month, 100_000))
    again = Delivery(**{**vars(delivery), "is_loaded": True})
    assert deliver(engine, again, bills(6, 10_000_000)).verdict == "accept_with_flags"
    assert numbers(engine, f"SELECT success FROM ops.verdict WHERE rule_code = 'BIL-011' AND delivery_id = {delivery.delivery_id}") == [
        (False,)
    ]
    assert numbers(engine, "SELECT count(*) FROM ops.ratio WHERE ratio = 'amount_per_bill'") == [(4,)]


def test_a_steward_lets_a_refused_delivery_pass_when_the_new_level_is_right(quarter: Engine, tmp_path: Path) -> None:
    delivery, rows = sent(quarter, 4), bills(4, 1_000_000)
    with pytest.raises(Rejected) as refused:
        deliver(quarter, delivery, rows)
    reject(quarter, delivery, refused.value, received=60)
    assert pending_of_april(quarter, tmp_path) == []
    with quarter.begin() as connection:
        with pytest.raises(Refusal, match=f"bakhong quarantine release {delivery.delivery_id} --rule BIL-011"):
            release(connection, Chosen(delivery.delivery_id), "Lan")
        assert release(connection, Chosen(delivery.delivery_id, "BIL-011"), "Lan") == 60
    with quarter.begin() as connection, pytest.raises(Refusal, match="đã được Lan cho qua lúc"):
        release(connection, Chosen(delivery.delivery_id, "BIL-011"), "Minh")
    [again] = pending_of_april(quarter, tmp_path)
    assert deliver(quarter, again, rows).loaded == 60
    assert said(quarter, "BIL-011")[0] is False
    assert pending_of_april(quarter, tmp_path) == []


def pending_of_april(engine: Engine, home: Path) -> list[Delivery]:
    return [one for one in pending(engine, home) if one.file_name == "bills_20240428.csv" and one.delivery_id in _refused(engine)]


def _refused(engine: Engine) -> set[int]:
    return {row[0] for row in numbers(engine, "SELECT delivery_id FROM ops.delivery WHERE status = 'rejected'")}


@pytest.mark.parametrize("rule", ["BIL-001", "BIL-010"])
def test_nothing_but_what_is_usual_may_be_overruled(quarter: Engine, rule: str) -> None:
    delivery = sent(quarter, 4)
    with pytest.raises(Rejected) as refused:
        deliver(quarter, delivery, bills(4, 1_000_000))
    reject(quarter, delivery, refused.value, received=60)
    with quarter.begin() as connection, pytest.raises(Refusal, match="bị từ chối cả tệp"):
        release(connection, Chosen(delivery.delivery_id, rule), "Lan")


def test_customers_with_two_bills_a_month_are_flagged(engine: Engine) -> None:
    rows = [*bills(1, 100_000), *bills(2, 100_000)]
    assert send(engine, 2, rows).verdict == "accept"  # a bill a month
    rows = [{**row, "billing_month": date(2024, 3, 1), "bill_code": f"{row['bill_code']}-x"} for row in rows]
    assert send(engine, 3, rows).verdict == "accept_with_flags"
    words = "Điện: bình quân 2,00 hóa đơn/khách hàng một tháng, nhiều nhất 1,50: gấp 2,0 lần"
    assert said(engine, "BIL-012") == (False, words)


def counts(engine: Engine, measure: str, told: dict[str, int], period: str = "2023", day: str = "2024-01-02") -> None:
    rows = [{"unit_code": unit, "period": period, "measure": measure, "value": value} for unit, value in told.items()]
    deliver(engine, land(engine, "unit_counts", day, covers=period), rows)


def test_more_household_customers_than_households_are_flagged_where_the_households_are_known(engine: Engine) -> None:
    counts(engine, "households", {NGOC_PHUNG: 100})
    rows = bills(1, 100_000, count=160, is_household=True) + bills(2, 100_000, count=500, is_household=True, unit_code=LUAN_KHE)
    assert send(engine, 2, rows).verdict == "accept_with_flags"
    words = "Điện: bình quân 1,60 khách hàng hộ gia đình/hộ, nhiều nhất 1,50: gấp 1,60 lần"
    assert said(engine, "BIL-014") == (False, words)


def holders(count: int, unit: str = NGOC_PHUNG, first: int = 0, status: str = "HIEU_LUC") -> list[Row]:
    usual = {"unit_code": unit, "issued_on": date(2024, 1, 5), "certificate_status": status}
    return [{**usual, "holder_hash": f"{first + n:032x}"} for n in range(count)]


def test_more_holders_than_adults_of_a_unit_are_flagged(engine: Engine) -> None:
    counts(engine, "population_adult", {NGOC_PHUNG: 500, LUAN_KHE: 120}, period="2022")
    counts(engine, "population_adult", {NGOC_PHUNG: 120}, day="2024-01-03")  # of 2023: the last known
    rows = holders(150) + holders(30, LUAN_KHE, 1_000) + holders(500, LUAN_KHE, 2_000, "HET_HAN")
    assert send(engine, 2, rows, feed="signature_holders").verdict == "accept_with_flags"
    words = "Xã Ngọc Phụng: bình quân 1,25 người được cấp/người trưởng thành, nhiều nhất 1,00: gấp 1,25 lần"
    assert said(engine, "HOL-015") == (False, words)


@pytest.mark.parametrize("adults", [{}, {LUAN_KHE: 50}, {NGOC_PHUNG: 99}])
def test_holders_of_units_without_adults_known_or_with_few_are_not_judged(engine: Engine, adults: dict[str, int]) -> None:
    if adults:
        counts(engine, "population_adult", adults)
    assert send(engine, 2, holders(150), feed="signature_holders").verdict == "accept"


def signatures(month: int, **told: int) -> list[Row]:
    units = {"np": NGOC_PHUNG, "lk": LUAN_KHE}
    return [{"unit_code": units[unit], "month": f"2024-{month:02}", "holders_cumulative": count} for unit, count in told.items()]


def test_a_carriers_cumulative_count_is_held_against_adults_and_against_its_last_months(engine: Engine) -> None:
    counts(engine, "population_adult", {NGOC_PHUNG: 2_000, LUAN_KHE: 3_000})
    for month in (1, 2, 3):
        assert send(engine, month, signatures(month, np=200 + month, lk=300), feed="signatures").verdict == "accept"
    assert send(engine, 4, signatures(4, np=2_040, lk=3_010), feed="signatures").verdict == "accept_with_flags"
    per_adult = "bình quân 1,010 người được cấp/người trưởng thành, các lần trước 0,100: gấp khoảng 10 lần, có thể sai đơn vị tính"
    assert said(engine, "SIG-016") == (False, per_adult)
    words = "bình quân 1,02 người được cấp/người trưởng thành, nhiều nhất 1,00: gấp 1,02 lần"
    assert said(engine, "SIG-015")[1].startswith(f"Xã Ngọc Phụng: {words}; ")


def test_months_of_one_file_count_their_adults_each(engine: Engine) -> None:
    counts(engine, "population_adult", {NGOC_PHUNG: 200})
    rows = [*signatures(1, np=150), *signatures(2, np=160)]
    assert deliver(engine, land(engine, "signatures", "2024-02-28", covers="2024-01-01/2024-02-29"), rows).verdict == "accept"


def payments(day: int, amount: int, count: int = 60, **others: Any) -> list[Row]:
    """Settled payments of a day in January."""
    usual = {"method_code": "QR", "status_code": "settled", "amount_vnd": amount, "paid_at": datetime(2024, 1, day, 9)}
    return [{**usual, "transaction_code": f"{day}-{n}", **{k: v(n) if callable(v) else v for k, v in others.items()}} for n in range(count)]


def paid(engine: Engine, day: int, rows: Sequence[Row], **others: Any) -> Outcome:
    return deliver(engine, land(engine, "payments", f"2024-01-{day:02}", **others), rows)


def test_payments_a_hundred_times_their_bills_are_flagged_on_their_first_day(engine: Engine) -> None:
    send(engine, 1, bills(1, 100_000), day=9)
    paying: dict[str, Callable[[int], str]] = {"bill_code": lambda n: f"DIEN-1-{n}"}
    assert paid(engine, 10, payments(10, 10_000_000, **paying)).verdict == "accept_with_flags"
    words = "bình quân 100,000 đồng trả/đồng ghi trên hóa đơn, lẽ ra khoảng 1,000: gấp khoảng 100 lần, có thể sai đơn vị tính"
    assert said(engine, "PAY-018") == (False, f"Điện: {words}")


def test_bills_paid_in_parts_and_payments_that_were_not_settled_raise_no_alarm(engine: Engine) -> None:
    send(engine, 1, bills(1, 100_000), day=9)
    paying: dict[str, Any] = {"bill_code": lambda n: f"DIEN-1-{n}"}
    failed = [{**row, "transaction_code": f"F{n}", "status_code": "failed"} for n, row in enumerate(payments(10, 90_000_000, **paying))]
    paid(engine, 10, [*payments(10, 60_000, **paying), *failed])
    holds, words = said(engine, "PAY-018")
    assert holds
    assert words.startswith("Điện: bình quân 0,600 đồng trả")


def test_a_provider_that_sends_hundredths_from_one_day_on_is_refused(engine: Engine) -> None:
    for day in (1, 2, 3):
        paid(engine, day, payments(day, 50_000, count=200, service_code="MUA_SAM"))
    assert paid(engine, 4, payments(4, 5_000_000, count=199, service_code="MUA_SAM")).verdict == "accept_with_flags"
    with pytest.raises(Rejected, match="gấp khoảng 100 lần"):
        paid(engine, 5, payments(5, 5_000_000, count=200, service_code="MUA_SAM"))


def shops(count: int) -> list[Row]:
    usual = {
        "provider_code": "vnpay",
        "merchant_name": "Sạp",
        "merchant_kind": "cho",
        "unit_code": NGOC_PHUNG,
        "valid_from": date(2023, 1, 1),
    }
    return [{**usual, "merchant_code": f"T{n}"} for n in range(count)]


def test_payments_in_more_shops_than_the_list_has_are_flagged(engine: Engine) -> None:
    deliver(engine, land(engine, "merchants", "2024-01-01"), shops(6))
    in_shops: dict[str, Any] = {"service_code": "MUA_SAM", "merchant_code": lambda n: f"T{n % 60}"}
    assert paid(engine, 10, payments(10, 50_000, **in_shops), provider="vnpay").verdict == "accept_with_flags"
    words = "bình quân 10,00 điểm có giao dịch/điểm trong danh sách, nhiều nhất 1,00: gấp khoảng 10 lần"
    assert said(engine, "PAY-014") == (False, words)


def test_payments_a_shop_and_day_are_compared_whatever_the_file_covers(engine: Engine) -> None:
    deliver(engine, land(engine, "merchants", "2024-01-01"), shops(6))
    in_shops: dict[str, Any] = {"service_code": "MUA_SAM", "merchant_code": lambda n: f"T{n % 6}"}
    for day in (1, 2, 3):
        assert paid(engine, day, payments(day, 50_000, **in_shops), provider="vnpay").verdict == "accept"
    month = [row for day in range(4, 9) for row in payments(day, 50_000, **in_shops)]
    assert paid(engine, 9, month, provider="vnpay", covers="2024-01-04/2024-01-08").verdict == "accept"
    assert said(engine, "PAY-019") == (True, "bình quân 10,0 giao dịch/điểm một ngày, các lần trước 10,0")
    assert paid(engine, 10, payments(10, 50_000, count=600, **in_shops), provider="vnpay").verdict == "accept_with_flags"
    words = "bình quân 100,0 giao dịch/điểm một ngày, các lần trước 10,0: gấp khoảng 10 lần"
    assert said(engine, "PAY-019") == (False, words)


def test_what_comes_in_several_chunks_is_one_delivery(quarter: Engine) -> None:
    delivery, rows = sent(quarter, 4), bills(4, 210_000)
    load(quarter, delivery, contract("bills"), [checked("bills", rows[:20]), checked("bills", rows[20:])])
    counted = (
        f"SELECT ratio, part, rows_counted, numerator, denominator FROM ops.ratio WHERE delivery_id = {delivery.delivery_id} ORDER BY 1"
    )
    assert numbers(quarter, counted) == [("amount_per_bill", "1", 60, 12_600_000.0, 60.0), ("bills_per_customer", "1", 60, 60.0, 60.0)]
