"""Which column comes of which: told by the declarations, complete, and as somebody finds it who reads them."""

from __future__ import annotations

import subprocess
import sys

import pytest

from expectations.contract import contract, feeds
from tasks.ask.lineage import WORKED_OUT, Origin, columns_of, counts_of
from tests.nights import ROOT
from warehouse.indicators import indicators
from warehouse.tables import metadata


def made_of(feed: str, column: str) -> list[str]:
    return [origin.column for origin in columns_of(feed)[column]]


@pytest.mark.parametrize("feed", feeds())
def test_every_column_of_a_feeds_table_says_what_it_is_made_of(feed: str) -> None:
    for column, origins in columns_of(feed).items():
        assert origins, f"{feed}: nothing is known of {column}; say it in WORKED_OUT"
        assert {origin.column for origin in origins} <= contract(feed).columns.keys()


def test_what_is_said_beside_the_names_is_of_columns_that_are_there() -> None:
    for (feed, column), origins in WORKED_OUT.items():
        assert column in metadata.tables[f"warehouse.{contract(feed).table}"].c
        assert set(origins) <= contract(feed).columns.keys()


@pytest.mark.parametrize(
    ("feed", "column", "origins"),
    [
        ("bills", "amount_vnd", ["amount_vnd"]),
        ("bills", "unit_key", ["unit_code"]),
        ("payments", "payment_method_key", ["method_code"]),
        ("payments", "payment_status_key", ["status_code"]),
        ("payments", "bill_key", ["bill_code"]),
        ("dossiers", "procedure_key", ["procedure_code", "procedure_name"]),
        ("dossiers", "receiving_agency_key", ["receiving_agency_code"]),
        ("dossiers", "dossier_status_key", ["status_code"]),
    ],
)
def test_a_column_is_the_feeds_own_or_a_key_for_its_code(feed: str, column: str, origins: list[str]) -> None:
    assert made_of(feed, column) == origins


def test_a_person_is_masked_and_what_is_dropped_goes_nowhere() -> None:
    (customer,) = columns_of("bills")["customer_hash"]
    assert (customer.how, customer.is_masked) == ("TRANSFORMATION", True)
    dropped = {(feed, name) for feed in feeds() for name, column in contract(feed).columns.items() if column.type == "dropped"}
    assert ("payments", "payer_name") in dropped
    assert not dropped & {(feed, origin.column) for feed in feeds() for origins in columns_of(feed).values() for origin in origins}


def read_by(code: str, part: str) -> dict[str, str]:
    """Column of the warehouse → how it comes into a count of an indicator."""
    (indicator,) = [one for one in indicators() if one.version_name == code]
    return {f"{origin.table.removeprefix('warehouse.')}.{origin.column}": origin.how for origin in counts_of(indicator)[part]}


@pytest.mark.parametrize(
    ("code", "part", "columns"),
    [
        (
            "ND3",
            "numerator",
            {
                "fact_unit_count.value": "AGGREGATION",
                "fact_unit_count.measure": "FILTER",
                "fact_unit_count.unit_key": "GROUP_BY",
                "fact_unit_count.period": "GROUP_BY",
            },
        ),
        (
            "CQ4",  # channel 2 of all received, at the unit that received
            "numerator",
            {
                "fact_dossier.row_key": "AGGREGATION",
                "dim_channel.channel_code": "CONDITIONAL",
                "fact_dossier.channel_key": "CONDITIONAL",
                "fact_dossier.received_at": "GROUP_BY",
                "fact_dossier.received_unit_key": "GROUP_BY",
            },
        ),
        (
            "K2c",  # the amount of electricity bills
            "denominator",
            {
                "fact_bill.amount_vnd": "AGGREGATION",
                "dim_service.service_code": "FILTER",
                "fact_bill.service_key": "FILTER",
                "fact_bill.billing_month": "GROUP_BY",
                "fact_bill.unit_key": "GROUP_BY",
            },
        ),
        (
            "K2c",  # what of it was paid, and by which method
            "numerator",
            {
                "fact_payment.amount_vnd": "AGGREGATION",
                "fact_payment.refunded_vnd": "AGGREGATION",
                "dim_payment_method.is_cashless": "AGGREGATION",
                "fact_payment.payment_method_key": "AGGREGATION",
                "fact_bill.amount_vnd": "AGGREGATION",
                "dim_service.service_code": "FILTER",
                "fact_bill.service_key": "FILTER",
                "fact_bill.billing_month": "GROUP_BY",
                "fact_bill.unit_key": "GROUP_BY",
            },
        ),
        (
            "ND5C",
            "numerator",
            {
                "fact_signature.certificates_in_force": "AGGREGATION",
                "fact_signature.unit_key": "GROUP_BY",
                "fact_signature.month": "GROUP_BY",
            },
        ),
    ],
)
def test_an_indicator_reads_what_its_definition_names(code: str, part: str, columns: dict[str, str]) -> None:
    assert read_by(code, part) == columns


def test_people_are_counted_by_hashes_that_are_masked() -> None:
    (indicator,) = [one for one in indicators() if one.code == "ND5"]
    masked = [origin for origin in counts_of(indicator)["numerator"] if origin.is_masked]
    assert masked == [Origin("warehouse.fact_signature_holder", "holder_hash", "AGGREGATION", is_masked=True, words="each person once")]


def test_whatever_an_indicator_reads_is_there() -> None:
    for indicator in indicators():
        counts = counts_of(indicator)
        assert counts["numerator"], indicator.code
        assert bool(counts["denominator"]) == (not indicator.is_count)
        for origin in counts["value"]:
            assert origin.column in metadata.tables[origin.table].c, f"{indicator.code}: {origin}"


def test_the_library_is_loaded_only_where_somebody_is_to_be_told() -> None:
    code = "import sys, flows.nightly; print([name for name in sys.modules if name.startswith('openlineage')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"
