"""A dossier file that comes late, after those made later, leaves what had been published had it come in time."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlalchemy import Engine, text

from flows import ingest as module
from flows.nightly import Night, night
from flows.publish import publish
from flows.steps import WITHOUT_PREFECT
from tasks.deliveries.ledger import Delivery, Outcome
from tasks.keep.prune import prune
from tasks.words.vietnamese import VIETNAM
from tests.conftest import TEMPLATE, copy_of
from tests.nights import KEY, SAMPLES
from warehouse.database import downgrade, upgrade
from warehouse.embedded import Server
from warehouse.settings import Settings

NIGHT = date(2025, 5, 5)
LATE, LAST = "td_mau_20240630.csv", "td_mau_20241130.csv"
PUBLISHED = {
    "form 06a": "SELECT (unit_code, unit_valid_from, period, section, field_code, c3, c4, c5, c6, c7, c8, c9, c10, c11, c12, c13)"
    "::text FROM mart.form_06a",
    "score 766": "SELECT (department_code, unit_code, period, group_code, component_code, numerator, denominator, ratio, score, obs_status)"
    "::text FROM mart.score_766",
    "indicators": "SELECT (indicator_code, unit_code, unit_valid_from, period, numerator, denominator, value, obs_status)"
    "::text FROM mart.indicator",
    "states": "SELECT (row_key, row_hash, known_from, known_to, unit_key)::text FROM warehouse.fact_dossier",
}
QUIET = replace(WITHOUT_PREFECT, report=None, publish=partial(publish, is_gated=False))
"""A late file changes figures that were official: what the gate says to that is tried in tests/warehouse/test_gate.py."""


def published(engine: Engine) -> dict[str, list[Any]]:
    """What is published now, without the number of times it was revised."""
    with engine.connect() as connection:
        return {name: sorted(connection.scalars(text(query))) for name, query in PUBLISHED.items()}


def an_inbox(home: Path) -> Path:
    """The samples' catalogues and some of their one-stop-shop files, in a folder of their own."""
    samples, inbox = SAMPLES.parent / "inbox", home / "inbox"
    shutil.copytree(samples / "catalogues", inbox / "catalogues")
    (inbox / "one-stop-shop").mkdir()
    for month in range(4, 12):
        (file,) = (samples / "one-stop-shop").glob(f"*_2024{month:02}*.csv")
        shutil.copy2(file, inbox / "one-stop-shop")
    wanted = ("procedures", "agencies", "one-stop-shop")
    entries = [source for source in yaml.safe_load(SAMPLES.read_text("utf-8"))["sources"] if source["name"] in wanted]
    (home / "sources.yaml").write_text(yaml.safe_dump({"sources": entries}), "utf-8")
    return inbox / "one-stop-shop"


@pytest.fixture
def inbox(home: Path) -> Path:
    return an_inbox(home)


def one_night(engine: Engine, home: Path, day: date) -> Night:
    return night(Settings(home, None, home / "sources.yaml", KEY.encode()), engine, day, steps=QUIET)


def a_night_that_breaks(engine: Engine, home: Path, breaks: Callable[[str], Exception | KeyboardInterrupt | None]) -> Night:
    """The night after, in which loading some files raises what they are given."""
    settings = Settings(home, None, home / "sources.yaml", KEY.encode())
    load = module.load

    def breaking(engine: Engine, delivery: Delivery, *rest: Any) -> Outcome:
        if problem := breaks(delivery.file_name):
            raise problem
        return load(engine, delivery, *rest)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "load", breaking)
        return night(settings, engine, NIGHT + timedelta(1), steps=QUIET)


@pytest.fixture(scope="module")
def in_time(engine_of_module: Engine, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Any]]:
    """What three nights publish where every file is there from the first."""
    home = tmp_path_factory.mktemp("in-time")
    an_inbox(home)
    for number in range(3):
        one_night(engine_of_module, home, NIGHT + timedelta(number))
    found = published(engine_of_module)
    assert len(found["form 06a"]) > 500
    return found


