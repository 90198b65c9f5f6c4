"""What a name says of a file: when it was made, and which days it is about."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.deliveries.coverage import NotSaid, Stretch, as_glob, exported_at, said
from tasks.words.vietnamese import VIETNAM

MODIFIED = datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)
NOW = datetime(2026, 5, 6, tzinfo=UTC)


@pytest.mark.parametrize(
    ("name", "exported", "covers"),
    [
        ("td_20240315.csv", "2024-03-15T23:59:59+07:00", "2024-03-15"),
        ("evn_202402.csv", "2024-02-29T23:59:59+07:00", "2024-02"),
        ("H56-2024_20240401_v2.csv", "2024-04-01T23:59:59+07:00", "2024-04-01"),
        ("d_20240315_200512.csv", "2024-03-15T20:05:12+07:00", "2024-03-15"),
        ("d_20240315T1930.csv", "2024-03-15T19:30:00+07:00", "2024-03-15"),
        ("d_20240315190112.csv", "2024-03-15T19:01:12+07:00", "2024-03-15"),
        ("w_20240301-20240307.csv", "2024-03-07T23:59:59+07:00", "2024-03-01/2024-03-07"),
        ("w_20240301_20240331.csv", "2024-03-31T23:59:59+07:00", "2024-03"),
        ("two_20240307 and 20240301.csv", "2024-03-01T23:59:59+07:00", "2024-03-01"),
        ("H38/2024-Q3/2024-10-26T1814Z/dvc-progress-tree-all.json", "2024-10-27T01:14:00+07:00", "2024-Q3"),
        ("counts_2024.csv", "2024-05-06T14:08:09+07:00", None),
        ("ID_123456789012.csv", "2024-05-06T14:08:09+07:00", None),
        ("td_20240231.csv", "2024-05-06T14:08:09+07:00", None),
        ("td_202413.csv", "2024-05-06T14:08:09+07:00", None),
    ],
)
def test_a_usual_name_is_understood_else_the_time_of_change_says_when(name: str, exported: str, covers: str | None) -> None:
    told = said(name, "in/*")
    assert exported_at(told, MODIFIED, NOW).isoformat() == exported
    assert (told.covers.text if told.covers else None) == covers


@pytest.mark.parametrize(
    ("url", "name", "covers", "unit"),
    [
        ("in/evn_{period:%Y%m}.csv", "evn_202403.csv", "2024-03", None),
        ("sftp://host/out/{period:%Y}/{period:%m}/evn.csv", "2024/03/evn.csv", "2024-03", None),
        ("in/bieu_{unit}_{period:%Y-Q%q}.xlsx", "bieu_ngoc_phung_2024-Q2.xlsx", "2024-Q2", "ngoc_phung"),
        ("in/{from:%Y%m%d}-{to:%Y%m%d}.csv", "20240401-20240630.csv", "2024-Q2", None),
        ("in/*/nam-{period:%Y}.csv", "a/nam-2024.csv", "2024", None),
        ("in/{unit}/x_*.csv", "15655/x_20240315.csv", "2024-03-15", "15655"),
    ],
)
def test_a_pattern_says_what_the_name_means(url: str, name: str, covers: str, unit: str | None) -> None:
    told = said(name, url)
    assert told.covers is not None
    assert (told.covers.text, told.unit) == (covers, unit)


@pytest.mark.parametrize("name", ["evn_20240399.csv", "evn_2024-03.csv", "other_202403.csv"])
def test_a_name_that_does_not_fit_its_pattern_says_nothing(name: str) -> None:
    with pytest.raises(NotSaid):
        said(name, "in/evn_{period:%Y%m%d}.csv")


def test_a_wildcard_takes_the_place_of_what_a_pattern_names() -> None:
    assert as_glob("in/bieu_{unit}_{period:%Y-Q%q}.xlsx") == "in/bieu_*_*.xlsx"


@pytest.mark.parametrize(
    ("modified", "made"),
    [(NOW - timedelta(hours=2), NOW - timedelta(hours=2)), (NOW - timedelta(days=40), NOW), (None, NOW), (NOW + timedelta(days=1), NOW)],
    ids=["changed in it", "changed before it", "nobody knows", "changed tomorrow"],
)
def test_a_file_of_the_month_that_runs_was_made_before_it_ends(modified: datetime | None, made: datetime) -> None:
    assert exported_at(said(f"evn_{NOW:%Y%m}.csv"), modified, NOW) == made


days = st.dates(date(1990, 1, 1), date(2090, 12, 31))


@given(first=days, last=days)
def test_a_stretch_reads_as_it_is_written(first: date, last: date) -> None:
    stretch = Stretch(min(first, last), max(first, last))
    assert Stretch.of(stretch.text) == stretch


@given(day=days, clock=st.times().map(lambda clock: clock.replace(microsecond=0)))
def test_a_time_of_day_in_a_name_is_never_a_date(day: date, clock: datetime) -> None:
    told = said(f"d_{day:%Y%m%d}_{clock:%H%M%S}.csv")
    assert told.covers == Stretch(day, day)
    assert told.made_at is not None
    assert told.made_at.astimezone(VIETNAM).date() == day
