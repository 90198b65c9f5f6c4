"""How a published number came about: definition, counts, files, what rows set aside could change, revisions, signatures, how to cite it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, text

from tasks.ask import questions
from tasks.ask.could_change import SetAside, set_aside
from tasks.ask.gate import MOVERS, NAMES, told
from tasks.ask.official_table import Line, Unit, of_indicator
from tasks.ask.revised import Revision, Signed, revisions, signatures
from tasks.ask.scope import Scope
from tasks.words import vietnamese as vi
from tasks.words.understood import did_you_mean
from warehouse.confidentiality import confidentiality
from warehouse.indicators import Indicator, facts, in_force, indicators, measures
from warehouse.indicators.behind import of_unknown_age, rows_behind
from warehouse.indicators.here import counted_here
from warehouse.periods import VIETNAM, containing, days, months, parts
from warehouse.queries import execute_with
from warehouse.seed import declared_publisher, is_sample
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
    citation: str
    """One line by which others may name the number."""
    held_back: str | None
    """Why no number is shown, where it is held back."""
    files: Sequence[Row[Any] | Named]
    """Files whose rows are counted today, with how many of each, and how many of these make the numerator."""
    is_closed: bool
    """Whether the files cannot be told, since who asks may not read the list of persons that is counted."""
    set_aside: SetAside
    corrected: Sequence[Row[Any]]
    """Cells of these files that are read as a letter put them right."""
    revisions: Sequence[Revision]
    signed: Sequence[Signed]
    alarms: Sequence[Row[Any]]
    """What the gate found out of line in it, the last first, with its title."""
    awaiting: Row[Any] | None
    """What the edition held now would publish in its place."""
    printed: Sequence[Row[Any]]
    """The same figure as others printed it."""
    through_the_year: Sequence[Line]
    """The indicator of the unit month by month in the year of the period."""
    of_unknown_age: int
    """Persons that are counted although no list states their age."""


def explain(connection: Connection, code: str, unit: Unit, period: str, scope: Scope) -> Explanation:
    """Explains a value as far as whoever has a scope may see it; Refusal where the indicator is not known or nothing was published of it.

    The public sees what is published now of an indicator that counts persons, not what it was made of or had been before.
    """
    indicator = in_force(code, days(period)[1])
    if indicator is None:
        raise Refusal(f"Không có chỉ tiêu {code!r}.{did_you_mean(code, sorted({each.code for each in indicators()}))}")
    indicator, in_months = counted_here(connection, indicator), months(period[:4])
    lines = of_indicator(connection, unit, indicator.code, {period, *in_months}, scope)
    line = next((one for one in lines if one.period == period), None)
    if line is None:
        raise Refusal(f"Chưa công bố chỉ tiêu {indicator.code} của {unit.version} cho kỳ {period}. {unit.others}".strip())
    values = {"code": unit.code, "valid_from": unit.valid_from, "period": period, "indicator": indicator.code}
    units = _with_those_below(connection, unit, period)
    is_closed = indicator.counted_fact.way == "holders" and not connection.scalar(text(_MAY_READ_PERSONS))
    files, unknown = ([], 0) if is_closed else _files(connection, indicator, line, unit, period, units)
    history = revisions(connection, indicator, unit, period, units)
    signed = signatures(connection, line, history, scope)
    is_told = not scope.is_public or not confidentiality().protects(indicator.code)
    return Explanation(
        unit=unit,
        line=line,
        citation=_citation(connection, unit, line, history, signed),
        held_back=next(
            (
                row.reason_vi
                for row in questions.held_back(connection, scope)
                if (row.indicator_code, row.unit_code, row.valid_from, row.period) == (indicator.code, unit.code, unit.valid_from, period)
            ),
            None,
        ),
        files=files if is_told else [Named(row.delivery_id, row.source, row.file_name, row.exported_at) for row in files],
        is_closed=is_closed,
        of_unknown_age=unknown if is_told else 0,
        set_aside=set_aside(connection, indicator, line, unit, period, units, is_told=is_told),
        corrected=questions.corrected(connection, {row.delivery_id for row in files}),
        revisions=history if is_told else [one.alone if one.known_to is None and not line.is_hidden else one.hidden for one in history],
        signed=signed if is_told else [one.hidden for one in signed],
        alarms=connection.execute(text(_ALARMS.format(told=told(scope))), values).all(),
        awaiting=connection.execute(text(_AWAITING), values).one_or_none() if is_told else None,
        printed=connection.execute(
            text(
                f"SELECT * FROM {scope.view('published_check')} WHERE indicator_code = :indicator AND unit_code = :code "
                "AND unit_valid_from = :valid_from AND period = :period ORDER BY source_document"
            ),
            values,
        ).all(),
        through_the_year=[one for one in lines if one.period in in_months],
    )


def _citation(connection: Connection, unit: Unit, line: Line, history: Sequence[Revision], signed: Sequence[Signed]) -> str:
    """Publisher, indicator, unit, period, value, edition and its date; the checksum of the last signed edition that it stands in."""
    place = {"code": unit.code, "valid_from": unit.valid_from}
    publisher = declared_publisher(connection) or connection.scalar(text(_PROVINCE), place) or ""
    counts = f" ({vi.number(line.numerator)}/{vi.number(line.denominator)})" if line.denominator is not None else ""
    edition = f"Công bố số {history[-1].publication_id}, {vi.day(history[-1].published_at)}" if history else ""
    sample = f" ({vi.SAMPLE[0].lower()}{vi.SAMPLE[1:]})" if is_sample(connection) else ""
    last = next((one for one in signed if one.is_as_signed), None)
    mark = f"Bản ký số {last.release_id}, {vi.day(last.signed_at)}, SHA-256 {last.checksum}" if last else ""
    if signed and last is None:
        mark = f"Khác bản ký số {signed[0].release_id}"
    told = (
        f"{publisher}, Ba Không{sample}",
        f"{line.indicator_code} {line.indicator_name}",
        f"{unit.title}, {vi.in_text(line.period) if unit.within(line.period) == days(line.period) else _part(unit, line)}",
        f"{line.printed}{counts}, {line.status}",
        edition,
        mark,
    )
    return ". ".join(filter(None, told)) + "."


def _part(unit: Unit, line: Line) -> str:
    return vi.part_of(line.period, *unit.within(line.period)).lower()


_PROVINCE = """
SELECT p.unit_name FROM warehouse.dim_unit u JOIN warehouse.dim_unit p ON p.unit_code = u.province_code
WHERE u.unit_code = :code AND u.valid_from = :valid_from ORDER BY p.valid_to DESC LIMIT 1
"""

_MAY_READ_PERSONS = "SELECT has_column_privilege('warehouse.fact_signature_holder', 'holder_hash', 'SELECT')"

_ALARMS = f"""
SELECT a.alarm_id, a.check_code, {{told}} AS told, {NAMES.format(ids="a.deliveries")} AS file_names,
    a.decision, a.reason, a.decided_by, a.decided_at, a.deliveries, r.as_of AS since, a.ended_by IS NULL AS is_standing, a.publication_id
