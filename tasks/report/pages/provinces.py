"""The provinces of the country: whose edition is in, of which period, and who is missing."""

from __future__ import annotations

from datetime import datetime
from itertools import chain

from tasks.ask.overview import Overview
from tasks.ask.province_editions import lately
from tasks.report.rendering import PROVINCES, Page
from tasks.words import vietnamese as vi

KINDS = {"month": "Tháng", "quarter": "Quý", "year": "Năm"}


def provinces(overview: Overview) -> Page | None:
    """Every province by the latest periods; nothing where the installation reports for one."""
    if not overview.is_country:
        return None
    now = overview.run.as_of if overview.run is not None else datetime.now(vi.VIETNAM)
    shown = lately(overview.connection, overview.gathered, now.astimezone(vi.VIETNAM).date())
    periods = list(chain.from_iterable(shown.values()))
    standing = {state.source.provider: state for state in overview.states}
    content = {
        "kinds": [(KINDS[kind], found) for kind, found in shown.items()],
        "periods": periods,
        "latest": [next((one for one in reversed(found) if one.period in overview.gathered), found[-1]) for found in shown.values()],
        "rows": [(editions[0], editions) for editions in zip(*(one.editions for one in periods), strict=True)],
        "standing": standing,
        "late": [state for state in overview.states if state.is_late],
        "run": overview.run,
    }
    return Page(PROVINCES, "provinces.html", content)
