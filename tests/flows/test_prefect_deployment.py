"""The night as Prefect runs it: a real server, a real worker, `prefect deploy --all`, runs scheduled, triggered and seen through."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from select import select
from time import monotonic, sleep
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
import yaml
from prefect import flow
from prefect.settings import PREFECT_API_URL, temporary_settings

from desk import accounts
from tasks.report.edition import Report
from tasks.report.edition import artifacts as show_artifacts
from tests.clients import client_of
from tests.nights import ROOT, Patience, bakhong, environment, few_sources, run_command, started
from warehouse.database import connect, upgrade
from warehouse.embedded import Server

SCHEDULE_SECONDS = 180
"""A scheduler that makes no runs says nothing of it, so only a clock can tell; one that works takes a second or two."""
BUSY = (httpx.codes.SERVICE_UNAVAILABLE, httpx.codes.TOO_MANY_REQUESTS)
"""What the server answers while its SQLite is locked; Prefect's own client asks again, too."""

VIETNAM = ZoneInfo("Asia/Ho_Chi_Minh")
MISFIT = r"\b(?:(?:Type|Attribute|Name|Import|ModuleNotFound|NotImplemented|InvalidRequest|Argument|Compile|Validation)Error|\w*Warning)\b"
"""What a library raises in the hands of one that does not fit it; a busy machine's timeouts are something else."""


@dataclass(frozen=True)
class Prefect:
    """A server with its worker, and the environment in which commands reach it."""

    env: dict[str, str]
    since: datetime
    """Before anything was deployed there."""
    log: Path
    """What server and worker said."""

    def command(self, *words: str) -> str:
        done = run_command([sys.executable, "-m", "prefect", *words], self.env, ROOT, self.log.parent)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def ask(self, method: str, path: str, several: list[Any] | None = None, **body: Any) -> Any:
        """The server's answer, however long it takes; whoever is told that it is busy asks again."""
        patience = Patience(self.log.parent)
        while (answer := self._asked(method, path, several or body)).status_code in BUSY:
            patience.wait(0.3)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def _asked(self, method: str, path: str, body: Any) -> httpx.Response:
        return httpx.request(method, f"{self.env['PREFECT_API_URL']}{path}", json=body or None, timeout=None)

    def deployment(self, name: str) -> Any:
        (found,) = [each for each in self.ask("POST", "/deployments/filter", limit=50) if each["name"] == name]
        return found

    def scheduled_nights(self) -> list[Any]:
        """The runs that the scheduler made of `nightly`, the soonest first, as soon as it made any."""
        asked = {"deployments": {"id": {"any_": [self.deployment("nightly")["id"]]}}, "sort": "EXPECTED_START_TIME_ASC", "limit": 50}
        deadline = monotonic() + SCHEDULE_SECONDS
        while not (runs := [run for run in self.ask("POST", "/flow_runs/filter", **asked) if run["auto_scheduled"]]):
            assert monotonic() < deadline, "a deployment with an active schedule, and no run scheduled"
            sleep(0.2)
        return runs

    def bring_forward(self, run: Any) -> None:
        """Makes a scheduled run due now."""
        due = {"type": "SCHEDULED", "state_details": {"scheduled_time": datetime.now(UTC).isoformat()}}
        assert self.ask("POST", f"/flow_runs/{run['id']}/set_state", state=due)["status"] == "ACCEPT"

    @contextmanager
    def worker(self) -> Iterator[subprocess.Popen[bytes]]:
        """A worker that takes one run after the other, for as long as the block lasts."""
        words = ["worker", "start", "--pool", "bakhong", "--name", "test", "--limit", "1"]
        with self.log.open("ab") as log:
            command = [sys.executable, "-m", "prefect", *words]
            with started(command, env=self.env, cwd=ROOT, stdout=log, stderr=log) as process:
                yield process

    @contextmanager
    def another_source(self, **entry: str) -> Iterator[None]:
        """One more source for the nights that begin in the block."""
        path = Path(self.env["BAKHONG_SOURCES"])
        before = path.read_text("utf-8")
        entries = [*yaml.safe_load(before)["sources"], {"name": f"another-{len(before)}", "expected": "once", **entry}]
        path.write_text(yaml.safe_dump({"sources": entries}), "utf-8")
        yield
        path.write_text(before, "utf-8")

    def seen_through(self, run: Any) -> Any:
        """The run when it has ended; it takes what it takes as long as server, worker or run say something."""
        patience = Patience(self.log)
        while run["state_type"] not in ("COMPLETED", "FAILED", "CRASHED", "CANCELLED"):
            patience.wait(0.3)
            run = self.ask("GET", f"/flow_runs/{run['id']}")
        return run


