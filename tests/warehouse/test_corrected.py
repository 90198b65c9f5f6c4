"""What a delivery that replaces another leaves of what was set aside in it: nothing."""

from __future__ import annotations

from datetime import date

from sqlalchemy import Engine

from tasks.load.deliver import reject
from tasks.read.rows import Rejected
from tests.warehouse.deliveries import deliver, land
from tests.warehouse.test_load_rows import all_rows, bill, payment

STATUSES = "SELECT delivery_id, status, corrected_by FROM ops.quarantine ORDER BY 1"


def test_what_waits_in_a_month_waits_no_more_once_the_month_is_sent_again(engine: Engine) -> None:
    deliver(engine, land(engine, "bills", "2024-03-01"), [bill("HD-1")])
    rows = [payment("T1", bill_code="HD-1"), payment("T2", bill_code="HD-2")]
    first, again = (land(engine, "payments", day, covers="2024-03") for day in ("2024-04-01", "2024-04-02"))
    other = land(engine, "payments", "2024-05-01", covers="2024-04")
    deliver(engine, first, rows)
    deliver(engine, other, [payment("T1", bill_code="HD-1")])
    assert all_rows(engine, STATUSES) == [(first.delivery_id, "waiting", None)]
    deliver(engine, again, rows)
    assert all_rows(engine, STATUSES) == [
        (first.delivery_id, "corrected", again.delivery_id),
        (again.delivery_id, "waiting", None),
    ]


def test_a_list_puts_every_list_before_it_right_and_none_of_another_source(engine: Engine) -> None:
    stall = {"provider_code": "vnpay", "merchant_name": "Sạp", "merchant_kind": "cho", "valid_from": date(2023, 1, 1)}
    wrong = [{**stall, "merchant_code": "TMN1", "unit_code": "99999"}, {**stall, "merchant_code": "TMN2", "unit_code": "15655"}]
    first, other = land(engine, "merchants", "2024-01-01"), land(engine, "merchants", "2024-01-01", source="another")
    deliver(engine, first, wrong)
    deliver(engine, other, wrong)
    again = land(engine, "merchants", "2024-02-01")
    deliver(engine, again, wrong[1:])
    assert all_rows(engine, STATUSES) == [(first.delivery_id, "corrected", again.delivery_id), (other.delivery_id, "open", None)]


def test_a_list_that_is_refused_after_a_later_one_was_loaded_does_not_stand(engine: Engine) -> None:
    stall = {"provider_code": "vnpay", "merchant_name": "Sạp", "merchant_kind": "cho", "valid_from": date(2023, 1, 1)}
    later, late, last = (land(engine, "merchants", day) for day in ("2024-02-01", "2024-01-01", "2024-03-01"))
    deliver(engine, later, [{**stall, "merchant_code": "TMN1", "unit_code": "15655"}])
    for delivery in (late, last):
        reject(engine, delivery, Rejected("STR-003", "Tệp rỗng."))
    assert all_rows(engine, "SELECT delivery_id, corrected_by FROM ops.delivery WHERE status = 'rejected' ORDER BY 1") == [
        (late.delivery_id, later.delivery_id),
        (last.delivery_id, None),
    ]
