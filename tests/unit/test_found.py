"""Faults are told in short: which rule, which column, how many rows, which were the first."""

from __future__ import annotations

import pyarrow as pa

from expectations.contract import contract
from tasks.read.file import FAULTS
from tasks.validate.checks import RuleResult
from tasks.validate.found import KEPT, Found, with_faults
from tasks.words.vietnamese import MESSAGE


def faults(code: str, column: str, numbers: range) -> pa.Table:
    rows = [{"row_number": number, "rule_code": code, "column_name": column} for number in numbers]
    return pa.Table.from_pylist([{**dict.fromkeys(FAULTS.names), **row} for row in rows], schema=FAULTS)


def broken(code: str, rows: int, words: str) -> RuleResult:
    return RuleResult(code, "critical", "row", False, words, rows)


def test_all_rows_are_counted_and_only_the_first_kept_however_many_chunks_there_are() -> None:
    found = Found(contract("bills"))
    for first in range(2, 5_002, 1_000):
        found.add(
            pa.concat_tables([faults("STR-010", "NGAY_PHANH", range(first, first + 1_000)), faults("STR-011", "TONG_TIEN", range(3, 5))])
        )
    assert found.first.num_rows == KEPT + 2 * 5
    assert found.told()["STR-010"].endswith(
        'cột "NGAY_PHANH" không đúng dạng (ngày, số hoặc mã) đã thống nhất: 5.000 dòng (dòng 2, 3, 4, 5, 6, …)'
    )


def test_a_rule_that_two_columns_break_names_both_the_worse_one_first() -> None:
    found = Found(contract("bills"))
    found.add(pa.concat_tables([faults("STR-011", "A", range(9, 10)), faults("STR-011", "B", range(2, 4))]))
    assert found.told() == {
        "STR-011": 'Cột "B" bắt buộc nhưng để trống: 2 dòng (dòng 2, 3); Cột "A" bắt buộc nhưng để trống: 1 dòng (dòng 9)'
    }


def test_a_message_names_the_worst_faults_first_and_stays_one_bounded_line() -> None:
    told = with_faults("Tệp bị từ chối.\nGửi lại.", [broken("STR-010", 1, "ít"), broken("STR-011", 5, "nhiều"), broken("STR-012", 0, "")])
    assert told == "Tệp bị từ chối. Gửi lại. Lỗi đã thấy: STR-011 – nhiều; STR-010 – ít."
    long = with_faults("dài " * 500, [broken(f"STR-{number:03}", number, "lỗi " * 20) for number in range(20)])
    assert len(long) <= MESSAGE
    assert long.endswith("quy tắc khác.")
    assert with_faults("Tệp rỗng.", []) == "Tệp rỗng."
