"""A night writes the open data that are missing, and what goes wrong there does not cost it its report."""

from __future__ import annotations

import json
import shutil
from datetime import date
from pathlib import Path

import pytest
import yaml
from sqlalchemy import Engine

from flows.nightly import night
from flows.steps import WITHOUT_PREFECT
from tasks.deliveries.edition_folder import check
from tasks.open_data.shelf import shelf_of
from tasks.report.signing import sign
from tests.nights import KEY, few_sources
from warehouse.settings import Refusal, Settings


def test_a_night_writes_what_is_missing_and_its_pages_lead_there(engine: Engine, home: Path) -> None:
    path = few_sources(home)
    declared = yaml.safe_load(path.read_text("utf-8"))
    settings = Settings(home=home, warehouse_url=None, sources=path, secret_key=KEY.encode())

    def a_night() -> list[str]:
        return night(settings, engine, date(2025, 5, 5), steps=WITHOUT_PREFECT).problems

    assert a_night() == []
    assert not shelf_of(home).exists()  # nothing is signed, and nothing else was asked for
    assert "Dữ liệu mở" not in (home / "site" / "bieu.html").read_text("utf-8")
    path.write_text(yaml.safe_dump({**declared, "open_data": {"provisional": ["year"]}}), "utf-8")
    with engine.begin() as connection:
        number = sign(connection, "2024", "Lan").release_id
    assert a_night() == []
    assert check(shelf_of(home) / "2024" / str(number))["edition"]["signed_by"] == "Lan"
    assert check(shelf_of(home) / "2024" / "provisional")["edition"]["is_provisional"] is True
    year = (home / "site" / "bieu" / "2024.html").read_text("utf-8")
    assert '<a href="../open-data/index.html#2024-latest">Dữ liệu mở</a>' in year
    assert (home / "site" / "open-data" / "2024" / "latest" / "indicator.csv").is_file()
    catalogue = json.loads((shelf_of(home) / "catalog.jsonld").read_text("utf-8"))
    assert {one["dcat:version"] for one in catalogue["dcat:dataset"] if "/2024/" in one["dct:identifier"]} == {str(number), "provisional"}

    shutil.rmtree(shelf_of(home))
    shelf_of(home).write_text("in the way")
    (problem,) = a_night()
    assert problem.startswith("Dữ liệu mở: ")
    assert (home / "site" / "bieu" / "2024.html").is_file()

    path.write_text(yaml.safe_dump({**declared, "open_data": {"licence": "CC"}}), "utf-8")
    with pytest.raises(Refusal, match=r"`open_data\.licence` không dùng được"):
        a_night()
