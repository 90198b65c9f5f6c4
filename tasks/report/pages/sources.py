"""The sources: how each stands; one of them with its deliveries over time and the rules that failed in them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import text

from tasks.ask.overview import Overview
from tasks.ask.questions import KnownSource
from tasks.report.charts import Bar
from tasks.report.pages.docs import docs_of
from tasks.report.rendering import Page
from tasks.words import vietnamese as vi

DELIVERIES_SHOWN = 60
"""Deliveries of a source in its chart, and in its table."""

_DELIVERIES = """
SELECT * FROM ops.delivery WHERE source = :source AND status <> 'landed' AND (CAST(:codes AS text[]) IS NULL OR named_unit = ANY(:codes))
ORDER BY exported_at DESC, delivery_id DESC LIMIT :shown
"""
_RULES = """
WITH sent AS (SELECT * FROM ops.delivery WHERE source = :source AND status <> 'landed' ORDER BY exported_at DESC LIMIT :shown)
SELECT v.rule_code, min(v.severity) AS severity, min(v.scope) AS scope, count(*) FILTER (WHERE NOT v.success) AS failed,
    count(*) AS checked, sum(v.unexpected_count) FILTER (WHERE NOT v.success AND v.scope = 'row') AS rows,
    max(sent.exported_at) FILTER (WHERE NOT v.success) AS last_failed
FROM sent JOIN ops.verdict v USING (delivery_id) WHERE v.severity <> 'info'
GROUP BY v.rule_code HAVING bool_or(NOT v.success) ORDER BY severity, failed DESC, v.rule_code
"""


def sources(overview: Overview) -> Page:
    """All sources, those first that need somebody."""
    worst = list(vi.STANDING)
    ordered = sorted(overview.states, key=lambda state: (worst.index(state.standing), -state.days_late))
    return Page("nguon", "sources.html", {"states": ordered, "run": overview.run})


def source(overview: Overview, name: str) -> Page | None:
    """One source; nothing where there is none of that name."""
    asked = {"source": name, "shown": DELIVERIES_SHOWN, "codes": overview.scope.listed}
    sent = overview.connection.execute(text(_DELIVERIES), asked).all()
    told = overview.senders.get(name)
    if told is None and not sent:
        return None
    content = {
        "source": told or KnownSource(name, sent[0].feed, sent[0].layout, sent[0].provider, "once", name, sent[0].provider),
        "state": next((state for state in overview.states if state.source.name == name), None),
        "deliveries": sent,
        "delivery_bar": delivery_bar,
        "docs": docs_of(overview.connection, [row.delivery_id for row in sent]),
        "rules": overview.connection.execute(text(_RULES), asked).all(),
        "problems": [one for one in overview.problems if one.source == name],
        "refused": [row for row in overview.refused if row.source == name],
        "open_rows": [row for row in overview.open_rows if row.source == name],
        "shown": DELIVERIES_SHOWN,
    }
    return Page(f"nguon/{name}", "source.html", content)


def delivery_bar(row: Any, link: Callable[[str], str]) -> Bar:
    """A delivery as a bar: its rows, those set aside of them, or all where it was refused."""
    received, aside = row.rows_received or 0, row.rows_quarantined or 0
    told = f"{row.file_name}, xuất {vi.day(row.exported_at)}: {vi.number(received)} dòng"
    if row.status == "rejected":
        parts, told = [("bad", max(received, 1))], f"{told}, bị từ chối"
    else:
        parts, told = [("good", received - aside), ("warn", aside)], told + (f", {vi.number(aside)} để riêng" if aside else "")
    return Bar(parts, vi.one_line(told), link(f"lan-gui/{row.delivery_id}"))
