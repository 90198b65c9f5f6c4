"""The key of the pseudonyms is changed between two nights: what is counted before and after, and what a key leaves behind."""

from __future__ import annotations

import os
import pty
import signal
import stat
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlalchemy import Connection, Engine, text

from flows.nightly import night
from tasks.deliveries.rotation import rotate
from tasks.deliveries.run_lock import one_at_a_time
from tests.nights import KEY, bakhong, environment, started, url_of
from warehouse.database import open_warehouse, read_warehouse
from warehouse.settings import Refusal, Settings, new_key, write_private

OTHER_KEY = "another key for tests, long enough"
PERSONS = [f"99900700{number:04}" for number in range(6)]
CUSTOMERS = [f"PA07MAU{number:06}" for number in range(6)]
EVN = (
    "MA_DVIQLY,MA_KHANG,TEN_KHANG,DCHI_KHANG,MA_DVHC,KY,THANG,NAM,ID_HDON,SO_TIEN,TIEN_GTGT,TONG_TIEN,DIEN_TTHU,LOAI_HDON,LOAI_KHANG,"
    "NGAY_PHANH,TINH_TRANG"
)
FEEDS = {
    "evn": ("bills", "evn_csv", "evn"),
    "viettel": ("signature_holders", "holders_csv", "viettel"),
    "vnpt": ("signature_holders", "holders_csv", "vnpt"),
    "counts": ("unit_counts", "unit_counts_csv", "vpubnd"),
}


def put(folder: Path, source: str, day: str, header: str, rows: Iterable[str]) -> None:
    """Leaves a file of a source in the inbox."""
    (folder / f"{source}_{day}.csv").write_text("\n".join([header, *rows, ""]), "utf-8")


def bills(folder: Path, day: str, customers: Iterable[str]) -> None:
    """A bill of Ngọc Phụng for each customer in the month of a day."""
    year, month = day[:4], day[4:6]
    rows = [
        f"PA07TX,{customer},Khách,Nhà,15655,1,{month},{year},HD{year}{month}{customer},100000,8000,108000,50,TD,SH,07/{month}/{year},1"
        for customer in customers
    ]
    put(folder, "evn", day, EVN, rows)


def holders(folder: Path, carrier: str, day: str, persons: Iterable[str], issued: str) -> None:
    """A carrier's list of people in Ngọc Phụng with a certificate."""
    put(folder, carrier, day, "SoCCCD,MaDVHC,NgayCap,TrangThai", [f"{person},15655,{issued},HIEU_LUC" for person in persons])


@pytest.fixture
def home(home: Path, prefect_home: Path) -> Path:
    """A home in which Prefect's database is there already."""
    return prefect_home.rename(home / "prefect").parent


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    """November 2023: six customers with a bill each, six and one people with a certificate of two carriers, a hundred adults."""
    folder = tmp_path / "inbox"
    folder.mkdir()
    bills(folder, "20231130", CUSTOMERS)
    holders(folder, "viettel", "20231130", PERSONS, "01/11/2023")
    holders(folder, "vnpt", "20231130", ["999007009999"], "01/11/2023")
    put(folder, "counts", "20231130", "unit_code,period,measure,value", ["15655,2023-11,population_adult,100"])
    return folder


def december(folder: Path) -> None:
    """A month later: the same customers; the other carrier names two more, who stand in the list of the first."""
    bills(folder, "20231231", CUSTOMERS)
    holders(folder, "vnpt", "20231231", PERSONS[:2], "01/11/2023")
    put(folder, "counts", "20231231", "unit_code,period,measure,value", ["15655,2023-12,population_adult,100"])


@pytest.fixture
def sources(inbox: Path, tmp_path: Path) -> Path:
    path = tmp_path / "sources.yaml"
    entries = [
        {"name": name, "feed": feed, "layout": layout, "provider": provider, "url": str(inbox / f"{name}_*.csv"), "expected": "once"}
        for name, (feed, layout, provider) in FEEDS.items()
    ]
    path.write_text(yaml.safe_dump({"sources": entries}), "utf-8")
    return path


