"""From a province's desk to the country: an edition is signed there, and the nights of another installation take it, once."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlalchemy import Engine, text

from desk.web.app import application
from desk.web.serve import served
from flows.nightly import Night, night
from flows.steps import WITHOUT_PREFECT
from tasks.deliveries.edition_folder import CATALOGUE, SUMS
from tasks.open_data.declaration import OpenData
from tasks.open_data.edition import signed_edition
from tasks.open_data.files import files_of
from tasks.open_data.kinds import KINDS
from tasks.open_data.shelf import shelf_of, write_missing
from tasks.report.signing import sign
from tasks.words.vietnamese import VIETNAM
from tests.conftest import TEMPLATE, copy_of
from tests.nights import KEY, few_sources
from tests.warehouse.facts import LUAN_KHE, NGOC_PHUNG, close
from tests.warehouse.test_confidentiality import received
from tests.warehouse.test_gate import JULY, JUNE, a_night, shops
from warehouse.embedded import Server
from warehouse.settings import Settings
from warehouse.tables import fact_unit_count

LATER = datetime(2026, 12, 31, tzinfo=UTC)
"""After whatever a test signs."""


@dataclass
class Province:
    """Thanh Hóa with its desk, where January 2024 was signed."""

    engine: Engine
    home: Path
    url: str
    number: str
    shops: Any
    asked: list[str] = field(default_factory=list)
    """What was asked of the desk."""

    def since(self) -> list[str]:
        asked, self.asked[:] = [*self.asked], []
        return asked


@pytest.fixture
def province(engine: Engine, tmp_path: Path) -> Iterator[Province]:
    home = tmp_path / "thanh-hoa"
    home.mkdir()
    settings = Settings(home=home, warehouse_url=None, sources=few_sources(home), secret_key=KEY.encode())
    with engine.begin() as c:
        was = shops(c, 1, 400)
        received(c, NGOC_PHUNG, 1, 3, 1234)  # of three dossiers came one online: nobody is to see them
        received(c, LUAN_KHE, 1, 211, 500)
    a_night(engine, JUNE)
    number = signed(engine, home)
    desk, asked = application(engine, settings, ""), list[str]()

    async def counted(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            asked.append(scope["path"].removeprefix("/open-data/"))
        await desk(scope, receive, send)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/open-data/"
        with served(counted, listening, [], engine):
            yield Province(engine, home, url, number, was, asked)


def signed(engine: Engine, home: Path) -> str:
    """Signs January 2024 and opens it; returns its number."""
    with engine.begin() as c:
        number = str(sign(c, "2024-01", "Lan").release_id)
        write_missing(c, home, OpenData(provisional=("month",)))
    return number


@pytest.fixture
def country(server: Server) -> Iterator[Engine]:
    with copy_of(server, TEMPLATE) as opened:
        yield opened


def a_country_night(engine: Engine, home: Path, url: str) -> Night:
    path = home / "sources.yaml"
    entry = {"name": "tinh-38", "feed": "editions", "layout": "open_data", "provider": "38", "url": url, "expected": "monthly"}
    path.write_text(yaml.safe_dump({"provinces": "all", "sources": [entry]}), "utf-8")
    settings = Settings(home=home, warehouse_url=None, sources=path, secret_key=KEY.encode())
    return night(settings, engine, None, steps=WITHOUT_PREFECT)


def shops_of(engine: Engine) -> dict[str, tuple[int, int, float]]:
    query = (
        "SELECT unit_code, numerator, denominator, value::float FROM warehouse.fact_edition JOIN warehouse.dim_unit USING (unit_key) "
        "WHERE indicator_code = 'K2g' AND known_to = 'infinity' AND value IS NOT NULL"
    )
    with engine.connect() as c:
        return {row[0]: tuple(row[1:]) for row in c.execute(text(query))}


@pytest.mark.parametrize("way", ["http", "folder"])
def test_the_country_takes_what_a_province_signed_and_the_next_night_takes_nothing(
    way: str, province: Province, country: Engine, home: Path
) -> None:
    where = province.url if way == "http" else str(shelf_of(province.home))
    first = a_country_night(country, home, where)
    (outcome,) = first.outcomes
    assert (outcome.status, outcome.verdict, outcome.quarantined, first.unreachable) == ("loaded", "accept", 0, [])
    assert outcome.received == outcome.loaded > 100
    assert shops_of(country) == dict.fromkeys((NGOC_PHUNG, "396", "38"), (400, 1000, 40.0))
    asked = province.since()
    if way == "http":
        assert asked[0] == CATALOGUE
        assert set(asked[1:]) == {f"2024-01/{province.number}/{name}" for name in KINDS}

    second = a_country_night(country, home, where)
    assert (second.outcomes, second.unreachable) == ([], [])
    assert province.since() == ([CATALOGUE] if way == "http" else [])

    with province.engine.begin() as c:
        close(c, fact_unit_count, province.shops, JULY)
        shops(c, 1, 420, exported_at=JULY)
    a_night(province.engine, JULY)
    number = signed(province.engine, province.home)
    (corrected,) = a_country_night(country, home, where).outcomes
    assert (corrected.status, corrected.loaded) == ("loaded", 3)
    assert corrected.unchanged == outcome.loaded - 3
    assert shops_of(country)["38"] == (420, 1000, 42.0)
    if way == "http":
        assert {name for name in province.since() if name.endswith(SUMS)} == {f"2024-01/{number}/{SUMS}"}


def test_no_row_of_a_person_comes_along_and_no_number_that_is_withheld(province: Province, country: Engine, home: Path) -> None:
    a_country_night(country, home, province.url)
    landed = b"".join(path.read_bytes() for path in (home / "landing" / "tinh-38").iterdir())
    with province.engine.connect() as c:
        persons = c.scalars(text("SELECT applicant_hash::text FROM warehouse.fact_dossier WHERE applicant_hash IS NOT NULL")).all()
        codes = c.scalars(text("SELECT dossier_code FROM warehouse.fact_dossier")).all()
    assert [one for one in {*persons, *codes} if one.encode() in landed] == []
    with country.connect() as c:
        hidden = c.execute(text("SELECT numerator, denominator, value FROM warehouse.fact_edition WHERE obs_status = 'Q'")).all()
        assert hidden
        assert {tuple(row) for row in hidden} == {(None, None, None)}
        for table in ("fact_dossier", "fact_payment", "fact_bill", "fact_signature_holder", "fact_survey", "fact_unit_count"):
            assert c.scalar(text(f"SELECT count(*) FROM warehouse.{table}")) == 0
    assert json.loads((shelf_of(province.home) / CATALOGUE).read_text("utf-8"))["dcat:dataset"]


def test_a_countrys_edition_says_which_provincial_ones_it_rests_on_and_which_provinces_are_missing(
    province: Province, country: Engine, home: Path
) -> None:
    a_country_night(country, home, str(shelf_of(province.home)))
    with country.begin() as c:
        edition = signed_edition(c, sign(c, "2024-01", "Bình"))
    files = files_of(edition, OpenData())
    told = json.loads(files["datapackage.json"])
    today = f"{datetime.now(VIETNAM):%d/%m/%Y}"
    assert told["sources"] == [{"title": f"Tỉnh Thanh Hóa: bản ký số {province.number} của tháng 01/2024, ký {today}"}]
    readme = files["README.txt"].decode()
    assert "Số của cả nước cộng từ bản ký của 1/34 tỉnh, còn thiếu: Thành phố Hà Nội, " in readme
    assert "add up the signed editions of 1 of 34 provinces; missing: Thành phố Hà Nội, " in readme
    assert "Tỉnh Thanh Hóa" not in readme.partition("còn thiếu: ")[2].partition(".")[0]
    of_the_province = shelf_of(province.home) / "2024-01" / province.number / "README.txt"
    assert "cả nước" not in of_the_province.read_text("utf-8")
