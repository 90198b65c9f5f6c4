"""Across 1 July 2025: what is open goes over to the unit that took over, what was received stays where it was, and nothing is lost.

Units and successions are those of Nghị quyết 1686/NQ-UBTVQH15; the figures are worked out by hand.
"""

from __future__ import annotations

from datetime import date, datetime
from itertools import permutations
from typing import Any

import pytest
from sqlalchemy import Engine, text

from tasks.count.counting import counting
from tasks.one_stop_shop.form_06a import compute_form_06a, revise_form_06a
from tests.warehouse.deliveries import deliver, land
from tests.warehouse.facts import begin, publish, value
from warehouse.seed import choose_reporting_calendars

NIGHT = datetime.fromisoformat("2025-12-31T23:59:59+07:00")
REFORM, LAST_DAY = date(2025, 7, 1), date(2025, 6, 30)
Row = dict[str, Any]

NGOC_PHUNG, THO_THANH, LUAN_KHE, WARD = "H56.38.14", "H56.38.13", "H56.38.08", "H56.40.01"
THUONG_XUAN, TAN_THANH, DEPARTMENT = "H56.166", "H56.161", "H56.12"
AGENCIES = [
    (NGOC_PHUNG, "UBND xã Ngọc Phụng", "15655", date(2021, 1, 1), LAST_DAY),
    (THO_THANH, "UBND xã Thọ Thanh", "15652", date(2021, 1, 1), LAST_DAY),
    (LUAN_KHE, "UBND xã Luận Khê", "15637", date(2021, 1, 1), LAST_DAY),
    (THUONG_XUAN, "UBND xã Thường Xuân", "15646", REFORM, None),
    (TAN_THANH, "UBND xã Tân Thành", "15661", REFORM, None),
    (DEPARTMENT, "Sở Tư pháp", "38", date(2021, 1, 1), None),
    ("H56.38", "UBND huyện Thường Xuân", "396", date(2021, 1, 1), LAST_DAY),
    (WARD, "UBND phường Hàm Rồng", "14758", date(2021, 1, 1), None),
]
JUNE = datetime(2025, 6, 10, 8)


@pytest.fixture
def shop(engine: Engine) -> Engine:
    """A warehouse that knows the agencies before and after the reform."""
    names = ("agency_code", "agency_name", "unit_code", "valid_from", "valid_to")
    deliver(engine, land(engine, "agencies", "2024-01-01"), [dict(zip(names, row, strict=True)) for row in AGENCIES])
    listed = {"procedure_code": "2.000815", "procedure_name": "Chứng thực", "sector_code": "CT", "sector_name": "Chứng thực"}
    deliver(engine, land(engine, "procedures", "2024-01-01"), [{**listed, "valid_from": date(2020, 1, 1)}])
    return engine


def dossier(number: int, agency: str, received: datetime = JUNE, issued: str = "000.00.38.H56", **others: Any) -> Row:
    """Received online and pending, under a code that says nothing of the agency."""
    row = {"dossier_code": f"{issued}-{received:%y%m%d}-{number:04}", "agency_code": agency, "received_at": received}
    return {**row, "procedure_code": "2.000815", "status_code": "4", "channel_code": "2", **others}


def ended(number: int, agency: str, at: datetime, **others: Any) -> Row:
    return dossier(number, agency, status_code="10", finished_at=at, **others)


def sent(engine: Engine, day: str, *rows: Row) -> None:
    deliver(engine, land(engine, "dossiers", day), list(rows))


def published(engine: Engine, as_of: datetime = NIGHT) -> None:
    with engine.begin() as connection:
        night = counting(connection, as_of)
        compute_form_06a(connection, night)
        held = revise_form_06a(connection, begin(connection, night.as_of))[1]
    assert not held


def lines(engine: Engine, unit: str, name: str | None = None) -> dict[str, tuple[int, ...]]:
    """Period and section → columns (3), (4) + (5), (6), (7), (11) of a unit's form."""
    query = """
        SELECT f.period || CASE WHEN u.unit_level = 'province' THEN ' ' || section ELSE '' END,
            sum(c3), sum(c4 + c5), sum(c6), sum(c7), sum(c11)
        FROM mart.form_06a f JOIN warehouse.dim_unit u ON u.unit_code = f.unit_code AND u.valid_from = f.unit_valid_from
        WHERE f.unit_code = :unit AND (CAST(:name AS text) IS NULL OR u.unit_name = :name)
        GROUP BY 1 ORDER BY 1
    """
    with engine.connect() as connection:
        return {row[0]: tuple(map(int, row[1:])) for row in connection.execute(text(query), {"unit": unit, "name": name})}


