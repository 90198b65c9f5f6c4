"""Form II.06a (TT 01/2020/TT-VPCP): dossiers received, handled and pending, for every unit, period, section and sector.

Events of dossiers are kept counted by unit, procedure and half month (warehouse.scores.form_06a); they climb the hierarchy here, and
become months, quarters and years of the reporting calendars. A night computes the lines whose events changed or fell due. What is
computed has to be what is found another way: the events, by looking at every state that was counted half month by half month; the
lines, by adding events up straight between the days of a period; what goes over at a reorganisation, by what was there before.
"""

from __future__ import annotations

from datetime import date, timedelta
from importlib import resources
from typing import Any

from sqlalchemy import Connection, text

from tasks.count.counting import Counting, fingerprint, leave_mark, marked
from tasks.count.counts import as_of
from tasks.count.held_back import FORM_06A, HeldBack, write_held_back
from tasks.count.kept import Change, bring_up_to_date, count_anew
from tasks.count.revisions import Publication, Revised, revise
from tasks.one_stop_shop.hierarchy import holds_on, make_ancestors
from warehouse.bulk import analyze
from warehouse.counted import half_month
from warehouse.periods import VIETNAM
from warehouse.scores.form_06a import STEPS, form_06a, recount
from warehouse.scores.reporting_calendars import reporting_calendars
from warehouse.tables import fact_form_06a

COLUMNS = tuple(f"c{number}" for number in range(3, 14))
KEYS = ("unit_key", "period", "reporting_calendar", "section", "sector_code")
ITEM = "form 06a"
"""Mark of the form's lines."""

_TABLES = f"""
DROP TABLE IF EXISTS form_calendar, reporting_period, form_line, form_event, form_step, form_candidate, form_held_back;
CREATE TEMPORARY TABLE form_calendar (step date PRIMARY KEY, last_day date) ON COMMIT DROP;
CREATE TEMPORARY TABLE reporting_period ON COMMIT DROP AS
SELECT *, row_number() OVER in_a_row AS number, coalesce(lead(last_step) OVER in_a_row, 'infinity') AS next_step,
    dense_rank() OVER (ORDER BY reporting_calendar, kind) AS series
FROM ({" UNION ALL ".join(each.periods() for each in reporting_calendars())}) period
WINDOW in_a_row AS (PARTITION BY reporting_calendar, kind ORDER BY first_day);
CREATE TEMPORARY TABLE form_line
  (line integer GENERATED ALWAYS AS IDENTITY, unit_key integer, section text, sector_code text, since date, begins date,
   PRIMARY KEY (unit_key, section, sector_code)) ON COMMIT DROP;
CREATE TEMPORARY TABLE form_event
  (line integer, day date, step date, received date, online integer, other integer, early integer, on_day integer, late integer,
   overdue integer, moved_online integer, moved_other integer) ON COMMIT DROP;
CREATE TEMPORARY TABLE form_step
  (line integer, step date, c4 integer, c5 integer, c8 integer, c9 integer, c10 integer, c11 integer, c13 integer) ON COMMIT DROP;
CREATE TEMPORARY TABLE form_candidate
  (line integer, series integer, number integer, unit_key integer, period text, reporting_calendar text, section text, sector_code text,
   sector_name text, {", ".join(f"{c} integer" for c in COLUMNS)}, taken_over integer) ON COMMIT DROP;
CREATE TEMPORARY TABLE form_held_back (unit_key integer, period text, reason_vi text, PRIMARY KEY (unit_key, period)) ON COMMIT DROP
"""
_CALENDAR = f"INSERT INTO form_calendar SELECT step, last_day FROM {STEPS} calendar WHERE step <= :last"
_HOLD_BACK = "INSERT INTO form_held_back SELECT DISTINCT unit_key, period, :reason FROM ({broken}) broken ON CONFLICT DO NOTHING"

_LAST_STEP = f"""
SELECT least(date_trunc('month', max(day))::date + 14, {half_month("CAST(:day AS date)")}) FROM {{counts}}
WHERE counted = 'form_06a' AND day <= :day
"""

_CLIMBED = f"""
JOIN warehouse.dim_procedure p ON p.procedure_key = changed.part
JOIN ancestor ON ancestor.unit_key = changed.unit_key AND ({holds_on("changed.day")} OR {holds_on("changed.day - 1")})
"""

