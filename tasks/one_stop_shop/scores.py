"""Official computations of a night: form 06a, and the score of decision 766 from our own dossiers and from the portal's counts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pyarrow as pa
from sqlalchemy import Connection, MetaData, Table, text
from sqlalchemy.exc import DataError, ProgrammingError

from tasks.count.counting import Counting, fingerprint, leave_mark, marked
from tasks.count.held_back import HeldBack
from tasks.count.revisions import NOTHING, Publication, Revised, revise
from tasks.one_stop_shop.form_06a import DoesNotAddUp, compute_form_06a, revise_form_06a
from tasks.one_stop_shop.score_pipeline import count_pipeline
from warehouse import country, periods
from warehouse.bulk import analyze, copy_in, copy_out
from warehouse.scores.rules_766 import Rules, versions
from warehouse.scores.score_766 import evaluate, totals
from warehouse.tables import fact_score_766

KEYS = ("counted_by", "agency_key", "unit_key", "period", "group_code", "component_code")
VALUES = ("numerator", "denominator", "ratio", "score", "max_score", "obs_status", "is_computed")


@dataclass(frozen=True)
class Scores:
    """What a night changed in the official tables of the one-stop-shop, and which forms it held back; nothing where there was no news."""

    form_06a: Revised = NOTHING
    pipeline: Revised = NOTHING
    portal: Revised = NOTHING
    held_back: list[HeldBack] = field(default_factory=list)
    """Forms that break a control."""
    uncounted: dict[str, str] = field(default_factory=dict)
    """Table → reason, of those that could not be counted: what was published of them before holds."""


def compute_scores(connection: Connection, counting: Counting, publication: Publication) -> Scores:
    """Computes form 06a and both scores, audits the form, and publishes what differs; each table stands alone."""
    connection.execute(text("SET LOCAL work_mem = '128MB'"))
    uncounted: dict[str, str] = {}
    held_back: list[HeldBack] = []

    def alone(table: str, publish: Callable[[], Revised]) -> Revised:
        drawn = publication.publication_id
        try:
            with connection.begin_nested():
                return publish()
        except DoesNotAddUp as wrong:
            uncounted[table] = str(wrong)
        except (DataError, ProgrammingError) as wrong:
            uncounted[table] = str(wrong.orig).splitlines()[0]
        publication.publication_id = drawn  # a number drawn in what was taken back is none
        return NOTHING

    def form() -> Revised:
        compute_form_06a(connection, counting)
        done, held = revise_form_06a(connection, publication)
        held_back.extend(held)
        return done

    def pipeline() -> Revised:
        counted = count_pipeline(connection, counting)
        return _revise(connection, publication, "pipeline", _scored_pipeline(counted), _TOUCHED) if counted else NOTHING

    def portal() -> Revised:
        return _portal(connection, counting, publication)

    return Scores(alone("06a", form), alone("766", pipeline), alone("766 theo Cổng", portal), held_back, uncounted)


# From our own dossiers --------------------------------------------------------------------------------------------------

_TOUCHED = "(f.unit_key, f.period) IN (SELECT unit_key, period FROM score_line)"


def pipeline_scores(connection: Connection, counting: Counting) -> pd.DataFrame:
    """Components and group totals of the units and periods that something changed in, as far as the warehouse carries them."""
    return _scored_pipeline(count_pipeline(connection, counting))


def _scored_pipeline(counted: list[tuple[Rules, pd.DataFrame]]) -> pd.DataFrame:
    return _together([_scored(rules, counts) for rules, counts in counted]).assign(agency_key=0)


# From the portal's counts -----------------------------------------------------------------------------------------------

_PORTAL = "portal 766"
"""Mark of the scores from the portal's counts."""


def _portal(connection: Connection, counting: Counting, publication: Publication) -> Revised:
    """Computed again where an answer came or went, or where the rules or what is known of the departments are others."""
    laid_down = fingerprint(connection, map(repr, versions()), ("dim_unit", "dim_department", "dim_agency"), counting.contents)
    mark = None if counting.is_vintage else marked(connection, _PORTAL)
    news = "SELECT EXISTS (SELECT FROM warehouse.fact_portal_766 WHERE loaded_by > :since OR ended_by > :since)"
    if mark is not None and mark.fingerprint == laid_down and not connection.scalar(text(news), {"since": mark.load_id}):
        return NOTHING
    leave_mark(connection, _PORTAL, counting, laid_down)
    return _revise(connection, publication, "portal", portal_scores(connection, counting))


