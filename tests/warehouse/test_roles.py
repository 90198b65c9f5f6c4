from collections.abc import Iterator
from datetime import datetime

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from tasks.ask.explain import explain
from tasks.ask.official_table import find_unit
from tasks.ask.scope import WHOLE
from tasks.deliveries.coverage import Stretch
from tasks.load.beside_days import differences
from tests.warehouse.deliveries import deliver, land
from tests.warehouse.facts import NGOC_PHUNG, bills, dossiers, holders, make_partition, person, publish, surveys, unit_counts
from tests.warehouse.test_load_rows import payment
from warehouse.database import connect, upgrade
from warehouse.embedded import Server
from warehouse.settings import Refusal

FORBIDDEN = "42501"


@pytest.fixture
def login(server: Server, engine: Engine) -> Iterator[dict[str, Engine]]:
    """The same warehouse, opened with each role's own password."""
    with engine.begin() as connection:
        for role in ("etl", "steward", "reader"):
            connection.exec_driver_sql(f"ALTER ROLE bakhong_{role} LOGIN PASSWORD '{server.passwords[role]}'")
        connection.execute(
            text(
                """
                INSERT INTO ops.delivery (source, feed, layout, provider, file_name, sha256, received_at, status)
                VALUES ('a', 'bills', 'evn_csv', 'evn', 'a.csv', 'ff', now(), 'landed');
                INSERT INTO ops.quarantine (delivery_id, row_number, rule_code, column_name, severity, message_vi, status)
                VALUES (1, 7, 'BIL-001', '', 'critical', 'Sai', 'open')
                """
            )
        )
    engines = {role: connect(server.url(role, str(engine.url.database))) for role in ("etl", "steward", "reader")}
    yield engines
    for opened in engines.values():
        opened.dispose()


def _refused(engine: Engine, statement: str) -> bool:
    with engine.connect() as connection:
        try:
            connection.execute(text(statement))
        except DBAPIError as error:
            return getattr(error.orig, "sqlstate", None) == FORBIDDEN
        connection.rollback()
    return False


@pytest.mark.parametrize("schema", ["mart", "star"])
def test_everyone_reads_the_views(login: dict[str, Engine], engine: Engine, schema: str) -> None:
    with engine.connect() as connection:
        views = connection.scalars(text("SELECT viewname FROM pg_views WHERE schemaname = :schema"), {"schema": schema}).all()
    assert len(views) > 15
    for opened in login.values():
        assert [view for view in views if _refused(opened, f"SELECT * FROM {schema}.{view} LIMIT 1")] == []


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM warehouse.dim_unit",
        "SELECT * FROM warehouse.fact_dossier",
        "SELECT * FROM ops.delivery",
        "SELECT * FROM ops.quarantine",
        "CREATE TABLE staging.mine (a int)",
        "CREATE TABLE mart.mine (a int)",
        "CREATE TABLE public.mine (a int)",
        "SELECT warehouse.begin_payment_partition('2024-01-01')",
        "SELECT warehouse.attach_payment_partition('2024-01-01')",
        "DELETE FROM mart.unit",
        "CREATE TABLE star.mine (a int)",
        "DELETE FROM star.dim_channel",
    ],
)
def test_the_reader_sees_the_views_only(login: dict[str, Engine], statement: str) -> None:
    assert _refused(login["reader"], statement)


@pytest.mark.parametrize("table", ["delivery", "quarantine", "verdict", "run", "publication"])
def test_the_steward_reads_what_became_of_deliveries(login: dict[str, Engine], table: str) -> None:
    assert not _refused(login["steward"], f"SELECT * FROM ops.{table}")


def test_the_steward_decides_on_a_row_set_aside(login: dict[str, Engine]) -> None:
    with login["steward"].begin() as connection:
        changed = connection.execute(
            text("UPDATE ops.quarantine SET status = 'dismissed', decided_by = 'Lan', decided_at = now() WHERE row_number = 7")
        )
    assert changed.rowcount == 1


def test_the_steward_lets_a_delivery_pass(login: dict[str, Engine]) -> None:
    assert not _refused(login["steward"], "INSERT INTO ops.allowance SELECT delivery_id, 'BIL-011', 'Lan', now() FROM ops.delivery")


def test_the_steward_holds_a_collectors_files_against_each_other(login: dict[str, Engine], engine: Engine) -> None:
    for covers, codes in (("2024-03-15", ["T1"]), ("2024-03", ["T1", "T2"])):
        paid = [payment(code, paid_at=datetime(2024, 3, 15, 8)) for code in codes]
        deliver(engine, land(engine, "payments", "2024-03-31" if covers == "2024-03" else covers, covers=covers), paid)
    with login["steward"].connect() as connection:
        found = differences(connection, "ecpay", Stretch.of("2024-03"))
    assert [row["transaction_code"] for row in found or []] == ["T2"]
    assert _refused(login["steward"], "SELECT dossier_key FROM warehouse.fact_payment")
    assert _refused(login["reader"], "SELECT amount_vnd FROM warehouse.fact_payment")


