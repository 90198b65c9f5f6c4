"""A backup brings an installation back, on another server, so that nobody who asks it and no night after could tell."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from sqlalchemy import Engine, text

from desk import accounts
from flows.nightly import night
from flows.publish import publish
from flows.steps import WITHOUT_PREFECT
from tasks.ask.releases import signed
from tasks.ask.scope import WHOLE
from tasks.keep.manifest import DUMP, backups, fingerprint
from tasks.keep.restore import make_roles
from tasks.report.signing import sign, signed_workbook
from tests.conftest import in_memory
from tests.nights import KEY, ROOT, answers, bakhong, environment, started, stop_postgresql, url_of
from warehouse.database import connect
from warehouse.embedded import Server, serve
from warehouse.settings import Refusal, Settings

SMALL = ROOT / "tests" / "fixtures" / "warehouses"
NIGHTS, NEXT = (date(2025, 1, 15), date(2025, 1, 31)), date(2025, 2, 28)
STEPS = replace(WITHOUT_PREFECT, report=None, publish=partial(publish, is_gated=False))


@dataclass(frozen=True)
class Installation:
    """A warehouse of a few rows, its home and its sources."""

    engine: Engine
    home: Path
    sources: Path

    @property
    def env(self) -> dict[str, str]:
        return environment(self.home, self.sources, url_of(self.engine))

    def bakhong(self, *words: str) -> Any:
        return bakhong(*words, env=self.env)

    def night(self, day: date) -> None:
        done = night(Settings(self.home, None, self.sources, KEY.encode()), self.engine, day, steps=STEPS)
        assert done.shortcomings == []


@pytest.fixture(scope="module")
def inbox(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sources")
    shutil.copytree(SMALL / "inbox", folder / "inbox")
    shutil.copy(SMALL / "sources.yaml", folder)
    return folder / "sources.yaml"


@pytest.fixture(scope="module")
def installed(engine_of_module: Engine, inbox: Path, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """Two nights, with a correction and a row set aside, then a signature."""
    made = Installation(engine_of_module, tmp_path_factory.mktemp("home"), inbox)
    for day in NIGHTS:
        made.night(day)
    with made.engine.begin() as connection:
        sign(connection, "2024", "Lan")
        accounts.add(connection, "lan", "Lan", "approver", "một mật khẩu dài", None, "minh")
    return made


@pytest.fixture(scope="module")
def said(installed: Installation) -> dict[str, list[Any]]:
    """What it answers after these nights."""
    return answers(installed.engine)


@pytest.fixture(scope="module")
def kept(installed: Installation, said: dict[str, list[Any]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds one backup of it, and beside it the key."""
    folder = tmp_path_factory.mktemp("kept")
    (installed.home / ".env").write_text(f"BAKHONG_SECRET_KEY={KEY}\nBAKHONG_DESK_URL=https://x.example/\nTD_TOKEN=abc\n# PW=def\n")
    done = installed.bakhong("backup", str(folder / "backups"), "--with-key", str(folder / "key"))
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def other() -> Iterator[Server]:
    """Another PostgreSQL, where nobody has made any role yet."""
    with TemporaryDirectory(prefix="bakhong-tests-", dir=in_memory()) as folder, serve(Path(folder)) as running:
        yield running


@pytest.fixture
def empty(other: Server, inbox: Path, tmp_path: Path) -> Iterator[Installation]:
    """An empty database of it, and an empty home."""
    home = tmp_path / "home"
    home.mkdir()
    administrator = connect(other.url("owner", "postgres")).execution_options(isolation_level="AUTOCOMMIT")
    with administrator.connect() as connection:
        connection.exec_driver_sql("CREATE DATABASE brought_back")
    opened = connect(other.url("owner", "brought_back"))
    yield Installation(opened, home, inbox)
    opened.dispose()
    with administrator.connect() as connection:
        connection.exec_driver_sql("DROP DATABASE brought_back WITH (FORCE)")
    administrator.dispose()


def rights(engine: Engine) -> list[Any]:
    """Who may do what, and what everything says of itself."""
    query = """
        SELECT (n.nspname, c.relname, a.attname, col_description(c.oid, a.attnum), obj_description(c.oid), r.rolname,
            has_table_privilege(r.rolname, c.oid, 'SELECT'), has_table_privilege(r.rolname, c.oid, 'INSERT'),
            has_column_privilege(r.rolname, c.oid, a.attnum, 'SELECT'))::text
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid AND attnum > 0
        CROSS JOIN pg_roles r WHERE n.nspname IN ('warehouse', 'mart', 'star', 'ops') AND relkind IN ('r', 'v', 'p') AND NOT attisdropped
            AND r.rolname IN ('bakhong_etl', 'bakhong_steward', 'bakhong_reader')
        UNION ALL SELECT (defaclnamespace::regnamespace, defaclobjtype, grantee::regrole, privilege_type)::text
        FROM pg_default_acl CROSS JOIN aclexplode(defaclacl)
        ORDER BY 1"""
    with engine.connect() as connection:
        return list(connection.scalars(text(query)))


