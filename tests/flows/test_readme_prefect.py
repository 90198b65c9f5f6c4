"""README, "Every night": what it prints works as printed on a machine that has nothing else, and cron's line means 02:00 in Vietnam."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from pathlib import Path
from time import monotonic, sleep

import httpx
import pytest
from cronsim import CronSim

from tests.flows.test_prefect_deployment import VIETNAM, Prefect, two_in_the_morning
from tests.nights import ROOT, Patience, few_sources, run_command, started

(SECTION,) = re.findall(r"^## Every night\n(.*?)^## ", (ROOT / "README.md").read_text("utf-8"), re.M | re.S)
PRINTED = dict(re.findall(r"^```(\w+)\n(.*?)^```", SECTION, re.M | re.S))
FOLDER = "/opt/bakhong"
FIVE_FIELDS = r"(?:[\d*]+ ){4}[\d*]+"
IMPATIENT = """
PREFECT_WORKER_QUERY_SECONDS=1
PREFECT_SERVER_SERVICES_SCHEDULER_RECENT_DEPLOYMENTS_LOOP_SECONDS=1
"""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """An installation as `make setup` leaves it, with few sources; nothing that its user started outlives the test."""
    folder = tmp_path / "bakhong"
    shutil.copytree(ROOT, folder, ignore=shutil.ignore_patterns(".*", "__pycache__", "docs", "tests"))
    (folder / ".venv").symlink_to(sys.prefix)
    (folder / ".env").write_text(f"BAKHONG_SOURCES={few_sources(tmp_path)}\n{IMPATIENT}", "utf-8")
    (tmp_path / "user").mkdir()
    yield folder
    for number in (signal.SIGTERM, signal.SIGKILL):
        deadline = monotonic() + 15
        for process in running(folder):
            with suppress(ProcessLookupError):
                os.kill(process, number)
        while running(folder) and monotonic() < deadline:
            sleep(0.2)
    assert not running(folder)


def bare(folder: Path) -> dict[str, str]:
    """The environment of a user who has set nothing, no more than cron gives."""
    user = str(folder.parent / "user")
    # A folder of Prefect's in /tmp belongs to whoever first ran a worker on the machine; ours is one that nobody shares.
    return {"HOME": user, "TMPDIR": user, "SHELL": "/bin/sh", "PATH": "/usr/bin:/bin"}


def running(folder: Path) -> list[int]:
    """The processes of the installation's user, known by their home."""
    mark = f"HOME={folder.parent / 'user'}".encode()
    found = []
    for environ in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):
            if mark in environ.read_bytes().split(b"\0"):
                found.append(int(environ.parent.name))
    return found


def test_the_lines_bring_the_deployments_their_schedule_and_a_worker(folder: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    (folder / "lines.sh").write_text(PRINTED["sh"].replace("4200", port), "utf-8")
    prefect = Prefect({"PREFECT_API_URL": f"http://127.0.0.1:{port}/api"}, datetime.now(UTC), folder / "said.txt")
    # In a terminal, where Prefect would ask what it is not told; one that is at its end, so a question ends the lines.
    terminal = ["script", "--quiet", "--return", "--flush", "--command", "bash -e lines.sh", prefect.log.name]
    with started(terminal, cwd=folder, env=bare(folder), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as lines:
        patience = Patience(folder.parent)
        workers: list[str] = []
        while workers != ["ONLINE"]:
            assert lines.poll() is None, prefect.log.read_text("utf-8")[-3000:]
            patience.wait(0.3)
            with suppress(httpx.HTTPError):
                workers = [worker["status"] for worker in prefect.ask("POST", "/work_pools/bakhong/workers/filter")]
        night = prefect.scheduled_nights()[0]
        moment = datetime.fromisoformat(night["expected_start_time"])
        assert moment in {two_in_the_morning(prefect.since), two_in_the_morning(datetime.now(UTC))}
        prefect.bring_forward(night)
        assert prefect.seen_through(night)["state_type"] == "COMPLETED", prefect.log.read_text("utf-8")[-3000:]


def test_the_unit_is_one_that_systemd_takes(folder: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("a machine without systemd")
    unit = folder / "bakhong-worker.service"
    unit.write_text(PRINTED["ini"].replace(FOLDER, str(folder)), "utf-8")
    done = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_line_of_cron_runs_the_night_without_a_server(folder: Path) -> None:
    command = re.sub(rf"^{FIVE_FIELDS}\s+", "", PRINTED["crontab"]).replace(FOLDER, str(folder))
    done = run_command(["/bin/sh", "-c", command], bare(folder), Path("/"), folder / ".bakhong")
    assert done.returncode == 1, done.stdout + done.stderr  # done; what the samples hold is of 2024, so sources are late
    assert (folder / ".bakhong" / "site" / "index.html").exists()


def test_cron_goes_off_at_two_in_vietnam() -> None:
    (on_utc,) = re.findall(rf"^({FIVE_FIELDS})\s", PRINTED["crontab"], re.M)
    (in_vietnam,) = re.findall(rf"`({FIVE_FIELDS})`", SECTION)
    new_year = datetime(2026, 1, 1)
    for line, zone in ((on_utc, UTC), (in_vietnam, VIETNAM)):
        moments = CronSim(line, new_year.replace(tzinfo=zone))
        nights = [next(moments).astimezone(VIETNAM) for _ in range(366)]
        assert {night.time() for night in nights} == {time(2)}
        assert {later - night for night, later in pairwise(nights)} == {timedelta(days=1)}
