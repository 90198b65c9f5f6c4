"""A night whose connection is cut stops where it is, publishes nothing, and the next one does the whole work."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from flows.nightly import night
from flows.steps import WITHOUT_PREFECT, Steps
from tasks.deliveries.ledger import Delivery
from tasks.deliveries.run_lock import LOCK, LockLost
from tasks.pull.landing import Pulled
from tests.nights import KEY, answers, bakhong, environment, few_sources, url_of
from warehouse.database import connect
from warehouse.settings import Settings

NIGHT = date(2025, 5, 5)
THE_LOCK = f"SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND objid = {LOCK}"
ALL = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"


def settings(home: Path) -> Settings:
    home.mkdir(exist_ok=True)
    return Settings(home=home, warehouse_url=None, sources=few_sources(home), secret_key=KEY.encode())


def cutting(engine: Engine, step: str, call: int, what: str) -> Steps:
    """The steps of a night, of which the n-th call of one has connections cut before it does its work."""
    calls: list[object] = []
    own = getattr(WITHOUT_PREFECT, step)

    def run(*arguments: Any) -> Any:
        calls.append(arguments)
        if len(calls) == call:
            administrator = connect(url_of(engine))
            with administrator.begin() as connection:
                assert connection.execute(text(what)).all(), "nothing was cut"
            administrator.dispose()
        return own(*arguments)

    return replace(WITHOUT_PREFECT, report=None, **{step: run})


@pytest.mark.parametrize(
    ("step", "call", "what"),
    [("ingest", 2, THE_LOCK), ("publish", 1, THE_LOCK), ("ingest", 2, ALL), ("publish", 1, ALL)],
    ids=["the lock's in mid-load", "the lock's before publication", "every one in mid-load", "every one before publication"],
)
def test_a_night_that_lost_its_lock_stops_and_the_next_one_leaves_what_an_undisturbed_one_leaves(
    step: str, call: int, what: str, engine: Engine, tmp_path: Path
) -> None:
    with pytest.raises(LockLost, match="không công bố"):
        night(settings(tmp_path / "home"), engine, NIGHT, steps=cutting(engine, step, call, what))
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM ops.publication")) == 0
        assert connection.scalar(text("SELECT count(*) FROM mart.indicator")) == 0
        status, message = connection.execute(text("SELECT status, message FROM ops.run")).one()
        waiting = connection.scalar(text("SELECT count(*) FROM ops.delivery WHERE status = 'landed'"))
    assert status == "failed"
    assert "mất kết nối giữ khóa" in message
    assert (waiting > 0) == (step == "ingest"), "in mid-load the rest is left for the next night"
    night(settings(tmp_path / "home"), engine, NIGHT, steps=replace(WITHOUT_PREFECT, report=None))
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM ops.delivery WHERE status = 'landed'")) == 0
        assert connection.scalar(text("SELECT count(*) FROM mart.form_06a")) > 0
        assert connection.scalars(text("SELECT status FROM ops.run ORDER BY run_id")).all() == ["failed", "completed"]


def test_no_other_run_begins_while_one_publishes_although_its_lock_is_gone(engine: Engine, tmp_path: Path) -> None:
    """What is published is published by whoever holds the lock: the next run waits for the transaction that shares the row."""
    publishing: dict[str, Any] = {}

    def publish(*arguments: Any) -> Any:
        from tasks.deliveries.run_lock import require_lock

        other = connect(url_of(engine))
        with engine.begin() as connection:
            require_lock(connection, arguments[1])
            with other.begin() as rival:
                rival.execute(text(THE_LOCK))
                rival.execute(text("SET LOCAL lock_timeout = '100ms'"))
                try:
                    rival.execute(text("UPDATE ops.run SET status = 'killed' WHERE status = 'running'"))
                except Exception as refused:
                    publishing["rival"] = getattr(getattr(refused, "orig", None), "sqlstate", None)
                    rival.rollback()
            with pytest.raises(LockLost):
                require_lock(connection, arguments[1])
        other.dispose()
        return WITHOUT_PREFECT.publish(*arguments)

    with pytest.raises(LockLost):
        night(settings(tmp_path / "home"), engine, NIGHT, steps=replace(WITHOUT_PREFECT, report=None, publish=publish))
    assert publishing["rival"] == "55P03", "the row is held until the publishing transaction ends"


def test_a_run_that_died_is_not_said_to_be_at_work(engine: Engine, tmp_path: Path) -> None:
    home = tmp_path / "home"
    env = environment(home, settings(home).sources, url_of(engine))
    with engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO ops.run (flow, as_of, started_at, status, host, process_id) "
                "VALUES ('nightly', now(), now(), 'running', 'a-host', 4711)"
            )
        )
    said = bakhong("status", env=env)
    assert said.returncode == 1
    assert "bị ngắt" in said.stderr
    assert "đang chạy" not in said.stdout + said.stderr
    with engine.connect() as holder:
        holder.execute(text(f"SELECT pg_advisory_lock({LOCK})"))
        said = bakhong("status", env=env)
    assert "đang chạy" in said.stdout


def test_a_landed_file_that_is_gone_changes_nothing_and_is_named(engine: Engine, tmp_path: Path) -> None:
    here = settings(tmp_path / "home")
    night(here, engine, NIGHT, steps=replace(WITHOUT_PREFECT, report=None))
    with engine.begin() as connection:  # a steward asks for rows of a loaded delivery, so it is to be read again
        number, source, sha256 = connection.execute(
            text("SELECT delivery_id, source, sha256 FROM ops.delivery JOIN ops.quarantine USING (delivery_id) LIMIT 1")
        ).one()
        kept = connection.execute(text("SELECT * FROM ops.delivery WHERE delivery_id = :n"), {"n": number}).one()
        release = "UPDATE ops.quarantine SET status = 'released', decided_at = now(), decided_by = 'Lan' WHERE delivery_id = :n"
        connection.execute(text(release), {"n": number})
    before = answers(engine)
    (here.home / "landing" / source / sha256).rename(tmp_path / "away")
    no_files = replace(WITHOUT_PREFECT, report=None, pull=lambda *_: Pulled(0, []))  # the source has it no more
    done = night(here, engine, NIGHT, steps=no_files)
    (told,) = done.problems
    assert str(here.home / "landing" / source / sha256) in told
    assert kept.file_name in told
    with engine.connect() as connection:
        assert connection.execute(text("SELECT * FROM ops.delivery WHERE delivery_id = :n"), {"n": number}).one() == kept
    assert answers(engine) == before
    assert not night(here, engine, NIGHT, steps=replace(WITHOUT_PREFECT, report=None)).problems  # it is still at its source: it lands again
    assert (here.home / "landing" / source / sha256).exists()


def test_a_loaded_delivery_that_is_refused_when_read_again_keeps_its_rows(engine: Engine, tmp_path: Path) -> None:
    here = settings(tmp_path / "home")
    night(here, engine, NIGHT, steps=replace(WITHOUT_PREFECT, report=None))

    def pending_again(engine: Engine) -> Delivery:
        from tasks.deliveries.ledger import delivered

        with engine.connect() as connection:
            number = connection.scalar(text("SELECT min(delivery_id) FROM ops.delivery WHERE source = 'evn-bills'"))
        return delivered(engine, here.home, [number])[0]

    delivery = pending_again(engine)
    delivery.path.write_bytes(b"")  # an empty file: refused by STR-003
    from flows.ingest import IngestFailed, ingest_delivery

    with pytest.raises(IngestFailed, match="giữ nguyên"):
        ingest_delivery(engine, delivery, here)
    with engine.connect() as connection:
        status, rows = connection.execute(
            text("SELECT status, rows_loaded FROM ops.delivery WHERE delivery_id = :n"), {"n": delivery.delivery_id}
        ).one()
    assert status == "loaded"
    assert rows > 0
