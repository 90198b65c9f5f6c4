"""A collector's longer files beside its day files: what one has and the other lacks, on days for which both have come.

Each transaction counts once whoever says it (tasks.load.replace); here only what differs is told. A day whose file has not come is no
difference, nor is a file of one unit held against those of all.
"""

from __future__ import annotations

from contextlib import suppress
from importlib import resources
from typing import Any

import pyarrow as pa
from sqlalchemy import Connection, text

from expectations.contract import contract
from tasks.deliveries.coverage import Stretch
from tasks.load.replace import TAKEN
from tasks.load.work import Load
from tasks.words.vietnamese import number

_DIFFERENCES = resources.files(__name__.rpartition(".")[0]).joinpath("beside_days.sql").read_text("utf-8")
_FILES = f"""
SELECT delivery_id, scope FROM ops.coverage JOIN ops.delivery USING (delivery_id)
WHERE feed = 'payments' AND provider = :provider AND ({TAKEN} OR delivery_id = :loading)
"""
_COUNTS = f"""
SELECT count(*) FILTER (WHERE day_delivery_id IS NULL), count(*) FILTER (WHERE longer_delivery_id IS NULL),
    count(*) FILTER (WHERE day_delivery_id + longer_delivery_id > 0)
FROM ({_DIFFERENCES}) AS difference
"""


def count_differences(work: Load) -> None:
    """Counts what differs on the days that a delivery speaks for."""
    for rule in work.rules("beside_days"):
        of = work.delivery.covers
        files = None if of is None else _files_of_both(work.connection, work.delivery.provider, of, work.delivery.delivery_id)
        if files is None:
            continue
        missing_in_days, missing_in_longer, differ = work.connection.execute(text(_COUNTS), files).one()
        longer = "tệp tháng" if files["are_months"] else "tệp nhiều ngày"
        parts = [
            (missing_in_days, f"{longer} có {{}} giao dịch mà các tệp ngày không có"),
            (missing_in_longer, f"các tệp ngày có {{}} giao dịch mà {longer} không có"),
            (differ, "{} giao dịch khác số tiền"),
        ]
        told = [words.format(number(count)) for count, words in parts if count]
        work.count(rule, missing_in_days + missing_in_longer + differ, "; ".join([*told, f"so {number(len(files['days']))} ngày"]))


def differences(connection: Connection, provider: str, within: Stretch) -> list[dict[str, Any]] | None:
    """The transactions that differ in a stretch of days, one by one; a code that might be a person's number is not shown.

    Nothing where there is no day for which both have come.
    """
    files = _files_of_both(connection, provider, within)
    if files is None:
        return None
    found = connection.execute(text(f"{_DIFFERENCES} ORDER BY business_date, transaction_code"), files).mappings().all()
    shown = contract("payments").shown_keys({"transaction_code": pa.array([row["transaction_code"] for row in found], pa.string())})
    return [{**row, "transaction_code": code} for row, code in zip(found, shown.to_pylist(), strict=True)]


def _files_of_both(connection: Connection, provider: str, within: Stretch, loading: int | None = None) -> dict[str, Any] | None:
    """The days of a stretch for which both have come, and the files of the collector; nothing where there is no such day."""
    stretches: dict[str, Stretch] = {}
    files = []
    for delivery_id, scope in connection.execute(text(_FILES), {"provider": provider, "loading": loading}):
        with suppress(ValueError):  # of one unit, or of no period
            stretches[scope] = Stretch.of(scope)
            files.append(delivery_id)
    days = {scope: stretch.first for scope, stretch in stretches.items() if stretch.is_day and within.first <= stretch.first <= within.last}
    longer = [stretch for stretch in stretches.values() if not stretch.is_day]
    beside = [stretch for stretch in longer if any(stretch.first <= day <= stretch.last for day in days.values())]
    both = sorted({day for day in days.values() if any(stretch.first <= day <= stretch.last for stretch in beside)})
    if not both:
        return None
    return {
        "provider": provider,
        "files": files,
        "day_scopes": [scope for scope, stretch in stretches.items() if stretch.is_day],
        "days": both,
        "first": both[0],
        "last": both[-1],
        "are_months": all(_is_month(stretch) for stretch in beside),
    }


def _is_month(stretch: Stretch) -> bool:
    return stretch == Stretch.of(f"{stretch.first:%Y-%m}")