def rows(engine: Engine) -> dict[str, int]:
    """How many rows each table has."""
    with engine.connect() as connection:
        names = connection.scalars(text("SELECT schemaname || '.' || tablename FROM pg_tables WHERE schemaname IN ('ops', 'warehouse')"))
        return {name: connection.scalar(text(f"SELECT count(*) FROM {name}")) or 0 for name in names.all()}


def test_another_server_answers_the_same_and_its_next_night_is_the_same(
    installed: Installation, said: dict[str, list[Any]], kept: Path, empty: Installation
) -> None:
    done = empty.bakhong("restore", str(kept / "backups"))
    assert done.returncode == 0, done.stderr
    assert "BAKHONG_SECRET_KEY" in done.stderr  # the key is not in it
    assert answers(empty.engine) == said
    assert rows(empty.engine) == rows(installed.engine)
    assert rights(empty.engine) == rights(installed.engine)
    with empty.engine.connect() as connection:
        (signature,) = signed(connection, "2024")
        assert sha256(signed_workbook(connection, signature, WHOLE)).hexdigest() == signature.workbook_sha256
    assert empty.bakhong("verify").returncode == 0
    for one in (installed, empty):
        one.night(NEXT)
    assert answers(empty.engine) == answers(installed.engine) != said


def test_what_the_folder_holds_is_closed_to_others_and_has_no_secret(kept: Path) -> None:
    found = list((kept / "backups").rglob("*"))
    assert {stat.S_IMODE(path.stat().st_mode) for path in found if path.is_dir()} == {0o700}
    assert {stat.S_IMODE(path.stat().st_mode) for path in found if path.is_file() and path.name != ".lock"} == {0o600}
    (backup,) = backups(kept / "backups")
    env = (backup.folder / "env").read_text()
    assert KEY not in env and "abc" not in env and "def" not in env and "BAKHONG_DESK_URL=https://x.example/" in env
    assert (kept / "key").read_text().strip() == KEY
    assert not any(KEY.encode() in path.read_bytes() for path in found if path.is_file())
    assert backup.told.counts.deliveries == 14
    assert backup.told.counts.facts["fact_bill"] == 20
    assert len([name for name in backup.told.files if name.startswith("landing/")]) == 14


def test_a_second_backup_copies_nothing_again_and_the_older_one_goes_by_the_declared_rule(installed: Installation, kept: Path) -> None:
    folder = shutil.copytree(kept / "backups", kept / "again")
    before = {path: path.stat().st_mtime_ns for path in (folder / "landing").rglob("*") if path.is_file()}
    (rotten := next(iter(before))).write_bytes(b"x" * rotten.stat().st_size)
    time.sleep(1)
    done = installed.bakhong("backup", str(folder), "--keep", "1", "--verify")
    assert done.returncode == 0, done.stderr
    assert len(backups(folder)) == 1
    assert {path for path, then in before.items() if path.stat().st_mtime_ns != then} == {rotten}
    assert rotten.name == fingerprint(rotten).sha256


def test_a_landed_file_is_kept_as_it_lies_and_once(installed: Installation, kept: Path) -> None:
    folder = kept / "compressed"
    plain = next((installed.home / "landing" / "surveys").iterdir())
    packed = plain.rename(plain.with_name(f"{plain.name}.zst"))
    try:
        for _ in range(2):
            assert installed.bakhong("backup", str(folder)).returncode == 0
            assert [path.name for path in (folder / "landing" / "surveys").iterdir()] == [packed.name]
            time.sleep(1)
    finally:
        packed.rename(plain)
    assert fingerprint(folder / "landing" / "surveys" / packed.name).sha256 == plain.name
    again = shutil.copytree(kept / "backups", kept / "plain")  # where it was kept plain before
    plain.rename(packed)
    try:
        assert installed.bakhong("backup", str(again)).returncode == 0
        assert [path.name for path in (again / "landing" / "surveys").iterdir()] == [plain.name]
    finally:
        packed.rename(plain)


