"""Who runs in the race: the night as users run it, the bare load, and a small dbt + DuckDB project; each takes the same files."""

from __future__ import annotations

import json
import os
import re
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

import psycopg
import yaml

from tests.bench import data
from tests.bench.memory import Taken, run
from warehouse import embedded

Cell = tuple[str, str, str, int, int, int]
"""Indicator, unit, period, numerator, denominator, rate in tenths of a percent."""

PROJECT = Path(__file__).parent / "dbt"
ENVIRONMENT = Path(".bakhong/dbt/bin").absolute()
"""Of dbt, made by `make bench`."""
BLOCK = 1 << 20


@dataclass(frozen=True)
class Server:
    """The PostgreSQL that the night and the bare load share."""

    embedded: embedded.Server

    @contextmanager
    def database(self, name: str) -> Iterator[str]:
        """The URL of a database that is new, and gone afterwards."""
        with psycopg.connect(self.embedded.url("owner", "postgres"), autocommit=True) as administrator:
            administrator.execute(f'CREATE DATABASE "{name}"')
            try:
                yield self.embedded.url("owner", name)
            finally:
                administrator.execute(f'DROP DATABASE "{name}" WITH (FORCE)')

    def settle(self) -> None:
        """Writes out what is left of earlier work, so that nobody pays for another."""
        with psycopg.connect(self.embedded.url("owner", "postgres"), autocommit=True) as administrator:
            administrator.execute("CHECKPOINT")


class Contender(ABC):
    """Somebody who takes the files of a night and answers with the indicators."""

    name: str

    @abstractmethod
    def take(self, arrived: Path, until: date) -> Taken:
        """Takes the files in the folder, of a night of that day, and computes."""

    @abstractmethod
    def answers(self) -> set[Cell]:
        """The cells computed that have a denominator, and are not too few to be shown."""


class Night(Contender):
    """`bakhong nightly` with Prefect, in a home of its own."""

    name = "bakhong"
    command = str(Path(sys.executable).with_name("bakhong"))

    def __init__(self, folder: Path, url: str, *, sources: Path | None = None, bills: bool = True) -> None:
        """`sources`: those to take instead of a folder that files arrive in; `bills`: whether any arrive there."""
        self.folder, self.url = folder, url
        if sources is None:
            data.catalogues(folder, bills=bills)
        self.environment = {
            **os.environ,
            "BAKHONG_HOME": str(folder / "home"),
            "BAKHONG_SOURCES": str(sources or folder / "sources.yaml"),
            "BAKHONG_SECRET_KEY": "a key for the benchmark, only for it",
            "BAKHONG_WAREHOUSE_URL": url,
        }
        run([self.command, "warehouse", "upgrade"], self.environment)

    def take(self, arrived: Path, until: date) -> Taken:
        for file in arrived.iterdir():
            (self.folder / "inbox" / file.name).hardlink_to(file)
        return self.night(until)

    def night(self, until: date, *, may_end_with: tuple[int, ...] = (0,)) -> Taken:
        """The night of a day, with what is there."""
        return run([self.command, "nightly", "--profile", "--date", until.isoformat()], self.environment, may_end_with=may_end_with)

    def answers(self) -> set[Cell]:
        with psycopg.connect(self.url) as connection:
            return set(
                connection.execute(
                    "SELECT indicator_code, unit_code, period, numerator, denominator, (10 * value)::bigint FROM mart.indicator "
                    "WHERE indicator_code = ANY(%s) AND denominator > 0",
                    [["CQ4", "CQ5", "CQ6F", "K1a", "K2a", "K2b", "K2c", "K2f"]],
                )
            )


