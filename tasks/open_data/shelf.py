"""All editions in one folder, `open-data`: written whole or not at all, with a page and a catalogue that list them."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from jinja2 import PackageLoader
from sqlalchemy import Connection, Row, text

from tasks.ask.releases import all_signed
from tasks.deliveries.edition_folder import CATALOGUE, DESCRIPTOR, RECORD
from tasks.open_data import words
from tasks.open_data.dcat import catalogue, within
from tasks.open_data.declaration import OpenData
from tasks.open_data.edition import PROVISIONAL, Edition, provisional_edition, signed_edition
from tasks.open_data.files import files_of
from tasks.open_data.kinds import KINDS
from tasks.report.edition import OPEN_DATA
from tasks.report.kept import fingerprint
from tasks.report.rendering import ASSETS, Page, environment_of, render
from tasks.report.site import StaticFrame
from warehouse.confidentiality import confidentiality
from warehouse.periods import days, period_type

FOLDER = OPEN_DATA
"""Name of the folder, in the home and in addresses."""
LATEST = "latest"
"""Beside the editions of a period: the last that is signed."""
INDEX = "index.html"
_MADE = ".provisional.json"
_LOADER = PackageLoader("tasks.open_data")


def shelf_of(home: Path) -> Path:
    """The folder of all editions of an installation."""
    return home / FOLDER


def find(shelf: Path, name: str) -> Path | None:
    """What lies at an address below the editions: a file, or the folder of an edition; nothing that is hidden or outside of it."""
    parts = name.rstrip("/").split("/")
    if any(part.startswith(".") or part == "" for part in parts) or "\\" in name or "\0" in name:
        return None
    path = shelf.joinpath(*parts)
    if not path.resolve().is_relative_to(shelf.resolve()):
        return None
    return path if path.is_file() or (path / DESCRIPTOR).is_file() else None


def write_signed(connection: Connection, home: Path, declared: OpenData, signature: Row[Any]) -> Path:
    """Writes what stands under a signature to its place, and returns that."""
    place = put(signed_edition(connection, signature), declared, shelf_of(home))
    refresh(shelf_of(home), declared)
    return place


def write_provisional(connection: Connection, home: Path, declared: OpenData, period: str) -> Path:
    """Writes what is published of a period to its place, marked provisional."""
    place = put(provisional_edition(connection, period), declared, shelf_of(home))
    refresh(shelf_of(home), declared)
    return place


def write_missing(connection: Connection, home: Path, declared: OpenData) -> list[Path]:
    """Writes the signed editions that have no folder yet, and the provisional ones that are declared and would be others."""
    shelf = shelf_of(home)
    missing = [one for one in all_signed(connection) if not (shelf / one.period / str(one.release_id) / DESCRIPTOR).is_file()]
    written = [put(signed_edition(connection, signature), declared, shelf) for signature in missing]
    written += _provisional(connection, shelf, declared)
    if shelf.is_dir() or written:
        refresh(shelf, declared)
    return written


def _provisional(connection: Connection, shelf: Path, declared: OpenData) -> list[Path]:
    if not declared.provisional:
        return []
    made = _read_json(shelf / _MADE)
    around = fingerprint(declared.model_dump_json(), confidentiality().fingerprint)
    told = {
        row.period: f"{around} {row.content}"
        for row in connection.execute(text(_PUBLISHED))
        if period_type(row.period) in declared.provisional
    }
    others = [one for one in told if made.get(one) != told[one] or not (shelf / one / PROVISIONAL / DESCRIPTOR).is_file()]
    written = [put(provisional_edition(connection, period), declared, shelf) for period in others]
    if written:
        replace_file(shelf / _MADE, json.dumps(told).encode())
    return written


# What is published of a period, as far as it can be told without asking for its values; by year what is withheld, and what was signed.
_PUBLISHED = """
SELECT published.period, concat_ws(' ', changed_at, judged.fingerprint, withheld.content, signed.release_id) AS content
FROM (
    SELECT period, greatest(max(known_from), max(known_to) FILTER (WHERE isfinite(known_to))) AS changed_at
    FROM warehouse.fact_indicator GROUP BY period HAVING bool_or(known_to = 'infinity')
) AS published
LEFT JOIN ops.mark AS judged ON judged.item = 'confidentiality ' || left(published.period, 4)
LEFT JOIN (
    SELECT period, concat_ws(' ', count(*), sum(hashtextextended(line::text, 0))) AS content
    FROM warehouse.indicator_confidentiality AS line GROUP BY period
) AS withheld USING (period)
LEFT JOIN (SELECT period, max(release_id) AS release_id FROM ops.release GROUP BY period) AS signed USING (period)
ORDER BY published.period
"""


# Files ------------------------------------------------------------------------------------------------------------------


def put(edition: Edition, declared: OpenData, shelf: Path) -> Path:
    """Puts an edition's folder to its place at once; one that is there already, byte for byte, stays."""
    place = shelf / edition.place
    write_folder(files_of(edition, declared), place)
    return place


