"""`bakhong …` in a process of its own that says `here` at a given place and then does not get on.

`python -m tests.recovery.stalled_night module:function sleep|query WORDS…`; the module is one that does not import Prefect,
which is to find its server when it is imported.
"""

from __future__ import annotations

import importlib
import signal
import sys
import time
from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, text

FOREVER = 600


def stalling(function: Callable[..., Any], way: str) -> Callable[..., Any]:
    """The function, which first waits for ever: in the process, or in a query of the connection it is given."""

    def run(*arguments: Any, **named: Any) -> Any:
        sys.stdout.write("here\n")  # at once, where steps side by side come here together
        sys.stdout.flush()
        if way == "query":
            given = (one if isinstance(one, Connection) else getattr(one, "connection", None) for one in arguments)  # a Load has one
            next(one for one in given if one is not None).execute(text(f"SELECT pg_sleep({FOREVER})"))
        else:
            time.sleep(FOREVER)
        return function(*arguments, **named)

    return run


def main(place: str, way: str, *words: str) -> None:
    """Runs the command, and stalls where told."""
    module_name, name = place.split(":")
    module = importlib.import_module(module_name)
    setattr(module, name, stalling(getattr(module, name), way))
    from desk import cli

    for name in ("SIGINT", "SIGHUP"):  # as a terminal starts it, whatever started the tests
        signal.signal(signal.Signals[name], signal.SIG_DFL)
    sys.argv = ["bakhong", *words]
    cli.main()


if __name__ == "__main__":
    main(*sys.argv[1:])
