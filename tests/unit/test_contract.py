"""The contracts agree with themselves, and a mistake in a YAML is an error, not a silence."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pyarrow as pa
import pytest
from pydantic import ValidationError

from expectations.contract import ROW_NUMBER, Contract, contract, feeds

SMALL: dict[str, Any] = {
    "feed": "tries",
    "title_vi": "Thử",
    "grain": "one row per try",
    "source": "these tests",
    "natural_key": ["code", "day"],
    "table": "fact_try",
    "replaces": "nothing",
    "columns": {
        "code": {"type": "text", "required": True, "description": "Code", "pattern": r"^[A-Z0-9]{2,20}$"},
        "day": {"type": "date", "required": True, "description": "Day", "pattern": r"^\d{4}-\d{2}-\d{2}$"},
        "amount": {"type": "integer", "description": "Amount"},
        "person": {"type": "dropped", "description": "Name"},
    },
    "layouts": {
        "tries_csv": {
            "kind": "csv",
            "description": "CSV",
            "headers": {"Mã": "code", "Ngày": "day", "Số tiền": "amount", "Họ tên": "person"},
        }
    },
    "rules": [
        {
            "code": "TRY-001",
            "severity": "critical",
            "expect": "ExpectColumnValuesToBeBetween",
            "args": {"column": "amount", "min_value": 0},
            "message_vi": "Số tiền âm. Sửa lại.",
        }
    ],
}


def small(**changes: Any) -> Contract:
    return Contract(**{**SMALL, **changes})


def rule(**changes: Any) -> dict[str, Any]:
    return {**SMALL["rules"][0], **changes}


def test_the_typed_table_has_the_row_number_first_and_no_personal_column() -> None:
    assert small().schema.names == [ROW_NUMBER, "code", "day", "amount"]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"grian": "misspelt"}, "grian"),
        ({"layouts": {"tries_csv": {"kind": "csv", "description": "CSV", "headers": {"Mã": "cod"}}}}, "cod"),
        ({"rules": [rule(), rule()]}, "used twice"),
        ({"rules": [rule(args={"column": "amuont", "min_value": 0})]}, "amuont"),
        ({"rules": [rule(column="person_name")]}, "person_name"),
        ({"rules": [rule(check="unique")]}, "either"),
        ({"rules": [rule(expect=None)]}, "either"),
        ({"rules": [rule(code="try one")]}, "code"),
        ({"derived": {"known": {"present": "person"}}}, "person"),
    ],
)
def test_a_mistake_in_a_contract_is_named(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        small(**changes)


def test_a_feed_without_a_contract_is_named_with_those_there_are() -> None:
    with pytest.raises(LookupError, match=r"dosiers.*dossiers"):
        contract("dosiers")


@pytest.mark.parametrize("feed", feeds())
def test_every_feed_can_tell_a_row_by_required_columns_it_keeps(feed: str) -> None:
    terms = contract(feed)
    keys = [terms.columns[name] for name in terms.natural_key]
    assert all(key.type != "dropped" for key in keys)
    assert all(key.required for key in keys) or feed == "portal_766"  # the empty component is a group's total


@pytest.mark.parametrize("feed", feeds())
def test_every_feed_sets_a_row_aside_that_contradicts_another(feed: str) -> None:
    assert [found.severity for found in contract(feed).rules if found.check == "unique"] == ["critical"]


@pytest.mark.parametrize("feed", feeds())
def test_control_totals_stand_under_headers_that_the_layout_has(feed: str) -> None:
    for layout in contract(feed).layouts.values():
        if layout.totals:
            assert {*layout.totals.sums.values(), *filter(None, [layout.totals.count])} <= layout.headers.keys()


def test_a_message_names_the_column_as_the_file_does() -> None:
    assert small().header("tries_csv", "amount") == "Số tiền"
    assert small().header("tries_csv", "unwritten") == "unwritten"


def test_the_suite_opens_with_the_row_count_and_the_columns() -> None:
    first, second, *_ = small().suite().expectations
    assert first.expectation_type == "expect_table_row_count_to_be_between"
    assert second.expectation_type == "expect_table_columns_to_match_set"


def test_a_suite_can_be_asked_for_some_rules_only() -> None:
    terms = small(rules=[rule(), rule(code="TRY-002")])
    assert [one.meta["rule"] for one in terms.suite({"TRY-002"}).expectations] == ["STR-000", "STR-000", "TRY-002"]


def shown(code: str) -> str | None:
    day = pa.array(["2024-03-15"]).cast(pa.date32())
    return small().shown_keys({"code": pa.array([code]), "day": day})[0].as_py()


def test_a_natural_key_of_the_declared_shape_is_shown() -> None:
    assert shown("HD0001") == "HD0001|2024-03-15"


@pytest.mark.parametrize("value", ["Nguyễn Văn A", "038090001234", "172345678", "0912345678", "84912345678", ""])
def test_a_natural_key_that_could_be_a_person_is_not(value: str) -> None:
    assert shown(value) is None


def test_a_key_without_a_declared_shape_is_never_shown() -> None:
    terms = contract("signature_holders")
    assert terms.shown_keys({"holder_hash": pa.array(["0" * 32])}).to_pylist() == [None]


REPEALED = {  # text → last day in force: what took its place is in force from the next (domain.md, D.1)
    "Thông tư 01/2018/TT-VPCP": date(2025, 9, 14),
    "Nghị định 61/2018/NĐ-CP": date(2025, 6, 30),
    "Nghị định 42/2022/NĐ-CP": date(2026, 6, 30),
    "Quyết định 124/2004/QĐ-TTg": date(2025, 6, 30),
}


def test_a_repealed_text_is_cited_until_its_last_day_and_another_from_the_day_after() -> None:
    cited = [
        (rule, old) for feed in feeds() for rule in contract(feed).rules for old in rule.source for text in REPEALED if text in old.text
    ]
    assert cited
    for rule, old in cited:
        last = next(day for text, day in REPEALED.items() if text in old.text)
        assert old.valid_to == last, rule.code
        assert [new.valid_from for new in rule.source if new is not old] == [last + timedelta(days=1)], rule.code


def test_a_source_is_told_with_the_days_on_which_it_is_in_force() -> None:
    (rule,) = [rule for rule in contract("dossiers").rules if rule.code == "DOS-003"]
    assert [str(source) for source in rule.source] == [
        "Thông tư 01/2018/TT-VPCP, Điều 19 (đến 14/09/2025)",
        "Thông tư 03/2025/TT-VPCP (từ 15/09/2025)",
    ]