def test_what_is_open_goes_over_and_what_was_received_stays(shop: Engine) -> None:
    """The example of the reform: three received in June, two ended in June, one told again in July by the new agency and ended."""
    june = datetime(2025, 6, 20, 9)
    sent(shop, "2025-06-30", ended(1, NGOC_PHUNG, june), ended(2, THO_THANH, june), dossier(3, NGOC_PHUNG))
    sent(shop, "2025-07-20", ended(3, THUONG_XUAN, datetime(2025, 7, 15, 9)))
    published(shop)
    publish(shop, NIGHT)
    assert value(shop, "CQ4", "38", "2025-06") == (3, 3, 100, "P")
    assert lines(shop, "38")["2025 commune"] == (3, 3, 0, 3, 0)
    assert lines(shop, "38")["2025-07 commune"] == (1, 0, 1, 1, 0)
    assert lines(shop, "15655") == dict.fromkeys(["2025", "2025-06", "2025-Q2"], (2, 2, 0, 1, 1))  # no line after its last day
    assert lines(shop, "15646") == dict.fromkeys(["2025", "2025-07", "2025-Q3"], (1, 0, 1, 1, 0))  # taken over on 1 July
    assert lines(shop, "396") == dict.fromkeys(["2025", "2025-06", "2025-Q2"], (3, 3, 0, 2, 1))


def test_what_is_never_told_again_goes_over_by_the_succession_of_units(shop: Engine) -> None:
    sent(shop, "2025-06-30", dossier(1, NGOC_PHUNG))
    published(shop)
    assert lines(shop, "15655")["2025"] == (1, 1, 0, 0, 1)
    assert lines(shop, "15646") == dict.fromkeys(["2025", "2025-07", "2025-Q3"], (1, 0, 1, 0, 1)) | lines(shop, "15646")
    assert lines(shop, "38")["2025 commune"] == (1, 1, 0, 0, 1)


def test_of_a_divided_unit_it_waits_in_a_section_of_its_own_until_the_new_agency_decides(shop: Engine) -> None:
    sent(shop, "2025-06-30", dossier(1, LUAN_KHE), dossier(2, LUAN_KHE))
    sent(shop, "2025-09-10", dossier(2, TAN_THANH))
    published(shop)
    assert lines(shop, "15637")["2025"] == (2, 2, 0, 0, 2)
    assert lines(shop, "38")["2025-07 unknown"] == (1, 0, 1, 0, 1)
    assert lines(shop, "0")["2025-07"] == (1, 0, 1, 0, 1)
    assert lines(shop, "15661")["2025-07"] == (1, 0, 1, 0, 1)
    # Received in the year it is told of: in the year of the province it was received, wherever it stands at the end.
    assert lines(shop, "38")["2025 unknown"] == (1, 1, 0, 0, 1)
    assert lines(shop, "38")["2025 commune"] == (1, 1, 0, 0, 1)


def test_one_handed_to_a_department_has_a_unit_at_every_moment(shop: Engine) -> None:
    sent(shop, "2025-06-30", dossier(1, NGOC_PHUNG))
    sent(shop, "2025-07-20", ended(1, DEPARTMENT, datetime(2025, 7, 15, 9)))
    published(shop)
    publish(shop, NIGHT)
    assert value(shop, "CQ4", "15655", "2025-06") == (1, 1, 100, "A")
    assert lines(shop, "15655")["2025-06"] == (1, 1, 0, 0, 1)
    assert lines(shop, "38")["2025-07 province"] == (1, 0, 1, 1, 0)
    assert sum(line[0] for period, line in lines(shop, "38").items() if period.startswith("2025 ")) == 1


def test_an_agency_that_is_recoded_twice_keeps_its_dossier(shop: Engine) -> None:
    again = {"agency_code": "H56.166.1", "agency_name": "UBND xã Thường Xuân", "unit_code": "15646", "valid_from": date(2025, 9, 1)}
    names = ("agency_code", "agency_name", "unit_code", "valid_from", "valid_to")
    recoded = [dict(zip(names, row, strict=True)) for row in AGENCIES if row[0] != THUONG_XUAN]
    recoded += [{"agency_code": THUONG_XUAN, "agency_name": "UBND xã Thường Xuân", "unit_code": "15646", "valid_from": REFORM,
                 "valid_to": date(2025, 8, 31)}, again]  # fmt: skip
    sent(shop, "2025-06-30", dossier(1, NGOC_PHUNG))
    sent(shop, "2025-07-20", dossier(1, THUONG_XUAN))
    deliver(shop, land(shop, "agencies", "2025-09-01"), recoded)
    sent(shop, "2025-09-20", ended(1, "H56.166.1", datetime(2025, 9, 15, 9)))
    published(shop)
    publish(shop, NIGHT)
    assert value(shop, "CQ4", "15655", "2025-06") == (1, 1, 100, "A")
    assert lines(shop, "15646", "Xã Thường Xuân") == {
        "2025": (1, 0, 1, 1, 0), "2025-07": (1, 0, 1, 0, 1), "2025-08": (1, 0, 1, 0, 1), "2025-09": (1, 0, 1, 1, 0),
        "2025-Q3": (1, 0, 1, 1, 0),
    }  # fmt: skip


