"""All rows set aside, page by page, to search in: a file of many thousands is not shown at once."""

from __future__ import annotations

from urllib.parse import urlencode

from desk.web.access import Asked
from tasks.ask.overview import Overview
from tasks.ask.to_do import Which, count_set_aside, rows_set_aside
from tasks.report.rendering import Page
from tasks.words.vietnamese import QUARANTINE_STATUS

SHOWN = 100
"""Rows on a page."""


def rows_page(asked: Asked) -> Page:
    """Those that the address asks for: `quy-tac`, `lan-gui`, `tinh-trang`, `tim`, and `trang`, the number of the page."""
    words = {name: asked.asked_for(name) for name in ("quy-tac", "lan-gui", "tinh-trang", "tim")}
    number = _number(asked.asked_for("trang")) or 1
    with asked.reading() as connection:
        overview = Overview(connection, asked.scope(connection))
        which = Which(
            overview.scope,
            delivery_id=_number(words["lan-gui"]),
            rule_code=words["quy-tac"].upper() or None,
            status=words["tinh-trang"] if words["tinh-trang"] in QUARANTINE_STATUS else None,
            words=words["tim"] or None,
        )
        found = count_set_aside(connection, which)
        last = max(1, -(-found // SHOWN))
        number = min(number, last)
        content = {
            "asked": words,
            "found": found,
            "rows": rows_set_aside(connection, which, SHOWN, (number - 1) * SHOWN),
            "senders": overview.senders,
            "number": number,
            "last": last,
            "page_at": lambda other: "dong?" + urlencode({**{name: word for name, word in words.items() if word}, "trang": other}),
        }
    return Page("dong", "rows.html", content)


def _number(words: str) -> int | None:
    return int(words) if words.isascii() and words.isdigit() and len(words) < 10 else None