class BareLoad(Contender):
    """COPY into keyed tables and INSERT … SELECT of the indicators: no checks, no history, on one connection."""

    name = "bare load"

    def __init__(self, folder: Path, url: str) -> None:
        self.url = url
        data.lookups(folder)
        columns = {table: ", ".join(f"{name} {type}" for name, type in _columns()[table].items()) for table in FEEDS}
        with psycopg.connect(url) as connection:
            for table, (_, key) in FEEDS.items():
                connection.execute(f"CREATE TABLE {table} ({columns[table]}, PRIMARY KEY ({key}))")
            connection.execute("CREATE TABLE agency (agency text PRIMARY KEY, commune text)")
            connection.execute("CREATE TABLE place (commune text, unit text, PRIMARY KEY (commune, unit))")
            connection.execute("CREATE TABLE period (month date, period text, PRIMARY KEY (month, period))")
            connection.execute(
                "CREATE TABLE indicator (code text, unit text, period text, numerator bigint, denominator bigint, rate bigint, "
                "PRIMARY KEY (code, unit, period))"
            )
            for table in ("agency", "place", "period"):
                _copy(connection, table, folder / f"{table}.csv")

    def take(self, arrived: Path, until: date) -> Taken:
        start = time.perf_counter()
        with psycopg.connect(self.url) as connection:
            connection.execute("SET datestyle = 'ISO, DMY'")
            connection.execute(
                f"CREATE TEMPORARY TABLE arrived ({', '.join(f'{name} text' for name in _columns()['dossier'])}) ON COMMIT DROP"
            )
            for table, (files, _) in FEEDS.items():
                for file in sorted(arrived.glob(files)):
                    _copy(connection, "arrived" if table == "dossier" else table, file)
            connection.execute(_upsert())
            connection.execute("TRUNCATE indicator")
            connection.execute(f"INSERT INTO indicator {_indicators()}")
        return Taken(time.perf_counter() - start)

    def answers(self) -> set[Cell]:
        with psycopg.connect(self.url) as connection:
            return set(connection.execute("SELECT code, unit, period, numerator, denominator, rate FROM indicator"))


class Dbt(Contender):
    """`dbt build` with DuckDB: incremental models of the files that are new, checks of all rows, the indicators."""

    name = "dbt + DuckDB"

    def __init__(self, folder: Path) -> None:
        if not (ENVIRONMENT / "dbt").exists():
            raise SystemExit(f"there is no dbt in {ENVIRONMENT}: `make bench` installs it")
        data.lookups(folder)
        self.folder, self.file = folder, folder / "bench.duckdb"

    def take(self, arrived: Path, until: date) -> Taken:
        given = yaml.safe_dump({"inbox": str(arrived), "lookups": str(self.folder)})
        command = [str(ENVIRONMENT / "dbt"), "build", "--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT), "--vars", given]
        paths = {f"DBT_{name}_PATH": str(self.folder / name.lower()) for name in ("TARGET", "LOG")}
        return run(command, {**os.environ, **paths, "BENCH_DUCKDB": str(self.file), "DO_NOT_TRACK": "1"})

    def answers(self) -> set[Cell]:
        program = "import duckdb, json, sys; print(json.dumps(duckdb.connect(sys.argv[1]).execute('FROM indicator').fetchall()))"
        found = run([str(ENVIRONMENT / "python"), "-c", program, str(self.file)], dict(os.environ))
        return set(map(tuple, json.loads(found.output)))


FEEDS = {"bill": ("evn_*.csv", "ID_HDON"), "payment": ("ecpay_*.csv", "MA_GIAO_DICH"), "dossier": ("td_*.csv", "MaHoSo")}
"""Table → its files and its key."""


@cache
def _columns() -> dict[str, dict[str, str]]:
    """Table → column → type, as the dbt project has them."""
    declared: dict[str, dict[str, str]] = yaml.safe_load((PROJECT / "dbt_project.yml").read_text("utf-8"))["vars"]
    return declared


def _upsert() -> str:
    """Dossiers come again where they change, and with times that COPY does not understand."""
    dossier = _columns()["dossier"]
    times = {name: f"overlay({name} placing ' ' from 9 for 0)" for name, type in dossier.items() if type == "timestamp"}
    typed = ", ".join(f"CAST({times.get(name, name)} AS {type})" for name, type in dossier.items())
    told = ", ".join(f"{name} = excluded.{name}" for name in dossier)
    return f"INSERT INTO dossier SELECT {typed} FROM arrived ON CONFLICT ({FEEDS['dossier'][1]}) DO UPDATE SET {told}"


def _indicators() -> str:
    """The same SELECT that dbt runs."""
    return re.sub(r"\{\{ ref\('(\w+)'\) \}\}", r"\1", (PROJECT / "models" / "indicator.sql").read_text("utf-8"))


def _copy(connection: psycopg.Connection, table: str, file: Path) -> None:
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY {table} FROM STDIN (FORMAT csv, HEADER)") as copy,
        file.open("rb") as content,
    ):
        while block := content.read(BLOCK):
            copy.write(block)
