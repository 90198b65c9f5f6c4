"""Months of payments that are new: filled as tables of their own, and indexed and made partitions when the delivery is told.

Indexes made over rows that are there cost a fraction of indexes that grow with each row.
"""

from __future__ import annotations

from datetime import date

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Connection, MetaData, Table, text

from warehouse.bulk import copy_in
from warehouse.tables import fact_payment


class Partitions:
    """Where the rows of a fact go in one delivery: into its table, or into the tables of months that nobody reads yet."""

    def __init__(self, connection: Connection, table: Table) -> None:
        self._connection = connection
        self._table = table
        self._fresh: dict[date, Table] = {}
        self._there: set[date] = set()

    def copy(self, rows: pa.Table) -> None:
        """Adds whole rows."""
        if self._table is not fact_payment:
            copy_in(self._connection, self._table, rows)
            return
        months = pc.floor_temporal(rows["business_date"], unit="month")
        for month in pc.unique(months).to_pylist():
            self._begin(month)
        standing = pc.is_in(months, value_set=pa.array(sorted(self._there), months.type))
        if pc.any(standing).as_py():
            copy_in(self._connection, self._table, rows.filter(standing))
        for month in sorted(self._fresh):
            of_month = rows.filter(pc.equal(months, pa.scalar(month, months.type)))
            if of_month.num_rows:
                copy_in(self._connection, self._fresh[month], of_month, is_fresh=True)

    def _begin(self, month: date) -> None:
        if month in self._there or month in self._fresh:
            return
        if self._connection.scalar(text("SELECT warehouse.begin_payment_partition(:month)"), {"month": month}):
            self._fresh[month] = Table(f"{self._table.name}_{month:%Y%m}", MetaData(), schema=self._table.schema)
        else:
            self._there.add(month)

    def attach(self) -> None:
        """Makes the tables filled apart partitions: from here on the fact holds all its rows."""
        for month in sorted(self._fresh):
            self._connection.execute(text("SELECT warehouse.attach_payment_partition(:month)"), {"month": month})
        self._there |= self._fresh.keys()
        self._fresh.clear()
