"""The steward site as a browser shows it: complete, without scripts, without anything from outside, readable by day and by night."""

from __future__ import annotations

import csv
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.conftest import SampleNight
from tests.nights import SAMPLES

CHROMIUM = Path("/usr/bin/chromium")

pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason="no browser on this machine")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context()
    yield context.new_page()
    context.close()


def address(sample_night: SampleNight, name: str) -> str:
    return (sample_night.home / "site" / name).as_uri()


def test_the_start_page_tells_the_night(sample_night: SampleNight, page: Page) -> None:
    page.goto(address(sample_night, "index.html"))
    assert page.locator("h1").inner_text() == "Đêm 30/09/2026"
    refused = page.locator("#tu-choi + .scroll tbody tr")
    assert refused.count() == 1
    assert "nuoc_mau_202406.xlsx" in refused.inner_text()
    rules = page.locator("#de-rieng ~ details summary b").all_inner_texts()
    assert {"DOS-002", "PAY-001", "PAY-006"} <= set(rules)
    printed = page.locator("#so-da-in + .scroll tbody tr").first.inner_text()
    assert "70,2%" in printed
    assert "70,0%" in printed
    assert "khác" in printed


def test_rows_received_are_the_sum_of_what_became_of_them(sample_night: SampleNight, page: Page) -> None:
    page.goto(address(sample_night, "index.html"))
    rows = page.locator("#lan-gui + .scroll tbody tr").all()
    assert len(rows) > 70
    for row in rows:
        received, *parts = (int(cell.replace(".", "").replace("–", "0")) for cell in row.locator("td.n").all_inner_texts())
        assert received == sum(parts)


def test_the_official_table_is_one_click_away_and_opens_by_indicator(sample_night: SampleNight, page: Page) -> None:
    page.goto(address(sample_night, "index.html"))
    page.get_by_role("link", name="Biểu 2024", exact=True).click()
    page.locator("#ND3 summary").click()
    line = page.locator("#ND3 tbody tr", has_text="Xã Ngọc Phụng")
    assert line.locator("td.n").all_inner_texts()[:3] == ["4.795", "5.205", "92,1%"]


def test_nothing_is_fetched_from_outside_and_no_link_is_dead(sample_night: SampleNight, page: Page) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    links: set[str] = set()
    for name in ("index.html", "bieu-2024.html", "doi-soat-phi.html", "data_docs/index.html"):
        page.goto(address(sample_night, name))
        assert page.locator("script").count() == 0
        links |= set(page.locator("a[href]").evaluate_all("all => all.map(a => a.href)"))
    assert all(url.startswith("file:") for url in asked)
    assert not [link for link in links if not Path(unquote(urlsplit(link).path)).exists()]


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
    page.goto(address(sample_night, "index.html"))
    page.get_by_role("link", name="Đối soát phí").click()
    assert page.locator("h1").inner_text() == "Đối soát phí, lệ phí nộp trực tuyến"
    expected = fees_of_the_samples()
    assert all(expected.values())  # the samples show every way in which both sides can differ
    cards = {card.inner_text().split("\n")[1]: int(card.locator("b").inner_text()) for card in page.locator(".cards li").all()[1:]}
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
    with (sample_night.home / "site" / "doi-soat-phi.csv").open(encoding="utf-8-sig", newline="") as file:
        listed = list(csv.DictReader(file))
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
    for selector in ("h1", ".lead", "td.message", "nav a", ".scroll thead th"):
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
    for name in ("index.html", "doi-soat-phi.html"):
        page.goto(address(sample_night, name))
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, name
    context.close()


def contrast(one: str, other: str) -> float:
    def luminance(colour: str) -> float:
        channels = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
        red, green, blue = (c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)
