"""A file whose amounts are a hundred times the usual ones, from the inbox to the page that tells of it, and back on a steward's word."""

from __future__ import annotations

import csv
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import yaml
from sqlalchemy import Engine, text

from flows.nightly import Night, night
from flows.steps import WITHOUT_PREFECT
from tasks.load.chosen import Chosen
from tasks.load.decisions import release
from tasks.validate.data_docs import DataDocs
from tasks.validate.examined import examined
from tests.nights import KEY, SAMPLES
from warehouse.settings import Settings

AMOUNTS = ("SO_TIEN", "TIEN_GTGT", "TONG_TIEN")


def put(inbox: Path, name: str, times: int = 1) -> None:
    """A sample file of electricity bills, its amounts so many times as large."""
    with (SAMPLES.parent / "inbox" / "evn" / name).open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    with (inbox / name).open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows({**row, **{name: str(int(row[name]) * times) for name in AMOUNTS}} for row in rows)


def a_night(engine: Engine, home: Path, day: date) -> Night:
    settings = Settings(home, None, home / "sources.yaml", KEY.encode())
    return night(settings, engine, day, steps=replace(WITHOUT_PREFECT, report=None))


def test_amounts_a_hundred_times_the_usual_are_refused_told_and_taken_once_a_steward_says_so(engine: Engine, home: Path) -> None:
    inbox = home / "inbox"
    inbox.mkdir()
    source = {
        "name": "evn-bills",
        "feed": "bills",
        "layout": "evn_csv",
        "provider": "evn",
        "url": f"{inbox}/*.csv",
        "expected": "quarterly",
    }
    (home / "sources.yaml").write_text(yaml.safe_dump({"sources": [source]}), "utf-8")
    for month in ("202403", "202406", "202409"):
        put(inbox, f"evn_mau_{month}.csv")
    assert {one.status for one in a_night(engine, home, date(2024, 12, 1)).outcomes} == {"loaded"}
    put(inbox, "evn_mau_202412.csv", times=100)
    [refused] = a_night(engine, home, date(2025, 1, 2)).outcomes
    assert (refused.status, refused.loaded, refused.quarantined) == ("rejected", 0, refused.received)
    assert "gấp khoảng 100 lần, có thể sai đơn vị tính" in str(refused.message_vi)
    docs = DataDocs(home / "data_docs", examined=examined(engine, [refused.delivery_id], []))
    assert "từ chối" in docs.build(datetime(2025, 1, 2, tzinfo=UTC)).read_text("utf-8")
    assert "BIL-011" in (docs.folder / "2025-01-02-000000" / f"{refused.delivery_id}.html").read_text("utf-8")
    assert a_night(engine, home, date(2025, 1, 3)).outcomes == []
    with engine.begin() as connection:
        release(connection, Chosen(refused.delivery_id, "BIL-011"), "Lan")
    [taken] = a_night(engine, home, date(2025, 1, 4)).outcomes
    assert (taken.delivery_id, taken.status, taken.loaded) == (refused.delivery_id, "loaded", refused.received)
    with engine.connect() as connection:
        assert (
            connection.scalar(text("SELECT success FROM ops.verdict WHERE rule_code = 'BIL-011' ORDER BY delivery_id DESC LIMIT 1"))
            is False
        )
    assert a_night(engine, home, date(2025, 1, 5)).outcomes == []