def write_folder(files: Mapping[str, bytes], place: Path) -> None:
    """Writes a folder beside its place and renames it: nobody sees a part of it."""
    if _is_there(files, place):
        return
    place.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{place.name}-", dir=place.parent))
    try:
        for name, content in files.items():
            path = draft / name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(content)
            path.parent.chmod(0o755)  # it is for everybody, wherever it is copied to
            path.chmod(0o644)
        if place.exists():
            place.rename(draft / ".before")
        draft.rename(place)
        shutil.rmtree(place / ".before", ignore_errors=True)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _is_there(files: Mapping[str, bytes], place: Path) -> bool:
    there = {path.relative_to(place).as_posix() for path in place.rglob("*") if path.is_file()} if place.is_dir() else set()
    return there == files.keys() and all((place / name).read_bytes() == content for name, content in files.items())


def replace_file(path: Path, content: bytes) -> None:
    """Writes a file beside its place and renames it; one that says the same stays."""
    with suppress(FileNotFoundError):
        if path.read_bytes() == content:
            return
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_bytes(content)
    draft.replace(path)


def _read_json(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(path.read_text("utf-8")))
    except (OSError, ValueError):
        return {}


# What lists them --------------------------------------------------------------------------------------------------------


def refresh(shelf: Path, declared: OpenData) -> None:
    """Writes the page and the catalogue of all editions anew, and lets each period's `latest` lead to the last that is signed."""
    places = sorted((path.parent for path in shelf.glob(f"[0-9]*/*/{DESCRIPTOR}") if not path.parent.is_symlink()), key=_order)
    descriptors = {place: _read_json(place / DESCRIPTOR) for place in places}
    last = {place.parent: place.name for place in reversed(places) if place.name != PROVISIONAL}
    for period, name in last.items():
        _lead(period / LATEST, name)
    editions = [(place.relative_to(shelf).as_posix(), descriptors[place], last.get(place.parent) == place.name) for place in places]
    publisher = next((told["edition"]["publisher"] for told in descriptors.values()), declared.publisher or "Ba Không")
    records = [within(_read_json(place / RECORD), place.relative_to(shelf).as_posix()) for place in places]
    replace_file(shelf / CATALOGUE, catalogue(records, declared, publisher))
    for asset in ASSETS.iterdir():
        replace_file(shelf / asset.name, asset.read_bytes())
    is_sample = any(told["edition"]["is_sample"] for told in descriptors.values())
    content = {
        "editions": editions,
        "kinds": KINDS,
        "day_of": datetime.fromisoformat,
        "publisher": publisher,
        "licence": words.licence(declared).vi,
        "contact": declared.contact,
        "base_url": declared.base_url,
    }
    frame = StaticFrame(shelf, "index", known=(), is_sample=is_sample)
    replace_file(shelf / INDEX, render(Page("index", "open_data.html", content), frame, environment_of(_LOADER)).encode())


def _order(place: Path) -> tuple[Any, ...]:
    """Latest periods first, of a period its year before its parts; the last edition first, behind the provisional one."""
    first, last = days(place.parent.name)
    number = float("inf") if place.name == PROVISIONAL else int(place.name)
    return -last.toordinal(), first.toordinal(), -number


def _lead(link: Path, name: str) -> None:
    if link.is_symlink() and link.readlink() == Path(name):
        return
    draft = link.with_name(f".{link.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    draft.symlink_to(name, target_is_directory=True)
    draft.replace(link)
