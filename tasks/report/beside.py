"""Workbooks and charts are made in a process of their own while the pages are: neither waits for the other, and there are two cores."""

from __future__ import annotations

import gc
import pickle
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from types import TracebackType
from typing import IO, Any, cast

from tasks.report.drawings import Chart
from tasks.report.workbook import write_workbook

ROOT = Path(__file__).parents[2]


class Beside:
    """Makes workbooks and charts for the public as they are asked for; at its end all are there, or what went wrong is raised."""

    def __enter__(self) -> Beside:
        self._process = subprocess.Popen(  # noqa: S603  # our own module
            [sys.executable, "-c", f"from {__name__} import write_as_asked; write_as_asked()"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is for us; it ends when our pipe closes
            cwd=ROOT,
        )
        return self

    def write_workbook(self, *told: Any) -> None:
        """`tasks.report.workbook.write_workbook`, some time before the end of the block; it waits for the `rest`."""
        self._tell(told)

    def tell_rest(self, *rest: Any) -> None:
        """The rest of the workbook asked for last."""
        self._tell(rest)

    def draw(self, chart: Chart, path: Path) -> None:
        """Draws a chart into a file, some time before the end of the block."""
        self._tell((chart, path))

    def _tell(self, told: tuple[Any, ...]) -> None:
        asking = cast("IO[bytes]", self._process.stdin)
        with suppress(BrokenPipeError):  # what it ended of is told at the end
            pickle.dump(told, asking, pickle.HIGHEST_PROTOCOL)
            asking.flush()

    def __exit__(self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None) -> None:
        if kind is not None:
            self._process.kill()
        said, _ = self._process.communicate()
        if kind is None and said:
            raise pickle.loads(said)  # noqa: S301  # of our own process
        if kind is None and self._process.returncode:
            raise ChildProcessError(f"the writer of workbooks ended with {self._process.returncode}")


def write_as_asked() -> None:
    """The process: makes the workbooks and charts that it is told, until it is told no more; says what went wrong, if anything."""
    gc.set_threshold(100_000)
    asked: SimpleQueue[Any] = SimpleQueue()
    Thread(target=_listen, args=(asked,), daemon=True).start()  # whoever asks goes on at once, whatever is being written
    try:
        while told := asked.get():
            match told:
                case (Chart() as chart, Path() as path):
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_bytes(chart.drawn())
                case _:
                    lines, period, as_of, path, notes, publisher, is_sample, rests_on = told
                    flags = {"publisher": publisher, "is_sample": is_sample, "is_public": True, "rests_on": rests_on}
                    write_workbook(lines, period, as_of, path, asked.get, notes, **flags)
    except Exception as problem:
        pickle.dump(problem, sys.stdout.buffer)


def _listen(asked: SimpleQueue[Any]) -> None:
    with suppress(EOFError):
        while True:
            asked.put(pickle.load(sys.stdin.buffer))  # noqa: S301  # of our own process
    asked.put(None)
