"""The events of a night as OpenLineage writes them: jobs are the night and its steps, datasets deliveries, tables, official indicators.

A delivery is called by its source and the hash of its bytes, never by its file; of its content only the contract's columns, the number
of rows and the rules' verdicts are told.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any
from uuid import UUID, uuid5

from openlineage.client import OpenLineageClient
from openlineage.client.event_v2 import InputDataset, Job, OutputDataset, RunEvent, RunState, set_producer
from openlineage.client.event_v2 import Run as RunOfEvent
from openlineage.client.facet_v2 import (
    column_lineage_dataset,
    data_quality_assertions_dataset,
    documentation_dataset,
    documentation_job,
    error_message_run,
    input_statistics_input_dataset,
    job_type_job,
    nominal_time_run,
    output_statistics_output_dataset,
    parent_run,
    processing_engine_run,
    schema_dataset,
    symlinks_dataset,
)
from openlineage.client.transport.http import ApiKeyTokenProvider, HttpConfig, HttpTransport, TokenProvider
from sqlalchemy import Engine

from expectations.contract import contract
from tasks.ask.lineage import Origin, columns_of, counts_of, deliveries_of, landed_since
from tasks.deliveries.run_lock import Run, in_one_line
from tasks.deliveries.steps import Step
from warehouse.indicators import indicators
from warehouse.indicators.here import counted_here
from warehouse.tables import metadata
from warehouse.views import complete

SECONDS = 3
"""How long the server may take to take an event."""
AT_ONCE = 50
"""Deliveries that an event tells of: with their verdicts, some hundred kB."""
MEANT = {
    None: "The night: pull, ingest each new delivery, compute, audit, publish, report",
    "pull": "Lands every file of the sources that says something new",
    "ingest": "Reads, checks and loads each delivery",
    "publish": "Counts what changed, computes, audits and publishes it in one transaction",
    "report": "Writes workbooks and pages",
}
SEVERITIES = {"critical": "error", "warning": "warn", "info": "info"}
DIRECT = {"IDENTITY", "TRANSFORMATION", "AGGREGATION"}

log = logging.getLogger("bakhong")


class Events:
    """Tells a lineage server of one run, as long as it takes what it is told."""

    def __init__(self, engine: Engine, run: Run) -> None:
        logging.getLogger("openlineage").setLevel(logging.CRITICAL)  # that it cannot be reached is told once, here
        set_producer(f"urn:bakhong:{version('bakhong')}")
        self._engine, self._run = engine, run
        self._jobs = os.environ.get("OPENLINEAGE_NAMESPACE") or "bakhong"
        self._tables = f"postgres://{engine.url.host}:{engine.url.port or 5432}"
        self._is_told = True

    def began(self, step: Step | None) -> None:
        """The night, or a step of it, began."""
        self._tell(lambda: [self._event(step, RunState.START)])

    def failed(self, step: Step | None, why: str) -> None:
        """It broke."""
        facet = {"errorMessage": error_message_run.ErrorMessageRunFacet(message=why, programmingLanguage="PYTHON")}
        self._tell(lambda: [self._event(step, RunState.FAIL, facet)])

    def completed(self, step: Step | None) -> None:
        """It is done, with what it read and wrote."""
        of_step = {"pull": self._pulled, "ingest": self._ingested, "publish": self._published}
        done = of_step.get(str(step))
        self._tell(done or (lambda: [self._event(step, RunState.COMPLETE)]))

    def _tell(self, events: Callable[[], Iterable[RunEvent]]) -> None:
        try:
            for event in events() if self._is_told else ():
                self._client().emit(event)
        except Exception as problem:  # whatever is the matter with lineage, the night goes on
            self._is_told = False
            log.warning("lineage is not told on tonight: %s", in_one_line(problem))

    def _client(self) -> OpenLineageClient:
        key = os.environ.get("OPENLINEAGE_API_KEY")
        config = HttpConfig(
            url=os.environ["OPENLINEAGE_URL"],
            endpoint=os.environ.get("OPENLINEAGE_ENDPOINT") or "api/v1/lineage",
            timeout=SECONDS,
            retry={"total": 0},
            auth=ApiKeyTokenProvider({"api_key": key}) if key else TokenProvider({}),
        )
        return OpenLineageClient(transport=HttpTransport(config))

    def _event(
        self,
        step: Step | None,
        state: RunState,
        facets: Mapping[str, Any] | None = None,
        inputs: Iterable[InputDataset] = (),
        outputs: Iterable[OutputDataset] = (),
    ) -> RunEvent:
        night = self._run.name.run_uuid
        told: dict[str, Any] = {
            "nominalTime": nominal_time_run.NominalTimeRunFacet(self._run.as_of.isoformat()),
            "processing_engine": processing_engine_run.ProcessingEngineRunFacet(version=version("bakhong"), name="Ba Không"),
        }
        if step is not None:
            told["parent"] = parent_run.ParentRunFacet(parent_run.Run(str(night)), parent_run.Job(self._jobs, self._run.flow))
        return RunEvent(
            eventTime=datetime.now(UTC).isoformat(),
            eventType=state,
            run=RunOfEvent(str(_named(night, step)), {**told, **(facets or {})}),
            job=Job(
                self._jobs,
                self._run.flow if step is None else f"{self._run.flow}.{step}",
                {
                    "jobType": job_type_job.JobTypeJobFacet("BATCH", "BAKHONG", "JOB" if step is None else "TASK"),
                    "documentation": documentation_job.DocumentationJobFacet(MEANT[step]),
                },
            ),
            inputs=list(inputs),
            outputs=list(outputs),
        )

    def _pulled(self) -> Iterator[RunEvent]:
        """What was landed."""
        with self._engine.connect() as connection:
            landed = deliveries_of(connection, landed_since(connection, self._run.run_id))
        outputs = [OutputDataset(self._jobs, _name(row), facets=self._delivery(row)) for row in landed]
        yield self._event("pull", RunState.COMPLETE, outputs=outputs)

    def _ingested(self) -> Iterator[RunEvent]:
        """Every delivery with what was found of it; then the tables, whose columns come from those of the sources."""
        with self._engine.connect() as connection:
            taken = deliveries_of(connection, [outcome.delivery_id for outcome in self._run.outcomes])
        for first in range(0, len(taken), AT_ONCE):
            yield self._event("ingest", RunState.RUNNING, inputs=map(self._input, taken[first : first + AT_ONCE]))
        sources = dict.fromkeys((row.source, row.feed) for row in taken)
        inputs = [InputDataset(self._jobs, source, facets={"schema": _schema_of_feed(feed)}) for source, feed in sources]
        outputs = []
        for feed in dict.fromkeys(feed for _, feed in sources):
            own = [source for source, of in sources if of == feed]
            loaded = sum(row.rows_loaded or 0 for row in taken if row.feed == feed)
            table = f"warehouse.{contract(feed).table}"
            fields = {
                column: column_lineage_dataset.Fields([_field(self._jobs, source, origin) for source in own for origin in origins])
                for column, origins in columns_of(feed).items()
            }
            facets: dict[str, Any] = {
                "schema": _schema_of_table(table),
                "columnLineage": column_lineage_dataset.ColumnLineageDatasetFacet(fields),
            }
            counted: dict[str, Any] = {
                "outputStatistics": output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet(rowCount=loaded)
            }
            outputs.append(OutputDataset(self._tables, self._table(table), outputFacets=counted, facets=facets))
        yield self._event("ingest", RunState.COMPLETE, inputs=inputs, outputs=outputs)

    def _published(self) -> Iterator[RunEvent]:
        """The views that people read; and each indicator, with the columns its counts are made of. Nothing where the edition is held."""
        if not self._run.is_published:
            yield self._event("publish", RunState.COMPLETE)
            return
        with self._engine.connect() as connection:
            declared = {indicator.version_name: counted_here(connection, indicator) for indicator in indicators()}
        lineages = {name: counts_of(indicator) for name, indicator in declared.items()}
        read = dict.fromkeys(origin.table for of in lineages.values() for origins in of.values() for origin in origins)
        inputs = [InputDataset(self._tables, self._table(table), facets={"schema": _schema_of_table(table)}) for table in read]
        outputs = [
            OutputDataset(
                self._tables,
                self._table(f"mart.{view.name}"),
                facets={"documentation": documentation_dataset.DocumentationDatasetFacet(view.row.en)},
            )
            for view in complete()
            if view.schema == "mart"
        ]
        for name, indicator in declared.items():
            fields = {
                part: column_lineage_dataset.Fields([_field(self._tables, self._table(origin.table), origin) for origin in origins])
                for part, origins in lineages[name].items()
                if origins
            }
            facets: dict[str, Any] = {
                "documentation": documentation_dataset.DocumentationDatasetFacet(f"{indicator.name}: {indicator.definition}"),
                "columnLineage": column_lineage_dataset.ColumnLineageDatasetFacet(fields),
            }
            outputs.append(OutputDataset(self._tables, self._table(f"mart.indicator/{name}"), facets=facets))
        yield self._event("publish", RunState.COMPLETE, inputs=inputs, outputs=outputs)

    def _table(self, name: str) -> str:
        return f"{self._engine.url.database}.{name}"

    def _delivery(self, row: Any) -> dict[str, Any]:
        """A delivery is of its source, whose columns it has."""
        of = symlinks_dataset.Identifier(self._jobs, row.source, "TABLE")
        return {"schema": _schema_of_feed(row.feed), "symlinks": symlinks_dataset.SymlinksDatasetFacet([of])}

    def _input(self, row: Any) -> InputDataset:
        verdicts = [
            data_quality_assertions_dataset.Assertion(
                assertion=verdict["rule"],
                success=verdict["success"],
                severity=SEVERITIES[verdict["severity"]],
                actual=None if verdict["rows"] is None else str(verdict["rows"]),
            )
            for verdict in row.verdicts
        ]
        found: dict[str, Any] = {
            "inputStatistics": input_statistics_input_dataset.InputStatisticsInputDatasetFacet(rowCount=row.rows_received, fileCount=1),
            "dataQualityAssertions": data_quality_assertions_dataset.DataQualityAssertionsDatasetFacet(verdicts),
        }
        return InputDataset(self._jobs, _name(row), inputFacets=found, facets=self._delivery(row))


def _named(night: UUID, step: Step | None) -> UUID:
    return night if step is None else uuid5(night, step)


def _name(row: Any) -> str:
    return f"{row.source}/{row.sha256}"


def _field(namespace: str, name: str, origin: Origin) -> column_lineage_dataset.InputField:
    how = column_lineage_dataset.Transformation(
        type="DIRECT" if origin.how in DIRECT else "INDIRECT", subtype=origin.how, description=origin.words, masking=origin.is_masked
    )
    return column_lineage_dataset.InputField(namespace, name, origin.column, [how])


def _schema_of_feed(feed: str) -> schema_dataset.SchemaDatasetFacet:
    """The columns of the contract; of what is dropped or hashed, that it is."""
    columns = contract(feed).columns.items()
    return schema_dataset.SchemaDatasetFacet(
        [schema_dataset.SchemaDatasetFacetFields(name, column.type, column.description) for name, column in columns]
    )


def _schema_of_table(table: str) -> schema_dataset.SchemaDatasetFacet:
    return schema_dataset.SchemaDatasetFacet(
        [
            schema_dataset.SchemaDatasetFacetFields(column.name, str(column.type.compile()), column.comment)
            for column in metadata.tables[table].columns
        ]
    )
