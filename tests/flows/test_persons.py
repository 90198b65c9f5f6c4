"""Persons in columns where they do not belong, in every layout: no message, page, view, log or terminal says anything of them."""

from __future__ import annotations

import copy
import csv
import html
import itertools
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import yaml
from sqlalchemy import Engine, MetaData, text

from expectations.contract import contract, feeds
from tasks.deliveries.source import EDITIONS
from tests.golden.test_dossier_layouts import dvcqg_json, td_html_xls
from tests.nights import ROOT, bakhong, environment, url_of

PERSON = ("999000000826", "0912345678", "bi.mat@example.vn", "Lê Thị Bí Mật")
"""A paper, a telephone, an address, a name: made up, and none of them is in any sample."""
ALONE = re.compile("|".join(rf"(?<!\w){re.escape(value)}(?!\w)" for value in PERSON))
SAMPLES = ROOT / "samples"
INBOX = SAMPLES / "inbox"
OF = {
    "agencies_csv": "catalogues/agencies_mau_20240101.csv",
    "procedures_csv": "catalogues/procedures_mau_20240101.csv",
    "dvcqg_csv": "one-stop-shop/td_mau_20240229.csv",
    "evn_csv": "evn/evn_mau_202403.csv",
    "utility_xlsx": "water/nuoc_mau_202403.xlsx",
    "ecpay_csv": "ecpay/ecpay_mau_202403.csv",
    "dvcqg_payment_csv": "dvcqg/dvcqg_mau_20240401-20240630.csv",
    "telecom_xlsx": "vnpt-signatures/vnpt_mau_202412.xlsx",
    "holders_csv": "vnpt-holders/vnpt_mau_20241231.csv",
    "unit_counts_csv": "people-counts/dan_cu_mau_20241231.csv",
    "bieu_so_lieu_xlsx": "office-counts/bieu_so_lieu_mau_20241231.xlsx",
    "surveys_csv": "surveys/khao_sat_mau_20240715.csv",
    "published_figures_csv": "published/bao_thanh_hoa_20250430.csv",
}
"""Layout → a sample of it."""
ROWS = 400


def layouts() -> Iterator[tuple[str, str]]:
    """Those of a province: the country takes nothing but what was counted."""
    return ((feed, layout) for feed in feeds() if feed != EDITIONS for layout in contract(feed).layouts)


def table_of(feed: str, layout: str) -> list[list[str]]:
    """The rows of a layout's sample, those above its header among them."""
    if layout not in OF:
        headers = list(contract(feed).layouts[layout].headers)
        return [headers, *([f"M{number:04}" for _ in headers] for number in range(40))]
    path = INBOX / OF[layout]
    if path.suffix == ".xlsx":
        return [["" if cell is None else str(cell) for cell in row] for row in openpyxl.load_workbook(path).active.values]
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file))[:ROWS]


def places(feed: str, layout: str, headers: list[str]) -> list[tuple[int, str]]:
    """Every column with every kind of value, but names of persons where names of things are written."""
    columns = contract(feed).layouts[layout].headers
    return [
        (place, value)
        for place, header in enumerate(headers)
        for value in PERSON
        if not (value == PERSON[-1] and str(columns.get(header)).endswith("_name"))
    ]


def with_persons(feed: str, layout: str, table: list[list[str]], share: float) -> list[list[str]]:
    """A table with one person in each of a share of its rows."""
    written = contract(feed).layouts[layout]
    known = [header for header in written.headers if header not in written.optional]
    top = next(number for number, row in enumerate(table) if sum(cell in known for cell in row) > len(known) / 2)
    body = [list(row) for row in table[top + 1 :]]
    wrong = places(feed, layout, table[top])
    for row, (place, value) in zip(body[: max(4, int(share * len(body)))], itertools.cycle(wrong), strict=False):
        row[place] = value
    return [*table[: top + 1], *body]


def write(path: Path, rows: list[list[str]]) -> None:
    if path.suffix == ".xlsx":
        book = openpyxl.Workbook()
        for row in rows:
            book.active.append(row)
        book.save(path)
    elif path.suffix == ".jsonl":
        top, *body = rows
        path.write_text("".join(json.dumps(dict(zip(top, row, strict=True)), ensure_ascii=False) + "\n" for row in body), "utf-8")
    elif path.suffix == ".tagged":
        top, *body = rows
        records = ["DR" + "".join(f"[{tag}]{cell}" for tag, cell in zip(top, row, strict=True) if tag != "CSR") for row in body]
        ends = f"TR[NOT]{len(body):09}[CSF]{'0' * 32}"
        path.write_text("\n".join(["HR[REV]971003[DATE]01052025", *(f"{one}[CSR]{'0' * 32}" for one in records), ends]) + "\n", "utf-8")
    else:
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(rows)


def json_of_persons(value: Any) -> Iterator[Any]:
    """The same document again and again, each time with a person under another of its names."""
    seen: set[str] = set()

    def paths(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
        if isinstance(node, dict | list):
            for key, under in node.items() if isinstance(node, dict) else enumerate(node):
                yield from paths(under, (*path, key))
        else:
            yield path

    for path in paths(value):
        name = next(key for key in reversed(path) if isinstance(key, str))
        if name in seen:
            continue
        seen.add(name)
        changed = copy.deepcopy(value)
        place = changed
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] = PERSON[len(seen) % len(PERSON)]
        yield changed


