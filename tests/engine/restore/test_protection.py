"""What protects a volume goes over to its successor, wherever it comes from; done twice it is the same."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine.gate.models import Actor, Call
from engine.restore.protection import Protection
from engine.snapshots.models import Volume
from engine.snapshots.policies.models import AssignmentBody, ExclusionBody, SetBody
from tests.engine.snapshots.policies.place import ADMIN, NOW, Place

WHY = "taken over by a restore"
PERSON = {"auto_snapshot": "true", "snapshot_policies": "daily_5", "retention_daily_5": "9"}


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path)
    yield made
    made.close()


class Case:
    """An old volume and the new one in its place, which the store does not know yet."""

    def __init__(self, place: Place, metadata: dict[str, str], **more: Any) -> None:
        self.place, self.protection = place, Protection(place.policies)
        self.old = replace(place.volume("vol-4"), metadata=metadata)
        self.new = replace(self.old, id="new", name="restore-web-root", metadata={}, **more)
        self.sent: list[Call] = []

    def _send(self, call: Call) -> None:
        self.sent.append(call)
        self.place.cinder.perform(Actor(ADMIN, "restore:write", "restore", job="j"), call)

    def now(self, volume: Volume) -> Volume:
        """As Cinder has it now."""
        known = self.place.cinder.metadata.get(volume.id)
        return volume if known is None else replace(volume, metadata=dict(known))

    def take_over(self) -> tuple[str, ...]:
        self.place.cinder.metadata.setdefault("new", dict(self.new.metadata))
        return self.protection.take_over(ADMIN, self.old, self.now(self.new), self._send, WHY)

    def retire(self) -> str:
        self.place.cinder.metadata.setdefault("vol-4", dict(self.old.metadata))
        return self.protection.retire(self.now(self.old), self._send)

    def held(self) -> dict[str, int]:
        volume = self.now(self.new)
        return {one.policy: one.keep for one in self.place.policies.decide([volume], NOW)[volume.key].held}


def test_what_its_owner_wrote(place: Place) -> None:
    case = Case(place, {**PERSON, "owner": "db"})
    assert case.take_over() == ("metadata: auto_snapshot, retention_daily_5, snapshot_policies",)
    assert case.held() == {"daily_5": 9}
    assert "owner" not in place.cinder.metadata["new"]
    sent = len(case.sent)
    assert case.take_over() == ()
    assert len(case.sent) == sent


def test_old_words_go_over_as_they_are(place: Place) -> None:
    case = Case(place, {"auto_snapshot": "true", "snapshot_policy": "weekly_4", "snapshot_retention": "3"})
    case.take_over()
    assert case.held() == {"weekly_4": 3}


def test_what_a_backup_brought_with_it_goes(place: Place) -> None:
    case = Case(place, {})
    case.new = replace(case.new, metadata={"auto_snapshot": "true", "snapshot_policies": "hourly_24", "owner": "x"})
    case.take_over()
    assert place.cinder.metadata["new"] == {"owner": "x"}
    assert case.held() == {}


def test_what_was_assigned(place: Place) -> None:
    case = Case(place, {})
    place.add(
        AssignmentBody(volume_id="vol-4", policy="weekly_4", keep=6),
        AssignmentBody(volume_id="vol-4", policy="daily_5"),
    )
    assert case.held() == {}
    assert case.take_over() == ("2 assignments and exclusions taken over",)
    assert case.held() == {"weekly_4": 6, "daily_5": 5}
    assert case.take_over() == ()
    _, records = place.audit.page(action="snapshot.assign")
    [record] = [one for one in records if "taken over" in str(one["detail"])]
    assert record["target"] == "restore-web-root"


def test_what_people_excluded(place: Place) -> None:
    case = Case(place, dict(PERSON))
    place.add(ExclusionBody(volume_id="vol-4", reason="scratch"))
    case.take_over()
    case.take_over()
    assert case.held() == {}
    rows = [row for row in place.policies.state().exclusions.values() if row["volume_id"] == "new"]
    assert [row["reason"] for row in rows] == ["scratch"]


def test_a_set_that_goes_by_the_name(place: Place) -> None:
    case = Case(place, {})
    by_name = {"volume_name_prefix": case.old.name[:3]}
    place.add(SetBody(name="by name", policies=["daily_5"], match=by_name, retention_map={"daily_5": 4}))
    assert case.protection.held(case.old) == ("daily_5, 4 kept",)
    assert case.held() == {}
    assert case.take_over() == ("daily_5 assigned",)
    assert case.held() == {"daily_5": 4}
    assert case.take_over() == ()


def test_a_set_of_the_whole_tenant_needs_nothing(place: Place) -> None:
    case = Case(place, {})
    place.add(SetBody(name="all", policies=["daily_5"], tenant_id=case.old.project_id))
    assert case.take_over() == ()
    assert case.held() == {"daily_5": 5} and not case.sent


def test_what_we_wrote_stays_ours(place: Place) -> None:
    place.add(AssignmentBody(volume_id="vol-4", policy="daily_5"))
    before = place.volume("vol-4")
    place.writer.write(Actor(ADMIN, "snapshots:admin", "snapshot.policy", job="j"), before)
    case = Case(place, dict(place.cinder.metadata["vol-4"]))
    case.take_over()
    assert place.cinder.metadata["new"] == place.cinder.metadata["vol-4"]
    # It says nothing of its own: once the assignment is gone, so is the policy.
    reasons = {
        one.kind for one in place.policies.decide([case.now(case.new)], NOW)[case.new.key].reasons if one.applies
    }
    assert reasons == {"assignment"}


def test_the_old_one_is_left_alone_from_then_on(place: Place) -> None:
    case = Case(place, dict(PERSON))
    case.take_over()
    assert "leave" in case.retire()
    assert case.protection.held(case.now(case.old)) == ()
    assert case.held() == {"daily_5": 9}
    assert case.retire() == "" and len(case.sent) == 2
    # The plan's metadata still say what it had, so that a repeated step compares with that.
    assert case.protection.held(case.old) == ("daily_5, 9 kept",)
    assert case.take_over() == ()


def test_one_that_nothing_protects_is_not_written_to(place: Place) -> None:
    case = Case(place, {})
    assert case.retire() == "" and case.take_over() == () and not case.sent


def test_one_that_only_a_set_protects_is_left_alone_too(place: Place) -> None:
    case = Case(place, {})
    place.add(SetBody(name="all", policies=["daily_5"], tenant_id=case.old.project_id))
    assert case.retire()
    assert case.protection.held(case.now(case.old)) == ()


@pytest.mark.parametrize("key", ["retention_a/b", "retention_x?y", "retention_a b", "snapshot_retention_ä"])
def test_a_key_that_cannot_be_in_a_path_is_left(key: str, place: Place) -> None:
    case = Case(place, {})
    case.new = replace(case.new, metadata={key: "3"})
    case.take_over()
    assert not case.sent
