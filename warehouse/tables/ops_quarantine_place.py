"""One row per row set aside and thing that would happen by it: to which unit and days it would count, as far as its own cells say."""

from sqlalchemy import BigInteger, Column, Date, ForeignKey, Integer, Table, Text

from warehouse.tables.base import OPS, ROW_NUMBER, metadata

quarantine_place = Table(
    "quarantine_place",
    metadata,
    Column("delivery_id", Integer, ForeignKey("ops.delivery.delivery_id"), primary_key=True, comment="Delivery"),
    Column("row_number", Integer, primary_key=True, comment=ROW_NUMBER),
    Column(
        "happens",
        Text,
        primary_key=True,
        comment="What would happen, as the days of a fact are called: received, ended, billed, paid, counted, reported, issued, asked",
    ),
    Column("unit_key", Integer, comment="Administrative unit (dim_unit) it would count for; empty where it is not known"),
    Column("first_day", Date, comment="First day on which it may have happened; empty where that is not known"),
    Column("last_day", Date, comment="Last day on which it may have happened"),
    Column(
        "row_key",
        BigInteger,
        comment="row_key of the case it tells of in its fact, of a payment that of its bill; empty where none is known",
    ),
    Column("about", Text, comment="Service or measure it tells of; empty where its feed does not tell several apart, or that is not known"),
    schema=OPS,
    comment="One row per row set aside and thing that would happen by it: to which unit and days it would count, as far as its own cells say.",
)
