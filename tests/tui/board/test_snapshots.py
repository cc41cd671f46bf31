"""Blocks of the overview of snapshots: what they say, in every width, and of answers that are not as they should be."""

from __future__ import annotations

from typing import Any

import pytest

from tests.tui.fakes import stamp
from tui.board import snapshots as blocks
from tui.board.layout import ruled, side_by_side
from tui.board.pieces import Block, cells
from tui.state import View


def text(block: Block) -> str:
    """The lines of a block."""
    return "\n".join("".join(piece.text for piece in line) for line in block.lines)


def due(policy: str, seconds: float | None, ahead: float = 3600.0, **more: Any) -> dict[str, Any]:
    at = None if seconds is None else stamp(-seconds)
    return {
        "cloud": "prod",
        "region": "r",
        "policy": policy,
        "due_at": at,
        "next_at": stamp(ahead),
        "volumes": 3,
        **more,
    }


def test_what_is_late_comes_first_and_says_so() -> None:
    items = [due("soon", None, 7300), due("now", 60), due("late", 7300), due("off", None, enabled=False)]
    block = blocks.coming({"due": {"items": items}}, {}, 60, (), 9)
    lines = text(block).split("\n")
    assert [line.split()[0] for line in lines] == ["LATE", "in", "due", "off"]
    assert "LATE 2h" in lines[0] and "late  prod" in lines[0] and "3 vol" in lines[0]


def test_more_than_there_is_room_for_is_counted() -> None:
    items = [due(f"p{n}", None) for n in range(9)]
    block = blocks.coming({"due": {"items": items}}, {}, 60, (), 4)
    assert len(block.lines) == 4 and "… 6 more" in text(block)


def test_other_clouds_are_left_out() -> None:
    facts = {"due": {"items": [due("a", None), due("b", None, cloud="other")]}}
    assert "other" not in text(blocks.coming(facts, {}, 60, ("prod",), 9))


def test_clouds_where_policies_may_not_run_and_what_else_keeps_them_from_it() -> None:
    facts = {
        "clouds": {"items": [{"cloud": "a", "enabled": False}, {"cloud": "b", "enabled": True}]},
        "policies": {"items": [{"name": "daily_5"}]},
        "state": {"idle": {"a": "read-only", "b": "the listing of volumes is old"}, "problems": {"c": "no answer"}},
    }
    said = text(blocks.standing(facts, lambda id: "W", ()))
    assert "a is not enabled for policy runs: nothing is made there. W allows it" in said
    assert "b: the listing of volumes is old" in said and "c: no answer" in said and "read-only" not in said
    assert text(blocks.standing({**facts, "policies": {"items": []}, "state": {}}, lambda id: "W", ())) == ""
    assert "not enabled" not in text(blocks.standing(facts, lambda id: "W", ("b",)))


def test_a_run_in_flight_stands_before_those_that_ended() -> None:
    run = {"id": 3, "status": "running", "progress_pct": 50.0, "policy_names": ["daily_5"], "total_volumes": 8,
           "snapshots_created": 4, "current_batch": 1, "total_batches": 2,
           "estimated_finish_at": stamp(125)}  # fmt: skip
    ended = [
        {"id": 3, "status": "running"},
        {"id": 2, "status": "failed", "policy_names": ["x"], "finished_at": stamp(-90)},
    ]
    block = blocks.running({"active": {"runs": [run]}, "runs": {"items": ended}}, {}, 50, 5)
    assert text(block).split("\n")[1:] == ["   batch 1/2 · 4/8 made · done in 2m", " ✖ failed x 1m ago"]
    assert block.spots["run 3"].view == View("run", subject=("3",))
    assert "none yet" in text(blocks.running({"active": {"run": None}, "runs": {"items": []}}, {}, 50, 5))


def test_the_worst_kept_policy_comes_first_and_one_that_is_not_judged_last() -> None:
    items = [{"policy": "b", "percent": 100.0, "total": 4}, {"policy": "new", "percent": None},
             {"policy": "a", "percent": 50.0, "missing": 2, "total": 4, "trend": [None, 10, 20, 50]}]  # fmt: skip
    block = blocks.kept({"summary": {"policies": items}}, {}, 60, (), 9)
    assert [line[0].text.split()[0] for line in block.lines] == ["a", "b", "new"]
    assert "50.0%" in text(block) and "2 missing" in text(block) and "?" in text(block)


@pytest.mark.parametrize("width", [8, 20, 39, 60, 200])
def test_every_width_is_filled_exactly(width: int) -> None:
    policy = {"policy": "p" * 80, "percent": 12.3, "missing": 10**6, "trend": list(range(40))}
    counted = {"counts": {"missing": 10**6, "none": 3}, "cover": {"total": 9, "nothing": 9}, "failed": 2}
    summary = {**counted, "policies": [policy]}
    facts = {"summary": summary, "due": {"items": [due("p" * 80, 10**6)]}}
    found = [
        blocks.coming(facts, {}, width, (), 4), blocks.states(facts, {}, ()), blocks.cover(facts, {}, ()),
        blocks.kept(facts, {}, width, (), 4), blocks.lesson(lambda id: id, [("a", "b", 1, "c" * 90)]),
    ]  # fmt: skip
    for block in found:
        assert {cells(line) for line in ruled(block, width)} == {width}
    assert {cells(line) for line in side_by_side(found[:2], (width, width))} == {2 * width + 1}


@pytest.mark.parametrize("make", [blocks.states, blocks.cover])
def test_what_is_not_known_says_why(make: Any) -> None:
    assert "not known: your role may not see it" in text(make({}, {"summary": "your role may not see it"}, ()))
    assert "…" in text(make({}, {}, ()))
