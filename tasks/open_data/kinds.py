"""What the files of an edition's folder are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tasks.deliveries.edition_folder import DESCRIPTOR, RECORD, SUMS
from tasks.open_data.declared import tables
from warehouse.views import Words

CSV = "text/csv"
JSON = "application/json"


@dataclass(frozen=True)
class Kind:
    """What a file is."""

    title: Words
    media_type: str
    """As IANA, or whoever made the format, names it."""
    format: str
    """Code of the file types of the EU, as DCAT-AP names formats."""


def _csv(name: str) -> Kind:
    return Kind(tables()[name].row, CSV, "CSV")


KINDS: Mapping[str, Kind] = {
    "indicator.csv": _csv("indicator"),
    "indicator.parquet": Kind(
        Words("Bảng indicator ở dạng Parquet, có kiểu dữ liệu", "The table indicator as Parquet, with its types"),
        "application/vnd.apache.parquet",
        "PARQUET",
    ),
    "unit.csv": _csv("unit"),
    "definition.csv": _csv("definition"),
    "revision.csv": _csv("revision"),
    "sdmx/data.csv": Kind(
        Words("Giá trị của các chỉ tiêu ở dạng SDMX-CSV 2.0", "The values of the indicators as SDMX-CSV 2.0"),
        "application/vnd.sdmx.data+csv; version=2.0.0",
        "CSV",
    ),
    "sdmx/structure.xml": Kind(
        Words(
            "Cấu trúc SDMX-ML 3.0 của số liệu: khái niệm, danh mục mã, định nghĩa cấu trúc, luồng dữ liệu",
            "The structure of the data as SDMX-ML 3.0: concepts, code lists, data structure definition, dataflow",
        ),
        "application/vnd.sdmx.structure+xml; version=3.0.0",
        "XML",
    ),
    DESCRIPTOR: Kind(
        Words("Bản mô tả gói dữ liệu (Frictionless Data Package 2)", "Descriptor (Frictionless Data Package 2)"), JSON, "JSON"
    ),
    "README.txt": Kind(Words("Đọc trước", "Read me first"), "text/plain", "TXT"),
    RECORD: Kind(Words("Bản ghi danh mục (DCAT 3)", "Catalogue record (DCAT 3)"), "application/ld+json", "JSON_LD"),
    SUMS: Kind(Words("Mã kiểm tra SHA-256 của mọi tệp", "SHA-256 of every file"), "text/plain", "TXT"),
}
"""Name → what it is, in the order in which the files are made: each may tell of those before it."""

MEDIA_TYPES = {"html": "text/html", "css": "text/css", "js": "text/javascript", "svg": "image/svg+xml", "jsonld": "application/ld+json"}
"""Of what lists the folders, and what that loads."""
TEXT = ("text/", "application/json", "application/ld+json")


def content_type(name: str) -> str:
    """What a server says that a file is."""
    media_type = KINDS[name].media_type if name in KINDS else MEDIA_TYPES.get(name.rpartition(".")[2], "application/octet-stream")
    return f"{media_type}; charset=utf-8" if media_type.startswith(TEXT) else media_type
