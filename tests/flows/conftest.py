"""What tests of whole nights stand on beside the warehouse: somebody who is told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import pytest

Webhook = tuple[list[tuple[str | None, Any]], str, dict[str, int]]
"""What was posted with which authorization, the address, and the status it answers with."""


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    """A webhook: what was posted with which authorization, its address, and the answer it gives."""
    posted: list[tuple[str | None, Any]] = []
    answer = {"status": 200}

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            posted.append((self.headers["Authorization"], json.loads(body)))
            self.send_response(answer["status"])
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Hook) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield posted, f"http://127.0.0.1:{server.server_address[1]}/hook", answer
        server.shutdown()
