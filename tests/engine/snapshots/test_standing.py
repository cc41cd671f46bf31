"""Clouds where policy runs may work although they are read-only: who says so, and how far that goes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from engine.access.models import ENGINE, Caller
from engine.api.errors import Forbidden
from engine.gate.models import Actor, Call
from engine.gate.refusals import Refused
from engine.snapshots import making
from engine.snapshots.models import Volume
from engine.snapshots.standing import PolicyClouds
from tests.engine.gate.fakes import OPS, Room, room

RUN = Actor(ENGINE, "snapshots:admin", "snapshot.run", job="job-1", step=1, standing="snapshots")
VOLUME = Volume("east", "r1", "v1", "data", "in-use", 20, project_id="p1")
SNAPSHOT = making.create_snapshot(VOLUME, "n", "d", {})


@dataclass
class Place:
    """A gate with policy clouds."""

    room: Room
    clouds: PolicyClouds
    told: list[str]

    def send(self, call: Call = SNAPSHOT) -> str:
        """What the gate says of a run's call; "" when it was sent."""
        before = len(self.room.cloud.sent)
        try:
            self.room.gate.perform(RUN, call)
        except Refused as refused:
            assert len(self.room.cloud.sent) == before and refused.code == "read_only"
            return refused.detail
        return ""


@pytest.fixture
def east(tmp_path: Path) -> Iterator[Place]:
    with room(tmp_path) as made:
        told: list[str] = []
        clouds = PolicyClouds(
            made.audit._ops, made.audit, made.gate.windows, made.cloud.names, told.append, lambda: made.clock[0]
        )
        yield Place(made, clouds, told)


def test_policies_run_nowhere_until_somebody_allows_it(east: Place) -> None:
    assert "`qdeck snapshot enable east`" in east.send()
    item = east.clouds.enable(OPS, "east", "nightly points")
    assert (item["enabled"], item["enabled_by"], item["reason"]) == (True, "ops", "nightly points")
    assert east.send() == "" and east.told == ["east"]
    assert not east.room.gate.windows.state("east")[0], "for everybody else it stays read-only"
    assert east.clouds.disable(OPS, "east", "audit")["enabled"] is False
    assert "not enabled" in east.send()
    told = [(record["action"], record["detail"]["reason"]) for record in east.room.audit.page(limit=10)[1][::-1]]
    assert ("snapshot.enable", "nightly points") in told and ("snapshot.disable", "audit") in told


def test_saying_it_twice_changes_nothing(east: Place) -> None:
    east.clouds.enable(OPS, "east", "first")
    assert east.clouds.enable(OPS, "east", "second")["reason"] == "first"
    east.clouds.disable(OPS, "east")
    east.clouds.disable(OPS, "east")
    assert len(east.room.records("snapshot.enable")) == len(east.room.records("snapshot.disable")) == 1


def test_what_it_asks_for(east: Place) -> None:
    with pytest.raises(Refused) as refused:
        east.clouds.enable(OPS, "east", " ")
    assert refused.value.code == "reason"
    east.room.rules(production=True)
    with pytest.raises(Refused) as refused:
        east.clouds.enable(OPS, "east", "nightly", "esat")
    assert refused.value.code == "typed" and not east.clouds.enabled("east")
    assert east.clouds.enable(OPS, "east", "nightly", "east")["enabled"]


@pytest.mark.parametrize(
    ("caller", "error"),
    [
        (replace(OPS, clouds=("west",)), Refused),
        (replace(OPS, projects=("p1",)), Forbidden),
        (replace(OPS, domains=("d1",)), Forbidden),
    ],
)
def test_who_may_not(east: Place, caller: Caller, error: type[Exception]) -> None:
    for act in (lambda: east.clouds.enable(caller, "east", "x", "east"), lambda: east.clouds.disable(caller, "east")):
        with pytest.raises(error):
            act()
    assert not east.clouds.enabled("east")
    with pytest.raises(Refused):
        east.clouds.enable(OPS, "nowhere", "x")


def test_a_cloud_without_read_only_mode_needs_nothing(east: Place) -> None:
    east.room.cloud.writable = {"east"}
    assert east.clouds.enabled("east") and east.send() == ""
    (item,) = east.clouds.page(OPS)
    assert item["enabled"] and item["demo"] and item["enabled_by"] is None
    with pytest.raises(Refused, match="no read-only mode"):
        east.clouds.disable(OPS, "east")


def test_a_cloud_of_the_same_name_is_allowed_nothing(east: Place) -> None:
    east.clouds.enable(OPS, "east", "nightly")
    east.clouds.forget("east")
    assert not east.clouds.enabled("east")


def test_only_metadata_of_policies_is_written(east: Place) -> None:
    east.clouds.enable(OPS, "east", "nightly")
    written = making.write_metadata(VOLUME, {"auto_snapshot": "true"})
    assert east.send(written) == ""
    foreign = replace(written, body={"metadata": {"auto_snapshot": "true", "owner": "me"}})
    assert "no other metadata" in east.send(foreign)
    taken = making.remove_metadata(VOLUME, "retention_daily_5")
    assert east.send(taken) == ""
    assert "no other metadata" in east.send(replace(taken, path="/volumes/v1/metadata/owner"))


def test_it_lets_nobody_else_through(east: Place) -> None:
    east.clouds.enable(OPS, "east", "nightly")
    by_hand = Actor(OPS, "snapshots:admin", "volume.snapshot", plan_id="plan", job="job-2", step=1)
    for actor, call in (
        (by_hand, SNAPSHOT),
        (replace(RUN, job=""), SNAPSHOT),
        (RUN, Call("east", "r1", "block-storage", "DELETE", "/volumes/v1", project_id="p1")),
        (RUN, Call("east", "r1", "compute", "POST", "/servers/s1/action", {"os-stop": None}, project_id="p1")),
    ):
        with pytest.raises(Refused) as refused:
            east.room.gate.perform(actor, call)
        assert refused.value.code == "read_only"
    assert east.room.cloud.sent == []
    with pytest.raises(Refused) as refused:
        east.room.execute(east.room.plan("server.stop", east.room.cloud.server("1")))
    assert refused.value.code == "read_only"
