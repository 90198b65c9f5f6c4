"""Facts → indicator values: counts per unit and period, added up the hierarchy, divided once, published as revisions.

Everything runs in the caller's transaction and in the database. `compute` leaves the temporary table `candidate`,
`audit` (tasks.audit) looks at it, `publish_values` turns what differs into new revisions.

Columns that the SQL conditions of warehouse/indicators/*.yaml may use:
dossier  channel_code, service_level, applicant_type, is_solved, is_in_progress, is_withdrawn, is_in_time (form II.06a),
         is_digitised, reuse_code, has_electronic_result, is_vneid_verified, online_payment_code, fee_vnd, supplement_count
bill     service_code, is_cashless (settled, at least once, by a cashless method), amount_vnd, cashless_vnd
holder   certificate_status
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from importlib import resources
from typing import Any

import yaml
from sqlalchemy import Connection, delete, insert, select, text, update

from warehouse import periods
from warehouse.indicators import Indicator, indicators, measures
from warehouse.tables import dim_indicator, dim_target

_VIETNAM = "Asia/Ho_Chi_Minh"


@dataclass(frozen=True)
class Candidates:
    """What a computation came to: the periods it looked at and how many values stand in `candidate`."""

    periods: tuple[str, ...]
    values: int


@dataclass(frozen=True)
class Publication:
    """What a publication changed; no id where there was nothing to publish."""

    publication_id: int | None
    added: int
    revised: int
    unchanged: int


def sync_indicators(connection: Connection) -> None:
    """Brings dim_indicator and dim_target to what the YAML declares; a changed way of counting is dated now."""
    known = {row.indicator_code: row for row in connection.execute(select(dim_indicator))}
    now = datetime.now(UTC)
    for declared in indicators():
        row: dict[str, Any] = {
            "indicator_name": declared.name,
            "official_table": declared.official_table,
            "pillar": declared.pillar,
            "definition": declared.definition,
            "legal_source": declared.legal_source,
            "unit_measure": declared.unit_measure,
            "decimals": declared.decimals,
            "sort_order": declared.sort_order,
            "valid_from": declared.valid_from,
            "valid_to": declared.valid_to,
            "counted_as": declared.counted_as,
        }
        old = known.get(declared.code)
        if old is None:
            # Not an upsert: a conflict would use up a number of the narrow identity every night.
            connection.execute(insert(dim_indicator).values(indicator_code=declared.code, counted_since=now, **row))
        elif any(getattr(old, column) != value for column, value in row.items()):
            changed = {"counted_since": now} if old.counted_as != declared.counted_as else {}
            connection.execute(update(dim_indicator).where(dim_indicator.c.indicator_key == old.indicator_key).values(**row, **changed))
    keys = indicator_keys(connection)
    targets = [
        {"indicator_key": keys[i.code], "valid_from": t.valid_from, "valid_to": t.valid_to, "target": t.value, "legal_source": t.source}
        for i in indicators()
        for t in i.targets
    ]
    connection.execute(delete(dim_target))
    connection.execute(insert(dim_target), targets)


def indicator_keys(connection: Connection) -> dict[str, int]:
    """Code → surrogate key of every indicator known."""
    rows = connection.execute(select(dim_indicator.c.indicator_code, dim_indicator.c.indicator_key))
    return {row.indicator_code: row.indicator_key for row in rows}


def compute(connection: Connection, as_of: datetime) -> Candidates:
    """Computes every value of the periods that changed since the last publication into the temporary table `candidate`."""
    sync_indicators(connection)
    connection.execute(text(_TEMPORARY))
    touched = _touched(connection, as_of)
    if touched:
        connection.execute(text("SET LOCAL work_mem = '128MB'"))
        _calendar(connection, touched, as_of)
        keys = indicator_keys(connection)
        months = sorted({part for period in touched for part in periods.parts(period) if periods.period_type(part) == "month"})
        _count_dossiers(connection, keys, months)
        _count_bills(connection, keys, months)
        _count_by_offices(connection, keys)
        _count_signatures(connection, keys)
        _count_surveys(connection, keys)
        _add_up(connection, keys)
        _candidates(connection, keys)
    return Candidates(tuple(touched), connection.scalar(text("SELECT count(*) FROM candidate")) or 0)


def publish_values(connection: Connection, run_id: int, as_of: datetime) -> Publication:
    """Makes every candidate that differs from the value in force a new revision; a night without news publishes nothing."""
    if not connection.scalar(text("SELECT count(*) FROM candidate")):
        return Publication(None, 0, 0, 0)
    # By the clock that dates the loads: what was loaded after it is what the next night has to compute.
    found = connection.execute(text(_PUBLISH), {"run_id": run_id, "as_of": as_of, "published_at": datetime.now(UTC)}).one()
    return Publication(found.publication_id, found.values_added, found.values_revised, found.values_unchanged)


# What changed ---------------------------------------------------------------------------------------------------------

_TEMPORARY = """
DROP TABLE IF EXISTS touched_period, touched_part, counted, measured, place, added_up, candidate;
CREATE TEMPORARY TABLE touched_period
  (period text PRIMARY KEY, period_type text, first_day date, last_day date, seen_to date, has_ended boolean) ON COMMIT DROP;
