"""Only the owner's upgrade changes the house, in place: what others built on our views stays, and what is missing is told with its mend."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from warehouse import views
from warehouse.database import connect, downgrade, open_warehouse, read_warehouse, upgrade, upgrade_warehouse
from warehouse.embedded import Server, serve
from warehouse.migrations.steps import newest_revision
from warehouse.settings import Refusal, Settings

KEY = b"a key of the tests, not a secret"
PASSWORD = "of these tests only"
GRANTED = text(
    """
    SELECT a.grantee::regrole || ' ' || a.privilege_type || ' ' || c.oid::regclass
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace CROSS JOIN aclexplode(c.relacl) a
    WHERE n.nspname IN ('warehouse', 'ops', 'mart', 'star') AND a.grantee <> c.relowner
    UNION
    SELECT a.grantee::regrole || ' ' || a.privilege_type || ' ' || c.attrelid::regclass || '.' || c.attname
    FROM pg_attribute c JOIN pg_class t ON t.oid = c.attrelid CROSS JOIN aclexplode(c.attacl) a
    WHERE t.relnamespace IN ('warehouse'::regnamespace, 'ops'::regnamespace)
    UNION
    SELECT a.grantee::regrole || ' ' || a.privilege_type || ' ' || n.nspname FROM pg_namespace n CROSS JOIN aclexplode(n.nspacl) a
    WHERE n.nspname IN ('staging', 'warehouse', 'ops', 'mart', 'star') AND a.grantee <> n.nspowner
    UNION
    SELECT a.grantee::regrole || ' ' || a.privilege_type || ' ' || f.oid::regprocedure FROM pg_proc f CROSS JOIN aclexplode(f.proacl) a
    WHERE f.pronamespace = 'warehouse'::regnamespace AND a.grantee <> f.proowner
    UNION
    SELECT d.defaclnamespace::regnamespace || ' ' || d.defaclacl::text FROM pg_default_acl d
    """
)
"""What anybody but the owner may do, asked of PostgreSQL's own catalogue."""


@pytest.fixture
def login(engine: Engine) -> Iterator[Callable[..., Engine]]:
    """Makes logins of their own, members of the roles named, and opens the warehouse with them."""
    made: dict[str, Engine] = {}

    def one(name: str, *roles: str) -> Engine:
        with engine.begin() as connection:
            connection.exec_driver_sql(f"CREATE ROLE {name} LOGIN PASSWORD '{PASSWORD}'")
            for role in roles:
                connection.exec_driver_sql(f"GRANT {role} TO {name}")
        made[name] = connect(engine.url.set(username=name, password=PASSWORD).render_as_string(hide_password=False))
        return made[name]

    yield one
    for name, opened in made.items():
        opened.dispose()
        with engine.begin() as connection:
            connection.exec_driver_sql(f"DROP OWNED BY {name} CASCADE; DROP ROLE {name}")


def settings_of(engine: Engine, home: Path) -> Settings:
    return Settings(home, engine.url.set(drivername="postgresql").render_as_string(hide_password=False), home / "sources.yaml", KEY)


def _empty(engine: Engine) -> None:
    """Leaves a database as an administrator makes it."""
    downgrade(engine)
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE public.alembic_version")


# Views ------------------------------------------------------------------------------------------------------------------


@pytest.fixture
def rewritten(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str, str, str], None]:
    """Changes a view as the next version of the program would."""
    folder = Path(shutil.copytree(views.FOLDER, tmp_path / "views"))
    monkeypatch.setattr(views, "FOLDER", folder)

    def change(file: str, before: str, after: str) -> None:
        path = folder / file
        assert before in path.read_text("utf-8")
        path.write_text(path.read_text("utf-8").replace(before, after, 1), "utf-8")

    return change


@pytest.fixture
def colleague(engine: Engine, login: Callable[..., Engine]) -> Engine:
    """Lan, who reads the mart and built a view of her own on it, in a schema of her own."""
    lan = login("lan", "bakhong_reader")
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE SCHEMA lan AUTHORIZATION lan")
    with lan.begin() as connection:
        connection.exec_driver_sql(
            "CREATE VIEW lan.tet AS SELECT date_key, holiday_name FROM mart.holiday WHERE holiday_name ILIKE '%%Tết%%'"
        )
    return lan


def _tet(colleague: Engine) -> int:
    with colleague.connect() as connection:
        return int(connection.scalar(text("SELECT count(*) FROM lan.tet")) or 0)


