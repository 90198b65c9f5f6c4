"""`bakhong open-data …`: editions as folders that others can take, written on request, and a folder checked."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from desk import terminal
from tasks.ask.official_table import meant_period
from warehouse.database import read_warehouse
from warehouse.settings import Refusal, Settings


class _OrWrite(TyperGroup):
    """Commands of which `write` need not be said: `bakhong open-data 2024`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """The words of the command line, with what need not be said."""
        return super().parse_args(ctx, args if args and args[0] in (*self.commands, "--help") else ["write", *args])


open_data = typer.Typer(cls=_OrWrite, help="Dữ liệu mở: mỗi bản số liệu là một thư mục để người khác lấy; ghi, kiểm tra.")


@open_data.command("write")
def write(
    period: Annotated[
        str | None, typer.Argument(metavar="[PERIOD]", help="Kỳ: bản ký sau cùng của kỳ. Không có kỳ: mọi bản ký chưa có thư mục.")
    ] = None,
    to: Annotated[Path | None, typer.Option("--to", metavar="DIR", help="Ghi vào thư mục này, chưa có hoặc còn trống.")] = None,
    provisional: Annotated[bool, typer.Option("--provisional", help="Số đang công bố của kỳ, chưa ký, ghi rõ là tạm tính.")] = False,
) -> None:
    """Ghi thư mục dữ liệu mở (không cần viết chữ write): bakhong open-data 2024."""
    from tasks.ask.releases import signed  # noqa: PLC0415  # only who writes needs what follows
    from tasks.open_data import shelf  # noqa: PLC0415
    from tasks.open_data.declaration import read_open_data  # noqa: PLC0415
    from tasks.open_data.edition import provisional_edition, signed_edition  # noqa: PLC0415
    from tasks.open_data.files import files_of  # noqa: PLC0415

    settings = Settings.from_environment(reading=True)
    declared = read_open_data(settings.sources)
    if period is None and (to or provisional):
        raise Refusal("--to và --provisional cần một kỳ: bakhong open-data 2024 --provisional.")
    if to is not None and to.exists() and (not to.is_dir() or any(to.iterdir())):
        raise Refusal(f"Không ghi vào {to}: cần một thư mục chưa có hoặc còn trống.")
    with read_warehouse(settings) as engine, engine.connect() as connection:
        if period is None:
            written = shelf.write_missing(connection, settings.home, declared)
            terminal.where({f"Đã ghi {place.parent.name}/{place.name}": place for place in written})
            terminal.where({"Dữ liệu mở": shelf.shelf_of(settings.home)})
            return
        meant = meant_period(period)
        found = None if provisional else next(iter(signed(connection, meant)), None)
        if found is None and not provisional:
            raise Refusal(f"Chưa có bản ký nào của {meant}: bakhong release {meant}, hoặc thêm --provisional.")
        edition = provisional_edition(connection, meant) if found is None else signed_edition(connection, found)
        if to is not None:
            shelf.write_folder(files_of(edition, declared), to)
        else:
            to = shelf.put(edition, declared, shelf.shelf_of(settings.home))
            shelf.refresh(shelf.shelf_of(settings.home), declared)
    terminal.where({"Dữ liệu mở": to.absolute()})
    terminal.say(f"Trích dẫn: {edition.citation}")


@open_data.command("check")
def check_folder(folder: Annotated[Path, typer.Argument(metavar="DIR", help="Thư mục của một bản số liệu.")]) -> None:
    """Kiểm tra một thư mục: mọi tệp đúng mã kiểm tra và bản mô tả, các giá trị đúng mã trong lời trích dẫn."""
    from tasks.deliveries.edition_folder import Damaged, check  # noqa: PLC0415

    try:
        descriptor = check(folder)
    except Damaged as damaged:
        terminal.complain(str(damaged))
        raise typer.Exit(1) from damaged
    terminal.say(f"Đúng từng tệp. {descriptor['edition']['citation']}")
