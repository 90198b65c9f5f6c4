"""What stewards decide on rows set aside: once, with a reason, in an order that stays; and never over another's head."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from sqlalchemy import Connection, Engine, text

from tasks.ask import to_do, worklist
from tasks.deliveries.ledger import Delivery
from tasks.load.chosen import Chosen
from tasks.load.decisions import assign, comment, dismiss, release
from tasks.load.deliver import reject
from tasks.load.dependents import releasable
from tasks.load.foreseen import Foreseen
from tasks.read.rows import Rejected
from tests.warehouse.deliveries import deliver, land
from tests.warehouse.test_load_rows import all_rows, bill
from warehouse.settings import Refusal

FAULTS = [{"row_number": number, "rule_code": "BIL-003", "column_name": "TONG_TIEN"} for number in (7, 8, 9)]


@pytest.fixture
def delivery(engine: Engine) -> Delivery:
    """One with three rows of a negative amount."""
    sent = land(engine, "bills", "2024-03-01")
    deliver(engine, sent, [bill("HD-1")], faults=FAULTS)
    return sent


def statuses(engine: Engine) -> list[tuple[int, str]]:
    return [tuple(row) for row in all_rows(engine, "SELECT row_number, status FROM ops.quarantine ORDER BY 1")]


def test_a_decision_is_kept_with_reason_person_and_rows_and_none_is_written_over(engine: Engine, delivery: Delivery) -> None:
    mine = Chosen(delivery.delivery_id, "BIL-003", "TONG_TIEN")
    with engine.begin() as connection:
        assert release(connection, replace(mine, rows=(7,)), "Lan", "đã hỏi điện lực") == 1
        assert dismiss(connection, replace(mine, rows=(8, 9)), "Minh", "hóa đơn thử") == 2
        assert dismiss(connection, replace(mine, rows=(7,), status="released"), "Minh", "cũng là hóa đơn thử") == 1
    assert statuses(engine) == [(7, "dismissed"), (8, "dismissed"), (9, "dismissed")]
    with engine.connect() as connection:
        told = worklist.history(connection, delivery.delivery_id)
    assert [(one.made_by, one.kind, one.words, one.rows, one.row_numbers) for one in told] == [
        ("Lan", "released", "đã hỏi điện lực", 1, [7]),
        ("Minh", "dismissed", "hóa đơn thử", 2, [8, 9]),
        ("Minh", "dismissed", "cũng là hóa đơn thử", 1, [7]),
    ]


@pytest.mark.parametrize("reason", ["", "  "])
def test_a_dismissal_says_why(engine: Engine, delivery: Delivery, reason: str) -> None:
    with engine.begin() as connection, pytest.raises(Refusal, match="phải ghi lý do"):
        dismiss(connection, Chosen(delivery.delivery_id), "Lan", reason)
    assert {status for _, status in statuses(engine)} == {"open"}


@pytest.mark.parametrize("words", ["ông A, 038085001234", "gọi 0912345678", "a.b@example.vn"])
def test_what_is_said_names_no_person(engine: Engine, delivery: Delivery, words: str) -> None:
    with pytest.raises(Refusal, match="của cá nhân"), engine.begin() as connection:
        dismiss(connection, Chosen(delivery.delivery_id), "Lan", words)
    with pytest.raises(Refusal, match="của cá nhân"), engine.begin() as connection:
        comment(connection, Chosen(delivery.delivery_id), words, "Lan")
    assert {status for _, status in statuses(engine)} == {"open"}
    assert all_rows(engine, "SELECT * FROM ops.quarantine_note") == []


def test_whoever_decides_second_is_told_who_decided_first_and_nothing_of_it_is_written(engine: Engine, delivery: Delivery) -> None:
    seen = Chosen(delivery.delivery_id, "BIL-003", "TONG_TIEN", seen=3)
    with engine.begin() as connection:
        release(connection, replace(seen, rows=(8,), seen=1), "Lan")
    with pytest.raises(Refusal, match=r"Lan đã quyết định lúc \d\d:\d\d \d\d/\d\d/\d{4} \(cho nạp lại\)\. Chưa ghi gì"):  # noqa: SIM117
        with engine.begin() as connection:
            dismiss(connection, seen, "Minh", "hóa đơn thử")
    with pytest.raises(Refusal, match="Lan đã quyết định"), engine.begin() as connection:
        dismiss(connection, Chosen(delivery.delivery_id, rows=(8, 9)), "Minh", "hóa đơn thử")
    assert statuses(engine) == [(7, "open"), (8, "released"), (9, "open")]
    assert len(all_rows(engine, "SELECT * FROM ops.quarantine_note")) == 1


def test_of_two_who_decide_at_the_same_moment_one_is_refused(engine: Engine, delivery: Delivery) -> None:
    """Each in a transaction of its own, begun before the other's is over."""
    chosen = Chosen(delivery.delivery_id, "BIL-003", seen=3)

    def decide(how: Callable[[Connection], int]) -> str:
        try:
            with engine.begin() as connection:
                how(connection)
                connection.execute(text("SELECT pg_sleep(0.3)"))  # the other comes while this is not committed
                return "done"
        except Refusal as refusal:
            return str(refusal)

    with ThreadPoolExecutor(2) as both:
        said = list(both.map(decide, [lambda one: release(one, chosen, "Lan"), lambda one: dismiss(one, chosen, "Minh", "hóa đơn thử")]))
    assert sorted(one == "done" for one in said) == [False, True]
    assert any("đã quyết định lúc" in one for one in said)
    assert len({status for _, status in statuses(engine)}) == 1
    assert len(all_rows(engine, "SELECT * FROM ops.quarantine_note")) == 1


