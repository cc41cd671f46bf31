"""Any sequence of listings leaves the store equal to the naive model."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from store.estate import consistency
from store.estate.estate import Estate
from store.estate.models import Listing
from store.estate.visibility import Visibility
from store.ids import uuid7
from store.times import naive
from tests.store.estate.cloud import ADMIN, MEMBER, at, hidden, open_estate, rows
from tests.store.estate.model import Model, Step

SIZE = 24  # resources in the world: more than ten, so that many can vanish at once
AUDITOR = Visibility(ADMIN.endpoint, "admin", "project:admin", ("admin", "auditor"), True)
SEERS = (ADMIN, ADMIN, ADMIN, AUDITOR, MEMBER)
ABSENT, BARE, DELETED = "absent", "bare", "deleted"

clouds = itertools.count()


@pytest.fixture(scope="module")
def estate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Estate]:
    """One file for all examples; each example is a cloud of its own in it."""
    with open_estate(tmp_path_factory.mktemp("model")) as opened:
        yield opened


def document(number: int, size: int) -> dict[str, Any]:
    return {"id": f"r{number:02}", "name": "n", "project_id": f"p{number % 2}", "host": f"h{size % 2}", "size": size}


cells = st.one_of(st.sampled_from([ABSENT, BARE, DELETED]), st.integers(1, 3))


@st.composite
def steps(draw: st.DrawFn) -> dict[str, Any]:
    """A listing in which most rows are alike and a few are not."""
    return {
        "kind": draw(st.sampled_from(["full", "full", "full", "delta", "ids"])),
        "scope": draw(st.sampled_from(["all", "all", "p0", "p1"])),
        "seer": draw(st.sampled_from(SEERS)),
        "minutes": draw(st.sampled_from([5, 5, 5, 0, -7])),
        "usual": draw(st.sampled_from([1, 1, 2, ABSENT])),
        "others": draw(st.dictionaries(st.integers(0, SIZE - 1), cells, max_size=14)),
        "twice": draw(st.dictionaries(st.integers(0, SIZE - 1), st.integers(1, 3), max_size=2)),
        "broken": draw(st.integers(0, 5)) == 0,
        "batch": draw(st.sampled_from([1, 5, 1000])),
        "decide": draw(st.sampled_from([None, None, None, True, False])),
    }


def arrivals(spec: dict[str, Any]) -> list[tuple[str, dict[str, Any] | None, bool]]:
    """The rows of a listing in the order in which they come."""
    found: list[tuple[str, dict[str, Any] | None, bool]] = []
    numbers = [(n, spec["others"].get(n, spec["usual"])) for n in range(SIZE)]
    for number, cell in [*numbers, *spec["twice"].items()]:
        outside = spec["scope"] not in ("all", f"p{number % 2}")
        if cell == ABSENT or (outside and number % 8):  # a few rows of other projects are shared
            continue
        doc = document(number, cell if isinstance(cell, int) else 1)
        doc = hidden(doc) if spec["seer"] is MEMBER else doc
        if spec["kind"] == "ids" or cell == BARE:
            found.append((doc["id"], None, False))
        else:
            found.append((doc["id"], doc, cell == DELETED))
    return found


def ingest(estate: Estate, cloud: str, step: Step, batch: int) -> Any:
    kind: Any = step.kind
    writer = estate.begin(Listing(uuid7(), cloud, "", "thing", kind, step.scope, step.visibility, step.start))
    builder = writer.builder()
    for id, doc, deleted in step.rows:
        if doc is None:
            builder.add_id(id)
        else:
            builder.add(dict(doc), deleted=deleted)
        if len(builder) >= batch:
            writer.add(builder.take())
    writer.add(builder.take())
    return writer.abandon("failed", "broke off") if step.broken else writer.finish(ended_at=step.start)


def stored(estate: Estate, cloud: str) -> list[tuple[Any, ...]]:
    query = """SELECT id, valid_from, valid_to, size, host, denied FROM thing_versions WHERE cloud = ?
        ORDER BY id, valid_from"""
    return rows(estate, query, cloud)


def expected(model: Model) -> list[tuple[Any, ...]]:
    return [
        (
            id,
            naive(version.start),
            naive(version.end) if version.end else None,
            version.known["size"],
            version.known.get("host"),
            [] if "host" in version.known else ["host"],
        )
        for id, versions in sorted(model.history.items())
        for version in versions
    ]


def dense(chance: random.Random) -> dict[str, Any]:
    """A listing in which much differs: what Hypothesis, which likes small things, seldom makes."""
    others = {n: chance.choice([ABSENT, ABSENT, BARE, DELETED, 1, 2, 3]) for n in chance.sample(range(SIZE), 9)}
    if chance.random() < 0.4:
        others = dict(itertools.islice(others.items(), 2))
    return {
        "kind": chance.choice(["full", "full", "full", "delta", "ids"]),
        "scope": chance.choice(["all", "all", "p0", "p1"]),
        "seer": chance.choice(SEERS),
        "minutes": chance.choice([5, 5, 5, 5, 0, -7]),
        "usual": chance.choice([1, 1, 1, 2, ABSENT]),
        "others": others,
        "twice": {n: chance.randint(1, 3) for n in chance.sample(range(SIZE), chance.choice([0, 0, 2]))},
        "broken": chance.random() < 0.2,
        "batch": chance.choice([1, 5, 1000]),
        "decide": chance.choice([None] * 6 + [True, False]),
    }


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(steps(), min_size=1, max_size=8))
def test_the_store_equals_a_naive_model(estate: Estate, specs: list[dict[str, Any]]) -> None:
    compare(estate, specs)


def test_a_row_told_as_deleted_by_a_listing_that_broke_off_was_seen_by_it(estate: Estate) -> None:
    plain = {"kind": "full", "seer": ADMIN, "minutes": 5, "twice": {}, "batch": 1000, "decide": None}
    first = {**plain, "scope": "p1", "usual": 1, "others": {}, "broken": False}
    broken = {**plain, "scope": "all", "usual": 1, "others": {16: DELETED}, "broken": True}
    compare(estate, [first, broken, {**first, "usual": ABSENT}])


@pytest.mark.parametrize("seed", range(8))
def test_the_store_equals_a_naive_model_on_dense_sequences(estate: Estate, seed: int) -> None:
    chance = random.Random(seed)
    compare(estate, [dense(chance) for _ in range(12)], repeat=False)


def compare(estate: Estate, specs: list[dict[str, Any]], *, repeat: bool = True) -> None:
    """Run the listings on both; with `repeat` also each a second time, which must change nothing."""
    cloud, model, clock = f"c{next(clouds)}", Model(), 0
    for spec in specs:
        clock += spec["minutes"]
        step = Step(spec["kind"], spec["scope"], spec["seer"], at(clock), arrivals(spec), spec["broken"])
        before = len(stored(estate, cloud))
        outcome = ingest(estate, cloud, step, spec["batch"])
        model.apply(step)
        after = stored(estate, cloud)
        assert after == expected(model)
        assert outcome.new + outcome.changed == len(after) - before
        assert {state["scope"]: state["state"] for state in estate.states(cloud)} == model.state
        if repeat and not step.broken and spec["minutes"] == 5:
            again = ingest(estate, cloud, step, 1000)
            model.apply(step)
            assert stored(estate, cloud) == expected(model)
            assert (again.new, again.changed) == (0, 0)
        if spec["decide"] is not None and any(waiting_rows(model, spec["decide"])):
            estate.decide(cloud, "", "thing", spec["decide"])
            model.decide(spec["decide"])
            assert stored(estate, cloud) == expected(model)
            assert {state["scope"]: state["state"] for state in estate.states(cloud)} == model.state
    with estate.reader() as connection:
        assert consistency.check(connection) == []


def waiting_rows(model: Model, accept: bool) -> list[bool]:
    """One entry per row that a decision would be about."""
    return [True for waiting in model.missing.values() for kept in waiting.values() if accept or not kept]
