"""One row per supplier of data: utilities, payment providers, telecoms, offices."""

from sqlalchemy import Column, Identity, SmallInteger, Table, Text

from warehouse.tables.base import WAREHOUSE, metadata

dim_provider = Table(
    "dim_provider",
    metadata,
    Column("provider_key", SmallInteger, Identity(), primary_key=True, comment="Surrogate key; 0 is the unknown provider"),
    Column("provider_code", Text, nullable=False, unique=True, comment="Code used in sources.yaml, as evn"),
    Column("provider_name", Text, nullable=False, comment="Name in Vietnamese"),
    schema=WAREHOUSE,
    comment="One row per supplier of data: utilities, payment providers, telecoms, offices.",
)
