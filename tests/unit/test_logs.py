"""A line of the log: one, about one run, with names and counts, whatever others wrote; kept in files of the owner alone, or spoken."""

from __future__ import annotations

import ast
import json
import logging
import stat
from collections.abc import Iterator
from contextvars import Context, copy_context
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest

from flows import logs
from flows.logs import log_to_file, log_to_stderr
from flows.progress import each
from tasks.deliveries.run_lock import RunName, spoken_of
from tests.nights import KEY, ROOT
from warehouse.settings import Refusal, Settings

NAME = RunName(12, UUID("3f0c1d2e-0000-4000-8000-000000000001"))
log = logging.getLogger("bakhong")


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    """An installation whose log is taken down after the test."""
    before, level, filters, propagate = log.handlers[:], log.level, log.filters[:], log.propagate
    yield Settings(tmp_path, None, tmp_path / "sources.yaml", KEY.encode())
    for handler in log.handlers:
        handler.close()
    log.handlers[:], log.filters[:], log.propagate = before, filters, propagate
    log.setLevel(level)


def lines(settings: Settings) -> list[str]:
    return (settings.home / "log" / "bakhong.log").read_text("utf-8").splitlines()


def about_a_run(do: object) -> None:
    def named() -> None:
        spoken_of.set(NAME)
        do()  # type: ignore[operator]

    copy_context().run(named)


def about_no_run(do: object) -> None:
    Context().run(do)  # type: ignore[arg-type]  # whatever nights there were in this process


def test_a_plain_line_says_when_of_which_run_and_what_with_its_particulars(settings: Settings) -> None:
    log_to_file(settings)
    about_a_run(lambda: log.info("delivery loaded", extra={"source": "evn", "file": "hóa đơn.csv", "received": 7, "rule": None}))
    (line,) = lines(settings)
    moment, rest = line.split(" ", 1)
    assert moment.endswith("+07:00")
    assert rest == 'INFO run=12/3f0c1d2e delivery loaded source=evn file="hóa đơn.csv" received=7'


def test_a_json_line_is_an_object_with_the_whole_name_of_the_run(settings: Settings) -> None:
    log_to_file(replace(settings, log_format="json"))
    about_a_run(lambda: log.warning("edition held", extra={"findings": 3}))
    about_no_run(lambda: log.info("a service speaks of no run"))
    first, second = map(json.loads, lines(settings))
    assert first.pop("time").endswith("+07:00")
    assert first == {
        "level": "WARNING", "run": 12, "run_uuid": str(NAME.run_uuid), "module": "test_logs", "message": "edition held", "findings": 3,
    }  # fmt: skip
    assert (second["run"], second["run_uuid"]) == (None, None)


def test_what_is_done_side_by_side_is_of_the_same_run(settings: Settings) -> None:
    log_to_file(settings)
    about_a_run(lambda: each("x", lambda n: log.info("item %d", n), [1, 2, 3], workers=3))
    assert sorted(line.split(" ", 2)[2] for line in lines(settings)) == [f"run=12/3f0c1d2e item {n}" for n in (1, 2, 3)]


@pytest.mark.parametrize("form", ["plain", "json"])
def test_neither_an_errors_text_nor_its_frames_are_told(form: str, settings: Settings) -> None:
    log_to_file(replace(settings, log_format=form))
    try:
        int("Lê Thị Bí Mật")
    except ValueError:
        log.exception("page broke")
    (line,) = lines(settings)
    assert "page broke: ValueError" in line
    assert "Bí Mật" not in line


@pytest.mark.parametrize("form", ["plain", "json"])
def test_whoever_names_a_file_writes_no_line_of_his_own(form: str, settings: Settings) -> None:
    log_to_file(replace(settings, log_format=form))
    log.info("file landed: %s", "a\n2026-01-01 ERROR b", extra={"file": "c\r\n\x1b[2Jd\u2028e"})
    (line,) = lines(settings)
    assert not {"\n", "\r", "\x1b", "\u2028"} & set(line)


def test_files_are_of_a_declared_size_and_number_and_for_their_owner_alone(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "LARGEST", 500)
    monkeypatch.setattr(logs, "KEPT", 2)
    log_to_file(settings)
    for number in range(50):
        log.info("line %d", number)
    kept = sorted((settings.home / "log").iterdir())
    assert [path.name for path in kept] == ["bakhong.log", "bakhong.log.1", "bakhong.log.2"]
    assert all(path.stat().st_size <= 500 for path in kept)
    assert {stat.S_IMODE(path.stat().st_mode) for path in kept} == {0o600}
    assert stat.S_IMODE((settings.home / "log").stat().st_mode) == 0o700
    assert lines(settings)[-1].endswith("line 49")


def test_a_service_speaks_to_stderr_and_no_more_than_it_is_asked_to(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    log_to_stderr(replace(settings, log_level="WARNING"))
    about_no_run(lambda: log.info("not this"))
    about_no_run(lambda: log.warning("this"))
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.endswith(" WARNING this\n")
    assert told.err.count("\n") == 1


@pytest.mark.parametrize(("name", "value"), [("BAKHONG_LOG_FORMAT", "xml"), ("BAKHONG_LOG_LEVEL", "debug")])
def test_what_no_log_can_be_is_refused(name: str, value: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BAKHONG_HOME", str(tmp_path))
    monkeypatch.setenv(name, value)
    with pytest.raises(Refusal, match=name):
        Settings.from_environment(reading=True)


def test_there_is_one_logger() -> None:
    """So that one setting reaches all of it, whatever name Prefect loads a module under."""
    named = []
    for top in ("desk", "flows", "tasks", "expectations", "warehouse"):
        for path in (ROOT / top).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.Assign) and "getLogger" in ast.unparse(node.value):
                    named.append(ast.unparse(node))
    assert set(named) == {"log = logging.getLogger('bakhong')"}