@pytest.fixture(scope="module")
def but_the_last(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Name of a database after one night with all files but the last."""
    home = tmp_path_factory.mktemp("but-the-last")
    (an_inbox(home) / LAST).unlink()
    with copy_of(server, TEMPLATE) as engine:
        one_night(engine, home, NIGHT)
        engine.dispose()
        yield str(engine.url.database)


@pytest.fixture
def engine_of_the_last_night(server: Server, but_the_last: str) -> Iterator[Engine]:
    """A copy of that database."""
    with copy_of(server, but_the_last) as engine:
        yield engine


@pytest.fixture(scope="module")
def but_the_late_one(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """Name of a database, and the home, after one night without the late file; it lies in the inbox only afterwards."""
    home = tmp_path_factory.mktemp("but-the-late-one")
    inbox = an_inbox(home)
    (inbox / LATE).rename(home / LATE)
    with copy_of(server, TEMPLATE) as engine:
        one_night(engine, home, NIGHT)
        engine.dispose()
        (home / LATE).rename(inbox / LATE)
        yield str(engine.url.database), home


@pytest.fixture
def engine_of_the_late_file(server: Server, but_the_late_one: tuple[str, Path]) -> Iterator[Engine]:
    """A copy of that database."""
    with copy_of(server, but_the_late_one[0]) as engine:
        yield engine


@pytest.fixture
def home_of_the_late_file(home: Path, but_the_late_one: tuple[str, Path]) -> Path:
    """A copy of that home."""
    return shutil.copytree(but_the_late_one[1], home, dirs_exist_ok=True)


def test_a_late_file_is_counted_in_the_night_it_comes_and_the_nights_after_it_go_on(
    engine_of_the_late_file: Engine, home_of_the_late_file: Path, in_time: dict[str, list[Any]]
) -> None:
    engine, home = engine_of_the_late_file, home_of_the_late_file
    assert published(engine)["form 06a"] != in_time["form 06a"]
    taken = one_night(engine, home, NIGHT + timedelta(1)).outcomes
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM ops.delivery WHERE status = 'landed'")) == 0, "none is left in the queue"
        later = text("SELECT count(*) FROM ops.delivery WHERE feed = 'dossiers' AND exported_at >= '2024-06-30'")
        assert len(taken) == connection.scalar(later), "the late one, and each that was made after it"
    assert {outcome.status for outcome in taken} == {"loaded"}
    after = one_night(engine, home, NIGHT + timedelta(2))
    assert after.outcomes == []
    assert published(engine) == in_time


def test_files_that_lie_compressed_are_read_again_as_the_plain_ones(
    engine_of_the_late_file: Engine, home_of_the_late_file: Path, in_time: dict[str, list[Any]]
) -> None:
    engine, home = engine_of_the_late_file, home_of_the_late_file
    settings = Settings(home, None, home / "sources.yaml", KEY.encode())
    lines = prune(engine, settings, datetime.now(VIETNAM) + timedelta(31), "Lan", lambda *_: None, tries=False)
    landed = list((home / "landing").glob("*/*"))
    assert [line.files for line in lines if line.rule == "landing_plain"] == [len(landed)]
    assert {path.suffix for path in landed} == {".zst"}
    taken = one_night(engine, home, NIGHT + timedelta(1)).outcomes
    assert len(taken) > 1, "the late one, and those made after it"
    assert {outcome.status for outcome in taken} == {"loaded"}
    assert published(engine) == in_time


def test_a_night_killed_between_a_late_file_and_those_after_it_is_made_good(
    engine_of_the_late_file: Engine, home_of_the_late_file: Path, in_time: dict[str, list[Any]]
) -> None:
    engine, home = engine_of_the_late_file, home_of_the_late_file
    with pytest.raises(KeyboardInterrupt):
        a_night_that_breaks(engine, home, lambda file: KeyboardInterrupt() if file > "td_mau_20240930" else None)
    one_night(engine, home, NIGHT + timedelta(1))
    one_night(engine, home, NIGHT + timedelta(2))
    assert published(engine) == in_time


def test_a_late_file_whose_first_load_broke_is_made_good_by_the_next_night(
    engine_of_the_late_file: Engine, home_of_the_late_file: Path, in_time: dict[str, list[Any]]
) -> None:
    """The night in between published without it, so it is no longer received since the last publication."""
    engine, home = engine_of_the_late_file, home_of_the_late_file
    broken = a_night_that_breaks(engine, home, lambda file: ConnectionResetError("its connection was cut") if file == LATE else None)
    assert broken.problems
    one_night(engine, home, NIGHT + timedelta(2))
    assert published(engine) == in_time


FORM = "warehouse.agg_count WHERE counted = 'form_06a'"
A_LARGE_ONE = f"counted = 'form_06a' AND ctid = (SELECT ctid FROM {FORM} ORDER BY counts[2] DESC LIMIT 1)"


@pytest.mark.parametrize(
    "damage",
    [
        "TRUNCATE warehouse.agg_count",
        "DELETE FROM warehouse.agg_count WHERE ctid IN (SELECT ctid FROM warehouse.agg_count LIMIT 5)",
        f"UPDATE warehouse.agg_count SET counts[2] = counts[2] + 1, counts[4] = counts[4] + 1 WHERE {A_LARGE_ONE}",
        "UPDATE ops.mark SET fingerprint = ''",
        "UPDATE ops.delivery SET loaded_at = '2020-01-01', status = 'landed' WHERE file_name LIKE 'td%20241%'",
        # one that passes for the night's own, so that only the controls of the form can see it
        "SET LOCAL bakhong.counting = 'on'; "
        f"UPDATE warehouse.agg_count SET counts[4] = counts[4] + 1000, counts[6] = counts[6] - 1000 WHERE {A_LARGE_ONE}",
    ],
    ids=["counts gone", "some gone", "one wrong", "a mark of another version", "deliveries sent back by hand", "wrong by our own hand"],
)
def test_counts_that_do_not_fit_are_counted_anew_and_never_refused(
    damage: str, engine_of_the_last_night: Engine, home: Path, inbox: Path, in_time: dict[str, list[Any]]
) -> None:
    engine = engine_of_the_last_night
    with engine.begin() as connection:
        assert connection.scalar(text("SELECT count(*) FROM ops.mark")) > 5
        connection.execute(text(damage))
    for number in (1, 2):
        one_night(engine, home, NIGHT + timedelta(number))
    assert published(engine) == in_time


def test_counts_do_not_outlive_the_tables_they_were_in(
    engine_of_the_last_night: Engine, home: Path, inbox: Path, in_time: dict[str, list[Any]]
) -> None:
    engine = engine_of_the_last_night
    downgrade(engine, "0001")
    upgrade(engine)
    for number in (1, 2):
        one_night(engine, home, NIGHT + timedelta(number))
    assert published(engine) == in_time


def test_files_that_come_in_order_are_added_to_what_is_counted(
    engine: Engine, home: Path, inbox: Path, in_time: dict[str, list[Any]]
) -> None:
    """A night costs what is new: the counts of months that nothing happens in stay the rows the first night wrote."""
    written_first = f"SELECT min(xmin::text::bigint) FROM {FORM}"
    nights = [date(2024, month, 1) - timedelta(1) for month in range(5, 13)]
    written = []
    for day in (*nights, NIGHT, NIGHT + timedelta(2)):
        one_night(engine, home, day)
        with engine.connect() as connection:
            written.append(connection.scalar(text(written_first)))
    assert written == [written[0]] * 10
    assert published(engine) == in_time
