"""Official computations of a night: form 06a, and the score of decision 766 from our own dossiers and from the portal's counts."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from importlib import resources

import numpy as np
import pandas as pd
import pyarrow as pa
from sqlalchemy import Connection, MetaData, Table, text
from sqlalchemy.dialects.postgresql import insert

from tasks.form_06a import ANCESTORS, compute_form_06a, holds_on, publish_form_06a, with_values
from tasks.revisions import Revised, revise
from warehouse import periods
from warehouse.bulk import copy_in, copy_out
from warehouse.periods import VIETNAM
from warehouse.scores.on_time import on_time
from warehouse.scores.score_766 import Component, Rules, evaluate, totals, versions
from warehouse.tables import fact_score_766, installation

KEYS = ("counted_by", "agency_key", "unit_key", "period", "group_code", "component_code")
VALUES = ("numerator", "denominator", "ratio", "score", "max_score", "obs_status", "is_computed")

_SEEN = "scores"
"""What the last computation was made of, in ops.installation: without news nothing is computed."""


@dataclass(frozen=True)
class Scores:
    """What a night changed in the official tables; all nothing where there was no news."""

    form_06a: Revised
    pipeline: Revised
    portal: Revised


def compute_scores(connection: Connection, as_of: datetime, run_id: int) -> Scores:
    """Computes form 06a and both scores as known at a time, audits the form, and publishes what differs as revisions."""
    made_of = _made_of(connection, as_of)
    if connection.scalar(text("SELECT value FROM ops.installation WHERE item = :item"), {"item": _SEEN}) == made_of:
        return Scores(*[Revised(0, 0, 0)] * 3)
    connection.execute(text("SET LOCAL work_mem = '128MB'"))
    compute_form_06a(connection, as_of)
    form = publish_form_06a(connection, as_of, run_id)
    pipeline = _publish(connection, "pipeline", pipeline_scores(connection, as_of), as_of, run_id)
    portal = _publish(connection, "portal", portal_scores(connection, as_of), as_of, run_id)
    seen = insert(installation).values(item=_SEEN, value=made_of)
    connection.execute(seen.on_conflict_do_update(index_elements=["item"], set_={"value": made_of, "changed_at": text("now()")}))
    return Scores(form, pipeline, portal)


def _made_of(connection: Connection, as_of: datetime) -> str:
    """The rules, the last delivery loaded and the day: a running period is judged at the day it is known."""
    folder = resources.files("warehouse.scores")
    rules = b"".join(folder.joinpath(name).read_bytes() for name in ("score_766.yaml", "on_time.yaml"))
    loaded = connection.scalar(
        text(
            "SELECT max(loaded_at) FROM ops.delivery "
            "WHERE feed IN ('dossiers', 'procedures', 'agencies', 'portal_766') AND status <> 'rejected'"
        )
    )
    return f"{hashlib.sha256(rules).hexdigest()[:16]} {loaded and loaded.timestamp()} {as_of.astimezone(VIETNAM):%Y-%m-%d}"


# From our own dossiers --------------------------------------------------------------------------------------------------


def pipeline_scores(connection: Connection, as_of: datetime) -> pd.DataFrame:
    """Components and group totals per unit and period, as far as the warehouse carries them, as known at a time."""
    parts = [_scored(rules, _counts(connection, rules, as_of)) for rules in versions()]
    return pd.concat(parts, ignore_index=True).assign(agency_key=0)


def _carried(rules: Rules, counted_in: str) -> dict[str, Component]:
    return {code: component for code, component in rules.components.items() if component.pipeline and component.counted_in == counted_in}


def _counts(connection: Connection, rules: Rules, as_of: datetime) -> pd.DataFrame:
    known = {"as_of": as_of.isoformat(), "today": f"{as_of.astimezone(VIETNAM):%Y-%m-%d}"}
    connection.execute(text("DROP TABLE IF EXISTS ancestor, score_cube, score_part, catalogue"))
    for statement in (ANCESTORS, _cube(rules), "ANALYZE score_cube", _PARTS, _catalogue(rules), "ANALYZE catalogue"):
        connection.execute(with_values(statement, known | {"valid_from": f"{rules.valid_from}", "valid_to": f"{rules.valid_to}"}))
    schema = {
        "unit_key": pa.int32(),
        "level": pa.string(),
        "period": pa.string(),
        "component_code": pa.string(),
        "numerator": pa.int64(),
        "denominator": pa.int64(),
    }
    counted = [copy_out(connection, query, schema) for query in (_dossiers(rules), _procedures(rules))]
    frame: pd.DataFrame = pa.concat_tables(counted).to_pandas()
    return frame


_PROCEDURE = "(SELECT *, min(procedure_key) OVER (PARTITION BY procedure_code) AS procedure_no FROM warehouse.dim_procedure)"
"""All versions of a procedure under one narrow number: it counts once."""


def _cube(rules: Rules) -> str:
    """One pass over the states known: counts per unit, procedure and month received; what is unfinished is judged at three ends."""
    columns = []
    for code, component in rules.components.items():
        counting = component.pipeline
        if counting is None:
            continue
        if counting.with_dossier:
            columns.append(f"count(*) FILTER (WHERE {counting.with_dossier}) AS w_{code}")
        elif counting.numerator and not counting.catalogue:
            among = counting.among or "TRUE"
            columns.append(f"count(*) FILTER (WHERE {among}) AS d_{code}")
            for kind in ("month", "quarter", "year"):
                numerator = counting.numerator.replace("{in_time}", on_time(rules.in_time).in_time_at(_end_of(kind)))
                if kind == "month" or "{in_time}" in counting.numerator:
                    columns.append(f"count(*) FILTER (WHERE ({among}) AND ({numerator})) AS n_{code}_{kind}")
    return f"""
    CREATE TEMPORARY TABLE score_cube ON COMMIT DROP AS
    SELECT d.unit_key, p.procedure_no, date_trunc('month', d.received_at)::date AS month, {", ".join(columns)}
    FROM warehouse.fact_dossier d
    JOIN warehouse.dim_dossier_status s USING (dossier_status_key)
    JOIN {_PROCEDURE} p USING (procedure_key)
    WHERE d.known_from <= :as_of AND d.known_to > :as_of AND d.deleted_at IS NULL AND s.is_received AND d.unit_key <> 0
      AND d.received_at >= :valid_from AND d.received_at < CAST(:today AS date) + 1
    GROUP BY d.unit_key, p.procedure_no, month
    """


def _end_of(kind: str) -> str:
    """The last second of the period a dossier was received in, or of the day known where the period still runs."""
    length = {"month": "1 month", "quarter": "3 months", "year": "1 year"}[kind]
    return f"(least(date_trunc('{kind}', d.received_at) + interval '{length}', CAST(:today AS date) + 1) - interval '1 second')"


_PARTS = """
CREATE TEMPORARY TABLE score_part ON COMMIT DROP AS
WITH month AS (SELECT DISTINCT month_start, month, quarter, year FROM warehouse.dim_date
    WHERE month_start IN (SELECT month FROM score_cube))
