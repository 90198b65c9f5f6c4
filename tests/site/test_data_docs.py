"""Data Docs of a night as a browser shows them, served as the desk serves them: under a policy that forbids all but what lies there."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import urldefrag

import pytest
import yaml
from playwright.sync_api import Browser, Page
from sqlalchemy import Engine

from flows.nightly import night
from flows.steps import WITHOUT_PREFECT
from tasks.validate.data_docs import DataDocs
from tests.nights import KEY, SAMPLES
from warehouse.settings import Settings

POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'"
HOSTILE = "evn_<img src=x onerror=alert(1)>_202403.csv"


def written(path: Path, header: list[str], rows: list[dict[str, str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, header, extrasaction="ignore")
        table.writeheader()
        table.writerows(rows)


def inbox(folder: Path) -> dict[str, str]:
    """Files of each kind, and what is to be said of each."""
    sample = SAMPLES.parent / "inbox" / "evn" / "evn_mau_202403.csv"
    rows = list(csv.DictReader(sample.read_text("utf-8-sig").splitlines()))[:60]
    header = list(rows[0])
    dearer = {**rows[7], "TONG_TIEN": str(int(rows[7]["TONG_TIEN"]) + 1)}
    written(folder / HOSTILE, header, rows)
    written(folder / "evn_202404.csv", header, [{**row, "THANG": "4", "ID_HDON": f"4{row['ID_HDON']}"} for row in [*rows[:7], dearer]])
    nowhere = [{**row, "MA_DVHC": "99999", "THANG": "5", "ID_HDON": f"5{row['ID_HDON']}"} for row in rows]
    written(folder / "evn_202405.csv", header, nowhere)
    written(folder / "evn_202406.csv", [name for name in header if name != "TONG_TIEN"], rows)
    broken = [{**row, "TONG_TIEN": "1", "THANG": "7"} for row in rows]
    written(folder / "evn_202407.csv", header, broken)
    return {
        HOSTILE: "đạt",
        "evn_202404.csv": "có cảnh báo",
        "evn_202405.csv": "để riêng tất cả",
        "evn_202406.csv": "từ chối",
        "evn_202407.csv": "từ chối",
    }


class Handler(SimpleHTTPRequestHandler):
    """Serves files as the desk does."""

    def end_headers(self) -> None:
        """Adds the policy of the desk."""
        self.send_header("Content-Security-Policy", POLICY)
        super().end_headers()

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory, engine_of_module: Engine) -> tuple[Path, dict[str, str]]:
    """The home of two nights with one report, as a backfill makes it, and what its pages have to say of each file."""
    home = tmp_path_factory.mktemp("home")
    (home / "inbox").mkdir()
    said = inbox(home / "inbox")
    source = {"name": "evn", "feed": "bills", "layout": "evn_csv", "provider": "evn", "expected": "monthly", "title": "Hóa đơn tiền điện"}
    (home / "sources.yaml").write_text(yaml.safe_dump({"sources": [{**source, "url": "inbox/*.csv"}]}), "utf-8")
    settings, docs = Settings(home, None, home / "sources.yaml", KEY.encode()), DataDocs(home / "data_docs")
    for until, steps in ((date(2024, 5, 15), replace(WITHOUT_PREFECT, report=None)), (date(2024, 12, 31), WITHOUT_PREFECT)):
        assert night(settings, engine_of_module, until, steps=steps, docs=docs).problems == []
    return home, said


@pytest.fixture(scope="module")
def address(expected: tuple[Path, dict[str, str]]) -> Iterator[str]:
    """Where the edition of the night is served."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(expected[0] / "site"))) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def walked(page: Page, start: str) -> list[str]:
    """Every page of Data Docs that can be reached from the start page, each opened; all other links are asked for, too."""
    seen: list[str] = []
    waiting = [start]
    while waiting:
        where = waiting.pop()
        if where in seen:
            continue
        seen.append(where)
        answer = page.goto(where)
        assert answer is not None
        assert answer.ok, where
        links = page.locator("a[href]").evaluate_all("all => all.map(a => a.href)")
        waiting += [urldefrag(link).url for link in links if "/data_docs/" in link]
        others = {urldefrag(link).url for link in links if "/data_docs/" not in link}
        assert all(page.request.get(other).ok for other in others), others
    return seen


