"""One row per unit, procedure, month received and day of falling late: counts of dossiers for the score of decision 766."""

from sqlalchemy import ARRAY, Column, Date, Integer, Table

from warehouse.tables.base import WAREHOUSE, metadata

agg_score_766 = Table(
    "agg_score_766",
    metadata,
    Column("rules_from", Date, primary_key=True, comment="Day from which the rules hold that it was counted by"),
    Column("unit_key", Integer, primary_key=True, comment="Unit that handles the dossiers"),
    Column("procedure_no", Integer, primary_key=True, comment="Lowest key of all versions of the procedure, which counts once"),
    Column(
        "received",
        Date,
        primary_key=True,
        comment="First of the month the dossiers were received in; the day itself where it lay ahead when it became known",
    ),
    Column(
        "late_from",
        Date,
        primary_key=True,
        comment="Day from which unfinished dossiers are late, by month once it is past; infinity for all others",
    ),
    Column("dossiers", Integer, nullable=False, comment="All dossiers"),
    Column("counts", ARRAY(Integer), nullable=False, comment="Dossiers by measure of the rules, in their order"),
    schema=WAREHOUSE,
    comment="One row per unit, procedure, month received and day of falling late: counts of dossiers for the score of decision 766.",
)
