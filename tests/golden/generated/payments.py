"""Payments of collectors (`ecpay_csv`), of public services (`dvcqg_payment_csv`), and of shops (`vnpay_csv`, `momo_jsonl`, `napas_dat`)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Any

from tests.golden.generated.defects import CCCD, NBSP, PHONE, ZERO_WIDTH, amounts, codes, days, stamps
from tests.golden.generated.layouts import Layout, too_wide_and_too_short
from tests.golden.generated.place import THUONG_XUAN, Place
from tests.golden.generated.rows import Aside, Ignored, Loaded, Payment, Row, Sown, Stage, Waits, repeated

AWAITED = ("PAY-006", "ID_HDON")
METHODS = ("TIEN_MAT", "QR", "VI", "CHUYEN_KHOAN", "TU_DONG")


def _again(row: Row, header: str, other: Row) -> list[Row]:
    """A transaction, the same once more, and its number once more with other content."""
    return repeated(row, ("PAY-001", header), replace(other, cells=other.cells | {header: row.cells[header]}))


def _and_back(row: Row, cells: dict[str, Any]) -> list[Row]:
    """A transaction, and what its own file says of its end: that holds, and the other is one of the rows ignored."""
    back = Row(row.cells | cells, Loaded(replace(row.fact, status="cancelled")), "what takes it back")
    return [replace(row, becomes=Ignored(), sown="taken back in the same file"), back]


# ECPay: bills of electricity, water, environment -------------------------------------------------------------------------


def _ecpay(place: Place) -> Row:
    bill, moment, method = place.random.choice(place.bills), place.moment(), place.random.choice(METHODS)
    paid = Payment(place.new("EC"), "settled", place.amount(), moment.date(), method, bill.service, bill.unit)
    cells = {
        "MA_GIAO_DICH": paid.number, "ID_HDON": bill.number, "SERI_HDON": "AA/25E", "MA_KHANG": bill.person or "", "THANG_TTOAN": "",
        "SO_TIEN_TTOAN": f"{paid.amount}.0", "HTHUC_TTOAN": method, "VI_TTOAN": "", "TTHAI_CHAM_NO": "1", "TTHAI_HUY": "0",
        "TTHAI_XLY_NGHI_NGO": "0", "NGAY_PSINH": f"{moment:%d/%m/%Y %H:%M:%S}",
    }  # fmt: skip
    return Row(cells, Loaded(paid))


def _sown_of_ecpay(place: Place) -> Iterator[Sown]:
    yield from amounts("SO_TIEN_TTOAN", "decimal_point", lambda amount: f"{amount}.0", "PAY-002")
    yield from codes("MA_GIAO_DICH", "number", lambda: place.new("EC"), numeric=True)
    yield from days("NGAY_PSINH", str, place.month, clock=" 10:51:22")
    for what, written in {"no hour 24": "24:00:00", "no minute 60": "10:60:00", "no time of day": ""}.items():
        yield Sown(what, {"NGAY_PSINH": f"05/{place.month:%m/%Y} {written}"}, (("STR-010", "NGAY_PSINH"),))
    yield from _in_time("NGAY_PSINH", "%d/%m/%Y %H:%M:%S", place)
    flags = ("TTHAI_CHAM_NO", "TTHAI_HUY", "TTHAI_XLY_NGHI_NGO")
    for status, written in {
        "cancelled": "110", "suspect": "101", "pending": "000",
    }.items():  # fmt: skip
        yield Sown(f"{status}: {written}", dict(zip(flags, written, strict=True)), fact={"status": status})
    yield Sown("cancelled, though it was suspect", dict(zip(flags, "111", strict=True)), fact={"status": "cancelled"})
    yield Sown("a state there is not", {"TTHAI_HUY": "2"}, (("STR-010", "TTHAI_HUY"),))
    for method in METHODS:
        yield Sown(f"paid by {method}", {"HTHUC_TTOAN": method}, fact={"method": method})
    yield Sown("paid in a way there is not", {"HTHUC_TTOAN": "VANG"}, fact={"method": None}, warns=("PAY-004",))
    yield Sown("nobody says how it was paid", {"HTHUC_TTOAN": ""}, fact={"method": None})
    yield Sown("a person's number as the way of paying", {"HTHUC_TTOAN": CCCD}, (("STR-028", "HTHUC_TTOAN"),))
    bill = place.random.choice(place.bills)
    of_bill = {"unit": bill.unit, "service": bill.service}
    yield Sown("its bill within signs nobody sees", {"ID_HDON": f"{NBSP}{bill.number}{ZERO_WIDTH}"}, fact=of_bill)
    yield Sown("its bill's number shortened", {"ID_HDON": "4,6E+17"}, (("STR-026", "ID_HDON"),))
    yield Sown("it pays no bill", {"ID_HDON": ""}, fact={"unit": None, "service": None})


def _others_of_ecpay(place: Place) -> Iterator[Row]:
    yield from _again(_ecpay(place), "MA_GIAO_DICH", _ecpay(place))
    yield from _and_back(_ecpay(place), {"TTHAI_HUY": "1"})
    for bill in place.missing_bills:
        row = _ecpay(place)
        at_last = Loaded(replace(row.fact, unit=bill.unit, service=bill.service))
        yield Row(row.cells | {"ID_HDON": bill.number}, Waits(AWAITED), "its bill has not come yet", at_last)
    row = _ecpay(place)
    yield Row(row.cells | {"ID_HDON": place.new("KHONG-CO")}, Waits(AWAITED), "its bill never comes")
    yield from too_wide_and_too_short(ECPAY, place)


def of_two_bills(place: Place, number: str) -> Row:
    """A payment of a number that two utilities gave to a bill: nobody can tell whose."""
    return Row(
        _ecpay(place).cells | {"ID_HDON": number}, Aside(frozenset([("PAY-020", "ID_HDON")])), "two utilities have a bill of the number"
    )


def _in_time(header: str, form: str, place: Place) -> Iterator[Sown]:
    """The first and last second of the month, and times that are too late for a file of it."""
    first, last = datetime.combine(place.month, time()), datetime.combine(place.last_day, time(23, 59, 59))
    for moment in (first, last):
        yield Sown(f"at {moment}", {header: f"{moment:{form}}"}, fact={"day": moment.date()})
    just_after = datetime.combine(place.after, time(0, 10))
    yield Sown("ten minutes after the end of the month", {header: f"{just_after:{form}}"}, fact={"day": place.after})
    future = datetime.combine(place.after + timedelta(days=9), time(10))
    yield Sown("nine days after the file was made", {header: f"{future:{form}}"}, (("PAY-005", header),), Stage.ROW)


ECPAY = Layout(
    name="ecpay_csv",
    feed="payments",
    provider="ecpay",
    stem="ecpay",
    kind="csv",
    header=(
        "MA_GIAO_DICH", "ID_HDON", "SERI_HDON", "MA_KHANG", "THANG_TTOAN", "SO_TIEN_TTOAN", "HTHUC_TTOAN", "VI_TTOAN", "TTHAI_CHAM_NO",
        "TTHAI_HUY", "TTHAI_XLY_NGHI_NGO", "NGAY_PSINH",
    ),
    ordinary=_ecpay,
    sown=_sown_of_ecpay,
    others=_others_of_ecpay,
    required="SO_TIEN_TTOAN",
    text="VI_TTOAN",
)  # fmt: skip


# Cổng DVCQG: fees of public services -------------------------------------------------------------------------------------


def _dvcqg(place: Place) -> Row:
    dossier, moment = place.random.choice([*place.dossiers]), place.moment()
    paid = Payment(place.new("DVC"), "settled", place.amount(), moment.date(), "QR", "DVC", place.dossiers[dossier])
    cells = {
        "MaThamChieu": "TC1", "MaGiaoDich": paid.number, "MaHoSo": dossier, "MaThuTucDVCQG": "2.000815", "MaDonVi": "H56.38.01",
        "TenDonVi": "UBND xã", "LoaiPhiLePhi": "1", "MaPhiLePhi": "LP", "TenPhiLePhi": "Lệ phí", "SoTien": str(paid.amount),
        "MaTienTe": "VND", "LoaiHinhThanhToan": "QR", "MaKenhThanhToan": "VCB", "MaNganHang": "BIDV",
        "ThoiGianGD": f"{moment:%Y%m%d%H%M%S}", "TrangThaiGD": "1", "MaLoi": "00", "HoTenNguoiNop": "Người Mẫu", "SoCMNDNguoiNop": CCCD,
    }  # fmt: skip
    return Row(cells, Loaded(paid))


def _sown_of_dvcqg(place: Place) -> Iterator[Sown]:
    yield from amounts("SoTien", "plain", str, "PAY-002")
    yield from codes("MaGiaoDich", "number", lambda: place.new("DVC"), numeric=True)
    yield from stamps("ThoiGianGD", place.month)
    yield from _in_time("ThoiGianGD", "%Y%m%d%H%M%S", place)
    yield from _currencies("MaTienTe", ["USD", "LAK"])
    yield Sown("no letters of a currency", {"MaTienTe": "đồng"}, (("STR-015", "MaTienTe"),))
    for state, error, status in (("3", "00", "pending"), ("3", "", "pending"), ("4", "99", "failed"), ("4", "00", "failed")):
        yield Sown(f"state {state}/{error}", {"TrangThaiGD": state, "MaLoi": error}, fact={"status": status})
    yield Sown(
        "given back", {"TrangThaiGD": "Đã hoàn phí", "SoTien": "20000"}, fact={"status": "refunded", "amount": 20_000, "refunded": 20_000}
    )
    yield Sown("cancelled", {"TrangThaiGD": "Hủy thanh toán"}, fact={"status": "cancelled"})
    for state, error in (("1", "99"), ("1", ""), ("1", "0"), ("2", "00"), ("9", "00")):
        yield Sown(f"state {state}/{error}", {"TrangThaiGD": state, "MaLoi": error}, (("STR-010", "TrangThaiGD"),))
    yield Sown("no state", {"TrangThaiGD": "", "MaLoi": ""}, (("STR-011", "TrangThaiGD"),))
    for person in (CCCD, PHONE):
        yield Sown("a person's number for a dossier", {"MaHoSo": person}, (("STR-028", "MaHoSo"),))
    yield Sown("a dossier's code with spaces", {"MaHoSo": "hồ sơ 12"}, (("STR-015", "MaHoSo"),))
    yield Sown("of no dossier", {"MaHoSo": ""}, fact={"unit": None})
    yield Sown("of a dossier that never comes", {"MaHoSo": "H56.38.99-250101-9999"}, fact={"unit": None})
    dossier = place.random.choice([*place.dossiers])
    yield Sown("a dossier within signs nobody sees", {"MaHoSo": f"{ZERO_WIDTH}{dossier}{NBSP}"}, fact={"unit": place.dossiers[dossier]})
    yield Sown("paid in a way there is not", {"LoaiHinhThanhToan": "SEC"}, fact={"method": None}, warns=("PAY-004",))


def _currencies(header: str, others: list[str]) -> Iterator[Sown]:
    for currency in others:
        yield Sown(f"in {currency}", {header: currency}, (("PAY-010", header),), Stage.ROW)


def _others_of_dvcqg(place: Place) -> Iterator[Row]:
    yield from _again(_dvcqg(place), "MaGiaoDich", _dvcqg(place))
    for dossier, unit in place.missing_dossiers.items():
        row = _dvcqg(place)
        now, at_last = (Loaded(replace(row.fact, unit=known)) for known in (None, unit))
        yield Row(row.cells | {"MaHoSo": dossier}, now, "its dossier has not come yet", at_last)
    yield from too_wide_and_too_short(DVCQG, place)


DVCQG = Layout(
    name="dvcqg_payment_csv",
    feed="payments",
    provider="dvcqg",
    stem="dvcqg",
    kind="csv",
    header=(
        "MaThamChieu", "MaGiaoDich", "MaHoSo", "MaThuTucDVCQG", "MaDonVi", "TenDonVi", "LoaiPhiLePhi", "MaPhiLePhi", "TenPhiLePhi",
        "SoTien", "MaTienTe", "LoaiHinhThanhToan", "MaKenhThanhToan", "MaNganHang", "ThoiGianGD", "TrangThaiGD", "MaLoi",
        "HoTenNguoiNop", "SoCMNDNguoiNop",
    ),
    ordinary=_dvcqg,
    sown=_sown_of_dvcqg,
    others=_others_of_dvcqg,
    required="SoTien",
    text="TenDonVi",
)  # fmt: skip


# Shops -------------------------------------------------------------------------------------------------------------------


def _in_a_shop(place: Place, provider: str, number: str, method: str | None) -> Payment:
    shop = place.random.choice(place.shops[provider])
    return Payment(number, "settled", place.amount(), place.day(), method, "MUA_SAM", (shop.unit_code, True), shop.terminal)


def _unknown_shops(header: str) -> Iterator[Sown]:
    for shop in ("KHONG-CO", "000000000000001"):
        yield Sown("a shop that nobody knows", {header: shop}, fact={"unit": None, "shop": shop}, warns=("PAY-009",))
    yield Sown("a shop's code with a space", {header: "QUAY 1"}, (("STR-015", header),))


# VNPAY: hundredths of a đồng, states of two fields


def _vnpay(place: Place) -> Row:
    paid = _in_a_shop(place, "vnpay", place.new("1", 8), "QR")
    cells = {
        "vnp_TxnRef": place.new("DH"), "vnp_TransactionNo": paid.number, "vnp_TmnCode": paid.shop, "vnp_Amount": f"{paid.amount}00",
        "vnp_BankCode": "NCB", "vnp_CardType": "QRCODE", "vnp_PayDate": f"{place.moment(paid.day):%Y%m%d%H%M%S}",
        "vnp_ResponseCode": "00", "vnp_TransactionStatus": "00",
    }  # fmt: skip
    return Row(cells, Loaded(paid))


VNPAY_STATES = {
    ("00", "00"): "settled", ("00", "01"): "pending", ("24", "02"): "cancelled", ("51", "02"): "failed", ("99", "02"): "failed",
    ("00", "04"): "cancelled", ("00", "05"): "refunded", ("00", "06"): "refunded", ("07", "07"): "suspect", ("07", "00"): "suspect",
    ("00", "09"): "settled",
}  # fmt: skip
"""vnp_ResponseCode, vnp_TransactionStatus: a transaction's states as VNPAY documents them (vnpay.js.org)."""


