"""`bakhong` from its first moment on: a request to end is heard while the rest is still being loaded."""

from __future__ import annotations

import sys

from flows.stopping import Stopped, stoppable


def main() -> None:
    """Loads the command line and hands over to it."""
    try:
        with stoppable():
            from desk.cli import main as command_line  # noqa: PLC0415  # takes half a second

            command_line()
    except Stopped as stopped:
        sys.stderr.write(f"{stopped}\n")
        sys.exit(stopped.exit_code)


if __name__ == "__main__":
    main()