SELECT month_start AS month, period, kind, first, (first + length - interval '1 day')::date AS last
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


def _dossiers(rules: Rules) -> str:
    sums, figures = [], []
    for code, component in _carried(rules, "dossiers").items():
        differs = component.pipeline is not None and "{in_time}" in (component.pipeline.numerator or "")
        numerator = (
            f"CASE kind WHEN 'month' THEN n_{code}_month WHEN 'quarter' THEN n_{code}_quarter ELSE n_{code}_year END"
            if differs
            else f"n_{code}_month"
        )
        sums.append(f"sum({numerator})::bigint AS n_{code}, sum(d_{code})::bigint AS d_{code}")
        figures.append(f"('{code}', n_{code}, d_{code})")
    inner = ", ".join(f"sum({name}) AS {name}" for name in _measures(rules))
    return f"""
    SELECT unit_key, unit_level, period, component_code, numerator, denominator
    FROM (
        SELECT ancestor_key AS unit_key, period, {", ".join(sums)}
        FROM (SELECT unit_key, month, {inner} FROM score_cube GROUP BY unit_key, month) m
        JOIN ancestor ON ancestor.unit_key = m.unit_key AND {holds_on("m.month")}
        JOIN score_part ON score_part.month = m.month
        GROUP BY ancestor_key, period
    ) counted
    JOIN warehouse.dim_unit USING (unit_key)
    CROSS JOIN LATERAL (VALUES {", ".join(figures)}) figure (component_code, numerator, denominator)
    """


