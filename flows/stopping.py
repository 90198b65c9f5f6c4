"""Ending on request: SIGTERM, Ctrl-C or a closed terminal end a command in order, or else at once, and say what stands.

The request becomes an exception in the main thread, so that everything opened is closed on the way out. What does not let
itself be closed in time, such as a server that answers no more, is left: a run that is cut off anywhere is taken up again.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
GRACE_SECONDS = 7
"""How long closing may take; then the process is gone all the same."""

Handler = Callable[[int, FrameType | None], Any] | int | None

_request: Stopped | None = None
"""The first request this process heard: the others are the same one, repeated by an impatient hand or passed on by Prefect."""


class Stopped(SystemExit):
    """Someone asked to end. A SystemExit, as which the driver cancels the query under way; its text says what stands."""

    def __init__(self, number: int, words: str) -> None:
        self.exit_code = 128 + number
        super().__init__(self.exit_code)
        self.words = words

    def __str__(self) -> str:
        return self.words


def is_stopping() -> bool:
    """Whether this process was asked to end: what fails from now on was cut off, and is not tried again."""
    return _request is not None


@contextmanager
def stoppable(
    what_stands: Callable[[], str] = lambda: "", kind: type[Stopped] = Stopped, told_by: tuple[type[BaseException], ...] = ()
) -> Iterator[None]:
    """Has a request to end raise `kind` in the block, with what stands by then. Only the main thread hears signals.

    A signal that Prefect listens to itself, to tell a run that was cancelled there from one that crashed, stays Prefect's:
    its own words for it, `told_by`, become `kind` here. After a request the block ends as that, whatever closing ran into.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before: dict[int, Handler] = {number: signal.getsignal(number) for number in SIGNALS}
    heard = False

    def request(number: int) -> Stopped:
        global _request  # noqa: PLW0603  # a process ends once
        if _request is None:
            _request = kind(number, f"Đã dừng theo yêu cầu ({signal.Signals(number).name}). {what_stands()}".strip())
            leaving = threading.Timer(GRACE_SECONDS, _leave, (_request,))
            leaving.daemon = True
            leaving.start()
        return _request

    def stop(number: int, _frame: FrameType | None) -> None:
        nonlocal heard
        if not heard:  # else closing is under way
            heard = True
            raise request(number)

    for number, handler in before.items():
        is_prefects = getattr(handler, "__module__", "").startswith("prefect")
        if handler is not signal.SIG_IGN and not is_prefects:  # nohup means it
            signal.signal(number, stop)
    try:
        yield
    except BaseException as end:
        # What stumbles over being cut off, such as closing a connection whose query is still under way, is the request too.
        if isinstance(end, Stopped) or not (heard or isinstance(end, told_by)):
            raise
        raise request(signal.SIGTERM) from None
    finally:
        if not heard:
            for number, handler in before.items():
                signal.signal(number, handler)


def _leave(request: Stopped) -> None:
    os.write(2, f"{request}\n".encode())
    os._exit(request.exit_code)
