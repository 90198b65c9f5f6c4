"""Lists of shops (`merchants_csv`)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta

from tests.golden.generated.defects import CCCD, NBSP, codes, odd_units, units
from tests.golden.generated.layouts import Layout, too_wide_and_too_short
from tests.golden.generated.place import NGOC_PHUNG, Place
from tests.golden.generated.rows import Loaded, Row, Shop, Sown, Stage, repeated

PROVIDERS = ("vnpay", "momo", "napas")
KINDS = ("cho", "cua_hang", "diem_thu")


def _row(shop: Shop, sown: str = "", warns: tuple[str, ...] = ()) -> Row:
    cells = {
        "provider": shop.provider, "terminal_code": shop.terminal, "name": shop.name, "kind": shop.kind, "MaDVHC": shop.unit_code,
        "valid_from": shop.valid_from.isoformat(), "valid_to": shop.valid_to.isoformat() if shop.valid_to else "",
    }  # fmt: skip
    return Row(cells, Loaded(shop, warns), sown)


def _shop(place: Place) -> Row:
    unit = place.unit()
    assert unit is not None
    provider, kind = place.random.choice(PROVIDERS), place.random.choice(KINDS)
    return _row(Shop(provider, place.new("QUAY"), "Quầy chợ Bát Mọt", kind, unit[0], date(2023, 1, 1), None))


def _sown(place: Place) -> Iterator[Sown]:
    yield from codes("terminal_code", "terminal", lambda: place.new("QUAY"), numeric=True)
    yield from units("MaDVHC", "MER-003")
    yield from odd_units("MaDVHC", place.unit, "unit_code")
    yield Sown("a provider there is not", {"provider": "zalopay"}, (("MER-007", "provider"),), Stage.WAREHOUSE)
    yield Sown("a provider's name for its code", {"provider": "VNPAY"}, (("STR-015", "provider"),))
    yield Sown("no provider", {"provider": ""}, (("STR-011", "provider"),))
    yield Sown("a kind there is not", {"kind": "sieu_thi"}, (("MER-002", "kind"),), Stage.ROW)
    yield Sown("no kind", {"kind": ""}, (("STR-011", "kind"),))
    yield Sown("a person's number as the kind", {"kind": CCCD}, (("STR-028", "kind"),))
    yield Sown("a telephone number in the name", {"name": "Tạp hóa 0912345678"}, (("STR-028", "name"),))
    yield Sown("an e-mail address in the name", {"name": "lan@example.invalid"}, (("STR-028", "name"),))
    yield Sown("no name", {"name": ""}, (("STR-011", "name"),))
    yield Sown("a name with spaces too many", {"name": f" Chợ{NBSP}  Hạc Thành "}, fact={"name": "Chợ Hạc Thành"})
    yield Sown("a name with its accents apart", {"name": "Cho\u031b\u0323 Mo\u0323\u0302t"}, fact={"name": "Ch\u1ee3 M\u1ed9t"})
    for written in ("31/12/2023", "2023-02-31", "2023-13-01", "01-02-2023", "2023"):
        yield Sown(f"valid from {written}", {"valid_from": written}, (("STR-010", "valid_from"),))
    yield Sown("valid from no day", {"valid_from": ""}, (("STR-011", "valid_from"),))
    yield Sown("valid to 30 February", {"valid_to": "2026-02-30"}, (("STR-010", "valid_to"),))
    yield Sown("ends before it begins", {"valid_from": "2024-05-02", "valid_to": "2024-05-01"}, (("MER-004", "valid_to"),), Stage.ROW)
    one_day = {"valid_from": "2025-08-01", "valid_to": "2025-08-01"}
    yield Sown("of one day", one_day, fact={"valid_from": date(2025, 8, 1), "valid_to": date(2025, 8, 1)})
    yield Sown(
        "a code that ended before the shop began",
        {"MaDVHC": NGOC_PHUNG, "valid_from": "2025-09-01"},
        (("MER-003", "MaDVHC"),),
        Stage.WAREHOUSE,
    )


def _others(place: Place) -> Iterator[Row]:
    first = _shop(place)
    again = replace(first, cells=first.cells | {"name": "Tên khác"})
    yield from repeated(first, ("MER-001", "terminal_code"), again)
    # Two lines of a shop that both hold: the later one holds from its first day on.
    shop = _shop(place).fact
    yield _row(shop, "still holds when the next line begins", ("MER-008",))
    yield _row(replace(shop, valid_from=date(2024, 1, 1), kind="cho"), "begins while the last line holds")
    # One that moved within the month, and one that stands in a commune of before: whom the commune went to.
    moved = replace(_shop(place).fact, provider="vnpay")
    there = place.unit()
    assert there is not None
    middle = place.month.replace(day=15)
    place.moved = (replace(moved, valid_to=middle - timedelta(days=1)), replace(moved, valid_from=middle, unit_code=there[0]))
    yield from (_row(shop, "a shop that moves") for shop in place.moved)
    place.of_before = replace(_shop(place).fact, provider="vnpay", unit_code=NGOC_PHUNG)
    yield _row(place.of_before, "in a commune of before")
    yield from too_wide_and_too_short(SHOPS, place)


SHOPS = Layout(
    name="merchants_csv",
    feed="merchants",
    provider="vnpay",
    stem="diem_ban",
    kind="csv",
    header=("provider", "terminal_code", "name", "kind", "MaDVHC", "valid_from", "valid_to"),
    ordinary=_shop,
    sown=_sown,
    others=_others,
    required="terminal_code",
    text="name",
)


def open_to_all(rows: list[Row]) -> dict[str, list[Shop]]:
    """Ordinary shops by provider."""
    found: dict[str, list[Shop]] = {provider: [] for provider in PROVIDERS}
    for row in rows:
        if isinstance(row.becomes, Loaded) and not row.sown:
            found[row.fact.provider].append(row.fact)
    return found
