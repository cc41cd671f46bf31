"""Clean-up deletes what is certainly its own and unused, and nothing else, whatever lies beside it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.access.models import Caller
from engine.gate.refusals import NotDone, Refused
from engine.restore.cleaning import GONE_SECONDS, Cleaner
from engine.restore.records import Records
from store.ops.ops import Ops
from tests.engine.restore.small_cloud import NOW, OTHER, PROJECT, SmallCloud, plan

ANNA = Caller("anna", uid=1, role="superadmin")
KEY = ("lab", "one", "")


class World:
    """A cloud, records and a cleaner; `made(...)` is what the job j1 made."""

    def __init__(self, ops: Ops) -> None:
        self.cloud = SmallCloud()
        self.clock = NOW
        self.records = Records(ops, lambda: self.clock)
        self.slept = 0.0
        self.cleaner = Cleaner(self.records, self.cloud, lambda: self.clock, self._sleep)
        self.cloud.server("old")
        self.cloud.volume("root")
        self.cloud.volume("data")
        self.cloud.attach("old", "root")
        self.cloud.port("nic", device_id="old", fixed_ips=[{"ip_address": "10.0.0.5"}])

    def _sleep(self, seconds: float) -> None:
        self.slept += seconds

    def made(self, type: str, id: str, purpose: str = "", *, job: str = "j1", found: bool = True, **more: Any) -> str:
        """Something that the job made, and that is there as it should be."""
        token = f"token-{id}"
        purpose = purpose or {"volume": f"volume:{id}", "port": f"port:{id}"}.get(type, type)
        self.records.begin(job, 1, purpose, type, token, id, KEY, PROJECT)
        if found:
            self.records.made(job, purpose, id)
        make: Callable[..., str] = getattr(self.cloud, type)
        return make(id, token, **more)

    def all_made(self) -> None:
        """A machine with a volume and a port, and an image, all of the job's own."""
        self.made("server", "new", "server")
        self.made("volume", "v-new")
        self.made("port", "n-new", device_id="new")
        self.made("image", "i-new", "image")
        self.cloud.attach("new", "v-new")

    def clean(self, delete_volume: bool = True, way: Any = "NEW", **more: Any) -> dict[str, Any]:
        return self.cleaner.clean(ANNA, plan(way, **more), delete_volume)

    def deleted(self) -> set[str]:
        return {what.rpartition("/")[2] for what in self.cloud.sent if what.startswith("DELETE")}


@pytest.fixture
def world(tmp_path: Path):
    with closing(Ops.open(tmp_path / "ops.sqlite")) as ops:
        yield World(ops)


def test_all_that_the_job_made_goes_the_machine_first(world: World) -> None:
    world.all_made()
    answer = world.clean()
    assert world.cloud.sent == [
        "DELETE /servers/new", "DELETE /ports/n-new", "DELETE /images/i-new", "DELETE /volumes/v-new",
    ]  # fmt: skip
    assert (answer["ports"], answer["volume"], answer["server"], answer["errors"]) == (["n-new"], "v-new", "new", [])
    assert {row["state"] for row in world.records.of_job("j1")} == {"removed"}
    assert world.records.left() == []
    assert world.cloud.released == ["j1"]
    assert {call.session for call in world.cloud.calls} == {"tenant"}
    assert {call.project_id for call in world.cloud.calls} == {PROJECT}


def test_volumes_are_preserved_unless_it_is_said(world: World) -> None:
    world.made("volume", "v-new")
    world.made("port", "n-new")
    answer = world.clean(delete_volume=False)
    assert answer["volume"] == "v-new (preserved — use delete_volume=true to remove)"
    assert world.deleted() == {"n-new"}
    assert world.records.left()[0]["id"] == "v-new"


def test_a_machine_whose_volume_would_go_with_it_stays_while_volumes_are_preserved(world: World) -> None:
    world.made("server", "new", "server")
    world.made("volume", "v-new")
    world.cloud.attach("new", "v-new", with_it=True)
    answer = world.clean(delete_volume=False)
    assert not world.cloud.sent
    assert "would be deleted with it" in answer["left"][0]["reason"]


