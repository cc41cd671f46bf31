"""Planning against the demo cloud: what is read of each machine, how fast, and for whom; machines that are gone."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml

from engine.access.models import ENGINE, Caller
from engine.api.errors import ApiError, NotFound
from engine.app import EngineParts, open_engine
from engine.clouds.errors import CloudError
from engine.clouds.writing import WriteSessions
from engine.demo.launch import DemoCloud
from engine.gate.models import Target
from engine.gate.refusals import Refused
from engine.process.models import Home
from engine.restore.models import Request
from engine.restore.planning import asking, reading
from engine.restore.planning.facts import Facts
from engine.restore.planning.service import Planning
from tests.contract.wire import Actor, Login

OPS = Caller("ops", 1000, role="superadmin")
TYPES = ["project", "domain", "server", "volume", "port", "floating_ip"]
SECONDS = 60.0
ROUNDS = 5  # of questions that wait for each other; with answers of 50 ms a plan then takes a quarter of a second


class Lineage:
    """Nothing was ever restored."""

    def before(self, cloud: str, region: str, id: str) -> list[str]:
        return []


@dataclass
class Room:
    """An engine that watches a demo cloud as if it were a real one."""

    demo: DemoCloud
    parts: EngineParts
    planning: Planning
    admin: Actor
    asked: list[str]

    def servers(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self.admin.get("compute", "/servers/detail?all_tenants=1", "2.96")["servers"]
        return rows

    def server(self, *having: str) -> dict[str, Any]:
        """A machine of the project demo, where a member's account is, with volumes where `volumes` is wanted."""
        for one in self.servers():
            volumes = one["os-extended-volumes:volumes_attached"]
            fine = (one["status"], one["host_status"], one["locked"]) == ("ACTIVE", "UP", False)
            if fine and one["name"].startswith("demo-") and (volumes or "volumes" not in having):
                return one
        raise AssertionError("the demo cloud has no such machine")

    def request(self, server: dict[str, Any], **more: Any) -> Request:
        return Request(server["tenant_id"], server["id"], "demo", **more)

    def facts(self, server: dict[str, Any], caller: Caller = OPS) -> Facts:
        return self.planning.facts(caller, self.request(server))

    def collect(self) -> None:
        for started in self.parts.collections.start(ENGINE, ["demo"], TYPES, True):
            self.parts.collections.wait(started["id"], SECONDS)


@contextmanager
def room_of(path: Path, *accounts: str, seed: str = "planning") -> Iterator[Room]:
    demo = DemoCloud.start(path / "demo", servers=40, seed=seed, still=True)
    try:
        with closing(open_engine(Home.at(path))) as parts:
            for account in accounts:
                parts.clouds.add(ENGINE, account, "demo", demo.clouds_yaml)
            sessions = WriteSessions(parts.ops, parts.clouds)
            planning = Planning(parts.gate, parts.reads, parts.snapshots.register, Lineage(), sessions.session)
            entries = yaml.safe_load(demo.clouds_yaml.read_text())["clouds"]
            room = Room(demo, parts, planning, Actor(Login.from_entry(entries["demo"]["auth"])), [])
            room.collect()
            with closing(planning), closing(sessions):
                yield room
    finally:
        demo.stop()


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    with room_of(tmp_path_factory.mktemp("planning"), "demo", "demo-member") as made:
        yield made


def test_machines_of_every_kind_are_read_as_the_cloud_has_them(room: Room) -> None:
    kinds = {
        (bool(one["image"]), len(one["os-extended-volumes:volumes_attached"]), one["status"], one["host_status"]): one
        for one in room.servers()
    }
    assert len(kinds) > 4
    for server in kinds.values():
        facts = room.facts(server)
        machine = facts.machine
        assert (machine.name, machine.status, machine.gone) == (server["name"], server["status"], False)
        assert machine.host == server["OS-EXT-SRV-ATTR:host"] or not machine.host
        attached = {one["id"] for one in server["os-extended-volumes:volumes_attached"]}
        assert {disk.volume_id for disk in facts.disks} == attached
        assert sum(disk.root for disk in facts.disks) == (1 if machine.boot == "volume" and attached else 0)
        assert set(facts.points) == attached | ({""} if machine.boot == "image" else set())
        addresses = {one["addr"] for network in server["addresses"].values() for one in network}
        mine = {one.address for nic in facts.nics for one in nic.fixed}
        mine |= {one.address for nic in facts.nics for one in nic.floating}
        assert mine == addresses
        for nic in facts.nics:
            known = facts.networks[nic.network_id]
            assert known.known
            assert {one.address for one in nic.fixed} <= known.used
            assert not known.used & {one for subnet in known.subnets for one in subnet.free}
        assert machine.flavor_id
        assert machine.project_name
        assert isinstance(facts.compute_quota, dict)
        assert facts.compute_quota["instances"]["in_use"]
        assert facts.unread == ()
        plan = room.planning.plan(OPS, room.request(server))
        assert room.planning.again(plan) == ()


