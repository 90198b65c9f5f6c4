"""Where the work stands, told to whoever listens, as the terminal does; how long files are being read is logged now and then."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from dataclasses import dataclass
from threading import Event, Lock
from time import monotonic
from typing import TypeVar


@dataclass(frozen=True)
class Stand:
    """Where the work of a stage stands."""

    stage: str
    done: int = 0
    """Items that are done, of the total."""
    total: int = 0
    rows: int = 0
    """Rows read until now, where files are read."""
    share: float = 0
    """Of the bytes of all files, what is read."""
    seconds: float = 0
    """Since it began."""
    note: str = ""
    """What happened that deserves a line of its own, and changes nothing else of this."""

    @property
    def rows_per_second(self) -> float:
        """Rows read in a second, on the whole; 0 while that says little."""
        return self.rows / self.seconds if self.seconds >= TELLING_SECONDS else 0

    @property
    def seconds_left(self) -> float | None:
        """How long it will take to the end of the files at this pace; nothing while that says little."""
        if self.seconds < TELLING_SECONDS or not 0 < self.share < 1:
            return None
        return self.seconds * (1 - self.share) / self.share


Listener = Callable[[Stand], None]

T = TypeVar("T")
R = TypeVar("R")

TELLING_SECONDS = 5
"""From when on a pace says something."""
BETWEEN_SECONDS = 0.2
"""Least time between two words about files that are being read."""
LOGGED_SECONDS = 30
"""The same in the log."""

log = logging.getLogger("bakhong")


def _nobody(_: Stand) -> None:
    """Who does not listen."""


_listener: ContextVar[Listener] = ContextVar("listener", default=_nobody)


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Has a listener told of everything that happens in the block."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)


def tell(stage: str, done: int = 0, total: int = 0) -> None:
    """Tells where the work stands."""
    _listener.get()(Stand(stage, done, total))


def note(words: str) -> None:
    """Tells what happened on the way."""
    _listener.get()(Stand("", note=words))


class Meter:
    """What is read of the files of a stage while it goes on: told beside how many of them are done."""

    def __init__(self, sizes: Mapping[int, int]) -> None:
        """`sizes`: number of a delivery → bytes of its file."""
        self._sizes = sizes
        self._listener = _listener.get()
        self._stand = ("", 0, 0)
        self._read: dict[int, int] = {}
        self._rows = 0
        self._began = self._told = self._logged = monotonic()
        self._lock = Lock()

    def tell(self, stage: str, done: int = 0, total: int = 0) -> None:
        """Tells how many of its items are done."""
        self._stand = (stage, done, total)
        self._listener(self._now())

    def read(self, number: int, rows: int, read_bytes: int) -> None:
        """More rows of a delivery were read, so many bytes of its file by now."""
        with self._lock:
            self._rows += rows
            self._read[number] = max(read_bytes, self._read.get(number, 0))
            now = monotonic()
            if now - self._told < BETWEEN_SECONDS:
                return
            self._told = now
            is_to_log = now - self._logged >= LOGGED_SECONDS
            self._logged = now if is_to_log else self._logged
        stand = self._now()
        self._listener(stand)
        if is_to_log:
            told = {"done": stand.done, "of": stand.total, "rows": stand.rows, "rows_per_second": round(stand.rows_per_second)}
            log.info("files are being read", extra=told)

    def done(self, number: int) -> None:
        """Nothing more is to be read of a delivery."""
        with self._lock:
            self._read[number] = self._sizes.get(number, 0)

    def _now(self) -> Stand:
        with self._lock:
            whole = sum(self._sizes.values())
            share = sum(min(size, self._read.get(number, 0)) for number, size in self._sizes.items()) / whole if whole else 0
            return Stand(*self._stand, self._rows, share, monotonic() - self._began)


def each(
    stage: str,
    step: Callable[[T], R],
    items: Sequence[T],
    *,
    size: Callable[[T], int] = lambda _: 1,
    fatal: tuple[type[Exception], ...] = (),
    workers: int = 2,
    tell: Callable[[str, int, int], None] = tell,
    name: Callable[[T], str] = lambda _: "",
) -> list[tuple[T, R | Exception]]:
    """Does a step for every item, begun in their order and side by side; what one raises stops no other.

    `size`: as how much an item counts in what is told; `name`: what is told of it while it is at work. What is `fatal` ends all of it
    once the steps under way are done; a request to end does not wait for them.
    """
    total = sum(map(size, items))
    finished: list[tuple[T, R | Exception]] = []
    ending = Event()
    at_work: list[str] = []

    def say() -> None:
        names = ", ".join(filter(None, at_work))
        tell(f"{stage}: {names}" if names else stage, sum(size(done) for done, _ in finished), total)

    def do(item: T) -> None:
        if ending.is_set():
            return
        at_work.append(name(item))
        say()
        try:
            result: R | Exception = step(item)
        except fatal:
            ending.set()
            raise
        except Exception as problem:
            result = problem
        finished.append((item, result))
        at_work.remove(name(item))
        say()

    say()
    pool = ThreadPoolExecutor(workers)
    try:
        for doing in [pool.submit(copy_context().run, do, item) for item in items]:
            doing.result()
    except BaseException as end:
        ending.set()
        pool.shutdown(wait=isinstance(end, Exception), cancel_futures=True)
        raise
    pool.shutdown()
    return finished


Turn = Callable[[], None]
"""Waits until all that comes before is done."""


def in_turn(step: Callable[[T, Turn], R], items: Sequence[T], after: Callable[[T], Iterable[int]]) -> Callable[[T], R]:
    """The step for `each`, given its item's turn: to wait for those at the places `after`, all earlier among the items, to be done."""
    done = [Event() for _ in items]
    places = {id(item): place for place, item in enumerate(items)}

    def do(item: T) -> R:
        def turn() -> None:
            for place in after(item):
                done[place].wait()

        try:
            return step(item, turn)
        finally:
            done[places[id(item)]].set()

    return do