# Of what was counted, and of what fell due or was received or ended on a day that has come: from the half month on that it changes.
_TOUCHED = f"""
INSERT INTO form_line (unit_key, section, sector_code, since)
SELECT ancestor_key, section, sector_code, min({half_month("changed.day")})
FROM (
    SELECT unit_key, part, day FROM {{lines}} l
    UNION
    SELECT unit_key, part, day FROM {{counts}} a WHERE counted = 'form_06a' AND day > :since AND day <= :today
) changed
{_CLIMBED}
GROUP BY ancestor_key, section, sector_code
"""

_ALL = f"""
INSERT INTO form_line (unit_key, section, sector_code, since)
SELECT unit_key, section, sector_code, :from FROM (
    SELECT ancestor_key AS unit_key, section, sector_code
    FROM (SELECT DISTINCT unit_key, part, day FROM {{counts}} WHERE counted = 'form_06a') changed
    {_CLIMBED}
    UNION
    SELECT unit_key, section, sector_code FROM warehouse.fact_form_06a WHERE known_to = 'infinity'
) line
ON CONFLICT (unit_key, section, sector_code) DO UPDATE SET since = least(form_line.since, excluded.since)
"""

# What is added up straight is what all provinces have together: one of them is never alone.
_ALL_PROVINCES = """
INSERT INTO form_line (unit_key, section, sector_code, since)
SELECT u.unit_key, section, sector_code, min(since) FROM form_line CROSS JOIN warehouse.dim_unit u WHERE u.unit_level = 'province'
GROUP BY u.unit_key, section, sector_code
ON CONFLICT (unit_key, section, sector_code) DO UPDATE SET since = least(form_line.since, excluded.since)
"""

# The period before those that are touched is computed as well: the next one carries over what was left in it.
_BEGINS = """
UPDATE form_line l SET begins = p.begins
FROM (SELECT since, min(first_day) AS begins FROM (SELECT DISTINCT since FROM form_line) l JOIN reporting_period ON next_step >= since
    WHERE since > '-infinity' GROUP BY since) p
WHERE l.since = p.since
"""

# Of lines in force (f), those that are computed.
_COMPUTED = """
(f.unit_key, f.section, f.sector_code, f.reporting_calendar, f.period) IN (
    SELECT l.unit_key, l.section, l.sector_code, p.reporting_calendar, p.period
    FROM form_line l JOIN reporting_period p ON l.since <= p.next_step WHERE l.since > '-infinity')
OR (f.unit_key, f.section, f.sector_code) IN (SELECT unit_key, section, sector_code FROM form_line WHERE since = '-infinity')"""

RECOUNTS = {
    "số đếm sự kiện khác kết quả xem từng hồ sơ theo tháng": "recounted",
    "hồ sơ còn lại của đơn vị đã sắp xếp khác số đơn vị mới tiếp nhận": "handed_over",
    "các dòng khác kết quả cộng thẳng theo ngày của kỳ": "straight",
}
"""What holds of the form as a whole, where it does not → the query that counts how often; nothing of the form can be trusted then."""
_QUERIES = ("events", "steps", "periods", "chain", *RECOUNTS.values())


def _query(name: str) -> str:
    return resources.files(__package__).joinpath(f"form_06a_{name}.sql").read_text("utf-8")


CONTROLS = {
    "(3) = (4) + (5) + (6)": "SELECT unit_key, period FROM form_candidate WHERE c3 <> c4 + c5 + c6",
    "(7) = (8) + (9) + (10)": "SELECT unit_key, period FROM form_candidate WHERE c7 <> c8 + c9 + c10",
    "(11) = (12) + (13)": "SELECT unit_key, period FROM form_candidate WHERE c11 <> c12 + c13",
    "(3) = (7) + (11)": "SELECT unit_key, period FROM form_candidate WHERE c3 <> c7 + c11",
    "không có số âm": "SELECT unit_key, period FROM form_candidate WHERE least(c4, c5, c6, c8, c9, c10, c12, c13) < 0",
    "(6) = (11) của kỳ trước": _query("chain"),
}
"""What holds in a line of the form → the units and periods of the lines for which it does not."""


class DoesNotAddUp(Exception):
    """What was counted is not what is found another way: the computation is at fault, and nothing of the form is published."""