CREATE TEMPORARY TABLE touched_part
  (period text, part text, part_first_day date, part_last_day date, is_month boolean, lies_in text[],
   PRIMARY KEY (period, part)) ON COMMIT DROP;
CREATE TEMPORARY TABLE counted
  (indicator_key smallint, unit_key integer, period text, numerator bigint, denominator bigint, is_fallback boolean) ON COMMIT DROP;
CREATE TEMPORARY TABLE measured (unit_key integer, period text, measure text, value bigint) ON COMMIT DROP;
CREATE TEMPORARY TABLE place
  (period text, unit_key integer, unit_level text, parent_key integer, is_in_force boolean, is_at_end boolean,
   PRIMARY KEY (period, unit_key)) ON COMMIT DROP;
CREATE TEMPORARY TABLE added_up
  (indicator_key smallint, unit_key integer, period text, numerator bigint, denominator bigint, is_complete boolean,
   PRIMARY KEY (indicator_key, unit_key, period)) ON COMMIT DROP;
CREATE TEMPORARY TABLE candidate
  (indicator_key smallint, unit_key integer, period text, numerator bigint, denominator bigint, value numeric, obs_status text,
   PRIMARY KEY (indicator_key, unit_key, period)) ON COMMIT DROP;
"""

_FORM_06A: dict[str, str] = yaml.safe_load(resources.files("warehouse").joinpath("scores", "on_time.yaml").read_text("utf-8"))["form_06a"]

# A dossier belongs to the month it was received in and, once it ended, to the month it ended in. Only the current
# state counts: what an earlier night saw is kept as a revision of the value, not computed again.
_DOSSIERS = f"""
    SELECT d.unit_key, d.received_at::date AS received, CASE WHEN {_FORM_06A["judged"]} THEN ({_FORM_06A["ended_at"]})::date END AS ended,
        c.channel_code, d.service_level, d.applicant_type, s.is_solved, s.is_in_progress, s.is_withdrawn,
        {_FORM_06A["in_time"].format(ended_at=_FORM_06A["ended_at"])} AS is_in_time,
        d.is_digitised, d.reuse_code, d.has_electronic_result, d.is_vneid_verified, d.online_payment_code, d.fee_vnd, d.supplement_count
    FROM warehouse.fact_dossier d
    JOIN warehouse.dim_dossier_status s USING (dossier_status_key)
    JOIN warehouse.dim_channel c USING (channel_key)
"""

# Rows of the deliveries that are new, and rows that a new delivery closed: each by its own index.
_NEW_ROWS = "(f.delivery_id = ANY(:deliveries) OR f.known_to <> 'infinity' AND f.known_to = ANY(:exported_at))"

_TOUCHED_DAYS = f"""
    SELECT DISTINCT day
    FROM ({_DOSSIERS} WHERE :all_dossiers OR {_NEW_ROWS.replace("f.", "d.")}) dossier
    CROSS JOIN LATERAL (VALUES (received), (ended)) happened (day) WHERE day IS NOT NULL
  UNION
    SELECT DISTINCT f.billing_month FROM warehouse.fact_bill f WHERE {_NEW_ROWS}
  UNION
    SELECT DISTINCT b.billing_month FROM warehouse.fact_payment f
    JOIN warehouse.fact_bill b ON b.row_key = f.bill_key AND b.known_to = 'infinity' WHERE {_NEW_ROWS}
  UNION
    SELECT DISTINCT f.asked_on FROM warehouse.fact_survey f WHERE {_NEW_ROWS}
  UNION
    SELECT DISTINCT (f.known_from AT TIME ZONE '{_VIETNAM}')::date FROM warehouse.fact_signature_holder f
    WHERE f.delivery_id = ANY(:deliveries)
"""

_TOUCHED_PERIODS = f"""
    SELECT DISTINCT f.month FROM warehouse.fact_signature f WHERE {_NEW_ROWS}
  UNION
    SELECT DISTINCT f.period FROM warehouse.fact_unit_count f WHERE {_NEW_ROWS}
