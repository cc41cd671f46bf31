"""Machines of every kind are restored by every way, side by side, and are what they were but for what the plan says."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.contract.wire import Actor, rows_of, wait_for
from tests.lab.company import FULL, PLANTED, RETIRED_SERVER, STRANDED_SERVER
from tests.lab.places import COMPUTES
from tests.live import comparing, restoring
from tests.live.comparing import Whole
from tests.live.lab_cloud import LabCloud
from tests.live.machines import USER_DATA, Machines
from tests.live.projects import STORAGE, Project
from tests.live.restoring import OVER, Outcome, Restorer, roles

pytestmark = pytest.mark.live
NEVER = {"console": ["this is never there"], "seconds": 1, "answer_minutes": 5}
FREE = "10.98.0.150"

Wish = Callable[[Machines], dict[str, Any]]
# What is asked for of which kind, in two rounds: those of the second are about machines that the first has restored.
FIRST: dict[str, Wish] = {
    "db": lambda have: {
        "way": "REPLACE", "ip_strategy": "SAME_IPS_OR_FAIL", "user_data": True, "disks": {
            **{id: f"point:{point}" for id, point in have.points["db"].items()}, have.volumes["db"][2]: "keep_current"},
    },
    "pay": lambda have: {"way": "REPLACE", "ip_strategy": "TRY_SAME_IPS", "prove": NEVER},
    "web": lambda have: {"way": "IN_PLACE", "restore_point_id": have.points["web"][""]},
    "store": lambda have: {"way": "IN_PLACE"},
    "gone": lambda have: {"way": "NEW", "ip_strategy": "NEW_IPS"},
    "router": lambda have: {"way": "NEW", "ip_strategy": "MANUAL_IP", "manual_ips": {have.net: FREE}},
    "dead": lambda have: {
        "way": "REPLACE", "ip_strategy": "TRY_SAME_IPS", "fenced": f"the old host {COMPUTES[-1]} is fenced",
    },
    "node": lambda have: {"way": "NEW", "disks": {have.volumes["node"][1]: "leave_out"}},
}  # fmt: skip
SECOND: dict[str, Wish] = {
    "pay again": lambda have: {"way": "DISK_BESIDE", "volume_id": have.volumes["pay"][0], "keep_days": 1},
    "store again": lambda have: {"way": "DATA_VOLUME_BACK", "volume_id": have.volumes["store"][1], "stop": True},
    "web again": lambda have: {"way": "REPLACE", "ip_strategy": "SAME_IPS_OR_FAIL", "end": "delete"},
    "router again": lambda have: {"way": "IN_PLACE"},
}
SAME = ("IN_PLACE", "DISK_BESIDE", "DATA_VOLUME_BACK")


class World:
    """The machines, the engine, and what came of each restore (or what went wrong)."""

    def __init__(self, engine: Restorer, machines: Machines, user: str) -> None:
        self.engine, self.machines, self.project, self.user = engine, machines, machines.project, user
        self.admin = machines.admin
        self.ended: dict[str, Outcome | BaseException] = {}
        self.results: dict[str, Whole] = {}  # the machine that came of each, as it was when its job ended
        self.lent: list[list[str]] = []  # roles of the engine's user in the project, again and again

    def prepare(self) -> None:
        """Know everything; then one of the machines is deleted, and its volumes with it."""
        self.engine.lift()
        self.engine.collect(*restoring.TYPES)
        self.before = {kind: comparing.read(self.admin.get, id) for kind, id in self.machines.ids.items()}
        self.project.delete("compute", f"/servers/{self.machines.ids['gone']}")
        for id in self.machines.volumes["gone"]:
            wait_for(lambda id=id: self.admin("block-storage", f"/volumes/{id}").status_code, lambda code: code == 404)
        self.engine.collect("server", "volume", "port", "backup")

    def restore(self, wishes: Mapping[str, Wish]) -> None:
        """Plan, execute and wait for all of them, side by side."""
        with ThreadPoolExecutor(4) as pool:
            asked = {name: pool.submit(self._begin, name, wish) for name, wish in wishes.items()}
        begun: dict[str, tuple[Whole, dict[str, Any]]] = {}
        for name, future in asked.items():
            if problem := future.exception():
                self.ended[name] = problem
            else:
                begun[name] = future.result()
        deadline = time.monotonic() + restoring.SECONDS
        while begun and time.monotonic() < deadline:
            self.lent.append(roles(self.admin, self.user, self.project))
            for name, (before, plan) in list(begun.items()):
                if self.engine.job(plan["id"])["status"] in OVER:
                    outcome = self.ended[name] = Outcome(before, plan, self.engine.over(plan["id"]))
                    if outcome.job["status"] == "SUCCEEDED":
                        id = plan["machine"]["key"][2] if plan["way"] in SAME else outcome.made("server")
                        self.results[name] = comparing.read(self.admin.get, id)
                    del begun[name]
                else:
                    self._say_no(plan["id"])
            time.sleep(0.2)
        for name, (before, plan) in begun.items():
            self.ended[name] = AssertionError("no end:\n" + Outcome(before, plan, self.engine.job(plan["id"])).told())

    def _begin(self, name: str, wish: Wish) -> tuple[Whole, dict[str, Any]]:
        kind = name.partition(" ")[0]
        id = self.machines.ids[kind]
        before = self.before[kind] if kind == name else comparing.read(self.admin.get, id)
        plan = self.engine.wish(id, project_id=self.project.id, **wish(self.machines))
        assert plan["eligible"], f"{name}: {plan['problems']}"
        answer = self.engine.carry_out(plan)
        assert answer.status_code == 202, f"{name}: {answer.text}"
        return before, plan

    def _say_no(self, id: str) -> None:
        job = self.engine.job(id)
        if job["asks"] and "answer" in job["can"] and "Nothing was seen" in str(job["asks"]) + str(job["steps"]):
            self.engine.call("POST", f"/q/restore/jobs/{id}/answer", json={"answer": "no"})

    def of(self, name: str) -> Outcome:
        """What came of one; fails with what went wrong."""
        found = self.ended.get(name)
        if found is None or isinstance(found, BaseException):
            raise AssertionError(f"{name} did not come to an end: {found}") from found
        return found

    def succeeded(self, name: str) -> Outcome:
        """The same, of one that has to have succeeded."""
        found = self.of(name)
        assert found.job["status"] == "SUCCEEDED" and not found.job["incomplete"], found.told()
        return found

    def after(self, name: str) -> Whole:
        """The machine that came of it, before anything else was done to it."""
        self.succeeded(name)
        return self.results[name]


@pytest.fixture(scope="module")
def world(lab: LabCloud, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """An administrator without a role in any tenant's project restores them all, with a role that is lent to it."""
    project = Project(lab.actor("lab-admin"))
    machines = Machines(project)
    outsider = lab.actor("lab-outsider-admin")
    try:
        machines.make()
        auth = lab.entries["lab-outsider-admin"]["auth"]
        with Restorer(tmp_path_factory.mktemp("restore") / "home", auth, lend=True) as engine:
            made = World(engine, machines, outsider.token["user"]["id"])
            made.prepare()
            for wishes in (FIRST, SECOND):
                made.restore(wishes)
            yield made
    finally:
        machines.host_down(True)
        project.remove()


