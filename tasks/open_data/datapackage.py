"""`datapackage.json`: the folder described as a Frictionless Data Package, version 2."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from tasks.open_data import words
from tasks.open_data.data import LINE_END, as_json
from tasks.open_data.declaration import OpenData
from tasks.open_data.declared import Column, Table, tables
from tasks.open_data.edition import Edition
from tasks.open_data.kinds import CSV, KINDS
from warehouse.views import Words

PROFILE = "https://datapackage.org/profiles/2.0/"


def datapackage(edition: Edition, declared: OpenData, files: Mapping[str, bytes]) -> bytes:
    """The descriptor of an edition whose data are there; a title or meaning in both languages stands as `Vietnamese | English`."""
    publisher, contact = words.publisher(edition, declared), declared.contact
    told: dict[str, Any] = {
        "$schema": f"{PROFILE}datapackage.json",
        "name": f"ba-khong-{edition.period.lower()}-{edition.name}",
        "title": words.title(edition).both,
        "description": words.description(edition).both,
        "version": edition.name,
        "created": edition.created.isoformat(),
        "licenses": [_licence(declared)] if declared.licence else None,
        "contributors": [
            {"title": publisher, "roles": ["publisher"]},
            *([{"title": contact.name, "roles": ["contact"], "email": contact.email, "path": contact.url}] if contact else []),
        ],
        "sources": [{"title": source} for source in edition.annex.sources] or None,
        "keywords": ["chuyển đổi số", "3 không", "Việt Nam", "digital government", "indicator"],
        "homepage": f"{declared.base_url}index.html" if declared.base_url else None,
        "edition": _edition(edition, declared),
        "resources": [
            *(_table(table, files) for table in tables().values()),
            *(_file(name, content) for name, content in files.items() if name.startswith("sdmx/")),
        ],
    }
    return as_json(told)


def _edition(edition: Edition, declared: OpenData) -> dict[str, Any]:
    """What a citation needs, and whoever reads the folder as a delivery."""
    return {
        "period": edition.period,
        "name": edition.name,
        "before": edition.name_before,
        "is_provisional": edition.is_provisional,
        "is_sample": edition.is_sample,
        "provinces": [unit.code for unit in edition.provinces],
        "publisher": words.publisher(edition, declared),
        "publication": edition.publication,
        "as_of": edition.as_of.isoformat(),
        "signed_by": edition.signed_by,
        "note": edition.note,
        "values": len(edition.lines),
        "checksum": f"sha256:{edition.checksum}",
        "citation": edition.citation,
        "licence": words.licence(declared).both,
    }


def _licence(declared: OpenData) -> dict[str, Any]:
    assert declared.licence is not None  # noqa: S101  # where there is none, nothing is said of it
    return {"name": words.slug(declared.licence.name), "title": declared.licence.name, "path": declared.licence.url}


def _table(table: Table, files: Mapping[str, bytes]) -> dict[str, Any]:
    content, alternate = files[f"{table.name}.csv"], f"{table.name}.parquet"
    keys = [
        {"fields": list(columns), "reference": {"resource": "" if other == table.name else other, "fields": list(columns.values())}}
        for other, columns in table.refers_to.items()
    ]
    return {
        "name": table.name,
        "type": "table",
        "path": f"{table.name}.csv",
        "title": table.name,
        "description": table.row.both,
        "format": "csv",
        "mediatype": CSV,
        "encoding": "utf-8",
        "bytes": len(content),
        "hash": _hash(content),
        # No resource of its own: a reader that guesses its types would take the descriptor for wrong.
        "alternates": [_file(alternate, files[alternate])] if alternate in files else None,
        "dialect": {"delimiter": ",", "lineTerminator": LINE_END, "quoteChar": '"', "doubleQuote": True, "header": True},
        "schema": {
            "$schema": f"{PROFILE}tableschema.json",
            "fields": [_field(column) for column in table.columns],
            "missingValues": [{"value": "", "label": words.MISSING.both}],
            "primaryKey": list(table.key),
            "foreignKeys": keys or None,
        },
    }


def _field(column: Column) -> dict[str, Any]:
    constraints: dict[str, Any] = {"required": True} if column.is_required else {}
    if column.codes is not None:
        constraints["enum"] = list(column.codes)
    if column.pattern is not None:
        constraints["pattern"] = column.pattern
    return {
        "name": column.name,
        "type": column.type,
        "title": column.title.both,
        "description": column.means.both,
        "categories": None if column.codes is None else [_category(code, called) for code, called in column.codes.items()],
        "constraints": constraints or None,
    }


def _category(code: str, called: Words) -> dict[str, str]:
    return {"value": code, "label": called.both}


def _file(name: str, content: bytes) -> dict[str, Any]:
    kind = KINDS[name]
    return {
        "name": name.replace("/", "-").replace(".", "-"),
        "path": name,
        "description": kind.title.both,
        "format": name.rpartition(".")[2],
        "mediatype": kind.media_type,
        "bytes": len(content),
        "hash": _hash(content),
    }


def _hash(content: bytes) -> str:
    return f"sha256:{sha256(content).hexdigest()}"
