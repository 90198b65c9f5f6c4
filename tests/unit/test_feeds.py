"""A feed is its YAML: what is forgotten in one place is said here, by name."""

from __future__ import annotations

import pytest
from sqlalchemy import BigInteger, Integer, SmallInteger

from expectations.contract import contract, feeds
from tasks.deliveries.batches import needed
from tasks.load.facts import BUILDERS, HISTORY
from tasks.load.lists import Members
from tasks.read.file import READERS
from warehouse.tables import metadata


@pytest.mark.parametrize("feed", feeds())
def test_a_feed_names_a_table_that_there_is(feed: str) -> None:
    assert f"warehouse.{contract(feed).table}" in metadata.tables


@pytest.mark.parametrize("feed", [feed for feed in feeds() if feed not in BUILDERS])
def test_every_column_of_its_table_is_filled_by_one_of_the_feed(feed: str) -> None:
    terms = contract(feed)
    table = metadata.tables[f"warehouse.{terms.table}"]
    given = {*terms.columns, *(name.removesuffix("_code") + "_key" for name in terms.columns), "provider_key"}
    assert {column.name for column in table.columns} - HISTORY - given == set()


@pytest.mark.parametrize("feed", feeds())
def test_every_column_of_a_feed_is_kept_or_said_not_to_be(feed: str) -> None:
    terms = contract(feed)
    table = metadata.tables[f"warehouse.{terms.table}"]
    keys = tuple(column.name for column in table.columns if column.name.endswith("_key"))
    kept = {
        name for name in terms.schema.names if name in table.c or any(key.endswith(f"{name.removesuffix('_code')}_key") for key in keys)
    }
    by_hand = {"paid_at", "department_id"} if feed in BUILDERS else set()
    assert set(terms.schema.names) - kept - set(terms.not_kept) - by_hand - {"row_number"} - set(terms.unit_on) == set()


BITS = {SmallInteger: 15, Integer: 31, BigInteger: 63}


@pytest.mark.parametrize("feed", feeds())
def test_its_table_holds_every_number_that_its_columns_may_have(feed: str) -> None:
    terms = contract(feed)
    table = metadata.tables[f"warehouse.{terms.table}"]
    for name, column in terms.columns.items():
        if column.type == "integer" and name in table.c:
            bound = 2 ** BITS[type(table.c[name].type)]
            assert -bound <= column.range[0] <= column.range[1] < bound, name


@pytest.mark.parametrize("feed", feeds())
def test_its_table_has_the_indexes_by_which_loads_and_publications_find_states(feed: str) -> None:
    table = metadata.tables[f"warehouse.{contract(feed).table}"]
    assert {f"ux_{table.name}_current", f"ix_{table.name}_ended_by"} <= {index.name for index in table.indexes}


@pytest.mark.parametrize("feed", [feed for feed in feeds() if feed not in BUILDERS and contract(feed).role == "fact"])
def test_a_feed_with_units_says_on_which_days_they_are_looked_up(feed: str) -> None:
    assert contract(feed).unit_on or "unit_key" not in metadata.tables[f"warehouse.{contract(feed).table}"].c


@pytest.mark.parametrize("feed", feeds())
def test_a_layout_names_only_readers_there_are(feed: str) -> None:
    named = {layout.reader or layout.kind for layout in contract(feed).layouts.values()}
    assert named <= READERS.keys()


@pytest.mark.parametrize("feed", feeds())
def test_a_feed_comes_after_all_those_it_refers_to(feed: str) -> None:
    assert set(contract(feed).refers_to) <= needed(feed) <= set(feeds()) - {feed}


@pytest.mark.parametrize("feed", [feed for feed in feeds() if contract(feed).role == "list"])
def test_a_dimension_is_made_of_what_its_list_says(feed: str) -> None:
    members = Members.of(metadata.tables[f"warehouse.{contract(feed).table}"])
    assert "valid_to" in members.content
    assert members.code
