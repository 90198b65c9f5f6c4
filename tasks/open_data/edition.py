"""An edition of a period as anybody may see it, signed or provisional, and its tables row by row."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import Connection, Row

from tasks.ask.annex import Annex, Definition, NamedUnit, annex_of, different, key_of
from tasks.ask.official_table import Line, of_period
from tasks.ask.releases import checksum, citation, signed
from tasks.ask.scope import PUBLIC
from tasks.count.revisions import last_publication
from tasks.open_data.declared import tables
from tasks.report.signing import for_public, loads_between
from tasks.words import vietnamese as vi
from warehouse.periods import days, period_type
from warehouse.seed import is_sample
from warehouse.settings import Refusal

PROVISIONAL = "provisional"
"""Name of the edition that nobody signed: what is published now."""


@dataclass(frozen=True)
class Edition:
    """An edition of a period, without what is confidential."""

    period: str
    name: str
    """Number of the signature; PROVISIONAL where there is none."""
    lines: list[Line]
    annex: Annex
    as_of: datetime
    """State of knowledge that it shows."""
    publication: int
    created: datetime
    """When it was signed; of a provisional one, when it was published."""
    signed_by: str | None
    note: str | None
    checksum: str
    """Over its values, as docs/gate.md says how to take it: what a citation names."""
    is_sample: bool
    name_before: str | None
    """The signed edition before it; nothing of the first."""
    lines_before: list[Line]

    @property
    def place(self) -> str:
        """Its folder among the others: `2024/1`."""
        return f"{self.period}/{self.name}"

    @property
    def is_provisional(self) -> bool:
        """Whether nobody signed it."""
        return self.name == PROVISIONAL

    @property
    def provinces(self) -> list[NamedUnit]:
        """The provinces that it is of."""
        return [unit for unit in self.annex.units if unit.level == "province"]

    @property
    def area(self) -> list[NamedUnit]:
        """What it covers: the whole country, or provinces."""
        return [unit for unit in self.annex.units if unit.level == "country"] or self.provinces

    @property
    def frequency(self) -> str:
        """How often there is such a period, as SDMX names it: A, Q or M."""
        return {"year": "A", "quarter": "Q", "month": "M"}[period_type(self.period)]

    @property
    def citation(self) -> str:
        """How to cite it: what, which edition, of which day, with the checksum."""
        which = f"số liệu tạm tính, công bố số {self.publication}" if self.is_provisional else f"bản ký số {self.name}"
        return citation(self.period, which, self.created, self.checksum, is_sample=self.is_sample)


def signed_edition(connection: Connection, signature: Row[Any]) -> Edition:
    """What stands under a signature."""
    before = next((one for one in signed(connection, signature.period) if one.release_id < signature.release_id), None)
    content = for_public(connection, signature.release_id)
    lines_before = [] if before is None else for_public(connection, before.release_id).lines
    loads = loads_between(connection, before, _last_load(connection, signature))
    # What was signed before there were open data kept no annex: the warehouse still knows what was declared then.
    annex = content.annex or annex_of(connection, content.lines, content.period, content.as_of, lines_before, loads)
    return Edition(
        period=content.period,
        name=str(signature.release_id),
        lines=content.lines,
        annex=annex,
        as_of=content.as_of.astimezone(UTC),
        publication=content.signature.publication_id,
        created=content.signature.signed_at.astimezone(UTC),
        signed_by=content.signature.signed_by,
        note=content.signature.note,
        checksum=content.signature.checksum,
        is_sample=content.is_sample,
        name_before=None if before is None else str(before.release_id),
        lines_before=lines_before,
    )


def provisional_edition(connection: Connection, period: str) -> Edition:
    """What is published of a period now; Refusal where nothing is."""
    published, lines = last_publication(connection), of_period(connection, period, PUBLIC)
    if published is None or not lines:
        raise Refusal(f"Chưa công bố số liệu nào của {vi.in_text(period)}.")
    before = next(iter(signed(connection, period)), None)
    lines_before = [] if before is None else for_public(connection, before.release_id).lines
    loads = loads_between(connection, before, published.load_id)
    return Edition(
        period=period,
        name=PROVISIONAL,
        lines=lines,
        annex=annex_of(connection, lines, period, published.as_of, lines_before, loads),
        as_of=published.as_of.astimezone(UTC),
        publication=published.publication_id,
        created=published.published_at.astimezone(UTC).replace(microsecond=0),
        signed_by=None,
        note=None,
        checksum=checksum(lines),
        is_sample=is_sample(connection),
        name_before=None if before is None else str(before.release_id),
        lines_before=lines_before,
    )


# Rows -------------------------------------------------------------------------------------------------------------------

Cells = tuple[Any, ...]


def rows_of(edition: Edition) -> dict[str, list[Cells]]:
    """Table → its rows, in the order of its key; what is not there is None, and so is a day before or after all others."""
    units = _Units(edition.annex.units, edition.period)
    told: dict[str, Iterable[Mapping[str, Any]]] = {
        "unit": map(units.told, edition.annex.units),
        "definition": map(_definition, edition.annex.definitions),
        "indicator": (_value(line, units, edition) for line in edition.lines),
        "revision": _revisions(edition, units),
    }
    return {name: _in_order(name, rows) for name, rows in told.items()}


def _in_order(name: str, rows: Iterable[Mapping[str, Any]]) -> list[Cells]:
    table = tables()[name]
    ordered = sorted(rows, key=lambda row: tuple(row[column] for column in table.key))
    return [tuple(row[column] for column in table.names) for row in ordered]


class _Units:
    """The units of an edition by what names them."""

    def __init__(self, units: Sequence[NamedUnit], period: str) -> None:
        self.units, self.period = units, period
        self.by_code: dict[str, list[NamedUnit]] = {}
        for unit in units:
            self.by_code.setdefault(unit.code, []).append(unit)

    def of(self, line: Line) -> str:
        """Identifier of the unit of a value."""
        return id_of(self._on(line.unit_code, line.first_day))

    def told(self, unit: NamedUnit) -> dict[str, Any]:
        """A row of the table of units."""
        at = max(unit.valid_from, days(self.period)[0])
        return {
            "unit_id": id_of(unit),
            "unit_code": unit.code,
            "unit_name": unit.name,
            "unit_kind": unit.kind,
            "unit_level": unit.level,
            "parent_id": id_of(self._on(unit.parent_code, at)) if unit.parent_code in self.by_code else None,
            "begins_on": known(unit.valid_from),
            "ends_on": known(unit.valid_to),
        }

    def _on(self, code: str | None, day: date) -> NamedUnit:
        """The version of a code on a day, else the first after it."""
        versions = self.by_code[code or ""]
        return next((one for one in versions if one.valid_to >= day), versions[-1])


def id_of(unit: NamedUnit) -> str:
    """What tells a version of a unit from all others, and is never empty."""
    return unit.code if unit.valid_from == date.min else f"{unit.code}@{unit.valid_from}"


def known(day: date) -> date | None:
    """A day, unless it stands for always."""
    return None if day in (date.min, date.max) else day


def _definition(one: Definition) -> dict[str, Any]:
    return {
        "indicator_code": one.indicator_code,
        "definition_version": one.version,
        "indicator_name": one.name,
        "indicator_name_en": one.name_en or None,
        "definition": one.definition,
        "definition_en": one.definition_en or None,
        "legal_source": one.legal_source,
        "official_table": one.official_table,
        "pillar": one.pillar,
        "unit_measure": one.unit_measure,
        "decimals": one.decimals,
        "begins_on": known(one.valid_from),
        "ends_on": known(one.valid_to),
    }


_OF_A_LINE = (
    "indicator_code", "unit_code", "period", "first_day", "last_day", "numerator", "denominator", "value", "unit_measure", "decimals",
    "obs_status", "obs_reason", "conf_status", "target", "is_met", "units_counted", "units_expected", "data_until", "revision",
)  # fmt: skip


def _value(line: Line, units: _Units, edition: Edition) -> dict[str, Any]:
    return {
        **{name: getattr(line, name) for name in _OF_A_LINE},
        "definition_version": version_of(line, edition.annex.definitions, days(edition.period)[1]),
        "unit_id": units.of(line),
        "edition": edition.name,
    }


def version_of(line: Line, definitions: Iterable[Definition], last_day: date) -> int:
    """Version of the definition that a value is by: the last that had begun when its period ended, else the first."""
    of_it = [one for one in definitions if one.indicator_code == line.indicator_code]
    begun = [one.version for one in of_it if one.valid_from <= last_day]
    return max(begun, default=min(one.version for one in of_it))


def _revisions(edition: Edition, units: _Units) -> Iterable[dict[str, Any]]:
    """What differs, as far as both editions show it."""
    moved = {(one.indicator_code, one.unit_code, one.first_day): one.sources for one in edition.annex.moved}
    for before, now in different(edition.lines_before, edition.lines) if edition.name_before else ():
        line = now or before
        assert line is not None  # noqa: S101  # of a pair, one is there
        cause = cause_of(before, now)
        yield {
            "indicator_code": line.indicator_code,
            "unit_id": units.of(line),
            "period": edition.period,
            "edition": edition.name,
            "edition_before": edition.name_before,
            "cause": cause,
            "sources": "; ".join(moved.get(key_of(line), ())) or None if cause == "data" else None,
            **{name: getattr(now, name, None) for name in _COUNTS},
            **{f"{name}_before": getattr(before, name, None) for name in _COUNTS},
        }


_COUNTS = ("numerator", "denominator", "value", "obs_status")


def cause_of(before: Line | None, now: Line | None) -> str:
    """Why a value is another than in the edition before: a code of `cause`."""
    if before is None:
        return "new"
    if now is None:
        return "withdrawn"
    if (before.definition, before.unit_measure) != (now.definition, now.unit_measure):
        return "definition"
    if before.is_hidden != now.is_hidden:
        return "confidentiality"
    same = (before.numerator, before.denominator, before.value) == (now.numerator, now.denominator, now.value)
    return "status" if same else "data"


def _last_load(connection: Connection, signature: Row[Any]) -> int:
    return loads_between(connection, signature, 0)[0]
