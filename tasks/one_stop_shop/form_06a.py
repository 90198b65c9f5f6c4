"""Form II.06a (TT 01/2020/TT-VPCP): dossiers received, handled and pending, for every unit, period, section and sector.

Events of dossiers are kept counted by unit, procedure and month (warehouse.scores.form_06a); they climb the hierarchy here, and
become months, quarters and years. A night computes the lines whose events changed or fell due. What is computed has to be what is
found another way: the events, by looking at every state that was counted month by month; the lines, by adding events up
straight between the days of a period.
"""

from __future__ import annotations

from datetime import date
from importlib import resources
from typing import Any

from sqlalchemy import Connection, text

from tasks.count.counting import Counting, fingerprint, leave_mark, marked
from tasks.count.counts import as_of
from tasks.count.kept import Change, bring_up_to_date, count_anew
from tasks.count.revisions import Revised, revise
from tasks.one_stop_shop.hierarchy import holds_on, make_ancestors
from warehouse.periods import VIETNAM
from warehouse.scores.form_06a import form_06a, recount
from warehouse.tables import fact_form_06a

COLUMNS = tuple(f"c{number}" for number in range(3, 14))
KEYS = ("unit_key", "period", "section", "sector_code")
ITEM = "form 06a"
"""Mark of the form's lines."""

_TABLES = f"""
DROP TABLE IF EXISTS form_line, form_month, form_candidate;
CREATE TEMPORARY TABLE form_line (unit_key integer, section text, sector_code text, PRIMARY KEY (unit_key, section, sector_code))
  ON COMMIT DROP;
CREATE TEMPORARY TABLE form_month
  (unit_key integer, section text, sector_code text, month date, c4 integer, c5 integer, c6 integer, c8 integer, c9 integer, c10 integer,
   c11 integer, c13 integer) ON COMMIT DROP;
CREATE TEMPORARY TABLE form_candidate
  (unit_key integer, period text, section text, sector_code text, sector_name text, {", ".join(f"{c} integer" for c in COLUMNS)})
  ON COMMIT DROP
"""

_LAST_MONTH = "SELECT date_trunc('month', max(day))::date FROM {counts} WHERE counted = 'form_06a' AND day <= :day"

# Of what was counted, and of what fell due or was received or ended on a day that has come.
_LINES = f"""
INSERT INTO form_line
SELECT DISTINCT ancestor_key, section, sector_code
FROM (
    SELECT unit_key, part, received FROM {{lines}} l
    UNION
    SELECT unit_key, part, received FROM {{counts}} a WHERE counted = 'form_06a' AND day > :since AND day <= :today
) changed
JOIN warehouse.dim_procedure p ON p.procedure_key = changed.part
JOIN ancestor ON ancestor.unit_key = changed.unit_key AND {holds_on("changed.received")}
"""

_ALL_LINES = f"""
INSERT INTO form_line
SELECT DISTINCT ancestor_key, section, sector_code
FROM (SELECT DISTINCT unit_key, part, received FROM {{counts}} WHERE counted = 'form_06a') a
JOIN warehouse.dim_procedure p ON p.procedure_key = a.part
JOIN ancestor ON ancestor.unit_key = a.unit_key AND {holds_on("a.received")}
UNION
SELECT unit_key, section, sector_code FROM warehouse.fact_form_06a WHERE known_to = 'infinity'
"""

CONTROLS = {
    "the events counted are those of the dossiers looked at month by month": "recounted",
    "every line is what happened between the days of its period": "straight",
    "(6) = (11) of the period before, and no count below zero": "chain",
}
"""Control totals of the form → the query that counts how many lines break them."""
_QUERIES = ("months", "periods", *CONTROLS.values())


class DoesNotAddUp(Exception):
    """Form 06a breaks a control total: the computation is at fault, and the form is not published."""


def compute_form_06a(connection: Connection, counting: Counting) -> None:
    """Computes the form of every line that what was loaded since, or the calendar, touches into `form_candidate`, controlled.

    Where what it adds to does not add up, everything is counted anew. DoesNotAddUp where that does not help.
    """
    counted = form_06a()
    mark = None if counting.is_vintage else marked(connection, ITEM)
    since = None if mark is None else mark.as_of.astimezone(VIETNAM).date()
    before = since and _last_month(connection, counting, since)
    laid_down = fingerprint(connection, (_query(name) for name in _QUERIES), ("dim_unit", "dim_procedure"))
    change = bring_up_to_date(connection, counting, counted)
    last = _last_month(connection, counting, counting.today) or counting.today
    # The last month there is has moved, or nothing is known: every line has a new one.
    if mark is None or mark.fingerprint != laid_down or before != last or change.from_scratch:
        since = None
    try:
        _compute(connection, counting, change, last, since)
    except DoesNotAddUp:
        if change.from_scratch:
            raise
        _compute(connection, counting, count_anew(connection, counting, counted), last, None)
    leave_mark(connection, ITEM, counting, laid_down)


def publish_form_06a(connection: Connection, counting: Counting, run_id: int) -> Revised:
    """Makes every line of `form_candidate` that differs from the one in force a new revision; closes those that are gone."""
    scope = "(f.unit_key, f.section, f.sector_code) IN (SELECT unit_key, section, sector_code FROM form_line)"
    values = ("sector_name", *COLUMNS)
    return revise(connection, fact_form_06a, "form_candidate", keys=KEYS, values=values, scope=scope, as_of=counting.as_of, run_id=run_id)


def _last_month(connection: Connection, counting: Counting, day: date) -> date | None:
    """The last month up to a day in which anything happened."""
    last: date | None = connection.scalar(text(_LAST_MONTH.format(counts=counting.counts)), {"day": day})
    return last


def _query(name: str) -> str:
    return resources.files(__package__).joinpath(f"form_06a_{name}.sql").read_text("utf-8")


def _compute(connection: Connection, counting: Counting, change: Change, last: date, since: date | None) -> None:
    """The lines of the units, sections and sectors touched since a day, or all of them, and their control totals."""
    connection.execute(text(_TABLES))
    make_ancestors(connection)
    sums = ", ".join(f"sum(a.{change.counted.place(measure)}) AS {measure}" for measure in change.counted.measures)
    filled = {
        "counts": counting.counts,
        "lines": change.lines,
        "sums": sums,
        "holds_on_received": holds_on("own.received"),
        "added": ", ".join(f"sum({column}) AS {column}" for column in COLUMNS),
        "recount": recount().replace("{states}", change.states),
    }
    days = {"today": counting.today, "last": last, "since": since, **as_of(counting)}

    def run(query: str) -> Any:
        for name, sql in filled.items():
            query = query.replace(f"{{{name}}}", sql)
        return connection.execute(text(query), {name: day for name, day in days.items() if f":{name}" in query})

    run(_ALL_LINES if since is None else _LINES)
    connection.execute(text("ANALYZE form_line"))
    run(_query("months"))
    connection.execute(text("ANALYZE form_month"))
    run(_query("periods"))
    connection.execute(text("ANALYZE form_candidate"))
    for control, query in CONTROLS.items():
        broken = run(_query(query)).scalar_one()
        if broken:
            raise DoesNotAddUp(f"form 06a: {control} does not hold for {broken} lines")
