"""How the command line answers a program that asks with `--json`: one JSON document on stdout, and nothing else there."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Row

from warehouse.periods import VIETNAM


def answer(**parts: Any) -> None:
    """Prints what was found under the names of its fields: days and times as ISO 8601, decimals as numbers, what is not there as null."""
    json.dump(_as_json(parts), sys.stdout, ensure_ascii=False, indent=2)
    sys.stdout.write("\n")


def _as_json(value: Any) -> Any:
    if isinstance(value, Row):
        return _as_json(value._mapping)
    if is_dataclass(value) and not isinstance(value, type):
        return {one.name: _as_json(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, Mapping):
        return {name: _as_json(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_as_json(one) for one in value]
    if isinstance(value, datetime):
        return value.astimezone(VIETNAM).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    return float(value) if isinstance(value, Decimal) else value
