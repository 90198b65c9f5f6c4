"""`bakhong serve` ends when told to, and takes its PostgreSQL with it, whoever is still connected."""

from __future__ import annotations

import http.client
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

from tests.nights import AS_FROM_A_TERMINAL, KEY, bakhong, environment, run_command, started
from warehouse.database import open_warehouse, read_warehouse, url
from warehouse.settings import Settings

SECONDS = 60
"""In which it ends although others are still connected; they would stay for ever."""


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a warehouse, whose PostgreSQL no other test uses."""
    home = tmp_path_factory.mktemp("served")
    with open_warehouse(Settings(home, None, home / "sources.yaml", KEY.encode())):
        return home


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT", "SIGHUP"])
def test_serve_takes_its_postgresql_with_it(name: str, own: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    env, running = environment(own), own / "postgres" / "data" / "postmaster.pid"
    command = [sys.executable, "-c", AS_FROM_A_TERMINAL, "serve", "--port", str(port)]
    with started(command, env=env, cwd=own, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        page = reached(port, child)
        address = url(Settings(own, None, own / "sources.yaml", KEY.encode()))
        assert all("postgresql://" not in line for line in told_so_far(child)), "a log holds no password"
        assert running.exists()
        with psycopg.connect(address, autocommit=True) as reader:  # a BI tool that stays connected, as does the browser
            assert reader.execute("SELECT count(*) FROM mart.indicator").fetchone()
            child.send_signal(signal.Signals[name])
            _, said = child.communicate(timeout=SECONDS)
        page.close()
    assert child.returncode == 0
    assert said.strip() == f"Đã dừng theo yêu cầu ({name})."
    assert not running.exists()


def reached(port: int, child: subprocess.Popen[str]) -> http.client.HTTPConnection:
    """The page to sign in, asked for until it is there."""
    while True:
        assert child.poll() is None, child.communicate()
        page = http.client.HTTPConnection("127.0.0.1", port)
        try:
            page.request("GET", "/dang-nhap")
            assert page.getresponse().read()
            return page
        except ConnectionRefusedError:
            time.sleep(0.1)


def told_so_far(child: subprocess.Popen[str]) -> list[str]:
    """Where page and warehouse are, which the command says before it waits."""
    assert child.stdout is not None
    lines = []
    for line in child.stdout:
        lines.append(line)
        if "Ctrl-C" in line:
            break
    return lines


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--root-path", "desk"), "--root-path 'desk' không hợp lệ: viết như /ba-khong."),
        (("--proxy", "proxy.local"), "--proxy 'proxy.local' không phải địa chỉ mạng: viết như 10.0.0.5 hoặc 10.0.0.0/24."),
    ],
)
def test_serve_refuses_what_it_cannot_do(words: tuple[str, str], said: str, own: Path) -> None:
    done = bakhong("serve", *words, env=environment(own))
    assert (done.returncode, done.stderr.strip()) == (2, said)


def test_the_address_of_a_warehouse_stands_alone_and_beside_it_whether_anybody_is_there(own: Path) -> None:
    settings = Settings(own, None, own / "sources.yaml", KEY.encode())
    closed = bakhong("warehouse", "url", env=environment(own))
    with read_warehouse(settings):
        opened = bakhong("warehouse", "url", env=environment(own))
    assert closed.returncode == opened.returncode == 0
    assert closed.stdout == opened.stdout == f"{url(settings)}\n"
    assert "`bakhong serve`" in closed.stderr
    assert opened.stderr == ""


def test_a_server_that_is_stopped_while_it_starts_is_not_left_behind(tmp_path: Path) -> None:
    """A stop between the start of PostgreSQL and the first use of it."""
    script = """
import os, signal, sys
from pathlib import Path
from flows.stopping import stoppable
from warehouse import embedded
start = embedded._start
def started(folder):
    server = start(folder)
    os.kill(os.getpid(), signal.SIGTERM)
    return server
embedded._start = started
with stoppable(), embedded.serve(Path(sys.argv[1])):
    print("used")
"""
    done = run_command([sys.executable, "-c", script, str(tmp_path)], environment(tmp_path), tmp_path, tmp_path)
    assert (done.returncode, done.stdout) == (143, "")
    assert (tmp_path / "postgres" / "data" / "PG_VERSION").exists()
    assert not (tmp_path / "postgres" / "data" / "postmaster.pid").exists()
