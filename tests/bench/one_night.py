"""One night in a process of its own: `python -m tests.bench.one_night YYYY-MM-DD` writes what it took as JSON."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from dataclasses import fields
from datetime import date
from typing import Any

from flows.nightly import WITHOUT_PREFECT, Steps, night
from warehouse.database import open_warehouse
from warehouse.settings import Settings


def timed(step: Callable[..., Any], name: str, seconds: dict[str, float]) -> Callable[..., Any]:
    """The step, with its time added up under its name; steps side by side add up to more than the clock."""

    def run(*arguments: Any) -> Any:
        start = time.perf_counter()
        try:
            return step(*arguments)
        finally:
            of = f"{name} {arguments[1].deliveries[0].feed}" if name == "ingest" else name
            seconds[of] = seconds.get(of, 0) + time.perf_counter() - start

    return run


def main(until: date) -> None:
    """Runs the night of that day in the home the environment names."""
    settings = Settings.from_environment()
    seconds: dict[str, float] = {}
    steps = Steps(**{field.name: timed(getattr(WITHOUT_PREFECT, field.name), field.name, seconds) for field in fields(Steps)})
    with open_warehouse(settings) as engine:
        start = time.perf_counter()
        done = night(settings, engine, until, steps=steps)
        total = time.perf_counter() - start
    counts = {
        field: sum(getattr(outcome, field) for outcome in done.outcomes)
        for field in ("received", "loaded", "unchanged", "quarantined", "ignored")
    }
    print(json.dumps({"seconds": total, "steps": seconds, "rows": counts, "unreachable": done.unreachable}))


if __name__ == "__main__":
    main(date.fromisoformat(sys.argv[1]))
