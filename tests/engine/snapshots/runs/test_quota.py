"""The quota before a run: who keeps his place, who is blocked, and why; what is not known blocks."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.snapshots.models import Volume
from engine.snapshots.runs.planning import Want
from engine.snapshots.runs.quota import Entry, fitting
from engine.snapshots.runs.reading import quota

NOW = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
FREE = Entry(-1, 500)


def want(size: int, type: str = "", frees: tuple[int, ...] = (), surplus: tuple[int, ...] = ()) -> Want:
    made = Volume("c", "r", f"v{size:03}{type}", size_gb=size, volume_type=type, project_id="p")
    return Want((made,), "daily", 2, NOW, surplus=surplus, frees=frees)


def judged(wants: list[Want], known: Any, parallel: int = 1) -> tuple[list[int], list[tuple[int, str, str]], bool]:
    fit, blocks, narrow = fitting(wants, known, parallel)
    return [one.size_gb for one in fit], [(b.volume.size_gb, b.reason, b.resource) for b in blocks], narrow


SNAPS, GB = "snapshots_exceeded", "gigabytes_exceeded"
CASES: list[tuple[str, list[Want], Any, list[int], list[tuple[int, str, str]]]] = [
    ("no limit", [want(5), want(9)], {"snapshots": FREE, "gigabytes": FREE}, [5, 9], []),
    (
        "the smallest keep their place when snapshots run out",
        [want(9), want(1), want(5)], {"snapshots": Entry(10, 8), "gigabytes": FREE}, [1, 5], [(9, SNAPS, "snapshots")],
    ),
    (
        "gigabytes are added from the smallest on",
        [want(50), want(20), want(40)], {"snapshots": FREE, "gigabytes": Entry(500, 430)}, [20, 40],
        [(50, GB, "gigabytes")],
    ),
    ("exactly full fits", [want(10)], {"snapshots": Entry(3, 2), "gigabytes": Entry(20, 10)}, [10], []),
    ("nothing is left", [want(1)], {"snapshots": Entry(3, 3), "gigabytes": FREE}, [], [(1, SNAPS, "snapshots")]),
    ("a limit of none at all", [want(1)], {"snapshots": Entry(0, 0), "gigabytes": FREE}, [], [(1, SNAPS, "snapshots")]),
    (
        "the type's own limit",
        [want(5, "ssd"), want(6, "hdd")],
        {"snapshots": FREE, "gigabytes": FREE, "snapshots_ssd": Entry(2, 2), "gigabytes_hdd": Entry(-1, 9)},
        [6], [(5, SNAPS, "snapshots_ssd")],
    ),
    (
        "the type's gigabytes",
        [want(5, "ssd"), want(2, "ssd")], {"snapshots": FREE, "gigabytes": FREE, "gigabytes_ssd": Entry(10, 7)},
        [2], [(5, GB, "gigabytes_ssd")],
    ),
    ("no such limit", [want(5)], {"gigabytes": FREE}, [], [(5, "quota_unknown", "snapshots")]),
    (
        "no usage told", [want(5)], {"snapshots": Entry(10, None), "gigabytes": FREE}, [],
        [(5, "quota_unknown", "snapshots")],
    ),
    ("not readable", [want(5)], "the quota of block-storage: not permitted", [], [(5, "quota_unknown", "")]),
    (
        "what retention gives back makes room for the next",
        [want(5, frees=(5,)), want(6, frees=(6,))], {"snapshots": Entry(10, 9), "gigabytes": FREE}, [5, 6], [],
    ),
    (
        "what is beyond retention goes before",
        [want(5, surplus=(5, 5))], {"snapshots": Entry(10, 10), "gigabytes": Entry(100, 100)}, [5], [],
    ),
    (
        "what retention gives back does not make room for itself",
        [want(5, frees=(5,))], {"snapshots": Entry(10, 10), "gigabytes": FREE}, [], [(5, SNAPS, "snapshots")],
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("wants", "known", "fit", "blocks"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_cases(wants: list[Want], known: Any, fit: list[int], blocks: list[tuple[int, str, str]]) -> None:
    found = judged(wants, known)
    assert found[:2] == (fit, blocks)


def test_the_numbers_are_told() -> None:
    _, (block,), _ = fitting([want(50)], {"snapshots": FREE, "gigabytes": Entry(500, 480)}, 1)
    assert (block.limit, block.used, block.needed) == (500, 480, 50)
    assert block.text == "quota gigabytes: 480 of 500 used, 50 more needed"


def test_where_room_is_for_one_at_a_time_it_says_so() -> None:
    wants = [want(5, frees=(5,)), want(6, frees=(6,)), want(7, frees=(7,))]
    assert judged(wants, {"snapshots": Entry(10, 9), "gigabytes": FREE}, parallel=4)[2]
    assert not judged(wants, {"snapshots": Entry(10, 7), "gigabytes": FREE}, parallel=4)[2]
    assert not judged(wants, {"snapshots": FREE, "gigabytes": FREE}, parallel=4)[2]


def test_what_is_reserved_is_used() -> None:
    told: dict[str, int | None] = {"limit": 5, "in_use": 2, "reserved": 1}
    silent: dict[str, int | None] = {"limit": 1, "in_use": None, "reserved": 0}
    assert quota({"snapshots": told, "x": silent}) == {"snapshots": Entry(5, 3), "x": Entry(1, None)}


@given(st.lists(st.tuples(st.integers(1, 9), st.booleans()), max_size=9), st.integers(0, 9), st.integers(0, 40))
def test_one_after_the_other_nothing_goes_over(sizes: list[tuple[int, bool]], snapshots: int, gigabytes: int) -> None:
    """Made in the order of the answer, each frees what it frees afterwards: no limit is passed at any moment."""
    wants = [want(size, frees=(size,) if frees else ()) for size, frees in sizes]
    fit, blocks, _ = fitting(wants, {"snapshots": Entry(snapshots, 0), "gigabytes": Entry(gigabytes, 0)}, 1)
    count = used = 0
    for one in fit:
        count, used = count + 1, used + one.size_gb
        assert count <= snapshots and used <= gigabytes
        count, used = count - len(one.frees), used - sum(one.frees)
    assert len(fit) + len(blocks) == len(wants)
