"""Listings into versions: the cases one by one. The random sequences are in test_model.py."""

from __future__ import annotations

from datetime import timedelta

import pytest

from store.estate.errors import ListingEnded
from store.estate.estate import Estate
from store.estate.models import Listing
from store.estate.rows import RowBuilder
from store.ids import uuid7
from store.times import naive
from tests.store.estate.cloud import ADMIN, THING, at, collect, current, rows, thing, versions


def test_unchanged_twice_writes_nothing(estate: Estate) -> None:
    docs = [thing(n) for n in range(30)]
    first = collect(estate, 0, docs)
    assert (first.new, first.changed, first.gone, first.unchanged) == (30, 0, 0, 0)
    again = collect(estate, 1, docs)
    assert (again.new, again.changed, again.gone, again.unchanged) == (0, 0, 0, 30)
    assert versions(estate) == 30


def test_a_change_closes_and_opens_at_the_start_of_the_listing(estate: Estate) -> None:
    collect(estate, 0, [thing(1), thing(2)])
    outcome = collect(estate, 5, [thing(1, size=99), thing(2)])
    assert (outcome.new, outcome.changed, outcome.unchanged) == (0, 1, 1)
    history = rows(
        estate, "SELECT valid_from, valid_to, size FROM thing_versions WHERE id = 'id-1' ORDER BY valid_from"
    )
    assert history == [(naive(at(0)), naive(at(5)), 1), (naive(at(5)), None, 99)]


def test_gone_and_back_with_the_same_content_is_a_new_version(estate: Estate) -> None:
    collect(estate, 0, [thing(1), thing(2)])
    assert collect(estate, 1, [thing(1)]).gone == 1
    assert collect(estate, 2, [thing(1), thing(2)]).new == 1
    history = rows(estate, "SELECT valid_from, valid_to FROM thing_versions WHERE id = 'id-2' ORDER BY 1")
    assert history == [(naive(at(0)), naive(at(1))), (naive(at(2)), None)]


def test_volatile_fields_make_no_version_but_show_and_are_sampled(estate: Estate) -> None:
    collect(estate, 0, [thing(1, used=5, updated="a", stats={"beat": 1, "kept": 1})])
    again = collect(estate, 1, [thing(1, used=7, updated="b", stats={"beat": 2, "kept": 1})])
    assert again.changed == 0 and again.moved
    assert current(estate, "used") == [(7,)]
    samples = rows(estate, "SELECT metric, taken_at, value FROM samples ORDER BY taken_at")
    assert samples == [("used", naive(at(0)), 5.0), ("used", naive(at(1)), 7.0)]
    assert collect(estate, 2, [thing(1, used=7, stats={"beat": 3, "kept": 2})]).changed == 1


def test_lists_in_another_order_are_no_change(estate: Estate) -> None:
    collect(estate, 0, [thing(1, tags=["a", "b"], net=[{"ip": ["x", "y"]}, {"ip": []}])])
    assert collect(estate, 1, [thing(1, tags=["b", "a"], net=[{"ip": []}, {"ip": ["y", "x"]}])]).changed == 0
    assert collect(estate, 2, [thing(1, tags=["b", "a"], net=[{"ip": []}, {"ip": ["y", "x"]}])]).unchanged == 1
    assert collect(estate, 3, [thing(1, tags=["b", "b"], net=[{"ip": []}, {"ip": ["y", "x"]}])]).changed == 1


def test_the_last_of_duplicates_wins_across_and_within_batches(estate: Estate) -> None:
    old = thing(1)
    collect(estate, 0, [old])
    assert collect(estate, 1, [thing(1, size=5), thing(1, size=6), thing(2)], batch=1).changed == 1
    assert current(estate, "id", "size") == [("id-1", 6), ("id-2", 2)]
    # Changed on one page, as the store has it on the next: nothing changed.
    outcome = collect(estate, 2, [thing(1, size=7), thing(1, size=6), thing(2)], batch=1)
    assert (outcome.changed, outcome.unchanged) == (0, 2)
    outcome = collect(estate, 3, [thing(1, size=7), thing(1, size=6), thing(2)])
    assert (outcome.changed, outcome.unchanged) == (0, 2)
    assert collect(estate, 4, [thing(1, size=6), thing(1, size=8), thing(2)]).changed == 1
    assert current(estate, "size") == [(8,), (2,)]


def test_a_builder_that_knows_no_hashes_gives_the_same(estate: Estate) -> None:
    docs = [thing(n) for n in range(5)]
    collect(estate, 0, docs)
    writer = estate.begin(Listing(uuid7(), "cloud", "one", "thing", "full", "all", ADMIN, at(1)))
    builder = RowBuilder(THING)
    for doc in docs:
        builder.add(doc)
    writer.add(builder.take())
    outcome = writer.finish(ended_at=at(2))
    assert (outcome.new, outcome.changed, outcome.unchanged, outcome.moved) == (0, 0, 5, False)


