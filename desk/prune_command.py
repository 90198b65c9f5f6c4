"""`bakhong prune`: what has been kept for long enough goes."""

from __future__ import annotations

import getpass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

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

if TYPE_CHECKING:
    from tasks.keep.prune import Pruned


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
        answer(is_dry_run=dry_run, rules=[_as_told(line) for line in lines])
        return
    terminal.retention_table(lines, is_foreseen=dry_run)
    freed = vi.number(sum(line.bytes for line in lines) // 1000)
    terminal.say(f"Sẽ giải phóng {freed} KB; chưa đổi gì." if dry_run else f"Đã giải phóng {freed} KB.")


def _as_told(line: Pruned) -> dict[str, Any]:
    """A rule and what goes by it, for a program."""
    term = line.kept.term
    told = {"rule": line.rule, "title": line.kept.title, "kept_for": term.told, "source": term.source, "reason": term.reason}
    return told | {"files": line.files, "rows": line.rows, "bytes": line.bytes, "stays": line.stays}