def two_in_the_morning(after: datetime) -> datetime:
    """The next 02:00 in Vietnam."""
    local = after.astimezone(VIETNAM)
    today = local.replace(hour=2, minute=0, second=0, microsecond=0)
    return today if today > local else today + timedelta(days=1)


def nights(server: Server, database: str = "deployed") -> list[tuple[str, str]]:
    """What the warehouse says of its runs: flow and status."""
    engine = connect(server.url("owner", database))
    with engine.connect() as connection:
        is_made = connection.exec_driver_sql("SELECT to_regclass('ops.run')").scalar()
        runs = connection.exec_driver_sql("SELECT flow, status FROM ops.run ORDER BY run_id").all() if is_made else []
    engine.dispose()
    return [(run.flow, run.status) for run in runs]


@contextmanager
def deployed(server: Server, home: Path, database: str, prefect_database: Path) -> Iterator[Prefect]:
    """A server of Prefect's to which everything is deployed, for a warehouse of its own; without a worker."""
    administrator = connect(server.url("owner", "postgres")).execution_options(isolation_level="AUTOCOMMIT")
    with administrator.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {database}")
    administrator.dispose()
    owner = connect(server.url("owner", database))
    upgrade(owner)
    owner.dispose()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    env = environment(home, few_sources(home), server.url("owner", database)) | {
        "PREFECT_HOME": str(shutil.copytree(prefect_database, home / "prefect")),
        "TMPDIR": str(home),
        "PREFECT_API_URL": f"http://127.0.0.1:{port}/api",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        "PREFECT_WORKER_QUERY_SECONDS": "1",
        "PREFECT_SERVER_SERVICES_SCHEDULER_LOOP_SECONDS": "1",
        "PREFECT_SERVER_SERVICES_SCHEDULER_RECENT_DEPLOYMENTS_LOOP_SECONDS": "1",
    }
    found = Prefect(env, datetime.now(UTC), home / "prefect.log")
    with found.log.open("wb") as log:
        command = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port), "--no-ui"]
        with started(command, env=env, cwd=ROOT, stdout=log, stderr=log) as process:
            patience = Patience(home)
            while True:
                try:
                    found.ask("GET", "/health")
                    break
                except httpx.HTTPError:
                    assert process.poll() is None, found.log.read_text("utf-8")[-3000:]
                    patience.wait(0.3)
            found.command("work-pool", "create", "bakhong", "--type", "process")
            found.command("--no-prompt", "deploy", "--all")
            yield found


@pytest.fixture(scope="module")
def prefect(server: Server, prefect_database: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prefect]:
    with deployed(server, tmp_path_factory.mktemp("prefect"), "deployed", prefect_database) as found, found.worker():
        yield found


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
    assert {each["global_concurrency_limit"] for each in arrived.values()} == {None}
    assert arrived["nightly"]["work_pool_name"] == "bakhong"


def test_deploying_again_takes_the_limit_away_that_earlier_versions_set(prefect: Prefect) -> None:
    nightly = prefect.deployment("nightly")
    prefect.ask("PATCH", f"/deployments/{nightly['id']}", concurrency_limit=1)
    assert prefect.deployment("nightly")["global_concurrency_limit"]["limit"] == 1
    prefect.command("--no-prompt", "deploy", "--all")
    assert prefect.deployment("nightly")["global_concurrency_limit"] is None


def test_the_coming_nights_are_scheduled_at_two_in_vietnam(prefect: Prefect) -> None:
    moments = [datetime.fromisoformat(run["expected_start_time"]) for run in prefect.scheduled_nights()]
    assert {moment.astimezone(UTC).time() for moment in moments} == {time(19)}
    assert moments[0] in {two_in_the_morning(prefect.since), two_in_the_morning(datetime.now(UTC))}  # two only at 02:00 itself
    assert moments == [moments[0] + timedelta(days=night) for night in range(len(moments))]
    assert len(moments) > 1