def _oids(connection: Connection) -> dict[str, int]:
    query = (
        "SELECT oid::regclass::text, oid FROM pg_class WHERE relkind = 'v' AND relnamespace IN ('mart'::regnamespace, 'star'::regnamespace)"
    )
    return dict(tuple(row) for row in connection.execute(text(query)))


def _columns(engine: Engine, view: str) -> list[str]:
    with engine.connect() as connection:
        query = "SELECT attname FROM pg_attribute WHERE attrelid = CAST(:view AS regclass) ORDER BY attnum"
        return list(connection.scalars(text(query), {"view": view}))


def test_a_column_more_at_the_end_is_put_in_place_and_the_colleagues_view_goes_on(
    engine: Engine, colleague: Engine, rewritten: Callable[[str, str, str], None]
) -> None:
    with engine.connect() as connection:
        before, versions = _oids(connection), dict(tuple(r) for r in connection.execute(text("SELECT oid, xmin::text FROM pg_rewrite")))
    days = _tet(colleague)
    assert days > 20
    rewritten("mart/80_holiday.sql", "holiday.evidence\n", "holiday.evidence, 'x' || holiday.holiday_name AS level_name\n")
    upgrade(engine)
    assert _columns(engine, "mart.holiday") == ["date_key", "is_working_day", "holiday_name", "legal_source", "evidence", "level_name"]
    assert _tet(colleague) == days
    with engine.connect() as connection:
        assert _oids(connection) == before
        rules = text("SELECT r.ev_class::regclass::text FROM pg_rewrite r WHERE NOT EXISTS (SELECT FROM unnest(CAST(:known AS text[])) k "
                     "WHERE k = r.oid || ' ' || r.xmin)")  # fmt: skip
        changed = connection.scalars(rules, {"known": [f"{oid} {version}" for oid, version in versions.items()]}).all()
    assert changed == ["mart.holiday"], "no other view is touched"


def test_a_column_more_in_the_middle_comes_last_where_a_colleague_stands_on_the_view(
    engine: Engine, colleague: Engine, rewritten: Callable[[str, str, str], None]
) -> None:
    rewritten("mart/80_holiday.sql", "holiday.evidence", "'x' AS level_name, holiday.evidence")
    upgrade(engine)
    assert _columns(engine, "mart.holiday") == ["date_key", "is_working_day", "holiday_name", "legal_source", "evidence", "level_name"]
    assert _tet(colleague) > 20


def test_without_anybody_on_it_a_view_is_made_anew_as_it_is_written_with_those_of_ours_on_it(
    engine: Engine, rewritten: Callable[[str, str, str], None]
) -> None:
    """`mart.indicator` and what stands on it: readers of before read them after."""
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE ROLE of_before; GRANT SELECT ON mart.holiday TO of_before")
    try:
        rewritten("mart/80_holiday.sql", "holiday.evidence", "'x' AS level_name, holiday.evidence")
        rewritten("mart/20_indicator.sql", "SELECT", "SELECT 'x' AS printed,")
        upgrade(engine)
        assert _columns(engine, "mart.holiday")[-2:] == ["level_name", "evidence"]
        assert _columns(engine, "mart.indicator")[0] == "printed"
        with engine.connect() as connection:
            readers = text("SELECT has_table_privilege(:role, CAST(:view AS regclass), 'SELECT')")
            for view in ("mart.holiday", "mart.indicator", "mart.indicator_public", "mart.indicator_rate"):
                assert connection.scalar(readers, {"role": "bakhong_reader", "view": view}), view
            assert connection.scalar(readers, {"role": "of_before", "view": "mart.holiday"}), "rights given to others are kept"
    finally:
        with engine.begin() as connection:
            connection.exec_driver_sql("DROP OWNED BY of_before; DROP ROLE of_before")


def test_a_column_that_goes_under_a_colleagues_view_names_it_and_her_and_changes_nothing(
    engine: Engine, colleague: Engine, rewritten: Callable[[str, str, str], None]
) -> None:
    rewritten("mart/80_holiday.sql", "holiday.holiday_name, ", "")
    rewritten("mart/70_due_date_change.sql", "SELECT", "SELECT 'x' AS printed,")  # comes before, and is taken back
    with pytest.raises(Refusal, match=r"lan\.tet \(của lan\)") as refusal:
        upgrade(engine)
    assert "mart.holiday" in str(refusal.value)
    assert "pg_get_viewdef" in str(refusal.value)
    assert "\n" not in str(refusal.value)
    assert _tet(colleague) > 20
    assert "printed" not in _columns(engine, "mart.due_date_change")
    with colleague.begin() as connection:
        connection.exec_driver_sql("DROP VIEW lan.tet")
    upgrade(engine)
    assert _columns(engine, "mart.holiday") == ["date_key", "is_working_day", "legal_source", "evidence"]


