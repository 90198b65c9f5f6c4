"""A province's shelf of signed editions, made up: as its installation would offer it, from codes alone and the same every time.

The units are the real ones of each period. Flows of communes add up to those above them, stocks to those of the units there are at the
end; here and there a commune sent nothing, a province nothing of a fact, a few persons are withheld.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from zlib import crc32

from tasks.ask.annex import Annex, Definition, Moved, NamedUnit, different, key_of
from tasks.ask.official_table import Line
from tasks.ask.releases import checksum
from tasks.open_data.declaration import OpenData
from tasks.open_data.edition import Edition
from tasks.open_data.shelf import put
from warehouse.confidentiality import confidentiality
from warehouse.country import successions, units_of
from warehouse.indicators import Indicator, indicators, never_more_together
from warehouse.periods import days, months

SOURCE = "Hệ thống thông tin giải quyết thủ tục hành chính cấp tỉnh"
"""Who sent the rows that a province counted, as officials call it."""
_FIRST_MONTH = 2020 * 12
"""From here on more and more is done without paper and cash."""


def write_province(shelf: Path, province: str, periods: Iterable[str], *, number: int = 1, signed: datetime | None = None) -> list[Line]:
    """Writes the editions of a province of today, and returns what they say of the province itself, and of those that went into it.

    `number`: 2 is another edition of a period, in which the numerators of one commune are smaller; `signed`: when, else days after its end.
    """
    said = []
    for period in periods:
        edition = edition_of(province, period, number=number, signed=signed)
        put(edition, OpenData(), shelf)
        said += [line for line in edition.lines if line.unit_level == "province"]
    return said


def edition_of(province: str, period: str, *, number: int = 1, signed: datetime | None = None) -> Edition:
    """An edition of a province, as anybody may see it."""
    places = _places(province, period)
    lines, before = (_lines(province, period, places, one) for one in (number, number - 1))
    created = signed or datetime.combine(days(period)[1] + timedelta(days=4 + number), time(2), UTC)
    moved = [Moved(*key_of(line), (SOURCE,)) for _, line in different(before, lines) if line] if before else []
    return Edition(
        period=period,
        name=str(number),
        lines=lines,
        annex=Annex([place.unit for place in places], _definitions(), [SOURCE], moved),
        as_of=created - timedelta(hours=8),
        publication=number,
        created=created,
        signed_by="Chi cục Thống kê",
        note=None,
        checksum=checksum(lines),
        is_sample=True,
        name_before=str(number - 1) if before else None,
        lines_before=before,
    )


# Units ------------------------------------------------------------------------------------------------------------------


@dataclass(eq=False)
class _Place:
    """A version of a unit that there is in a period."""

    unit: NamedUnit
    first_day: date
    last_day: date
    number: int
    """Its code, as a number to reckon with."""
    months: list[int]
    """Those of the period in which there is any of it, counted from one year on."""
    above: list[tuple[_Place, bool]] = field(default_factory=list)
    """The units above it, the nearest first, and whether it is there when they end, or the period does."""
    communes: int = 0
    """Those below it at its end."""


def _places(province: str, period: str) -> list[_Place]:
    """The units of a province in a period, from the province down; of a unit without communes nothing is told."""
    first, last = days(period)
    found = [
        _place(NamedUnit(row["code"], row["name"], row["kind"], row["level"], row["parent_code"] or None, *valid), period)
        for row in units_of(province)
        for valid in [(date.fromisoformat(row["valid_from"]), date.fromisoformat(row["valid_to"]))]
        if valid[0] <= last and valid[1] >= first
    ]
    by_code: dict[str | None, list[_Place]] = defaultdict(list)
    for place in found:
        by_code[place.unit.code].append(place)
    for place in found:
        below = place
        while below.unit.parent_code:
            above = _went_on(next(one for one in by_code[below.unit.parent_code] if one.last_day >= below.last_day), by_code)
            is_at_end = place.first_day <= above.last_day <= place.last_day and all(there for _, there in place.above)
            place.above.append((above, is_at_end))
            below = above
        for above, is_at_end in place.above:
            above.communes += is_at_end and place.unit.level == "commune"
    levels = ("province", "district", "commune")
    told = [place for place in found if place.unit.level == "commune" or place.communes]
    return sorted(told, key=lambda place: (levels.index(place.unit.level), place.unit.code, place.first_day))


def _place(unit: NamedUnit, period: str) -> _Place:
    first, last = max(unit.valid_from, days(period)[0]), min(unit.valid_to, days(period)[1])
    there = [
        12 * int(month[:4]) + int(month[5:]) - _FIRST_MONTH for month in months(period) if f"{first:%Y-%m}" <= month <= f"{last:%Y-%m}"
    ]
    return _Place(unit, first, last, int(unit.code), there)


def _went_on(place: _Place, by_code: Mapping[str | None, list[_Place]]) -> _Place:
    """The unit itself, or what it went on as in the period where only its name or kind became another."""
    later = next((one for one in by_code[place.unit.code] if one.first_day == place.last_day + timedelta(days=1)), None)
    return later if later and (later.unit.code, f"{later.first_day}") in _only_renamed() else place


@cache
def _only_renamed() -> frozenset[tuple[str, str]]:
    """Code and first day of the units that were one other before, of the same code."""
    before: dict[tuple[str, str], list[tuple[str, str]]] = defaultdict(list)
    for row in successions():
        before[row["new_code"], row["effective_date"]].append((row["old_code"], row["note"]))
    return frozenset(new for new, old in before.items() if old == [(new[0], "whole")])


# Values -----------------------------------------------------------------------------------------------------------------


def _lines(province: str, period: str, places: list[_Place], number: int) -> list[Line]:
    """The values of an edition; none of one before the first."""
    shown = [one for one in indicators() if one.listed_from <= days(period)[1] <= one.listed_to] if number else []
    return [line for indicator in shown for line in _OfIndicator(indicator, province, period, number).lines(places)]


@dataclass
class _Sum:
    """What was counted for a unit."""

    numerator: int = 0
    denominator: int = 0
    units: int = 0
    """Communes at its end that sent anything."""
    has_all: bool = True
    """Whether all communes did, that ever were there."""


class _OfIndicator:
    """The values of an indicator in an edition of a province."""

    def __init__(self, indicator: Indicator, province: str, period: str, number: int) -> None:
        self.indicator, self.province, self.period, self.number = indicator, province, period, number
        self.last_day = days(period)[1]
        self.way = indicator.counted_fact.way
        self.code, self.fact = crc32(indicator.code.encode()), crc32(indicator.fact.encode())
        self.counts = crc32((indicator.denominator_counts or indicator.numerator_counts).encode())
        belongs_to = confidentiality().belongs_to
        self.is_protected = confidentiality().protects(indicator.code) and not indicator.is_sample
        self.hides_as = crc32(belongs_to.get(indicator.code, indicator.code).encode())
        self.is_amount = indicator.count in indicator.counted_fact.amounts
        """An amount of money: withheld where what it belongs to is."""
        self.shares = next((len(group) for group in never_more_together() if indicator.code in group), 1)
        self.is_missing = self.way != "listed" and _draw(int(province), self.fact, crc32(period.encode())) % 12 == 0
        targets = (one for one in indicator.targets if one.kind == "target" and self._holds(one.valid_from, one.valid_to, one.province))
        self.target = next((one.value for one in targets), None)
        self.is_broken = any(self._holds(one.from_, date.max, one.province) for one in indicator.breaks)

    def _holds(self, first: date, last: date, of: str) -> bool:
        return first <= self.last_day <= last and of in ("", self.province)

    def lines(self, places: list[_Place]) -> list[Line]:
        """From the province down."""
        sums: dict[_Place, _Sum] = defaultdict(_Sum)
        communes = [place for place in places if place.unit.level == "commune"]
        absent = communes[_draw(int(self.province), self.fact, self.last_day.toordinal()) % (4 * len(communes)) :][
            :1
        ]  # every fourth time one
        told = []
        for rank, place in enumerate(communes):
            hidden = self._hidden(communes, rank)
            counted = None if self.is_missing or place in absent else self._counted(place, hidden, is_corrected=rank == 0)
            self._add(sums, place, counted)
            told.append(self._line(place, *self._of_commune(place, counted, hidden)))
        return [self._line(place, *self._above(place, sums[place])) for place in places if place.unit.level != "commune"] + told

    def _counted(self, place: _Place, hidden: str, *, is_corrected: bool) -> tuple[int, int]:
        """Numerator and denominator of a commune."""
        seen = place.months[-1:] if self.indicator.is_stock or self.indicator.is_sample else place.months
        if self.way == "listed":
            return int(_draw(place.number, self.counts) % 3 == 0), 1
        size = 400 + _draw(place.number, self.counts) % 4000
        share = 350 + _draw(place.number, self.code) % 300
        numerator = denominator = 0
        for month in seen:
            whole = (
                0 if self.way == "reports" and _draw(place.number, self.counts, month) % 40 == 0 and not self.indicator.is_stock else size
            )
            whole += whole * (_draw(place.number, self.counts, month) % 9) // 100 if not self.indicator.is_stock else 0
            denominator += whole
            numerator += whole * min(share + 3 * month, 990) // 1000 // self.shares
        if hidden == "A" and not self.is_amount:
            numerator = min(1 + place.number % 4, denominator)
        if self.is_amount:
            numerator, denominator = 61_000 * numerator, 61_000 * denominator
        if is_corrected:
            numerator -= numerator * (self.number - 1) // 20
        return numerator, numerator if self.indicator.is_count else denominator

    def _hidden(self, communes: list[_Place], rank: int) -> str:
        """F; A where few persons are counted in a commune, and then D in the one after it, so that their sum gives nothing away."""
        pair = rank // 2
        if not self.is_protected or 2 * pair + 1 >= len(communes) or _draw(communes[2 * pair].number, self.hides_as) % 30:
            return "F"
        return "AD"[rank % 2]

    def _add(self, sums: dict[_Place, _Sum], place: _Place, counted: tuple[int, int] | None) -> None:
        for above, is_at_end in place.above:
            total = sums[above]
            if counted is None:
                total.has_all &= self.indicator.is_stock and not is_at_end
            elif is_at_end or not self.indicator.is_stock:
                total.numerator += counted[0]
                total.denominator += counted[1]
            total.units += counted is not None and is_at_end

    def _of_commune(
        self, place: _Place, counted: tuple[int, int] | None, hidden: str
    ) -> tuple[tuple[int, int] | None, str, str | None, str]:
        """Counts, status, reason and confidentiality."""
        is_asked = not self.indicator.is_sample or _draw(place.number, self.code) % 5 == 0
        if "commune" not in self.indicator.levels or (not is_asked and not self.is_missing):
            return None, "M", "not_applicable", "F"
        if counted is None:
            return None, "L", None, "F"
        return counted, *self._status(counted, is_whole=True), hidden if counted[1] else "F"

    def _status(self, counted: tuple[int, int], *, is_whole: bool) -> tuple[str, str | None]:
        if counted[1] == 0 and not self.indicator.is_count:
            return "M", "no_cases"
        return ("B" if self.is_broken else "A") if is_whole else "P", None

    def _above(self, place: _Place, total: _Sum) -> tuple[tuple[int, int] | None, str, str | None, str, int | None, int | None]:
        """Counts, status, reason and confidentiality, how many communes were counted, and of how many."""
        if self.indicator.is_sample:
            return None, *(("L", None) if self.is_missing else ("M", "not_applicable")), "F", None, None
        if self.way == "listed":
            counted = total.numerator, place.communes
            return counted, "A", None, "F", total.numerator, total.numerator
        if not total.units:
            return None, "L", None, "F", 0, place.communes
        counted = total.numerator, total.denominator
        return counted, *self._status(counted, is_whole=total.has_all), "F", total.units, place.communes

    def _line(
        self,
        place: _Place,
        counted: tuple[int, int] | None,
        status: str,
        reason: str | None,
        hidden: str,
        units: int | None = None,
        expected: int | None = None,
    ) -> Line:
        one, unit = self.indicator, place.unit
        numerator, denominator = counted or (None, None)
        value, is_met = None, None
        if counted and status != "M":
            value = Decimal(counted[0]) if one.is_count else rate(*counted, one.decimals)
            is_met = None if self.target is None else 100 * counted[0] >= self.target * counted[1]
        line = Line(
            indicator_code=one.code,
            indicator_name=one.name,
            official_table=one.official_table,
            pillar=one.pillar,
            unit_code=unit.code,
            unit_name=unit.name,
            unit_level=unit.level,
            period=self.period,
            numerator=numerator,
            denominator=None if one.is_count else denominator,
            value=value,
            decimals=one.decimals,
            unit_measure=one.unit_measure,
            target=self.target,
            is_met=is_met,
            obs_status=status,
            obs_reason=reason,
            revision=self.number,
            definition=one.definition,
            legal_source=one.legal_source,
            first_day=place.first_day,
            last_day=place.last_day,
            units_counted=units,
            units_expected=expected,
            data_until=None if self.is_missing or self.way == "listed" else self.last_day,
            conf_status=hidden,
            parent_code=unit.parent_code,
        )
        return line.for_public()


def _draw(*numbers: int) -> int:
    """A number that looks like any other, and is always the same for the same numbers."""
    drawn = 0
    for number in numbers:
        drawn = (drawn * 31 + number + 1) * 2654435761 % 2**32
        drawn ^= drawn >> 15
    return drawn


def rate(numerator: int, denominator: int, decimals: int) -> Decimal:
    """Percent, rounded half up once."""
    return Decimal((200 * numerator * 10**decimals + denominator) // (2 * denominator)).scaleb(-decimals)


@cache
def _definitions() -> list[Definition]:
    """Every version of every indicator as it is declared."""
    return [
        Definition(
            one.code, one.version, one.name, one.name_en, one.definition, one.definition_en, one.legal_source, one.official_table,
            one.pillar, one.unit_measure, one.decimals, one.valid_from, one.valid_to,
        )
        for one in indicators()
    ]  # fmt: skip
