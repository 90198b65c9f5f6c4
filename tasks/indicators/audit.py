"""The last look at computed values before they are published: what cannot be right stops the publication."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, RowMapping, text

from tasks.indicators.compute import indicator_keys
from warehouse.indicators import indicators, never_more_together

_SHOWN = 5
"""Places named in a message; the rest is counted."""
_JUMP = 30
"""Percentage points between two periods in a row that ask for a cause."""


@dataclass(frozen=True)
class Warned:
    """A value that may be right and deserves a look."""

    indicator_code: str
    unit_code: str
    period: str
    message_vi: str


class AuditFailed(Exception):
    """Values that cannot be right: nothing is published and the values published before stay. The message is complete, in Vietnamese."""


def audit(connection: Connection) -> list[Warned]:
    """Checks the candidates that `compute` left; AuditFailed where one cannot be right, else what deserves a look."""
    keys = indicator_keys(connection)
    may_exceed = {"may": [keys[i.code] for i in indicators() if i.may_exceed]}
    stocks = {"stock": [keys[i.code] for i in indicators() if i.is_stock]}
    failed = [
        *_failures(connection, "tử số lớn hơn mẫu số", _EXCEEDS, may_exceed),
        *_failures(connection, "giá trị ngoài khoảng 0 đến 100 %", _OUT_OF_RANGE, may_exceed),
        *_failures(connection, "số của đơn vị cấp trên khác tổng các đơn vị cấp dưới", _NOT_THE_SUM, stocks),
    ]
    for group in never_more_together():
        failed += _failures(connection, f"cộng {' và '.join(group)} vượt quá mẫu số", _PARTS, {"parts": [keys[code] for code in group]})
    if failed:
        raise AuditFailed("Không công bố số liệu vì kiểm tra cuối không đạt: " + "; ".join(failed) + ".")
    return [
        Warned(
            row["indicator_code"],
            row["unit_code"],
            row["period"],
            f"thay đổi {row['jump']} điểm".replace(".", ",") + f" so với kỳ {row['before']}; cần có lý do",
        )
        for row in connection.execute(text(_JUMPS), {"jump": _JUMP}).mappings()
    ]


def _failures(connection: Connection, what: str, query: str, parameters: dict[str, Any]) -> list[str]:
    rows: Sequence[RowMapping] = connection.execute(text(query), parameters).mappings().all()
    places = [f"{row['indicator_code']} {row['unit_code']} {row['period']}" for row in rows[:_SHOWN]]
    more = f" và {len(rows) - _SHOWN} chỗ khác" if len(rows) > _SHOWN else ""
    return [f"{what} ở {', '.join(places)}{more}"] if rows else []


_WHERE = """
SELECT i.indicator_code, u.unit_code, c.period
FROM candidate c JOIN warehouse.dim_indicator i USING (indicator_key) JOIN warehouse.dim_unit u USING (unit_key)
"""
_ORDER = "ORDER BY u.unit_level, u.unit_code, c.period, i.sort_order"

_EXCEEDS = f"""
{_WHERE}
WHERE c.numerator > c.denominator AND indicator_key <> ALL(CAST(:may AS smallint[])) OR c.numerator < 0 OR c.denominator < 0
{_ORDER}
"""

_OUT_OF_RANGE = f"{_WHERE} WHERE (c.value < 0 OR c.value > 100 AND indicator_key <> ALL(CAST(:may AS smallint[]))) {_ORDER}"

_PARTS = f"""
{_WHERE} JOIN (
    SELECT unit_key, period FROM candidate WHERE indicator_key = ANY(CAST(:parts AS smallint[]))
    GROUP BY unit_key, period HAVING sum(numerator) > max(denominator)
) too_much USING (unit_key, period)
WHERE indicator_key = ANY(CAST(:parts AS smallint[])) {_ORDER}
"""

# Where the unit reported nothing itself, its number is the sum of what stands below it, and of nothing else.
_NOT_THE_SUM = f"""
{_WHERE} JOIN (
    SELECT a.indicator_key, p.parent_key AS unit_key, p.period, sum(a.numerator) AS numerator, sum(a.denominator) AS denominator
    FROM added_up a JOIN place p USING (period, unit_key)
    WHERE p.is_at_end OR a.indicator_key <> ALL(CAST(:stock AS smallint[])) GROUP BY a.indicator_key, p.parent_key, p.period
) below ON (below.indicator_key, below.unit_key, below.period) = (c.indicator_key, c.unit_key, c.period)
WHERE (below.numerator, below.denominator) IS DISTINCT FROM (c.numerator, c.denominator) AND c.obs_status <> 'M'
  AND (c.indicator_key, c.unit_key, c.period) NOT IN (SELECT indicator_key, unit_key, period FROM counted)
{_ORDER}
"""

_JUMPS = """
WITH value AS (
    SELECT c.indicator_key, c.unit_key, c.period, t.period_type, t.first_day, c.value FROM candidate c JOIN touched_period t USING (period)
    WHERE t.has_ended AND c.value IS NOT NULL AND c.obs_status <> 'B'
), in_a_row AS (
    SELECT *, lag(value) OVER w AS value_before, lag(period) OVER w AS before FROM value
    WINDOW w AS (PARTITION BY indicator_key, unit_key, period_type ORDER BY first_day)
)
SELECT i.indicator_code, u.unit_code, v.period, v.before, abs(v.value - v.value_before) AS jump
FROM in_a_row v JOIN warehouse.dim_indicator i USING (indicator_key) JOIN warehouse.dim_unit u USING (unit_key)
WHERE abs(v.value - v.value_before) > :jump
ORDER BY jump DESC, i.sort_order, u.unit_code, v.period
"""
