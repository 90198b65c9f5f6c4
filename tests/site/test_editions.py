"""What an edition takes over from the one before is what it would make itself, whatever has changed in between."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, text

from flows.nightly import night
from flows.steps import WITHOUT_PREFECT
from tasks.ask.fees import Fees, fees
from tasks.report import drawn, reconciled_fees, yearly
from tasks.report.beside import Beside
from tasks.report.drawings import Chart
from tasks.report.edition import report
from tasks.report.yearly import MANIFEST, write_years
from tasks.validate.data_docs import DataDocs
from tests.conftest import copy_of
from tests.nights import KEY, few_sources
from warehouse.embedded import Server
from warehouse.settings import Settings

NIGHT = date(2025, 5, 5)
FEES = ("doi-soat-phi.html", "doi-soat-phi.csv", "doi-soat-phi.json")
"""Files that are made anew when anything was loaded."""


@pytest.fixture(scope="module")
def first_night(engine_of_module: Engine, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The installation that all tests begin with, after its first night: each has a copy of its own."""
    home = tmp_path_factory.mktemp("first-night")
    settings = Settings(home=home, warehouse_url=None, sources=few_sources(home), secret_key=KEY.encode())
    night(settings, engine_of_module, NIGHT, steps=WITHOUT_PREFECT)
    engine_of_module.dispose()
    return settings


@pytest.fixture
def engine(server: Server, engine_of_module: Engine, first_night: Settings) -> Iterator[Engine]:
    """Its warehouse."""
    with copy_of(server, str(engine_of_module.url.database)) as opened:
        yield opened


@pytest.fixture
def published(first_night: Settings, home: Path) -> Settings:
    """Its home, and what is set there."""
    return replace(first_night, home=shutil.copytree(first_night.home, home, symlinks=True, dirs_exist_ok=True))


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The years whose files are made, as they are made."""
    years: list[str] = []
    written = yearly._write

    def noted(connection: object, year: str, *others: object) -> object:
        years.append(year)
        return written(connection, year, *others)  # type: ignore[arg-type]

    monkeypatch.setattr(yearly, "_write", noted)
    return years


def edition(engine: Engine, settings: Settings) -> dict[str, bytes]:
    """What the site holds of the years after another report."""
    with engine.connect() as connection:
        run_id = connection.scalar(text("SELECT max(run_id) FROM ops.run"))
    site, before = settings.home / "site", settings.home / "report" / "editions" / "000000"
    shutil.rmtree(before, ignore_errors=True)
    site.resolve().rename(before)
    site.unlink()
    site.symlink_to(before, target_is_directory=True)
    report(engine, settings.home, run_id, DataDocs(settings.home / "data_docs"))
    return of_years(site)


def of_years(folder: Path) -> dict[str, bytes]:
    """The files of the years in a folder: workbooks, values, pages, charts, and what they are made of."""
    found = [*folder.glob("ba-khong-*"), *folder.rglob("bieu/**/*.html"), *folder.rglob("bieu/**/*.svg"), folder / MANIFEST]
    found.append(folder / drawn.MANIFEST)
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


def anew(engine: Engine, folder: Path) -> dict[str, bytes]:
    """The same made where no edition was before."""
    folder.mkdir()
    with engine.connect() as connection:
        write_years(connection, folder / "none", folder)
    return of_years(folder)


def change(engine: Engine, statement: str) -> None:
    with engine.begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        connection.execute(text(statement))


def test_a_night_that_changes_nothing_makes_none_anew(engine: Engine, published: Settings, made: list[str], tmp_path: Path) -> None:
    kept = edition(engine, published)
    assert made == []
    assert {"ba-khong-2024.xlsx", "ba-khong-2024.csv", "bieu/2024.html", "bieu/2024/don-vi/15655.html", MANIFEST} <= set(kept)
    assert {"bieu/2024/ND3/hang.svg", "bieu/2024/ND3/ban-do.svg"} <= set(kept)
    assert kept == anew(engine, tmp_path / "anew")


CHANGES = {
    "UPDATE warehouse.fact_indicator SET value = 1 WHERE period = '2024' AND value IS NOT NULL": True,
    "UPDATE warehouse.fact_indicator SET value = 1 WHERE period = '2024-03' AND value IS NOT NULL": False,
    "UPDATE warehouse.fact_reach SET next_due = '2031-01-01' WHERE period = '2024' AND known_to = 'infinity'": True,
    "UPDATE warehouse.fact_form_06a SET sector_name = 'Khác' WHERE period = '2024'": True,
    "UPDATE warehouse.fact_score_766 SET score = 1 WHERE period = '2024'": True,
    "DELETE FROM warehouse.indicator_confidentiality WHERE period = '2024'": True,
    "DELETE FROM warehouse.indicator_confidentiality WHERE period = '2024-03'": False,
    "UPDATE warehouse.dim_unit SET unit_name = 'Xã Khác' WHERE unit_code = '15655'": True,
    "UPDATE warehouse.dim_indicator SET definition = 'Khác' WHERE indicator_code = 'CQ4'": True,
}
"""Changes in the warehouse, and whether the files of 2024 tell of them."""


def test_what_changed_is_made_anew_and_nothing_else(engine: Engine, published: Settings, made: list[str], tmp_path: Path) -> None:
    for number, (statement, is_told) in enumerate(CHANGES.items()):
        made.clear()
        change(engine, statement)
        now = edition(engine, published)
        assert ("2024" in made) == is_told, statement
        assert now == anew(engine, tmp_path / f"anew-{number}"), statement


@pytest.fixture
def asked_to_draw(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The charts that are drawn, as they are asked for."""
    names: list[str] = []
    draw = Beside.draw

    def noted(beside: Beside, chart: Chart, path: Path) -> None:
        names.append("/".join(path.parts[-3:]))
        draw(beside, chart, path)

    monkeypatch.setattr(Beside, "draw", noted)
    return names


