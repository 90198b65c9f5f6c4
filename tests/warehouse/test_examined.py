"""What people are told of a delivery is what the ledger says, whichever step found it."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from sqlalchemy import Engine

from tasks.deliveries.source import Source
from tasks.load.deliver import reject
from tasks.read.file import Rejected
from tasks.validate.checks import RuleResult
from tasks.validate.examined import STRETCHES, Examined, Tried, examined
from tests.warehouse.deliveries import deliver, land

EVN = Source("bills", "bills", "evn_csv", "evn", "*.csv", "monthly", title="Điện lực", headers={"THANH_TIEN": "amount_vnd"})


@pytest.fixture
def engine(engine_of_module: Engine) -> Engine:
    """A warehouse for all of them."""
    return engine_of_module


def bill(code: str, **others: Any) -> dict[str, Any]:
    whole = {"bill_code": code, "unit_code": "15655", "service_code": "DIEN", "billing_month": date(2024, 2, 1), "amount_vnd": 1000}
    return {**whole, "issued_on": date(2024, 2, 28), **others}


def fault(row: int, code: str = "BIL-002", column: str = "THANH_TIEN") -> dict[str, Any]:
    return {"row_number": row, "rule_code": code, "column_name": column}


def told(engine: Engine, delivery_id: int) -> Examined:
    [one] = examined(engine, [delivery_id], [EVN])
    return one


def rule(one: Examined, code: str) -> Tried:
    [found] = [tried for tried in one.tried if tried.rule.code == code]
    return found


def test_a_file_of_which_the_loader_sets_every_row_aside_is_not_passed(engine: Engine) -> None:
    delivery = land(engine, "bills", "2024-03-01")
    deliver(engine, delivery, [bill(f"A-{n}", unit_code="99999") for n in range(384)])
    one = told(engine, delivery.delivery_id)
    assert one.judgement == "set_aside"
    [broken] = one.broken
    assert (broken.rule.code, broken.count, broken.rows, broken.labels) == ("BIL-007", 384, "dòng 1–384", ["MA_DVHC"])
    assert (one.source_title, one.period, one.file_name) == ("Điện lực", "ngày 01/03/2024", "bills_20240301.csv")


def test_rows_set_aside_are_told_as_stretches_and_the_rest_is_counted(engine: Engine) -> None:
    rows = [2, 3, 4, *range(10, 10 + 4 * STRETCHES, 2)]
    delivery = land(engine, "bills", "2024-03-02")
    faults = [*(fault(row) for row in rows), fault(3, "STR-010", "NGAY_PHANH"), fault(3, "STR-010", "THANG")]
    found = [RuleResult("BIL-002", "critical", "row", False, None, len(rows)), RuleResult("STR-010", "critical", "row", False, None, 1)]
    deliver(engine, delivery, [bill("B-1")], faults=faults, results=found)
    one = told(engine, delivery.delivery_id)
    assert one.judgement == "flagged"
    odd = ", ".join(str(10 + 2 * n) for n in range(STRETCHES - 1))
    assert rule(one, "BIL-002").rows == f"dòng 2–4, {odd} và {2 * STRETCHES - (STRETCHES - 1)} dòng khác"
    assert (rule(one, "STR-010").rows, rule(one, "STR-010").labels) == ("dòng 3", ["NGAY_PHANH", "THANG"])


def test_rules_of_a_delivery_name_columns_as_its_sender_does_and_none_that_is_not_in_the_file(engine: Engine) -> None:
    delivery = land(engine, "bills", "2024-03-03")
    found = [RuleResult(code, "critical", "row", True, None, 0) for code in ("BIL-003", "BIL-004")]
    deliver(engine, delivery, [bill("C-1")], results=found)
    one = told(engine, delivery.delivery_id)
    assert one.labels["amount_vnd"] == "THANH_TIEN"
    assert rule(one, "BIL-003").sought == 'Số tiền ở cột "THANH_TIEN" âm'
    assert "service_code" not in one.labels  # EVN's files do not write it: they are all of electricity
    assert rule(one, "BIL-004").sought == "Dịch vụ ở một cột không thuộc DIEN, NUOC, VSMT"
    [others] = examined(engine, [delivery.delivery_id], [])
    assert (others.labels["amount_vnd"], others.source_title) == ("TONG_TIEN", "Hóa đơn điện, nước, vệ sinh môi trường (evn)")


def test_a_file_refused_before_a_row_was_read_is_told_with_its_reason(engine: Engine) -> None:
    delivery = land(engine, "bills", "2024-03-04")
    reject(engine, delivery, Rejected("STR-030", "Tệp x có mật khẩu."))
    one = told(engine, delivery.delivery_id)
    assert (one.judgement, one.reason, one.why) == ("rejected", "Tệp x có mật khẩu.", ["Tệp x có mật khẩu."])
    assert one.refusing is not None
    assert one.refusing.rule.code == "STR-030"
    assert {rule.code for rule in one.untried} == {f"BIL-{n:03}" for n in [*range(1, 16), 20]}


def test_what_still_waits_is_not_told_of(engine: Engine) -> None:
    waiting, loaded = land(engine, "bills", "2024-03-05"), land(engine, "bills", "2024-03-06")
    deliver(engine, loaded, [bill("D-1")])
    assert [one.delivery_id for one in examined(engine, {waiting.delivery_id, loaded.delivery_id}, [EVN])] == [loaded.delivery_id]
    assert examined(engine, [], [EVN]) == []
