"""Facts → the units' own counts: each fact is read once, and only where it changed.

Rows and amounts are counted by month into warehouse.agg_unit_month; quarters and years are sums of it. What cannot be
added — customers, holders, stocks, surveys — is counted for each period. All of it comes to the temporary table `counted`.

Columns that the SQL conditions of warehouse/indicators/*.yaml may use:
dossier  channel_code, service_level, applicant_type, is_solved, is_in_progress, is_withdrawn, is_in_time (form II.06a),
         is_digitised, reuse_code, has_electronic_result, is_vneid_verified, online_payment_code, fee_vnd, supplement_count
bill     service_code, is_cashless (settled, at least once, by a cashless method), amount_vnd, cashless_vnd
holder   certificate_status
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta

from sqlalchemy import Connection, text

from warehouse import periods
from warehouse.indicators import Fact, Indicator, indicators, measures
from warehouse.scores.on_time import on_time

_FORM_06A = on_time("form_06a")

# A dossier belongs to the month it was received in and, once it ended, to the month it ended in. Only the current
# state counts: what an earlier night saw is kept as a revision of the value, not computed again.
DOSSIERS = f"""
    SELECT d.delivery_id, d.unit_key, d.received_at::date AS received,
        CASE WHEN {_FORM_06A.judged} THEN ({_FORM_06A.ended_at})::date END AS ended,
        c.channel_code, d.service_level, d.applicant_type, s.is_solved, s.is_in_progress, s.is_withdrawn,
        {_FORM_06A.in_time_at("NULL")} AS is_in_time,
        d.is_digitised, d.reuse_code, d.has_electronic_result, d.is_vneid_verified, d.online_payment_code, d.fee_vnd, d.supplement_count
    FROM warehouse.fact_dossier d
    JOIN warehouse.dim_dossier_status s USING (dossier_status_key)
    JOIN warehouse.dim_channel c USING (channel_key)