WHOLE = [name for name in (*FIRST, *SECOND) if name not in ("pay", "pay again", "store again")]


@pytest.mark.parametrize("name", WHOLE)
def test_a_machine_is_what_it_was_but_for_what_the_plan_says(world: World, name: str) -> None:
    outcome, after = world.succeeded(name), world.after(name)
    found = restoring.surprises(outcome, after, same=outcome.plan["way"] in SAME)
    assert found == {}, "\n".join(f"{path}: {was!r} -> {now!r}" for path, (was, now) in found.items())


@pytest.mark.parametrize("name", [*FIRST, *SECOND])
def test_all_that_was_made_is_the_projects_own_and_its_people_see_it(world: World, name: str) -> None:
    outcome = world.of(name)
    rows = [row for row in outcome.job["resources"] if row["state"] in ("made", "handed_over")]
    assert rows or name in ("web", "router again"), "nothing was made"
    restoring.check_owners(rows, world.project)


def test_the_role_is_lent_for_the_jobs_and_taken_back(world: World) -> None:
    member = world.project.roles["member"]
    assert [member] in world.lent, "it was never a member"
    assert all(found in ([], [member]) for found in world.lent), "more than a member"
    wait_for(lambda: roles(world.admin, world.user, world.project), lambda found: found == [], 20)


