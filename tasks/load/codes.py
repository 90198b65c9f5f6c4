"""The codes that deliveries told: where a new one tells others than any before, no state of them has to be looked for."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import func, select, true

from tasks.load.work import Load
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
        told = select(deliveries.c.first_code, deliveries.c.last_code).where(
            deliveries.c.feed == work.delivery.feed, deliveries.c.first_code.is_not(None), alike.get(work.contract.key_within, true())
        )
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

    @property
    def told(self) -> dict[str, Any]:
        """Values of the delivery's own row: its codes, and those that it told when it was read before."""
        if self._first is None:
            return {}
        first, last = (column.collate("C") for column in (deliveries.c.first_code, deliveries.c.last_code))
        return {"first_code": func.least(first, self._first), "last_code": func.greatest(last, self._last)}
