"""How a published number came about: definition, counts, files, rows set aside, revisions, and what was printed elsewhere."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from difflib import get_close_matches
from typing import Any

from sqlalchemy import Connection, Row, text

from tasks.ask import questions
from tasks.ask.official_table import Line, Unit, of_unit
from warehouse.indicators import Indicator, facts, in_force, indicators, measures
from warehouse.periods import VIETNAM, containing, days, parts
from warehouse.settings import Refusal


@dataclass(frozen=True)
class Explanation:
    """Everything that is known of one published value."""

    unit: Unit
    line: Line
    held_back: str | None
    """Why no number is shown, where it is held back."""
    files: Sequence[Row[Any]]
    """Files whose rows are counted today, with how many of each, and how many of these make the numerator."""
    set_aside: Sequence[Row[Any]]
    """What was set aside from these files."""
    revisions: Sequence[Row[Any]]
    printed: Sequence[Row[Any]]
    """The same figure as others printed it."""


def explain(connection: Connection, code: str, unit: Unit, period: str) -> Explanation:
    """Explains a value; Refusal where the indicator is not known or nothing was published of it."""
    indicator = in_force(code, days(period)[1])
    if indicator is None:
        close = get_close_matches(code.upper(), sorted({each.code for each in indicators()}), n=3, cutoff=0.4)
        raise Refusal(f"Không có chỉ tiêu {code!r}." + (f" Có phải: {', '.join(close)}?" if close else ""))
    lines = [line for line in of_unit(connection, unit, period) if line.indicator_code == indicator.code]
    if not lines:
        raise Refusal(f"Chưa công bố chỉ tiêu {indicator.code} của {unit.title} cho kỳ {period}.")
    values = {"code": unit.code, "valid_from": unit.valid_from, "period": period, "indicator": indicator.code}
    files = _files(connection, indicator, unit, period)
    ids = {row.delivery_id for row in files}
    return Explanation(
        unit=unit,
        line=lines[0],
        held_back=next(
            (
                row.reason_vi
                for row in questions.held_back(connection)
                if (row.indicator_code, row.unit_code, row.period) == (indicator.code, unit.code, period)
            ),
            None,
        ),
        files=files,
        set_aside=[row for row in questions.set_aside(connection) if row.delivery_id in ids],
        revisions=connection.execute(
            text(
                "SELECT revision, numerator, denominator, value, obs_status, min(known_from) AS known_from, "
                "nullif(max(known_to), 'infinity') AS known_to "
                "FROM mart.indicator_vintage WHERE indicator_code = :indicator AND unit_code = :code "
                "AND unit_valid_from = :valid_from AND period = :period "
                "GROUP BY revision, numerator, denominator, value, obs_status ORDER BY min(known_from), revision"
            ),
            values,
        ).all(),
        printed=connection.execute(
            text("SELECT * FROM mart.published_check WHERE indicator_code = :indicator AND unit_code = :code AND period = :period"), values
        ).all(),
    )


# What stands behind a value, one line a row of a delivery, and whether it makes the numerator. {numerator} and {denominator} are
# the conditions of the indicator, over the columns they are declared for.

_CURRENT = "(SELECT *, 1 AS sign FROM warehouse.fact_dossier WHERE known_to = 'infinity' AND unit_key = ANY(:units))"

# Dossiers received in the period, or ended in it by the rule of the form.
_DOSSIERS = f"""
SELECT delivery_id, coalesce(({{numerator}}), false) AS is_in_numerator
FROM ({facts()["dossier"].select().replace("{states}", _CURRENT)}) dossier
WHERE {{counted_by}} BETWEEN :first AND :last AND ({{denominator}})
"""

# Bills, and the payments that make them paid without cash.
_BILLS = """
WITH bill AS (
    SELECT * FROM (
        SELECT b.delivery_id, b.row_key, s.service_code, b.amount_vnd, paid.vnd IS NOT NULL AS is_cashless,
            least(coalesce(paid.vnd, 0), b.amount_vnd)::bigint AS cashless_vnd, paid.deliveries
        FROM warehouse.fact_bill b
        JOIN warehouse.dim_service s USING (service_key)
        CROSS JOIN LATERAL (
            SELECT sum(p.amount_vnd) AS vnd, array_agg(p.delivery_id) AS deliveries
            FROM warehouse.fact_payment p
            JOIN warehouse.dim_payment_status USING (payment_status_key)
            JOIN warehouse.dim_payment_method USING (payment_method_key)
            WHERE p.known_to = 'infinity' AND p.bill_key = b.row_key AND is_settled AND is_cashless
        ) paid
        WHERE b.known_to = 'infinity' AND b.billing_month BETWEEN :first AND :last AND b.unit_key = ANY(:units)
    ) billed
    WHERE {denominator}
)
SELECT delivery_id, coalesce(({numerator}), false) AS is_in_numerator FROM bill
UNION ALL
SELECT unnest(deliveries), true FROM bill WHERE {numerator}
"""

# Both measures of a unit: of what was reported for the period and inside it the last of a stock; of a flow what nothing longer holds.
_BY_OFFICES = """
SELECT s.delivery_id, s.measure = :numerator AS is_in_numerator
FROM said s
WHERE NOT EXISTS (SELECT FROM said w WHERE (w.unit_key, w.measure) = (s.unit_key, s.measure) AND w.period = ANY(s.lies_in))
  AND (s.measure = ANY(:flows)
    OR NOT EXISTS (SELECT FROM said w WHERE (w.unit_key, w.measure) = (s.unit_key, s.measure) AND w.last_day > s.last_day))
