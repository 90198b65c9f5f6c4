"""Data Docs: pages on the night's deliveries that open in a network without internet, in Vietnamese, and tell counts only."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import lxml.html
import pytest

from expectations.contract import contract, feeds, structure
from tasks.validate.data_docs import SUMMARY, DataDocs
from tasks.validate.examined import Examined, Tried
from tasks.words.vietnamese import VIETNAM

NIGHT = datetime(2024, 5, 1, 1, 30, tzinfo=VIETNAM)
KEPT = 14
"""Nights of which pages stay (warehouse/retention.yaml)."""
LONGEST = f"khao-sat-{'2' * 242}.csv"
"""The longest name that a file may have on most disks."""
HOSTILE = '"><img src=//x.example onerror=alert(1)>{{ 7*7 }}.csv'
LOCKED = "Tệp hoa-don.xlsx có mật khẩu hoặc bị mã hóa nên không đọc được. Bỏ mật khẩu rồi gửi lại."


def tried(code: str, *, feed: str = "bills", count: int = 0, observed: str | None = None, **others: Any) -> Tried:
    rule = contract(feed).rule(code)
    return Tried(rule, others.pop("held", count == 0), observed, count, others.pop("labels", []), **others)


def examined(
    delivery_id: int, file_name: str, *found: Tried, source: str = "Hóa đơn tiền điện", feed: str = "bills", **told: Any
) -> Examined:
    rows = {"rows_received": 384, "rows_loaded": 384, "rows_unchanged": 0, "rows_quarantined": 0, "rows_ignored": 0}
    row = {
        "delivery_id": delivery_id,
        "layout": "evn_csv",
        "file_name": file_name,
        "status": "loaded",
        "verdict": "accept",
        "message_vi": None,
        "business_period": "2024-03",
        "named_period": None,
        "supersedes": None,
        "exported_at": datetime(2024, 3, 31, 17, 5, tzinfo=UTC),
        "received_at": NIGHT,
        "loaded_at": NIGHT,
    }
    return Examined(SimpleNamespace(**row | rows | told), source, contract(feed), found)


GREEN = examined(1, "evn_202403.csv", tried("BIL-001", labels=["ID_HDON"]), tried("STR-023", observed="9.216 ô"))
AMBER = examined(
    2,
    HOSTILE,
    tried("BIL-002", count=5, labels=["TONG_TIEN"], stretches=[[3, 3], [17, 19], [40, 40]]),
    tried("BIL-005", count=7, labels=["NGAY_PHANH"], observed="7 dòng (dòng 2, 4, 6, 8, 10, …)"),
    tried("BIL-008", held=False, observed="384 dòng, thường 1152"),
    verdict="accept_with_flags",
    rows_loaded=379,
    rows_quarantined=5,
)
ASIDE = examined(
    3,
    LONGEST,
    tried("BIL-007", count=384, labels=["MA_DVHC"], stretches=[[2, 385]]),
    verdict="accept_with_flags",
    rows_loaded=0,
    rows_quarantined=384,
)
RED = examined(
    4,
    "evn_202402.csv",
    tried("BIL-009", held=False, observed="300/384 dòng"),
    tried("BIL-002", count=300, labels=["TONG_TIEN"], stretches=[[2, 101]]),
    status="rejected",
    verdict="reject",
    rows_loaded=0,
    rows_quarantined=384,
    message_vi="Quá nhiều dòng có lỗi (300/384 dòng). Gửi lại cả tệp. Lỗi đã thấy: BIL-002 – Tổng tiền sai: 300 dòng.",
)
UNREADABLE = examined(
    5,
    "hoa-don.xlsx",
    tried("STR-030", held=False),
    status="rejected",
    verdict="reject",
    layout="utility_xlsx",
    rows_received=0,
    rows_loaded=0,
    message_vi=LOCKED,
    business_period=None,
    named_period=None,
)
ALL = [GREEN, AMBER, ASIDE, RED, UNREADABLE]
WORDS = {1: "đạt", 2: "có cảnh báo", 3: "để riêng tất cả", 4: "từ chối", 5: "từ chối"}
TONES = {"đạt": "good", "có cảnh báo": "warn", "để riêng tất cả": "bad", "từ chối": "bad"}


def built(folder: Path, found: Sequence[Examined], at: datetime = NIGHT) -> DataDocs:
    docs = DataDocs(folder, examined=found)
    assert docs.build(at) == folder / "index.html"
    return docs


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Data Docs as they are linked from an edition of the steward's pages."""
    home = tmp_path_factory.mktemp("home")
    (home / "site").mkdir()
    (home / "site" / "index.html").write_text("<!doctype html><title>Trang kiểm soát</title>", "utf-8")
    built(home / "data_docs", ALL)
    (home / "site" / "data_docs").symlink_to("../data_docs")
    return home / "site" / "data_docs"


