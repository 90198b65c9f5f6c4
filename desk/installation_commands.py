"""`bakhong init`, `bakhong doctor`, `bakhong --version`: an installation from its first day on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from desk import terminal
from desk.script import answer
from warehouse.settings import Settings


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Thư mục cài đặt; chưa có thì được lập.")],
    province: Annotated[
        list[str] | None, typer.Option("--province", metavar="CODE", help="Mã tỉnh mà nơi này báo cáo, như 38; lặp lại được.")
    ] = None,
    of_country: Annotated[bool, typer.Option("--country", help="Của cả nước: nhận số liệu các tỉnh đã ký (docs/country.md).")] = False,
) -> None:
    """Lập một nơi cài đặt: .env, sources.yaml, prefect.yaml, hộp nhận tệp còn trống. Tệp nào đã có thì giữ nguyên."""
    from desk.installation.init import lay_down  # noqa: PLC0415

    done = lay_down(folder, province or [], of_country=of_country)
    for name in done.kept:
        terminal.complain(f"Đã có, giữ nguyên: {done.folder / name}")
    if done.written:
        terminal.where({"Đã lập": done.folder, "gồm": ", ".join([*done.written, "inbox/"])})
    terminal.say(f"Việc tiếp theo: cd {done.folder}; sửa sources.yaml, .env; rồi gõ bakhong doctor.")


def doctor(as_json: Annotated[bool, typer.Option("--json", help="Trả lời bằng JSON, cho chương trình khác đọc.")] = False) -> None:
    """Xem một lượt đêm có đủ mọi thứ nó cần chưa, và phải làm gì; chỉ xem, không sửa và không gửi gì."""
    from desk.installation.checks import all_of, secrets  # noqa: PLC0415  # httpx and the like, which no other command needs
    from desk.installation.doctor import examine  # noqa: PLC0415

    settings = Settings.from_environment(reading=True)
    findings = examine(all_of(settings), secrets(settings))
    if as_json:
        answer(findings=findings)
    else:
        terminal.finding_table(findings)
    if any(finding.state == "to_do" for finding in findings):
        raise typer.Exit(1)


def _tell_version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version as version_of  # noqa: PLC0415

        from warehouse.migrations.steps import newest_revision  # noqa: PLC0415

        typer.echo(f"bakhong {version_of('bakhong')} (kho: bản {newest_revision()})")
        raise typer.Exit


def version(
    _: Annotated[
        bool, typer.Option("--version", callback=_tell_version, is_eager=True, help="Phiên bản của chương trình, và bản kho mà nó dùng.")
    ] = False,
) -> None:
    """What every command is asked before it is run."""
