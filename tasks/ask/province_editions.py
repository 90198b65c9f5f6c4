"""Which provinces have sent what they signed, for which period, and which are missing: what the country's numbers rest on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from operator import attrgetter

from sqlalchemy import Connection, text

from tasks.ask.official_table import Line, of_period
from tasks.ask.scope import Scope
from tasks.words import vietnamese as vi
from warehouse.periods import PeriodType, before, containing, days, period_type

NAMED = 5
"""Most missing provinces that a line names."""
LATELY: Mapping[PeriodType, int] = {"month": 12, "quarter": 4, "year": 3}
"""Latest periods that are looked at together."""

_EDITIONS = """
SELECT period, province_code, province_name, edition_number, signed_at, source, delivery_id
FROM mart.province_edition ORDER BY period_sort, province_code
"""
_PROVINCES = """
SELECT unit_code, unit_name FROM warehouse.dim_unit WHERE unit_level = 'province' AND valid_to = DATE '9999-12-31' ORDER BY unit_code
"""


@dataclass(frozen=True)
class ProvinceEdition:
    """What is in force of a province in a period; without a number, nothing has come."""

    period: str
    province_code: str
    province_name: str
    edition_number: int | None = None
    signed_at: datetime | None = None
    source: str | None = None
    delivery_id: int | None = None

    @property
    def citation(self) -> str:
        """Which edition it is: `Tỉnh Thanh Hóa: bản ký số 3 của tháng 01/2026, ký 05/02/2026`."""
        return f"{self.province_name}: bản ký số {self.edition_number} của {vi.in_text(self.period)}, ký {vi.day(self.signed_at)}"


@dataclass(frozen=True)
class Gathered:
    """The editions of a period, province by province in the order of their codes."""

    period: str
    editions: tuple[ProvinceEdition, ...]

    @property
    def there(self) -> list[ProvinceEdition]:
        """Those that have come."""
        return [one for one in self.editions if one.edition_number is not None]

    @property
    def missing(self) -> list[str]:
        """Names of the provinces of which none has come."""
        return [one.province_name for one in self.editions if one.edition_number is None]

    @property
    def count(self) -> str:
        """Of how many provinces one has: `33/34`."""
        return f"{vi.number(len(self.there))}/{vi.number(len(self.editions))}"

    def told(self, named: int = NAMED) -> str:
        """The same in words, with the names of the first that are missing."""
        missing = f", còn thiếu: {vi.some(self.missing, named, 'tỉnh')}" if self.missing else ""
        return f"{self.count} tỉnh{missing}"


@dataclass(frozen=True)
class Part:
    """What a province has in a number of the country."""

    line: Line | None
    """Its own value; nothing where none was ever published."""
    edition: ProvinceEdition
    """The edition it stands in."""

    @property
    def is_in(self) -> bool:
        """Whether its counts are in the sum."""
        return self.line is not None and self.line.numerator is not None and self.line.obs_status not in ("L", "Q")

    @property
    def why(self) -> str:
        """Why it is not, in words."""
        if self.edition.edition_number is None:
            return "chưa gửi bản ký của kỳ"
        return "bản ký không có chỉ tiêu này" if self.line is None else self.line.status


def parts_of(connection: Connection, line: Line, found: Gathered | None, scope: Scope) -> list[Part]:
    """The provinces of today in a number of the country, in the order of their codes; none where it is not the country's."""
    if line.unit_level != "country" or found is None:
        return []
    theirs = of_period(connection, line.period, scope, levels=("province",), indicator=line.indicator_code)
    at_the_end = {one.unit_code: one for one in theirs if one.last_day == line.last_day}
    return [Part(at_the_end.get(edition.province_code), edition) for edition in found.editions]


def gathered(connection: Connection) -> dict[str, Gathered]:
    """What has come, by period in the order of time: none in an installation of a province."""
    rows = (ProvinceEdition(*row) for row in connection.execute(text(_EDITIONS)))
    return {period: Gathered(period, tuple(editions)) for period, editions in groupby(rows, attrgetter("period"))}


def latest(found: Mapping[str, Gathered]) -> list[Gathered]:
    """Of months, of quarters and of years the last of which anything has come."""
    by_kind = {period_type(period): one for period, one in sorted(found.items(), key=lambda item: days(item[0]))}
    return [by_kind[kind] for kind in LATELY if kind in by_kind]


def lately(connection: Connection, found: Mapping[str, Gathered], day: date) -> dict[PeriodType, list[Gathered]]:
    """The latest periods that were over by a day, or of which anything has come, in the order of time; also those of which nothing has."""
    provinces = connection.execute(text(_PROVINCES)).all()
    shown: dict[PeriodType, list[Gathered]] = {}
    for kind, number in LATELY.items():
        known = {period for period in found if period_type(period) == kind} | set(_over(kind, day, number))
        latest = sorted(known, key=days)[-number:]
        nothing = {period: Gathered(period, tuple(ProvinceEdition(period, *province) for province in provinces)) for period in latest}
        shown[kind] = [found.get(period, nothing[period]) for period in latest]
    return shown


def _over(kind: PeriodType, day: date, number: int) -> Iterator[str]:
    period = next(one for one in containing(f"{day:%Y-%m}") if period_type(one) == kind)
    for _ in range(number):
        period = before(period)
        yield period
