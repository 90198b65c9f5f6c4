"""The gate: what of a computed edition is out of line with the one that readers have, and what moved it.

Comes after the audit, which takes out what cannot be right; here stands what may be, and needs somebody's word. The thresholds are
those of warehouse/gate.yaml. Nothing is found in the first edition of a warehouse, which has nothing to be held against, nor in a
vintage, which changes nothing published. An indicator that is counted otherwise than before has its cause in that. A value is held
against its own history, so one with too short a history is let through.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Row, text

from tasks.count.counting import Counting
from tasks.count.revisions import last_publication
from tasks.deliveries.rhythm import RHYTHMS
from tasks.deliveries.source import EDITIONS
from tasks.indicators.moved import moved_by
from tasks.indicators.publish import indicator_keys
from tasks.words import vietnamese as vi
from warehouse.bulk import analyze
from warehouse.gate import Check, gate
from warehouse.indicators import Indicator, indicators
from warehouse.names import from_the_top
from warehouse.periods import after, before
from warehouse.queries import execute_with
from warehouse.seed import is_country


@dataclass(frozen=True)
class Alarm:
    """One thing out of line."""

    check_code: str
    message_vi: str
    indicator_code: str | None = None
    unit_key: int | None = None
    unit_code: str | None = None
    period: str | None = None
    source: str | None = None
    old_numerator: int | None = None
    old_denominator: int | None = None
    old_value: Decimal | None = None
    numerator: int | None = None
    denominator: int | None = None
    value: Decimal | None = None
    deliveries: tuple[int, ...] = ()
    """Which moved it, who moved most first."""
    about: str = ""
    """What tells one finding about a source from another."""

    @property
    def subject(self) -> str:
        """What it is about and what it found there: the same text is the same finding, night after night."""
        if self.source is not None:
            return f"{self.check_code} {self.source} {self.about}"
        return f"{self.check_code} {self.indicator_code} {self.unit_key} {self.period} {self.numerator}/{self.denominator}"

    @property
    def place(self) -> str:
        """Where it is, in short."""
        return self.source or f"{self.indicator_code} {self.unit_code} {self.period}"


def find_alarms(connection: Connection, counting: Counting) -> list[Alarm]:
    """What of tonight's candidates and deliveries is out of line; comes before the candidates take the place of what is in force."""
    published = last_publication(connection)
    if published is None or counting.is_vintage:
        return []
    checks = gate().on(counting.today)
    since = {"since": published.load_id}
    of_sources = [
        alarm
        for kind, find in (("volume", _volume), ("quarantine", _set_aside), ("missing", _missing))
        if (check := checks.get(kind)) is not None  # type: ignore[call-overload]
        for alarm in find(connection, check, since, counting)
    ]
    return of_sources + _of_values(connection, counting, published)


# Deliveries and sources -------------------------------------------------------------------------------------------------

_TONIGHT = """
SELECT DISTINCT d.* FROM ops.load l JOIN ops.delivery d USING (delivery_id)
WHERE l.load_id > :since AND d.status IN ('loaded', 'superseded')
"""

# As many rows as deliveries of the same kind have that readers know already. A steward who let a delivery pass has decided. An edition has
# as many as a province had units, which a reform divides by three: what one no longer tells is missing, and seen as that.
_VOLUME = f"""
WITH tonight AS ({_TONIGHT})
SELECT d.delivery_id, d.source, d.file_name, d.rows_received, usual.rows AS usual_rows
FROM tonight d
CROSS JOIN LATERAL (
    SELECT count(*) AS deliveries, percentile_disc(0.5) WITHIN GROUP (ORDER BY rows_received) AS rows
    FROM (
        SELECT e.rows_received FROM ops.delivery e
        WHERE (e.source, e.layout) = (d.source, d.layout) AND e.named_unit IS NOT DISTINCT FROM d.named_unit
          AND regexp_replace(e.business_period, '\\d', '9', 'g') IS NOT DISTINCT FROM regexp_replace(d.business_period, '\\d', '9', 'g')
          AND e.status IN ('loaded', 'superseded') AND e.exported_at < d.exported_at
          AND e.delivery_id NOT IN (SELECT delivery_id FROM tonight)
        ORDER BY e.exported_at DESC LIMIT 8
    ) earlier
) usual
CROSS JOIN LATERAL (
    SELECT CASE WHEN usual.deliveries >= :many THEN :many_times WHEN usual.deliveries >= :few THEN :few_times END AS times
) most
WHERE usual.rows >= :at_least AND d.feed <> :editions AND d.delivery_id NOT IN (SELECT delivery_id FROM ops.allowance)
  AND (d.rows_received > most.times * usual.rows OR d.rows_received * most.times < usual.rows)
ORDER BY d.delivery_id
"""


