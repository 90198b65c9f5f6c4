"""A steward decides on a held edition, publishes it, signs it and asks what changed: all from a terminal."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Engine, select

from tests.flows.conftest import Webhook
from tests.nights import bakhong, environment, few_sources, url_of
from tests.warehouse.facts import NGOC_PHUNG
from tests.warehouse.test_gate import JULY, JUNE, a_night, corrected, half_of_2024, share, shops
from warehouse.tables import delivery


def test_a_held_edition_is_shown_accepted_published_signed_and_compared(
    engine: Engine, home: Path, prefect_home: Path, tmp_path: Path, webhook: Webhook
) -> None:
    env = environment(home, few_sources(tmp_path), url_of(engine)) | {"PREFECT_HOME": str(prefect_home)}
    with engine.begin() as c:
        half_of_2024(c)
    a_night(engine, JUNE)
    with engine.begin() as c:
        again = corrected(c, 1, 800)
    assert a_night(engine, JULY).is_held

    listed = bakhong("gate", "list", "--values", env=env)
    assert listed.returncode == 1
    assert "Chưa công bố từ" in listed.stderr
    assert f"Xã Ngọc Phụng ({NGOC_PHUNG})" in listed.stdout
    with engine.connect() as c:
        assert c.scalar(select(delivery.c.file_name).where(delivery.c.delivery_id == again)) in listed.stdout
    assert "40,0% (400/1.000), chính thức" in listed.stdout
    assert "80,0% (800/1.000), chính thức" in listed.stdout
    assert bakhong("status", env=env).returncode == 1

    nobody = bakhong("gate", "accept", "--reason", "ổn", env=env)
    assert (nobody.returncode, nobody.stderr.strip()) == (2, "Cần số của từng điểm bất thường (bakhong gate list), hoặc --all.")
    assert bakhong("gate", "accept", "--all", "--reason", "đếm lại tại chỗ", env=env).returncode == 0
    assert share(engine, "2024-01") == "40.0 A", "a decision publishes nothing by itself"
    assert bakhong("gate", "undo", "1", env=env).returncode == 0
    assert bakhong("gate", "accept", "1", "--reason", "đếm lại tại chỗ", env=env).returncode == 0

    assert bakhong("nightly", "--no-pull", env=env | {"BAKHONG_MESSAGE_TO": webhook[1]}).returncode == 1
    assert "Nguồn chậm: " in webhook[0][0][1]["text"]
    assert share(engine, "2024-01") == "80.0 A"
    assert not list((home / "landing").glob("*")), "no file was fetched"
    shown = bakhong("indicators", NGOC_PHUNG, "2024-01", env=env)
    assert "chấp nhận ngày" in shown.stdout
    assert "đếm lại tại chỗ" in shown.stdout

    signed = bakhong("release", "2024-01", env=env)
    assert signed.returncode == 0
    assert "Đã ký tháng 01/2024: bản ký số 1" in signed.stdout
    assert bakhong("diff", "2024-01", env=env).returncode == 0
    book = tmp_path / "signed.xlsx"
    assert bakhong("release", "2024-01", "--workbook", str(book), env=env).returncode == 0
    assert book.stat().st_size > 5_000
    with engine.begin() as c:
        shops(c, 1, 500, unit="15637", exported_at=JULY)
    a_night(engine, datetime.now(UTC))
    changed = bakhong("diff", "2024-01", env=env)
    assert changed.returncode == 1
    assert "Xã Luận Khê (15637)" in changed.stdout
