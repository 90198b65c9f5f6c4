"""What goes wrong at the command line is one clear line and exit code 2, never a traceback."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from desk import cli
from flows.backfill import nights
from warehouse.settings import Refusal


@pytest.fixture
def bakhong(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):  # type: ignore[no-untyped-def]
    for name in ("BAKHONG_WAREHOUSE_URL", "BAKHONG_SECRET_KEY", "BAKHONG_SOURCES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os, "environ", os.environ.copy())  # what a command sets for Prefect goes with the test
    monkeypatch.setenv("BAKHONG_HOME", str(home))
    monkeypatch.chdir(home)  # what a developer's own .env says is not for tests

    def run(*words: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["bakhong", *words])
        with pytest.raises(SystemExit) as left:
            cli.main()
        said = capsys.readouterr().err
        assert "Traceback" not in said
        assert len(said.strip().splitlines()) <= 1
        return int(left.value.code or 0), said.strip()

    return run


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["nightly", "--date", "2024-13-01"], "2024-13-01"),
        (["nightly", "--date", "31/12/2024"], "31/12/2024"),
        (["nightly", "--nope"], "--nope"),
        (["indicators", "15655"], "PERIOD"),
        (["frobnicate"], "frobnicate"),
        (["serve"], "bakhong nightly"),
        (["serve", "--port", "70000"], "--port"),
    ],
)
def test_what_was_asked_wrongly_is_named(bakhong, words: list[str], told: str) -> None:  # type: ignore[no-untyped-def]
    code, said = bakhong(*words)
    assert code == 2
    assert told in said


def test_sources_that_are_not_there(bakhong, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setenv("BAKHONG_SOURCES", str(tmp_path / "none.yaml"))
    code, said = bakhong("nightly")
    assert code == 2
    assert "none.yaml" in said


def test_a_given_warehouse_needs_a_given_key(bakhong, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setenv("BAKHONG_WAREHOUSE_URL", "postgresql://a:b@127.0.0.1:1/c")
    code, said = bakhong("nightly")
    assert code == 2
    assert "BAKHONG_SECRET_KEY" in said


def test_who_only_reads_is_not_asked_for_the_key(bakhong, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setenv("BAKHONG_WAREHOUSE_URL", "postgresql://a:b@127.0.0.1:1/c")
    code, said = bakhong("status")
    assert code == 2
    assert "BAKHONG_SECRET_KEY" not in said
    assert "không trả lời" in said


def test_a_warehouse_that_does_not_answer_is_named_without_its_password(bakhong, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setenv("BAKHONG_WAREHOUSE_URL", "postgresql://someone:hidden-word@127.0.0.1:1/c")
    monkeypatch.setenv("BAKHONG_SECRET_KEY", "a key for tests, long enough")
    code, said = bakhong("status")
    assert code == 2
    assert "127.0.0.1" in said
    assert "hidden-word" not in said


def test_samples_do_not_go_into_a_given_warehouse(bakhong, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setenv("BAKHONG_WAREHOUSE_URL", "postgresql://a:b@127.0.0.1:1/c")
    monkeypatch.setenv("BAKHONG_SECRET_KEY", "a key for tests, long enough")
    code, said = bakhong("demo")
    assert code == 2
    assert "BAKHONG_WAREHOUSE_URL" in said


def test_a_prefect_server_that_does_not_answer_is_named(bakhong, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    (home / "sources.yaml").write_text("sources: []\n")
    monkeypatch.setenv("BAKHONG_SOURCES", str(home / "sources.yaml"))
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:1/api")
    code, said = bakhong("nightly")
    assert code == 2
    assert "http://127.0.0.1:1/api" in said


def test_a_full_disk_is_told_as_such(bakhong, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device", "/var/landing/x")

    monkeypatch.setattr(cli, "_nightly", full)
    code, said = bakhong("nightly")
    assert code == 2
    assert said == "No space left on device: /var/landing/x"


def test_an_unknown_error_leaves_its_trace_in_a_file_not_in_the_terminal(bakhong, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("of all things")

    monkeypatch.setattr(cli, "_nightly", broken)
    code, said = bakhong("nightly")
    assert code == 2
    assert str(home / "last-error.log") in said
    assert "ZeroDivisionError" in (home / "last-error.log").read_text("utf-8")


def test_a_range_of_days_is_every_day_and_a_range_of_months_every_last_day() -> None:
    assert [str(day) for day in nights("2024-02-28", "2024-03-01")] == ["2024-02-28", "2024-02-29", "2024-03-01"]
    assert [str(day) for day in nights("2024-01", "2024-03")] == ["2024-01-31", "2024-02-29", "2024-03-31"]
    assert len(nights("2024", "2024")) == 12


@pytest.mark.parametrize("range_", [("2024-03", "2024-01"), ("soon", "later"), ("2024-01", "2024-01-31")])
def test_a_range_that_makes_no_sense_is_refused(range_: tuple[str, str]) -> None:
    with pytest.raises(Refusal):
        nights(*range_)


@pytest.mark.parametrize("cell", ["=1+1", "+84", "-5", "@SUM"])
def test_an_exported_text_is_never_a_formula(cell: str) -> None:
    assert cli._harmless(cell) == f"'{cell}"
    assert cli._harmless(7) == 7
