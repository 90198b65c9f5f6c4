"""One item ahead: what is used now and what comes next are made side by side."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from threading import current_thread
from typing import TypeVar

T = TypeVar("T")
_END = object()


def prefetched(items: Iterable[T]) -> Generator[T, None, None]:
    """The same items, each made while the one before is used: reading and checking on one core, the database on the other.

    At most two items are in memory; an error of the making reaches the user in the item's place.
    """
    source = iter(items)
    making = partial(copy_context().run, next, source, _END)
    with ThreadPoolExecutor(1, current_thread().name) as maker:
        coming = maker.submit(making)
        while (item := coming.result()) is not _END:
            coming = maker.submit(making)
            yield item  # type: ignore[misc]  # `_END` is the only other thing that can come
