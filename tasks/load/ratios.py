"""What the rows of a delivery come to (amount per bill, payments per shop), held against the source's own last months and other feeds.

Gathered chunk by chunk while the rows are loaded, kept in ops.ratio, and judged before the delivery is closed: so a night asks what
earlier deliveries came to, and never for their rows.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Connection, delete, insert, text

from expectations.contract import Limits, Ratio, Rule, Total
from tasks.load.replace import TAKEN
from tasks.load.work import Load, mask_of
from tasks.read.rows import Rejected
from tasks.validate.ratios import TOLD, Part, furthest, in_words, judge
from tasks.words.keys import code_hash
from tasks.words.vietnamese import one_line, safe
from warehouse.tables import metadata
from warehouse.tables import ratio as ratios

DISTINCT_KEPT = 1 << 14
"""Different values up to which they are counted one by one; beyond, within 2 %, since memory must not grow with the rows."""

# Of each period the last word before this delivery: what another one corrected, or refused ones said, is no example. By the median,
# one odd month shifts nothing, and a season no more than its share.
_USUAL = f"""
SELECT part, percentile_cont(0.5) WITHIN GROUP (ORDER BY numerator / denominator) AS usual
FROM (
    SELECT r.*, row_number() OVER (PARTITION BY part ORDER BY d.exported_at DESC, d.delivery_id DESC) AS back
    FROM (
        SELECT DISTINCT ON (coalesce(business_period, delivery_id::text)) delivery_id, exported_at
        FROM ops.delivery
        WHERE source = :source AND exported_at < :moment AND {TAKEN} AND status <> 'superseded'
            AND named_unit IS NOT DISTINCT FROM :named_unit AND coalesce(business_period <> :period, true)
        ORDER BY coalesce(business_period, delivery_id::text), exported_at DESC, delivery_id DESC
    ) d JOIN ops.ratio r USING (delivery_id)
    WHERE r.ratio = :ratio AND r.rows_counted >= :rows_at_least AND r.denominator >= :per_at_least
) before
WHERE back <= :before_at_most
GROUP BY part HAVING count(*) >= :before_at_least
"""

# The largest count of the last year told, so that a month's and the year's own do not make a difference.
_MEASURED = """
SELECT DISTINCT ON (unit_key) unit_key, value FROM warehouse.fact_unit_count
WHERE measure = :measure AND unit_key = ANY(:units) AND value > 0 AND known_to = 'infinity'
ORDER BY unit_key, left(period, 4) DESC, value DESC
"""

Values = npt.NDArray[Any]
Key = tuple[Any, ...]


class Rows:
    """One side of a ratio while rows come in: how many they are."""

    def __init__(self) -> None:
        self._total = 0.0

    def add(self, values: Values) -> None:
        """Takes the values of more rows."""
        self._total += len(values)

    @property
    def total(self) -> float:
        """What they come to."""
        return self._total


class Sum(Rows):
    """Their values added up."""

    def add(self, values: Values) -> None:
        """Adds more of them."""
        self._total += float(values.sum())


class Distinct(Rows):
    """How many different hashes: told by how close to nought the smallest lie, as they are spread evenly; up to DISTINCT_KEPT exactly."""

    def __init__(self) -> None:
        super().__init__()
        self._least: Values = np.empty(0, np.uint64)

    def add(self, values: Values) -> None:
        """Takes more hashes."""
        if len(self._least) == DISTINCT_KEPT:
            values = values[values < self._least[-1]]
        self._least = np.unique(np.concatenate([self._least, values]))[:DISTINCT_KEPT]

    @property
    def total(self) -> float:
        """Their number."""
        known = len(self._least)
        return float(known) if known < DISTINCT_KEPT else (known - 1) * 2.0**64 / float(self._least[-1])


class Ratios:
    """The ratios of a contract over the rows of one delivery."""

    def __init__(self, work: Load) -> None:
        self._work = work
        self._gathered = {name: _Gathered(ratio) for name, ratio in work.contract.ratios.items()}

    def add(self, facts: pa.Table, rows: pa.Table) -> None:
        """Takes the rows of a chunk that are loaded, as the table keeps them and as they came."""
        for gathered in self._gathered.values():
            gathered.add(facts, rows)

    def judge(self, business_period: str | None) -> None:
        """Writes down what they came to, and counts what the rules say of it.

        Rejected where a critical one does not hold, unless a steward let it pass. What was loaded before stays loaded, since it
        may be held against deliveries that came after it.
        """
        work = self._work
        came = {name: gathered.parts(work) for name, gathered in self._gathered.items()}
        self._keep(came)
        refused: tuple[Rule, str] | None = None
        for rule in work.rules("ratio"):
            ratio, limits = work.contract.ratios[rule.limits.ratio], rule.limits
            usual = self._usual(limits, came[limits.ratio], business_period)
            judged = [judge(limits, part, usual.get(part.key)) for part in came[limits.ratio]]
            broken = [one for one in judged if not one.holds]
            told = [one.part.key for one in furthest(limits, judged)[:TOLD]]
            observed = in_words(ratio, limits, judged, self._names(ratio, told))
            work.count(rule, sum(one.part.rows for one in broken), observed)
            if broken and rule.severity == "critical" and rule.code not in work.delivery.let_pass and not work.delivery.is_loaded:
                refused = refused or (rule, observed)
        if refused is not None:
            rule, observed = refused
            message = rule.message_vi.format(file=safe(work.delivery.file_name), column="", observed=observed)
            raise Rejected(rule.code, one_line(message))

    def _keep(self, came: dict[str, list[Part]]) -> None:
        connection, delivery_id = self._work.connection, self._work.delivery.delivery_id
        connection.execute(delete(ratios).where(ratios.c.delivery_id == delivery_id))
        rows = [
            {"ratio": name, "part": part.key, "rows_counted": part.rows, "numerator": part.of, "denominator": part.per}
            for name, parts in came.items()
            for part in parts
        ]
        if rows:
            connection.execute(insert(ratios), [{**row, "delivery_id": delivery_id} for row in rows])

    def _usual(self, limits: Limits, parts: Iterable[Part], business_period: str | None) -> dict[str, float]:
        """Part → what is usual, as far as it is known; not asked for where nothing can be judged."""
        judged = [part.key for part in parts if part.is_judged(limits)]
        if limits.usual is not None or not judged:
            return dict.fromkeys(judged, limits.usual or 0.0)
        delivery = self._work.delivery
        values = {"source": delivery.source, "moment": delivery.exported_at, "named_unit": delivery.named_unit, "period": business_period}
        return {row.part: row.usual for row in self._work.connection.execute(text(_USUAL), values | limits.model_dump())}

    def _names(self, ratio: Ratio, told: list[str]) -> dict[str, str]:
        """Key → name of some parts."""
        if ratio.by is None or not told:
            return {}
        thing = ratio.by.removesuffix("_key")
        table = metadata.tables[f"warehouse.dim_{thing}"]
        query = table.select().where(table.c[ratio.by].in_([int(key) for key in told]))
        return {str(row[ratio.by]): row[f"{thing}_name"] for row in self._work.connection.execute(query).mappings()}


class _Gathered:
    """One ratio while rows come in: both of its sides, by part and, where a measure of the unit is asked for, by unit."""

    def __init__(self, ratio: Ratio) -> None:
        self._ratio = ratio
        parts = [ratio.by] if ratio.by else []
        units = ["unit_key"] if ratio.per.measure and ratio.by != "unit_key" else []
        self._keys = [*parts, *units, *ratio.per.each]
        self._sides: dict[Key, tuple[Rows, Rows, Rows]] = {}

    def add(self, facts: pa.Table, rows: pa.Table) -> None:
        """Takes the rows of a chunk in which nothing that is looked at is missing."""
        ratio = self._ratio
        columns = {name: (facts if name in facts.column_names else rows)[name].combine_chunks() for name in ratio.columns}
        counts: Any = np.ones(rows.num_rows, dtype=bool)
        for name, column in columns.items():
            counts &= mask_of(column.is_valid())
            if name in ratio.where:
                counts &= mask_of(pc.is_in(column, pa.array(ratio.where[name], column.type)))
        if not counts.any():
            return
        chosen = pa.array(counts)
        columns = {name: column.filter(chosen) for name, column in columns.items()}
        of, per = (_values(side, columns, int(counts.sum())) for side in (ratio.of, ratio.per))
        for key, places in self._places(columns):
            sides = self._sides.setdefault(key, (Rows(), _side(ratio.of), _side(ratio.per)))
            for side, values in zip(sides, (of, of, per), strict=True):
                side.add(values[places])

    def _places(self, columns: dict[str, pa.Array]) -> list[tuple[Key, Any]]:
        """Each key of a chunk, and the places of its rows."""
        if not self._keys:
            return [((), slice(None))]
        keys = pa.table({name: columns[name] for name in self._keys}).to_pandas()
        numbers, first = keys.groupby(self._keys, sort=False).ngroup().to_numpy(), keys.drop_duplicates()
        places = np.split(np.argsort(numbers, kind="stable"), np.cumsum(np.bincount(numbers))[:-1])
        return list(zip(first.itertuples(index=False, name=None), places, strict=True))

    def parts(self, work: Load) -> list[Part]:
        """What it comes to, part by part; without what nothing is known of to divide by."""
        found: dict[str, Part] = {}
        for (key, (rows, of, _)), per in zip(self._sides.items(), self._divisors(work), strict=True):
            if per:
                name = str(key[0]) if self._ratio.by else ""
                before = found.get(name, Part(name, 0, 0, 0))
                found[name] = Part(name, before.rows + int(rows.total), before.of + of.total, before.per + per)
        return list(found.values())

    def _divisors(self, work: Load) -> list[float]:
        """What each key's rows are divided by."""
        per = self._ratio.per
        if per.measure:
            units = [int(key[self._keys.index("unit_key")]) for key in self._sides]
            counted = _measured(work.connection, per.measure, units) if units else {}
            return [counted.get(unit, 0) for unit in units]
        if per.listed:
            return [_listed(work, per.listed) for _ in self._sides]
        return [side.total for _, _, side in self._sides.values()]


def _side(total: Total) -> Rows:
    if total.distinct:
        return Distinct()
    return Sum() if total.sum else Rows()


def _values(total: Total, columns: dict[str, pa.Array], count: int) -> Values:
    """What a side takes of each row."""
    if total.distinct:
        hashes: Values = code_hash([columns[name] for name in total.distinct]).to_numpy().view(np.uint64)
        return hashes
    if total.sum:
        added: Values = columns[total.sum].cast(pa.float64(), safe=False).to_numpy()
        return added
    return np.ones(count)


def _measured(connection: Connection, measure: str, units: list[int]) -> dict[int, float]:
    """Unit → what was last counted in it."""
    found = connection.execute(text(_MEASURED), {"measure": measure, "units": units})
    return {row.unit_key: row.value for row in found}


def _listed(work: Load, thing: str) -> float:
    """How many things of the provider its list holds on the day of the export."""
    query = (
        f"SELECT count(DISTINCT {thing}_code) FROM warehouse.dim_{thing} "
        "WHERE provider_key = :provider AND :day BETWEEN valid_from AND valid_to AND NOT is_inferred"
    )
    return float(work.connection.execute(text(query), {"provider": work.provider_key, "day": work.exported_on}).scalar_one())
