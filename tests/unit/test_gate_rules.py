"""The gate's checks are declared so that a steward can read them, and a mistake in them is told."""

from datetime import date

import pytest
from pydantic import ValidationError

from warehouse.gate import THRESHOLDS, Check, gate


def test_every_kind_of_check_holds_today_once() -> None:
    today = gate().on(date(2026, 11, 27))
    assert set(today) == set(THRESHOLDS)
    assert len({check.code for check in gate().checks}) == len(gate().checks)


def test_a_check_holds_between_its_days() -> None:
    first = gate().checks[0]
    assert first.check not in gate().on(date(2023, 12, 31))


@pytest.mark.parametrize("thresholds", [{}, {"at_least": 50, "times": 3, "tiems": 2}])
def test_a_misspelt_or_missing_threshold_is_refused(thresholds: dict[str, float]) -> None:
    with pytest.raises(ValidationError, match="is told"):
        Check(code="GAT-006", check="size", title="x", message="x", valid_from=date(2024, 1, 1), thresholds=thresholds)