def _measures(rules: Rules) -> Iterator[str]:
    for code, component in _carried(rules, "dossiers").items():
        yield f"d_{code}"
        differs = component.pipeline is not None and "{in_time}" in (component.pipeline.numerator or "")
        yield from (f"n_{code}_{kind}" for kind in (("month", "quarter", "year") if differs else ("month",)))


def _procedures(rules: Rules) -> str:
    """Shares of the level's procedures; without a procedures list there is nothing to count against."""
    used = [code for code, c in _carried(rules, "procedures").items() if c.pipeline and c.pipeline.with_dossier]
    listed = [code for code, c in _carried(rules, "procedures").items() if code not in used]
    sums = ", ".join(f"count(*) FILTER (WHERE w_{code} AND c_{code}) AS n_{code}" for code in used)
    whole = ", ".join(
        [f"count(*) FILTER (WHERE c_{code}) AS d_{code}" for code in (*used, *listed)]
        + [f"count(*) FILTER (WHERE c_{code} AND h_{code}) AS h_{code}" for code in listed]
    )
    figures = ", ".join([f"('{code}', n_{code}, d_{code})" for code in used] + [f"('{code}', h_{code}, d_{code})" for code in listed])
    flags = ", ".join(f"bool_or(w_{code} > 0) AS w_{code}" for code in used)
    return f"""
    SELECT unit_key, unit_level, counted.period, component_code, numerator, denominator
    FROM (
        SELECT unit_key, unit_level, used.period, {sums}
        FROM (
            SELECT ancestor_key AS unit_key, period, procedure_no, {flags}
            FROM score_cube JOIN ancestor ON ancestor.unit_key = score_cube.unit_key AND {holds_on("score_cube.month")}
            JOIN score_part ON score_part.month = score_cube.month
            GROUP BY ancestor_key, period, procedure_no
        ) used
        JOIN warehouse.dim_unit USING (unit_key)
        LEFT JOIN catalogue
            ON catalogue.level = unit_level AND catalogue.period = used.period AND catalogue.procedure_no = used.procedure_no
        GROUP BY unit_key, unit_level, used.period
    ) counted
    JOIN (SELECT level, period, {whole} FROM catalogue GROUP BY level, period) whole
        ON whole.level = unit_level AND whole.period = counted.period
    CROSS JOIN LATERAL (VALUES {figures}) figure (component_code, numerator, denominator)
    """


# From the portal's counts -----------------------------------------------------------------------------------------------

_ANSWERED = """
SELECT f.period, d.agency_key, coalesce(place.unit_key, 0) AS unit_key,
    CASE d.department_level WHEN 'commune' THEN 'commune' ELSE 'province' END AS level,
    f.group_code, f.component_code, f.numerator, f.denominator, f.ratio, f.score AS printed, f.max_score,
    CASE f.quality_status WHEN 'TEMP_NATIONAL_REPORT_DENOMINATOR' THEN 'P' WHEN 'NO_NATIONAL_REPORT_DATA' THEN 'L' END AS quality
FROM warehouse.fact_portal_766 f
JOIN warehouse.dim_department d USING (department_key)
JOIN warehouse.dim_agency a USING (agency_key)
JOIN (
    SELECT period, max(date_key) AS last FROM warehouse.dim_date
    CROSS JOIN LATERAL (VALUES (month), (quarter), (year)) part (period) GROUP BY period
) calendar USING (period)
LEFT JOIN LATERAL (
    SELECT v.unit_key FROM warehouse.dim_agency v
    WHERE v.agency_code = a.agency_code AND calendar.last BETWEEN v.valid_from AND v.valid_to ORDER BY v.is_inferred LIMIT 1
) place ON true
WHERE d.agency_key <> 0 AND f.known_from <= '{as_of}' AND f.known_to > '{as_of}'
"""
_ANSWERED_SCHEMA = {
    "period": pa.string(), "agency_key": pa.int32(), "unit_key": pa.int32(), "level": pa.string(),
    "group_code": pa.string(), "component_code": pa.string(),
    "numerator": pa.int64(), "denominator": pa.int64(), "ratio": pa.float64(), "printed": pa.float64(),
    "max_score": pa.float64(), "quality": pa.string(),
}  # fmt: skip


