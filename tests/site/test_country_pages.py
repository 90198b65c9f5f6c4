"""The pages of the whole country, of which one province's edition is in: what is there, what is missing, and no dead link."""

from __future__ import annotations

import csv
import io
import socket
from collections.abc import Iterator
from datetime import date
from zipfile import ZipFile

import lxml.html
import openpyxl
import pytest
from playwright.sync_api import Page, ViewportSize
from sqlalchemy import Engine

from desk import accounts
from desk.web.app import application
from desk.web.serve import served
from flows.nightly import night
from flows.steps import WITHOUT_PREFECT
from tasks.report.csv_file import DELIMITER, ENCODING
from tasks.words import vietnamese as vi
from tests.nights import KEY
from tests.provinces import write_province
from tests.site.test_desk import PASSWORD, Served, kind, sign_in, walk
from warehouse.country import provinces, units_of
from warehouse.database import connect
from warehouse.embedded import Server
from warehouse.settings import Settings

LAI_CHAU = "12"
YEAR = "2025"
UNITS = [row for row in units_of(LAI_CHAU) if row["valid_from"] <= "2025-12-31" and row["valid_to"] >= "2025-01-01"]
"""The province's units in the year, those before the reform of 1 July among them."""
SOURCES = """provinces: all
sample: true
sources:
- {name: lai-chau, feed: editions, layout: open_data, provider: "12", url: shelf, expected: yearly}
"""