"""


def _touched(connection: Connection, as_of: datetime) -> list[str]:
    last = connection.execute(text("SELECT published_at, as_of FROM ops.publication ORDER BY publication_id DESC LIMIT 1")).first()
    rules_changed = last is not None and connection.scalar(
        text("SELECT bool_or(counted_since > :published_at) FROM warehouse.dim_indicator"), {"published_at": last.published_at}
    )
    since = None if last is None or rules_changed else last.published_at
    new = connection.execute(
        text(
            "SELECT delivery_id, exported_at, feed, rows_loaded FROM ops.delivery "
            "WHERE status IN ('loaded', 'superseded') AND loaded_at > coalesce(:since, '-infinity'::timestamptz)"
        ),
        {"since": since},
    ).all()
    published = set(connection.scalars(text("SELECT DISTINCT period FROM warehouse.fact_indicator WHERE known_to = 'infinity'")))
    touched: set[str] = set()
    if new:
        rows: dict[str, Any] = {"deliveries": [d.delivery_id for d in new], "exported_at": [d.exported_at for d in new]}
        # A new list of agencies may have given dossiers another unit, which leaves no mark on their rows.
        rows["all_dossiers"] = any(d.feed == "agencies" and d.rows_loaded for d in new)
        found = {f"{day:%Y-%m}" for day in connection.scalars(text(_TOUCHED_DAYS), rows)} | set(
            connection.scalars(text(_TOUCHED_PERIODS), rows)
        )
        touched |= {around for period in found for around in periods.containing(period)}
        # A holder counts at the end of every period from the day of issue on.
        issued = connection.scalar(
            text("SELECT min(issued_on) FROM warehouse.fact_signature_holder WHERE delivery_id = ANY(:deliveries)"), rows
        )
        touched |= {period for period in published if issued is not None and periods.days(period)[1] >= issued}
    if last is not None:
        # What was provisional because its period still ran is so no longer.
        touched |= {period for period in published if _ended(period, as_of) and not _ended(period, last.as_of)}
    return sorted(touched, key=lambda period: (periods.days(period), period))


def _ended(period: str, as_of: datetime) -> bool:
    """Whether the last second of a period lies behind: a night's state of knowledge is the end of its day."""
    return (as_of + timedelta(seconds=1)).astimezone(periods.VIETNAM).date() > periods.days(period)[1]


def _calendar(connection: Connection, touched: Iterable[str], as_of: datetime) -> None:
    for period in touched:
        first, last = periods.days(period)
        connection.execute(
            text("INSERT INTO touched_period VALUES (:period, :period_type, :first_day, :last_day, :seen_to, :has_ended)"),
            {
                "period": period,
                "period_type": periods.period_type(period),
                "first_day": first,
                "last_day": last,
                "seen_to": max(first, min(last, as_of.astimezone(periods.VIETNAM).date())),
                "has_ended": _ended(period, as_of),
            },
        )
        connection.execute(
            text("INSERT INTO touched_part VALUES (:period, :part, :first_day, :last_day, :is_month, :lies_in)"),
            [
                {
                    "period": period,
                    "part": part,
                    "first_day": periods.days(part)[0],
                    "last_day": periods.days(part)[1],
                    "is_month": periods.period_type(part) == "month",
                    "lies_in": periods.containing(part)[1:],
                }
                for part in periods.parts(period)
            ],
        )
    connection.execute(text("ANALYZE touched_period; ANALYZE touched_part"))


def _within(column: str, months: Sequence[str]) -> str:
    """Condition that a column lies in one of the months, as few ranges as there are gaps: an index can serve each."""
    ranges: list[tuple[date, date]] = []
    for first, last in map(periods.days, months):
        end = last + timedelta(days=1)
        if ranges and ranges[-1][1] == first:
            ranges[-1] = (ranges[-1][0], end)
        else:
            ranges.append((first, end))
    return "(" + " OR ".join(f"{column} >= '{first}' AND {column} < '{end}'" for first, end in ranges) + ")"


# Counting -------------------------------------------------------------------------------------------------------------


def _of(*facts: str) -> list[Indicator]:
    return [indicator for indicator in indicators() if indicator.fact in facts]


def _unpivot(keys: dict[str, int], counted: Iterable[Indicator]) -> str:
    """One row an indicator out of the columns n_CODE and d_CODE that a pass over a fact leaves."""
    rows = ", ".join(f"({keys[i.code]}, n_{i.code}, d_{i.code})" for i in counted)
    return f"CROSS JOIN LATERAL (VALUES {rows}) one (indicator_key, numerator, denominator)"


