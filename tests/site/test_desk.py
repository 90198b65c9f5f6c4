"""The desk in a real browser, run by a login with the steward's role alone: every page as each role, nothing from outside, no dead link,
no one does what they may not."""

from __future__ import annotations

import csv
import hashlib
import io
import re
import socket
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from urllib.parse import quote

import httpx
import openpyxl
import pytest
import yaml
from playwright.sync_api import Browser, Page, ViewportSize
from sqlalchemy import Engine, text

from desk import accounts
from desk.web.app import ROUTES, application
from desk.web.serve import served
from flows.nightly import night
from flows.steps import WITHOUT_PREFECT
from tasks.report.csv_file import DELIMITER, ENCODING
from tests.clients import client_of
from tests.nights import KEY, SAMPLES, few_sources
from warehouse.database import connect
from warehouse.embedded import Server
from warehouse.settings import Settings

PASSWORD = "thùng thư màu xanh"
ROLES = ("viewer", "steward", "approver")
HOSTILE = "td_<img src=x onerror=alert(1)>_😀_20240229.csv"
TURNED = "td_\u202efdp_20240131.csv"
LONG = f"td_{'rất_dài_' * 20}_20240331.csv"
EACH = 2
"""Pages of one kind that are looked at."""


@dataclass(frozen=True)
class Served:
    """The desk at its address."""

    address: str
    settings: Settings