def test_no_secret_is_kept_anywhere(world: World) -> None:
    for name in (*FIRST, *SECOND):
        world.of(name)
    wanted = (PLANTED.encode(), USER_DATA[:400].encode(), USER_DATA[-400:].encode())
    home = Path(str(world.engine.parts.home.path))
    spoilt = [
        str(path) for path in home.rglob("*") if path.is_file() and any(one in path.read_bytes() for one in wanted)
    ]
    assert spoilt == []


def test_a_replaced_machine_gives_everything_up_and_is_kept(world: World) -> None:
    outcome, after = world.succeeded("db"), world.after("db")
    old = comparing.read(world.admin.get, world.machines.ids["db"])
    server = old.server
    assert (server["status"], server["locked"]) == ("SHELVED_OFFLOADED", True) and server["name"] != "db"
    # The new one has the old one's addresses, MACs and floating IP, and its third disk itself.
    assert {port["mac_address"] for port in after.ports.values()} == {
        port["mac_address"] for port in outcome.before.ports.values()
    }
    moved = world.machines.volumes["db"][2]
    assert moved in after.volumes and moved not in old.volumes
    assert not any(item["delete_on_termination"] for item in old.attachments.values())
    assert after.server["OS-EXT-SRV-ATTR:user_data"] == USER_DATA
    assert after.server["server_groups"] == outcome.before.server["server_groups"]
    (kept,) = [
        item for item in world.engine.ok("GET", "/q/restore/kept")["items"] if item["job_id"] == outcome.job["id"]
    ]
    assert kept["kind"] == "machine" and kept["resource_id"] == world.machines.ids["db"]


def test_policies_go_over_to_the_new_volumes(world: World) -> None:
    outcome = world.succeeded("db")
    for id in world.machines.volumes["db"][:2]:
        new = outcome.made(f"volume:{id}")
        metadata = world.admin.get("block-storage", f"/volumes/{new}", STORAGE)["volume"]["metadata"]
        assert metadata["snapshot_policies"] == "daily_5" and metadata["retention_daily_5"] == "5"


def test_a_replaced_machine_that_does_not_answer_is_given_back_as_it_was(world: World) -> None:
    outcome = world.of("pay")
    assert outcome.job["status"] == "FAILED", outcome.told()
    assert {step["status"] for step in outcome.job["steps"] if step["phase"] == "undo"} == {"SUCCEEDED"}, outcome.told()
    # It was looked at before the second round, in which it gets a copy of its disk.
    assert (found := restoring.not_given_back(outcome, world.of("pay again").before)) == {}, (
        f"{found}\n{outcome.told()}"
    )
    gone = [row for row in outcome.job["resources"] if row["type"] in ("server", "port")]
    assert gone and {row["state"] for row in gone} == {"removed"}


def test_a_machine_on_a_dead_host_is_never_asked_anything(world: World) -> None:
    outcome, after = world.succeeded("dead"), world.after("dead")
    id = world.machines.ids["dead"]
    actions = {
        row["action"] for row in rows_of(world.admin.get("compute", f"/servers/{id}/os-instance-actions", "2.90"))
    }
    assert not actions & {"stop", "shelve", "delete", "detach_volume"}, actions
    assert after.server["OS-EXT-SRV-ATTR:host"] != COMPUTES[-1]
    (port,) = after.ports.values()
    (was,) = outcome.before.ports.values()
    assert (port["mac_address"], port["fixed_ips"]) == (was["mac_address"], was["fixed_ips"])


def test_a_copy_of_a_disk_is_beside_the_machine_which_is_as_before(world: World) -> None:
    outcome, after = world.succeeded("pay again"), world.after("pay again")
    disks = [(place, disk["volume_id"], disk["volume_id"]) for place, disk in enumerate(outcome.plan["disks"])]
    copy = outcome.made(f"volume:{world.machines.volumes['pay'][0]}")
    found = comparing.differences(outcome.before, after, restoring.nics(outcome, same=True), disks)
    assert found.pop("disk.more") == ((), (copy,)) and found == {}
    (kept,) = [
        item for item in world.engine.ok("GET", "/q/restore/kept")["items"] if item["job_id"] == outcome.job["id"]
    ]
    assert (kept["kind"], kept["resource_id"]) == ("disk_beside", copy)


