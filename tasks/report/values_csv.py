"""Published values as one CSV: a line a value, with all that the mart tells of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from io import TextIOWrapper
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from tasks.ask.official_table import Line
from tasks.report.csv_file import ENCODING, as_csv, write_csv
from tasks.words import vietnamese as vi
from warehouse.names import LEVELS

COLUMNS: dict[str, Callable[[Line], Any]] = {
    "Mã chỉ tiêu": lambda line: line.indicator_code,
    "Chỉ tiêu": lambda line: line.indicator_name,
    "Biểu": lambda line: line.official_table,
    "Trụ cột": lambda line: vi.PILLAR[line.pillar],
    "Mã ĐVHC": lambda line: line.unit_code,
    "Đơn vị": lambda line: line.unit_name,
    "Cấp": lambda line: LEVELS[line.unit_level],
    "Mã ĐVHC cấp trên": lambda line: line.parent_code,
    "Kỳ": lambda line: line.period,
    "Từ ngày": lambda line: line.first_day,
    "Đến ngày": lambda line: line.last_day,
    "Tử số": lambda line: line.numerator,
    "Mẫu số": lambda line: line.denominator,
    "Kết quả": lambda line: line.value,
    "Đơn vị tính": lambda line: "%" if line.unit_measure == "PERCENT" else line.unit_measure,
    "Mục tiêu": lambda line: line.target,
    "Nguồn mục tiêu": lambda line: line.target_source,
    "Đạt mục tiêu": lambda line: line.is_met,
    "Mức điểm tối đa (766)": lambda line: line.full_marks,
    "Nguồn mức điểm tối đa": lambda line: line.full_marks_source,
    "Mã tình trạng (SDMX)": lambda line: line.obs_status,
    "Tình trạng số liệu": lambda line: line.status,
    "Ghi chú": lambda line: line.obs_note,
    "Số xã có số liệu": lambda line: line.units_counted,
    "Số xã phải gửi": lambda line: line.units_expected,
    "Số liệu đến": lambda line: line.data_until,
    "Hạn gửi tiếp": lambda line: line.next_due,
    "Còn chờ": lambda line: line.awaited,
    "Lần sửa đổi": lambda line: line.revision,
    "Cách tính": lambda line: line.definition,
    "Căn cứ": lambda line: line.legal_source,
}
"""Column → what of a value stands in it."""


def write_values_file(path: Path, lines: Iterable[Line]) -> None:
    """Writes values into a file, a line each."""
    with path.open("w", encoding=ENCODING, newline="") as file:
        write_csv(file, tuple(COLUMNS), _told(lines))


def write_values_packed(path: Path, lines: Iterable[Line]) -> None:
    """The same of the whole country, in a zip that comes out alike for the same values."""
    packed = ZipInfo(path.stem)
    packed.compress_type = ZIP_DEFLATED
    with ZipFile(path, "w") as book, book.open(packed, "w", force_zip64=True) as file:
        write_csv(TextIOWrapper(file, ENCODING, newline=""), _header(of_country=True), _told(lines))


def values_csv(lines: Iterable[Line], *, of_country: bool = False) -> bytes:
    """Values to send."""
    return as_csv(_header(of_country=of_country), _told(lines))


def _header(*, of_country: bool) -> list[str]:
    """Names of the columns; a value of the country is made of provinces, as one of a province is of communes."""
    return [name.replace("Số xã", "Số tỉnh hoặc xã") if of_country else name for name in COLUMNS]


def _told(lines: Iterable[Line]) -> Iterator[list[Any]]:
    return ([told(line) for told in COLUMNS.values()] for line in lines)
