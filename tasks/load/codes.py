"""The codes that deliveries told: where a new one tells others than any before, no state of them has to be looked for."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import func, select, true
from sqlalchemy.dialects.postgresql import insert

from tasks.load.work import Load
from warehouse.tables import code_range
from warehouse.tables import delivery as deliveries


class Codes:
    """From the least code to the greatest that a delivery tells, byte by byte, beside those of all that were told before.

    Who numbers in sequence never comes twice to the same stretch, so that a night looks at nothing older. Kept only of feeds
    whose natural key is one code; of others everything is held to be possible.
    """

    def __init__(self, work: Load) -> None:
        """Looks up what was told before under the same prefix of keys."""
        key = work.contract.natural_key
        self._column = key[0] if len(key) == 1 and work.contract.columns[key[0]].type == "text" else None
        self._first: str | None = None
        self._last: str | None = None
        alike = {"provider": deliveries.c.provider == work.delivery.provider, "source": deliveries.c.source == work.delivery.source}
        told = (
            select(code_range.c.first_code, code_range.c.last_code)
            .join(deliveries, deliveries.c.delivery_id == code_range.c.delivery_id)
            .where(deliveries.c.feed == work.delivery.feed, alike.get(work.contract.key_within, true()))
        )
        self._work = work
        self._known = [tuple(row) for row in work.connection.execute(told)] if self._column else []

    def may_be_known(self, rows: pa.Table) -> bool:
        """Whether any of these rows may have been told before; their codes count as told from now on."""
        if self._column is None:
            return True
        bounds = pc.min_max(rows[self._column]).as_py()
        first, last = bounds["min"], bounds["max"]
        self._first = first if self._first is None else min(first, self._first)
        self._last = last if self._last is None else max(last, self._last)
        return any(known_first <= last and first <= known_last for known_first, known_last in self._known)

    def write_down(self) -> None:
        """Keeps the stretch of the delivery's codes, with those that it told when it was read before."""
        if self._first is None:
            return
        told = insert(code_range).values(delivery_id=self._work.delivery.delivery_id, first_code=self._first, last_code=self._last)
        first, last = (column.collate("C") for column in (code_range.c.first_code, code_range.c.last_code))
        both = {"first_code": func.least(first, told.excluded.first_code), "last_code": func.greatest(last, told.excluded.last_code)}
        self._work.connection.execute(told.on_conflict_do_update(index_elements=["delivery_id"], set_=both))
