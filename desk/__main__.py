"""`bakhong` from its first moment on: a request to end is heard, and Prefect's server starts, while the rest is still being loaded."""

from __future__ import annotations

import gc
import sys

from desk.prefect_server import begin
from flows.stopping import Stopped, stoppable


def main() -> None:
    """Loads the command line and hands over to it."""
    try:
        with stoppable():
            gc.set_threshold(100_000)  # a third of loading goes into looking for garbage among what is being loaded
            begin(sys.argv[1:])
            from desk.cli import main as command_line  # noqa: PLC0415  # takes half a second

            command_line()
    except Stopped as stopped:
        sys.stderr.write(f"{stopped}\n")
        sys.exit(stopped.exit_code)
    finally:
        gc.freeze()  # what is left goes with the process: no garbage among it is worth looking for


if __name__ == "__main__":
    main()
