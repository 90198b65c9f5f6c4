"""The installation of the whole country: what its provinces offer, night after night, and what it has to publish of them."""

from __future__ import annotations

import os
import pickle
import shutil
from collections import defaultdict
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import psycopg
import yaml
from psycopg.rows import tuple_row

from tasks.ask.official_table import Line
from tests.bench.contenders import Night
from tests.bench.memory import Taken
from tests.provinces import rate, write_province
from warehouse.country import COUNTRY, provinces
from warehouse.indicators import in_force
from warehouse.periods import after, days

Edition = tuple[str, str, int]
"""Province, period, number."""
Told = tuple[int | None, int | None, Decimal | None]
"""Numerator, denominator, value."""

FIRST_MONTH, MONTHS = "2023-11", 36
CORRECTED = datetime(2026, 11, 20, 2, tzinfo=UTC)
"""When the provinces signed what they had corrected."""


@dataclass(frozen=True)
class Offer:
    """What is new in a night, and its day."""

    name: str
    day: date
    editions: list[Edition]


def periods() -> list[str]:
    """The months of the history."""
    found = [FIRST_MONTH]
    while len(found) < MONTHS:
        found.append(after(found[-1]))
    return found


def chosen(scale: float) -> list[str]:
    """Codes of so many of the provinces, of every size."""
    codes = list(provinces())
    number = max(4, round(len(codes) * scale))
    return [codes[place * len(codes) // number] for place in range(number)]


def nights(codes: list[str]) -> list[Offer]:
    """The nights after which the country is looked at: a history, the last month, one edition that was late, corrections, nothing."""
    *before, last = periods()
    late = (codes[-1], before[-1], 1)
    history = [(code, period, 1) for period in before for code in codes]
    corrections = [(code, period, 2) for code, period in zip(reversed(codes), (before[4], before[21], before[31]), strict=False)]
    return [
        Offer(f"{len(history) - 1:,} editions of {len(before)} months", date(2026, 10, 31), [one for one in history if one != late]),
        Offer(f"the {len(codes)} editions of the last month", date(2026, 11, 10), [(code, last, 1) for code in codes]),
        Offer("one edition that was late", date(2026, 11, 16), [late]),
        Offer(f"{len(corrections)} corrections", date(2026, 11, 21), corrections),
        Offer("nothing new", date(2026, 11, 22), []),
    ]


def upon_a_tenth(codes: list[str]) -> tuple[Offer, Offer]:
    """A tenth of the history, and the same last month upon it."""
    months = periods()
    some = months[-1 - round(MONTHS / 10) : -1]
    history = Offer(f"{len(some)} months before", date(2026, 10, 31), [(code, period, 1) for period in some for code in codes])
    last = Offer("the same upon a tenth of the history", date(2026, 11, 10), [(code, months[-1], 1) for code in codes])
    return history, last


# Shelves ----------------------------------------------------------------------------------------------------------------


class Shelves:
    """The editions of all provinces, written once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, offers: Iterable[Offer]) -> None:
        """Writes what is offered and not there yet, a province a process."""
        missing: dict[str, list[Edition]] = defaultdict(list)
        for edition in {edition: None for offer in offers for edition in offer.editions}:
            if not self._said(edition).exists():
                missing[edition[0]].append(edition)
        with ProcessPoolExecutor(os.cpu_count()) as processes:
            list(processes.map(self._write, missing.values()))

    def place(self, edition: Edition) -> Path:
        """Its folder."""
        province, period, number = edition
        return self.folder / province / period / str(number)

    def said(self, edition: Edition) -> list[Line]:
        """What the generator said of the province in it."""
        lines: list[Line] = pickle.loads(self._said(edition).read_bytes())  # our own
        return lines

    def _said(self, edition: Edition) -> Path:
        return self.folder / "said" / "-".join(map(str, edition))

    def _write(self, editions: list[Edition]) -> None:
        (self.folder / "said").mkdir(parents=True, exist_ok=True)
        for edition in editions:
            province, period, number = edition
            signed = CORRECTED if number > 1 else None
            lines = write_province(self.folder / province, province, [period], number=number, signed=signed)
            self._said(edition).write_bytes(pickle.dumps(lines))


# Nights -----------------------------------------------------------------------------------------------------------------


class Country(Night):
    """`bakhong nightly` of an installation of the whole country, in a home of its own."""

    def __init__(self, folder: Path, url: str, shelves: Shelves, codes: list[str]) -> None:
        sources = folder / "sources.yaml"
        entries = [
            {"name": f"tinh-{code}", "feed": "editions", "layout": "open_data", "provider": code, "url": str(folder / "offered" / code)}
            for code in codes
        ]
        for code in codes:
            (folder / "offered" / code).mkdir(parents=True)
        told = {"provinces": "all", "sample": True, "sources": [{**entry, "expected": "monthly"} for entry in entries]}
        sources.write_text(yaml.safe_dump(told, allow_unicode=True), "utf-8")
        super().__init__(folder, url, sources=sources)
        self.shelves = shelves
        self.said: dict[tuple[str, str], list[Line]] = {}
        """Province and period → what the last edition offered says of it."""

    def take_offer(self, offer: Offer) -> Taken:
        """Lays what is new upon the shelves, runs the night, and SystemExit where the country is not what its provinces add up to."""
        for edition in offer.editions:
            province, period, number = edition
            shutil.copytree(self.shelves.place(edition), self.folder / "offered" / province / period / str(number), copy_function=os.link)
            self.said[province, period] = self.shelves.said(edition)
        taken = self.night(offer.day, may_end_with=(0, 1))  # some province is late, always
        self.require_same(offer.name, taken)
        return taken

    def require_same(self, night: str, taken: Taken) -> None:
        """SystemExit where a published value of a province, or of the country, is another than what the generator said."""
        expected = dict(self._expected())
        if different := expected.items() ^ self._published().items():
            shown = "\n".join(f"  {cell}" for cell in sorted(different, key=str)[:10])
            raise SystemExit(f"{night}: {len(different):,} values that only one of both says:\n{shown}\n{taken.output}")

    def _expected(self) -> Iterator[tuple[tuple[str, str, str], Told]]:
        """Indicator, unit and period → what it has to be: of provinces as they said it, of the country their sum, divided once."""
        together: dict[tuple[str, str], list[Line]] = defaultdict(list)
        for line in (line for lines in self.said.values() for line in lines):
            yield (line.indicator_code, line.unit_code, line.period), (line.numerator, line.denominator, line.value)
            together[line.indicator_code, line.period].append(line)
        for (code, period), lines in together.items():
            yield (code, COUNTRY, period), _sum(code, period, [line for line in lines if line.numerator is not None])

    def _published(self) -> dict[tuple[str, str, str], Told]:
        query = """
            SELECT indicator_code, unit_code, period, numerator, denominator, value
            FROM mart.indicator WHERE unit_level IN ('country', 'province')"""
        with psycopg.connect(self.url) as connection:
            return {tuple(row[:3]): tuple(row[3:]) for row in connection.cursor(row_factory=tuple_row).execute(query)}  # type: ignore[misc]

    def sizes(self) -> dict[str, int]:
        """Bytes of the database, of what was landed, and of the report."""
        with psycopg.connect(self.url) as connection:
            database = connection.execute("SELECT pg_database_size(current_database())").fetchone()
        assert database is not None  # a query without FROM has a row
        home = self.folder / "home"
        return {"database": int(database[0]), **{name: _bytes(home / name) for name in ("landing", "site")}}


def _sum(code: str, period: str, lines: list[Line]) -> Told:
    indicator = in_force(code, days(period)[1])
    assert indicator is not None  # it was said by that version
    if indicator.is_sample or not lines:
        return None, None, None
    numerator, denominator = (sum(getattr(line, name) or 0 for line in lines) for name in ("numerator", "denominator"))
    if indicator.is_count:
        return numerator, None, Decimal(numerator)
    return numerator, denominator, rate(numerator, denominator, indicator.decimals) if denominator else None


def _bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