def _volume(connection: Connection, check: Check, since: dict[str, int], _counting: Counting) -> list[Alarm]:
    return [
        Alarm(
            check.code,
            check.message.format(file=row.file_name, rows=vi.number(row.rows_received), usual_rows=vi.number(row.usual_rows)),
            source=row.source,
            deliveries=(row.delivery_id,),
            about=str(row.delivery_id),
        )
        for row in connection.execute(text(_VOLUME), {"editions": EDITIONS} | since | check.thresholds)
    ]


_SET_ASIDE = f"""
WITH tonight AS ({_TONIGHT}), open AS (
    SELECT q.delivery_id, count(DISTINCT q.row_number) AS rows FROM ops.quarantine q JOIN tonight USING (delivery_id)
    WHERE q.status = 'open' GROUP BY q.delivery_id
)
SELECT d.source, sum(d.rows_received) AS rows, sum(open.rows) AS set_aside, max(d.delivery_id) AS last,
    array_agg(d.delivery_id ORDER BY open.rows DESC, d.delivery_id) FILTER (WHERE open.rows > 0) AS deliveries
FROM tonight d LEFT JOIN open USING (delivery_id) GROUP BY d.source
HAVING sum(open.rows) >= :at_least AND sum(open.rows) > :share * sum(d.rows_received) ORDER BY d.source
"""


def _set_aside(connection: Connection, check: Check, since: dict[str, int], _counting: Counting) -> list[Alarm]:
    return [
        Alarm(
            check.code,
            check.message.format(set_aside=vi.number(row.set_aside), rows=vi.number(row.rows)),
            source=row.source,
            deliveries=tuple(row.deliveries),
            about=f"{row.last} {row.set_aside}/{row.rows}",
        )
        for row in connection.execute(text(_SET_ASIDE), since | check.thresholds)
    ]


_REQUIRED = """
SELECT s.source, s.expected, (
    SELECT max(d.exported_at) FROM ops.delivery d WHERE d.source = s.source AND d.status IN ('loaded', 'superseded')
) AS last FROM ops.source s WHERE s.is_required ORDER BY s.source
"""


def _missing(connection: Connection, check: Check, _since: dict[str, int], counting: Counting) -> list[Alarm]:
    """Required sources of which nothing was taken for longer than their rhythm allows."""

    def due(row: Row[Any]) -> datetime | None:
        if row.last is None:
            return counting.as_of
        return row.last + RHYTHMS[row.expected].patience if row.expected in RHYTHMS else None

    return [
        Alarm(
            check.code,
            check.message.format(last=vi.day(row.last), due=vi.day(until)),
            source=row.source,
            about=f"{row.last}",
        )
        for row in connection.execute(text(_REQUIRED))
        if (until := due(row)) is not None and (row.last is None or until < counting.as_of)
    ]


# Values -----------------------------------------------------------------------------------------------------------------