def pages(site: Path) -> list[Path]:
    return sorted(site.glob("**/*.html"))


def tree(page: Path) -> Any:
    return lxml.html.fromstring(page.read_text("utf-8"))


def text(page: Path, path: str = "//main") -> str:
    [element] = tree(page).xpath(path)
    return words(element)


def words(element: Any) -> str:
    return " ".join(" ".join(element.itertext()).split())


def night(site: Path) -> Path:
    [folder] = (path for path in site.iterdir() if path.is_dir())
    return folder


def test_start_page_night_and_delivery_say_the_same_word_in_the_same_colour(site: Path) -> None:
    of_night, of_start = night(site) / "index.html", site / "index.html"
    for number, word in WORDS.items():
        own = tree(night(site) / f"{number}.html").xpath("//div[contains(@class, 'verdict')]")[0]
        listed = [
            row
            for page in (of_night, of_start)
            for row in tree(page).xpath(f"//tr[.//a[contains(@href, '{number}.html')]]")
            if word != "đạt"
        ]
        assert len(listed) == (0 if word == "đạt" else 2)
        for place in (own, *listed):
            [badge] = place.xpath(".//span[contains(@class, 'badge')]")
            assert badge.text_content().split(maxsplit=1)[1].strip() == word
            assert badge.get("class").split()[1] == TONES[word]
    [counts] = tree(of_start).xpath("//tbody/tr[th/a[contains(@href, 'index.html')]]")
    assert [cell.text_content() for cell in counts][1:] == ["5", "2", "1", "1", "1"]  # all, refused, set aside, flagged, passed


def test_the_night_lists_the_worst_first(site: Path) -> None:
    rows = tree(night(site) / "index.html").xpath("//tbody/tr/th/a/@href")
    assert rows == ["4.html", "5.html", "3.html", "2.html", "1.html"]


def test_what_never_reached_the_rules_is_there_with_its_reason(site: Path) -> None:
    assert LOCKED in text(site / "index.html")
    page = text(night(site) / "5.html")
    assert f"STR-030 · {LOCKED}" in page
    assert "Chưa kiểm tra được dòng nào: 16 quy tắc" in page  # BIL-001 to BIL-015 and BIL-020
    assert "Kỳ –" in page


def test_a_page_tells_of_each_rule_how_bad_it_is_what_to_do_how_many_rows_and_which(site: Path) -> None:
    rows = [[words(cell) for cell in row] for row in tree(night(site) / "2.html").xpath("//table[1]/tbody/tr")]
    assert rows[:3] == [
        [
            "BIL-008 cảnh báo",
            f"Số dòng của tệp {HOSTILE} khác thường so với các lần gửi gần đây (384 dòng, thường 1152). Kiểm tra lại việc xuất dữ liệu.",
            "cả tệp",
        ],
        [
            "BIL-002 nghiêm trọng",
            'Tổng tiền ở cột "TONG_TIEN" không bằng số tiền trước thuế cộng thuế giá trị gia tăng. '
            "Kiểm tra lại ba số tiền rồi gửi lại. Dòng 3, 17–19, 40",
            "5",
        ],
        [
            "BIL-005 cảnh báo",
            'Ngày ở cột "NGAY_PHANH" trước tháng tính tiền. Kiểm tra lại ngày phát hành và kỳ hóa đơn. 7 dòng (dòng 2, 4, 6, 8, 10, …)',
            "7",
        ],
    ]
    assert "Đã kiểm tra 3 quy tắc: 0 đạt, 3 không đạt (0,0% đạt)." in text(night(site) / "2.html")
    assert "Dòng 2–101 và 200 dòng khác" in text(night(site) / "4.html")
    assert "Dòng 2–385" in text(night(site) / "3.html")


