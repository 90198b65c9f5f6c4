"""A lineage server is told of a night by OpenLineage's own words; one that is down, slow or angry costs the night nothing."""

from __future__ import annotations

import importlib
import inspect
import json
import pkgutil
import re
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Engine, text

from flows.nightly import Night, night
from flows.steps import WITHOUT_PREFECT
from tests.nights import KEY, few_sources
from warehouse.settings import Refusal, Settings


@dataclass
class Collector:
    """A lineage server: what it was sent, and the status it answers with."""

    url: str = ""
    events: list[dict[str, Any]] = field(default_factory=list)
    bodies: list[str] = field(default_factory=list)
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    status: int = 201

    def of(self, job: str, state: str) -> list[dict[str, Any]]:
        return [event for event in self.events if (event["job"]["name"], event["eventType"]) == (job, state)]


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    told = Collector()

    class Api(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            told.asked.append((self.path, self.headers["Authorization"]))
            told.bodies.append(body)
            told.events.append(json.loads(body))
            self.send_response(told.status)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Api) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        told.url = f"http://127.0.0.1:{server.server_address[1]}"
        monkeypatch.setenv("OPENLINEAGE_URL", told.url)
        yield told
        server.shutdown()


def a_night(engine: Engine, home: Path) -> Night:
    settings = Settings(home, None, few_sources(home), KEY.encode())
    return night(settings, engine, date(2025, 5, 5), steps=WITHOUT_PREFECT)


def facet_classes() -> dict[str, type]:
    """The library's own classes by the schema they are of."""
    import openlineage.client.generated as generated

    found = {}
    for module in pkgutil.iter_modules(generated.__path__):
        for _, kind in inspect.getmembers(importlib.import_module(f"{generated.__name__}.{module.name}"), inspect.isclass):
            if "_get_schema" in vars(kind):
                found[kind._get_schema()] = kind
    return found


