"""Deliveries go in batches; each waits for all that it refers to, and nothing waits for what comes after it."""

from __future__ import annotations

import itertools
import threading
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from expectations.contract import contract, feeds
from flows.progress import Turn, each, in_turn
from tasks.deliveries.batches import BATCH_BYTES, BATCH_FILES, batches
from tasks.deliveries.ledger import Delivery
from tasks.words.vietnamese import VIETNAM

_numbers = itertools.count(1)


def delivery(feed: str, day: int, source: str | None = None, path: Path = Path("nowhere"), provider: str = "td") -> Delivery:
    layout = next(iter(contract(feed).layouts))
    exported_at = datetime(2024, 1, 1, tzinfo=VIETNAM) + timedelta(days=day)
    return Delivery(next(_numbers), source or feed, feed, layout, provider, f"{feed}-{day}", "0", path, exported_at)


@given(st.lists(st.tuples(st.sampled_from(feeds()), st.integers(0, 200), st.sampled_from("ab"))))
def test_each_batch_comes_after_all_that_it_waits_for(arrived: list[tuple[str, int, str]]) -> None:
    waiting = [delivery(feed, day, f"{feed}-{source}") for feed, day, source in arrived]
    ordered = batches(waiting)
    assert sorted(d.delivery_id for batch in ordered for d in batch.deliveries) == sorted(d.delivery_id for d in waiting)
    for place, batch in enumerate(ordered):
        (feed,) = {d.feed for d in batch.deliveries}
        assert len({(d.source, d.layout) for d in batch.deliveries}) == 1
        needed = {at for at, other in enumerate(ordered) if other.deliveries[0].feed in contract(feed).refers_to}
        earlier = {at for at in range(place) if ordered[at].deliveries[0].feed == feed}
        assert needed | earlier <= set(batch.after) <= set(range(place))
    for feed in feeds():
        own = [d for batch in ordered for d in batch.deliveries if d.feed == feed]
        assert own == sorted(own, key=lambda d: (d.exported_at, d.delivery_id))


def test_a_batch_holds_no_more_than_fits_into_memory(tmp_path: Path) -> None:
    large = tmp_path / "large.csv"
    with large.open("wb") as file:
        file.truncate(BATCH_BYTES - 1)
    small = tmp_path / "small.csv"
    small.write_bytes(b"ab")
    waiting = [delivery("bills", 1, path=small), delivery("bills", 2, path=large), delivery("bills", 3, path=small)]
    assert [len(batch) for batch in batches(waiting)] == [1, 1, 1]
    assert [len(batch) for batch in batches([delivery("bills", day, path=small) for day in range(BATCH_FILES + 1)])] == [BATCH_FILES, 1]


def test_editions_of_a_province_go_together_since_no_other_speaks_of_its_units() -> None:
    def batched(feed: str) -> list[list[tuple[str, str]]]:
        sent = [delivery(feed, day, f"from-{code}", provider=code) for day in (1, 2) for code in ("38", "04")]
        return [[(one.provider, one.file_name[-1]) for one in batch.deliveries] for batch in batches(sent)]

    assert batched("editions") == [[("04", "1"), ("04", "2")], [("38", "1"), ("38", "2")]]
    assert batched("unit_counts") == [[("38", "1")], [("04", "1")], [("38", "2")], [("04", "2")]]


def test_a_step_waits_for_its_turn_whatever_is_ready_first() -> None:
    done: list[str] = []
    ready = threading.Event()

    def step(name: str, turn: Turn) -> None:
        if name == "first":
            assert ready.wait(10)
        else:
            ready.set()  # prepared before the first is done
            turn()
        done.append(name)

    after = {"first": (), "second": (0,)}
    each("test", in_turn(step, ["first", "second"], after.__getitem__), ["first", "second"])
    assert done == ["first", "second"]


def test_what_waits_for_a_step_that_broke_goes_on() -> None:
    def step(name: str, turn: Turn) -> str:
        turn()
        if name == "first":
            raise ValueError
        return name

    after = {"first": (), "second": (0,)}
    (_, broke), (_, result) = each("test", in_turn(step, ["first", "second"], after.__getitem__), ["first", "second"])
    assert isinstance(broke, ValueError)
    assert result == "second"


def test_what_is_fatal_ends_all_of_it() -> None:
    begun: list[int] = []

    def step(number: int) -> None:
        begun.append(number)
        raise LookupError

    with pytest.raises(LookupError):
        each("test", step, range(50), fatal=(LookupError,), workers=1)
    assert begun == [0]
