"""The frame of a page at the desk: addresses under the path it is served at, who looks, and what they may do."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import PackageLoader
from starlette.requests import Request
from starlette.responses import HTMLResponse

from desk.accounts import Account
from tasks.open_data.shelf import FOLDER, find, shelf_of
from tasks.report.rendering import ASSETS, Page, digest, environment_of, render
from warehouse.settings import Settings

OWN_ASSETS = Path(__file__).parent / "assets"
"""What only the desk needs: htmx."""
OF_THE_PROVINCE = ("doi-soat-phi",)
"""Places that tell of all units at once: not for accounts that are confined to one."""
PUBLISH_NOW = "cong-bo/ngay"
"""Place of what only Prefect's server can do: it is there where the desk knows of one."""
SESSION, VISITOR = "bakhong_session", "bakhong_visitor"
"""Cookies: whose session it is; which browser a form to sign in was given to."""


@dataclass(frozen=True)
class Desk:
    """The desk as it is served: where, and over which installation."""

    settings: Settings
    root_path: str = ""
    """Path prefix behind a reverse proxy, as /ba-khong; else empty."""
    is_sample: bool = False
    """Whether what is shown is no real data."""
    is_country: bool = False
    """Whether what is shown is the whole country."""
    metrics_token: str | None = None
    """What whoever reads /metrics has to say; without one, it is for this machine alone."""

    def address(self, place: str) -> str:
        """Address of a place."""
        return f"{self.root_path}/{place}"

    def address_of(self, place: str) -> str:
        """The same; empty of what needs Prefect's server, where none is known."""
        return "" if place == PUBLISH_NOW and not os.environ.get("PREFECT_API_URL") else self.address(place)

    def file(self, name: str) -> Path | None:
        """A file of the current edition, where there is one; nothing outside of it."""
        if set(name.split("/")) & {"", ".", ".."}:
            return None
        path = self.settings.home / "site" / name
        return path if path.is_file() else None


@dataclass(frozen=True)
class DeskFrame:
    """The frame of one request."""

    desk: Desk
    account: Account | None
    form_token: str

    @property
    def is_sample(self) -> bool:
        """Whether what is shown is no real data."""
        return self.desk.is_sample

    @property
    def is_country(self) -> bool:
        """Whether what is shown is the whole country."""
        return self.desk.is_country

    def link(self, place: str) -> str:
        """Every place is here, but those of the whole province for whom it is not shown to, and those of a server that is not there."""
        return "" if place in OF_THE_PROVINCE and not self._sees_all else self.desk.address_of(place)

    def asset(self, name: str) -> str:
        """Named by its content, so that it may be kept for ever."""
        return self.desk.address(f"static/{assets()[name][0]}/{name}")

    def drawing(self, place: str) -> str:
        """Drawn when it is asked for."""
        return self.desk.address(f"{place}.svg")

    def file(self, name: str) -> str:
        """A file of the edition of the last night, for those who may see the whole province; one of the open data, for everybody."""
        if name.startswith(f"{FOLDER}/"):
            return self.desk.address(name) if find(shelf_of(self.desk.settings.home), name.removeprefix(f"{FOLDER}/")) else ""
        return self.desk.address(f"tep/{name}") if self._sees_all and self.desk.file(name) is not None else ""

    def can(self, role: str) -> bool:
        """What the role of the account says."""
        return self.account is not None and self.account.may(role)

    @property
    def _sees_all(self) -> bool:
        return self.account is not None and self.account.unit_code is None


@cache
def assets() -> dict[str, tuple[str, Path]]:
    """Name → digest and path of what pages load."""
    return {path.name: (digest(path), path) for folder in (ASSETS, OWN_ASSETS) for path in folder.iterdir() if path.is_file()}


def shown(request: Request, page: Page, status: int = 200) -> HTMLResponse:
    """A page as an answer."""
    frame = DeskFrame(request.app.state.desk, getattr(request.state, "account", None), form_token(request))
    return HTMLResponse(render(page, frame, environment_of(LOADER)), status)


LOADER = PackageLoader("desk.web")


def form_token(request: Request) -> str:
    """What a form given to this browser has to say: nobody knows it who does not know the cookie, which no script can read."""
    cookie = request.cookies.get(SESSION) or getattr(request.state, "visitor", None) or request.cookies.get(VISITOR, "")
    return hashlib.sha256(f"form {cookie}".encode()).hexdigest() if cookie else ""


def cookie_settings(request: Request) -> dict[str, Any]:
    """How a cookie of ours is set: for this desk only, out of reach of scripts, and over https only where that is spoken."""
    desk: Desk = request.app.state.desk
    return {"path": desk.root_path or "/", "httponly": True, "samesite": "lax", "secure": request.url.scheme == "https"}
