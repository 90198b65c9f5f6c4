"""`bakhong serve`: the desk and the warehouse until someone asks to end."""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from http.client import HTTPConnection, HTTPException
from threading import Event, Thread

import uvicorn
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError
from starlette.types import ASGIApp

from desk import terminal
from desk.accounts import is_any
from desk.service_manager import tell_until
from desk.web.app import application
from flows.logs import log_to_stderr
from flows.stopping import Stopped
from warehouse.database import end_sessions, read_warehouse, url
from warehouse.settings import Refusal, Settings
from warehouse.standing import is_only_read

ANSWER_SECONDS = 10
"""A desk that is silent for longer does not answer."""
GRACE_SECONDS = 2
"""How long requests under way may take once someone asked to end."""


def serve(settings: Settings, host: str, port: int, root_path: str, proxies: Sequence[str]) -> None:
    """Serves the desk, over the embedded PostgreSQL where there is one, until Ctrl-C or SIGTERM."""
    log_to_stderr(settings)
    prefix = _prefix(root_path)
    for proxy in proxies:
        _require_address(proxy)
    with _listening(host, port) as listening, read_warehouse(settings) as engine:
        try:
            with served(application(engine, settings, prefix), listening, proxies, engine) as ended:
                place = f"http://{f'[{host}]' if ':' in host else host}:{port}{prefix}/"
                # With its password to whoever sits there only: what else becomes of stdout is a log.
                warehouse = url(settings) if terminal.out.is_terminal else "bakhong warehouse url"
                terminal.where({"Trang kiểm soát": place, "Kho số liệu": warehouse, "Dừng": "Ctrl-C"})
                with engine.connect() as connection:
                    if is_only_read(connection):
                        terminal.complain("Kho này chỉ cho đọc: không ai đăng nhập được, chỉ có số liệu mở, /healthz và /metrics.")
                    if not is_any(connection):
                        terminal.say("Chưa có tài khoản nào. Lập tài khoản đầu tiên: bakhong account add TÊN --role approver")
                if not _is_loopback(host) and not proxies:
                    terminal.complain("Mật khẩu đi qua mạng không mã hóa: đặt sau một reverse proxy https và thêm --proxy ĐỊA_CHỈ.")
                tell_until(ended, partial(_answers, listening, prefix))
        except Stopped as stopped:  # as it is meant to end
            terminal.complain(str(stopped))
        else:
            raise Refusal("Trang kiểm soát đã dừng ngoài ý muốn.")


@contextmanager
def served(app: ASGIApp, listening: socket.socket, proxies: Sequence[str], engine: Engine) -> Iterator[Event]:
    """Serves on a socket beside the block, which hears the signals; at its end nothing of it goes on, in the database neither.

    The block is given the server's own end to wait for: Python takes a thread for ended whose `join` a signal cut short.
    """
    config = uvicorn.Config(
        app,
        proxy_headers=bool(proxies),
        forwarded_allow_ips=list(proxies),
        server_header=False,
        access_log=False,
        log_config=None,
        lifespan="off",
        ws="none",
        timeout_graceful_shutdown=GRACE_SECONDS,
        limit_concurrency=200,
    )
    server, ended = uvicorn.Server(config), Event()

    def run() -> None:
        try:
            server.run(sockets=[listening])
        finally:
            ended.set()

    serving = Thread(target=run, name="desk")
    serving.start()
    try:
        yield ended
    finally:
        server.should_exit = True
        with suppress(DBAPIError):  # the database may be gone before us
            end_sessions(engine)  # a page under way does not hold it up
        serving.join()


def _answers(listening: socket.socket, prefix: str) -> bool:
    """Whether the desk answers a request, whatever it says: a page that tells that the database is gone is an answer."""
    address, port = listening.getsockname()[:2]
    reached = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(address, address)  # noqa: S104  # every address is not one to ask at
    page = HTTPConnection(reached, port, timeout=ANSWER_SECONDS)
    try:
        page.request("GET", f"{prefix}/livez")
        return page.getresponse().status > 0
    except (OSError, HTTPException):
        return False
    finally:
        page.close()


def _listening(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        raise Refusal(f"Không mở được cổng {port} trên {host} ({error.strerror}); chọn cổng khác bằng --port.") from error


def _prefix(root_path: str) -> str:
    prefix = root_path.rstrip("/")
    if not re.fullmatch(r"(/[A-Za-z0-9._~-]+)*", prefix):
        raise Refusal(f"--root-path {root_path!r} không hợp lệ: viết như /ba-khong.")
    return prefix


def _require_address(proxy: str) -> None:
    try:
        ipaddress.ip_network(proxy, strict=False)
    except ValueError as error:
        raise Refusal(f"--proxy {proxy!r} không phải địa chỉ mạng: viết như 10.0.0.5 hoặc 10.0.0.0/24.") from error


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
