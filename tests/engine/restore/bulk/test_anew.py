"""A plan that is made anew at a machine's turn is the plan that was shown, as long as nothing but time went by."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from engine.restore import rules as restore_rules
from engine.restore.bulk import rules
from engine.restore.kept import request_of, to_json
from engine.restore.planning.planner import make_plan
from tests.engine.restore.planning.given import NOW, ROOT, facts, image_facts, point, request

WAYS = ("NEW", "REPLACE", "IN_PLACE")


@pytest.mark.parametrize("at", [None, NOW - timedelta(hours=1)])
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("known", [facts(), image_facts()], ids=["volume", "image"])
def test_it_is_the_same_plan_hours_later(known: Any, way: Any, at: Any) -> None:
    strategy = rules.strategy(way, None)
    shown = make_plan(known, request(way=way, at=at, ip_strategy=strategy), NOW, id="a")
    assert shown.eligible, shown.problems
    stored = request_of(to_json(restore_rules.again(shown, None)))
    again = make_plan(known, stored, NOW + timedelta(hours=5), id="b")
    assert again.eligible, again.problems
    assert rules.changed(rules.shape(shown), rules.shape(again)) is None


@pytest.mark.parametrize("way", WAYS)
def test_a_newer_point_does_not_change_it(way: Any) -> None:
    known = facts()
    shown = make_plan(known, request(way=way, ip_strategy=rules.strategy(way, None)), NOW, id="a")
    newer = replace(known, points={**known.points, ROOT: (point("newest", ROOT, 0), *known.points[ROOT])})
    again = make_plan(newer, restore_rules.again(shown, None), NOW, id="b")
    assert rules.changed(rules.shape(shown), rules.shape(again)) is None


@pytest.mark.parametrize("way", WAYS)
def test_a_point_that_is_gone_is_told(way: Any) -> None:
    known = facts()
    shown = make_plan(known, request(way=way, ip_strategy=rules.strategy(way, None)), NOW, id="a")
    assert shown.point is not None
    rest = tuple(one for one in known.points[ROOT] if one.id != shown.point.id)
    again = make_plan(
        replace(known, points={**known.points, ROOT: rest}), restore_rules.again(shown, None), NOW, id="b"
    )
    assert not again.eligible and again.problems
