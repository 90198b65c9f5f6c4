"""A night that was killed anywhere, then run again, leaves the warehouse that an undisturbed night leaves."""

from __future__ import annotations

import signal
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from flows.nightly import night
from tests.nights import KEY, ROOT, answers, environment, few_sources, run_command, url_of
from warehouse.settings import Settings

NIGHT = date(2025, 5, 5)


def run_night(engine: Engine, home: Path) -> None:
    home.mkdir(exist_ok=True)
    night(Settings(home=home, warehouse_url=None, sources=few_sources(home), secret_key=KEY.encode()), engine, NIGHT)


def die_at_night(engine: Engine, home: Path, *death: str) -> subprocess.CompletedProcess[str]:
    """A night in a process of its own that kills itself where told."""
    home.mkdir()
    command = [sys.executable, "-m", "tests.recovery.killed_night", str(NIGHT), *death]
    env = environment(home, few_sources(home), url_of(engine))
    return run_command(command, env, ROOT, home)


@pytest.fixture(scope="module")
def undisturbed(engine_of_module: Engine, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Any]]:
    """What is to be read after one undisturbed night."""
    run_night(engine_of_module, tmp_path_factory.mktemp("undisturbed"))
    found = answers(engine_of_module)
    assert found["indicator"]
    assert found["fact_payment"]
    return found


DEATHS = {
    "a file landed, its row not written": ("tasks.pull.landing:_record", "3", "before"),
    "after landing": ("flows.intake:pending", "1", "after"),
    "in mid-load, facts written": ("tasks.load.deliver:_close", "4", "before"),
    "between two loads": ("flows.ingest:load", "5", "after"),
    "before publication": ("flows.publish:revise_indicators", "1", "before"),
    "during publication": ("flows.publish:revise_indicators", "1", "after"),
    "while the report is made": ("tasks.report.edition:write_site", "1", "before"),
}


@pytest.mark.parametrize("death", DEATHS.values(), ids=DEATHS.keys())
def test_a_killed_night_run_again_leaves_what_an_undisturbed_one_leaves(
    death: tuple[str, str, str], engine: Engine, tmp_path: Path, undisturbed: dict[str, list[Any]]
) -> None:
    died = die_at_night(engine, tmp_path / "home", *death)
    assert died.returncode == -signal.SIGKILL, died.stderr
    run_night(engine, tmp_path / "home")
    assert answers(engine) == undisturbed
    with engine.connect() as connection:
        assert connection.scalars(text("SELECT status FROM ops.run ORDER BY run_id")).all() == ["killed", "completed"]


def test_the_same_night_twice_changes_nothing(engine: Engine, tmp_path: Path, undisturbed: dict[str, list[Any]]) -> None:
    for _ in range(2):
        run_night(engine, tmp_path / "home")
    assert answers(engine) == undisturbed
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM ops.publication")) == 1
        assert connection.scalar(text("SELECT max(revision) FROM warehouse.fact_indicator")) == 1
