"""What a later delivery puts right: faults of earlier ones that it comes in place of need nobody's attention any more.

A delivery comes in place of an earlier one of its source where something of it was accepted, and
- it replaces it: the feed says that it does, and both names speak of the same period and unit, or the pattern of their source says that
  the earlier one's lies within it; a list replaces every list before it;
- or it bears the same name; where nothing is replaced, a name that says a day or period, since else it may be that of every export;
- or the earlier one was refused, and it bears that name with something added (`hoa_don_202406_dinh_chinh.xlsx`) and speaks of the same
  period and unit;
- or nothing of the earlier one is in force any more, since its source spoke for all of its stretches again.
Of any other, it puts right the rows whose natural keys it says again and that are accepted.
"""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Connection, Row, text

from expectations.contract import Contract
from tasks.deliveries.coverage import Stretch
from tasks.deliveries.ledger import Delivery
from tasks.load.work import Load

_ROWS = "status IN ('open', 'waiting', 'released', 'rejected')"
_BEFORE = "source = :source AND (exported_at, delivery_id) < (:moment, :number)"
_AFTER = "source = :source AND (exported_at, delivery_id) > (:moment, :number)"
_ACCEPTED = "loaded_at IS NOT NULL AND status <> 'rejected' AND rows_loaded + rows_unchanged > 0"
_STANDS = (
    "(status = 'rejected' AND corrected_by IS NULL OR rows_quarantined > 0 "
    f"AND EXISTS (SELECT FROM ops.quarantine AS q WHERE q.delivery_id = d.delivery_id AND q.{_ROWS}))"
)
_DELIVERY = "SELECT delivery_id, status, file_name, about, named_period, named_unit, is_declared FROM ops.delivery AS d WHERE"


class SaidAgain:
    """Natural keys that rows of earlier deliveries set aside bear and that this one says again, gathered chunk by chunk.

    Those that wait for a bill are none of them: there may be many, and they are nobody's fault.
    """

    def __init__(self, work: Load) -> None:
        """Looks up which are set aside."""
        self._contract = work.contract
        found = work.connection.scalars(
            text(
                "SELECT DISTINCT natural_key FROM ops.quarantine WHERE status IN ('open', 'released') AND natural_key IS NOT NULL "
                f"AND delivery_id IN (SELECT delivery_id FROM ops.delivery WHERE {_BEFORE} AND rows_quarantined > 0)"
            ),
            _place(work.delivery),
        )
        self._aside = pa.array(found.all(), pa.string())
        self.keys: set[str] = set()

    def add(self, rows: pa.Table) -> None:
        """Notes those among rows that are accepted."""
        if len(self._aside) and rows.num_rows:
            said = self._contract.shown_keys({part: rows[part] for part in self._contract.natural_key})
            self.keys |= set(said.filter(pc.is_in(said, value_set=self._aside)).to_pylist())


def put_right(connection: Connection, delivery: Delivery, contract: Contract, keys: set[str]) -> None:
    """Marks what a delivery that was just loaded or refused puts right of those before it, and what those after it put right of it."""
    this = connection.execute(text(f"{_DELIVERY} delivery_id = :number"), _place(delivery)).one()
    if connection.scalar(text(f"SELECT EXISTS (SELECT FROM ops.delivery WHERE delivery_id = :number AND {_ACCEPTED})"), _place(delivery)):
        before = connection.execute(text(f"{_DELIVERY} {_BEFORE} AND {_STANDS}"), _place(delivery)).all()
        _close(connection, [one.delivery_id for one in before if _in_place_of(contract, this, one)], delivery.delivery_id)
        if keys:
            again = f"natural_key = ANY(:keys) AND delivery_id IN (SELECT delivery_id FROM ops.delivery WHERE {_BEFORE})"
            connection.execute(text(f"{_CORRECT} AND {again}"), _place(delivery) | {"by": delivery.delivery_id, "keys": list(keys)})
    after = connection.execute(text(f"{_DELIVERY} {_AFTER} AND {_ACCEPTED} ORDER BY exported_at DESC, delivery_id DESC"), _place(delivery))
    later = next((one for one in after if _in_place_of(contract, one, this)), None)
    if later is not None:
        _close(connection, [delivery.delivery_id], later.delivery_id)


def _place(delivery: Delivery) -> dict[str, Any]:
    return {"source": delivery.source, "moment": delivery.exported_at, "number": delivery.delivery_id}


def _in_place_of(contract: Contract, later: Row[Any], earlier: Row[Any]) -> bool:
    """Whether nothing that the earlier delivery said needs to be put right, once the later one was accepted."""
    is_replacing = contract.replaces != "nothing"
    if earlier.status == "superseded" or contract.replaces == "list":
        return True
    if (later.file_name, later.about) == (earlier.file_name, earlier.about) and (is_replacing or later.named_period):
        return True
    if later.named_period is None or earlier.named_period is None:
        return False
    is_alike = (later.named_period, later.named_unit) == (earlier.named_period, earlier.named_unit)
    if not (later.is_declared and earlier.is_declared):  # a day in a name that nobody declared is often that of the export
        return is_alike and (is_replacing or (earlier.status == "rejected" and _bears(later.file_name, earlier.file_name)))
    covers, covered = Stretch.of(later.named_period), Stretch.of(earlier.named_period)
    of_the_unit = later.named_unit in (None, earlier.named_unit)
    return is_alike or (is_replacing and of_the_unit and covers.first <= covered.first and covered.last <= covers.last)


def _bears(later: str, earlier: str) -> bool:
    """Whether a file has the name of an earlier one with words added, or another ending; a number that goes on is another number."""
    new, old = (PurePosixPath(name).stem.casefold() for name in (later, earlier))
    return new.startswith(old) and not new[len(old) : len(old) + 1].isalnum()


_CORRECT = f"UPDATE ops.quarantine SET status = 'corrected', corrected_by = :by WHERE {_ROWS}"


def _close(connection: Connection, numbers: list[int], by: int) -> None:
    if numbers:
        values = {"numbers": numbers, "by": by}
        connection.execute(text(f"{_CORRECT} AND delivery_id = ANY(:numbers)"), values)
        whole = "UPDATE ops.delivery SET corrected_by = :by WHERE status = 'rejected' AND delivery_id = ANY(:numbers)"
        connection.execute(text(whole), values)
