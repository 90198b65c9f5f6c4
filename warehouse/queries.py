"""Queries that are put together from declared parts, and so name only some of the values that they may."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, CursorResult, text


def execute_with(connection: Connection, query: str, values: Mapping[str, Any]) -> CursorResult[Any]:
    """Runs a query with those of some values that it names."""
    wanted = text(query)
    named = wanted.compile().params
    return connection.execute(wanted, {name: value for name, value in values.items() if name in named})
