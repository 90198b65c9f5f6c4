"""A warehouse with a hot standby, owned by a login that is nothing else: what may be asked of the copy, and how it takes over."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event
from typing import Any

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import OperationalError

from desk.accounts import add, sign_in, signed_in
from flows.nightly import night
from flows.steps import WITHOUT_PREFECT
from tasks.deliveries.run_lock import LockLost
from tests.conftest import in_memory
from tests.nights import KEY, answers, bakhong, environment, few_sources
from tests.replicated import PASSWORD, Replicated, replicated
from warehouse.database import connect, open_warehouse, upgrade
from warehouse.grants import ROLES
from warehouse.settings import Refusal, Settings

FIRST, SECOND, LAST = date(2024, 2, 10), date(2024, 4, 30), date(2025, 5, 5)
WITHOUT_PAGES = replace(WITHOUT_PREFECT, report=None)
SEEN = text("SELECT (SELECT count(*) FROM mart.indicator), (SELECT max(revision) FROM mart.indicator_vintage)")
ONLY_READ = "Kho số liệu này chỉ cho đọc"


@pytest.fixture(scope="module")
def two() -> Iterator[Replicated]:
    """A primary on which its administrator has made an empty database, its owner and the roles, and a standby of it."""
    with TemporaryDirectory(prefix="bakhong-tests-", dir=in_memory()) as folder, replicated(Path(folder)) as both:
        administrator = connect(both.url("primary", "postgres")).execution_options(isolation_level="AUTOCOMMIT")
        with administrator.connect() as connection:
            connection.exec_driver_sql(f"CREATE ROLE house LOGIN NOSUPERUSER NOCREATEROLE NOCREATEDB PASSWORD '{PASSWORD}'")
            for role in ROLES:
                connection.exec_driver_sql(f"CREATE ROLE {role}")
                login = role.replace("bakhong", "only")
                connection.exec_driver_sql(f"CREATE ROLE {login} LOGIN PASSWORD '{PASSWORD}' IN ROLE {role}")
            connection.exec_driver_sql("CREATE DATABASE bakhong OWNER house")
        administrator.dispose()
        both.follow()
        with opened(both.url("primary", login="house")) as engine:
            upgrade(engine)
        yield both


@contextmanager
def opened(url: str) -> Iterator[Engine]:
    """An engine whose sessions end with the block."""
    engine = connect(url)
    try:
        yield engine
    finally:
        engine.dispose()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the installation, whichever server it works with."""
    return tmp_path_factory.mktemp("house")


def settings(place: Path, url: str) -> Settings:
    return Settings(place / "home", url, few_sources(place), KEY.encode())


def follows(two: Replicated) -> None:
    """Waits until the standby has all that the primary has."""
    with opened(two.url("primary")) as engine, engine.connect() as connection:
        lsn = connection.scalar(text("SELECT pg_current_wal_lsn()"))
    with opened(two.url("standby")) as engine, engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        end = time.monotonic() + 60
        while not connection.scalar(text("SELECT pg_last_wal_replay_lsn() >= CAST(:lsn AS pg_lsn)"), {"lsn": lsn}):
            assert time.monotonic() < end
            time.sleep(0.05)


def test_a_reader_of_the_standby_sees_whole_nights_only(two: Replicated, place: Path) -> None:
    done, seen = Event(), set()

    def look() -> None:
        with opened(two.url("standby", login="only_reader")) as engine:
            while not done.is_set():
                with engine.connect() as connection:
                    seen.add(tuple(connection.execute(SEEN).one()))

    with ThreadPoolExecutor(1) as pool, opened(two.url("primary", login="only_etl")) as engine:
        follows(two)
        looking = pool.submit(look)
        try:
            for until in (FIRST, SECOND):
                night(settings(place, two.url("primary", login="only_etl")), engine, until, steps=WITHOUT_PAGES)
                follows(two)
        finally:
            done.set()
        looking.result()
    with opened(two.url("primary")) as engine, engine.connect() as connection:
        editions = connection.execute(text("SELECT count(*), count(DISTINCT known_from) FROM mart.indicator_vintage")).one()
    assert editions[1] == 2
    assert len(seen) <= 3, "none, the first night's, the second's, and nothing between"
    assert (0, None) in seen


