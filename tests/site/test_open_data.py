"""Open data at their addresses: for everybody without signing in, kept by caches, taken from other pages, and nothing beside them."""

from __future__ import annotations

import hashlib
import io
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pyarrow.parquet as pq
import pytest
from playwright.sync_api import Page, ViewportSize
from sqlalchemy import Engine

from desk import accounts
from desk.web.app import application
from desk.web.serve import served
from tasks.deliveries.edition_folder import check
from tasks.open_data.kinds import KINDS
from tasks.open_data.shelf import shelf_of
from tests.clients import client_of
from tests.nights import KEY, few_sources
from tests.warehouse.test_gate import JUNE, a_night, shops
from warehouse.database import connect
from warehouse.embedded import Server
from warehouse.settings import Settings

PASSWORD = "thùng thư màu xanh"


@dataclass(frozen=True)
class Opened:
    """A desk where January 2024 was signed, and somebody who never signed in."""

    anybody: httpx.Client
    settings: Settings
    number: str

    @property
    def folder(self) -> Path:
        """Where the signed edition lies."""
        return shelf_of(self.settings.home) / "2024-01" / self.number


@pytest.fixture(scope="module")
def opened(server: Server, engine_of_module: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opened]:
    """A desk under a path, run by a login with the steward's role alone, at which an approver signs."""
    home = tmp_path_factory.mktemp("open-data")
    settings = Settings(home=home, warehouse_url=None, sources=few_sources(home), secret_key=KEY.encode())
    with engine_of_module.begin() as connection:
        shops(connection, 1, 400)
    a_night(engine_of_module, JUNE)
    with engine_of_module.begin() as connection:
        connection.exec_driver_sql(f"ALTER ROLE bakhong_steward LOGIN PASSWORD '{server.passwords['steward']}'")
        accounts.add(connection, "lan", "Lê Thị Lan", "approver", PASSWORD, None, "root")
    steward = connect(server.url("steward", str(engine_of_module.url.database)))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        address = f"http://127.0.0.1:{listening.getsockname()[1]}/ba-khong/"
        with served(application(steward, settings, "/ba-khong"), listening, [], steward), httpx.Client(base_url=address) as anybody:
            assert anybody.get("open-data/").status_code == 404  # nothing is signed yet
            client, token = client_of(address, "lan", PASSWORD)
            signing = client.post("cong-bo/ky", data={"period": "2024-01", "note": "", "form_token": token})
            assert signing.status_code == 303
            page = client.get(signing.headers["location"].removeprefix("/ba-khong/"))
            assert "Dữ liệu mở" in page.text
            client.close()
            yield Opened(anybody, settings, signing.headers["location"].rpartition("/")[2])
    steward.dispose()


def test_signing_at_the_desk_writes_a_folder_that_passes(opened: Opened) -> None:
    assert check(opened.folder)["edition"]["signed_by"] == "Lê Thị Lan"


@pytest.mark.parametrize("name", KINDS)
def test_every_file_is_there_for_everybody_with_its_checksum_as_its_tag(opened: Opened, name: str) -> None:
    answer = opened.anybody.get(f"open-data/2024-01/{opened.number}/{name}")
    assert answer.status_code == 200
    assert answer.content == (opened.folder / name).read_bytes()
    assert answer.headers["etag"] == f'"{hashlib.sha256(answer.content).hexdigest()}"'
    assert answer.headers["content-length"] == str(len(answer.content))
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["content-type"].startswith(KINDS[name].media_type)
    assert "set-cookie" not in answer.headers
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")


def test_what_somebody_has_is_not_sent_again(opened: Opened) -> None:
    place = "open-data/2024-01/latest/indicator.csv"
    tag = opened.anybody.get(place).headers["etag"]
    again = opened.anybody.get(place, headers={"If-None-Match": tag})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert opened.anybody.get(place, headers={"If-None-Match": '"another"'}).status_code == 200


def test_the_last_edition_has_an_address_that_stays(opened: Opened) -> None:
    last = opened.anybody.get("open-data/2024-01/latest/indicator.parquet")
    numbered = opened.anybody.get(f"open-data/2024-01/{opened.number}/indicator.parquet")
    assert last.content == numbered.content
    rates = pq.read_table(io.BytesIO(last.content), filters=[("indicator_code", "=", "K2g"), ("unit_code", "=", "15655")])
    assert rates.column("value").to_pylist() == [40.0]


def test_parts_and_heads_are_answered(opened: Opened) -> None:
    place = f"open-data/2024-01/{opened.number}/indicator.csv"
    head = opened.anybody.head(place)
    assert (head.status_code, head.content, int(head.headers["content-length"])) == (
        200,
        b"",
        (opened.folder / "indicator.csv").stat().st_size,
    )
    part = opened.anybody.get(place, headers={"Range": "bytes=0-13"})
    assert (part.status_code, part.content) == (206, b"indicator_code")
    asked = opened.anybody.options(place, headers={"Origin": "https://example.vn", "Access-Control-Request-Method": "GET"})
    assert (asked.status_code, asked.headers["access-control-allow-methods"]) == (204, "GET, HEAD")
    assert opened.anybody.post(place).status_code == 404


@pytest.mark.parametrize(
    "name",
    [
        "2024-01/latest/%2e%2e/%2e%2e/%2e%2e/sources.yaml", "%2e%2e/sources.yaml", "..%2fsources.yaml", "2024-01/..%5c..%5csources.yaml",
        ".provisional.json", "2024-01/none/indicator.csv", "2024-01/latest/none.csv", "2024-01/", "%00",
    ],
)  # fmt: skip
def test_nothing_else_is_there(opened: Opened, name: str) -> None:
    assert opened.anybody.get(f"open-data/{name}").status_code == 404


def test_a_catalogue_lists_all_editions_and_an_address_of_a_folder_leads_to_its_line(opened: Opened) -> None:
    catalogue = opened.anybody.get("open-data/catalog.jsonld")
    assert catalogue.headers["content-type"].startswith("application/ld+json")
    (dataset,) = catalogue.json()["dcat:dataset"]
    first = next(one for one in dataset["dcat:distribution"] if one["dct:title"] == "indicator.csv")
    assert opened.anybody.get(f"open-data/{first['dcat:downloadURL']['@id']}").status_code == 200
    assert opened.anybody.get("open-data").headers["location"] == "/ba-khong/open-data/"
    leads = opened.anybody.get("open-data/2024-01/latest/")
    assert (leads.status_code, leads.headers["location"]) == (303, f"/ba-khong/open-data/index.html#2024-01-{opened.number}")


@pytest.fixture
def viewport() -> ViewportSize:
    return {"width": 390, "height": 844}


def test_the_page_of_all_editions_can_be_read_on_a_phone_and_by_keyboard(opened: Opened, page: Page) -> None:
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(f"{opened.anybody.base_url}open-data/")
    assert page.locator("h1").inner_text() == "Dữ liệu mở"
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.locator("table:not(:has(caption)), th:not([scope]), [style], script:not([src])").count() == 0
    links = page.locator("main a").evaluate_all("all => all.map(one => one.href)")
    assert {opened.anybody.get(link).status_code for link in links} == {200}
    low = page.locator("td a").evaluate_all("all => all.filter(one => one.getBoundingClientRect().height < 23.9).length")
    assert low == 0  # WCAG 2.2, 2.5.8
    assert opened.number in page.locator(".cite").inner_text()
    assert [one for one in complaints if "favicon" not in one] == []
