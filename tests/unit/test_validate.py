"""What becomes of a delivery's rows when its contract's rules are checked."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from expectations.contract import ROW_NUMBER, Contract, Rule, contract
from tasks.read.file import FAULTS, Chunk, Rejected
from tasks.read.rows import Account
from tasks.validate import suite as module
from tasks.validate.checks import Checked, Opened, RuleResult, check_together, merged, validate
from tasks.validate.found import KEPT
from tasks.validate.suite import CheckBroken

SURVEY = {
    "survey_code": "KS3K",
    "wave": "1",
    "unit_code": "15655",
    "question_code": "K1b",
    "asked_on": date(2024, 3, 1),
    "respondents": 400,
    "positive_answers": 140,
}
SIGNATURE = {"unit_code": "15655", "month": "2024-03", "certificates_issued": 10, "certificates_in_force": 100}
EXPORTED = datetime(2024, 3, 31, 23, 59, 59, tzinfo=UTC)


def surveys(*changes: dict[str, Any], first: int = 1) -> pa.Table:
    return table(contract("surveys"), [{**SURVEY, "wave": str(number), **change} for number, change in enumerate(changes, first)], first)


def table(terms: Contract, rows: list[dict[str, Any]], first: int = 1) -> pa.Table:
    return pa.Table.from_pylist([{ROW_NUMBER: number, **row} for number, row in enumerate(rows, first)], schema=terms.schema)


def chunk(rows: pa.Table, /, ignored: int = 0, unreadable: tuple[int, ...] = (), **controls: int) -> Chunk:
    faults = [{"row_number": number, "rule_code": "STR-010", "column_name": "respondents"} for number in unreadable]
    return Chunk(rows, pa.Table.from_pylist(faults, schema=FAULTS), ignored, rows.num_rows + len(set(unreadable)) + ignored, controls)


def checked(*chunks: Chunk, feed: str = "surveys", **more: Any) -> list[Checked]:
    layout = next(iter(contract(feed).layouts))
    return list(validate(chunks, contract(feed), layout, "tệp.csv", exported_at=EXPORTED, **more))


def accepted(parts: list[Checked]) -> list[int]:
    return [number for part in parts for number in part.table[ROW_NUMBER].to_pylist()]


def faults(parts: list[Checked]) -> list[tuple[int, str]]:
    return [(row["row_number"], row["rule_code"]) for part in parts for row in part.faults.to_pylist()]


def results(parts: list[Checked]) -> dict[str, RuleResult]:
    return {result.rule_code: result for result in merged(result for part in parts for result in part.results)}


def test_good_rows_are_all_accepted() -> None:
    parts = checked(chunk(surveys({}, {}, {})))
    assert (accepted(parts), faults(parts)) == ([1, 2, 3], [])
    assert all(result.success for result in results(parts).values())


def test_what_the_reader_only_flags_is_counted_as_a_warning() -> None:
    parts = checked(replace(chunk(surveys({}, {}, {})), warned={"STR-037": [2, 3]}))
    assert results(parts)["STR-037"] == RuleResult("STR-037", "warning", "row", False, "2 dòng (dòng 2, 3)", 2)
    assert accepted(parts) == [1, 2, 3]


def test_a_row_that_breaks_a_critical_rule_is_set_aside_with_its_number_the_files_header_and_its_key() -> None:
    parts = checked(chunk(surveys({}, {"asked_on": date(2030, 1, 1)}, {})))
    assert accepted(parts) == [1, 3]
    [fault] = parts[0].faults.to_pylist()
    assert fault == {
        "row_number": 2,
        "rule_code": "SUR-005",
        "column_name": "asked_at",
        "natural_key": "KS3K|2|15655|K1b",
        "awaited_key": None,
    }
    told = 'Ngày khảo sát ở cột "asked_at" sau ngày xuất dữ liệu: 1 dòng (dòng 2)'
    assert results(parts)["SUR-005"] == RuleResult("SUR-005", "critical", "row", False, told, 1)


def test_a_row_that_breaks_two_rules_is_set_aside_once_for_both_reasons() -> None:
    parts = checked(chunk(surveys({"respondents": 0, "positive_answers": 1})))
    assert sorted(faults(parts)) == [(1, "SUR-002"), (1, "SUR-003")]
    assert accepted(parts) == []


def test_a_row_that_breaks_only_a_warning_is_accepted_and_counted() -> None:
    terms = contract("procedures")
    row = {"procedure_code": "chua-ro", "procedure_name": "Tên", "valid_from": date(2024, 1, 1)}
    parts = list(validate([chunk(table(terms, [row]))], terms, "procedures_csv", "tệp.csv"))
    assert (accepted(parts), faults(parts)) == ([1], [])
    assert results(parts)["PRO-002"] == RuleResult("PRO-002", "warning", "row", False, "1 dòng (dòng 1)", 1)


def test_the_first_rows_that_break_a_warning_are_told_whatever_chunk_they_come_in() -> None:
    terms = contract("procedures")
    rows = [{"procedure_code": f"chua-ro-{n}", "procedure_name": "Tên", "valid_from": date(2024, 1, 1)} for n in range(9)]
    whole = table(terms, rows)
    parts = list(validate(map(chunk, (whole[:2], whole[2:4], whole[4:])), terms, "procedures_csv", "tệp.csv"))
    assert results(parts)["PRO-002"].observed == "9 dòng (dòng 1, 2, 3, 4, 5, …)"


def test_what_the_reader_set_aside_stays_set_aside() -> None:
    parts = checked(chunk(surveys({}, {}), unreadable=(3,)))
    assert (accepted(parts), faults(parts)) == ([1, 2], [(3, "STR-010")])
    assert results(parts)["STR-010"].unexpected_count == 1
    assert results(parts)["STR-011"].success


def test_a_chunk_of_which_no_row_could_be_read_is_no_success_and_no_error() -> None:
    parts = checked(chunk(surveys(), unreadable=(1, 2)))
    assert (accepted(parts), len(faults(parts))) == ([], 2)


def test_without_a_time_of_export_no_date_is_in_the_future() -> None:
    parts = list(validate([chunk(surveys({"asked_on": date(2030, 1, 1)}))], contract("surveys"), "surveys_csv", "tệp.csv"))
    assert accepted(parts) == [1]


# -- duplicates


def test_a_row_repeated_word_for_word_is_kept_once_and_ignored_after() -> None:
    parts = checked(chunk(surveys({"wave": "1"}, {"wave": "1"}, {"wave": "1"})))
    assert (accepted(parts), faults(parts), parts[0].ignored) == ([1], [], 2)


def test_a_row_that_contradicts_an_earlier_one_is_set_aside() -> None:
    parts = checked(chunk(surveys({"wave": "1"}, {"wave": "1", "respondents": 401})))
    assert (accepted(parts), faults(parts)) == ([1], [(2, "SUR-001")])


def test_a_faulty_row_does_not_keep_its_correction_out() -> None:
    parts = checked(chunk(surveys({"wave": "1", "respondents": -5}, {"wave": "1"})))
    assert accepted(parts) == [2]


@pytest.mark.parametrize("cut", [1, 2, 3])
def test_where_a_file_is_cut_into_chunks_decides_nothing(cut: int) -> None:
    rows = surveys({"wave": "1"}, {"wave": "2"}, {"wave": "1"}, {"wave": "2", "respondents": 401})
    parts = checked(chunk(rows.slice(0, cut)), chunk(rows.slice(cut)))
    assert (accepted(parts), faults(parts), sum(part.ignored for part in parts)) == ([1, 2], [(4, "SUR-001")], 1)


HOLDER = {"holder_hash": "0" * 31 + "1", "unit_code": "15655", "issued_on": date(2023, 3, 1), "certificate_status": "HIEU_LUC"}
OLDER = {**HOLDER, "issued_on": date(2021, 3, 1), "certificate_status": "HET_HAN"}
REVOKED = {**HOLDER, "issued_on": date(2024, 2, 1), "certificate_status": "THU_HOI"}


def holders(*rows: dict[str, Any], first: int = 1) -> pa.Table:
    return table(contract("signature_holders"), list(rows), first)


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2)])
def test_of_a_persons_certificates_the_latest_valid_one_speaks_and_the_others_are_ignored(order: tuple[int, ...]) -> None:
    certificates = [OLDER, HOLDER, REVOKED]
    parts = checked(chunk(holders(*(certificates[place] for place in order))), feed="signature_holders")
    assert (accepted(parts), faults(parts), parts[0].ignored) == ([order.index(1) + 1], [], 2)
    assert results(parts)["HOL-010"].observed == "2 dòng bỏ qua"


@pytest.mark.parametrize(
    ("other", "speaks"),
    [
        ({"expires_on": date(2026, 1, 1), "issued_on": date(2022, 1, 1)}, 2),
        ({"expires_on": date(2024, 1, 1), "issued_on": date(2023, 12, 1)}, 1),
        ({"issued_on": date(2022, 1, 1)}, 2),
    ],
    ids=["valid for longer", "valid for less long", "without a stated end"],
)
def test_of_two_valid_certificates_the_one_that_is_valid_the_longest_speaks(other: dict[str, Any], speaks: int) -> None:
    rows = holders({**HOLDER, "expires_on": date(2025, 1, 1)}, {**HOLDER, **other})
    assert accepted(checked(chunk(rows), feed="signature_holders")) == [speaks]


def test_two_certificates_of_one_day_that_differ_are_contradictory() -> None:
    parts = checked(chunk(holders(HOLDER, OLDER, {**HOLDER, "unit_code": "15607"})), feed="signature_holders")
    assert (accepted(parts), faults(parts), parts[0].ignored) == ([1], [(3, "HOL-001")], 1)


def test_a_later_chunk_speaks_for_an_earlier_one_only_where_its_certificate_does() -> None:
    worse_last = checked(chunk(holders(HOLDER)), chunk(holders(OLDER, first=2)), feed="signature_holders")
    assert (accepted(worse_last), sum(part.ignored for part in worse_last)) == ([1], 1)
    better_last = checked(chunk(holders(OLDER)), chunk(holders(HOLDER, HOLDER, first=2)), feed="signature_holders")
    assert (accepted(better_last), sum(part.ignored for part in better_last)) == ([1, 2], 1), "the loader lets the last word hold"


def test_missing_differs_from_zero_when_rows_are_compared() -> None:
    terms = contract("signatures")
    parts = checked(
        chunk(table(terms, [{**SIGNATURE, "certificates_issued": None}, {**SIGNATURE, "certificates_issued": 0}])), feed="signatures"
    )
    assert faults(parts) == [(2, "SIG-001")]


# -- the delivery as a whole


def test_control_totals_that_agree_let_the_delivery_through() -> None:
    terms = contract("signatures")
    rows = table(terms, [SIGNATURE, {**SIGNATURE, "unit_code": "15646"}])
    parts = checked(chunk(rows, ignored=1, rows=2, certificates_issued=20, certificates_in_force=200), feed="signatures")
    assert results(parts)["STR-008"].success


def test_a_form_without_its_totals_is_taken_and_told() -> None:
    parts = checked(chunk(table(contract("signatures"), [SIGNATURE])), feed="signatures")
    assert accepted(parts) == [1]
    assert (results(parts)["STR-039"].success, results(parts)["STR-039"].observed) == (False, "nhận được 1 dòng")
    with_totals = checked(chunk(table(contract("signatures"), [SIGNATURE]), rows=1), feed="signatures")
    assert "STR-039" not in results(with_totals)


@pytest.mark.parametrize(
    ("controls", "header", "both_sums"),
    [
        ({"rows": 3}, "Tổng cộng", "ghi 3, các dòng chi tiết cộng được 2)"),
        ({"certificates_issued": 21}, "Số chứng thư cấp mới", "ghi 21, các dòng chi tiết cộng được 14.180.045)"),
        ({"certificates_in_force": 0}, "hiệu lực", "ghi 0, các dòng chi tiết cộng được 200)"),
        ({"holders_cumulative": 241}, "Số người được cấp (lũy kế)", "ghi 241, các dòng chi tiết cộng được 240)"),
        ({"certificates_issued": 14_180_054}, "Số chứng thư cấp mới", "ghi 14.180.054, các dòng chi tiết cộng được 14.180.045)"),
    ],
)
def test_a_control_total_that_differs_rejects_the_delivery_and_names_file_column_and_both_sums(
    controls: dict[str, int], header: str, both_sums: str
) -> None:
    terms = contract("signatures")
    good = {**SIGNATURE, "holders_cumulative": 120}
    rows = table(terms, [good, {**good, "unit_code": "15646", "certificates_issued": 14_180_035}])
    with pytest.raises(Rejected) as refused:
        checked(chunk(rows, ignored=1, **controls), feed="signatures")
    assert refused.value.rule_code == "STR-008"
    assert header in refused.value.message_vi
    assert "tệp.csv" in refused.value.message_vi
    assert both_sums in refused.value.message_vi


def test_a_sum_over_cells_that_could_not_be_read_is_not_held_against_the_supplier() -> None:
    rows = table(contract("signatures"), [SIGNATURE])
    parts = checked(chunk(rows, ignored=1, unreadable=(2,), rows=2, certificates_issued=20), feed="signatures")
    assert results(parts)["STR-008"].success


def test_more_than_a_fifth_of_rows_set_aside_rejects_the_delivery() -> None:
    rows = surveys(*[{}] * 19, *[{"respondents": -1}] * 5)
    with pytest.raises(Rejected) as refused:
        checked(chunk(rows))
    assert refused.value.rule_code == "SUR-007"
    assert "5/24" in refused.value.message_vi


@pytest.mark.parametrize(("good", "bad"), [(20, 5), (0, 4)])
def test_a_fifth_or_only_a_few_rows_set_aside_do_not(good: int, bad: int) -> None:
    parts = checked(chunk(surveys(*[{}] * good, *[{"respondents": -1}] * bad)))
    assert len(accepted(parts)) == good


def agencies(count: int) -> pa.Table:
    rows = [
        {"agency_code": f"H56.{number}", "agency_name": "UBND", "unit_code": "15655", "valid_from": date(2024, 1, 1)}
        for number in range(count)
    ]
    return table(contract("agencies"), rows)


@pytest.mark.parametrize(("usual", "is_refused"), [(None, False), (19, False), (20, False), (100, True)])
def test_a_catalogue_that_shrinks_to_less_than_a_fifth_is_refused(usual: int | None, is_refused: bool) -> None:
    if is_refused:
        with pytest.raises(Rejected, match="AGE-005"):
            checked(chunk(agencies(4)), feed="agencies", usual_rows=usual)
    else:
        assert len(accepted(checked(chunk(agencies(4)), feed="agencies", usual_rows=usual))) == 4


def test_a_catalogue_that_a_steward_lets_pass_is_taken_and_flagged() -> None:
    terms = contract("agencies")
    opened = Opened([chunk(agencies(4))], terms, next(iter(terms.layouts)), "tệp.csv", exported_at=EXPORTED, let_pass={"AGE-005"})
    parts = list(opened.checked(lambda: 100))
    assert len(accepted(parts)) == 4
    assert not results(parts)["AGE-005"].success


@pytest.mark.parametrize(("usual", "holds"), [(1000, False), (100, True)])
def test_an_unusual_volume_of_a_nightly_feed_is_only_warned_about(usual: int, holds: bool) -> None:
    terms = contract("unit_counts")
    rows = [{"unit_code": "15655", "period": "2024", "measure": "households", "value": 1}]
    parts = checked(chunk(table(terms, rows * 20)), feed="unit_counts", usual_rows=usual)
    assert results(parts)["CNT-006"].success is holds


# -- conservation


@pytest.mark.parametrize("ending", [None, Rejected("STR-005", "Tệp bị cắt giữa chừng.")])
def test_a_refusal_carries_what_every_rule_found_until_then(ending: Rejected | None) -> None:
    def chunks() -> Iterator[Chunk]:
        yield chunk(surveys({"respondents": 0, "positive_answers": 0}), unreadable=tuple(range(2, 302)))
        if ending is not None:
            raise ending

    with pytest.raises(Rejected) as refused:
        list(validate(chunks(), contract("surveys"), "surveys_csv", "tệp.csv"))
    found = {result.rule_code: result for result in refused.value.results}
    assert not found[refused.value.rule_code].success
    assert (found["STR-010"].success, found["STR-010"].unexpected_count) == (False, 300)
    assert 'cột "respondents" không đúng dạng' in str(found["STR-010"].observed)
    assert "300 dòng (dòng 2, 3, 4, 5, 6, …)" in str(found["STR-010"].observed)
    assert (found["SUR-003"].unexpected_count, found["SUR-004"].success) == (1, True)
    assert refused.value.faults is not None
    kept = refused.value.faults.group_by("rule_code").aggregate([([], "count_all")]).to_pylist()
    assert {row["rule_code"]: row["count_all"] for row in kept} == {"STR-010": KEPT, "SUR-003": 1}


def test_what_was_seen_of_the_file_is_a_result_and_what_was_hidden_a_warning() -> None:
    seen = [Account(cells=40, sheets=3, other_sheets=1, hidden_sheets=1), Account(cells=44, below=7, hidden_rows=2, hidden_columns=1)]
    parts = checked(*(replace(chunk(surveys({}, first=n)), account=account) for n, account in enumerate(seen, 1)))
    account, hidden = results(parts)["STR-023"], results(parts)["STR-024"]
    assert (account.success, account.observed) == (
        True,
        "1/3 trang tính, 1 trang ẩn không đọc, 84 ô, 7 dòng dưới bảng, 2 dòng ẩn, 1 cột ẩn",
    )
    assert (hidden.success, hidden.severity, hidden.unexpected_count) == (False, "warning", 2)
    assert hidden.observed == "2 dòng ẩn không được đọc, 1 cột ẩn vẫn được đọc"
    assert results(checked(chunk(surveys({}))))["STR-024"].success


def test_rows_received_are_accounted_for_and_the_sum_is_a_result_of_its_own() -> None:
    parts = checked(chunk(surveys({"wave": "1"}, {"wave": "1"}, {"respondents": -1}), ignored=1, unreadable=(5,)))
    assert results(parts)["STR-014"].observed == "5 = 1 + 2 + 2"


def test_a_reader_that_loses_a_row_is_found_out() -> None:
    lossy = Chunk(surveys({}), FAULTS.empty_table(), ignored=0, received=2)
    with pytest.raises(CheckBroken, match="2 rows received, 1 read"):
        checked(lossy)


a_row = st.fixed_dictionaries(
    {
        "wave": st.sampled_from("123"),
        "respondents": st.sampled_from([-1, 0, 400, 401]),
        "asked_on": st.sampled_from([date(2024, 3, 1), date(2030, 1, 1)]),
    }
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(a_row, st.booleans()), min_size=1, max_size=12), st.integers(1, 12), st.integers(0, 2))
def test_no_row_is_lost_or_counted_twice_whatever_is_wrong(rows: list[tuple[dict[str, Any], bool]], size: int, totals_rows: int) -> None:
    parts: list[Checked] = []

    def chunks() -> Iterator[Chunk]:
        for start in range(0, len(rows), size):
            part = list(enumerate(rows[start : start + size], start + 1))
            readable = [{ROW_NUMBER: number, **SURVEY, **row} for number, (row, is_readable) in part if is_readable]
            unreadable = tuple(number for number, (_, is_readable) in part if not is_readable)
            yield chunk(pa.Table.from_pylist(readable, schema=contract("surveys").schema), totals_rows, unreadable)

    try:
        for part in validate(chunks(), contract("surveys"), "surveys_csv", "tệp.csv", exported_at=EXPORTED):
            parts.append(part)
    except Rejected as refused:
        assert refused.rule_code == "SUR-007"
    set_aside = {number for number, _ in faults(parts)}
    assert not set_aside & set(accepted(parts))
    assert sum(part.received for part in parts) == len(accepted(parts)) + len(set_aside) + sum(part.ignored for part in parts)
    assert len(accepted(parts)) == len({(rows[number - 1][0]["wave"]) for number in accepted(parts)})


# -- a check that cannot be run says nothing about the data


def with_rule(**changes: Any) -> Contract:
    terms = contract("surveys")
    wrong = Rule(**{"code": "SUR-099", "severity": "critical", "message_vi": "Sai. Sửa lại.", **changes})
    return terms.model_copy(update={"rules": [*terms.rules, wrong]})


@pytest.mark.parametrize(
    "changes",
    [
        {"expect": "ExpectColumnValuesToMatchRegex", "args": {"column": "wave", "regex": "("}},
        {"expect": "ExpectColumnValuesToBeBetween", "args": {"column": "wave", "min_value": 1}},
    ],
)
def test_a_rule_that_cannot_be_run_is_our_fault_not_the_suppliers(changes: dict[str, Any]) -> None:
    with pytest.raises(CheckBroken, match="SUR-099 could not be run") as broken:
        list(validate([chunk(surveys({"wave": "bí mật"}))], with_rule(**changes), "surveys_csv", "tệp.csv"))
    assert "bí mật" not in str(broken.value)


def test_a_frame_without_the_declared_columns_is_our_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    made = module.checked_frame

    def without_a_column(*given: Any) -> pd.DataFrame:
        return made(*given).drop(columns="respondents")

    monkeypatch.setattr(module, "checked_frame", without_a_column)
    with pytest.raises(CheckBroken):
        checked(chunk(surveys({})))


def test_a_table_of_another_shape_is_our_fault() -> None:
    with pytest.raises(CheckBroken, match="schema"):
        checked(Chunk(surveys({}).drop_columns("wave"), FAULTS.empty_table(), 0, 1))


# -- personal data

PAPER = "038090001234"


@pytest.mark.parametrize("feed", ["dossiers", "bills", "payments", "merchants", "surveys", "unit_counts", "signature_holders"])
def test_an_identity_number_in_wrong_columns_gets_into_no_result(feed: str, caplog: pytest.LogCaptureFixture) -> None:
    terms = contract(feed)
    row: dict[str, Any] = {}
    for field in terms.schema:
        if pa.types.is_string(field.type):
            row[field.name] = PAPER
        elif field.type == pa.int64():
            row[field.name] = -int(PAPER)
        elif not pa.types.is_boolean(field.type):
            row[field.name] = datetime(2031, 1, 1) if pa.types.is_timestamp(field.type) else date(2031, 1, 1)
    row[ROW_NUMBER] = 1
    with caplog.at_level(logging.DEBUG):
        layout = next(iter(terms.layouts))
        rows = pa.Table.from_pylist([row], schema=terms.schema)
        parts = list(validate([chunk(rows)], terms, layout, "tệp.csv", exported_at=EXPORTED))
    assert faults(parts)
    said = f"{[part.faults.to_pylist() for part in parts]}{[part.results for part in parts]}{caplog.text}"
    assert PAPER not in said


def test_rows_that_break_the_suite_leave_the_other_deliveries_of_a_batch_alone() -> None:
    terms = contract("surveys")
    good = surveys({"positive_answers": 401})  # more than were asked
    broken = good.drop_columns("positive_answers")
    several = [Opened([chunk(rows)], terms, "surveys_csv", "tệp.csv", exported_at=EXPORTED) for rows in (broken, good)]
    check_together(several)
    with pytest.raises(CheckBroken):
        list(several[0].checked(lambda: None))
    whole = list(several[1].checked(lambda: None))
    assert [part.table.num_rows for part in whole] == [0, 0]
    assert whole[0].faults["rule_code"].to_pylist() == ["SUR-002"]
