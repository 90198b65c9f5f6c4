"""A signed period: who, when, on which edition; what changed since; the signed workbook again, byte for byte."""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import openpyxl
import pytest
from sqlalchemy import Engine, text

from tasks.ask.official_table import of_period
from tasks.ask.releases import checksum, shown_checksum, signed
from tasks.ask.scope import PUBLIC, WHOLE
from tasks.indicators.edition import judge
from tasks.report.signing import differences, rebuild, sign, signed_workbook
from tests.warehouse.facts import NGOC_PHUNG, close, unit_counts
from tests.warehouse.test_gate import JULY, JUNE, a_night, corrected, half_of_2024, shops, standing
from warehouse.settings import Refusal
from warehouse.tables import fact_unit_count

MAY_2024 = datetime(2024, 5, 20, tzinfo=UTC)


def test_the_checksum_is_over_what_anybody_can_ask_of_the_mart(engine: Engine) -> None:
    with engine.begin() as c:
        shops(c, 1, 400)
    a_night(engine, JUNE)
    with engine.begin() as c:
        signature = sign(c, "2024-01", "Lan", "đã đối chiếu")
        asked = c.execute(
            text(
                "SELECT indicator_code, unit_code, first_day, numerator, denominator, value, obs_status FROM mart.indicator "
                "WHERE period = '2024-01' ORDER BY 1, 2, 3"
            )
        ).all()
    told = "indicator_code,unit_code,first_day,numerator,denominator,value,obs_status\n"
    told += "".join(",".join("" if cell is None else str(cell) for cell in row) + "\n" for row in asked)
    assert f"K2g,{NGOC_PHUNG},2024-01-01,400,1000,40.0,A\n" in told
    assert signature.checksum == sha256(told.encode()).hexdigest()
    assert (signature.signed_by, signature.note, signature.values_signed) == ("Lan", "đã đối chiếu", len(asked))


def test_what_changes_later_is_a_difference_from_what_was_signed_and_can_be_signed_again(engine: Engine) -> None:
    with engine.begin() as c:
        was = shops(c, 1, 400)
    a_night(engine, JUNE)
    with engine.begin() as c:
        first = sign(c, "2024-01", "Lan")
        assert differences(c, "2024-01", WHOLE)[1] == []
        with pytest.raises(Refusal, match=r"đã được Lan ký .* từ đó không đổi"):
            sign(c, "2024-01", "Minh")
        close(c, fact_unit_count, was, JULY)
        shops(c, 1, 420, exported_at=JULY)
    a_night(engine, JULY)
    with engine.begin() as c:
        against, found = differences(c, "2024-01", WHOLE)
        assert against.release_id == first.release_id
        commune = next(one for one in found if one.line.unit_code == NGOC_PHUNG)
        assert (commune.signed.printed, commune.now.printed) == ("40,0%", "42,0%")  # type: ignore[union-attr]
        again = sign(c, "2024-01", "Minh")
        assert [row.release_id for row in signed(c, "2024-01")] == [again.release_id, first.release_id]
        assert differences(c, "2024-01", WHOLE)[1] == []
        assert len(differences(c, "2024-01", WHOLE, first.release_id)[1]) == len(found)


def test_the_signed_workbook_comes_again_byte_for_byte_whatever_happens_to_names_and_values(engine: Engine, tmp_path: Path) -> None:
    with engine.begin() as c:
        was = shops(c, 1, 400)
    a_night(engine, JUNE)
    with engine.begin() as c:
        signature = sign(c, "2024-01", "Lan", "=HYPERLINK(1)")
        rebuild(c, "2024-01", tmp_path / "first.xlsx")
        close(c, fact_unit_count, was, JULY)
        shops(c, 1, 420, exported_at=JULY)
        c.execute(text("UPDATE warehouse.dim_unit SET unit_name = 'Xã Khác' WHERE unit_code = :code"), {"code": NGOC_PHUNG})
    a_night(engine, JULY)
    with engine.begin() as c:
        rebuild(c, "2024-01", tmp_path / "later.xlsx")
    first, later = (tmp_path / name for name in ("first.xlsx", "later.xlsx"))
    assert sha256(later.read_bytes()).hexdigest() == signature.workbook_sha256
    assert first.read_bytes() == later.read_bytes()
    cover = [cell for row in openpyxl.load_workbook(later)["Bìa"].iter_rows(values_only=True) for cell in row if cell]
    (words,) = [cell for cell in cover if "Lan ký" in str(cell)]
    assert signature.checksum in words
    assert "=HYPERLINK(1)" in words


