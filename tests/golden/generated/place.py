"""The province of a generated inbox: its month, its units, and numbers that nobody else bears."""

from __future__ import annotations

import calendar
import csv
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path
from random import Random

from tests.golden.generated.rows import Bill, Shop, Unit

REFERENCE = Path(__file__).parents[3] / "warehouse" / "reference" / "admin_units.csv"
REFORM = date(2025, 7, 1)
"""Nghị quyết 1686/NQ-UBTVQH15: 547 units became 166."""
NGOC_PHUNG, THUONG_XUAN, LUAN_KHE = "15655", "15646", "15637"
"""Until the reform; that which all of Ngọc Phụng went into; one that was split between two."""
BA_DINH = "00004"
"""A ward of Hà Nội, today and before."""
NOWHERE = "99999"


def _communes() -> list[str]:
    """Codes of the communes of Thanh Hóa today: 147 xã and 19 phường."""
    with REFERENCE.open(encoding="utf-8") as lines:
        rows = [row for row in csv.DictReader(lines) if (row["parent_code"], row["level"], row["valid_to"]) == ("38", "commune", "")]
    assert len(rows) == 166
    return [row["code"] for row in rows]


@dataclass
class Place:
    """What the files of one seed have in common."""

    seed: int
    random: Random = field(init=False)
    month: date = field(init=False)
    """First day of the month that the files are of."""
    communes: list[str] = field(default_factory=_communes)
    bills: list[Bill] = field(default_factory=list)
    """Bills that payments may be of."""
    missing_bills: list[Bill] = field(default_factory=list)
    """Bills that are paid before they arrive."""
    dossiers: dict[str, Unit] = field(default_factory=dict)
    missing_dossiers: dict[str, Unit] = field(default_factory=dict)
    shops: dict[str, list[Shop]] = field(default_factory=dict)
    """Shops in force all month, by the provider of their payments."""
    moved: tuple[Shop, ...] = ()
    """What the list says of a shop that moves in the middle of the month."""
    of_before: Shop | None = None
    """A shop that the list puts in Ngọc Phụng, which is in Thường Xuân today."""
    _last: int = 0
    _left: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.random = Random(self.seed)
        self.month = self.random.choice([date(2025, 8, 1), date(2025, 11, 1), date(2026, 1, 1), date(2026, 3, 1), date(2026, 5, 1)])
        self._last = 1000 * self.random.randrange(1, 90)

    @property
    def last_day(self) -> date:
        return self.month.replace(day=calendar.monthrange(self.month.year, self.month.month)[1])

    @property
    def before(self) -> date:
        """First day of the month before."""
        return (self.month - timedelta(days=1)).replace(day=1)

    @property
    def after(self) -> date:
        """First day of the month after."""
        return self.last_day + timedelta(days=1)

    @contextmanager
    def in_month(self, month: date) -> Iterator[None]:
        """For a while everything is of another month."""
        kept, self.month = self.month, month
        yield
        self.month = kept

    def new(self, prefix: str, digits: int = 6) -> str:
        """A number that was never given."""
        self._last += self.random.randrange(1, 5)
        return f"{prefix}{self._last:0{digits}}"

    def new_unit(self) -> str:
        """A commune that none was of since the last time that all had their turn."""
        if not self._left:
            self.start_units()
        return self._left.pop()

    def start_units(self) -> None:
        """Every commune may have its turn again."""
        self._left = self.random.sample(self.communes, len(self.communes))

    def unit(self) -> Unit:
        return self.random.choice(self.communes), True

    def amount(self) -> int:
        return self.random.randrange(1_000, 2_000_000)

    def day(self) -> date:
        return self.month.replace(day=self.random.randrange(1, 29))

    def moment(self, day: date | None = None) -> datetime:
        """A time by day, which no clock of twelve hours shows alone."""
        clock = time(self.random.randrange(7, 22), self.random.randrange(60), self.random.randrange(60))
        return datetime.combine(day or self.day(), clock)


def dotted(amount: int) -> str:
    """As Vietnamese offices write it."""
    return f"{amount:,}".replace(",", ".")
