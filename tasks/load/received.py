"""Who received a dossier stays the same when its unit is reorganised and another one exports it."""

from __future__ import annotations

from sqlalchemy import text

from tasks.load.history import current_of, renew
from tasks.load.work import Load
from warehouse.tables import fact_dossier

ISSUER = r"^(.+)-\d{6}-\d{4,6}$"
"""The identifier with which the code of a dossier begins, of the agency that received it (Thông tư 01/2018/TT-VPCP, Điều 19)."""

_EXPORTED = "(f.known_from AT TIME ZONE 'Asia/Ho_Chi_Minh')::date"
RECEIVED_ON = f"coalesce(f.received_at::date, f.submitted_at::date, {_EXPORTED})"
"""SQL of the day on which dossier f was received."""
_ENDED = f"greatest(coalesce(f.finished_at, f.returned_at, f.refused_at, f.updated_at, f.received_at)::date, {RECEIVED_ON})"
TOLD_OF = f"CASE WHEN s.is_solved OR s.is_withdrawn THEN least({_ENDED}, {_EXPORTED}) ELSE {_EXPORTED} END"
"""SQL of the day that the state of dossier f with status s speaks of: when it ended, else the export."""

# Of a current state: the unit of its last earlier state, where it names none itself or that one ended before what it tells; else
# the one unit of the day received that went into the unit that handles it now.
_STAYS = f"""
CREATE TEMP TABLE stays ON COMMIT DROP AS
WITH past AS MATERIALIZED (  -- keys of states written that hold no more, as of a delivery that came late
    SELECT DISTINCT row_key FROM warehouse.fact_dossier WHERE loaded_by = :load_id AND known_to < 'infinity' ORDER BY row_key
), touched AS (
    SELECT * FROM warehouse.fact_dossier WHERE loaded_by = :load_id AND known_to = 'infinity'
    UNION ALL
    SELECT f.* FROM {current_of("warehouse.fact_dossier", "past")} WHERE f.loaded_by <> :load_id
), current AS MATERIALIZED (
    SELECT f.row_key, f.known_from, f.received_at, f.unit_key, f.received_unit_key, {TOLD_OF} AS told_of
    FROM touched f JOIN warehouse.dim_dossier_status s USING (dossier_status_key) ORDER BY f.row_key
)
SELECT c.row_key, c.known_from, coalesce(before.received_unit_key, sole.received_unit_key) AS received_unit_key
FROM current c
LEFT JOIN LATERAL (
    SELECT e.received_unit_key FROM warehouse.fact_dossier e JOIN warehouse.dim_unit u ON u.unit_key = e.received_unit_key
    WHERE e.row_key = c.row_key AND e.known_from < c.known_from AND e.known_to > e.known_from
        AND e.received_at::date = c.received_at::date
        AND e.received_unit_key <> 0 AND (c.received_unit_key = 0 OR u.valid_to < c.told_of)
    ORDER BY e.known_from DESC LIMIT 1
) before ON true
LEFT JOIN LATERAL (
    SELECT min(went.earlier_key) AS received_unit_key
    FROM warehouse.bridge_unit_lineage went
    JOIN warehouse.dim_unit u ON u.unit_key = went.earlier_key AND c.received_at::date BETWEEN u.valid_from AND u.valid_to
    WHERE went.unit_key = c.unit_key AND c.received_unit_key = 0 AND c.unit_key <> 0 HAVING count(*) = 1
) sole ON true
WHERE coalesce(before.received_unit_key, sole.received_unit_key, c.received_unit_key) <> c.received_unit_key
"""


def keep_receivers(work: Load) -> None:
    """Current dossiers that the load touched go on with the unit that received them, as earlier words or the succession of units tell."""
    work.connection.execute(text(_STAYS), {"load_id": work.load_id})
    renew(work.connection, fact_dossier, work.load_id, work.delivery.exported_at, "pg_temp.stays", ("received_unit_key",))
