"""The folder of a signed edition, as a province opens it to all: how it is laid out, and whether it is what it says it is.

Asked by whoever takes one, and of every delivery that is one. What a folder holds is not trusted: it is told of by the names of files,
columns and rows, never by what stands in a cell.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any

from warehouse.settings import Refusal

SUMS = "SHA256SUMS"
"""In a folder: SHA-256 and name of every other file."""
DESCRIPTOR = "datapackage.json"
RECORD = "dcat.jsonld"
CATALOGUE = "catalog.jsonld"
"""Beside the folders of all periods: the records of all editions."""
CHECKED = ("indicator_code", "unit_code", "first_day", "numerator", "denominator", "value", "obs_status")
"""What of each value the checksum is over: columns of mart.indicator, which anybody can ask."""

Table = dict[str, tuple[str, ...]]
"""Column → its cells, row by row."""


class Damaged(Refusal):
    """A folder is not what it says it is; the message names the file."""


@dataclass(frozen=True)
class Content:
    """What a folder holds."""

    descriptor: dict[str, Any]
    tables: dict[str, Table]

    @property
    def edition(self) -> dict[str, Any]:
        """What the descriptor says of the edition."""
        return dict(self.descriptor["edition"])


def check(folder: Path) -> dict[str, Any]:
    """The descriptor of a folder of which every file is as its checksums, its schema and the checksum over its values say; else Damaged."""
    files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    return checked(files, f"{folder}/").descriptor


def checked(files: Mapping[str, bytes], place: str = "") -> Content:
    """What files by their names in a folder hold, if they are the whole of it, unaltered; else Damaged. `place`: goes before each name."""
    listed = sums_in(files.get(SUMS, b""), place)
    for name in sorted(listed.keys() | files.keys() - {SUMS}):
        if name not in files:
            raise Damaged(f"{place}{name}: không có, mà {SUMS} có ghi.")
        if name not in listed:
            raise Damaged(f"{place}{name}: không có trong {SUMS}.")
        if sha256(files[name]).hexdigest() != listed[name]:
            raise Damaged(f"{place}{name}: nội dung khác với mã kiểm tra trong {SUMS}.")
    try:
        return _content(files, listed, place)
    except (LookupError, ValueError, TypeError, AttributeError, RecursionError, re.error) as error:
        raise Damaged(f"{place}{DESCRIPTOR}: không có, hoặc không phải bản mô tả của một bản số liệu Ba Không.") from error


def sums_in(content: bytes, place: str = "") -> dict[str, str]:
    """File → SHA-256, as the checksums of a folder list them; Damaged where that is no such list, or it leads out of the folder."""
    try:
        lines = content.decode("utf-8").splitlines()
    except UnicodeDecodeError:
        lines = []
    found = [_SUM.fullmatch(line) for line in lines]
    if not found or not all(found):
        raise Damaged(f"{place}{SUMS}: không có, hoặc có dòng không phải là mã SHA-256 và tên tệp.")
    return {line[2]: line[1] for line in found if line}


_SUM = re.compile(r"([0-9a-f]{64})  ((?:[\w-][\w.-]*/)*[\w-][\w.-]*)", re.ASCII)


def read_sums(folder: Path) -> dict[str, str]:
    """The same of a folder on this machine."""
    try:
        return sums_in((folder / SUMS).read_bytes(), f"{folder}/")
    except OSError as error:
        raise Damaged(f"{folder / SUMS}: không có, hoặc không đọc được.") from error


def checksum(rows: Iterable[Sequence[Any]]) -> str:
    """SHA-256 over the columns CHECKED as CSV in UTF-8: a header, then a line each, by indicator, unit and first day, ended by \\n."""
    told = io.StringIO()
    writer = csv.writer(told, lineterminator="\n")
    writer.writerow(CHECKED)
    writer.writerows(["" if cell is None else cell for cell in row] for row in sorted(rows, key=lambda row: tuple(row[:3])))
    return sha256(told.getvalue().encode()).hexdigest()


def _content(files: Mapping[str, bytes], listed: Mapping[str, str], place: str) -> Content:
    descriptor = json.loads(files[DESCRIPTOR].decode("utf-8"))
    tables: dict[str, Table] = {}
    for resource in descriptor["resources"]:
        path = resource["path"]
        if path not in listed:
            raise Damaged(f"{place}{DESCRIPTOR}: ghi một tệp không có trong thư mục.")
        if resource["hash"] != f"sha256:{listed[path]}":
            raise Damaged(f"{place}{path}: nội dung khác với mã kiểm tra trong {DESCRIPTOR}.")
        if "schema" in resource:
            tables[resource["name"]] = _table(f"{place}{path}", files[path], resource["schema"])
    for resource in descriptor["resources"]:
        for key in resource.get("schema", {}).get("foreignKeys", ()):
            _require_known(f"{place}{resource['path']}", tables, resource["name"], key)
    values = tables["indicator"]
    if descriptor["edition"]["checksum"] != f"sha256:{checksum(zip(*(values[name] for name in CHECKED), strict=True))}":
        raise Damaged(f"{place}indicator.csv: các giá trị không cho ra mã kiểm tra ghi trong {DESCRIPTOR}.")
    return Content(descriptor, tables)


# A table by its schema --------------------------------------------------------------------------------------------------

_COLUMN = re.compile(r"[a-z][a-z_]{0,40}")
_SHAPES = {
    "string": re.compile(r".*", re.DOTALL),
    "integer": re.compile(r"-?[0-9]+"),
    "number": re.compile(r"-?[0-9]+(\.[0-9]+)?"),
    "date": re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}"),
    "boolean": re.compile(r"true|false"),
}


def _table(path: str, content: bytes, schema: Mapping[str, Any]) -> Table:
    """A table by its columns; Damaged where a cell or a key is not as the schema says."""
    names = [field["name"] for field in schema["fields"]]
    if not all(map(_COLUMN.fullmatch, names)):
        raise ValueError("no names of columns of ours")
    try:
        header, *rows = csv.reader(io.StringIO(content.decode("utf-8"), newline=""), strict=True)
    except (ValueError, csv.Error) as error:  # none at all, no UTF-8, or a quote that does not end
        raise Damaged(f"{path}: không phải bảng CSV ở dạng UTF-8.") from error
    if header != names:
        raise Damaged(f"{path}: các cột không phải là {', '.join(names)}.")
    for number, row in enumerate(rows, 2):
        if len(row) != len(names):
            raise Damaged(f"{path}: dòng {number} có {len(row)} ô, phải là {len(names)}.")
    columns = dict(zip(names, zip(*rows, strict=True) if rows else [()] * len(names), strict=True))
    for field in schema["fields"]:
        cells = columns[field["name"]]
        if wrong := {cell for cell in set(cells) if not _is_of(cell, field)}:  # cells repeat: each is looked at once
            number = next(number for number, cell in enumerate(cells, 2) if cell in wrong)
            raise Damaged(f"{path}: dòng {number}, cột {field['name']}: ô không hợp lệ.")
    keys = set(zip(*(columns[name] for name in schema["primaryKey"]), strict=True))
    if len(keys) < len(rows):
        raise Damaged(f"{path}: có hai dòng cùng {', '.join(schema['primaryKey'])}.")
    return columns


def _is_of(cell: str, field: Mapping[str, Any]) -> bool:
    constraints = field.get("constraints", {})
    if cell == "":
        return not constraints.get("required", False)
    if not _SHAPES[field["type"]].fullmatch(cell) or (field["type"] == "date" and not _is_day(cell)):
        return False
    is_listed = cell in constraints["enum"] if "enum" in constraints else True
    return is_listed and ("pattern" not in constraints or re.fullmatch(constraints["pattern"], cell, re.DOTALL) is not None)


def _is_day(cell: str) -> bool:
    try:
        date.fromisoformat(cell)
    except ValueError:
        return False
    return True


def _require_known(path: str, tables: Mapping[str, Table], name: str, key: Mapping[str, Any]) -> None:
    """Damaged where a row refers to one that is not there."""
    other = key["reference"]["resource"] or name
    known = set(zip(*(tables[other][column] for column in key["reference"]["fields"]), strict=True))
    for number, cells in enumerate(zip(*(tables[name][column] for column in key["fields"]), strict=True), 2):
        if cells not in known and any(cells):
            raise Damaged(f"{path}: dòng {number}: {', '.join(key['fields'])} không có trong {other}.csv.")
