"""Where the Data Docs of a delivery lie."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, text

from tasks.ask.problems import NIGHTS
from tasks.words.vietnamese import VIETNAM


def docs_of(connection: Connection, deliveries: Sequence[int]) -> dict[int, str]:
    """Delivery → its page among the Data Docs of the night that took it, relative to the edition; whether it is kept is another matter."""
    rows = connection.execute(
        text(
            f"SELECT d.delivery_id, n.started_at FROM ops.delivery d JOIN ({NIGHTS}) n "
            "ON d.loaded_at >= n.started_at AND d.loaded_at < n.until WHERE d.delivery_id = ANY(:deliveries)"
        ),
        {"deliveries": list(deliveries)},
    )
    return {row.delivery_id: f"data_docs/{row.started_at.astimezone(VIETNAM):%Y-%m-%d-%H%M%S}/{row.delivery_id}.html" for row in rows}
