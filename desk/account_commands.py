"""`bakhong account …`: who may use the desk. Whoever may open the warehouse as a steward makes the accounts."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Literal

import typer
from sqlalchemy import Connection

from desk import accounts, terminal
from tasks.words import vietnamese as vi
from warehouse.database import read_warehouse
from warehouse.settings import Refusal, Settings

account = typer.Typer(no_args_is_help=True, help="Tài khoản của trang kiểm soát (bakhong serve).")

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="Tên đăng nhập: chữ thường không dấu, số, dấu . - _")]


@account.command()
def add(
    name: NameArgument,
    role: Annotated[
        Literal["viewer", "steward", "approver"],
        typer.Option("--role", help="viewer: xem; steward: cả quyết định về dữ liệu; approver: cả duyệt công bố."),
    ] = "viewer",
    shown: Annotated[str, typer.Option("--shown", help="Họ tên hiển thị, ví dụ “Lê Thị Lan”.")] = "",
    unit: Annotated[
        str | None, typer.Option("--unit", metavar="CODE", help="Chỉ thấy và làm với đơn vị mang mã này và các đơn vị bên dưới.")
    ] = None,
) -> None:
    """Lập một tài khoản; mật khẩu được hỏi, hoặc đọc từ dòng đầu của stdin."""
    given = _password()
    with _changing() as connection:
        accounts.add(connection, name, shown or name, role, given, unit, getpass.getuser())
    terminal.say(f"Đã lập tài khoản {name} ({accounts.ROLES[role]}).")


@account.command("list")
def list_accounts() -> None:
    """Các tài khoản."""
    with _changing() as connection:
        found = accounts.every(connection)
    terminal.account_table(found, accounts.ROLES)


@account.command()
def password(name: NameArgument) -> None:
    """Đặt mật khẩu khác; mọi phiên đăng nhập của tài khoản kết thúc."""
    given = _password()
    with _changing() as connection:
        accounts.set_password(connection, name, given, getpass.getuser())
    terminal.say(f"Đã đặt mật khẩu mới cho {name}; các phiên đăng nhập cũ đã kết thúc.")


@account.command()
def disable(
    name: NameArgument,
    undo: Annotated[bool, typer.Option("--undo", help="Mở lại tài khoản.")] = False,
) -> None:
    """Khóa một tài khoản; mọi phiên đăng nhập của nó kết thúc ngay."""
    with _changing() as connection:
        accounts.disable(connection, name, getpass.getuser(), undone=undo)
    terminal.say(f"Tài khoản {name} {'đã mở lại' if undo else 'đã khóa'}.")


@account.command()
def sessions(
    name: NameArgument,
    revoke: Annotated[bool, typer.Option("--revoke", help="Kết thúc các phiên đó.")] = False,
) -> None:
    """Các phiên đăng nhập còn mở của một tài khoản."""
    with _changing() as connection:
        if revoke:
            ended = accounts.revoke_sessions(connection, name, getpass.getuser())
            terminal.say(f"Đã kết thúc {vi.number(ended)} phiên đăng nhập của {name}.")
            return
        found = [row for row in accounts.every(connection) if row.account_name == name]
    if not found:
        raise Refusal(f"Không có tài khoản {name!r}.")
    terminal.say(f"{name}: {vi.number(found[0].sessions)} phiên đang mở, lần cuối {vi.moment(found[0].last_seen_at)}.")


@contextmanager
def _changing() -> Iterator[Connection]:
    with read_warehouse(Settings.from_environment(reading=True)) as engine, engine.begin() as connection:
        yield connection


def _password() -> str:
    """Asked for twice at a terminal, without echo; else the first line that is given."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    given = getpass.getpass("Mật khẩu: ")
    if getpass.getpass("Nhập lại: ") != given:
        raise Refusal("Hai lần nhập khác nhau; chưa đổi gì.")
    return given
