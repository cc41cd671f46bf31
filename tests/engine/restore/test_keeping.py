"""What is kept after restores: kept longer, let go of, and removed only while that is safe."""

from __future__ import annotations

import threading
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from engine.access.models import Caller
from engine.api.errors import Conflict, NotFound
from engine.audit.service import AuditService
from engine.gate.refusals import NotDone, Refused
from engine.restore.keeping import AGAIN, Keeping
from engine.restore.plans import Plans
from engine.restore.records import Records
from engine.settings.cloud_rules import CloudRules
from store.ops.ops import Ops
from tests.engine.restore.small_cloud import NOW, OTHER, PROJECT, SmallCloud, plan

ANNA = Caller("anna", uid=1, role="superadmin")
LOCK = "replaced by web-1 (new), restore job 7; kept until 2026-03-08"
DELETE_OLD = ["POST /servers/old/action", "DELETE /servers/old"]


class World:
    """The restore j1 of web-1 has replaced it: `new` runs, `old` is kept, shelved and locked, with the volume root."""

    def __init__(self, ops: Ops) -> None:
        self.cloud, self.clock, self.moved = SmallCloud(), NOW, [0]
        self.audit = AuditService(ops)
        self.records, self.plans = Records(ops, lambda: self.clock), Plans(ops, lambda: self.clock)
        self.keeping = Keeping(
            ops, self.audit, self.records, self.plans, self.cloud, self.cloud.windows,
            lambda caller, cloud, project: caller.projects is None or project in caller.projects,
            lambda job, cloud: self.moved.append(1), lambda: self.clock, lambda seconds: None,
        )  # fmt: skip
        self.plans.keep(ANNA, plan("REPLACE"))
        self.cloud.server("old", name="web-1-old-7", status="SHELVED_OFFLOADED", locked=True, locked_reason=LOCK)
        self.cloud.volume("root")
        self.cloud.attach("old", "root")
        self.cloud.server("new", name="web-1")
        self.records.begin("j1", 1, "server", "server", "t", "web-1", ("lab", "one", ""), PROJECT)
        self.records.made("j1", "server", "new")
        self.records.handed_over("j1")

    def keep(self, kind: str, id: str, at_end: str = "none", days: int = 7) -> str:
        key = ("lab", "one", id)
        self.records.keep("j1", kind, key, PROJECT, f"{id}-kept", NOW + timedelta(days=days), at_end=at_end)
        return str(self.records.keeps(*key)["id"])  # type: ignore[index]

    def machine(self, **more: Any) -> str:
        return self.keep("machine", "old", **more)

    def copy(self) -> str:
        """A copy of a disk, attached to the machine that it was made for."""
        self.cloud.volume("copy")
        self.records.begin("j1", 2, "volume:root", "volume", "t", "copy", ("lab", "one", ""), PROJECT)
        self.records.made("j1", "volume:root", "copy")
        self.records.handed_over("j1")
        self.cloud.attach("old", "copy")
        return self.keep("disk_beside", "copy", "delete")

    def state(self, id: str) -> str:
        return str(self.records.kept_row(id)["state"])  # type: ignore[index]


@pytest.fixture
def world(tmp_path: Path):
    with closing(Ops.open(tmp_path / "ops.sqlite")) as ops:
        yield World(ops)


def test_the_list_says_until_when_and_what_may_be_asked(world: World) -> None:
    world.machine()
    [row] = world.keeping.page(ANNA)
    assert (row["name"], row["until"], row["over"], row["machine"]) == (
        "old-kept", "2026-03-08T03:00:00Z", False, "web-1",
    )  # fmt: skip
    assert row["can"] == ["extend", "release", "remove"]
    world.clock = NOW + timedelta(days=7)
    assert world.keeping.page(ANNA)[0]["over"]
    assert world.keeping.page(Caller("eve", role="admin", projects=(OTHER,))) == []
    assert world.keeping.page(ANNA, cloud="elsewhere") == []


@pytest.mark.parametrize(("after", "until"), [(0, 10), (6, 10), (20, 23)])
def test_it_is_kept_longer(world: World, after: int, until: int) -> None:
    id = world.machine()
    world.clock = NOW + timedelta(days=after)
    row = world.keeping.extend(ANNA, id, 3)
    assert row["until"] == (NOW + timedelta(days=until)).isoformat().replace("+00:00", "Z")


def test_only_who_may_see_it_may_touch_it(world: World) -> None:
    id = world.machine()
    eve = Caller("eve", role="superadmin", projects=(OTHER,))
    for act in (
        lambda: world.keeping.extend(eve, id, 3),
        lambda: world.keeping.release(eve, id),
        lambda: world.keeping.remove(eve, id, "old-kept"),
    ):
        with pytest.raises(NotFound):
            act()
    assert world.cloud.sent == []


