"""`bakhong worker`: brings the deployments to the Prefect server and carries out their runs; asked to end, a night ends first, in order.

Prefect's own worker ends its runs as with `kill -9`: nothing would say what stands, and the server would have them running for ever.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from desk.prefect_server import require_answer
from desk.service_manager import notify
from flows.planned import POOL
from flows.stopping import Stopped
from warehouse.settings import Refusal, Settings

RUN_SECONDS, WORKER_SECONDS = 5, 1.5
"""How long a run, then the worker may take to end; together less than what flows.stopping leaves us."""


def work(settings: Settings) -> None:
    """Deploys what `prefect.yaml` of the working folder says, and works until someone asks to end."""
    if not os.environ.get("PREFECT_API_URL"):
        raise Refusal("Chưa đặt PREFECT_API_URL: worker cần một máy chủ Prefect (docs/systemd.md).")
    if not Path("prefect.yaml").is_file():
        raise Refusal(f"Không có prefect.yaml trong {Path.cwd()}: chạy ở thư mục cài đặt (bakhong init).")
    os.environ.setdefault("PREFECT_HOME", str(settings.home / "prefect"))
    require_answer()
    _prefect("work-pool", "create", "--type", "process", "--overwrite", POOL)
    _prefect("--no-prompt", "deploy", "--all")
    # In a session of its own, as Ctrl-C of a terminal is for us; should we be killed, it is told to end.
    with subprocess.Popen([*WITH_US, *PREFECT, "worker", "start", "--pool", POOL, "--limit", "1"], start_new_session=True) as worker:  # noqa: S603  # our own words
        try:
            notify("READY=1")
            worker.wait()
        except Stopped:
            notify("STOPPING=1")
            _end(worker)
            raise
        raise Refusal(f"Worker của Prefect đã dừng ngoài ý muốn (mã {worker.returncode}).")


WITH_US = ("setpriv", "--pdeathsig", "TERM")
PREFECT = (sys.executable, "-m", "prefect")


def _prefect(*words: str) -> None:
    """Runs a command of Prefect's, of which only a failure is worth reading."""
    done = subprocess.run([*PREFECT, *words], capture_output=True, text=True, check=False)  # noqa: S603  # our own words
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise Refusal(f"`prefect {' '.join(words)}` không được: {said[-1] if said else done.returncode}")


def _end(worker: subprocess.Popen[bytes]) -> None:
    """Ends the runs of a worker, then the worker itself."""
    for run in _children(worker.pid):
        with suppress(ProcessLookupError):
            os.kill(run, signal.SIGTERM)
    deadline = time.monotonic() + RUN_SECONDS
    while _children(worker.pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    worker.terminate()
    try:
        worker.wait(WORKER_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(worker.pid, signal.SIGKILL)


def _children(pid: int) -> list[int]:
    """The processes that a process started and that still run."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            state, parent = stat.read_text().rpartition(")")[2].split()[:2]
            if int(parent) == pid and state != "Z":
                found.append(int(stat.parent.name))
    return found
