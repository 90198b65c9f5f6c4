"""One row per value or form that the audit held back, from the run that held it to the one that let it go."""

from sqlalchemy import Column, ForeignKey, Identity, Index, Integer, Table, Text, text

from warehouse.tables.base import OPS, metadata

held_back = Table(
    "held_back",
    metadata,
    Column("held_back_id", Integer, Identity(), primary_key=True, comment="Surrogate key"),
    Column("held_by", Integer, ForeignKey("ops.run.run_id"), nullable=False, comment="Run that held it back (ops.run)"),
    Column(
        "released_by",
        Integer,
        ForeignKey("ops.run.run_id"),
        comment="Run that found it right, or no longer there (ops.run); empty while it is held back",
    ),
    Column("indicator_code", Text, nullable=False, comment="Code of the indicator; 06a for form II.06a"),
    Column("unit_key", Integer, nullable=False, comment="Administrative unit (dim_unit)"),
    Column("period", Text, nullable=False, comment="2024, 2024-Q1 or 2024-03"),
    Column("reason_vi", Text, nullable=False, comment="What cannot be right, in Vietnamese"),
    Index("ux_held_back_current", "indicator_code", "unit_key", "period", unique=True, postgresql_where=text("released_by IS NULL")),
    schema=OPS,
    comment="One row per value or form that the audit held back, from the run that held it to the one that let it go.",
)
