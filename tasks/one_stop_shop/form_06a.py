"""Form II.06a (TT 01/2020/TT-VPCP): dossiers received, handled and pending, for every unit, period, section and sector.

Each dossier is three events: received, ended, became overdue. Events are kept added up by month (agg_form_06a), and a night
adds those of the states that changed. A month's form is the running sum of events, a quarter's and a year's are put together
from its months. So the next period's (6) is this period's (11) whatever the states are, and the form as known on a day is
the same for ever.
"""

from __future__ import annotations

from sqlalchemy import Connection, text

from tasks.count.held_back import HeldBack, write_held_back
from tasks.count.known_dossiers import News, by_month, with_values
from tasks.count.revisions import Publication, Revised, revise
from warehouse.scores.on_time import on_time
from warehouse.tables import fact_form_06a

COLUMNS = tuple(f"c{number}" for number in range(3, 14))
KEYS = ("unit_key", "period", "section", "sector_code")
ON_TIME = on_time("form_06a")

# Above each version of a unit, the versions that stood there while it held: a dossier counts for those of the day it was received.
ANCESTORS = """
CREATE TEMPORARY TABLE ancestor ON COMMIT DROP AS
WITH RECURSIVE above AS (
    SELECT unit_key, unit_key AS ancestor_key, unit_level AS section, valid_from, valid_to, parent_code FROM warehouse.dim_unit
  UNION ALL
    SELECT a.unit_key, p.unit_key, a.section, greatest(a.valid_from, p.valid_from), least(a.valid_to, p.valid_to), p.parent_code
    FROM above a JOIN warehouse.dim_unit p ON p.unit_code = a.parent_code AND p.valid_from <= a.valid_to AND p.valid_to >= a.valid_from
)
SELECT a.unit_key, a.ancestor_key, a.section, a.valid_from, a.valid_to, u.valid_from AS unit_from, u.valid_to AS unit_to
FROM above a JOIN warehouse.dim_unit u ON u.unit_key = a.unit_key;
ANALYZE ancestor
"""


def holds_on(day: str) -> str:
    """SQL condition on `ancestor`: it stood above its unit on a day, or on the nearest day on which the unit was there."""
    return f"greatest(ancestor.unit_from, least(ancestor.unit_to, {day})) BETWEEN ancestor.valid_from AND ancestor.valid_to"


# Pending supplements, payments and stops are in time whatever the due date.
_STATES = f"""
CREATE TEMPORARY TABLE form_state ON COMMIT DROP AS
SELECT unit_key, sector_code, is_online, received, ended, outcome,
    CASE WHEN date_trunc('month', overdue) < coalesce(date_trunc('month', ended), 'infinity') THEN overdue END AS overdue,
    sum(sign)::int AS dossiers
FROM (
    SELECT d.sign, d.unit_key, p.sector_code, coalesce(d.channel_key = 2, FALSE) AS is_online,
        {by_month("d.received_at::date")} AS received,
        CASE WHEN {ON_TIME.judged} THEN {by_month(f"({ON_TIME.ended_at})::date")} END AS ended,
        CASE WHEN NOT ({ON_TIME.judged}) THEN NULL WHEN NOT {ON_TIME.in_time_at("NULL")} THEN 'late'
            WHEN NOT s.is_withdrawn AND ({ON_TIME.ended_at})::date < d.due_at::date THEN 'early' ELSE 'on_day' END AS outcome,
        CASE WHEN s.dossier_status_code NOT IN ('5', '6', '8') AND d.due_at IS NOT NULL
            THEN {by_month("greatest(d.due_at::date + 1, d.received_at::date)")} END AS overdue
    FROM {{source}} d
    JOIN warehouse.dim_dossier_status s USING (dossier_status_key)
    JOIN warehouse.dim_procedure p USING (procedure_key)
    WHERE d.deleted_at IS NULL AND s.is_received AND d.received_at >= '2000-01-01'
) state
GROUP BY unit_key, sector_code, is_online, received, ended, outcome, 7
HAVING sum(sign) <> 0;
ANALYZE form_state
"""