@dataclass
class Asked:
    """A question, and when it was asked and answered."""

    what: str
    began: float
    ended: float = 0.0


@contextmanager
def slow(room: Room) -> Iterator[list[Asked]]:
    """Every answer takes its time; what planning asks is noted."""
    calls: list[Asked] = []
    sources = room.planning._sources

    def noted(*arguments: Any) -> Any:
        get = sources.reader(*arguments)

        def ask(service: str, path: str, *more: Any) -> Any:
            one = Asked(f"{service} {path}", time.monotonic())
            calls.append(one)
            try:
                return get(service, path, *more)
            finally:
                one.ended = time.monotonic()

        return ask

    room.planning._sources = replace(sources, reader=noted)
    room.demo.call("POST", "/latency", {"ms": 300})
    try:
        yield calls
    finally:
        room.demo.call("POST", "/latency", {"ms": 0})
        room.planning._sources = sources


def rounds(calls: list[Asked]) -> int:
    """How many of the questions were asked one after the other: the longest chain without overlaps."""
    count, end = 0, 0.0
    for one in sorted(calls, key=lambda one: one.ended):
        if one.began >= end:
            count, end = count + 1, one.ended
    return count


def test_what_is_asked_is_little_and_asked_side_by_side(room: Room) -> None:
    server = max(room.servers(), key=lambda one: len(one["os-extended-volumes:volumes_attached"]))
    volumes = len(server["os-extended-volumes:volumes_attached"])
    room.facts(server)  # logged in
    with slow(room) as calls:
        plan = room.planning.plan(OPS, room.request(server))
    assert plan.machine.name == server["name"]
    assert len(calls) <= 24 + 3 * volumes, calls
    assert rounds(calls) <= ROUNDS, calls
    # Looking again asks only for what the plan relies on.
    with slow(room) as calls:
        assert room.planning.again(plan) == ()
    assert len(calls) <= 14 + 3 * volumes, calls
    assert rounds(calls) <= ROUNDS, calls


def test_the_first_answer_of_the_wizard_is_json(room: Room) -> None:
    server = room.server("volumes")
    found = room.planning.start(OPS, ("demo", "", server["id"]))
    told = orjson.loads(orjson.dumps(found))
    assert told["machine"]["name"] == server["name"]
    assert {one["way"] for one in told["ways"]} == {"DISK_BESIDE", "DATA_VOLUME_BACK", "IN_PLACE", "NEW", "REPLACE"}
    assert told["disks"]
    assert told["nics"]
    assert told["rights"]["access"] == "role"
    assert isinstance(told["console"], list)
    assert any("read-only" in one["text"] for one in told["findings"])


def snapshot(room: Room, volume: str) -> str:
    member = Actor(Login.from_entry(yaml.safe_load(room.demo.clouds_yaml.read_text())["clouds"]["demo-member"]["auth"]))
    body = {"snapshot": {"volume_id": volume, "name": "by hand", "force": True}}
    answer = member("block-storage", "/snapshots", "POST", json=body, version="3.66")
    assert answer.status_code == 202, answer.text
    room.demo.advance(60)
    return str(answer.json()["snapshot"]["id"])


def test_a_point_that_no_listing_has_seen_is_there(room: Room) -> None:
    server = room.server("volumes")
    volume = server["os-extended-volumes:volumes_attached"][0]["id"]
    before = {one.id for one in room.facts(server).points[volume]}
    made = snapshot(room, volume)
    after = room.facts(server).points[volume]
    assert made not in before
    assert (after[0].id, after[0].status, after[0].own) == (made, "available", False)


def test_a_helper_is_a_machine_of_the_same_project(room: Room) -> None:
    server = room.server()
    mine = next(one for one in room.servers() if one["tenant_id"] == server["tenant_id"] and one["id"] != server["id"])
    foreign = next(one for one in room.servers() if one["tenant_id"] != server["tenant_id"])
    for helper, name in ((mine["id"], mine["name"]), (foreign["id"], None), ("none", None), ("", None), ("x", None)):
        found = room.planning.facts(OPS, room.request(server, way="DISK_BESIDE", helper=helper)).helper
        assert (found.name if found is not None else None) == name


