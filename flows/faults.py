"""Faults that no rule foresaw: whose they are, and where the operator finds what happened."""

from __future__ import annotations

import secrets
import traceback
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import psycopg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoConnection

from tasks.deliveries.ledger import Delivery
from tasks.deliveries.run_lock import LockLost
from tasks.read.bounded import OF_THE_MACHINE, Broke
from warehouse.settings import Refusal, write_private

OF_THE_DATABASE = ("08", "25006", "28", "3D", "40", "42501", "53", "55", "57", "58", "F0", "XX")
"""SQLSTATEs, or their classes, that say nothing of the rows: connection, read-only, login, database, deadlock, rights, resources, locks,
an operator, the server's disk, its configuration, its own errors. Any other is about what was to be written."""


def is_of_the_system(problem: BaseException) -> bool:
    """Whether the machine or the database is at fault, so that the same delivery may go in another night; else it is the delivery's."""
    if isinstance(problem, LockLost | Refusal | NoConnection | TimeoutError | ConnectionError):
        return True
    error = problem.orig if isinstance(problem, DBAPIError) else problem
    if isinstance(error, psycopg.Error):
        if error.sqlstate is None:  # the driver's own: no connection, or a value that it could not write
            return isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
        return error.sqlstate.startswith(OF_THE_DATABASE)
    return isinstance(problem, OSError) and problem.errno in OF_THE_MACHINE


def keep(home: Path, delivery: Delivery, problem: BaseException) -> str:
    """Writes down where a delivery broke what, for the operator alone, and returns the reference of it.

    Neither what an error says nor what was at hand is kept: either may quote a cell.
    """
    reference = f"{delivery.delivery_id}-{secrets.token_hex(3)}"
    folder = home / "faults"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    head = f"delivery {delivery.delivery_id} of source {delivery.source}, {delivery.feed}/{delivery.layout}, version {version('bakhong')}\n"
    write_private(folder / f"{reference}.txt", head + "".join(_lines(problem)))
    return reference


def _lines(problem: BaseException) -> Iterator[str]:
    """Kind and frames of an error and of those that led to it, the first one first."""
    led_to = problem.__cause__ or problem.__context__
    if led_to is not None:
        yield from _lines(led_to)
    kind = type(problem)
    frames = [(frame.filename, frame.lineno or 0, frame.name, None) for frame in traceback.extract_tb(problem.__traceback__)]
    name = f"{kind.__module__}.{kind.__qualname__}"
    if isinstance(problem, Broke):
        name, frames = f"{problem.kind}, in the process that read the file", [(*frame, None) for frame in problem.frames]
    yield f"\n{name}\n"
    yield from traceback.StackSummary.from_list(frames).format()
