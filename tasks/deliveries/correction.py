"""A cell that its supplier put right in a letter."""

from __future__ import annotations

from typing import NamedTuple


class Correction(NamedTuple):
    """A cell of a delivery, and what it ought to say."""

    correction_id: int
    row_number: int
    column_name: str
    """As the file names it."""
    value: str
