"""One row per indicator, unit and period of a signed edition, as a province published it."""

from sqlalchemy import BigInteger, Column, Date, ForeignKey, Index, Integer, Numeric, SmallInteger, String, Table, Text, text

from warehouse.tables.base import WAREHOUSE, big, history, history_indexes, metadata, provenance

fact_edition = Table(
    "fact_edition",
    metadata,
    Column("unit_key", Integer, ForeignKey("warehouse.dim_unit.unit_key"), nullable=False, comment="Administrative unit"),
    Column("indicator_code", Text, nullable=False, comment="Code of the indicator"),
    Column("definition_version", SmallInteger, nullable=False, comment="Version of its definition by which the value was counted"),
    Column("period", Text, nullable=False, comment="2024, 2024-Q1 or 2024-03"),
    Column("first_day", Date, nullable=False, comment="First day of the period on which the unit was there"),
    Column("numerator", BigInteger, comment="Numerator; empty where there is none, or it is withheld"),
    Column("denominator", BigInteger, comment="Denominator; empty where there is none, or it is withheld"),
    Column("value", Numeric(18, 4), comment="The rate in its unit as it was published; empty where there is none, or it is withheld"),
    Column("obs_status", String(1), nullable=False, comment="SDMX: A normal, P provisional, B break in series, L, M missing, Q suppressed"),
    Column("obs_reason", Text, comment="Why the status is that one, as in fact_indicator or where a value is withheld"),
    Column("conf_status", String(1), comment="SDMX: F free, A of few persons, D so that another is not given away"),
    Column("units_counted", Integer, comment="Above the commune: of the communes that must send it, how many the value rests on"),
    Column("units_expected", Integer, comment="How many must send it"),
    *history(),
    *provenance(),
    *history_indexes("fact_edition"),
    *big("fact_edition"),
    Index("ix_fact_edition_period", "period", postgresql_where=text("known_to = 'infinity'")),
    schema=WAREHOUSE,
    comment="One row per indicator, unit and period of a signed edition, as a province published it.",
)
