"""A published value, for tests to change."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from tasks.ask.official_table import Line

LINE = Line(
    indicator_code="ND3",
    indicator_name="Định danh điện tử",
    official_table="Chỉ tiêu xã hội số",
    pillar="xa_hoi_so",
    unit_code="01234",
    unit_name="Xã Thử",
    unit_level="commune",
    period="2024",
    numerator=4795,
    denominator=5205,
    value=Decimal("92.1"),
    decimals=1,
    unit_measure="PERCENT",
    target=Decimal(80),
    is_met=True,
    obs_status="A",
    obs_reason=None,
    revision=1,
    definition="Người được cấp / dân số",
    legal_source="Mô hình",
    first_day=date(2024, 1, 1),
    last_day=date(2024, 12, 31),
)