def _sown_of_vnpay(place: Place) -> Iterator[Sown]:
    yield from amounts("vnp_Amount", "hundredths", lambda amount: f"{amount}00", "PAY-002")
    yield from codes("vnp_TransactionNo", "number", lambda: place.new("VN", 8), numeric=True, required=False)
    yield from stamps("vnp_PayDate", place.month)
    yield from _in_time("vnp_PayDate", "%Y%m%d%H%M%S", place)
    for (response, status), state in VNPAY_STATES.items():
        cells = {"vnp_ResponseCode": response, "vnp_TransactionStatus": status, "vnp_Amount": "2000000"}
        refunded = 20_000 if state == "refunded" else 0
        yield Sown(f"{response}/{status}", cells, fact={"status": state, "amount": 20_000, "refunded": refunded})
    for response, status in (("00", "03"), ("51", "00"), ("0", "0"), ("00", "99")):
        cells = {"vnp_ResponseCode": response, "vnp_TransactionStatus": status}
        yield Sown(f"{response}/{status}", cells, (("STR-010", "vnp_TransactionStatus"),))
    for kind, method in {"ATM": "THE", "QRCODE": "QR"}.items():
        yield Sown(kind, {"vnp_CardType": kind}, fact={"method": method})
    yield Sown("paid in a way there is not", {"vnp_CardType": "VANG"}, fact={"method": None}, warns=("PAY-004",))
    yield from _unknown_shops("vnp_TmnCode")
    yield from _currencies("vnp_CurrCode", ["USD", "EUR"])
    for shop in place.moved:
        day = shop.valid_to or shop.valid_from
        cells = {"vnp_TmnCode": shop.terminal, "vnp_PayDate": f"{day:%Y%m%d}120000"}
        yield Sown("a shop that moves", cells, fact={"day": day, "shop": shop.terminal, "unit": (shop.unit_code, True)})
    if place.of_before:
        terminal = place.of_before.terminal
        yield Sown("a shop in a commune of before", {"vnp_TmnCode": terminal}, fact={"shop": terminal, "unit": (THUONG_XUAN, True)})
    reference, shop = place.new("DH"), place.random.choice(place.shops["vnpay"])
    never = {"vnp_TransactionNo": "0", "vnp_TxnRef": reference, "vnp_TmnCode": shop.terminal} | {
        "vnp_ResponseCode": "24",
        "vnp_TransactionStatus": "02",
    }
    known = {"number": f"{shop.terminal}/{reference}", "status": "cancelled", "unit": (shop.unit_code, True), "shop": shop.terminal}
    yield Sown("it never reached the bank", never, fact=known)


