"""The static edition as a browser shows it: complete, without a server, without anything from outside, readable by day and by night."""

from __future__ import annotations

import csv
import re
from collections import Counter, defaultdict
from pathlib import Path
from urllib.parse import unquote, urlsplit

import lxml.html
import pytest
from playwright.sync_api import Browser, Locator, Page

from tasks.report.csv_file import DELIMITER, ENCODING
from tests.conftest import SampleNight
from tests.nights import SAMPLES


def address(sample_night: SampleNight, name: str) -> str:
    return (sample_night.home / "site" / name).as_uri()


def rows_below(page: Page, anchor: str) -> Locator:
    """The rows of the first table below a heading."""
    return page.locator(f"#{anchor} ~ .scroll").first.locator("tbody tr")


def test_the_start_page_tells_the_night(sample_night: SampleNight, page: Page) -> None:
    page.goto(address(sample_night, "index.html"))
    assert page.locator("h1").inner_text() == "Đêm 30/09/2026"
    first = " ".join(page.locator("#can-lam li").first.inner_text().split())
    assert first.startswith("1 dòng để riêng STR-010 Số liệu cơ quan, đơn vị Văn phòng Ủy ban nhân dân tỉnh Thanh Hóa")
    assert page.locator("#moi tbody tr").count() == 5  # the first night: all is new, and no more is shown than fits
    assert "ECPay" in page.locator("#cham tbody").inner_text()


def test_a_number_counts_what_it_says_and_leads_to_its_rows(sample_night: SampleNight, page: Page, tmp_path: Path) -> None:
    page.goto(address(sample_night, "index.html"))
    told = [int(card.split()[0]) for card in page.locator(".cards li").all_inner_texts()]
    page.goto(address(sample_night, "viec-can-lam.html"))
    by_rule = {row.locator("th").inner_text(): int(row.locator("td.n").first.inner_text()) for row in rows_below(page, "de-rieng").all()}
    page.goto(address(sample_night, "quy-tac/BIL-002.html"))
    assert rows_below(page, "dong").count() == by_rule["BIL-002"] == 1
    sample_night.ask("quarantine", "export", "--to", str(tmp_path / "rows.csv"))
    listed = csv.DictReader((tmp_path / "rows.csv").read_text("utf-8-sig").splitlines())
    assert told[1] == len({(row["delivery_id"], row["row_number"]) for row in listed if row["status"] == "open"})


def test_what_was_refused_is_no_work_any_more_once_its_source_sent_again(sample_night: SampleNight, page: Page) -> None:
    page.goto(address(sample_night, "index.html"))
    assert page.locator(".cards li").first.inner_text() == "0 tệp bị từ chối, chưa gửi lại"
    page.get_by_role("link", name="Tất cả 82 lần gửi của đêm").click()
    first = rows_below(page, "lan-gui").first
    assert first.locator(".tag").inner_text() == "từ chối"
    first.get_by_role("link", name="nuoc_mau_202406.xlsx").click()
    assert "Dòng tổng cộng của tệp nuoc_mau_202406.xlsx không khớp" in page.locator(".box.bad").inner_text()
    assert page.locator(".box.info").inner_text().startswith("Đã có bản thay: nuoc_mau_202406_dinh_chinh.xlsx")


def test_printed_figures_that_differ_come_first(sample_night: SampleNight, page: Page) -> None:
    page.goto(address(sample_night, "da-cong-bo.html"))
    (printed,) = rows_below(page, "khac").all_inner_texts()
    assert {"70,2%", "70,0%", "khác"} <= set(printed.split("\t"))
    assert page.get_by_role("alert").count() == 0, "nothing was refused here"
    of_paper = page.locator("#van-ban + .scroll tbody tr", has_text="Báo Thanh Hóa 247817")
    assert of_paper.locator("td").all_inner_texts() == ["0", "1", "23", "4"]
    of_paper.get_by_role("link").click()
    assert page.locator("tbody tr").count() == 28


