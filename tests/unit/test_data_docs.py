"""Data Docs of the night open in a network without internet and tell counts only."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import lxml.html
import pyarrow as pa
import pytest

from expectations.contract import ROW_NUMBER, contract
from tasks.read.file import FAULTS, Chunk, Rejected
from tasks.validate.checks import validate
from tasks.validate.data_docs import NIGHTS_KEPT, DataDocs, merged
from tasks.validate.suite import COUNTS, checked_frame, run_suite

NIGHT = datetime(2024, 5, 1, 1, 30)
FIRST = {"survey_code": "KS3K", "unit_code": "15655", "question_code": "K1b", "asked_on": date(2024, 3, 1), "respondents": 400}
ROWS = [{**FIRST, "wave": str(wave), "positive_answers": positive} for wave, positive in enumerate([140, 401, 360], 1)]
LONGEST = f"khao-sat-{'2' * 242}.csv"
"""The longest name that a file may have on most disks."""


def surveys(rows: list[dict[str, Any]]) -> pa.Table:
    return pa.Table.from_pylist([{ROW_NUMBER: number, **row} for number, row in enumerate(rows, 1)], schema=contract("surveys").schema)


def refusing(refused: Rejected) -> Iterator[Chunk]:
    yield from ()
    raise refused


def deliver(docs: DataDocs, file_name: str, rows: list[dict[str, Any]] = ROWS) -> None:
    table = surveys(rows)
    list(validate([Chunk(table, FAULTS.empty_table(), 0, table.num_rows)], contract("surveys"), "surveys_csv", file_name, docs=docs))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("docs") / "data_docs"
    docs = DataDocs(folder)
    deliver(docs, "khảo sát/đợt 1.csv")
    deliver(docs, LONGEST)
    docs.build(NIGHT)
    return folder


def pages(site: Path) -> list[Path]:
    return sorted(site.rglob("*.html"))


def test_the_start_page_leads_to_every_delivery_of_the_night(site: Path) -> None:
    start = lxml.html.parse(str(site / "index.html"))
    assert {link.text for link in start.iterfind(".//a")} >= {"khảo sát/đợt 1.csv", LONGEST}
    assert "01/05/2024 01:30" in start.getroot().text_content()


def test_every_link_inside_leads_somewhere(site: Path) -> None:
    for page in pages(site):
        if page.name == "night.html":  # a piece of the start page
            continue
        for link in lxml.html.parse(str(page)).xpath("//a/@href|//link/@href"):
            target = (page.parent / link.split("#")[0]).resolve() if not link.startswith("#") else page
            assert target.exists() or target == (site.parent / "index.html").resolve(), (page, link)  # the steward site's own start page


def test_nothing_is_loaded_from_outside(site: Path) -> None:
    for page in pages(site):
        tree = lxml.html.fromstring(page.read_text("utf-8"))
        loads = tree.xpath("//script|//iframe|//link/@href|//img/@src|//source/@src|//object/@data")
        assert all(isinstance(one, str) and not re.match(r"(?:[a-z]+:)?//|data:", one) for one in loads), page
    for style in site.rglob("*.css"):
        assert not re.search(r"url\(|@import", style.read_text("utf-8"))
    assert not [path for path in site.rglob("*") if path.suffix in {".js", ".otf", ".gif", ".png"}]


def test_a_page_says_which_rule_failed_in_the_words_of_the_contract(site: Path) -> None:
    [page, _] = sorted(site.glob("*/validations/**/*.html"))
    text = lxml.html.fromstring(page.read_text("utf-8")).text_content()
    assert 'SUR-002 · Số ở cột "positive_answers" lớn hơn số người trả lời: 1 dòng (dòng 2)' in text
    assert "1 unexpected values found" in text
    assert "3 = 2 + 1 + 0" in text  # of a rule that Great Expectations does not run


def test_a_refused_delivery_is_not_green_and_says_which_rows_are_at_fault(tmp_path: Path) -> None:
    docs = DataDocs(tmp_path)
    with pytest.raises(Rejected):
        deliver(docs, "<b>&x.csv", [{**FIRST, "wave": str(wave), "positive_answers": 401} for wave in range(6)])
    with pytest.raises(Rejected):
        list(validate(refusing(Rejected("STR-004", "Tệp trống.")), contract("surveys"), "surveys_csv", "y.csv", docs=docs))
    rows = lxml.html.parse(str(docs.build(NIGHT))).xpath("//tbody/tr")
    assert [[cell.text_content() for cell in row][1::2] for row in rows] == [["<b>&x.csv", "bị từ chối"], ["y.csv", "bị từ chối"]]
    first, second = (lxml.html.parse(str(page)).getroot().text_content() for page in sorted(tmp_path.glob("*/validations/**/*.html")))
    assert "6 dòng (dòng 1, 2, 3, 4, 5, …)" in first
    assert "SUR-007 · Quá nhiều dòng của tệp <b>&x.csv có lỗi (6/6 dòng)" in first
    assert "STR-004 · Tệp trống." in second


def test_no_value_of_a_row_is_on_any_page(site: Path) -> None:
    for page in site.glob("*/validations/**/*.html"):
        text = lxml.html.fromstring(page.read_text("utf-8")).text_content()
        assert not re.search(r"\b(?:KS3K|15655|401|360)\b", text)


def test_a_night_without_deliveries_leaves_the_pages_of_the_last(site: Path) -> None:
    before = pages(site)
    DataDocs(site).build(NIGHT + timedelta(days=1))
    assert pages(site) == before


def test_nights_of_long_ago_are_forgotten(tmp_path: Path) -> None:
    for night in range(NIGHTS_KEPT + 3):
        folder = tmp_path / f"{NIGHT + timedelta(days=night):%Y-%m-%d-%H%M%S}"
        folder.mkdir()
        (folder / "night.html").write_text(f"<p>{night}</p>", "utf-8")
    start = DataDocs(tmp_path).build(NIGHT).read_text("utf-8")
    assert len(list(tmp_path.glob("2024-*"))) == NIGHTS_KEPT
    assert "<p>2</p>" not in start
    assert "<p>3</p>" in start


def test_the_chunks_of_a_delivery_add_up_to_one_result() -> None:
    terms = contract("surveys")
    parts = [run_suite(terms, checked_frame(surveys(rows), terms, None), COUNTS) for rows in (ROWS[:1], ROWS[1:])]
    whole = merged(terms, "tệp.csv", parts)
    [found] = [one for one in whole.results if one.expectation_config.meta["rule"] == "SUR-002"]
    assert (found.success, found.result["element_count"], found.result["unexpected_count"]) == (False, 3, 1)
    assert found.result["unexpected_percent"] == pytest.approx(100 / 3)
    assert (whole.success, whole.statistics["unsuccessful_expectations"]) == (False, 1)
