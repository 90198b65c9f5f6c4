"""`python -m warehouse.migrations "Why"`: writes the step from the last migration to what warehouse/tables/ declares now."""

import sys
import tempfile
from pathlib import Path

from warehouse.database import connect, upgrade
from warehouse.embedded import serve
from warehouse.migrations.steps import newest_revision, run_alembic


def write_step(why: str) -> None:
    """Compares a fresh warehouse with the tables and writes the difference as the next numbered file, to be read by hand."""
    with tempfile.TemporaryDirectory() as home, serve(Path(home)) as server:
        engine = connect(server.url("owner", "postgres"))
        upgrade(engine)
        with engine.connect() as connection:
            run_alembic(connection, "revision", message=why, autogenerate=True, rev_id=f"{int(newest_revision()) + 1:04}")
        engine.dispose()


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    write_step(sys.argv[1])
