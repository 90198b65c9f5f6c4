import shutil
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, text

from tests.warehouse.facts import make_partition
from warehouse.database import downgrade, upgrade
from warehouse.migrations import steps
from warehouse.migrations.__main__ import write_step
from warehouse.migrations.scope import SCHEMAS
from warehouse.migrations.steps import newest_revision
from warehouse.tables import UNKNOWN, metadata

OURS = "n.nspname = ANY(ARRAY['staging', 'warehouse', 'mart', 'star', 'ops']) AND NOT c.relispartition"

CATALOGUE = {
    "columns": f"""
        SELECT n.nspname, c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity::text,
               pg_get_expr(d.adbin, d.adrelid), col_description(c.oid, a.attnum)
        FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace
        LEFT JOIN pg_attrdef AS d ON d.adrelid = c.oid AND d.adnum = a.attnum
        WHERE {OURS} AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped ORDER BY 1, 2, 3""",
    "tables": f"""
        SELECT n.nspname, c.relname, c.relkind::text, pg_get_partkeydef(c.oid), obj_description(c.oid)
        FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE {OURS} AND c.relkind IN ('r', 'p') ORDER BY 1, 2""",
    "constraints": f"""
        SELECT n.nspname, c.relname, k.conname, pg_get_constraintdef(k.oid)
        FROM pg_constraint AS k JOIN pg_class AS c ON c.oid = k.conrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace
        WHERE {OURS} ORDER BY 1, 2, 3""",
    "indexes": f"""
        SELECT n.nspname, c.relname, pg_get_indexdef(i.indexrelid)
        FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace
        WHERE {OURS} ORDER BY 1, 2, 3""",
}


def _catalogue(connection: Connection) -> dict[str, list[tuple[object, ...]]]:
    return {name: [tuple(row) for row in connection.execute(text(query))] for name, query in CATALOGUE.items()}


def _empty(connection: Connection) -> None:
    for schema in SCHEMAS:
        connection.execute(text(f"DROP SCHEMA {schema} CASCADE"))


def test_the_migrations_make_exactly_what_the_tables_declare(engine: Engine) -> None:
    """Compared in PostgreSQL's own words, which sees defaults, checks, partial indexes and comments."""
    with engine.connect() as connection:
        migrated = _catalogue(connection)
        _empty(connection)
        for schema in SCHEMAS:
            connection.execute(text(f"CREATE SCHEMA {schema}"))
        metadata.create_all(connection)
        declared = _catalogue(connection)
        connection.rollback()
    for part in CATALOGUE:
        assert migrated[part] == declared[part], part


def _fill(connection: Connection) -> None:
    make_partition(connection, "2024-03-15")
    connection.execute(
        text(
            """
            INSERT INTO ops.delivery (source, feed, layout, provider, file_name, sha256, received_at, status)
            VALUES ('a', 'payments', 'ecpay_csv', 'ecpay', 'a.csv', 'ff', now(), 'landed');
            INSERT INTO warehouse.fact_payment (transaction_code, provider_key, service_key, unit_key, merchant_key, payment_method_key,
                payment_status_key, paid_at, business_date, amount_vnd, row_key, row_hash, known_from, loaded_by, delivery_id, row_number)
            VALUES ('T1', 5, 1, 1, 0, 2, 1, '2024-03-15 08:00', '2024-03-15', 1000, 1, 1, now(), 1, 1, 1)
            """
        )
    )


def test_a_filled_warehouse_goes_down_to_nothing_and_up_again(engine: Engine) -> None:
    with engine.begin() as connection:
        before = _catalogue(connection)
        _fill(connection)
    downgrade(engine)
    with engine.connect() as connection:
        left = connection.execute(
            text("SELECT nspname FROM pg_namespace WHERE nspname = ANY(ARRAY['staging', 'warehouse', 'mart', 'star', 'ops'])")
        ).all()
        assert left == []
    upgrade(engine)
    with engine.connect() as connection:
        assert _catalogue(connection) == before
        assert connection.execute(text("SELECT unit_key FROM warehouse.dim_unit")).scalars().all() == [UNKNOWN]
        assert connection.execute(text("SELECT count(*) FROM mart.indicator")).scalar() == 0


