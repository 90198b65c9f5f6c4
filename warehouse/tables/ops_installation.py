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
        comment="views, views as declared: hash of the views as applied, without and with what YAML declares; each view: hash of each; "
        "grants, grants as declared: what the roles may do since the last upgrade, hash of grants.sql; reference: hash of the reference "
        "data; reporting_calendar and a form: calendar of the periods it shows",
    ),
    Column("value", Text, nullable=False, comment="Its value"),
    Column("changed_at", DateTime(timezone=True), nullable=False, server_default=func.now(), comment="When it was last set"),
    schema=OPS,
    comment="One row per fact this installation keeps about itself.",
)
