"""Which points are wanted, how tenants are put into batches, what retention removes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.snapshots.models import Decision, Held, Policy, Reason, Volume
from engine.snapshots.runs import planning
from engine.snapshots.runs.planning import Limits, Own, Want

NOW = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
DAILY = {"daily": Policy("daily", "0 2 * * *")}


def volume(id: str, project: str = "p", **more: Any) -> Volume:
    return Volume("c", "r", id, id, more.pop("status", "available"), more.pop("size_gb", 1), project_id=project,
                  project_name=f"name-{project}", **more)  # fmt: skip


def has(*volumes: Volume, keep: int = 2) -> dict[Any, Decision]:
    return {one.key: Decision((Held("daily", keep, "set", "all"),), ()) for one in volumes}


def chosen(*volumes: Volume, **more: Any) -> tuple[list[str], list[tuple[str, str]]]:
    limits = more.pop("limits", Limits())
    made, own = more.pop("made", {}), more.pop("own", {})
    decisions = more.pop("decisions", None) or has(*volumes)
    wants, skips = planning.select(volumes, decisions, more.pop("policies", DAILY), {"daily": NOW}, made, own, limits)
    return [want.volume.id for want in wants], [(skip.volume.id, skip.code) for skip in skips]


@pytest.mark.parametrize(
    ("given", "limits", "made", "code"),
    [
        ({}, Limits(), {}, None),
        ({"status": "in-use"}, Limits(), {}, None),
        ({"status": "error"}, Limits(), {}, "status"),
        ({"status": "deleting"}, Limits(), {}, "status"),
        ({"status": ""}, Limits(), {}, "status"),
        ({"size_gb": 261}, Limits(max_size_gb=260), {}, "size"),
        ({"size_gb": 260}, Limits(max_size_gb=260), {}, None),
        ({"size_gb": 9000}, Limits(max_size_gb=0), {}, None),
        ({}, Limits(), {("v", "daily"): NOW}, "made"),
        ({}, Limits(), {("v", "daily"): NOW - timedelta(days=1)}, None),
        ({}, Limits(), {("v", "weekly"): NOW}, None),
    ],
)
def test_who_is_taken(given: dict[str, Any], limits: Limits, made: dict[Any, Any], code: str | None) -> None:
    ids, skips = chosen(volume("v", **given), limits=limits, made=made)
    assert (ids, skips) == ((["v"], []) if code is None else ([], [("v", code)]))


def test_who_is_excluded_is_told_and_who_has_no_policy_is_not() -> None:
    out, none = volume("out"), volume("none")
    reason = Reason("set", "1", "all", 1, {"daily": 3, "weekly": None}, False, "overridden")
    decisions = {out.key: Decision((), (reason,), "a lab"), none.key: Decision((), ())}
    assert chosen(out, none, decisions=decisions) == ([], [("out", "excluded")])


def test_what_retention_gives_back_is_known_before() -> None:
    own = {("v", "daily"): [Own(f"t{n}", "v", NOW - timedelta(days=n), 10 + n) for n in (1, 2, 3)]}
    one = volume("v")
    (want,), _ = planning.select([one], has(one, keep=2), DAILY, {"daily": NOW}, {}, own, Limits())
    assert want.surplus == (13,) and want.frees == (12,)


def test_volumes_of_a_machine_are_one_want() -> None:
    policies = {"daily": Policy("daily", "0 2 * * *", method="server")}
    a, b = volume("b", server_ids=("m",)), volume("a", server_ids=("m",))
    alone = volume("z")
    wants, _ = planning.select([a, b, alone], has(a, b, alone), policies, {"daily": NOW}, {}, {}, Limits())
    assert [(want.method, [v.id for v in want.volumes]) for want in wants] == [
        ("volume", ["z"]),
        ("server", ["a", "b"]),
    ]


def wanted(project: str, count: int) -> list[Want]:
    return [Want((volume(f"{project}{n}", project),), "daily", 2, NOW) for n in range(count)]


@pytest.mark.parametrize(
    ("tenants", "size", "batches"),
    [
        ({"a": 1}, 20, [["a"]]),
        ({"a": 12, "b": 8}, 20, [["b", "a"]]),
        ({"a": 12, "b": 9}, 20, [["b"], ["a"]]),
        ({"a": 20, "b": 1, "c": 1}, 20, [["b", "c"], ["a"]]),
        ({"a": 25, "b": 30, "c": 5}, 20, [["c"], ["a"], ["b"]]),
        ({"a": 19, "b": 1, "c": 2}, 20, [["b", "c"], ["a"]]),
    ],
)
def test_batches_as_documented(tenants: dict[str, int], size: int, batches: list[list[str]]) -> None:
    wants = [want for project, count in tenants.items() for want in wanted(project, count)]
    found = planning.batches(wants, size)
    assert [[name.removeprefix("name-") for name in batch.tenants] for batch in found] == batches
    assert [batch.number for batch in found] == list(range(1, len(found) + 1))


@given(st.dictionaries(st.sampled_from("abcdefgh"), st.integers(1, 40)), st.integers(1, 25))
def test_batches_hold_everything_once_and_split_nobody(tenants: dict[str, int], size: int) -> None:
    wants = [want for project, count in tenants.items() for want in wanted(project, count)]
    found = planning.batches(wants, size)
    assert sorted(w.volume.id for batch in found for w in batch.wants) == sorted(w.volume.id for w in wants)
    where = [{want.volume.project_id for want in batch.wants} for batch in found]
    assert sum(len(projects) for projects in where) == len(tenants)
    assert all(len(batch.wants) <= size or len(batch.tenants) == 1 for batch in found)
    pieces = planning.parts(found, 50)
    assert [batch for piece in pieces for batch in piece] == found


POINTS = st.lists(
    st.tuples(st.integers(0, 6), st.sampled_from("vw"), st.integers(0, 9)), max_size=14, unique_by=lambda p: p[:2]
)


@given(POINTS, st.integers(0, 4))
def test_each_volume_keeps_its_newest(rows: list[tuple[int, str, int]], keep: int) -> None:
    own = [Own(f"t{token}", volume, NOW + timedelta(days=at)) for token, volume, at in rows]
    gone = planning.surplus(own, keep)
    assert len(gone) == len(set(gone))
    for name in "vw":
        order = sorted((row for row in own if row.volume_id == name), key=lambda row: (row.taken_at, row.token))
        newest = {row.token for row in order[len(order) - keep :]} if keep else set()
        assert not newest & set(gone), "one of the newest went"
    whole = {row.token for row in own} - set(gone)
    alone = [row for row in own if sum(other.token == row.token for other in own) == 1]
    for name in "vw":
        mine = [row for row in own if row.volume_id == name]
        if all(row in alone for row in mine):
            assert sum(row.token in whole for row in mine) == min(keep, len(mine))
