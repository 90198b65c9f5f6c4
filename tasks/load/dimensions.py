"""Natural codes of a file → surrogate keys of the dimensions, in vectors; what is not known becomes key 0."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from functools import cached_property
from types import MappingProxyType
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Connection, Table, select
from sqlalchemy.dialects.postgresql import insert

from tasks.words.vietnamese import plain
from warehouse import country
from warehouse.bulk import copy_out
from warehouse.names import normalise_name
from warehouse.periods import days as days_of_period
from warehouse.succession import BY_CODE
from warehouse.tables import (
    UNKNOWN,
    dim_agency,
    dim_department,
    dim_merchant,
    dim_procedure,
    dim_provider,
    dim_unit,
)

Keys = npt.NDArray[np.int32]
Column: TypeAlias = pa.Array | pa.ChunkedArray

ALWAYS = {"valid_from": "0001-01-01", "valid_to": "9999-12-31"}
NEVER = {"valid_from": "9999-12-31", "valid_to": "9999-12-31"}
"""Validity of an inferred member whose code the list knows at other dates: it stands beside the list's versions, valid on no real day."""

NOT_GIVEN = {"sector_code": "0", "sector_name": "Không rõ", "merchant_kind": "0"}
"""What an inferred member lacks; its name, where none was given, is its code."""

_OPEN = pa.scalar(date.max, pa.date32())
_DAY_ZERO = 1_000_000
"""Added to days since 1970 so that even the year 1 is a positive number."""


class Versions:
    """Members of a dimension that changes over time: finds the key of a code on a day."""

    def __init__(self, members: pa.Table) -> None:
        """Members: code, valid_from, valid_to, key and, where the dimension has them, unit_key and is_inferred."""
        self.members = members
        codes = members["code"].to_pylist()
        self._codes = pd.Index(sorted(set(codes)))
        begin = self._codes.get_indexer(codes).astype(np.int64) << 32 | _days(members["valid_from"])
        order = np.argsort(begin)
        self._begin = begin[order]
        self._end = _days(members["valid_to"])[order]
        self._keys = members["key"].to_numpy()[order].astype(np.int32)

    def at(self, codes: Column, days: Column) -> Keys:
        """Key of each code on its day; 0 where code or day is missing, the code is not known or not valid on that day."""
        encoded = pc.dictionary_encode(_flat(codes))
        ids = self._codes.get_indexer(pd.Index(encoded.dictionary.to_pylist(), dtype=object)).astype(np.int64)
        position = pc.fill_null(encoded.indices, -1).to_numpy(zero_copy_only=False)
        code = np.append(ids, -1)[position]
        code[_flat(days).is_null().to_numpy(zero_copy_only=False)] = -1
        # Few different pairs of code and day stand in a million rows.
        labels, pairs = pd.factorize(np.where(code < 0, -1, code << 32 | _days(days)))
        return self._find(pairs)[labels]

    def on_first(self, codes: Column, days: Sequence[Column]) -> Keys:
        """Key of each code on the first of the days on which it holds; 0 where it holds on none."""
        keys = self.at(codes, days[0])
        for other in days[1:]:
            keys = np.where(keys == UNKNOWN, self.at(codes, other), keys)
        return keys

    def _find(self, pairs: npt.NDArray[np.int64]) -> Keys:
        if not len(self._begin):
            return np.zeros(len(pairs), dtype=np.int32)
        place = np.searchsorted(self._begin, pairs, side="right") - 1
        found = (place >= 0) & (pairs >= 0)
        place = np.maximum(place, 0)
        found &= (self._begin[place] >> 32 == pairs >> 32) & (self._end[place] >= (pairs & 0xFFFFFFFF))
        return np.where(found, self._keys[place], UNKNOWN).astype(np.int32)

    def overlap(self, codes: Column, first: Column, last: Column) -> npt.NDArray[np.bool_]:
        """Whether each code is that of some version that holds between two days; a missing last day is open."""
        lines = pd.DataFrame({"code": _flat(codes).to_pylist(), "first": _days(first), "last": _days(pc.fill_null(_flat(last), _OPEN))})
        versions = pd.DataFrame(
            {"code": self.members["code"].to_pylist(), "begin": _days(self.members["valid_from"]), "end": _days(self.members["valid_to"])}
        )
        pairs = lines.reset_index().merge(versions, on="code")
        found: npt.NDArray[np.bool_] = np.isin(
            np.arange(len(lines)), pairs["index"][(pairs["begin"] <= pairs["last"]) & (pairs["end"] >= pairs["first"])]
        )
        return found

    def attribute(self, keys: Keys, name: str) -> npt.NDArray[np.int64]:
        """Number of that name of the member with each key; 0 where there is none."""
        known = self.members["key"].to_numpy()
        values = np.zeros(max(int(known.max(initial=0)), int(keys.max(initial=0))) + 1, dtype=np.int64)
        values[known] = pc.cast(self.members[name], pa.int64()).to_numpy()
        return values[keys]


