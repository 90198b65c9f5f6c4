"""Dossiers as the national portal's synchronisation message writes them: JSON with lists where the CSV has columns."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa

from tasks.read.json_text import LONGEST_NUMBER, parsed, text_of
from tasks.read.rows import NO_VALUE, File, Rows


def read_dossier_json(file: File, chunk_rows: int) -> Iterator[Rows]:
    """Rows of one answer, or of a list of its pages; the nested lists are reduced to the columns of `dvcqg_csv`."""
    try:
        records = [_flat(record) for page in _pages(file) for record in page["result"]]
    except (AttributeError, TypeError):  # a text or number where an object or a list was agreed on
        raise file.refused("STR-007") from None
    if not records:
        raise file.refused("STR-004")
    required = {name for name, column in file.contract.columns.items() if column.required}
    # JSON leaves out what is null: a missing field is a missing column only where every row must have it.
    left_out = [header for header, column in file.layout.headers.items() if column not in required]
    file.recognise(list(dict.fromkeys([*(key for record in records for key in record), *left_out])))
    for start in range(0, len(records), chunk_rows):
        part = records[start : start + chunk_rows]
        cells = {header: pa.array([text_of(record.get(header)) for record in part], pa.string()) for header in file.needed()}
        yield Rows(cells, np.arange(start + 1, start + len(part) + 1, dtype=np.int32))


def _pages(file: File) -> list[dict[str, Any]]:
    answer = parsed(file)
    pages = answer if isinstance(answer, list) else [answer]
    if not all(isinstance(page, dict) and page.get("error_code") == "0" and isinstance(page.get("result"), list) for page in pages):
        raise file.refused("STR-007", advice="Câu trả lời báo lỗi hoặc không có danh sách hồ sơ.")
    return pages


def _flat(record: dict[str, Any]) -> dict[str, Any]:
    """The record with each list replaced by what is counted of it."""
    flat = {key: value for key, value in record.items() if key not in _LISTS}
    for name, reduce in _LISTS.items():
        if record.get(name) is not None:
            flat |= reduce(record[name])
    return flat


def _fees(fees: list[dict[str, Any]]) -> dict[str, Any]:
    amounts = [text_of(fee.get("Gia")) or "0" for fee in fees]
    are_numbers = all(amount.isascii() and amount.isdigit() and len(amount) < LONGEST_NUMBER for amount in amounts)
    return {"TongPhiLePhi": sum(map(int, amounts)) if are_numbers else NO_VALUE}


def _papers(papers: list[dict[str, Any]]) -> dict[str, Any]:
    reused = {text_of(paper.get("DuocTaiSuDung")) for paper in papers}
    digitised = any(text_of(paper.get("DuocSoHoa")) == "1" for paper in papers)
    return {"HoSoCoThanhPhanSoHoa": digitised, "DuocTaiSuDung": next((code for code in ("2", "1") if code in reused), "0")}


def _supplements(supplements: list[dict[str, Any]]) -> dict[str, Any]:
    days = [day for supplement in supplements if (day := text_of(supplement.get("NgayBoSung")))]
    return {"SoLanBoSung": len(supplements), "NgayYeuCauBoSung": max(days, default=None)}


def _results(results: list[dict[str, Any]]) -> dict[str, Any]:
    return {"CoKetQuaDienTu": any(text_of(result.get("DuongDanTepTinKetQua")) for result in results)}


_LISTS = {"DanhSachLePhi": _fees, "TaiLieuNop": _papers, "DanhSachHoSoBoSung": _supplements, "DanhSachGiayToKetQua": _results}
