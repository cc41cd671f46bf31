"""Snapshots in words, and from forms to what the engine takes: tables of cases, and names that may be anything."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.dialogs import snapshot_fields as fields
from tui.dialogs.snapshots import preview_lines
from tui.snapshots import (
    block_words,
    consistency_words,
    job_of,
    made_by,
    match_words,
    next_status,
    next_words,
    place_words,
    preview_of,
    run_words,
    taken_from,
    when_words,
    why_path,
    zoned,
)

NOW = datetime(2026, 2, 8, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, "now"), (59, "now"), (-59, "now"), (3 * 3600, "in 3h"), (-7200, "2h ago")]
)
def test_when(seconds: int, words: str) -> None:
    assert when_words((NOW + timedelta(seconds=seconds)).isoformat(), NOW) == words


@pytest.mark.parametrize("value", [None, "", "no time", 7])
def test_no_time_is_no_words(value: object) -> None:
    assert when_words(value, NOW) == ""


def test_times_are_in_the_zone_of_the_policy() -> None:
    assert zoned("2026-07-01T00:00:00Z", "Europe/Berlin") == "Wed 01 Jul 02:00"
    assert zoned("2026-07-01T00:00:00Z", "No/Zone") == "Wed 01 Jul 00:00 UTC"
    assert next_words(["2026-12-01T01:00:00Z", "2026-12-02T01:00:00Z"], "Europe/Berlin") == (
        "Tue 01 Dec 02:00, Wed 02 Dec 02:00 (Europe/Berlin)"
    )
    assert next_words([], "UTC") == ""


@pytest.mark.parametrize(
    ("item", "words"),
    [
        ({}, "all volumes"),
        ({"match": {"volume_type": ["ssd", "nvme"], "bootable": False}}, "type ssd or nvme, bootable no"),
        ({"match": {"metadata_equals": {"tier": "gold"}}}, "metadata tier=gold"),
        ({"match": {"min_size_gb": 0}, "tenant_name": "acme", "cloud": "eu"}, "at least GB 0, project acme, cloud eu"),
        ({"match": {"volume_name_prefix": "db-\x1b[31m"}}, "name begins db-\ufffd[31m"),
    ],
)
def test_which_volumes(item: dict[str, Any], words: str) -> None:
    assert match_words(item) == words


@pytest.mark.parametrize(
    ("item", "words"),
    [
        ({"reason": "gigabytes_exceeded", "limit": 500, "used": 480, "needed": 50},
         "no room for its gigabytes: 480 of 500 used, 50 needed"),
        ({"reason": "snapshots_exceeded", "limit": 10, "used": 10}, "no room for another snapshot: 10 of 10 used"),
        ({"reason": "quota_unknown"}, "its quota could not be read, so nothing is made"),
        ({"block_reason": "Insufficient storage quota"}, "Insufficient storage quota"),
        ({}, "blocked by quota"),
    ],
)  # fmt: skip
def test_why_quota_blocks(item: dict[str, Any], words: str) -> None:
    assert block_words(item) == words


@pytest.mark.parametrize(
    ("item", "words"),
    [
        ({"consistency": "group-consistent", "spread_ms": 120}, "group-consistent, spread 120 ms"),
        ({"consistency": "quiesced"}, "quiesced"),
        ({"consistency": "unknown"}, "not known"),
        ({}, "not known"),
    ],
)
def test_what_a_point_is_is_never_more_than_is_proven(item: dict[str, Any], words: str) -> None:
    assert consistency_words(item) == words


def test_points_and_runs_in_words() -> None:
    assert (made_by({"policy": "daily_5"}), made_by({"policy": ""})) == ("daily_5", "by hand")
    assert (place_words({"back_end": "backup"}), place_words({})) == ("backup", "same back end")
    assert run_words({"snapshots_created": 1, "snapshots_failed": 2}) == "1 made, 2 failed"
    assert run_words({}) == "nothing made"
    assert (job_of({"job_ids": ["a", "b"]}), job_of({"job_ids": []}), job_of({})) == ("b", "", "")
    assert why_path(("prod/eu", "", "v 1")) == "/q/snapshot/why/prod%2Feu/-/v%201"


def test_statuses_one_after_the_other_beside_what_else_is_filtered() -> None:
    filter, seen = "project:acme", []
    for _ in range(4):
        filter = next_status(filter)
        seen.append(filter)
    assert seen == [f"project:acme status:={name}" for name in ("missing", "quota_blocked", "pending")] + [
        "project:acme"
    ]


# What a policy would do


def test_what_volumes_lose_is_counted_by_policy() -> None:
    items = [
        {"volume_name": "a", "before": {"x": 1, "y": 2}, "policies": {"x": 5}},
        {"volume_name": "b", "before": {"y": 2}, "policies": {"x": 5}},
        {"volume_name": "c", "before": {"x": 1}, "policies": {"x": 5}},
    ]
    assert taken_from(items) == [{"name": "y", "volumes": 2, "first": ["a", "b"]}]


@pytest.mark.parametrize(
    ("quota", "words"),
    [
        ({"snapshots": {"limit": 10, "used": 6}}, "too much: 11 snapshots of 10"),
        ({"snapshots": {"limit": 11, "used": 6}}, "+5 snapshots on 6 of 11"),
        ({"snapshots": {"limit": -1, "in_use": 6}}, "+5 snapshots on 6, no limit"),
        ({"gigabytes": {"limit": 100, "used": 51}}, "too much: 101 GB of 100"),
        (None, "quota not known"),
        ({"available": False, "reason": "no role"}, "too much: no role"),
    ],
)
def test_cost_against_quota(quota: Any, words: str) -> None:
    project = {"tenant_name": "acme", "volumes": 1, "more_snapshots": 5, "more_gigabytes": 50, "quota": quota}
    told = preview_of(
        {"volumes": 1, "items": [], "more_snapshots": 5, "more_gigabytes": 50, "projects": [project]}, None
    )
    shown = ["".join(text for text, _ in left) for left, _ in preview_lines(told, 100)]
    assert any(words in line for line in shown), shown


ROWS = st.lists(st.dictionaries(st.text(max_size=5), st.text()), max_size=3)
STRANGE = st.one_of(st.none(), st.integers(0, 10**6), ROWS)


@given(
    st.dictionaries(st.sampled_from(["volumes", "items", "projects", "more_snapshots", "lost"]), STRANGE),
    st.integers(1, 200),
)
def test_answers_of_another_shape_never_break_the_editor(answer: dict[str, Any], cells: int) -> None:
    for key in ("items", "projects"):
        if not isinstance(answer.get(key), list):
            answer.pop(key, None)
    assert isinstance(preview_lines(preview_of(answer, {"next": None, "problems": None}), cells), list)


# From forms to bodies


def test_a_form_of_a_policy_is_a_policy_and_a_set() -> None:
    found = {f.name: f.value() for f in fields.policy_fields({"name": "db", "schedule": "daily 02:00"}, new=True)}
    given = {name: value for name, value in found.items() if value is not None} | {"for": fields.SOME}
    given |= {"tenant_name": "acme", "volume_type": ["ssd"]}
    assert fields.policy_of(given) == {
        "schedule": "daily 02:00", "timezone": "UTC", "keep": 7, "method": "volume", "catch_up_hours": None,
        "window_hours": None, "jitter_minutes": 0, "description": "",
    }  # fmt: skip
    assert fields.set_for(given) == {
        "name": "db", "policies": ["db"], "match": {"volume_type": "ssd"}, "tenant_name": "acme",
        "is_global": False, "retention_map": {}, "priority": 100, "cloud": "", "description": "",
    }  # fmt: skip
    everything = fields.set_for(given | {"for": fields.ALL})
    assert (everything["match"], everything["tenant_name"], everything["is_global"]) == ({}, "", True)
    changed = fields.set_of({"tenant_name": "other"}, {"tenant_id": "p1", "tenant_name": "acme"})
    assert (changed["tenant_name"], changed["tenant_id"]) == ("other", "")
    assert fields.policy_preview(given | {"for": fields.NOBODY})[1] is None


@pytest.mark.parametrize(
    ("words", "found"),
    [(["a=1", "b=2"], {"a": 1, "b": 2}), (["a=many"], {"a": "many"}), (["a"], {"a": ""}), ([], {})],
)
def test_how_many_are_kept(words: list[str], found: dict[str, Any]) -> None:
    assert fields.retention_of(words) == found


def test_metadata_conditions() -> None:
    assert fields.match_of({"metadata_equals": ["tier=gold", "a=b=c"], "bootable": False, "min_size_gb": 0}) == {
        "metadata_equals": {"tier": "gold", "a": "b=c"}, "bootable": False, "min_size_gb": 0,
    }  # fmt: skip


def test_an_exclusion_needs_something_and_an_end_to_come() -> None:
    now = NOW.astimezone()
    assert "name a volume or at least one condition" in fields.exclusion_of({"reason": "x"}, {}, ["eu"], now)
    assert "to come" in fields.exclusion_of({"volume_id": "v", "until": "yesterday"}, {}, ["eu"], now)
    found = fields.exclusion_of({"volume_id": "v", "reason": "x", "until": "2h"}, {}, ["eu"], now)
    assert found == {
        "volume_id": "v", "reason": "x", "match": {}, "cloud": "eu", "expires_at": "2026-02-08T11:00:00Z",
    }  # fmt: skip
