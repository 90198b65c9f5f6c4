"""compose.yaml without containers: each service is a process with exactly its command, its environment and the files it is given.

What a container would see at a place of its own lies below a folder of the service. Names of other services lead to loopback, their
ports to free ones. The images' own part is played here: PATH, working folder and entrypoint of ours as the Containerfile says them,
of PostgreSQL's what its documentation promises of `docker-entrypoint.sh`.
"""

from __future__ import annotations

import json
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from tests.nights import Patience

POSTGRESQL = next(iter(sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)), None)
"""A PostgreSQL of the system's: the embedded one knows no TLS."""

PORTS = ("5432", "4200", "8766")

DOCKER_ENTRYPOINT = """#!/bin/sh
# Of postgres:17: makes the cluster where there is none, then becomes the server.
set -eu
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  mkdir -p "$PGDATA"; chmod 700 "$PGDATA"
  initdb --username=postgres --pwfile="$POSTGRES_PASSWORD_FILE" --encoding=UTF8 --locale=C.UTF-8 > /dev/null
  echo "listen_addresses = '127.0.0.1'" >> "$PGDATA/postgresql.conf"
fi
exec "$@"
"""


@dataclass
class Composed:
    """The services of a compose.yaml, and those that run."""

    file: Path
    """Of an installation: what it names beside itself is there."""
    folder: Path
    """For what the containers would hold."""
    log: Path
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.log.touch()
        self.ports = {port: str(_free_port()) for port in PORTS}

    @cached_property
    def declared(self) -> dict[str, Any]:
        """The file, with what the environment would fill in empty."""
        return yaml.safe_load(re.sub(r"\$\{\w+:-(.*?)\}", r"\1", self.file.read_text("utf-8")))

    @cached_property
    def order(self) -> list[str]:
        """The services, each after those it depends on."""
        found: list[str] = []

        def add(name: str) -> None:
            for needed in self.declared["services"][name].get("depends_on", {}):
                add(needed)
            if name not in found:
                found.append(name)

        for name in self.declared["services"]:
            add(name)
        return found

    def up(self, *names: str) -> None:
        """Starts services once those they depend on are as they have to be."""
        for name in names or self.order:
            for needed, how in self.declared["services"][name].get("depends_on", {}).items():
                getattr(self, {"service_healthy": "until_healthy", "service_completed_successfully": "until_completed"}[how["condition"]])(
                    needed
                )
            self._start(name)

    def until_healthy(self, name: str) -> None:
        """Waits until the health check of a service says yes."""
        patience = Patience(self.folder, self.log)
        while not self.is_healthy(name):
            assert self.running[name].poll() is None, self.said()
            patience.wait(0.5)

    def is_healthy(self, name: str) -> bool:
        """What the health check of a service says now."""
        kind, *command = self.declared["services"][name]["healthcheck"]["test"]
        assert kind == "CMD"
        return self._run(name, command).returncode == 0

    def until_completed(self, name: str) -> None:
        """Waits until a service that runs once has done so."""
        assert self.running[name].wait(300) == 0, self.said()

    def down(self, *names: str) -> dict[str, int]:
        """Asks services to end, dependents first, each within its time; how each ended."""
        ended = {}
        for name in reversed([name for name in self.order if name in (names or self.running)]):
            process, of = self.running.pop(name), self.declared["services"][name]
            if process.poll() is None:
                process.send_signal(signal.Signals[of.get("stop_signal", "SIGTERM")])
            ended[name] = process.wait(float(of["stop_grace_period"].removesuffix("s")))
        return ended

    def kill(self) -> None:
        """Leaves nothing behind, whatever became of the test."""
        for process in self.running.values():
            for number in (signal.SIGTERM, signal.SIGKILL):
                if process.poll() is None:
                    os.killpg(process.pid, number)
                    try:
                        process.wait(15)
                    except subprocess.TimeoutExpired:
                        continue

    def said(self) -> str:
        """The last that anybody said."""
        return self.log.read_text("utf-8", errors="replace")[-4000:]

    def execute(self, name: str, *command: str) -> subprocess.CompletedProcess[str]:
        """`docker compose exec`: a command beside a service."""
        return self._run(name, [*self._entrypoint(name), *command])

    def port(self, number: str) -> int:
        """Where a port of a container is to be found."""
        return int(self.ports[number])

    def root(self, name: str) -> Path:
        """What the container of a service would have as /, made as the file says."""
        root, service = self.folder / name, self.declared["services"][name]
        if root.exists():
            return root
        for secret in service.get("secrets", []):
            text = (self.file.parent / self.declared["secrets"][secret]["file"]).read_text("utf-8")
            _write(root / "run" / "secrets" / secret, self._here(text, name), 0o444)
        for volume in service.get("volumes", []):
            source, target = volume.split(":")[:2]
            place = root / target.lstrip("/")
            place.parent.mkdir(parents=True, exist_ok=True)
            if source.startswith("."):
                real = self.file.parent / source
                assert real.exists(), f"{name}: {source}"
                if real.is_file() and not source.startswith(".."):  # a file of ours, in which a place may be named
                    _write(place, self._here(real.read_text("utf-8"), name), 0o444)
                    continue
            else:
                assert source in self.declared["volumes"]
                real = self.folder / "volumes" / source
                real.mkdir(parents=True, exist_ok=True)
                self._give(real, name)
            place.symlink_to(real.resolve())
        for target in service.get("tmpfs", []):
            place = root / target.lstrip("/")
            place.mkdir(parents=True, exist_ok=True)
            place.chmod(0o1777)
        (root / "var" / "lib" / "bakhong").mkdir(parents=True, exist_ok=True)
        return root

    def _start(self, name: str) -> None:
        service = self.declared["services"][name]
        command = [*service.get("entrypoint", self._entrypoint(name)), *service["command"]]
        self.root(name)
        with self.log.open("ab") as log:
            self.running[name] = subprocess.Popen(stdout=log, stderr=log, **self._process(name, command))

    def _run(self, name: str, command: list[str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(capture_output=True, text=True, check=False, timeout=120, **self._process(name, command))

    def _process(self, name: str, command: list[str]) -> dict[str, Any]:
        """How a command of a service is run: as nobody but it would be, with nothing of our own environment."""
        given = self.declared["services"][name].get("environment", {})
        env = {variable: self._here(str(value), name) for variable, value in given.items()} | self._of_image(name)
        words = [self._here(word.replace("$$", "$"), name) for word in command]
        other = self._account(name)
        return {"args": words, "env": env, "cwd": self.root(name) / "var" / "lib" / "bakhong", "start_new_session": True, **other}

    def _of_image(self, name: str) -> dict[str, str]:
        """What the image sets, and what leads to this machine's places."""
        tmp = {"TMPDIR": str(self.root(name) / "tmp")} if "/tmp" in self.declared["services"][name].get("tmpfs", []) else {}
        if self._is_ours(name):
            (text,) = re.findall(r"^ENV ((?:.*\\\n)*.*)$", (self.file.parent / "Containerfile").read_text("utf-8"), re.M)
            said = dict(re.findall(r"(\w+)=(\S+)", text))
            return (
                said
                | tmp
                | {"PATH": f"{sys.prefix}/bin:{self.file.parent}:/usr/bin:/bin", "HOME": str(self.root(name) / "var/lib/bakhong")}
            )
        assert POSTGRESQL is not None
        tools = self.folder / "tools"
        _write(tools / "docker-entrypoint.sh", DOCKER_ENTRYPOINT, 0o755)
        to_us = {"PGHOSTADDR": "127.0.0.1"} if "PGHOST" in self.declared["services"][name]["environment"] else {}
        return tmp | to_us | {"PATH": f"{tools}:{POSTGRESQL}:/usr/bin:/bin", "PGPORT": self.ports["5432"], "LC_ALL": "C.UTF-8"}

    def _entrypoint(self, name: str) -> list[str]:
        if not self._is_ours(name):
            return []
        (text,) = re.findall(r"^ENTRYPOINT (.*)$", (self.file.parent / "Containerfile").read_text("utf-8"), re.M)
        return json.loads(text)

    def _is_ours(self, name: str) -> bool:
        return "build" in self.declared["services"][name]

    def _account(self, name: str) -> Mapping[str, Any]:
        """PostgreSQL refuses to be root; our own program may lie where only we can go."""
        if os.geteuid() != 0 or self._is_ours(name):
            return {}
        user = pwd.getpwnam("nobody")
        return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}

    def _give(self, folder: Path, name: str) -> None:
        if account := self._account(name):
            os.chown(folder, account["user"], account["group"])

    def _here(self, text: str, name: str) -> str:
        """A text in which the container's places are ours."""
        root = self.folder / name
        for place in ("/run/", "/var/lib/", "/etc/bakhong/"):
            text = re.sub(rf"(?<![\w/.]){place}", f"{root}{place}", text)
        text = text.replace("0.0.0.0", "127.0.0.1").replace("http://prefect:", "http://127.0.0.1:")
        text = text.replace(
            "@postgres:5432/bakhong?", "@postgres:5432/bakhong?hostaddr=127.0.0.1&"
        )  # the certificate is still that of `postgres`
        for port, free in self.ports.items():
            text = re.sub(rf"(?<=:){port}\b|^{port}$", free, text)
        return text


def _write(path: Path, text: str, mode: int) -> None:
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        path.chmod(mode)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def can_run() -> str | None:
    """What is missing here to run the services; nothing where all is there."""
    if POSTGRESQL is None:
        return "no PostgreSQL of the system's, which knows TLS"
    return None if shutil.which("openssl") else "no openssl"
