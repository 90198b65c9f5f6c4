"""What rows set aside could change of one value at most: those that would count for its unit and period, if all of them came in.

Nobody knows what a row that broke a rule will say once it is put right. So of a share of rows the two ends are told: all of them in the
numerator, and none. Where a row may be of any amount, there is no end to tell, and that is said.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, fields
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Row

from expectations.contract import contract, feeds
from tasks.ask.official_table import Line, Unit
from tasks.deliveries.coverage import Stretch
from tasks.load.decisions import is_refused
from tasks.words import vietnamese as vi
from warehouse.indicators import Indicator, facts
from warehouse.indicators.behind import cases_behind, states_behind
from warehouse.periods import VIETNAM, days
from warehouse.queries import execute_with


@dataclass(frozen=True)
class Cases:
    """What rows set aside tell of, each case once: of those that count already and of others."""

    in_numerator: int = 0
    in_denominator: int = 0
    """Counted, but not in the numerator."""
    new: int = 0
    untold: int = 0
    """Those of which it is not known, or not for whoever asks, how they count."""


@dataclass(frozen=True)
class End:
    """One end of what a value could become."""

    numerator: int
    denominator: int
    printed: str
    arithmetic: str
    """The same as a sum of what counts now and of what would change: `(341 - 1) / (352 + 1)`."""


@dataclass(frozen=True)
class Bounds:
    """Between which values it would lie, whatever the rows set aside say once they are put right."""

    lowest: End
    highest: End

    @property
    def told(self) -> str:
        """Both in words."""
        ends = (("Thấp nhất", self.lowest), ("cao nhất", self.highest))
        return "; ".join(f"{which} {end.arithmetic} = {end.printed}" for which, end in ends) + "."


@dataclass(frozen=True)
class Aside:
    """Rows set aside of one file that broke the same rules, as far as they are alike in what is known of them."""

    delivery_id: int
    source: str
    file_name: str
    rules: str
    status: str
    rows: int
    is_placed: bool
    is_dated: bool

    @property
    def place(self) -> str:
        """Whether they are of the unit and the period, in words."""
        if not self.is_placed:
            return "không rõ đơn vị"
        return "của đơn vị" if self.is_dated else "của đơn vị, không rõ ngày"


@dataclass(frozen=True)
class SetAside:
    """Rows set aside that would count for a value, as far as is known of each."""

    rows: int
    """Those of the unit and period."""
    undated: int
    """Of them, those whose day is not known: they may be of another period."""
    unplaced: int
    """Beside them, those whose unit is not known."""
    dismissed: int
    """Of all these, those that somebody left out for good."""
    cases: Cases
    bounds: Bounds | None
    why_none: str
    """Why no bounds can be told, where rows are of the unit; empty where they are."""
    deliveries: Sequence[Aside]
    refused: Sequence[Row[Any]]
    """Deliveries refused whole that speak of the period, or of none that is known: what they would bring is not in the bounds."""

    @property
    def told(self) -> tuple[str, ...]:
        """All of it in sentences."""
        return tuple(filter(None, (self._rows, self._cases, self.bounds.told if self.bounds else self.why_none, *self._beside)))

    @property
    def _rows(self) -> str:
        if not self.rows:
            return "Không có dòng để riêng nào của đơn vị trong kỳ."
        undated = f", trong đó {vi.number(self.undated)} dòng không rõ ngày, có thể là của kỳ khác" if self.undated else ""
        return f"{vi.number(self.rows)} dòng để riêng của đơn vị trong kỳ{undated}."

    @property
    def _cases(self) -> str:
        known, untold = self.cases, self.cases.untold
        if self.bounds is None:
            return ""
        if untold:
            return f"Nếu nhận hết, mỗi dòng có thể thêm hoặc bớt một trường hợp ở tử số: nhiều nhất {vi.number(untold)}."
        counted = f"{vi.number(known.in_numerator)} đang ở tử số và {vi.number(known.in_denominator)} đang chỉ ở mẫu số"
        return (
            f"Nếu nhận hết, các dòng ấy nói về {vi.number(known.new)} trường hợp chưa được đếm, {counted}; "
            "mỗi trường hợp có thể vào hoặc rời tử số."
        )

    @property
    def _beside(self) -> tuple[str, ...]:
        unplaced = f"{vi.number(self.unplaced)} dòng không rõ đơn vị, có thể là của đơn vị này: không tính ở trên." if self.unplaced else ""
        dismissed = f"{vi.number(self.dismissed)} dòng đã có người quyết định bỏ hẳn, nhưng vẫn tính ở trên." if self.dismissed else ""
        refused = (
            f"{vi.number(len(self.refused))} lần gửi bị từ chối cả tệp có thể nói về kỳ này: không tính ở trên." if self.refused else ""
        )
        return unplaced, dismissed, refused


def bounds(indicator: Indicator, line: Line, cases: Cases) -> Bounds | None:
    """The two ends, where the value is a share or count of rows or of things told apart; nothing elsewhere."""
    way, count = indicator.counted_fact.way, indicator.count
    if way not in ("rows", "holders") or count in indicator.counted_fact.amounts or (line.numerator is None and line.obs_status != "M"):
        return None
    part, whole, joining = line.numerator or 0, line.denominator or 0, cases.in_denominator + cases.new
    if cases.untold:  # each may join the numerator or leave it: as many as there is room for
        room = cases.untold if indicator.is_count else min(cases.untold, whole - part)
        ends = (max(part - cases.untold, 0), whole), (part + room, whole)
    elif indicator.is_count:
        ends = (part - cases.in_numerator, whole), (part + joining, whole)
    elif count in indicator.counted_fact.distinct:
        # A row joins one thing: first those that are in the denominator alone, which moves the share most.
        turned = min(joining, whole - part)
        more = min(joining - turned, cases.new)
        ends = (part - cases.in_numerator, whole + cases.new), (part + turned + more, whole + more)
    else:
        ends = (part - cases.in_numerator, whole + cases.new), (part + joining, whole + cases.new)

    def end(numerator: int, denominator: int) -> End:
        value = Decimal(numerator) if indicator.is_count else Decimal(100 * numerator) / denominator if denominator else None
        arithmetic = _sum(part, numerator - part) + ("" if indicator.is_count else f" / {_sum(whole, denominator - whole)}")
        return End(numerator, denominator, vi.measure(value, indicator.decimals, indicator.unit_measure), arithmetic)

    return Bounds(*(end(*one) for one in ends))


def _sum(now: int, change: int) -> str:
    return f"({vi.number(now)} {'+' if change > 0 else '-'} {vi.number(abs(change))})" if change else vi.number(now)


def set_aside(
    connection: Connection, indicator: Indicator, line: Line, unit: Unit, period: str, units: Collection[int], *, is_told: bool = True
) -> SetAside:
    """The rows set aside that a value concerns; `units`: keys of the unit and all below it; `is_told`: whether its counts may be."""
    first, last = days(period)
    named, own = _feeds_of(indicator), _feeds_of(indicator, own=True)
    concerns = _concerns(indicator)
    values: dict[str, Any] = {
        "feeds": named,
        "units": list(units),
        "first": first,
        "last": unit.within(period)[1] if indicator.counted_fact.way == "rows" else last,
        "happens": _happens(indicator),
        "from_the_start": indicator.counted_fact.way == "holders",
        "measures": [indicator.numerator, indicator.denominator],
    }
    deliveries = execute_with(connection, _DELIVERIES.format(**concerns), values).all()
    values["undated"] = [row.delivery_id for row in deliveries if row.has_rows and _may_speak_of(row, own, first, last)]
    counted = cases_behind(indicator.counted_fact, indicator) or _NONE_COUNTED
    found = execute_with(connection, _ROWS.format(counted=counted, **concerns), values).all()
    of_deliveries = [row for row in found if row.state is None]
    states = {row.state: row.things for row in found if row.state is not None}
    is_known = is_told and indicator.counted_fact.way == "rows"
    told = Cases(states.get("numerator", 0), states.get("denominator", 0), states.get("new", 0))
    cases = told if is_known else Cases(untold=sum(states.values()))
    rows = sum(row.rows for row in of_deliveries if row.is_placed)
    others = {row.feed for row in of_deliveries if row.is_placed} - {*own}
    ends = bounds(indicator, line, cases) if rows and not (others and indicator.counted_fact.way == "holders") else None
    return SetAside(
        rows=rows,
        undated=sum(row.rows for row in of_deliveries if row.is_placed and not row.is_dated),
        unplaced=sum(row.rows for row in of_deliveries if not row.is_placed),
        dismissed=sum(row.rows for row in of_deliveries if row.status == "dismissed"),
        cases=cases,
        bounds=ends,
        why_none=_why_none(indicator, line, rows) if rows and ends is None else "",
        deliveries=[Aside(**{one.name: getattr(row, one.name) for one in fields(Aside)}) for row in of_deliveries],
        refused=[row for row in deliveries if row.is_refused and _may_speak_of(row, own, first, last)],
    )


def _why_none(indicator: Indicator, line: Line, rows: int) -> str:
    if line.is_hidden:
        return f"{vi.WITHHELD[0].upper()}{vi.WITHHELD[1:]}."
    if line.numerator is None and indicator.counted_fact.way in ("rows", "holders"):
        return "Chưa có số đếm nào để tính số này có thể đổi nhiều nhất bao nhiêu."
    if indicator.count in indicator.counted_fact.amounts:
        return f"Số tiền trên {vi.number(rows)} dòng ấy có thể là bất kỳ, nên không tính được số này có thể đổi nhiều nhất bao nhiêu."
    return f"Số báo cáo trên {vi.number(rows)} dòng ấy có thể là bất kỳ, nên không tính được số này có thể đổi nhiều nhất bao nhiêu."


def _feeds_of(indicator: Indicator, *, own: bool = False) -> list[str]:
    """Feeds whose rows have a say in a value; `own`: those of the fact itself."""
    fact = indicator.counted_fact
    tables = {fact.table}
    if not own:
        tables |= {fact.beside.table if fact.beside else None, facts()[fact.divided_by].table if fact.divided_by else None}
    return [feed for feed in feeds() if contract(feed).role == "fact" and contract(feed).table in tables - {None}]


def _happens(indicator: Indicator) -> list[str]:
    """What has to happen to a row so that it counts, as ops.quarantine_place calls it."""
    fact = indicator.counted_fact
    divided = facts()[fact.divided_by].days if fact.divided_by else {}
    return [indicator.counted_by if indicator.counted_by in fact.days else next(iter(fact.days), ""), *divided]


def _may_speak_of(row: Row[Any], own: Collection[str], first: date, last: date) -> bool:
    """Whether a delivery may speak of a stretch of days: by the period its rows are held against, or else by when it was made."""
    made_on = row.exported_at.astimezone(VIETNAM).date() if row.exported_at else last
    if contract(row.feed).period_column is None or row.feed not in own:  # a payment may come months after its bill
        return made_on >= first
    with suppress(ValueError):
        told = Stretch.of(row.speaks_of or "")
        return told.first <= last and told.last >= first
    return True


# What a refused delivery tells of is what its source told of before, where its feed tells that apart.
_DELIVERIES = f"""
SELECT d.delivery_id, d.source, d.feed, d.file_name, d.exported_at, coalesce(d.business_period, d.named_period) AS speaks_of,
    {is_refused("d")} AND (NOT EXISTS (SELECT FROM ops.delivery o WHERE o.source = d.source AND o.tells IS NOT NULL) OR EXISTS (
        SELECT FROM ops.delivery o CROSS JOIN LATERAL unnest(o.tells) p (about) {{typed}}
        WHERE o.source = d.source AND ({{concerns}}) IS NOT FALSE)) AS is_refused,
    EXISTS (SELECT FROM ops.quarantine q WHERE q.delivery_id = d.delivery_id AND q.status <> 'rejected') AS has_rows
