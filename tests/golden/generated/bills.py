"""Bills of electricity (`evn_csv`) and of water and environment (`utility_xlsx`)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from tests.golden.generated.defects import CCCD, NBSP, amounts, codes, days, odd_units, units
from tests.golden.generated.layouts import Layout, too_wide_and_too_short
from tests.golden.generated.place import LUAN_KHE, NGOC_PHUNG, THUONG_XUAN, Place, dotted
from tests.golden.generated.rows import Bill, Ignored, Loaded, Row, Sown, Stage, repeated

# EVN ---------------------------------------------------------------------------------------------------------------------


def evn_row(bill: Bill, tax: int = 0, sown: str = "") -> Row:
    """The row of a bill of electricity."""
    assert bill.unit is not None and bill.issued is not None
    cells = {
        "MA_DVIQLY": "PA07TX", "MA_KHANG": bill.person, "TEN_KHANG": "Người Mẫu", "DCHI_KHANG": "Thôn 1", "MA_DVHC": bill.unit[0],
        "KY": "1", "THANG": f"{bill.month:%m}", "NAM": f"{bill.month:%Y}", "ID_HDON": bill.number, "SO_TIEN": str(bill.amount - tax),
        "TIEN_GTGT": str(tax), "TONG_TIEN": str(bill.amount), "DIEN_TTHU": "50", "LOAI_HDON": "TD",
        "NGAY_PHANH": f"{bill.issued:%d/%m/%Y}", "TINH_TRANG": "1",
    }  # fmt: skip
    return Row(cells, Loaded(bill), sown)


def electric(place: Place) -> Bill:
    """A bill of electricity of the month."""
    return Bill(place.new("EV"), "DIEN", place.unit(), place.month, place.day(), place.amount(), place.new("PA07KH"))


def _evn(place: Place) -> Row:
    bill = electric(place)
    return evn_row(bill, tax=bill.amount // 11)


def _sown_of_evn(place: Place) -> Iterator[Sown]:
    def untaxed(amount: int) -> dict[str, str]:
        return {"SO_TIEN": str(amount), "TIEN_GTGT": "0"}

    yield from amounts("TONG_TIEN", "plain", str, "BIL-003", beside=untaxed)
    yield from codes("ID_HDON", "number", lambda: place.new("EV"), numeric=True)
    yield from units("MA_DVHC", "BIL-007")
    yield from odd_units("MA_DVHC", place.unit)
    yield from days("NGAY_PHANH", str, place.month, required="")
    yield Sown("no day of issue", {"NGAY_PHANH": ""}, fact={"issued": None})
    far = place.after + timedelta(days=40)
    yield Sown("a day of issue to come", {"NGAY_PHANH": f"{far:%d/%m/%Y}"}, fact={"issued": far}, warns=("BIL-015",))
    third = place.month.replace(day=3)
    yield Sown("a day below the 13th is day first", {"NGAY_PHANH": f"{third:%d/%m/%Y}"}, fact={"issued": third})
    yield Sown("a day of single digits", {"NGAY_PHANH": f"3/{third.month}/{third.year}"}, fact={"issued": third})
    yield Sown("another total than before tax and tax", untaxed(1) | {"TONG_TIEN": "3"}, (("BIL-002", "TONG_TIEN"),), Stage.ROW)
    yield Sown("no amount before tax", {"SO_TIEN": ""}, fact={})
    yield Sown("an amount before tax with a fraction", {"SO_TIEN": "100.5"}, (("STR-010", "SO_TIEN"),))
    yield Sown("a month that is none", {"THANG": "13"}, (("STR-010", "THANG"),))
    yield Sown("no month", {"THANG": ""}, (("STR-011", "THANG"),))
    future = {"THANG": f"{place.after.month % 12 + 1:02}", "NAM": str(place.after.year + 1), "NGAY_PHANH": ""}
    yield Sown("a month of next year", future, (("BIL-006", "THANG"),), Stage.ROW)
    number = place.new("PA07.KH")
    yield Sown("a customer within signs", {"MA_KHANG": NBSP + number + "\u200b"}, fact={"person": number})
    yield Sown("no customer", {"MA_KHANG": ""}, fact={"person": None})
    yield Sown("a customer's number shortened", {"MA_KHANG": "1.2E+11"}, (("STR-026", "MA_KHANG"),))
    # The reform: a code of before means whom its commune went to, where all of it went to one.
    before = {"THANG": "06", "NAM": "2025", "NGAY_PHANH": "05/07/2025", "MA_DVHC": NGOC_PHUNG}
    yield Sown("a code of before on a bill after it", {"MA_DVHC": NGOC_PHUNG}, fact={"unit": (THUONG_XUAN, True)})
    yield Sown("a code that passed to a larger unit", {"MA_DVHC": THUONG_XUAN}, fact={"unit": (THUONG_XUAN, True)})
    yield Sown("a code of a commune that was split", {"MA_DVHC": LUAN_KHE}, (("BIL-007", "MA_DVHC"),), Stage.WAREHOUSE)
    yield Sown("a bill of before", before, fact={"unit": (NGOC_PHUNG, False), "month": date(2025, 6, 1), "issued": date(2025, 7, 5)})
    # Who says what kind of customer.
    yield Sown("a household", {"LOAI_KHANG": "SH"}, fact={"household": True})
    yield Sown("no household", {"LOAI_KHANG": "NSH"}, fact={"household": False})


def _others_of_evn(place: Place) -> Iterator[Row]:
    first, other = _evn(place), _evn(place)
    yield from repeated(first, ("BIL-001", "ID_HDON"), replace(other, cells=other.cells | {"ID_HDON": first.cells["ID_HDON"]}))
    twin = _evn(place)
    again = replace(
        twin, cells=twin.cells | {"TEN_KHANG": "Tên khác"}, becomes=Ignored(), sown="the row with other words that nobody keeps"
    )
    yield from (twin, again)
    yield from too_wide_and_too_short(EVN, place)


EVN = Layout(
    name="evn_csv",
    feed="bills",
    provider="evn",
    stem="evn",
    kind="csv",
    header=(
        "MA_DVIQLY", "MA_KHANG", "TEN_KHANG", "DCHI_KHANG", "MA_DVHC", "KY", "THANG", "NAM", "ID_HDON", "SO_TIEN", "TIEN_GTGT",
        "TONG_TIEN", "DIEN_TTHU", "LOAI_HDON", "NGAY_PHANH", "TINH_TRANG",
    ),
    ordinary=_evn,
    sown=_sown_of_evn,
    others=_others_of_evn,
    required="TONG_TIEN",
    text="TEN_KHANG",
    more=("LOAI_KHANG",),
)  # fmt: skip


# Water, environment ------------------------------------------------------------------------------------------------------


def _water(place: Place) -> Row:
    unit = place.unit()
    assert unit is not None
    service = place.random.choice(["NUOC", "VSMT"])
    bill = Bill(place.new("NC"), service, unit, place.month, place.day(), place.amount(), place.new("DH"))
    cells = {
        "Mã hóa đơn": bill.number, "Mã khách hàng": bill.person, "Mã ĐVHC": unit[0], "Dịch vụ": service, "Kỳ": f"{place.month:%m/%Y}",
        "Số tiền": dotted(bill.amount), "Ngày phát hành": f"{bill.issued:%d/%m/%Y}",
    }  # fmt: skip
    return Row(cells, Loaded(bill))


def _sown_of_water(place: Place) -> Iterator[Sown]:
    yield from amounts("Số tiền", "vietnamese", dotted, "BIL-003")
    yield from codes("Mã hóa đơn", "number", lambda: place.new("NC"), numeric=True)
    yield from units("Mã ĐVHC", "BIL-007")
    yield from odd_units("Mã ĐVHC", place.unit)
    yield from days("Ngày phát hành", str, place.month, required="")
    yield Sown("no day of issue", {"Ngày phát hành": ""}, fact={"issued": None})
    for service in ("GAS", "Nước", "DIEN "):
        fault = (("BIL-004", "Dịch vụ"),) if service != "DIEN " else ()
        yield Sown(f"service {service}", {"Dịch vụ": service}, fault, Stage.ROW, {} if fault else {"service": "DIEN"})
    yield Sown("no service", {"Dịch vụ": ""}, (("STR-011", "Dịch vụ"),))
    yield Sown("a person's number as the service", {"Dịch vụ": CCCD}, (("STR-028", "Dịch vụ"),))
    yield Sown("a month that is none", {"Kỳ": f"13/{place.month.year}"}, (("STR-010", "Kỳ"),))
    yield Sown("no month", {"Kỳ": ""}, (("STR-011", "Kỳ"),))
    yield Sown("a month of next year", {"Kỳ": f"01/{place.after.year + 1}", "Ngày phát hành": ""}, (("BIL-006", "Kỳ"),), Stage.ROW)
    yield Sown("a code of before on a bill after it", {"Mã ĐVHC": NGOC_PHUNG}, fact={"unit": (THUONG_XUAN, True)})
    yield Sown("a code of a commune that was split", {"Mã ĐVHC": LUAN_KHE}, (("BIL-007", "Mã ĐVHC"),), Stage.WAREHOUSE)


def _others_of_water(place: Place) -> Iterator[Row]:
    first, other = _water(place), _water(place)
    yield from repeated(first, ("BIL-001", "Mã hóa đơn"), replace(other, cells=other.cells | {"Mã hóa đơn": first.cells["Mã hóa đơn"]}))


def _total_of_water(rows: Sequence[Row]) -> dict[str, Any]:
    """As a spreadsheet counts and adds up what it can."""
    data = [row for row in rows if row.cells]
    written = [str(row.cells["Số tiền"]).replace(".", "") for row in data]
    amount = sum(int(one) for one in written if one.lstrip("-").isdigit())
    return {"Mã hóa đơn": "Tổng cộng", "Mã khách hàng": str(len(data)), "Số tiền": dotted(amount)}


WATER = Layout(
    name="utility_xlsx",
    feed="bills",
    provider="nuoc",
    stem="nuoc",
    kind="xlsx",
    header=("Mã hóa đơn", "Mã khách hàng", "Mã ĐVHC", "Dịch vụ", "Kỳ", "Số tiền", "Ngày phát hành"),
    ordinary=_water,
    sown=_sown_of_water,
    others=_others_of_water,
    required="Số tiền",
    titles=lambda place: ["Công ty cấp nước", f"Bảng kê hóa đơn kỳ {place.month:%m/%Y}"],
    total=_total_of_water,
)


def numbered_alike(place: Place) -> tuple[Row, Row]:
    """A bill of electricity and one of water with the same number: two bills."""
    electricity, water = _evn(place), _water(place)
    number = electricity.fact.number
    return electricity, Row(
        water.cells | {"Mã hóa đơn": number}, Loaded(replace(water.fact, number=number)), "the number of another utility's bill"
    )


def payable(rows: Iterable[Row]) -> list[Bill]:
    """The bills among them that are in force."""
    return [row.fact for row in rows if isinstance(row.becomes, Loaded)]