def _count_dossiers(connection: Connection, keys: dict[str, int], months: Sequence[str]) -> None:
    """All indicators of dossiers in one pass: by month, then added to quarters and years."""
    counted = _of("dossier")
    columns = ", ".join(
        f"count(*) FILTER (WHERE event = '{i.counted_by}' AND ({i.denominator}) AND ({i.numerator})) AS n_{i.code}, "
        f"count(*) FILTER (WHERE event = '{i.counted_by}' AND ({i.denominator})) AS d_{i.code}"
        for i in counted
    )
    # An end without its own date falls back on other dates, so such rows are all looked at: they are few.
    window = f"({_within('d.received_at', months)} OR {_within('d.finished_at', months)} OR d.finished_at IS NULL)"
    connection.execute(
        text(f"""
        INSERT INTO counted
        SELECT indicator_key, unit_key, t.period, sum(numerator), sum(denominator), false
        FROM (
            SELECT unit_key, date.month, {columns}
            FROM (
                {_DOSSIERS} WHERE d.known_to = 'infinity' AND d.deleted_at IS NULL AND s.is_received AND d.unit_key <> 0 AND {window}
            ) dossier
            CROSS JOIN LATERAL (VALUES ('received', received), ('ended', ended)) happened (event, day)
            JOIN warehouse.dim_date date ON date.date_key = happened.day
            GROUP BY unit_key, date.month
        ) monthly
        JOIN touched_part t ON t.part = monthly.month
        {_unpivot(keys, counted)}
        GROUP BY indicator_key, unit_key, t.period
        """)
    )


def _count_bills(connection: Connection, keys: dict[str, int], months: Sequence[str]) -> None:
    """All indicators of bills in one pass over bills and payments; a customer counts once in a month, a quarter and a year alike."""
    adding = [i for i in _of("bill") if i.count != "customers"]
    distinct = [i for i in _of("bill") if i.count == "customers"]
    sums = []
    for i in adding:
        part, whole = ("sum(cashless_vnd)", "sum(amount_vnd)") if i.count == "amount" else ("count(*)", "count(*)")
        sums.append(
            f"{part} FILTER (WHERE ({i.denominator}) AND ({i.numerator})) AS n_{i.code}, "
            f"{whole} FILTER (WHERE {i.denominator}) AS d_{i.code}"
        )
    months_of_customer = [
        f"bit_or(month_bit) FILTER (WHERE ({i.denominator}) AND ({i.numerator})) AS n_{i.code}, "
        f"bit_or(month_bit) FILTER (WHERE {i.denominator}) AS d_{i.code}"
        for i in distinct
    ]
    masks = ", ".join(f"n_{i.code}, d_{i.code}" for i in distinct)
    window = _within("billing_month", months)
    connection.execute(
        text(f"""
        INSERT INTO counted
        WITH paid AS (
            SELECT p.bill_key, sum(p.amount_vnd) AS paid_vnd
            FROM warehouse.fact_payment p
            JOIN warehouse.dim_payment_status USING (payment_status_key)
            JOIN warehouse.dim_payment_method USING (payment_method_key)
            WHERE p.known_to = 'infinity' AND p.bill_key IS NOT NULL AND is_settled AND is_cashless
              -- a bill is never paid before it is there: older partitions need not be read
              AND p.business_date >= (
                  SELECT min(least(billing_month, issued_on)) FROM warehouse.fact_bill WHERE known_to = 'infinity' AND {window})
            GROUP BY p.bill_key
        ), bill AS MATERIALIZED (
            SELECT b.unit_key, b.billing_month, extract(year FROM b.billing_month)::int AS year,
                1 << (extract(month FROM b.billing_month)::int - 1) AS month_bit, b.customer_hash, s.service_code, b.amount_vnd,
                paid.bill_key IS NOT NULL AS is_cashless, least(coalesce(paid.paid_vnd, 0), b.amount_vnd)::bigint AS cashless_vnd
            FROM warehouse.fact_bill b JOIN warehouse.dim_service s USING (service_key) LEFT JOIN paid ON paid.bill_key = b.row_key
            WHERE b.known_to = 'infinity' AND b.unit_key <> 0 AND {window}
        ), monthly AS (
            SELECT unit_key, billing_month, {", ".join(sums)} FROM bill GROUP BY unit_key, billing_month
        ), customer AS (  -- the months of a year as bits: a row a customer serves all its periods
            SELECT unit_key, year, customer_hash, {", ".join(months_of_customer)}
            FROM bill WHERE customer_hash IS NOT NULL GROUP BY unit_key, year, customer_hash
        ), alike AS (
            SELECT unit_key, year, {masks}, count(*) AS customers FROM customer GROUP BY unit_key, year, {masks}
        ), wanted AS (
            SELECT period, extract(year FROM part_first_day)::int AS year,
                bit_or(1 << (extract(month FROM part_first_day)::int - 1)) AS months
            FROM touched_part WHERE is_month GROUP BY period, year
        ), found AS (
            SELECT indicator_key, unit_key, period, sum(numerator) AS numerator, sum(denominator) AS denominator
            FROM monthly JOIN touched_part t ON t.is_month AND t.part_first_day = monthly.billing_month {_unpivot(keys, adding)}
            GROUP BY indicator_key, unit_key, period
            UNION ALL
            SELECT indicator_key, unit_key, period,
                sum(customers) FILTER (WHERE numerator & months <> 0), sum(customers) FILTER (WHERE denominator & months <> 0)
            FROM alike JOIN wanted USING (year) {_unpivot(keys, distinct)}
            GROUP BY indicator_key, unit_key, period
        )
        SELECT indicator_key, unit_key, period, coalesce(numerator, 0), denominator, false
        FROM found WHERE denominator > 0  -- no bill of a service came: not collected, which is not zero
        """)
    )