def compute_form_06a(connection: Connection, counting: Counting) -> None:
    """Computes the form of every line that what was loaded since, or the calendar, touches into `form_candidate`.

    A form of a unit and period that breaks a control stands in `form_held_back` with the control. Where what it adds to does not
    add up, everything is counted anew. DoesNotAddUp where the whole is not what is found another way all the same.
    """
    counted = form_06a()
    mark = None if counting.is_vintage else marked(connection, ITEM)
    since = None if mark is None else mark.as_of.astimezone(VIETNAM).date()
    before = None if since is None else _last_step(connection, counting, since)
    computed_by = [*map(_query, _QUERIES), *(each.periods() for each in reporting_calendars())]
    laid_down = fingerprint(connection, computed_by, ("dim_unit", "bridge_unit_succession", "dim_procedure"), counting.contents)
    change = bring_up_to_date(connection, counting, counted)
    last = _last_step(connection, counting, counting.today) or counting.today
    anew = mark is None or mark.fingerprint != laid_down or before is None or before > last or change.from_scratch
    try:
        adds_up = _compute(connection, counting, change, last, None if anew else since, before)
    except DoesNotAddUp:
        if change.from_scratch:
            raise
        adds_up = False
    if not adds_up and not change.from_scratch:
        _compute(connection, counting, count_anew(connection, counting, counted), last)
    leave_mark(connection, ITEM, counting, laid_down)


def revise_form_06a(connection: Connection, publication: Publication) -> tuple[Revised, list[HeldBack]]:
    """Publishes the lines of `form_candidate` that differ from those in force and ends those that are gone, but for forms held back.

    A form that does not add up is the computation's fault, not the data's: what was published before stays in its place.
    """
    code = f"SELECT '{FORM_06A}' AS indicator_code, unit_key, period"
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
        among=f"({_COMPUTED}) AND {adds_up}",
        ends="TRUE",
    )
    return done, held


def _last_step(connection: Connection, counting: Counting, day: date) -> date | None:
    """The last half month that has begun on a day, of months up to the last one in which anything happened."""
    last: date | None = connection.scalar(text(_LAST_STEP.format(counts=counting.counts)), {"day": day})
    return last


def _compute(
    connection: Connection, counting: Counting, change: Change, last: date, since: date | None = None, before: date | None = None
) -> bool:
    """The lines touched since a day in the periods touched, or all of them; whether each holds to its controls.

    `before` is the last half month there was on that day: where there are others now, every line has periods that are touched.
    """
    sums = ", ".join(f"sum(a.{change.counted.place(measure)}::integer)::integer AS {measure}" for measure in change.counted.measures)
    filled = {
        "counts": counting.counts,
        "lines": change.lines,
        "sums": sums,
        "holds_on_day_before": holds_on("own.day - 1"),
        "holds_on_day": holds_on("own.day"),
        "step_of_day": half_month("c.day"),
        "step_of_event": half_month("a.day"),
        "last_step_of_unit": half_month("u.valid_to"),
        "recount": recount().replace("{states}", change.states),
    }
    days = {"today": counting.today, "last": last, "since": since, **as_of(counting)}

    def run(query: str, **more: Any) -> Any:
        for name, sql in filled.items():
            query = query.replace(f"{{{name}}}", sql)
        return connection.execute(text(query), {name: day for name, day in (days | more).items() if f":{name}" in query})

    connection.execute(text(_TABLES))
    run(_CALENDAR)
    make_ancestors(connection)
    if since is not None:
        run(_TOUCHED)
    if since is None or before != last:
        run(_ALL, **{"from": "-infinity" if before is None or since is None else before + timedelta(days=1)})
    if not connection.scalar(text("SELECT EXISTS (SELECT FROM form_line)")):
        return True
    run(_ALL_PROVINCES)
    run(_BEGINS)
    analyze(connection, "form_calendar", "reporting_period", "form_line")
    for step, made in (("events", "form_event"), ("steps", "form_step"), ("periods", "form_candidate")):
        run(_query(step))
        analyze(connection, made)
    for control, query in RECOUNTS.items():
        broken = run(_query(query)).scalar_one()
        if broken:
            raise DoesNotAddUp(f"biểu 06a không cân đối: {control} ở {broken} chỗ")
    for control, query in CONTROLS.items():
        reason = {"reason": f"biểu 06a không cân đối: {control}"}
        connection.execute(text(_HOLD_BACK.format(broken=query)), reason)
    return not connection.scalar(text("SELECT EXISTS (SELECT FROM form_held_back)"))
