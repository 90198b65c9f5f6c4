"""TLS in front of a PostgreSQL that was built without: it speaks PostgreSQL's own handshake, and passes on what comes through it."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

SSL_REQUEST = b"\0\0\0\x08\x04\xd2\x16\x2f"
"""What a client sends first that wants TLS."""


@dataclass
class Front:
    """The door of a server; nobody gets through it in the clear."""

    behind: int
    """Port of the server."""
    context: ssl.SSLContext
    """What it shows from now on."""
    port: int = 0
    sent_away: int = 0
    """Clients that came without TLS."""
    let_in: int = 0
    pumps: set[asyncio.Task[None]] = field(default_factory=set)

    async def receive(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            if await reader.readexactly(8) != SSL_REQUEST:
                self.sent_away += 1
                writer.close()
                return
            writer.write(b"S")
            await writer.start_tls(self.context)
            self.let_in += 1
            inner = await asyncio.open_connection("127.0.0.1", self.behind)
            for source, sink in ((reader, inner[1]), (inner[0], writer)):
                task = asyncio.create_task(_pump(source, sink))
                self.pumps.add(task)
                task.add_done_callback(self.pumps.discard)


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while block := await source.read(1 << 16):
            sink.write(block)
            await sink.drain()
    sink.close()


@contextmanager
def in_front_of(port: int, context: ssl.SSLContext) -> Iterator[Front]:
    """A door in front of a server, for as long as the block lasts."""
    front, loop, ready = Front(port, context), asyncio.new_event_loop(), threading.Event()

    async def begin() -> None:
        server = await asyncio.start_server(front.receive, "127.0.0.1", 0)
        front.port = server.sockets[0].getsockname()[1]
        ready.set()

    loop.set_exception_handler(lambda *_: None)  # a handshake that a client breaks off is what is tried
    loop.create_task(begin())
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    ready.wait(30)
    yield front
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
