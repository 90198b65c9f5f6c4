import contextlib
import json
import os
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text

from tests.nights import started
from warehouse.database import open_warehouse, url
from warehouse.embedded import serve
from warehouse.settings import Refusal, Settings

KEY = b"a key of the tests, not a secret"
USER = """
import sys
from pathlib import Path
from warehouse.embedded import serve
with serve(Path(sys.argv[1])) as server:
    print(server.port, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def settings(home: Path) -> Settings:
    return Settings(home=home, warehouse_url=None, sources=home / "sources.yaml", secret_key=KEY)


def _postmaster(home: Path) -> int:
    return int((home / "postgres" / "data" / "postmaster.pid").read_text().split("\n", 1)[0])


def _runs(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


@contextlib.contextmanager
def _another_user(home: Path) -> Iterator[subprocess.Popen[str]]:
    """A process of its own that keeps the server of a home in use until its input closes."""
    with _another_user_later(home) as process:
        assert process.stdout
        assert process.stdout.readline().strip().isdigit()
        yield process


@contextlib.contextmanager
def _another_user_later(home: Path) -> Iterator[subprocess.Popen[str]]:
    """The same, not waited for."""
    process = subprocess.Popen([sys.executable, "-c", USER, str(home)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin and process.stdout
    try:
        yield process
    finally:
        process.stdin.close()
        process.wait(60)
        process.stdout.close()


def test_the_first_opening_makes_a_warehouse_and_the_last_user_stops_it(settings: Settings) -> None:
    with open_warehouse(settings) as engine:
        process = _postmaster(settings.home)
        with engine.connect() as connection:
            version, zone = connection.execute(text("SELECT current_setting('server_version_num')::int, current_setting('timezone')")).one()
            assert (version // 10_000, zone) == (18, "Asia/Ho_Chi_Minh")
            assert connection.execute(text("SELECT count(*) FROM mart.indicator")).scalar() == 0
    assert not _runs(process)
    assert "database system is shut down" in (settings.home / "postgres" / "data" / "server.log").read_text()


def test_what_was_written_is_there_at_the_next_opening_on_the_same_port(settings: Settings) -> None:
    with open_warehouse(settings) as engine, engine.begin() as connection:
        port = engine.url.port
        connection.execute(text("UPDATE warehouse.dim_agency SET delivery_id = 42"))
    with open_warehouse(settings) as engine, engine.connect() as connection:
        assert engine.url.port == port
        assert connection.execute(text("SELECT delivery_id FROM warehouse.dim_agency")).scalar() == 42


def test_a_second_user_keeps_the_server_alive(home: Path) -> None:
    with serve(home):
        process = _postmaster(home)
        with _another_user(home):
            pass
        assert _runs(process)
        with _another_user(home) as other:
            assert _postmaster(home) == process
            other.kill()
            other.wait()
        assert _runs(process)
    assert not _runs(process)


def test_a_server_left_by_a_killed_user_is_taken_over_and_stopped(home: Path) -> None:
    with _another_user(home) as other:
        process = _postmaster(home)
        other.kill()
        other.wait()
    assert _runs(process)
    with serve(home):
        assert _postmaster(home) == process
    assert not _runs(process)


def test_users_that_start_at_once_share_one_server(home: Path) -> None:
    with contextlib.ExitStack() as stack:
        starters = [
            stack.enter_context(
                subprocess.Popen([sys.executable, "-c", USER, str(home)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            )
            for _ in range(3)
        ]
        ports = {starter.stdout.readline() for starter in starters if starter.stdout}
        process = _postmaster(home)
        for starter in starters:
            assert starter.stdin
            starter.stdin.close()
    assert len(ports) == 1
    assert not _runs(process)


def test_after_the_server_was_killed_the_next_opening_works_and_nothing_committed_is_lost(settings: Settings) -> None:
    with open_warehouse(settings) as engine:
        with engine.begin() as connection:
            connection.execute(text("UPDATE warehouse.dim_agency SET delivery_id = 42"))
        os.kill(_postmaster(settings.home), signal.SIGKILL)
    with open_warehouse(settings) as engine, engine.connect() as connection:
        assert connection.execute(text("SELECT delivery_id FROM warehouse.dim_agency")).scalar() == 42


def test_a_server_still_going_down_is_waited_for(home: Path) -> None:
    with serve(home) as server, psycopg.connect(server.url("owner", "postgres")):
        before = _postmaster(home)
        os.kill(before, signal.SIGTERM)  # a smart shutdown waits for our connection
        with _another_user_later(home) as later:
            time.sleep(0.5)
            assert later.poll() is None
            os.kill(before, signal.SIGINT)
            assert later.stdout
            assert later.stdout.readline().strip().isdigit()
            assert _postmaster(home) != before


def test_a_process_number_that_now_belongs_to_another_program_is_no_server(home: Path) -> None:
    with serve(home):
        os.kill(_postmaster(home), signal.SIGKILL)
        time.sleep(0.5)
    file = home / "postgres" / "data" / "postmaster.pid"
    rest = file.read_text().split("\n", 1)[1]
    file.write_text(f"{os.getpid()}\n{rest}")
    with serve(home) as server, psycopg.connect(server.url("owner", "postgres")) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_a_half_made_cluster_is_made_again(home: Path) -> None:
    (home / "postgres" / "data.new" / "base").mkdir(parents=True)
    (home / "postgres" / "data.new" / "PG_VERSION").write_text("18\n")
    with serve(home) as server, psycopg.connect(server.url("owner", "postgres")) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_another_port_is_taken_when_someone_sits_on_ours(home: Path) -> None:
    with serve(home) as server:
        before = server.port
    with socket.socket() as squatter:
        squatter.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        squatter.bind(("127.0.0.1", before))
        squatter.listen()
        with serve(home) as server, psycopg.connect(server.url("owner", "postgres")):
            after = server.port
    assert after != before
    with serve(home) as server:
        assert server.port == after


def test_only_passwords_open_the_server_and_only_this_machine_reaches_it(home: Path) -> None:
    with serve(home) as server, psycopg.connect(server.url("owner", "postgres")) as connection:
        assert connection.execute("SHOW listen_addresses").fetchone() == ("127.0.0.1",)
        assert connection.execute("SELECT DISTINCT auth_method FROM pg_hba_file_rules").fetchall() == [("scram-sha-256",)]
        sockets = connection.execute("SHOW unix_socket_directories").fetchone()
        assert sockets in [(str(home / "postgres" / "data"),), ("",)]
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(server.url("owner", "postgres").replace(server.passwords["owner"], "wrong"))


def test_passwords_are_for_their_owner_alone(home: Path) -> None:
    with serve(home) as server:
        file = home / "postgres" / "passwords.json"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert json.loads(file.read_text()) == server.passwords
        assert len(set(server.passwords.values())) == 4
        assert stat.S_IMODE((home / "postgres" / "data").stat().st_mode) == 0o700


def test_a_bi_tool_connects_with_the_readers_url(settings: Settings) -> None:
    with open_warehouse(settings), psycopg.connect(url(settings)) as connection:
        assert connection.execute("SELECT current_user, count(*) FROM mart.indicator").fetchone() == ("bakhong_reader", 0)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to lend the server another account")
def test_root_may_keep_the_warehouse_and_what_is_temporary_in_folders_closed_to_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed, temporary = tmp_path / "closed", tmp_path / "temporary"
    for folder in (closed, temporary):
        folder.mkdir(mode=0o700)
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    with serve(closed / "home") as server, psycopg.connect(server.url("owner", "postgres")) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
        assert (closed / "home" / "postgres" / "data").stat().st_uid != 0
    assert not closed.stat().st_mode & stat.S_IRWXO


def test_a_home_that_is_a_file_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Refusal, match="Không dùng được kho số liệu") as refusal, serve(tmp_path / "file"):
        pass
    assert "\n" not in str(refusal.value)


def test_another_key_than_the_first_is_refused(settings: Settings) -> None:
    with open_warehouse(settings):
        pass
    with (
        pytest.raises(Refusal, match="không phải khóa của kho này"),
        open_warehouse(replace(settings, secret_key=b"another key than before")),
    ):
        pass


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("nonsense", "không phải URL"),
        ("sqlite:///x.db", "kho số liệu phải là PostgreSQL"),
        ("postgresql://bakhong:topsecret@127.0.0.1:1/bakhong", "không trả lời"),
        ("postgres://bakhong:topsecret@127.0.0.1:1/bakhong", "không trả lời"),
    ],
)
def test_a_wrong_url_is_refused_in_one_line_without_its_password(settings: Settings, address: str, words: str) -> None:
    with pytest.raises(Refusal, match=words) as refusal, open_warehouse(replace(settings, warehouse_url=address)):
        pass
    assert "\n" not in str(refusal.value)
    assert "topsecret" not in str(refusal.value)


def test_the_url_of_a_given_warehouse_keeps_its_owners_password_to_the_owner(settings: Settings) -> None:
    given = replace(settings, warehouse_url="postgresql://owner:topsecret@db.example:6543/bakhong?sslmode=require")
    assert url(given) == "postgresql://bakhong_reader@db.example:6543/bakhong?sslmode=require"
    assert url(given, "owner") == "postgresql://owner:topsecret@db.example:6543/bakhong?sslmode=require"


def test_the_query_of_a_killed_client_ends_with_it(server, engine) -> None:  # type: ignore[no-untyped-def]
    """So that the next night does not wait for what nobody will read."""
    address = server.url("owner", str(engine.url.database))
    query = "import psycopg, sys; psycopg.connect(sys.argv[1]).execute('SELECT pg_sleep(600)')"
    at_work = text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'SELECT pg_sleep%'")

    def wait_until(queries: int) -> None:
        deadline = time.monotonic() + 120
        while True:
            with engine.connect() as connection:
                if connection.scalar(at_work) == queries:
                    return
            assert time.monotonic() < deadline
            time.sleep(0.1)

    with started([sys.executable, "-c", query, address]) as client:
        wait_until(1)
        client.kill()
    wait_until(0)


def test_any_postgresql_given_by_url_serves_as_well(settings: Settings, server, engine) -> None:  # type: ignore[no-untyped-def]
    given = replace(settings, warehouse_url=server.url("owner", engine.url.database))
    with open_warehouse(given) as opened, opened.connect() as connection:
        assert connection.execute(text("SELECT current_setting('timezone'), count(*) FROM warehouse.dim_unit")).one() == (
            "Asia/Ho_Chi_Minh",
            789,
        )
    assert not (settings.home / "postgres").exists()