VALUES = text(
    "SELECT indicator_code, period, numerator, denominator, obs_status, obs_reason, obs_note FROM mart.indicator "
    "WHERE unit_code = '15655' AND indicator_code IN ('K2a', 'ND5') AND value IS NOT NULL ORDER BY 1, 2"
)


def a_night(engine: Engine, home: Path, sources: Path, key: str, day: date) -> None:
    """The night itself, without the command: where the change of the key is looked at, and not how a night is begun."""
    night(Settings(home, None, sources, key.encode()), engine, day)


def values(connection: Connection) -> dict[tuple[str, str], tuple[Any, ...]]:
    """Indicator and period of Ngọc Phụng → counts, status, reason and note."""
    return {(row[0], row[1]): tuple(row[2:]) for row in connection.execute(VALUES)}


def in_files(folder: Path, words: bytes) -> Iterator[Path]:
    """Files in which a word stands, whatever they are."""
    for path in folder.rglob("*"):
        if path.is_file() and words in path.read_bytes():
            yield path.relative_to(folder)


def test_a_year_of_two_keys_says_so_and_its_months_do_not(home: Path, inbox: Path, sources: Path) -> None:
    env = environment(home, sources)
    first = bakhong("nightly", "--date", "2023-12-05", env=env)
    assert first.returncode == 0, first.stderr
    old = (home / "secret_key").read_text()
    rotated = bakhong("rotate-key", "--yes", env=env)
    assert rotated.returncode == 0, rotated.stderr
    assert "K2a" in rotated.stdout
    assert "ND5" in rotated.stdout
    assert "Khóa số 2 vào dùng" in rotated.stdout
    new = (home / "secret_key").read_text()
    assert new != old
    assert stat.S_IMODE((home / "secret_key").stat().st_mode) == 0o600
    december(inbox)

    refused = bakhong("nightly", "--date", "2024-01-05", env=env | {"BAKHONG_SECRET_KEY": old})
    assert refused.returncode == 2
    assert "khóa số 1, đã thôi dùng: kho dùng khóa số 2" in refused.stderr
    assert len(refused.stderr.strip().splitlines()) == 1

    again = bakhong("rotate-key", "--yes", env=env)
    assert again.returncode == 0
    assert "không đổi gì thêm" in again.stdout
    assert (home / "secret_key").read_text() == new

    second = bakhong("nightly", "--date", "2024-01-05", env=env)
    assert second.returncode == 0, second.stderr
    settings = Settings(home=home, warehouse_url=None, sources=sources, secret_key=b"")
    with read_warehouse(settings) as engine, engine.connect() as connection:
        found = values(connection)
        on = connection.scalar(text("SELECT to_char(used_from, 'DD/MM/YYYY') FROM ops.pseudonym_key WHERE key_number = 2"))
        note = f"có thể tính một người hai lần: khóa bút danh đổi ngày {on}"
        mixed = ("B", "mixed_keys", note)
        plain = ("A", None, None)
        assert found == {
            ("K2a", "2023"): (0, 12, *mixed),  # six customers, each under two keys
            ("K2a", "2023-Q4"): (0, 12, *mixed),
            ("K2a", "2023-11"): (0, 6, *plain),
            ("K2a", "2023-12"): (0, 6, *plain),
            ("ND5", "2023-11"): (7, 100, *plain),
            ("ND5", "2023-12"): (9, 100, *mixed),  # two of the seven stand in both lists, under two keys
            ("ND5", "2023"): (9, 100, *mixed),
            ("ND5", "2023-Q4"): (9, 100, *mixed),
        }
        hashed = "SELECT key_number, count(*) FROM warehouse.{} GROUP BY 1 ORDER BY 1"
        for table, by_key in (("fact_bill", [(1, 6), (2, 6)]), ("fact_signature_holder", [(1, 7), (2, 2)])):
            assert [tuple(row) for row in connection.execute(text(hashed.format(table)))] == by_key
    shown = bakhong("indicators", "15655", "2023", env=env)
    assert f"K2a, ND5: {note}." in shown.stdout
    assert "gián đoạn chuỗi, có thể tính trùng" in shown.stdout
    assert f"Lưu ý: {note}" in bakhong("explain", "ND5", "15655", "2023", env=env).stdout
    assert bakhong("verify", env=env).returncode == 0
    assert note in (home / "site" / "bieu" / "2023" / "ND5.html").read_text("utf-8")
    assert list(in_files(home, old.encode())) == []
    assert list(in_files(home, new.encode())) == [Path("secret_key")]


