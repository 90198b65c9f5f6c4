"""Every row rule of every contract, on a row that breaks it and on one that just does not (tests/unit/rules)."""

from __future__ import annotations

import weakref
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
import yaml

from expectations.contract import contract, feeds, structure
from tasks.validate.suite import ROWS, check_rows, checked_frame, run_suite

CASES = {path.stem: yaml.safe_load(path.read_text("utf-8")) for path in sorted((Path(__file__).parent / "rules").glob("*.yaml"))}
EXPORTED_ON = date(2024, 3, 31)
RULES = [(feed, code) for feed, tried in CASES.items() for code in tried["cases"]]


def rows(feed: str, several: list[dict[str, Any]]) -> pa.Table:
    """A table as the reader returns it."""
    schema = contract(feed).schema
    arrays = [pa.array(range(1, len(several) + 1), pa.int32())]
    arrays += [pa.array([row.get(field.name) for row in several]).cast(field.type) for field in list(schema)[1:]]
    return pa.table(arrays, schema=schema)


def of_case(tried: dict[str, Any], changed: dict[str, Any] | list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The good row with what a case says of it otherwise; several where a rule can be broken at two ends."""
    return [{**tried["good"], **cells} for cells in (changed if isinstance(changed, list) else [changed])]


@cache
def broken_by(feed: str) -> dict[str, set[str]]:
    """Rule → names of the rows that break it, of the good row and of all cases, checked in one go."""
    tried = CASES[feed]
    named = {"good": tried["good"]}
    for code, case in tried["cases"].items():
        named |= {f"{code} {kind} {place}": row for kind in ("breaks", "holds") for place, row in enumerate(of_case(tried, case[kind]))}
    frame = checked_frame(rows(feed, list(named.values())), contract(feed), tried.get("exported_on", EXPORTED_ON))
    names = list(named)
    return {
        result.expectation_config.meta["rule"]: {names[place] for place in result.result.get("unexpected_index_list") or []}
        for result in run_suite(contract(feed), frame, ROWS).results
    }


@pytest.mark.parametrize(("feed", "code"), RULES)
def test_a_row_that_breaks_the_rule_is_found(feed: str, code: str) -> None:
    breaking = of_case(CASES[feed], CASES[feed]["cases"][code]["breaks"])
    assert {f"{code} breaks {place}" for place in range(len(breaking))} <= broken_by(feed)[code]


@pytest.mark.parametrize(("feed", "code"), RULES)
def test_a_row_that_just_holds_the_rule_breaks_no_critical_one(feed: str, code: str) -> None:
    broken = {other for other, names in broken_by(feed).items() if any(name.startswith(f"{code} holds ") for name in names)}
    assert code not in broken
    assert not {other for other in broken if contract(feed).rule(other).severity == "critical"}


@pytest.mark.parametrize("feed", CASES)
def test_a_good_row_breaks_nothing(feed: str) -> None:
    assert [code for code, names in broken_by(feed).items() if "good" in names] == []


@pytest.mark.parametrize("feed", feeds())
def test_no_row_rule_is_left_without_a_case(feed: str) -> None:
    declared = {rule.code for rule in contract(feed).rules if rule.expect}
    assert set(CASES.get(feed, {"cases": {}})["cases"]) == declared


@pytest.mark.parametrize("rule", [*(rule for feed in feeds() for rule in contract(feed).rules), *structure()], ids=lambda rule: rule.code)
def test_a_message_says_in_vietnamese_what_to_do_and_quotes_no_cell(rule: Any) -> None:
    words = rule.message_vi.format(column="Cột", file="tệp.csv", observed="1 dòng")
    assert words.endswith(".")
    assert any(letter in words for letter in "ạảãấầậắằặẻẽếềệểễịỉĩọỏốồộổớờợởụủứừựửữ")


def test_a_code_belongs_to_one_rule_of_one_feed() -> None:
    codes = [rule.code for feed in feeds() for rule in contract(feed).rules] + [rule.code for rule in structure()]
    assert len(codes) == len(set(codes))
    prefixes = {feed: {rule.code[:3] for rule in contract(feed).rules} for feed in feeds()}
    assert all(len(found) == 1 for found in prefixes.values()), prefixes


def restarted(*told: tuple[str, str]) -> list[int | None]:
    """For dossiers as (code, time of day received): 1 where the number fell back, 0 where not, nothing where nobody can know."""
    given = [
        {"dossier_code": code, "received_at": datetime.fromisoformat(f"2024-03-15 {moment}") if moment else None, "status_code": "4"}
        for code, moment in told
    ]
    frame = checked_frame(rows("dossiers", given), contract("dossiers"), EXPORTED_ON)
    return [None if pd.isna(value) else int(value) for value in frame["number_restarts"]]


def test_a_number_that_falls_back_within_its_agency_and_day_is_told_whatever_the_order_of_the_rows() -> None:
    day = "H56.38.14-240315"
    assert restarted((f"{day}-0001", "10:00"), (f"{day}-0008", "09:00"), (f"{day}-0007", "08:00"), (f"{day}-0002", "11:00")) == [1, 0, 0, 1]


def test_numbers_of_other_agencies_and_days_and_longer_ones_are_no_restart() -> None:
    told = [("H56.38.14-240315-0009", "08:00"), ("H56.38.15-240315-0001", "09:00"), ("H56.38.14-240316-0001", "09:00")]
    assert restarted(*told, ("H56.38.14-240315-000010", "10:00")) == [0, 0, 0, 0]


def test_numbers_given_in_the_same_second_and_the_same_number_again_are_no_restart() -> None:
    day = "H56.38.14-240315"
    assert restarted((f"{day}-0002", "08:00"), (f"{day}-0001", "08:00"), (f"{day}-0002", "09:00")) == [0, 0, 0]


def test_a_code_of_another_shape_and_a_dossier_not_received_yet_say_nothing_about_numbers() -> None:
    assert restarted(("HS-1", "08:00"), ("H56.38.14-240315-0001", "")) == [None, None]


@pytest.mark.parametrize("feed", CASES)
def test_rows_checked_beside_those_of_another_delivery_are_judged_as_alone(feed: str) -> None:
    tried, terms = CASES[feed], contract(feed)
    breaking = [row for case in tried["cases"].values() for row in of_case(tried, case["breaks"])]
    day = tried.get("exported_on", EXPORTED_ON)
    parts = [(rows(feed, several), day) for several in ([tried["good"]], [*breaking, tried["good"]], breaking[::-1])]
    alone = [check_rows(terms, [part])[0] for part in parts]
    for together, own in zip(check_rows(terms, parts), alone, strict=True):
        assert [(rule.code, count, list(places)) for rule, count, places in together] == [
            (rule.code, count, list(places)) for rule, count, places in own
        ]


def test_the_rows_that_break_a_warning_are_looked_for_until_enough_are_known() -> None:
    terms, warned = contract("bills"), "BIL-005"
    day = EXPORTED_ON
    part = (rows("bills", [{**CASES["bills"]["good"], **CASES["bills"]["cases"][warned]["breaks"]}]), day)
    for told, places in ((), [0]), ({warned}, []):
        [(count, found)] = [(count, list(found)) for rule, count, found in check_rows(terms, [part], told)[0] if rule.code == warned]
        assert (count, found) == (1, places)


def test_of_the_rows_of_a_run_nothing_is_kept_beyond_the_next() -> None:
    terms = contract("bills")
    first, second = (checked_frame(rows("bills", [CASES["bills"]["good"]]), terms, None) for _ in range(2))
    kept = weakref.ref(first)
    run_suite(terms, first, ROWS)
    del first
    run_suite(terms, second, ROWS)
    assert kept() is None