@pytest.fixture(scope="module")
def desk(server: Server, engine_of_module: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The desk of a country after a night on the year that one province signed."""
    home = tmp_path_factory.mktemp("country")
    write_province(home / "shelf", LAI_CHAU, [YEAR])
    (home / "sources.yaml").write_text(SOURCES, "utf-8")
    settings = Settings(home=home, warehouse_url=None, sources=home / "sources.yaml", secret_key=KEY.encode())
    night(settings, engine_of_module, date(2026, 2, 20), steps=WITHOUT_PREFECT)
    with engine_of_module.begin() as connection:
        connection.exec_driver_sql(f"ALTER ROLE bakhong_steward LOGIN PASSWORD '{server.passwords['steward']}'")
        accounts.add(connection, "ministry", "Bộ", "steward", PASSWORD, None, "root")
        accounts.add(connection, "province", "Tỉnh", "viewer", PASSWORD, LAI_CHAU, "root")
    steward = connect(server.url("steward", str(engine_of_module.url.database)))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        address = f"http://127.0.0.1:{listening.getsockname()[1]}/"
        with served(application(steward, settings), listening, ["127.0.0.2"], steward):
            yield Served(address, settings)
    steward.dispose()


@pytest.fixture
def viewport() -> ViewportSize:
    return {"width": 390, "height": 844}


def static(desk: Served, name: str) -> str:
    return (desk.settings.home / "site" / f"{name}.html").as_uri()


def test_every_page_shows_fits_a_phone_and_leads_nowhere_that_is_not_there(desk: Served, page: Page) -> None:
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(f"{message.location['url']}: {message.text}"))
    sign_in(page, desk, "ministry")
    kinds = set()
    for address in walk(page, desk):
        kinds.add(kind(address).removeprefix(desk.address))
        assert page.locator("h1").count() == 1, address
        assert page.locator("table:not(:has(caption)), th:not([scope]), [style], img:not([alt])").count() == 0, address
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, address
    assert [one for one in complaints if "favicon" not in one] == []
    assert {"cac-tinh", "bieu/2025", "bieu/2025/…", "bieu/2025/don-vi/…", "bieu/2025/…/…"} <= kinds
    assert "da-cong-bo" not in kinds  # no figures that others printed are taken here


def test_of_every_province_it_is_told_whether_its_edition_is_in(desk: Served, page: Page) -> None:
    page.goto(static(desk, "cac-tinh"))
    assert page.locator(".cards li").nth(2).inner_text() == "1/34 tỉnh có bản ký năm 2025"
    assert "Năm 2025 còn thiếu 33 tỉnh: Thành phố Hà Nội, Tỉnh Cao Bằng," in page.locator("main").inner_text()
    rows = page.locator(".gathered tbody tr")
    assert rows.count() == 34
    there = rows.filter(has_text="Tỉnh Lai Châu").locator("td").last
    assert there.inner_text() == "1"
    assert there.get_attribute("title") == "Bản 1, ký ngày 05/01/2026"
    assert page.locator(".gathered td.absent").count() == 34 * (12 + 4 + 3) - 1
    assert page.locator(".gathered thead tr").last.locator("td").last.inner_text() == "1/34"


def test_a_years_page_leads_with_the_country_and_names_who_is_missing(desk: Served, page: Page) -> None:
    page.goto(static(desk, "index"))
    page.get_by_role("link", name="Biểu", exact=True).click()
    page.get_by_role("link", name="Biểu 2025", exact=True).click()
    told = page.locator(".box.warn").inner_text()
    assert told.startswith("Năm 2025: có bản ký của 1/34 tỉnh, còn thiếu: Thành phố Hà Nội,")
    assert "và 28 tỉnh khác" in told
    assert "Kết quả của Cả nước" in page.locator("caption").first.inner_text()
    assert page.locator("#don-vi + .scroll tbody th").all_inner_texts() == ["Cả nước", "Tỉnh Lai Châu"]


def test_a_commune_is_found_in_the_whole_country(desk: Served, page: Page) -> None:
    sign_in(page, desk, "ministry")
    page.goto(f"{desk.address}bieu/{YEAR}")
    page.get_by_role("link", name="Tìm xã, phường trong cả nước").click()
    page.get_by_label("Tìm đơn vị").fill("muong than")
    found = page.locator("tbody tr:visible", has_text="Tỉnh Lai Châu").get_by_role("link")
    found.last.click()
    assert page.locator("h1").inner_text() == "Xã Mường Than – Năm 2025"


def test_a_provinces_page_has_its_communes_beside_each_other(desk: Served, page: Page) -> None:
    page.goto(static(desk, f"bieu/{YEAR}/don-vi/{LAI_CHAU}"))
    tables = page.locator("#truc-thuoc ~ .scroll table")
    assert tables.count() == 3
    below = sum(row["parent_code"] == LAI_CHAU for row in UNITS)  # its communes, and the districts that there were
    assert {table.locator("tbody tr").count() for table in tables.all()} == {below}
    page.goto(static(desk, f"bieu/{YEAR}/don-vi/VN"))
    assert page.locator("#truc-thuoc ~ .scroll").first.locator("tbody th").all_inner_texts() == ["Tỉnh Lai Châu"]
    page.get_by_role("link", name="Tỉnh Lai Châu").first.click()
    assert page.locator("h1").inner_text() == "Tỉnh Lai Châu – Năm 2025"


def test_a_number_of_the_country_names_the_provinces_in_it(desk: Served, page: Page) -> None:
    sign_in(page, desk, "ministry")
    page.goto(f"{desk.address}bieu/{YEAR}/CQ4/VN")
    of_provinces = page.locator("#cac-tinh + p").inner_text()
    assert of_provinces.startswith("Có số của 1/34 tỉnh. Chưa gửi bản ký của kỳ: Thành phố Hà Nội,")
    page.get_by_text("Số của từng tỉnh").click()
    assert page.locator("details tbody tr", has_text="Tỉnh Lai Châu").locator("td").first.inner_text() == "Bản 1, 05/01/2026"
    page.goto(f"{desk.address}bieu/{YEAR}/CQ4/{LAI_CHAU}")
    assert page.locator("#cac-tinh").count() == 0


def test_what_is_taken_along_of_the_country_has_its_provinces(desk: Served, page: Page) -> None:
    sign_in(page, desk, "ministry")
    book = openpyxl.load_workbook(io.BytesIO(page.request.get(f"{desk.address}bieu/{YEAR}/don-vi/VN.xlsx").body()))
    assert [cell.value for cell in book["Biểu 1"]["B"][5:7]] == ["Cả nước", "Tỉnh Lai Châu"]
    told = page.request.get(f"{desk.address}bieu/{YEAR}/don-vi/VN.csv").body().decode(ENCODING)
    assert {row["Mã ĐVHC"] for row in csv.DictReader(io.StringIO(told), delimiter=DELIMITER)} == {"VN", LAI_CHAU}
    told = page.request.get(f"{desk.address}bieu/{YEAR}/CQ4.csv").body().decode(ENCODING)
    assert {row["Mã ĐVHC"] for row in csv.DictReader(io.StringIO(told), delimiter=DELIMITER)} == {"VN", *(row["code"] for row in UNITS)}


def test_an_account_of_a_province_has_all_its_units_on_the_page_of_a_year_and_no_others(desk: Served, page: Page) -> None:
    sign_in(page, desk, "province")
    page.goto(f"{desk.address}bieu/{YEAR}")
    assert set(page.locator("#don-vi ~ .scroll tbody td:first-child").all_inner_texts()) == {row["code"] for row in UNITS}
    for place, status in ((f"bieu/{YEAR}/don-vi", 404), (f"bieu/{YEAR}/don-vi/VN", 404), (f"bieu/{YEAR}/CQ4", 200), ("cac-tinh", 200)):
        assert page.request.get(desk.address + place).status == status, place


def test_of_communes_the_folder_has_no_pages_and_no_dead_links(desk: Served) -> None:
    site = desk.settings.home / "site"
    assert sorted(path.stem for path in (site / "bieu" / YEAR / "don-vi").iterdir()) == [LAI_CHAU, "VN"]
    for path in [one for one in site.rglob("*.html") if one.relative_to(site).parts[0] not in ("data_docs", "open-data")]:
        tree = lxml.html.parse(str(path))
        loaded = {address.split("#")[0] for address in tree.xpath("//a/@href|//link/@href|//script/@src")}
        assert not [one for one in loaded if one and not (path.parent / one).exists()], path


def test_the_workbook_has_the_country_and_its_provinces_and_the_csv_every_unit(desk: Served) -> None:
    site = desk.settings.home / "site"
    book = openpyxl.load_workbook(site / f"ba-khong-{YEAR}.xlsx")
    cover = " ".join(str(cell.value) for row in book["Bìa"].rows for cell in row if cell.value)
    missing = ", ".join(name for code, name in provinces().items() if code != LAI_CHAU)
    assert f"Có bản ký của 1/34 tỉnh, còn thiếu: {missing}." in cover
    assert "Số của mỗi tỉnh giữ nguyên như tỉnh đã ký" in cover
    assert [cell.value for cell in book["Biểu 1"]["B"][5:7]] == ["Cả nước", "Tỉnh Lai Châu"]
    assert {cell.value for cell in book["Số liệu"]["E"][4:]} == {"Cả nước", "Tỉnh Lai Châu"}
    with ZipFile(site / f"ba-khong-{YEAR}.csv.zip") as packed:
        values = list(csv.DictReader(io.StringIO(packed.read(f"ba-khong-{YEAR}.csv").decode(ENCODING)), delimiter=DELIMITER))
    assert {row["Mã ĐVHC"] for row in values} == {"VN", *(row["code"] for row in UNITS)}
    of_country = next(row for row in values if row["Mã ĐVHC"] == "VN" and row["Mã chỉ tiêu"] == "CQ4")
    assert (of_country["Số tỉnh hoặc xã có số liệu"], of_country["Số tỉnh hoặc xã phải gửi"]) == ("1", "34")
    assert vi.NOTHING not in of_country.values()
