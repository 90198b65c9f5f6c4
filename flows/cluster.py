"""The night's deliveries spread over a Dask cluster, where BAKHONG_TASK_RUNNER says `dask`: its workers read, check and load them.

The cluster is the one of DASK_SCHEDULER_ADDRESS, else made for the night on this machine. What is read may be read anywhere and at any
time; what is loaded waits here for its turn, as without a cluster. Of a given cluster only those workers are asked that have what the
night has (flows.cluster_worker): the same program, key, warehouse and landed files.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from ipaddress import ip_address
from threading import Lock
from time import monotonic, sleep
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from uuid import uuid4

from sqlalchemy import Engine

from flows.cluster_worker import LOOK_SECONDS, ON_A_WORKER, Needed, Taken, lacks
from flows.ingest import IngestFailed, NotAllIngested
from flows.progress import Meter, Turn
from tasks.deliveries.batches import Batch
from tasks.deliveries.ledger import Outcome
from tasks.deliveries.run_lock import in_one_line, spoken_of
from tasks.deliveries.source import Source
from tasks.read.limits import Limits
from warehouse.settings import Refusal, Settings

if TYPE_CHECKING:
    from distributed import Future
    from prefect_dask.client import PrefectDaskClient
    from prefect_dask.task_runners import DaskTaskRunner

    from flows.steps import Steps

SCHEDULER = "DASK_SCHEDULER_ADDRESS"
"""Dask's own variable."""
PATIENCE = "distributed.comm.timeouts.connect"
"""Dask's own setting: how long it is tried to reach somebody, half a minute where nobody says otherwise."""

log = logging.getLogger("bakhong")


class ClusterLost(Refusal):
    """Nobody is left to take deliveries in: the night cannot go on."""


@contextmanager
def spread(settings: Settings, steps: Steps) -> Iterator[Steps]:
    """The steps of a night: as they are, or with batches taken in by the workers of a cluster, one for each of their slots."""
    if settings.task_runner is None:
        yield steps
        return
    with cluster(settings) as workers:
        yield replace(steps, ingest=workers.ingest, problems=workers.left_out, side_by_side=max(steps.side_by_side, workers.slots))


@contextmanager
def cluster(settings: Settings) -> Iterator[Workers]:
    """The workers of the cluster that the environment names, else of one for this machine, which nobody else can reach."""
    try:
        from prefect_dask import task_runners  # noqa: PLC0415  # an optional extra
    except ImportError:
        raise Refusal('BAKHONG_TASK_RUNNER=dask cần gói prefect-dask: pip install "bakhong[dask]".') from None
    address = os.environ.get(SCHEDULER) or None
    if address is not None:
        _require_closed(address)
        if settings.warehouse_url is None:
            raise Refusal("Nhiều máy cùng nạp thì kho phải ở một máy chủ PostgreSQL mà máy nào cũng tới được: đặt BAKHONG_WAREHOUSE_URL.")
    here = {"threads_per_worker": 1, "dashboard_address": None, "security": True}  # else any user of the machine could have code run as us
    with task_runners.DaskTaskRunner(address=address, cluster_kwargs=None if address else here) as runner:
        try:
            client = _of(runner)
            client.wait_for_workers(1, timeout=_patience())
            workers = Workers(client, is_given=address is not None)
        except (OSError, TimeoutError) as why:
            raise Refusal(f"Không có worker nào ở cụm Dask {address or 'trên máy này'} ({in_one_line(why)}).") from None
        try:
            yield workers
        finally:
            with suppress(OSError, TimeoutError):
                client.unforward_logging(log.name)


def _of(runner: DaskTaskRunner) -> PrefectDaskClient:
    try:
        client: PrefectDaskClient = runner.client
    except TypeError as why:  # Dask's, where it is to speak TLS and has no certificate
        raise ConnectionError("chưa đặt chứng thư TLS của Dask, xem docs/several-machines.md") from why
    return client


def _require_closed(address: str) -> None:
    """Refusal where whoever reaches the scheduler could have anything done by it."""
    parts = urlsplit(address if "://" in address else f"tcp://{address}")
    with suppress(ValueError):
        if parts.hostname == "localhost" or ip_address(parts.hostname or "").is_loopback:
            return
    if parts.scheme != "tls":
        raise Refusal(
            f"{SCHEDULER}={address}: ai tới được cổng ấy cũng chạy được lệnh trên mọi máy của cụm. Dùng tls://, "
            "xem docs/several-machines.md."
        )