def answering(words: str, *command: str, env: dict[str, str]) -> int:
    """The exit code of a command to which somebody at a terminal answers."""
    terminal, theirs = pty.openpty()
    os.write(terminal, f"{words}\n".encode())
    done = subprocess.run([sys.executable, "-m", "desk", *command], stdin=theirs, env=env, cwd=env["BAKHONG_HOME"], check=False)
    os.close(theirs)
    os.close(terminal)
    return done.returncode


def test_the_key_of_an_own_database_is_changed_where_it_is_given(engine: Engine, home: Path, inbox: Path, sources: Path) -> None:
    env = environment(home, sources, url_of(engine))
    a_night(engine, home, sources, KEY, date(2023, 12, 5))
    for words, refusal in ((("rotate-key",), "vẫn là khóa đang dùng"), (("rotate-key", "--yes"), "vẫn là khóa đang dùng")):
        said = bakhong(*words, env=env)
        assert (said.returncode, refusal in said.stderr) == (2, True), said
    changed = env | {"BAKHONG_SECRET_KEY": OTHER_KEY}
    december(inbox)
    announced = bakhong("nightly", "--date", "2024-01-05", env=changed)
    assert announced.returncode == 2
    assert "`bakhong rotate-key`" in announced.stderr
    unasked = bakhong("rotate-key", env=changed)
    assert unasked.returncode == 2
    assert "--yes" in unasked.stderr
    assert answering("khong", "rotate-key", env=changed) == 2
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM ops.pseudonym_key")) == 1
    assert answering("doi", "rotate-key", env=changed) == 0
    assert bakhong("nightly", "--date", "2024-01-05", env=changed).returncode == 0
    back = bakhong("rotate-key", "--yes", env=env)
    assert back.returncode == 2
    assert "khóa số 1, đã thôi dùng" in back.stderr
    with engine.connect() as connection:
        assert values(connection)["K2a", "2023"][:3] == (0, 12, "B")
        rows = connection.execute(text("SELECT key_number, fingerprint FROM ops.pseudonym_key ORDER BY 1")).all()
        assert [row.key_number for row in rows] == [1, 2]
        assert not any(KEY in str(row) or OTHER_KEY in str(row) for row in rows)

    silent = bakhong("forget-key", "1", "--yes", env=changed)
    assert silent.returncode == 2
    assert "viettel: 6 người" in silent.stderr
    holders(inbox, "viettel", "20240103", [*PERSONS, "999007008888"], "01/11/2023")
    a_night(engine, home, sources, OTHER_KEY, date(2024, 1, 5))
    with engine.connect() as connection:
        assert values(connection)["ND5", "2023-12"][:3] == (9, 100, "B")
    done = bakhong("forget-key", "1", "--yes", env=changed)
    assert done.returncode == 0, done.stderr
    assert "13 dòng" in done.stdout  # six bills, seven certificates
    put(inbox, "counts", "20240131", "unit_code,period,measure,value", ["15655,2024-01,population_adult,100"])
    a_night(engine, home, sources, OTHER_KEY, date(2024, 2, 5))
    with engine.connect() as connection:
        found = values(connection)
        assert found["K2a", "2023"][:3] == (0, 12, "B")
        assert found["ND5", "2024-01"] == (7, 100, "A", None, None)  # each carrier's list is whole, and two stand in both
    assert bakhong("verify", env=changed).returncode == 0


