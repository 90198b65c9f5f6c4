"""One row per survey, wave, unit and question."""

from sqlalchemy import Column, Date, ForeignKey, Integer, Table, Text

from warehouse.tables.base import WAREHOUSE, history, history_indexes, metadata, provenance

fact_survey = Table(
    "fact_survey",
    metadata,
    Column("survey_code", Text, nullable=False, comment="Survey"),
    Column("wave", Text, nullable=False, comment="Wave of the survey"),
    Column("unit_key", Integer, ForeignKey("warehouse.dim_unit.unit_key"), nullable=False, comment="Administrative unit surveyed"),
    Column("question_code", Text, nullable=False, comment="Question, which is the code of the indicator it measures"),
    Column("asked_on", Date, nullable=False, comment="Day of the survey"),
    Column("respondents", Integer, nullable=False, comment="Valid answers"),
    Column("positive_answers", Integer, nullable=False, comment="Positive answers"),
    *history(),
    *provenance(),
    *history_indexes("fact_survey"),
    schema=WAREHOUSE,
    comment="One row per survey, wave, unit and question.",
)