def fill(folder: Path) -> list[dict[str, str]]:
    """Writes deliveries of every layout, one of few persons that is loaded and one of many; the sources they are of."""
    sources = []
    for feed, layout in layouts():
        kind = contract(feed).layouts[layout].kind
        inbox = folder / layout
        inbox.mkdir()
        url = f"{inbox}/*.{kind}"
        if layout == "portal_766_json":
            captured = SAMPLES / "portal-766/H44/2026-08/2026-09-26T1814Z/transparency-all.json"
            tree = json.loads(captured.read_text("utf-8"))
            tree["data"]["overview"]["children"] = tree["data"]["overview"].get("children", [])[:1]
            for number, document in enumerate(json_of_persons(tree)):
                path = inbox / f"H44/2026-08/2026-09-26T{number // 60:02}{number % 60:02}Z/transparency-all.json"
                path.parent.mkdir(parents=True)
                path.write_text(json.dumps(document, ensure_ascii=False), "utf-8")
            url = f"{inbox}/*/*/*/*-all.json"
        elif layout == "dvcqg_json":
            answer = json.loads(dvcqg_json())[0]
            wrong = list(json_of_persons(answer["result"][0]))
            for day, records in (("20240501", wrong), ("20240502", [*answer["result"], *wrong[:2]])):
                (inbox / f"hs_{day}.json").write_text(json.dumps(answer | {"pages": 1, "result": records}, ensure_ascii=False), "utf-8")
        elif layout == "td_html_xls":
            page = td_html_xls().decode()
            rows = re.findall(r"<tr>(?:(?!</tr>).)*</tr>\n", page)
            cells = re.findall(r"<td[^>]*>([^<]*)</td>", rows[-1])
            persons = [[*cells[:place], value, *cells[place + 1 :]] for place in range(len(cells)) for value in PERSON]
            more = "".join("<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>\n" for row in persons)
            (inbox / "hs_20250702.html").write_text(page.replace("</table>", f"{more}</table>"), "utf-8")
        else:
            table = table_of(feed, layout)
            for day, share in (("20250501", 0.15), ("20250502", 1.0)):
                write(inbox / f"tep_{day}.{kind}", with_persons(feed, layout, table, share))
        sources.append({"name": layout, "feed": feed, "layout": layout, "provider": "dvcqg", "url": url, "expected": "once"})
    return sources


def texts_of(engine: Engine, schemas: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    everything = MetaData()
    with engine.connect() as connection:
        for schema in schemas:
            everything.reflect(connection, schema=schema, views=True)
        for table in everything.tables.values():
            for column in table.columns:
                if column.type.python_type is str:
                    for value in connection.scalars(text(f'SELECT DISTINCT "{column.name}" FROM {table.fullname}')):
                        yield f"{table.fullname}.{column.name}", value or ""


@pytest.fixture
def env(engine: Engine, home: Path, prefect_home: Path, tmp_path: Path) -> dict[str, str]:
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    sources = tmp_path / "sources.yaml"
    sources.write_text(yaml.safe_dump({"sources": fill(inbox)}), "utf-8")
    return environment(home, sources, url_of(engine)) | {"PREFECT_HOME": str(prefect_home)}


def test_a_person_in_any_column_of_any_layout_is_told_nowhere(
    engine: Engine, env: dict[str, str], home: Path, prefect_home: Path, tmp_path: Path
) -> None:
    done = bakhong("nightly", env=env)
    assert done.returncode == 1, done.stderr
    assert re.search(r"nên cả tệp bị từ chối\..* Lỗi đã thấy: STR-\d+ – .+: \d+ dòng \(dòng \d+, ", done.stderr)
    assert re.search(r'^Nghiêm trọng STR-\d+, \w+/tep_\d+\.csv: .+ cột ".+: \d+ dòng \(dòng \d+', done.stdout, re.MULTILINE)
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM ops.delivery WHERE status = 'loaded' AND rows_quarantined > 0")) > 5
        assert connection.scalar(text("SELECT count(*) FROM ops.quarantine WHERE status = 'rejected'")) > 50
    export = tmp_path / "export.csv"
    said = [done, bakhong("quarantine", "list", env=env), bakhong("quarantine", "export", "--to", str(export), env=env)]
    told = {f"terminal {number}": one.stdout + one.stderr for number, one in enumerate(said)} | {"export": export.read_text("utf-8-sig")}
    files = [path for path in (*home.rglob("*"), *prefect_home.rglob("*")) if path.is_file() and not path.is_relative_to(home / "landing")]
    told |= {str(path): path.read_bytes().decode("utf-8", "replace") for path in files if path.suffix not in {".xlsx"}}
    assert "delivery rejected" in told[str(home / "log" / "bakhong.log")]
    found = {where for where, words in told.items() if ALONE.search(words)}
    found |= {where for where, words in texts_of(engine, ("ops", "mart")) if ALONE.search(words)}
    assert not found
