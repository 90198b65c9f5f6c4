"""PostgreSQL's own client programs (pg_dump, pg_restore, psql): which of them suits a server, and how it reaches one."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import Connection, Engine, text

from warehouse.embedded import programs
from warehouse.settings import Refusal, write_private


def version_of(program: Path) -> int:
    """The major version of a client program, as it says itself."""
    said = subprocess.run([str(program), "--version"], check=True, capture_output=True, text=True).stdout  # noqa: S603
    found = re.search(r"\) (\d+)", said)
    return int(found[1]) if found else 0


def is_over_tls(connection: Connection) -> bool:
    """Whether this session is encrypted: then nothing that is not may take its place."""
    return bool(connection.scalar(text("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")))


def suitable(name: str, version: int, *, over_tls: bool = False) -> Path:
    """A client program of a version or later: the one that comes along, which knows no TLS, or that of the PATH."""
    places = [] if over_tls else [programs() / name]
    if on_path := shutil.which(name):
        places.append(Path(on_path))
    for program in places:
        if program.exists() and version_of(program) >= version:
            return program
    tls = ", kết nối được bằng TLS" if over_tls else ""
    raise Refusal(f"Cần {name} của PostgreSQL {version} trở lên{tls} trong PATH: cài postgresql-client-{version} rồi chạy lại.")


@contextlib.contextmanager
def reaching(engine: Engine) -> Iterator[dict[str, str]]:
    """The environment in which a client program reaches the database of an engine; no argument tells a password."""
    parameters = {**engine.url.query, **engine.url.translate_connect_args(username="user", database="dbname")}
    lines = [f"{name}={value if isinstance(value, str | int) else ','.join(value)}\n" for name, value in parameters.items()]
    with TemporaryDirectory(prefix="bakhong-") as folder:
        write_private(Path(folder) / "service", "[bakhong]\n" + "".join(lines))
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LD_LIBRARY_PATH") if name in os.environ}
        yield {**kept, "PGSERVICEFILE": f"{folder}/service", "PGSERVICE": "bakhong", "LC_ALL": "C.UTF-8"}
