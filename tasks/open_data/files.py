"""The bytes of all files of an edition's folder."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from hashlib import sha256

from tasks.deliveries.edition_folder import DESCRIPTOR, RECORD, SUMS
from tasks.open_data.data import as_csv, as_parquet
from tasks.open_data.datapackage import datapackage
from tasks.open_data.dcat import record
from tasks.open_data.declaration import OpenData
from tasks.open_data.declared import tables
from tasks.open_data.edition import Edition, rows_of
from tasks.open_data.kinds import KINDS
from tasks.open_data.readme import readme
from tasks.open_data.sdmx import data, structure


def files_of(edition: Edition, declared: OpenData) -> dict[str, bytes]:
    """Name → bytes of every file of an edition's folder: the same whenever they are made of the same."""
    rows = rows_of(edition)
    files: dict[str, bytes] = {}
    makers: dict[str, Callable[[], bytes]] = {
        **{f"{name}.csv": lambda name=name: as_csv(tables()[name].names, rows[name]) for name in tables()},  # type: ignore[misc]
        "indicator.parquet": lambda: as_parquet(tables()["indicator"], rows["indicator"]),
        "sdmx/data.csv": lambda: data(edition, rows["indicator"], declared.agency),
        "sdmx/structure.xml": lambda: structure(edition, rows, declared.agency),
        DESCRIPTOR: lambda: datapackage(edition, declared, files),
        "README.txt": lambda: readme(edition, declared),
        RECORD: lambda: record(edition, declared, files),
        SUMS: lambda: sums(files),
    }
    for name in KINDS:
        files[name] = makers[name]()
    return files


def sums(files: Mapping[str, bytes]) -> bytes:
    """A line a file, as `sha256sum -c` reads it."""
    return "".join(f"{sha256(content).hexdigest()}  {name}\n" for name, content in sorted(files.items())).encode()
