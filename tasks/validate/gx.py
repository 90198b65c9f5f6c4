"""Great Expectations, kept at arm's length: imported late, quiet, one at a time."""

from __future__ import annotations

import logging
import os
import warnings
from threading import Lock, Thread
from types import ModuleType

GX_LOCK = Lock()
"""Held while Great Expectations works: it keeps the current context in a global."""


def get_ready() -> None:
    """Has it imported beside other work, by nights that bring something to be checked."""
    Thread(target=great_expectations, name="great-expectations", daemon=True).start()


def great_expectations() -> ModuleType:
    """Great Expectations, imported when first needed: it takes seconds, and would phone home and log at length."""
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
    logging.getLogger("great_expectations").setLevel(logging.ERROR)
    import great_expectations as gx  # noqa: PLC0415  # the command line reads this module too

    # A rule's pattern may have groups: whoever reads the value takes it apart by them.
    warnings.filterwarnings("ignore", "This pattern is interpreted as a regular expression, and has match groups", UserWarning)
    logging.getLogger("great_expectations.data_context.types.base").setLevel(logging.ERROR)  # it makes itself louder than its parent
    return gx