def test_cleaning_twice_is_cleaning_once(world: World) -> None:
    world.all_made()
    world.clean()
    sent = list(world.cloud.sent)
    assert world.clean()["removed"] == []
    assert world.cloud.sent == sent


# (what is made different, what has to be said of it)
LEFT: list[tuple[str, Callable[[World], Any], str]] = [
    ("another mark", lambda w: w.made("volume", "x", metadata={"qdeck_mark": "token-of-somebody"}), "mark"),
    ("no mark", lambda w: w.made("volume", "x", metadata={}), "mark"),
    ("a port without the mark", lambda w: w.made("port", "x", description=""), "mark"),
    ("an image without the mark", lambda w: w.made("image", "x", "image", qdeck_mark="other"), "mark"),
    ("another project", lambda w: w.made("volume", "x", **{"os-vol-tenant-attr:tenant_id": OTHER}), "project p2"),
    ("nobody's", lambda w: w.made("volume", "x", **{"os-vol-tenant-attr:tenant_id": None}), "of nobody"),
    ("another project's port", lambda w: w.made("port", "x", project_id=OTHER), "project p2"),
    ("another project's server", lambda w: w.made("server", "x", tenant_id=OTHER), "project p2"),
    ("attached", lambda w: w.made("volume", "x", status="in-use", attachments=[{"server_id": "s"}]), "attached to s"),
    ("attachments untold", lambda w: w.made("volume", "x", attachments=None), "does not say whether it is attached"),
    ("reserved", lambda w: w.made("volume", "x", status="reserved"), "it is reserved"),
    ("still creating", lambda w: w.made("volume", "x", status="creating"), "it is creating"),
    ("migrating", lambda w: w.made("volume", "x", migration_status="migrating"), "being migrated"),
    ("with snapshots", lambda w: w.cloud.snapshot("s", w.made("volume", "x")), "has snapshots (1)"),
    ("port in use", lambda w: w.made("port", "x", device_id="s", device_owner="compute:n"), "in use by compute:n s"),
    ("trunk", lambda w: w.made("port", "x", trunk_details={"trunk_id": "t"}), "trunk"),
    (
        "floating IP",
        lambda w: w.cloud.floating.append({"port_id": w.made("port", "x"), "floating_ip_address": "192.0.2.9"}),
        "192.0.2.9 points at it",
    ),
    ("protected image", lambda w: w.made("image", "x", "image", protected=True), "protected"),
    ("public image", lambda w: w.made("image", "x", "image", visibility="public"), "public"),
    (
        "image that a machine was built from",
        lambda w: w.cloud.server("s", image={"id": w.made("image", "x", "image")}),
        "a machine was built from it",
    ),
    ("locked machine", lambda w: w.made("server", "x", locked=True), "locked"),
    ("machine at work", lambda w: w.made("server", "x", **{"OS-EXT-STS:task_state": "deleting"}), "deleting"),
    (
        "machine with a foreign volume",
        lambda w: w.cloud.attach(w.made("server", "x"), w.cloud.volume("theirs")),
        "the volume theirs is attached to it",
    ),
    (
        "machine with a foreign port",
        lambda w: w.cloud.port("theirs", device_id=w.made("server", "x")),
        "the port theirs is on it",
    ),
    ("held", lambda w: w.cloud.holds.__setitem__(w.made("volume", "x"), "a job of ben works on it"), "a job of ben"),
    (
        "kept",
        lambda w: w.records.keep("j1", "disk_beside", ("lab", "one", w.made("volume", "x")), PROJECT, "x", None),
        "it is kept",
    ),
    (
        "took another's place",
        lambda w: w.records.lineage("j9", "volume", ("lab", "one", "o"), ("lab", "one", w.made("volume", "x"))),
        "took the place",
    ),
    ("another restore's, too", lambda w: (w.made("volume", "x"), w.made("volume", "x", job="j2")), "another restore"),
    ("safety copy", lambda w: w.made("image", "x", "safety:root"), "safety copy"),
    ("snapshot", lambda w: w.records.begin("j1", 1, "safety:v", "snapshot", "t", "x", KEY, PROJECT), "restore point"),
    ("the old machine itself", lambda w: w.made("volume", "root", "volume:root"), "must be an error"),
    ("the point", lambda w: w.made("volume", "snap-1", "volume:root"), "must be an error"),
]  # fmt: skip


