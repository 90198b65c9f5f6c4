"""The official tables of the one-stop-shop as a workbook shows them: form 06a of the unit it is of, and the scores of 766 of its units."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from tasks.ask.official_table import Line, Unit, find_unit
from tasks.ask.scope import Scope
from tasks.ask.score_card import COUNTED_BY
from tasks.ask.score_table import ScoreLine, score_table
from tasks.report.form_06a_public import is_for
from tasks.report.form_06a_sheet import Row, rows_of


@dataclass(frozen=True)
class OneStopShop:
    """The official tables of the one-stop-shop: form 06a of a unit, and the scores of 766 of its units by who counted."""

    unit: Unit
    form: list[Row]
    scores: dict[str, list[ScoreLine]]

    def seen_by(self, scope: Scope, period: str) -> OneStopShop:
        """The same as somebody may see it: without a form that is not for them."""
        return self if is_for(scope, self.unit, period) else replace(self, form=[])


def one_stop_shop(connection: Connection, lines: Sequence[Line], period: str) -> OneStopShop | None:
    """The one-stop-shop's tables of the province whose values stand in the workbook; nothing before it has any dossier."""
    province = next((line.unit_code for line in lines if line.unit_level == "province"), None)
    return None if province is None else _of(connection, find_unit(connection, province, period), period)


def of_unit(connection: Connection, unit: Unit, codes: frozenset[str], period: str) -> OneStopShop | None:
    """Those of one unit, with the scores of units of some codes alone."""
    return _of(connection, unit, period, codes)


def _of(connection: Connection, unit: Unit, period: str, codes: frozenset[str] | None = None) -> OneStopShop | None:
    form = rows_of(connection, unit, period)
    scores = {
        counted_by: found
        for counted_by in COUNTED_BY
        if (found := [line for line in score_table(connection, period, counted_by) if codes is None or line.code in codes])
    }
    return OneStopShop(unit, form, scores) if form else None
