"""What tests of whole nights share: a small inbox, the command line in a process of its own, everything a reader can ask."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml
from sqlalchemy import Engine, text

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


def bakhong(*words: str, env: dict[str, str], folder: Path | None = None, timeout: float = 200) -> subprocess.CompletedProcess[str]:
    """Runs `bakhong …` as a user would, in the folder of the installation: what a developer's own `.env` says is not for tests."""
    command = [sys.executable, "-m", "desk", *words]
    return subprocess.run(command, env=env, cwd=folder or env["BAKHONG_HOME"], capture_output=True, text=True, timeout=timeout, check=False)


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
