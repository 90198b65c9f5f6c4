"""Nights that did not happen: a real server with no worker, and a worker that is killed at work."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from select import select
from time import monotonic
from typing import Any

import pytest

from tests.flows.test_prefect_deployment import Prefect, deployed, nights
from tests.nights import Patience, bakhong
from warehouse.embedded import Server

DATABASE = "missed"


@pytest.fixture(scope="module")
def prefect(server: Server, prefect_database: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prefect]:
    with deployed(server, tmp_path_factory.mktemp("prefect"), DATABASE, prefect_database) as found:
        yield found


def runs_of_schedule(prefect: Prefect, state: str) -> list[Any]:
    asked = {"flow_runs": {"state": {"name": {"any_": [state]}}}, "sort": "EXPECTED_START_TIME_ASC", "limit": 50}
    return [run for run in prefect.ask("POST", "/flow_runs/filter", **asked) if run["auto_scheduled"]]


def schedule_three(prefect: Prefect, deployment: Any) -> None:
    """Three nights, two seconds one after the other, where the real ones are a day apart."""
    first = datetime.now(UTC) + timedelta(seconds=8)
    rule = f"DTSTART:{first:%Y%m%dT%H%M%SZ}\nRRULE:FREQ=SECONDLY;INTERVAL=2;COUNT=3"
    prefect.ask("POST", f"/deployments/{deployment['id']}/schedules", [{"schedule": {"rrule": rule}, "active": True}])


def test_one_night_makes_up_for_all_that_were_missed_and_the_others_do_not_pile_up(prefect: Prefect, server: Server) -> None:
    schedule_three(prefect, prefect.deployment("nightly"))
    patience = Patience(prefect.log.parent)
    while len(runs_of_schedule(prefect, "Late")) < 3:
        patience.wait(0.5)
    missed = runs_of_schedule(prefect, "Late")
    with prefect.worker():
        ended = [prefect.seen_through(run) for run in missed]
    assert nights(server, DATABASE) == [("nightly", "completed")], "one did what all were to do"
    assert [run["state_type"] for run in ended] == ["COMPLETED"] * len(missed), "none is cancelled"
    assert sorted({run["state_name"] for run in ended}) == ["Completed", "MadeUp"]
    told = next(run["state"]["message"] for run in ended if run["state_name"] == "MadeUp")
    assert "đã được làm bù ở lượt chạy số 1" in told
    assert runs_of_schedule(prefect, "Late") == []


def test_the_run_of_a_killed_worker_is_freed_by_the_next_which_begins_at_once(prefect: Prefect, server: Server) -> None:
    nightly = prefect.deployment("nightly")
    with socket.create_server(("127.0.0.1", 0)) as silent, prefect.worker() as worker:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/evn_202404.csv"
        with prefect.another_source(feed="bills", layout="evn_csv", provider="evn", url=url):
            killed = prefect.ask("POST", f"/deployments/{nightly['id']}/create_flow_run", parameters={})
            patience = Patience(prefect.log)
            while not select([silent], [], [], 0)[0]:
                patience.wait(0.3)
            kill(worker)
    status = bakhong("status", env=prefect.env)
    assert status.returncode == 1
    assert "bị ngắt" in status.stdout + status.stderr
    assert "Những gì đã nạp vẫn còn" in status.stdout + status.stderr, "and what to do"
    assert prefect.ask("GET", f"/flow_runs/{killed['id']}")["state_type"] == "RUNNING", "nobody told Prefect"
    began = monotonic()
    with prefect.worker():
        run = prefect.seen_through(prefect.ask("POST", f"/deployments/{nightly['id']}/create_flow_run", parameters={}))
    assert run["state_type"] == "COMPLETED", run["state"]
    assert monotonic() - began < 240, "a limit of Prefect's would have held it up, or cancelled it, for five minutes"
    dead = prefect.ask("GET", f"/flow_runs/{killed['id']}")
    assert (dead["state_type"], nights(server, DATABASE)[-2:]) == ("CRASHED", [("nightly", "killed"), ("nightly", "completed")])


def kill(worker: subprocess.Popen[bytes]) -> None:
    """The machine loses power, as far as these processes can tell: worker and run are gone, and told nobody."""
    gone = [worker.pid]
    parents = {int(stat.parent.name): int(stat.read_text().rpartition(")")[2].split()[1]) for stat in Path("/proc").glob("[0-9]*/stat")}
    while more := [child for child, parent in parents.items() if parent in gone and child not in gone]:
        gone += more
    for number in (signal.SIGSTOP, signal.SIGKILL):
        for process in gone:
            os.kill(process, number)
    worker.wait()
