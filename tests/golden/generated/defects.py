"""What is sown into single cells, whatever the layout: amounts, codes, units, days, persons' numbers.

`STR-…` are the rules of `expectations/structure.yaml`: 010 not as agreed, 011 empty, 015 no such code, 020 too large, 026 shortened
by a spreadsheet, 028 names a person, 029 no number of a paper, 034 control signs, 038 of another province.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

from tests.golden.generated.place import BA_DINH, NOWHERE
from tests.golden.generated.rows import Sown, Stage, Unit

NBSP, ZERO_WIDTH, BOM = "\u00a0", "\u200b", "\ufeff"
CCCD, PHONE = "038085001234", "0912345678"
Numbers = Callable[[int], Any]
"""How a layout writes an amount."""

NOT_AS_AGREED = {
    "plain": ["152340.5", "152340,5", "1,234,567", "1.234.567", "152.340", "1e6", "152 340", "152340đ"],
    "decimal_point": ["152340.5", "152340,0", "1,234,567", "1.234.567", "152.340", "152.000", "1.5E+05"],
    "vietnamese": ["152.340,5", "152340.5", "1,234,567", "152,340", "152,000", "1.23", "12.34.567", "1.234.567.0"],
    "hundredths": ["15234050", "15234000.0", "152,340,00", "1.234.567", "152340,00"],
    "records": ["000015234050", "00152.340.00", "0000152340.0", "00152,340,00"],
    "json": [152340.5, "1.234.567", "1,234,567", "152340,5", "152340.5", [152_340]],
}
"""Ways of writing an amount that its layout does not have: a fraction of a đồng, another locale's marks, no number."""
AS_WELL = {
    "decimal_point": {"152340": 152_340, "152340.00": 152_340, "152340.": 152_340},
    "vietnamese": {"1.442": 1_442, "152340": 152_340, "1.234.567,00": 1_234_567},
    "plain": {"00152340": 152_340},
    "json": {"152340": 152_340},
}
"""Ways that it has beside the usual one."""
MOST = 10**15


def amounts(
    header: str,
    style: str,
    write: Numbers,
    negative: str,
    *,
    is_bounded: bool = True,
    beside: Callable[[int], dict[str, Any]] = lambda _: {},
) -> Iterator[Sown]:
    """`negative`: the rule on amounts below zero. `is_bounded`: whether 10^15 can be written. `beside`: cells that go with an amount."""
    for written in NOT_AS_AGREED[style]:
        yield Sown(f"{header} = {written}", {header: written}, (("STR-010", header),))
    yield Sown(f"{header} empty", {header: None if style == "json" else ""}, (("STR-011", header),))
    yield Sown(f"{header} negative", {header: write(-152_340)} | beside(-152_340), ((negative, header),), Stage.ROW)
    if is_bounded:
        yield Sown(f"{header} beyond 10^15", {header: write(MOST + 1)}, (("STR-020", header),))
        yield Sown(f"{header} of 10^15", {header: write(MOST)} | beside(MOST), fact={"amount": MOST})
    for written, amount in AS_WELL.get(style, {}).items():
        yield Sown(f"{header} = {written}", {header: written} | beside(amount), fact={"amount": amount})


