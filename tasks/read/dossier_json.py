"""Dossiers as the national portal's synchronisation message writes them: JSON with lists where the CSV has columns."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa

from tasks.read.rows import File, Rows

NOT_A_NUMBER = "?"
"""Stands where a fee cannot be added up, so that the row is set aside like any cell that cannot be typed."""


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
        cells = {header: pa.array([_text(record.get(header)) for record in part], pa.string()) for header in file.needed()}
        yield Rows(cells, np.arange(start + 1, start + len(part) + 1, dtype=np.int32))


def _pages(file: File) -> list[dict[str, Any]]:
    content = file.path.read_bytes().strip()
    if not content.startswith((b"{", b"[")):
        raise file.refused("STR-007")
    try:
        answer = json.loads(content)
    except UnicodeDecodeError:
        raise file.refused("STR-006") from None
    except ValueError:
        raise file.refused("STR-005") from None
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
    amounts = [_text(fee.get("Gia")) or "0" for fee in fees]
    return {"TongPhiLePhi": sum(map(int, amounts)) if all(map(str.isdecimal, amounts)) else NOT_A_NUMBER}


def _papers(papers: list[dict[str, Any]]) -> dict[str, Any]:
    reused = {_text(paper.get("DuocTaiSuDung")) for paper in papers}
    digitised = any(_text(paper.get("DuocSoHoa")) == "1" for paper in papers)
    return {"HoSoCoThanhPhanSoHoa": digitised, "DuocTaiSuDung": next((code for code in ("2", "1") if code in reused), "0")}


def _supplements(supplements: list[dict[str, Any]]) -> dict[str, Any]:
    days = [day for supplement in supplements if (day := _text(supplement.get("NgayBoSung")))]
    return {"SoLanBoSung": len(supplements), "NgayYeuCauBoSung": max(days, default=None)}


def _results(results: list[dict[str, Any]]) -> dict[str, Any]:
    return {"CoKetQuaDienTu": any(_text(result.get("DuongDanTepTinKetQua")) for result in results)}


_LISTS = {"DanhSachLePhi": _fees, "TaiLieuNop": _papers, "DanhSachHoSoBoSung": _supplements, "DanhSachGiayToKetQua": _results}


def _text(value: Any) -> str | None:
    if isinstance(value, bool):
        return str(int(value))
    return None if value is None else str(value)
