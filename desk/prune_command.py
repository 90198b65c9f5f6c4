"""`bakhong prune`: what has been kept for long enough goes."""

from __future__ import annotations

import getpass
from datetime import datetime
from typing import Annotated

import typer

from desk import terminal
from desk.prefect_server import quiet
from desk.script import answer
from flows.progress import tell
from flows.stopping import stoppable
from tasks.words import vietnamese as vi
from tasks.words.vietnamese import VIETNAM
from warehouse.database import open_warehouse
from warehouse.settings import Settings


def prune(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Chỉ xem mỗi quy tắc sẽ bỏ gì và giải phóng bao nhiêu; không đổi gì.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Trả lời bằng JSON, cho chương trình khác đọc.")] = False,
) -> None:
    """Nén và bỏ những gì đã giữ đủ lâu theo quy tắc, trừ những gì còn có thứ dựa vào (docs/retention.md)."""
    settings = Settings.from_environment()
    quiet(settings.home)
    from flows.prefect_history import old_runs  # noqa: PLC0415  # what only this command needs
    from tasks.keep.prune import prune as let_go  # noqa: PLC0415

    stands = "Những gì đã nén, đã bỏ thì xong; phần còn lại vẫn nguyên, chạy lại sẽ làm tiếp."
    with stoppable(lambda: stands), terminal.progress(), open_warehouse(settings) as engine:
        lines = let_go(engine, settings, datetime.now(VIETNAM), getpass.getuser(), tell, tries=dry_run, others=(old_runs,))
    if as_json:
        answer(dry_run=dry_run, lines=lines)
        return
    terminal.retention_table(lines, is_foreseen=dry_run)
    freed = vi.number(sum(line.bytes for line in lines) // 1000)
    terminal.say(f"Sẽ giải phóng {freed} KB; chưa đổi gì." if dry_run else f"Đã giải phóng {freed} KB.")