def codes(
    header: str, name: str, code: Callable[[], str], *, numeric: bool, required: bool = True, empty: Any = "", guarded: bool = True
) -> Iterator[Sown]:
    """`name`: of the fact's field. `numeric`: plain numbers of any length are usual there."""
    for written in ("4.69E+17", "4,69E+17", "5E+11"):
        yield Sown(f"{header} = {written}", {header: written}, (("STR-026", header),))
    for odd in ("có dấu cách 12", "AB;12", "A", "x" * 130):
        yield Sown(f"{header} = {odd[:20]}", {header: odd}, (("STR-015", header),))
    yield Sown(f"{header} with a control sign", {header: f"AB\x07{code()}"}, (("STR-034", header),))
    if numeric:
        number = f"{code()[-6:]}085001"
        yield Sown(f"{header} a plain number", {header: number}, fact={name: number})
        leading = "000" + code()[-6:]
        yield Sown(f"{header} with leading zeros", {header: leading}, fact={name: leading})
    else:
        for person in (CCCD, PHONE):
            yield Sown(f"{header} = {person}", {header: person}, (("STR-028", header),))
    if required:
        yield Sown(f"{header} empty", {header: empty}, (("STR-011", header),))
    for before, after in ((NBSP, NBSP), (BOM, ZERO_WIDTH), ("  ", "\t" if guarded else " ")):
        new = code()
        yield Sown(f"{header} within {before!r} and {after!r}", {header: f"{before}{new}{after}"}, fact={name: new})
    inside = code()
    yield Sown(f"{header} with a sign nobody sees", {header: inside[:3] + ZERO_WIDTH + inside[3:]}, fact={name: inside})
    if guarded:
        as_formula = code()
        yield Sown(f'{header} as ="…"', {header: f'="{as_formula}"'}, fact={name: as_formula})


def units(header: str, unknown: str) -> Iterator[Sown]:
    """`unknown`: the feed's rule on codes of no unit."""
    yield Sown("a unit there is not", {header: NOWHERE}, ((unknown, header),), Stage.WAREHOUSE)
    yield Sown("a unit of another province", {header: BA_DINH}, (("STR-038", header),), Stage.WAREHOUSE)
    yield Sown("a unit's code with letters", {header: "1564O"}, (("STR-015", header),))
    yield Sown("a unit's code with a space", {header: "15 646"}, (("STR-015", header),))
    yield Sown("a unit's code as a decimal", {header: "15646.0"}, (("STR-015", header),))
    yield Sown("a person's number for a unit", {header: CCCD}, (("STR-028", header),))
    yield Sown("no unit", {header: ""}, (("STR-011", header),))


def odd_units(header: str, unit: Callable[[], Unit], name: str = "unit") -> Iterator[Sown]:
    """Codes with signs around them that mean nothing."""
    for before, after in ((NBSP, NBSP), (ZERO_WIDTH, " ")):
        code = unit()
        assert code is not None
        yield Sown(
            "a unit's code within signs nobody sees", {header: before + code[0] + after}, fact={name: code if name == "unit" else code[0]}
        )


def days(header: str, write: Callable[[date], Any], month: date, *, clock: str = "", required: str = "STR-011") -> Iterator[Sown]:
    """Days as dd/MM/yyyy: what is none, and what is one."""
    year = month.year
    impossible = {
        "31 February": f"31/02/{year}", "29 February of a common year": "29/02/2025", "no month 13": f"05/13/{year}",
        "month and day exchanged": f"{month.month:02}/28/{year}", "year first": f"{year}/{month.month:02}/05",
        "two digits of a year": f"05/{month.month:02}/{year % 100}", "number of a spreadsheet": "45870",
    }  # fmt: skip
    for what, written in impossible.items():
        yield Sown(what, {header: written + clock}, (("STR-010", header),))
    if required:
        yield Sown(f"{header} empty", {header: ""}, ((required, header),))


def stamps(header: str, month: date) -> Iterator[Sown]:
    """Times as yyyyMMddHHmmss that are none."""
    year, of = month.year, f"{month.month:02}"
    impossible = {
        "31 February": f"{year}0231101010", "month and day exchanged": f"{year}28{of}101010", "no hour 24": f"{year}{of}05240000",
        "no minute 60": f"{year}{of}05106000", "a day alone": f"{year}{of}05", "day first": f"05{of}{year}101010",
    }  # fmt: skip
    for what, written in impossible.items():
        yield Sown(what, {header: written}, (("STR-010", header),))
    yield Sown(f"{header} empty", {header: ""}, (("STR-011", header),))


def persons(header: str) -> Iterator[Sown]:
    """Numbers of identity papers that are none."""
    for written in ("38085001234", "0380850012345", "3.80850012E+11", "khong co", "038085O01234"):
        yield Sown(f"{header} = {written}", {header: written}, (("STR-026" if "E+" in written else "STR-029", header),))
    yield Sown(f"{header} empty", {header: ""}, (("STR-011", header),))
