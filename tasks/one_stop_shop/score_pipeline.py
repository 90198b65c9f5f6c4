"""The score of decision 766 from our own dossiers: counts kept by unit, procedure and month, to which a night adds what changed.

Counts of dossiers add up over units and periods; procedures count once in each, which a bit a month decides in one pass.
"""

from __future__ import annotations

import pandas as pd
import pyarrow as pa
from sqlalchemy import Connection, text

from tasks.count.known_dossiers import News, by_month, with_values
from tasks.one_stop_shop.form_06a import ANCESTORS, holds_on
from warehouse.bulk import copy_out
from warehouse.scores.on_time import on_time
from warehouse.scores.score_766 import Component, Rules, versions

_SCHEMA = {
    "unit_key": pa.int32(),
    "level": pa.string(),
    "period": pa.string(),
    "component_code": pa.string(),
    "numerator": pa.int64(),
    "denominator": pa.int64(),
}


def count_pipeline(connection: Connection, news: News) -> list[tuple[Rules, pd.DataFrame]]:
    """Adds what is new and counts, by version of the rules, the components of the units and years it touches (`score_line`)."""
    connection.execute(text("DROP TABLE IF EXISTS ancestor, score_line"))
    connection.execute(text(ANCESTORS))
    connection.execute(text("CREATE TEMPORARY TABLE score_line (unit_key integer, year text, PRIMARY KEY (unit_key, year)) ON COMMIT DROP"))
    if news.since is None:
        connection.execute(text("DELETE FROM warehouse.agg_score_766"))
    days = {"today": f"{news.today}", "since": f"{news.since}"}
    for rules in versions():
        _add(connection, rules, news)
        connection.execute(with_values(_LINES if news.since else _ALL_LINES, days | {"rules_from": f"{rules.valid_from}"}))
    connection.execute(text("ANALYZE score_line"))
    return [(rules, _count(connection, rules, days)) for rules in versions()]


def _carried(rules: Rules, counted_in: str) -> dict[str, Component]:
    return {code: component for code, component in rules.components.items() if component.pipeline and component.counted_in == counted_in}


# What is kept ---------------------------------------------------------------------------------------------------------

_PROCEDURE = "(SELECT *, min(procedure_key) OVER (PARTITION BY procedure_code) AS procedure_no FROM warehouse.dim_procedure)"
"""All versions of a procedure under one narrow number: it counts once."""


def _measures(rules: Rules) -> dict[str, str]:
    """Name → SQL condition of what is counted: d and n of shares of dossiers, w of procedures with such a dossier."""
    measures = {}
    in_time = on_time(rules.in_time).in_time_at("timestamp '-infinity'")
    for code, component in rules.components.items():
        counting = component.pipeline
        if counting is None:
            continue
        if counting.with_dossier:
            measures[f"w_{code}"] = counting.with_dossier
        elif counting.numerator and not counting.catalogue:
            among = counting.among or "TRUE"
            measures[f"d_{code}"] = among
            measures[f"n_{code}"] = f"({among}) AND ({counting.numerator.replace('{in_time}', in_time)})"
    return measures


def _add(connection: Connection, rules: Rules, news: News) -> None:
    """What was in time when it was received stays so until the day it turns late: that day is kept, so no day has to be counted on."""
    measures = _measures(rules)
    late = on_time(rules.in_time).turns_late
    counts = ", ".join(f"coalesce(sum(d.sign) FILTER (WHERE {condition}), 0)" for condition in measures.values())
    added = ", ".join(f"f.counts[{place}] + excluded.counts[{place}]" for place in range(1, len(measures) + 1))
    connection.execute(
        text(f"""
        DROP TABLE IF EXISTS score_added;
        CREATE TEMPORARY TABLE score_added ON COMMIT DROP AS
        SELECT d.unit_key, p.procedure_no, {by_month("d.received_at::date")} AS received,
            coalesce({by_month(late)}, 'infinity')::date AS late_from, sum(d.sign)::int AS dossiers, ARRAY[{counts}]::int[] AS counts
        FROM {news.source} d
        JOIN warehouse.dim_dossier_status s USING (dossier_status_key)
        JOIN {_PROCEDURE} p USING (procedure_key)
        WHERE d.deleted_at IS NULL AND s.is_received AND d.unit_key <> 0 AND d.received_at >= '{rules.valid_from}'
        GROUP BY 1, 2, 3, 4;
        INSERT INTO warehouse.agg_score_766 AS f (rules_from, unit_key, procedure_no, received, late_from, dossiers, counts)
        SELECT '{rules.valid_from}', * FROM score_added
        ON CONFLICT (rules_from, unit_key, procedure_no, received, late_from)
            DO UPDATE SET dossiers = f.dossiers + excluded.dossiers, counts = ARRAY[{added}];
        DELETE FROM warehouse.agg_score_766 WHERE dossiers = 0;
        ANALYZE warehouse.agg_score_766
        """)
    )


_LINES = """
INSERT INTO score_line
SELECT DISTINCT ancestor_key, extract(year FROM received)::text
FROM (
    SELECT unit_key, received FROM score_added
    UNION
    SELECT unit_key, received FROM warehouse.agg_score_766
    WHERE rules_from = :rules_from
      AND (received > :since AND received <= :today OR late_from > :since AND late_from <= :today)
) changed JOIN ancestor USING (unit_key)
ON CONFLICT DO NOTHING
"""
_ALL_LINES = """
INSERT INTO score_line
SELECT ancestor_key, extract(year FROM received)::text
FROM warehouse.agg_score_766 JOIN ancestor USING (unit_key) WHERE rules_from = :rules_from
UNION
SELECT unit_key, left(period, 4) FROM warehouse.fact_score_766 WHERE known_to = 'infinity' AND counted_by = 'pipeline'
ON CONFLICT DO NOTHING
"""


