"""`bakhong superset …`: the warehouse's dashboards for Apache Superset."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from desk import terminal
from warehouse.database import read_warehouse, url
from warehouse.settings import Refusal, Settings

superset = typer.Typer(no_args_is_help=True, help="Bảng điều khiển cho Apache Superset.")


@superset.callback()
def _superset() -> None:
    """A command of its own, though there is one only."""


@superset.command("bundle")
def bundle_command(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Tệp .zip sẽ ghi.")] = Path("bakhong-superset.zip"),
    public: Annotated[bool, typer.Option("--public", help="Cho người ngoài: chỉ các khung nhìn không có số đếm nhỏ.")] = False,
) -> None:
    """Ghi tệp .zip để nhập vào Superset: kết nối, tập dữ liệu, biểu đồ, bảng điều khiển của tỉnh, huyện, xã."""
    from tasks.report.superset.bundle import bundle  # noqa: PLC0415

    settings = Settings.from_environment(reading=True)
    with read_warehouse(settings) as engine, engine.connect() as connection:
        written = bundle(connection, url(settings), is_public=public)
    try:
        file.write_bytes(written)
    except OSError as error:
        raise Refusal(f"Không ghi được {file} ({error.strerror}).") from error
    terminal.say(f"Đã ghi {file}: nhập ở Superset, Dashboards ▸ Import; khi được hỏi thì nhập mật khẩu của bakhong_reader.")