def _count_by_offices(connection: Connection, keys: dict[str, int]) -> None:
    """Measures reported by offices: a figure given for the period itself, else the last of a stock or the sum of a flow inside it."""
    flows = sorted(name for name, kind in measures().items() if kind == "flow")
    connection.execute(
        text("""
        INSERT INTO measured
        WITH reported AS (
            SELECT f.unit_key, t.period, t.part, t.part_last_day, t.lies_in, f.measure, f.value
            FROM warehouse.fact_unit_count f JOIN touched_part t ON t.part = f.period
            WHERE f.known_to = 'infinity' AND f.unit_key <> 0
        ), widest AS (  -- a month inside a quarter that was reported itself adds nothing
            SELECT * FROM reported r WHERE NOT EXISTS (
                SELECT FROM reported w
                WHERE w.unit_key = r.unit_key AND w.measure = r.measure AND w.period = r.period AND w.part = ANY(r.lies_in))
        ), last AS (
            SELECT DISTINCT ON (unit_key, period, measure) * FROM widest ORDER BY unit_key, period, measure, part_last_day DESC
        )
        SELECT unit_key, period, measure, sum(value) FROM widest WHERE measure = ANY(:flows) GROUP BY unit_key, period, measure
        UNION ALL
        SELECT unit_key, period, measure, value FROM last WHERE measure <> ALL(:flows)
        """),
        {"flows": flows},
    )
    connection.execute(text("ANALYZE measured"))
    for i in _of("unit_count"):
        connection.execute(
            text("""
            INSERT INTO counted
            SELECT :key, n.unit_key, n.period, n.value, d.value, false
            FROM measured n JOIN measured d USING (unit_key, period) WHERE n.measure = :numerator AND d.measure = :denominator
            """),
            {"key": keys[i.code], "numerator": i.numerator, "denominator": i.denominator},
        )