@pytest.mark.parametrize(("make", "said"), [pytest.param(make, said, id=name) for name, make, said in LEFT])
def test_what_is_not_certainly_its_own_and_unused_is_left_and_told(world: World, make: Any, said: str) -> None:
    make(world)
    before = set(world.cloud.ids)
    answer = world.clean()
    assert world.cloud.sent == []
    assert world.cloud.ids == before
    assert any(said in one["reason"] for one in answer["left"]), answer["left"]


def test_what_has_no_record_is_never_deleted_whatever_it_carries(world: World) -> None:
    made = world.made("volume", "mine")
    token = world.cloud.docs["volume"][made]["metadata"]["qdeck_mark"]
    world.cloud.volume("copy-of-the-mark", token, name="mine")
    world.cloud.port("same-token", token)
    world.cloud.server("same-name", token, name="web-1")
    world.clean()
    assert world.deleted() == {"mine"}


def test_what_was_begun_is_found_by_its_mark(world: World) -> None:
    for type, id in (("server", "s"), ("port", "p"), ("volume", "v"), ("image", "i")):
        world.made(type, id, f"{type}:x", found=False)
    answer = world.clean()
    assert {one["id"] for one in answer["removed"]} == {"s", "p", "v", "i"}
    assert world.records.left() == []


def test_what_was_asked_for_a_moment_ago_may_still_come(world: World) -> None:
    world.records.begin("j1", 1, "port:0", "port", "token-late", "late", KEY, PROJECT)
    assert "look again" in world.clean()["left"][0]["reason"]
    assert world.records.left() != []
    world.clock = NOW + timedelta(minutes=11)
    world.clean()
    assert world.records.left() == []


def test_a_new_machine_stays_until_the_old_one_is_back(world: World) -> None:
    world.made("server", "new", "server")
    old, nic = world.cloud.docs["server"]["old"], world.cloud.docs["port"]["nic"]
    for change, said in (
        (lambda: old.update(status="SHELVED_OFFLOADED"), "not back as it was (it is SHELVED_OFFLOADED)"),
        (lambda: old.update(status="SHUTOFF"), "not back as it was (it is SHUTOFF)"),
        (lambda: (old.update(status="ACTIVE"), nic.update(fixed_ips=[])), "does not have all its addresses"),
        (lambda: nic.update(fixed_ips=[{"ip_address": "10.0.0.5"}], device_id=""), "does not have all its addresses"),
        (lambda: world.cloud.docs["server"].pop("old"), "may be all that is left"),
    ):
        change()
        answer = world.clean(way="REPLACE")
        assert world.cloud.sent == []
        assert said in answer["left"][0]["reason"]
    world.cloud.server("old")
    nic.update(device_id="old")
    world.clean(way="REPLACE")
    assert world.deleted() == {"new"}


def test_a_refusal_of_the_cloud_is_told_and_the_rest_goes(world: World) -> None:
    world.made("port", "a")
    world.made("port", "b")
    world.cloud.problems["DELETE /ports/a"] = NotDone("the network service says no", status=409)
    answer = world.clean()
    assert answer["errors"] == ["the network service says no"]
    assert answer["ports"] == ["b"]
    assert [row["id"] for row in world.records.left()] == ["a"]


def test_what_cannot_be_looked_at_is_left(world: World) -> None:
    world.made("volume", "v")
    world.cloud.problems["GET /snapshots/detail"] = NotDone("no answer", status=503)
    assert "could not be looked at" in world.clean()["left"][0]["reason"]
    assert world.cloud.sent == []


def test_what_does_not_go_is_not_forgotten(world: World) -> None:
    world.made("volume", "v")
    world.cloud.stays.add("v")
    answer = world.clean()
    assert "still there" in answer["errors"][0]
    assert world.slept >= GONE_SECONDS
    assert [row["id"] for row in world.records.left()] == ["v"]