def _others_of_vnpay(place: Place) -> Iterator[Row]:
    yield from _again(_vnpay(place), "vnp_TransactionNo", _vnpay(place))
    paid = _vnpay(place)
    part = paid.fact.amount // 3
    refund = Payment(place.new("2", 8), "refunded", part, place.last_day, "QR", "MUA_SAM", paid.fact.unit, paid.fact.shop, is_refund=True)
    cells = paid.cells | {"vnp_TransactionNo": refund.number, "vnp_Amount": f"{part}00", "vnp_TransactionType": "03"}
    yield replace(paid, becomes=Loaded(replace(paid.fact, refunded=part)), sown="a part of it is given back")
    yield Row(cells | {"vnp_PayDate": f"{place.last_day:%Y%m%d}220000"}, Loaded(refund), "what gives back a part")
    alone = _vnpay(place)
    given_back = replace(alone.fact, status="refunded", is_refund=True)
    yield Row(alone.cells | {"vnp_TransactionType": "02"}, Loaded(given_back, ("PAY-013",)), "gives back what nobody paid")
    yield from too_wide_and_too_short(VNPAY, place)


VNPAY = Layout(
    name="vnpay_csv",
    feed="payments",
    provider="vnpay",
    stem="vnpay",
    kind="csv",
    header=(
        "vnp_TxnRef", "vnp_TransactionNo", "vnp_TmnCode", "vnp_Amount", "vnp_BankCode", "vnp_CardType", "vnp_PayDate",
        "vnp_ResponseCode", "vnp_TransactionStatus",
    ),
    ordinary=_vnpay,
    sown=_sown_of_vnpay,
    others=_others_of_vnpay,
    required="vnp_Amount",
    more=("vnp_TransactionType", "vnp_CurrCode", "vnp_OrderInfo"),
    text="vnp_OrderInfo",
)  # fmt: skip