_EVENTS = f"""
CREATE TEMPORARY TABLE form_event ON COMMIT DROP AS
SELECT ancestor_key AS unit_key, section, sector_code, day, coalesce(sum(online), 0)::int AS online, coalesce(sum(other), 0)::int AS other,
    coalesce(sum(early), 0)::int AS early, coalesce(sum(on_day), 0)::int AS on_day, coalesce(sum(late), 0)::int AS late,
    coalesce(sum(event.overdue), 0)::int AS overdue
FROM form_state c
JOIN ancestor ON ancestor.unit_key = c.unit_key AND {holds_on("c.received")}
CROSS JOIN LATERAL (VALUES
    (c.received, CASE WHEN is_online THEN dossiers END, CASE WHEN NOT is_online THEN dossiers END, NULL, NULL, NULL, NULL),
    (c.ended, NULL, NULL, CASE outcome WHEN 'early' THEN dossiers END, CASE outcome WHEN 'on_day' THEN dossiers END,
        CASE outcome WHEN 'late' THEN dossiers END, CASE WHEN c.overdue IS NOT NULL THEN -dossiers END),
    (c.overdue, NULL, NULL, NULL, NULL, NULL, dossiers)
) event (day, online, other, early, on_day, late, overdue)
WHERE day IS NOT NULL
GROUP BY ancestor_key, section, sector_code, day;
ANALYZE form_event
"""

_ADD = """
INSERT INTO warehouse.agg_form_06a AS f (unit_key, section, sector_code, day, online, other, early, on_day, late, overdue)
SELECT unit_key, section, sector_code, day, online, other, early, on_day, late, overdue FROM form_event
ON CONFLICT (unit_key, section, sector_code, day) DO UPDATE SET online = f.online + excluded.online, other = f.other + excluded.other,
    early = f.early + excluded.early, on_day = f.on_day + excluded.on_day, late = f.late + excluded.late,
    overdue = f.overdue + excluded.overdue;
DELETE FROM warehouse.agg_form_06a WHERE (online, other, early, on_day, late, overdue) = (0, 0, 0, 0, 0, 0);
ANALYZE warehouse.agg_form_06a
"""

_LAST_MONTH = "SELECT date_trunc('month', max(day))::date FROM warehouse.agg_form_06a WHERE day <= :day"

_LINES = """
CREATE TEMPORARY TABLE form_line ON COMMIT DROP AS
SELECT unit_key, section, sector_code FROM form_event
UNION
SELECT unit_key, section, sector_code FROM warehouse.agg_form_06a WHERE day > :since AND day <= :today
"""

# The last month there is has moved, or nothing is known: every line has a new one.
_ALL_LINES = """
CREATE TEMPORARY TABLE form_line ON COMMIT DROP AS
SELECT unit_key, section, sector_code FROM warehouse.agg_form_06a
UNION
SELECT unit_key, section, sector_code FROM warehouse.fact_form_06a WHERE known_to = 'infinity'
"""

_MONTHS = """
ANALYZE form_line;
CREATE TEMPORARY TABLE form_month ON COMMIT DROP AS
WITH monthly AS (
    SELECT unit_key, section, sector_code, date_trunc('month', day)::date AS month, sum(online) AS online, sum(other) AS other,
        sum(early) AS early, sum(on_day) AS on_day, sum(late) AS late, sum(overdue) AS overdue
    FROM form_line JOIN warehouse.agg_form_06a USING (unit_key, section, sector_code)
    WHERE day <= :today
    GROUP BY 1, 2, 3, 4
), running AS (
    SELECT unit_key, section, sector_code, month, coalesce(online, 0) AS c4, coalesce(other, 0) AS c5,
        coalesce(early, 0) AS c8, coalesce(on_day, 0) AS c9, coalesce(late, 0) AS c10,
        sum(coalesce(online, 0) + coalesce(other, 0) - coalesce(early, 0) - coalesce(on_day, 0) - coalesce(late, 0)) OVER so_far AS c11,
        sum(coalesce(overdue, 0)) OVER so_far AS c13
    FROM (SELECT unit_key, section, sector_code, min(month) AS first FROM monthly GROUP BY unit_key, section, sector_code) line
    JOIN (SELECT DISTINCT month_start AS month FROM warehouse.dim_date WHERE month_start <= :last) calendar
        ON calendar.month >= line.first
    LEFT JOIN monthly USING (unit_key, section, sector_code, month)
    WINDOW so_far AS (PARTITION BY unit_key, section, sector_code ORDER BY month)
)
SELECT *, c11 - c4 - c5 + c8 + c9 + c10 AS c6 FROM running;
ANALYZE form_month
"""

