"""Whether all is well with an installation, asked of the warehouse and of whoever starts the nights; and the message of what is not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from flows.planned import planned
from tasks.ask.health import CAUSE, Trouble, of_nights
from tasks.deliveries.run_lock import in_one_line
from tasks.report.message import send_list, tell_news
from tasks.words import vietnamese as vi
from warehouse.settings import Refusal, Settings
from warehouse.standing import shortfall

SECONDS = 10
"""How long the warehouse may take to answer."""


def troubles(engine: Engine, now: datetime) -> list[Trouble]:
    """Why the nights are not well, or may not come; nothing where all is well."""
    return [*of_warehouse(engine, now), *of_schedule()]


def of_warehouse(engine: Engine, now: datetime) -> list[Trouble]:
    """Whether the database answers, is of this version, and what it says of the nights."""
    try:
        with engine.begin() as connection:
            connection.execute(text(f"SET LOCAL statement_timeout = '{SECONDS}s'"))
            if missing := shortfall(connection):
                return [Trouble("schema", missing)]
            return of_nights(connection, now)
    except DBAPIError as error:
        return [Trouble("database", f"Kho số liệu không trả lời: {in_one_line(error)}")]


def of_schedule() -> list[Trouble]:
    """Whether Prefect has a night to come, where it is who starts them."""
    try:
        plan = planned()
    except Refusal as refusal:
        return [Trouble("unplanned", str(refusal))]
    if plan is None:
        return []
    if plan.next_night is None:
        return [Trouble("unplanned", "Prefect không xếp lượt đêm nào sắp tới: bakhong doctor cho biết vì sao.")]
    if plan.is_overdue:
        words = f"Lượt đêm đến giờ từ {vi.moment(plan.next_night)} mà chưa ai chạy: xem worker của Prefect."
        return [Trouble("unplanned", words)]
    return []


def tell_troubles(engine: Engine, settings: Settings, found: list[Trouble]) -> list[str]:
    """Tells once of each trouble, and returns why it could not, in one line, where it could not.

    What was told is kept in the warehouse; that it does not answer, in a file beside it.
    """
    down = settings.home / "told-that-the-warehouse-does-not-answer"
    if any(trouble.kind in ("database", "schema") for trouble in found):
        return _tell_beside(settings, down, found)
    down.unlink(missing_ok=True)
    return tell_news(engine, settings, None, [(trouble.cause, trouble.words) for trouble in found], among=CAUSE)


@contextmanager
def telling_troubles(engine: Engine, settings: Settings) -> Iterator[None]:
    """Tells, before a night, of what the one before it could not tell itself; and of the night, where it breaks."""
    before = troubles(engine, datetime.now(vi.VIETNAM))
    tell_troubles(engine, settings, [trouble for trouble in before if trouble.kind != "never"])
    try:
        yield
    except Exception:
        tell_troubles(engine, settings, troubles(engine, datetime.now(vi.VIETNAM)))
        raise


def _tell_beside(settings: Settings, mark: Path, found: list[Trouble]) -> list[str]:
    if settings.message_to is None or mark.exists():
        return []
    why = send_list(settings, vi.moment(datetime.now(vi.VIETNAM)), [trouble.words for trouble in found])
    if why:
        return [f"Không gửi được tin báo ({why})."]
    mark.touch(mode=0o600)
    return []
