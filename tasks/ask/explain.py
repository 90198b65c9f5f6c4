"""How a published number came about: definition, counts, files, rows set aside, revisions, and what was printed elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import resources
from typing import Any

import yaml
from sqlalchemy import Connection, Row, text

from tasks.ask import questions
from tasks.ask.official_table import Line, Unit, of_unit
from warehouse.indicators import Indicator, indicators
from warehouse.periods import days, parts
from warehouse.settings import Refusal


@dataclass(frozen=True)
class Explanation:
    """Everything that is known of one published value."""

    unit: Unit
    line: Line
    files: Sequence[Row[Any]]
    """Files whose rows are counted today, with how many of each."""
    set_aside: Sequence[Row[Any]]
    """What was set aside from these files."""
    revisions: Sequence[Row[Any]]
    printed: Sequence[Row[Any]]
    """The same figure as others printed it."""


def explain(connection: Connection, code: str, unit: Unit, period: str) -> Explanation:
    """Explains a value; Refusal where the indicator is not known or nothing was published of it."""
    known = {indicator.code.casefold(): indicator for indicator in indicators()}
    indicator = known.get(code.casefold())
    if indicator is None:
        close = get_close_matches(code.upper(), [each.code for each in known.values()], n=3, cutoff=0.4)
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
        files=files,
        set_aside=[row for row in questions.set_aside(connection) if row.delivery_id in ids],
        revisions=connection.execute(
            text(
                "SELECT revision, numerator, denominator, value, obs_status, known_from, nullif(known_to, 'infinity') AS known_to "
                "FROM mart.indicator_vintage WHERE indicator_code = :indicator AND unit_code = :code "
                "AND unit_valid_from = :valid_from AND period = :period ORDER BY revision"
            ),
            values,
        ).all(),
        printed=connection.execute(
            text("SELECT * FROM mart.published_check WHERE indicator_code = :indicator AND unit_code = :code AND period = :period"), values
        ).all(),
    )


_ENDED = yaml.safe_load(resources.files("warehouse").joinpath("scores", "on_time.yaml").read_text("utf-8"))["form_06a"]["ended_at"]

_OVER = (
    "SELECT delivery_id FROM warehouse.fact_unit_count WHERE known_to = 'infinity' AND period = ANY(:parts) AND unit_key = ANY(:units) "
    "AND measure = :denominator"
)
"""What an office counted, where it is the denominator."""

_ROWS = {
    ("dossier", "received"): "SELECT d.delivery_id FROM warehouse.fact_dossier d WHERE d.known_to = 'infinity' AND d.deleted_at IS NULL "
    "AND d.received_at::date BETWEEN :first AND :last AND d.unit_key = ANY(:units)",
    (
        "dossier",
        "ended",
    ): "SELECT d.delivery_id FROM warehouse.fact_dossier d JOIN warehouse.dim_dossier_status s USING (dossier_status_key) "
    f"WHERE d.known_to = 'infinity' AND d.deleted_at IS NULL AND ({_ENDED})::date BETWEEN :first AND :last AND d.unit_key = ANY(:units)",
    "bill": "WITH bill AS (SELECT b.* FROM warehouse.fact_bill b JOIN warehouse.dim_service USING (service_key) "
    "WHERE b.known_to = 'infinity' AND b.billing_month BETWEEN :first AND :last AND b.unit_key = ANY(:units) AND ({condition})) "
    "SELECT delivery_id FROM bill UNION ALL SELECT p.delivery_id FROM warehouse.fact_payment p JOIN bill ON bill.row_key = p.bill_key "
    "WHERE p.known_to = 'infinity'",
    "unit_count": "SELECT delivery_id FROM warehouse.fact_unit_count WHERE known_to = 'infinity' AND period = ANY(:parts) "
    "AND unit_key = ANY(:units) AND measure IN (:numerator, :denominator)",
    "survey": "SELECT delivery_id FROM warehouse.fact_survey WHERE known_to = 'infinity' AND asked_on BETWEEN :first AND :last "
    "AND unit_key = ANY(:units) AND question_code = :indicator",
    "signature": "SELECT delivery_id FROM warehouse.fact_signature WHERE known_to = 'infinity' AND month = ANY(:parts) "
    f"AND unit_key = ANY(:units) UNION ALL {_OVER}",
    "signature_holder": "SELECT delivery_id FROM warehouse.fact_signature_holder WHERE known_to = 'infinity' AND issued_on <= :last "
    f"AND unit_key = ANY(:units) UNION ALL {_OVER}",
}
"""Fact → the deliveries of the rows that stand behind a value, one line a row."""


def _files(connection: Connection, indicator: Indicator, unit: Unit, period: str) -> Sequence[Row[Any]]:
    rows = _ROWS.get((indicator.fact, indicator.counted_by) if indicator.fact == "dossier" else indicator.fact)
    if rows is None:
        return []
    first, last = days(period)
    values = {
        "first": first,
        "last": last,
        "parts": parts(period),
        "units": _with_those_below(connection, unit, period),
        "indicator": indicator.code,
        "numerator": indicator.numerator,
        "denominator": indicator.denominator,
    }
    query = (
        f"SELECT d.delivery_id, d.source, d.file_name, d.exported_at, count(*) AS rows "
        f"FROM ({rows.replace('{condition}', indicator.denominator)}) counted JOIN ops.delivery d USING (delivery_id) "
        "GROUP BY d.delivery_id ORDER BY d.exported_at, d.delivery_id"
    )
    return connection.execute(text(query), {name: value for name, value in values.items() if f":{name}" in query}).all()


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
