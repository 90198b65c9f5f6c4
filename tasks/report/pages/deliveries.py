"""One delivery: what came, what became of its rows, which rules it broke, which rows were set aside."""

from __future__ import annotations

from sqlalchemy import text

from tasks.ask import questions, to_do
from tasks.ask.overview import Overview
from tasks.report.pages.docs import docs_of
from tasks.report.rendering import Page

ROWS_SHOWN = 200
"""Rows set aside that are listed."""

TOLD_OF = """
SELECT delivery_id FROM ops.delivery WHERE status <> 'landed'
ORDER BY status = 'rejected' DESC,
    EXISTS (SELECT FROM ops.quarantine q WHERE q.delivery_id = delivery.delivery_id AND q.status = 'open') DESC,
    loaded_at DESC, delivery_id DESC LIMIT :most
"""


def delivery(overview: Overview, delivery_id: int) -> Page | None:
    """One delivery; nothing where there is none."""
    found = overview.connection.execute(text("SELECT * FROM ops.delivery WHERE delivery_id = :number"), {"number": delivery_id}).first()
    if found is None:
        return None
    newer = text(
        "SELECT delivery_id, file_name FROM ops.delivery WHERE supersedes = :number "
        "OR delivery_id = (SELECT corrected_by FROM ops.delivery WHERE delivery_id = :number) ORDER BY delivery_id"
    )
    is_theirs = overview.scope.sees(found.named_unit)
    rows = to_do.Which(overview.scope, delivery_id=delivery_id)
    content = {
        "delivery": found,
        "senders": overview.senders,
        "newer": overview.connection.execute(newer, {"number": delivery_id}).all(),
        "items": [one for one in overview.items if one.delivery_id == delivery_id],
        "verdicts": questions.verdicts(overview.connection, delivery_id),
        "rows": to_do.rows_set_aside(overview.connection, rows, ROWS_SHOWN) if is_theirs else [],
        "all_rows": to_do.count_set_aside(overview.connection, rows),
        "is_theirs": is_theirs,
        "docs": docs_of(overview.connection, [delivery_id]).get(delivery_id, ""),
    }
    return Page(f"lan-gui/{delivery_id}", "delivery.html", content)


def worth_a_page(overview: Overview, most: int) -> list[int]:
    """Deliveries that get a page where not all can: those refused, those with rows that wait for somebody, then the latest."""
    return list(overview.connection.scalars(text(TOLD_OF), {"most": most}))
