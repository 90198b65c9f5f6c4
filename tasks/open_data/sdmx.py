"""The values as SDMX: data in SDMX-CSV 2.0, their structure in SDMX-ML 3.0, made of the declared tables and codes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from tasks.open_data import words
from tasks.open_data.data import as_csv
from tasks.open_data.declared import Column, codes, tables
from tasks.open_data.edition import Cells, Edition
from warehouse.views import Words

if TYPE_CHECKING:
    from pysdmx.model import Codelist

VERSION = "1.0.0"
FLOW, STRUCTURE, CONCEPTS = "DF_BA_KHONG", "DSD_BA_KHONG", "CS_BA_KHONG"
_FREQ = Words("Tần suất", "Frequency")


@dataclass(frozen=True)
class Component:
    """A component of the structure, and the column of the table `indicator` that it is."""

    concept: str
    column: str | None
    role: Literal["dimension", "measure", "attribute"]
    type: str
    """Data type as pysdmx names it."""
    listed: str | None = None
    """Code list of its values."""
    is_required: bool = True

    @property
    def told(self) -> Column | None:
        """The column as declared; the frequency is none, since the period says it."""
        return next((one for one in tables()["indicator"].columns if one.name == self.column), None)


COMPONENTS = (
    Component("FREQ", None, "dimension", "STRING", "CL_FREQ"),
    Component("REF_AREA", "unit_id", "dimension", "STRING", "CL_AREA"),
    Component("INDICATOR", "indicator_code", "dimension", "STRING", "CL_INDICATOR"),
    Component("TIME_PERIOD", "period", "dimension", "PERIOD"),
    Component("OBS_VALUE", "value", "measure", "DECIMAL", is_required=False),
    Component("UNIT_MEASURE", "unit_measure", "attribute", "STRING", "CL_UNIT_MEASURE"),
    Component("DECIMALS", "decimals", "attribute", "INTEGER"),
    Component("NUMERATOR", "numerator", "attribute", "LONG", is_required=False),
    Component("DENOMINATOR", "denominator", "attribute", "LONG", is_required=False),
    Component("OBS_STATUS", "obs_status", "attribute", "STRING", "CL_OBS_STATUS"),
    Component("OBS_REASON", "obs_reason", "attribute", "STRING", "CL_OBS_REASON", is_required=False),
    Component("CONF_STATUS", "conf_status", "attribute", "STRING", "CL_CONF_STATUS", is_required=False),
    Component("REVISION", "revision", "attribute", "INTEGER"),
    Component("DEFINITION_VERSION", "definition_version", "attribute", "INTEGER"),
    Component("EDITION", "edition", "attribute", "STRING"),
)
"""In the order in which they stand in the data."""


def data(edition: Edition, rows: Sequence[Cells], agency: str) -> bytes:
    """The values as SDMX-CSV 2.0."""
    header = ("STRUCTURE", "STRUCTURE_ID", "ACTION", *(one.concept for one in COMPONENTS))
    names = tables()["indicator"].names
    places = [None if one.column is None else names.index(one.column) for one in COMPONENTS]
    measure = names.index("unit_measure")
    told = (
        (
            *("dataflow", f"{agency}:{FLOW}({VERSION})", "I"),
            *(edition.frequency if place is None else measure_id(row[place]) if place == measure else row[place] for place in places),
        )
        for row in rows
    )
    return as_csv(header, told)


def structure(edition: Edition, rows: Mapping[str, Sequence[Cells]], agency: str) -> bytes:
    """Concepts, code lists, data structure definition and dataflow, named in English and in Vietnamese."""
    from pysdmx.io.xml.sdmx30.writer.structure import write  # noqa: PLC0415  # a quarter of a second
    from pysdmx.model import (  # noqa: PLC0415
        Agency,
        Concept,
        ConceptScheme,
        Dataflow,
        DataStructureDefinition,
        DataType,
        ItemReference,
        Role,
    )
    from pysdmx.model import Component as Part  # noqa: PLC0415
    from pysdmx.model import Components as Parts  # noqa: PLC0415
    from pysdmx.model.message import Header  # noqa: PLC0415

    named = _Named()
    lists = {one.id: one for one in (_list(name, listed, agency, named) for name, listed in _lists(edition, rows).items())}
    concepts = ConceptScheme(
        id=CONCEPTS,
        name=named(CONCEPTS, "", Words("Khái niệm của số liệu Ba Không", "Concepts of the Ba Không data")),
        agency=agency,
        version=VERSION,
        items=[
            Concept(
                id=one.concept,
                name=named(CONCEPTS, one.concept, one.told.title if one.told else _FREQ),
                description=named(CONCEPTS, one.concept, one.told.means, "Description") if one.told else None,
                dtype=DataType[one.type],
            )
            for one in COMPONENTS
        ],
    )
    parts = Parts(
        [
            Part(
                one.concept,
                one.is_required,
                Role[one.role.upper()],
                ItemReference("Concept", agency, CONCEPTS, VERSION, one.concept),
                local_dtype=None if one.listed else DataType[one.type],
                local_codes=lists[one.listed] if one.listed else None,
                attachment_level="O" if one.role == "attribute" else None,
            )
            for one in COMPONENTS
        ]
    )
    defined = DataStructureDefinition(
        id=STRUCTURE, name=named(STRUCTURE, "", words.MODEL), agency=agency, version=VERSION, components=parts
    )
    flow = Dataflow(id=FLOW, name=named(FLOW, "", words.MODEL), agency=agency, version=VERSION, structure=defined)
    header = Header(id=f"{agency}-{edition.period}-{edition.name}", test=edition.is_sample, prepared=edition.created, sender=Agency(agency))
    written = write([*lists.values(), concepts, defined, flow], header=header)
    assert written is not None  # noqa: S101  # no path was given
    return named.in_vietnamese_too(written)


def measure_id(unit_measure: str) -> str:
    """A unit of measure as an identifier: letters without accents."""
    return words.slug(unit_measure).upper().replace("-", "_")


def _lists(edition: Edition, rows: Mapping[str, Sequence[Cells]]) -> dict[str, dict[str, tuple[Words, Words | None]]]:
    """Code list → code → what it is called, and what it means where that is said."""
    units = tables()["unit"].names
    measures = sorted({one.unit_measure for one in edition.annex.definitions})
    called = codes()
    return {
        "CL_FREQ": {code: (name, None) for code, name in called["freq"].items()},
        "CL_AREA": {
            row[units.index("unit_id")]: (Words(row[units.index("unit_name")], row[units.index("unit_name")]), None) for row in rows["unit"]
        },
        # Of several versions the one that the last periods are shown by.
        "CL_INDICATOR": {
            one.indicator_code: (Words(one.name, one.name_en or one.name), Words(one.definition, one.definition_en or one.definition))
            for one in edition.annex.definitions
        },
        "CL_UNIT_MEASURE": {measure_id(one): (called["unit_measure"].get(one, Words(one, one)), None) for one in measures},
        **{f"CL_{name.upper()}": {code: (one, None) for code, one in called[name].items()} for name in _STATUSES},
    }


_STATUSES = ("obs_status", "obs_reason", "conf_status")
_TITLES = {
    "CL_FREQ": _FREQ,
    "CL_AREA": Words("Đơn vị hành chính", "Administrative units"),
    "CL_INDICATOR": Words("Chỉ tiêu", "Indicators"),
    "CL_UNIT_MEASURE": Words("Đơn vị tính", "Units of measure"),
    **{f"CL_{one.name.upper()}": one.title for one in tables()["indicator"].columns if one.name in _STATUSES},
}


def _list(name: str, listed: Mapping[str, tuple[Words, Words | None]], agency: str, named: _Named) -> Codelist:
    from pysdmx.model import Code, Codelist  # noqa: PLC0415

    return Codelist(
        id=name,
        name=named(name, "", _TITLES[name]),
        agency=agency,
        version=VERSION,
        items=[
            Code(id=code, name=named(name, code, called), description=named(name, code, means, "Description") if means else None)
            for code, (called, means) in listed.items()
        ],
    )


class _Named:
    """Names in both languages: pysdmx writes the English ones, and knows one language alone."""

    def __init__(self) -> None:
        self.vietnamese: dict[tuple[str, str, str], str] = {}

    def __call__(self, artefact: str, item: str, called: Words, what: str = "Name") -> str:
        """The English name, or description, of an artefact or of an item of it."""
        self.vietnamese[artefact, item, what] = called.vi
        return called.en

    def in_vietnamese_too(self, written: str) -> bytes:
        """A structure message with the Vietnamese behind each English text."""
        from lxml import etree  # noqa: PLC0415

        language = "{http://www.w3.org/XML/1998/namespace}lang"
        root = etree.fromstring(written.encode())
        for english in list(root.iter("{*}Name", "{*}Description")):
            holder = english.getparent()
            above = holder.getparent()
            artefact, item = (above.get("id"), holder.get("id")) if "id" in above.attrib else (holder.get("id"), "")
            vietnamese = etree.Element(english.tag, {language: "vi"})
            vietnamese.text = self.vietnamese[artefact, item, etree.QName(english).localname]
            vietnamese.tail = english.tail
            english.addnext(vietnamese)
        return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8")) + b"\n"
