"""What sources.yaml says holds in the night and after it: a source's headers, the limits, whether what is loaded are samples."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import yaml
from sqlalchemy import Engine, text

from flows.nightly import Night, night
from flows.steps import WITHOUT_PREFECT
from tests.nights import KEY, ROOT
from warehouse.seed import is_sample
from warehouse.settings import Settings

BILLS = sorted((ROOT / "samples" / "inbox" / "evn").glob("evn_*.csv"))[0]


def test_a_source_with_labels_of_its_own_is_read_and_read_as_declared_once_it_is_gone(engine: Engine, home: Path, tmp_path: Path) -> None:
    (tmp_path / "evn_20240331.csv").write_text(BILLS.read_text("utf-8").replace("MA_KHANG", "Mã KH", 1), "utf-8")
    entry = {"name": "evn", "feed": "bills", "layout": "evn_csv", "provider": "evn", "url": f"{tmp_path}/evn_*.csv", "expected": "daily"}

    def run(**said: Any) -> Night:
        sources = home / "sources.yaml"
        sources.write_text(yaml.safe_dump({"sources": [], **said}, allow_unicode=True), "utf-8")
        settings = Settings(home=home, warehouse_url=None, sources=sources, secret_key=KEY.encode())
        return night(settings, engine, date(2025, 5, 5), steps=replace(WITHOUT_PREFECT, report=None))

    (taken,) = run(sources=[{**entry, "headers": {"Mã KH": "customer_hash"}}]).outcomes
    assert taken.status == "loaded"
    with engine.begin() as connection:
        connection.execute(text("UPDATE ops.delivery SET status = 'landed', loaded_at = NULL"))
    (taken,) = run().outcomes
    assert taken.status == "rejected"
    assert "MA_KHANG" in str(taken.message_vi)
    with engine.begin() as connection:
        connection.execute(text("UPDATE ops.delivery SET status = 'landed', loaded_at = NULL"))
    (taken,) = run(sources=[{**entry, "headers": {"Mã KH": "customer_hash"}}], limits={"memory_mb": 1}).outcomes
    assert "cần hơn 1 MB bộ nhớ" in str(taken.message_vi)


def test_a_warehouse_that_ever_loaded_samples_is_marked_until_somebody_says_that_it_holds_none(engine: Engine, home: Path) -> None:
    def marked_after(said: str) -> bool:
        (home / "sources.yaml").write_text(f"sources: []\n{said}")
        settings = Settings(home, None, home / "sources.yaml", KEY.encode())
        night(settings, engine, date(2025, 5, 5), steps=replace(WITHOUT_PREFECT, report=None))
        with engine.connect() as connection:
            return is_sample(connection)

    said = ["", "sample: true\n", "", "sample: false\n", ""]
    assert [marked_after(words) for words in said] == [False, True, True, False, False]
