"""The page of the fees paid online beside the dossiers that say so, and the rows in which they differ as a file."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, text

from tasks.ask.fees import Difference, fees, first_shown
from tasks.report.csv_file import ENCODING, write_csv
from tasks.report.kept import fingerprint, made, programme, take_over, write_down, written_down
from tasks.report.pages.fees import LISTED, fees_page
from tasks.report.site import write_pages
from tasks.words.vietnamese import FEES, period, safe
from warehouse.seed import is_sample

PAGE, MANIFEST = "doi-soat-phi.html", "doi-soat-phi.json"
HEADER = (
    "Kết quả", "Đơn vị tiếp nhận", "Tháng", "Mã hồ sơ", "Đã nộp (đồng)", "Phí, lệ phí của hồ sơ (đồng)", "Chênh lệch (đồng)",
    "Tệp hồ sơ", "Dòng hồ sơ", "Tệp thanh toán", "Dòng thanh toán",
)  # fmt: skip

# What a load may have changed, and the names of units; of the rest the programme itself has all say.
_CONTENT = """
SELECT (SELECT max(load_id) FROM ops.load), (SELECT sum(hashtextextended(unit::text, 0)) FROM warehouse.dim_unit AS unit)
"""


def write_fees(connection: Connection, as_of: datetime, before: Path, edition: Path) -> None:
    """Puts page and file into an edition; where nothing was loaded since the edition before, they are taken over from there."""
    since = first_shown(connection, as_of)
    content = fingerprint(programme(), since, connection.execute(text(_CONTENT)).one())
    parts = [part for part in written_down(before, MANIFEST) if part.content == content and take_over(part, before, edition)]
    if not parts:
        shown = fees(connection, since)
        write_pages([fees_page(shown, as_of)], edition, is_sample=is_sample(connection))
        _write_rows(edition / LISTED, shown.differences)
        parts = [made(PAGE, content, edition, (PAGE, LISTED))]
    write_down(edition, MANIFEST, parts)


def _write_rows(path: Path, differences: Sequence[Difference]) -> None:
    with path.open("w", encoding=ENCODING, newline="") as file:
        write_csv(file, HEADER, map(_cells, differences))


def _cells(of: Difference) -> tuple[Any, ...]:
    files = of.dossier_file and safe(of.dossier_file), of.dossier_row, of.payment_file and safe(of.payment_file), of.payment_row
    return FEES[of.kind], of.unit, period(of.month), of.dossier_code, of.paid_vnd, of.fee_vnd, of.difference_vnd, *files
