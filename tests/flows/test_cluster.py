"""BAKHONG_TASK_RUNNER=dask: the same night, its deliveries read, checked and loaded by the workers of a real Dask cluster."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import date
from pathlib import Path

from distributed import Client
from sqlalchemy import Engine

from flows.nightly import night
from tests.nights import KEY, answers, bakhong, environment, few_sources, started, url_of
from warehouse.settings import Settings

NIGHT = date(2024, 4, 30)
IMPATIENT = {"DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT": "3s"}
"""Of Dask, which tries for half a minute."""


@contextmanager
def cluster(folder: Path, env: dict[str, str], workers: int = 2) -> Iterator[str]:
    """A scheduler on loopback and its workers, each a process of one slot; the scheduler's address."""
    known = folder / "scheduler.json"
    log = (folder / "dask.log").open("wb")
    dask = [sys.executable, "-m", "dask"]
    with ExitStack() as running, log:
        given = {"env": env, "cwd": folder, "stdout": log, "stderr": log}
        words = ["scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(known)]
        running.enter_context(started([*dask, *words], **given))
        for number in range(workers):
            words = [
                "worker",
                "--scheduler-file",
                str(known),
                "--nworkers",
                "1",
                "--nthreads",
                "1",
                "--no-dashboard",
                "--name",
                f"w{number}",
            ]
            running.enter_context(started([*dask, *words, "--local-directory", str(folder)], **given))
        end = time.monotonic() + 120
        while not known.exists():
            assert time.monotonic() < end, (folder / "dask.log").read_text()
            time.sleep(0.2)
        yield json.loads(known.read_text())["address"]


def executed(address: str) -> dict[str, int]:
    """Worker → how many tasks it has carried out."""
    with Client(address) as client:
        return dict(client.run(lambda dask_worker: (dask_worker.name, dask_worker.state.executed_count)).values())


def test_two_workers_take_in_what_one_process_would(
    engine: Engine, engine_of_module: Engine, home: Path, prefect_home: Path, tmp_path: Path
) -> None:
    sources = few_sources(tmp_path)
    (home / "alone").mkdir()
    night(Settings(home / "alone", None, sources, KEY.encode()), engine, NIGHT)
    env = environment(home / "spread", sources, url_of(engine_of_module)) | {"PREFECT_HOME": str(prefect_home)}
    with cluster(tmp_path, env) as address:
        env |= {"BAKHONG_TASK_RUNNER": "dask", "DASK_SCHEDULER_ADDRESS": address}
        done = bakhong("nightly", "--date", str(NIGHT), env=env, folder=tmp_path)
        assert done.returncode in (0, 1), done.stderr
        assert set(executed(address)) == {"w0", "w1"}
        assert min(executed(address).values()) > 0, executed(address)
    assert answers(engine_of_module) == answers(engine)
    spread, alone = ({page.name for page in (home / name).glob("data_docs/[0-9]*/[0-9]*.html")} for name in ("spread", "alone"))
    assert len(spread) == len(alone) > 0
    assert KEY not in (tmp_path / "dask.log").read_text()


def test_who_names_a_runner_there_is_not_is_told(home: Path) -> None:
    done = bakhong("nightly", env=environment(home) | {"BAKHONG_TASK_RUNNER": "celery"})
    assert done.returncode == 2
    assert "BAKHONG_TASK_RUNNER" in done.stderr


def test_a_cluster_that_nobody_answers_for_is_told(home: Path, prefect_home: Path, engine: Engine, tmp_path: Path) -> None:
    env = environment(home, few_sources(tmp_path), url_of(engine)) | {"PREFECT_HOME": str(prefect_home)}
    done = bakhong("nightly", env=env | {"BAKHONG_TASK_RUNNER": "dask", "DASK_SCHEDULER_ADDRESS": "tcp://127.0.0.1:9", **IMPATIENT})
    assert done.returncode == 2
    assert "tcp://127.0.0.1:9" in done.stderr
