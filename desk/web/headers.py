"""What every answer of the desk tells the browser, and what it takes of a request."""

from __future__ import annotations

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
ALWAYS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",  # `no-referrer` would blank the Origin of forms, by which they are known to be ours
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
LARGEST = 10 << 20
"""Most bytes of a request: of a letter with tens of thousands of cells."""


class Guarded:
    """Puts the headers on every answer; nothing is kept by a browser or proxy unless the answer says so itself; takes no huge request."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in {**ALWAYS, "Cache-Control": "no-store"}.items():
                    headers.setdefault(name, value)
            await send(message)

        length = Headers(scope=scope).get("content-length", "0")
        if not length.isdigit() or int(length) > LARGEST or b"transfer-encoding" in dict(scope["headers"]):
            await PlainTextResponse("Yêu cầu quá lớn.", 413)(scope, receive, send_guarded)
        else:
            await self.app(scope, receive, send_guarded)


class Under:
    """Takes requests for a path prefix, whether the proxy in front takes it off or leaves it on."""

    def __init__(self, app: ASGIApp, root_path: str) -> None:
        self.app, self.root_path = app, root_path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] == "http" and self.root_path and f"{scope['path']}/".startswith(f"{self.root_path}/"):
            path = scope["path"][len(self.root_path) :] or "/"
            scope = {**scope, "path": path, "raw_path": path.encode()}
        await self.app(scope, receive, send)


def origin_of(headers: Headers) -> str | None:
    """Where a form was filled in, as the browser says; a script cannot make it say otherwise."""
    if headers.get("origin"):
        return headers["origin"]
    referrer = headers.get("referer", "")
    return "/".join(referrer.split("/")[:3]) if referrer else None


def is_ours(headers: Headers, scheme: str) -> bool:
    """Whether a request comes from a page of this desk."""
    return origin_of(headers) == f"{scheme}://{headers.get('host', '')}"