def _count_signatures(connection: Connection, keys: dict[str, int]) -> None:
    """Certificates as the carriers report them, and persons, each once, where the unit is the one of their last certificate."""
    for i in _of("signature"):
        connection.execute(
            text(f"""
            INSERT INTO counted
            SELECT :key, unit_key, period, sum(carrier.counted), d.value, false
            FROM (
                SELECT DISTINCT ON (f.provider_key, f.unit_key, t.period) f.unit_key, t.period, f.{i.numerator} AS counted
                FROM warehouse.fact_signature f JOIN touched_part t ON t.part = f.month
                WHERE f.known_to = 'infinity' AND f.unit_key <> 0 AND f.{i.numerator} IS NOT NULL
                ORDER BY f.provider_key, f.unit_key, t.period, f.month DESC
            ) carrier JOIN measured d USING (unit_key, period)
            WHERE d.measure = :denominator
            GROUP BY unit_key, period, d.value
            """),
            {"key": keys[i.code], "denominator": i.denominator},
        )
    for i in _of("signature_holder"):
        connection.execute(
            text(f"""
            INSERT INTO counted
            WITH RECURSIVE became AS (  -- a unit that went whole into another takes its people along
                SELECT unit_key, unit_key AS later_key, valid_from, valid_to FROM warehouse.dim_unit
                UNION
                SELECT b.unit_key, u.unit_key, u.valid_from, u.valid_to FROM became b
                JOIN warehouse.bridge_unit_succession s ON s.old_unit_key = b.later_key AND s.extent = 'whole'
                JOIN warehouse.dim_unit u ON u.unit_key = s.new_unit_key
            ), state AS (  -- the first state known holds for the time before it as well
                SELECT *, CASE WHEN known_from > min(known_from) OVER (PARTITION BY provider_key, holder_hash) THEN known_from
                    ELSE '-infinity' END AS holds_from
                FROM warehouse.fact_signature_holder
            ), ending AS (
                SELECT *, (last_day + 1)::timestamp AT TIME ZONE '{_VIETNAM}' AS ends_at FROM touched_period
            ), person AS (
                SELECT DISTINCT ON (t.period, f.holder_hash) t.period, coalesce(b.later_key, f.unit_key) AS unit_key
                FROM state f
                JOIN ending t ON f.issued_on <= t.last_day AND f.holds_from < t.ends_at AND f.known_to >= t.ends_at
                LEFT JOIN became b ON b.unit_key = f.unit_key AND t.last_day BETWEEN b.valid_from AND b.valid_to
                WHERE f.unit_key <> 0 AND ({i.numerator})
                ORDER BY t.period, f.holder_hash, f.issued_on DESC, f.provider_key
            )
            SELECT :key, unit_key, period, persons, d.value, false
            FROM (SELECT unit_key, period, count(*) AS persons FROM person GROUP BY unit_key, period) held
            JOIN measured d USING (unit_key, period)
            WHERE d.measure = :denominator
            """),
            {"key": keys[i.code], "denominator": i.denominator},
        )
    for i in indicators():
        if i.fallback is not None:
            connection.execute(
                text("""
                INSERT INTO counted
                SELECT :key, unit_key, period, numerator, denominator, true FROM counted
                WHERE indicator_key = :fallback
                  AND (unit_key, period) NOT IN (SELECT unit_key, period FROM counted WHERE indicator_key = :key)
                """),
                {"key": keys[i.code], "fallback": keys[i.fallback]},
            )


def _count_surveys(connection: Connection, keys: dict[str, int]) -> None:
    """The last time a question was asked in the period: waves are compared, never added."""
    for i in _of("survey"):
        connection.execute(
            text("""
            INSERT INTO counted
            SELECT DISTINCT ON (f.unit_key, t.period) CAST(:key AS smallint), f.unit_key, t.period, f.positive_answers, f.respondents, false
            FROM warehouse.fact_survey f JOIN touched_part t ON t.part = to_char(f.asked_on, 'YYYY-MM')
            WHERE f.known_to = 'infinity' AND f.unit_key <> 0 AND f.question_code = :code
            ORDER BY f.unit_key, t.period, f.asked_on DESC, f.wave DESC, f.survey_code
            """),
            {"key": keys[i.code], "code": i.code},
        )


# Up the hierarchy -----------------------------------------------------------------------------------------------------

# Units in force at any time of the period so far, units that rows count for although it was over, and what stands
# above them. At the end: on the last day of the unit above, or of the period so far.
_PLACES = """
INSERT INTO place
WITH RECURSIVE placed AS (
    SELECT t.period, t.first_day, t.seen_to, u.unit_key, u.unit_level, u.valid_from, u.valid_to,
        p.unit_key AS parent_key, p.valid_to AS parent_valid_to
    FROM touched_period t CROSS JOIN warehouse.dim_unit u
    LEFT JOIN warehouse.dim_unit p ON p.unit_code = u.parent_code
        AND greatest(u.valid_from, least(u.valid_to, t.seen_to)) BETWEEN p.valid_from AND p.valid_to
    WHERE u.unit_key <> 0
), here AS (
    SELECT period, unit_key FROM placed WHERE valid_from <= seen_to AND valid_to >= first_day
  UNION
    SELECT period, unit_key FROM counted
  UNION
    SELECT period, placed.parent_key FROM here JOIN placed USING (period, unit_key) WHERE placed.parent_key IS NOT NULL
)
SELECT period, unit_key, unit_level, parent_key, valid_from <= seen_to AND valid_to >= first_day,
    least(coalesce(parent_valid_to, seen_to), seen_to) BETWEEN valid_from AND valid_to
FROM here JOIN placed USING (period, unit_key);
ANALYZE place; ANALYZE counted;
"""

