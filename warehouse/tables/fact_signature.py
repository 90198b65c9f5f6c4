"""One row per provider, unit and month: digital-signature certificates as the carrier reports them."""

from sqlalchemy import Column, ForeignKey, Integer, SmallInteger, Table, Text

from warehouse.tables.base import WAREHOUSE, history, history_indexes, metadata, provenance

fact_signature = Table(
    "fact_signature",
    metadata,
    Column("provider_key", SmallInteger, ForeignKey("warehouse.dim_provider.provider_key"), nullable=False, comment="Carrier"),
    Column("unit_key", Integer, ForeignKey("warehouse.dim_unit.unit_key"), nullable=False, comment="Administrative unit"),
    Column("month", Text, nullable=False, comment="Month, as 2024-03"),
    Column("certificates_issued", Integer, comment="Certificates newly issued in the month"),
    Column("certificates_in_force", Integer, comment="Certificates in force at the end of the month"),
    Column("holders_cumulative", Integer, comment="Persons issued a certificate so far"),
    *history(),
    *provenance(),
    *history_indexes("fact_signature"),
    schema=WAREHOUSE,
    comment="One row per provider, unit and month: digital-signature certificates as the carrier reports them.",
)
