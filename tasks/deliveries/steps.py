"""The steps of a run in `ops.step`: how long each took, and in which one a run broke."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Literal, TypeAlias

from sqlalchemy import Engine, insert, update

from warehouse.tables import step as steps

log = logging.getLogger("bakhong")

Step: TypeAlias = Literal["pull", "ingest", "publish", "report"]


@contextmanager
def step(engine: Engine, run_id: int, name: Step) -> Iterator[None]:
    """Keeps when the block began and when it was done; of one that breaks only that it began."""
    began = datetime.now(UTC)
    with engine.begin() as connection:
        connection.execute(insert(steps).values(run_id=run_id, step=name, started_at=began))
    yield
    ended = datetime.now(UTC)
    with engine.begin() as connection:
        connection.execute(update(steps).where(steps.c.run_id == run_id, steps.c.step == name).values(finished_at=ended))
    log.info("step done", extra={"step": name, "seconds": round((ended - began).total_seconds(), 1)})