def test_bringing_up_to_date_what_is_up_to_date_changes_nothing(engine: Engine) -> None:
    changes = text("SELECT sum(n_tup_ins + n_tup_upd + n_tup_del) FROM pg_stat_user_tables WHERE relname <> 'pg_stat'")
    with engine.begin() as connection:
        views = connection.execute(text("SELECT oid FROM pg_class WHERE relkind = 'v' ORDER BY oid")).all()
        connection.execute(text("SELECT pg_stat_force_next_flush()"))
        before = connection.execute(changes).scalar()
    upgrade(engine)
    with engine.begin() as connection:
        connection.execute(text("SELECT pg_stat_clear_snapshot()"))
        assert connection.execute(text("SELECT oid FROM pg_class WHERE relkind = 'v' ORDER BY oid")).all() == views
        assert connection.execute(changes).scalar() == before


def test_the_newest_revision_read_from_file_names_is_alembics_head() -> None:
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", "warehouse:migrations")
    assert ScriptDirectory.from_config(config).get_heads() == [newest_revision()]


def test_everything_in_the_database_says_what_it_is(engine: Engine) -> None:
    with engine.connect() as connection:
        silent = connection.execute(
            text(
                f"""
                SELECT n.nspname, c.relname, '' FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
                WHERE {OURS} AND c.relkind IN ('r', 'p', 'v') AND coalesce(obj_description(c.oid, 'pg_class'), '') = ''
                UNION ALL
                SELECT n.nspname, c.relname, a.attname
                FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace
                WHERE {OURS} AND c.relkind IN ('r', 'p', 'v') AND a.attnum > 0 AND NOT a.attisdropped
                  AND coalesce(col_description(c.oid, a.attnum), '') = ''
                """
            )
        ).all()
        views = connection.execute(text("SELECT count(*) FROM pg_views WHERE schemaname = 'mart'")).scalar_one()
    assert silent == []
    assert views >= 3