# MoMo: an object a line, milliseconds since 1970 UTC

HERE = timezone(timedelta(hours=7))


def _milliseconds(moment: datetime) -> int:
    return int(moment.replace(tzinfo=HERE).astimezone(UTC).timestamp()) * 1000 + 517


def _momo(place: Place) -> Row:
    paid = _in_a_shop(place, "momo", place.new("28", 8), "QR")
    cells = {
        "partnerCode": "MOMOTH", "storeId": paid.shop, "orderId": place.new("OD"), "requestId": "RE1", "amount": paid.amount,
        "transId": int(paid.number), "payType": "qr", "resultCode": 0, "message": "Thành công.",
        "responseTime": _milliseconds(place.moment(paid.day)),
    }  # fmt: skip
    return Row(cells, Loaded(paid))


MOMO_STATES = {
    0: "settled", 9000: "pending", 1000: "pending", 7000: "pending", 7002: "pending", 40: "failed", 41: "failed",
    **dict.fromkeys((*range(1001, 1008), 1017, 1026, 1080, 1081, 1088, 4001, 4002, 4100), "failed"),
}  # fmt: skip
"""resultCode as MoMo documents it (developers.momo.vn): only 0 is money that changed hands."""


def _sown_of_momo(place: Place) -> Iterator[Sown]:
    yield from amounts("amount", "json", int, "PAY-002")
    yield from codes("transId", "number", lambda: place.new("MM", 8), numeric=True, required=False)
    seconds = _milliseconds(place.moment()) // 1000
    for written in ("hôm nay", f"{place.month:%d/%m/%Y}", 0.5, [1], seconds, seconds * 10**6, -seconds * 1000):
        yield Sown(f"{written} as the time", {"responseTime": written}, (("STR-010", "responseTime"),))
    yield Sown("no time", {"responseTime": None}, (("STR-011", "responseTime"),))
    first = datetime.combine(place.month, time())
    yield Sown("a moment after midnight, which is yesterday in UTC", {"responseTime": _milliseconds(first)}, fact={"day": place.month})
    last = datetime.combine(place.last_day, time(23, 59, 59))
    yield Sown("the last second of the month", {"responseTime": _milliseconds(last)}, fact={"day": place.last_day})
    future = _milliseconds(datetime.combine(place.after + timedelta(days=9), time(10)))
    yield Sown("nine days after the file was made", {"responseTime": future}, (("PAY-005", "responseTime"),), Stage.ROW)
    for code, status in MOMO_STATES.items():
        yield Sown(f"result {code}", {"resultCode": code}, fact={"status": status})
    yield Sown("a result there is not", {"resultCode": 5555}, (("PAY-003", "resultCode"),), Stage.ROW)
    yield Sown("no result", {"resultCode": None}, (("STR-011", "resultCode"),))
    for kind, method in {"qr": "QR", "webApp": "VI", "app": "VI", "credit": "THE", "napas": "THE"}.items():
        yield Sown(kind, {"payType": kind}, fact={"method": method})
    yield Sown("paid in a way there is not", {"payType": "vàng"}, fact={"method": None}, warns=("PAY-004",))
    yield from _unknown_shops("storeId")
    back = [{"orderId": "R1", "amount": 700, "resultCode": 0}, {"orderId": "R2", "amount": 300, "resultCode": 0}]
    yield Sown("given back in two parts", {"refundTrans": back, "amount": 5000}, fact={"refunded": 1000, "amount": 5000})
    refused = [{"orderId": "R1", "amount": 700, "resultCode": 1080}]
    yield Sown("a refund that was refused", {"refundTrans": refused}, fact={"refunded": 0})
    more = [{"orderId": "R1", "amount": 5001, "resultCode": 0}]
    yield Sown("more given back than was paid", {"refundTrans": more, "amount": 5000}, (("PAY-011", "refundTrans"),), Stage.ROW)
    order, shop = place.new("OD"), place.shops["momo"][0]
    never = {"transId": 0, "orderId": order, "resultCode": 1006, "storeId": shop.terminal}
    known = {"number": f"MOMOTH/{order}", "status": "failed", "unit": (shop.unit_code, True), "shop": shop.terminal}
    yield Sown("it was never carried out", never, fact=known)