def test_a_backup_that_was_killed_leaves_the_one_before(installed: Installation, kept: Path) -> None:
    folder = shutil.copytree(kept / "backups", kept / "killed")
    (before,) = backups(folder)
    with started([sys.executable, "-m", "desk", "backup", str(folder)], env=installed.env, cwd=installed.home) as process:
        while len(list(folder.glob("2*"))) == 1:
            time.sleep(0.005)
            assert process.poll() is None
        process.send_signal(signal.SIGKILL)
    assert backups(folder) == [before]
    assert installed.bakhong("backup", str(folder)).returncode == 0
    assert len(list(folder.glob("2*"))) == len(backups(folder)) == 2  # what was half there is gone


def test_a_restore_that_was_killed_left_an_empty_database_and_says_what_to_do(
    said: dict[str, list[Any]], kept: Path, empty: Installation
) -> None:
    with empty.engine.connect() as holding:
        holding.exec_driver_sql("CREATE SCHEMA warehouse")  # the restore waits here, half done
        with started([sys.executable, "-m", "desk", "restore", str(kept / "backups")], env=empty.env, cwd=empty.home) as process:
            waits = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
            with empty.engine.connect() as looking:
                while not looking.scalar(waits):
                    looking.rollback()
                    time.sleep(0.05)
                    assert process.poll() is None
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
        holding.rollback()
    refused = empty.bakhong("status")
    assert refused.returncode == 2
    assert f"chạy lại `bakhong restore {kept / 'backups'}`" in refused.stderr
    assert empty.bakhong("restore", str(kept / "backups")).returncode == 0
    assert answers(empty.engine) == said


def test_a_flipped_byte_is_named_and_nothing_is_begun(kept: Path, empty: Installation) -> None:
    folder = shutil.copytree(kept / "backups", kept / "flipped")
    (backup,) = backups(folder)
    content = bytearray((backup.folder / DUMP).read_bytes())
    content[len(content) // 2] ^= 1
    (backup.folder / DUMP).write_bytes(content)
    done = empty.bakhong("restore", str(folder))
    assert done.returncode == 2
    assert f"{backup.folder.name}/{DUMP}" in done.stderr
    with empty.engine.connect() as connection:
        assert connection.scalar(text("SELECT to_regnamespace('ops')")) is None
    assert list(empty.home.iterdir()) == []


def test_without_the_landed_files_the_warehouse_goes_on_and_says_what_it_cannot_read_again(
    said: dict[str, list[Any]], kept: Path, empty: Installation
) -> None:
    folder = shutil.copytree(kept / "backups", kept / "lost")
    shutil.rmtree(folder / "landing")
    done = empty.bakhong("restore", str(folder))
    assert done.returncode == 1
    assert "14 tệp đã nhận" in done.stderr
    assert answers(empty.engine) == said
    told = empty.bakhong("explain", "ND3", "15655", "2024")
    assert "4.800" in told.stdout and "không còn bản gốc" in told.stdout.lower()
    assert {path.name for path in empty.home.glob("landing/*/*")} == set()
    empty.night(NEXT)  # the source still has them: they are landed again
    assert len(list(empty.home.glob("landing/*/*"))) == 17
    assert empty.bakhong("verify").returncode == 0


def test_a_backup_comes_back_into_an_empty_home_with_its_key(
    installed: Installation, said: dict[str, list[Any]], kept: Path, tmp_path: Path
) -> None:
    home = tmp_path / "embedded"
    home.mkdir()
    env = environment(home, installed.sources)
    try:
        done = bakhong("restore", str(kept / "backups"), "--with-key", str(kept / "key"), env=env)
        assert done.returncode == 0, done.stderr
        assert (home / "sources.yaml").read_text("utf-8") == installed.sources.read_text("utf-8")
        with serve(home) as running:
            opened = connect(running.url("owner"))
            assert answers(opened) == said
            opened.dispose()
            reader = connect(running.url("reader"))
            with reader.connect() as connection:
                assert connection.scalar(text("SELECT max(numerator) FROM mart.indicator WHERE indicator_code = 'ND3'"))
            reader.dispose()
            refused = bakhong("restore", str(kept / "backups"), env=env)
            assert refused.returncode == 2
            assert "không trống" in refused.stderr
    finally:
        stop_postgresql(home)


def test_a_copy_in_the_same_place_is_none(installed: Installation) -> None:
    done = installed.bakhong("backup", str(installed.home / "backup"))
    assert done.returncode == 2
    assert not (installed.home / "backup").exists()


def test_who_may_not_make_roles_is_told_the_statements(other: Server) -> None:
    with connect(other.url("owner", "postgres")).begin() as connection:
        connection.exec_driver_sql("CREATE ROLE plain; SET ROLE plain")
        with pytest.raises(Refusal, match=r'CREATE ROLE "những người đọc";$'):
            make_roles(connection, ["những người đọc", "plain"])
        connection.rollback()
