"""One row per provider, unit and month: digital-signature certificates as the carrier reports them."""

from sqlalchemy import Column, ForeignKey, Index, Integer, SmallInteger, Table, Text, text

from warehouse.tables.base import WAREHOUSE, history, metadata, provenance

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
    Index("ux_fact_signature_current", "row_key", unique=True, postgresql_where=text("known_to = 'infinity'")),
    schema=WAREHOUSE,
    comment="One row per provider, unit and month: digital-signature certificates as the carrier reports them.",
)