def _others_of_momo(place: Place) -> Iterator[Row]:
    yield from _again(_momo(place), "transId", _momo(place))
    for what, line in {"a line cut in two": '{"partnerCode": "MOMOTH", "storeId": "QU', "no object": "[1, 2]", "no JSON": "GD lỗi"}.items():
        yield Row({}, Aside(frozenset([("STR-012", "")])), what, line=line)
    yield _momo(place)


MOMO = Layout(
    name="momo_jsonl",
    feed="payments",
    provider="momo",
    stem="momo",
    kind="jsonl",
    header=("partnerCode", "storeId", "orderId", "requestId", "amount", "transId", "payType", "resultCode", "message", "responseTime"),
    ordinary=_momo,
    sown=_sown_of_momo,
    others=_others_of_momo,
    required="amount",
    text="message",
)


# NAPAS: tags, two implied decimals, a day without year


def _napas(place: Place) -> Row:
    paid = _in_a_shop(place, "napas", place.new("7458", 8), "THE")
    moment = place.moment(paid.day)
    cells = {
        "MTI": "0210", "F2": "9704030000000000", "F3": "000000", "F4": f"{paid.amount * 100:012}", "F49": "704", "F11": "304956",
        "F12": f"{moment:%H%M%S}", "F13": f"{moment:%m%d}", "F37": paid.number, "F38": "747210", "TRN": "5118IBT1", "RRC": "0000",
        "RSV1": paid.shop, "RSV2": " ", "RSV3": " ",
    }  # fmt: skip
    return Row(cells, Loaded(paid))