def test_a_view_that_is_no_more_goes_unless_somebody_stands_on_it(
    engine: Engine, colleague: Engine, rewritten: Callable[[str, str, str], None]
) -> None:
    (views.FOLDER / "mart" / "80_holiday.sql").unlink()
    with pytest.raises(Refusal, match=r"lan\.tet \(của lan\)"):
        upgrade(engine)
    (views.FOLDER / "mart" / "70_due_date_change.sql").unlink()
    with colleague.begin() as connection:
        connection.exec_driver_sql("DROP VIEW lan.tet")
    upgrade(engine)
    with engine.connect() as connection:
        assert not {"mart.holiday", "mart.due_date_change"} & set(_oids(connection))


# Who upgrades -----------------------------------------------------------------------------------------------------------


def test_a_warehouse_given_by_url_is_upgraded_by_nothing_but_the_upgrade(engine: Engine, home: Path) -> None:
    given = settings_of(engine, home)
    downgrade(engine, "0031")
    for opening in (open_warehouse, read_warehouse):
        with pytest.raises(Refusal, match=r"bản 0031.*chủ kho chạy `bakhong warehouse upgrade`"), opening(given):
            pass
    assert upgrade_warehouse(given).revision == newest_revision()
    with open_warehouse(given):
        pass


def test_an_empty_database_is_made_a_warehouse_by_its_first_night_and_by_no_question(engine: Engine, home: Path) -> None:
    given = settings_of(engine, home)
    downgrade(engine)
    with pytest.raises(Refusal, match=r"còn trống: chủ kho chạy `bakhong warehouse upgrade`"), read_warehouse(given):
        pass
    with open_warehouse(given) as opened, opened.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM mart.indicator")) == 0


def test_the_embedded_warehouse_is_made_at_birth_and_migrated_by_the_upgrade_alone(home: Path) -> None:
    embedded = Settings(home, None, home / "sources.yaml", KEY)
    with open_warehouse(embedded) as engine:
        downgrade(engine, "0031")
    with pytest.raises(Refusal, match=r"bản 0031.*`bakhong warehouse upgrade`"), open_warehouse(embedded):
        pass
    upgrade_warehouse(embedded)
    with open_warehouse(embedded) as engine, engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM mart.indicator")) == 0


def test_an_embedded_database_whose_making_was_cut_short_is_made_at_the_next_opening(home: Path) -> None:
    with serve(home) as server:
        administrator = connect(server.url("owner", "postgres")).execution_options(isolation_level="AUTOCOMMIT")
        with administrator.connect() as connection:
            connection.exec_driver_sql("CREATE DATABASE bakhong")
        administrator.dispose()
    with open_warehouse(Settings(home, None, home / "sources.yaml", KEY)) as engine, engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM mart.indicator")) == 0


@pytest.mark.parametrize(
    ("spoilt", "told"),
    [
        ("UPDATE ops.installation SET value = 'of before' WHERE item = 'reference'", "danh mục"),
        ("DELETE FROM warehouse.dim_date WHERE date_key > CURRENT_DATE", "lịch ngày"),
    ],
    ids=["reference data of another version", "a calendar that runs out"],
)
def test_a_night_is_not_counted_with_what_is_out_of_date_and_who_asks_is_not_kept_from_it(
    engine: Engine, home: Path, login: Callable[..., Engine], spoilt: str, told: str
) -> None:
    given = settings_of(login("loads", "bakhong_etl"), home)
    with engine.begin() as connection:
        connection.execute(text(spoilt))
    with read_warehouse(given):
        pass
    with pytest.raises(Refusal, match=f"{told}.*`bakhong warehouse upgrade`"), open_warehouse(given):
        pass
    upgrade_warehouse(settings_of(engine, home))
    with open_warehouse(given) as opened, opened.connect() as connection:
        assert connection.scalar(text("SELECT max(date_key) FROM warehouse.dim_date")) == date(date.today().year + 10, 12, 31)


