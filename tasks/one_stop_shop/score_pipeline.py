"""The score of decision 766 from our own dossiers: what is kept counted of them, climbed and put together by period.

Counts of dossiers add up over units and periods; procedures count once in each, which a bit a month decides in one pass.
"""

from __future__ import annotations

import pandas as pd
import pyarrow as pa
from sqlalchemy import Connection, text

from tasks.count.counting import Counting, fingerprint, leave_mark, marked
from tasks.count.counts import as_of
from tasks.count.kept import Change, bring_up_to_date
from tasks.one_stop_shop.hierarchy import holds_on, make_ancestors
from warehouse.bulk import analyze, copy_out
from warehouse.counted import Counted
from warehouse.periods import VIETNAM
from warehouse.scores.rules_766 import Component, Rules, versions
from warehouse.scores.score_766_counts import counted_dossiers

ITEM = "score 766"
"""Mark of the scores from our own dossiers."""

_SCHEMA = {
    "unit_key": pa.int32(),
    "level": pa.string(),
    "period": pa.string(),
    "component_code": pa.string(),
    "numerator": pa.int64(),
    "denominator": pa.int64(),
}


def count_pipeline(connection: Connection, counting: Counting) -> list[tuple[Rules, pd.DataFrame]]:
    """Counts, by version of the rules, the components of the units and periods that what was loaded since touches (`score_line`).

    Nothing where nothing is touched.
    """
    make_ancestors(connection)
    connection.execute(text(_TABLES))
    mark = None if counting.is_vintage else marked(connection, ITEM)
    laid_down = fingerprint(connection, map(repr, versions()), ("dim_unit", "dim_procedure"), counting.contents)
    for rules in versions():
        change = bring_up_to_date(connection, counting, counted_dossiers(rules))
        if mark is None or mark.fingerprint != laid_down or change.from_scratch:
            _lines(connection, counting, change, _ALL_LINES)
        else:
            since = mark.as_of.astimezone(VIETNAM).date()
            _lines(connection, counting, change, _LINES, since=since, today=counting.today)
    leave_mark(connection, ITEM, counting, laid_down)
    if not connection.scalar(text("SELECT EXISTS (SELECT FROM score_line)")):
        return []
    analyze(connection, "score_line")
    return [(rules, _count(connection, counting, rules)) for rules in versions()]


def _carried(rules: Rules, counted_in: str) -> dict[str, Component]:
    return {code: component for code, component in rules.components.items() if component.pipeline and component.counted_in == counted_in}


# Units and periods -------------------------------------------------------------------------------------------------------

_TABLES = """
DROP TABLE IF EXISTS score_line, score_month, score_part, catalogue;
CREATE TEMPORARY TABLE score_line (unit_key integer, period text, PRIMARY KEY (unit_key, period)) ON COMMIT DROP;
CREATE TEMPORARY TABLE score_part (month date, year text, period text, kind text, first date, last date) ON COMMIT DROP
"""

_MONTHS = """(
    SELECT DISTINCT month_start, period FROM warehouse.dim_date CROSS JOIN LATERAL (VALUES (month), (quarter), (year)) of (period)
) months"""
"""The months there are days of, and every period in which one lies."""

# Of what was counted, of what was received on a day that has come, and of what fell late.
_LINES = """
INSERT INTO score_line
SELECT DISTINCT ancestor_key, period
FROM (
    SELECT unit_key, received FROM {lines} l
    UNION
    SELECT unit_key, received FROM {counts} a
    WHERE counted = :counted AND (received > :since AND received <= :today OR day > :since AND day <= :today)
) changed JOIN ancestor USING (unit_key) JOIN {months} ON month_start = date_trunc('month', received)
ON CONFLICT DO NOTHING
"""
_ALL_LINES = """
INSERT INTO score_line
SELECT ancestor_key, period
FROM (SELECT DISTINCT unit_key, date_trunc('month', received) AS month_start FROM {counts} WHERE counted = :counted) a
JOIN ancestor USING (unit_key) JOIN {months} USING (month_start)
UNION
SELECT unit_key, period FROM warehouse.fact_score_766 WHERE known_to = 'infinity' AND counted_by = 'pipeline'
ON CONFLICT DO NOTHING
"""


def _lines(connection: Connection, counting: Counting, change: Change, query: str, **days: object) -> None:
    filled = query.format(lines=change.lines, counts=counting.counts, months=_MONTHS)
    connection.execute(text(filled), {"counted": change.counted.name, **days, **(as_of(counting) if ":as_of" in filled else {})})


# What is made of it ---------------------------------------------------------------------------------------------------

