"""One row per publication: of indicators, of form 06a, of the scores of decision 766."""

from typing import Any

from sqlalchemy import Column, DateTime, ForeignKey, Identity, Integer, Table, text

from warehouse.tables.base import OPS, metadata


def _counted(name: str, comment: str) -> Column[Any]:
    return Column(name, Integer, nullable=False, server_default=text("0"), comment=comment)


publication = Table(
    "publication",
    metadata,
    Column("publication_id", Integer, Identity(), primary_key=True, comment="Number of the publication"),
    Column("run_id", Integer, ForeignKey("ops.run.run_id"), nullable=False, comment="Run that published"),
    Column("published_at", DateTime(timezone=True), nullable=False, comment="Time of the commit"),
    Column("load_id", Integer, nullable=False, comment="Last load whose states it counts (ops.load); 0 where there was none"),
    Column(
        "as_of",
        DateTime(timezone=True),
        nullable=False,
        comment="State of knowledge it shows; earlier than that of one before where it only adds what would have been published then",
    ),
    _counted("values_added", "Values of indicators: first revisions"),
    _counted("values_revised", "Values of indicators that take the place of another one"),
    _counted("values_ended", "Values of indicators that are published no more"),
    _counted("lines_added", "Lines of form 06a and scores of decision 766: first revisions"),
    _counted("lines_revised", "Lines and scores that take the place of another one"),
    _counted("lines_ended", "Lines and scores that are published no more"),
    schema=OPS,
    comment="One row per publication: of indicators, of form 06a, of the scores of decision 766.",
)
