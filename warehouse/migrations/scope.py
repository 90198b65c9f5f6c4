"""What of a database the migrations are about: our schemas, without what is made while loading."""

from collections.abc import MutableMapping

from warehouse.tables import MART, OPS, STAGING, WAREHOUSE

SCHEMAS = (STAGING, WAREHOUSE, MART, OPS)


def in_scope(name: str | None, kind: str, parents: MutableMapping[str, str | None]) -> bool:
    """Tells Alembic whether to compare a thing of the database; partitions of payments come and go with their months."""
    if kind == "schema":
        return name in (WAREHOUSE, OPS)
    if kind == "table":
        return parents.get("schema_name") in (WAREHOUSE, OPS) and not (name or "").startswith("fact_payment_")
    return True
