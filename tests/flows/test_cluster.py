"""BAKHONG_TASK_RUNNER=dask: the same night, its deliveries read, checked and loaded by the workers of a real Dask cluster.

Scheduler and workers are processes of their own, with folders, environments and certificates of their own, as on machines of their own.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from distributed import Client
from sqlalchemy import Engine, text

from flows.cluster import cluster
from flows.nightly import night
from flows.steps import WITHOUT_PREFECT
from tests.certificates import Authority
from tests.conftest import TEMPLATE, copy_of
from tests.nights import KEY, ROOT, answers, bakhong, environment, few_sources, started, url_of
from warehouse.embedded import Server
from warehouse.settings import Refusal, Settings

NIGHT = date(2024, 4, 30)
WORDS = ("nightly", "--date", str(NIGHT))
IMPATIENT = {"DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT": "3s"}
"""Of Dask, which tries for half a minute."""
DASK = [sys.executable, "-m", "dask"]
LOOSE = ["--nworkers", "1", "--nthreads", "1", "--no-dashboard"]


@dataclass
class Machines:
    """A scheduler on loopback and workers, each in a folder of its own."""

    folder: Path
    address: str
    scheduler: subprocess.Popen[Any]
    running: ExitStack
    workers: dict[str, subprocess.Popen[Any]] = field(default_factory=dict)

    def add(self, name: str, env: dict[str, str], *words: str) -> None:
        """Starts a worker, without the nanny that would start it anew."""
        own = self.folder / name
        own.mkdir()
        log = self.running.enter_context((self.folder / f"{name}.log").open("wb"))
        command = [*DASK, "worker", self.address, *LOOSE, "--no-nanny", "--name", name, "--local-directory", str(own), *words]
        self.workers[name] = self.running.enter_context(started(command, env=env, cwd=own, stdout=log, stderr=log))

    def wait(self, **given: Any) -> None:
        """Waits until all of them are there."""
        with Client(self.address, **given) as client:
            client.wait_for_workers(len(self.workers), timeout=300)

    def executed(self) -> dict[str, int]:
        """Worker → how many tasks it has carried out."""
        with Client(self.address) as client:
            return dict(client.run(lambda dask_worker: (dask_worker.name, dask_worker.state.executed_count)).values())

    def joins(self, env: dict[str, str]) -> dict[str, str]:
        """The environment of a night that these carry out."""
        return env | {"BAKHONG_TASK_RUNNER": "dask", "DASK_SCHEDULER_ADDRESS": self.address}


@contextmanager
def machines(folder: Path, env: dict[str, str], scheme: str = "tcp") -> Iterator[Machines]:
    folder.mkdir(exist_ok=True)
    known = folder / "scheduler.json"
    command = [*DASK, "scheduler", "--host", f"{scheme}://127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(known)]
    with ExitStack() as running:
        log = running.enter_context((folder / "scheduler.log").open("wb"))
        scheduler = running.enter_context(started(command, env=env, cwd=folder, stdout=log, stderr=log))
        end = time.monotonic() + 120
        while not known.exists():
            assert time.monotonic() < end, (folder / "scheduler.log").read_text()
            time.sleep(0.1)
        yield Machines(folder, json.loads(known.read_text())["address"], scheduler, running)


@pytest.fixture
def env(engine: Engine, home: Path, prefect_home: Path, tmp_path: Path) -> dict[str, str]:
    """The environment of the machine that runs the night."""
    return environment(home, few_sources(tmp_path), url_of(engine)) | {"PREFECT_HOME": str(prefect_home)}


@pytest.fixture(scope="module")
def alone(engine_of_module: Engine, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Any]]:
    """What is to be read after a night of one process."""
    folder = tmp_path_factory.mktemp("alone")
    night(Settings(folder, None, few_sources(folder), KEY.encode()), engine_of_module, NIGHT, steps=replace(WITHOUT_PREFECT, report=None))
    return answers(engine_of_module)


def test_two_workers_take_in_what_one_process_would_and_their_lines_stand_in_the_nights_log(
    env: dict[str, str], engine: Engine, home: Path, alone: dict[str, list[Any]], tmp_path: Path
) -> None:
    with machines(tmp_path / "cluster", env) as here:
        for name in ("w0", "w1"):
            here.add(name, env)
        here.wait()
        done = bakhong(*WORDS, env=here.joins(env), folder=tmp_path)
        assert done.returncode in (0, 1), done.stderr
        assert set(here.executed()) == {"w0", "w1"}
        assert min(here.executed().values()) > 0, here.executed()
    assert answers(engine) == alone
    lines = (home / "log" / "bakhong.log").read_text("utf-8").splitlines()
    loaded = [line for line in lines if "delivery loaded" in line]
    assert len(loaded) == len(alone["delivery"])
    assert all(" run=1/" in line and " worker=tcp://" in line for line in loaded)
    assert not [path for path in (tmp_path / "cluster").glob("*.log") if KEY in path.read_text()]


def test_who_cannot_take_part_is_left_out_and_named_with_the_reason(
    env: dict[str, str], engine: Engine, home: Path, alone: dict[str, list[Any]], server: Server, tmp_path: Path
) -> None:
    old = tmp_path / "old" / "bakhong-0.0.1.dist-info"
    old.mkdir(parents=True)
    (old / "METADATA").write_text("Metadata-Version: 2.1\nName: bakhong\nVersion: 0.0.1\n")
    without = tmp_path / "without"
    without.mkdir()
    (without / "sitecustomize.py").write_text("import sys\nsys.modules['flows'] = None\n")
    with copy_of(server, TEMPLATE) as other, machines(tmp_path / "cluster", env) as here:
        given = {
            "good": env,
            "far": env | {"BAKHONG_HOME": str(tmp_path / "far")},
            "key": env | {"BAKHONG_SECRET_KEY": "another key, also long enough"},
            "copy": env | {"BAKHONG_WAREHOUSE_URL": url_of(other)},
            "none": env | {"BAKHONG_WAREHOUSE_URL": "", "BAKHONG_HOME": str(tmp_path / "none")},
            "shut": env | {"BAKHONG_WAREHOUSE_URL": "postgresql://nobody@127.0.0.1:9/none"},
            "old": env | {"PYTHONPATH": f"{old.parent}:{ROOT}"},
            "without": env | {"PYTHONPATH": f"{without}:{ROOT}"},
        }
        for name, own in given.items():
            here.add(name, own)
        here.wait()
        done = bakhong(*WORDS, env=here.joins(env), folder=tmp_path)
        assert done.returncode == 1, done.stderr
        assert {name for name, count in here.executed().items() if count} == {"good"}
        looked = bakhong("doctor", "--json", env=here.joins(env), folder=tmp_path)
    assert answers(engine) == alone
    told = [line for line in done.stderr.splitlines() if "không tham gia" in line]
    for words in (
        "BAKHONG_SECRET_KEY không phải khóa",
        "chỉ tới một kho khác",
        "chưa đặt BAKHONG_WAREHOUSE_URL",
        "không trả lời: ",
        f"không thấy tệp đã nhận trong BAKHONG_HOME {tmp_path / 'far'}",
        "chạy Ba Không bản 0.0.1",
        "có lẽ khác bản Ba Không",
    ):
        assert len([line for line in told if words in line]) == 1, (words, done.stderr)
    assert len(told) == len(given) - 1
    found = [line["state"] for line in json.loads(looked.stdout)["findings"] if line["about"] == "Cụm Dask"]
    assert found == ["good", *["to_do"] * (len(given) - 1)], looked.stdout
    assert not (tmp_path / "none").exists(), "nobody makes an installation on a worker"


def test_what_a_dead_worker_had_begun_another_one_ends(
    env: dict[str, str], engine: Engine, alone: dict[str, list[Any]], tmp_path: Path
) -> None:
    """It dies without a word when it has loaded a file of three; the others are read and loaded once, by whoever is left."""
    dies = env | {"BREAKS": f"flows.ingest:load 2 after {tmp_path / 'sign'}"}
    with machines(tmp_path / "cluster", env) as here:
        here.add("mortal", dies, "--preload", "tests.recovery.odd_worker")
        here.add("other", env)
        here.wait()
        done = bakhong(*WORDS, env=here.joins(env), folder=tmp_path)
        assert done.returncode in (0, 1), done.stderr
        assert here.workers["mortal"].wait(timeout=20) == -signal.SIGKILL
    assert answers(engine) == alone
    with engine.connect() as connection:
        assert connection.scalars(text("SELECT status FROM ops.run")).all() == ["completed"]


@pytest.mark.parametrize("who", ["workers", "scheduler"])
def test_a_night_that_loses_its_whole_cluster_ends_in_one_line_and_the_next_one_does_the_rest(
    who: str, env: dict[str, str], engine: Engine, alone: dict[str, list[Any]], tmp_path: Path
) -> None:
    sign = tmp_path / "sign"
    stalls = env | {"BREAKS": f"tasks.load.deliver:_close 1 stall {sign}"}
    with machines(tmp_path / "cluster", env) as here:
        here.add("only", stalls, "--preload", "tests.recovery.odd_worker")
        here.wait()
        with night_of(here.joins(env | IMPATIENT), tmp_path) as child:
            wait_for(sign, child)
            lost = here.workers["only"] if who == "workers" else here.scheduler
            os.killpg(lost.pid, signal.SIGKILL)
            _, said = child.communicate(timeout=120)
        assert child.returncode == 2, said
        assert len(said.strip().splitlines()) == 1, said
        assert here.address in said
    again = bakhong(*WORDS, env=env, folder=tmp_path)
    assert again.returncode in (0, 1), again.stderr
    assert answers(engine) == alone


def test_a_night_that_is_stopped_ends_in_time_and_leaves_nobody_waiting(env: dict[str, str], engine: Engine, tmp_path: Path) -> None:
    sign = tmp_path / "sign"
    stalls = env | {"BREAKS": f"tasks.load.deliver:_close 1 stall {sign}"}
    with machines(tmp_path / "cluster", env) as here:
        here.add("stalls", stalls, "--preload", "tests.recovery.odd_worker")
        here.add("waits", env)
        here.wait()
        with night_of(here.joins(env), tmp_path) as child:
            wait_for(sign, child)
            began = time.monotonic()
            child.send_signal(signal.SIGTERM)
            _, said = child.communicate(timeout=30)
            assert time.monotonic() - began < 15
        assert child.returncode == 128 + signal.SIGTERM
        assert "chạy lại sẽ làm tiếp" in said
        with engine.connect() as connection:
            assert connection.scalars(text("SELECT status FROM ops.run")).all() == ["failed"]
        end = time.monotonic() + 60
        while (found := threads_of(here.address, "waits")) and time.monotonic() < end:
            time.sleep(1)
        assert not found, "it waits for a turn that does not come"


def threads_of(address: str, worker: str) -> list[str]:
    """Frames of a worker's threads that are at a batch."""

    def at_a_batch(dask_worker: Any) -> tuple[str, list[str]]:
        stacks = ([frame.name for frame in traceback.extract_stack(top)] for top in sys._current_frames().values())
        return dask_worker.name, [" ".join(names) for names in stacks if "ingest_here" in names]

    with Client(address) as client:
        return dict(client.run(at_a_batch).values())[worker]