# A unit that runs the model is one of which anything was counted; the whole is every commune there is at the end.
_REPORTING = """
INSERT INTO counted
SELECT :key, above.unit_key, p.period,
    count(*) FILTER (WHERE EXISTS (SELECT FROM counted c WHERE c.unit_key = p.unit_key AND c.period = p.period)), count(*), false
FROM place p
CROSS JOIN LATERAL (
    SELECT p.parent_key AS unit_key
    UNION ALL
    SELECT d.parent_key FROM place d WHERE d.period = p.period AND d.unit_key = p.parent_key AND d.is_at_end
) above
WHERE p.unit_level = 'commune' AND p.is_at_end AND above.unit_key IS NOT NULL
GROUP BY above.unit_key, p.period
"""

# Rows that a district handled itself are added to those of its communes. A figure that was reported for the district
# as a whole takes the place of their sum. A stock is that of the units there are at the end: those that went before
# would count its people twice.
_ADD_UP = """
INSERT INTO added_up
WITH way AS (
    SELECT unnest(CAST(:keys AS smallint[])) AS indicator_key,
        unnest(CAST(:whole AS boolean[])) AS counts_whole, unnest(CAST(:stock AS boolean[])) AS is_stock
), own AS (
    SELECT c.*, i.counts_whole FROM counted c JOIN place p USING (period, unit_key) JOIN way i USING (indicator_key)
    WHERE p.unit_level = :level
), below AS (
    SELECT a.indicator_key, p.parent_key AS unit_key, p.period, sum(a.numerator) AS numerator, sum(a.denominator) AS denominator,
        bool_and(a.is_complete)
            AND count(*) FILTER (WHERE p.is_in_force) = max(CASE WHEN i.is_stock THEN all_of.units_at_end ELSE all_of.units END)
            AS is_complete
    FROM added_up a
    JOIN way i USING (indicator_key)
    JOIN place p USING (period, unit_key)
    JOIN place parent ON parent.period = p.period AND parent.unit_key = p.parent_key
    LEFT JOIN (
        SELECT period, parent_key, count(*) AS units, count(*) FILTER (WHERE is_at_end) AS units_at_end
        FROM place WHERE is_in_force GROUP BY period, parent_key
    ) all_of ON all_of.period = p.period AND all_of.parent_key = p.parent_key
    WHERE parent.unit_level = :level AND (p.is_at_end OR NOT i.is_stock)
    GROUP BY a.indicator_key, p.parent_key, p.period
)
SELECT indicator_key, unit_key, period,
    CASE WHEN own.counts_whole THEN own.numerator ELSE coalesce(own.numerator, 0) + coalesce(below.numerator, 0) END,
    CASE WHEN own.counts_whole THEN own.denominator ELSE coalesce(own.denominator, 0) + coalesce(below.denominator, 0) END,
    NOT coalesce(own.is_fallback, false) AND (:level = 'commune' OR coalesce(own.counts_whole, false) OR coalesce(below.is_complete, false))
FROM own FULL JOIN below USING (indicator_key, unit_key, period)
"""


def _add_up(connection: Connection, keys: dict[str, int]) -> None:
    connection.execute(text(_PLACES))
    for i in _of("units"):
        connection.execute(text(_REPORTING), {"key": keys[i.code]})
    whole = [i.fact in ("unit_count", "signature", "survey", "units") for i in indicators()]
    stock = [i.is_stock for i in indicators()]
    for level in ("commune", "district", "province"):
        connection.execute(text(_ADD_UP), {"level": level, "keys": [keys[i.code] for i in indicators()], "whole": whole, "stock": stock})
        connection.execute(text("ANALYZE added_up"))


def rounded_half_up(numerator: str, denominator: str, decimals: str) -> str:
    """SQL of 100 × numerator / denominator, rounded half up once: whole numbers all the way, so no digit is lost before."""
    scaled = f"div(2 * 100 * {numerator}::numeric * 10::numeric ^ {decimals} + {denominator}, 2 * {denominator}::numeric)"
    return f"round({scaled} / 10::numeric ^ {decimals}, {decimals})"