def test_a_refusal_is_told_once_and_the_faults_of_rows_below_it(site: Path) -> None:
    page = text(night(site) / "4.html")
    assert "BIL-009 · Quá nhiều dòng có lỗi (300/384 dòng). Gửi lại cả tệp." in page
    assert page.count("Quá nhiều dòng") == 1
    assert "14 quy tắc khác của loại dữ liệu này chưa kiểm tra được" in page  # of 16, BIL-002 and BIL-009 were tried


def test_columns_are_called_as_the_supplier_does_and_the_contract_s_name_stands_beside_it_once(site: Path) -> None:
    page = night(site) / "2.html"
    assert text(page).count("amount_vnd") == 1
    assert [words(row) for row in tree(page).xpath("//tr[td/code]")] == ["TONG_TIEN amount_vnd", "NGAY_PHANH issued_on"]


def test_rules_that_held_say_what_was_looked_for_and_what_was_seen(site: Path) -> None:
    page = text(night(site) / "1.html")
    assert "BIL-001 Hóa đơn xuất hiện nhiều lần trong tệp với nội dung khác nhau 0 dòng" in page
    assert "STR-023 Đã xem cả tệp evn_202403.csv: 9.216 ô." in page


def test_source_period_and_local_times_stand_in_place_of_a_run(site: Path) -> None:
    page = text(night(site) / "1.html")
    for told in (
        "Nguồn Hóa đơn tiền điện",
        "Kỳ tháng 03/2024",
        "Lần gửi số 1",
        "Xuất lúc 00:05 01/04/2024",
        "Kiểm tra lúc 01:30 01/05/2024",
    ):
        assert told in page
    assert tree(night(site) / "1.html").findtext(".//title") == "evn_202403.csv: đạt · Ba Không"


def test_every_link_of_every_page_leads_to_a_page(site: Path) -> None:
    assert len(pages(site)) == len(ALL) + 2
    for page in pages(site):
        own = tree(page)
        for link in own.xpath("//@href"):
            name, _, part = link.partition("#")
            target = Path(*(page.parent / name).parts) if name else page
            while ".." in target.parts:  # as a browser goes up: by the address, whatever the folders are links to
                above = target.parts.index("..")
                target = Path(*target.parts[: above - 1], *target.parts[above + 1 :])
            assert target.is_file(), (page, link)
            assert not part or own.get_element_by_id(part) is not None, (page, link)


def test_every_page_is_whole_vietnamese_and_without_what_a_strict_policy_forbids(site: Path) -> None:
    for page in pages(site):
        written, own = page.read_text("utf-8"), tree(page)
        assert written.startswith("<!doctype html>")
        assert written.rstrip().endswith("</html>")
        assert own.get("lang") == "vi"
        assert own.xpath("//@src|//script|//style|//@style|//@*[starts-with(name(), 'on')]|//iframe|//object|//form") == []
        assert own.xpath("//link/@href") == ["data_docs.css" if page.parent == site else "../data_docs.css"]
        english = r"\b(?:Expectation|Overview|Statistics|Succeeded|Failed|Status|Observed|unexpected|Run|Home|info|elements)\b"
        assert not re.search(english, own.text_content())
        for table in own.xpath("//table"):
            assert table.xpath("caption")
            assert all(head.get("scope") for head in table.xpath(".//th"))
    assert not re.search(r"url\(|@import|//", (site / "data_docs.css").read_text("utf-8"))
    assert {path.suffix for path in site.rglob("*") if path.is_file()} == {".html", ".css", ".json"}


