"""`bakhong watch`: the dead man's side. Whoever started a night cannot tell that none was started, or that it died."""

from __future__ import annotations

from datetime import datetime

import typer

from desk import terminal
from flows.logs import log_to_stderr
from tasks.words import vietnamese as vi
from warehouse.database import watch_warehouse
from warehouse.settings import Refusal, Settings, secret


def watch() -> None:
    """Lượt đêm có diễn ra và đi đến cùng không; không thì báo cho BAKHONG_MESSAGE_TO, mỗi việc một lần, và mã thoát là 1."""
    from dataclasses import replace  # noqa: PLC0415

    from flows.health import tell_troubles, troubles  # noqa: PLC0415  # what else only nights need
    from tasks.report.message import check_address  # noqa: PLC0415

    settings = Settings.from_environment(reading=True)
    settings = replace(settings, message_secret=secret("BAKHONG_MESSAGE_SECRET"))
    check_address(settings.message_to)
    log_to_stderr(settings)
    with watch_warehouse(settings) as engine:
        found = troubles(engine, datetime.now(vi.VIETNAM))
        untold = tell_troubles(engine, settings, found)
    for trouble in found:
        terminal.complain(trouble.words)
    if untold:
        raise Refusal(untold[0])
    if found:
        raise typer.Exit(1)
    terminal.say("Lượt đêm diễn ra bình thường.")