def _of_values(connection: Connection, counting: Counting, published: Row[Any]) -> list[Alarm]:
    checks = gate().on(counting.today)
    keys = indicator_keys(connection)
    counts = {i.version_name: _counted_alike(i) for i in indicators() if i.counted_fact.way != "listed"}  # a list is a decision
    judged = [i for i in indicators() if counts.get(i.version_name) is not None]
    connection.execute(text(_TEMPORARY))
    connection.execute(
        text(_OTHERWISE),
        {
            "judged": [keys[i.version_name] for i in judged],
            "cases": [keys[str(counts[i.version_name])] for i in judged],
            "published_at": published.published_at,
            "is_country": is_country(connection),
        },
    )
    rates = {"rates": [keys[i.version_name] for i in judged if i.unit_measure == "PERCENT"]}
    most = int(max((check.thresholds.get("periods", 0) for check in checks.values()), default=0))
    rows = [
        {"period": period, "other": other, "place": place}
        for period in connection.scalars(text("SELECT DISTINCT period FROM otherwise"))
        for place, other in _around(period, most)
    ]
    if not rows:
        return []
    connection.execute(text("INSERT INTO around VALUES (:period, :other, :place)"), rows)
    analyze(connection, "otherwise", "around")
    for kind, statement in _FINDERS.items():
        if kind in checks:
            execute_with(connection, statement, {"code": checks[kind].code} | rates | checks[kind].thresholds)
    found = connection.execute(text(_FOUND)).all()
    causes = moved_by(connection, published.load_id, [(row.indicator_key, row.unit_key, row.period) for row in found])
    by_code = {check.code: check for check in checks.values()}
    return [
        replace(_alarm(by_code[row.code], row), deliveries=causes.get((row.indicator_key, row.unit_key, row.period), ())) for row in found
    ]


def _counted_alike(indicator: Indicator) -> str | None:
    """The indicator whose denominator is how many cases there are: itself, or of an amount that of the rows it is summed up over."""
    if indicator.count not in indicator.counted_fact.amounts:
        return indicator.version_name
    alike = (i for i in indicators() if (i.fact, i.denominator, i.count) == (indicator.fact, indicator.denominator, "rows"))
    return next((i.version_name for i in alike), None)


def _around(period: str, most: int) -> list[tuple[int, str]]:
    """The periods of the same kind around one: 1 for that before it, 2 …; -1 for that after it, -2 …"""
    found: list[tuple[int, str]] = []
    earlier, later = period, period
    for place in range(1, most + 1):
        earlier, later = before(earlier), after(later)
        found += [(place, earlier), (-place, later)]
    return found


_TEMPORARY = """
DROP TABLE IF EXISTS otherwise, around, finding;
CREATE TEMPORARY TABLE around (period text, other text, place integer, PRIMARY KEY (period, place)) ON COMMIT DROP;
CREATE TEMPORARY TABLE finding
  (code text, indicator_key smallint, unit_key integer, period text, old_numerator bigint,
   old_denominator bigint, old_value numeric, numerator bigint, denominator bigint, value numeric, before text, usual float8,
   PRIMARY KEY (indicator_key, unit_key, period)) ON COMMIT DROP;
"""

