"""How a published number came about: definition, counts, files, rows set aside, revisions, and what was printed elsewhere."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Connection, CursorResult, Row, text

from tasks.ask import questions
from tasks.ask.official_table import Line, Unit, of_unit
from tasks.ask.scope import Scope
from tasks.words.understood import did_you_mean
from warehouse.confidentiality import confidentiality
from warehouse.indicators import Indicator, facts, in_force, indicators, measures
from warehouse.indicators.behind import of_unknown_age, rows_behind
from warehouse.periods import VIETNAM, containing, days, parts
from warehouse.settings import Refusal
from warehouse.tables.bridge_unit_succession import WENT_ON


class Named(NamedTuple):
    """A file behind a value, without how many of its rows are counted."""

    delivery_id: int
    source: str
    file_name: str
    exported_at: datetime
    rows: None = None
    rows_in_numerator: None = None


@dataclass(frozen=True)
class Explanation:
    """Everything that is known of one published value."""

    unit: Unit
    line: Line
    held_back: str | None
    """Why no number is shown, where it is held back."""
    files: Sequence[Row[Any] | Named]
    """Files whose rows are counted today, with how many of each, and how many of these make the numerator."""
    set_aside: Sequence[Row[Any]]
    """What was set aside from these files."""
    corrected: Sequence[Row[Any]]
    """Cells of these files that are read as a letter put them right."""
    revisions: Sequence[Row[Any]]
    printed: Sequence[Row[Any]]
    """The same figure as others printed it."""
    of_unknown_age: int
    """Persons that are counted although no list states their age."""


def explain(connection: Connection, code: str, unit: Unit, period: str, scope: Scope) -> Explanation:
    """Explains a value as far as whoever has a scope may see it; Refusal where the indicator is not known or nothing was published of it.

    The public sees what is published now of an indicator that counts persons, not what it was made of or had been before.
    """
    indicator = in_force(code, days(period)[1])
    if indicator is None:
        raise Refusal(f"Không có chỉ tiêu {code!r}.{did_you_mean(code, sorted({each.code for each in indicators()}))}")
    lines = [line for line in of_unit(connection, unit, period, scope) if line.indicator_code == indicator.code]
    if not lines:
        raise Refusal(f"Chưa công bố chỉ tiêu {indicator.code} của {unit.version} cho kỳ {period}. {unit.others}".strip())
    values = {"code": unit.code, "valid_from": unit.valid_from, "period": period, "indicator": indicator.code}
    files, unknown = _files(connection, indicator, lines[0], unit, period)
    ids = {row.delivery_id for row in files}
    is_told = not scope.is_public or not confidentiality().protects(indicator.code)
    return Explanation(
        unit=unit,
        line=lines[0],
        held_back=next(
            (
                row.reason_vi
                for row in questions.held_back(connection, scope)
                if (row.indicator_code, row.unit_code, row.valid_from, row.period) == (indicator.code, unit.code, unit.valid_from, period)
            ),
            None,
        ),
        files=files if is_told else [Named(row.delivery_id, row.source, row.file_name, row.exported_at) for row in files],
        of_unknown_age=unknown if is_told else 0,
        set_aside=[row for row in questions.set_aside(connection) if row.delivery_id in ids],
        corrected=questions.corrected(connection, ids),
        revisions=connection.execute(
            text(
                "SELECT revision, numerator, denominator, value, obs_status, obs_reason, min(known_from) AS known_from, "
                "CASE WHEN NOT bool_or(is_current) THEN max(known_to) END AS known_to "
                f"FROM (SELECT revision, {_COUNTS if is_told else _NO_COUNTS}, known_from, known_to, is_current "
                "FROM mart.indicator_vintage WHERE indicator_code = :indicator AND unit_code = :code "
                "AND unit_valid_from = :valid_from AND period = :period) told "
                "GROUP BY revision, numerator, denominator, value, obs_status, obs_reason ORDER BY min(known_from), revision"
            ),
            values,
        ).all(),
        printed=connection.execute(
            text(
                f"SELECT * FROM {scope.view('published_check')} WHERE indicator_code = :indicator AND unit_code = :code "
                "AND unit_valid_from = :valid_from AND period = :period ORDER BY source_document"
            ),
            values,
        ).all(),
    )


_COUNTS = "numerator, denominator, value, obs_status, obs_reason"
_NO_COUNTS = (
    "CAST(NULL AS bigint) AS numerator, CAST(NULL AS bigint) AS denominator, CAST(NULL AS numeric) AS value, 'Q' AS obs_status, "
    "CAST(NULL AS text) AS obs_reason"
)
_STANDS_IN = """
SELECT u.unit_key FROM mart.indicator i
JOIN warehouse.dim_unit u ON u.unit_code = i.unit_code AND u.valid_from = i.unit_valid_from
WHERE i.indicator_code = :code AND i.period = :period AND i.obs_reason = 'stands_in' AND i.unit_level = 'commune'
    AND u.unit_key = ANY(:units)
