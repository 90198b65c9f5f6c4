"""The whole inbox of a seed: every layout, every oddity, and what must become of each file and row.

`python -m tests.golden.generated.inbox SEED FOLDER` writes it down, to look at.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import yaml

from tests.golden.generated.bills import EVN, WATER, electric, evn_row, numbered_alike, payable
from tests.golden.generated.files import odd_files
from tests.golden.generated.layouts import Layout, of_everything
from tests.golden.generated.payments import DVCQG, ECPAY, MOMO, NAPAS, VNPAY, at_new_year, of_two_bills, told_otherwise
from tests.golden.generated.place import Place
from tests.golden.generated.rows import File, Loaded, Replaced, Row, Unchanged, numbered
from tests.golden.generated.shops import SHOPS, open_to_all
from tests.golden.generated.signatures import CERTIFICATES, HOLDERS, month_before, of_another_carrier
from tests.golden.generated.written import records
from tests.golden.hostile.forms import delimited, header

LAYOUTS = (EVN, WATER, SHOPS, CERTIFICATES, HOLDERS, ECPAY, DVCQG, VNPAY, MOMO, NAPAS)
SEEDS = (1, 2)
"""Of the files that are odd as a whole each has every second one, so that together they have all."""
LAST_NIGHT = 3


class Inbox:
    """The files of a seed, in the order in which they are made: payments know the bills, dossiers and shops of their files."""

    def __init__(self, seed: int) -> None:
        self.place = Place(seed)
        self.files: list[File] = []
        self.beside: dict[str, tuple[str, str, str, bytes]] = {}
        """Sound files that are there only to be referred to, by source: feed, layout, name, content."""
        self._of_dossiers()
        self._of_bills()
        rows = self._full(SHOPS)
        self.place.shops = open_to_all(rows)
        self._of_signatures()
        for layout in (ECPAY, DVCQG, VNPAY, MOMO, NAPAS):
            self._full_and_next(layout)
        self._of_payments_alone()
        for layout in LAYOUTS:
            for number, one in enumerate(odd_files(self.place, layout)):
                if number % len(SEEDS) == seed % len(SEEDS):
                    what: Any = {"refused": one.refused, "flags": one.flags, "wrong": one.wrong}
                    self._odd(layout, f"le{number:02}", one.rows, content=one.content, **what)

    # Files ---------------------------------------------------------------------------------------------------------------

    def _add(self, layout: Layout, rows: dict[int, Row], *, source: str, content: bytes, name: str = "", **what: Any) -> None:
        provider = source if layout.own_provider else layout.provider
        name = name or f"{layout.stem}_{self.place.month:%Y%m}.{layout.suffix}"
        self.files.append(File(source, layout.feed, layout.name, provider, name, content, rows, **what))

    def _odd(self, layout: Layout, label: str, rows: dict[int, Row], **what: Any) -> None:
        """A file beside the layout's full one; names tell those of a source apart, but those of what one source says alone."""
        alone = layout.feed in ("merchants", "signatures")
        source, name = f"{layout.stem}-{label if alone else 'le'}", f"{label}_{self.place.month:%Y%m}.{layout.suffix}"
        self._add(layout, rows, source=source, name=name, **what)

    def _small(self, layout: Layout, label: str, rows: Sequence[Row], **what: Any) -> None:
        """A file of a few rows beside the layout's full one."""
        rows = layout.with_total(rows)
        self._odd(layout, label, numbered(rows, layout.first(self.place)), content=layout.write(self.place, rows), **what)

    def _plain(self, layout: Layout, rows: Sequence[Row], source: str, **what: Any) -> None:
        """A file of rows with nothing odd about it as a whole."""
        rows = layout.with_total(rows)
        self._add(layout, numbered(rows, layout.first(self.place)), source=source, content=layout.write(self.place, rows), **what)

    def _full(self, layout: Layout, **what: Any) -> list[Row]:
        rows = of_everything(self.place, layout)
        self._plain(layout, rows, layout.stem, **what)
        return rows

    def _full_and_next(self, layout: Layout) -> list[Row]:
        """The full file and that of the next month, which says one of its rows again and one otherwise."""
        place = self.place
        rows = of_everything(place, layout)
        same, other = place.random.sample([at for at, row in enumerate(rows) if isinstance(row.becomes, Loaded) and not row.sown], 2)
        told = told_otherwise(layout, rows[other]) if layout.feed == "payments" else _corrected(rows[other])
        rows[other] = replace(rows[other], becomes=Replaced(), sown="the next file says otherwise")
        outside = {"STR-017"} if layout.feed == "payments" else set()
        self._plain(layout, rows, layout.stem, flags=frozenset(outside))
        again = [replace(rows[same], becomes=Unchanged(), sown="said before"), told]
        with place.in_month(place.after):
            self._plain(layout, [*again, *layout.rows(place)], layout.stem, flags=frozenset(outside))
        return rows

    # Feeds ---------------------------------------------------------------------------------------------------------------

    def _of_dossiers(self) -> None:
        """Agencies, and dossiers of theirs: the unit of a fee is that of its dossier."""
        place = self.place
        units = place.random.sample(place.communes, 4)
        agencies = [[f"H56.38.{n:02}", f"UBND {n}", code, "2025-07-01", ""] for n, code in enumerate(units, 1)]
        self.beside["agencies"] = ("agencies", "agencies_csv", "co_quan_20250701.csv", delimited("agencies_csv", agencies).encode())
        for n, code in enumerate(units, 1):
            for serial in range(1, 6):
                known = place.missing_dossiers if serial == 5 else place.dossiers
                known[f"H56.38.{n:02}-{place.month:%y%m}02-{serial:04}"] = (code, True)
        for source, dossiers in (("dossiers", place.dossiers), ("dossiers-late", place.missing_dossiers)):
            lines = [_dossier(place.month, code) for code in dossiers]
            name = f"td_{place.last_day:%Y%m%d}.csv"
            self.beside[source] = ("dossiers", "dvcqg_csv", name, delimited("dvcqg_csv", lines).encode())

    def _of_bills(self) -> None:
        place = self.place
        found = payable(self._full_and_next(EVN)) + payable(self._full(WATER, flags=frozenset(["STR-017"])))
        place.bills = found
        electricity, water = numbered_alike(place)
        self._small(EVN, "trung", [electricity])
        self._small(WATER, "trung", [water])
        self._alike = electricity.fact.number
        place.missing_bills = [electric(place) for _ in range(6)]
        self._small(EVN, "sau", [evn_row(bill, sown="paid before it came") for bill in place.missing_bills], night=LAST_NIGHT)

    def _of_signatures(self) -> None:
        place = self.place
        place.start_units()
        before, rows = month_before(place, of_everything(place, CERTIFICATES))
        with place.in_month(place.before):
            self._plain(CERTIFICATES, before, "vnpt")
        self._plain(CERTIFICATES, rows, "vnpt", flags=frozenset(["STR-017"]))
        place.start_units()
        holders = self._full(HOLDERS)
        another = replace(HOLDERS, provider="viettel")
        self._plain(another, of_another_carrier(place, holders), "nguoi-viettel")

    def _of_payments_alone(self) -> None:
        """Payments of numbers that others bear too, of New Year, of a clock of twelve hours, with day and month exchanged."""
        place = self.place
        self._small(ECPAY, "trung", [of_two_bills(place, self._alike), *ECPAY.rows(place, 4)])
        number = place.new("GD")
        for layout, header_of in (
            (ECPAY, "MA_GIAO_DICH"),
            (DVCQG, "MaGiaoDich"),
            (VNPAY, "vnp_TransactionNo"),
            (MOMO, "transId"),
            (NAPAS, "F37"),
        ):
            row = layout.ordinary(place)
            alike = Row(
                row.cells | {header_of: number}, Loaded(replace(row.fact, number=number)), "the number of another provider's payment"
            )
            self._small(layout, "so", [alike])
        rows = at_new_year(place)
        content = records(date(2026, 1, 1), rows).encode()
        self._add(NAPAS, numbered(rows, 2), source="napas-year", content=content, name="napas_20260101.dat", flags=frozenset(["STR-017"]))
        for layout, header_of, form in (
            (ECPAY, "NGAY_PSINH", "%d/%m/%Y %I:%M:%S"),
            (DVCQG, "ThoiGianGD", "%Y%m%d%I%M%S"),
            (VNPAY, "vnp_PayDate", "%Y%m%d%I%M%S"),
            (NAPAS, "F12", "%I%M%S"),
        ):
            rows = [
                _at(row, header_of, form, hour) for hour, row in zip((8, 9, 10, 11, 12, 14, 15, 16, 17), layout.rows(place, 9), strict=True)
            ]
            self._small(layout, "gio", rows, flags=frozenset(["PAY-012"]), wrong="a clock of twelve hours")
        rows = [
            _at(row, "NGAY_PSINH", "%m/%d/%Y %H:%M:%S", 10, day) for day, row in zip(_before_13(place), ECPAY.rows(place, 8), strict=False)
        ]
        content = ECPAY.write(place, rows)
        self._odd(ECPAY, "ngay", {}, content=content, refused="STR-016", wrong="month before day")
        content = VNPAY.write(place, VNPAY.rows(place))
        with place.in_month(place.month.replace(year=place.month.year - 2)):
            self._odd(VNPAY, "nam", {}, content=content, refused="STR-016", wrong="of another year than its name says")

    # Nights --------------------------------------------------------------------------------------------------------------

    def write(self, folder: Path, night: int = 1) -> None:
        """Puts the files that arrive for a night into the folder, and for the first one its sources.yaml."""
        for file in self.files:
            if file.night == night:
                _put(folder / "in" / file.source / file.name, file.content)
        for source, (_, _, name, content) in self.beside.items():
            if night == (LAST_NIGHT if source.endswith("-late") else 1):
                _put(folder / "in" / source / name, content)
        if night == 1:
            (folder / "sources.yaml").write_text(yaml.safe_dump({"sources": [*self._sources()]}), "utf-8")

    def _sources(self) -> Iterator[dict[str, str]]:
        made = {file.source: (file.feed, file.layout, file.provider) for file in self.files}
        made |= {source: (feed, layout, "td") for source, (feed, layout, _, _) in self.beside.items()}
        for source, (feed, layout, provider) in made.items():
            url = f"in/{source}/{'{unit}_{period:%Y%m}.*' if source.endswith('-le') else '*'}"
            where = {"name": source, "url": url, "expected": "once"}
            yield where | {"feed": feed, "layout": layout, "provider": provider}