def test_a_triggered_night_completes_and_leaves_its_artifacts(prefect: Prefect, server: Server) -> None:
    before = nights(server)
    nightly = prefect.deployment("nightly")
    run = prefect.seen_through(prefect.ask("POST", f"/deployments/{nightly['id']}/create_flow_run", parameters={"date": "2025-05-05"}))
    assert run["state_type"] == "COMPLETED", run["state"]
    tasks = prefect.ask("POST", "/task_runs/filter", flow_runs={"id": {"any_": [run["id"]]}}, limit=100)
    kinds = {task["name"].split("-")[0] for task in tasks}
    assert {"pull", "ingest", "publish", "report"} <= kinds
    artifacts = {each["key"]: each for each in prefect.ask("POST", "/artifacts/filter", limit=50)}
    assert {"quality", "indicators", "site", "workbook"} <= artifacts.keys()
    assert "td_mau_20240131.csv" in artifacts["quality"]["data"]
    for key, file in (("site", "site/index.html"), ("workbook", "site/ba-khong-")):  # a browser opens no file:// link from there
        assert artifacts[key]["type"] == "markdown"
        assert f"\n{prefect.env['BAKHONG_HOME']}/{file}" in artifacts[key]["data"]
        assert "file://" not in artifacts[key]["data"]
    assert nights(server) == [*before, ("nightly", "completed")]


def test_the_log_of_a_night_is_kept_by_the_worker_and_with_its_run(prefect: Prefect, server: Server) -> None:
    before = len(prefect.log.read_text("utf-8"))
    nightly = prefect.deployment("nightly")
    run = prefect.seen_through(prefect.ask("POST", f"/deployments/{nightly['id']}/create_flow_run", parameters={"date": "2025-05-05"}))
    number = len(nights(server))
    steps = [f"step done step={step} " for step in ("pull", "ingest", "publish", "report")]
    expected = ["run began, alone flow=nightly", *steps, "run ended status=completed"]
    asked = {"logs": {"flow_run_id": {"any_": [run["id"]]}}, "sort": "TIMESTAMP_ASC", "limit": 200}
    patience = Patience(prefect.log)  # Prefect brings lines in batches, the last one after the run has ended
    of_run: list[str] = []
    while not any(expected[-1] in line for line in of_run):
        patience.wait(0.3)
        of_run = [line["message"] for line in prefect.ask("POST", "/logs/filter", **asked) if line["name"] == "bakhong"]
    of_worker = [line for line in prefect.log.read_text("utf-8")[before:].splitlines() if f" run={number}/" in line]
    for lines in (of_run, of_worker):
        assert all(f"run={number}/" in line for line in lines)
        for what in expected:
            assert sum(what in line for line in lines) == 1, (what, lines)
    assert len(of_run) == len(of_worker)


def test_the_desk_is_a_link_where_its_address_is_known(prefect: Prefect, server: Server) -> None:
    engine = connect(server.url("owner", "deployed"))
    made = Report(Path("/home/site/index.html"), [Path("/home/site/ba-khong-2024.xlsx")])

    @flow
    def shown() -> None:
        show_artifacts(engine, len(nights(server)), made, "https://bakhong.tinh.vn/")

    with temporary_settings({PREFECT_API_URL: prefect.env["PREFECT_API_URL"]}):
        shown()
    engine.dispose()
    latest = prefect.ask("POST", "/artifacts/latest/filter", limit=50)
    (site,) = [each for each in latest if each["key"] == "site"]
    assert (site["type"], site["data"]) == ("markdown", "[Trang kiểm soát](https://bakhong.tinh.vn/)")


def test_a_night_that_is_due_is_carried_out(prefect: Prefect, server: Server) -> None:
    before = nights(server)
    run = prefect.scheduled_nights()[0]
    prefect.bring_forward(run)
    run = prefect.seen_through(run)
    assert run["state_type"] == "COMPLETED", run["state"]
    assert run["auto_scheduled"]
    assert nights(server) == [*before, ("nightly", "completed")]