@pytest.fixture(scope="module")
def desk(server: Server, engine_of_module: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The desk over a night on a few of the samples and two files with hostile names, under a path, as behind a proxy."""
    home = tmp_path_factory.mktemp("desk")
    sources = yaml.safe_load(few_sources(home).read_text("utf-8"))
    inbox = home / "inbox"
    inbox.mkdir()
    dossiers = (SAMPLES.parent / "inbox" / "one-stop-shop" / "td_mau_20240131.csv").read_text("utf-8-sig").splitlines()
    for name, code in ((HOSTILE, "<script>alert(2)</script>"), (LONG, "77"), (TURNED, "78")):
        cells = dossiers[1].split(",")
        cells[19] = code  # its status
        (inbox / name).write_text("\n".join([*dossiers, ",".join(cells)]), "utf-8-sig")
    one_stop_shop = next(source for source in sources["sources"] if source["name"] == "one-stop-shop")
    sources["sources"] += [{**one_stop_shop, "name": "hostile", "url": f"{inbox}/*.csv", "title": "<b>Nguồn</b> thù địch"}]
    sources["sources"] += [{**one_stop_shop, "name": "gone", "url": f"{home}/nowhere/*.csv", "title": "Nguồn đã mất"}]
    (home / "sources.yaml").write_text(yaml.safe_dump(sources), "utf-8")
    settings = Settings(home=home, warehouse_url=None, sources=home / "sources.yaml", secret_key=KEY.encode())
    night(settings, engine_of_module, date(2025, 5, 5), steps=WITHOUT_PREFECT)
    with engine_of_module.begin() as connection:
        connection.exec_driver_sql(f"ALTER ROLE bakhong_steward LOGIN PASSWORD '{server.passwords['steward']}'")
        for role in ROLES:
            accounts.add(connection, role, f"<i>{role}</i>", role, PASSWORD, None, "root")
        accounts.add(connection, "commune", "Xã", "viewer", PASSWORD, "15655", "root")
    steward = connect(server.url("steward", str(engine_of_module.url.database)))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        address = f"http://127.0.0.1:{listening.getsockname()[1]}/ba-khong/"
        with served(application(steward, settings, "/ba-khong"), listening, ["127.0.0.2"], steward):
            yield Served(address, settings)
    steward.dispose()


@pytest.fixture
def viewport() -> ViewportSize:
    return {"width": 1366, "height": 768}


def sign_in(page: Page, desk: Served, name: str) -> None:
    page.goto(desk.address)
    page.get_by_label("Tên đăng nhập").fill(name)
    page.get_by_label("Mật khẩu").fill(PASSWORD)
    page.get_by_role("button", name="Đăng nhập").click()
    assert page.url == desk.address


def kind(address: str) -> str:
    """An address without what is one of many in it."""
    address = re.sub(r"/(\d{4})-\w+(?=/)", r"/\1-…", address.split("?", maxsplit=1)[0])
    address = re.sub(r"/don-vi/[^/]+/(06a|766)$", r"/don-vi/…/\1", address)
    address = re.sub(r"/bieu/(\d{4}(?:-…)?)/(?!don-vi/|hien-nay/)[^/]+/[^/]+$", r"/bieu/\1/…/…", address)
    return re.sub(r"/(nguon|lan-gui|cac-dem|quy-tac|da-cong-bo|don-vi|bieu/\d{4}(?:-…|/hien-nay)?)/[^/]+$", r"/\1/…", address)


def walk(page: Page, desk: Served) -> Iterator[str]:
    """Every page that links lead to, a few of each kind, each while it is shown; a link that is dead fails."""
    waiting, known, looked_at = [desk.address], {desk.address}, Counter[str]()
    while waiting:
        address = waiting.pop(0)
        looked_at[kind(address)] += 1
        if looked_at[kind(address)] > EACH:
            continue
        answer = page.goto(address)
        assert answer is not None
        assert answer.status == 200, address
        yield address
        links = page.locator("a[href]").evaluate_all("all => all.map(a => (a.href.baseVal ?? a.href).split('#')[0])")
        found = [httpx.URL(address).join(link) for link in dict.fromkeys(links)]
        new = [str(link) for link in found if str(link) not in known and not link.path.endswith((".xlsx", ".csv", ".zip"))]
        known.update(new)
        waiting += new


@pytest.mark.parametrize("role", [*ROLES, "commune"])
def test_every_page_shows_without_a_word_of_complaint(desk: Served, page: Page, role: str) -> None:
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(f"{message.location['url']}: {message.text}"))
    page.on("pageerror", lambda error: complaints.append(f"{page.url}: {error}"))
    page.on("dialog", lambda dialog: complaints.append(f"{page.url}: {dialog.message}"))
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    sign_in(page, desk, role)
    kinds = set()
    for address in walk(page, desk):
        kinds.add(kind(address).removeprefix(desk.address))
        assert page.locator("h1").count() == 1, address
        assert page.locator("table:not(:has(caption)), th:not([scope]), [style], img:not([alt])").count() == 0, address
        acts = set(page.locator("main form[method=post]").evaluate_all("all => all.map(form => form.action)"))
        of_role = {"viewer": "tai-khoan", "commune": "tai-khoan", "steward": "tai-khoan|viec-can-lam/.+"}
        may = of_role.get(role, "tai-khoan|viec-can-lam/.+|cong-bo(/ky)?")
        assert all(re.fullmatch(may, act.removeprefix(desk.address)) for act in acts), address
    icon = f"{desk.address.removesuffix('ba-khong/')}favicon.ico"  # which a browser asks for by itself, of pages that name none
    assert [complaint for complaint in complaints if not complaint.startswith(icon)] == []
    assert not [url for url in asked if not url.startswith((desk.address, icon))]
    of_all = {
        "",
        "viec-can-lam",
        "cong-bo",
        "nguon",
        "nguon/…",
        "lan-gui/…",
        "bieu",
        "bieu/2024",
        "bieu/2024/…",
        "bieu/2024/don-vi/…",
        "bieu/2024/…/…",
        "bieu/2024-…/don-vi/…",
        "bieu/2024/don-vi/…/766",
        "so-sanh",
        "cac-dem",
        "quy-tac",
    }
    assert of_all <= kinds
    assert role == "viewer" or "bieu/2024/don-vi/…/06a" in kinds  # the public has the province's alone
    assert ("nhat-ky" in kinds) == (role in ("steward", "approver"))


def test_every_route_takes_a_role_but_signing_in_and_those_of_machines() -> None:
    open_to_all = [route.path for route in ROUTES if route.endpoint.role is None]
    machines = ["/healthz", "/livez", "/metrics", "/open-data", "/open-data/{name:path}"]
    assert sorted(set(open_to_all)) == ["/dang-nhap", *machines, "/static/{digest}/{name}"]
    assert {route.endpoint.role for route in ROUTES} == {None, "viewer", "steward", "approver"}


def test_hostile_names_stay_text(desk: Served, page: Page) -> None:
    sign_in(page, desk, "viewer")
    page.goto(f"{desk.address}nguon/hostile")
    assert page.locator("h1").inner_text() == "<b>Nguồn</b> thù địch"
    shown = page.locator("td.file").all_inner_texts()
    assert sorted(shown) == sorted([HOSTILE, LONG])
    assert "U+202E" in page.locator("main").inner_text()  # told, and not taken
    assert "\u202e" not in page.content()
    assert page.locator(".who a", has_text="<i>viewer</i>").count() == 1


def test_a_number_says_how_it_came_about(desk: Served, page: Page) -> None:
    sign_in(page, desk, "viewer")
    page.goto(f"{desk.address}bieu/2024/don-vi/15655")
    row = page.locator("tr", has=page.get_by_role("rowheader", name="CQ4", exact=True))
    row.locator("td.n b a").click()
    assert page.url == f"{desk.address}bieu/2024/CQ4/15655"
    main = page.locator("main")
    assert "Xã Ngọc Phụng (15655" in main.inner_text()
    assert HOSTILE in main.inner_text()  # of a file, and not a command
    assert page.locator("main script, main img[src=x]").count() == 0
    heads = ["dinh-nghia", "trich-dan", "de-rieng", "sua-doi", "ban-ky", "tep", "trong-nam"]
    assert main.locator("h2").evaluate_all("all => all.map(one => one.id)") == heads
    assert page.locator(".cite").inner_text().startswith("Tỉnh Thanh Hóa, Ba Không")
    page.goto(f"{desk.address}bieu/2024/CQ4/396")  # of which the last of the hostile files has a row that was set aside
    aside = page.locator("#de-rieng ~ .scroll").first
    assert LONG in aside.inner_text()
    assert aside.get_by_role("link", name="DOS-002").count() == 1


def test_a_number_of_another_unit_is_not_for_an_account_that_is_confined(desk: Served, page: Page) -> None:
    sign_in(page, desk, "commune")
    for place, status in (("CQ4/15655", 200), ("CQ4/15637", 404), ("CQ4/38", 404), ("CQ4/99999", 404), ("XYZ/15655", 404)):
        answer = page.goto(f"{desk.address}bieu/2024/{place}")
        assert answer is not None
        assert answer.status == status, place


def test_no_page_is_wider_than_a_phone(desk: Served, browser: Browser) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844})
    page = context.new_page()
    sign_in(page, desk, "steward")
    wide = [address for address in walk(page, desk) if page.evaluate("document.documentElement.scrollWidth") > 390]
    assert wide == []
    context.close()


def test_tonight_fits_on_one_screen(desk: Served, page: Page) -> None:
    sign_in(page, desk, "steward")
    assert page.locator(".board").evaluate("board => board.getBoundingClientRect().bottom") <= 768
    assert "Nguồn đã mất" in page.locator("#can-lam").inner_text()


def test_a_night_that_did_not_take_all_is_not_green_and_each_thing_to_do_has_its_button(desk: Served, page: Page) -> None:
    sign_in(page, desk, "steward")
    assert page.locator(".title .tag").inner_text() == "xong, có việc cần xem"
    things = page.locator(".to-do li")
    assert things.count() == page.locator(".to-do li a.button").count() > 1
    gone = things.filter(has_text="Nguồn đã mất").get_by_role("link", name="Xem")
    assert gone.get_attribute("href") == "/ba-khong/nguon/gone"
    aside = things.filter(has_text="DOS-002").first
    aside.get_by_role("link", name="Quyết định").click()
    assert "/viec-can-lam" in page.url
    assert page.locator("main h1, main td, main th", has_text="DOS-002").count() > 0


def test_rows_set_aside_show_the_cell_as_it_was_sent(desk: Served, page: Page) -> None:
    sign_in(page, desk, "steward")
    page.goto(f"{desk.address}dong?quy-tac=DOS-002")
    cells = page.locator("tbody tr").evaluate_all("rows => rows.map(row => row.cells[6].innerText)")
    assert {"77", "78"} & set(cells), "the status that no such list has"


def test_what_is_pressed_is_large_enough(desk: Served, page: Page) -> None:
    sign_in(page, desk, "steward")
    for place in ("", "nguon", "bieu/2024"):
        page.goto(desk.address + place)
        low = page.locator("nav a, .who a, button, summary, input:not([type=hidden]), td a, .cards a").evaluate_all(
            "all => all.filter(one => one.getBoundingClientRect().height < 23.9 && one.offsetParent).map(one => one.outerHTML)"
        )
        assert low == [], place  # WCAG 2.2, 2.5.8


def test_tables_sort_and_filter(desk: Served, page: Page) -> None:
    sign_in(page, desk, "viewer")
    page.goto(f"{desk.address}bieu/2024/ND3")
    results = page.locator("tbody tr td:nth-child(5)")
    as_written = [text for text in results.all_inner_texts() if text != "–"]
    values = sorted((float(text.removesuffix("%").replace(",", ".")) for text in as_written), reverse=True)
    head = page.get_by_role("button", name="Kết quả")
    head.click()
    head.click()
    assert page.locator("th[aria-sort=descending]").inner_text().startswith("Kết quả")
    shown = [text for text in results.all_inner_texts() if text != "–"]
    assert [float(text.removesuffix("%").replace(",", ".")) for text in shown] == values
    assert results.all_inner_texts()[: len(values)] == shown  # what has no value comes last, both ways
    page.get_by_label("Tìm đơn vị").fill("ngoc phung")  # without accents, as one types
    assert page.locator("tbody tr:visible th").all_inner_texts() == ["Xã Ngọc Phụng"]


def test_rows_set_aside_are_found_as_one_types(desk: Served, page: Page) -> None:
    sign_in(page, desk, "viewer")
    page.goto(f"{desk.address}dong")
    everything = page.get_by_role("status").inner_text()
    page.get_by_label("Quy tắc").press_sequentially("dos-002")
    page.wait_for_url("**/dong?**quy-tac=dos-002**")
    rows = page.locator("#rows tbody tr")
    assert {row.locator("td").nth(3).inner_text() for row in rows.all()} == {"DOS-002"}
    assert page.get_by_role("status").inner_text() == f"{rows.count()} dòng." != everything
    page.reload()
    assert rows.count() == int(page.get_by_role("status").inner_text().split()[0])


def test_pages_can_be_read_without_scripts(desk: Served, browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    sign_in(page, desk, "viewer")
    page.goto(f"{desk.address}bieu/2024/ND3")
    assert page.locator("tbody tr", has_text="Xã Ngọc Phụng").locator("td.n").all_inner_texts()[:3] == ["4.795", "5.205", "92,1%"]
    assert page.locator("main button, main input").count() == 0  # nothing that would do nothing
    context.close()


def test_the_desk_shows_what_the_static_edition_shows(desk: Served, page: Page) -> None:
    sign_in(page, desk, "viewer")
    for place in ("nguon", "nguon/hostile", "quy-tac", "bieu/2024", "da-cong-bo"):
        page.goto(desk.address + place)
        at_the_desk = page.locator("main").inner_text()
        page.goto((desk.settings.home / "site" / f"{place}.html").as_uri())
        assert page.locator("main").inner_text() == at_the_desk, place


def test_an_account_of_a_commune_sees_its_tables_and_no_others(desk: Served, page: Page) -> None:
    sign_in(page, desk, "commune")
    page.goto(f"{desk.address}bieu/2024/ND3")
    assert page.locator("tbody tr").count() == 1
    for place in ("bieu/2024/don-vi/396", "bieu/2024/don-vi/15607", "tep/ba-khong-2024.xlsx", "doi-soat-phi"):
        assert page.request.get(desk.address + place).status == 404, place
    page.goto(f"{desk.address}lan-gui/1")
    assert "chỉ xem được dòng của đơn vị mình" in page.locator("main").inner_text()
    page.goto(f"{desk.address}quy-tac/DOS-002")
    assert page.locator("td.message").count() == 0


def client(desk: Served, name: str | None = None) -> tuple[httpx.Client, str]:
    return client_of(desk.address, name, PASSWORD)


def test_a_viewer_may_not_ask_for_what_takes_another_role(desk: Served) -> None:
    viewer, _ = client(desk, "viewer")
    assert viewer.get("nhat-ky").status_code == 403
    steward, _ = client(desk, "steward")
    assert steward.get("nhat-ky").status_code == 200
    nobody, _ = client(desk)
    answer = nobody.get("nguon/hostile")
    assert (answer.status_code, answer.headers["location"]) == (303, "/ba-khong/dang-nhap?next=/nguon/hostile")
    assert nobody.get("tep/ba-khong-2024.xlsx").status_code == 303
    assert nobody.get("nguon", headers={"HX-Request": "true"}).headers["hx-redirect"] == "/ba-khong/dang-nhap?next=/nguon"


@pytest.mark.parametrize(
    "forged",
    [{"Origin": "http://evil.example"}, {"Origin": "null"}, {"Origin": ""}, {"Origin": "", "Referer": "http://evil.example/127.0.0.1"}],
)
def test_a_form_of_another_site_is_refused(desk: Served, forged: dict[str, str]) -> None:
    opened, token = client(desk, "viewer")
    assert opened.post("dang-xuat", data={"form_token": token}, headers=forged).status_code == 403
    assert opened.get("").status_code == 200  # still signed in


def test_a_form_without_its_token_or_with_that_of_another_is_refused(desk: Served) -> None:
    opened, token = client(desk, "viewer")
    _, of_another = client(desk, "viewer")
    for wrong in ("", "x", of_another):
        assert opened.post("dang-xuat", data={"form_token": wrong}).status_code == 403
    assert opened.post("dang-xuat", data={"form_token": token}).status_code == 303
    assert opened.get("").status_code == 303


def test_what_every_answer_says_to_the_browser(desk: Served) -> None:
    opened, _ = client(desk, "viewer")
    page = opened.get("")
    assert page.headers["cache-control"] == "no-store"
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert page.headers["x-content-type-options"] == "nosniff"
    style = re.search(r'href="/ba-khong/(static/\w+/style.css)"', page.text)
    assert style
    assert opened.get(style[1]).headers["cache-control"] == "public, max-age=31536000, immutable"
    assert opened.get("static/0000/style.css").status_code == 404
    for outside in ("tep/../sources.yaml", "tep/%2e%2e/sources.yaml", "tep//etc/passwd", "tep/data_docs/../../sources.yaml"):
        assert opened.get(outside).status_code == 404, outside
    assert opened.get("tep/ba-khong-2024.xlsx").content[:2] == b"PK"


def test_only_a_proxy_that_was_named_is_believed(desk: Served) -> None:
    told = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.9"}
    for local, is_believed in (("127.0.0.1", False), ("127.0.0.2", True)):
        with httpx.Client(base_url=desk.address, transport=httpx.HTTPTransport(local_address=local)) as opened:
            cookie = opened.get("dang-nhap", headers=told).headers["set-cookie"]
        assert ("Secure" in cookie) == is_believed
        assert "HttpOnly" in cookie
        assert "SameSite=lax" in cookie
        assert "Path=/ba-khong" in cookie


def test_signing_in_leads_nowhere_else(desk: Served) -> None:
    for after in ("//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)"):
        opened, token = client(desk)
        form = {"name": "viewer", "password": PASSWORD, "form_token": token, "next": after}
        assert opened.post("dang-nhap", data=form).headers["location"].startswith("/ba-khong/")
        assert "evil.example" not in opened.post("dang-nhap", data=form).headers.get("location", "").removeprefix("/ba-khong/")


# A unit -------------------------------------------------------------------------------------------------------------------


def test_a_unit_stands_among_its_neighbours_and_its_table_sorts_by_place(desk: Served, page: Page) -> None:
    sign_in(page, desk, "steward")
    page.goto(f"{desk.address}bieu/2024/don-vi/15655")
    nd3 = page.locator("tr", has=page.locator("th", has_text=re.compile("^ND3$")))
    values = sorted((float(cell.rstrip("%").replace(",", ".")) for cell in communes(page, desk, "ND3")), reverse=True)
    page.goto(f"{desk.address}bieu/2024/don-vi/15655")
    assert nd3.locator("td").nth(7 if nd3.locator("img").count() else 6).inner_text() == f"{values.index(92.1) + 1}/{len(values)}"
    table = page.locator("table", has=nd3)
    table.get_by_role("button", name="Hạng").click()
    places = [cell.split("/")[0] for cell in table.locator("tbody td:nth-last-child(4)").all_inner_texts() if cell != "–"]
    assert [int(place) for place in places] == sorted(int(place) for place in places)


def communes(page: Page, desk: Served, code: str) -> list[str]:
    """Values of an indicator in the communes of huyện Thường Xuân, of which alone the samples tell."""
    page.goto(f"{desk.address}bieu/2024/{code}")
    rows = page.locator("tbody tr").filter(has=page.locator("th", has_text=re.compile("^(Xã|Thị trấn)")))
    return [cell for cell in rows.locator("td:nth-child(5)").all_inner_texts() if cell != "–"]


def test_form_06a_of_a_unit_has_the_columns_of_the_official_form_and_adds_up(desk: Served, page: Page) -> None:
    sign_in(page, desk, "steward")
    page.goto(f"{desk.address}bieu/2024/don-vi/15655/06a")
    assert page.locator("thead tr.numbered td").all_inner_texts() == [f"({number})" for number in range(1, 14)]
    rows = page.locator("tbody tr:has(td.n)")
    counts = [[int(cell.replace(".", "")) for cell in row.locator("td.n").all_inner_texts()] for row in rows.all()]
    total = [int(cell.replace(".", "")) for cell in page.locator("tfoot td.n").all_inner_texts()]
    assert total == [sum(column) for column in zip(*counts, strict=True)]
    c3, c4, c5, c6, c7, c8, c9, c10, c11, c12, c13 = total
    assert (c3, c7, c11, c3) == (c4 + c5 + c6, c8 + c9 + c10, c12 + c13, c7 + c11)
    assert "UBND huyện Thường Xuân" in page.locator("main").inner_text()
    with page.expect_download() as coming:
        page.get_by_role("link", name="Tệp Excel của biểu").click()
    assert openpyxl.load_workbook(io.BytesIO(coming.value.path().read_bytes())).active["D1"].value.startswith("TÌNH HÌNH")  # type: ignore[index, union-attr]


def listed(answer: httpx.Response) -> list[dict[str, str]]:
    """The lines of a CSV that was sent."""
    return list(csv.DictReader(io.StringIO(answer.content.decode(ENCODING), newline=""), delimiter=DELIMITER))


def test_what_is_taken_along_is_of_the_unit_and_of_those_below_it(desk: Served) -> None:
    steward, _ = client(desk, "steward")
    district = steward.get("bieu/2024/don-vi/396.csv")
    assert district.headers["content-type"] == "text/csv; charset=utf-8"
    rows = listed(district)
    assert {row["Cấp"] for row in rows} == {"cấp huyện", "cấp xã"}
    (line,) = [row for row in rows if (row["Mã ĐVHC"], row["Mã chỉ tiêu"]) == ("15655", "ND3")]
    assert (line["Tử số"], line["Mẫu số"], line["Kết quả"], line["Số liệu đến"]) == ("4795", "5205", "92,1", "2024-12-31")
    january = listed(steward.get("bieu/2024-01/CQ4.csv"))
    assert ({row["Kỳ"] for row in january}, {row["Mã chỉ tiêu"] for row in january}) == ({"2024-01"}, {"CQ4"})
    book = openpyxl.load_workbook(io.BytesIO(steward.get("bieu/2024/don-vi/15655.xlsx").content))
    assert book.sheetnames[0] == "Bìa"
    assert {"Biểu 06a", "Chỉ số 766"} <= set(book.sheetnames)
    assert "Xã Ngọc Phụng" in book["Bìa"]["A2"].value
    codes = {row[0] for row in book["Biểu 1"].iter_rows(min_row=6, values_only=True) if row[1]}
    assert codes == {"15655"}
    for nowhere in ("bieu/2024/don-vi/99999.csv", "bieu/2024/don-vi/Ngọc Phụng.xlsx", "bieu/xx/don-vi/15655.csv", "bieu/2024/XX.csv"):
        assert steward.get(nowhere).status_code == 404, nowhere


def test_an_account_of_a_commune_takes_along_its_own_and_nothing_else(desk: Served) -> None:
    commune, _ = client(desk, "commune")
    for own in ("bieu/2024/don-vi/15655.csv", "bieu/2024/don-vi/15655.xlsx", "bieu/2024/don-vi/15655/06a", "bieu/2024/don-vi/15655/766"):
        assert commune.get(own).status_code == 200, own
    assert {row["Mã ĐVHC"] for row in listed(commune.get("bieu/2024/ND3.csv"))} == {"15655"}
    for other in ("396.csv", "396.xlsx", "15607.csv", "15607/06a", "15607/06a.xlsx", "15607/766"):
        assert commune.get(f"bieu/2024/don-vi/{other}").status_code == 404, other
    refused = commune.get("so-sanh", params={"a": "15655", "ky-a": "2024", "b": "396"})
    assert "nằm ngoài phạm vi của tài khoản" in refused.text
    assert "<table" not in refused.text
    assert commune.get("so-sanh/15655/2024/396/2024.svg").status_code == 400


def test_who_only_looks_takes_no_small_count_along(desk: Served, engine_of_module: Engine) -> None:
    query = "SELECT unit_code, period, indicator_code, numerator FROM mart.indicator WHERE conf_status = 'A' AND obs_status <> 'Q' "
    form = (
        "SELECT unit_code, parent_code, period FROM mart.form_06a WHERE unit_level = 'commune' AND c10 BETWEEN 1 AND 4 "
        "AND period = '2024' ORDER BY 1 LIMIT 1"
    )
    with engine_of_module.connect() as c:
        unit, period, code, count = c.execute(text(f"{query} AND unit_level = 'commune' ORDER BY length(period), 1, 2, 3 LIMIT 1")).one()
        of_form = c.execute(text(form)).one()
    district = of_form.parent_code
    viewer, steward = client(desk, "viewer")[0], client(desk, "steward")[0]
    for asks, told in ((viewer, ("", "Q")), (steward, (str(count), "A"))):
        (row,) = [row for row in listed(asks.get(f"bieu/{period}/don-vi/{unit}.csv")) if row["Mã chỉ tiêu"] == code]
        assert (row["Tử số"], row["Mã tình trạng (SDMX)"].replace("P", "A")) == told
        book = openpyxl.load_workbook(io.BytesIO(asks.get(f"bieu/{period}/don-vi/{unit}.xlsx").content))
        cells = {cell for sheet in book for line in sheet.iter_rows(values_only=True) for cell in line}
        assert ("…" in cells) == (asks is viewer)
        place = "bieu/2024/don-vi/38/06a"
        assert ('<td class="n">…</td>' in asks.get(place).text) == (asks is viewer)
        sheet = openpyxl.load_workbook(io.BytesIO(asks.get(f"{place}.xlsx").content)).active
        assert ("…" in {cell.value for line in sheet["A9:M60"] for cell in line}) == (asks is viewer)  # type: ignore[index]
        for part in (f"2024/don-vi/{of_form.unit_code}", f"2024/don-vi/{district}", "2024-01/don-vi/38"):  # take from one another
            assert (
                asks.get(f"bieu/{part}/06a").status_code
                == asks.get(f"bieu/{part}/06a.xlsx").status_code
                == (404 if asks is viewer else 200)
            )
            assert ("/06a" in asks.get(f"bieu/{part}").text) == (asks is steward)
            book = openpyxl.load_workbook(io.BytesIO(asks.get(f"bieu/{part}.xlsx").content))
            assert ("Biểu 06a" in book.sheetnames, "Chỉ số 766" in book.sheetnames) == (asks is steward, True)
        assert ("Mẫu số" in asks.get(f"bieu/{of_form.period}/don-vi/{of_form.unit_code}/766").text) == (asks is steward)


def test_two_units_are_compared_without_scripts_and_a_slip_of_the_pen_is_asked_about(desk: Served, browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    sign_in(page, desk, "steward")
    page.goto(f"{desk.address}so-sanh")
    page.get_by_label("Đơn vị A").fill("Ngọc Phụg")
    page.get_by_label("Kỳ A").fill("năm 2024")
    page.get_by_label("Đơn vị B").fill("huyện thường xuân")
    page.get_by_role("button", name="So sánh").click()
    assert "Có phải: Xã Ngọc Phụng (15655, Huyện Thường Xuân)" in page.get_by_role("alert").inner_text()
    page.get_by_label("Đơn vị A").fill("<img src=x onerror=alert(1)>")
    page.get_by_role("button", name="So sánh").click()
    assert "<img src=x" in page.get_by_role("alert").inner_text(), "it stays a text"
    page.get_by_label("Đơn vị A").fill("ngoc phung")
    page.get_by_role("button", name="So sánh").click()
    assert page.locator("h1").inner_text() == "So sánh: Xã Ngọc Phụng, năm 2024 và Huyện Thường Xuân, năm 2024"
    assert "Hai đơn vị khác cấp" in page.locator("main").inner_text()
    one, _, other, _, difference, _ = page.locator("tr", has_text="ND3").first.locator("td:not(:first-of-type)").all_inner_texts()
    points = [float(cell.split("%")[0].replace(",", ".")) for cell in (one, other)]
    assert float(difference.split()[0].replace(",", ".")) == pytest.approx(points[0] - points[1], abs=1e-9)
    page.wait_for_load_state("networkidle")
    assert page.locator("main figure img").evaluate("image => image.naturalWidth") > 200
    page.get_by_label("Kỳ B").fill("03/2024")
    page.get_by_role("button", name="So sánh").click()
    assert "Hai kỳ dài ngắn khác nhau (năm và tháng)" in page.locator("main").inner_text()
    context.close()


# Decisions ----------------------------------------------------------------------------------------------------------------


def test_charts_of_an_indicator_and_of_a_unit_are_drawn_once_and_stand_beside_their_tables(desk: Served, page: Page) -> None:
    sign_in(page, desk, "viewer")
    page.goto(f"{desk.address}bieu/2024/ND3")
    assert page.locator("main figure img").count() == len(page.locator("main figure figcaption").all_inner_texts()) > 0
    page.wait_for_load_state("networkidle")
    widths = page.locator("main figure img").evaluate_all("all => all.map(image => image.naturalWidth)")
    assert min(widths) > 200
    kept = sorted((desk.settings.home / "charts").rglob("*.svg"))
    page.reload()
    assert sorted((desk.settings.home / "charts").rglob("*.svg")) == kept != []


def test_the_static_edition_has_the_charts_of_an_indicator_beside_the_same_table(desk: Served, page: Page) -> None:
    sign_in(page, desk, "viewer")
    page.goto(f"{desk.address}bieu/2024/ND3")
    at_the_desk = page.locator("main table").inner_text()
    page.goto((desk.settings.home / "site" / "bieu" / "2024" / "ND3.html").as_uri())
    assert page.locator("main table").inner_text() == at_the_desk
    widths = page.locator("main figure img").evaluate_all("all => all.map(image => image.naturalWidth)")
    assert (len(widths), min(widths) > 200) == (2, True)


def test_who_only_looks_is_not_shown_a_count_of_few_and_a_steward_is(desk: Served, page: Page, engine_of_module: Engine) -> None:
    query = "SELECT unit_code, period, indicator_code, numerator FROM mart.indicator WHERE conf_status = 'A' AND obs_status <> 'Q' "
    with engine_of_module.connect() as c:
        unit, period, code, count = c.execute(text(f"{query} AND unit_level = 'commune' ORDER BY length(period), 1, 2, 3 LIMIT 1")).one()
    told: dict[str, list[str]] = {}
    drawn: dict[str, bytes] = {}
    for role in ("viewer", "steward"):
        sign_in(page, desk, role)
        page.goto(f"{desk.address}bieu/{period}/don-vi/{unit}")
        row = page.locator("tbody tr").filter(has=page.get_by_role("rowheader", name=code, exact=True))
        told[role] = row.locator("td.n").all_inner_texts()[:3] + row.locator("td.status").all_inner_texts()
        said = page.locator("main").inner_text()
        assert ("không công khai" in said) == (role == "viewer")
        page.goto(f"{desk.address}bieu/{period}/{code}")
        assert ("không công khai" in page.locator("main").inner_text()) == (role == "viewer")
        drawn[role] = client(desk, role)[0].get(f"bieu/{period}/{code}/hang.svg").content
        page.context.clear_cookies()
    assert told["viewer"] == ["…", "…", "…", "ẩn: dưới ngưỡng"]
    assert told["steward"][0] == f"{count:,}".replace(",", ".")
    assert drawn["viewer"] != drawn["steward"]


def test_a_letter_goes_out_and_an_empty_one_is_not_taken_back(desk: Served, page: Page, tmp_path: Path) -> None:
    sign_in(page, desk, "steward")
    page.goto(f"{desk.address}viec-can-lam")
    with page.expect_download() as coming:
        page.locator("a.pick").first.click()
    letter = tmp_path / "letter.xlsx"
    coming.value.save_as(letter)
    assert letter.read_bytes()[:2] == b"PK"
    page.get_by_label("Thư đã điền, gửi lại").set_input_files(letter)
    page.get_by_role("button", name="Nhận các ô đã sửa").click()
    assert "không có ô nào được điền" in page.get_by_role("alert").inner_text()
    assert page.get_by_role("button", name="Nhận các ô đã sửa").count() == 1


def an_item(engine: Engine) -> tuple[int, str, str]:
    """Delivery, rule and column of rows that wait for somebody."""
    query = "SELECT delivery_id, rule_code, column_name FROM ops.quarantine WHERE status = 'open' ORDER BY 1, 2, 3 LIMIT 1"
    with engine.connect() as c:
        return tuple(c.execute(text(query)).one())  # type: ignore[return-value]


def test_a_steward_looks_ahead_dismisses_with_a_reason_and_all_of_it_is_kept(desk: Served, page: Page, engine_of_module: Engine) -> None:
    delivery_id, rule, column = an_item(engine_of_module)
    place = f"viec-can-lam/{delivery_id}/{rule}?cot={quote(column)}"
    sign_in(page, desk, "steward")
    page.goto(f"{desk.address}viec-can-lam")
    assert page.locator(f"a[href$='{place}']").count() == 1
    page.goto(desk.address + place)
    page.get_by_role("button", name="Nạp lại thì sao?").click()
    assert "vẫn sai quy tắc" in page.get_by_role("status").inner_text()
    page.get_by_role("button", name="Cho nạp lại").click()
    assert "Chưa cho nạp lại dòng nào" in page.get_by_role("alert").inner_text()
    page.get_by_role("button", name="Bỏ hẳn").click()
    assert "lý do" in page.get_by_role("alert").inner_text(), "beside the form, which is still there"
    page.get_by_label("Ghi chú").fill("<b>đã gọi</b> điện")
    page.get_by_role("button", name="Ghi", exact=True).click()
    page.get_by_label("Lý do").fill("trùng hồ sơ")
    page.get_by_role("button", name="Bỏ hẳn").click()
    assert page.locator("tbody", has_text="bỏ hẳn").inner_text().count("<i>steward</i>") == 2
    assert "<b>đã gọi</b> điện" in page.locator("main").inner_text()
    with engine_of_module.connect() as c:
        assert c.execute(
            text("SELECT status, decided_by FROM ops.quarantine WHERE (delivery_id, rule_code, column_name) = (:d, :r, :c)"),
            {"d": delivery_id, "r": rule, "c": column},
        ).one() == ("dismissed", "<i>steward</i>")
        done = c.scalars(text("SELECT action FROM ops.action WHERE acted_by = 'steward' AND action LIKE 'quarantine-%' ORDER BY 1")).all()
    assert done == ["quarantine-comment", "quarantine-dismiss"], "what was refused is not done"
    viewer, token = client(desk, "viewer")
    refused = viewer.post(
        f"viec-can-lam/{delivery_id}/{rule}", data={"form_token": token, "act": "dismiss", "reason": "x", "column": column}
    )
    assert refused.status_code == 403


def test_without_a_prefect_server_it_is_said_how_to_publish_at_once(desk: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    approver, token = client(desk, "approver")
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:9/api")
    assert "Tính và công bố ngay" in approver.get("cong-bo").text
    answer = approver.post("cong-bo/ngay", data={"form_token": token})
    assert answer.status_code == 400
    assert "Máy chủ Prefect ở http://127.0.0.1:9/api không nhận lượt chạy" in answer.text
    assert "đã yêu cầu" not in approver.get("cong-bo").text
    monkeypatch.delenv("PREFECT_API_URL")
    assert "Tính và công bố ngay" not in approver.get("cong-bo").text
    answer = approver.post("cong-bo/ngay", data={"form_token": token})
    assert (answer.status_code, "bakhong nightly --no-pull" in answer.text) == (400, True)


def test_an_approver_accepts_what_is_out_of_line_and_signs_a_period(
    desk: Served, page: Page, browser: Browser, engine_of_module: Engine
) -> None:
    with engine_of_module.begin() as c:
        c.execute(
            text(
                "INSERT INTO ops.alarm (subject, check_code, raised_by, source, message_vi, deliveries) "
                "SELECT 'GAT-001 hostile ' || n, 'GAT-001', max(run_id), 'hostile', '<b>gấp</b> ' || n || ' lần', '{1}' "
                "FROM ops.run, generate_series(4, 5) n GROUP BY n"
            )
        )
        c.execute(text("INSERT INTO ops.held_edition SELECT max(run_id), now(), now(), 1, 2, 0 FROM ops.run"))
        c.execute(
            text(
                "INSERT INTO ops.held_value SELECT indicator_key, unit_key, '2024', 12, 24, 50, 'A', 9, 24, 37.5, 'A', '{1}' "
                "FROM warehouse.dim_indicator, warehouse.dim_unit WHERE indicator_code = 'K2b' AND indicator_name <> '' "
                "AND dim_indicator.known_to = 'infinity' AND unit_code = '15655' AND dim_unit.valid_to > '2024-01-01' LIMIT 1"
            )
        )
        first = c.scalar(text("SELECT file_name FROM ops.delivery WHERE delivery_id = 1"))
    sign_in(page, desk, "steward")
    page.goto(f"{desk.address}cong-bo")
    assert "chờ quyết định" in page.locator(".box.bad").inner_text()
    assert page.locator("main form").count() == 0, "a steward looks, an approver decides"
    assert page.locator("#se-doi ~ .scroll td.file").first.inner_text() == first, "what moved it"
    for role, numbers in (("steward", "12;24;50;9;24;37,5"), ("viewer", "…;…;…;…;…;…")):  # not looked at for small groups yet
        opened, _ = client(desk, role)
        lines = opened.get("cong-bo/se-doi.csv").content.decode("utf-8-sig").splitlines()
        assert len(lines) == 2
        assert f";2024;{numbers};A;{first};1" in lines[1]
    steward, token = client(desk, "steward")
    given = {"form_token": token, "decision": "accepted", "reason": "x", "chosen": "1"}
    assert steward.post("cong-bo", data=given).status_code == 403
    context = browser.new_context(viewport={"width": 1366, "height": 768})
    page = context.new_page()
    sign_in(page, desk, "approver")
    assert "2 điểm bất thường" in page.locator("#can-lam").inner_text()
    page.goto(f"{desk.address}cong-bo")
    page.locator("input.choice").first.check()
    page.get_by_label("Lý do, được in kèm bảng số liệu").fill("lễ hội, đã kiểm tra")
    page.get_by_role("button", name="Chấp nhận, cho công bố").click()
    assert "lễ hội, đã kiểm tra" in page.locator("#main").inner_text()
    with engine_of_module.begin() as c:
        found = c.execute(text("SELECT decision, decided_by, reason FROM ops.alarm ORDER BY alarm_id")).all()
        assert [tuple(row) for row in found] == [("accepted", "<i>approver</i>", "lễ hội, đã kiểm tra")] * 2, "they stand together"
        c.execute(text("DELETE FROM ops.held_edition"))
        c.execute(text("DELETE FROM ops.held_value"))
    page.goto(f"{desk.address}cong-bo")
    page.locator("select[name=period]").select_option("2024")
    page.get_by_label("Ghi chú của người ký").fill("đối chiếu xong")
    page.get_by_role("button", name="Ký số liệu của kỳ").click()
    assert page.url == f"{desk.address}cong-bo/ban-ky/1"
    assert "đúng như bản đã ký" in page.locator("main").inner_text()
    with page.expect_download() as coming:
        page.get_by_role("link", name="Tệp Excel đã ký").click()
    with engine_of_module.connect() as c:
        signed = c.execute(text("SELECT signed_by, workbook_sha256 FROM ops.release")).one()
    assert signed.signed_by == "<i>approver</i>"
    assert hashlib.sha256(coming.value.path().read_bytes()).hexdigest() == signed.workbook_sha256
    context.close()


def test_one_changes_ones_own_password(desk: Served, page: Page) -> None:
    """The last of the file: with the old one nobody signs in any more."""
    sign_in(page, desk, "approver")
    page.get_by_role("link", name="approver").click()
    for name, value in (
        ("Mật khẩu hiện nay", "wrong"),
        ("Mật khẩu mới", "mưa phùn tháng ba"),
        ("Nhập lại mật khẩu mới", "mưa phùn tháng ba"),
    ):
        page.get_by_label(name, exact=True).fill(value)
    page.get_by_role("button", name="Đổi mật khẩu").click()
    assert page.get_by_role("alert").inner_text() == "Mật khẩu hiện nay không đúng."
    for name, value in (
        ("Mật khẩu hiện nay", PASSWORD),
        ("Mật khẩu mới", "mưa phùn tháng ba"),
        ("Nhập lại mật khẩu mới", "mưa phùn tháng ba"),
    ):
        page.get_by_label(name, exact=True).fill(value)
    page.get_by_role("button", name="Đổi mật khẩu").click()
    assert page.locator("h1").inner_text() == "Đăng nhập"