def _put(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def _corrected(row: Row) -> Row:
    """A bill with another amount."""
    amount = row.fact.amount + 1000
    cells = row.cells | {"SO_TIEN": str(amount), "TIEN_GTGT": "0", "TONG_TIEN": str(amount)}
    return Row(cells, Loaded(replace(row.fact, amount=amount)), "corrected")


def _at(row: Row, name: str, form: str, hour: int, day: date | None = None) -> Row:
    """The row at another hour, perhaps on another day."""
    moment = datetime.combine(day or row.fact.day, time(hour, 20, 30))
    return replace(row, cells=row.cells | {name: f"{moment:{form}}"}, becomes=Loaded(replace(row.fact, day=moment.date())))


def _before_13(place: Place) -> Iterable[date]:
    """Days that are others where month and day are exchanged."""
    return [day for day in (place.month + timedelta(days=n) for n in range(12)) if day.day != day.month]


def _dossier(month: date, code: str) -> list[str]:
    cells: dict[str, str] = {
        "MaHoSo": code, "MaTTHC": "2.000815", "TenTTHC": "Chứng thực", "MaLinhVuc": "CT", "TenLinhVuc": "Chứng thực", "MucDo": "3",
        "KenhThucHien": "2", "LoaiDoiTuong": "1", "NgayNopHoSo": f"{month:%Y%m}02080000", "NgayTiepNhan": f"{month:%Y%m}02090000",
        "NgayHenTra": f"{month:%Y%m}05090000", "TrangThaiHoSo": "2", "MaDonViXuLy": code.split("-", 1)[0], "DonViXuLy": "UBND",
        "NgayCapNhat": f"{month:%Y%m}02100000", "TongPhiLePhi": "4000",
    }  # fmt: skip
    return [cells.get(name, "") for name in header("dvcqg_csv")]


if __name__ == "__main__":
    inbox = Inbox(int(sys.argv[1]))
    for night in (1, LAST_NIGHT):
        inbox.write(Path(sys.argv[2]), night)