"""
_SAID = """
WITH said AS (
    SELECT f.delivery_id, f.unit_key, f.measure, part.*
    FROM warehouse.fact_unit_count f
    JOIN json_to_recordset(CAST(:inside AS json)) part (period text, last_day date, lies_in text[]) USING (period)
    WHERE f.known_to = 'infinity' AND f.unit_key = ANY(:units) AND f.measure IN (:numerator, :denominator)
)
"""

# The last month of each carrier, over what offices counted.
_SIGNATURES = f"""
{_SAID}
SELECT * FROM (
    SELECT DISTINCT ON (provider_key, unit_key) delivery_id, true AS is_in_numerator FROM warehouse.fact_signature
    WHERE known_to = 'infinity' AND unit_key = ANY(:units) AND month = ANY(:parts) AND {{numerator}} IS NOT NULL
    ORDER BY provider_key, unit_key, month DESC
) carrier
UNION ALL {_BY_OFFICES}
"""

# Each person once, by the last certificate that held at the end of the period, over what offices counted.
_HOLDERS = f"""
{_SAID}
SELECT * FROM (
    SELECT DISTINCT ON (holder_hash) delivery_id, true AS is_in_numerator
    FROM (
        SELECT *, known_from = min(known_from) OVER (PARTITION BY provider_key, holder_hash) AS is_first
        FROM warehouse.fact_signature_holder WHERE unit_key = ANY(:units)
    ) state
    WHERE issued_on <= :last AND (is_first OR known_from < :ends_at) AND known_to >= :ends_at AND ({{numerator}})
    ORDER BY holder_hash, issued_on DESC, provider_key
) person
UNION ALL {_BY_OFFICES}
"""

# The last time each unit was asked in the period.
_SURVEYS = """
SELECT DISTINCT ON (unit_key) delivery_id, true AS is_in_numerator FROM warehouse.fact_survey
WHERE known_to = 'infinity' AND asked_on BETWEEN :first AND :last AND unit_key = ANY(:units) AND question_code = :code
ORDER BY unit_key, asked_on DESC, wave DESC, survey_code
"""

_ROWS = {
    "dossier": _DOSSIERS,
    "bill": _BILLS,
    "unit_count": _SAID + _BY_OFFICES,
    "signature": _SIGNATURES,
    "signature_holder": _HOLDERS,
    "survey": _SURVEYS,
}


def _files(connection: Connection, indicator: Indicator, unit: Unit, period: str) -> Sequence[Row[Any]]:
    if indicator.fact not in _ROWS:
        return []
    first, last = days(period)
    conditions = {name: getattr(indicator, name) for name in ("numerator", "denominator", "counted_by")}
    if indicator.count == "amount":
        conditions["numerator"] = f"({indicator.numerator}) AND is_cashless"
    query = f"""
        SELECT d.delivery_id, d.source, d.file_name, d.exported_at, count(*) AS rows,
            count(*) FILTER (WHERE is_in_numerator) AS rows_in_numerator
        FROM ({_ROWS[indicator.fact].format(**conditions)}) counted JOIN ops.delivery d USING (delivery_id)
        GROUP BY d.delivery_id ORDER BY d.exported_at, d.delivery_id
    """
    values = {
        **conditions,
        "code": indicator.code,
        "first": first,
        "last": last,
        "ends_at": datetime.combine(last + timedelta(days=1), time.min, VIETNAM),
        "units": _with_those_below(connection, unit, period),
        "flows": [name for name, measure in measures().items() if measure.is_flow],
        "parts": parts(period),
        "inside": json.dumps([{"period": part, "last_day": f"{days(part)[1]}", "lies_in": containing(part)[1:]} for part in parts(period)]),
    }
    wanted = text(query)
    found = connection.execute(wanted, {name: value for name, value in values.items() if name in wanted.compile().params}).all()
    stands_in = in_force(indicator.fallback, last) if indicator.fallback else None
    if stands_in is not None and not any(row.rows_in_numerator for row in found):
        return _files(connection, stands_in, unit, period)
    return found


def _with_those_below(connection: Connection, unit: Unit, period: str) -> list[int]:
    first, last = days(period)
    return list(
        connection.scalars(
            text(
                "WITH RECURSIVE below AS ("
                "  SELECT unit_key, unit_code FROM warehouse.dim_unit WHERE unit_code = :code AND valid_from = :valid_from"
                "  UNION SELECT u.unit_key, u.unit_code FROM warehouse.dim_unit u JOIN below b ON u.parent_code = b.unit_code"
                "  WHERE u.valid_from <= :last AND u.valid_to >= :first) SELECT unit_key FROM below"
            ),
            {"code": unit.code, "valid_from": unit.valid_from, "first": first, "last": last},
        )
    )