_PERIODS = """
CREATE TEMPORARY TABLE form_candidate ON COMMIT DROP AS
WITH month AS (
    SELECT DISTINCT month_start, month, quarter, year,
        make_date(left(year, 4)::int, 3 * right(quarter, 1)::int - 2, 1) AS quarter_start, make_date(year::int, 1, 1) AS year_start
    FROM warehouse.dim_date
), part AS (
    SELECT m.month_start, of.period, of.first, least(of.last, CAST(:last AS date)) AS last
    FROM month m
    CROSS JOIN LATERAL (VALUES (month, month_start, month_start), (quarter, quarter_start, (quarter_start + interval '2 months')::date),
        (year, year_start, (year_start + interval '11 months')::date)) of (period, first, last)
), added AS (
    SELECT unit_key, period, section, sector_code, sum(c4) AS c4, sum(c5) AS c5, coalesce(sum(c6) FILTER (WHERE month = first), 0) AS c6,
        sum(c8) AS c8, sum(c9) AS c9, sum(c10) AS c10,
        sum(c11) FILTER (WHERE month = last) AS c11, sum(c13) FILTER (WHERE month = last) AS c13
    FROM form_month JOIN part ON part.month_start = form_month.month
    GROUP BY unit_key, period, section, sector_code
)
SELECT unit_key, period, section, sector_code, sector_name, (c4 + c5 + c6)::int AS c3, c4::int, c5::int, c6::int,
    (c8 + c9 + c10)::int AS c7,
    c8::int, c9::int, c10::int, c11::int, (c11 - c13)::int AS c12, c13::int
FROM added
JOIN (SELECT sector_code, max(sector_name) AS sector_name FROM warehouse.dim_procedure GROUP BY sector_code) sector USING (sector_code)
WHERE c4 + c5 + c6 > 0;
ANALYZE form_candidate
"""

CONTROLS = {
    "(3) = (4) + (5) + (6)": "SELECT unit_key, period FROM form_candidate WHERE c3 <> c4 + c5 + c6",
    "(7) = (8) + (9) + (10)": "SELECT unit_key, period FROM form_candidate WHERE c7 <> c8 + c9 + c10",
    "(11) = (12) + (13)": "SELECT unit_key, period FROM form_candidate WHERE c11 <> c12 + c13",
    "(3) = (7) + (11)": "SELECT unit_key, period FROM form_candidate WHERE c3 <> c7 + c11",
    "không có số âm": "SELECT unit_key, period FROM form_candidate WHERE least(c4, c5, c6, c8, c9, c10, c12, c13) < 0",
    "(6) = (11) của kỳ trước": """
        WITH place AS (
            SELECT period, kind, row_number() OVER (PARTITION BY kind ORDER BY period) AS number
            FROM (SELECT DISTINCT period, kind FROM warehouse.dim_date
                CROSS JOIN LATERAL (VALUES (month, 'month'), (quarter, 'quarter'), (year, 'year')) part (period, kind)) part
        ), last AS (
            SELECT kind, max(number) AS number FROM form_candidate JOIN place USING (period) GROUP BY kind
        ), line AS (
            SELECT unit_key, period, kind, number, c6, c11,
                lag(number) OVER in_a_row AS number_before, lag(c11) OVER in_a_row AS c11_before,
                lead(number) OVER in_a_row AS number_after
            FROM form_candidate JOIN place USING (period)
            WINDOW in_a_row AS (PARTITION BY unit_key, section, sector_code, kind ORDER BY number)
        )
        SELECT unit_key, period FROM line JOIN last USING (kind)
        WHERE c6 <> CASE WHEN number_before = line.number - 1 THEN c11_before ELSE 0 END
           OR c11 > 0 AND number_after IS DISTINCT FROM line.number + 1 AND line.number < last.number
    """,
    "mỗi hồ sơ được đếm ở đúng một đơn vị cấp cao nhất": """
        SELECT unit_key, period FROM form_candidate WHERE (SELECT coalesce(sum(dossiers), 0) FROM form_state) <> (
            SELECT coalesce(sum(online + other), 0) FROM form_event JOIN warehouse.dim_unit USING (unit_key) WHERE parent_code IS NULL)
    """,
    "mọi hồ sơ được đếm đều có trong biểu": """
        SELECT unit_key, period FROM form_candidate WHERE (SELECT coalesce(sum(online + other), 0) FROM warehouse.agg_form_06a
            JOIN form_line USING (unit_key, section, sector_code) WHERE day <= :today)
            <> (SELECT coalesce(sum(c4 + c5), 0) FROM form_candidate WHERE length(period) = 4)
    """,
}
"""What holds in the form → the units and periods of the lines for which it does not; all of them where it cannot be told which."""

