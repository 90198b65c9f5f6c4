"""Prefect's API for one command: a server of our own, quiet, that ends with us even when we are killed.

Prefect's built-in temporary server outlives a killed parent and writes to its terminal, so the command line
starts the same application itself. Where PREFECT_API_URL is set, that server is used and none is started.
"""

from __future__ import annotations

import gc
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from flows.planned import OF_ONE_COMMAND
from warehouse.embedded import is_running
from warehouse.settings import Refusal, Settings

RUNS = ("nightly", "backfill", "demo")
"""Commands that run a flow."""

STARTUP_SECONDS = 180
"""The first start migrates Prefect's database: seconds on a good machine, over a minute on a poor one."""

SEEN_BY_NOBODY = {
    "PREFECT_UI_ENABLED": "false",
    "PREFECT_API_BLOCKS_REGISTER_ON_START": "false",
    "PREFECT_MEMOIZE_BLOCK_AUTO_REGISTRATION": "false",  # which would load Dask, where it is installed, to see whether blocks are new
    "PREFECT_SERVER_SERVICES_EVENT_PERSISTER_ENABLED": "false",
    "PREFECT_SERVER_SERVICES_TRIGGERS_ENABLED": "false",
    "PREFECT_SERVER_EVENTS_STREAM_OUT_ENABLED": "false",
}
"""What a server does for those who look at it or have set something up there; of ours only the runs are kept."""


def quiet(home: Path) -> None:
    """Settings of Prefect and Great Expectations for a run from a terminal; must come before either is imported."""
    settings = {
        "PREFECT_HOME": str(home / "prefect"),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        "GX_ANALYTICS_ENABLED": "false",
        "PREFECT_LOGGING_LEVEL": "CRITICAL",
        "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",  # other libraries speak through it too
    }
    for name, value in settings.items():
        os.environ.setdefault(name, value)


class Server:
    """A started server; `ready` waits until it answers."""

    def __init__(self) -> None:
        home = Path(os.environ["PREFECT_HOME"])
        with socket.socket() as listening:
            listening.bind(("127.0.0.1", 0))
            listening.listen(64)
            self.url = f"http://127.0.0.1:{listening.getsockname()[1]}/api"
            self.is_new = not (home / "prefect.db").exists()
            log = home / "server.log"
            log.parent.mkdir(parents=True, exist_ok=True)
            with log.open("ab") as sink:
                self.process = subprocess.Popen(  # noqa: S603  # our own module
                    [sys.executable, "-m", "desk.prefect_server", str(listening.fileno())],
                    stdin=subprocess.PIPE,
                    stdout=sink,
                    stderr=sink,
                    pass_fds=[listening.fileno()],
                    start_new_session=True,  # Ctrl-C is for us; the server ends when our pipe closes
                    cwd=Path(__file__).parents[1],
                    env={
                        **os.environ,
                        **SEEN_BY_NOBODY,
                        "PREFECT__SERVER_EPHEMERAL": "1",
                        "PREFECT_API_DATABASE_CONNECTION_TIMEOUT": "60",
                        "PREFECT_API_DATABASE_TIMEOUT": "60",
                    },
                )
        self.log = log

    def ready(self) -> None:
        """Waits until the server answers; Refusal where it ends or stays silent."""
        import httpx  # noqa: PLC0415  # the command line reads this module for every question

        deadline = time.monotonic() + STARTUP_SECONDS
        while self.process.poll() is None and time.monotonic() < deadline:
            try:
                if httpx.get(f"{self.url}/health", timeout=5).is_success:
                    return
            except httpx.HTTPError:
                time.sleep(0.1)
        raise Refusal(f"Máy chủ Prefect tạm thời không khởi động được; xem {self.log}.")

    def stop(self) -> None:
        """Ends the server."""
        if self.process.stdin is not None:
            self.process.stdin.close()
        self.process.wait(timeout=10)


_begun: Server | None = None
"""The server that was started ahead of the command."""


def begin(words: Sequence[str]) -> None:
    """Starts the server of a command that runs a flow, before the command is even loaded: nothing takes as long."""
    global _begun  # noqa: PLW0603  # a process runs one command
    if not set(words[:1]) & set(RUNS) or "--help" in words:
        return
    with suppress(Refusal, OSError):  # the command itself tells what is wrong
        settings = Settings.from_environment()
        quiet(settings.home)
        may_be_at_work = settings.warehouse_url is None and is_running(settings.home)
        if not os.environ.get("PREFECT_API_URL") and not may_be_at_work:  # else the command first looks whether another run is
            _begun = Server()


@contextmanager
def prefect_server() -> Iterator[Server | None]:
    """A server for as long as the block lasts, already starting while the caller does other things; none where one is given."""
    if os.environ.get("PREFECT_API_URL"):
        yield None
        return
    server = _begun or Server()
    os.environ["PREFECT_API_URL"] = server.url
    OF_ONE_COMMAND.add(server.url)
    os.environ.setdefault("PREFECT_LOGGING_TO_API_ENABLED", "false")  # nobody will look there
    os.environ.setdefault("PREFECT_CLIENT_SERVER_VERSION_CHECK_ENABLED", "false")  # it is our own version
    try:
        yield server
    finally:
        del os.environ["PREFECT_API_URL"]
        server.stop()


def require_answer() -> None:
    """Refusal where the server that PREFECT_API_URL names does not answer."""
    if not (url := os.environ.get("PREFECT_API_URL")):
        return
    import httpx  # noqa: PLC0415

    try:
        httpx.get(f"{url}/health", timeout=30)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise Refusal(
            f"Máy chủ Prefect ở {url} không trả lời ({type(error).__name__}): khởi động nó, hoặc bỏ PREFECT_API_URL (cả trong .env)."
        ) from error


def _leave_with_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(0)


def main() -> None:
    """The server's own process: serves on the inherited socket until the parent's pipe closes."""
    threading.Thread(target=_leave_with_parent, daemon=True).start()
    os.environ.pop("PREFECT_API_URL", None)
    gc.set_threshold(100_000)  # a sixth of its start goes into looking for garbage among what is being loaded
    import uvicorn  # noqa: PLC0415
    from prefect.server.api.server import create_app  # noqa: PLC0415

    application = uvicorn.Config(create_app(), log_level="error", lifespan="on")
    uvicorn.Server(application).run(sockets=[socket.socket(fileno=int(sys.argv[1]))])


if __name__ == "__main__":
    main()