# What is made of it ---------------------------------------------------------------------------------------------------


def _count(connection: Connection, rules: Rules, days: dict[str, str]) -> pd.DataFrame:
    connection.execute(text("DROP TABLE IF EXISTS score_month, score_part, catalogue"))
    given = days | {"valid_from": f"{rules.valid_from}", "valid_to": f"{rules.valid_to}"}
    for statement in (_months(rules), _PARTS, _catalogue(rules)):
        connection.execute(with_values(statement, given))
    queries = (_dossiers(rules), _procedures(rules))
    counted = [copy_out(connection, query.replace(":today", f"DATE '{days['today']}'"), _SCHEMA) for query in queries]
    frame: pd.DataFrame = pa.concat_tables(counted).to_pandas()
    return frame


def _months(rules: Rules) -> str:
    counts = ", ".join(f"counts[{place}] AS {name}" for place, name in enumerate(_measures(rules), 1))
    return f"""
    CREATE TEMPORARY TABLE score_month ON COMMIT DROP AS
    SELECT unit_key, procedure_no, date_trunc('month', received)::date AS month, late_from, {counts}
    FROM warehouse.agg_score_766
    WHERE rules_from = :valid_from AND received <= :today
      AND extract(year FROM received)::text IN (SELECT year FROM score_line)
      AND unit_key IN (SELECT ancestor.unit_key FROM ancestor JOIN score_line ON score_line.unit_key = ancestor_key);
    ANALYZE score_month
    """


_PARTS = """
CREATE TEMPORARY TABLE score_part ON COMMIT DROP AS
WITH month AS (SELECT DISTINCT month_start, month, quarter, year FROM warehouse.dim_date
    WHERE month_start IN (SELECT month FROM score_month))
SELECT month_start AS month, year, period, kind, first, (first + length - interval '1 day')::date AS last
FROM month CROSS JOIN LATERAL (VALUES
    (month, 'month', month_start, interval '1 month'),
    (quarter, 'quarter', make_date(left(year, 4)::int, 3 * right(quarter, 1)::int - 2, 1), interval '3 months'),
    (year, 'year', make_date(year::int, 1, 1), interval '1 year')) part (period, kind, first, length)
WHERE first BETWEEN :valid_from AND :valid_to;
ANALYZE score_part
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
    GROUP BY level, period, p.procedure_no;
    ANALYZE catalogue
    """


def _dossiers(rules: Rules) -> str:
    """Shares of dossiers: an unfinished one is in time up to the day it turns late, the end of the period or today."""
    sums, figures = [], []
    for code, component in _carried(rules, "dossiers").items():
        timed = component.pipeline is not None and "{in_time}" in (component.pipeline.numerator or "")
        still = " FILTER (WHERE late_from > least(last, :today))" if timed else ""
        sums.append(f"coalesce(sum(n_{code}){still}, 0)::bigint AS n_{code}, sum(d_{code})::bigint AS d_{code}")
        figures.append(f"('{code}', n_{code}, d_{code})")
    inner = ", ".join(f"sum({name}) AS {name}" for name in _measures(rules) if not name.startswith("w_"))
    return f"""
    SELECT unit_key, unit_level, period, component_code, numerator, denominator
    FROM (
        SELECT ancestor_key AS unit_key, period, {", ".join(sums)}
        FROM (
            SELECT ancestor_key, month, late_from, {inner}
            FROM (SELECT unit_key, month, late_from, {inner} FROM score_month GROUP BY unit_key, month, late_from) own
            JOIN ancestor ON ancestor.unit_key = own.unit_key AND {holds_on("own.month")}
            GROUP BY ancestor_key, month, late_from
        ) m
        JOIN score_part ON score_part.month = m.month
        JOIN score_line ON score_line.unit_key = ancestor_key AND score_line.year = score_part.year
        GROUP BY ancestor_key, period
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
        FROM own_year JOIN score_line ON score_line.unit_key = ancestor_key AND score_line.year = own_year.year
        GROUP BY ancestor_key, procedure_no, own_year.year
    ), part AS (
        SELECT year, period, bit_or(1 << extract(month FROM month)::int) AS bits FROM score_part GROUP BY year, period
    ), counted AS (
        SELECT unit_key, unit_level, part.period, {sums}
        FROM used JOIN part ON part.year = used.year AND any_month & bits <> 0
        JOIN warehouse.dim_unit USING (unit_key)
        LEFT JOIN catalogue
            ON catalogue.level = unit_level AND catalogue.period = part.period AND catalogue.procedure_no = used.procedure_no
        GROUP BY unit_key, unit_level, part.period
    )
    SELECT unit_key, unit_level, counted.period, component_code, numerator, denominator
    FROM counted
    JOIN (SELECT level, period, {whole} FROM catalogue GROUP BY level, period) whole
        ON whole.level = unit_level AND whole.period = counted.period
    CROSS JOIN LATERAL (VALUES {figures}) figure (component_code, numerator, denominator)
    """