def test_what_a_district_had_open_is_not_lost_when_it_ends(shop: Engine) -> None:
    sent(shop, "2025-06-30", dossier(1, "H56.38"))
    published(shop)
    assert lines(shop, "396")["2025"] == (1, 1, 0, 0, 1)
    assert lines(shop, "38")["2025-07 unknown"] == (1, 0, 1, 0, 1)


def test_a_district_that_grew_takes_over_what_its_wards_had_open(shop: Engine) -> None:
    """Thành phố Thanh Hóa took in huyện Đông Sơn on 1 January 2025 (Nghị quyết 1238/NQ-UBTVQH15); its wards stayed as they were."""
    sent(shop, "2024-12-31", dossier(1, WARD, datetime(2024, 12, 20, 8)))
    sent(shop, "2025-01-31", ended(1, WARD, datetime(2025, 1, 10, 9)) | {"received_at": datetime(2024, 12, 20, 8)}
         | {"dossier_code": "000.00.38.H56-241220-0001"})  # fmt: skip
    published(shop)
    assert lines(shop, "380")["2024"] == (1, 1, 0, 0, 1)
    assert lines(shop, "380")["2025-01"] == (1, 0, 1, 1, 0)
    assert lines(shop, "380")["2025"] == (1, 0, 1, 1, 0)


def test_the_code_of_a_dossier_tells_who_received_it_where_nothing_else_does(shop: Engine) -> None:
    sent(shop, "2025-07-20", dossier(1, THUONG_XUAN, issued=NGOC_PHUNG))
    published(shop)
    assert lines(shop, "15655")["2025-06"] == (1, 1, 0, 0, 1)
    assert lines(shop, "15646", "Xã Thường Xuân")["2025-07"] == (1, 0, 1, 0, 1)


def test_without_any_word_of_who_received_it_a_dossier_is_counted_all_the_same(shop: Engine) -> None:
    """Xã Thường Xuân was made of four units: which of them received it in June, nobody says."""
    sent(shop, "2025-07-20", dossier(1, THUONG_XUAN))
    published(shop)
    assert lines(shop, "38")["2025-06 unknown"] == (1, 1, 0, 0, 1)
    assert lines(shop, "15646", "Xã Thường Xuân")["2025-07"] == (1, 0, 1, 0, 1)


def test_an_export_may_say_who_received_and_who_handles(shop: Engine) -> None:
    july = datetime(2025, 7, 10, 8)
    sent(shop, "2025-07-20", dossier(1, TAN_THANH, july, receiving_agency_code=THUONG_XUAN))
    published(shop)
    publish(shop, NIGHT)
    assert value(shop, "CQ4", "15646", "2025-07") == (1, 1, 100, "A")  # counts what a unit received
    assert lines(shop, "15661", "Xã Tân Thành")["2025-07"] == (1, 1, 0, 0, 1)  # the form tells of who handles it
    assert lines(shop, "15646", "Xã Thường Xuân") == {}


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_in_whatever_order_the_exports_arrive_the_same_units_have_it(shop: Engine, order: tuple[int, ...]) -> None:
    exports = [
        ("2025-06-15", dossier(1, NGOC_PHUNG)),
        ("2025-07-20", dossier(1, THUONG_XUAN)),
        ("2025-08-20", ended(1, THUONG_XUAN, datetime(2025, 8, 15, 9))),
    ]
    for place in order:
        sent(shop, exports[place][0], exports[place][1])
    published(shop)
    assert lines(shop, "15655")["2025"] == (1, 1, 0, 0, 1)
    assert lines(shop, "15646", "Xã Thường Xuân")["2025"] == (1, 0, 1, 1, 0)


