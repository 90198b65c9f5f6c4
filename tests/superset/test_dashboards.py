"""The bundle in a real Superset: imported as an administrator does, imported again, signed in to and looked at in Chromium."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import APIResponse, Error, Page, Route, sync_playwright
from sqlalchemy import Engine, text

from flows.nightly import night
from flows.steps import WITHOUT_PREFECT
from tasks.report.superset.bundle import bundle
from tests.nights import KEY, ROOT, few_sources
from warehouse.embedded import Server
from warehouse.settings import Settings

pytestmark = [pytest.mark.superset, pytest.mark.timeout(1800)]

CHROMIUM = Path("/usr/bin/chromium")
INSTALLED = ROOT / ".bakhong" / "superset" / "bin"
CONFIG = """
SECRET_KEY = "of a Superset that lives for a test and no longer"
SQLALCHEMY_DATABASE_URI = "sqlite:///{folder}/superset.db?check_same_thread=false"
D3_FORMAT = {{"decimal": ",", "thousands": ".", "grouping": [3], "currency": ["", " ₫"]}}
TALISMAN_ENABLED = False
"""
ADMINISTRATOR = ("admin", "a password for tests")
DRAWN = "() => !document.querySelector('.loading, [data-test=loading-indicator]')"


@pytest.fixture(scope="module")
def warehouse(server: Server, engine_of_module: Engine, tmp_path_factory: pytest.TempPathFactory) -> Engine:
    """The mart after a night on a part of the samples, open to bakhong_reader."""
    home = tmp_path_factory.mktemp("home")
    settings = Settings(home=home, warehouse_url=None, sources=few_sources(home), secret_key=KEY.encode())
    night(settings, engine_of_module, date(2025, 5, 5), steps=replace(WITHOUT_PREFECT, report=None))
    with engine_of_module.begin() as connection:
        connection.exec_driver_sql(f"ALTER ROLE bakhong_reader LOGIN PASSWORD '{server.passwords['reader']}'")
    return engine_of_module


@pytest.fixture(scope="module")
def superset(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a Superset of its own, with an administrator."""
    folder = tmp_path_factory.mktemp("superset")
    (folder / "superset_config.py").write_text(CONFIG.format(folder=folder), "utf-8")
    told = {"SUPERSET_HOME": str(folder), "SUPERSET_CONFIG_PATH": str(folder / "superset_config.py")}
    env = os.environ | told | {"FLASK_APP": "superset.app:create_app()", "PYTHONPATH": str(folder)}
    name, password = ADMINISTRATOR
    made = ("fab", "create-admin", "--username", name, "--firstname", "A", "--lastname", "B", "--email", "a@b.vn", "--password", password)
    for words in (("db", "upgrade"), made, ("init",)):
        subprocess.run([INSTALLED / "superset", *words], env=env, check=True, capture_output=True)
    with socket.create_server(("127.0.0.1", 0)) as found:
        address = f"127.0.0.1:{found.getsockname()[1]}"
    serving = [INSTALLED / "gunicorn", "--threads", "8", "--timeout", "300", "--bind", address, "superset.app:create_app()"]
    with (folder / "server.log").open("w") as log, subprocess.Popen(serving, env=env, stdout=log, stderr=log) as process:
        try:
            _wait_for(f"http://{address}/health")
            yield f"http://{address}"
        finally:
            process.terminate()


def _wait_for(address: str) -> None:
    for _ in range(240):
        try:
            if httpx.get(address, timeout=10).is_success:
                return
        except httpx.HTTPError:
            pass
        time.sleep(1)
    raise TimeoutError(address)


@pytest.fixture(scope="module")
def administrator(superset: str) -> Iterator[httpx.Client]:
    """Signed in to the interface that Superset's own pages use."""
    with httpx.Client(base_url=superset, timeout=300, headers={"Referer": superset}) as client:
        name, password = ADMINISTRATOR
        signed_in = client.post("/api/v1/security/login", json={"username": name, "password": password, "provider": "db", "refresh": False})
        client.headers["Authorization"] = f"Bearer {signed_in.json()['access_token']}"
        client.headers["X-CSRFToken"] = client.get("/api/v1/security/csrf_token/").json()["result"]
        yield client


@pytest.fixture(scope="module")
def imported(administrator: httpx.Client, warehouse: Engine, server: Server) -> bytes:
    """The bundle, imported with the password that its reader is asked for."""
    with warehouse.connect() as connection:
        written = bundle(connection, server.url("reader", str(warehouse.url.database)), is_public=False)
    told = {"passwords": json.dumps({"databases/Ba_Khong.yaml": server.passwords["reader"]}), "overwrite": "true"}
    done = administrator.post("/api/v1/dashboard/import/", files={"formData": ("bundle.zip", written)}, data=told)
    assert done.status_code == 200, done.text
    return written


def counted(administrator: httpx.Client) -> dict[str, int]:
    return {what: administrator.get(f"/api/v1/{what}/").json()["count"] for what in ("database", "dataset", "chart", "dashboard")}


