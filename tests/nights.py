"""What tests of whole nights share: a small inbox, the command line in a process of its own, everything a reader can ask."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

import yaml
from sqlalchemy import Engine, text

from warehouse.embedded import serve

ROOT = Path(__file__).parents[1]
SAMPLES = ROOT / "samples" / "sources.yaml"
KEY = "a key for tests, long enough"

AS_FROM_A_TERMINAL = """
import signal
for name in ("SIGINT", "SIGHUP"):  # which whatever runs the tests may ignore
    signal.signal(signal.Signals[name], signal.SIG_DFL)
from desk.__main__ import main
main()
"""
"""Python that runs `bakhong …` with the signals that a terminal leaves it."""

FEW = {
    "procedures": "procedures_*.csv",
    "agencies": "agencies_*.csv",
    "one-stop-shop": "td_*_20240[12]*.csv",
    "evn-bills": "evn_*_202403.csv",
    "ecpay-payments": "ecpay_*_20240[123].csv",
    "people-counts": "dan_cu_*_20241231.csv",
}
"""Sources of the sample inbox from which a night of seconds is made, and the files taken of each."""


def few_sources(folder: Path) -> Path:
    """A sources.yaml over a part of the sample inbox."""
    entries = [source for source in yaml.safe_load(SAMPLES.read_text("utf-8"))["sources"] if source["name"] in FEW]
    for entry in entries:
        entry["url"] = str(SAMPLES.parent / Path(entry["url"]).parent / FEW[entry["name"]])
    path = folder / "sources.yaml"
    path.write_text(yaml.safe_dump({"sources": entries}), "utf-8")
    return path


def environment(home: Path, sources: Path = SAMPLES, warehouse_url: str | None = None) -> dict[str, str]:
    """The environment of an installation of its own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("BAKHONG_", "PREFECT_"))}
    given = {"BAKHONG_HOME": str(home), "BAKHONG_SOURCES": str(sources), "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    if warehouse_url is not None:
        given |= {"BAKHONG_WAREHOUSE_URL": warehouse_url, "BAKHONG_SECRET_KEY": KEY}
    return kept | given


SILENCE_SECONDS = 180
"""Nothing that gets on, on however busy a machine, shows no sign of it for so long."""


class Patience:
    """Waiting for as long as something gets on: a log, or any file of a folder, changes now and then."""

    def __init__(self, *places: Path) -> None:
        self._places = places
        self._seen: list[tuple[int, int]] = []
        self._seen_at = self._looked_at = time.monotonic()

    def wait(self, seconds: float) -> None:
        """Waits a moment; TimeoutError where nothing has changed for too long."""
        time.sleep(seconds)
        now = time.monotonic()
        if now - self._looked_at < 5:  # a look at a whole folder is not free
            return
        self._looked_at = now
        if (signs := self._signs()) != self._seen:
            self._seen, self._seen_at = signs, now
        elif now - self._seen_at > SILENCE_SECONDS:
            raise TimeoutError(f"nothing changed for {SILENCE_SECONDS} s in {', '.join(map(str, self._places))}")

    def _signs(self) -> list[tuple[int, int]]:
        files = (Path(folder, name) for place in self._places for folder, _, names in os.walk(place) for name in names)
        signs = []
        for path in (*self._places, *files):
            with suppress(FileNotFoundError):  # it went meanwhile
                found = path.stat()
                signs.append((found.st_mtime_ns, found.st_size))
        return signs


@contextmanager
def started(command: list[str], **given: Any) -> Iterator[subprocess.Popen[Any]]:
    """A process that is there for the block only, as is all that it started itself."""
    with subprocess.Popen(command, start_new_session=True, **given) as process:
        try:
            yield process
        finally:
            for number in (signal.SIGTERM, signal.SIGKILL):  # asked to first: it may have a PostgreSQL to stop
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, number)
                with suppress(subprocess.TimeoutExpired):
                    process.wait(timeout=15)


def stop_postgresql(home: Path) -> None:
    """Stops the server of a home where one was left behind: whoever uses it last stops it."""
    if (home / "postgres" / "data" / "postmaster.pid").exists():
        with serve(home):
            pass


def run_command(command: list[str], env: dict[str, str], folder: Path, home: Path) -> subprocess.CompletedProcess[str]:
    """Runs a command to its end, for as long as it gets on: it says something, or something changes in its home."""
    with NamedTemporaryFile("w+") as said, NamedTemporaryFile("w+") as complained:
        try:
            with started(command, env=env, cwd=folder, stdout=said, stderr=complained) as process:
                patience = Patience(home, Path(said.name), Path(complained.name))
                while process.poll() is None:
                    patience.wait(0.05)
        except BaseException:  # this test is over, or all are: a command that did not end in order leaves its PostgreSQL running
            stop_postgresql(home)
            raise
        said.seek(0)
        complained.seek(0)
        return subprocess.CompletedProcess(command, process.returncode, said.read(), complained.read())


def bakhong(*words: str, env: dict[str, str], folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Runs `bakhong …` as a user would, in the folder of the installation: what a developer's own `.env` says is not for tests."""
    home = Path(env["BAKHONG_HOME"])
    return run_command([sys.executable, "-m", "desk", *words], env, folder or home, home)


def url_of(engine: Engine) -> str:
    """The URL of an engine's database, as BAKHONG_WAREHOUSE_URL wants it."""
    return engine.url.set(drivername="postgresql").render_as_string(hide_password=False)


FACTS = ("fact_dossier", "fact_bill", "fact_payment", "fact_signature", "fact_signature_holder", "fact_unit_count", "fact_survey")


def answers(engine: Engine) -> dict[str, list[Any]]:
    """What every query gets to see, in a fixed order; without the numbers and clock times of the process that did the work."""
    with engine.connect() as connection:
        views = connection.scalars(text("SELECT viewname FROM pg_views WHERE schemaname = 'mart' ORDER BY viewname")).all()
        queries = {view: f"SELECT t::text FROM mart.{view} t" for view in views}
        queries |= {fact: f"SELECT (row_key, row_hash, known_from, known_to, row_number)::text FROM warehouse.{fact}" for fact in FACTS}
        queries["delivery"] = (
            "SELECT (d.source, d.feed, d.file_name, d.sha256, d.business_period, d.exported_at, d.status, d.rows_received, d.rows_loaded, "
            "d.rows_unchanged, d.rows_quarantined, d.rows_ignored, older.sha256, d.verdict, d.message_vi)::text "
            "FROM ops.delivery d LEFT JOIN ops.delivery older ON older.delivery_id = d.supersedes"
        )
        queries["quarantine"] = (
            "SELECT (d.sha256, q.row_number, q.rule_code, q.column_name, q.natural_key, q.severity, q.message_vi, "
            "q.status, q.awaited_key)::text "
            "FROM ops.quarantine q JOIN ops.delivery d USING (delivery_id)"
        )
        queries["verdict"] = (
            "SELECT (d.sha256, v.rule_code, v.severity, v.scope, v.success, v.observed, v.unexpected_count)::text "
            "FROM ops.verdict v JOIN ops.delivery d USING (delivery_id)"
        )
        return {name: sorted(connection.scalars(text(query))) for name, query in queries.items()}
