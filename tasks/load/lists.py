"""Lines of lists in force → members of a dimension; facts that now resolve otherwise get a new state."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Table, UniqueConstraint, text

from tasks.load.dimensions import NOT_GIVEN
from tasks.load.history import renew, temporary
from tasks.load.received import ISSUER, RECEIVED_ON, TOLD_OF
from tasks.load.work import Load
from warehouse.succession import BY_CODE
from warehouse.tables import fact_dossier, metadata


@dataclass(frozen=True)
class Members:
    """The dimension that is made of a list, and how: one member a line and stretch of days in which nothing about it changes."""

    table: Table
    said: dict[str, str]
    """Column of the dimension → SQL over the line l, its unit u and its provider p."""

    @classmethod
    def of(cls, listed: Table) -> Members:
        """The dimension that bears the list's name; its columns are the list's, or are found by their code."""
        table = metadata.tables[f"warehouse.{listed.name.replace('list_', 'dim_')}"]
        names, given = ({column.name for column in one.columns} for one in (table, listed))
        said = {name: f"l.{name}" for name in sorted(names & given - {"valid_from", "delivery_id"})}
        # A member that has to have what a line may lack says of it what an inferred one says.
        said |= {name: f"coalesce({said[name]}, '{blank}')" for name, blank in NOT_GIVEN.items() if name in said}
        said |= {"valid_to": "least(l.ends, u.valid_to)" if "unit_key" in names else "l.ends"}
        said |= {"unit_key": "u.unit_key"} if "unit_key" in names else {}
        said |= {"provider_key": "p.provider_key"} if "provider_key" in names else {}
        said |= {"is_inferred": "false"} if "is_inferred" in names else {}
        missing = names - said.keys() - {*table.primary_key.columns.keys(), "valid_from", "delivery_id"}
        if missing:
            raise LookupError(f"{table.name}: nothing in {listed.name} says {', '.join(sorted(missing))}")
        return cls(table, said)

    @property
    def code(self) -> list[str]:
        """Columns that a member is known by, beside the day from which it is valid."""
        known_by = next(one for one in self.table.constraints if isinstance(one, UniqueConstraint))
        return [column.name for column in known_by.columns if column.name != "valid_from"]

    @property
    def content(self) -> list[str]:
        """The other columns that a line says."""
        return [name for name in self.said if name not in self.code]

    @property
    def may_be_inferred(self) -> bool:
        """Whether facts make members of codes that no list knows yet."""
        return "is_inferred" in self.said


def make_members(work: Load) -> None:
    """Makes a dimension say what the lines in force of all sources say.

    A line ends where the next of its code begins. One whose unit was reorganised is divided at that day, so that a member always
    lies in one unit: from then on in the one that took over, or the unknown one where it was divided. What no list says any more holds
    on no day; the member stays, since older states refer to it. `changed` holds the members that are not what they were.
    """
    members = Members.of(work.table)
    table, key = members.table.fullname, (*members.code, "valid_from")
    _want(work, members)
    code = ", ".join(members.code)
    temporary(work.connection, "changed", f"LIKE {table}")
    same = " AND ".join(f"d.{name} = w.{name}" for name in key)
    old, new = (", ".join(f"{side}.{name}" for name in members.content) for side in "dw")
    values = {"delivery_id": work.delivery.delivery_id}
    assignments = ", ".join(f"{name} = w.{name}" for name in members.content)
    _change(
        work,
        f"UPDATE {table} AS d SET {assignments}, delivery_id = :delivery_id FROM pg_temp.wanted AS w "
        f"WHERE {same} AND ({old}) IS DISTINCT FROM ({new}) RETURNING d.*",
        values,
    )
    names = ", ".join([*key, *members.content])
    _change(
        work,
        f"INSERT INTO {table} ({names}, delivery_id) SELECT {names}, :delivery_id FROM pg_temp.wanted AS w "
        f"WHERE NOT EXISTS (SELECT FROM {table} AS d WHERE {same}) RETURNING *",
        values,
    )
    # Members of a source whose list was loaded before lists were kept, and has not been read again, are left as they are.
    kept = f"SELECT source FROM ops.delivery WHERE delivery_id IN (SELECT delivery_id FROM {work.table.fullname})"
    listed = f"d.delivery_id IN (SELECT delivery_id FROM ops.delivery WHERE source IN ({kept}))"
    if members.may_be_inferred:
        named = f"({', '.join(f'd.{name}' for name in members.code)}) IN (SELECT {code} FROM pg_temp.wanted)"
        listed = f"({listed} AND NOT d.is_inferred OR d.is_inferred AND d.valid_from < '9999-12-31' AND {named})"
    _change(
        work,
        f"UPDATE {table} AS d SET valid_to = greatest(d.valid_from - 1, DATE '0001-01-01') "
        f"WHERE {listed} AND d.valid_to >= d.valid_from AND d.valid_to > '0001-01-01' "
        f"AND NOT EXISTS (SELECT FROM pg_temp.wanted AS w WHERE {same}) RETURNING d.*",
    )
    if work.contract.feed in ("agencies", "procedures"):
        _resolve_again(work)


def _change(work: Load, statement: str, values: dict[str, int] | None = None) -> None:
    """Changes members, and keeps in the temporary table `changed` which these are."""
    work.connection.execute(text(f"WITH one AS ({statement}) INSERT INTO pg_temp.changed SELECT * FROM one"), values or {})


def _want(work: Load, members: Members) -> None:
    """The temporary table `wanted`: members as the lines in force say, those of unknown units and providers having been set aside."""
    by_code = ", ".join(name for name in work.contract.natural_key if name != "valid_from")
    shown = ", ".join(f"{expression} AS {name}" for name, expression in members.said.items())
    begins, joined = "l.valid_from", ""
    if "unit_key" in members.said:
        begins = "greatest(l.valid_from, u.valid_from)"
        joined += f"JOIN ({BY_CODE}) AS u ON u.unit_code = l.unit_code AND u.valid_from <= l.ends AND u.valid_to >= l.valid_from "
    if "provider_key" in members.said:
        joined += "JOIN warehouse.dim_provider AS p ON p.provider_code = l.provider_code "
    work.connection.execute(
        text(
            f"CREATE TEMP TABLE wanted ON COMMIT DROP AS SELECT {begins} AS valid_from, {shown} FROM ("
            "SELECT *, least(coalesce(valid_to, DATE '9999-12-31'), "
            f"lead(valid_from) OVER (PARTITION BY {by_code} ORDER BY valid_from) - 1) AS ends FROM {work.table.fullname} "
            f"WHERE known_to = 'infinity') AS l {joined}WHERE l.ends >= l.valid_from"
        )
    )


def _resolve_again(work: Load) -> None:
    """Current dossiers whose agency, units or procedure are others now go on with these from the export of the list."""
    issuer = f"CASE WHEN f.received_unit_key = 0 AND a.unit_key <> 0 THEN substring(f.dossier_code FROM '{ISSUER}') END"
    found = {
        "agency_key": "coalesce(a.agency_key, r.agency_key)",
        "unit_key": "coalesce(a.unit_key, r.unit_key)",
        # Who received it stays where a reorganisation came between (tasks.load.received).
        "received_unit_key": f"CASE WHEN u.unit_key = 0 OR u.valid_to >= {TOLD_OF} THEN coalesce(g.unit_key, r.unit_key, i.unit_key) END",
        "procedure_key": "p.procedure_key",
    }
    now = {name: f"coalesce({there}, f.{name})" for name, there in found.items()}
    work.connection.execute(
        text(
            f"CREATE TEMP TABLE resolved ON COMMIT DROP AS SELECT f.row_key, f.known_from, "
            f"{', '.join(f'{there} AS {name}' for name, there in now.items())} FROM warehouse.fact_dossier AS f "
            "JOIN warehouse.dim_dossier_status AS s USING (dossier_status_key) "
            "JOIN warehouse.dim_unit AS u ON u.unit_key = f.received_unit_key "
            "JOIN warehouse.dim_agency AS oa ON oa.agency_key = f.agency_key "
            "JOIN warehouse.dim_procedure AS op ON op.procedure_key = f.procedure_key "
            f"LEFT JOIN warehouse.dim_agency AS a ON a.agency_code = oa.agency_code AND {TOLD_OF} BETWEEN a.valid_from AND a.valid_to "
            f"LEFT JOIN warehouse.dim_agency AS r ON r.agency_code = oa.agency_code AND {RECEIVED_ON} BETWEEN r.valid_from AND r.valid_to "
            "LEFT JOIN warehouse.dim_agency AS og ON og.agency_key = f.receiving_agency_key "
            f"LEFT JOIN warehouse.dim_agency AS g ON g.agency_code = og.agency_code AND {RECEIVED_ON} BETWEEN g.valid_from AND g.valid_to "
            f"LEFT JOIN warehouse.dim_agency AS i ON i.agency_code = {issuer} AND {RECEIVED_ON} BETWEEN i.valid_from AND i.valid_to "
            "LEFT JOIN warehouse.dim_procedure AS p "
            f"ON p.procedure_code = op.procedure_code AND {RECEIVED_ON} BETWEEN p.valid_from AND p.valid_to "
            f"WHERE f.known_to = 'infinity' AND ({', '.join(now.values())}) IS DISTINCT FROM ({', '.join(f'f.{name}' for name in now)})"
        )
    )
    renew(work.connection, fact_dossier, work.load_id, work.delivery.exported_at, "pg_temp.resolved", list(now))
    work.connection.execute(text("INSERT INTO pg_temp.told_again SELECT row_key FROM pg_temp.resolved"))
