"""The steward site as a browser shows it: complete, without scripts, without anything from outside, readable by day and by night."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.conftest import SampleNight

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
    for name in ("index.html", "bieu-2024.html", "data_docs/index.html"):
        page.goto(address(sample_night, name))
        assert page.locator("script").count() == 0
        links |= set(page.locator("a[href]").evaluate_all("all => all.map(a => a.href)"))
    assert all(url.startswith("file:") for url in asked)
    assert not [link for link in links if not Path(unquote(urlsplit(link).path)).exists()]


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
    page.goto(address(sample_night, "index.html"))
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    context.close()


def contrast(one: str, other: str) -> float:
    def luminance(colour: str) -> float:
        channels = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
        red, green, blue = (c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)