def test_rows_received_are_the_sum_of_what_became_of_them(sample_night: SampleNight, page: Page) -> None:
    page.goto(address(sample_night, "cac-dem/1.html"))
    rows = rows_below(page, "lan-gui").all()
    assert len(rows) > 70
    for row in rows:
        _, received, *parts = (int(cell.replace(".", "").replace("–", "0")) for cell in row.locator("td.n").all_inner_texts())
        assert received == sum(parts)


def test_the_official_table_is_one_click_away_and_opens_by_indicator(sample_night: SampleNight, page: Page) -> None:
    page.goto(address(sample_night, "index.html"))
    page.get_by_role("link", name="Biểu", exact=True).click()
    page.get_by_role("link", name="Biểu 2024", exact=True).click()
    page.get_by_role("link", name="ND3", exact=True).click()
    line = page.locator("tbody tr", has_text="Xã Ngọc Phụng")
    assert line.locator("td.n").all_inner_texts()[:3] == ["4.795", "5.205", "92,1%"]
    line.get_by_role("link").click()
    assert page.locator("h1").inner_text() == "Xã Ngọc Phụng – Năm 2024"
    assert page.locator("tbody tr", has_text="ND3").first.locator("td.n").all_inner_texts()[:3] == ["4.795", "5.205", "92,1%"]


def test_nothing_is_fetched_from_outside_and_no_link_is_dead(sample_night: SampleNight, page: Page) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    for name in ("index.html", "bieu/2024/ND3.html", "doi-soat-phi.html", "data_docs/index.html"):
        page.goto(address(sample_night, name))
    assert all(url.startswith("file:") for url in asked)
    site = sample_night.home / "site"
    pages = [path for path in site.rglob("*.html") if path.relative_to(site).parts[0] != "data_docs"]
    assert len(pages) > 300
    for path in pages:
        tree = lxml.html.parse(str(path))
        loaded = {urlsplit(address).path for address in tree.xpath("//a/@href|//link/@href|//script/@src")}
        assert not [one for one in loaded if one and not (path.parent / unquote(one)).exists()], path
        assert not tree.xpath("//*[@style]|//*[starts-with(@href, 'http')]|//table[not(caption)]|//th[not(@scope)]"), path


def rows_of(pattern: str) -> list[dict[str, str]]:
    """Rows of the sample files, as a spreadsheet shows them, the oldest file first."""
    files = sorted((SAMPLES.parent / "inbox").glob(pattern))
    return [row for path in files for row in csv.DictReader(path.read_text("utf-8-sig").splitlines())]


def fees_of_the_samples() -> Counter[str]:
    """How the fees of the sample inbox agree with its dossiers, worked out from the files alone."""
    dossiers = {row["MaHoSo"]: row for row in rows_of("one-stop-shop/*.csv") if row["TrangThaiHoSo"] != "12"}
    there = {code: row for code, row in dossiers.items() if not row["DeletedOn"]}
    paid: defaultdict[str, int] = defaultdict(int)
    for row in rows_of("dvcqg/*.csv"):
        if row["TrangThaiGD"] == "1":
            paid[row["MaHoSo"]] += int(row["SoTien"])
    return Counter(
        {
            "lệch số tiền": sum(
                there[of]["DuocThanhToanTrucTuyen"] != "" and int(there[of]["TongPhiLePhi"]) != paid[of] for of in there.keys() & paid
            ),
            "đã nộp, hồ sơ chưa ghi": sum(there[of]["DuocThanhToanTrucTuyen"] == "" for of in there.keys() & paid),
            "hồ sơ ghi đã nộp, không có giao dịch": sum(
                row["DuocThanhToanTrucTuyen"] == "1" for of, row in there.items() if of not in paid
            ),
            "nộp cho hồ sơ không có trong dữ liệu": len(paid.keys() - there.keys()),
        }
    )


