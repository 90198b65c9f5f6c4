"""What a program gets that asks with `--json`, and a person without: the same answer, marked as made of samples where it is."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from desk import cli
from tasks.words.vietnamese import SAMPLE
from tests.conftest import SampleNight
from tests.nights import environment
from warehouse.embedded import serve

Ask = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def opened(sample_night: SampleNight) -> Iterator[Path]:
    """The home of the sample night, its PostgreSQL running."""
    with serve(sample_night.home):
        yield sample_night.home


@pytest.fixture
def ask(opened: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Ask:
    """A command in this process: its exit code and what it said on both ways."""
    monkeypatch.setattr(os, "environ", environment(opened))
    monkeypatch.chdir(opened)

    def run(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["bakhong", *words])
        with pytest.raises(SystemExit) as left:
            cli.main()
        return int(left.value.code or 0), *capsys.readouterr()

    return run


@pytest.fixture
def found(ask: Ask) -> Callable[..., tuple[int, dict[str, Any]]]:
    """Exit code and answer of a command asked with --json, which says nothing else."""

    def answer(*words: str) -> tuple[int, dict[str, Any]]:
        code, said, complained = ask(*words, "--json")
        assert complained == ""
        parts = json.loads(said)
        for name in names(parts):
            assert re.fullmatch("[a-z][a-z0-9_]*|[A-Z]+", name)  # a field, or a group of decision 766
        return code, parts

    return answer


def names(value: Any) -> Iterator[str]:
    """The names of all fields of an answer."""
    for name, part in value.items() if isinstance(value, dict) else ():
        yield name
        yield from names(part)
    for part in value if isinstance(value, list) else ():
        yield from names(part)


@pytest.mark.parametrize("period", ["2024", "năm 2024"])
def test_the_official_tables(found: Callable[..., Any], period: str) -> None:
    code, parts = found("indicators", "Ngoc Phung", period)
    assert (code, parts["period"], parts["is_sample"], parts["unit"]["code"]) == (0, "2024", True, "15655")
    (line,) = [line for line in parts["lines"] if line["indicator_code"] == "ND7"]
    told = {name: line[name] for name in ("numerator", "denominator", "value", "obs_status", "target", "first_day", "last_day")}
    assert told == {
        "numerator": 2660, "denominator": 3798, "value": 70.0, "obs_status": "A", "target": None,
        "first_day": "2024-01-01", "last_day": "2024-12-31",
    }  # fmt: skip


def test_the_tables_of_a_unit_of_today(found: Callable[..., Any]) -> None:
    code, parts = found("indicators", "Thường Xuân", "2024", "--as-now")
    assert code == 0
    assert {line["is_restated"] for line in parts["lines"]} == {True}


def test_how_a_number_came_about(found: Callable[..., Any]) -> None:
    code, parts = found("explain", "nd7", "15655", "2024")
    told = parts["explanation"]
    assert (code, parts["is_sample"], told["line"]["value"]) == (0, True, 70.0)
    assert [file["file_name"] for file in told["files"]] == ["dan_cu_mau_20241231.csv"]
    assert [revision["known_to"] for revision in told["revisions"]] == [None]
    assert told["revisions"][0]["known_from"].endswith("+07:00")
    assert told["printed"][0]["printed_value"] == 70.2


def test_form_06a_with_the_columns_of_the_form(found: Callable[..., Any]) -> None:
    code, parts = found("form-06a", "15655", "2024")
    assert (code, parts["period"]) == (0, "2024")
    assert all(row["c3"] == row["c4"] + row["c5"] + row["c6"] == row["c7"] + row["c11"] for row in parts["rows"])
    assert sum(row["c3"] for row in parts["rows"]) == 1442


def test_the_score_of_decision_766(found: Callable[..., Any]) -> None:
    code, parts = found("score-766", "H44", "tháng 8/2026")
    assert (code, parts["score"]["period"], parts["score"]["counted_by"]) == (0, "2026-08", "portal")
    assert (62.5, 6.25, 10) in [(line["ratio"], line["score"], line["max_score"]) for line in parts["score"]["lines"]]


def test_how_the_sources_stand_with_the_same_exit_code_as_without(ask: Ask, found: Callable[..., Any]) -> None:
    code, parts = found("status")
    assert code == ask("status")[0] == 1  # the offices' samples end in April 2025
    sources = {one["source"]: one for one in parts["sources"]}
    assert (sources["one-stop-shop"]["is_late"], sources["one-stop-shop"]["due"]) == (True, "2025-06-10")
    assert parts["refused"] == [], "the file of June 2024 came again, under another name"
    assert sources["one-stop-shop"]["last"]["file_name"] == "td_mau_20250430.csv"
    assert parts["run"]["status"] == "completed"
    assert parts["publication"]["as_of"].startswith("2026-09-30T23:59:59")


def test_what_was_set_aside_by_rule_and_row_by_row(found: Callable[..., Any]) -> None:
    _, parts = found("quarantine", "list")
    (group,) = [group for group in parts["groups"] if group["rule_code"] == "BIL-002"]
    code, parts = found("quarantine", "list", "--rule", "bil-002")
    (row,) = parts["rows"]
    assert code == 0
    assert (row["file_name"], row["row_number"]) == (group["file_name"], group["first_row"])


def test_the_gate_what_changed_since_a_signature_and_what_was_decided(ask: Ask, found: Callable[..., Any]) -> None:
    code, parts = found("gate", "list", "--values")
    assert (code, parts["held_edition"], parts["findings"], parts["values"]) == (0, None, [], [])
    _, parts = found("quarantine", "history", "1")
    assert (parts["delivery_id"], parts["notes"]) == (1, [])
    code, _, complained = ask("diff", "2024", "--json")
    assert (code, "Chưa có bản ký nào của năm 2024" in complained) == (2, True)


def test_whether_the_counts_hold(found: Callable[..., Any]) -> None:
    code, parts = found("verify")
    assert code == 0
    assert parts["counted"]
    assert all(one["lines"] >= 0 and one["differences"] == [] for one in parts["counted"])


def test_where_the_warehouse_is_and_that_it_is_open(found: Callable[..., Any]) -> None:
    code, parts = found("warehouse", "url", "--role", "steward")
    assert (code, parts["role"], parts["is_open"]) == (0, "steward", True)
    assert parts["url"].startswith("postgresql://bakhong_steward:")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("indicators", "Ngoc Phug", "2024"), "Có phải: Xã Ngọc Phụng (15655, Huyện Thường Xuân)"),
        (("indicators", "Thuong Xuan xa", "2024", "--as-now"), "Có phải: Xã Thường Xuân (15646, Tỉnh Thanh Hóa)"),
        (("indicators", "15655", "quý 5/2024"), "viết năm 2024, quý I/2024"),
        (("explain", "ND9", "15655", "2024"), "Có phải: ND1, ND2, ND3?"),
        (("quarantine", "list", "--rule", "DOS-02"), "Có phải: DOS-002,"),
    ],
)
def test_a_refusal_is_no_answer_and_says_what_may_be_meant(ask: Ask, words: tuple[str, ...], told: str) -> None:
    code, said, complained = ask(*words, "--json")
    assert (code, said) == (2, "")
    assert told in complained
    assert len(complained.strip().splitlines()) == 1


def test_a_source_that_is_misspelt_is_asked_for(ask: Ask) -> None:
    code, _, complained = ask("complete", "evn-bill", "2024")
    assert code == 2
    assert "Không có nguồn 'evn-bill'. Có phải: evn-bills?" in complained
    code, _, complained = ask("quarantine", "letter", "evn-bill", "--to", "thu.xlsx")
    assert (code, complained.strip()) == (2, "Không có nguồn 'evn-bill'. Có phải: evn-bills?")


@pytest.mark.parametrize(
    "words",
    [
        ("indicators", "15655", "2024"),
        ("indicators", "Thường Xuân", "2024", "--as-now"),
        ("form-06a", "15655", "2024"),
        ("score-766", "15655", "2024"),
        ("explain", "ND7", "15655", "2024"),
        ("status",),
    ],
    ids=lambda words: words[0],
)
def test_tables_made_of_samples_say_so(ask: Ask, words: tuple[str, ...]) -> None:
    assert ask(*words)[1].splitlines().count(SAMPLE) == 1