def test_a_data_volume_comes_back_in_its_place(world: World) -> None:
    outcome, after = world.succeeded("store again"), world.after("store again")
    found = restoring.surprises(outcome, after, same=True)
    assert found == {}, found
    old = world.admin.get("block-storage", f"/volumes/{world.machines.volumes['store'][1]}", STORAGE)["volume"]
    assert old["status"] == "available"
    actions = rows_of(world.admin.get("compute", f"/servers/{world.machines.ids['store']}/os-instance-actions", "2.90"))
    assert {"stop", "start"} <= {row["action"] for row in actions}


def test_an_old_machine_goes_when_that_was_asked_for(world: World) -> None:
    outcome = world.succeeded("web again")
    assert world.admin("compute", f"/servers/{world.machines.ids['web']}").status_code == 404
    assert world.after("web again").floating, "the floating IP is lost"
    assert outcome.plan["park"] == "stop"


def test_a_deleted_machine_comes_back_from_its_backups(world: World) -> None:
    outcome = world.succeeded("gone")
    assert {disk["source"]["kind"] for disk in outcome.plan["disks"]} == {"backup"}
    assert len(world.after("gone").volumes) == 2


def test_what_a_failed_restore_left_is_cleaned_up_on_request(world: World) -> None:
    outcome = world.of("pay")
    left = [row for row in outcome.job["resources"] if row["type"] == "volume" and row["state"] == "made"]
    assert left, "the copy was not kept for a retry"
    answer = world.engine.call("POST", f"/q/restore/jobs/{outcome.job['id']}/cleanup", json={"delete_volume": True})
    assert answer.status_code == 200, answer.text
    for row in left:
        path = f"/volumes/{row['id']}"
        wait_for(lambda path=path: world.admin("block-storage", path).status_code, lambda code: code == 404, 120)
    for id in world.machines.volumes["pay"]:
        assert world.admin("block-storage", f"/volumes/{id}").status_code == 200, "it was not the job's"


@pytest.mark.parametrize(
    ("name", "way", "said"),
    [
        (f"{FULL}-line-01", "NEW", "quota"),  # of machines, volumes and ports: all are used up
        (RETIRED_SERVER, "NEW", "flavor"),
        (STRANDED_SERVER, "IN_PLACE", "dead"),
        ("research-bio-app-02", "REPLACE", "locked"),
    ],
)
def test_what_cannot_be_is_told_before_anything_is_done(world: World, name: str, way: str, said: str) -> None:
    (row,) = rows_of(world.admin.get("compute", f"/servers?all_tenants=1&name=^{name}$", "2.90"))
    plan = world.engine.wish(row["id"], way)
    assert not plan["eligible"] and plan["steps"] == []
    assert any(said in problem for problem in plan["problems"]), plan["problems"]
    assert world.engine.carry_out(plan).status_code in (409, 422)


def test_nothing_is_left_that_nobody_knows(world: World) -> None:
    """Every server, port and image of the project was made by the test, or is in the books of a restore."""
    books = {
        row["id"] for name in (*FIRST, *SECOND) for row in world.of(name).job["resources"] if row["state"] != "removed"
    }
    actor: Actor = world.admin
    own = f"project_id={world.project.id}"
    servers = rows_of(actor.get("compute", f"/servers?all_tenants=1&{own}"))
    assert {row["id"] for row in servers} - books <= set(world.machines.ids.values())
    images = {row["id"] for row in rows_of(actor.get("image", f"/v2/images?owner={world.project.id}"))}
    given = {point for points in world.machines.points.values() for point in points.values()}
    assert images - given - books == set(), "an image is left"
    # A key pair was lent to the acting user for the moment of a boot.
    assert rows_of(actor.get("compute", f"/os-keypairs?user_id={world.user}", "2.90")) == []
