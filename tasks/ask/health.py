"""Whether the nights happen and end well: the one judgement of `bakhong status`, `bakhong watch` and /healthz."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, TypeAlias

from sqlalchemy import Connection, text

from tasks.ask.questions import SILENCE, last_run
from tasks.words import vietnamese as vi

Kind: TypeAlias = Literal["database", "schema", "never", "silent", "failed", "killed", "unplanned"]

IN_SHORT: dict[Kind, str] = {
    "database": "the database does not answer",
    "schema": "the schema is not the one of this version",
    "never": "no night has ever begun",
    "silent": f"no night has begun for {SILENCE // timedelta(hours=1)} hours",
    "failed": "the last run failed",
    "killed": "the last run died before its end",
    "unplanned": "Prefect has no night planned, or one that is overdue",
}
"""For anybody who asks: what names nothing of the installation."""

CAUSE = "health "
"""How causes of messages begin that are troubles."""


@dataclass(frozen=True)
class Trouble:
    """Why the nights are not well."""

    kind: Kind
    words: str
    """What is wrong and what to do, in Vietnamese, in one line."""
    about: str = ""
    """What tells it from another one of the kind, while it lasts."""

    @property
    def cause(self) -> str:
        """What a message about it is about: the same while it lasts."""
        return f"{CAUSE}{self.kind} {self.about}".rstrip()


def of_nights(connection: Connection, now: datetime) -> list[Trouble]:
    """What the ledger of the runs says: when the last night began, and how the last run ended."""
    run, found = last_run(connection), []
    if run is not None and run.status in ("failed", "killed"):
        told = f"Lượt chạy số {run.run_id} ({run.flow}), {vi.moment(run.started_at)}, {vi.RUN_STATUS[run.status]}"
        if run.status == "failed":
            about = re.sub(r"\d+", "…", run.message or "")  # numbers of runs and files are others every night
            found.append(Trouble("failed", f"{told}: {run.message}. Xem docs/after-a-failed-night.md.", about))
        else:
            step = connection.scalar(_BROKEN_STEP, {"run_id": run.run_id})
            where = f" ở bước {vi.STEP[step]}" if step in vi.STEP else ""
            figures = "số liệu của lượt đã công bố" if run.is_published else "số liệu công bố trước vẫn nguyên"
            words = (
                f"{told}{where}, dấu vết cuối {vi.moment(run.last_sign_at)}, máy {run.host}, tiến trình {run.process_id}. Những gì đã nạp "
                f"vẫn còn, {figures}: chạy bakhong nightly để làm tiếp, hoặc chờ lượt đêm sau, và xem vì sao máy hay tiến trình dừng."
            )
            found.append(Trouble("killed", words, str(run.run_id)))
    began = connection.scalar(_LAST_NIGHT)
    if began is None or now - began > SILENCE:
        last = f" (lượt đêm cuối bắt đầu {vi.moment(began)})" if began else ""
        hours = SILENCE // timedelta(hours=1)
        kind: Kind = "silent" if began else "never"
        found.append(Trouble(kind, f"Hơn {hours} giờ nay không có lượt chạy nào{last}: kiểm tra lịch chạy hằng đêm."))
    return found


_LAST_NIGHT = text("SELECT max(started_at) FROM ops.run WHERE flow = 'nightly'")
_BROKEN_STEP = text("SELECT step FROM ops.step WHERE run_id = :run_id AND finished_at IS NULL ORDER BY started_at DESC LIMIT 1")