def test_what_was_deleted_by_hand_is_forgotten(world: World) -> None:
    world.made("volume", "v")
    del world.cloud.docs["volume"]["v"]
    world.clean()
    assert world.cloud.sent == [] and world.records.left() == []


def test_nothing_is_sent_while_the_cloud_is_read_only(world: World) -> None:
    world.made("volume", "v")
    world.cloud.windows.closed = True
    answer = world.clean()
    assert answer["errors"] == ["lab is read-only"]
    assert world.cloud.ids >= {"v"}


def test_two_clean_ups_of_one_restore_at_once(world: World) -> None:
    world.made("volume", "v")
    refused: list[Refused] = []

    def during(actor: Any, call: Any) -> None:
        try:
            world.clean()
        except Refused as error:
            refused.append(error)

    world.cloud.hold_role = during  # type: ignore[method-assign]
    world.clean()
    assert [error.code for error in refused] == ["held"]
    assert world.deleted() == {"v"}


def test_looking_changes_nothing_and_says_what_would_go(world: World) -> None:
    world.all_made()
    found = {one["id"]: one["can_go"] for one in world.cleaner.look(ANNA, plan())}
    # Ports and volumes go after the machine that has them now.
    assert found == {"new": True, "n-new": False, "i-new": True, "v-new": False}
    assert world.cloud.sent == []


THING = st.fixed_dictionaries(
    {
        "type": st.sampled_from(["volume", "port", "server", "image"]),
        "noted": st.sampled_from(["made", "begun", "handed_over", "removed", "other job", "never"]),
        "marked": st.booleans(),
        "own": st.booleans(),
        "used": st.booleans(),
    }
)


@settings(max_examples=60, deadline=None)
@given(things=st.lists(THING, max_size=8), delete_volume=st.booleans())
def test_exactly_what_is_its_own_goes(tmp_path_factory: Any, things: list[dict[str, Any]], delete_volume: bool) -> None:
    with closing(Ops.open(tmp_path_factory.mktemp("ops") / "ops.sqlite")) as ops:
        world = World(ops)
        expected = set()
        for number, thing in enumerate(things):
            id, token, type = f"x{number}", f"token-{number}", thing["type"]
            _plant(world, thing, id, token)
            noted = thing["noted"] == "made" or (thing["noted"] == "begun" and thing["marked"])
            free = noted and thing["marked"] and thing["own"] and not thing["used"]
            if free and (type != "volume" or delete_volume):
                expected.add(id)
        before = set(world.cloud.ids)
        world.clean(delete_volume)
        assert world.deleted() == expected
        assert before - world.cloud.ids == expected


def _plant(world: World, thing: dict[str, Any], id: str, token: str) -> None:
    type, noted, cloud = thing["type"], thing["noted"], world.cloud
    project = PROJECT if thing["own"] else OTHER
    owner = {
        "volume": {"os-vol-tenant-attr:tenant_id": project}, "port": {"project_id": project},
        "server": {"tenant_id": project}, "image": {"owner": project},
    }[type]  # fmt: skip
    used: dict[str, Any] = {
        "volume": {"attachments": [{"server_id": "s"}], "status": "in-use"}, "port": {"device_id": "s"},
        "server": {"locked": True}, "image": {"protected": True},
    }[type] if thing["used"] else {}  # fmt: skip
    getattr(cloud, type)(id, token if thing["marked"] else "", **owner, **used)
    if noted == "never":
        return
    job, purpose = ("j2" if noted == "other job" else "j1"), f"{'volume' if type == 'volume' else type}:{id}"
    world.records.begin(job, 1, purpose, type, token, id, KEY, PROJECT)
    if noted != "begun":
        world.records.made(job, purpose, id)
    if noted == "removed":
        world.records.removed(job, purpose)
    if noted == "handed_over":
        others = [row["purpose"] for row in world.records.of_job("j1") if row["purpose"] != purpose]
        world.records.handed_over("j1", others)
