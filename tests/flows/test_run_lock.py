"""One run at a time: the second says who holds the lock; a run that died without a word is called killed."""

from __future__ import annotations

import os
import socket
import threading
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from tasks.deliveries.run_lock import in_one_line, one_at_a_time
from tests.nights import KEY, bakhong, environment, few_sources, url_of
from warehouse.database import connect, open_warehouse
from warehouse.settings import Refusal, Settings

NOW = datetime(2025, 5, 5, tzinfo=UTC)


def runs(engine: Engine) -> list[tuple[str, str | None]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text("SELECT status, message FROM ops.run ORDER BY run_id"))]


def test_a_second_run_is_refused_and_told_who_works(engine: Engine) -> None:
    other = connect(url_of(engine))
    with one_at_a_time(engine, "nightly", NOW), pytest.raises(Refusal) as refused, one_at_a_time(other, "nightly", NOW):
        pass
    other.dispose()
    assert socket.gethostname() in str(refused.value)
    assert str(os.getpid()) in str(refused.value)
    assert runs(engine) == [("completed", None)]


def test_the_command_line_leaves_with_2_while_another_run_works(engine: Engine, home: Path, prefect_home: Path) -> None:
    env = environment(home, few_sources(home), url_of(engine)) | {"PREFECT_HOME": str(prefect_home)}
    with one_at_a_time(engine, "nightly", NOW):
        said = bakhong("nightly", "--date", "2025-05-05", env=env)
    assert said.returncode == 2
    assert str(os.getpid()) in said.stderr
    assert len(said.stderr.strip().splitlines()) == 1


def test_who_finds_another_run_at_work_starts_no_server_of_prefect(home: Path) -> None:
    settings = Settings(home, None, few_sources(home), KEY.encode())
    with open_warehouse(settings) as engine, one_at_a_time(engine, "nightly", NOW):
        said = bakhong("nightly", env=environment(home, settings.sources) | {"BAKHONG_SECRET_KEY": KEY})
    assert (said.returncode, said.stdout) == (2, "")
    assert f"tiến trình {os.getpid()}" in said.stderr
    assert not (home / "prefect").exists()


def test_the_lock_is_free_after_a_run_however_it_ended(engine: Engine) -> None:
    with pytest.raises(ZeroDivisionError), one_at_a_time(engine, "nightly", NOW):
        raise ZeroDivisionError("a cell's value")
    with one_at_a_time(engine, "nightly", NOW):
        pass
    (failed, message), completed = runs(engine)
    assert failed == "failed"
    assert message is not None
    assert "a cell's value" not in message
    assert completed == ("completed", None)


def test_the_lock_is_free_at_once_although_the_server_hears_late_that_a_session_ended(engine: Engine) -> None:
    """Over a line on which only the client's goodbye is slow."""
    address = engine.url

    def carry(source: socket.socket, sink: socket.socket, goodbye: float) -> None:
        while block := source.recv(1 << 16):
            if block == b"X\0\0\0\4":
                time.sleep(goodbye)
            sink.sendall(block)
        time.sleep(goodbye)
        with suppress(OSError):  # the other side left first
            sink.shutdown(socket.SHUT_WR)

    def serve(listening: socket.socket) -> None:
        with suppress(OSError):  # closed when the test is over
            while True:
                client, upstream = listening.accept()[0], socket.create_connection((str(address.host), int(address.port or 0)))
                for line in ((client, upstream, 1.0), (upstream, client, 0.0)):
                    threading.Thread(target=carry, args=line, daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=serve, args=(listening,), daemon=True).start()
        slow = connect(address.set(drivername="postgresql", port=listening.getsockname()[1]).render_as_string(hide_password=False))
        for _ in range(2):
            with one_at_a_time(slow, "backfill", NOW):
                pass
        slow.dispose()
    assert runs(engine) == [("completed", None)] * 2


def test_a_run_that_says_running_while_the_lock_is_free_was_killed(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO ops.run (flow, as_of, started_at, status, host, process_id) "
                "VALUES ('nightly', now(), now(), 'running', 'gone', 1)"
            )
        )
    with one_at_a_time(engine, "nightly", NOW):
        pass
    assert [status for status, _ in runs(engine)] == ["killed", "completed"]


def test_an_error_of_the_database_is_told_without_the_value_that_caused_it(engine: Engine) -> None:
    with engine.connect() as connection:
        try:
            connection.execute(text("SELECT CAST('Nguyen Van A' AS integer)"))
        except Exception as problem:
            told = in_one_line(problem)
    assert "Nguyen" not in told
    assert "22P02" in told
