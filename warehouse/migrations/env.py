"""Alembic's entry: runs on the connection, and so in the transaction, that `warehouse.database` hands over."""

from alembic import context

from warehouse.migrations.scope import in_scope
from warehouse.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    include_schemas=True,
    include_name=in_scope,
    compare_server_default=True,
)
with context.begin_transaction():
    context.run_migrations()
