"""What a process took: its time, and the peak memory of it and all its children, read from /proc while it runs.

Dividing the pages that processes share stops each of them while it is done, so that it is done only where the sum of what they hold,
shared pages counted again and again, is greater than at any look before.
"""

from __future__ import annotations

import os
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_PAGE = os.sysconf("SC_PAGE_SIZE")
_RISEN = 1.02
"""A rise worth another look."""


class Peak:
    """Watches processes and everything below them; pages that several share are divided among them (PSS)."""

    def __init__(self, every: float = 0.2) -> None:
        self.bytes: dict[str, int] = {}
        self._roots: dict[str, int] = {}
        self._held: dict[str, int] = {}
        self._every = every
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Peak:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def watch(self, name: str, process_id: int) -> None:
        """Adds a process by a name of its own."""
        self._roots[name] = process_id

    def _watch(self) -> None:
        while not self._stop.wait(self._every):
            parents = _parents()
            for name, root in list(self._roots.items()):
                processes = _below(root, parents)
                held = sum(map(_held, processes))
                if held > _RISEN * self._held.get(name, 0):
                    self._held[name] = held
                    self.bytes[name] = max(self.bytes.get(name, 0), sum(map(_used, processes)))


@dataclass(frozen=True)
class Taken:
    """What a command took."""

    seconds: float
    peak: int = 0
    """Bytes of the process and all below it."""
    output: str = ""


def run(command: list[str], environment: dict[str, str], *, may_end_with: tuple[int, ...] = (0,)) -> Taken:
    """Runs a command and returns what it took; SystemExit where it ends with another code."""
    start = time.perf_counter()
    with (
        Peak(0.5) as peak,
        subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process,
    ):
        peak.watch("command", process.pid)
        output, errors = process.communicate()
        seconds = time.perf_counter() - start
    if process.returncode not in may_end_with:
        raise SystemExit(f"{' '.join(command)}: exit {process.returncode}\n{output}\n{errors}")
    return Taken(seconds, peak.bytes.get("command", 0), output)


def _parents() -> dict[int, int]:
    parents = {}
    for entry in _PROC.iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except (OSError, IndexError):
                continue
    return parents


def _below(root: int, parents: dict[int, int]) -> set[int]:
    found = {root}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return found


def _held(process: int) -> int:
    """Resident bytes, shared pages whole."""
    try:
        return int((_PROC / str(process) / "statm").read_text().split()[1]) * _PAGE
    except (OSError, IndexError):
        return 0


def _used(process: int) -> int:
    """Resident bytes, shared pages divided among those that share them."""
    try:
        lines = (_PROC / str(process) / "smaps_rollup").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
    except (OSError, StopIteration):
        return 0