def test_an_approver_at_the_desk_has_it_published_at_once(prefect: Prefect, server: Server) -> None:
    """The desk itself runs as a steward, who may not count or publish: the worker does."""
    assert bakhong("warehouse", "upgrade", env=prefect.env).returncode == 0
    before, password = nights(server), "thùng thư màu xanh"
    owner = connect(server.url("owner", "deployed"))
    with owner.begin() as connection:
        connection.exec_driver_sql(f"ALTER ROLE bakhong_steward LOGIN PASSWORD '{server.passwords['steward']}'")
        for role in ("steward", "approver"):
            accounts.add(connection, role, role, role, password, None, "root")
    owner.dispose()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    env = prefect.env | {"BAKHONG_WAREHOUSE_URL": server.url("steward", "deployed")}
    patience = Patience(prefect.log)
    command = [sys.executable, "-m", "desk", "serve", "--port", str(port)]
    with prefect.log.open("ab") as log, started(command, env=env, cwd=ROOT, stdout=log, stderr=log) as child:
        while True:
            try:
                steward, of_steward = client_of(f"http://127.0.0.1:{port}/", "steward", password)
                break
            except httpx.ConnectError:
                assert child.poll() is None, prefect.log.read_text("utf-8")[-3000:]
                patience.wait(0.3)
        health = steward.get("healthz")
        assert (health.status_code, health.json()) == (200, {"healthy": True, "reasons": []}), "the next night is planned"
        assert steward.post("cong-bo/ngay", data={"form_token": of_steward}).status_code == 403
        approver, token = client_of(f"http://127.0.0.1:{port}/", "approver", password)
        assert 'action="/cong-bo/ngay"' in approver.get("cong-bo").text
        asked = approver.post("cong-bo/ngay", data={"form_token": token})
        assert (asked.status_code, asked.headers["location"]) == (303, "/cong-bo")
        assert "approver đã yêu cầu tính và công bố ngay" in approver.get("cong-bo").text or nights(server) != before
        (run,) = [each for each in prefect.ask("POST", "/flow_runs/filter", limit=50) if each["parameters"].get("pulls") is False]
        run = prefect.seen_through(run)
        assert 'action="/cong-bo/ngay"' in approver.get("cong-bo").text, "it can be asked for again"
        assert "yêu cầu tính và công bố ngay" in approver.get("nhat-ky").text
    assert run["state_type"] == "COMPLETED", run["state"]
    assert nights(server) == [*before, ("publish", "completed")]


def test_tasks_that_touch_the_outside_are_tried_again(prefect: Prefect) -> None:
    tasks = prefect.ask("POST", "/task_runs/filter", limit=100)
    pulls = [task for task in tasks if task["name"].startswith("pull-")]
    assert pulls
    for task in pulls:
        assert task["empirical_policy"]["retries"] == 3
        assert task["empirical_policy"]["retry_delay"] == [10, 60, 180]
        assert task["empirical_policy"]["retry_jitter_factor"] > 0


def test_a_night_that_rejected_something_is_not_green(prefect: Prefect, server: Server) -> None:
    before = nights(server)
    inbox = prefect.log.parent / "inbox"
    inbox.mkdir()
    (inbox / "evn_202404.csv").write_text("MaKH,TenCot\n1,2\n", "utf-8")
    nightly = prefect.deployment("nightly")
    with prefect.another_source(feed="bills", layout="evn_csv", provider="evn", url=str(inbox / "*.csv")):
        run = prefect.seen_through(prefect.ask("POST", f"/deployments/{nightly['id']}/create_flow_run", parameters={"date": "2025-05-05"}))
    assert (run["state_type"], run["state_name"]) == ("FAILED", "Rejected")
    assert "evn_202404.csv" in run["state"]["message"]
    assert nights(server) == [*before, ("nightly", "completed")], "all that could be done was"


def test_a_night_that_is_cancelled_stops_and_says_what_stands(prefect: Prefect, server: Server) -> None:
    """It waits for a source that does not answer when it is told to end."""
    nightly = prefect.deployment("nightly")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/evn_202404.csv"
        with prefect.another_source(feed="bills", layout="evn_csv", provider="evn", url=url):
            run = prefect.ask("POST", f"/deployments/{nightly['id']}/create_flow_run", parameters={"date": "2025-05-05"})
            patience = Patience(prefect.log)
            while not select([silent], [], [], 0)[0]:
                patience.wait(0.3)
            asked, _ = silent.accept()
            cancelled = prefect.ask("POST", f"/flow_runs/{run['id']}/set_state", state={"type": "CANCELLING"})
            assert cancelled["status"] == "ACCEPT"
            run = prefect.seen_through(run)
            asked.close()
    assert run["state_type"] == "CANCELLED", run["state"]
    assert nights(server)[-1] == ("nightly", "failed")
    engine = connect(server.url("owner", "deployed"))
    with engine.connect() as connection:
        message = connection.exec_driver_sql("SELECT message FROM ops.run ORDER BY run_id DESC LIMIT 1").scalar_one()
    engine.dispose()
    assert message.startswith("Đã dừng theo yêu cầu (SIGTERM)")


def test_no_library_complains_of_another(prefect: Prefect) -> None:
    complaints = [line for line in prefect.log.read_text("utf-8").splitlines() if re.search(MISFIT, line)]
    assert complaints == []