FROM ops.alarm a JOIN ops.run r ON r.run_id = a.raised_by JOIN warehouse.dim_unit u USING (unit_key)
WHERE a.indicator_code = :indicator AND u.unit_code = :code AND u.valid_from = :valid_from AND a.period = :period ORDER BY a.alarm_id DESC
"""

_AWAITING = f"""
SELECT h.*, {NAMES.format(ids=f"h.deliveries[1:{MOVERS}]")} AS file_names FROM ops.held_value h JOIN warehouse.dim_unit u USING (unit_key)
WHERE u.unit_code = :code AND u.valid_from = :valid_from AND h.period = :period
    AND h.indicator_key IN (SELECT indicator_key FROM warehouse.dim_indicator WHERE indicator_code = :indicator) LIMIT 1
"""

_STANDS_IN = """
SELECT u.unit_key FROM mart.indicator i
JOIN warehouse.dim_unit u ON u.unit_code = i.unit_code AND u.valid_from = i.unit_valid_from
WHERE i.indicator_code = :code AND i.period = :period AND i.obs_reason = 'stands_in' AND i.unit_level = 'commune'
    AND u.unit_key = ANY(:units)
"""


def _files(
    connection: Connection, indicator: Indicator, line: Line, unit: Unit, period: str, units: list[int]
) -> tuple[Sequence[Row[Any]], int]:
    """The files behind a value, and how many of the persons in it are of unknown age."""
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
        "period": period,
        "first": first,
        "last": last,
        "ends_at": datetime.combine(last + timedelta(days=1), time.min, VIETNAM),
        "units": units,
        "flows": [name for name, measure in measures().items() if measure.is_flow],
        "parts": parts(period),
        "inside": json.dumps([{"period": part, "last_day": f"{days(part)[1]}", "lies_in": containing(part)[1:]} for part in parts(period)]),
    }

    found = execute_with(connection, query, values).all()
    unknown = of_unknown_age(indicator)
    return found, execute_with(connection, unknown, values).scalar_one() if unknown else 0


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