# What tonight says otherwise of periods that have ended, where either side is official. What provinces signed went through a gate of
# their own: of a whole country, its own sums are looked at.
_OTHERWISE = """
CREATE TEMPORARY TABLE otherwise ON COMMIT DROP AS
SELECT c.indicator_key, c.unit_key, c.period, c.numerator, c.denominator, c.value, c.obs_status, c.obs_reason,
    f.numerator AS old_numerator, f.denominator AS old_denominator, f.value AS old_value,
    coalesce(f.obs_status = 'A', FALSE) AS was_official,
    CASE WHEN i.cases_key = c.indicator_key THEN c.denominator ELSE coalesce(cases.denominator, old_cases.denominator) END AS cases,
    CASE WHEN i.cases_key = c.indicator_key THEN f.denominator ELSE old_cases.denominator END AS old_cases
FROM candidate c
JOIN touched_period t USING (period)
JOIN (
    SELECT unnest(CAST(:judged AS smallint[])) AS indicator_key, unnest(CAST(:cases AS smallint[])) AS cases_key
) i USING (indicator_key)
JOIN warehouse.dim_indicator known
    ON known.indicator_key = c.indicator_key AND known.known_to = 'infinity' AND known.counted_since <= :published_at
LEFT JOIN warehouse.fact_indicator f
    ON f.known_to = 'infinity' AND (f.period, f.indicator_key, f.unit_key) = (c.period, c.indicator_key, c.unit_key)
LEFT JOIN candidate cases ON (cases.indicator_key, cases.unit_key, cases.period) = (i.cases_key, c.unit_key, c.period)
LEFT JOIN warehouse.fact_indicator old_cases
    ON old_cases.known_to = 'infinity'
    AND (old_cases.period, old_cases.indicator_key, old_cases.unit_key) = (c.period, i.cases_key, c.unit_key)
WHERE t.has_ended AND (c.obs_status = 'A' OR f.obs_status = 'A')
  AND (NOT :is_country OR c.unit_key IN (SELECT unit_key FROM warehouse.dim_unit WHERE unit_level = 'country'))
  AND (c.numerator, c.denominator, c.value, c.obs_status) IS DISTINCT FROM (f.numerator, f.denominator, f.value, f.obs_status::text)
"""

# How it goes from period to period, of those that readers know.
_ITS_OWN_STEPS = """
LEFT JOIN LATERAL (
    SELECT count(step) AS steps, percentile_cont(0.5) WITHIN GROUP (ORDER BY abs(step)) AS usual
    FROM (
        SELECT f.value - lag(f.value) OVER (ORDER BY e.place DESC) AS step
        FROM around e JOIN warehouse.fact_indicator f
            ON f.known_to = 'infinity' AND (f.period, f.indicator_key, f.unit_key) = (e.other, o.indicator_key, o.unit_key)
        WHERE e.period = o.period AND abs(e.place) <= :periods AND f.value IS NOT NULL AND f.obs_status = 'A'
    ) step
) own ON true
"""
_OUT_OF_LINE = """
own.steps >= :steps AND abs(o.value - {before}) > greatest(:points, :usual * own.usual, :errors * {error})
"""
_ERROR = """
100 * sqrt(greatest(part * (1 - part), 0) * (1.0 / o.cases + 1.0 / {cases}))
"""
_PART = "LATERAL (SELECT (o.numerator + {numerator})::float8 / nullif(o.denominator + {denominator}, 0) AS part) pooled"

