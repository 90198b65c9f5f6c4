"""When a source still has to speak for a period, and until when."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from expectations.contract import contract
from tasks.deliveries.coverage import Stretch
from tasks.indicators.expected import Expectations, Speaker, _until
from warehouse.indicators import in_force
from warehouse.periods import VIETNAM


def speaker(feed: str = "dossiers", layout: str = "dvcqg_csv", expected: str = "daily", **known: object) -> Speaker:
    usual = {"tells": frozenset(), "until": None, "stretches": (), "closed": frozenset()}
    return Speaker(f"{feed} {layout}", contract(feed), layout, expected, **{**usual, **known})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("expected", "until", "period", "is_awaited"),
    [
        ("daily", date(2024, 4, 30), "2024", True),
        ("daily", date(2024, 4, 30), "2024-04", False),
        ("monthly", date(2025, 1, 4), "2024", False),  # an export made after the end is enough
        ("quarterly", date(2024, 9, 30), "2024", True),
        ("quarterly", date(2024, 9, 30), "2024-Q3", False),
        ("yearly", None, "2024", True),
        ("once", date(2024, 4, 30), "2024", False),
    ],
)
def test_a_source_is_awaited_until_it_has_spoken_to_the_end_of_the_period(
    expected: str, until: date | None, period: str, is_awaited: bool
) -> None:
    assert speaker(expected=expected, until=until).is_awaited(period) == is_awaited


def test_of_a_source_whose_files_are_of_months_a_month_between_them_is_missing() -> None:
    told = tuple(Stretch.of(month) for month in ("2024-01", "2024-03"))
    bills = speaker("bills", "evn_csv", "monthly", until=date(2024, 3, 31), stretches=told)
    assert [bills.is_awaited(period) for period in ("2024-01", "2024-02", "2024-03", "2024-Q1")] == [False, True, False, True]


def test_a_file_named_by_the_last_month_of_a_quarter_is_that_quarters() -> None:
    told = tuple(Stretch.of(month) for month in ("2024-03", "2024-06", "2024-09", "2024-12"))
    assert not speaker("bills", "evn_csv", "quarterly", until=date(2024, 12, 31), stretches=told).is_awaited("2024")


def test_a_stewards_word_closes_all_that_lies_in_the_period() -> None:
    closed = speaker(until=date(2024, 4, 30), closed=frozenset({"2024"}))
    assert [closed.is_awaited(period) for period in ("2024-12", "2024-Q3", "2024", "2025")] == [False, False, False, True]


@pytest.mark.parametrize(
    ("expected", "until", "due"),
    [
        ("daily", date(2024, 4, 30), date(2024, 5, 2)),
        ("monthly", date(2024, 3, 31), date(2024, 5, 10)),
        ("quarterly", date(2024, 9, 30), date(2025, 1, 15)),
        ("yearly", date(2023, 12, 31), date(2025, 1, 31)),
        ("quarterly", None, date(2024, 4, 15)),
    ],
)
def test_the_next_delivery_is_due_days_after_the_stretch_it_is_about(expected: str, until: date | None, due: date) -> None:
    assert speaker(expected=expected, until=until).due("2024") == due


@pytest.mark.parametrize(
    ("made", "said", "is_report", "until"),
    [
        ("2024-12-31T23:59:59", None, False, date(2024, 12, 31)),
        ("2024-12-31T02:00:00", None, False, date(2024, 12, 30)),  # that day is not over
        ("2024-03-10T08:00:00", "2024-03", False, date(2024, 3, 9)),  # nor is the month its name says
        ("2025-01-20T08:00:00", "2024-12", False, date(2024, 12, 31)),  # no more than its name says
        ("2024-12-30T08:00:00", "2024", True, date(2024, 12, 31)),  # an office reports on the year
    ],
)
def test_a_delivery_speaks_for_the_days_before_it_was_made_and_a_report_for_its_period(
    made: str, said: str | None, is_report: bool, until: date
) -> None:
    moment = datetime.fromisoformat(made).replace(tzinfo=VIETNAM)
    assert _until(moment, Stretch.of(said) if said else None, is_report=is_report) == until


def test_an_indicator_waits_for_the_sources_that_send_what_it_counts_and_for_no_others() -> None:
    late = date(2024, 3, 31)
    sources = (
        speaker("bills", "evn_csv", "quarterly", until=date(2024, 12, 31), tells=frozenset({"DIEN"})),
        speaker("bills", "utility_xlsx", "quarterly", until=late, tells=frozenset({"NUOC"})),
        speaker("payments", "ecpay_csv", "monthly", until=date(2024, 12, 31)),
        speaker("payments", "dvcqg_payment_csv", "quarterly", until=late),
        speaker("unit_counts", "unit_counts_csv", "quarterly", until=late, tells=frozenset({"population_adult", "eid_issued"})),
        speaker("signature_holders", "holders_csv", "yearly", until=date(2024, 12, 31)),
    )
    found = {}
    for code in ("K2b", "K2d", "ND3", "CQ1", "ND5", "ST1"):
        indicator = in_force(code, date(2024, 12, 31))
        assert indicator is not None
        found[code] = Expectations(sources).of(indicator, "2024")
    assert {code: told.awaited for code, told in found.items()} == {
        "K2b": [],
        "K2d": ["bills utility_xlsx"],
        "ND3": ["unit_counts unit_counts_csv"],
        "CQ1": [],
        "ND5": ["unit_counts unit_counts_csv"],
        "ST1": [],
    }
    assert (found["K2b"].data_until, found["K2b"].next_due) == (date(2024, 12, 31), None)
    assert (found["K2d"].data_until, found["K2d"].next_due) == (late, date(2024, 7, 15))
    assert found["CQ1"].data_until is None