def test_fees_stand_beside_the_dossiers_one_click_away(sample_night: SampleNight, page: Page) -> None:
    page.goto(address(sample_night, "bieu.html"))
    page.get_by_role("link", name="Đối soát phí").click()
    assert page.locator("h1").inner_text() == "Đối soát phí, lệ phí nộp trực tuyến"
    expected = fees_of_the_samples()
    assert all(expected.values())  # the samples show every way in which both sides can differ
    cards = {label: int(count) for count, label in (card.split(" ", 1) for card in page.locator(".cards li").all_inner_texts()[1:])}
    assert cards == expected
    months = page.locator("#theo-thang + .scroll tbody tr")
    assert [row.locator("th").inner_text() for row in months.all()[:2]] == ["Tháng 04/2025", "Tháng 03/2025"]
    for row in months.all():
        compared, matched, _, *differing = (cell.split(",")[0].replace(".", "") for cell in row.locator("td").all_inner_texts()[:7])
        assert int(compared) == int(matched) + sum(map(int, differing))


def test_units_whose_fees_differ_most_come_first_and_lead_to_the_rows(sample_night: SampleNight, page: Page) -> None:
    page.goto(address(sample_night, "doi-soat-phi.html"))
    units = [
        int(found[0]) for told in page.locator("details summary").all_inner_texts() if (found := re.findall(r"(\d+) hồ sơ khác nhau", told))
    ]
    assert units == sorted(units, reverse=True)
    with (sample_night.home / "site" / "doi-soat-phi.csv").open(encoding=ENCODING, newline="") as file:
        listed = list(csv.DictReader(file, delimiter=DELIMITER))
    told = Counter(row["Kết quả"] for row in listed)
    assert told == fees_of_the_samples()  # no dossier that differs was paid for twice
    short = next(row for row in listed if row["Kết quả"] == "lệch số tiền")
    payments = (SAMPLES.parent / "inbox" / "dvcqg" / short["Tệp thanh toán"]).read_text("utf-8").splitlines()
    assert short["Mã hồ sơ"] in payments[int(short["Dòng thanh toán"]) - 1]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_its_ground_by_day_and_by_night(sample_night: SampleNight, browser: Browser, scheme: str) -> None:
    context = browser.new_context(color_scheme=scheme)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(address(sample_night, "index.html"))
    for selector in (
        "h1",
        ".lead",
        ".tag.bad",
        ".tag.warn",
        ".cards .warn b",
        "nav a",
        "nav a[aria-current]",
        ".scroll thead th",
        "td.warn",
    ):
        ink, ground = page.locator(selector).first.evaluate(
            """element => {
                let ground = element;
                while (getComputedStyle(ground).backgroundColor === 'rgba(0, 0, 0, 0)') ground = ground.parentElement;
                return [getComputedStyle(element).color, getComputedStyle(ground).backgroundColor];
            }"""
        )
        assert contrast(ink, ground) >= 4.5, selector  # WCAG 2.1, 1.4.3
    context.close()


def test_a_phone_scrolls_tables_not_the_page(sample_night: SampleNight, browser: Browser) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 800})
    page = context.new_page()
    for name in ("index", "viec-can-lam", "nguon", "nguon/water-bills", "bieu/2024", "bieu/2024/don-vi/15655", "quy-tac", "doi-soat-phi"):
        page.goto(address(sample_night, f"{name}.html"))
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, name
    context.close()


def contrast(one: str, other: str) -> float:
    def luminance(colour: str) -> float:
        channels = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
        red, green, blue = (c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_a_count_of_few_is_no_number_in_the_folder_and_the_page_says_why(sample_night: SampleNight, page: Page) -> None:
    page.goto(address(sample_night, "bieu/2024/don-vi/15655.html"))
    row = page.locator("tbody tr").filter(has=page.get_by_role("rowheader", name="K2a", exact=True))
    assert row.locator("td.n").all_inner_texts()[:3] == ["…", "…", "…"]
    assert row.locator("td.status").inner_text() == "ẩn: dưới ngưỡng"
    assert "từ 1 đến 4" in page.locator("main").inner_text()
    assert "Luật Bảo vệ dữ liệu cá nhân 91/2025/QH15" in page.locator("main").inner_text()