def test_reports_by_the_decree_begin_on_the_fifteenth(shop: Engine) -> None:
    """Nghị định 09/2019/NĐ-CP, Điều 12: a month from the 15th of the one before to the 14th, a year from 15 December to 14 December."""
    rows = [
        dossier(n, DEPARTMENT, datetime(*day, 8)) for n, day in enumerate([(2024, 12, 14), (2024, 12, 15), (2025, 1, 14), (2025, 1, 15)])
    ]
    sent(shop, "2025-02-28", *rows)
    with shop.begin() as connection:
        choose_reporting_calendars(connection, {"form_06a": "nghi_dinh_09"})
    published(shop, datetime.fromisoformat("2025-02-28T23:59:59+07:00"))
    form = lines(shop, "38")
    assert {period: form[f"{period} province"] for period in ("2024-12", "2025-01", "2025-02", "2024", "2025-Q1", "2025")} == {
        "2024-12": (1, 1, 0, 0, 1), "2025-01": (3, 2, 1, 0, 3), "2025-02": (4, 1, 3, 0, 4),
        "2024": (1, 1, 0, 0, 1), "2025-Q1": (4, 3, 1, 0, 4), "2025": (4, 3, 1, 0, 4),
    }  # fmt: skip


def test_a_shop_and_its_payments_go_over_with_their_unit(shop: Engine) -> None:
    listed = {"provider_code": "vnpay", "merchant_kind": "cho", "valid_from": date(2024, 1, 1)}
    shops = [("CHO1", "15655"), ("CHO2", "15637")]  # xã Ngọc Phụng went whole into xã Thường Xuân, xã Luận Khê was divided
    rows = [{**listed, "merchant_code": code, "merchant_name": code, "unit_code": unit} for code, unit in shops]
    deliver(shop, land(shop, "merchants", "2024-01-02"), rows)
    paid = {"amount_vnd": 1000, "method_code": "QR", "status_code": "THANH_CONG"}
    payments = [
        {**paid, "transaction_code": f"T{code}{at.month}", "merchant_code": code, "paid_at": at}
        for code, _ in shops
        for at in (datetime(2025, 6, 30, 23), datetime(2025, 7, 1, 1))
    ]
    deliver(shop, land(shop, "payments", "2025-07-02", provider="vnpay"), payments)
    query = """
        SELECT transaction_code, merchant_code, unit_name FROM warehouse.fact_payment
        JOIN warehouse.dim_merchant USING (merchant_key) JOIN warehouse.dim_unit u ON u.unit_key = fact_payment.unit_key ORDER BY 1
    """
    with shop.connect() as connection:
        assert [tuple(row) for row in connection.execute(text(query))] == [
            ("TCHO16", "CHO1", "Xã Ngọc Phụng"), ("TCHO17", "CHO1", "Xã Thường Xuân"),
            ("TCHO26", "CHO2", "Xã Luận Khê"), ("TCHO27", "CHO2", "Không rõ"),
        ]  # fmt: skip


def test_a_bill_under_the_code_of_a_unit_that_went_over_whole_is_the_new_ones(shop: Engine) -> None:
    billed = {"customer_hash": None, "service_code": "DIEN", "amount_vnd": 1000, "unit_code": "15655"}
    months = {"B6": date(2025, 6, 1), "B7": date(2025, 7, 1)}
    rows = [{**billed, "bill_code": code, "billing_month": month, "issued_on": date(2025, 8, 5)} for code, month in months.items()]
    divided = {**billed, "bill_code": "B8", "unit_code": "15637", "billing_month": date(2025, 7, 1), "issued_on": date(2025, 8, 5)}
    outcome = deliver(shop, land(shop, "bills", "2025-08-06"), [*rows, divided])
    query = "SELECT bill_code, unit_name FROM warehouse.fact_bill JOIN warehouse.dim_unit USING (unit_key) ORDER BY 1"
    with shop.connect() as connection:
        assert [tuple(row) for row in connection.execute(text(query))] == [("B6", "Xã Ngọc Phụng"), ("B7", "Xã Thường Xuân")]
    assert (outcome.loaded, outcome.quarantined) == (2, 1)


def test_a_list_that_still_names_the_old_unit_speaks_of_the_new_one_after_the_reform(shop: Engine) -> None:
    names = ("agency_code", "agency_name", "unit_code", "valid_from", "valid_to")
    open_ended = [dict(zip(names, (*row[:4], None), strict=True)) for row in AGENCIES if row[0] == NGOC_PHUNG]
    deliver(shop, land(shop, "agencies", "2024-02-01"), open_ended)
    sent(shop, "2025-07-20", ended(1, NGOC_PHUNG, datetime(2025, 7, 15, 9)))
    published(shop)
    assert lines(shop, "15655")["2025"] == (1, 1, 0, 0, 1)
    assert lines(shop, "15646", "Xã Thường Xuân")["2025"] == (1, 0, 1, 1, 0)
