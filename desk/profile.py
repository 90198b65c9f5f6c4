"""`bakhong nightly --profile`: where the time goes, step by step, seen by looking again and again at what every thread is doing.

The steps know nothing of it. A moment belongs to the innermost function of ours on a thread's stack, and so to the step its module is;
a thread that takes a delivery in bears the name of its feed.
"""

from __future__ import annotations

import os
import re
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import FrameType

from expectations.contract import contract, feeds

EVERY = 0.02
"""Seconds from one look to the next."""

_WAITING = ""
STEPS = {
    "prefect": "Prefect",
    "desk": "Khởi động, kết thúc",
    "desk.profile": _WAITING,
    "flows": "Điều phối",
    "flows.progress": _WAITING,
    "warehouse.database": "Mở kho số liệu",
    "warehouse.seed": "Mở kho số liệu",
    "tasks.pull": "Nhận tệp",
    "tasks.deliveries": "Sổ các lần gửi",
    "tasks.read": "Đọc",
    "tasks.validate": "Kiểm tra",
    "tasks.load": "Nạp",
    "tasks.load.prefetch": _WAITING,
    "tasks.count": "Đếm",
    "tasks.count.revisions": "Ghi số công bố",
    "tasks.count.small_groups": "Ẩn nhóm nhỏ",
    "tasks.indicators": "Tính chỉ tiêu",
    "tasks.indicators.audit": "Kiểm soát chỉ tiêu",
    "tasks.indicators.confidential": "Ẩn nhóm nhỏ",
    "tasks.indicators.publish": "Ghi số công bố",
    "tasks.indicators.restated": "Chỉ tiêu theo đơn vị hiện nay",
    "tasks.one_stop_shop": "Biểu 06a",
    "tasks.one_stop_shop.score_pipeline": "Chỉ số 766",
    "tasks.one_stop_shop.scores": "Chỉ số 766",
    "tasks.report": "Trang kiểm soát, biểu Excel",
}
"""Module, and all below it that is not named → step. What is not here, as what several steps use, belongs to whoever called it."""


@dataclass
class Profile:
    """Where the time went, in seconds; what threads did side by side adds up to more than the clock."""

    seconds: float = 0
    steps: dict[str, dict[str, float]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(float)))
    """Step, with the feed where it is of one, in the order in which they began → function → seconds."""


@contextmanager
def profiled(tell: Callable[[Profile], None]) -> Iterator[None]:
    """Has it told, after the block, where the time went since this process began."""
    begun = _age()
    found = Profile()
    found.steps[STEPS["desk"]]["python"] = begun
    ending = threading.Event()
    looking = threading.Thread(target=_look, args=(found.steps, ending), daemon=True)
    start = time.perf_counter()
    looking.start()
    try:
        yield
    finally:
        ending.set()
        looking.join()
        found.seconds = begun + time.perf_counter() - start
        tell(found)


def _look(steps: dict[str, dict[str, float]], ending: threading.Event) -> None:
    last = time.perf_counter()
    while not ending.wait(EVERY):
        now = time.perf_counter()
        names = {thread.ident: thread.name for thread in threading.enumerate()}
        for thread, frame in sys._current_frames().items():
            doing = _doing(frame)
            if doing is not None:
                step, function = doing
                steps[step + _of_feed(names.get(thread, ""))][function] += now - last
        last = now


def _doing(innermost: FrameType) -> tuple[str, str] | None:
    """Step and function of a thread; nothing where it waits, or is none of ours."""
    found: tuple[str, str] | None = None
    is_prefect = False
    frame: FrameType | None = innermost
    while frame is not None:
        module, code = frame.f_globals.get("__name__", ""), frame.f_code
        step = _step(module)
        if step == STEPS["prefect"]:
            is_prefect |= found is None  # of ours only where we called it: its own threads wait
        elif step is not None and code.co_name == "<module>":
            found = None  # what is imported is loaded for whoever asked for it
        elif step is not None and found is None:
            found = step, f"{module.removeprefix('tasks.')}.{code.co_qualname.partition('.<')[0]}"
        frame = frame.f_back
    if found is None or found[0] == _WAITING:
        return None
    return (STEPS["prefect"], found[1]) if is_prefect else found


@cache
def _step(module: str) -> str | None:
    while module and module not in STEPS:
        module = module.rpartition(".")[0]
    return STEPS.get(module)


@cache
def _of_feed(thread: str) -> str:
    """What a thread's name says of the feed; a pool numbers its threads."""
    feed = thread if thread in feeds() else re.sub(r"_\d+$", "", thread)
    return f" · {contract(feed).title_vi}" if feed in feeds() else ""


def _age() -> float:
    """Seconds since this process began."""
    ticks = int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19])
    return time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
