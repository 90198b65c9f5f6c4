"""`dcat.jsonld`: the edition as a dataset of a catalogue, in DCAT 3 with the terms and vocabularies of DCAT-AP 3."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any
from urllib.parse import urljoin

from tasks.open_data import words
from tasks.open_data.data import as_json
from tasks.open_data.declaration import OpenData
from tasks.open_data.edition import PROVISIONAL, Edition
from tasks.open_data.kinds import KINDS, Kind
from warehouse.periods import days
from warehouse.views import Words

CONTEXT = {
    "dcat": "http://www.w3.org/ns/dcat#",
    "dct": "http://purl.org/dc/terms/",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "spdx": "http://spdx.org/rdf/terms#",
    "vcard": "http://www.w3.org/2006/vcard/ns#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}
_EU = "http://publications.europa.eu/resource/authority/"
_FREQUENCY = {"A": "ANNUAL", "Q": "QUARTERLY", "M": "MONTHLY"}
_FOLLOWS = {
    "datapackage.json": "https://datapackage.org/profiles/2.0/datapackage.json",
    "sdmx/data.csv": "https://github.com/sdmx-twg/sdmx-csv/tree/v2.0.0",
    "sdmx/structure.xml": "http://www.sdmx.org/resources/sdmxml/schemas/v3_0/message",
    **{f"{name}.csv": "https://www.rfc-editor.org/rfc/rfc4180" for name in ("unit", "definition", "indicator", "revision")},
}


def record(edition: Edition, declared: OpenData, files: Mapping[str, bytes]) -> bytes:
    """The record of an edition whose other files are there; addresses are relative to it where the province declares none."""
    return as_json({"@context": CONTEXT, **_dataset(edition, declared, files)})


def catalogue(datasets: Iterable[Mapping[str, Any]], declared: OpenData, publisher: str) -> bytes:
    """The catalogue of all editions from their records."""
    told = {
        "@id": _iri(declared, ""),
        "@type": "dcat:Catalog",
        "dct:title": _both(words.MODEL),
        "dct:description": _both(
            Words("Các bản số liệu của mô hình “3 không”, công khai", "The editions of the data of the “3 no” model, open to all")
        ),
        "dct:publisher": _agent(publisher),
        "dcat:contactPoint": _contact(declared),
        "dct:license": _licence(declared),
        "dct:language": [_of("language/VIE"), _of("language/ENG")],
        "foaf:homepage": {"@id": _iri(declared, "index.html")},
        "dcat:dataset": [{name: one for name, one in dataset.items() if name != "@context"} for dataset in datasets],
    }
    return as_json({"@context": CONTEXT, **told})


def within(dataset: Any, place: str) -> Any:
    """A record with its relative addresses as seen from a folder above."""
    if isinstance(dataset, dict):
        return {
            name: urljoin(f"{place}/", one) if name == "@id" and ":" not in one else within(one, place) if name != "@context" else one
            for name, one in dataset.items()
        }
    return [within(one, place) for one in dataset] if isinstance(dataset, list) else dataset


def _dataset(edition: Edition, declared: OpenData, files: Mapping[str, bytes]) -> dict[str, Any]:
    first, last = days(edition.period)
    before = edition.name_before
    told = {
        "@id": _iri(declared, f"{edition.place}/", "./"),
        "@type": "dcat:Dataset",
        "dct:identifier": f"ba-khong/{edition.place}",
        "dct:title": _both(words.title(edition)),
        "dct:description": _both(words.description(edition)),
        "dct:issued": _typed(edition.created.isoformat(), "dateTime"),
        "dct:modified": _typed(edition.created.isoformat(), "dateTime"),
        "dcat:version": edition.name,
        "dcat:versionNotes": edition.note,
        "dcat:previousVersion": {"@id": _iri(declared, f"{edition.period}/{before}/", f"../{before}/")} if before else None,
        "dcat:isVersionOf": {"@id": _iri(declared, f"{edition.period}/", "../")},
        "dct:publisher": _agent(words.publisher(edition, declared)),
        "dcat:contactPoint": _contact(declared),
        "dct:license": _licence(declared),
        "dct:accessRights": _of("access-right/PUBLIC"),
        "dct:bibliographicCitation": edition.citation,
        "dct:accrualPeriodicity": _of(f"frequency/{'DAILY' if edition.name == PROVISIONAL else _FREQUENCY[edition.frequency]}"),
        "dct:temporal": {
            "@type": "dct:PeriodOfTime",
            "dcat:startDate": _typed(first.isoformat(), "date"),
            "dcat:endDate": _typed(last.isoformat(), "date"),
        },
        "dct:spatial": [
            {"@type": "dct:Location", "dct:identifier": unit.code, "skos:prefLabel": {"@value": unit.name, "@language": "vi"}}
            for unit in edition.area
        ],
        "dct:language": [_of("language/VIE"), _of("language/ENG")],
        "dcat:theme": _of("data-theme/GOVE"),
        "dcat:keyword": [{"@value": "chuyển đổi số", "@language": "vi"}, {"@value": "digital government", "@language": "en"}],
        "dcat:distribution": [_distribution(edition, declared, name, KINDS[name], content) for name, content in files.items()],
    }
    return told


def _distribution(edition: Edition, declared: OpenData, name: str, kind: Kind, content: bytes) -> dict[str, Any]:
    address = {"@id": _iri(declared, f"{edition.place}/{name}", name)}
    return {
        "@type": "dcat:Distribution",
        "dct:title": name,
        "dct:description": _both(kind.title),
        "dcat:accessURL": address,
        "dcat:downloadURL": address,
        "dct:format": _of(f"file-type/{kind.format}"),
        "dcat:mediaType": {"@id": f"https://www.iana.org/assignments/media-types/{kind.media_type.partition(';')[0]}"},
        "dcat:byteSize": {"@value": str(len(content)), "@type": "xsd:nonNegativeInteger"},
        "dct:conformsTo": {"@id": _FOLLOWS[name]} if name in _FOLLOWS else None,
        "dct:license": _licence(declared),
        "spdx:checksum": {
            "@type": "spdx:Checksum",
            "spdx:algorithm": {"@id": "spdx:checksumAlgorithm_sha256"},
            "spdx:checksumValue": _typed(sha256(content).hexdigest(), "hexBinary"),
        },
    }


def _iri(declared: OpenData, place: str, relative: str | None = None) -> str:
    """Address of a place among all editions: whole where the province says where that is, else relative."""
    return f"{declared.base_url}{place}" if declared.base_url else (relative if relative is not None else place or "./")


def _agent(name: str) -> dict[str, Any]:
    return {"@type": "foaf:Agent", "foaf:name": {"@value": name, "@language": "vi"}}


def _contact(declared: OpenData) -> dict[str, Any] | None:
    one = declared.contact
    if one is None:
        return None
    return {
        "@type": "vcard:Kind",
        "vcard:fn": one.name,
        "vcard:hasEmail": {"@id": f"mailto:{one.email}"} if one.email else None,
        "vcard:hasURL": {"@id": one.url} if one.url else None,
    }


def _licence(declared: OpenData) -> dict[str, Any] | None:
    one = declared.licence
    if one is None:
        return None
    named = {"@type": "dct:LicenseDocument", "dct:title": {"@value": one.name, "@language": "vi"}}
    return {"@id": one.url, **named} if one.url else named


def _of(code: str) -> dict[str, str]:
    """A code of the vocabularies of the EU, which DCAT-AP asks for."""
    return {"@id": _EU + code}


def _typed(value: str, kind: str) -> dict[str, str]:
    return {"@value": value, "@type": f"xsd:{kind}"}


def _both(told: Words) -> list[dict[str, str]]:
    return [{"@value": told.vi, "@language": "vi"}, {"@value": told.en, "@language": "en"}]