def test_names_of_others_stay_text(site: Path) -> None:
    assert HOSTILE in text(site / "index.html")
    assert HOSTILE in text(night(site) / "2.html")
    for page in pages(site):
        assert tree(page).xpath("//img") == []


def test_every_rule_can_be_told_whether_it_held_or_not() -> None:
    for rule, labels in product([*structure(), *(rule for feed in feeds() for rule in contract(feed).rules)], ([], ["Cột A", "Cột B"])):
        one = Tried(rule, False, "3/9", 3, labels)
        for told in (one.told("tệp.csv"), one.sought):
            assert not re.search(r'[{}]|""|\(\)|  ', told), rule.code
        assert "3/9" not in one.sought


def test_a_night_without_deliveries_leaves_the_pages_of_the_last(tmp_path: Path) -> None:
    built(tmp_path, [GREEN])
    before = pages(tmp_path)
    built(tmp_path, [], NIGHT + timedelta(days=1))
    assert pages(tmp_path) == before


def test_without_any_delivery_the_start_page_says_so(tmp_path: Path) -> None:
    built(tmp_path / "data_docs", [])
    assert "Chưa có tệp nào được kiểm tra." in text(tmp_path / "data_docs" / "index.html")


def test_nights_of_long_ago_and_those_of_an_older_version_are_forgotten(tmp_path: Path) -> None:
    (tmp_path / "2024-04-30-013000" / "validations").mkdir(parents=True)
    another = tmp_path / "2024-12-31-013000"
    another.mkdir()
    (another / SUMMARY).write_text('{"at": "2024-12-31T01:30:00+07:00", "lines": [{"file": "a.csv"}]}', "utf-8")
    (tmp_path / "data_docs_of_mine").mkdir()
    nights = [NIGHT + timedelta(days=number) for number in range(KEPT + 3)]
    for at in nights:
        built(tmp_path, [GREEN], at)
    kept = [f"{at:%Y-%m-%d-%H%M%S}" for at in nights[3:]]
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_dir()) == [*kept, "data_docs_of_mine"]
    listed = tree(tmp_path / "index.html").xpath("//h2[.='Các đêm']/following::tbody/tr/th/a/@href")
    assert listed == [f"{name}/index.html" for name in reversed(kept)]


def test_pages_made_again_take_the_place_of_those_before(tmp_path: Path) -> None:
    built(tmp_path, [GREEN, RED])
    built(tmp_path, [AMBER])
    told = json.loads((tmp_path / "2024-05-01-013000" / SUMMARY).read_text("utf-8"))
    assert [line["delivery_id"] for line in told["lines"]] == [2]
    assert not list(tmp_path.rglob(".*"))


def colours(style: str) -> list[dict[str, tuple[float, float, float]]]:
    """The named colours of the stylesheet, by day, by night and on paper."""
    blocks = re.findall(r":root \{([^}]*--ink[^}]*)\}", style)
    return [
        {
            name: (int(digits[:2], 16) / 255, int(digits[2:4], 16) / 255, int(digits[4:], 16) / 255)
            for name, digits in (
                (name, code if len(code) == 6 else "".join(sign * 2 for sign in code))
                for name, code in re.findall(r"--(\w+): #([0-9a-f]{3,6});", block)
            )
        }
        for block in blocks
    ]


def test_text_stands_out_from_its_ground_by_day_by_night_and_on_paper(site: Path) -> None:
    def luminance(colour: tuple[float, float, float]) -> float:
        red, green, blue = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in colour)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    schemes = colours((site / "data_docs.css").read_text("utf-8"))
    assert len(schemes) == 3
    for scheme, ink, ground in product(schemes, ("ink", "soft", "accent", "good", "bad", "warn"), ("page", "card", "shade")):
        dark, light = sorted((luminance(scheme[ink]), luminance(scheme[ground])))
        assert (light + 0.05) / (dark + 0.05) >= 4.5, (ink, ground)  # WCAG 2.1, 1.4.3
