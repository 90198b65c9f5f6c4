"""The night as Prefect runs it: a real server, a real worker, `prefect deploy --all`, a run triggered and seen through."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import yaml

from tests.nights import ROOT, environment, few_sources
from warehouse.database import connect
from warehouse.embedded import Server

STARTUP_SECONDS = 180
RUN_SECONDS = 180


@dataclass(frozen=True)
class Prefect:
    """A server with its worker, and the environment in which commands reach it."""

    env: dict[str, str]

    def command(self, *words: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "prefect", *words], env=self.env, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def ask(self, method: str, path: str, **body: Any) -> Any:
        answer = httpx.request(method, f"{self.env['PREFECT_API_URL']}{path}", json=body or None, timeout=30)
        answer.raise_for_status()
        return answer.json()


def end(process: subprocess.Popen[bytes]) -> None:
    os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(timeout=15)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@pytest.fixture(scope="module")
def prefect(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prefect]:
    home = tmp_path_factory.mktemp("prefect")
    administrator = connect(server.url("owner", "postgres")).execution_options(isolation_level="AUTOCOMMIT")
    with administrator.connect() as connection:
        connection.exec_driver_sql("CREATE DATABASE deployed")
    administrator.dispose()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    env = environment(home, few_sources(home), server.url("owner", "deployed")) | {
        "PREFECT_HOME": str(home / "prefect"),
        "PREFECT_API_URL": f"http://127.0.0.1:{port}/api",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        "PREFECT_LOGGING_EXTRA_LOGGERS": "bakhong",
        "PREFECT_WORKER_QUERY_SECONDS": "2",
    }
    found = Prefect(env)
    log = (home / "prefect.log").open("wb")
    processes = []

    def start(*words: str) -> None:
        processes.append(
            subprocess.Popen([sys.executable, "-m", "prefect", *words], env=env, cwd=ROOT, stdout=log, stderr=log, start_new_session=True)
        )

    try:
        start("server", "start", "--host", "127.0.0.1", "--port", str(port), "--no-ui")
        deadline = time.monotonic() + STARTUP_SECONDS
        while True:
            try:
                found.ask("GET", "/health")
                break
            except httpx.HTTPError:
                assert time.monotonic() < deadline, (home / "prefect.log").read_text()[-3000:]
                time.sleep(0.3)
        found.command("work-pool", "create", "bakhong", "--type", "process")
        found.command("--no-prompt", "deploy", "--all")
        start("worker", "start", "--pool", "bakhong", "--name", "test")
        yield found
    finally:
        for process in reversed(processes):
            end(process)
        log.close()


def test_every_deployment_arrives_as_written(prefect: Prefect) -> None:
    written = {each["name"]: each for each in yaml.safe_load((ROOT / "prefect.yaml").read_text("utf-8"))["deployments"]}
    arrived = {each["name"]: each for each in prefect.ask("POST", "/deployments/filter", limit=50)}
    assert arrived.keys() == written.keys()
    (schedule,) = arrived["nightly"]["schedules"]
    (asked,) = written["nightly"]["schedules"]
    assert schedule["schedule"]["cron"] == asked["cron"] == "0 2 * * *"
    assert schedule["schedule"]["timezone"] == asked["timezone"] == "Asia/Ho_Chi_Minh"
    assert schedule["slug"] == asked["slug"]
    assert schedule["active"] is asked["active"] is True
    assert arrived["nightly"]["global_concurrency_limit"]["limit"] == written["nightly"]["concurrency_limit"]["limit"] == 1
    assert arrived["nightly"]["concurrency_options"]["collision_strategy"] == "CANCEL_NEW"
    assert arrived["nightly"]["work_pool_name"] == "bakhong"


def test_a_triggered_night_completes_and_leaves_its_artifacts(prefect: Prefect, server: Server) -> None:
    (nightly,) = [each for each in prefect.ask("POST", "/deployments/filter", limit=50) if each["name"] == "nightly"]
    run = prefect.ask("POST", f"/deployments/{nightly['id']}/create_flow_run", parameters={"date": "2025-05-05"})
    deadline = time.monotonic() + RUN_SECONDS
    while run["state_type"] not in ("COMPLETED", "FAILED", "CRASHED", "CANCELLED"):
        assert time.monotonic() < deadline, run["state"]
        time.sleep(1)
        run = prefect.ask("GET", f"/flow_runs/{run['id']}")
    assert run["state_type"] == "COMPLETED", run["state"]
    tasks = prefect.ask("POST", "/task_runs/filter", flow_runs={"id": {"any_": [run["id"]]}}, limit=100)
    kinds = {task["name"].split("-")[0] for task in tasks}
    assert {"pull", "ingest", "publish", "report"} <= kinds
    artifacts = {each["key"]: each for each in prefect.ask("POST", "/artifacts/filter", limit=50)}
    assert {"quality", "indicators", "site", "workbook"} <= artifacts.keys()
    assert "td_mau_20240131.csv" in artifacts["quality"]["data"]
    engine = connect(server.url("owner", "deployed"))
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT status FROM ops.run").scalars().all() == ["completed"]
    engine.dispose()


def test_tasks_that_touch_the_outside_are_tried_again(prefect: Prefect) -> None:
    tasks = prefect.ask("POST", "/task_runs/filter", limit=100)
    pulls = [task for task in tasks if task["name"].startswith("pull-")]
    assert pulls
    for task in pulls:
        assert task["empirical_policy"]["retries"] == 3
        assert task["empirical_policy"]["retry_delay"] == [10, 60, 180]
        assert task["empirical_policy"]["retry_jitter_factor"] > 0
