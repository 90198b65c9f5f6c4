"""What of a database the migrations are about: our schemas, without what is made while loading."""

from collections.abc import MutableMapping
from typing import Literal

from warehouse.tables import MART, OPS, STAGING, STAR, WAREHOUSE

# Alembic's own words for them, which it exports under no name.
Kind = Literal["schema", "table", "column", "index", "unique_constraint", "foreign_key_constraint", "check_constraint"]
Parent = Literal["schema_name", "table_name", "schema_qualified_table_name"]

SCHEMAS = (STAGING, WAREHOUSE, MART, STAR, OPS)


def in_scope(name: str | None, kind: Kind, parents: MutableMapping[Parent, str | None]) -> bool:
    """Tells Alembic whether to compare a thing of the database; partitions of payments come and go with their months."""
    if kind == "schema":
        return name in (WAREHOUSE, OPS)
    if kind == "table":
        return parents.get("schema_name") in (WAREHOUSE, OPS) and not (name or "").startswith("fact_payment_")
    return True
