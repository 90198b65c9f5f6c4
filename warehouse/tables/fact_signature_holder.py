"""One row per carrier and holder of a digital signature."""

from sqlalchemy import Column, Date, Integer, SmallInteger, Table, Text, Uuid

from warehouse.tables.base import WAREHOUSE, history, history_indexes, metadata, provenance, pseudonymised

fact_signature_holder = Table(
    "fact_signature_holder",
    metadata,
    Column("provider_key", SmallInteger, nullable=False, comment="Carrier (dim_provider)"),
    Column(
        "holder_hash",
        Uuid,
        nullable=False,
        comment="Holder: first 128 bits of a keyed HMAC-SHA-256; the same person has the same hash at every carrier",
    ),
    Column("unit_key", Integer, nullable=False, comment="Administrative unit (dim_unit)"),
    Column("issued_on", Date, nullable=False, comment="Day of issue"),
    Column("certificate_status", Text, nullable=False, comment="HIEU_LUC, HET_HAN or THU_HOI"),
    Column("expires_on", Date, comment="Last day on which the certificate is valid; empty where the list does not say it"),
    Column(
        "adult_from",
        Date,
        comment="Day from which the holder is known to be of age (18): the day of issue, or the first of the month of that birthday where "
        "it comes later; empty where the list states no age",
    ),
    pseudonymised(),
    *history(),
    *provenance(),
    *history_indexes("fact_signature_holder"),
    schema=WAREHOUSE,
    comment="One row per carrier and holder of a digital signature.",
)