class Dimensions:
    """The dimensions as one load sees them, read when first needed; inferred members are made on its connection."""

    def __init__(self, connection: Connection, delivery_id: int) -> None:
        self._connection = connection
        self._delivery_id = delivery_id
        self._lists: dict[str, dict[str, int]] = {}

    @cached_property
    def units(self) -> Versions:
        """Administrative units of the provinces that are reported for."""
        return self._versions("warehouse.dim_unit", "unit_code", "unit_key")

    @cached_property
    def units_and_successors(self) -> Versions:
        """Administrative units by their codes, and after a code ended for good the unit that took over all of its own."""
        schema = {"code": pa.string(), "valid_from": pa.date32(), "valid_to": pa.date32(), "key": pa.int32()}
        return Versions(copy_out(self._connection, f"SELECT * FROM ({BY_CODE}) place WHERE unit_key <> {UNKNOWN}", schema))

    @cached_property
    def country(self) -> Versions:
        """Administrative units of all provinces, by their numbers in the reference file from 1 on."""
        units = country.versions()
        days = {name: pc.cast(pa.array([row[name] for row in units]), pa.date32()) for name in ("valid_from", "valid_to")}
        return Versions(pa.table({"code": [row["code"] for row in units], **days, "key": range(1, len(units) + 1)}))

    @cached_property
    def provinces(self) -> pd.Series:
        """Unit → province of today that it belongs to."""
        schema = {"unit_key": pa.int32(), "province_code": pa.string()}
        rows = copy_out(self._connection, f"SELECT unit_key, province_code FROM warehouse.dim_unit WHERE unit_key <> {UNKNOWN}", schema)
        return pd.Series(rows["province_code"].to_pylist(), rows["unit_key"].to_numpy(), dtype=object)

    def unit(self, codes: Column, *days: Column, goes_over: bool = False) -> Keys:
        """Unit of each code on the first of the given days on which the code holds, or where its things went."""
        keys = self.units.on_first(codes, days)
        if goes_over and (keys == UNKNOWN).any():
            keys = np.where(keys == UNKNOWN, self.units_and_successors.on_first(codes, days), keys)
        return keys

    def elsewhere(self, codes: Column, *days: Column) -> npt.NDArray[np.bool_]:
        """Whether each code is that of a unit of any province on one of the days."""
        found: npt.NDArray[np.bool_] = np.logical_or.reduce([self.country.at(codes, day) != UNKNOWN for day in days])
        return found

    def unit_by_name(self, keys: Keys, codes: Column, names: Column, firsts: Column, lasts: Column) -> Keys:
        """The units; but where several bore one code between the two days, the one that is so named. For a few rows."""
        told = {"code": codes, "name": names, "first": firsts, "last": lasts}
        given = pd.DataFrame({name: _flat(column).to_pylist() for name, column in told.items()})
        query = select(*(dim_unit.c[name] for name in ("unit_code", "unit_name", "valid_from", "valid_to", "unit_key")))
        rows = self._connection.execute(query.where(dim_unit.c.unit_code.in_(given["code"].unique().tolist()))).all()
        units = pd.DataFrame(rows, columns=["code", "name", "begin", "end", "named"])
        for table in (given, units):
            table["name"] = table["name"].fillna("").map(plain)
        found = given.reset_index().merge(units, on=["code", "name"])
        found = found[(found["begin"] <= found["last"]) & (found["end"] >= found["first"])].drop_duplicates("index", keep=False)
        named = keys.copy()
        named[found["index"].to_numpy()] = found["named"].to_numpy(dtype=np.int32)
        return named

    def agencies(self, codes: Column, names: Column, *days: Column) -> tuple[Keys, Keys]:
        """Agency and its unit on the first of the days on which the code holds; one no list knows then gets an inferred member."""
        versions = self._inferring(dim_agency, codes, days, {"agency_name": names}, {"unit_key": UNKNOWN})
        keys = self._or_inferred(versions, codes, days)
        return keys, versions.attribute(keys, "unit_key").astype(np.int32)

    def units_of_agencies(self, codes: Column, days: Column) -> Keys:
        """Unit of each agency as the lists know it on a day; 0 where they do not."""
        versions = self._members(dim_agency)
        return versions.attribute(versions.at(codes, days), "unit_key").astype(np.int32)

    def units_of_merchants(self, provider: str, codes: Column, days: Column) -> Keys:
        """Unit of each shop of a provider as its list knows it on a day; 0 where it does not."""
        versions = self._members(dim_merchant, f"provider_key = {self.codes(dim_provider).get(provider, UNKNOWN):d}")
        return versions.attribute(versions.at(codes, days), "unit_key").astype(np.int32)

    def procedures(self, codes: Column, names: Column, sectors: Column, sector_names: Column, days: Column) -> Keys:
        """Procedure on each day by its national code; a code no list knows on that day gets an inferred member."""
        others = {"procedure_name": names, "sector_code": sectors, "sector_name": sector_names}
        return self._or_inferred(self._inferring(dim_procedure, codes, [days], others), codes, [days])

    def coded(self, table: Table, codes: Column, names: Column, days: Column) -> pa.Array:
        """The codes, those that are missing by name: what the list calls so on that day. A name of no or of several members gives none."""
        blank = pc.and_(_flat(codes).is_null(), _flat(names).is_valid())
        if not pc.any(blank).as_py():
            return _flat(codes)
        encoded = pc.dictionary_encode(_flat(names).filter(blank))
        plain = np.array([normalise_name(name) for name in encoded.dictionary.to_pylist()], dtype=object)
        sought = pd.DataFrame({"name": plain[encoded.indices.to_numpy()], "day": _days(_flat(days).filter(blank))})
        pairs = sought.drop_duplicates().merge(self._named(table), on="name")
        pairs = pairs[(pairs["begin"] <= pairs["day"]) & (pairs["day"] <= pairs["end"])]
        found = pairs.groupby(["name", "day"])["code"].agg(["first", "nunique"]).reset_index()
        named = sought.merge(found[found["nunique"] == 1], on=["name", "day"], how="left")["first"]
        texts = named.astype(object).where(named.notna(), None)  # where no name is known at all, pandas makes them numbers
        return pc.replace_with_mask(_flat(codes), blank, pa.array(texts, pa.string()))

    def _named(self, table: Table) -> pd.DataFrame:
        """What the list of agencies or procedures calls each code, and when."""
        thing = table.name.removeprefix("dim_")
        query = (
            f"SELECT {thing}_code, {thing}_name, valid_from, valid_to FROM {table.fullname} "
            f"WHERE NOT is_inferred AND {thing}_key <> {UNKNOWN} AND valid_to >= valid_from"
        )
        schema = {"code": pa.string(), "name": pa.string(), "valid_from": pa.date32(), "valid_to": pa.date32()}
        members = copy_out(self._connection, query, schema)
        names = [normalise_name(name) for name in members["name"].to_pylist()]
        spans = {"begin": _days(members["valid_from"]), "end": _days(members["valid_to"])}
        return pd.DataFrame({"code": members["code"].to_pylist(), "name": names, **spans})

    def inferred(self, table: Table) -> list[int]:
        """Keys of the members of agencies or procedures that only facts speak of."""
        members = self._members(table).members
        return list(members.filter(members["is_inferred"])["key"].to_pylist())

    def departments(self, ids: Column, codes: Column, names: Column, levels: Column) -> Keys:
        """Department of the national portal by its identifier; agency and name come from answers that carry the code."""
        given = pa.table({"id": _flat(ids), "code": _flat(codes), "name": _flat(names), "level": _flat(levels)})
        given = given.group_by("id").aggregate([("code", "max"), ("name", "max"), ("level", "max")])
        always = pa.array([date(1, 1, 1)] * given.num_rows, pa.date32())
        agencies, _ = self.agencies(given["code_max"], given["name_max"], always)
        rows = [
            {"department_id": d["id"], "agency_key": int(agency), "department_name": d["name_max"], "department_level": d["level_max"]}
            for d, agency in zip(given.to_pylist(), agencies, strict=True)
        ]
        arrived = insert(dim_department).values(rows)
        self._connection.execute(
            arrived.on_conflict_do_update(
                index_elements=["department_id"],
                set_={"agency_key": arrived.excluded.agency_key, "department_name": arrived.excluded.department_name},
                where=(arrived.excluded.agency_key != UNKNOWN) & (dim_department.c.agency_key != arrived.excluded.agency_key),
            )
        )
        known = {row.department_id: row.department_key for row in self._connection.execute(select(dim_department))}
        encoded = pc.dictionary_encode(_flat(ids))
        keys = np.array([known[one] for one in encoded.dictionary.to_pylist()], dtype=np.int32)
        found: npt.NDArray[np.int32] = keys[encoded.indices.to_numpy()]
        return found

    def merchants(self, provider: str, codes: Column, days: Column) -> tuple[Keys, Keys, npt.NDArray[np.bool_]]:
        """Shop of a provider and its unit on each day, and whether the list knows it then; one it does not gets an inferred member."""
        key = self.codes(dim_provider).get(provider, UNKNOWN)
        others = {"provider_key": key, "merchant_kind": NOT_GIVEN["merchant_kind"], "unit_key": UNKNOWN}
        versions = self._inferring(dim_merchant, codes, [days], {"merchant_name": codes}, others, f"provider_key = {key:d}")
        keys = self._or_inferred(versions, codes, [days])
        inferred = versions.members.filter(versions.members["is_inferred"])["key"].to_numpy()
        return keys, versions.attribute(keys, "unit_key").astype(np.int32), ~np.isin(keys, [UNKNOWN, *inferred])

    def codes(self, table: Table) -> dict[str, int]:
        """Code → key of a short list (statuses, channels, providers, …)."""
        if table.name not in self._lists:
            thing = table.name.removeprefix("dim_")
            rows = self._connection.execute(select(table.c[f"{thing}_code"], table.c[f"{thing}_key"]))
            self._lists[table.name] = {row[0]: row[1] for row in rows}
        return self._lists[table.name]

    def listed(self, table: Table, codes: Column) -> pa.Array:
        """Key of each code of a short list; 0 where it is missing or not in the list."""
        encoded = pc.dictionary_encode(_flat(codes))
        known = self.codes(table)
        keys = np.array([*(known.get(code, UNKNOWN) for code in encoded.dictionary.to_pylist()), UNKNOWN], dtype=np.int16)
        return pa.array(keys[pc.fill_null(encoded.indices, -1).to_numpy(zero_copy_only=False)])

    def _versions(self, table: str, code: str, key: str, where: str = "true", *, unit: bool = False, inferred: bool = False) -> Versions:
        extra = (", unit_key" if unit else "") + (", is_inferred" if inferred else "")
        schema = {"code": pa.string(), "valid_from": pa.date32(), "valid_to": pa.date32(), "key": pa.int32()}
        schema |= ({"unit_key": pa.int32()} if unit else {}) | ({"is_inferred": pa.bool_()} if inferred else {})
        query = f"SELECT {code}, valid_from, valid_to, {key}{extra} FROM {table} WHERE {key} <> {UNKNOWN} AND {where}"
        return Versions(copy_out(self._connection, query, schema))

    def _inferring(
        self,
        table: Table,
        codes: Column,
        days: Sequence[Column],
        texts: dict[str, Column],
        others: Mapping[str, object] = MappingProxyType({}),
        where: str = "true",
    ) -> Versions:
        """The members of a list that fulfil a condition, after those were inferred that the codes need; `others`: what all of these say."""
        thing = table.name.removeprefix("dim_")
        versions = self._members(table, where)
        known = pd.Index(versions.members["code"].to_pylist())
        inferred = {m["code"] for m in versions.members.filter(versions.members["is_inferred"]).to_pylist()}
        missing = pc.and_(_flat(codes).is_valid(), pa.array(versions.on_first(codes, days) == UNKNOWN))
        needed = pa.table({"code": _flat(codes), **{name: _flat(column) for name, column in texts.items()}}).filter(missing)
        needed = needed.group_by("code").aggregate([(name, "max") for name in texts])
        new: list[dict[str, object]] = []
        for row in needed.to_pylist():
            if row["code"] in inferred:
                continue
            named = {name: row[f"{name}_max"] or NOT_GIVEN.get(name, row["code"]) for name in texts}
            validity = NEVER if row["code"] in known else ALWAYS
            told = {f"{thing}_code": row["code"], **named, **others}
            new.append({**told, **validity, "is_inferred": True, "delivery_id": self._delivery_id})
        if not new:
            return versions
        self._connection.execute(insert(table).on_conflict_do_nothing(), new)
        return self._members(table, where)

    def _members(self, table: Table, where: str = "true") -> Versions:
        thing = table.name.removeprefix("dim_")
        return self._versions(table.fullname, f"{thing}_code", f"{thing}_key", where, unit="unit_key" in table.c, inferred=True)

    @staticmethod
    def _or_inferred(versions: Versions, codes: Column, days: Sequence[Column]) -> Keys:
        keys = versions.on_first(codes, days)
        members = versions.members.filter(versions.members["is_inferred"])
        places = pc.index_in(_flat(codes), members["code"].combine_chunks())
        inferred = np.append(members["key"].to_numpy().astype(np.int32), UNKNOWN)[pc.fill_null(places, -1).to_numpy(zero_copy_only=False)]
        return np.where(keys == UNKNOWN, inferred, keys).astype(np.int32)


def ends_of_periods(periods: pa.ChunkedArray) -> list[pa.Array]:
    """Last and first day of each period: a unit reported for a year is the one that stood at its end, else the one it began with."""
    encoded = pc.dictionary_encode(periods.combine_chunks())
    ranges = [days_of_period(period) for period in encoded.dictionary.to_pylist()]
    return [pa.array([pair[side] for pair in ranges], pa.date32()).take(encoded.indices) for side in (1, 0)]


def days_of(column: Column) -> pa.Array:
    """The day of each timestamp or date."""
    return _flat(column).cast(pa.date32(), safe=False)


def first_of(*columns: Column) -> pa.Array:
    """The first of the columns that is there, row by row."""
    return pc.coalesce(*(_flat(column) for column in columns))


def _days(column: Column) -> npt.NDArray[np.int64]:
    days = pc.fill_null(_flat(column).cast(pa.int32()), 0).to_numpy(zero_copy_only=False)
    return np.asarray(days, dtype=np.int64) + _DAY_ZERO


def _flat(column: Column) -> pa.Array:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
