"""`ops.installation`: what the owner's last upgrade left to be known of the warehouse as a whole, item by item."""

from __future__ import annotations

import json
from collections.abc import Mapping

from sqlalchemy import Connection, text


def installed(connection: Connection) -> dict[str, str]:
    """Item → value, of all items."""
    return {row.item: row.value for row in connection.execute(text("SELECT item, value FROM ops.installation"))}


def install(connection: Connection, items: Mapping[str, str]) -> None:
    """Notes items; what they say already stays untouched."""
    connection.execute(
        text(
            "INSERT INTO ops.installation AS known (item, value) SELECT * FROM json_each_text(CAST(:items AS json)) "
            "ON CONFLICT (item) DO UPDATE SET value = excluded.value, changed_at = now() WHERE known.value <> excluded.value"
        ),
        {"items": json.dumps(items)},
    )