_PROCEDURE = "(SELECT *, min(procedure_key) OVER (PARTITION BY procedure_code) AS procedure_no FROM warehouse.dim_procedure)"
"""All versions of a procedure under one narrow number: it counts once."""


def _count(connection: Connection, counting: Counting, rules: Rules) -> pd.DataFrame:
    counted = counted_dossiers(rules)
    days = {"today": counting.today, "valid_from": rules.valid_from, "valid_to": rules.valid_to, "counted": counted.name}
    connection.execute(text("DROP TABLE IF EXISTS score_month, catalogue; DELETE FROM score_part"))
    names = ", ".join(
        ["unit_key integer", "procedure_no integer", "month date", "late_from date", *(f"{m} integer" for m in counted.measures)]
    )
    connection.execute(text(f"CREATE TEMPORARY TABLE score_month ({names}) ON COMMIT DROP"))
    for query in (_months(counting, counted), _PARTS):
        connection.execute(text(query), {name: value for name, value in days.items() if f":{name}" in query})
    analyze(connection, "score_month", "score_part")
    connection.execute(text(_catalogue(rules)))
    analyze(connection, "catalogue")
    queries = (_dossiers(counted, rules), _procedures(rules))
    found = [copy_out(connection, query.replace(":today", f"DATE '{counting.today}'"), _SCHEMA) for query in queries]
    frame: pd.DataFrame = pa.concat_tables(found).to_pandas()
    return frame


def _months(counting: Counting, counted: Counted) -> str:
    sums = ", ".join(f"sum({counted.place(measure)}::integer)" for measure in counted.measures)
    return f"""
    INSERT INTO score_month
    SELECT a.unit_key, p.procedure_no, date_trunc('month', a.received)::date, a.day, {sums}
    FROM {counting.counts} a JOIN {_PROCEDURE} p ON p.procedure_key = a.part
    WHERE a.counted = :counted AND a.received <= :today
      AND extract(year FROM a.received)::text IN (SELECT left(period, 4) FROM score_line)
      AND a.unit_key IN (SELECT ancestor.unit_key FROM ancestor JOIN score_line ON score_line.unit_key = ancestor_key)
    GROUP BY 1, 2, 3, 4
    """


_PARTS = """
INSERT INTO score_part
WITH month AS (SELECT DISTINCT month_start, month, quarter, year FROM warehouse.dim_date
    WHERE month_start IN (SELECT month FROM score_month))
SELECT month_start AS month, year, period, kind, first, (first + length - interval '1 day')::date AS last
FROM month CROSS JOIN LATERAL (VALUES
    (month, 'month', month_start, interval '1 month'),
    (quarter, 'quarter', make_date(left(year, 4)::int, 3 * right(quarter, 1)::int - 2, 1), interval '3 months'),
    (year, 'year', make_date(year::int, 1, 1), interval '1 year')) part (period, kind, first, length)
WHERE first BETWEEN :valid_from AND :valid_to
"""


def _catalogue(rules: Rules) -> str:
    """Procedures each level may be asked for: its own and those of the levels below, as the procedures lists say."""
    flags = ", ".join(f"bool_or({c.pipeline.catalogue}) AS c_{code}" for code, c in _carried(rules, "procedures").items() if c.pipeline)
    among = [(code, c.pipeline.numerator) for code, c in _carried(rules, "procedures").items() if c.pipeline and c.pipeline.numerator]
    has = "".join(f", bool_or({numerator}) AS h_{code}" for code, numerator in among)
    return f"""
    CREATE TEMPORARY TABLE catalogue ON COMMIT DROP AS
    SELECT level, period, p.procedure_no, {flags}{has}
    FROM (SELECT DISTINCT period, first, last FROM score_part) part
    JOIN {_PROCEDURE} p ON p.valid_from <= part.last AND p.valid_to >= part.first AND NOT p.is_inferred AND p.procedure_key <> 0
    JOIN (VALUES ('commune', '{{xa}}'::text[]), ('district', '{{huyen,xa}}'), ('province', '{{tinh,huyen,xa}}')) of (level, authorities)
        ON p.authority_level IS NULL OR p.authority_level = ANY(authorities)
    GROUP BY level, period, p.procedure_no
    """


