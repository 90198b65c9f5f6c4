"""A large file read and checked, without a database: `python -m tests.bench.reading bare|plain|bounded FILE FEED LAYOUT` as JSON.

bare: what Arrow or calamine alone takes to parse it; plain: read and checked in one process; bounded: read as a night reads.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from typing import Any

import pyarrow.csv as pa_csv
import python_calamine

from expectations.contract import contract
from tasks.read import bounded
from tasks.read.file import read
from tasks.validate.checks import validate
from tasks.validate.gx import great_expectations
from tests.bench.data import units
from tests.bench.memory import Peak

WAYS = ("bare", "plain", "bounded")
HEADERS = ("Mã hóa đơn", "Mã khách hàng", "Mã ĐVHC", "Dịch vụ", "Kỳ", "Số tiền", "Ngày phát hành")
MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PARTS = {
    "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/></Types>',
    "_rels/.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    f'<Relationship Id="r1" Type="{RELATIONS}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    "xl/workbook.xml": f'<workbook {MAIN} xmlns:r="{RELATIONS}"><sheets><sheet name="1" sheetId="1" r:id="r1"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    f'<Relationship Id="r1" Type="{RELATIONS}/worksheet" Target="worksheets/sheet1.xml"/>'
    f'<Relationship Id="r2" Type="{RELATIONS}/sharedStrings" Target="sharedStrings.xml"/></Relationships>',
}


def workbook(path: Path, rows: int) -> None:
    """Writes bills of a water company as Excel would, every text kept once; by hand, since a library takes minutes."""
    texts: dict[str, int] = {}

    def text(value: str) -> str:
        return f'<c t="s"><v>{texts.setdefault(value, len(texts))}</v></c>'

    communes = units().to_pylist()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, content in PARTS.items():
            archive.writestr(name, content)
        with archive.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as sheet:
            sheet.write(f"<worksheet {MAIN}><sheetData><row>{''.join(map(text, HEADERS))}</row>".encode())
            same = text("NUOC"), text("03/2024"), text("01/03/2024")
            for number in range(rows):
                own = text(f"HD{number:09}"), text(f"KH{number % (rows // 12 + 1):08}"), text(communes[number % len(communes)])
                cells = (*own, *same[:2], f"<c><v>{10_000 + number % 90_000}</v></c>", same[2])
                sheet.write(f"<row>{''.join(cells)}</row>".encode())
            sheet.write(b"</sheetData></worksheet>")
        with archive.open("xl/sharedStrings.xml", "w", force_zip64=True) as strings:
            strings.write(f"<sst {MAIN}>".encode() + "".join(f"<si><t>{value}</t></si>" for value in texts).encode() + b"</sst>")


def measure(way: str, path: Path, feed: str, layout: str) -> dict[str, Any]:
    """What it took, measured in a process of its own."""
    command = [sys.executable, "-m", "tests.bench.reading", way, str(path), feed, layout]
    taken: dict[str, Any] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return taken


def _bare(path: Path) -> int:
    if path.suffix == ".csv":
        return sum(batch.num_rows for batch in pa_csv.open_csv(path, pa_csv.ReadOptions(use_threads=False, block_size=32 << 20)))
    return len(python_calamine.CalamineWorkbook.from_path(path).get_sheet_by_index(0).to_python()) - 1


def main(way: str, name: str, feed: str, layout: str) -> None:
    """Reads and checks the file, and tells what it took."""
    path, terms = Path(name), contract(feed)
    with Peak(0.05) as peak:
        if way == "bounded":
            peak.watch("reader", bounded.get_ready().process_id)
        great_expectations()  # in a night, both have started before the first file is there
        start = time.perf_counter()
        if way == "bare":
            rows = _bare(path)
        else:
            chunks = (bounded.read if way == "bounded" else read)(path, terms, layout, b"a key for the benchmark", path.name)
            rows = sum(checked.table.num_rows for checked in validate(chunks, terms, layout, path.name))
        seconds = time.perf_counter() - start
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10
    print(json.dumps({"rows": rows, "seconds": seconds, "own": own, "reader": peak.bytes.get("reader", 0)}), flush=True)
    os._exit(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
