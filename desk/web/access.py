"""Who may ask what: every route says which role it needs, and here alone that is held."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from desk.accounts import Account, TooManyTries, signed_in
from desk.web.frame import SESSION, Desk, form_token, shown
from desk.web.headers import is_ours
from tasks.ask.scope import Scope, scope_of
from tasks.deliveries.run_lock import in_one_line
from tasks.report.rendering import Page
from warehouse.settings import Refusal
from warehouse.standing import ONLY_READ, READ_ONLY

log = logging.getLogger("bakhong")

LONGEST_QUERY = "30s"
"""How long a page may ask the warehouse."""


class NotFound(Exception):
    """There is no such page, or not for whoever asks."""


@dataclass(frozen=True)
class Asked:
    """A request whose sender may make it: what it says, who sent it, and the warehouse to answer from."""

    request: Request
    account: Account | None
    engine: Engine
    desk: Desk
    form: FormData = field(default_factory=FormData)

    @property
    def address(self) -> str:
        """Network address of whoever asks."""
        return self.request.client.host if self.request.client else ""

    @property
    def who(self) -> Account:
        """Who asks, where the route is for people who signed in."""
        assert self.account is not None  # noqa: S101  # a route without a role asks for nobody
        return self.account

    @contextmanager
    def reading(self, *, in_steps: bool = False) -> Iterator[Connection]:
        """The warehouse as it is at one moment, to read only; `in_steps`: what is read may be kept on the way, in temporary tables."""
        with self.engine.connect() as connection:
            reading = connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=not in_steps)
            reading.execute(text("SELECT set_config('statement_timeout', :longest, true)"), {"longest": LONGEST_QUERY})
            yield reading

    def scope(self, connection: Connection) -> Scope:
        """What they may see: who only looks, as the public does."""
        return scope_of(connection, self.who.unit_code, is_public=not self.who.may("steward"))

    def told(self, name: str) -> str:
        """A field of the form; empty where it is not there."""
        value = self.form.get(name, "")
        return value if isinstance(value, str) else ""

    def asked_for(self, name: str) -> str:
        """A word behind the `?` of the address."""
        return self.request.query_params.get(name, "").strip()


Handler = Callable[[Asked], Response | Page]


def route(
    path: str, handler: Handler, role: str | None, *, acts: bool = False, files: int = 0, again: Callable[[Asked], Page] | None = None
) -> Route:
    """A route for those who have a role, or for everybody; `acts`: it changes something, and takes forms of this desk only.

    `files`: how many a form may bring. `again`: the page of the form, which is shown again, with the reason, where it is refused.
    """

    async def endpoint(request: Request) -> Response:
        try:
            form = await request.form(max_files=files, max_fields=2_000) if acts else FormData()
            return await run_in_threadpool(_answer, request, form, handler, role, acts, again)
        except Exception as problem:
            return _told(request, problem)

    endpoint.role = role  # type: ignore[attr-defined]
    return Route(path, endpoint, methods=["POST"] if acts else ["GET"])


def _answer(
    request: Request, form: FormData, handler: Handler, role: str | None, acts: bool, again: Callable[[Asked], Page] | None
) -> Response:
    desk, engine = request.app.state.desk, request.app.state.engine
    token = request.cookies.get(SESSION)
    account = signed_in(engine, token) if token else None
    request.state.account = account
    if acts and not (is_ours(request.headers, request.url.scheme) and _is_given(request, form)):
        return _error(request, 403, "Biểu mẫu không hợp lệ", "Biểu mẫu này không phải của trang kiểm soát, hoặc đã cũ. Mở lại trang.")
    if role is not None and account is None:
        return _to_sign_in(request, desk)
    if role is not None and account is not None and not account.may(role):
        return _error(request, 403, "Không được phép", f"Tài khoản {account.name} không có quyền làm việc này.")
    asked = Asked(request, account, engine, desk, form)
    try:
        answer = handler(asked)
    except Refusal as refusal:
        if again is None:
            raise
        return shown(request, _again(again, asked, refusal), 400)
    return shown(request, answer) if isinstance(answer, Page) else answer


def _again(again: Callable[[Asked], Page], asked: Asked, refusal: Refusal) -> Page:
    """The page of a form that was refused, with the reason; where that page has gone meanwhile, the reason alone."""
    try:
        page = again(asked)
    except NotFound:
        raise refusal from None
    return replace(page, content={**page.content, "wrong": str(refusal)})


def _is_given(request: Request, form: FormData) -> bool:
    expected, given = form_token(request), form.get("form_token", "")
    return bool(expected) and isinstance(given, str) and secrets.compare_digest(expected.encode(), given.encode())


def _to_sign_in(request: Request, desk: Desk) -> Response:
    path = request.url.path.removeprefix(desk.root_path) if request.method == "GET" else ""
    after = f"{path}?{request.url.query}" if request.url.query else path
    address = desk.address("dang-nhap") + (f"?next={quote(after)}" if after not in ("", "/") else "")
    if "hx-request" in request.headers:  # a part of a page: the whole page goes
        return Response(status_code=204, headers={"HX-Redirect": address})
    return RedirectResponse(address, 303)


def _told(request: Request, problem: Exception) -> Response:
    """What went wrong as a page that quotes nothing."""
    if isinstance(problem, NotFound):
        return _error(request, 404, "Không có trang này", "Trang không có, hoặc nằm ngoài phạm vi của tài khoản.")
    if isinstance(problem, TooManyTries):
        return _error(request, 429, "Tạm khóa", str(problem))
    if isinstance(problem, Refusal):
        return _error(request, 400, "Không làm được", str(problem))
    if isinstance(problem, DBAPIError) and getattr(problem.orig, "sqlstate", None) == READ_ONLY:
        return _error(request, 503, "Chỉ cho đọc", str(ONLY_READ))
    log.error("page broke: %s", in_one_line(problem), extra={"method": request.method, "path": request.url.path})
    return _error(request, 500, "Có lỗi", "Máy chủ gặp lỗi chưa lường trước; đã ghi vào nhật ký. Thử lại, hoặc báo người vận hành.")


def _error(request: Request, status: int, title: str, words: str) -> Response:
    content: dict[str, Any] = {"title": title, "words": words}
    return shown(request, Page("loi", "error.html", content), status)


def not_found(request: Request, _: Exception) -> Response:
    """An address that nothing is at."""
    token = request.cookies.get(SESSION)
    request.state.account = signed_in(request.app.state.engine, token) if token else None
    return _told(request, NotFound())
