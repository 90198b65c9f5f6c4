"""What the tests share: one embedded PostgreSQL a worker, a fresh database a test, a home of its own, one sample night for all."""

from __future__ import annotations

import fcntl
import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import settings
from sqlalchemy import Engine

from tests.nights import bakhong, environment, stop_postgresql
from warehouse.database import connect, upgrade
from warehouse.embedded import Server, serve
from warehouse.seed import know_provinces

TEMPLATE = "template_bakhong"
MEMORY_NEEDED = 4 << 30
"""Bytes, for the servers of all workers, of which each takes some hundred MB."""
_numbers = itertools.count(1)

settings.register_profile("patient", deadline=None)  # how long an example takes says nothing on a shared machine
settings.load_profile("patient")

LONGEST_FIRST = ("flows", "recovery", "golden", "warehouse", "site")


def pytest_addoption(parser: pytest.Parser) -> None:
    """What takes too long for every day."""
    parser.addoption("--large", action="store_true", help="try the deliveries of hundreds of MB too")
    parser.addoption("--superset", action="store_true", help="try the dashboards in the Superset of .bakhong/superset (make test-superset)")
    parser.addoption("--fuzz-seconds", type=float, default=15, metavar="N", help="for so long deliveries are changed at random (15)")
    parser.addoption("--fuzz-seed", type=int, default=None, metavar="N", help="the one seed to try again, of a delivery that failed")


def pytest_configure(config: pytest.Config) -> None:
    """Tests that are told to end do so as after Ctrl-C, also in the background, where that is ignored: what they started is stopped."""
    config.addinivalue_line("markers", "large: a delivery of hundreds of MB, tried with --large")
    config.addinivalue_line("markers", "superset: asks for an environment with Superset, tried with --superset")
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The folders that take longest come first, so that side by side no worker ends long after the others."""
    for asked_for in ("large", "superset"):
        if not config.getoption(asked_for):
            items[:] = [item for item in items if item.get_closest_marker(asked_for) is None]
    items.sort(key=lambda item: LONGEST_FIRST.index(item.path.parent.name) if item.path.parent.name in LONGEST_FIRST else 99)


def in_memory() -> Path | None:
    """Where files are kept in memory, if this machine has such a place, and room there."""
    place = Path("/dev/shm")  # a folder of our own in it
    return place if place.is_dir() and shutil.disk_usage(place).free > MEMORY_NEEDED else None


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """The embedded PostgreSQL, with a template database that is migrated and seeded.

    A database a test is a thousand files a test, and as many for the temporary tables of a night: a disk's file system takes up to ten
    times as long to make them.
    """
    with TemporaryDirectory(prefix="bakhong-tests-", dir=in_memory()) as folder, serve(Path(folder)) as running:
        administrator = connect(running.url("owner", "postgres")).execution_options(isolation_level="AUTOCOMMIT")
        with administrator.connect() as connection:
            connection.exec_driver_sql("ALTER SYSTEM SET fsync = off")  # its disk is thrown away; what survives a crash is tried elsewhere
            connection.exec_driver_sql("SELECT pg_reload_conf()")
            connection.exec_driver_sql(f"CREATE DATABASE {TEMPLATE}")
        administrator.dispose()
        template = connect(running.url("owner", TEMPLATE))
        upgrade(template)
        with template.begin() as connection:
            know_provinces(connection, ["38"])
        template.dispose()
        yield running


@pytest.fixture(autouse=True)
def _umask() -> Iterator[None]:
    """What a command leaves to the files after it (settings close them to others) ends with the test."""
    before = os.umask(0o022)
    yield
    os.umask(before)


@contextmanager
def copy_of(server: Server, template: str) -> Iterator[Engine]:
    """A copy of a database that nobody is connected to, for as long as the block lasts."""
    name = f"warehouse_{next(_numbers)}"
    administrator = connect(server.url("owner", "postgres")).execution_options(isolation_level="AUTOCOMMIT")
    with administrator.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
    opened = connect(server.url("owner", name))
    yield opened
    opened.dispose()
    with administrator.connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
    administrator.dispose()


@pytest.fixture
def engine(server: Server) -> Iterator[Engine]:
    """A fresh warehouse, migrated and seeded, opened as its owner."""
    with copy_of(server, TEMPLATE) as opened:
        yield opened


@pytest.fixture(scope="module")
def engine_of_module(server: Server) -> Iterator[Engine]:
    """The same, shared by the tests of a file."""
    with copy_of(server, TEMPLATE) as opened:
        yield opened


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """An empty BAKHONG_HOME, of which no PostgreSQL outlives the test."""
    folder = tmp_path / "home"
    folder.mkdir()
    yield folder
    stop_postgresql(folder)


@dataclass(frozen=True)
class SampleNight:
    """What `make run` leaves on an empty home, and how to ask it further."""

    home: Path
    done: subprocess.CompletedProcess[str]

    def ask(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Runs `bakhong …` on the same home."""
        return bakhong(*words, env=environment(self.home))


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for what is made once for all workers."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


@pytest.fixture(scope="session")
def sample_night(shared: Path) -> SampleNight:
    """The sample night, once a session, by the command of `make run`: embedded PostgreSQL, Prefect, report and all."""
    home, told = shared / "sample-night", shared / "sample-night.json"
    with (shared / "sample-night.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # the worker that comes first makes it, another one waits
        if not told.exists():
            home.mkdir(exist_ok=True)
            done = bakhong("demo", env=environment(home))
            told.write_text(json.dumps(vars(done)))
    return SampleNight(home, subprocess.CompletedProcess(**json.loads(told.read_text())))


@pytest.fixture(scope="session")
def prefect_database(shared: Path) -> Path:
    """A folder with an empty database of Prefect's, made once a session: its migrations take ten seconds of a core."""
    home = shared / "prefect"
    with (shared / "prefect.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not home.exists():
            env, making = environment(shared), home.with_suffix(".making")
            command = [sys.executable, "-m", "prefect", "server", "database", "upgrade", "--yes"]
            subprocess.run(command, env=env | {"PREFECT_HOME": str(making)}, capture_output=True, check=True)
            making.rename(home)
    return home


@pytest.fixture
def prefect_home(prefect_database: Path, tmp_path: Path) -> Path:
    """The same for one test alone."""
    return shutil.copytree(prefect_database, tmp_path / "prefect")