def test_the_steward_is_told_how_a_number_came_about_and_sees_no_person(login: dict[str, Engine], engine: Engine) -> None:
    with engine.begin() as c:
        dossiers(c, [{}])
        bills(c, [{"bill_code": "HD-1", "customer_hash": person(1)}])
        holders(c, [{"holder_hash": person(1)}])
        unit_counts(c, NGOC_PHUNG, "2024-12", {"population_adult": 1000, "shops_qr": 1, "shops_total": 2})
        surveys(c, [{"respondents": 50, "positive_answers": 40}])
    publish(engine)
    with login["steward"].connect() as c:
        told = {code: explain(c, code, find_unit(c, NGOC_PHUNG, "2024"), "2024", WHOLE) for code in ("CQ4", "K2a", "K2g", "K1b", "ND5")}
    assert {code: (len(one.files), one.is_closed) for code, one in told.items()} == {
        "CQ4": (1, False),
        "K2a": (1, False),
        "K2g": (1, False),
        "K1b": (1, False),
        "ND5": (0, True),
    }
    for column in ("fact_bill.customer_hash", "fact_dossier.applicant_hash", "fact_signature_holder.holder_hash", "fact_bill.bill_code"):
        table, name = column.split(".")
        assert _refused(login["steward"], f"SELECT {name} FROM warehouse.{table}"), column


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM ops.allowance",
        "UPDATE ops.ratio SET numerator = 1",
        "UPDATE ops.quarantine SET message_vi = ''",
        "DELETE FROM ops.quarantine",
        "UPDATE ops.delivery SET status = 'loaded'",
        "SELECT * FROM warehouse.fact_dossier",
        "CREATE TABLE staging.mine (a int)",
    ],
)
def test_the_steward_changes_nothing_else(login: dict[str, Engine], statement: str) -> None:
    assert _refused(login["steward"], statement)


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO warehouse.dim_agency (agency_code, valid_from, valid_to, agency_name, unit_key, is_inferred) "
        "VALUES ('H56.1', '2024-01-01', '9999-12-31', 'A', 0, false)",
        "UPDATE ops.delivery SET business_period = '2024'",
        "CREATE UNLOGGED TABLE staging.delivery_1 (a int)",
        "DELETE FROM ops.verdict",
        "SELECT warehouse.begin_payment_partition('2024-01-01')",
    ],
)
def test_the_loader_writes(login: dict[str, Engine], statement: str) -> None:
    assert not _refused(login["etl"], statement)


@pytest.mark.parametrize(
    "statement", ["DROP TABLE warehouse.fact_bill", "CREATE TABLE warehouse.mine (a int)", "CREATE ROLE mine", "DROP VIEW mart.indicator"]
)
def test_the_loader_does_not_change_the_house(login: dict[str, Engine], statement: str) -> None:
    assert _refused(login["etl"], statement)


def test_a_payment_written_by_the_loader_finds_its_month(login: dict[str, Engine]) -> None:
    with login["etl"].begin() as connection:
        make_partition(connection, "2024-02-29")
        make_partition(connection, "2024-02-01")
        connection.execute(
            text(
                """
                INSERT INTO warehouse.fact_payment (transaction_code, provider_key, service_key, unit_key, merchant_key, payment_method_key,
                    payment_status_key, paid_at, business_date, amount_vnd, row_key, row_hash, known_from, loaded_by, delivery_id,
                    row_number)
                VALUES ('T1', 5, 1, 1, 0, 2, 1, '2024-02-29 23:59:59', '2024-02-29', 1000, 1, 1, now(), 1, 1, 1)
                """
            )
        )
        assert (
            connection.execute(text("SELECT tableoid::regclass::text FROM warehouse.fact_payment")).scalar()
            == "warehouse.fact_payment_202402"
        )


def test_a_wrong_password_is_refused(server: Server, engine: Engine) -> None:
    address = server.url("owner").replace(server.passwords["owner"], "wrong")
    with pytest.raises(Refusal, match=r"không trả lời.*password authentication failed") as refusal:
        upgrade(connect(address))
    assert "wrong" not in str(refusal.value)


def test_a_user_who_may_not_create_schemas_is_told_what_to_ask_for(server: Server) -> None:
    owner = connect(server.url("owner", "postgres")).execution_options(isolation_level="AUTOCOMMIT")
    with owner.connect() as connection:
        connection.exec_driver_sql("CREATE ROLE guest LOGIN PASSWORD 'guest-of-a-test'")
        connection.exec_driver_sql("CREATE DATABASE foreign_house")
        try:
            guest = connect(server.url("owner", "foreign_house").replace("bakhong:" + server.passwords["owner"], "guest:guest-of-a-test"))
            with pytest.raises(Refusal, match="không lập được lược đồ"):
                upgrade(guest)
            connection.exec_driver_sql("ALTER DATABASE foreign_house OWNER TO guest")
            upgrade(guest)  # the roles are there already, so nobody needs the right to make them
            guest.dispose()
        finally:
            connection.exec_driver_sql("DROP DATABASE foreign_house WITH (FORCE)")
            connection.exec_driver_sql("DROP ROLE guest")
    owner.dispose()


def test_a_user_who_may_not_create_roles_is_told_the_statements_to_run(tmp_path_factory: pytest.TempPathFactory) -> None:
    from warehouse.embedded import serve

    with serve(tmp_path_factory.mktemp("bare")) as bare:
        owner = connect(bare.url("owner", "postgres")).execution_options(isolation_level="AUTOCOMMIT")
        with owner.connect() as connection:
            connection.exec_driver_sql("CREATE ROLE guest LOGIN PASSWORD 'guest-of-a-test'")
            connection.exec_driver_sql("CREATE DATABASE house OWNER guest")
            guest = connect(bare.url("owner", "house").replace("bakhong:" + bare.passwords["owner"], "guest:guest-of-a-test"))
            with pytest.raises(Refusal, match="CREATE ROLE bakhong_etl; CREATE ROLE bakhong_steward; CREATE ROLE bakhong_reader;"):
                upgrade(guest)
            guest.dispose()
        owner.dispose()