def test_a_list_that_changed_holds_from_the_owners_next_night(engine: Engine, home: Path) -> None:
    with engine.begin() as connection:
        connection.execute(text("UPDATE ops.installation SET value = 'of before' WHERE item = 'reference'"))
        connection.execute(text("UPDATE warehouse.dim_payment_method SET is_cashless = NOT is_cashless WHERE payment_method_code = 'VI'"))
    with open_warehouse(settings_of(engine, home)) as opened, opened.connect() as connection:
        assert connection.scalar(text("SELECT is_cashless FROM warehouse.dim_payment_method WHERE payment_method_code = 'VI'")) is True


def test_who_has_no_role_is_told_the_grant_that_he_needs(engine: Engine, home: Path, login: Callable[..., Engine]) -> None:
    anybody, reader, steward = login("anybody"), login("reads_only", "bakhong_reader"), login("decides", "bakhong_steward")
    for opened, name in ((anybody, "anybody"), (reader, "reads_only")):
        with pytest.raises(Refusal, match=f"GRANT bakhong_etl TO {name};"), open_warehouse(settings_of(opened, home)):
            pass
    with pytest.raises(Refusal, match="GRANT bakhong_etl TO decides;"), open_warehouse(settings_of(steward, home)):
        pass
    with read_warehouse(settings_of(steward, home)):
        pass


def test_whoever_works_here_is_never_told_to_become_the_owner(engine: Engine, home: Path, login: Callable[..., Engine]) -> None:
    night = login("the_night", "bakhong_etl")
    for prepared in (lambda: None, lambda: downgrade(engine, "0031"), lambda: downgrade(engine)):
        prepared()
        with pytest.raises(Refusal, match="việc của chủ kho, không phải của tài khoản the_night") as refusal:
            upgrade_warehouse(settings_of(night, home))
        assert "OWNER TO" not in str(refusal.value)
        with engine.connect() as connection:
            made = connection.scalar(text("SELECT to_regnamespace('ops') IS NOT NULL"))
        assert ("BAKHONG_WAREHOUSE_URL của bakhong" in str(refusal.value)) is made


def test_what_a_superuser_upgrades_stays_the_owners(server: Server, engine: Engine, home: Path, login: Callable[..., Engine]) -> None:
    login("keeps_house")
    with engine.begin() as connection:
        connection.exec_driver_sql(f"ALTER DATABASE {engine.url.database} OWNER TO keeps_house")
    _empty(engine)
    owner = connect(engine.url.set(username="keeps_house", password=PASSWORD).render_as_string(hide_password=False))
    upgrade(owner)
    downgrade(owner, "0031")
    owner.dispose()
    upgrade(engine)  # as the superuser
    with engine.connect() as connection:
        owners = "SELECT DISTINCT relowner::regrole::text FROM pg_class WHERE relnamespace IN ('ops'::regnamespace, 'mart'::regnamespace)"
        assert connection.scalars(text(owners)).all() == ["keeps_house"]
    _empty(engine)
    with engine.begin() as connection:
        connection.exec_driver_sql(f"ALTER DATABASE {engine.url.database} OWNER TO bakhong")


# Rights -----------------------------------------------------------------------------------------------------------------


def _granted(engine: Engine) -> set[str]:
    with engine.connect() as connection:
        return set(connection.scalars(GRANTED))


def test_rights_that_a_restore_lost_are_told_by_every_command_and_laid_down_by_the_upgrade(
    engine: Engine, home: Path, login: Callable[..., Engine]
) -> None:
    """As pg_restore leaves it on a server without the roles: tables with their rows, and no right of anybody."""
    before = _granted(engine)
    night, steward = login("the_night", "bakhong_etl"), login("decides", "bakhong_steward")
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP OWNED BY bakhong_etl, bakhong_steward, bakhong_reader")
    assert not [right for right in _granted(engine) if "bakhong_" in right]
    for opened, opening in ((night, open_warehouse), (steward, read_warehouse), (engine, open_warehouse), (engine, read_warehouse)):
        with pytest.raises(Refusal, match=r"quyền.*`bakhong warehouse upgrade`") as refusal, opening(settings_of(opened, home)):
            pass
        assert "\n" not in str(refusal.value)
    upgrade(engine)
    assert _granted(engine) == before, "what migrations granted one by one is what grants.sql declares"
    for opened, opening in ((night, open_warehouse), (steward, read_warehouse)):
        with opening(settings_of(opened, home)):
            pass