@contextmanager
def night_of(env: dict[str, str], folder: Path) -> Iterator[subprocess.Popen[str]]:
    """A night in a process of its own, at work."""
    command = [sys.executable, "-m", "desk", *WORDS]
    with started(command, env=env, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as child:
        yield child


def wait_for(sign: Path, child: subprocess.Popen[str]) -> None:
    end = time.monotonic() + 120
    while not sign.exists():
        assert child.poll() is None, child.communicate()
        assert time.monotonic() < end
        time.sleep(0.1)


def certificates(folder: Path) -> dict[str, str]:
    """What the environment of Dask says of an authority of this name, and of a certificate by it."""
    folder.mkdir()
    authority = Authority(folder)
    cert, key = map(str, authority.server())
    names = {"CA_FILE": str(authority.file)} | {
        f"{role}__{what}": path for role in ("SCHEDULER", "WORKER", "CLIENT") for what, path in (("CERT", cert), ("KEY", key))
    }
    return {f"DASK_DISTRIBUTED__COMM__TLS__{name}": value for name, value in names.items()}


def test_with_certificates_only_those_who_have_one_are_let_in(
    env: dict[str, str], engine: Engine, alone: dict[str, list[Any]], tmp_path: Path
) -> None:
    ours, theirs = (env | certificates(tmp_path / name) for name in ("ours", "theirs"))
    with machines(tmp_path / "cluster", ours, "tls") as here:
        here.add("w0", ours)
        here.add("stranger", theirs)
        for without in (env, theirs):
            refused = bakhong(*WORDS, env=here.joins(without | IMPATIENT), folder=tmp_path)
            assert refused.returncode == 2, refused.stderr
            assert len(refused.stderr.strip().splitlines()) == 1, refused.stderr
            assert here.address in refused.stderr
        done = bakhong(*WORDS, env=here.joins(ours), folder=tmp_path)
        assert done.returncode in (0, 1), done.stderr
        log = (tmp_path / "cluster" / "scheduler.log").read_text()
        assert "name: w0" in log
        assert "name: stranger" not in log
    assert answers(engine) == alone


def test_a_cluster_of_this_machine_is_closed_to_its_other_users(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in IMPATIENT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("DASK_SCHEDULER_ADDRESS", raising=False)
    with cluster(Settings(home, None, home / "sources.yaml", KEY.encode(), "dask")) as workers:
        address = workers.address
        assert workers.slots > 0
        with pytest.raises((OSError, TypeError)):
            Client(address, timeout=5)


def test_who_names_a_runner_there_is_not_is_told(home: Path) -> None:
    done = bakhong("nightly", env=environment(home) | {"BAKHONG_TASK_RUNNER": "celery"})
    assert done.returncode == 2
    assert "BAKHONG_TASK_RUNNER" in done.stderr


@pytest.mark.parametrize(
    ("address", "words"),
    [("tcp://127.0.0.1:9", "tcp://127.0.0.1:9"), ("tcp://10.0.0.1:8786", "Dùng tls://"), ("10.0.0.1:8786", "Dùng tls://")],
    ids=["that nobody answers for", "that is open to its network", "of no scheme"],
)
def test_a_cluster_that_cannot_be_used_is_told(
    address: str, words: str, env: dict[str, str], home: Path, prefect_home: Path, tmp_path: Path
) -> None:
    done = bakhong("nightly", env=env | {"BAKHONG_TASK_RUNNER": "dask", "DASK_SCHEDULER_ADDRESS": address, **IMPATIENT})
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    assert words in done.stderr


def test_several_machines_need_a_warehouse_that_all_of_them_reach(home: Path) -> None:
    given = Settings(home, None, home / "sources.yaml", KEY.encode(), "dask")
    with pytest.MonkeyPatch.context() as patch, pytest.raises(Refusal, match="BAKHONG_WAREHOUSE_URL"):
        patch.setenv("DASK_SCHEDULER_ADDRESS", "tls://10.0.0.1:8786")
        with cluster(given):
            pass
