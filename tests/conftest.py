"""What the tests share: one embedded PostgreSQL a session, a fresh database a test, a home of its own."""

from __future__ import annotations

import itertools
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import settings
from sqlalchemy import Engine

from tests.nights import bakhong, environment
from warehouse.database import connect, upgrade
from warehouse.embedded import Server, serve

TEMPLATE = "template_bakhong"
_numbers = itertools.count(1)

settings.register_profile("patient", deadline=None)  # how long an example takes says nothing on a shared machine
settings.load_profile("patient")


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The embedded PostgreSQL, with a template database that is migrated and seeded."""
    with serve(tmp_path_factory.mktemp("server")) as running:
        administrator = connect(running.url("owner", "postgres")).execution_options(isolation_level="AUTOCOMMIT")
        with administrator.connect() as connection:
            connection.exec_driver_sql("ALTER SYSTEM SET fsync = off")  # its disk is thrown away; what survives a crash is tried elsewhere
            connection.exec_driver_sql("SELECT pg_reload_conf()")
            connection.exec_driver_sql(f"CREATE DATABASE {TEMPLATE}")
        administrator.dispose()
        template = connect(running.url("owner", TEMPLATE))
        upgrade(template)
        template.dispose()
        yield running


@pytest.fixture
def engine(server: Server) -> Iterator[Engine]:
    """A fresh warehouse, migrated and seeded, opened as its owner."""
    name = f"warehouse_{next(_numbers)}"
    administrator = connect(server.url("owner", "postgres")).execution_options(isolation_level="AUTOCOMMIT")
    with administrator.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE} STRATEGY file_copy")
    opened = connect(server.url("owner", name))
    yield opened
    opened.dispose()
    with administrator.connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
    administrator.dispose()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """An empty BAKHONG_HOME."""
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


@dataclass(frozen=True)
class SampleNight:
    """What `make run` leaves on an empty home, and how to ask it further."""

    home: Path
    done: subprocess.CompletedProcess[str]

    def ask(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Runs `bakhong …` on the same home."""
        return bakhong(*words, env=environment(self.home))


@pytest.fixture(scope="session")
def sample_night(tmp_path_factory: pytest.TempPathFactory) -> SampleNight:
    """The sample night, once a session, by the command of `make run`: embedded PostgreSQL, Prefect, report and all."""
    home = tmp_path_factory.mktemp("sample-night")
    return SampleNight(home, bakhong("demo", env=environment(home)))
