"""Signing in and out, one's own password, and the audit of what was done."""

from __future__ import annotations

import secrets

from starlette.responses import RedirectResponse, Response

from desk import accounts
from desk.web.access import Asked
from desk.web.frame import SESSION, VISITOR, cookie_settings, shown
from tasks.report.rendering import Page
from warehouse.settings import Refusal


def sign_in_page(asked: Asked) -> Response:
    """The form; who signed in already goes on."""
    if asked.account is not None:
        return RedirectResponse(asked.desk.address(_next(asked.asked_for("next"))), 303)
    return _form(asked, asked.asked_for("next"))


def sign_in(asked: Asked) -> Response:
    """Opens a session and goes to the page that was asked for."""
    token = accounts.sign_in(asked.engine, asked.told("name"), asked.told("password"), asked.address)
    if token is None:
        return _form(asked, asked.told("next"), asked.told("name"), "Tên đăng nhập hoặc mật khẩu không đúng.", 401)
    answer = RedirectResponse(asked.desk.address(_next(asked.told("next"))), 303)
    answer.set_cookie(SESSION, token, max_age=int(accounts.LASTS.total_seconds()), **cookie_settings(asked.request))
    return answer


def sign_out(asked: Asked) -> Response:
    """Ends this session."""
    with asked.engine.begin() as connection:
        accounts.sign_out(connection, asked.request.cookies[SESSION], asked.who, asked.address)
    answer = RedirectResponse(asked.desk.address("dang-nhap"), 303)
    answer.delete_cookie(SESSION, path=asked.desk.root_path or "/")
    return answer


def account_page(asked: Asked) -> Page:
    """Who I am, and another password."""
    return Page("tai-khoan", "account.html", {"roles": accounts.ROLES, "shortest": accounts.SHORTEST_PASSWORD})


def change_password(asked: Asked) -> Response:
    """Another password, which ends all sessions, this one too."""
    new = asked.told("new")
    if new != asked.told("again"):
        raise Refusal("Hai lần nhập mật khẩu mới khác nhau.")
    with asked.engine.begin() as connection:
        if not accounts.is_password(connection, asked.who, asked.told("password")):
            raise Refusal("Mật khẩu hiện nay không đúng.")
        accounts.set_password(connection, asked.who.name, new, asked.who.name, asked.address)
    answer = RedirectResponse(asked.desk.address("dang-nhap"), 303)
    answer.delete_cookie(SESSION, path=asked.desk.root_path or "/")
    return answer


def actions_page(asked: Asked) -> Page:
    """What was done at the desk."""
    with asked.reading() as connection:
        return Page("nhat-ky", "actions.html", {"actions": accounts.acted(connection)})


def _form(asked: Asked, after: str, name: str = "", wrong: str = "", status: int = 200) -> Response:
    """The form to sign in, given to this browser alone."""
    visitor = asked.request.cookies.get(VISITOR) or secrets.token_urlsafe(16)
    asked.request.state.visitor = visitor
    with asked.reading() as connection:
        is_first = not accounts.is_any(connection)
    content = {"next": _next(after), "name": name, "wrong": wrong, "is_first": is_first}
    answer = shown(asked.request, Page("dang-nhap", "sign_in.html", content), status)
    answer.set_cookie(VISITOR, visitor, **cookie_settings(asked.request))
    return answer


def _next(after: str) -> str:
    """The page to go on to, of this desk only, without its leading slash."""
    place = after.lstrip("/")
    return place if "\\" not in place and "//" not in place and ":" not in place and place.isprintable() else ""
