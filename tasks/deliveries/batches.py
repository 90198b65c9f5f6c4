"""Deliveries that wait → batches: what is read and checked together, and which batches have to be loaded before."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from operator import attrgetter

from expectations.contract import contract
from tasks.deliveries import landed
from tasks.deliveries.ledger import Delivery

BATCH_BYTES = 16 << 20
"""Most bytes of the files of a batch, unless it holds one alone: what a batch holds is in memory at once."""
BATCH_FILES = 50
COMPRESSED = {"xlsx": 8}
"""Kind of layout → how many times larger the rows are than their file."""


@dataclass(frozen=True)
class Batch:
    """Deliveries of one source, in the order they were exported."""

    deliveries: tuple[Delivery, ...]
    after: tuple[int, ...]
    """Places of the batches that have to be loaded before: of its feed and of those that it refers to."""

    @property
    def name(self) -> str:
        """The file, or how many there are."""
        first = self.deliveries[0]
        return f"{first.source}-{first.file_name}" if len(self) == 1 else f"{first.source}-{len(self)}-files"

    def __len__(self) -> int:
        return len(self.deliveries)


def batches(waiting: Iterable[Delivery]) -> list[Batch]:
    """Batches in an order in which each comes after all that it has to wait for, feeds that may go side by side in turn."""
    ordered = sorted(waiting, key=_order)
    queues = {feed: list(_parts(own)) for feed, own in groupby(ordered, attrgetter("feed"))}
    found: list[Batch] = []
    places: dict[str, list[int]] = {feed: [] for feed in queues}
    while queues:
        ready = [feed for feed in queues if not needed(feed) & queues.keys()]
        for feed in sorted(ready, key=lambda feed: (len(queues[feed]), feed), reverse=True):
            after = tuple(place for other in sorted(needed(feed) | {feed}) for place in places.get(other, ()))
            places[feed].append(len(found))
            found.append(Batch(tuple(queues[feed].pop(0)), after))
            if not queues[feed]:
                del queues[feed]
    return found


def _order(delivery: Delivery) -> tuple[str, str, datetime, int]:
    """By when they were made; those of a provider together where others speak of nothing that it does."""
    together = delivery.provider if contract(delivery.feed).are_apart else ""
    return delivery.feed, together, delivery.exported_at, delivery.delivery_id


def needed(feed: str) -> set[str]:
    """Feeds that a feed refers to, or that these refer to."""
    direct = contract(feed).refers_to
    return set(direct).union(*map(needed, direct))


def _parts(deliveries: Iterable[Delivery]) -> Iterator[list[Delivery]]:
    """Deliveries of a feed in order, cut where the next one is of another source or layout, or too many bytes are together."""
    part: list[Delivery] = []
    size = 0
    for delivery in deliveries:
        own = _in_memory(delivery)
        same = part and (part[0].source, part[0].layout) == (delivery.source, delivery.layout)
        if part and not (same and size + own <= BATCH_BYTES and len(part) < BATCH_FILES):
            yield part
            part, size = [], 0
        part.append(delivery)
        size += own
    if part:
        yield part


def _in_memory(delivery: Delivery) -> int:
    size = size_of(delivery)
    return size and size * COMPRESSED.get(contract(delivery.feed).layouts[delivery.layout].kind, 1)


def size_of(delivery: Delivery) -> int:
    """Bytes of its file; 0 where it is not there, which whoever reads it says."""
    try:
        return landed.size_of(delivery.path)
    except OSError:
        return 0
