"""Values that provinces signed, held against what this installation knows: whose they are, by which definition, and whether they add up."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from expectations.contract import Rule
from tasks.load.dimensions import ends_of_periods
from tasks.load.history import Mask
from tasks.load.work import Finding, Load, mask_of
from tasks.read.rows import Rejected
from tasks.words.vietnamese import safe
from warehouse import country
from warehouse.indicators import Indicator, indicators
from warehouse.seed import is_sample

VERSION = ("indicator_code", "definition_version")
DEFINED = ("definition", "definition_unit", "definition_decimals", "definition_from")
Version = tuple[str, int]
"""Indicator and version of its definition."""
UNITS = 10_000
"""Of a value: it has four decimals."""
LARGE = 4 * 10**12
"""Parts up to which a rate is worked out in 64 bits; the contract keeps wholes below 10^15."""


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


def _definition(one: Indicator) -> tuple[str, str, int, date | None]:
    """What two installations have to agree on, as DEFINED tells it."""
    return one.definition, one.unit_measure, one.decimals, None if one.valid_from == date.min else one.valid_from


def definitions() -> str:
    """All that is known here of definitions, as text: where it is another, rows may be defined that were not."""
    return "\n".join(f"{version} {_definition(one)}" for version, one in _declared().items())


def undefined(rows: pa.Table) -> list[Finding]:
    """Rows that were counted by a definition that is not known here, or is another one; a finding for each version, which names it."""
    declared = _declared()
    told = rows.select([*VERSION, *DEFINED]).group_by([*VERSION, *DEFINED]).aggregate([]).to_pylist()
    known = {version: _definition(one) for version, one in declared.items()}
    wrong = {version for one in told if known.get(version := (one[VERSION[0]], one[VERSION[1]])) != tuple(one[name] for name in DEFINED)}
    return [
        Finding("definition_known", mask_of(_is_of(rows, version)), observed=f"{version[0]}, phiên bản {version[1]}")
        for version in sorted(wrong)
    ]


def _is_of(rows: pa.Table, version: Version) -> pa.ChunkedArray:
    code, number = (rows[name] for name in VERSION)
    return pc.and_(pc.equal(code, version[0]), pc.equal(number, version[1]))


def _each(rows: pa.Table, tell: Callable[[Indicator], int]) -> npt.NDArray[np.int64]:
    """What the declaration of its version tells of each row; -1 of one that is not known here, which is set aside as such."""
    code, number = (rows[name].combine_chunks().dictionary_encode() for name in VERSION)
    known, numbers = _declared(), number.dictionary.to_pylist()
    told = [[tell(known[one, of]) if (one, of) in known else -1 for of in numbers] for one in code.dictionary.to_pylist()]
    found: npt.NDArray[np.int64] = np.array(told, dtype=np.int64)[code.indices.to_numpy(), number.indices.to_numpy()]
    return found


# Rows -------------------------------------------------------------------------------------------------------------------


def of_another_sender(work: Load, _rows: pa.Table, columns: Mapping[str, Any], _rule: Rule) -> Mask:
    """Rows of units of another province: nobody speaks for those of others."""
    provinces = work.dimensions.provinces
    other: Mask = ~np.isin(columns["unit_key"], provinces.index[provinces == work.delivery.provider])
    return other


def outside_period(_work: Load, rows: pa.Table, _columns: Mapping[str, Any], _rule: Rule) -> Mask:
    """Rows whose unit is told by a day that is none of their period."""
    last, first = ends_of_periods(rows["period"])
    return mask_of(pc.or_(pc.less(rows["first_day"], first), pc.greater(rows["first_day"], last)))


def exceeding(_work: Load, rows: pa.Table, _columns: Mapping[str, Any], _rule: Rule) -> Mask:
    """Rows of which the part is larger than the whole, unless their indicator lets it be."""
    larger = mask_of(pc.fill_null(pc.greater(rows["numerator"], rows["denominator"]), False))
    found: Mask = larger & (_each(rows, lambda one: bool(one.may_exceed) or one.is_count) < 1)
    return found


def miscounted(_work: Load, rows: pa.Table, _columns: Mapping[str, Any], _rule: Rule) -> Mask:
    """Rows whose value is another than their counts come to; of an indicator that is not known here that cannot be told."""
    decimals, is_count = (_each(rows, tell) for tell in (lambda one: one.decimals, lambda one: one.is_count))
    is_there = {name: mask_of(rows[name].is_valid()) for name in ("numerator", "denominator", "value")}
    part, whole = (pc.fill_null(rows[name], 0).to_numpy() for name in ("numerator", "denominator"))
    value = pc.multiply(pc.fill_null(rows["value"], Decimal(0)), pa.scalar(Decimal(UNITS))).cast(pa.int64()).to_numpy()
    is_looked_at = (decimals >= 0) & is_there["numerator"] & is_there["value"] & ((is_count > 0) | is_there["denominator"])
    another: Mask = is_looked_at & (is_count < 1) & (whole == 0)
    for fits, exact in ((part <= LARGE, np.int64), (part > LARGE, object)):  # the few that are larger as whole numbers of any size
        chosen = np.flatnonzero(is_looked_at & ~another & fits)
        of_a_count, counts = is_count[chosen] > 0, [column[chosen].astype(exact) for column in (part, whole, decimals)]
        another[chosen] = value[chosen] != np.where(of_a_count, counts[0] * UNITS, _rate(*counts))
    return another


def _rate(part: Any, whole: Any, decimals: Any) -> Any:
    """100 × part / whole in UNITS, rounded half up at its decimals: whole numbers all the way, so half goes up exactly there."""
    scale = 10**decimals
    return (200 * part * scale + whole) // (2 * np.where(whole == 0, 1, whole)) * (UNITS // scale)
