"""The folder of a province's signed edition, in one zip → the rows of its indicator.csv, each with the definition it was counted by."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

import numpy as np
import pyarrow as pa

from tasks.deliveries.edition_folder import Content, Damaged, Table, checked
from tasks.read.rows import File, Rows
from tasks.words.vietnamese import number
from warehouse import country

MOST_FILES = 100
_NAME = re.compile(r"(?:[A-Za-z][\w-]*/)?[A-Za-z][\w.-]*", re.ASCII)
_ENCRYPTED = 1
_UNUSABLE = (zipfile.BadZipFile, EOFError, NotImplementedError, ValueError, RuntimeError)
DEFINED = {"definition": "definition", "definition_unit": "unit_measure", "definition_decimals": "decimals", "definition_from": "begins_on"}
"""Column of the contract → column of definition.csv."""


def read_open_data(file: File, chunk_rows: int) -> Iterator[Rows]:
    """Rows of one edition, numbered as in its indicator.csv."""
    content = _content(file)
    try:
        said, values = _said(file, content), content.tables["indicator"]
        defined = _defined(content.tables["definition"], values)
    except (LookupError, TypeError, ValueError, AttributeError):
        raise file.refused("EDN-021") from None
    found = dict(zip(file.recognise(list(values)), values.values(), strict=True))
    cells = {header: found[header] for header in file.needed()} | defined
    for start in range(0, len(values["period"]), chunk_rows):
        part = {name: pa.array(islice(column, start, start + chunk_rows), pa.string()) for name, column in cells.items()}
        rows = len(part["definition"])
        same = {name: pa.repeat(cell, rows) for name, cell in said.items()}
        yield Rows(part | same, np.arange(start + 2, start + rows + 2, dtype=np.int32))


def _content(file: File) -> Content:
    """What the zip holds, if it is the whole of an edition's folder, unaltered."""
    try:
        return checked(_unpacked(file))
    except Damaged as damaged:
        raise file.refused("EDN-020", advice=str(damaged)) from None


def _unpacked(file: File) -> dict[str, bytes]:
    """Name → bytes of every file in the zip. Nothing in it is compressed or lies in two places, so it holds no more than its own size."""
    size = file.path.stat().st_size
    if size > file.limits.unpacked_mb << 20:
        raise file.refused("STR-022", advice=f"hơn {number(file.limits.unpacked_mb)} MB")
    try:
        with zipfile.ZipFile(file.path) as archive:
            entries = archive.infolist()
            names = {entry.filename for entry in entries}
            if not len(entries) == len(names) <= MOST_FILES or not all(map(_NAME.fullmatch, names)):
                raise file.refused("EDN-021")
            if any(entry.compress_type != zipfile.ZIP_STORED or entry.flag_bits & _ENCRYPTED for entry in entries):
                raise file.refused("EDN-021")
            if sum(entry.file_size for entry in entries) > size:
                raise file.refused("EDN-021")
            return {entry.filename: archive.read(entry) for entry in entries}
    except _UNUSABLE:
        raise file.refused("EDN-021") from None


def _said(file: File, content: Content) -> dict[str, str]:
    """What the descriptor says of all rows; refuses what nobody signed, and what is another than its name says."""
    edition, values = content.edition, content.tables["indicator"]
    if edition["is_provisional"] is not False:
        raise file.refused("EDN-022")
    place = f"{edition['period']}/{edition['name']}"
    if {*values["period"]} != {edition["period"]} or {*values["edition"]} != {edition["name"]}:
        raise ValueError("the values are not those of the edition")
    if file.name != f"{place}.zip":
        raise file.refused("EDN-023", advice=f"bản mô tả ghi {place}")
    provinces = sorted({country.province_today(code) or code for code in edition["provinces"]})
    return {"provinces": " ".join(provinces), "is_sample": "1" if edition["is_sample"] is not False else "0"}


def _defined(definitions: Table, values: Mapping[str, Any]) -> dict[str, list[str]]:
    """Of each row, by which definition it was counted."""
    keys = ("indicator_code", "definition_version")
    places = {key: place for place, key in enumerate(zip(*(definitions[name] for name in keys), strict=True))}
    of_rows = [places[key] for key in zip(*(values[name] for name in keys), strict=True)]
    return {name: [definitions[column][place] for place in of_rows] for name, column in DEFINED.items()}
