"""What is made ahead arrives in order, no further ahead than one, and fails where it would have failed."""

import threading
from collections.abc import Iterator

import pytest

from tasks.load.prefetch import prefetched


def test_items_arrive_in_order_and_the_next_is_made_while_one_is_used() -> None:
    made = [threading.Event() for _ in range(3)]

    def source() -> Iterator[int]:
        for number, event in enumerate(made):
            event.set()
            yield number

    arriving = prefetched(source())
    assert next(arriving) == 0
    assert made[1].wait(5)
    assert not made[2].is_set()
    assert list(arriving) == [1, 2]


def test_an_error_comes_in_its_place() -> None:
    def source() -> Iterator[int]:
        yield 1
        raise ValueError("second")

    arriving = prefetched(source())
    assert next(arriving) == 1
    with pytest.raises(ValueError, match="second"):
        next(arriving)


def test_whoever_stops_half_way_leaves_no_thread_behind() -> None:
    before = threading.active_count()
    arriving = prefetched(iter(range(100)))
    next(arriving)
    arriving.close()
    assert threading.active_count() == before
