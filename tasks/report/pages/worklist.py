"""What waits for a steward."""

from __future__ import annotations

from tasks.ask.overview import Overview
from tasks.report.rendering import Page


def worklist(overview: Overview) -> Page:
    """Deliveries refused, rows set aside, values held back."""
    content = {
        "run": overview.run,
        "senders": overview.senders,
        "refused": overview.refused,
        "items": [one for one in overview.items if not one.is_delivery and one.status == "open"],
        "refused_items": {one.delivery_id: one for one in overview.items if one.is_delivery},
        "writable": sorted({one.source for one in overview.items if one.status in ("open", "rejected")}),
        "by_status": overview.by_status,
        "waiting": overview.waiting,
        "held_back": overview.held_back,
    }
    return Page("viec-can-lam", "worklist.html", content)
