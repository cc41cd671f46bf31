"""The metadata keys of volumes: read in every spelling, written in one, and whose word they are."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.snapshots.models import Held
from engine.snapshots.policies import metadata
from engine.snapshots.policies.metadata import LONGEST_VALUE, MOST_POLICIES, Wish


def held(*policies: tuple[str, int]) -> list[Held]:
    return [Held(name, keep, "set", "s", "1") for name, keep in policies]


OURS = {"auto_snapshot": "true", "snapshot_policies": "daily_5", "retention_daily_5": "5"}


@pytest.mark.parametrize(
    ("entries", "wish"),
    [
        ({}, Wish(None, (), {}, None)),
        ({"auto_snapshot": " True "}, Wish(True, (), {}, None)),
        ({"auto_snapshot": "off"}, Wish(False, (), {}, None)),
        ({"snapshot_policies": "a, b,,a"}, Wish(None, ("a", "b"), {}, None)),
        ({"snapshot_policy": "c", "snapshot_policies": "b"}, Wish(None, ("b", "c"), {}, None)),
        ({"retention_a": "1", "snapshot_retention_a": "2", "snapshot_retention_b": "3"},
         Wish(None, (), {"a": 1, "b": 3}, None)),
        ({"retention": "4", "snapshot_retention": "5"}, Wish(None, (), {}, 4)),
        ({"snapshot_retention": "5"}, Wish(None, (), {}, 5)),
    ],
)  # fmt: skip
def test_what_metadata_say(entries: dict[str, str], wish: Wish) -> None:
    assert metadata.read(metadata.relevant({**entries, "other": "x"})) == wish


@pytest.mark.parametrize("value", ["", "0", "-1", "1.5", "many", "1001", "99999999999", "\u0663", "1\x00", " "])
def test_a_number_that_is_none_never_means_nothing(value: str) -> None:
    found = metadata.read({"retention_a\x1b": value, "retention": value})
    assert found.keep == {} and found.keep_all is None and len(found.problems) == 2
    assert all(problem.isprintable() for problem in found.problems)


def test_what_is_written() -> None:
    assert metadata.written(held(("daily_5", 5))) == OURS
    assert metadata.written([]) == {}
    many = metadata.written(held(*((f"{'x' * 60}{n}", 1) for n in range(9))))
    assert len(many["snapshot_policies"]) <= LONGEST_VALUE
    assert len(many) == 2 + len(many["snapshot_policies"].split(","))


@pytest.mark.parametrize(
    ("entries", "wrote", "wanted", "changes"),
    [
        ({}, (), held(("daily_5", 5)), OURS),
        ({}, (), [], {}),
        (OURS, (OURS,), held(("daily_5", 5)), {}),
        (OURS, (OURS,), held(("daily_5", 7)), {"retention_daily_5": "7"}),
        (OURS, (OURS,), held(("a", 1)), {"snapshot_policies": "a", "retention_a": "1", "retention_daily_5": None}),
        (OURS, (OURS,), [], dict.fromkeys(OURS)),
        # A call that nobody knows the end of: either state is ours.
        (OURS, ({}, OURS), [], dict.fromkeys(OURS)),
        (OURS, ({"auto_snapshot": "true"}, {"x": "y"}), [], {"auto_snapshot": None}),
        # A person's word is not written over, whatever was decided.
        (OURS, (), held(("a", 1)), {}),
        (OURS, ({**OURS, "retention_daily_5": "6"},), held(("a", 1)), {}),
        ({**OURS, "snapshot_policy": "b"}, (OURS,), held(("a", 1)), {}),
        ({"auto_snapshot": "no"}, (), held(("a", 1)), {}),
        # A number alone is no such word; it stays, and only what is missing is written.
        ({"retention_daily_5": "5", "retention": "9"}, (), held(("daily_5", 5)),
         {"auto_snapshot": "true", "snapshot_policies": "daily_5"}),
    ],
)  # fmt: skip
def test_what_has_to_be_written(
    entries: dict[str, str], wrote: tuple[dict[str, str], ...], wanted: list[Held], changes: dict[str, Any]
) -> None:
    assert metadata.changes(entries, wrote, wanted) == changes


KEYS = st.sampled_from(["auto_snapshot", "snapshot_policies", "snapshot_policy", "retention", "retention_a", "x"])


@given(st.dictionaries(KEYS | st.text(max_size=20), st.text(max_size=300), max_size=8))
def test_whatever_a_tenant_writes_is_read_and_bounded(whole: dict[str, str]) -> None:
    found = metadata.read(metadata.relevant(whole))
    assert len(found.policies) <= MOST_POLICIES
    assert all(name.isprintable() and 0 < len(name) <= 64 for name in found.policies)
    assert all(1 <= keep <= 1000 for keep in found.keep.values())
    assert all(problem.isprintable() and len(problem) < 200 for problem in found.problems)