"""


def count(connection: Connection, keys: dict[str, int], months: dict[Fact, list[str]], periods_of: dict[Fact, set[str]]) -> None:
    """Counts again the months of dossiers and bills, then the periods of everything, into `counted`."""
    if months["dossier"]:
        _count_dossiers(connection, keys, months["dossier"])
    if periods_of["bill"]:
        _count_bills(connection, keys, months["bill"], _months_of(periods_of["bill"]))
    _add_months(connection, keys)
    if periods_of["unit_count"]:
        _count_by_offices(connection, keys)
        _count_signatures(connection, keys)
    if periods_of["survey"]:
        _count_surveys(connection, keys)


def _months_of(longer: Iterable[str]) -> list[str]:
    return sorted({part for period in longer for part in periods.parts(period) if periods.period_type(part) == "month"})


def _within(column: str, months: Sequence[str]) -> str:
    """Condition that a column lies in one of the months, as few ranges as there are gaps: an index can serve each."""
    ranges: list[tuple[date, date]] = []
    for first, last in map(periods.days, months):
        end = last + timedelta(days=1)
        if ranges and ranges[-1][1] == first:
            ranges[-1] = (ranges[-1][0], end)
        else:
            ranges.append((first, end))
    return "(" + " OR ".join(f"{column} >= '{first}' AND {column} < '{end}'" for first, end in ranges) + ")" if ranges else "FALSE"


def _of(*facts: str) -> list[Indicator]:
    return [indicator for indicator in indicators() if indicator.fact in facts]


def _unpivot(keys: dict[str, int], counted: Iterable[Indicator]) -> str:
    """One row an indicator out of the columns n_CODE and d_CODE that a pass over a fact leaves."""
    rows = ", ".join(f"({keys[i.version_name]}, n_{i.version_name}, d_{i.version_name})" for i in counted)
    return f"CROSS JOIN LATERAL (VALUES {rows}) one (indicator_key, numerator, denominator)"


def _replaced(connection: Connection, keys: dict[str, int], counted: Iterable[Indicator], months: Sequence[str]) -> None:
    connection.execute(
        text("DELETE FROM warehouse.agg_unit_month WHERE month = ANY(:months) AND indicator_key = ANY(:keys)"),
        {"months": months, "keys": [keys[i.version_name] for i in counted]},
    )


def _count_dossiers(connection: Connection, keys: dict[str, int], months: Sequence[str]) -> None:
    """All indicators of dossiers in one pass over the dossiers of the months."""
    counted = _of("dossier")
    columns = ", ".join(
        f"count(*) FILTER (WHERE event = '{i.counted_by}' AND ({i.denominator}) AND ({i.numerator})) AS n_{i.version_name}, "
        f"count(*) FILTER (WHERE event = '{i.counted_by}' AND ({i.denominator})) AS d_{i.version_name}"
        for i in counted
    )
    # An end without its own date falls back on other dates, so such rows are all looked at: they are few.
    window = f"({_within('d.received_at', months)} OR {_within('d.finished_at', months)} OR d.finished_at IS NULL)"
    _replaced(connection, keys, counted, months)
    connection.execute(
        text(f"""
        INSERT INTO warehouse.agg_unit_month (indicator_key, unit_key, month, numerator, denominator)
        SELECT indicator_key, unit_key, month, numerator, denominator
        FROM (
            SELECT unit_key, date.month, {columns}
            FROM (
                {DOSSIERS} WHERE d.known_to = 'infinity' AND d.deleted_at IS NULL AND s.is_received AND d.unit_key <> 0 AND {window}
            ) dossier
            CROSS JOIN LATERAL (VALUES ('received', received), ('ended', ended)) happened (event, day)
            JOIN warehouse.dim_date date ON date.date_key = happened.day
            WHERE date.month = ANY(:months)
            GROUP BY unit_key, date.month
        ) monthly
        {_unpivot(keys, counted)}
        """),
        {"months": months},
    )


def _count_bills(connection: Connection, keys: dict[str, int], months: Sequence[str], around: Sequence[str]) -> None:
    """All indicators of bills in one pass: what adds up over the bills of the months, customers over those of all months around.

    A customer counts once in a month, a quarter and a year alike.
    """
    adding = [i for i in _of("bill") if i.adds_up]
    distinct = [i for i in _of("bill") if not i.adds_up]
    sums = []
    for i in adding:
        part, whole = ("sum(cashless_vnd)", "sum(amount_vnd)") if i.count == "amount" else ("count(*)", "count(*)")
        sums.append(
            f"{part} FILTER (WHERE ({i.denominator}) AND ({i.numerator})) AS n_{i.version_name}, "
            f"{whole} FILTER (WHERE {i.denominator}) AS d_{i.version_name}"
        )
    months_of_customer = [
        f"bit_or(month_bit) FILTER (WHERE ({i.denominator}) AND ({i.numerator})) AS n_{i.version_name}, "
        f"bit_or(month_bit) FILTER (WHERE {i.denominator}) AS d_{i.version_name}"
        for i in distinct
    ]
    masks = ", ".join(f"n_{i.version_name}, d_{i.version_name}" for i in distinct)
    window, changed = _within("billing_month", around), _within("billing_month", months)
    customers = " OR ".join(f"({i.denominator})" for i in distinct)
    _replaced(connection, keys, adding, months)
    connection.execute(
        text(f"""
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
            SELECT b.unit_key, b.billing_month, {changed} AS is_changed, extract(year FROM b.billing_month)::int AS year,
                1 << (extract(month FROM b.billing_month)::int - 1) AS month_bit, b.customer_hash, s.service_code, b.amount_vnd,
                paid.bill_key IS NOT NULL AS is_cashless, least(coalesce(paid.paid_vnd, 0), b.amount_vnd)::bigint AS cashless_vnd
            FROM warehouse.fact_bill b JOIN warehouse.dim_service s USING (service_key) LEFT JOIN paid ON paid.bill_key = b.row_key
            WHERE b.known_to = 'infinity' AND b.unit_key <> 0 AND {window} AND ({changed} OR {customers})
        ), monthly AS (
            SELECT unit_key, billing_month, {", ".join(sums)} FROM bill WHERE is_changed GROUP BY unit_key, billing_month
        ), added AS (
            INSERT INTO warehouse.agg_unit_month (indicator_key, unit_key, month, numerator, denominator)
            SELECT indicator_key, unit_key, to_char(billing_month, 'YYYY-MM'), coalesce(numerator, 0), denominator
            FROM monthly {_unpivot(keys, adding)}
            WHERE denominator > 0  -- no bill of a service came: not collected, which is not zero
        ), customer AS (  -- the months of a year as bits: a row a customer serves all its periods
            SELECT unit_key, year, customer_hash, {", ".join(months_of_customer)}
            FROM bill WHERE customer_hash IS NOT NULL AND ({customers}) GROUP BY unit_key, year, customer_hash
        ), alike AS (
            SELECT unit_key, year, {masks}, count(*) AS customers FROM customer GROUP BY unit_key, year, {masks}
        ), wanted AS (
            SELECT period, extract(year FROM part_first_day)::int AS year,
                bit_or(1 << (extract(month FROM part_first_day)::int - 1)) AS months
            FROM touched_part WHERE is_month AND 'bill' = ANY(facts) GROUP BY period, year
        )
        INSERT INTO counted
        SELECT * FROM (
            SELECT indicator_key, unit_key, period, coalesce(sum(customers) FILTER (WHERE numerator & months <> 0), 0),
                sum(customers) FILTER (WHERE denominator & months <> 0) AS denominator, false
            FROM alike JOIN wanted USING (year) {_unpivot(keys, distinct)}
            GROUP BY indicator_key, unit_key, period
        ) found
        WHERE denominator > 0
        """)
    )


def _add_months(connection: Connection, keys: dict[str, int]) -> None:
    """Months, and quarters and years as sums of their months."""
    adding = [i for i in indicators() if i.adds_up]
    connection.execute(
        text("""
        INSERT INTO counted
        SELECT indicator_key, a.unit_key, t.period, sum(a.numerator), sum(a.denominator), false
        FROM touched_part t
        JOIN warehouse.agg_unit_month a ON a.month = t.part
        JOIN (SELECT unnest(CAST(:keys AS smallint[])) AS indicator_key, unnest(CAST(:facts AS text[])) AS fact) i USING (indicator_key)
        WHERE t.is_month AND i.fact = ANY(t.facts)
        GROUP BY indicator_key, a.unit_key, t.period
        """),
        {"keys": [keys[i.version_name] for i in adding], "facts": [i.fact for i in adding]},
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
            WHERE f.known_to = 'infinity' AND f.unit_key <> 0 AND 'unit_count' = ANY(t.facts)
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
            {"key": keys[i.version_name], "numerator": i.numerator, "denominator": i.denominator},
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
                WHERE f.known_to = 'infinity' AND f.unit_key <> 0 AND f.{i.numerator} IS NOT NULL AND 'signature' = ANY(t.facts)
                ORDER BY f.provider_key, f.unit_key, t.period, f.month DESC
            ) carrier JOIN measured d USING (unit_key, period)
            WHERE d.measure = :denominator
            GROUP BY unit_key, period, d.value
            """),
            {"key": keys[i.version_name], "denominator": i.denominator},
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
                SELECT *, (last_day + 1)::timestamp AT TIME ZONE '{periods.VIETNAM}' AS ends_at FROM touched_period
                WHERE 'signature_holder' = ANY(facts)
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
            {"key": keys[i.version_name], "denominator": i.denominator},
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
                {"key": keys[i.version_name], "fallback": keys[i.fallback]},
            )


def _count_surveys(connection: Connection, keys: dict[str, int]) -> None:
    """The last time a question was asked in the period: waves are compared, never added."""
    for i in _of("survey"):
        connection.execute(
            text("""
            INSERT INTO counted
            SELECT DISTINCT ON (f.unit_key, t.period) CAST(:key AS smallint), f.unit_key, t.period, f.positive_answers, f.respondents, false
            FROM warehouse.fact_survey f JOIN touched_part t ON t.part = to_char(f.asked_on, 'YYYY-MM')
            WHERE f.known_to = 'infinity' AND f.unit_key <> 0 AND f.question_code = :code AND 'survey' = ANY(t.facts)
            ORDER BY f.unit_key, t.period, f.asked_on DESC, f.wave DESC, f.survey_code
            """),
            {"key": keys[i.version_name], "code": i.code},
        )