"""


def _files(connection: Connection, indicator: Indicator, line: Line, unit: Unit, period: str) -> tuple[Sequence[Row[Any]], int]:
    """The files behind a value, and how many of the persons in it are of unknown age."""
    units = _with_those_below(connection, unit, period)
    found, unknown = _counted(connection, indicator, unit, period, units)
    stands_in = in_force(indicator.fallback, days(period)[1]) if indicator.fallback else None
    if stands_in is None:
        return found, unknown
    if line.numerator != 0 and not any(row.rows_in_numerator for row in found):
        return _counted(connection, stands_in, unit, period, units)
    values = {"code": indicator.code, "period": period, "units": units}
    below = list(connection.scalars(text(_STANDS_IN), values)) if line.obs_reason == "stands_in" else []
    others = _counted(connection, stands_in, unit, period, below)[0] if below else []
    return [*found, *(row for row in others if row.rows_in_numerator)], unknown


def _counted(connection: Connection, indicator: Indicator, unit: Unit, period: str, units: list[int]) -> tuple[Sequence[Row[Any]], int]:
    """The files whose rows of some units an indicator counts, and of how many of the persons in them no age is known."""
    rows = rows_behind(facts()[indicator.fact], indicator)
    if rows is None:
        return [], 0
    # What it ended with counts on its last day; what it goes on for counts from before its first.
    first, last = days(period)[0], unit.within(period)[1]
    query = f"""
        SELECT d.delivery_id, d.source, d.file_name, d.exported_at, count(*) AS rows,
            count(*) FILTER (WHERE is_in_numerator) AS rows_in_numerator
        FROM ({rows}) counted JOIN ops.delivery d USING (delivery_id)
        GROUP BY d.delivery_id ORDER BY d.exported_at, d.delivery_id
    """
    values = {
        "numerator": indicator.numerator,
        "denominator": indicator.denominator,
        "code": indicator.code,
        "first": first,
        "last": last,
        "ends_at": datetime.combine(last + timedelta(days=1), time.min, VIETNAM),
        "units": units,
        "flows": [name for name, measure in measures().items() if measure.is_flow],
        "parts": parts(period),
        "inside": json.dumps([{"period": part, "last_day": f"{days(part)[1]}", "lies_in": containing(part)[1:]} for part in parts(period)]),
    }

    def ask(query: str) -> CursorResult[Any]:
        wanted = text(query)
        return connection.execute(wanted, {name: value for name, value in values.items() if name in wanted.compile().params})

    found = ask(query).all()
    unknown = of_unknown_age(indicator)
    return found, ask(unknown).scalar_one() if unknown else 0


def _with_those_below(connection: Connection, unit: Unit, period: str) -> list[int]:
    first, last = days(period)
    return list(
        connection.scalars(
            text(
                f"WITH RECURSIVE went_on AS ({WENT_ON}), below AS ("
                "  SELECT unit_key, unit_code, valid_from, valid_to FROM warehouse.dim_unit"
                "  WHERE unit_code = :code AND valid_from = :valid_from"
                "  UNION SELECT u.unit_key, u.unit_code, u.valid_from, u.valid_to FROM below b"
                "  LEFT JOIN went_on ON went_on.later_key = b.unit_key"
                "  LEFT JOIN warehouse.dim_unit before ON before.unit_key = went_on.unit_key"
                "  JOIN warehouse.dim_unit u ON u.parent_code = b.unit_code AND u.valid_from <= :last AND u.valid_to >= :first"
                "  AND greatest(u.valid_from, least(u.valid_to, :last)) BETWEEN coalesce(before.valid_from, b.valid_from) AND b.valid_to"
                ") SELECT unit_key FROM below"
            ),
            {"code": unit.code, "valid_from": unit.valid_from, "first": first, "last": last},
        )
    )
