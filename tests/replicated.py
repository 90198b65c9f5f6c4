"""A PostgreSQL with a hot standby, as a province's data centre or a managed service has it: two servers on loopback, WAL streamed."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile

from warehouse.embedded import OWNER, _Account

PASSWORD = "of these tests only"
OPTIONS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "fsync": "off",
    "wal_level": "replica",
    "max_wal_senders": "4",
    "hot_standby_feedback": "on",
    "dynamic_shared_memory_type": "sysv",
}


@dataclass
class Replicated:
    """Two servers, of which the first is written to."""

    folder: Path
    user: _Account
    ports: dict[str, int]

    def url(self, name: str, database: str = "bakhong", login: str = OWNER) -> str:
        """URL of a database of `primary` or `standby`, for a login of the same password."""
        return f"postgresql://{login}:{PASSWORD.replace(' ', '%20')}@127.0.0.1:{self.ports[name]}/{database}"

    def either(self, login: str) -> str:
        """URL of whichever of the two can be written to."""
        hosts = "&".join(f"host=127.0.0.1:{port}" for port in self.ports.values())
        return f"postgresql://{login}:{PASSWORD.replace(' ', '%20')}@/bakhong?{hosts}&target_session_attrs=read-write"

    def start(self, name: str) -> None:
        """Starts a server."""
        options = " ".join(f"-c {key}={value or chr(39) * 2}" for key, value in {**OPTIONS, "port": self.ports[name]}.items())
        data = self.folder / name
        self.user.run("pg_ctl", "start", f"--pgdata={data}", f"--log={data}.log", "--wait", "--silent", f"--options={options}")

    def stop(self, name: str, mode: str = "immediate") -> None:
        """Ends a server as a power cut does, or in order."""
        self.user.run("pg_ctl", "stop", f"--pgdata={self.folder / name}", f"--mode={mode}", "--wait", "--silent")

    def follow(self) -> None:
        """Makes the standby, a copy of the primary that follows it."""
        source = f"--dbname={self.url('primary', 'postgres')}"
        self.user.run("pg_basebackup", source, f"--pgdata={self.folder / 'standby'}", "--write-recovery-conf", "--checkpoint=fast")
        self.start("standby")

    def promote(self) -> None:
        """Lets the standby be written to."""
        self.user.run("pg_ctl", "promote", f"--pgdata={self.folder / 'standby'}", "--wait", "--silent")


@contextmanager
def replicated(folder: Path) -> Iterator[Replicated]:
    """Both servers, the second as soon as it follows; gone with the block."""
    user = _Account.of(folder / "primary")
    user.let_through(folder)
    user.give(folder)
    with socket.socket() as one, socket.socket() as other:
        one.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        ports = {"primary": one.getsockname()[1], "standby": other.getsockname()[1]}
    with NamedTemporaryFile("w") as file:
        file.write(PASSWORD)
        file.flush()
        user.give(Path(file.name))
        words = ["--auth=scram-sha-256", f"--pwfile={file.name}", "--encoding=UTF8", "--locale-provider=builtin", "--locale=C.UTF-8"]
        user.run("initdb", f"--pgdata={folder / 'primary'}", f"--username={OWNER}", "--no-sync", *words)
    both = Replicated(folder, user, ports)
    with ExitStack() as running:
        for name in ports:
            running.callback(_stopped, both, name)
        both.start("primary")
        yield both


def _stopped(both: Replicated, name: str) -> None:
    if (both.folder / name / "postmaster.pid").exists():
        both.stop(name)
