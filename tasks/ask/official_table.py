"""The official tables as published: one query for terminal, workbook and site."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import groupby, starmap
from operator import attrgetter
from typing import Any, Self

from sqlalchemy import Connection, text

from tasks.ask.scope import PUBLIC, Scope
from tasks.words import vietnamese as vi
from tasks.words.understood import did_you_mean, understood_period
from warehouse.confidentiality import confidentiality
from warehouse.indicators import in_force
from warehouse.names import LEVELS, from_the_top, normalise_unit_name
from warehouse.periods import days, is_period
from warehouse.settings import Refusal

DAY = timedelta(days=1)
UPPER = ("country", "province")
"""Levels whose units stand together where the whole country is told of: below them, each province tells of its own."""


@dataclass(frozen=True)
class Unit:
    """An administrative unit in one of its versions."""

    code: str
    name: str
    level: str
    valid_from: date
    parent_name: str | None
    other_names: tuple[str, ...] = ()
    valid_to: date = date.max
    beside: tuple[Unit, ...] = ()
    """The other versions that bore its code in the period it was asked for."""
    parent_code: str | None = None
    """Of the unit above; the highest has none."""

    @property
    def spellings(self) -> list[str]:
        """Its name in every way of writing it that is in use."""
        return [self.name, *self.other_names]

    @property
    def title(self) -> str:
        """Name, code and the unit above: enough to tell it from another of the same name."""
        above = f", {self.parent_name}" if self.parent_name else ""
        return f"{self.name} ({self.code}{above})"

    @property
    def version(self) -> str:
        """The same with its days, to tell it from another that bears its code and name."""
        return vi.version(self.title, self.valid_from, self.valid_to)

    @property
    def others(self) -> str:
        """Which other versions there were in the period, and how to ask for them; nothing where there were none."""
        days_of = {other: other.valid_to if other.valid_to < self.valid_from else other.valid_from for other in self.beside}
        told = "; ".join(f"{other.version}, hỏi bằng {other.code}@{day}" for other, day in days_of.items())
        return f"Trong kỳ, mã {self.code} còn là của {told}." if told else ""

    def within(self, period: str) -> tuple[date, date]:
        """First and last day of a period on which it was there."""
        first, last = days(period)
        return max(first, self.valid_from), min(last, self.valid_to)


@dataclass(frozen=True)
class Line:
    """One published value: indicator, unit and period, with how it came about."""

    indicator_code: str
    indicator_name: str
    official_table: str
    pillar: str
    unit_code: str
    unit_name: str
    unit_level: str
    period: str
    numerator: int | None
    denominator: int | None
    value: Decimal | None
    decimals: int
    unit_measure: str
    target: Decimal | None
    is_met: bool | None
    obs_status: str
    obs_reason: str | None
    revision: int
    definition: str
    legal_source: str
    first_day: date
    last_day: date
    """Days of the period on which the unit was there."""
    units_counted: int | None = None
    units_expected: int | None = None
    data_until: date | None = None
    next_due: date | None = None
    awaited: str | None = None
    target_source: str | None = None
    full_marks: Decimal | None = None
    full_marks_source: str | None = None
    obs_note: str | None = None
    """What has to be known of the value, in Vietnamese."""
    conf_status: str | None = None
    """SDMX: F free, A of few persons, D so that another is not given away; nothing where that is not known yet."""
    parent_code: str | None = None
    """Code of the unit above it; nothing above the highest."""

    @property
    def unit_shown(self) -> str:
        """Name of the unit, with its days where it was not there all the time: two versions of one code stand side by side."""
        return vi.while_there(self.unit_name, self.period, self.first_day, self.last_day)

    @property
    def is_hidden(self) -> bool:
        """Whether there is a value that is not shown."""
        return self.obs_status == "Q"

    @property
    def asked_for(self) -> str:
        """How to ask for its unit in the period: by the code, with a day where the unit was not there all the time."""
        return self.unit_code if (self.first_day, self.last_day) == days(self.period) else f"{self.unit_code}@{self.last_day}"

    @property
    def place(self) -> str:
        """Where its own page is."""
        return f"bieu/{self.period}/{self.indicator_code}/{self.asked_for}"

    @property
    def printed(self) -> str:
        """The value as it is printed."""
        return vi.HIDDEN if self.is_hidden else vi.measure(self.value, self.decimals, self.unit_measure)

    @property
    def printed_numerator(self) -> str:
        """The numerator as it is printed."""
        return vi.HIDDEN if self.is_hidden else vi.number(self.numerator)

    @property
    def printed_denominator(self) -> str:
        """The denominator as it is printed."""
        return vi.HIDDEN if self.is_hidden and self.unit_measure == "PERCENT" else vi.number(self.denominator)

    @property
    def printed_target(self) -> str:
        """The target as it is printed."""
        return self._round(self.target)

    @property
    def printed_full_marks(self) -> str:
        """The threshold from which decision 766 gives all points, as it is printed."""
        return self._round(self.full_marks)

    def _round(self, value: Decimal | None) -> str:
        return vi.measure(value, 0 if value is None or value == value.to_integral_value() else self.decimals, self.unit_measure)

    @property
    def status(self) -> str:
        """How the value is to be taken, in words."""
        return vi.status(self.obs_status, self.obs_reason)

    @property
    def covers(self) -> str:
        """Of whom the value is: `16/558 xã` of those that must send it, `n = 100` where so many answered; nothing for other communes."""
        indicator = in_force(self.indicator_code, days(self.period)[1])
        if indicator is not None and indicator.is_sample:
            return "" if self.denominator is None else f"n = {vi.number(self.denominator)}"
        if self.units_expected is None:
            return ""
        counted = f"{vi.number(self.units_counted)}/{vi.number(self.units_expected)}"
        if self.unit_level == "country":
            return f"{counted} tỉnh"
        return f"{counted} xã" + (" gửi số liệu" if indicator is not None and indicator.counted_fact.way == "listed" else "")

    def for_public(self) -> Self:
        """The line as anybody may see it, as the public views of the mart show it: of one kept apart, by what was known then."""
        is_free = self.conf_status == "F" or (self.conf_status is None and not confidentiality().protects(self.indicator_code))
        if is_free or (self.denominator is None and self.numerator is None and not self.is_hidden):
            return self
        reason = {"A": "small_count", "D": "gives_another_away"}.get(self.conf_status or "", "not_judged")
        return replace(self, numerator=None, denominator=None, value=None, is_met=None, obs_status="Q", obs_reason=reason)

    @property
    def met(self) -> str:
        """Whether the target is met, in words; nothing where there is no target or no value."""
        if self.is_met is None:
            return ""
        return ("đạt" if self.is_met else "chưa đạt") + (f" ({vi.OBS_STATUS['P']})" if self.obs_status == "P" else "")

    @property
    def no_target(self) -> str:
        """Why it is held against no target, in words; nothing where it is."""
        if self.target is not None:
            return ""
        if self.unit_measure != "PERCENT":
            return "là số đếm"
        if self.full_marks is not None:
            return "chỉ có mức điểm tối đa (766)"
        indicator = in_force(self.indicator_code, days(self.period)[1])
        return "chưa có mục tiêu cho kỳ này" if indicator is None or indicator.more_is_better else "cao hơn không hẳn là tốt hơn"


VALUES = """
    SELECT i.indicator_code, i.indicator_name, i.official_table, i.pillar, i.unit_code, i.unit_name, i.unit_level, i.period,
           i.numerator, i.denominator, i.value, i.decimals, i.unit_measure, i.target, i.is_met, i.obs_status, i.obs_reason, i.revision,
           i.definition, i.legal_source, i.first_day, i.last_day, i.units_counted, i.units_expected, i.data_until, i.next_due, i.awaited,
           i.target_source, i.full_marks, i.full_marks_source, i.obs_note, i.conf_status, i.parent_code
