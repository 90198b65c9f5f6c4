"""One row per department of the national portal, of any province."""

from sqlalchemy import Column, ForeignKey, Identity, Integer, Table, Text

from warehouse.tables.base import WAREHOUSE, metadata

dim_department = Table(
    "dim_department",
    metadata,
    Column("department_key", Integer, Identity(), primary_key=True, comment="Surrogate key; 0 is the unknown department"),
    Column("department_id", Text, nullable=False, unique=True, comment="The portal's identifier; two of its answers carry nothing else"),
    Column(
        "agency_key",
        Integer,
        ForeignKey("warehouse.dim_agency.agency_key"),
        nullable=False,
        comment="Agency; 0 until an answer has brought the department's code",
    ),
    Column(
        "department_name",
        Text,
        nullable=False,
        comment="Name as the portal writes it; letter case varies from answer to answer, so it is no key",
    ),
    Column("department_level", Text, nullable=False, comment="province: the province itself; body: provincial body; commune; unknown"),
    schema=WAREHOUSE,
    comment="One row per department of the national portal, of any province.",
)
