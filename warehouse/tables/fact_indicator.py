"""One row per indicator, unit, period and revision."""

from sqlalchemy import ARRAY, BigInteger, Column, Index, Integer, Numeric, SmallInteger, String, Table, Text, text

from warehouse.tables.base import WAREHOUSE, metadata, revised

fact_indicator = Table(
    "fact_indicator",
    metadata,
    Column("indicator_key", SmallInteger, primary_key=True, comment="Version of the indicator (dim_indicator)"),
    Column("unit_key", Integer, primary_key=True, comment="Administrative unit (dim_unit)"),
    Column("period", Text, primary_key=True, comment="2024, 2024-Q1 or 2024-03"),
    Column("revision", SmallInteger, primary_key=True, comment="1 for the first published, then 2, 3 … in the order of publication"),
    Column("numerator", BigInteger, comment="Numerator; empty where not collected or not applicable"),
    Column("denominator", BigInteger, comment="Denominator; empty where not collected or not applicable"),
    Column("value", Numeric, comment="The rate in its unit, rounded half up once at the printed decimals"),
    Column(
        "obs_status",
        String(1),
        nullable=False,
        comment="SDMX: A normal, P provisional, B break in series, L not collected, M cannot exist, Q suppressed",
    ),
    Column(
        "obs_reason",
        Text,
        comment="Why there is no value: not_applicable or no_cases (0 of 0) beside M; held_back beside L where the audit let it not pass "
        "(ops.held_back). Why it stays provisional, beside P: stands_in where another count stands in, lists_missing where "
        "providers_missing name nobody. Else, of a value: mixed_keys where persons were counted under several keys, so that one may count "
        "twice",
    ),
    Column(
        "key_numbers",
        ARRAY(SmallInteger),
        comment="Numbers of the keys under which persons were counted, where these are several (ops.pseudonym_key)",
    ),
    Column(
        "units_counted",
        Integer,
        comment="Above the commune: of the communes that must send it, how many the value rests on; empty for a commune and in a survey",
    ),
    Column("units_expected", Integer, comment="How many must send it"),
    Column(
        "providers_missing",
        ARRAY(SmallInteger),
        comment="Providers that report counts of what is counted here by the person, and list no persons (dim_provider)",
    ),
    *revised(),
    Index("ux_fact_indicator_current", "period", "indicator_key", "unit_key", unique=True, postgresql_where=text("known_to = 'infinity'")),
    schema=WAREHOUSE,
    comment="One row per indicator, unit, period and revision.",
)
