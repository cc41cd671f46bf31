"""The service on real files: decisions, what is due, what is written to volumes, and how cheap it is to ask again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from engine.api.errors import Conflict, NotFound
from engine.gate.models import Actor
from engine.gate.refusals import NotDone
from engine.snapshots.policies.models import AssignmentBody, ExclusionBody, PolicyBody, PolicyChange, SetBody, SetChange
from engine.snapshots.runs.metadata_runner import ACTION, PERMISSION
from engine.snapshots.volumes import volumes
from store.estate.reading.models import Scope
from tests.engine.snapshots.policies.place import ADMIN, ANNA, NOW, Place, volume

GOLD = PolicyBody(name="gold", schedule="daily 01:00", timezone="Europe/Berlin", keep=14)
EVERYTHING = SetBody(name="everything", policies=["gold"], is_global=True)
ONE = ("prod", "RegionOne")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_volumes_come_with_all_that_policies_look_at(place: Place) -> None:
    found = volumes(place.reads, Scope())
    assert [one.id for one in found] == ["vol-1", "vol-2", "vol-3", "vol-4", "vol-5"]
    two = found[1]
    assert (two.cloud, two.region, two.name, two.size_gb, two.status) == ("prod", "RegionOne", "disk-2", 20, "in-use")
    assert (two.project_name, two.domain_name, two.server_name) == ("acme-prod", "acme", "web-2")
    assert dict(two.metadata) == {"auto_snapshot": "true", "snapshot_policies": "daily_5"}
    assert two.created_at == datetime(2026, 11, 1, tzinfo=UTC) and len(two.server_ids) == 1
    some = volumes(place.reads, Scope(), [place.key("vol-4"), ("prod", "other", "vol-1"), place.key("vol-2")])
    assert [one.id for one in some] == ["vol-2", "vol-4"]
    assert volumes(place.reads, Scope(projects=("p2",)), [place.key("vol-1")]) == []


def test_a_decision_follows_what_people_decide(place: Place) -> None:
    assert (place.held("vol-1"), place.held("vol-4")) == ({"daily_5": 5}, {})
    version = place.policies.version
    _, row = place.add(GOLD, EVERYTHING)
    assert place.policies.version == version + 2 == place.moves + version
    assert place.held("vol-4") == {"gold": 14} and place.held("vol-1") == {"daily_5": 5}
    place.desk.changing.change_policy(ANNA, "gold", PolicyChange(keep=3))
    assert place.held("vol-4") == {"gold": 3}
    place.desk.changing.change_set(ANNA, row["id"], SetChange(retention_map={"gold": 2}))
    assert place.held("vol-4") == {"gold": 2}
    place.add(AssignmentBody(volume_id="vol-4", policy="weekly_4", keep=6))
    assert place.held("vol-4") == {"weekly_4": 6}
    place.add(ExclusionBody(volume_id="vol-4", reason="scratch", expires_at="2026-11-21T00:00:00Z"))
    assert place.held("vol-4") == {}
    place.now = at("2026-11-21T00:00")
    assert place.held("vol-4") == {"weekly_4": 6}


def test_decisions_are_not_made_again_while_nothing_moves(place: Place) -> None:
    place.add(EVERYTHING)
    first = place.policies.decide([place.volume("vol-4")], NOW)[place.key("vol-4")]
    again = place.policies.decide([place.volume("vol-4")], NOW + timedelta(days=400))[place.key("vol-4")]
    assert again is first
    counts = place.policies.counts(Scope())
    assert place.policies.counts(Scope()) is counts
    assert (counts.volumes, counts.protected, counts.excluded) == (5, 5, 0)
    assert counts.policies == {(*ONE, "daily_5"): 3, (*ONE, "gold"): 2} and counts.sets == {1: 2}
    place.volumes(volume(1, "p1"))
    place.now += timedelta(minutes=2)
    assert place.policies.counts(Scope()).volumes == 1


def test_what_is_due_is_taken_up_once(place: Place) -> None:
    place.now = at("2026-11-20T15:30")
    assert place.policies.due(*ONE) == {}  # from now on
    place.now = at("2026-11-21T01:59:59")
    assert place.policies.due(*ONE) == {}
    place.now = at("2026-11-21T02:00")
    due = place.policies.due(*ONE)
    assert due == {"daily_5": at("2026-11-21T02:00")} == place.policies.due(*ONE)
    with place.ops.begin() as connection:
        place.policies.handled(*ONE, due, 7, connection)
    assert place.policies.due(*ONE) == {}
    # Three days without an engine: the newest alone.
    place.now = at("2026-11-24T12:00")
    assert place.policies.due(*ONE) == {"daily_5": at("2026-11-24T02:00")}
    with place.ops.begin() as connection:
        place.policies.handled(*ONE, {"daily_5": at("2026-11-24T02:00")}, 8, connection)
        place.policies.handled(*ONE, {"daily_5": at("2026-11-21T02:00")}, 7, connection)  # told late
    assert place.policies.due(*ONE) == {}
    assert place.policies.due("prod", "elsewhere") == {} == place.policies.due("other", "RegionOne")


def test_a_schedule_that_was_changed_begins_anew(place: Place) -> None:
    place.add(GOLD, EVERYTHING)
    assert place.policies.due(*ONE) == {}
    place.now = at("2026-11-21T12:00")
    with place.ops.begin() as connection:
        place.policies.handled(*ONE, place.policies.due(*ONE), 1, connection)
    place.desk.changing.change_policy(ANNA, "gold", PolicyChange(schedule="daily 10:00", timezone="UTC"))
    assert "gold" not in place.policies.due(*ONE)  # ten o'clock was before that was said
    place.desk.changing.change_policy(ANNA, "gold", PolicyChange(keep=2, description="fewer"))
    place.now = at("2026-11-22T10:00")
    assert place.policies.due(*ONE)["gold"] == at("2026-11-22T10:00")
    place.desk.changing.change_policy(ANNA, "gold", PolicyChange(enabled=False))
    assert "gold" not in place.policies.due(*ONE)


def test_jitter_moves_the_beginning_and_not_the_occurrence(place: Place) -> None:
    place.add(PolicyBody(name="gold", schedule="daily 01:00", jitter_minutes=600), EVERYTHING)
    place.policies.due(*ONE)
    place.now = at("2026-11-21T01:00")
    assert "gold" not in place.policies.due(*ONE)
    place.now = at("2026-11-21T11:00")
    assert place.policies.due(*ONE)["gold"] == at("2026-11-21T01:00")


def test_why_answers_in_sentences(place: Place) -> None:
    place.add(GOLD, EVERYTHING)
    answer = place.policies.why(ADMIN, place.key("vol-1"))
    assert [(one["policy"], one["keep"], one["source"]) for one in answer["policies"]] == [("daily_5", 5, "metadata")]
    assert [(one["kind"], one["applies"]) for one in answer["reasons"]] == [("metadata", True), ("set", False)]
    assert answer["metadata"] == {"auto_snapshot": "true", "snapshot_policies": "daily_5"}
    assert answer["metadata_written_here"] is False and answer["excluded"] is None
    with pytest.raises(NotFound, match="no volume"):
        place.policies.why(ADMIN, place.key("vol-9"))


def test_metadata_are_written_and_do_not_mask_later_changes(place: Place) -> None:
    actor = Actor(ANNA, PERMISSION, ACTION)
    [row] = place.add(EVERYTHING)
    place.desk.changing.change_set(ANNA, row["id"], SetChange(policies=["daily_5", "weekly_4"]))
    found = volumes(place.reads, Scope())
    assert [one.id for one, _ in place.policies.assignments(found)] == ["vol-3", "vol-4"]
    four = place.volume("vol-4")
    assert place.writer.write(actor, four).startswith("metadata written: auto_snapshot=true")
    wrote = {"auto_snapshot": "true", "snapshot_policies": "daily_5,weekly_4", "retention_daily_5": "5",
             "retention_weekly_4": "4"}  # fmt: skip
    assert place.cinder.metadata["vol-4"] == wrote
    assert place.writer.write(actor, four) == "its metadata say so already" and len(place.cinder.sent) == 1
    # Collected, they decide nothing: the set may change, and metadata follow.
    place.volumes(volume(4, "p1", "available", metadata=wrote))
    assert place.held("vol-4") == {"daily_5": 5, "weekly_4": 4}
    place.desk.changing.change_set(ANNA, row["id"], SetChange(policies=["daily_5"], retention_map={"daily_5": 9}))
    assert place.held("vol-4") == {"daily_5": 9}
    place.writer.write(actor, place.volume("vol-4"))
    place.policies.moved()
    left = {"auto_snapshot": "true", "snapshot_policies": "daily_5", "retention_daily_5": "9"}
    assert place.cinder.metadata["vol-4"] == left
    assert ("DELETE", "/volumes/vol-4/metadata/retention_weekly_4", None) in place.cinder.sent
    # A person says something else: that counts, and is not written over.
    place.cinder.metadata["vol-4"]["snapshot_policies"] = "monthly_1st"
    place.volumes(volume(4, "p1", "available", metadata=place.cinder.metadata["vol-4"]))
    assert place.held("vol-4") == {"monthly_1st": 1}
    assert "its owner's own" in place.writer.write(actor, place.volume("vol-4"))
    # No policy any more: what we wrote goes.
    place.cinder.metadata["vol-4"] = dict(left)
    place.desk.changing.remove_set(ANNA, row["id"])
    place.writer.write(actor, place.volume("vol-4"))
    assert place.cinder.metadata["vol-4"] == {}


def test_a_crash_between_call_and_record_leaves_no_word_of_a_person(place: Place) -> None:
    actor, [row] = Actor(ANNA, PERMISSION, ACTION), place.add(EVERYTHING)
    four = place.volume("vol-4")

    class Died(BaseException):
        pass

    sent = place.cinder.perform

    def dies(actor: Any, call: Any) -> Any:
        sent(actor, call)
        raise Died

    place.writer._perform = dies
    with pytest.raises(Died):
        place.writer.write(actor, four)
    place.policies.moved()
    place.volumes(volume(4, "p1", metadata=place.cinder.metadata["vol-4"]))
    place.desk.changing.change_set(ANNA, row["id"], SetChange(policies=["weekly_4"]))
    assert place.held("vol-4") == {"weekly_4": 4}
    place.writer._perform = sent
    place.writer.write(actor, place.volume("vol-4"))
    assert place.cinder.metadata["vol-4"]["snapshot_policies"] == "weekly_4"


def test_a_key_that_could_not_be_taken_away_goes_next_time(place: Place) -> None:
    actor, [row] = Actor(ANNA, PERMISSION, ACTION), place.add(EVERYTHING)
    place.writer.write(actor, place.volume("vol-4"))
    place.desk.changing.change_set(ANNA, row["id"], SetChange(policies=["weekly_4"]))
    sent = place.cinder.perform

    def no_delete(actor: Any, call: Any) -> Any:
        if call.method == "DELETE":
            raise NotDone("the cloud does not answer", uncertain=True)
        return sent(actor, call)

    place.writer._perform = no_delete
    with pytest.raises(NotDone):
        place.writer.write(actor, place.volume("vol-4"))
    assert "retention_gold" in place.cinder.metadata["vol-4"]
    place.writer._perform = sent
    assert place.writer.write(actor, place.volume("vol-4")) == "metadata written: retention_gold taken away"
    assert place.cinder.metadata["vol-4"] == {
        "auto_snapshot": "true", "snapshot_policies": "weekly_4", "retention_weekly_4": "4",
    }  # fmt: skip


def test_what_is_in_use_is_not_removed(place: Place) -> None:
    _, row = place.add(GOLD, EVERYTHING)
    place.add(AssignmentBody(volume_ids=["vol-1", "vol-2"], policy_set_id=row["id"]))
    with pytest.raises(Conflict, match="in use by set 'everything'"):
        place.desk.changing.remove_policy(ANNA, "gold")
    assert place.desk.changing.remove_set(ANNA, row["id"])[1] == 2
    assert place.policies.state().assignments == {}
    place.add(AssignmentBody(volume_id="vol-1", policy="gold"))
    with pytest.raises(Conflict, match="1 assignments"):
        place.desk.changing.remove_policy(ANNA, "gold")
    place.desk.giving.unassign(ANNA, list(place.policies.state().assignments))
    assert "nobody" not in place.desk.remove_policy(ANNA, "gold")
    assert place.policies.policy("gold").known is False
    [again] = place.add(EVERYTHING)
    assert again["id"] > row["id"]  # a number is not used twice


def test_every_change_is_in_the_audit(place: Place) -> None:
    _, row = place.add(GOLD, EVERYTHING)
    place.desk.changing.change_set(ANNA, row["id"], SetChange(priority=5))
    [[given]] = place.add(AssignmentBody(volume_id="vol-4", policy="gold", keep=3, reason="asked for"))
    place.desk.giving.unassign(ANNA, [given["id"]])
    [out] = place.add(ExclusionBody(tenant_id="p2", reason="lab"))
    place.desk.giving.include(ANNA, out["id"])
    place.desk.changing.remove_set(ANNA, row["id"])
    place.desk.remove_policy(ANNA, "gold")
    _, records = place.audit.page(action="snapshot.*")
    told = [(record["action"], record["target"]) for record in reversed(records)]
    assert told == [
        ("snapshot.policy.add", "gold"), ("snapshot.set.add", "everything"), ("snapshot.set.change", "everything"),
        ("snapshot.assign", "gold"), ("snapshot.unassign", "gold"), ("snapshot.exclude", "p2"),
        ("snapshot.include", "p2"), ("snapshot.set.remove", "everything"), ("snapshot.policy.remove", "gold"),
    ]  # fmt: skip
    assert {record["actor"] for record in records} == {"anna"}
    assert records[6]["detail"] == {"id": row["id"], "priority": [100, 5]}
    assert records[5]["detail"] == {
        "volumes": ["disk-4"], "count": 1, "new": 1, "cloud": "prod", "reason": "asked for", "keep": {"gold": 3},
    }  # fmt: skip
