"""The desk as a web application: its routes, and which role each needs."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Engine
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import FileResponse, Response
from starlette.types import ASGIApp

from desk.web import monitoring, open_data, pages, signing_in
from desk.web.access import Asked, NotFound, not_found, route
from desk.web.frame import Desk, assets
from desk.web.headers import Guarded, Under
from warehouse.seed import is_country, is_sample
from warehouse.settings import Settings, secret

FOR_EVER = {"Cache-Control": "public, max-age=31536000, immutable"}


def asset(asked: Asked) -> Response:
    """A stylesheet, script or image, named by its content."""
    wanted = asked.request.path_params
    digest, path = assets().get(wanted["name"], ("", Path()))
    if digest != wanted["digest"]:
        raise NotFound
    return FileResponse(path, headers=FOR_EVER)


ROUTES = [
    route("/static/{digest}/{name}", asset, None),
    route("/dang-nhap", signing_in.sign_in_page, None),
    route("/dang-nhap", signing_in.sign_in, None, acts=True),
    route("/dang-xuat", signing_in.sign_out, "viewer", acts=True),
    route("/tai-khoan", signing_in.account_page, "viewer"),
    route("/tai-khoan", signing_in.change_password, "viewer", acts=True, again=signing_in.account_page),
    route("/nhat-ky", signing_in.actions_page, "steward"),
    *open_data.ROUTES,
    *monitoring.ROUTES,
    *pages.ROUTES,
]
"""Path, who answers, and the role it takes."""


def application(engine: Engine, settings: Settings, root_path: str = "") -> ASGIApp:
    """The desk over a warehouse."""
    app = Starlette(
        routes=ROUTES,
        middleware=[Middleware(Guarded), Middleware(Under, root_path=root_path)],
        exception_handlers={404: not_found, 405: not_found},
    )
    with engine.connect() as connection:
        app.state.desk = Desk(settings, root_path, is_sample(connection), is_country(connection), secret("BAKHONG_METRICS_TOKEN"))
    app.state.engine, app.state.exposed = engine, monitoring.Exposed()
    return app