def test_a_listing_that_broke_off_deletes_nothing_but_keeps_what_arrived(estate: Estate) -> None:
    collect(estate, 0, [thing(1), thing(2)])
    outcome = collect(estate, 1, [thing(1, size=9), thing(3)], broken="partial")
    assert (outcome.new, outcome.changed, outcome.gone, outcome.state) == (1, 1, 0, "partial")
    assert current(estate, "id", "size") == [("id-1", 9), ("id-2", 2), ("id-3", 3)]
    (state,) = estate.states()
    assert (state["state"], state["reason"], state["rows"], state["whole_started_at"]) == (
        "partial",
        "it broke off",
        2,
        at(0),
    )


def test_abandon_without_apply_changes_only_the_state(estate: Estate) -> None:
    writer = estate.begin(Listing(uuid7(), "cloud", "one", "thing", "full", "all", ADMIN, at(0)))
    builder = writer.builder()
    builder.add(thing(1))
    writer.add(builder.take())
    assert writer.abandon("not_permitted", "403", apply=False).new == 0
    assert versions(estate) == 0
    assert estate.states()[0]["state"] == "not_permitted"
    with pytest.raises(ListingEnded):
        writer.finish(ended_at=at(1))


def test_a_delta_closes_only_what_is_reported_deleted(estate: Estate) -> None:
    collect(estate, 0, [thing(n) for n in range(5)])
    outcome = collect(estate, 1, [thing(1, size=7), thing(2), thing(9)], kind="delta", deleted=["id-2", "id-9"])
    assert (outcome.new, outcome.changed, outcome.gone, outcome.unchanged) == (0, 1, 1, 0)
    assert [id for (id,) in current(estate, "id")] == ["id-0", "id-1", "id-3", "id-4"]
    broken = collect(estate, 2, [thing(3)], kind="delta", deleted=["id-3"], broken="failed")
    assert broken.gone == 0


def test_ids_close_and_name_the_unknown(estate: Estate) -> None:
    collect(estate, 0, [thing(n) for n in range(5)])
    outcome = collect(estate, 1, kind="ids", ids=["id-0", "id-1", "id-2", "id-3", "id-7"])
    assert (outcome.gone, outcome.unknown_ids, outcome.new) == (1, ("id-7",), 0)
    assert len(current(estate, "id")) == 4


def test_bare_rows_of_a_down_cell_keep_the_last_state(estate: Estate) -> None:
    docs = [thing(n) for n in range(3)]
    collect(estate, 0, docs)
    bare = {"id": "id-1", "status": "UNKNOWN"}
    outcome = collect(estate, 1, [docs[0], bare, docs[2], {"id": "id-8", "status": "UNKNOWN"}], bare=["id-1", "id-8"])
    assert (outcome.new, outcome.changed, outcome.gone) == (0, 0, 0)
    assert current(estate, "id", "name")[1] == ("id-1", "thing 1")


def test_rows_without_an_id_make_the_listing_partial(estate: Estate) -> None:
    collect(estate, 0, [thing(1), thing(2)])
    outcome = collect(estate, 1, [thing(1), {"name": "nameless"}, {"id": None}, {"id": "x" * 2000}])
    assert (outcome.state, outcome.gone) == ("partial", 0)
    assert "3 rows" in outcome.reason


def test_a_clock_that_steps_back_never_turns_a_version_around(estate: Estate) -> None:
    collect(estate, 10, [thing(1), thing(2), thing(3)])
    collect(estate, 5, [thing(1, size=50), thing(2)])
    collect(estate, 3, [thing(1, size=60), thing(2), thing(3)])
    tick = timedelta(microseconds=1)
    start = naive(at(10))
    history = rows(estate, "SELECT valid_from, valid_to FROM thing_versions WHERE id = 'id-1' ORDER BY 1")
    assert history == [(start, start + tick), (start + tick, start + 2 * tick), (start + 2 * tick, None)]
    history = rows(estate, "SELECT valid_from, valid_to FROM thing_versions WHERE id = 'id-3' ORDER BY 1")
    assert history == [(start, start + tick), (start + tick, None)]


def test_regions_are_apart(estate: Estate) -> None:
    collect(estate, 0, [thing(1), thing(2)], region="one")
    collect(estate, 1, [thing(1)], region="two")
    assert len(current(estate, "id")) == 3


def test_data_versions_move_with_changes_only(estate: Estate) -> None:
    heard: list[tuple[str, str, int]] = []
    estate.on_change(lambda *hint: heard.append(hint))
    before = estate.data_version()
    first = collect(estate, 0, [thing(1)])
    assert heard == [("cloud", "thing", first.data_version)]
    assert before < first.data_version == estate.data_version("thing") == estate.data_version()
    again = collect(estate, 1, [thing(1)])
    assert again.data_version == first.data_version and len(heard) == 1