def test_a_night_that_was_opened_before_the_change_does_not_hash_with_the_old_key(
    engine: Engine, home: Path, inbox: Path, sources: Path
) -> None:
    settings = Settings(home, None, sources, KEY.encode())
    night(settings, engine, date(2023, 12, 5))
    december(inbox)
    with one_at_a_time(engine, "nightly", datetime(2024, 1, 5, tzinfo=UTC)), pytest.raises(Refusal, match="đang làm việc"):
        rotate(engine, replace(settings, secret_key=OTHER_KEY.encode()))
    assert rotate(engine, replace(settings, secret_key=OTHER_KEY.encode())) is not None
    with pytest.raises(Refusal, match="đã thôi dùng"):
        night(settings, engine, date(2024, 1, 5))
    with engine.connect() as connection:
        assert connection.scalars(text("SELECT DISTINCT key_number FROM warehouse.fact_bill")).all() == [1]
        assert connection.scalar(text("SELECT count(*) FROM ops.delivery WHERE status = 'landed'")) == 0


def test_nobody_but_the_owner_changes_the_key(engine: Engine, home: Path, sources: Path) -> None:
    env = environment(home, sources, url_of(engine))
    a_night(engine, home, sources, KEY, date(2023, 12, 5))
    with engine.begin() as connection:
        connection.execute(text("CREATE ROLE runs_the_night LOGIN PASSWORD 'x' IN ROLE bakhong_etl"))
    login = engine.url.set(drivername="postgresql", username="runs_the_night", password="x").render_as_string(hide_password=False)
    try:
        said = bakhong("rotate-key", "--yes", env=env | {"BAKHONG_WAREHOUSE_URL": login, "BAKHONG_SECRET_KEY": OTHER_KEY})
        assert said.returncode == 2
        assert "chủ kho" in said.stderr
        with engine.connect() as connection:
            assert connection.scalar(text("SELECT count(*) FROM ops.pseudonym_key")) == 1
    finally:
        with engine.begin() as connection:
            connection.execute(text("DROP ROLE runs_the_night"))


KILLED = """
import os, signal
import tasks.deliveries.rotation as rotation
from desk.__main__ import main
written = rotation.replace_key
def killed(*given):
    if {after}: written(*given)
    os.kill(os.getpid(), signal.SIGKILL)
rotation.replace_key = killed
main()
"""


@pytest.mark.parametrize("after", [False, True], ids=["before the file is written", "before the change is committed"])
def test_a_change_that_is_killed_half_way_is_done_by_the_next_one(home: Path, sources: Path, after: bool) -> None:
    env = environment(home, sources)
    old = new_key()
    write_private(home / "secret_key", old)
    with open_warehouse(Settings(home, None, sources, old.encode())) as engine:
        a_night(engine, home, sources, old, date(2023, 12, 5))
    command = [sys.executable, "-c", KILLED.format(after=after), "rotate-key", "--yes"]
    with started(command, env=env, cwd=home, stdout=subprocess.DEVNULL) as process:
        assert process.wait(timeout=120) == -signal.SIGKILL
    assert ((home / "secret_key").read_text() == old) is not after
    done = bakhong("rotate-key", "--yes", env=env)
    assert done.returncode == 0, done.stderr
    second = bakhong("nightly", "--date", "2024-01-05", env=env)
    assert second.returncode == 0, second.stderr
    with read_warehouse(Settings(home, None, sources, b"")) as engine, engine.connect() as connection:
        assert connection.scalars(text("SELECT key_number FROM ops.pseudonym_key ORDER BY 1")).all() == [1, 2]
        assert values(connection)["K2a", "2023-11"] == (0, 6, "A", None, None)
    assert list(in_files(home, old.encode())) == []
    assert [path.name for path in home.glob("*secret_key*")] == ["secret_key"]
