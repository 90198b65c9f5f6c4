"""`bakhong init`, `bakhong doctor`, `bakhong --version`: an installation from its first day on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from desk import terminal


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Thư mục cài đặt; chưa có thì được lập.")],
    province: Annotated[
        list[str] | None, typer.Option("--province", metavar="CODE", help="Mã tỉnh mà nơi này báo cáo, như 38; lặp lại được.")
    ] = None,
) -> None:
    """Lập một nơi cài đặt: .env, sources.yaml, prefect.yaml, hộp nhận tệp còn trống. Tệp nào đã có thì giữ nguyên."""
    from desk.installation.init import lay_down  # noqa: PLC0415

    done = lay_down(folder, province or [])
    for name in done.kept:
        terminal.complain(f"Đã có, giữ nguyên: {done.folder / name}")
    if done.written:
        terminal.where({"Đã lập": done.folder, "gồm": ", ".join([*done.written, "inbox/"])})
    terminal.say(f"Việc tiếp theo: cd {done.folder}; sửa sources.yaml, .env; rồi gõ bakhong doctor.")


def _tell_version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version as version_of  # noqa: PLC0415

        from warehouse.database import newest_revision  # noqa: PLC0415

        typer.echo(f"bakhong {version_of('bakhong')} (kho: bản {newest_revision()})")
        raise typer.Exit


def version(
    _: Annotated[
        bool, typer.Option("--version", callback=_tell_version, is_eager=True, help="Phiên bản của chương trình, và bản kho mà nó dùng.")
    ] = False,
) -> None:
    """What every command is asked before it is run."""
