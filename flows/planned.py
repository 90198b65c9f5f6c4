"""What Prefect's server has planned: when the next night is due, and whether anybody is there to carry it out.

A server whose scheduler is broken answers that it is healthy: only a run that is planned tells that there will be a night.
"""

from __future__ import annotations

import base64
import os
import ssl
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

from warehouse.settings import Refusal

FLOW, DEPLOYMENT, POOL = "nightly", "nightly", "bakhong"
"""As `prefect.yaml` calls the night, and the pool of those who carry it out."""
OF_ONE_COMMAND: set[str] = set()
"""Addresses of servers that a command of this process started for itself: nothing is planned there."""
PATIENCE = timedelta(minutes=10)
"""So long after its hour a night that nobody began is not late yet: a worker looks every few seconds, a machine may be busy."""


@dataclass(frozen=True)
class Plan:
    """What a Prefect server says of the nights to come."""

    version: str
    """Of the server."""
    clock: datetime
    """Of the server."""
    is_deployed: bool
    is_paused: bool
    """Whether the deployment, or every schedule of it, is stopped: then no night is planned, as somebody wished."""
    folder: str | None
    """In which the night is carried out."""
    zones: list[str]
    """In which its schedules are meant."""
    next_night: datetime | None
    """When the soonest night that has not begun is due, in the past where nobody began it; nothing where none is planned."""
    workers: list[str]
    """Who of the pool is online."""

    @property
    def is_overdue(self) -> bool:
        """Whether a night was due and nobody began it."""
        return self.next_night is not None and self.clock - self.next_night > PATIENCE


def planned(seconds: float = 5) -> Plan | None:
    """The plan of the server that PREFECT_API_URL names, nothing where none is named; Refusal where it does not answer.

    `seconds`: how long the server may be silent, at each of four questions.
    """
    url = os.environ.get("PREFECT_API_URL")
    if not url or url in OF_ONE_COMMAND:
        return None
    import httpx  # noqa: PLC0415  # the command line reads this module for every question

    try:
        with httpx.Client(base_url=f"{url.rstrip('/')}/", timeout=seconds, verify=_certificates(), headers=_login()) as client:
            return _asked(client)
    except httpx.HTTPStatusError as error:
        status = error.response.status_code
        why = "không cho vào: xem lại PREFECT_API_AUTH_STRING" if status in (401, 403) else f"trả lời HTTP {status}"
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError, LookupError) as error:
        why = f"không trả lời ({type(error).__name__})"
    raise Refusal(f"Máy chủ Prefect ở {urlsplit(url).netloc.rpartition('@')[2] or url} {why}.")


def _certificates() -> ssl.SSLContext | bool:
    own = os.environ.get("PREFECT_API_SSL_CERT_FILE")
    return ssl.create_default_context(cafile=own) if own else True


def _login() -> dict[str, str]:
    """What Prefect's own client would say to be let in."""
    if key := os.environ.get("PREFECT_API_KEY"):
        return {"Authorization": f"Bearer {key}"}
    if words := os.environ.get("PREFECT_API_AUTH_STRING"):
        return {"Authorization": f"Basic {base64.b64encode(words.encode()).decode()}"}
    return {}


def _asked(client: Any) -> Plan:
    answer = client.get("admin/version").raise_for_status()
    version, clock = str(answer.json()), parsedate_to_datetime(answer.headers["date"])
    of_pool = client.post(f"work_pools/{POOL}/workers/filter", json={"limit": 50})
    workers = [] if of_pool.status_code == 404 else of_pool.raise_for_status().json()
    online = [str(worker["name"]) for worker in workers if worker["status"] == "ONLINE"]
    found = client.get(f"deployments/name/{FLOW}/{DEPLOYMENT}")
    if found.status_code == 404:
        return Plan(version, clock, False, False, None, [], None, online)
    deployment = found.raise_for_status().json()
    schedules = [schedule for schedule in deployment["schedules"] if schedule["active"]]
    waiting = {
        "deployments": {"id": {"any_": [deployment["id"]]}},
        "flow_runs": {"state": {"type": {"any_": ["SCHEDULED"]}}},
        "sort": "EXPECTED_START_TIME_ASC",
        "limit": 1,
    }
    soonest = client.post("flow_runs/filter", json=waiting).raise_for_status().json()
    return Plan(
        version=version,
        clock=clock,
        is_deployed=True,
        is_paused=bool(deployment["paused"]) or not schedules,
        folder=next((step["directory"] for one in deployment["pull_steps"] or [] for step in one.values() if "directory" in step), None),
        zones=[schedule["schedule"].get("timezone") or "UTC" for schedule in schedules],
        next_night=datetime.fromisoformat(soonest[0]["expected_start_time"]) if soonest else None,
        workers=online,
    )
