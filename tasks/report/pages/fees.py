"""Fees paid online beside the dossiers that say so."""

from __future__ import annotations

from datetime import datetime

from tasks.ask.fees import Fees
from tasks.report.rendering import Page

LISTED = "doi-soat-phi.csv"
"""The file with all rows that differ."""


def fees_page(shown: Fees, as_of: datetime) -> Page:
    """By month, by unit, and the first rows that differ."""
    return Page("doi-soat-phi", "fees.html", {"fees": shown, "as_of": as_of, "listed": LISTED})