def _dossiers(counted: Counted, rules: Rules) -> str:
    """Shares of dossiers: an unfinished one is in time up to the day it turns late, the end of the period or today."""
    sums, figures = [], []
    for code, component in _carried(rules, "dossiers").items():
        timed = component.pipeline is not None and "{in_time}" in (component.pipeline.numerator or "")
        still = " FILTER (WHERE late_from > least(last, :today))" if timed else ""
        sums.append(f"coalesce(sum(n_{code}){still}, 0)::bigint AS n_{code}, sum(d_{code})::bigint AS d_{code}")
        figures.append(f"('{code}', n_{code}, d_{code})")
    inner = ", ".join(f"sum({name}) AS {name}" for name in counted.measures if not name.startswith("w_"))
    return f"""
    SELECT unit_key, unit_level, period, component_code, numerator, denominator
    FROM (
        SELECT ancestor_key AS unit_key, score_part.period, {", ".join(sums)}
        FROM (
            SELECT ancestor_key, month, late_from, {inner}
            FROM (SELECT unit_key, month, late_from, {inner} FROM score_month GROUP BY unit_key, month, late_from) own
            JOIN ancestor ON ancestor.unit_key = own.unit_key AND {holds_on("own.month")}
            GROUP BY ancestor_key, month, late_from
        ) m
        JOIN score_part ON score_part.month = m.month
        JOIN score_line ON score_line.unit_key = ancestor_key AND score_line.period = score_part.period
        GROUP BY ancestor_key, score_part.period
    ) counted
    JOIN warehouse.dim_unit USING (unit_key)
    CROSS JOIN LATERAL (VALUES {", ".join(figures)}) figure (component_code, numerator, denominator)
    """


def _procedures(rules: Rules) -> str:
    """Shares of the level's procedures; without a procedures list there is nothing to count against."""
    used = [code for code, c in _carried(rules, "procedures").items() if c.pipeline and c.pipeline.with_dossier]
    listed = [code for code, c in _carried(rules, "procedures").items() if code not in used]
    months_of = ", ".join(f"bit_or(bit) FILTER (WHERE w_{code} > 0) AS w_{code}" for code in used)
    months = ", ".join(f"bit_or(w_{code}) AS w_{code}" for code in used)
    sums = ", ".join(f"count(*) FILTER (WHERE w_{code} & bits <> 0 AND c_{code}) AS n_{code}" for code in used)
    whole = ", ".join(
        [f"count(*) FILTER (WHERE c_{code}) AS d_{code}" for code in (*used, *listed)]
        + [f"count(*) FILTER (WHERE c_{code} AND h_{code}) AS h_{code}" for code in listed]
    )
    figures = ", ".join([f"('{code}', n_{code}, d_{code})" for code in used] + [f"('{code}', h_{code}, d_{code})" for code in listed])
    return f"""
    WITH own AS (
        SELECT unit_key, procedure_no, month, extract(year FROM month)::text AS year, 1 << extract(month FROM month)::int AS bit,
            {", ".join(f"sum(w_{code}) AS w_{code}" for code in used)}
        FROM score_month GROUP BY unit_key, procedure_no, month
    ), own_year AS (  -- one row a unit, procedure and year where nothing stood above it but one unit
        SELECT unit_key, ancestor_key, procedure_no, year, bit_or(bit) AS any_month, {months_of}
        FROM own JOIN ancestor USING (unit_key) WHERE {holds_on("own.month")}
        GROUP BY unit_key, ancestor_key, procedure_no, year
    ), used AS (
        SELECT ancestor_key AS unit_key, procedure_no, own_year.year, bit_or(any_month) AS any_month, {months}
        FROM own_year
        JOIN (SELECT DISTINCT unit_key, left(period, 4) AS year FROM score_line) touched
            ON touched.unit_key = ancestor_key AND touched.year = own_year.year
        GROUP BY ancestor_key, procedure_no, own_year.year
    ), part AS (
        SELECT year, period, bit_or(1 << extract(month FROM month)::int) AS bits FROM score_part GROUP BY year, period
    ), counted AS (
        SELECT unit_key, unit_level, score_line.period, {sums}
        FROM used
        JOIN part ON part.year = used.year AND any_month & bits <> 0
        JOIN score_line USING (unit_key, period)
        JOIN warehouse.dim_unit USING (unit_key)
        LEFT JOIN catalogue
            ON catalogue.level = unit_level AND catalogue.period = score_line.period AND catalogue.procedure_no = used.procedure_no
        GROUP BY unit_key, unit_level, score_line.period
    )
    SELECT unit_key, unit_level, counted.period, component_code, numerator, denominator
    FROM counted
    JOIN (SELECT level, period, {whole} FROM catalogue GROUP BY level, period) whole
        ON whole.level = unit_level AND whole.period = counted.period
    CROSS JOIN LATERAL (VALUES {figures}) figure (component_code, numerator, denominator)
    """
