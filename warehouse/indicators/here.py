"""Indicators as the installation counts them: a province in its facts, the whole country in what its provinces signed."""

from __future__ import annotations

from sqlalchemy import Connection

from warehouse.indicators import Indicator
from warehouse.seed import is_country


def counted_here(connection: Connection, indicator: Indicator) -> Indicator:
    """The indicator itself; in the country, counted in the rows of editions that tell of it."""
    if not is_country(connection):
        return indicator
    return indicator.model_copy(update={"fact": "edition", "numerator": indicator.code, "denominator": indicator.code})
