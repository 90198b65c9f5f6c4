"""Whether a folder is what its checksums and its descriptor say: asked by whoever takes one, and before it is loaded as a delivery."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from tasks.ask.releases import checksum
from tasks.open_data.kinds import DESCRIPTOR, SUMS
from warehouse.settings import Refusal

Record = dict[str, str]


class Damaged(Refusal):
    """A folder is not what it says it is; the message names the file."""


def check(folder: Path) -> dict[str, Any]:
    """The descriptor of a folder of which every file is as its checksums, its schema and the checksum over its values say; else Damaged."""
    listed = read_sums(folder)
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()} - {SUMS}
    for name in sorted(listed.keys() | there):
        if name not in there:
            raise Damaged(f"{folder / name}: không có, mà {SUMS} có ghi.")
        if name not in listed:
            raise Damaged(f"{folder / name}: không có trong {SUMS}.")
        if sha256((folder / name).read_bytes()).hexdigest() != listed[name]:
            raise Damaged(f"{folder / name}: nội dung khác với mã kiểm tra trong {SUMS}.")
    descriptor = _descriptor(folder)
    records: dict[str, list[Record]] = {}
    for resource in descriptor["resources"]:
        path = folder / resource["path"]
        if resource["path"] not in there or resource["hash"] != f"sha256:{listed[resource['path']]}":
            raise Damaged(f"{path}: không có, hoặc khác với mã kiểm tra trong {DESCRIPTOR}.")
        if "schema" in resource:
            records[resource["name"]] = _records(path, resource["schema"])
    for resource in descriptor["resources"]:
        for key in resource.get("schema", {}).get("foreignKeys", ()):
            _require_known(folder / resource["path"], records, resource["name"], key)
    told = f"sha256:{checksum(SimpleNamespace(**record) for record in records['indicator'])}"
    if told != descriptor["edition"]["checksum"]:
        raise Damaged(f"{folder / 'indicator.csv'}: các giá trị không cho ra mã kiểm tra ghi trong {DESCRIPTOR}.")
    return descriptor


def read_sums(folder: Path) -> dict[str, str]:
    """File → SHA-256, as a folder's checksums list them; Damaged where there is no such list."""
    try:
        lines = (folder / SUMS).read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise Damaged(f"{folder / SUMS}: không có, hoặc không đọc được.") from error
    found = [re.fullmatch(r"([0-9a-f]{64})  ((?:[\w-][\w.-]*/)*[\w-][\w.-]*)", line) for line in lines]
    if not all(found):
        raise Damaged(f"{folder / SUMS}: có dòng không phải là mã SHA-256 và tên tệp.")
    return {line[2]: line[1] for line in found if line}


def _descriptor(folder: Path) -> dict[str, Any]:
    """The descriptor; Damaged where it is none of an edition."""
    try:
        told = json.loads((folder / DESCRIPTOR).read_text("utf-8"))
        if not {"indicator"} <= {resource["name"] for resource in told["resources"]} or "checksum" not in told["edition"]:
            raise KeyError
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Damaged(f"{folder / DESCRIPTOR}: không có, hoặc không phải bản mô tả của một bản số liệu Ba Không.") from error
    return dict(told)


# A table by its schema --------------------------------------------------------------------------------------------------

_PARSED: Mapping[str, Callable[[str], Any]] = {
    "string": str,
    "integer": int,
    "number": Decimal,
    "date": date.fromisoformat,
    "boolean": {"true": True, "false": False}.__getitem__,
}


def _records(path: Path, schema: Mapping[str, Any]) -> list[Record]:
    """The rows of a table by the names of its columns; Damaged where a cell or a key is not as the schema says."""
    header, *rows = csv.reader(io.StringIO(path.read_text("utf-8"), newline=""))
    names = [field["name"] for field in schema["fields"]]
    if header != names:
        raise Damaged(f"{path}: các cột không phải là {', '.join(names)}.")
    wrong = next(_wrong(rows, schema["fields"]), None)
    if wrong:
        raise Damaged(f"{path}: {wrong}")
    records = [dict(zip(names, row, strict=True)) for row in rows]
    keys = {tuple(record[name] for name in schema["primaryKey"]) for record in records}
    if len(keys) < len(records):
        raise Damaged(f"{path}: có hai dòng cùng {', '.join(schema['primaryKey'])}.")
    return records


def _wrong(rows: Sequence[Sequence[str]], fields: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """What is wrong in some rows, one sentence a cell."""
    for number, row in enumerate(rows, 2):
        if len(row) != len(fields):
            yield f"dòng {number} có {len(row)} ô, phải là {len(fields)}."
            continue
        for cell, field in zip(row, fields, strict=True):
            if not _is_of(cell, field):
                yield f"dòng {number}, cột {field['name']}: ô không hợp lệ."


def _is_of(cell: str, field: Mapping[str, Any]) -> bool:
    constraints = field.get("constraints", {})
    if cell == "":
        return not constraints.get("required", False)
    try:
        _PARSED[field["type"]](cell)
    except (ValueError, KeyError, InvalidOperation):
        return False
    is_listed = cell in constraints["enum"] if "enum" in constraints else True
    return is_listed and re.fullmatch(constraints.get("pattern", ".*"), cell, re.DOTALL) is not None


def _require_known(path: Path, records: Mapping[str, Sequence[Record]], table: str, key: Mapping[str, Any]) -> None:
    """Damaged where a row refers to one that is not there."""
    other = key["reference"]["resource"] or table
    known = {tuple(record[name] for name in key["reference"]["fields"]) for record in records[other]}
    for record in records[table]:
        cells = tuple(record[name] for name in key["fields"])
        if any(cells) and cells not in known:
            raise Damaged(f"{path}: {', '.join(key['fields'])} {', '.join(cells)} không có trong {other}.csv.")
