"""OpenLineage: a lineage server that OPENLINEAGE_URL names is told of a night, of its steps, and of what they read and wrote.

A night costs nothing by it: a server that does not take an event at once is told nothing more that night. Without an address nothing is
loaded and nothing told. The address, OPENLINEAGE_API_KEY, OPENLINEAGE_ENDPOINT, OPENLINEAGE_NAMESPACE and OPENLINEAGE_DISABLED are the
library's own variables.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from sqlalchemy import Engine

from tasks.deliveries.run_lock import Run, in_one_line
from tasks.deliveries.steps import Step

Told = Callable[[Step], AbstractContextManager[None]]
"""Tells that a step began, and how it ended."""


@contextmanager
def lineage(engine: Engine, run: Run) -> Iterator[Told]:
    """Tells that a night began and how it ended; gives what tells of its steps."""
    if not os.environ.get("OPENLINEAGE_URL"):
        yield lambda _: nullcontext()
        return
    from flows.lineage_events import Events  # noqa: PLC0415  # its library takes as long to load as a small night to run

    events = Events(engine, run)

    @contextmanager
    def told(step: Step) -> Iterator[None]:
        events.began(step)
        try:
            yield
        except BaseException as problem:
            events.failed(step, in_one_line(problem))
            raise
        events.completed(step)

    events.began(None)
    try:
        yield told
    except BaseException as problem:
        events.failed(None, in_one_line(problem))
        raise
    if run.problems:
        events.failed(None, "; ".join(run.problems))
    else:
        events.completed(None)