@pytest.mark.parametrize(
    ("rename", "sent"),
    [(False, ["POST /servers/old/action"]), (True, ["POST /servers/old/action", "PUT /servers/old"])],
)
def test_a_machine_is_let_go_of(world: World, rename: bool, sent: list[str]) -> None:
    id = world.machine()
    world.keeping.release(ANNA, id, rename)
    assert world.cloud.sent == sent
    assert world.cloud.docs["server"]["old"]["locked"] is False
    assert world.cloud.docs["server"]["old"]["name"] == ("web-1" if rename else "web-1-old-7")
    assert world.state(id) == "released"
    assert world.keeping.page(ANNA) == []
    with pytest.raises(Conflict, match="released already"):
        world.keeping.remove(ANNA, id, "old-kept")


def test_the_old_machine_is_removed_when_its_name_is_typed(world: World) -> None:
    id = world.machine()
    for typed in ("", "old", "OLD-KEPT", "old-kept "):
        with pytest.raises(Refused, match="type 'old-kept'"):
            world.keeping.remove(ANNA, id, typed)
    assert world.cloud.sent == []
    world.keeping.remove(ANNA, id, "old-kept")
    assert world.cloud.sent == DELETE_OLD
    # Locked by an administrator, it is unlocked by one; what deletes it can delete in its own project only.
    assert [call.session for call in world.cloud.calls] == ["admin", "tenant"]
    assert world.state(id) == "removed"
    assert "root" in world.cloud.ids
    assert world.cloud.released == ["j1"]


def test_a_production_cloud_asks_for_its_name_too(world: World) -> None:
    id = world.machine()
    world.cloud.windows.own = CloudRules(production=True)
    with pytest.raises(Refused, match="type 'lab old-kept'"):
        world.keeping.remove(ANNA, id, "old-kept")
    world.keeping.remove(ANNA, id, "lab old-kept")
    assert world.state(id) == "removed"


def _old(world: World, **more: Any) -> None:
    world.cloud.docs["server"]["old"] |= more


REFUSED: list[tuple[str, Any, str]] = [
    ("it runs", lambda w: _old(w, status="ACTIVE"), "old-kept is ACTIVE: somebody uses it"),
    ("another project's", lambda w: _old(w, tenant_id=OTHER), "belongs to the project p2 now"),
    ("somebody's lock", lambda w: _old(w, locked_reason="do not touch"), "locked by somebody else (do not touch)"),
    ("a lock without a reason", lambda w: _old(w, locked_reason=None), "no reason was given"),
    ("its successor is gone", lambda w: w.cloud.docs["server"].pop("new"), "may be all that is left"),
    ("its successor is broken", lambda w: w.cloud.docs["server"]["new"].update(status="ERROR"), "is ERROR"),
    ("its volume would go", lambda w: w.cloud.attached["old"][0].update(delete_on_termination=True), "the volume root"),
    ("untold whether it would", lambda w: w.cloud.attached["old"][0].pop("delete_on_termination"), "the volume root"),
    ("a job works on it", lambda w: w.cloud.holds.update(old="a job of ben works on it"), "a job of ben"),
    ("read-only", lambda w: setattr(w.cloud.windows, "closed", True), "read-only"),
    ("not to be read", lambda w: w.cloud.problems.update({"GET /servers/old": NotDone("no answer")}), "no answer"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "said"), [pytest.param(change, said, id=name) for name, change, said in REFUSED])
def test_a_machine_that_may_be_needed_stays(world: World, change: Any, said: str) -> None:
    id = world.machine()
    change(world)
    with pytest.raises((Conflict, Refused)) as refused:
        world.keeping.remove(ANNA, id, "old-kept")
    assert said in refused.value.detail
    assert "DELETE /servers/old" not in world.cloud.sent
    assert world.state(id) == "kept"


@pytest.mark.parametrize(
    ("more", "snapshots", "said"),
    [
        ({"status": "in-use", "attachments": [{"server_id": "s"}]}, 0, "attached to s"),
        ({"status": "reserved"}, 0, "reserved"),
        ({}, 2, "snapshots (2)"),
        ({"os-vol-tenant-attr:tenant_id": OTHER}, 0, "project p2"),
    ],
)
def test_an_old_volume_that_is_used_stays(world: World, more: dict[str, Any], snapshots: int, said: str) -> None:
    world.cloud.volume("data", **more)
    for number in range(snapshots):
        world.cloud.snapshot(f"s{number}", "data")
    id = world.keep("volume", "data")
    with pytest.raises(Conflict, match=said.replace("(", r"\(").replace(")", r"\)")):
        world.keeping.remove(ANNA, id, "data-kept")
    assert world.cloud.sent == []


