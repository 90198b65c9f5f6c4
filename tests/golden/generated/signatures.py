"""Carriers' counts of certificates (`telecom_xlsx`) and lists of holders (`holders_csv`)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from tests.golden.generated.defects import CCCD, NBSP, NOT_AS_AGREED, days, odd_units, persons, units
from tests.golden.generated.layouts import Layout, too_wide_and_too_short
from tests.golden.generated.place import NGOC_PHUNG, THUONG_XUAN, Place, dotted
from tests.golden.generated.rows import Certificates, Holder, Ignored, Loaded, Row, Sown, Stage, repeated

ISSUED, IN_FORCE, CUMULATIVE = "Số chứng thư cấp mới", "Số chứng thư đang hiệu lực", "Số người được cấp (lũy kế)"
COUNTS = {ISSUED: ("issued", "SIG-004"), IN_FORCE: ("in_force", "SIG-003"), CUMULATIVE: ("cumulative", "SIG-005")}
"""Header → field of the fact, and the rule on counts below zero."""
MOST = 2**31 - 1


def _row(counted: Certificates, sown: str = "") -> Row:
    assert counted.unit is not None
    year, month = counted.month.split("-")
    cells = {
        "STT": "1", "Mã ĐVHC": counted.unit[0], "Xã, phường, thị trấn": "Xã", "Kỳ báo cáo": f"{month}/{year}",
        ISSUED: dotted(counted.issued or 0), IN_FORCE: dotted(counted.in_force or 0), CUMULATIVE: dotted(counted.cumulative or 0),
    }  # fmt: skip
    return Row(cells, Loaded(counted), sown)


def _certificates(place: Place) -> Row:
    issued = place.random.randrange(5, 900)
    in_force = issued + place.random.randrange(100, 9000)
    return _row(
        Certificates((place.new_unit(), True), f"{place.month:%Y-%m}", issued, in_force, in_force + place.random.randrange(100, 900))
    )


def _sown_of_certificates(place: Place) -> Iterator[Sown]:
    yield from units("Mã ĐVHC", "SIG-002")
    yield Sown("a code of before", {"Mã ĐVHC": NGOC_PHUNG}, (("SIG-002", "Mã ĐVHC"),), Stage.WAREHOUSE)
    yield from odd_units("Mã ĐVHC", lambda: (place.new_unit(), True))
    wrong = place.random.sample(NOT_AS_AGREED["vietnamese"], 3)
    for (header, (name, rule)), written in zip(COUNTS.items(), wrong, strict=True):
        yield Sown(f"{header} = {written}", {header: written}, (("STR-010", header),))
        yield Sown(f"{header} negative", {header: "-1.234"}, ((rule, header),), Stage.ROW)
        yield Sown(f"{header} beyond 32 bits", {header: dotted(MOST + 1)}, (("STR-020", header),))
        yield Sown(f"{header} empty: not told, which is not zero", {header: ""}, fact={name: None})
    yield Sown("plain digits", {IN_FORCE: "12345"}, fact={"in_force": 12_345})
    yield Sown("a month that is none", {"Kỳ báo cáo": f"13/{place.month.year}"}, (("STR-010", "Kỳ báo cáo"),))
    yield Sown("no month", {"Kỳ báo cáo": ""}, (("STR-011", "Kỳ báo cáo"),))
    yield Sown("a month of next year", {"Kỳ báo cáo": f"01/{place.after.year + 1}"}, (("SIG-006", "Kỳ báo cáo"),), Stage.ROW)
    yield Sown("a month in words", {"Kỳ báo cáo": f"Tháng {place.month.month}/{place.month.year}"})


def _others_of_certificates(place: Place) -> Iterator[Row]:
    first, other = _certificates(place), _certificates(place)
    yield from repeated(first, ("SIG-001", "Mã ĐVHC"), replace(other, cells=other.cells | {"Mã ĐVHC": first.cells["Mã ĐVHC"]}))


def _total(rows: Sequence[Row]) -> dict[str, Any]:
    """As a spreadsheet adds up what it can."""
    sums = dict.fromkeys((ISSUED, IN_FORCE), 0)
    for row in rows:
        for header in sums if row.cells else ():
            written = row.cells[header].replace(".", "")
            sums[header] += int(written) if written.lstrip("-").isdigit() else 0
    return {"STT": "Tổng cộng", **{header: dotted(found) for header, found in sums.items()}}


CERTIFICATES = Layout(
    name="telecom_xlsx",
    feed="signatures",
    provider="vnpt",
    stem="vnpt",
    kind="xlsx",
    header=("STT", "Mã ĐVHC", "Xã, phường, thị trấn", "Kỳ báo cáo", ISSUED, IN_FORCE, CUMULATIVE),
    ordinary=_certificates,
    sown=_sown_of_certificates,
    others=_others_of_certificates,
    required="Mã ĐVHC",
    titles=lambda place: ["Báo cáo chứng thư chữ ký số", f"Kỳ báo cáo: {place.month:%m/%Y}"],
    total=_total,
    own_provider=True,
)


def month_before(place: Place, rows: Sequence[Row]) -> tuple[list[Row], list[Row]]:
    """What the carrier said of the month before, and the rows again: of some the cumulative count has fallen since."""
    ordinary = [row for row in rows if isinstance(row.becomes, Loaded) and not row.sown]
    fallen = place.random.sample(ordinary, 4)
    before = []
    for row in ordinary:
        counted = row.fact
        earlier = counted.cumulative + 10 if row in fallen else counted.cumulative - place.random.randrange(2)
        before.append(_row(replace(counted, month=f"{place.before:%Y-%m}", cumulative=earlier), "of the month before"))
    flagged = [
        replace(row, becomes=Loaded(row.fact, ("SIG-009",)), sown="fewer than the month before") if row in fallen else row for row in rows
    ]
    return before, flagged


# Holders -----------------------------------------------------------------------------------------------------------------


def _holder(place: Place) -> Row:
    unit = place.unit()
    assert unit is not None
    holder = Holder(place.new("0380850", 5), unit, place.day(), "HIEU_LUC")
    cells = {"SoCCCD": holder.person, "MaDVHC": unit[0], "NgayCap": f"{holder.issued:%d/%m/%Y}", "TrangThai": holder.status}
    return Row(cells, Loaded(holder))


def _sown_of_holders(place: Place) -> Iterator[Sown]:
    yield from persons("SoCCCD")
    yield from units("MaDVHC", "HOL-004")
    yield from odd_units("MaDVHC", place.unit)
    yield from days("NgayCap", str, place.month)
    future = place.after + timedelta(days=9)
    yield Sown("issued nine days after the file was made", {"NgayCap": f"{future:%d/%m/%Y}"}, (("HOL-003", "NgayCap"),), Stage.ROW)
    for status in ("HET_HAN", "THU_HOI"):
        yield Sown(status, {"TrangThai": status}, fact={"status": status})
    yield Sown("a state there is not", {"TrangThai": "TAM_DUNG"}, (("HOL-002", "TrangThai"),), Stage.ROW)
    yield Sown("no state", {"TrangThai": ""}, (("STR-011", "TrangThai"),))
    yield Sown("a person's number as the state", {"TrangThai": CCCD}, (("STR-028", "TrangThai"),))
    for between in (" ", ".", "-"):
        person = place.new("0380850", 5)
        yield Sown(
            f"a number with {between!r} in it", {"SoCCCD": between.join((person[:3], person[3:6], person[6:]))}, fact={"person": person}
        )
    person = place.new("0380850", 5)
    yield Sown("a number within signs nobody sees", {"SoCCCD": f"{NBSP}{person}\u200b"}, fact={"person": person})
    old = place.new("1720", 5)
    yield Sown("a number of an old identity card", {"SoCCCD": old}, fact={"person": old})
    old_unit = {"MaDVHC": NGOC_PHUNG, "NgayCap": "05/03/2025"}
    yield Sown("of a commune of before, issued before", old_unit, fact={"unit": (NGOC_PHUNG, False), "issued": date(2025, 3, 5)})
    yield Sown("of a commune of before, issued after", {"MaDVHC": NGOC_PHUNG}, (("HOL-004", "MaDVHC"),), Stage.WAREHOUSE)
    yield Sown("of today's Thường Xuân", {"MaDVHC": THUONG_XUAN}, fact={"unit": (THUONG_XUAN, True)})


def _several(first: Row, other: Row) -> list[Row]:
    """A certificate, the same once more, and another one of the same person: the one issued last speaks for the person."""
    if not isinstance(first.becomes, Loaded) or first.fact.issued == other.fact.issued:
        return repeated(first, ("HOL-001", "SoCCCD"), other)
    later = Loaded(replace(other.fact, person=first.fact.person))
    is_last = other.fact.issued > first.fact.issued
    return [
        replace(first, becomes=Ignored() if is_last else first.becomes, sown="an earlier certificate" if is_last else ""),
        replace(first, becomes=Ignored(), sown="the row once more"),
        replace(other, becomes=later if is_last else Ignored(), sown="another certificate of the same person"),
    ]


def _others_of_holders(place: Place) -> Iterator[Row]:
    first, other = _holder(place), _holder(place)
    number = first.cells["SoCCCD"]
    yield from _several(first, replace(other, cells=other.cells | {"SoCCCD": number}))
    spaced = first.cells | {"SoCCCD": f"{number[:3]} {number[3:]}"}
    yield Row(spaced, Ignored(), "the row once more, its number with a space")
    yield from too_wide_and_too_short(HOLDERS, place)


HOLDERS = Layout(
    name="holders_csv",
    feed="signature_holders",
    provider="vnpt",
    stem="nguoi",
    kind="csv",
    header=("SoCCCD", "MaDVHC", "NgayCap", "TrangThai"),
    ordinary=_holder,
    sown=_sown_of_holders,
    others=_others_of_holders,
    required="SoCCCD",
)


def of_another_carrier(place: Place, rows: Sequence[Row]) -> list[Row]:
    """Holders of which some hold a certificate of the first carrier too: the same persons, otherwise written."""
    both = place.random.sample([row for row in rows if isinstance(row.becomes, Loaded) and not row.sown], 8)
    found = [_holder(place) for _ in range(8)]
    for row in both:
        person, other = row.fact.person, _holder(place)
        cells = other.cells | {"SoCCCD": f"{person[:3]}.{person[3:]}"}
        found.append(Row(cells, Loaded(replace(other.fact, person=person)), "a person who holds one of another carrier"))
    return found