# Again


def test_nothing_has_changed_until_something_does(room: Room) -> None:
    server = room.server("volumes")
    plan = room.planning.plan(OPS, room.request(server))
    assert plan.id
    assert plan.eligible, plan.problems
    assert room.planning.again(plan) == ()
    body = {"server": {"name": f"{server['name']}-x"}}
    assert room.admin("compute", f"/servers/{server['id']}", "PUT", json=body, version="2.90").status_code == 200
    (told,) = room.planning.again(plan)
    assert "name" in told
    body = {"server": {"name": server["name"]}}
    assert room.admin("compute", f"/servers/{server['id']}", "PUT", json=body, version="2.90").status_code == 200


def test_what_another_job_holds_is_refused_and_its_own_is_not(room: Room) -> None:
    server = room.server()
    plan = room.planning.plan(OPS, room.request(server))
    key = plan.machine.key
    target = Target("server", key, plan.machine.name, plan.machine.project_id)
    room.parts.gate.hold(OPS, plan.id, plan.id, "restore it", [target])
    try:
        assert room.planning.again(plan) == ()
        assert "held" in room.facts(server).refused
        other = replace(plan, id="another")
        assert room.planning.again(other) != ()
    finally:
        room.parts.gate.release({"plan_id": plan.id}, plan.id)
        room.parts.gate.submitted(plan.id)
    assert "held" not in room.facts(server).refused


def test_what_fits_is_asked_anew_and_told_alike(room: Room) -> None:
    plan = room.planning.plan(OPS, room.request(room.server("volumes")))
    assert plan.fits
    assert room.planning.fits(plan) == plan.fits


# Who may see what


@pytest.mark.parametrize("limits", [{"projects": ("nobody",)}, {"clouds": ("other",)}, {"domains": ("nowhere",)}])
def test_a_caller_plans_what_he_may_see(room: Room, limits: Any) -> None:
    server = room.server()
    scoped = Caller("eve", 1001, role="admin", **limits)
    with pytest.raises(NotFound):
        room.facts(server, scoped)
    mine = Caller("anna", 1002, role="admin", projects=(server["tenant_id"],))
    assert room.facts(server, mine).machine.name == server["name"]


def test_a_machine_that_never_was_is_not_found(room: Room) -> None:
    for cloud in ("demo", ""):
        with pytest.raises(NotFound):
            room.planning.facts(OPS, Request("p", "00000000-0000-0000-0000-000000000000", cloud))
    with pytest.raises((ApiError, CloudError)):
        room.planning.facts(OPS, Request("p", "x", "elsewhere"))
    with pytest.raises(ApiError):
        room.planning.facts(OPS, Request("p", "../flavors", "demo"))


def test_a_machine_that_no_listing_has_seen_is_planned_for_those_who_may(room: Room) -> None:
    old = room.server()
    network = room.facts(old).nics[0].network_id
    body = {"server": {"name": "young", "flavorRef": room.facts(old).machine.flavor_id,
                       "imageRef": next(one["image"]["id"] for one in room.servers() if one["image"]),
                       "networks": [{"uuid": network}]}}  # fmt: skip
    entries = yaml.safe_load(room.demo.clouds_yaml.read_text())["clouds"]
    member = Actor(Login.from_entry(entries["demo-member"]["auth"]))
    answer = member("compute", "/servers", "POST", json=body, version="2.90")
    assert answer.status_code == 202, answer.text
    id = answer.json()["server"]["id"]
    room.demo.advance(120)
    facts = room.planning.facts(OPS, Request("", id, "demo"))
    assert (facts.machine.name, facts.machine.project_id) == ("young", old["tenant_id"])
    with pytest.raises(NotFound):
        room.planning.facts(Caller("eve", 1001, role="admin", projects=("p9",)), Request("", id, "demo"))


def test_addresses_are_told_of_networks_that_the_project_may_use(room: Room) -> None:
    server = room.server()
    mine = room.facts(server).nics[0].network_id
    found = room.planning.addresses("demo", "", mine, server["tenant_id"])
    assert found.known
    assert found.subnets[0].free
    foreign = next(one for one in room.servers() if one["tenant_id"] != server["tenant_id"])
    others = room.facts(foreign).nics[0].network_id
    for network in (others, "00000000-0000-0000-0000-000000000000"):
        with pytest.raises(NotFound):
            room.planning.addresses("demo", "", network, server["tenant_id"])


