"""The star and its operational tables: one module a table, grain first."""

from warehouse.tables.agg_count import agg_count
from warehouse.tables.agg_thing import agg_thing
from warehouse.tables.base import MART, OPS, STAGING, STAR, UNKNOWN, WAREHOUSE, metadata
from warehouse.tables.bridge_unit_lineage import bridge_unit_lineage
from warehouse.tables.bridge_unit_succession import bridge_unit_succession
from warehouse.tables.code_range import code_range
from warehouse.tables.dim_agency import dim_agency
from warehouse.tables.dim_channel import dim_channel
from warehouse.tables.dim_date import dim_date
from warehouse.tables.dim_department import dim_department
from warehouse.tables.dim_dossier_status import dim_dossier_status
from warehouse.tables.dim_holiday import dim_holiday
from warehouse.tables.dim_indicator import dim_indicator
from warehouse.tables.dim_merchant import dim_merchant
from warehouse.tables.dim_payment_method import dim_payment_method
from warehouse.tables.dim_payment_status import dim_payment_status
from warehouse.tables.dim_procedure import dim_procedure
from warehouse.tables.dim_provider import dim_provider
from warehouse.tables.dim_service import dim_service
from warehouse.tables.dim_target import dim_target
from warehouse.tables.dim_unit import dim_unit
from warehouse.tables.fact_bill import fact_bill
from warehouse.tables.fact_dossier import fact_dossier
from warehouse.tables.fact_edition import fact_edition
from warehouse.tables.fact_form_06a import fact_form_06a
from warehouse.tables.fact_indicator import fact_indicator
from warehouse.tables.fact_indicator_restated import fact_indicator_restated
from warehouse.tables.fact_payment import fact_payment
from warehouse.tables.fact_portal_766 import fact_portal_766
from warehouse.tables.fact_published_figure import fact_published_figure
from warehouse.tables.fact_reach import fact_reach
from warehouse.tables.fact_score_766 import fact_score_766
from warehouse.tables.fact_signature import fact_signature
from warehouse.tables.fact_signature_holder import fact_signature_holder
from warehouse.tables.fact_survey import fact_survey
from warehouse.tables.fact_unit_count import fact_unit_count
from warehouse.tables.indicator_confidentiality import indicator_confidentiality
from warehouse.tables.list_agency import list_agency
from warehouse.tables.list_merchant import list_merchant
from warehouse.tables.list_procedure import list_procedure
from warehouse.tables.ops_account import account
from warehouse.tables.ops_action import action
from warehouse.tables.ops_alarm import alarm
from warehouse.tables.ops_allowance import allowance
from warehouse.tables.ops_completion import completion
from warehouse.tables.ops_confirmation import confirmation
from warehouse.tables.ops_correction import correction
from warehouse.tables.ops_coverage import coverage
from warehouse.tables.ops_delivery import delivery
from warehouse.tables.ops_held_back import held_back
from warehouse.tables.ops_held_edition import held_edition
from warehouse.tables.ops_held_value import held_value
from warehouse.tables.ops_installation import installation
from warehouse.tables.ops_load import load
from warehouse.tables.ops_mark import mark
from warehouse.tables.ops_pruning import pruning
from warehouse.tables.ops_pseudonym_key import pseudonym_key
from warehouse.tables.ops_publication import publication
from warehouse.tables.ops_quarantine import quarantine
from warehouse.tables.ops_quarantine_note import quarantine_note
from warehouse.tables.ops_quarantine_place import quarantine_place
from warehouse.tables.ops_ratio import ratio
from warehouse.tables.ops_release import release
from warehouse.tables.ops_run import run
from warehouse.tables.ops_session import session
from warehouse.tables.ops_sign_in import sign_in
from warehouse.tables.ops_source import source
from warehouse.tables.ops_step import step
from warehouse.tables.ops_told import told
from warehouse.tables.ops_unreachable import unreachable
from warehouse.tables.ops_verdict import verdict

__all__ = [
    "MART",
    "OPS",
    "STAGING",
    "STAR",
    "UNKNOWN",
    "WAREHOUSE",
    "account",
    "action",
    "agg_count",
    "agg_thing",
    "alarm",
    "allowance",
    "bridge_unit_lineage",
    "bridge_unit_succession",
    "code_range",
    "completion",
    "confirmation",
    "correction",
    "coverage",
    "delivery",
    "dim_agency",
    "dim_channel",
    "dim_date",
    "dim_department",
    "dim_dossier_status",
    "dim_holiday",
    "dim_indicator",
    "dim_merchant",
    "dim_payment_method",
    "dim_payment_status",
    "dim_procedure",
    "dim_provider",
    "dim_service",
    "dim_target",
    "dim_unit",
    "fact_bill",
    "fact_dossier",
    "fact_edition",
    "fact_form_06a",
    "fact_indicator",
    "fact_indicator_restated",
    "fact_payment",
    "fact_portal_766",
    "fact_published_figure",
    "fact_reach",
    "fact_score_766",
    "fact_signature",
    "fact_signature_holder",
    "fact_survey",
    "fact_unit_count",
    "held_back",
    "held_edition",
    "held_value",
    "indicator_confidentiality",
    "installation",
    "list_agency",
    "list_merchant",
    "list_procedure",
    "load",
    "mark",
    "metadata",
    "pruning",
    "pseudonym_key",
    "publication",
    "quarantine",
    "quarantine_note",
    "quarantine_place",
    "ratio",
    "release",
    "run",
    "session",
    "sign_in",
    "source",
    "step",
    "told",
    "unreachable",
    "verdict",
]