@pytest.mark.parametrize("kind", ["machine", "volume"])
@pytest.mark.parametrize(
    ("was", "now", "then"),
    [
        ("true", "false", "true"),
        (None, "false", None),
        ("true", None, None),  # somebody has changed it since
        ("false", "false", "false"),
        (None, None, None),
    ],
)
def test_what_is_let_go_is_looked_after_by_policies_again(
    world: World, kind: str, was: str | None, now: str | None, then: str | None
) -> None:
    made = plan("REPLACE", id="j2")
    old = {} if was is None else {"auto_snapshot": was}
    world.plans.keep(ANNA, replace(made, disks=(replace(made.disks[0], metadata=old), made.disks[1])))
    world.cloud.docs["volume"]["root"]["metadata"] = {} if now is None else {"auto_snapshot": now}
    key = ("lab", "one", "old" if kind == "machine" else "root")
    world.records.keep("j2", kind, key, PROJECT, "kept", NOW)
    world.keeping.release(ANNA, str(world.records.keeps(*key)["id"]))  # type: ignore[index]
    assert world.cloud.docs["volume"]["root"]["metadata"].get("auto_snapshot") == then


def test_an_old_volume_is_removed(world: World) -> None:
    world.cloud.volume("data")
    id = world.keep("volume", "data")
    world.keeping.remove(ANNA, id, "data-kept")
    assert world.cloud.sent == ["DELETE /volumes/data"]


def test_a_copy_is_taken_off_and_deleted_at_its_end(world: World) -> None:
    id = world.copy()
    assert world.keeping.tick(NOW + timedelta(days=6)) == []
    assert world.keeping.tick(NOW + timedelta(days=7)) == [id]
    assert world.cloud.sent == ["DELETE /servers/old/os-volume_attachments/copy", "DELETE /volumes/copy"]
    assert {actor.caller.name for actor in world.cloud.actors} == {"engine"}
    assert world.keeping.tick(NOW + timedelta(days=8)) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda w: w.cloud.docs["volume"]["copy"].update(attachments=[{"server_id": "theirs"}]), "not made for"),
        (lambda w: w.cloud.snapshot("s", "copy"), "snapshots (1)"),
        (lambda w: setattr(w.cloud.windows, "closed", True), "read-only"),
    ],
)
def test_a_copy_that_is_used_otherwise_stays_and_is_a_problem(world: World, change: Any, said: str) -> None:
    id = world.copy()
    change(world)
    assert world.keeping.tick(NOW + timedelta(days=7)) == []
    assert world.state(id) == "kept"
    assert said in str(world.records.kept_row(id)["problem"])  # type: ignore[index]
    assert "copy" in world.cloud.ids


def test_a_copy_that_was_moved_along_is_taken_off_what_took_the_machine_s_place(world: World) -> None:
    id = world.copy()
    world.cloud.docs["volume"]["copy"].update(attachments=[{"server_id": "new"}])
    world.records.lineage("j1", "server", ("lab", "one", "old"), ("lab", "one", "new"))
    assert world.keeping.tick(NOW + timedelta(days=7)) == [id]
    assert world.cloud.sent == ["DELETE /servers/new/os-volume_attachments/copy", "DELETE /volumes/copy"]


def test_what_nobody_made_is_no_copy(world: World) -> None:
    world.cloud.volume("somebodys")
    id = world.keep("disk_beside", "somebodys", "delete")
    world.keeping.tick(NOW + timedelta(days=7))
    assert world.cloud.sent == []
    assert "do not say that a restore made" in str(world.records.kept_row(id)["problem"])  # type: ignore[index]


def test_what_did_not_go_is_tried_again_after_a_while(world: World) -> None:
    id = world.copy()
    end = NOW + timedelta(days=7)
    world.cloud.windows.closed = True
    world.keeping.tick(end)
    world.cloud.windows.closed = False
    assert world.keeping.tick(end + AGAIN / 2) == []
    assert world.keeping.tick(end + AGAIN) == [id]


def test_without_being_asked_to_nothing_is_removed_at_the_end(world: World) -> None:
    world.machine()
    assert world.keeping.tick(NOW + timedelta(days=400)) == []
    assert world.cloud.sent == []


def test_it_looks_by_itself_and_ends(world: World) -> None:
    id = world.copy()
    gone = threading.Event()
    world.keeping._changed = lambda job, cloud: gone.set()
    world.clock = NOW + timedelta(days=7)
    world.keeping.begin()
    assert gone.wait(10.0)
    world.keeping.close()
    assert world.state(id) == "removed"


def test_everything_is_in_the_audit(world: World) -> None:
    id = world.machine()
    world.keeping.extend(ANNA, id, 3)
    world.keeping.remove(ANNA, id, "old-kept")
    _, records = world.audit.page(limit=100)
    assert {"restore.kept_extend", "restore.kept_remove"} <= {record["action"] for record in records}