def _sown_of_napas(place: Place) -> Iterator[Sown]:
    yield from amounts("F4", "records", lambda amount: f"{amount * 100:012}", "PAY-002", is_bounded=False)
    yield from codes("F37", "number", lambda: place.new("RR", 8), numeric=True, guarded=False)
    for what, day in {
        "31 February": "0231",
        "29 February of a common year": "0229",
        "day and month exchanged": f"28{place.month:%m}",
        "three digits": "805",
    }.items():
        if what != "29 February of a common year" or place.month.year % 4:
            yield Sown(what, {"F13": day}, (("STR-010", "F13"),))
    yield Sown("no day", {"F13": ""}, (("STR-011", "F13"),))
    for day in (place.month, place.last_day):
        yield Sown(f"of {day}", {"F13": f"{day:%m%d}"}, fact={"day": day})
    future = place.after + timedelta(days=9)
    yield Sown("nine days after the file was made", {"F13": f"{future:%m%d}"}, (("PAY-005", "F13"),), Stage.ROW)
    yield from _currencies("F49", ["840", "978"])
    yield Sown("a currency there is not", {"F49": "1"}, (("STR-015", "F49"),))
    for code, status in {"0000": "settled", "0116": "suspect"}.items():
        yield Sown(f"result {code}", {"RRC": code}, fact={"status": status})
    for code in ("9999", "0", "00"):
        yield Sown(f"result {code}", {"RRC": code}, (("STR-010", "RRC"),))
    yield Sown("taken back", {"MTI": "0420"}, fact={"status": "cancelled"})
    yield Sown("a transfer", {"F3": "910000"}, fact={"method": "CHUYEN_KHOAN"})
    yield from _unknown_shops("RSV1")


