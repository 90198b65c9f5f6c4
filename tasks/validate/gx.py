"""Great Expectations, kept at arm's length: imported late, quiet, one at a time."""

from __future__ import annotations

import gc
import importlib
import logging
import os
import sys
import warnings
from functools import cache
from threading import Lock, Thread
from types import ModuleType
from typing import Any

GX_LOCK = Lock()
"""Held while Great Expectations works: it keeps the current context in a global."""


NOT_NEEDED = ("altair", "scipy.stats")
"""What it loads for charts and for expectations that no contract names: two fifths of its import."""


class _Later(ModuleType):
    """Stands in for a module until something of it is asked for."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # of the import system, which asks every module
            raise AttributeError(name)
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        vars(self).update(vars(importlib.import_module(self.__name__)))
        return getattr(self, name)


def get_ready() -> None:
    """Has it imported beside other work, by nights that bring something to be checked."""
    Thread(target=great_expectations, name="great-expectations", daemon=True).start()


@cache
def great_expectations() -> ModuleType:
    """Great Expectations, imported when first needed: it takes seconds, and would phone home and log at length."""
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
    logging.getLogger("great_expectations").setLevel(logging.ERROR)
    for name in NOT_NEEDED:
        sys.modules.setdefault(name, _Later(name))
    import great_expectations as gx  # noqa: PLC0415  # the command line reads this module too

    # A rule's pattern may have groups: whoever reads the value takes it apart by them.
    warnings.filterwarnings("ignore", "This pattern is interpreted as a regular expression, and has match groups", UserWarning)
    logging.getLogger("great_expectations.data_context.types.base").setLevel(logging.ERROR)  # it makes itself louder than its parent
    gc.freeze()  # what has been loaded until here stays: looking for garbage costs next to nothing from now on
    return gx
