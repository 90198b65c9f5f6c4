"""A cell that was set aside is told only where it is about no person, whatever column a person's data slipped into."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from expectations.contract import contract, feeds
from tasks.read.tellable import is_of_persons, may_be_told

PLACES = [(feed, layout, header) for feed in feeds() for layout, written in contract(feed).layouts.items() for header in written.headers]
"""Every column of every layout of every feed."""
SYLLABLES = ["Nguyễn", "Thị", "Bí", "Mật", "Lê", "Văn", "An", "Nguyen", "Van", "Mau", "Tran", "Lan"]
digits = st.text("0123456789", min_size=8, max_size=8)


@st.composite
def numbers(draw: st.DrawFn) -> str:
    """Papers of nine and twelve digits, telephones, insurance and tax numbers, passports; in one go, in groups, with a lost zero."""
    begin = draw(st.sampled_from(["0", "00", "03", "038", "0912", "+8491", "8491", "1", "12", "123", "C", "DN"]))
    rest = draw(digits)
    text = begin + rest + draw(st.sampled_from(["", "1", "12", "123"]))
    text = draw(st.sampled_from([text, text.lstrip("0"), f"{text}.0", f"-{text}"]))
    sign, size = draw(st.sampled_from([" ", ".", "-", ","])), draw(st.sampled_from([3, 4, 20]))
    ends = range(len(text), 0, -size)
    return sign.join(reversed([text[max(end - size, 0) : end] for end in ends]))


names = st.lists(st.sampled_from(SYLLABLES), min_size=1, max_size=4).flatmap(
    lambda parts: st.sampled_from([" ".join(parts), "".join(parts), "_".join(parts).lower(), " ".join(parts).upper(), ".".join(parts)])
)
addresses = st.builds("{}@{}.vn".format, names.map(lambda name: name.replace(" ", "")), st.sampled_from(["example", "mail"]))


@settings(max_examples=500)
@example(("published_figures", "published_figures_csv", "source_document"), "038.012.345")
@given(st.sampled_from(PLACES), st.one_of(numbers(), names, addresses))
def test_no_number_name_or_address_of_a_person_is_told_of_any_column(place: tuple[str, str, str], cell: str) -> None:
    feed, layout, header = place
    assert not may_be_told(cell, contract(feed), layout, header)


@pytest.mark.parametrize(
    ("feed", "layout", "header"),
    [
        ("bills", "evn_csv", "MA_KHANG"),
        ("bills", "evn_csv", "TEN_KHANG"),
        ("bills", "evn_csv", "KY"),  # nobody says what it holds
        ("payments", "ecpay_csv", "SDT_ECPAY"),
        ("dossiers", "dvcqg_csv", "SoGiayToChuHoSo"),
        ("signature_holders", "holders_csv", "NgaySinh"),
        ("unit_counts", "bieu_so_lieu_xlsx", "Ghi chú"),
    ],
)
def test_of_a_column_of_persons_nothing_is_told_not_even_what_looks_harmless(feed: str, layout: str, header: str) -> None:
    assert is_of_persons(contract(feed), layout, header)
    assert not may_be_told("12", contract(feed), layout, header)


@pytest.mark.parametrize(
    ("feed", "layout", "header", "cell"),
    [
        ("bills", "evn_csv", "MA_DVHC", "99999"),
        ("bills", "evn_csv", "TONG_TIEN", "-450036"),
        ("bills", "utility_xlsx", "Số tiền", "1.450.036"),
        ("bills", "evn_csv", "NGAY_PHANH", "32/13/2024"),
        ("bills", "evn_csv", "THANG", "13"),  # one of the two that the month is made of
        ("bills", "evn_csv", "LOAI_KHANG", "Kinh doanh"),  # the layout's own word
        ("payments", "ecpay_csv", "NGAY_PSINH", "03/03/2024 25:33:00"),
        ("payments", "ecpay_csv", "TTHAI_HUY", "7"),
        ("dossiers", "dvcqg_csv", "TrangThaiHoSo", "11"),
        ("dossiers", "dvcqg_csv", "NgayTiepNhan", "20240315101010"),
        ("dossiers", "dvcqg_csv", "MaHoSo", "000.00.38.H56-240301-0001"),
        ("unit_counts", "bieu_so_lieu_xlsx", "Kỳ báo cáo", "Quý I/2024"),
        ("surveys", "surveys_csv", "question_code", "XH9"),
    ],
)
def test_what_a_supplier_needs_to_find_its_mistake_is_told(feed: str, layout: str, header: str, cell: str) -> None:
    assert may_be_told(cell, contract(feed), layout, header)
