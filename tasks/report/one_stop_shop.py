"""The official tables of the one-stop-shop as a workbook shows them: form 06a of the province, and the scores of 766 of all units."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from tasks.ask.official_table import Line, Unit, find_unit
from tasks.ask.score_card import COUNTED_BY
from tasks.ask.score_table import ScoreLine, score_table
from tasks.report.form_06a_sheet import Row, rows_of


@dataclass(frozen=True)
class OneStopShop:
    """The official tables of the one-stop-shop for a province: form 06a, and the scores of 766 of all its units by who counted."""

    unit: Unit
    form: list[Row]
    scores: dict[str, list[ScoreLine]]


def one_stop_shop(connection: Connection, lines: Sequence[Line], year: str) -> OneStopShop | None:
    """The one-stop-shop's tables of the province whose values stand in the workbook; nothing before it has any dossier."""
    province = next((line.unit_code for line in lines if line.unit_level == "province"), None)
    if province is None:
        return None
    unit = find_unit(connection, province, year)
    form = rows_of(connection, unit, year)
    scores = {counted_by: found for counted_by in COUNTED_BY if (found := score_table(connection, year, counted_by))}
    return OneStopShop(unit, form, scores) if form else None