# A department's unit is that of its agency; of a province that no list of agencies names, the one the portal's code stands for.
_ANSWERED = """
SELECT f.period, d.agency_key, coalesce(nullif(place.unit_key, 0), province.unit_key, 0) AS unit_key,
    CASE d.department_level WHEN 'commune' THEN 'commune' ELSE 'province' END AS level,
    f.group_code, f.component_code, f.numerator, f.denominator, f.ratio, f.score AS printed, f.max_score,
    CASE f.quality_status WHEN 'TEMP_NATIONAL_REPORT_DENOMINATOR' THEN 'P' WHEN 'NO_NATIONAL_REPORT_DATA' THEN 'L' END AS quality
FROM {states} f
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
LEFT JOIN (VALUES {portal_codes}) portal (code, unit_code, first, last)
    ON portal.code = a.agency_code AND calendar.last BETWEEN CAST(portal.first AS date) AND CAST(portal.last AS date)
LEFT JOIN warehouse.dim_unit province
    ON province.unit_code = portal.unit_code AND calendar.last BETWEEN province.valid_from AND province.valid_to
WHERE d.agency_key <> 0
"""
_ANSWERED_SCHEMA = {
    "period": pa.string(), "agency_key": pa.int32(), "unit_key": pa.int32(), "level": pa.string(),
    "group_code": pa.string(), "component_code": pa.string(),
    "numerator": pa.int64(), "denominator": pa.int64(), "ratio": pa.float64(), "printed": pa.float64(),
    "max_score": pa.float64(), "quality": pa.string(),
}  # fmt: skip


def portal_scores(connection: Connection, counting: Counting) -> pd.DataFrame:
    """Every score of every department from the counts of the capture in force; without counts, the portal's own."""
    states = counting.states("fact_portal_766").replace(":as_of", f"'{counting.as_of.isoformat()}'")
    named = [tuple(row[name] for name in ("portal_code", "province_code", "valid_from", "valid_to")) for row in country.portal_codes()]
    portal_codes = ", ".join(map(str, named))
    answered = copy_out(connection, _ANSWERED.format(states=states, portal_codes=portal_codes), _ANSWERED_SCHEMA).to_pandas()
    by_version = [(rules, answered[_begin_in(rules, answered["period"])]) for rules in versions()]
    return _together([_recomputed(rules, ours) for rules, ours in by_version if not ours.empty])


def _begin_in(rules: Rules, column: pd.Series) -> pd.Series:
    valid = {period: rules.valid_from <= periods.days(period)[0] <= rules.valid_to for period in column.unique()}
    return column.map(valid).astype(bool)


def _recomputed(rules: Rules, answered: pd.DataFrame) -> pd.DataFrame:
    place = ["agency_key", "unit_key", "period", "group_code"]
    counted = answered[answered["component_code"].isin(rules.components.keys())].drop(columns=["group_code", "max_score"])
    printed = answered[answered["component_code"] == ""]
    ours = _as_printed(rules, counted.rename(columns={"ratio": "printed_ratio"}), printed.set_index(place)["printed"])
    printed = printed.merge(ours[place].drop_duplicates(), how="left", on=place, indicator=True)
    alone = printed[printed["_merge"] == "left_only"].assign(is_computed=False)
    alone = alone.assign(score=alone["printed"], obs_status=np.where(alone["printed"].isna(), "L", "A"))
    columns = [name for name in (*KEYS, *VALUES) if name != "counted_by"]
    return pd.concat([ours[columns], alone[columns]], ignore_index=True)


def _as_printed(rules: Rules, counted: pd.DataFrame, printed: pd.Series) -> pd.DataFrame:
    """No component above its maximum, but in the groups whose printed total is the sum of such components."""
    capped, above = _scored(rules, counted), _scored(rules, counted, above_maximum=True)
    place = list(printed.index.names)
    total = above[above["component_code"] == ""].set_index(place)["score"]
    shown = pd.MultiIndex.from_frame(capped[place]).isin(total.index[total == printed.reindex(total.index)])
    return pd.concat([capped[~shown], above[shown]], ignore_index=True)


# Both -------------------------------------------------------------------------------------------------------------------


def _scored(rules: Rules, counts: pd.DataFrame, *, above_maximum: bool = False) -> pd.DataFrame:
    """Components and the totals of their groups."""
    keys = [name for name in ("agency_key", "unit_key", "period") if name in counts]
    scored = evaluate(rules, counts, above_maximum=above_maximum)
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


def _together(lines: list[pd.DataFrame]) -> pd.DataFrame:
    """Those of all versions of the rules; none where nothing falls under any."""
    return pd.concat(lines, ignore_index=True) if lines else pd.DataFrame(columns=_LINE.names)


def _revise(connection: Connection, publication: Publication, counted_by: str, scores: pd.DataFrame, touched: str = "TRUE") -> Revised:
    lines = scores.assign(
        counted_by=counted_by, numerator=scores["numerator"].astype("Int64"), denominator=scores["denominator"].astype("Int64")
    )
    columns = (f"{field.name}::float8" if pa.types.is_floating(field.type) else field.name for field in _LINE)
    connection.execute(
        text(
            "DROP TABLE IF EXISTS score_candidate; CREATE TEMPORARY TABLE score_candidate ON COMMIT DROP AS "
            f"SELECT {', '.join(columns)} FROM warehouse.fact_score_766 LIMIT 0"
        )
    )
    copy_in(
        connection,
        Table("score_candidate", MetaData(), schema="pg_temp"),
        pa.Table.from_pandas(lines[_LINE.names], _LINE, preserve_index=False),
    )
    analyze(connection, "score_candidate")
    return revise(
        connection,
        publication,
        fact_score_766,
        "score_candidate",
        keys=KEYS,
        values=VALUES,
        counted_as="lines",
        among=f"f.counted_by = :counted_by AND {touched}",
        ends="TRUE",
        where={"counted_by": counted_by},
    )