FROM ops.delivery d WHERE d.feed = ANY(:feeds) ORDER BY d.exported_at, d.delivery_id
"""

_NONE_COUNTED = "SELECT NULL::bigint AS row_key, NULL::boolean AS is_in_numerator LIMIT 0"

# What a later file took the place of comes in no more. A file of one unit alone says so of all its rows. What a row tells of a case that
# counts here may change it, wherever the row places it.
_ROWS = """
WITH counted AS MATERIALIZED ({counted}), here AS (
    SELECT unit_code FROM warehouse.dim_unit WHERE unit_key = ANY(:units)
), aside AS (
    SELECT q.delivery_id, q.row_number, d.source, d.feed, d.file_name, d.named_unit, min(q.status) AS status,
        string_agg(DISTINCT q.rule_code, ', ') AS rules
    FROM ops.quarantine q JOIN ops.delivery d USING (delivery_id)
    WHERE d.feed = ANY(:feeds) AND d.status = 'loaded' AND q.status IN ('open', 'waiting', 'released', 'dismissed')
    GROUP BY q.delivery_id, q.row_number, d.source, d.feed, d.file_name, d.named_unit
), placed AS (
    SELECT a.*, p.first_day IS NOT NULL AS is_dated, coalesce(p.row_key::text, a.delivery_id || ' ' || a.row_number) AS thing,
        p.unit_key IS NOT NULL OR c.row_key IS NOT NULL OR coalesce(a.named_unit IN (SELECT unit_code FROM here), FALSE) AS is_placed,
        CASE WHEN c.is_in_numerator THEN 'numerator' WHEN c.row_key IS NOT NULL THEN 'denominator' ELSE 'new' END AS state_of_case
    FROM aside a
    LEFT JOIN ops.quarantine_place p ON (p.delivery_id, p.row_number) = (a.delivery_id, a.row_number) AND p.happens = ANY(:happens)
    LEFT JOIN counted c ON c.row_key = p.row_key
    {typed}
    WHERE (p.row_number IS NOT NULL OR NOT EXISTS (
            SELECT FROM ops.quarantine_place other WHERE (other.delivery_id, other.row_number) = (a.delivery_id, a.row_number)))
      AND (c.row_key IS NOT NULL
        OR (p.unit_key = ANY(:units) OR p.unit_key IS NULL AND (a.named_unit IN (SELECT unit_code FROM here)
                OR NOT EXISTS (SELECT FROM warehouse.dim_unit u WHERE u.unit_code = a.named_unit AND u.unit_level = 'commune')))
          AND ((p.first_day >= :first OR :from_the_start) AND p.last_day <= :last
            OR p.first_day IS NULL AND a.delivery_id = ANY(:undated))
          AND ({concerns}) IS NOT FALSE)
)
SELECT delivery_id, source, feed, file_name, rules, status, is_placed, is_dated, NULL AS state, count(*) AS rows, NULL::bigint AS things
FROM placed GROUP BY delivery_id, source, feed, file_name, rules, status, is_placed, is_dated
UNION ALL
SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, state_of_case, NULL, count(DISTINCT thing)
FROM placed WHERE is_placed GROUP BY state_of_case
ORDER BY delivery_id, is_placed DESC, rules, status, is_dated
"""


def _concerns(indicator: Indicator) -> dict[str, str]:
    """SQL of whether what is known of a row p lets it be in the denominator, and of what has to be joined for that.

    Of all that is not known, the condition is asked with nothing, which has the type of the fact's column.
    """
    fact = indicator.counted_fact
    if fact.way != "rows":
        return {"typed": "", "concerns": "p.about IN (SELECT unnest(CAST(:measures AS text[])))"}
    told = next((contract(feed).tells for feed in _feeds_of(indicator, own=True)), None)
    columns = ", ".join(f"p.about AS {name}" if name == told else f"nothing.{name}" for name in dict.fromkeys(fact.columns))
    return {
        "typed": f"LEFT JOIN ({states_behind(fact)}) nothing ON FALSE",
        "concerns": f"SELECT {indicator.denominator} FROM (SELECT {columns}) told",
    }
