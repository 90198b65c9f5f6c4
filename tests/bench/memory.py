"""Peak memory of a process and all its children, read from /proc while it runs."""

from __future__ import annotations

import subprocess
import threading
from pathlib import Path

_PROC = Path("/proc")


class Peak:
    """Watches processes and everything below them; pages that several share are divided among them (PSS)."""

    def __init__(self, every: float = 0.2) -> None:
        self.bytes: dict[str, int] = {}
        self._roots: dict[str, int] = {}
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
                used = sum(_used(process) for process in _below(root, parents))
                self.bytes[name] = max(self.bytes.get(name, 0), used)


def run(command: list[str], environment: dict[str, str], postmaster: Path) -> tuple[str, dict[str, int]]:
    """Runs a command and returns its output and the peak of the pipeline and of the database it works with, in bytes."""
    with Peak() as peak, subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        peak.watch("pipeline", process.pid)
        peak.watch("PostgreSQL", int(postmaster.read_text().split()[0]))
        output, _ = process.communicate()
    if process.returncode:
        raise SystemExit(f"{' '.join(command)}: exit {process.returncode}")
    return output, peak.bytes


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


def _used(process: int) -> int:
    try:
        lines = (_PROC / str(process) / "smaps_rollup").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
    except (OSError, StopIteration):
        return 0
