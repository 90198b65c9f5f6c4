"""What machines ask of the desk: whether it lives, whether all is well with the nights, and the numbers of a monitor (docs/observe.md)."""

from __future__ import annotations

import ipaddress
import os
import secrets
import shutil
import time
from collections.abc import Iterator, Mapping
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, get_args

from starlette.responses import JSONResponse, PlainTextResponse, Response

from desk.web.access import Asked, route
from flows.health import troubles
from tasks.ask.health import IN_SHORT, Kind, Trouble
from tasks.ask.measures import Measures, measures
from tasks.words.vietnamese import VIETNAM

if TYPE_CHECKING:
    from prometheus_client.core import GaugeMetricFamily

FRESH_SECONDS = 1
"""So long whoever asks next is told the same."""
STATUSES = ("running", "completed", "failed", "killed")
OUTCOMES = ("received", "loaded", "unchanged", "quarantined", "ignored")


def livez(_: Asked) -> Response:
    """That the process answers: who gets no answer starts it anew."""
    return PlainTextResponse("ok\n")


def healthz(asked: Asked) -> Response:
    """Whether all is well with the nights, and in short why not; it turns red by itself, once no night begins."""
    reasons = [IN_SHORT[trouble.kind] for trouble in troubles(asked.engine, datetime.now(VIETNAM))]
    return JSONResponse({"healthy": not reasons, "reasons": reasons}, 503 if reasons else 200)


def metrics(asked: Asked) -> Response:
    """The numbers, as Prometheus reads them: for this machine, and for whoever says the token."""
    if not _may_read(asked):
        return PlainTextResponse("/metrics: Authorization: Bearer <BAKHONG_METRICS_TOKEN>\n", 403)
    from prometheus_client.exposition import CONTENT_TYPE_LATEST  # noqa: PLC0415  # where nobody asks, nobody waits for it

    return Response(asked.request.app.state.exposed.text(asked), media_type=CONTENT_TYPE_LATEST)


ROUTES = [
    route("/livez", livez, None),
    route("/healthz", healthz, None),
    route("/metrics", metrics, None),
]


def _may_read(asked: Asked) -> bool:
    token = asked.desk.metrics_token
    if token is not None:
        return secrets.compare_digest(asked.request.headers.get("authorization", "").encode(), f"Bearer {token}".encode())
    try:
        return ipaddress.ip_address(asked.address).is_loopback
    except ValueError:
        return False


class Exposed:
    """The numbers of a desk as text; of several who ask at once, the warehouse is asked once."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._said, self._at = b"", -float("inf")

    def text(self, asked: Asked) -> bytes:
        """The numbers as they are, or were a moment ago."""
        with self._lock:
            if time.monotonic() - self._at >= FRESH_SECONDS:
                self._said = _exposed(asked)
                self._at = time.monotonic()
            return self._said


def _exposed(asked: Asked) -> bytes:
    from prometheus_client import CollectorRegistry, generate_latest  # noqa: PLC0415

    now = datetime.now(VIETNAM)
    found = troubles(asked.engine, now)
    registry = CollectorRegistry()
    measured: Measures | None = None
    if not {trouble.kind for trouble in found} & {"database", "schema"}:
        with asked.reading() as connection:
            measured = measures(connection, now)
    registry.register(_Collector(measured, found, asked.desk.settings.home))
    return generate_latest(registry)


class _Collector:
    """What was measured once, told once."""

    def __init__(self, measured: Measures | None, found: list[Trouble], home: Path) -> None:
        self._measured, self._found, self._home = measured, found, home

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Every family of metrics that there is something to say of."""
        found = {trouble.kind for trouble in self._found}
        kinds = {(kind,): kind in found for kind in get_args(Kind)}
        yield _family("trouble", "Whether the nights are not well, by why not, as /healthz says", kinds, "kind")
        yield _family("disk_free_bytes", "Free bytes where BAKHONG_HOME lies", {(): shutil.disk_usage(self._home).free})
        yield _family("landing_bytes", "Bytes of the files that are kept as they were received", {(): _bytes_in(self._home / "landing")})
        if self._measured is not None:
            yield from _of_warehouse(self._measured)


def _of_warehouse(of: Measures) -> Iterator[GaugeMetricFamily]:
    yield _family("info", "Version of the program, revision of its schema", {(version("bakhong"), of.revision): 1}, "version", "schema")
    run = of.last_run
    yield _moment("last_success", "When the last night ended that did not fail", of.last_success)
    if run is not None:
        yield _moment("last_run_start", "When the last run began", run.started_at)
        yield _family("last_run_status", "Which status the last run has", {(s,): s == run.status for s in STATUSES}, "status")
        if run.finished_at is not None:
            seconds = (run.finished_at - run.started_at).total_seconds()
            yield _family("last_run_seconds", "How long the last run took", {(): seconds})
    yield _family("step_seconds", "How long each step of the last run took", {(s.step,): s.seconds for s in of.steps}, "step")
    by_verdict = {(row.source, row.verdict): row.deliveries for row in of.deliveries}
    yield _family("deliveries", "Deliveries that are known, by source and verdict", by_verdict, "source", "verdict")
    rows: dict[tuple[str, ...], float] = {}
    for row in of.deliveries:
        for outcome in OUTCOMES:
            rows[row.source, outcome] = rows.get((row.source, outcome), 0) + int(getattr(row, outcome))
    yield _family("rows", "Rows of these deliveries, by what became of them", rows, "source", "outcome")
    late = {(state.source.name,): state.is_late for state in of.sources}
    yield _family("source_late", "Whether a source should have sent by now", late, "source")
    unreachable = {(state.source.name,): state.unreachable is not None for state in of.sources}
    yield _family("source_unreachable", "Whether the last night could not take all of a source", unreachable, "source")
    yield _family("edition_held", "Whether an edition waits for a decision", {(): of.held_since is not None})
    yield _moment("edition_held_since", "Since when an edition waits for a decision", of.held_since)
    yield _family("held_values", "Values that the edition that waits would change", {(): of.held_values})
    yield _family("held_back_values", "Values and forms that are held back alone", {(): of.held_back})
    yield _moment("publication", "When the edition that readers see was published", of.published_at)
    yield _family("run_lock_held", "Whether a run is at work", {(): of.is_locked})
    yield _family("lock_waits", "Sessions of the warehouse that wait for a lock of another one", {(): of.lock_waits})
    yield _family("database_bytes", "Bytes of the warehouse", {(): of.database_bytes})


def _moment(name: str, words: str, at: datetime | None) -> GaugeMetricFamily:
    """A time; without one the family says nothing."""
    return _family(f"{name}_timestamp_seconds", words, {} if at is None else {(): at.timestamp()})


def _family(name: str, words: str, values: Mapping[Any, float], *labels: str) -> GaugeMetricFamily:
    from prometheus_client.core import GaugeMetricFamily  # noqa: PLC0415

    family = GaugeMetricFamily(f"bakhong_{name}", words, labels=labels)
    for of, value in values.items():
        family.add_metric([str(word) for word in of], value)
    return family


def _bytes_in(folder: Path) -> int:
    """Bytes of the files of a folder and of those in it."""
    found = 0
    for place, _, names in os.walk(folder):
        for name in names:
            try:
                found += os.stat(f"{place}/{name}").st_size  # noqa: PTH116  # a Path a file takes longer than the file
            except FileNotFoundError:  # it has just got its name
                continue
    return found