def test_what_is_imported_again_is_put_right_and_nothing_is_there_twice(administrator: httpx.Client, imported: bytes) -> None:
    before = counted(administrator)
    assert before == {"database": 1, "dataset": 2, "chart": 19, "dashboard": 3}
    chart = next(one for one in administrator.get("/api/v1/chart/").json()["result"] if one["slice_name"] == "Bảng chỉ tiêu")
    assert administrator.put(f"/api/v1/chart/{chart['id']}", json={"slice_name": "của ai khác"}).is_success
    again = administrator.post("/api/v1/assets/import/", files={"bundle": ("bundle.zip", imported)})  # the password stays
    assert again.status_code == 200, again.text
    assert counted(administrator) == before
    assert administrator.get(f"/api/v1/chart/{chart['id']}").json()["result"]["slice_name"] == "Bảng chỉ tiêu"


@pytest.fixture(scope="module")
def page(superset: str, imported: bytes) -> Iterator[Page]:
    """A browser in which the administrator is signed in."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        opened = browser.new_page(viewport={"width": 1366, "height": 1600})
        opened.set_default_timeout(240_000)
        opened.goto(f"{superset}/login/")
        for field, words in zip(("username", "password"), ADMINISTRATOR, strict=True):
            opened.locator(f"input[name={field}], #{field}").first.fill(words)
        opened.keyboard.press("Enter")
        opened.wait_for_url("**/superset/welcome/**")
        yield opened
        browser.close()


def drawn(page: Page, address: str, indicator: str | None = None) -> list[dict[str, Any]]:
    """What the charts of a dashboard were drawn from, the last first; none of them says that it could not be."""
    found: list[APIResponse] = []

    def answered(route: Route) -> None:
        answer = route.fetch()
        found.append(answer)
        with suppress(Error):  # a chart asks again once the filters have chosen
            route.fulfill(response=answer)

    page.route("**/api/v1/chart/data*", answered)
    page.goto(address)
    page.locator(".dashboard-chart table").last.wait_for()
    page.locator(".dashboard-chart canvas").first.wait_for()
    _wait_until_drawn(page)
    if indicator is not None:
        page.locator("[data-test=form-item-value] .ant-select").nth(2).click()
        page.keyboard.type(indicator)
        page.locator(".ant-select-item-option", has_text=f"{indicator}.").first.click()
        page.get_by_role("button", name="Apply filters").click()
        _wait_until_drawn(page)
    page.unroute("**/api/v1/chart/data*")
    assert page.locator("[role=alert], .ant-alert, .error-container").all_inner_texts() == []
    assert {answer.status for answer in found} == {200}
    return [result for answer in reversed(found) for result in answer.json()["result"]]


def _wait_until_drawn(page: Page) -> None:
    page.wait_for_function(DRAWN)
    page.wait_for_timeout(5_000)
    page.wait_for_function(DRAWN)


@pytest.mark.parametrize("level", ["province", "district", "commune"])
def test_a_dashboard_shows_what_the_mart_says_with_a_decimal_comma(
    page: Page, superset: str, warehouse: Engine, tmp_path: Path, level: str
) -> None:
    results = drawn(page, f"{superset}/superset/dashboard/bakhong-{level}/")
    page.screenshot(path=tmp_path / f"{level}.png")
    table = next(result for result in results if "numerator" in result["colnames"])
    shown = {row["indicator_code"]: (row["numerator"], row["denominator"], row["value"]) for row in table["data"]}
    name, period = (one.inner_text() for one in page.locator(".ant-select-selection-item").all()[:2])
    with warehouse.connect() as connection:
        rows = connection.execute(text(PUBLISHED), {"level": level, "name": name, "period": period}).all()
        met, unmet = connection.execute(text(MET), {"level": level, "name": name, "period": period}).one()
    assert shown == {
        row.indicator_code: (row.numerator, row.denominator, float(row.value) if row.value is not None else None) for row in rows
    }
    assert page.locator(".header-line").all_inner_texts() == [str(met), str(unmet)]
    told = page.locator(".dashboard-chart table").last.inner_text()
    known = next(row for row in rows if row.value is not None and row.value % 1)
    assert f"{known.value:.1f}".replace(".", ",") in told


def test_the_rate_of_a_group_is_a_ratio_of_sums(page: Page, superset: str, warehouse: Engine) -> None:
    results = drawn(page, f"{superset}/superset/dashboard/bakhong-province/", "CQ4")
    rates = next(result for result in results if "ratio" in result["colnames"] and result["data"])
    period = page.locator(".ant-select-selection-item").nth(1).inner_text()
    with warehouse.connect() as connection:
        expected = {row.parent_name: round(float(row.rate), 6) for row in connection.execute(text(RATIO), {"period": period})}
    assert {row["parent_name"]: round(float(row["ratio"]), 6) for row in rates["data"]} == expected != {}


PUBLISHED = """
SELECT indicator_code, numerator, denominator, value FROM mart.indicator
WHERE unit_level = :level AND :name IN (unit_name, unit_name || ' (' || unit_code || ')') AND period = :period
"""
MET = f"SELECT count(*) FILTER (WHERE is_met), count(*) FILTER (WHERE NOT is_met) FROM mart.indicator WHERE {PUBLISHED.split('WHERE')[1]}"
RATIO = """
SELECT parent_name, 100.0 * sum(numerator) / sum(denominator) AS rate FROM mart.indicator_rate
WHERE period = :period AND indicator_code = 'CQ4' AND is_additive GROUP BY parent_name
"""