def test_only_rows_that_would_go_in_are_released_and_none_at_all_is_refused(engine: Engine, delivery: Delivery) -> None:
    chosen = Chosen(delivery.delivery_id, "BIL-003")
    with engine.begin() as connection, pytest.raises(Refusal, match=r"0 trong 3 dòng .* vẫn sai quy tắc BIL-003 \(3 dòng\)"):
        release(connection, chosen, "Lan", foreseen=Foreseen(3, (), {"BIL-003": 3}))
    with engine.begin() as connection:
        assert release(connection, chosen, "Lan", foreseen=Foreseen(3, (7, 9), {"BIL-003": 1})) == 2
    assert statuses(engine) == [(7, "released"), (8, "open"), (9, "released")]
    assert releasable(engine) == [delivery.delivery_id]


def test_a_dismissed_row_stays_out_although_it_breaks_no_rule_any_more_and_is_counted(engine: Engine, delivery: Delivery) -> None:
    with engine.begin() as connection:
        dismiss(connection, Chosen(delivery.delivery_id, rows=(8,)), "Lan", "hóa đơn thử")
    rows = [bill("HD-1"), *({**bill(f"HD-{number}"), "row_number": number} for number in (7, 8, 9))]
    again = deliver(engine, replace(delivery, is_loaded=True), rows)  # the rule was mended
    assert (again.received, again.loaded, again.quarantined) == (4, 3, 1)
    assert statuses(engine) == [(8, "dismissed")]
    assert all_rows(engine, "SELECT bill_code FROM warehouse.fact_bill WHERE known_to = 'infinity' ORDER BY 1") == [
        ("HD-1",), ("HD-7",), ("HD-9",),
    ]  # fmt: skip


def test_when_a_row_was_first_set_aside_stays_when_it_is_read_again(engine: Engine, delivery: Delivery) -> None:
    first = all_rows(engine, "SELECT row_number, seen_at FROM ops.quarantine ORDER BY 1")
    deliver(engine, replace(delivery, is_loaded=True), [bill("HD-1")], faults=FAULTS[1:])
    assert all_rows(engine, "SELECT row_number, seen_at FROM ops.quarantine ORDER BY 1") == first[1:]
    assert all_rows(engine, "SELECT bool_and(checked_at > seen_at) FROM ops.quarantine") == [(True,)]


def test_a_refused_delivery_that_nobody_waits_for_is_dismissed_once(engine: Engine) -> None:
    delivery = land(engine, "bills", "2024-03-01")
    reject(engine, delivery, Rejected("STR-003", "Tệp rỗng."), received=0)
    with engine.connect() as connection:
        [item] = worklist.items(connection)
        assert (item.rule_code, item.is_delivery, item.can_let_pass, item.message_vi) == ("STR-003", True, False, "Tệp rỗng.")
        assert len(to_do.refused(connection)) == 1
    with engine.begin() as connection:
        dismiss(connection, Chosen(delivery.delivery_id), "Lan", "gửi nhầm")
    with engine.connect() as connection:
        assert worklist.items(connection) == []
        assert to_do.refused(connection) == []
    with engine.begin() as connection, pytest.raises(Refusal, match="đã được Lan bỏ hẳn lúc"):
        dismiss(connection, Chosen(delivery.delivery_id), "Minh", "gửi nhầm")


def test_the_worklist_tells_who_sees_to_what_and_what_was_said_last(engine: Engine, delivery: Delivery) -> None:
    about = Chosen(delivery.delivery_id, "BIL-003", "TONG_TIEN")
    with engine.begin() as connection:
        assign(connection, about, "Minh", "Lan")
        comment(connection, about, "đã gọi điện lực", "Minh")
        comment(connection, about, "thứ hai họ gửi lại", "Minh")
        with pytest.raises(Refusal, match="không có dòng nào như vậy"):
            comment(connection, Chosen(delivery.delivery_id, "BIL-004"), "không có", "Minh")
    with engine.connect() as connection:
        [item] = worklist.items(connection)
        rows = worklist.rows_of(connection, delivery.delivery_id, "BIL-003", "TONG_TIEN", limit=2, offset=1)
    assert (item.rows, item.first_row, item.status, item.severity) == (3, 7, "open", "critical")
    assert (item.assignee, item.notes, item.last_note, item.last_note_by) == ("Minh", 3, "thứ hai họ gửi lại", "Minh")
    assert [row.row_number for row in rows] == [8, 9]


def test_a_fault_of_every_delivery_is_no_new_one_and_one_that_was_gone_between_is(engine: Engine) -> None:
    for day, is_broken in (("01", True), ("02", False), ("03", True), ("04", True)):
        deliver(engine, land(engine, "bills", f"2024-03-{day}"), [bill(f"HD-{day}", unit_code="99999" if is_broken else "15655")])
    with engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO ops.run (flow, as_of, started_at, status, host, process_id) "
                "VALUES ('nightly', now(), '2024-03-04', 'completed', '', 1)"
            )
        )
    with engine.connect() as connection:
        items = {f"{item.exported_at:%d}": item for item in worklist.items(connection)}
    assert {day: f"{item.since:%d}" for day, item in items.items()} == {"01": "01", "03": "03", "04": "03"}
    assert not any(item.is_new_fault for item in items.values())
