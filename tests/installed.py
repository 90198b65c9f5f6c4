"""A machine on which the program is installed from its wheel, and nothing else of the project is to be found."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import sysconfig
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep

from tests.nights import ROOT, run_command

NOT_BUILT_FROM = shutil.ignore_patterns(
    ".git", ".venv", ".bakhong", ".*_cache", ".hypothesis", "__pycache__", "docs", "samples", "tests", "dist"
)


@dataclass(frozen=True)
class Machine:
    """An environment with the program, and a user who has set nothing."""

    folder: Path

    @property
    def bin(self) -> Path:
        """Where the commands lie."""
        return self.folder / "opt" / "bin"

    @property
    def user(self) -> Path:
        """Home of the user."""
        return self.folder / "user"

    @property
    def env(self) -> dict[str, str]:
        """The environment of a user who has set nothing, no more than cron gives."""
        # A folder of Prefect's in /tmp belongs to whoever first ran a worker on the machine; ours is one that nobody shares.
        return {"HOME": str(self.user), "TMPDIR": str(self.user), "SHELL": "/bin/sh", "PATH": "/usr/bin:/bin"}

    def bakhong(self, *words: str, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
        """Runs `bakhong …` in a folder, or in the user's home."""
        return run_command([str(self.bin / "bakhong"), *words], self.env, folder or self.user, folder or self.user)

    def running(self) -> list[int]:
        """The processes of the user, known by their home."""
        mark, found = f"HOME={self.user}".encode(), []
        for environ in Path("/proc").glob("[0-9]*/environ"):
            with suppress(OSError):
                if mark in environ.read_bytes().split(b"\0"):
                    found.append(int(environ.parent.name))
        return found

    def stop(self) -> None:
        """Ends whatever the user started."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            deadline = monotonic() + 15
            for process in self.running():
                with suppress(ProcessLookupError):
                    os.kill(process, number)
            while self.running() and monotonic() < deadline:
                sleep(0.2)
        assert not self.running()


def wheel(folder: Path) -> Path:
    """What `make wheel` makes of the project, copied to where nothing of an earlier build lies: the folder of wheel and constraints."""
    shutil.copytree(ROOT, folder / "code", ignore=NOT_BUILT_FROM)
    ready = [f"VENV={sys.prefix}", "-o", f"{sys.prefix}/.ready"]
    done = subprocess.run(["make", *ready, "wheel"], cwd=folder / "code", capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (folder / "code" / "dist").rename(folder / "dist")
    shutil.rmtree(folder / "code")
    return folder / "dist"


def installed(folder: Path, dist: Path) -> Machine:
    """A machine with the wheel in an environment of its own; what the program needs of others is shared with ours, which has it already."""
    machine = Machine(folder)
    machine.user.mkdir()
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / "opt"], check=True)
    (package,) = dist.glob("bakhong-*.whl")
    pip = ["python3", "-m", "pip", "--python", machine.bin / "python", "install", "--quiet", "--no-deps", "--no-index", package]
    subprocess.run(pip, check=True, cwd=folder, env=machine.env)
    (site,) = (folder / "opt" / "lib").glob("python*/site-packages")
    # Of a folder named so, Python takes the packages and not what its own .pth files say: our checkout is none of them.
    (site / "of_others.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
    prefect = machine.bin / "prefect"
    prefect.write_text(f"#!{machine.bin / 'python'}\nfrom prefect.cli import app\napp()\n")
    prefect.chmod(0o755)
    return machine
