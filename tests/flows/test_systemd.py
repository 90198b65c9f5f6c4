"""The units of systemd: what systemd itself says of them, desk and night as they are started by them, and who is told of a failure."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from desk.installation.init import lay_down
from tests.flows.conftest import Webhook
from tests.nights import Patience, few_sources, run_command, started, url_of

SERVICES = ("nightly", "watch", "prune", "serve", "prefect", "worker", "failed@")
IN_TOKYO = {"TZ": "Asia/Tokyo", "PATH": "/usr/bin:/bin"}
"""A host that is neither in Vietnam nor in UTC."""
MOST_EXPOSED = 2.0
"""Of ten, by systemd's own judgement; "OK" ends at 4.9."""


@pytest.fixture
def units(tmp_path: Path) -> Path:
    """The folder of units that `bakhong init` lays down."""
    return lay_down(tmp_path / "bakhong", ["38"]).folder / "systemd"


def systemd(*words: str, units: Path) -> str:
    """What systemd-analyze says of units, run by an account and programs that this machine has."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("a machine without systemd")
    common = units / "bakhong-.service.d" / "common.conf"
    common.write_text(re.sub(r"^(User|Group)=bakhong$", r"\1=daemon", common.read_text("utf-8"), flags=re.M), "utf-8")
    done = subprocess.run(["systemd-analyze", *words], capture_output=True, text=True, check=False, cwd=units, env=IN_TOKYO)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
    return done.stdout


def test_systemd_takes_every_unit_and_the_drop_in_of_all(units: Path) -> None:
    assert {path.name for path in units.glob("*.service")} == {f"bakhong-{name}.service" for name in SERVICES}
    systemd("verify", *(str(path) for path in units.glob("bakhong-*.*") if path.is_file()), units=units)


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_closed_in(name: str, units: Path) -> None:
    said = systemd(
        "security", "--offline=true", "--no-pager", f"--threshold={MOST_EXPOSED * 10:.0f}", f"./bakhong-{name}.service", units=units
    )
    (exposure,) = re.findall(r"exposure level for \S+: ([\d.]+)", said)
    assert float(exposure) <= MOST_EXPOSED


@pytest.mark.parametrize(("name", "hour"), [("nightly", 2), ("watch", 6)])
def test_timers_go_off_by_the_clock_of_vietnam_whatever_the_hosts(name: str, hour: int, units: Path) -> None:
    timer = (units / f"bakhong-{name}.timer").read_text("utf-8")
    assert "\nPersistent=true\n" in timer
    (calendar,) = re.findall(r"^OnCalendar=(.*)$", timer, re.M)
    said = systemd("calendar", "--iterations=3", "--base-time=2026-01-01 12:00:00 UTC", calendar, units=units)
    moments = re.findall(r"\(in UTC\): \w+ (.*) UTC", said)
    assert [datetime.fromisoformat(moment).hour for moment in moments] == [(hour - 7) % 24] * 3


def value(unit: Path, name: str) -> str:
    """What a unit, or the drop-in of all, says under a name."""
    lines = "\n".join(path.read_text("utf-8") for path in (unit.parent / "bakhong-.service.d" / "common.conf", unit))
    return re.findall(rf"^{name}=(.*)$", lines, re.M)[-1]


@dataclass
class Manager:
    """The socket on which systemd listens to what a service tells."""

    listening: socket.socket

    def hear(self, seconds: float) -> list[str]:
        """What is told next; TimeoutError where nothing is."""
        self.listening.settimeout(seconds)
        return self.listening.recv(4096).decode().split("\n")


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[tuple[Manager, dict[str, str]]]:
    """A service manager, and the environment by which a service knows it."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        yield Manager(listening), {"NOTIFY_SOCKET": str(tmp_path / "notify")}


