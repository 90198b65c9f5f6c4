"""The score of decision 766 of one department or unit: groups and components beside the period before, total and rank."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Row, text

from tasks.ask.official_table import Unit, check_period, find_unit
from tasks.ask.scope import Scope
from tasks.ask.score_table import ScoreLine, score_table
from tasks.words import vietnamese as vi
from warehouse import periods
from warehouse.scores.rules_766 import rules_on
from warehouse.settings import Refusal

COUNTED_BY = {"pipeline": "từng hồ sơ trong kho", "portal": "số đếm của Cổng Dịch vụ công quốc gia"}

_LINES = """
SELECT s.group_code, s.component_code, s.numerator, s.denominator, s.ratio, s.score, s.max_score, s.obs_status, s.score - b.score AS change
FROM mart.score_766 s
LEFT JOIN mart.score_766 b ON b.period = :before AND b.counted_by = s.counted_by
    AND b.department_code IS NOT DISTINCT FROM s.department_code
    AND (b.unit_code, b.unit_valid_from, b.group_code) = (s.unit_code, s.unit_valid_from, s.group_code)
    AND b.component_code IS NOT DISTINCT FROM s.component_code
WHERE s.period = :period AND s.counted_by = :counted_by AND (s.department_code = :code
    OR s.department_code IS NULL AND s.unit_code = :code AND s.unit_valid_from = :valid_from)
"""


@dataclass(frozen=True)
class CardLine:
    """One group or component: what was counted and the points it earned."""

    group_code: str
    component_code: str | None
    """Nothing for the group's total."""
    name: str
    numerator: int | None
    denominator: int | None
    ratio: Decimal | None
    score: Decimal | None
    max_score: Decimal | None
    obs_status: str
    change: Decimal | None
    """Points against the period before; nothing where that has none."""
    is_held_at_maximum: bool = False
    """Its share would earn more than the maximum, and the portal leaves open whether it may."""


@dataclass(frozen=True)
class Card:
    """The whole score of one department or unit in a period."""

    period: str
    counted_by: str
    lines: list[CardLine]
    """Group by group, each group's total before its components; groups without any count are there, with nothing in them."""
    total: ScoreLine
    others: str = ""
    """Which other units bore the code in the period, and how to ask for them (`Unit.others`)."""


def score_card(connection: Connection, wanted: str, period: str, counted_by: str | None = None) -> Card:
    """The score of a unit, or of a department by its code on the portal; Refusal in one line where there is none."""
    check_period(period)
    code, valid_from, counted_by, others = _meant(connection, wanted, period, counted_by)
    found = _card(connection, code, valid_from, period, counted_by)
    if found is None:
        raise Refusal(f"Chưa có chỉ số 766 của {wanted} cho kỳ {period} tính từ {COUNTED_BY[counted_by]}. {others}".strip())
    return replace(found, others=others)


def score_cards(connection: Connection, unit: Unit, period: str, scope: Scope) -> list[Card]:
    """All scores of a unit: counted from its dossiers, then those of its departments on the portal; none where there are none.

    For the public without components: the counts of one may be small, and its points beside those of the others tell them.
    """
    of_departments = [_card(connection, code, None, period, "portal") for code in _departments(connection, unit, period)]
    found = [card for card in (_card(connection, unit.code, unit.valid_from, period, "pipeline"), *of_departments) if card is not None]
    if not scope.is_public:
        return found
    return [replace(card, lines=[line for line in card.lines if line.component_code is None]) for card in found]


def _card(connection: Connection, code: str, valid_from: date | None, period: str, counted_by: str) -> Card | None:
    """The score under a code; `valid_from`: which version of a unit, nothing for a department."""
    table = score_table(connection, period, counted_by)
    total = next((line for line in table if line.code == code and valid_from in (None, line.unit_valid_from)), None)
    if total is None:
        return None
    meant = {"code": code, "valid_from": valid_from, "period": period, "before": total.period_before, "counted_by": counted_by}
    return Card(period, counted_by, _in_order(period, connection.execute(text(_LINES), meant).all()), total)


def _meant(connection: Connection, wanted: str, period: str, counted_by: str | None) -> tuple[str, date | None, str, str]:
    """Code, version of the unit (nothing for a department), who counted, and which other units bore the code."""
    code = wanted.strip().upper()
    if re.fullmatch(r"[A-Z]\d{2}(?:\.\d+)*", code):
        if counted_by == "pipeline":
            raise Refusal(f"{code} là mã trên Cổng Dịch vụ công; kho chỉ tính từ hồ sơ cho đơn vị hành chính. Bỏ --counted-by pipeline.")
        return code, None, "portal", ""
    unit = find_unit(connection, wanted, period)
    if counted_by != "portal":
        return unit.code, unit.valid_from, "pipeline", unit.others
    departments = _departments(connection, unit, period)
    if not departments:
        raise Refusal(f"Cổng chưa có số của {unit.title} cho {vi.in_text(period)}.")
    if len(departments) > 1:
        raise Refusal(f"Trên Cổng có nhiều cơ quan của {unit.title}; hãy dùng mã: {', '.join(departments)}.")
    return departments[0], None, "portal", ""


def _departments(connection: Connection, unit: Unit, period: str) -> Sequence[str]:
    """Codes of a unit's departments of which the portal has counts."""
    return connection.scalars(
        text(
            "SELECT DISTINCT department_code FROM mart.score_766 WHERE counted_by = 'portal' AND period = :period "
            "AND unit_code = :code AND unit_valid_from = :valid_from ORDER BY 1"
        ),
        {"period": period, "code": unit.code, "valid_from": unit.valid_from},
    ).all()


def _in_order(period: str, found: Sequence[Row[Any]]) -> list[CardLine]:
    rules = rules_on(periods.days(period)[0])
    by_code: dict[tuple[str, str | None], tuple[Any, ...]] = {(row.group_code, row.component_code): tuple(row)[2:] for row in found}
    empty = (None, None, None, None, None, "L", None)
    lines = []
    for group_code, group in rules.groups.items():
        lines.append(CardLine(group_code, None, group.name_vi, *by_code.get((group_code, None), empty)))
        for code, component in group.components.items():
            if (group_code, code) in by_code:
                line = CardLine(group_code, code, component.name_vi, *by_code[group_code, code])
                above = line.numerator is not None and 100 * line.numerator > component.full_at * (line.denominator or 0)
                held = component.cap == "open" and above and line.score == component.max
                lines.append(replace(line, is_held_at_maximum=held))
    return lines
