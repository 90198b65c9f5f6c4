"""Where the work stands, told to whoever listens: the terminal shows it, a worker's log keeps it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
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
    chains: Sequence[Sequence[T]],
    *,
    fatal: tuple[type[Exception], ...] = (),
    workers: int = 2,
) -> list[tuple[T, R | Exception]]:
    """Does a step for every item, chains side by side and each chain in its order; what one raises stops no other.

    What is `fatal` ends all of it once the steps under way are done; a request to end does not wait for them.
    """
    total = sum(map(len, chains))
    finished: list[tuple[T, R | Exception]] = []
    ending = Event()

    def walk(chain: Sequence[T]) -> None:
        for item in chain:
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
            tell(stage, len(finished), total)

    tell(stage, 0, total)
    pool = ThreadPoolExecutor(workers)
    try:
        for walking in [pool.submit(copy_context().run, walk, chain) for chain in chains]:
            walking.result()
    except BaseException as end:
        ending.set()
        pool.shutdown(wait=isinstance(end, Exception), cancel_futures=True)
        raise
    pool.shutdown()
    return finished
