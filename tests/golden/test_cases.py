"""Small deliveries, night by night, and what the warehouse must answer after the last: `cases/<name>/case.md` says why."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import pandas as pd
import psycopg
import pytest
import yaml
from sqlalchemy import Engine, text
from typer import Exit

from desk.cli import _tell_nights
from expectations.contract import Contract, contract
from flows.ingest import ingest_batch
from flows.nightly import Night, night
from flows.publish import publish
from flows.steps import Steps
from tasks.pull.landing import pull
from tasks.words.vietnamese import VIETNAM
from tests.nights import KEY, url_of
from warehouse.settings import Settings

CASES = Path(__file__).parent / "cases"
QUIET = Steps(pull, ingest_batch, publish, report=None)
WITH_QUERY = sorted(path.parent.name for path in CASES.glob("*/query.sql"))
BY_HAND = {"same-day-a-lands-first"}
"""Cases that more than one answer is right for, or that change what is declared: tests of their own below."""


@dataclass
class Place:
    """Where the nights of one case run."""

    engine: Engine
    home: Path
    case: Path
    ran: list[Night]

    def run(self, folder: Path) -> Night:
        """The files of a night arrive, then it runs, for the day that the folder names."""
        now = datetime.now(VIETNAM)

        def today(words: bytes) -> bytes:
            return re.sub(rb"\{today:([^}]*)\}", lambda found: now.strftime(found[1].decode()).encode(), words)

        for path in sorted(folder.rglob("*")):
            if path.is_file() and path.name not in ("date", "time"):
                target = self.home / os.fsdecode(today(os.fsencode(path.relative_to(folder))))
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(today(path.read_bytes()))
                if (folder / "time").exists():
                    moment = datetime.fromisoformat((folder / "time").read_text().strip()).timestamp()
                    os.utime(target, (moment, moment))
        until = date.fromisoformat((folder / "date").read_text().strip()) if (folder / "date").exists() else None
        done = night(self.settings, self.engine, until, steps=QUIET)
        self.ran.append(done)
        return done

    @property
    def settings(self) -> Settings:
        """The installation of the case."""
        return Settings(self.home / "home", url_of(self.engine), self.home / "sources.yaml", KEY.encode())

    def answers(self, queries: str) -> str:
        """Rows of each statement, a line a row, cells between tabs; an empty line between statements."""
        found = []
        for statement in filter(str.strip, queries.split(";")):
            with self.engine.connect() as connection:
                cursor = connection.connection.cursor()
                with cursor.copy(f"COPY ({statement}) TO STDOUT (NULL 'NULL')") as copy:  # type: ignore[attr-defined]
                    found.append("".join(bytes(block).decode() for block in copy))
        return "\n".join(found)


@pytest.fixture
def place(engine: Engine, tmp_path: Path) -> Callable[[str], Place]:
    """Lays a case out in a folder and a warehouse of its own."""

    def laid_out(name: str) -> Place:
        (tmp_path / "home").mkdir()
        entries = yaml.safe_load((CASES / name / "sources.yaml").read_text("utf-8"))
        (tmp_path / "sources.yaml").write_text(yaml.safe_dump(entries), "utf-8")
        if "provinces" in entries:  # those of another province than that of the other tests: its units are not there
            with engine.begin() as connection:
                for table in ("bridge_unit_lineage", "bridge_unit_succession"):
                    connection.execute(text(f"DELETE FROM warehouse.{table}"))
                connection.execute(text("DELETE FROM warehouse.dim_unit WHERE unit_key <> 0"))
        return Place(engine, tmp_path, CASES / name, [])

    return laid_out


@pytest.mark.parametrize("name", [name for name in WITH_QUERY if name not in BY_HAND])
def test_what_arrives_comes_out_right(place: Callable[[str], Place], name: str, capsys: pytest.CaptureFixture[str]) -> None:
    here = place(name)
    for folder in sorted(here.case.glob("night-*")):
        here.run(folder)
    answers = here.answers((here.case / "query.sql").read_text("utf-8"))
    expected = [path.read_text("utf-8").strip() for path in here.case.glob("expected*.tsv")]
    assert answers.strip() in expected
    if (here.case / "says.txt").exists():
        with suppress(Exit):
            _tell_nights(here.settings, here.ran)
        said = "".join(capsys.readouterr())
        for line in (here.case / "says.txt").read_text("utf-8").split("\n")[:-1]:
            assert bool(re.search(line.removeprefix("!"), said, re.IGNORECASE)) != line.startswith("!"), line


@pytest.mark.parametrize("order", [1, -1], ids=["a first", "b first"])
def test_two_offices_files_of_one_day_end_alike_whichever_landed_first(place: Callable[[str], Place], order: int) -> None:
    here = place("same-day-a-lands-first")
    for folder in sorted(here.case.glob("night-*"))[::order]:
        here.run(folder)
    assert here.answers((here.case / "query.sql").read_text("utf-8")) == "ND3\t15607\t2024\t700\t1100\n"
    assert here.answers("SELECT observed FROM ops.verdict WHERE rule_code = 'STR-019' AND NOT success") == "1 dòng, nguồn a, b\n"


def test_a_column_added_to_a_contract_changes_no_stored_row(place: Callable[[str], Place], monkeypatch: pytest.MonkeyPatch) -> None:
    here = place("r-column-added-to-a-contract")
    here.run(here.case / "night-1")
    changed = _with(
        contract("bills"), lambda bills: {"meter_code": {"type": "text", "description": "Meter"}, **bills["columns"]}, "columns"
    )
    monkeypatch.setattr("tasks.deliveries.source.contract", lambda feed: changed if feed == "bills" else contract(feed))
    here.run(here.case / "night-2")
    assert here.answers("SELECT file_name, rows_received, rows_loaded, rows_unchanged FROM ops.delivery ORDER BY 1") == (
        "e_202403.csv\t3\t3\t0\ne_202404.csv\t3\t0\t3\n"
    )


def test_a_payment_of_a_bill_and_an_unknown_shop_keeps_the_bills_unit(
    place: Callable[[str], Place], monkeypatch: pytest.MonkeyPatch
) -> None:
    here = place("unknown-shop-takes-the-unit")

    def shops(payments: dict[str, dict[str, dict[str, dict[str, str]]]]) -> dict[str, dict[str, dict[str, str]]]:
        payments["layouts"]["ecpay_csv"]["headers"]["VI_TTOAN"] = "merchant_code"
        return payments["layouts"]

    changed = _with(contract("payments"), shops, "layouts")
    monkeypatch.setattr("tasks.deliveries.source.contract", lambda feed: changed if feed == "payments" else contract(feed))
    here.run(here.case / "night-1")
    units = (
        "SELECT transaction_code, unit_code, NOT is_inferred FROM warehouse.fact_payment JOIN warehouse.dim_unit USING (unit_key) "
        "JOIN warehouse.dim_merchant USING (merchant_key) ORDER BY 1"
    )
    assert here.answers(units) == ("T1\t15607\tt\nT2\t15607\tf\n")
    assert here.answers("SELECT unexpected_count, observed FROM ops.verdict WHERE rule_code = 'PAY-009'") == "1\t1 dòng, 1 mã (dòng 3)\n"


def test_a_file_of_the_future_and_files_of_a_later_day_are_named(place: Callable[[str], Place]) -> None:
    here = place("todays_file_at_two_oclock")
    done = here.run(here.case / "night-1")
    assert [line for line in done.unreachable if "evn_20350131.csv: tên tệp nói ngày 31/01/2035, ở tương lai" in line]
    before = night(here.settings, here.engine, date(2024, 1, 1), steps=QUIET)
    assert sorted(line.split(":")[0] for line in before.ahead) == ["a", "b"]


def test_every_view_of_the_mart_can_be_read_by_the_tools_that_people_use(place: Callable[[str], Place]) -> None:
    here = place("infinity_in_the_mart")
    here.run(here.case / "night-1")
    with psycopg.connect(url_of(here.engine)) as connection:
        views = [name for (name,) in connection.execute("SELECT viewname FROM pg_views WHERE schemaname = 'mart' ORDER BY 1")]
        assert all(connection.execute(f"SELECT * FROM mart.{name}").fetchall() is not None for name in views)
    assert not pd.read_sql("SELECT * FROM mart.indicator_vintage", here.engine).empty
    assert all(pd.read_sql(f"SELECT * FROM mart.{name}", here.engine) is not None for name in views)


def _with(terms: Contract, change: Callable[[dict], dict], part: str) -> Contract:  # type: ignore[type-arg]
    whole = terms.model_dump()
    return Contract(**{**whole, part: change(whole)})
