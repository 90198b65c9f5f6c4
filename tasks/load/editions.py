"""Values that provinces signed, held against what this installation knows: whose they are, by which definition, and whether they add up."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from expectations.contract import Rule
from tasks.load.history import Mask
from tasks.load.work import Finding, Load
from tasks.read.rows import Rejected
from tasks.words.vietnamese import safe
from warehouse import country
from warehouse.indicators import Indicator, indicators
from warehouse.periods import days
from warehouse.seed import is_sample

DEFINED = ("definition", "definition_unit", "definition_decimals", "definition_from")
Version = tuple[str, int]
"""Indicator and version of its definition."""


def require_of_sender(work: Load, rows: pa.Table) -> None:
    """Rejected where an edition is of another province than its source's, or of sample data among real ones, or the other way round."""
    provider = work.delivery.provider
    for provinces in pc.unique(rows["provinces"]).to_pylist():
        if provinces != provider:
            names = [country.provinces().get(code, code) for code in provinces.split()]
            raise _refused(work, "province_of_sender", f"của {', '.join(names)}, nguồn của {country.provinces().get(provider, provider)}")
    is_of_samples = is_sample(work.connection)
    if pc.any(pc.not_equal(rows["is_sample"], pa.scalar(is_of_samples))).as_py():
        raise _refused(work, "real_among_samples" if is_of_samples else "sample_among_real")


def _refused(work: Load, check: str, observed: str = "") -> Rejected:
    (rule,) = work.rules(check)
    return Rejected(rule.code, rule.message_vi.format(file=safe(work.delivery.file_name), column="", observed=observed))


# Definitions ------------------------------------------------------------------------------------------------------------


def _declared() -> Mapping[Version, Indicator]:
    return {(indicator.code, indicator.version): indicator for indicator in indicators()}


def _is_defined(version: Version, definition: str, unit_measure: str, decimals: int, begins_on: date | None) -> bool:
    """Whether this installation counts an indicator by the same definition."""
    own = _declared().get(version)
    told = (definition, unit_measure, decimals, begins_on or date.min)
    return own is not None and told == (own.definition, own.unit_measure, own.decimals, own.valid_from)


def definitions() -> str:
    """All that is known here of definitions, as text: where it is another, rows may be defined that were not."""
    told = ((*version, one.definition, one.unit_measure, one.decimals, one.valid_from) for version, one in _declared().items())
    return "\n".join(map(str, told))


def undefined(rows: pa.Table) -> list[Finding]:
    """Rows that were counted by a definition that is not known here, or is another one; a finding for each, which names it."""
    versions = _versions(rows)
    told = zip(versions, *(rows[name].to_pylist() for name in DEFINED), strict=True)
    wrong = {version for version, *definition in set(told) if not _is_defined(version, *definition)}
    return [
        Finding("definition_known", np.array([one == version for one in versions]), observed=f"{version[0]}, phiên bản {version[1]}")
        for version in sorted(wrong)
    ]


def _versions(rows: pa.Table) -> list[Version]:
    return list(zip(rows["indicator_code"].to_pylist(), rows["definition_version"].to_pylist(), strict=True))


# Rows -------------------------------------------------------------------------------------------------------------------


def of_another_sender(work: Load, _rows: pa.Table, columns: Mapping[str, Any], _rule: Rule) -> Mask:
    """Rows of units of another province: nobody speaks for those of others."""
    provinces = work.dimensions.provinces
    other: Mask = ~np.isin(columns["unit_key"], provinces.index[provinces == work.delivery.provider])
    return other


def outside_period(_work: Load, rows: pa.Table, _columns: Mapping[str, Any], _rule: Rule) -> Mask:
    """Rows whose unit is told by a day that is none of their period."""
    told = zip(rows["period"].to_pylist(), rows["first_day"].to_pylist(), strict=True)
    return np.array([not (ends := days(period))[0] <= day <= ends[1] for period, day in told], dtype=bool)


def exceeding(_work: Load, rows: pa.Table, _columns: Mapping[str, Any], _rule: Rule) -> Mask:
    """Rows of which the part is larger than the whole, unless their indicator lets it be."""
    may = {version for version, indicator in _declared().items() if indicator.may_exceed or indicator.is_count}
    larger = pc.fill_null(pc.greater(rows["numerator"], rows["denominator"]), False).to_numpy()
    found: Mask = larger & np.array([version not in may for version in _versions(rows)], dtype=bool)
    return found


def miscounted(_work: Load, rows: pa.Table, _columns: Mapping[str, Any], _rule: Rule) -> Mask:
    """Rows whose value is another than their counts come to."""
    told = zip(_versions(rows), *(rows[name].to_pylist() for name in ("numerator", "denominator", "value")), strict=True)
    known = _declared()
    return np.array([_is_another(known.get(version), *counts) for version, *counts in told], dtype=bool)


def _is_another(indicator: Indicator | None, numerator: int | None, denominator: int | None, value: Decimal | None) -> bool:
    if indicator is None or numerator is None or value is None:
        return False
    if indicator.is_count:
        return value != numerator
    if denominator is None:
        return False
    scale = 10**indicator.decimals  # in whole numbers, so that half goes up exactly there
    return denominator == 0 or value * scale != (200 * numerator * scale + denominator) // (2 * denominator)
