"""What systemd is told by a service it started: ready, alive, where it stands, stopping. A program started otherwise tells nobody."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from contextlib import suppress
from threading import Event

from flows.stopping import Stopped


def notify(state: str) -> None:
    """Tells a state, as sd_notify(3) spells it: `READY=1`, `STATUS=…`."""
    if not (address := os.environ.get("NOTIFY_SOCKET")):
        return
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:  # what runs goes on, whoever listens
        manager.sendto(state.encode(), f"\0{address[1:]}" if address.startswith("@") else address)


def tell_until(ended: Event, answers: Callable[[], bool]) -> None:
    """Waits for the end of a server and tells meanwhile: ready once it answers, alive only as long as it does."""
    patience = int(os.environ.get("WATCHDOG_USEC", "0")) / 1_000_000
    pause = patience / 3 or None
    is_ready = False
    try:
        while not ended.is_set():
            if answers():
                notify("WATCHDOG=1" if is_ready else "READY=1\nWATCHDOG=1")
                is_ready = True
            ended.wait(pause if is_ready else 0.2)
    except Stopped:
        notify("STOPPING=1")
        raise