def portal_scores(connection: Connection, as_of: datetime) -> pd.DataFrame:
    """Every score of every department from the counts of the capture in force at a time; without counts, the portal's own."""
    answered = copy_out(connection, _ANSWERED.format(as_of=as_of.isoformat()), _ANSWERED_SCHEMA).to_pandas()
    return pd.concat([_recomputed(rules, answered[_begin_in(rules, answered["period"])]) for rules in versions()], ignore_index=True)


def _begin_in(rules: Rules, column: pd.Series) -> pd.Series:
    valid = {period: rules.valid_from <= periods.days(period)[0] <= rules.valid_to for period in column.unique()}
    return column.map(valid).astype(bool)


def _recomputed(rules: Rules, answered: pd.DataFrame) -> pd.DataFrame:
    place = ["agency_key", "unit_key", "period", "group_code"]
    counted = answered[answered["component_code"].isin(rules.components.keys())].drop(columns=["group_code", "ratio", "max_score"])
    ours = _scored(rules, counted)
    printed = answered[answered["component_code"] == ""].merge(ours[place].drop_duplicates(), how="left", on=place, indicator=True)
    alone = printed[printed["_merge"] == "left_only"].assign(is_computed=False)
    alone = alone.assign(score=alone["printed"], obs_status=np.where(alone["printed"].isna(), "L", "A"))
    columns = [name for name in (*KEYS, *VALUES) if name != "counted_by"]
    return pd.concat([ours[columns], alone[columns]], ignore_index=True)


# Both -------------------------------------------------------------------------------------------------------------------


def _scored(rules: Rules, counts: pd.DataFrame) -> pd.DataFrame:
    """Components and the totals of their groups."""
    keys = [name for name in ("agency_key", "unit_key", "period") if name in counts]
    scored = evaluate(rules, counts)
    constant = [code for code, component in rules.components.items() if component.portal_constant]
    scored = scored.assign(is_computed=~scored["component_code"].isin(constant))
    summed = totals(scored, keys).assign(component_code="", is_computed=True)
    return pd.concat([scored, summed], ignore_index=True)


_LINE = pa.schema(
    [("counted_by", pa.string()), ("agency_key", pa.int32()), ("unit_key", pa.int32()), ("period", pa.string()),
     ("group_code", pa.string()),      ("component_code", pa.string()), ("numerator", pa.int64()), ("denominator", pa.int64()),
     ("ratio", pa.float64()), ("score", pa.float64()),
     ("max_score", pa.float64()), ("obs_status", pa.string()), ("is_computed", pa.bool_())]
)  # fmt: skip


def _publish(connection: Connection, counted_by: str, scores: pd.DataFrame, as_of: datetime, run_id: int) -> Revised:
    lines = scores.assign(
        counted_by=counted_by, numerator=scores["numerator"].astype("Int64"), denominator=scores["denominator"].astype("Int64")
    )
    connection.execute(
        text(
            "DROP TABLE IF EXISTS score_candidate; CREATE TEMPORARY TABLE score_candidate ON COMMIT DROP AS "
            f"SELECT {', '.join(_LINE.names)} FROM warehouse.fact_score_766 LIMIT 0"
        )
    )
    copy_in(
        connection,
        Table("score_candidate", MetaData(), schema="pg_temp"),
        pa.Table.from_pandas(lines[_LINE.names], _LINE, preserve_index=False),
    )
    connection.execute(text("ANALYZE score_candidate"))
    return revise(
        connection,
        fact_score_766,
        "score_candidate",
        keys=KEYS,
        values=VALUES,
        scope=f"f.counted_by = '{counted_by}'",
        as_of=as_of,
        run_id=run_id,
    )