def test_a_workbook_that_another_version_writes_otherwise_is_refused(engine: Engine, tmp_path: Path) -> None:
    with engine.begin() as c:
        shops(c, 1, 400)
    a_night(engine, JUNE)
    with engine.begin() as c:
        sign(c, "2024-01", "Lan")
        c.execute(text("UPDATE ops.release SET workbook_sha256 = repeat('0', 64)"))
        with pytest.raises(Refusal, match="khác với tệp đã ký"):
            rebuild(c, "2024-01", tmp_path / "book.xlsx")
    assert not (tmp_path / "book.xlsx").exists()


def test_what_is_not_over_not_there_or_waits_for_a_decision_is_not_signed(engine: Engine) -> None:
    with engine.begin() as c, pytest.raises(Refusal, match="Chưa công bố số liệu nào của tháng 05/2024"):
        sign(c, "2024-05", "Lan")
    with engine.begin() as c:
        half_of_2024(c)
    a_night(engine, MAY_2024)
    with engine.begin() as c, pytest.raises(Refusal, match="kỳ chưa kết thúc"):
        sign(c, "2024-05", "Lan")
    a_night(engine, JUNE)
    with engine.begin() as c:
        corrected(c, 5, 100)
    assert a_night(engine, JULY).is_held
    with engine.begin() as c, pytest.raises(Refusal, match="đang chờ quyết định"):
        sign(c, "2024-05", "Lan")


def test_an_override_is_printed_under_the_table_it_touches(engine: Engine, tmp_path: Path) -> None:
    with engine.begin() as c:
        half_of_2024(c)
    a_night(engine, JUNE)
    with engine.begin() as c:
        corrected(c, 1, 800)
    assert a_night(engine, JULY).is_held
    with engine.begin() as c:
        judge(c, [row.alarm_id for row in standing(engine)], "accepted", "đếm lại tại chỗ", "Lan")
    a_night(engine, JULY)
    with engine.begin() as c:
        sign(c, "2024-01", "Lan")
        rebuild(c, "2024-01", tmp_path / "book.xlsx")
    book = openpyxl.load_workbook(tmp_path / "book.xlsx")
    where = {
        sheet.title: [str(cell) for row in sheet.iter_rows(values_only=True) for cell in row if cell and "đếm lại tại chỗ" in str(cell)]
        for sheet in book
    }
    of_table = next(sheet.title for sheet in book if sheet.title.startswith("Biểu ") and "K2g" in [cell.value for cell in sheet[5]])
    assert [title for title, found in where.items() if found] == [of_table]
    assert "80,0% (800/1.000) thay cho 40,0% (400/1.000) đã công bố; Lan chấp nhận ngày" in where[of_table][0]


def test_the_signed_workbook_is_whole_and_the_public_is_given_what_it_may_see(engine: Engine, tmp_path: Path) -> None:
    with engine.begin() as c:
        unit_counts(c, NGOC_PHUNG, "2024-01", {"officials_digital": 18, "officials_total": 20, "shops_qr": 3, "shops_total": 4})
    a_night(engine, JUNE)
    with engine.begin() as c:
        signature = sign(c, "2024-01", "Lan")
        whole, public = (signed_workbook(c, signature, scope) for scope in (WHOLE, PUBLIC))
        assert shown_checksum(c, signature, WHOLE) == signature.checksum
        of_public = shown_checksum(c, signature, PUBLIC)
        asked = of_period(c, "2024-01", PUBLIC)
    assert sha256(whole).hexdigest() == signature.workbook_sha256
    assert of_public == checksum(asked) != signature.checksum, "from one over all of them, 18 of 20 could be tried out"

    def told(book: bytes, code: str) -> tuple[object, ...]:
        (tmp_path / "book.xlsx").write_bytes(book)
        rows = openpyxl.load_workbook(tmp_path / "book.xlsx")["Số liệu"].iter_rows(values_only=True)
        return next(row[6:9] for row in rows if (row[1], row[3]) == (code, NGOC_PHUNG))

    assert (told(whole, "CQ1"), told(public, "CQ1")) == ((18, 20, 90), ("…", "…", "…"))
    assert told(public, "K2g") == (3, 4, 75)
    cover = openpyxl.load_workbook(tmp_path / "book.xlsx")["Bìa"]["A3"].value
    assert of_public in cover
