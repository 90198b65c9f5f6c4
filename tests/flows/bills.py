"""A small inbox of electricity bills, cell by cell, and nights on it: without Prefect, and without a report."""

from __future__ import annotations

import csv
import os
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import yaml
from sqlalchemy import Engine, text

from flows.nightly import Night, night
from flows.steps import WITHOUT_PREFECT
from tasks.words.vietnamese import VIETNAM
from tests.nights import KEY
from warehouse.settings import Settings

Row = dict[str, str]
LONG_AGO = date(2030, 1, 1)
"""A night after all exports."""


def bill(code: str, **cells: str) -> Row:
    """A bill as the electricity company writes it."""
    usual = {
        "MA_DVIQLY": "PA07TX", "MA_KHANG": f"PA07{code}", "TEN_KHANG": "Khách Hàng Mẫu", "DCHI_KHANG": "Số nhà mẫu", "MA_DVHC": "15655",
        "KY": "1", "THANG": "03", "NAM": "2024", "ID_HDON": code, "SO_TIEN": "100000", "TIEN_GTGT": "8000", "TONG_TIEN": "108000",
        "DIEN_TTHU": "50", "LOAI_HDON": "TD", "LOAI_KHANG": "SH", "NGAY_PHANH": "05/04/2024", "TINH_TRANG": "1",
    }  # fmt: skip
    return usual | cells


class Inbox:
    """What the company sends, and the nights that take it."""

    def __init__(self, engine: Engine, home: Path, **source: Any) -> None:
        self.engine, self.home = engine, home
        self.folder = home / "inbox"
        self.folder.mkdir()
        entry = {"name": "evn", "feed": "bills", "layout": "evn_csv", "provider": "evn", "url": f"{self.folder}/*.csv", "expected": "once"}
        (home / "sources.yaml").write_text(yaml.safe_dump({"sources": [entry | source]}), "utf-8")

    @property
    def settings(self) -> Settings:
        return Settings(self.home, None, self.home / "sources.yaml", KEY.encode())

    def send(self, name: str, rows: Sequence[Row], day: str) -> None:
        """Puts a file there that was made on a day."""
        path = self.folder / name
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
        made = datetime.fromisoformat(f"{day}T12:00").replace(tzinfo=VIETNAM).timestamp()
        os.utime(path, (made, made))

    def night(self, until: date = LONG_AGO) -> Night:
        return night(self.settings, self.engine, until, steps=replace(WITHOUT_PREFECT, report=None))

    def ask(self, query: str, **values: Any) -> list[Any]:
        with self.engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(query), values)]

    def aside(self) -> list[Any]:
        """Bill, rule and status of each fault, and the file that puts it right."""
        return self.ask(
            "SELECT q.natural_key, q.rule_code, q.status, c.file_name FROM ops.quarantine q "
            "LEFT JOIN ops.delivery c ON c.delivery_id = q.corrected_by ORDER BY q.delivery_id, q.row_number, q.rule_code"
        )

    def bills(self) -> list[str]:
        """Numbers of the bills that are loaded."""
        return [code for (code,) in self.ask("SELECT bill_code FROM warehouse.fact_bill WHERE known_to = 'infinity' ORDER BY 1")]

    def conserves(self) -> bool:
        counts = "rows_received = rows_loaded + rows_unchanged + rows_quarantined + rows_ignored"
        aside = (
            "rows_quarantined = (SELECT count(DISTINCT row_number) FROM ops.quarantine q WHERE q.delivery_id = d.delivery_id "
            "AND q.severity = 'critical')"
        )
        return self.ask(f"SELECT count(*) FROM ops.delivery d WHERE NOT ({counts}) OR status <> 'rejected' AND NOT ({aside})") == [(0,)]