def facets_in(part: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(part, dict):
        for name, value in part.items():
            if name.lower().endswith("facets"):
                yield from value.items()
            yield from facets_in(value)
    elif isinstance(part, list):
        for one in part:
            yield from facets_in(one)


def test_a_night_is_told_step_by_step_with_what_it_read_and_wrote(engine: Engine, home: Path, collector: Collector) -> None:
    done = a_night(engine, home)
    told = [(event["job"]["name"], event["eventType"]) for event in collector.events]
    steps = [f"nightly.{step}" for step in ("pull", "ingest", "publish", "report")]
    assert [event for event in told if event[1] != "RUNNING"] == [
        ("nightly", "START"), *((step, state) for step in steps for state in ("START", "COMPLETE")), ("nightly", "COMPLETE"),
    ]  # fmt: skip
    with engine.connect() as c:
        name = c.scalar(text("SELECT run_uuid FROM ops.run WHERE run_id = :n"), {"n": done.run_id})
        files = c.execute(text("SELECT source, sha256, rows_received, file_name FROM ops.delivery ORDER BY delivery_id")).all()
        verdicts = c.scalar(text("SELECT count(*) FROM ops.verdict"))
        database = c.scalar(text("SELECT current_database()"))
    assert {event["run"]["runId"] for event in collector.of("nightly", "START") + collector.of("nightly", "COMPLETE")} == {str(name)}
    for step in steps:
        runs = {event["run"]["runId"] for event in collector.events if event["job"]["name"] == step}
        parents = {event["run"]["facets"]["parent"]["run"]["runId"] for event in collector.events if event["job"]["name"] == step}
        assert len(runs) == 1 and UUID(runs.pop()) != name
        assert parents == {str(name)}

    (pulled,) = collector.of("nightly.pull", "COMPLETE")
    assert [one["name"] for one in pulled["outputs"]] == [f"{row.source}/{row.sha256}" for row in files]
    read = [one for event in collector.of("nightly.ingest", "RUNNING") for one in event["inputs"]]
    rows = {one["name"]: one["inputFacets"]["inputStatistics"]["rowCount"] for one in read}
    assert rows == {f"{row.source}/{row.sha256}": row.rows_received for row in files}
    assert sum(len(one["inputFacets"]["dataQualityAssertions"]["assertions"]) for one in read) == verdicts
    assert not any(row.file_name in body for row in files for body in collector.bodies), "a file's name is its sender's"

    (ingested,) = collector.of("nightly.ingest", "COMPLETE")
    tables = {one["name"]: one for one in ingested["outputs"]}
    assert {"fact_dossier", "fact_bill", "fact_payment", "fact_unit_count"} <= {name.rpartition(".")[2] for name in tables}
    fields = tables[f"{database}.warehouse.fact_payment"]["facets"]["columnLineage"]["fields"]
    (origin,) = fields["payment_method_key"]["inputFields"]
    assert (origin["namespace"], origin["name"], origin["field"]) == ("bakhong", "ecpay-payments", "method_code")
    (published,) = collector.of("nightly.publish", "COMPLETE")
    indicator = next(one for one in published["outputs"] if one["name"] == f"{database}.mart.indicator/ND3")
    counted = {one["field"]: one["name"] for one in indicator["facets"]["columnLineage"]["fields"]["numerator"]["inputFields"]}
    assert counted["value"] == f"{database}.warehouse.fact_unit_count"
    assert f"{database}.mart.indicator" in {one["name"] for one in published["outputs"]}
    assert {one["name"] for one in published["inputs"]} >= {counted["value"], f"{database}.warehouse.fact_dossier"}


def test_every_event_and_facet_is_one_of_the_standards(engine: Engine, home: Path, collector: Collector) -> None:
    from openlineage.client.event_v2 import Job, Run, RunEvent, RunState

    a_night(engine, home)
    classes, kinds = facet_classes(), set()
    for event in collector.events:
        Run(event["run"]["runId"]), Job(event["job"]["namespace"], event["job"]["name"])
        RunEvent(eventTime=event["eventTime"], run=event["run"], job=event["job"], eventType=RunState[event["eventType"]])
        assert event["schemaURL"] == RunEvent._get_schema()
        for name, facet in facets_in(event):
            told = {key: value for key, value in facet.items() if not key.startswith("_")}
            classes[facet["_schemaURL"]](**told)  # refuses what it does not know, and wants what it needs
            assert re.fullmatch(r"urn:bakhong:[\w.]+", facet["_producer"])
            kinds.add(name)
    assert kinds >= {
        "parent", "nominalTime", "processing_engine", "jobType", "schema", "symlinks", "inputStatistics", "dataQualityAssertions",
        "outputStatistics", "columnLineage", "documentation",
    }  # fmt: skip


def test_a_night_that_breaks_is_told_as_failed_with_its_step(engine: Engine, home: Path, collector: Collector) -> None:
    (home / "sources.yaml").write_text(
        f'sources:\n  - {{name: evn, feed: bills, layout: evn_csv, provider: evn, url: "{home}/nowhere/*.csv", expected: once}}\n'
    )
    with pytest.raises(Refusal):
        night(Settings(home, None, home / "sources.yaml", KEY.encode()), engine, date(2025, 5, 5), steps=WITHOUT_PREFECT)
    (step,), (whole,) = collector.of("nightly.pull", "FAIL"), collector.of("nightly", "FAIL")
    for event in (step, whole):
        assert event["run"]["facets"]["errorMessage"]["message"].startswith("Không nguồn nào nhận được tệp.")
    assert not collector.of("nightly", "COMPLETE")


def test_names_and_key_are_those_of_the_environment(
    engine: Engine, home: Path, collector: Collector, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("OPENLINEAGE_NAMESPACE", "tinh-38")
    monkeypatch.setenv("OPENLINEAGE_API_KEY", "a long word")
    a_night(engine, home)
    assert set(collector.asked) == {("/api/v1/lineage", "Bearer a long word")}
    assert {event["job"]["namespace"] for event in collector.events} == {"tinh-38"}
    assert not any("a long word" in words for words in (*collector.bodies, caplog.text))


@pytest.mark.parametrize("how", ["refuses", "is silent", "is angry", "is no address"])
def test_a_server_that_does_not_take_an_event_costs_one_line(
    how: str, engine: Engine, home: Path, collector: Collector, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("flows.lineage_events.SECONDS", 0.5)
    collector.status = 500
    with socket.create_server(("127.0.0.1", 0)) as silent, socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        address = {
            "refuses": f"http://127.0.0.1:{closed.getsockname()[1]}",
            "is silent": f"http://127.0.0.1:{silent.getsockname()[1]}",
            "is angry": collector.url,
            "is no address": "lineage",
        }[how]
        monkeypatch.setenv("OPENLINEAGE_URL", address)
        began = time.monotonic()
        done = a_night(engine, home)
        assert time.monotonic() - began < 60
    assert not done.problems
    lines = [record for record in caplog.records if "lineage" in record.getMessage()]
    assert [(line.levelname, line.getMessage().partition(":")[0]) for line in lines] == [("WARNING", "lineage is not told on tonight")]
    assert len(collector.events) == (how == "is angry")
    with engine.connect() as c:
        assert c.scalar(text("SELECT status FROM ops.run")) == "completed"
