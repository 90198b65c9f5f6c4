"""A delivery is judged once, from its row of ops.delivery, in words that every page has."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from tasks.deliveries.judgement import TONES, WORST_FIRST, judgement
from tasks.words.vietnamese import JUDGEMENT

CASES: dict[str, tuple[dict[str, Any], str]] = {
    "refused whole": ({"status": "rejected", "verdict": "reject", "rows_quarantined": 129}, "rejected"),
    "refused before a row was read": ({"status": "rejected", "verdict": "reject"}, "rejected"),
    "all 384 rows set aside": ({"verdict": "accept_with_flags", "rows_quarantined": 384}, "set_aside"),
    "all set aside but a line of totals": ({"verdict": "accept_with_flags", "rows_quarantined": 384, "rows_ignored": 1}, "set_aside"),
    "one row of 384 set aside": ({"verdict": "accept_with_flags", "rows_loaded": 383, "rows_quarantined": 1}, "flagged"),
    "what is not set aside was known": ({"verdict": "accept_with_flags", "rows_unchanged": 383, "rows_quarantined": 1}, "flagged"),
    "a warning": ({"verdict": "accept_with_flags", "rows_loaded": 384}, "flagged"),
    "nothing wrong": ({"verdict": "accept", "rows_loaded": 384}, "passed"),
    "nothing wrong and nothing new": ({"verdict": "accept", "rows_unchanged": 384}, "passed"),
    "nothing in it": ({"verdict": "accept"}, "passed"),
    "nothing wrong and corrected since": ({"status": "superseded", "verdict": "accept", "rows_loaded": 384}, "passed"),
    "not looked at yet": ({"status": "landed", "verdict": None, "rows_loaded": None}, "waiting"),
    "to be read again": ({"status": "landed", "verdict": "accept", "rows_loaded": 384}, "waiting"),
}


@pytest.mark.parametrize("case", CASES)
def test_what_became_of_a_delivery_is_one_word(case: str) -> None:
    told, expected = CASES[case]
    row = {"status": "loaded", "rows_loaded": 0, "rows_unchanged": 0, "rows_quarantined": 0, "rows_ignored": 0} | told
    assert judgement(SimpleNamespace(**row)) == expected


def test_each_has_its_words_its_colour_and_its_place() -> None:
    assert [(JUDGEMENT[one], TONES[one]) for one in WORST_FIRST] == [
        ("từ chối", "bad"),
        ("để riêng tất cả", "bad"),
        ("có cảnh báo", "warn"),
        ("đạt", "good"),
        ("chờ nạp", "soft"),
    ]