def test_a_single_right_that_went_is_named(engine: Engine, home: Path) -> None:
    with engine.begin() as connection:
        connection.exec_driver_sql("REVOKE SELECT ON warehouse.fact_bill FROM bakhong_etl")
    with pytest.raises(Refusal, match=r"thiếu 1 quyền.*bakhong_etl SELECT warehouse\.fact_bill"), read_warehouse(settings_of(engine, home)):
        pass
    with engine.begin() as connection:
        connection.exec_driver_sql("GRANT SELECT ON warehouse.fact_bill TO bakhong_etl; GRANT SELECT ON ops.run TO bakhong_reader")
    with read_warehouse(settings_of(engine, home)):
        pass  # what an administrator gives beyond is his affair


def test_upgrading_again_narrows_and_widens_no_right(engine: Engine) -> None:
    before = _granted(engine)
    with engine.begin() as connection:
        connection.execute(text("SELECT warehouse.begin_payment_partition('2024-01-01'), warehouse.attach_payment_partition('2024-01-01')"))
    month = _granted(engine)
    with engine.begin() as connection:
        connection.execute(text("UPDATE ops.installation SET value = 'of before' WHERE item = 'grants as declared'"))
    upgrade(engine)
    assert _granted(engine) == month
    assert month - before == {f"bakhong_etl {right} warehouse.fact_payment_202401" for right in ("SELECT", "UPDATE", "DELETE", "MAINTAIN")}


WRITING = ("CREATE TEMPORARY TABLE mine (a int)", "SELECT lo_create(0)", "SELECT lo_from_bytea(0, 'x')", "CREATE TABLE public.mine (a int)")


def test_readers_write_nothing_at_all(engine: Engine, login: Callable[..., Engine]) -> None:
    upgrade(engine)
    reads, night, decides = login("reads_only", "bakhong_reader"), login("the_night", "bakhong_etl"), login("decides", "bakhong_steward")
    for statement in WRITING:
        with reads.connect() as connection, pytest.raises(DBAPIError, match="permission denied"):
            connection.execute(text(statement))
    for works in (night, decides):
        with works.connect() as connection:
            connection.execute(text(WRITING[0]))


def test_an_owner_who_may_not_close_a_door_says_who_does_it_and_how(
    server: Server, engine: Engine, home: Path, login: Callable[..., Engine]
) -> None:
    """As on a managed PostgreSQL, whose functions are its own."""
    owner = login("keeps_house")
    database = engine.url.database
    _empty(engine)
    with engine.begin() as connection:
        connection.exec_driver_sql(f"GRANT CREATE ON DATABASE {database} TO keeps_house; GRANT CREATE ON SCHEMA public TO keeps_house")
        connection.exec_driver_sql("GRANT EXECUTE ON FUNCTION lo_create(oid) TO PUBLIC")
    told = upgrade_warehouse(settings_of(owner, home)).still_open
    assert told[0] == f"REVOKE TEMPORARY ON DATABASE {database} FROM PUBLIC"
    assert told[1] == "REVOKE EXECUTE ON FUNCTION pg_catalog.lo_create(oid) FROM PUBLIC"
    with engine.begin() as connection:
        for statement in told:
            connection.exec_driver_sql(statement)
    assert upgrade_warehouse(settings_of(owner, home)).still_open == []


def test_roles_that_a_server_lacks_are_made_by_the_upgrade_where_it_may(tmp_path_factory: pytest.TempPathFactory) -> None:
    home = tmp_path_factory.mktemp("bare")
    with serve(home) as bare:
        administrator = connect(bare.url("owner", "postgres")).execution_options(isolation_level="AUTOCOMMIT")
        with administrator.connect() as connection:
            connection.exec_driver_sql("CREATE DATABASE house")
            house = connect(bare.url("owner", "house"))
            upgrade(house)
            connection.exec_driver_sql(f"CREATE ROLE the_night LOGIN PASSWORD '{PASSWORD}'")
            with house.begin() as inside:
                inside.exec_driver_sql("DROP OWNED BY bakhong_etl, bakhong_steward, bakhong_reader")
            connection.exec_driver_sql("DROP ROLE bakhong_etl, bakhong_steward, bakhong_reader")
            night = house.url.set(username="the_night", password=PASSWORD, drivername="postgresql").render_as_string(hide_password=False)
            given = replace(settings_of(house, home), warehouse_url=night)
            lacks = r"chưa có vai trò bakhong_etl.*upgrade`, rồi .*GRANT bakhong_etl TO the_night;"
            with pytest.raises(Refusal, match=lacks), open_warehouse(given):
                pass
            upgrade(house)
            connection.exec_driver_sql("GRANT bakhong_etl TO the_night")
            with open_warehouse(given):
                pass
            house.dispose()
        administrator.dispose()
