"""`bakhong worker`, a service of its own; `bakhong alert`, what systemd calls where a unit failed, and so could not tell of it itself."""

from __future__ import annotations

import os
import re
import socket
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from desk import terminal
from tasks.words import vietnamese as vi
from warehouse.settings import Refusal, Settings, read_dotenv, secret

AGAIN = timedelta(hours=6)
"""So long after an alert nothing is told of the same unit."""

UNITS = {
    "bakhong-watch": "không xem được lượt đêm có chạy không, hoặc không báo được",
    "bakhong-prune": "chưa nén, chưa bỏ được những gì đã giữ đủ lâu",
    "bakhong-serve": "trang kiểm soát đã dừng",
    "bakhong-prefect": "máy chủ Prefect đã dừng",
    "bakhong-worker": "worker của Prefect đã dừng, đêm tới sẽ không chạy",
}
"""What it means to people that a unit failed."""

RESULTS = {
    "exit-code": "kết thúc với mã {status}",
    "signal": "bị ngắt bởi tín hiệu {status}",
    "core-dump": "bị ngắt bởi tín hiệu {status}",
    "timeout": "quá thời gian cho phép",
    "watchdog": "không còn trả lời",
    "oom-kill": "máy hết bộ nhớ",
    "start-limit-hit": "khởi động lại nhiều lần không được",
}
"""How it ended, by the word of systemd."""


def worker(
    check: Annotated[
        bool, typer.Option("--check", help="Chỉ hỏi máy chủ Prefect: đêm tới có trong lịch không, có worker nào trực không; không: mã 2.")
    ] = False,
) -> None:
    """Đưa lịch trong prefect.yaml lên máy chủ Prefect rồi chạy các lượt đến giờ, cho đến khi bấm Ctrl-C."""
    if check:
        terminal.say(_planned())
    else:
        from desk.prefect_worker import work  # noqa: PLC0415

        work(Settings.from_environment())


def _planned() -> str:
    """The next night, in words; Refusal where nobody would carry it out."""
    from desk.installation.checks import schedule  # noqa: PLC0415

    Settings.from_environment(reading=True)  # where the server is, `.env` says
    found = list(schedule())
    if wrong := [f"{one.about}: {one.found}" for one in found if one.state == "to_do"]:
        raise Refusal("; ".join(wrong) + ".")
    return "; ".join(f"{one.about}: {one.found}" for one in found)


def alert(
    unit: Annotated[str, typer.Argument(metavar="UNIT", help="Tên đơn vị của systemd, như bakhong-nightly.")],
) -> None:
    """Báo cho BAKHONG_MESSAGE_TO rằng một dịch vụ đã hỏng; dành cho OnFailure= của systemd (docs/systemd.md)."""
    from tasks.report.message import check_address, send  # noqa: PLC0415  # mail is sent by few commands

    if not re.fullmatch(r"[\w@.:-]+", unit):
        raise Refusal(f"Tên đơn vị {unit!r} không hợp lệ: viết như bakhong-nightly.")
    read_dotenv(Path(".env"))  # and nothing more of the settings, which may be what is wrong
    if not (address := os.environ.get("BAKHONG_MESSAGE_TO")):
        raise Refusal(f"{_meaning(unit)}: không báo cho ai được, chưa đặt BAKHONG_MESSAGE_TO.")
    check_address(address)
    told = Path(os.environ.get("BAKHONG_HOME") or ".bakhong").expanduser() / "alerts" / unit
    if told.exists() and time.time() - told.stat().st_mtime < AGAIN.total_seconds():
        terminal.say(f"{_meaning(unit)}: đã báo lúc {vi.moment(datetime.fromtimestamp(told.stat().st_mtime, vi.VIETNAM))}.")
        return
    lines = [
        f"{_meaning(unit)}{_ending()}.",
        f"Máy {socket.gethostname()}. Xem: journalctl -u {unit} -n 50; bakhong status; bakhong doctor",
    ]
    if desk := os.environ.get("BAKHONG_DESK_URL"):
        lines += ["", f"Trang kiểm soát: {desk}"]
    if why := send(address, secret("BAKHONG_MESSAGE_SECRET"), f"Ba Không: {UNITS.get(unit, f'{unit} đã hỏng')}", "\n".join(lines)):
        raise Refusal(f"{_meaning(unit)}: không gửi được tin báo ({why}).")
    told.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    told.touch()
    terminal.say(f"Đã báo: {lines[0]}")


def _meaning(unit: str) -> str:
    return f"{UNITS[unit][0].upper()}{UNITS[unit][1:]} ({unit})" if unit in UNITS else f"{unit} đã hỏng"


def _ending() -> str:
    """How the unit ended, as systemd tells whoever it calls because of that; nothing where somebody else calls."""
    result = os.environ.get("MONITOR_SERVICE_RESULT", "")
    words = RESULTS.get(result, result).format(status=os.environ.get("MONITOR_EXIT_STATUS", "?"))
    return f": {words}" if words else ""