@contextmanager
def of_unit(unit: Path, env: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    """A service as its unit starts it: ExecStart, working folder and environment."""
    words = value(unit, "ExecStart").split()
    assert words[0] == f"{sys.prefix}/bin/bakhong"
    set_there = dict(re.findall(r"^Environment=(\w+)=(.*)$", unit.read_text("utf-8"), re.M))
    with started(
        words, env=env | set_there, cwd=value(unit, "WorkingDirectory"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as service:
        yield service


def bare(units: Path) -> dict[str, str]:
    """No more of an environment than systemd gives: the rest the program reads in its folder."""
    return {"HOME": str(units.parent), "TMPDIR": str(units.parent), "PATH": "/usr/bin:/bin", "PYTHONUNBUFFERED": "1"}


def test_the_night_of_the_unit_runs_without_a_server_and_tells_where_it_stands(
    units: Path, manager: tuple[Manager, dict[str, str]]
) -> None:
    heard, to_it = manager
    shutil.copy(few_sources(units.parent.parent), units.parent)
    unit = units / "bakhong-nightly.service"
    assert "PREFECT_API_URL=http" in (units.parent / ".env").read_text("utf-8"), "where no server runs here"
    with of_unit(unit, bare(units) | to_it) as night:
        patience, stages = Patience(units.parent), set()
        while night.poll() is None:
            try:
                stages |= {line for line in heard.hear(0.2) if line.startswith("STATUS=")}
            except TimeoutError:
                patience.wait(0)
        _, said = night.communicate()
    assert str(night.returncode) in value(unit, "SuccessExitStatus").split(), said  # sources of 2024 are late: no failure of the unit
    assert "Nguồn chậm" in said
    assert any(line.startswith("STATUS=Tính chỉ tiêu") for line in stages), stages


def test_the_desk_tells_when_it_is_there_that_it_is_alive_and_when_it_ends(
    engine: Engine, units: Path, manager: tuple[Manager, dict[str, str]]
) -> None:
    heard, to_it = manager
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    unit = units / "bakhong-serve.service"
    unit.write_text(unit.read_text("utf-8").replace("bakhong serve", f"bakhong serve --port {port}"), "utf-8")
    env = bare(units) | to_it | {"WATCHDOG_USEC": "1500000", "BAKHONG_WAREHOUSE_URL": url_of(engine)}
    with of_unit(unit, env) as desk:
        assert heard.hear(60) == ["READY=1", "WATCHDOG=1"]
        with socket.create_connection(("127.0.0.1", port)):
            pass
        assert heard.hear(5) == heard.hear(5) == ["WATCHDOG=1"]
        os.kill(desk.pid, signal.SIGSTOP)
        with pytest.raises(TimeoutError):
            for _ in range(20):  # what was told before
                heard.hear(2)
        os.kill(desk.pid, signal.SIGCONT)
        assert heard.hear(5) == ["WATCHDOG=1"]
        desk.send_signal(signal.SIGTERM)
        told = [heard.hear(10)]
        while told[-1] == ["WATCHDOG=1"]:
            told.append(heard.hear(10))
        assert told[-1] == ["STOPPING=1"]
        assert desk.wait(30) == 0


def test_a_failed_unit_is_told_once_a_morning(units: Path, webhook: Webhook) -> None:
    posted, address, answer = webhook
    folder = units.parent
    with (folder / ".env").open("a") as settings:
        settings.write(f"BAKHONG_MESSAGE_TO={address}\nBAKHONG_NO_SUCH=a mistake that keeps nobody from being told\n")

    def alert(unit: str, **told_by_systemd: str) -> subprocess.CompletedProcess[str]:
        words = value(units / "bakhong-failed@.service", "ExecStart").replace("%i", unit).split()
        return run_command(words, bare(units) | told_by_systemd, folder, folder)

    cannot_look = {"MONITOR_SERVICE_RESULT": "exit-code", "MONITOR_EXIT_STATUS": "2"}
    answer["status"] = 503
    unsent = alert("bakhong-watch", **cannot_look)
    assert unsent.returncode == 2
    assert "không gửi được tin báo (địa chỉ nhận trả lời 503)" in unsent.stderr
    posted.clear()
    answer["status"] = 200
    assert alert("bakhong-watch", **cannot_look).returncode == 0
    assert alert("bakhong-watch", **cannot_look).returncode == 0
    assert alert("bakhong-serve", MONITOR_SERVICE_RESULT="watchdog").returncode == 0
    assert [words["text"].splitlines()[1] for _, words in posted] == [
        "Không xem được lượt đêm có chạy không, hoặc không báo được (bakhong-watch): kết thúc với mã 2.",
        "Trang kiểm soát đã dừng (bakhong-serve): không còn trả lời.",
    ]
    yesterday = time.time() - timedelta(hours=24).total_seconds()
    os.utime(folder / ".bakhong" / "alerts" / "bakhong-watch", (yesterday, yesterday))
    assert alert("bakhong-watch").returncode == 0
    assert len(posted) == 3, "another morning"


def test_every_failure_leads_to_somebody_who_tells(units: Path) -> None:
    """A night that fails is looked at at once, as every morning; whoever cannot look, or tell, has it told."""
    after = {name: re.findall(r"^OnFailure=(.*)$", (units / f"bakhong-{name}.service").read_text("utf-8"), re.M) for name in SERVICES}
    told = ["bakhong-failed@%p.service"]
    assert after == dict.fromkeys(SERVICES, told) | {"nightly": ["bakhong-watch.service"], "failed@": []}


def test_where_nobody_is_to_be_told_the_journal_says_so(units: Path) -> None:
    words = value(units / "bakhong-failed@.service", "ExecStart").replace("%i", "bakhong-serve").split()
    done = run_command(words, bare(units), units.parent, units.parent)
    assert done.returncode == 2
    assert "chưa đặt BAKHONG_MESSAGE_TO" in done.stderr
