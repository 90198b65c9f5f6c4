"""The official tables as published: one query for terminal, workbook and site."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import groupby
from operator import attrgetter

from sqlalchemy import Connection, text

from tasks.words import vietnamese as vi
from warehouse.indicators import in_force
from warehouse.names import normalise_unit_name
from warehouse.periods import days, is_period
from warehouse.settings import Refusal


@dataclass(frozen=True)
class Unit:
    """An administrative unit in one of its versions."""

    code: str
    name: str
    level: str
    valid_from: date
    parent_name: str | None
    other_names: tuple[str, ...] | list[str] = ()

    @property
    def spellings(self) -> list[str]:
        """Its name in every way of writing it that is in use."""
        return [self.name, *self.other_names]

    @property
    def title(self) -> str:
        """Name, code and the unit above: enough to tell it from another of the same name."""
        above = f", {self.parent_name}" if self.parent_name else ""
        return f"{self.name} ({self.code}{above})"


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
    units_counted: int | None = None
    units_expected: int | None = None
    data_until: date | None = None
    next_due: date | None = None
    awaited: str | None = None
    target_source: str | None = None
    full_marks: Decimal | None = None
    full_marks_source: str | None = None

    @property
    def printed(self) -> str:
        """The value as it is printed."""
        return vi.measure(self.value, self.decimals, self.unit_measure)

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
        sending = " gửi số liệu" if indicator is not None and indicator.counted_fact.way == "listed" else ""
        return f"{vi.number(self.units_counted)}/{vi.number(self.units_expected)} xã{sending}"

    @property
    def met(self) -> str:
        """Whether the target is met, in words; nothing where there is no target or no value."""
        if self.is_met is None:
            return ""
        return ("đạt" if self.is_met else "chưa đạt") + (f" ({vi.OBS_STATUS['P']})" if self.obs_status == "P" else "")


_VALUES = """
    SELECT i.indicator_code, i.indicator_name, i.official_table, i.pillar, i.unit_code, i.unit_name, i.unit_level, i.period,
           i.numerator, i.denominator, i.value, i.decimals, i.unit_measure, i.target, i.is_met, i.obs_status, i.obs_reason, i.revision,
           i.definition, i.legal_source, i.units_counted, i.units_expected, i.data_until, i.next_due, i.awaited, i.target_source,
           i.full_marks, i.full_marks_source
    FROM mart.indicator i
"""

_UNITS = """
    SELECT u.unit_code, u.unit_name, u.unit_level, u.valid_from,
           (SELECT p.unit_name FROM warehouse.dim_unit p WHERE p.unit_code = u.parent_code
               AND greatest(u.valid_from, CAST(:first AS date)) BETWEEN p.valid_from AND p.valid_to) AS parent_name, u.other_names
    FROM warehouse.dim_unit u
    WHERE u.unit_key <> 0 AND u.valid_from <= :last AND u.valid_to >= :first
    ORDER BY u.unit_code, u.valid_from
"""


def check_period(period: str) -> None:
    """Refusal where a text is no period."""
    if not is_period(period):
        raise Refusal(f"Kỳ {period!r} không hợp lệ: viết năm 2024, quý 2024-Q1 hoặc tháng 2024-03.")


def find_unit(connection: Connection, wanted: str, period: str) -> Unit:
    """The unit someone means by a code or a name, as it was in the period; Refusal where none or several are meant."""
    check_period(period)
    first, last = days(period)
    units = [Unit(*row) for row in connection.execute(text(_UNITS), {"first": first, "last": last})]
    name = vi.plain(wanted)
    named = [unit for unit in units if unit.code == wanted.strip() or name in map(vi.plain, unit.spellings)]
    named = named or [unit for unit in units if name in (vi.plain(normalise_unit_name(one)) for one in unit.spellings)]
    if len(named) > 1:
        valued = connection.execute(
            text("SELECT DISTINCT unit_code, unit_valid_from FROM mart.indicator WHERE period = :period AND value IS NOT NULL"),
            {"period": period},
        ).all()
        named = [unit for unit in named if (unit.code, unit.valid_from) in {tuple(row) for row in valued}] or named
    if not named:
        raise Refusal(f"Không có đơn vị hành chính nào mang mã hoặc tên {wanted!r} trong kỳ {period}.")
    if len(named) > 1:
        raise Refusal(f"{wanted!r} chỉ nhiều đơn vị; hãy dùng mã: {'; '.join(unit.title for unit in named)}.")
    return named[0]


def of_unit(connection: Connection, unit: Unit, period: str) -> list[Line]:
    """The official tables of one unit in a period, in the order in which they are printed."""
    rows = connection.execute(
        text(
            f"{_VALUES} WHERE i.unit_code = :code AND i.unit_valid_from = :valid_from AND i.period = :period "
            "ORDER BY i.sort_order, i.indicator_code"
        ),
        {"code": unit.code, "valid_from": unit.valid_from, "period": period},
    )
    return [Line(*row) for row in rows]


def of_period(connection: Connection, period: str, levels: tuple[str, ...] = ("commune", "district", "province")) -> list[Line]:
    """Every unit's values of a period, indicator by indicator, the units from the province down to the communes, by code."""
    rows = connection.execute(
        text(
            f"{_VALUES} WHERE i.period = :period AND i.unit_level = ANY(:levels) "
            "ORDER BY i.sort_order, i.indicator_code, array_position(ARRAY['province', 'district', 'commune'], i.unit_level), "
            "i.unit_code, i.unit_valid_from"
        ),
        {"period": period, "levels": list(levels)},
    )
    return [Line(*row) for row in rows]


def years(connection: Connection) -> list[str]:
    """The years for which values are published, the latest first."""
    return list(connection.scalars(text("SELECT DISTINCT period FROM mart.indicator WHERE period_type = 'year' ORDER BY period DESC")))


def sections(lines: list[Line]) -> list[tuple[str, list[Line]]]:
    """Lines grouped by the official table they are printed in."""
    return [(title, list(group)) for title, group in groupby(lines, attrgetter("official_table"))]