def test_a_change_of_the_tables_is_written_as_the_next_numbered_step(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    shutil.copytree(steps.MIGRATIONS, tmp_path / "migrations")
    monkeypatch.setattr(steps, "MIGRATIONS", tmp_path / "migrations")
    newest = newest_revision()
    write_step("Nothing changed")
    (step,) = (tmp_path / "migrations" / "versions").glob(f"{int(newest) + 1:04}_*.py")
    assert newest_revision() == f"{int(newest) + 1:04}"
    assert "op." not in step.read_text(encoding="utf-8")


def test_what_was_published_before_there_was_one_number_keeps_it_and_forms_get_that_of_their_run(engine: Engine) -> None:
    downgrade(engine, BEFORE_ONE_NUMBER)
    with engine.begin() as connection:
        connection.execute(text(PUBLISHED_BEFORE))
    upgrade(engine)
    forms = text("SELECT c3, publication_id FROM warehouse.fact_form_06a ORDER BY c3")
    with engine.connect() as connection:
        assert [tuple(row) for row in connection.execute(forms)] == [(1, 1), (2, 2)]
        counted = text("SELECT run_id, values_added, lines_added, as_of::date::text FROM ops.publication ORDER BY publication_id")
        assert [tuple(row) for row in connection.execute(counted)] == [(1, 1, 1, "2024-01-31"), (2, 0, 1, "2024-02-29")]
        shown = text("SELECT indicator_name, value, obs_status, obs_reason, target, known_from::date::text FROM mart.indicator")
        assert connection.execute(shown).one() == ("Chỉ tiêu", None, "M", "not_applicable", 80, "2024-01-31")


def test_versions_and_states_become_one_indicator_again_with_all_its_values(engine: Engine) -> None:
    downgrade(engine, BEFORE_ONE_NUMBER)
    with engine.begin() as connection:
        connection.execute(text(PUBLISHED_BEFORE))
    upgrade(engine)
    with engine.begin() as connection:
        connection.execute(text(VERSIONS_AFTER))
    downgrade(engine, BEFORE_ONE_NUMBER)
    with engine.connect() as connection:
        assert connection.scalars(text("SELECT indicator_name FROM warehouse.dim_indicator")).all() == ["Tên mới"]
        assert connection.scalars(text("SELECT target FROM warehouse.dim_target")).all() == [90]
        lines = text("SELECT revision, obs_status, known_to = 'infinity' FROM warehouse.fact_indicator ORDER BY revision")
        assert [tuple(row) for row in connection.execute(lines)] == [(1, "M", False), (2, "A", True)]
        assert connection.scalars(text("SELECT run_id FROM warehouse.fact_form_06a ORDER BY c3")).all() == [1, 2]
    upgrade(engine)


def test_what_was_loaded_before_loads_had_numbers_is_one_load_and_covers_what_its_period_said(engine: Engine) -> None:
    downgrade(engine, "0003")
    with engine.begin() as connection:
        connection.execute(text(LOADED_BEFORE))
    upgrade(engine)
    with engine.connect() as connection:
        states = text("SELECT bill_code, amount_vnd, loaded_by, ended_by FROM warehouse.fact_bill ORDER BY known_from")
        assert [tuple(row) for row in connection.execute(states)] == [("B1", 100, 1, 1), ("B1", 120, 1, None)]
        covered = text("SELECT source, scope FROM ops.coverage JOIN ops.delivery USING (delivery_id) ORDER BY 1, 2")
        assert [tuple(row) for row in connection.execute(covered)] == [("counts", "2024 15655"), ("ec", "2024-03")]
        assert connection.scalars(text("SELECT source FROM ops.delivery WHERE status = 'landed'")).all() == ["ag"]  # read again as a list
        assert connection.scalars(text("SELECT tells FROM ops.delivery WHERE source = 'counts'")).all() == [["population_adult"]]
    downgrade(engine, "0003")
    with engine.connect() as connection:
        assert connection.scalars(text("SELECT amount_vnd FROM warehouse.fact_bill ORDER BY known_from")).all() == [100, 120]
    upgrade(engine)


def test_decisions_on_rows_of_a_csv_stay_with_their_rows_when_the_header_is_counted(engine: Engine) -> None:
    downgrade(engine, "0006")
    with engine.begin() as connection:
        for statement in SET_ASIDE_BEFORE.strip().split(";"):
            connection.execute(text(statement))
    numbers = text("SELECT layout, row_number, q.status FROM ops.quarantine q JOIN ops.delivery USING (delivery_id) ORDER BY 1, 2")
    upgrade(engine)
    with engine.connect() as connection:
        moved = [tuple(row) for row in connection.execute(numbers)]
        assert moved == [("evn_csv", 2, "dismissed"), ("evn_csv", 3, "open"), ("telecom_xlsx", 1, "open")]
    downgrade(engine, "0006")
    with engine.connect() as connection:
        assert [row.row_number for row in connection.execute(numbers)] == [1, 2, 1]
    upgrade(engine)


def test_units_from_the_time_of_one_province_are_thanh_hoas_and_so_are_the_targets_it_set(engine: Engine) -> None:
    downgrade(engine, "0008")
    with engine.begin() as connection:
        connection.execute(text(TARGETS_BEFORE))
    upgrade(engine)
    with engine.connect() as connection:
        units = text("SELECT province_code, count(*) FROM warehouse.dim_unit GROUP BY 1 ORDER BY 1")
        assert [tuple(row) for row in connection.execute(units)] == [("0", 1), ("38", 788)]
        targets = text("SELECT target, province_code FROM warehouse.dim_target ORDER BY target")
        assert [tuple(row) for row in connection.execute(targets)] == [(70, "38"), (80, "")]


def test_figures_stored_before_their_words_were_read_say_the_same_as_if_read_now(engine: Engine) -> None:
    downgrade(engine, "0008")
    with engine.begin() as connection:
        connection.execute(text(PRINTED_BEFORE))
    upgrade(engine)
    with engine.connect() as connection:
        figures = text("SELECT printed, printed_as, numerator, denominator FROM warehouse.fact_published_figure ORDER BY row_key")
        assert [tuple(row) for row in connection.execute(figures)] == [
            ("hơn 96,5%", "above", None, None),
            ("khoảng 30%", "about", None, None),
            ("92,1%", "exact", 4795, 5205),
            ("1.195/1.195", "exact", 1195, 1195),
        ]


def test_values_of_a_district_after_its_last_day_end_with_the_last_publication(engine: Engine) -> None:
    downgrade(engine, "0008")
    with engine.begin() as connection:
        for statement in AFTER_ITS_LAST_DAY.split(";"):
            connection.execute(text(statement))
    upgrade(engine)
    with engine.connect() as connection:
        found = connection.execute(text("SELECT period, known_to = '2025-11-01 00:00+07' FROM warehouse.fact_indicator ORDER BY 1")).all()
    assert [tuple(row) for row in found] == [("2025-06", False), ("2025-08", True)]  # what began with that publication never was


def test_deliveries_of_payments_loaded_before_tell_the_days_of_their_period_that_were_over(engine: Engine) -> None:
    downgrade(engine, "0017")
    with engine.begin() as connection:
        connection.execute(text(PAID_BEFORE))
    upgrade(engine)
    query = text("SELECT source, first_day::text, last_day::text FROM ops.coverage JOIN ops.delivery USING (delivery_id) ORDER BY 1")
    with engine.connect() as connection:
        assert [tuple(row) for row in connection.execute(query)] == [
            ("day", "2024-03-10", "2024-03-10"),  # declared
            ("export", "2024-03-02", "2024-03-10"),  # from its first row on
            ("month", "2024-03-01", "2024-03-31"),
            ("none", "2024-03-02", "2024-03-08"),
            ("quarter", "2024-01-01", "2024-03-31"),
            ("running", "2024-03-01", "2024-03-14"),
            ("stretch", "2024-03-01", "2024-03-12"),
            ("today", None, None),
        ]


def test_a_new_month_of_payments_locks_no_reader_out(engine: Engine) -> None:
    with engine.begin() as loading, engine.connect() as reading:
        make_partition(loading, "2024-03-15")
        reading.execute(text("SET lock_timeout = '1s'"))
        assert reading.scalar(text("SELECT count(*) FROM warehouse.fact_payment")) == 0


HASHED_BEFORE = """
INSERT INTO ops.installation (item, value, changed_at) VALUES ('secret_key', 'what the key is known by', '2024-03-01 08:00+07');
INSERT INTO warehouse.fact_bill (bill_code, provider_key, service_key, unit_key, billing_month, amount_vnd, row_key, row_hash, known_from,
    loaded_by, delivery_id, row_number) VALUES ('B1', 2, 1, 1, '2024-03-01', 100, 1, 1, '2024-04-01', 1, 1, 1)
"""


def test_what_was_hashed_before_keys_had_numbers_was_hashed_with_the_first(engine: Engine) -> None:
    downgrade(engine, "0017")
    with engine.begin() as connection:
        for statement in HASHED_BEFORE.split(";"):
            connection.execute(text(statement))
    upgrade(engine)
    key = "SELECT key_number, fingerprint, used_from = '2024-03-01 08:00+07' FROM ops.pseudonym_key"
    with engine.begin() as connection:
        assert tuple(connection.execute(text(key)).one()) == (1, "what the key is known by", True)
        assert connection.scalar(text("SELECT key_number FROM warehouse.fact_bill")) == 1
        assert connection.scalar(text("SELECT count(*) FROM ops.installation WHERE item = 'secret_key'")) == 0
        connection.execute(text("INSERT INTO ops.pseudonym_key (key_number, fingerprint) VALUES (2, 'and the next')"))
    downgrade(engine, "0017")
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT value FROM ops.installation WHERE item = 'secret_key'")) == "and the next"


LOADED_BEFORE = """
INSERT INTO ops.delivery (source, feed, layout, provider, file_name, sha256, business_period, exported_at, received_at, loaded_at, status,
    rows_received, rows_loaded, rows_unchanged, rows_quarantined, rows_ignored)
SELECT source, feed, 'x', 'td', source, source, period, '2024-04-01', '2024-04-01', '2024-04-01', 'loaded', 0, 0, 0, 0, 0
FROM (VALUES ('evn', 'bills', '2024-03'), ('ec', 'payments', '2024-03'), ('counts', 'unit_counts', '2024'), ('ag', 'agencies', NULL))
    AS given (source, feed, period);
INSERT INTO warehouse.fact_bill (bill_code, provider_key, service_key, unit_key, billing_month, amount_vnd, row_key, row_hash, known_from,
    known_to, delivery_id, row_number)
VALUES ('B1', 2, 1, 1, '2024-03-01', 100, 1, 1, '2024-04-01', '2024-04-02', 1, 1),
    ('B1', 2, 1, 1, '2024-03-01', 120, 1, 2, '2024-04-02', 'infinity', 1, 1);
INSERT INTO warehouse.fact_unit_count (unit_key, period, measure, value, row_key, row_hash, known_from, delivery_id, row_number)
SELECT max(unit_key), '2024', 'population_adult', 10, 1, 1, '2024-04-01', 3, 1 FROM warehouse.dim_unit WHERE unit_code = '15655'
"""

PAID_BEFORE = """
SELECT warehouse.begin_payment_partition('2024-03-01'); SELECT warehouse.attach_payment_partition('2024-03-01');
INSERT INTO ops.delivery (source, feed, layout, provider, file_name, sha256, business_period, is_declared, exported_at, received_at,
    loaded_at, status, rows_received, rows_loaded, rows_unchanged, rows_quarantined, rows_ignored)
SELECT source, 'payments', 'x', 'dvcqg', source, source, period, source = 'day', CAST(at AS timestamptz), now(), now(), 'loaded',
    0, 0, 0, 0, 0
FROM (VALUES ('day', '2024-03-10', '2024-03-10 23:59:59+07'), ('export', '2024-03-10', '2024-03-10 23:59:59+07'),
    ('month', '2024-03', '2024-04-05 08:00+07'), ('none', NULL, '2024-04-05 08:00+07'), ('quarter', '2024-Q1', '2024-04-05 08:00+07'),
    ('running', '2024-03', '2024-03-15 08:00+07'), ('stretch', '2024-03-01/2024-03-12', '2024-04-05 08:00+07'),
    ('today', '2024-03-01/2024-03-31', '2024-03-01 08:00+07')) AS given (source, period, at);
INSERT INTO ops.coverage SELECT delivery_id, coalesce(business_period, file_name) FROM ops.delivery;
INSERT INTO warehouse.fact_payment (transaction_code, provider_key, service_key, unit_key, merchant_key, payment_method_key,
    payment_status_key, paid_at, business_date, amount_vnd, row_key, row_hash, known_from, loaded_by, delivery_id, row_number)
SELECT source || day, 5, 1, 0, 0, 2, 1, day, day, 1, hashtextextended(source || day, 0), 0, exported_at, 1, delivery_id, 1
FROM ops.delivery CROSS JOIN (VALUES (date '2024-03-02'), ('2024-03-08')) AS paid (day);
"""
AFTER_ITS_LAST_DAY = """
INSERT INTO ops.run (flow, as_of, started_at, status, host, process_id) VALUES ('nightly', '2025-11-01', now(), 'completed', 'h', 1);
INSERT INTO ops.publication (run_id, published_at, load_id, as_of)
VALUES (1, '2025-10-01 00:00+07', 0, '2025-10-01 00:00+07'), (1, '2025-11-01 00:00+07', 0, '2025-11-01 00:00+07');
INSERT INTO warehouse.fact_indicator (indicator_key, unit_key, period, revision, obs_status, known_from, publication_id)
SELECT 1, unit_key, period, 1, 'L', CAST(known_from AS timestamptz), 1 FROM warehouse.dim_unit CROSS JOIN (VALUES
    ('2025-06', '2025-10-01 00:00+07'), ('2025-08', '2025-10-01 00:00+07'), ('2025-Q3', '2025-11-01 00:00+07')) given (period, known_from)
WHERE unit_code = '396'
"""

SET_ASIDE_BEFORE = """
INSERT INTO ops.delivery (source, feed, layout, provider, file_name, sha256, exported_at, received_at, status)
VALUES ('evn', 'bills', 'evn_csv', 'evn', 'e', 'e', '2024-04-01', '2024-04-01', 'landed'),
    ('vnpt', 'signatures', 'telecom_xlsx', 'vnpt', 'v', 'v', '2024-04-01', '2024-04-01', 'landed');
INSERT INTO ops.quarantine (delivery_id, row_number, rule_code, column_name, severity, message_vi, status)
VALUES (1, 1, 'BIL-003', '', 'critical', '', 'dismissed'), (1, 2, 'BIL-003', '', 'critical', '', 'open'),
    (2, 1, 'SIG-003', '', 'critical', '', 'open')
"""

PRINTED_BEFORE = """
INSERT INTO warehouse.fact_published_figure (source_document, unit_key, period, indicator_code, numerator, denominator, printed,
    row_key, row_hash, known_from, loaded_by, delivery_id, row_number)
SELECT 'Báo', 1, '2024', 'ND3', numerator, denominator, printed, key, 1, '2025-04-30', 1, 1, 1
FROM (VALUES ('hơn 96,5%', NULL, NULL, 1), ('khoảng 30%', NULL, NULL, 2), ('92,1%', 4795, 5205, 3), ('1.195/1.195', NULL, NULL, 4))
    AS given (printed, numerator, denominator, key)
"""

BEFORE_ONE_NUMBER = "0004"
WORDS = "'Bảng', 'xa_hoi_so', 'a / b', 'Kế hoạch', 'PERCENT', 1, 1"
PUBLISHED_BEFORE = f"""
INSERT INTO ops.run (flow, as_of, started_at, finished_at, status, host, process_id) VALUES
    ('nightly', '2024-01-31 23:59+07', '2024-02-01 01:00+07', '2024-02-01 02:00+07', 'completed', 'h', 1),
    ('nightly', '2024-02-29 23:59+07', '2024-03-01 01:00+07', '2024-03-01 02:00+07', 'completed', 'h', 1);
INSERT INTO ops.publication (run_id, published_at, load_id, as_of, values_added, values_revised, values_unchanged)
VALUES (1, '2024-02-01 02:00+07', 0, '2024-01-31 23:59+07', 1, 0, 0);
INSERT INTO warehouse.dim_indicator (indicator_code, indicator_name, official_table, pillar, definition, legal_source, unit_measure,
    decimals, sort_order, valid_from, valid_to, counted_as, counted_since)
VALUES ('CQ4', 'Chỉ tiêu', {WORDS}, '0001-01-01', '9999-12-31', '', now());
INSERT INTO warehouse.dim_target VALUES (1, '2024-01-01', '2024-12-31', 80, 'Kế hoạch');
INSERT INTO warehouse.fact_indicator (indicator_key, unit_key, period, revision, obs_status, known_from, publication_id)
VALUES (1, 1, '2024', 1, 'M', '2024-01-31 23:59+07', 1);
INSERT INTO warehouse.fact_form_06a (unit_key, period, section, sector_code, revision, sector_name,
    c3, c4, c5, c6, c7, c8, c9, c10, c11, c12, c13, known_from, run_id)
SELECT 1, '2024-0' || n, 'commune', 'HT', 1, 'Hộ tịch', n, n, 0, 0, n, n, 0, 0, 0, 0, 0, '2024-01-31 23:59+07', n
FROM generate_series(1, 2) n
"""
TARGETS_BEFORE = f"""
INSERT INTO warehouse.dim_indicator (indicator_code, indicator_name, official_table, pillar, definition, legal_source, unit_measure,
    decimals, sort_order, valid_from, valid_to, counted_as, counted_since, known_from, version) VALUES
    ('CQ4', 'Chỉ tiêu', {WORDS}, '0001-01-01', '9999-12-31', '', now(), '-infinity', 1);
INSERT INTO warehouse.dim_target (indicator_key, known_from, valid_from, valid_to, target, legal_source)
SELECT indicator_key, known_from, given.valid_from, given.valid_from + 9, target, given.legal_source
FROM warehouse.dim_indicator CROSS JOIN (VALUES
    (date '2022-06-23', 80, 'Quyết định 766/QĐ-TTg'), ('2025-01-01', 70, 'Kế hoạch chuyển đổi số tỉnh Thanh Hóa năm 2025')
) given (valid_from, target, legal_source);
"""
VERSIONS_AFTER = f"""
UPDATE warehouse.dim_indicator SET valid_to = '2023-12-31';
INSERT INTO warehouse.dim_indicator (indicator_code, indicator_name, official_table, pillar, definition, legal_source, unit_measure,
    decimals, sort_order, valid_from, valid_to, counted_as, counted_since, known_from, known_to, version) VALUES
    ('CQ4', 'Tên cũ', {WORDS}, '2024-01-01', '9999-12-31', '', now(), '-infinity', '2024-03-31 23:59+07', 2),
    ('CQ4', 'Tên mới', {WORDS}, '2024-01-01', '9999-12-31', '', now(), '2024-03-31 23:59+07', 'infinity', 2);
UPDATE warehouse.dim_indicator SET indicator_key = 2 WHERE version = 2;
INSERT INTO warehouse.dim_target (indicator_key, valid_from, valid_to, target, legal_source, known_from, kind, population)
VALUES (2, '2024-01-01', '2024-12-31', 90, 'Kế hoạch', '2024-03-31 23:59+07', 'target', 'dossiers');
UPDATE warehouse.fact_indicator SET known_to = '2024-03-31 23:59+07';
INSERT INTO warehouse.fact_indicator (indicator_key, unit_key, period, revision, numerator, denominator, value, obs_status, known_from,
    publication_id)
VALUES (2, 1, '2024', 1, 1, 1, 100, 'A', '2024-03-31 23:59+07', 2)
"""
