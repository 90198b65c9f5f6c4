"""A night in a process of its own that kills itself at a given place.

`python -m tests.recovery.killed_night DATE [module:function N before|after]`
"""

from __future__ import annotations

import importlib
import itertools
import os
import signal
import sys
from collections.abc import Callable
from datetime import date
from typing import Any


def deadly(function: Callable[..., Any], call: int, moment: str) -> Callable[..., Any]:
    """The function, whose n-th call ends the process without a word, before or after doing its work."""
    calls = itertools.count(1)

    def run(*arguments: Any, **named: Any) -> Any:
        is_last = next(calls) == call
        if is_last and moment == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        result = function(*arguments, **named)
        if is_last:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    return run


def main(until: str, place: str = "", call: str = "1", moment: str = "before") -> None:
    """Runs the night, and dies where told."""
    nightly = importlib.import_module("flows.nightly")
    if place:
        module_name, name = place.split(":")
        module = importlib.import_module(module_name)
        setattr(module, name, deadly(getattr(module, name), int(call), moment))
    from warehouse.database import open_warehouse
    from warehouse.settings import Settings

    settings = Settings.from_environment()
    with open_warehouse(settings) as engine:
        nightly.night(settings, engine, date.fromisoformat(until))


if __name__ == "__main__":
    main(*sys.argv[1:])
