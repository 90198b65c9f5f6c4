"""One row per fact this installation keeps about itself."""

from sqlalchemy import Column, DateTime, Table, Text, func

from warehouse.tables.base import OPS, metadata

installation = Table(
    "installation",
    metadata,
    Column(
        "item",
        Text,
        primary_key=True,
        comment="views, views as declared: hash of the views as applied, without and with what YAML declares; reporting_calendar and a form: "
        "calendar of the periods it shows",
    ),
    Column("value", Text, nullable=False, comment="Its value"),
    Column("changed_at", DateTime(timezone=True), nullable=False, server_default=func.now(), comment="When it was last set"),
    schema=OPS,
    comment="One row per fact this installation keeps about itself.",
)
