"""One row per indicator, unit of today, period before it was whole, and revision: the value as if the unit had always been there."""

from sqlalchemy import ARRAY, BigInteger, Column, Index, Integer, Numeric, SmallInteger, String, Table, Text, text

from warehouse.tables.base import WAREHOUSE, metadata, revised

fact_indicator_restated = Table(
    "fact_indicator_restated",
    metadata,
    Column("indicator_key", SmallInteger, primary_key=True, comment="Version of the indicator (dim_indicator)"),
    Column("unit_key", Integer, primary_key=True, comment="Administrative unit of today (dim_unit)"),
    Column("period", Text, primary_key=True, comment="2024, 2024-Q1 or 2024-03; it begins before the unit does"),
    Column("revision", SmallInteger, primary_key=True, comment="1 for the first published, then 2, 3 … in the order of publication"),
    Column("numerator", BigInteger, comment="Numerator; empty where it cannot be told for the unit"),
    Column("denominator", BigInteger, comment="Denominator; empty where it cannot be told for the unit"),
    Column("value", Numeric, comment="The rate in its unit, rounded half up once at the printed decimals"),
    Column(
        "obs_status",
        String(1),
        nullable=False,
        comment="SDMX: A normal, P provisional, B break in series, L not collected, M not applicable, Q suppressed",
    ),
    Column(
        "obs_reason",
        Text,
        comment="part_of_predecessor: a unit of then went into it only in part; predecessor_missing: of one of them there is no value; "
        "else as in fact_indicator",
    ),
    Column(
        "key_numbers",
        ARRAY(SmallInteger),
        comment="Numbers of the keys under which persons were counted, where these are several (ops.pseudonym_key)",
    ),
    Column("units_counted", SmallInteger, nullable=False, comment="Units of then, and itself where it had begun, of which it is made up"),
    Column("units_all", SmallInteger, nullable=False, comment="Units of which it should be made up"),
    Column("units_missing", ARRAY(Integer), comment="Keys of the units that obs_reason speaks of"),
    *revised(),
    Index(
        "ux_fact_indicator_restated_current",
        "period",
        "indicator_key",
        "unit_key",
        unique=True,
        postgresql_where=text("known_to = 'infinity'"),
    ),
    schema=WAREHOUSE,
    comment="One row per indicator, unit of today, period before it was whole, and revision: as if the unit had always been there.",
)
