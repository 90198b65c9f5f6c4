"""Tests wait for what gets on, however slowly; what they give up is stopped with all that it started."""

from __future__ import annotations

import sys
import time
from itertools import count
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests import nights
from tests.nights import SILENCE_SECONDS, Patience, environment, run_command

WORKING = """
import sys, time
from pathlib import Path
from warehouse.embedded import serve
with serve(Path(sys.argv[1])):
    time.sleep(600)
"""


def test_what_gets_on_is_waited_for_and_what_does_not_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    minutes = count(step=60)
    monkeypatch.setattr(nights, "time", SimpleNamespace(monotonic=lambda: next(minutes), sleep=lambda _: None))
    log = tmp_path / "log"
    patience = Patience(tmp_path)
    for minute in range(60):
        log.write_text("." * minute)
        patience.wait(0)
    with pytest.raises(TimeoutError, match=f"for {SILENCE_SECONDS} s in {tmp_path}"):
        for _ in range(60):
            patience.wait(0)


def test_a_command_that_is_given_up_leaves_no_postgresql(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    running = tmp_path / "postgres" / "data" / "postmaster.pid"

    def impatient(*_: object) -> None:
        time.sleep(0.1)
        if running.exists():
            raise TimeoutError

    monkeypatch.setattr(Patience, "wait", impatient)
    with pytest.raises(TimeoutError):
        run_command([sys.executable, "-c", WORKING, str(tmp_path)], environment(tmp_path), tmp_path, tmp_path)
    assert not running.exists()
