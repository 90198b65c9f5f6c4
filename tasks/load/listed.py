"""Lists of persons beside the counts of those who sent them: nobody has more holders than certificates."""

from __future__ import annotations

from sqlalchemy import text

from expectations.contract import Rule
from tasks.load.work import Load
from tasks.words.vietnamese import in_text, number

# The last report of each unit, and who held a valid certificate then, as far as is known now. Who was hashed with several keys stands in
# the lists under each: those under one of them are persons.
_BESIDE = """
WITH reported AS (
    SELECT DISTINCT ON (unit_key) unit_key, month, certificates_in_force AS certificates,
        (to_date(month, 'YYYY-MM') + interval '1 month')::date - 1 AS last_day
    FROM warehouse.fact_signature
    WHERE provider_key = :provider AND known_to = 'infinity' AND unit_key <> 0 AND certificates_in_force IS NOT NULL
    ORDER BY unit_key, month DESC
), place AS (
    SELECT unit_key, unit_key AS earlier_key FROM reported
    UNION
    SELECT unit_key, earlier_key FROM warehouse.bridge_unit_lineage WHERE extent = 'whole'
), listed AS (
    SELECT reported.unit_key, month, certificates, key_number, count(*) AS persons
    FROM reported JOIN place USING (unit_key)
    JOIN warehouse.fact_signature_holder h ON h.unit_key = place.earlier_key AND h.issued_on <= last_day
    WHERE h.provider_key = :provider AND h.known_to = 'infinity' AND certificate_status = 'HIEU_LUC'
        AND coalesce(expires_on >= last_day, true)
    GROUP BY reported.unit_key, month, certificates, key_number
), most AS (
    SELECT unit_key, month, certificates, max(persons) AS persons FROM listed GROUP BY unit_key, month, certificates
)
SELECT unit_name, unit_code, month, certificates, persons,
    persons > :max_ratio * certificates AND persons - certificates >= :at_least AS is_too_many
FROM most JOIN warehouse.dim_unit USING (unit_key)
ORDER BY is_too_many DESC, persons - certificates DESC, unit_code
"""


def hold_against_reports(work: Load) -> None:
    """Counts, by the rule that says so, units of which the sender lists more persons than it reported certificates."""
    for rule in work.rules("more_than_reported"):
        work.count(rule, *_more_than_reported(work, rule))


def _more_than_reported(work: Load, rule: Rule) -> tuple[int, str]:
    values = {"provider": work.provider_key, "max_ratio": rule.args["max_ratio"], "at_least": rule.args["at_least"]}
    found = work.connection.execute(text(_BESIDE), values).all()
    units = sum(row.is_too_many for row in found)
    share = f"{number(units)}/{number(len(found))} đơn vị"
    if not units:
        return 0, share
    worst = found[0]
    return units, (
        f"{share}; nhiều nhất ở {worst.unit_name} ({worst.unit_code}): {number(worst.persons)} người, "
        f"{number(worst.certificates)} chứng thư của {in_text(worst.month)}"
    )
