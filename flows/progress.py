"""Where the work stands, told to whoever listens: the terminal shows it, a worker's log keeps it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from threading import Event
from typing import TypeVar

Listener = Callable[[str, int, int], None]
"""Gets the stage in words, how many of its items are done, and of how many."""

T = TypeVar("T")
R = TypeVar("R")

log = logging.getLogger("bakhong")
_listener: ContextVar[Listener] = ContextVar("listener", default=lambda stage, done, total: log.info("%s %d/%d", stage, done, total))


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
    _listener.get()(stage, done, total)


def each(
    stage: str,
    step: Callable[[T], R],
    items: Sequence[T],
    *,
    size: Callable[[T], int] = lambda _: 1,
    fatal: tuple[type[Exception], ...] = (),
    workers: int = 2,
) -> list[tuple[T, R | Exception]]:
    """Does a step for every item, begun in their order and side by side; what one raises stops no other.

    `size`: as how much an item counts in what is told. What is `fatal` ends all of it once the steps under way are done; a request
    to end does not wait for them.
    """
    total = sum(map(size, items))
    finished: list[tuple[T, R | Exception]] = []
    ending = Event()

    def do(item: T) -> None:
        if ending.is_set():
            return
        try:
            result: R | Exception = step(item)
        except fatal:
            ending.set()
            raise
        except Exception as problem:
            result = problem
        finished.append((item, result))
        tell(stage, sum(size(done) for done, _ in finished), total)

    tell(stage, 0, total)
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