"""

_IN_ORDER = f"ORDER BY i.sort_order, i.indicator_code, {from_the_top('i.unit_level')}, i.unit_code, i.unit_valid_from"

_UNITS = """
    SELECT u.unit_code AS code, u.unit_name AS name, u.unit_level AS level, u.valid_from,
           (SELECT p.unit_name FROM warehouse.dim_unit p WHERE p.unit_code = u.parent_code
               AND greatest(u.valid_from, CAST(:first AS date)) BETWEEN p.valid_from AND p.valid_to) AS parent_name,
           u.other_names, u.valid_to, u.parent_code
    FROM warehouse.dim_unit u
    WHERE u.unit_key <> 0 AND u.valid_from <= :last AND u.valid_to >= :first
    ORDER BY u.unit_code, u.valid_from
"""

_BELOW = """
    WITH RECURSIVE below AS (
        SELECT CAST(:code AS text) AS unit_code
      UNION
        SELECT u.unit_code FROM below JOIN warehouse.dim_unit u ON u.parent_code = below.unit_code
        WHERE u.valid_from <= :last AND u.valid_to >= :first
    )
    SELECT unit_code FROM below ORDER BY unit_code
"""


def meant_period(words: str) -> str:
    """The period someone means, as the warehouse names it; Refusal where a text is none."""
    period = understood_period(words)
    if period is None:
        raise Refusal(f"Kỳ {words!r} không hợp lệ: viết năm 2024, quý I/2024 (2024-Q1) hoặc tháng 3/2024 (2024-03).")
    return period


def check_period(period: str) -> None:
    """Refusal where a text is no period as the warehouse names it."""
    if not is_period(period):
        raise Refusal(f"Kỳ {period!r} không hợp lệ: viết năm 2024, quý 2024-Q1 hoặc tháng 2024-03.")


def find_unit(connection: Connection, wanted: str, period: str) -> Unit:
    """The unit someone means by a code or a name, as it was in the period; Refusal where none or several are meant.

    Of two versions of one code, the last is meant of which anything is published, unless a day stands behind: `15661@2025-06-30`.
    """
    check_period(period)
    words, at = _with_day(wanted)
    units = units_between(connection, *days(period))
    named = called(units if at is None else [unit for unit in units if unit.valid_from <= at <= unit.valid_to], words)
    if len(named) > 1:
        valued = connection.execute(
            text("SELECT DISTINCT unit_code, unit_valid_from FROM mart.indicator WHERE period = :period AND value IS NOT NULL"),
            {"period": period},
        ).all()
        named = [unit for unit in named if (unit.code, unit.valid_from) in {tuple(row) for row in valued}] or named
    if not named:
        advice = _of_now(connection, words, period) or like(units, words)
        raise Refusal(f"Không có đơn vị hành chính nào mang mã hoặc tên {wanted!r} trong kỳ {period}.{advice}")
    if len({unit.code for unit in named}) > 1:
        raise several(wanted, named)
    found = named[-1]
    return replace(found, beside=tuple(unit for unit in units if unit.code == found.code and unit.valid_from != found.valid_from))


def units_between(connection: Connection, first: date, last: date) -> list[Unit]:
    """The units there were at any time between two days, version by version, by code and time."""
    found = connection.execute(text(_UNITS), {"first": first, "last": last}).mappings()
    return [Unit(**{**row, "other_names": tuple(row["other_names"])}) for row in found]


def called(units: list[Unit], words: str) -> list[Unit]:
    """Of some units those that bear a code or a name, with its kind or without."""
    name = vi.plain(words)
    named = [unit for unit in units if unit.code == words.strip() or name in map(vi.plain, unit.spellings)]
    return named or [unit for unit in units if name in (vi.plain(normalise_unit_name(one)) for one in unit.spellings)]


def like(units: list[Unit], words: str) -> str:
    """Which of some units may be meant by a name that none bears, as a question; nothing where none is close."""
    titles = {name: unit.title for unit in units for one in unit.spellings for name in (one, normalise_unit_name(one))}
    return did_you_mean(words, titles, titles.__getitem__)


def several(wanted: str, named: list[Unit]) -> Refusal:
    """The refusal of a name that several units bear."""
    return Refusal(f"{wanted!r} chỉ nhiều đơn vị; hãy dùng mã: {'; '.join(unit.version for unit in named)}.")


def _with_day(wanted: str) -> tuple[str, date | None]:
    """What stands before `@` and the day behind it; Refusal where that is none."""
    words, sign, day = wanted.rpartition("@")
    if not sign:
        return wanted, None
    try:
        return words, date.fromisoformat(day.strip())
    except ValueError as error:
        raise Refusal(f"{wanted!r}: sau @ là một ngày, viết năm-tháng-ngày, như 15661@2025-06-30.") from error


def _of_now(connection: Connection, words: str, period: str) -> str:
    """How to ask for a unit that began after the period; nothing where there is none."""
    later = called(units_between(connection, days(period)[1] + DAY, date.max), words)
    if not later:
        return ""
    return f" {later[-1].version} chưa có trong kỳ; số tính lại cho đơn vị này: bakhong indicators {later[-1].code} {period} --as-now."


def of_unit(connection: Connection, unit: Unit, period: str, scope: Scope) -> list[Line]:
    """The official tables of one unit in a period, as whoever has a scope may see them, in the order in which they are printed."""
    rows = connection.execute(
        text(
            f"{VALUES} FROM {scope.view('indicator')} i "
            "WHERE i.unit_code = :code AND i.unit_valid_from = :valid_from AND i.period = :period "
            "ORDER BY i.sort_order, i.indicator_code"
        ),
        {"code": unit.code, "valid_from": unit.valid_from, "period": period},
    )
    return [Line(*row) for row in rows]


def of_indicator(connection: Connection, unit: Unit, indicator: str, periods: Collection[str], scope: Scope) -> list[Line]:
    """An indicator of one unit in several periods, in the order of time; of periods that begin together the longer one first."""
    rows = connection.execute(
        text(
            f"{VALUES} FROM {scope.view('indicator')} i WHERE i.unit_code = :code AND i.unit_valid_from = :valid_from "
            "AND i.indicator_code = :indicator AND i.period = ANY(:periods) ORDER BY i.period_start, i.period_end DESC"
        ),
        {"code": unit.code, "valid_from": unit.valid_from, "indicator": indicator, "periods": list(periods)},
    )
    return [Line(*row) for row in rows]


def values_of(connection: Connection, period: str) -> Iterator[Line]:
    """The values of a period that are public, in the order of `of_period`, one by one: of a country they are too many to hold."""
    streaming = {"stream_results": True, "yield_per": 5000}
    query = f"{VALUES} FROM {PUBLIC.view('indicator')} i WHERE i.period = :period {_IN_ORDER}"
    return (Line(*row) for row in connection.execute(text(query), {"period": period}, execution_options=streaming))


def of_period(
    connection: Connection,
    period: str,
    scope: Scope,
    *,
    levels: Collection[str] = tuple(LEVELS),
    indicator: str | None = None,
    parents: Collection[str] | None = None,
) -> list[Line]:
    """The values of a period that whoever has a scope may see, of one indicator or indicator by indicator, units from the top down.

    `parents`: of the units right below these alone.
    """
    rows = connection.execute(
        text(
            f"{VALUES} FROM {scope.view('indicator')} i WHERE i.period = :period AND i.unit_level = ANY(:levels) "
            "AND (CAST(:indicator AS text) IS NULL OR i.indicator_code = :indicator) "
            "AND (CAST(:codes AS text[]) IS NULL OR i.unit_code = ANY(:codes)) "
            "AND (CAST(:parents AS text[]) IS NULL OR i.parent_code = ANY(:parents)) "
            f"{_IN_ORDER}"
        ),
        {
            "period": period,
            "levels": list(levels),
            "indicator": indicator,
            "codes": scope.listed,
            "parents": None if parents is None else sorted(parents),
        },
    )
    return list(starmap(Line, sharing_texts(rows)))


def neighbours(connection: Connection, lines: Sequence[Line], scope: Scope) -> list[Line]:
    """The values of a period beside some of it: of all units of their levels under the same units above, themselves among them.

    Also of units outside the scope: who asks shows none of their values.
    """
    if not lines:
        return []
    above = {line.parent_code for line in lines if line.parent_code is not None}
    levels = tuple({line.unit_level for line in lines})
    return of_period(connection, lines[0].period, replace(scope, codes=None), levels=levels, parents=above)


def with_those_below(connection: Connection, code: str, period: str) -> list[str]:
    """Codes of a unit and of all units below it at any time in a period."""
    first, last = days(period)
    return list(connection.scalars(text(_BELOW), {"code": code, "first": first, "last": last}))


def sharing_texts(rows: Iterable[Iterable[Any]]) -> Iterator[tuple[Any, ...]]:
    """The same rows, in which a text that comes again is the same object: of names and definitions there are few."""
    columns = zip(*rows, strict=True)
    return zip(*(map({}.setdefault, cells, cells) if any(type(cell) is str for cell in cells) else cells for cells in columns), strict=True)


def years(connection: Connection) -> list[str]:
    """The years for which values are published, the latest first."""
    query = "SELECT DISTINCT period FROM warehouse.fact_indicator WHERE known_to = 'infinity' AND length(period) = 4 ORDER BY period DESC"
    return list(connection.scalars(text(query)))


def sections(lines: list[Line]) -> list[tuple[str, list[Line]]]:
    """Lines grouped by the official table they are printed in."""
    return [(title, list(group)) for title, group in groupby(lines, attrgetter("official_table"))]