def test_every_page_opens_under_the_policy_without_a_complaint_and_asks_for_nothing_else(
    page: Page, address: str, expected: tuple[Path, dict[str, str]]
) -> None:
    complaints: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: complaints.append(f"{message.location['url']}: {message.text}"))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("dialog", lambda dialog: complaints.append(dialog.message))
    page.on("request", lambda request: asked.append(request.url))
    found = walked(page, f"{address}data_docs/index.html")
    assert len(found) == len(list((expected[0] / "data_docs").rglob("*.html"))) == len(expected[1]) + 2
    assert {url.removeprefix(address) for url in asked if not url.endswith("favicon.ico")} == {
        *(url.removeprefix(address) for url in found),
        "data_docs/data_docs.css",
    }
    assert [complaint for complaint in complaints if not complaint.startswith(f"{address}favicon.ico")] == []


def test_start_page_night_and_delivery_say_of_each_file_what_became_of_it(
    page: Page, address: str, expected: tuple[Path, dict[str, str]]
) -> None:
    home, said = expected
    colours = {}
    page.goto(f"{address}data_docs/index.html")
    for file, word in said.items():
        on_start = page.locator("tr", has=page.get_by_role("link", name=file, exact=True))
        assert on_start.count() == (word != "đạt")
        if word != "đạt":
            assert on_start.locator(".badge").inner_text().endswith(f" {word}")
    page.get_by_role("link", name="Xem cả 5 tệp").click()
    for file, word in said.items():
        row = page.locator("tr", has=page.get_by_role("link", name=file, exact=True))
        assert row.locator(".badge").inner_text().endswith(f" {word}")
        row.get_by_role("link").click()
        assert page.locator("h1").inner_text() == file
        badge = page.locator(".verdict .badge")
        assert badge.inner_text().endswith(f" {word}")
        colours[word] = badge.evaluate("one => getComputedStyle(one).color")
        page.go_back()
    assert colours["từ chối"] == colours["để riêng tất cả"]
    assert len(set(colours.values())) == 3
    assert len([*home.glob("data_docs/[0-9]*/[0-9]*.html")]) == len(said)


def test_no_value_of_a_row_is_on_any_page(expected: tuple[Path, dict[str, str]]) -> None:
    home, _ = expected
    rows = [row for file in (home / "inbox").iterdir() for row in csv.DictReader(file.read_text("utf-8").splitlines())]
    values = {row[name] for row in rows for name in ("ID_HDON", "MA_KHANG", "TEN_KHANG", "DCHI_KHANG")} - {""}
    assert len(values) > 60
    for page in (home / "data_docs").rglob("*.*"):
        told = page.read_text("utf-8")
        assert not [value for value in values if value in told], page


def test_the_way_back_to_the_steward_s_pages_is_one_click(page: Page, address: str) -> None:
    page.goto(f"{address}data_docs/index.html")
    page.get_by_role("link", name="Ba Không").click()
    assert page.url == f"{address}index.html"


def test_a_keyboard_passes_over_the_head_of_a_page(page: Page, address: str) -> None:
    page.goto(f"{address}data_docs/index.html")
    page.keyboard.press("Tab")
    assert page.locator(":focus").inner_text() == "Đến nội dung"
    assert page.locator(":focus").evaluate("one => one.getBoundingClientRect().left") >= 0
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.locator("main :focus").count() == 1


@pytest.mark.parametrize("width", [390, 1366])
def test_nothing_lies_beside_the_screen_or_out_of_its_cell(browser: Browser, address: str, width: int) -> None:
    context = browser.new_context(viewport={"width": width, "height": 768})
    page = context.new_page()
    for where in walked(page, f"{address}data_docs/index.html"):
        page.goto(where)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, where
        wide = page.locator("table, td, th, dd, h1, .badge").evaluate_all(
            "all => all.filter(one => one.clientWidth && one.scrollWidth > one.clientWidth + 1).map(one => one.textContent)"
        )
        assert wide == [], where
        small = page.locator("a:visible").evaluate_all("all => all.filter(one => one.getBoundingClientRect().height < 24).length")
        assert small == 0, where  # WCAG 2.2, 2.5.8
    context.close()


def test_paper_takes_the_whole_table_in_black_on_white(browser: Browser, address: str) -> None:
    context = browser.new_context(color_scheme="dark")
    page = context.new_page()
    page.emulate_media(media="print", color_scheme="dark")
    page.goto(f"{address}data_docs/index.html")
    assert page.locator("header").is_hidden()
    assert page.locator("body").evaluate("one => [getComputedStyle(one).color, getComputedStyle(one).backgroundColor]") == [
        "rgb(0, 0, 0)",
        "rgb(255, 255, 255)",
    ]
    context.close()