def _others_of_napas(place: Place) -> Iterator[Row]:
    yield from _again(_napas(place), "F37", _napas(place))
    reversal = {"MTI": "0420", "F12": "235959"}
    yield from _and_back(_napas(place), reversal)
    yield from reversed(_and_back(_napas(place), reversal))
    aside = Aside(frozenset([("STR-012", "")]))
    yield Row({}, aside, "a record cut in two", line="DR[MTI]0210[F2]97040300[F3]0000")
    yield Row({}, aside, "a line that is no record", line="dòng lạ")


NAPAS = Layout(
    name="napas_dat",
    feed="payments",
    provider="napas",
    stem="napas",
    kind="napas",
    header=("MTI", "F2", "F3", "F4", "F49", "F11", "F12", "F13", "F37", "F38", "TRN", "RRC", "RSV1", "RSV2", "RSV3"),
    ordinary=_napas,
    sown=_sown_of_napas,
    others=_others_of_napas,
    required="F4",
)


def at_new_year(place: Place) -> list[Row]:
    """Records of a file of 1 January, some of them of the day before."""
    rows = []
    for day in (date(2025, 12, 31), date(2026, 1, 1), date(2025, 12, 1)):
        row = _napas(place)
        rows.append(Row(row.cells | {"F13": f"{day:%m%d}"}, Loaded(replace(row.fact, day=day)), f"of {day}"))
    return rows


SETTLED: dict[str, tuple[dict[str, Any], str]] = {
    "ecpay_csv": ({"TTHAI_HUY": "1"}, "cancelled"),
    "dvcqg_payment_csv": ({"TrangThaiGD": "Hủy thanh toán"}, "cancelled"),
    "vnpay_csv": ({"vnp_TransactionStatus": "04"}, "cancelled"),
    "momo_jsonl": ({"resultCode": 1006}, "failed"),
    "napas_dat": ({"MTI": "0420"}, "cancelled"),
}
"""Layout → what a later file writes of a payment that did not come about after all."""


def told_otherwise(layout: Layout, row: Row) -> Row:
    """The row as a later file writes it once the payment did not come about."""
    cells, status = SETTLED[layout.name]
    return Row(row.cells | cells, Loaded(replace(row.fact, status=status)), "no longer settled")
