"""SIGTERM and Ctrl-C end a night within seconds from anywhere, with one line that says what stands."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml
from sqlalchemy import Engine, text

from tests.nights import AS_FROM_A_TERMINAL, ROOT, environment, few_sources, run_command, started, url_of

SECONDS = 30
"""Far less than what the command would wait for; it takes the fewest of them, but on a busy machine even Python starts slowly."""


@contextmanager
def stalled(*words: str, env: dict[str, str], place: str, way: str = "sleep") -> Iterator[subprocess.Popen[str]]:
    """A command that has come to a place from which it would not get on."""
    command = [sys.executable, "-m", "tests.recovery.stalled_night", place, way, *words]
    with started(command, env=env, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        assert child.stdout.readline() == "here\n"
        yield child


def told(child: subprocess.Popen[str]) -> str:
    """The one line with which the child ends, in time."""
    _, said = child.communicate(timeout=SECONDS)
    assert len(said.strip().splitlines()) == 1, said
    return said.strip()


PLACES = {
    "while a file is fetched": ("tasks.pull.landing:_land", "sleep", "SIGTERM"),
    "while rows are loaded": ("tasks.load.deliver:_merge", "sleep", "SIGINT"),
    "while the database loads": ("tasks.load.deliver:_close", "query", "SIGTERM"),
    "while figures are computed": ("tasks.indicators.compute:leave_candidates", "query", "SIGINT"),
    "while the report is made": ("tasks.report.edition:write_site", "sleep", "SIGTERM"),
    "when the terminal closes": ("tasks.load.deliver:_merge", "sleep", "SIGHUP"),
}


@pytest.mark.parametrize(("place", "way", "name"), PLACES.values(), ids=PLACES.keys())
def test_a_night_ends_when_it_is_told_to(place: str, way: str, name: str, engine: Engine, tmp_path: Path, prefect_home: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    env = environment(home, few_sources(home), url_of(engine)) | {"PREFECT_HOME": str(prefect_home)}
    number = signal.Signals[name]
    with stalled("nightly", "--date", "2025-05-05", env=env, place=place, way=way) as child:
        child.send_signal(number)
        line = told(child)
        assert child.returncode == 128 + number
    assert f"Đã dừng theo yêu cầu ({name})" in line
    assert "chạy lại sẽ làm tiếp" in line
    is_published = place == "tasks.report.edition:write_site"
    assert ("đã công bố" in line) == is_published
    assert ("chưa công bố gì" in line) != is_published
    with engine.connect() as connection:
        status, message = connection.execute(text("SELECT status, message FROM ops.run")).one()
        assert (connection.scalar(text("SELECT count(*) FROM ops.publication")) == 1) == is_published
        ours = "datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"  # and not an autovacuum
        others = f"SELECT count(*) FROM pg_stat_activity WHERE {ours} AND state = 'active'"
        assert connection.scalar(text(others)) == 0, "no query of the stopped night goes on in the database"
    assert status == "failed"
    assert message in line


@pytest.mark.parametrize(
    ("words", "name"),
    [(("nightly", "--date", "2025-05-05"), "SIGTERM"), (("backfill", "--from", "2025-05-04", "--to", "2025-05-05"), "SIGINT")],
    ids=["nightly", "backfill"],
)
def test_a_night_that_waits_to_try_a_source_again_ends_too(
    words: tuple[str, ...], name: str, engine: Engine, tmp_path: Path, prefect_home: Path
) -> None:
    """The next try is ten seconds to three minutes away."""
    home = tmp_path / "home"
    home.mkdir()
    sources = few_sources(home)
    entries = yaml.safe_load(sources.read_text("utf-8"))["sources"]
    with socket.create_server(("127.0.0.1", 0)) as one:
        closed = one.getsockname()[1]
    far = {"name": "far", "feed": "dossiers", "layout": "dvcqg_csv", "provider": "td", "expected": "once"}
    sources.write_text(yaml.safe_dump({"sources": [*entries, far | {"url": f"sftp://nobody@127.0.0.1:{closed}/out/*.csv"}]}), "utf-8")
    env = environment(home, sources, url_of(engine)) | {"PREFECT_HOME": str(prefect_home)}
    command = [sys.executable, "-c", AS_FROM_A_TERMINAL, *words]
    with started(command, env=env, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as child:
        assert "Thử lại lần 2/4" in child.stderr.readline()
        child.send_signal(signal.Signals[name])
        line = told(child)
        assert child.returncode == 128 + signal.Signals[name]
    assert line.startswith(f"Đã dừng theo yêu cầu ({name}). Lượt chạy số 1: ")
    assert line.endswith("chạy lại sẽ làm tiếp.")


def test_what_is_still_being_loaded_ends_too_and_says_so(tmp_path: Path) -> None:
    """Stopped at the import of the command line, before which nothing but the ear for signals is there."""
    script = """
import os, signal, sys
class Importing:
    def find_spec(self, name, *_):
        if name == "desk.cli":
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Importing())
"""
    command = [sys.executable, "-c", script + AS_FROM_A_TERMINAL, "status"]
    done = run_command(command, environment(tmp_path), tmp_path, tmp_path)
    assert done.returncode == 128 + signal.SIGINT
    assert done.stderr == "Đã dừng theo yêu cầu (SIGINT).\n"


def test_what_closing_runs_into_does_not_hide_that_it_was_told_to_end(tmp_path: Path) -> None:
    script = """
import os, signal
from flows.stopping import stoppable
with stoppable(lambda: "Chạy lại sẽ làm tiếp."):
    try:
        os.kill(os.getpid(), signal.SIGINT)
    finally:
        raise OSError("the connection is busy")
"""
    done = run_command([sys.executable, "-c", script], environment(tmp_path), tmp_path, ROOT)
    assert done.returncode == 128 + signal.SIGINT, done.stderr
