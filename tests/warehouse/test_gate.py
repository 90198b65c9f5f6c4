"""What is out of line with the edition that readers have holds the next one back until somebody decides."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, Row, select, text

from flows.publish import Published, publish
from tasks.deliveries.run_lock import one_at_a_time
from tasks.indicators.edition import judge, take_back
from tests.warehouse.facts import LUAN_KHE, NGOC_PHUNG, THUONG_XUAN, arrived, bills, close, loading, payments, unit_counts, value
from warehouse.gate import gate
from warehouse.settings import Refusal
from warehouse.tables import fact_unit_count

JUNE, JULY, AUGUST, SEPTEMBER = (datetime(2025, month, 1, tzinfo=UTC) for month in (6, 7, 8, 9))


def a_night(engine: Engine, as_of: datetime, *, is_gated: bool = True) -> Published:
    with one_at_a_time(engine, "nightly", as_of) as run:
        return publish(engine, run.run_id, as_of, is_gated=is_gated)


def shops(connection: Connection, month: int, qr: int, total: int = 1000, unit: str = NGOC_PHUNG, **more: Any) -> int:
    """Shops with a QR code of those there are, as an office counted them in a month of 2024."""
    return unit_counts(connection, unit, f"2024-{month:02}", {"shops_qr": qr, "shops_total": total}, **more)


def half_of_2024(connection: Connection) -> None:
    """Ngọc Phụng from January to June: 40, 42, 41, 43, 42, 44 %; its usual step is two points."""
    for month, qr in enumerate((400, 420, 410, 430, 420, 440), 1):
        shops(connection, month, qr)


def gone(connection: Connection, month: int, at: datetime) -> None:
    """What was counted in a month is said no more."""
    told = select(fact_unit_count.c.delivery_id).where(fact_unit_count.c.period == f"2024-{month:02}", fact_unit_count.c.ended_by.is_(None))
    for delivery_id in connection.scalars(told.distinct()).all():
        close(connection, fact_unit_count, delivery_id, at)


def corrected(connection: Connection, month: int, qr: int, total: int = 1000, at: datetime = JULY) -> int:
    """A month is counted otherwise, by a delivery that takes the place of the one before."""
    gone(connection, month, at)
    return shops(connection, month, qr, total, exported_at=at)


def standing(engine: Engine) -> list[Row[Any]]:
    with engine.connect() as c:
        return list(c.execute(text("SELECT * FROM ops.alarm WHERE ended_by IS NULL ORDER BY alarm_id")))


def is_held(engine: Engine) -> bool:
    with engine.connect() as c:
        return bool(c.scalar(text("SELECT EXISTS (SELECT FROM ops.held_edition WHERE ended_by IS NULL)")))


def share(engine: Engine, period: str, unit: str = NGOC_PHUNG) -> str | None:
    found = value(engine, "K2g", unit, period)
    return None if found is None or found[2] is None else f"{found[2]} {found[3]}"


@pytest.fixture
def half_a_year(engine: Engine) -> Engine:
    """Half of 2024, published."""
    with engine.begin() as c:
        half_of_2024(c)
    assert not a_night(engine, JUNE).is_held
    return engine


def test_the_first_edition_goes_out_however_it_jumps(engine: Engine) -> None:
    with engine.begin() as c:
        for month, qr in enumerate((400, 420, 410, 430, 420, 950), 1):
            shops(c, month, qr)
    assert a_night(engine, JUNE).alarms == []
    assert share(engine, "2024-06") == "95.0 A"


def test_a_step_within_what_the_indicator_does_goes_out_by_itself(half_a_year: Engine) -> None:
    with half_a_year.begin() as c:
        shops(c, 7, 560)
    assert a_night(half_a_year, JULY).alarms == []
    assert share(half_a_year, "2024-07") == "56.0 A"


def test_a_step_beyond_it_holds_the_whole_edition_and_readers_keep_the_last(half_a_year: Engine) -> None:
    with half_a_year.begin() as c:
        brought = shops(c, 7, 900)
        shops(c, 7, 300, unit=LUAN_KHE)
    done = a_night(half_a_year, JULY)
    assert done.is_held
    assert done.publication_id is None
    assert share(half_a_year, "2024-07") is None
    assert share(half_a_year, "2024-07", LUAN_KHE) is None, "the edition is held as a whole"
    assert share(half_a_year, "2024-06") == "44.0 A"
    (told,) = [alarm for alarm in done.alarms if alarm.unit_code == NGOC_PHUNG and alarm.period == "2024-07"]
    assert told.message_vi == "90,0% (900/1.000) so với 44,0% (440/1.000) của tháng 06/2024; thường đổi 2,0 điểm"
    assert told.deliveries == (brought,)
    assert done.not_published[0].startswith(
        "Giữ lại, chưa công bố, chờ quyết định (bakhong gate list): K2g 15655 2024-07, tăng giảm đột ngột: 90,0%"
    )


def test_the_same_finding_stands_from_night_to_night_until_the_source_says_something_else(half_a_year: Engine) -> None:
    with half_a_year.begin() as c:
        wrong = shops(c, 7, 900)
    a_night(half_a_year, JULY)
    first = standing(half_a_year)
    a_night(half_a_year, JULY)
    assert [row.alarm_id for row in standing(half_a_year)] == [row.alarm_id for row in first]
    assert is_held(half_a_year)
    with half_a_year.begin() as c:
        close(c, fact_unit_count, wrong, AUGUST)
        shops(c, 7, 450, exported_at=AUGUST)
    assert not a_night(half_a_year, AUGUST).is_held
    assert standing(half_a_year) == []
    assert not is_held(half_a_year)
    assert share(half_a_year, "2024-07") == "45.0 A"


def test_accepted_with_a_reason_it_goes_out_and_says_so(half_a_year: Engine) -> None:
    with half_a_year.begin() as c:
        shops(c, 7, 900)
    a_night(half_a_year, JULY)
    with half_a_year.begin() as c:
        ids = [row.alarm_id for row in standing(half_a_year)]
        assert judge(c, ids, "accepted", "Chợ Ngọc Phụng dán mã QR cả chợ", "lan") == len(ids)
    done = a_night(half_a_year, JULY)
    assert not done.is_held
    assert share(half_a_year, "2024-07") == "90.0 A"
    with half_a_year.connect() as c:
        went_out = c.execute(text("SELECT decided_by, reason, publication_id FROM ops.alarm WHERE period = '2024-07'")).one()
    assert tuple(went_out) == ("lan", "Chợ Ngọc Phụng dán mã QR cả chợ", done.publication_id)
    assert a_night(half_a_year, AUGUST).alarms == [], "what readers know is no news"
    assert standing(half_a_year) == []


def test_rejected_it_is_held_back_alone_for_as_long_as_the_source_says_so(half_a_year: Engine) -> None:
    with half_a_year.begin() as c:
        wrong = shops(c, 7, 900)
        shops(c, 7, 300, unit=LUAN_KHE)
    a_night(half_a_year, JULY)
    with half_a_year.begin() as c:
        of_commune = [row.alarm_id for row in standing(half_a_year) if row.period == "2024-07"]
        judge(c, of_commune, "rejected", "đếm cả quán đã đóng cửa", "lan")
    done = a_night(half_a_year, JULY)
    assert not done.is_held
    assert ("K2g", NGOC_PHUNG, "2024-07", "không được chấp nhận công bố: đếm cả quán đã đóng cửa") in [
        (one.indicator_code, one.unit_code, one.period, one.reason_vi) for one in done.held_back
    ]
    assert value(half_a_year, "K2g", NGOC_PHUNG, "2024-07") == (None, None, None, "L")
    assert share(half_a_year, "2024-07", LUAN_KHE) == "30.0 A"
    assert value(half_a_year, "K2g", THUONG_XUAN, "2024-07")[:2] == (300, 1000)  # type: ignore[index]  # without the rejected
    with half_a_year.begin() as c:  # something else of the month comes, and the number is still the rejected one
        shops(c, 7, 310, unit="15640")
    a_night(half_a_year, AUGUST)
    assert value(half_a_year, "K2g", NGOC_PHUNG, "2024-07") == (None, None, None, "L")
    with half_a_year.begin() as c:
        close(c, fact_unit_count, wrong, SEPTEMBER)
        shops(c, 7, 450, exported_at=SEPTEMBER)
    assert not a_night(half_a_year, SEPTEMBER).is_held
    assert share(half_a_year, "2024-07") == "45.0 A"
    assert standing(half_a_year) == []


def test_few_cases_move_far_by_chance_and_hold_nothing(engine: Engine) -> None:
    with engine.begin() as c:
        for month, qr in enumerate((5, 6, 5, 6, 5, 6), 1):
            shops(c, month, qr, total=10)
    a_night(engine, JUNE)
    with engine.begin() as c:
        shops(c, 7, 9, total=10)
    assert a_night(engine, JULY).alarms == [], "30 points of ten shops are within four sampling errors (21 points each)"


def test_an_official_number_that_is_halved_is_held(half_a_year: Engine) -> None:
    with half_a_year.begin() as c:
        brought = corrected(c, 3, 205)
    (told,) = [alarm for alarm in a_night(half_a_year, JULY).alarms if alarm.period == "2024-03" and alarm.unit_code == NGOC_PHUNG]
    assert (gate().titled(told.check_code), told.message_vi) == (
        "Số chính thức bị sửa nhiều",
        "20,5% (205/1.000) thay cho 41,0% (410/1.000) đã công bố",
    )
    assert brought in told.deliveries
    assert share(half_a_year, "2024-03") == "41.0 A"


def test_a_correction_of_what_has_no_history_yet_is_its_own_cause(engine: Engine) -> None:
    with engine.begin() as c:
        shops(c, 1, 800)
    a_night(engine, JUNE)
    with engine.begin() as c:
        corrected(c, 1, 400)
    assert a_night(engine, JULY).alarms == []
    assert share(engine, "2024-01") == "40.0 A"


def test_a_denominator_many_times_as_large_is_held_though_the_rate_stays(half_a_year: Engine) -> None:
    with half_a_year.begin() as c:
        corrected(c, 3, 4100, total=10_000)
    (told,) = [alarm for alarm in a_night(half_a_year, JULY).alarms if alarm.period == "2024-03" and alarm.unit_code == NGOC_PHUNG]
    assert told.message_vi == "10.000 thay cho 1.000 đã công bố"


def test_an_official_number_that_is_gone_is_held_and_cannot_be_rejected(half_a_year: Engine) -> None:
    with half_a_year.begin() as c:
        shops(c, 3, 800, unit=LUAN_KHE)
    a_night(half_a_year, JUNE)
    with half_a_year.begin() as c:
        close(c, fact_unit_count, c.execute(select(fact_unit_count.c.delivery_id).where(fact_unit_count.c.value == 410)).scalar_one(), JULY)
    a_night(half_a_year, JULY)
    row = next(row for row in standing(half_a_year) if row.message_vi.startswith("không còn số"))
    assert row.message_vi == "không còn số, đã công bố 41,0% (410/1.000)"
    with half_a_year.begin() as c, pytest.raises(Refusal, match="chờ tệp đã sửa"):
        judge(c, [row.alarm_id], "rejected", "mất thật", "lan")


def test_an_amount_is_judged_by_how_many_bills_it_is_of(engine: Engine) -> None:
    """Four bills of millions of đồng are four cases: half of them is no news, though it is half of millions."""

    def a_month(c: Connection, month: int, cashless: int, **more: Any) -> int:
        day = f"2024-{month:02}-01"
        paid = [{"row_key": 1000 * month + n, "billing_month": day, "issued_on": day, "amount_vnd": 5_000_000} for n in range(4)]
        delivery_id = bills(c, paid, **more)
        payments(c, [{"bill_key": one["row_key"], "business_date": day, "amount_vnd": 5_000_000} for one in paid[:cashless]], **more)
        return delivery_id

    with engine.begin() as c:
        for month in range(1, 8):
            a_month(c, month, 2)
    a_night(engine, JUNE)
    assert value(engine, "K2c", NGOC_PHUNG, "2024-07")[:2] == (10_000_000, 20_000_000)  # type: ignore[index]
    with engine.begin() as c:
        a_month(c, 8, 4)
    assert a_night(engine, JULY).alarms == []


def test_history_that_is_made_up_for_goes_out_whatever_it_says(half_a_year: Engine) -> None:
    with half_a_year.begin() as c:
        shops(c, 7, 900)
    assert a_night(half_a_year, JULY, is_gated=False).alarms == []
    assert share(half_a_year, "2024-07") == "90.0 A"


def test_what_is_held_stays_held_while_history_is_made_up_for(half_a_year: Engine) -> None:
    with half_a_year.begin() as c:
        shops(c, 7, 900)
    assert a_night(half_a_year, JULY).is_held
    assert a_night(half_a_year, AUGUST, is_gated=False).is_held
    assert share(half_a_year, "2024-07") != "90.0 A"


def delivered(connection: Connection, rows: int, day: int) -> int:
    """A delivery of a source that has so many rows, of which the warehouse knows."""
    delivery_id = arrived(connection, "many", datetime(2025, 5, day, tzinfo=UTC))
    loading(connection, delivery_id)
    connection.execute(
        text("UPDATE ops.delivery SET rows_received = :rows, rows_ignored = :rows WHERE delivery_id = :id"),
        {"rows": rows, "id": delivery_id},
    )
    return delivery_id


def test_a_file_of_many_times_the_usual_rows_holds_what_it_changes(engine: Engine) -> None:
    with engine.begin() as c:
        for day in (1, 2, 3):
            delivered(c, 1152, day)
        shops(c, 1, 10, total=20)
    a_night(engine, JUNE)
    with engine.begin() as c:
        huge = delivered(c, 300_000, 4)
        shops(c, 2, 10, total=20)
    done = a_night(engine, JULY)
    (told,) = done.alarms
    assert (told.source, told.deliveries) == ("many", (huge,))
    assert told.message_vi.endswith("300.000 dòng, thường 1.152 dòng")
    assert share(engine, "2024-02") is None
    with engine.begin() as c:
        c.execute(text("INSERT INTO ops.allowance VALUES (:id, 'X', 'lan', now())"), {"id": huge})
    assert a_night(engine, JULY).alarms == [], "a steward who let it pass has decided"


def test_a_source_whose_rows_are_set_aside_holds_the_edition_until_they_are_decided_on(engine: Engine) -> None:
    with engine.begin() as c:
        shops(c, 1, 10, total=20)
    a_night(engine, JUNE)
    with engine.begin() as c:
        bad = delivered(c, 384, 4)
        c.execute(
            text(
                "INSERT INTO ops.quarantine (delivery_id, row_number, rule_code, column_name, severity, message_vi, status) "
                "SELECT :id, n, 'X-1', '', 'critical', 'sai', 'open' FROM generate_series(1, 384) n"
            ),
            {"id": bad},
        )
        shops(c, 2, 10, total=20)
    (told,) = a_night(engine, JULY).alarms
    assert told.message_vi == "384 trong 384 dòng nhận từ lần công bố trước bị để riêng, chưa ai quyết định"
    with engine.begin() as c:
        c.execute(text("UPDATE ops.quarantine SET status = 'dismissed'"))
    assert a_night(engine, JULY).alarms == []


def test_a_required_source_that_is_late_holds_what_it_should_have_had_a_say_in(engine: Engine) -> None:
    with engine.begin() as c:
        shops(c, 1, 10, total=20)
        c.execute(text("INSERT INTO ops.source VALUES ('many', 'unit_counts', 'test', 'monthly', true)"))
        delivered(c, 100, 4)
    a_night(engine, JUNE)
    with engine.begin() as c:
        shops(c, 2, 10, total=20)
    (told,) = a_night(engine, AUGUST).alarms
    assert (told.source, told.message_vi) == ("many", "chưa gửi từ 04/05/2025, hạn 14/06/2025")
    with engine.begin() as c:
        judge(c, [row.alarm_id for row in standing(engine)], "accepted", "nguồn nghỉ hè", "lan")
    assert not a_night(engine, AUGUST).is_held
    with engine.begin() as c:
        shops(c, 3, 10, total=20)
    assert not a_night(engine, SEPTEMBER).is_held, "the same silence was accepted"


def test_nothing_that_would_change_is_not_held(engine: Engine) -> None:
    with engine.begin() as c:
        shops(c, 1, 10, total=20)
        c.execute(text("INSERT INTO ops.source VALUES ('many', 'unit_counts', 'test', 'monthly', true)"))
    a_night(engine, JUNE)
    assert not a_night(engine, JUNE).is_held
    assert not is_held(engine)


def test_two_who_decide_at_once_lose_no_word(half_a_year: Engine) -> None:
    with half_a_year.begin() as c:
        shops(c, 7, 900)
    a_night(half_a_year, JULY)
    ids = [row.alarm_id for row in standing(half_a_year)]
    with half_a_year.begin() as c:
        judge(c, ids[:1], "accepted", "đã kiểm tra", "lan")
    with half_a_year.begin() as c, pytest.raises(Refusal, match="đã được lan chấp nhận: đã kiểm tra"):
        judge(c, ids, "rejected", "sai", "minh")
    assert [row.decision for row in standing(half_a_year)] == ["accepted", *[None] * (len(ids) - 1)], "nothing of the second is written"
    with half_a_year.begin() as c:
        assert take_back(c, ids) == 1
        with pytest.raises(Refusal, match="lý do"):
            judge(c, ids, "accepted", "  ", "minh")
        with pytest.raises(Refusal, match="Không có điểm bất thường số 999"):
            judge(c, [999], "accepted", "ổn", "minh")
