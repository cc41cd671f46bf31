"""Which policies a volume has: tables of cases, and what holds whatever people decide."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.snapshots.models import Volume
from engine.snapshots.policies import metadata
from engine.snapshots.policies.rules import Assignment, Decider, Exclusion, PolicySet, Said
from tests.engine.snapshots.policies.said import NOW, a_set, decide, kept, policy, volume

KEY = ("prod", "one", "v1")


@pytest.mark.parametrize(
    ("match", "fits"),
    [
        ({"tenant_name": "SHOP"}, True),
        ({"tenant_name": "shop2"}, False),
        ({"domain_name": "retail"}, True),
        ({"volume_type": "ssd"}, True),
        ({"volume_type": ["hdd", "ssd"]}, True),
        ({"volume_type": "SSD"}, False),
        ({"volume_name_prefix": "db-"}, True),
        ({"volume_name_prefix": "data"}, False),
        ({"volume_name_contains": "data"}, True),
        ({"volume_name_contains": ".*"}, False),
        ({"bootable": False}, True),
        ({"bootable": True}, False),
        ({"min_size_gb": 100, "max_size_gb": 100}, True),
        ({"min_size_gb": 101}, False),
        ({"max_size_gb": 99}, False),
        ({"metadata_equals": {"tier": "gold"}}, True),
        ({"metadata_equals": {"tier": "gol"}}, False),
        ({"metadata_equals": {"tier": "gold", "x": "y"}}, False),
        ({"metadata_contains": {"tier": "ol"}}, True),
        ({"metadata_contains": {"tier": ""}}, True),
        ({"metadata_contains": {"tiers": ""}}, False),
        ({"tenant_name": "shop", "volume_type": "ssd", "bootable": True}, False),
    ],
)
def test_all_keys_of_a_match_must_hold(match: dict[str, Any], fits: bool) -> None:
    decision = decide(volume(metadata={"tier": "gold"}), a_set(1, "daily_5", match=match))
    assert bool(decision.held) is fits


@pytest.mark.parametrize(
    ("where", "fits"),
    [
        ({"is_global": True}, True),
        ({}, False),  # names nothing and is not global: there to be assigned
        ({"tenant_id": "p1"}, True),
        ({"tenant_id": "p2", "tenant_name": "shop"}, False),  # the id counts, names come twice
        ({"tenant_name": "Shop"}, True),
        ({"cloud": "prod"}, True),
        ({"cloud": "test", "is_global": True}, False),
        ({"cloud": "prod", "region": "two"}, False),
        ({"is_global": True, "active": False}, False),
    ],
)
def test_where_a_set_holds(where: dict[str, Any], fits: bool) -> None:
    assert bool(decide(volume(), a_set(1, **where)).held) is fits


# The winner is set 1 in each: it is made last and has the greater priority number, so only being specific can help.
@pytest.mark.parametrize(
    ("specific", "general"),
    [
        ({"match": {"volume_type": "ssd"}}, {"tenant_id": "p1"}),
        ({"match": {"volume_type": "ssd"}}, {"tenant_id": "p1", "cloud": "prod", "region": "one"}),
        ({"match": {"volume_type": "ssd", "tenant_name": "shop"}}, {"match": {"volume_type": "ssd"}}),
        ({"tenant_id": "p1"}, {"match": {"domain_name": "Retail"}}),
        ({"tenant_name": "shop"}, {"match": {"domain_name": "Retail"}, "cloud": "prod"}),
        ({"match": {"domain_name": "Retail"}}, {"cloud": "prod", "region": "one"}),
        ({"cloud": "prod", "region": "one"}, {"cloud": "prod"}),
        ({"cloud": "prod"}, {"is_global": True}),
    ],
)
def test_the_more_specific_set_decides_alone(specific: dict[str, Any], general: dict[str, Any]) -> None:
    winner, loser = a_set(9, "gold", priority=99, **specific), a_set(1, "daily_5", priority=1, **general)
    decision = decide(volume(), loser, winner)
    assert kept(decision) == {"gold": 14}
    applies, other = decision.reasons
    assert (applies.id, applies.applies, other.id, other.applies) == ("9", True, "1", False)
    assert "the most specific set that matches" in applies.text and "'set 9' is more specific" in other.text


def test_equally_specific_sets_by_priority_then_age() -> None:
    first = a_set(5, "gold", is_global=True, priority=10)
    second, third = (a_set(n, "daily_5", is_global=True, priority=20) for n in (1, 2))
    decision = decide(volume(), third, second, first)
    assert kept(decision) == {"gold": 14}
    assert [reason.id for reason in decision.reasons] == ["5", "1", "2"]
    assert decision.reasons[1].text.endswith("whose priority number is smaller: 10")
    decision = decide(volume(), third, second)
    assert decision.held[0].source_id == "1" and "which is older" in decision.reasons[1].text


def test_a_catch_all_does_not_override_an_exclusion() -> None:
    """The rule file that the documents ship excludes lab and playground, and its catch-all takes them back in."""
    lab = Exclusion(1, "no snapshots of the lab", match={"tenant_name": "lab"}, by="anna")
    everything = a_set(1, "daily_5", is_global=True, priority=20)
    decision = decide(volume(project_name="Lab"), everything, excluded=(lab,))
    assert decision.held == () and decision.excluded == "excluded: no snapshots of the lab (by anna)"
    assert [(reason.kind, reason.applies) for reason in decision.reasons] == [("exclusion", True), ("set", False)]
    assert decision.reasons[1].text == "matches (names everything); an exclusion wins over it"
    assert kept(decide(volume(), everything, excluded=(lab,))) == {"daily_5": 5}


@pytest.mark.parametrize(
    ("exclusion", "excluded"),
    [
        ({"volume_id": "v1"}, True),
        ({"volume_id": "v1", "cloud": "prod", "region": "one"}, True),
        ({"volume_id": "v1", "cloud": "test"}, False),
        ({"volume_id": "v1", "region": "two"}, False),
        ({"volume_id": "v2"}, False),
        ({"tenant_id": "p1"}, True),
        ({"tenant_name": "shop"}, True),
        ({"tenant_id": "p2", "tenant_name": "shop"}, False),
        ({"tenant_id": "p1", "match": {"volume_type": "hdd"}}, False),
        ({"match": {"volume_type": "ssd"}}, True),
        ({"volume_id": "v1", "expires_at": NOW + timedelta(seconds=1)}, True),
        ({"volume_id": "v1", "expires_at": NOW}, False),
    ],
)
def test_exclusions(exclusion: dict[str, Any], excluded: bool) -> None:
    decision = decide(
        volume(), a_set(1, is_global=True), assigned=(Assignment(1, KEY, policy="gold"),),
        excluded=(Exclusion(1, "because", **exclusion),),
    )  # fmt: skip
    assert (decision.excluded is not None) is excluded
    assert kept(decision) == ({} if excluded else {"gold": 14})


def test_an_exclusion_says_until_when() -> None:
    until = Exclusion(1, "move", volume_id="v1", expires_at=NOW + timedelta(days=1))
    assert decide(volume(), excluded=(until,)).excluded == "excluded until 2026-12-01T12:00:00Z: move"


@pytest.mark.parametrize(
    ("entries", "policies"),
    [
        ({"auto_snapshot": "true", "snapshot_policies": "daily_5, gold"}, {"daily_5": 5, "gold": 14}),
        ({"auto_snapshot": "YES", "snapshot_policies": "gold", "retention_gold": "3"}, {"gold": 3}),
        ({"auto_snapshot": "1", "snapshot_policies": "gold", "snapshot_retention_gold": "3"}, {"gold": 3}),
        (
            {"auto_snapshot": "1", "snapshot_policies": "gold", "snapshot_retention_gold": "3", "retention_gold": "4"},
            {"gold": 4},
        ),
        ({"auto_snapshot": "1", "snapshot_policies": "gold,a_2", "retention": "9", "retention_a_2": "1"},
         {"gold": 9, "a_2": 1}),
        ({"auto_snapshot": "on", "snapshot_policy": "weekly"}, {"weekly": 7}),
        ({"auto_snapshot": "on", "snapshot_policy": "weekly", "snapshot_retention": "2"}, {"weekly": 2}),
        ({"auto_snapshot": "on", "snapshot_policy": "weekly", "snapshot_policies": "gold"}, {"gold": 14, "weekly": 7}),
        ({"auto_snapshot": "on", "snapshot_policies": "gold", "retention_gold": "0"}, {"gold": 14}),
        ({"auto_snapshot": "on", "snapshot_policies": "gold", "retention_gold": "-1", "retention": "x"}, {"gold": 14}),
        ({"auto_snapshot": "on", "snapshot_policies": "off"}, {}),
        # Nothing that metadata alone decide: the set does.
        ({"snapshot_policies": "gold"}, {"daily_5": 5}),
        ({"auto_snapshot": "perhaps", "snapshot_policies": "gold"}, {"daily_5": 5}),
        ({"auto_snapshot": "true"}, {"daily_5": 5}),
        ({"auto_snapshot": "true", "snapshot_policies": " , /,\x00"}, {"daily_5": 5}),
        ({"retention_daily_5": "8"}, {"daily_5": 8}),
        ({"unrelated": "gold"}, {"daily_5": 5}),
        # The owner wants none.
        ({"auto_snapshot": "false", "snapshot_policies": "gold"}, {}),
        ({"auto_snapshot": " No "}, {}),
    ],
)  # fmt: skip
def test_metadata_of_the_volume(entries: dict[str, str], policies: dict[str, int]) -> None:
    assert kept(decide(volume(metadata=entries), a_set(1, "daily_5", is_global=True))) == policies


def test_the_owner_s_no_is_an_exclusion() -> None:
    decision = decide(volume(metadata={"auto_snapshot": "no"}), a_set(1, is_global=True))
    assert decision.excluded is not None and "its owner wants no automatic snapshots" in decision.excluded
    assert decision.reasons[0].kind == "exclusion"


@pytest.mark.parametrize(
    ("entries", "said"),
    [
        ({"auto_snapshot": "perhaps"}, "auto_snapshot='perhaps', which is neither yes nor no"),
        ({"auto_snapshot": "true"}, "ask for automatic snapshots but name no policy"),
        ({"snapshot_policies": "gold"}, "name policies, but do not say auto_snapshot=true"),
        ({"auto_snapshot": "true", "snapshot_policies": "gold,a/b"}, "name 'a/b', which cannot be a policy"),
        ({"auto_snapshot": "true", "snapshot_policies": "gold", "retention_gold": "many"}, "no number from 1 to 1000"),
        ({"auto_snapshot": "true", "snapshot_policies": ",".join(f"p{n}" for n in range(30))}, "the first 20 count"),
        ({"auto_snapshot": "true", "snapshot_policies": "off"}, "off is switched off"),
        ({"auto_snapshot": "true", "snapshot_policies": "w"}, "nobody made w, so it is what its name says: daily at"),
    ],
)
def test_what_cannot_be_taken_as_meant_is_told(entries: dict[str, str], said: str) -> None:
    decision = decide(volume(metadata=entries))
    assert any(reason.kind == "metadata" and said in reason.text for reason in decision.reasons)


def test_metadata_and_assignments_are_united_and_the_assignment_s_number_wins() -> None:
    wish = {"auto_snapshot": "yes", "snapshot_policies": "gold,daily_5", "retention_gold": "3"}
    given = (Assignment(1, KEY, policy="gold", keep=21, by="anna"), Assignment(2, KEY, policy="weekly_4"))
    decision = decide(volume(metadata=wish), a_set(1, "yearly", is_global=True), assigned=given)
    assert kept(decision) == {"gold": 21, "daily_5": 5, "weekly_4": 4}
    assert {held.policy: held.kind for held in decision.held} == {
        "gold": "assignment", "daily_5": "metadata", "weekly_4": "assignment",
    }  # fmt: skip
    assert [reason.applies for reason in decision.reasons] == [True, True, True, False]
    assert decision.reasons[-1].text.endswith("but what is said of this very volume wins")
    without = decide(volume(metadata=wish), assigned=(Assignment(1, KEY, policy="gold"),))
    assert kept(without)["gold"] == 3


def test_an_assigned_set_gives_its_policies_also_when_it_matches_nothing() -> None:
    one = a_set(4, "gold", "daily_5", retention={"gold": 2})
    assert kept(decide(volume(), one, assigned=(Assignment(1, KEY, set_id=4),))) == {"gold": 2, "daily_5": 5}
    inactive = a_set(4, "gold", active=False)
    for sets in ((), (inactive,)):
        decision = decide(volume(), *sets, assigned=(Assignment(1, KEY, set_id=4),))
        assert decision.held == () and decision.reasons[0].kind == "none"


def test_how_many_are_kept_comes_from_the_nearest_word() -> None:
    one = a_set(1, "gold", "daily_5", is_global=True, retention={"gold": 2})
    assert kept(decide(volume(), one)) == {"gold": 2, "daily_5": 5}
    assert kept(decide(volume(metadata={"retention": "6"}), one)) == {"gold": 6, "daily_5": 6}
    assert kept(decide(volume(metadata={"retention": "6", "retention_gold": "8"}), one)) == {"gold": 8, "daily_5": 6}
    named = {"auto_snapshot": "1", "snapshot_policies": "gold"}
    assert kept(decide(volume(metadata=named), one)) == {"gold": 2}


def test_what_we_wrote_decides_nothing_until_a_person_changes_it() -> None:
    before = a_set(1, "daily_5", is_global=True)
    wrote = metadata.written(decide(volume(), before).held)
    assert wrote == {"auto_snapshot": "true", "snapshot_policies": "daily_5", "retention_daily_5": "5"}
    after = a_set(1, "gold", is_global=True)
    decision = decide(volume(metadata={**wrote, "tier": "x"}), after, wrote=wrote)
    assert kept(decision) == {"gold": 14}
    assert [reason.kind for reason in decision.reasons] == ["set", "metadata"] and not decision.reasons[1].applies
    for change in ({"snapshot_policies": "daily_5,weekly_4"}, {"retention_daily_5": "9"}, {"snapshot_policy": "x"}):
        own = decide(volume(metadata={**wrote, **change}), after, wrote=wrote)
        assert "daily_5" in kept(own) and "gold" not in kept(own)
    more = decide(volume(metadata={**wrote, "retention_gold": "2"}), after, wrote=wrote)
    assert kept(more) == {"gold": 2}
    no = decide(volume(metadata={**wrote, "auto_snapshot": "false"}), after, wrote=wrote)
    assert no.excluded is not None


NAMES = st.sampled_from(["gold", "daily_5", "weekly_4", "off", "monthly_1st"])
MATCHES = st.fixed_dictionaries(
    {},
    optional={
        "tenant_name": st.sampled_from(["shop", "lab"]),
        "domain_name": st.sampled_from(["Retail", "Other"]),
        "volume_type": st.sampled_from(["ssd", "hdd"]),
        "bootable": st.booleans(),
        "min_size_gb": st.integers(0, 200),
        "metadata_equals": st.just({"tier": "gold"}),
    },
)
SETS = st.lists(
    st.builds(
        PolicySet, st.integers(1, 30), st.just("s"), st.lists(NAMES, min_size=1, max_size=3, unique=True).map(tuple),
        st.dictionaries(NAMES, st.integers(1, 9), max_size=2), st.integers(1, 3), st.booleans(), st.booleans(),
        st.sampled_from(["", "p1", "p2"]), st.just(""), st.sampled_from(["", "prod", "test"]), st.just(""), MATCHES,
    ),
    max_size=6, unique_by=lambda one: one.id,
)  # fmt: skip
VOLUMES = st.lists(
    st.builds(
        volume, id=st.sampled_from(["v1", "v2", "v3"]), project_id=st.sampled_from(["p1", "p2"]),
        project_name=st.sampled_from(["shop", "lab"]), volume_type=st.sampled_from(["ssd", "hdd"]),
        bootable=st.booleans(), size_gb=st.integers(1, 200),
        metadata=st.dictionaries(
            st.sampled_from(["auto_snapshot", "snapshot_policies", "retention", "retention_gold", "tier"]),
            st.sampled_from(["true", "false", "gold", "daily_5,off", "3", "0", "x" * 300, "\u202e,,"]), max_size=4,
        ),
    ),
    min_size=1, max_size=3, unique_by=lambda one: one.id,
)  # fmt: skip
EXCLUSIONS = st.lists(
    st.builds(
        Exclusion, st.integers(1, 30), st.just("r"), volume_id=st.sampled_from(["", "v1", "v2"]),
        tenant_id=st.sampled_from(["", "p1"]), match=MATCHES,
        expires_at=st.sampled_from([None, NOW, NOW + timedelta(days=1)]),
    ),
    max_size=3, unique_by=lambda one: one.id,
)  # fmt: skip
ASSIGNED = st.lists(
    st.builds(
        Assignment, st.integers(1, 30), st.just(KEY), st.integers(0, 5), st.sampled_from(["", "gold", "off"]),
        st.none() | st.integers(1, 30),
    ),
    max_size=3, unique_by=lambda one: one.id,
)  # fmt: skip


def _said(sets: list[PolicySet], excluded: list[Exclusion], assigned: list[Assignment]) -> Said:
    return Said(tuple(sets), {KEY: tuple(assigned)} if assigned else {}, tuple(excluded))


@given(SETS, EXCLUSIONS, ASSIGNED, VOLUMES, st.randoms())
def test_whatever_is_decided(
    sets: list[PolicySet], excluded: list[Exclusion], assigned: list[Assignment], found: list[Volume], random: Any
) -> None:
    decided = Decider(_said(sets, excluded, assigned), policy, NOW).decide(found)
    for key, decision in decided.items():
        deciding = [reason for reason in decision.reasons if reason.applies]
        assert deciding and [reason.applies for reason in decision.reasons] == sorted(
            (reason.applies for reason in decision.reasons), reverse=True
        )
        if decision.excluded is not None:
            assert decision.held == () and {reason.kind for reason in deciding} == {"exclusion"}
        # Every policy has a reason that applies and names it, and none is switched off or held twice.
        names = [held.policy for held in decision.held]
        assert len(names) == len(set(names)) and "off" not in names
        for held in decision.held:
            assert held.keep >= 1
            assert any(held.policy in reason.policies and reason.kind == held.kind for reason in deciding)
        # At most one set decides, and none when something is said of the volume itself.
        of_sets = [reason for reason in deciding if reason.kind == "set"]
        assert len(of_sets) <= 1 and not (of_sets and len(deciding) > 1)
        assert key in {one.key for one in found}
    shuffled = list(sets), list(excluded), list(assigned)
    for one in shuffled[:2]:
        random.shuffle(one)
    assert Decider(_said(*shuffled), policy, NOW).decide(list(reversed(found))) == decided


@given(SETS, EXCLUSIONS, ASSIGNED, VOLUMES)
def test_an_exclusion_of_the_tenant_leaves_nothing(
    sets: list[PolicySet], excluded: list[Exclusion], assigned: list[Assignment], found: list[Volume]
) -> None:
    excluded = [*excluded, Exclusion(99, "all of it", cloud="prod", match={"domain_name": "retail"})]
    decided = Decider(_said(sets, excluded, assigned), policy, NOW).decide(found)
    assert all(decision.held == () and decision.excluded is not None for decision in decided.values())


@given(SETS, VOLUMES)
def test_what_is_written_settles(sets: list[PolicySet], found: list[Volume]) -> None:
    """Once written, metadata say what was decided, the decision stays, and there is nothing more to write."""
    decider = Decider(_said(sets, [], []), policy, NOW)
    for one in found:
        decision = decider.of(one)
        changes = metadata.changes(metadata.relevant(one.metadata), (), decision.held)
        if metadata.is_persons(metadata.relevant(one.metadata), ()):
            assert changes == {}
            continue
        wrote = {key: value for key, value in changes.items() if value is not None}
        again = replace(one, metadata={**one.metadata, **wrote})
        after = Decider(Said(tuple(sets), wrote={one.key: (wrote,)}), policy, NOW).of(again)
        assert kept(after) == kept(decision)
        assert metadata.changes(metadata.relevant(again.metadata), (wrote,), decision.held) == {}
        assert metadata.changes(metadata.relevant(again.metadata), (wrote,), after.held) == {}
        assert bool(wrote) is bool(decision.held)
