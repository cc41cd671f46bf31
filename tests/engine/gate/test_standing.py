"""A standing permission lets a few calls of a job through a cloud's read-only mode, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine.access.models import ENGINE
from engine.gate.models import Actor, Call
from engine.gate.refusals import Refused
from tests.engine.gate.fakes import OPS, Room, room

ID = "0f0e0d0c-0000-4000-8000-000000000001"
RUN = Actor(ENGINE, "snapshots:admin", "snapshot.run", job="job-1", step=1, standing="snapshots")
GIVE = replace(RUN, action="grant.give", standing="grants")


@pytest.fixture
def east(tmp_path: Path) -> Iterator[Room]:
    with room(tmp_path) as made:
        made.gate.windows.stand("snapshots", lambda call: None)
        made.gate.windows.stand("grants", lambda call: None)
        yield made


def call(service: str, method: Any, path: str, body: Any = None, cloud: str = "east") -> Call:
    return Call(cloud, "r1", service, method, path, body, project_id="p1", what="x")


COVERED = [
    ("snapshots", call("block-storage", "POST", "/snapshots", {"snapshot": {"volume_id": ID}})),
    ("snapshots", call("block-storage", "DELETE", f"/snapshots/{ID}")),
    ("snapshots", call("block-storage", "POST", f"/volumes/{ID}/metadata", {"metadata": {"auto_snapshot": "true"}})),
    ("snapshots", call("block-storage", "DELETE", f"/volumes/{ID}/metadata/retention_daily_5")),
    ("snapshots", call("compute", "POST", f"/servers/{ID}/action", {"createImage": {"name": "x"}})),
    ("snapshots", call("image", "DELETE", f"/images/{ID}")),
    ("snapshots", call("block-storage", "POST", "/group_snapshots", {"group_snapshot": {"group_id": ID}})),
    ("snapshots", call("block-storage", "DELETE", f"/group_snapshots/{ID}")),
    ("grants", call("identity", "PUT", f"/projects/{ID}/users/{ID}/roles/{ID}")),
    ("grants", call("identity", "DELETE", f"/projects/{ID}/users/{ID}/roles/{ID}")),
]
# What lies close to that, and everything else that the product sends.
NEVER = [
    call("block-storage", "POST", "/volumes", {"volume": {}}),
    call("block-storage", "DELETE", f"/volumes/{ID}"),
    call("block-storage", "PUT", f"/volumes/{ID}", {"volume": {}}),
    call("block-storage", "PUT", f"/volumes/{ID}/metadata", {"metadata": {}}),
    call("block-storage", "POST", f"/volumes/{ID}/action", {"os-force_delete": None}),
    call("block-storage", "POST", f"/snapshots/{ID}/action", {"os-force_delete": None}),
    call("block-storage", "PUT", f"/snapshots/{ID}", {"snapshot": {}}),
    call("block-storage", "POST", "/snapshots", {"snapshot": {}, "volume": {}}),
    call("block-storage", "POST", "/snapshots"),
    call("block-storage", "DELETE", f"/snapshots/{ID}", {"cascade": True}),
    call("block-storage", "DELETE", f"/snapshots/{ID}/metadata"),
    call("block-storage", "DELETE", f"/backups/{ID}"),
    call("block-storage", "POST", "/groups", {"group": {}}),
    call("block-storage", "PUT", f"/groups/{ID}", {"group": {"add_volumes": ID}}),
    call("block-storage", "POST", f"/groups/{ID}/action", {"delete": {"delete-volumes": True}}),
    call("block-storage", "POST", "/group_types", {"group_type": {}}),
    call("block-storage", "POST", "/group_snapshots", {"group_snapshot": {}, "group": {}}),
    call("block-storage", "POST", "/group_snapshots", {"snapshot": {}}),
    call("block-storage", "POST", "/snapshots", {"group_snapshot": {}}),
    call("block-storage", "POST", f"/group_snapshots/{ID}/action", {"reset_status": {"status": "error"}}),
    call("block-storage", "PUT", f"/group_snapshots/{ID}", {"group_snapshot": {}}),
    call("block-storage", "DELETE", f"/group_snapshots/{ID}", {"force": True}),
    call("compute", "POST", f"/servers/{ID}/action", {"os-stop": None}),
    call("compute", "POST", f"/servers/{ID}/action", {"createImage": {}, "os-stop": None}),
    call("compute", "POST", f"/servers/{ID}/action", {"rebuild": {}}),
    call("compute", "DELETE", f"/servers/{ID}"),
    call("compute", "DELETE", f"/images/{ID}"),
    call("image", "PATCH", f"/images/{ID}", {}),
    call("image", "POST", "/images", {"name": "x"}),
    call("network", "DELETE", f"/networks/{ID}"),
    call("identity", "POST", "/projects", {"project": {}}),
    call("identity", "DELETE", f"/projects/{ID}"),
    call("identity", "DELETE", f"/users/{ID}"),
    call("identity", "PUT", f"/domains/{ID}/users/{ID}/roles/{ID}"),
    call("identity", "PUT", f"/projects/{ID}/groups/{ID}/roles/{ID}"),
]


@pytest.mark.parametrize(("standing", "one"), COVERED, ids=lambda one: getattr(one, "path", one))
def test_what_it_covers_is_sent_while_the_cloud_is_read_only(east: Room, standing: str, one: Call) -> None:
    answer = east.gate.perform(replace(RUN, action="snapshot.run", standing=standing), one)
    assert answer.status == 202 and east.cloud.sent == [(one.method, one.path, one.body)]
    (record,) = east.records("snapshot.run", "ok")
    assert record["detail"]["standing"] == standing
    assert not east.gate.windows.state("east")[0], "the window itself stays shut"


@pytest.mark.parametrize("standing", ["snapshots", "grants"])
@pytest.mark.parametrize("one", NEVER, ids=lambda one: f"{one.method} {one.path} {list(one.body or ())}")
def test_nothing_else_passes(east: Room, standing: str, one: Call) -> None:
    with pytest.raises(Refused) as refused:
        east.gate.perform(replace(RUN, standing=standing), one)
    assert refused.value.code == "read_only" and east.cloud.sent == []


@pytest.mark.parametrize(("standing", "one"), COVERED, ids=lambda one: getattr(one, "path", one))
def test_it_covers_nothing_of_another_permission_nor_without_a_job(east: Room, standing: str, one: Call) -> None:
    other = "grants" if standing == "snapshots" else "snapshots"
    for actor in (
        replace(RUN, standing=other),
        replace(RUN, standing=""),
        replace(RUN, standing=standing, job=""),
        replace(RUN, standing="whatever"),
        replace(RUN, standing="", caller=OPS),
    ):
        with pytest.raises(Refused) as refused:
            east.gate.perform(actor, one)
        assert refused.value.code == "read_only"
    assert east.cloud.sent == []


def test_who_gave_it_may_say_no_in_a_sentence(tmp_path: Path) -> None:
    with room(tmp_path) as made:
        made.gate.windows.stand("snapshots", lambda call: f"{call.cloud} is not enabled for policy runs")
        with pytest.raises(Refused) as refused:
            made.gate.perform(RUN, COVERED[0][1])
        assert refused.value.code == "read_only" and "not enabled" in refused.value.detail
        assert made.cloud.sent == []


def test_it_does_not_help_past_permission_and_wrong_projects(east: Room) -> None:
    one = COVERED[0][1]
    with pytest.raises(Exception, match="requires snapshots:admin"):
        east.gate.perform(replace(RUN, caller=replace(OPS, role="viewer")), one)
    with pytest.raises(Refused) as refused:
        east.gate.perform(RUN, replace(one, creates=True, session="admin"))
    assert refused.value.code == "wrong_project" and east.cloud.sent == []


def test_a_plan_of_a_person_never_stands_on_it(east: Room) -> None:
    key = east.cloud.server("1")
    made = east.plan("server.stop", key)
    with pytest.raises(Refused) as refused:
        east.execute(made)
    assert refused.value.code == "read_only" and east.cloud.sent == []


def test_only_known_permissions_are_told_of_and_once(east: Room) -> None:
    for name in ("snapshots", "everything"):
        with pytest.raises(ValueError, match=name):
            east.gate.windows.stand(name, lambda call: None)