def test_the_standby_answers_as_the_primary_does(two: Replicated) -> None:
    follows(two)
    with opened(two.url("primary")) as primary, opened(two.url("standby")) as standby:
        assert answers(standby) == answers(primary)


ASKING = (
    ("status",),
    ("indicators", "15655", "2024-01"),
    ("form-06a", "15655", "2024-01"),
    ("quarantine", "list"),
)
DECIDING = (
    ("complete", "evn-bills", "2024-03"),
    ("quarantine", "dismiss", "DELIVERY", "--reason", "thử"),
    ("backup", "copy"),
    ("warehouse", "upgrade"),
)


def test_who_asks_is_answered_by_the_standby_and_who_decides_is_told_where_to(two: Replicated, place: Path, tmp_path: Path) -> None:
    follows(two)
    env = environment(place / "home", place / "sources.yaml", two.url("standby", login="only_steward"))
    with opened(two.url("standby")) as engine, engine.connect() as connection:
        delivery = str(connection.scalar(text("SELECT min(delivery_id) FROM ops.quarantine WHERE status = 'waiting'")))
    for words in ASKING:
        done = bakhong(*words, env=env, folder=tmp_path)
        assert done.returncode in (0, 1), (words, done.stderr)
        assert done.stdout
    for words in DECIDING:
        login = "house" if words[0] in ("warehouse", "backup") else "only_steward"
        said = [word.replace("DELIVERY", delivery) for word in words]
        done = bakhong(*said, env=env | {"BAKHONG_WAREHOUSE_URL": two.url("standby", login=login)}, folder=tmp_path)
        assert done.returncode == 2, (words, done.stdout)
        assert done.stderr.startswith(ONLY_READ), (words, done.stderr)
        assert len(done.stderr.strip().splitlines()) == 1
    with pytest.raises(Refusal, match=ONLY_READ), open_warehouse(settings(place, two.url("standby", login="only_etl"))):
        pass


def test_who_was_signed_in_goes_on_looking_and_nobody_signs_in(two: Replicated) -> None:
    with opened(two.url("primary", login="only_steward")) as primary:
        with primary.begin() as connection:
            add(connection, "lan", "Lan", "viewer", "một mật khẩu dài", None, "thử")
        token = sign_in(primary, "lan", "một mật khẩu dài", "127.0.0.1")
        assert token is not None
        with primary.begin() as connection:
            connection.execute(text("UPDATE ops.session SET last_seen_at = last_seen_at - interval '5 minutes'"))
    follows(two)
    with opened(two.url("standby", login="only_steward")) as standby:
        account = signed_in(standby, token)
        assert account is not None
        assert account.name == "lan"
        with pytest.raises(Refusal, match=ONLY_READ):
            sign_in(standby, "lan", "một mật khẩu dài", "127.0.0.1")


def test_a_night_that_loses_the_primary_goes_on_upon_the_promoted_standby(two: Replicated, place: Path, engine: Engine) -> None:
    """Last: the primary is gone after it."""
    for until in (FIRST, SECOND, LAST):
        night(Settings(place / "other", None, few_sources(place), KEY.encode()), engine, until, steps=WITHOUT_PAGES)

    def breaks(*arguments: Any) -> None:
        two.stop("primary")
        WITHOUT_PREFECT.ingest(*arguments)

    with opened(two.either("only_etl")) as lost, pytest.raises((LockLost, OperationalError)):
        night(settings(place, ""), lost, LAST, steps=replace(WITHOUT_PAGES, ingest=breaks))
    two.promote()
    with opened(two.either("only_etl")) as promoted:
        night(settings(place, ""), promoted, LAST, steps=WITHOUT_PAGES)
        with promoted.connect() as connection:
            assert connection.scalars(text("SELECT status FROM ops.run ORDER BY run_id")).all() == [
                *["completed"] * 2,
                "killed",
                "completed",
            ]
    with opened(two.url("standby")) as promoted:
        assert answers(promoted) == answers(engine)