# Trouble


@pytest.fixture
def repaired(room: Room) -> Iterator[None]:
    yield
    room.demo.call("DELETE", "/faults")


def test_a_console_that_hangs_holds_nothing_up(room: Room, repaired: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "CONSOLE_SECONDS", 0.2)
    fault = {"kind": "slow", "service": "compute", "pattern": "/action$", "method": "POST", "seconds": 4}
    room.demo.call("POST", "/faults", fault)
    began = time.monotonic()
    assert room.facts(room.server()).console is None
    assert time.monotonic() - began < 3


def test_a_service_that_hangs_is_done_without(room: Room, repaired: None, monkeypatch: pytest.MonkeyPatch) -> None:
    server = room.server()
    monkeypatch.setattr(asking, "PATIENCE_SECONDS", 0.5)
    room.demo.call("POST", "/faults", {"kind": "slow", "service": "placement", "seconds": 4})
    room.demo.call("POST", "/faults", {"kind": "slow", "service": "network", "pattern": "quotas", "seconds": 4})
    began = time.monotonic()
    facts = room.facts(server)
    assert time.monotonic() - began < 3.5
    assert facts.hosts.candidates is None
    assert facts.network_quota == "no answer came within 0.5 seconds"
    assert facts.machine.name == server["name"]


def test_what_is_not_needed_is_done_without(room: Room, repaired: None) -> None:
    for service, pattern in (("placement", "."), ("compute", "os-instance-actions"), ("volume", "backups")):
        room.demo.call("POST", "/faults", {"kind": "status", "service": service, "pattern": pattern, "status": 500})
    facts = room.facts(room.server("volumes"))
    assert facts.events is None
    assert facts.hosts.candidates is None
    assert any("backups" in one for one in facts.unread)


@pytest.mark.parametrize(
    ("service", "pattern"),
    [("compute", "/servers/"), ("volume", "/volumes/"), ("volume", "/snapshots"), ("network", "/ports")],
)
def test_what_is_needed_and_not_there_is_a_sentence(room: Room, repaired: None, service: str, pattern: str) -> None:
    server = room.server("volumes")
    room.demo.call("POST", "/faults", {"kind": "status", "service": service, "pattern": pattern, "status": 503})
    with pytest.raises((ApiError, CloudError), match="503"):
        room.facts(server)


# Machines that are gone


def test_a_deleted_machine_is_what_the_store_last_had_of_it(tmp_path: Path) -> None:
    with room_of(tmp_path, "demo", "demo-member", seed="gone") as room:
        server = room.server("volumes")
        before = room.facts(server)
        kept = before.disks[-1].volume_id
        point = snapshot(room, kept)
        assert room.admin("compute", f"/servers/{server['id']}", "DELETE").status_code == 204
        room.demo.advance(300)
        for _ in range(2):  # before the next listing has seen it, and afterwards
            after = room.facts(server)
            assert (after.machine.gone, after.machine.host, after.rights.user_data) == (True, "", False)
            same = replace(before.machine, gone=True, host="", host_status="", power_state=None)
            assert replace(after.machine, updated_at=same.updated_at) == same
            assert [one.volume_id for one in after.disks] == [one.volume_id for one in before.disks]
            assert [(one.device, one.root) for one in after.disks] == [(one.device, one.root) for one in before.disks]
            assert [one.mac for one in after.nics] == [one.mac for one in before.nics]
            assert [one.fixed for one in after.nics] == [one.fixed for one in before.nics]
            assert point in {one.id for one in after.points[kept]}
            assert kept in after.survived
            assert {one.volume_id for one in after.disks if one.status == "available"} == set(after.survived)
            room.collect()
        plan = room.planning.plan(OPS, room.request(server, way="NEW"))
        assert plan.machine.gone
        assert room.planning.again(plan) == ()
        with pytest.raises(NotFound):
            room.facts(server, Caller("eve", 1001, role="admin", projects=("nobody",)))


def test_a_machine_that_nobody_sees_is_not_taken_for_a_deleted_one(tmp_path: Path) -> None:
    with room_of(tmp_path, "demo-member", seed="blind") as room:
        foreign = next(one for one in room.servers() if not one["name"].startswith("demo-"))
        with pytest.raises(Refused, match="nobody knows whether it is there"):
            room.facts(foreign)
        own = room.facts(room.server())
        assert not own.rights.admin
        assert not own.rights.user_data
        assert own.service is None
