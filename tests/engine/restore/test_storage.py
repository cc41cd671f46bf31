"""Old storage after a restore: only the old root volume and the source snapshot, only unused, and never cascading."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine.access.models import Caller
from engine.gate.refusals import NotDone
from engine.restore.models import Plan
from engine.restore.records import Records
from engine.restore.storage import Storage
from store.ops.ops import Ops
from tests.engine.restore.small_cloud import NOW, OTHER, PROJECT, SmallCloud, plan

ANNA = Caller("anna", uid=1, role="superadmin")


class World:
    """The restore j1 has replaced the machine old by new; its root volume is left, unattached."""

    def __init__(self, ops: Ops) -> None:
        self.cloud, self.records = SmallCloud(), Records(ops, lambda: NOW)
        self.storage = Storage(self.records, self.cloud, lambda seconds: None)
        self.plan = plan("REPLACE")
        self.cloud.server("new")
        self.cloud.volume("root")
        self.cloud.volume("data")
        self.cloud.snapshot("snap-1", "gone")
        self.records.begin("j1", 1, "server", "server", "t", "web-1", ("lab", "one", ""), PROJECT)
        self.records.made("j1", "server", "new")
        self.records.handed_over("j1")

    def clean(self, volume: bool = True, snapshot: bool = True) -> dict[str, Any]:
        return self.storage.clean(ANNA, self.plan, volume, snapshot)


@pytest.fixture
def world(tmp_path: Path):
    with closing(Ops.open(tmp_path / "ops.sqlite")) as ops:
        yield World(ops)


def test_the_old_root_and_the_source_go_when_asked(world: World) -> None:
    assert world.clean() == {
        "deleted_volumes": ["root"], "deleted_snapshots": ["snap-1"], "errors": [], "skipped": [],
    }  # fmt: skip
    assert world.cloud.sent == ["DELETE /volumes/root", "DELETE /snapshots/snap-1"]
    assert "data" in world.cloud.ids


def test_nothing_is_asked_nothing_is_done(world: World) -> None:
    assert world.clean(False, False)["skipped"] == []
    assert world.cloud.sent == []


def _volume(world: World, **more: Any) -> None:
    world.cloud.docs["volume"]["root"] |= more


KEPT: list[tuple[str, Any, str]] = [
    ("kept machine", lambda w: w.records.keep("j1", "machine", ("lab", "one", "old"), PROJECT, "o", None), "is kept"),
    ("kept itself", lambda w: w.records.keep("j1", "volume", ("lab", "one", "root"), PROJECT, "o", None), "it is kept"),
    ("snapshots", lambda w: w.cloud.snapshot("s", "root"), "snapshots (1)"),
    ("attached", lambda w: _volume(w, attachments=[{"server_id": "s"}], status="in-use"), "attached to s"),
    ("reserved", lambda w: _volume(w, status="reserved"), "reserved"),
    ("another project's", lambda w: _volume(w, **{"os-vol-tenant-attr:tenant_id": OTHER}), "project p2"),
    ("gone", lambda w: w.cloud.docs["volume"].pop("root"), "gone already"),
    ("no new machine", lambda w: w.cloud.docs["server"].pop("new"), "may be all that is left"),
    ("broken new machine", lambda w: w.cloud.docs["server"]["new"].update(status="ERROR"), "may be all that is left"),
    ("held", lambda w: w.cloud.holds.update(root="a job of ben works on it"), "a job of ben"),
    ("NEW", lambda w: setattr(w, "plan", plan("NEW")), "only REPLACE leaves one"),
    ("moved", lambda w: setattr(w, "plan", _root(w.plan, choice="keep_current", source=None)), "to the new machine"),
    ("no volume", lambda w: setattr(w, "plan", replace(w.plan, disks=())), "did not boot from a volume"),
]  # fmt: skip


def _root(old: Plan, **more: Any) -> Plan:
    return replace(old, disks=(replace(old.disks[0], **more), *old.disks[1:]))


@pytest.mark.parametrize(("change", "said"), [pytest.param(change, said, id=name) for name, change, said in KEPT])
def test_an_old_root_that_may_be_needed_is_skipped(world: World, change: Any, said: str) -> None:
    change(world)
    result = world.clean(snapshot=False)
    assert world.cloud.sent == []
    assert result["deleted_volumes"] == [] and said in result["skipped"][0]["reason"]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"status": "creating"}, "creating"),
        ({"os-extended-snapshot-attributes:project_id": OTHER}, "project p2"),
    ],
)
def test_a_source_snapshot_that_may_be_needed_is_skipped(world: World, more: dict[str, Any], said: str) -> None:
    world.cloud.docs["snapshot"]["snap-1"] |= more
    result = world.clean(volume=False)
    assert world.cloud.sent == []
    assert said in result["skipped"][0]["reason"]


def test_what_is_no_snapshot_is_not_deleted_as_one(world: World) -> None:
    assert world.plan.point is not None
    world.plan = replace(world.plan, point=replace(world.plan.point, kind="image"))
    assert "came from an image" in world.clean(volume=False)["skipped"][0]["reason"]


def test_what_the_cloud_refuses_is_told(world: World) -> None:
    world.cloud.problems["DELETE /snapshots/snap-1"] = NotDone("volumes were cloned from it", status=400)
    result = world.clean()
    assert result["errors"] == ["volumes were cloned from it"]
    assert result["deleted_volumes"] == ["root"]
    assert world.cloud.released == ["j1"]