def test_a_chart_is_drawn_when_it_shows_something_else_and_else_taken_over(
    engine: Engine, published: Settings, made: list[str], asked_to_draw: list[str]
) -> None:
    of_nd3 = "indicator_key IN (SELECT indicator_key FROM warehouse.dim_indicator WHERE indicator_code = 'ND3')"
    change(engine, f"UPDATE warehouse.fact_indicator SET value = 1 WHERE period = '2024' AND value IS NOT NULL AND {of_nd3}")
    edition(engine, published)
    assert "2024" in made
    assert sorted(asked_to_draw) == ["2024/ND3/ban-do.svg", "2024/ND3/hang.svg"]
    asked_to_draw.clear()
    altered = published.home / "site" / "bieu" / "2024" / "ND3" / "hang.svg"
    whole = altered.read_bytes()
    altered.write_bytes(b"<svg/>")
    edition(engine, published)
    assert (asked_to_draw, altered.read_bytes()) == (["2024/ND3/hang.svg"], whole)


def test_another_programme_makes_all_anew(engine: Engine, published: Settings, made: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    before = edition(engine, published)
    monkeypatch.setattr(yearly, "programme", lambda: "another")
    after = edition(engine, published)
    assert made
    assert {name: after[name] for name in before if name != MANIFEST} == {name: before[name] for name in before if name != MANIFEST}


def test_what_is_not_as_it_was_made_is_made_anew(engine: Engine, published: Settings, made: list[str]) -> None:
    whole = edition(engine, published)
    for name in (MANIFEST, "bieu/2024.html"):
        for damage in (Path.unlink, lambda path: path.write_bytes(path.read_bytes()[:-9])):
            made.clear()
            damage(published.home / "site" / name)
            assert edition(engine, published) == whole
            assert "2024" in made


def test_a_workbook_that_cannot_be_written_is_told_and_leaves_the_edition_before(
    engine: Engine, published: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = (published.home / "site").resolve()
    monkeypatch.setattr(yearly, "workbook_name", lambda year: str(published.home / "nowhere" / year))
    monkeypatch.setattr(yearly, "programme", lambda: "another")
    with engine.begin() as connection:
        run = "INSERT INTO ops.run (flow, as_of, started_at, status, host, process_id) SELECT flow, as_of, now(), status, host, process_id"
        run_id = connection.scalar(text(f"{run} FROM ops.run ORDER BY run_id DESC LIMIT 1 RETURNING run_id"))
    with pytest.raises(Exception, match="nowhere"):
        report(engine, published.home, run_id, DataDocs(published.home / "data_docs"))
    assert (published.home / "site").resolve() == before


def test_the_page_of_fees_is_made_anew_when_something_was_loaded_and_else_taken_over(
    engine: Engine, published: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[date] = []

    def noted(connection: Connection, since: date) -> Fees:
        asked.append(since)
        return fees(connection, since)

    monkeypatch.setattr(reconciled_fees, "fees", noted)
    page = published.home / "site" / FEES[0]
    before = page.read_bytes()
    edition(engine, published)
    assert (asked, page.read_bytes()) == ([], before)
    change(engine, "INSERT INTO ops.load DEFAULT VALUES")
    edition(engine, published)
    assert asked == [date(2022, 3, 1)]  # 24 months, to February 2024, the last in which a dossier was received
    page.write_text("altered")
    edition(engine, published)
    assert page.read_bytes() == before


def test_a_year_that_is_not_among_the_latest_has_no_page_a_unit_and_no_link_to_one(
    engine: Engine, published: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    every = anew(engine, tmp_path / "every")
    of_units = {name for name in every if name.startswith("bieu/2024/don-vi/")}
    monkeypatch.setattr(yearly, "BY_UNIT", 0)
    fewer = anew(engine, tmp_path / "fewer")
    assert of_units
    assert set(every) - set(fewer) == of_units
    assert b"don-vi/15655" in every["bieu/2024.html"]
    assert not [name for name, page in fewer.items() if name.endswith(".html") and b"don-vi/" in page]