# Shown are the communes of a parent of which at least one commune reported, and everything above: a commune that
# sent nothing while its neighbours did is missing, which is worth a line; a district nobody reports from is not.
_CANDIDATES = f"""
INSERT INTO candidate
WITH reported AS (
    SELECT DISTINCT a.period, a.unit_key, p.unit_level, p.parent_key FROM added_up a JOIN place p USING (period, unit_key)
    WHERE a.indicator_key <> ALL(CAST(:derived AS smallint[]))
), shown AS (
    SELECT period, unit_key FROM reported
    UNION
    SELECT p.period, p.unit_key FROM place p
    WHERE p.unit_level = 'commune' AND p.is_in_force
      AND (p.period, p.parent_key) IN (SELECT period, parent_key FROM reported WHERE unit_level = 'commune')
    UNION  -- what was shown once stays, even where nothing is left of it
    SELECT DISTINCT f.period, f.unit_key FROM warehouse.fact_indicator f JOIN touched_period USING (period) WHERE f.known_to = 'infinity'
), line AS (
    SELECT i.indicator_key, s.unit_key, s.period, d.decimals, t.has_ended, a.is_complete, a.numerator, a.denominator,
        NOT (u.unit_level = ANY(string_to_array(i.levels, ','))) OR t.last_day < d.valid_from OR t.first_day > d.valid_to AS is_outside,
        a.denominator < i.suppress_below AS is_small, t.last_day >= i.breaks_from AS is_after_break
    FROM shown s JOIN touched_period t USING (period) JOIN warehouse.dim_unit u USING (unit_key)
    CROSS JOIN (SELECT unnest(CAST(:keys AS smallint[])) AS indicator_key, unnest(CAST(:levels AS text[])) AS levels,
        unnest(CAST(:suppress_below AS integer[])) AS suppress_below, unnest(CAST(:breaks_from AS date[])) AS breaks_from) i
    JOIN warehouse.dim_indicator d USING (indicator_key)
    LEFT JOIN added_up a USING (indicator_key, unit_key, period)
), judged AS (
    SELECT *, CASE WHEN is_outside THEN 'M' WHEN denominator IS NULL OR denominator = 0 THEN 'L' WHEN is_small THEN 'Q'
        WHEN NOT has_ended OR NOT is_complete THEN 'P' WHEN is_after_break THEN 'B' ELSE 'A' END AS obs_status
    FROM line
)
SELECT indicator_key, unit_key, period, CASE WHEN NOT is_outside THEN numerator END, CASE WHEN NOT is_outside THEN denominator END,
    CASE WHEN obs_status IN ('A', 'B', 'P') THEN {rounded_half_up("numerator", "denominator", "decimals")} END, obs_status
FROM judged
"""


def _candidates(connection: Connection, keys: dict[str, int]) -> None:
    declared = indicators()
    connection.execute(
        text(_CANDIDATES),
        {
            "keys": [keys[i.code] for i in declared],
            "levels": [",".join(i.levels) for i in declared],
            "suppress_below": [i.suppress_below for i in declared],
            "breaks_from": [min((b.from_ for b in i.breaks), default=None) for i in declared],
            "derived": [keys[i.code] for i in _of("units")],
        },
    )
    connection.execute(text("ANALYZE candidate"))


# Publishing -----------------------------------------------------------------------------------------------------------

_PUBLISH = """
WITH compared AS (
    SELECT c.*, f.revision, f.known_from,
        f.revision IS NOT NULL AND (c.numerator, c.denominator, c.value, c.obs_status::text)
            IS NOT DISTINCT FROM (f.numerator, f.denominator, f.value, f.obs_status::text) AS is_unchanged
    FROM candidate c LEFT JOIN warehouse.fact_indicator f
        ON f.indicator_key = c.indicator_key AND f.unit_key = c.unit_key AND f.period = c.period AND f.known_to = 'infinity'
), published AS (
    INSERT INTO ops.publication (run_id, published_at, as_of, values_added, values_revised, values_unchanged)
    SELECT :run_id, :published_at, :as_of, count(*) FILTER (WHERE revision IS NULL),
        count(*) FILTER (WHERE revision IS NOT NULL AND NOT is_unchanged), count(*) FILTER (WHERE is_unchanged)
    FROM compared
    RETURNING *
), closed AS (
    UPDATE warehouse.fact_indicator f SET known_to = greatest(f.known_from, :as_of)
    FROM compared c
    WHERE (f.indicator_key, f.unit_key, f.period, f.revision) = (c.indicator_key, c.unit_key, c.period, c.revision) AND NOT c.is_unchanged
    RETURNING f.indicator_key
), revised AS (
    INSERT INTO warehouse.fact_indicator
        (indicator_key, unit_key, period, revision, numerator, denominator, value, obs_status, known_from, publication_id)
    SELECT c.indicator_key, c.unit_key, c.period, coalesce(c.revision, 0) + 1, c.numerator, c.denominator, c.value, c.obs_status,
        greatest(c.known_from, :as_of), published.publication_id
    FROM compared c CROSS JOIN published
    WHERE NOT c.is_unchanged AND (SELECT count(*) FROM closed) >= 0
    RETURNING revision
)
SELECT publication_id, values_added, values_revised, values_unchanged FROM published
"""