_HELD_BACK = """
CREATE TEMPORARY TABLE form_held_back (unit_key integer, period text, reason_vi text, PRIMARY KEY (unit_key, period)) ON COMMIT DROP
"""
_HOLD_BACK = "INSERT INTO form_held_back SELECT DISTINCT unit_key, period, :control FROM ({broken}) broken ON CONFLICT DO NOTHING"


def compute_form_06a(connection: Connection, news: News) -> bool:
    """Adds what is new and computes the form of every line it touches into the temporary table `form_candidate`; whether it adds up.

    A form of a unit and period that breaks a control stands in `form_held_back` with the control.
    """
    days = {"today": f"{news.today}", "since": f"{news.since}"}
    connection.execute(text("DROP TABLE IF EXISTS ancestor, form_state, form_event, form_line, form_month, form_candidate, form_held_back"))
    connection.execute(text(ANCESTORS))
    if news.since is None:
        connection.execute(text("DELETE FROM warehouse.agg_form_06a"))
        before = None
    else:
        before = connection.scalar(text(_LAST_MONTH), {"day": news.since})
    for statement in (_STATES.format(source=news.source), _EVENTS, _ADD):
        connection.execute(text(statement))
    last = connection.scalar(text(_LAST_MONTH), {"day": news.today})
    days["last"] = f"{last or news.today}"
    for statement in (_LINES if before is not None and before == last else _ALL_LINES, _MONTHS, _PERIODS, _HELD_BACK):
        connection.execute(with_values(statement, days))
    for control, broken in CONTROLS.items():
        reason = {"control": f"biểu 06a không cân đối: {control}"}
        connection.execute(with_values(_HOLD_BACK.format(broken=broken), days | reason))
    return not connection.scalar(text("SELECT EXISTS (SELECT FROM form_held_back)"))


def revise_form_06a(connection: Connection, publication: Publication) -> tuple[Revised, list[HeldBack]]:
    """Publishes the lines of `form_candidate` that differ from those in force and ends those that are gone, but for forms held back.

    A form that does not add up is the computation's fault, not the data's: what was published before stays in its place.
    """
    code = "SELECT '06a' AS indicator_code, unit_key, period"
    held = write_held_back(connection, publication, f"{code} FROM form_candidate", f"{code}, reason_vi FROM form_held_back")
    adds_up = "(unit_key, period) NOT IN (SELECT unit_key, period FROM form_held_back)"
    done = revise(
        connection,
        publication,
        fact_form_06a,
        f"(SELECT * FROM form_candidate WHERE {adds_up})",
        keys=KEYS,
        values=("sector_name", *COLUMNS),
        counted_as="lines",
        ends=f"(unit_key, section, sector_code) IN (SELECT unit_key, section, sector_code FROM form_line) AND {adds_up}",
    )
    return done, held
