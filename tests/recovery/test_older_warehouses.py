"""A warehouse of each older version, filled by that version, becomes one of this version: its answers, its history and its nights go on."""

from __future__ import annotations

import csv
import io
import lzma
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from flows.nightly import night
from flows.publish import publish
from flows.steps import WITHOUT_PREFECT
from tasks.ask.official_table import Line
from tasks.ask.scope import WHOLE
from tasks.count.kept import verify
from tasks.report.signing import differences
from tests.conftest import TEMPLATE, copy_of
from tests.fixtures.warehouses.make import ANSWERS, HERE, NIGHTS, SIGNED, SINCE_SIGNED
from tests.nights import KEY, url_of
from warehouse.client_programs import reaching
from warehouse.database import connect, read_warehouse, upgrade
from warehouse.embedded import Server, programs
from warehouse.migrations.steps import newest_revision
from warehouse.settings import Refusal, Settings

REVISIONS = sorted(path.name for path in HERE.glob("[0-9]*"))
NEXT = date(2025, 2, 28)
STEPS = replace(WITHOUT_PREFECT, report=None, publish=partial(publish, is_gated=False))


@contextmanager
def older(server: Server, revision: str) -> Iterator[Engine]:
    """The warehouse that the version of a revision left, as its dump has it."""
    administrator = connect(server.url("owner", "postgres")).execution_options(isolation_level="AUTOCOMMIT")
    with administrator.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE older_{revision}")
    opened = connect(server.url("owner", f"older_{revision}"))
    with reaching(opened) as environment:
        command = [str(programs() / "psql"), "--quiet", "--set=ON_ERROR_STOP=1", "--output=/dev/null"]
        dump = lzma.decompress((HERE / revision / "warehouse.sql.xz").read_bytes())
        subprocess.run(command, input=dump, env=environment, check=True)
    yield opened
    opened.dispose()
    with administrator.connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE older_{revision} WITH (FORCE)")
    administrator.dispose()


def then(revision: str, name: str) -> list[dict[str, str]]:
    """What a version answered."""
    with (HERE / revision / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def expected(revision: str, name: str) -> list[dict[str, str]]:
    """What a version answered, as far as what was changed since does not have it otherwise."""
    rows = then(revision, name)
    if name == "quarantine" and revision < "0007":  # the header is a row of the file, as a spreadsheet counts
        return [row | {"row_number": str(int(row["row_number"]) + 1)} for row in rows]
    if name == "published_check" and revision < "0011":  # the counts a document prints are held against ours too: 1442/1442 is not 12/12
        return [row | {"verdict": "differs"} if row["indicator_code"] == "CQ7" else row for row in rows]
    return rows


def now(engine: Engine, name: str) -> list[dict[str, str]]:
    """What this version answers to the same question, written the same way."""
    with (
        engine.connect() as connection,
        connection.connection.cursor().copy(f"COPY ({ANSWERS[name]}) TO STDOUT WITH (FORMAT csv, HEADER)") as rows,
    ):
        return list(csv.DictReader(b"".join(bytes(block) for block in rows).decode().splitlines()))


def settings(engine: Engine, home: Path) -> Settings:
    return Settings(home, url_of(engine), HERE / "sources.yaml", KEY.encode())


def landed(home: Path, engine: Engine) -> None:
    """Lays the files of the inbox where the older version had landed them."""
    files = {sha256(path.read_bytes()).hexdigest(): path for path in (HERE / "inbox").rglob("*.*")}
    with engine.connect() as connection:
        for source, hashed in connection.execute(text("SELECT source, sha256 FROM ops.delivery")):
            (home / "landing" / source).mkdir(parents=True, exist_ok=True)
            (home / "landing" / source / hashed).write_bytes(files[hashed].read_bytes())


def one_night(engine: Engine, home: Path, day: date) -> None:
    assert night(settings(engine, home), engine, day, steps=STEPS).shortcomings == []


def since_signed(engine: Engine) -> str:
    """What has changed since the period was signed, as the older version wrote it down."""
    with engine.connect() as connection:
        _, found = differences(connection, SIGNED, WHOLE)
    rows = [
        [one.line.indicator_code, one.line.unit_code, *(value for line in (one.signed, one.now) for value in told(line))] for one in found
    ]
    written = io.StringIO()
    csv.writer(written, lineterminator="\n").writerows(sorted(rows, key=lambda row: row[:2]))
    return written.getvalue()


def told(line: Line | None) -> list[Any]:
    return [None, None, None] if line is None else [line.numerator, line.denominator, line.value]


def values(engine: Engine) -> set[tuple[Any, ...]]:
    query = "SELECT indicator_code, unit_code, period, numerator, denominator, value, obs_status FROM mart.indicator"
    with engine.connect() as connection:
        return {tuple(row) for row in connection.execute(text(query))}


def only_shown(engine: Engine, revision: str) -> set[tuple[Any, ...]]:
    """What an older version showed and this one would not begin to show: it says that nothing of the kind is there, and does not vanish.

    A survey of a commune in July 2024 counted for district and province, which so had a table of that month (before 0014, ADR 0019).
    """
    if revision >= "0014":
        return set()
    above = {one for one in values(engine) if one[1] in ("38", "396") and one[2] in ("2024-07", "2024-Q3")}
    assert {one[0] for one in above if one[3] is not None} == {"ST1"}, "units on the list, which there were in that month as well"
    return above


@pytest.fixture(scope="module")
def never_older(server: Server, tmp_path_factory: pytest.TempPathFactory) -> set[tuple[Any, ...]]:
    """What is published where every night was one of this version."""
    with copy_of(server, TEMPLATE) as fresh:
        home = tmp_path_factory.mktemp("never-older")
        for day in (*map(date.fromisoformat, NIGHTS), NEXT):
            one_night(fresh, home, day)
        return values(fresh)


@pytest.mark.parametrize("revision", REVISIONS)
def test_a_warehouse_of_an_older_version_goes_on(server: Server, never_older: set[tuple[Any, ...]], revision: str, tmp_path: Path) -> None:
    with older(server, revision) as engine:
        if revision != newest_revision():
            with pytest.raises(Refusal, match="bakhong warehouse upgrade"), read_warehouse(settings(engine, tmp_path)):
                pass
        upgrade(engine)
        for name in ANSWERS:
            assert now(engine, name) == expected(revision, name), name
        if (HERE / revision / SINCE_SIGNED).exists():
            assert since_signed(engine) == (HERE / revision / SINCE_SIGNED).read_text("utf-8")
        landed(tmp_path, engine)
        one_night(engine, tmp_path, NEXT)
        with engine.connect() as connection:
            assert not [one for one in verify(connection) if one.differences]
        assert values(engine) == never_older | only_shown(engine, revision)