def _patience() -> float:
    from dask import config, utils  # noqa: PLC0415  # an optional extra

    return float(utils.parse_timedelta(config.get(PATIENCE)))


class Workers:
    """Those who take part in a night."""

    def __init__(self, client: PrefectDaskClient, *, is_given: bool) -> None:
        self._client, self._is_given = client, is_given
        self._looked_at: dict[str, str] = {}
        """Address of a worker → why it cannot take part, empty where it can."""
        self._looking = Lock()
        self.left_out: list[str] = []
        """Who cannot take part and why, one line each."""
        self.address = str(client.scheduler.address)
        self.slots = sum(client.nthreads().values())
        client.forward_logging(log.name)

    def ingest(
        self,
        engine: Engine,
        batch: Batch,
        _settings: Settings,
        source: Source | None,
        limits: Limits,
        _run_id: int,
        turn: Turn,
        told: Callable[[Outcome], None],
        meter: Meter,
    ) -> None:
        """Has a worker take a batch in, and lets it load when its turn has come."""
        from distributed import Event  # noqa: PLC0415

        its_turn = Event(f"bakhong-{uuid4()}", client=self._client)
        asked = {"batch": batch, "source": source, "limits": limits, "its_turn": its_turn.name, "run": spoken_of.get()}

        def send() -> tuple[Future, list[str]]:
            fit = self.fit(engine)
            return self._client.submit(ON_A_WORKER, parameters=asked, workers=fit), fit  # type: ignore[no-untyped-call]

        sent = send()
        try:
            turn()
        finally:
            its_turn.set()  # where the night is no longer this one's, the worker finds that out itself
        taken = self._taken(send, *sent)
        for outcome in taken.outcomes:
            told(outcome)
        for delivery in batch.deliveries:
            meter.done(delivery.delivery_id)
        if taken.failed:
            deliveries = {delivery.delivery_id: delivery for delivery in batch.deliveries}
            raise NotAllIngested([(deliveries[number], IngestFailed(why)) for number, why in taken.failed])

    def fit(self, engine: Engine) -> list[str]:
        """Addresses of those who can take part; who comes is looked at first. ClusterLost where there is none, and none comes."""
        end = monotonic() + _patience()
        while True:
            here = self._here()
            with self._looking:
                if self._is_given and (new := [address for address in here if address not in self._looked_at]):
                    self._look_at(new, Needed.by(engine))
            if fit := [address for address in here if not self._looked_at.get(address)]:
                return fit
            if here or monotonic() > end:
                raise ClusterLost(f"Cụm Dask {self.address} không có worker nào làm được. {' '.join(self.left_out)}".strip())
            sleep(1)

    def _look_at(self, new: list[str], needed: Needed) -> None:
        found = self._client.run(lacks, needed, workers=new, on_error="return")
        for address in new:
            told = found.get(address, "đã đi mất")
            # What it has is too old to answer, or nothing of ours.
            why = f"không trả lời được, có lẽ khác bản Ba Không ({type(told).__name__})" if isinstance(told, BaseException) else told
            self._looked_at[address] = why
            if why:
                log.error("worker cannot take part: %s", why, extra={"worker": address})
                self.left_out.append(f"Worker {address} không tham gia, {why}.")

    def _here(self) -> list[str]:
        try:
            return list(self._client.nthreads())
        except (OSError, TimeoutError) as why:
            raise ClusterLost(f"Cụm Dask {self.address} không còn trả lời: {in_one_line(why)}.") from None

    def _taken(self, send: Callable[[], tuple[Future, list[str]]], sent: Future, by: list[str]) -> Taken:
        """What became of what was sent. Whoever dies over it is replaced by Dask, as long as one is left of those who could."""
        from distributed import KilledWorker  # noqa: PLC0415
        from distributed.client import FutureCancelledError  # noqa: PLC0415

        while True:
            try:
                taken: Taken = sent.result(timeout=LOOK_SECONDS)
                return taken
            except KilledWorker:
                raise IngestFailed("worker nào nhận việc này cũng chết giữa chừng; xem nhật ký của các worker") from None
            except FutureCancelledError:
                pass  # the scheduler is gone, or began anew
            except TimeoutError:
                if sent.status == "error":  # the worker's own
                    raise
                if sent.done() or {*by} & {*self._here()}:
                    continue
                sent.cancel()
            log.warning("workers are gone: the batch is given to others", extra={"workers": ", ".join(by)})
            sent, by = send()
