"""The values that a held edition would change as one CSV: a line a value, as published and as computed, with what moved it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from sqlalchemy import Row

from tasks.report.csv_file import as_csv
from tasks.words import vietnamese as vi

COLUMNS: dict[str, Callable[[Row[Any]], Any]] = {
    "Mã chỉ tiêu": lambda row: row.indicator_code,
    "Chỉ tiêu": lambda row: row.indicator_name,
    "Mã ĐVHC": lambda row: row.unit_code,
    "Đơn vị": lambda row: row.unit_name,
    "Kỳ": lambda row: row.period,
    "Tử số đã công bố": lambda row: row.old_numerator,
    "Mẫu số đã công bố": lambda row: row.old_denominator,
    "Kết quả đã công bố": lambda row: row.old_value,
    "Tử số chờ công bố": lambda row: row.numerator,
    "Mẫu số chờ công bố": lambda row: row.denominator,
    "Kết quả chờ công bố": lambda row: row.value,
    "Mã tình trạng (SDMX)": lambda row: row.obs_status,
    "Tệp làm thay đổi": lambda row: ", ".join(map(vi.safe, row.file_names or [])),
    "Số lần gửi làm thay đổi": lambda row: len(row.deliveries),
}
"""Column → what of a value stands in it."""
NUMBERS = tuple(name for name in COLUMNS if name.startswith(("Tử số", "Mẫu số", "Kết quả")))
"""What is not for the public before it is looked at for small groups."""


def held_csv(rows: Iterable[Row[Any]]) -> bytes:
    """Values to send; the numbers of those that are withheld are left out."""
    return as_csv(tuple(COLUMNS), map(_told, rows))


def _told(row: Row[Any]) -> list[Any]:
    return [vi.HIDDEN if row.is_withheld and name in NUMBERS else told(row) for name, told in COLUMNS.items()]