_FINDERS = {
    "lost": f"""
INSERT INTO finding (code, indicator_key, unit_key, period, old_numerator, old_denominator, old_value, numerator, denominator, value)
SELECT :code, indicator_key, unit_key, period, old_numerator, old_denominator, old_value, numerator, denominator, value
FROM otherwise o
{_ITS_OWN_STEPS}
WHERE was_official AND old_value IS NOT NULL AND value IS NULL AND obs_status <> 'M' AND obs_reason IS DISTINCT FROM 'held_back'
    AND old_cases >= :at_least AND own.steps >= :steps
""",
    "revision": f"""
INSERT INTO finding (code, indicator_key, unit_key, period, old_numerator, old_denominator, old_value, numerator, denominator, value, usual)
SELECT :code, o.indicator_key, o.unit_key, o.period, old_numerator, old_denominator, old_value, o.numerator, o.denominator, o.value,
    own.usual
FROM otherwise o CROSS JOIN {_PART.format(numerator="o.old_numerator", denominator="o.old_denominator")}
{_ITS_OWN_STEPS}
WHERE was_official AND o.indicator_key = ANY(CAST(:rates AS smallint[])) AND abs(o.value - old_value) > :points AND obs_status IN ('A', 'P')
  AND least(o.cases, old_cases) > 0
  AND {_OUT_OF_LINE.format(before="old_value", error=_ERROR.format(cases="old_cases"))}
ON CONFLICT DO NOTHING
""",
    "size": f"""
INSERT INTO finding (code, indicator_key, unit_key, period, old_numerator, old_denominator, old_value, numerator, denominator, value)
SELECT :code, indicator_key, unit_key, period, old_numerator, old_denominator, old_value, numerator, denominator, value
FROM otherwise o
CROSS JOIN LATERAL (
    SELECT CASE WHEN indicator_key = ANY(CAST(:rates AS smallint[])) THEN denominator ELSE numerator END AS now,
        CASE WHEN indicator_key = ANY(CAST(:rates AS smallint[])) THEN old_denominator ELSE old_numerator END AS before
) size
{_ITS_OWN_STEPS}
WHERE was_official AND o.value IS NOT NULL AND obs_status IN ('A', 'P') AND greatest(cases, old_cases) >= :at_least AND own.steps >= :steps
  AND (now > :times * before OR now * :times < before)
ON CONFLICT DO NOTHING
""",
    "jump": f"""
INSERT INTO finding
    (code, indicator_key, unit_key, period, old_numerator, old_denominator, old_value, numerator, denominator, value, before, usual)
SELECT :code, o.indicator_key, o.unit_key, o.period, b.numerator, b.denominator, b.value, o.numerator, o.denominator, o.value,
    b.period, own.usual
FROM otherwise o
JOIN around e ON e.period = o.period AND e.place = 1
JOIN warehouse.fact_indicator b
    ON b.known_to = 'infinity' AND (b.period, b.indicator_key, b.unit_key) = (e.other, o.indicator_key, o.unit_key)
CROSS JOIN {_PART.format(numerator="b.numerator", denominator="b.denominator")}
{_ITS_OWN_STEPS}
WHERE NOT was_official AND o.obs_status = 'A' AND b.obs_status = 'A' AND o.indicator_key = ANY(CAST(:rates AS smallint[]))
  AND abs(o.value - b.value) > :points AND least(o.cases, b.denominator) > 0
  AND {_OUT_OF_LINE.format(before="b.value", error=_ERROR.format(cases="least(o.cases, b.denominator)"))}
ON CONFLICT DO NOTHING
""",
}
"""Check → what it finds, of what another one did not; the first is meant first."""

_FOUND = f"""
SELECT f.*, i.indicator_code, i.decimals, i.unit_measure, u.unit_code
FROM finding f JOIN warehouse.dim_indicator i ON i.indicator_key = f.indicator_key AND i.known_to = 'infinity'
JOIN warehouse.dim_unit u USING (unit_key)
ORDER BY i.sort_order, {from_the_top("u.unit_level")}, u.unit_code, f.period
"""


def _alarm(check: Check, row: Row[Any]) -> Alarm:
    def written(value: Decimal | None) -> str:
        return vi.measure(value, row.decimals, row.unit_measure)

    is_rate = row.unit_measure == "PERCENT"
    told = {
        "old": f"{written(row.old_value)} ({_counts(row.old_numerator, row.old_denominator)})" if is_rate else written(row.old_value),
        "new": f"{written(row.value)} ({_counts(row.numerator, row.denominator)})" if is_rate else written(row.value),
        "before": vi.in_text(row.before) if row.before else "",
        "usual": vi.number(Decimal(str(row.usual)), 1) if row.usual is not None else vi.NOTHING,
        "old_size": vi.number(row.old_denominator if is_rate else row.old_numerator),
        "new_size": vi.number(row.denominator if is_rate else row.numerator),
    }
    of_value = ("old_numerator", "old_denominator", "old_value", "numerator", "denominator", "value")
    same = ("indicator_code", "unit_key", "unit_code", "period", *of_value)
    return Alarm(check.code, check.message.format(**told), **{name: getattr(row, name) for name in same})


def _counts(numerator: int | None, denominator: int | None) -> str:
    return f"{vi.number(numerator)}/{vi.number(denominator)}"
