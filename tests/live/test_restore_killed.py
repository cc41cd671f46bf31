"""Restores over the lab while the engine is killed and its calls go wrong: each ends well, and nothing is there twice.

A REPLACE, an IN_PLACE and a NEW are killed with `kill -9` in the middle of every call that changes something (the cloud
did it, nobody saw the answer), and before and after some; another REPLACE is cancelled at the last moment and killed so
all its way back; of a third each call goes wrong in every passing way. All are of one project, and at once.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.contract.wire import wait_for
from tests.engine.process.running import temporary_home
from tests.faults.restore_scene import collect, restarts, running
from tests.live import restoring
from tests.live.killing import RULES, Killed, Yard, addresses, owners_job
from tests.live.lab_cloud import LabCloud
from tests.live.projects import Project
from tests.live.restoring import roles

pytestmark = pytest.mark.live

KILLS = 25
ACCOUNT = "lab-outsider-admin"  # has no role in any tenant's project: it is lent one
LOST = "2"  # seconds for which what nobody answered is looked for
# Steps in which each has to be met, at least.
TAKES = {
    "replaced": {"SAFETY_SNAPSHOT", "CREATE_VOLUME_FROM_SNAPSHOT", "PRESERVE_OLD_VOLUMES", "STOP_OLD_MACHINE",
                 "PARK_OLD_MACHINE", "MOVE_VOLUMES", "MOVE_ADDRESSES", "CREATE_PORTS", "CREATE_SERVER",
                 "MOVE_FLOATING_IPS", "KEEP_OLD_MACHINE", "FINALIZE"},
    "rebuilt": {"SAFETY_SNAPSHOT", "CREATE_VOLUME_FROM_SNAPSHOT", "CREATE_IMAGE", "REBUILD_SERVER", "REMOVE_TEMPORARY"},
    "copied": {"CREATE_VOLUME_FROM_SNAPSHOT", "CREATE_PORTS", "CREATE_SERVER", "FINALIZE"},
    "back": {"UNDO_SERVER", "UNDO_PORTS", "UNDO_ADDRESSES", "UNDO_FLOATING_IPS", "UNDO_MOVE_VOLUMES", "UNDO_PARK",
             "UNDO_PRESERVE"},
}  # fmt: skip
AFTER_PROOF = {"disturbed": set[str](), "back": {"KEEP_OLD_MACHINE", "FINALIZE"}}


@pytest.fixture(scope="module")
def killed(lab: LabCloud) -> Iterator[Killed]:
    project = Project(lab.actor("lab-admin"))
    yard = Yard(project)
    user = lab.actor(ACCOUNT).token["user"]["id"]
    try:
        yard.make()
        with temporary_home() as home, running(home, lab.clouds_yaml, ACCOUNT, "lab", QDECK_TEST_LOST=LOST) as client:
            collect(client, *restoring.TYPES)
            made = Killed(home, client, yard, user)
            made.run()
            yield made
    finally:
        project.remove()


@pytest.mark.parametrize("kind", ["replaced", "rebuilt", "copied", "disturbed"])
def test_a_machine_is_what_it_was_but_for_what_the_plan_says(killed: Killed, kind: str) -> None:
    outcome = killed.of(kind, "SUCCEEDED")
    found = restoring.surprises(outcome, killed.after[kind], same=kind == "rebuilt")
    assert found == {}, "\n".join(f"{path}: {was!r} -> {now!r}" for path, (was, now) in found.items())


@pytest.mark.parametrize("kind", ["replaced", "disturbed"])
def test_a_replaced_machine_gave_everything_up_and_is_kept(killed: Killed, kind: str) -> None:
    outcome, old = killed.of(kind, "SUCCEEDED"), killed.yard.ids[kind]
    server = killed.tenant.server(old)
    assert (server["status"], server["locked"]) == ("SHELVED_OFFLOADED", True) and server["name"] != kind
    had = sorted((p["mac_address"], f["ip_address"]) for p in outcome.before.ports.values() for f in p["fixed_ips"])
    assert addresses(killed.admin, outcome.made("server")) == had
    assert not {mac for mac, _ in addresses(killed.admin, old)} & {mac for mac, _ in had}
    root, data = killed.yard.volumes[kind]
    assert killed.tenant.volume(root)["status"] == "reserved"
    assert [one["server_id"] for one in killed.tenant.volume(data)["attachments"]] == [outcome.made("server")]
    kept = [one for one in killed.client.get("/q/restore/kept")["items"] if one["job_id"] == outcome.job["id"]]
    assert [(one["kind"], one["resource_id"]) for one in kept] == [("machine", old)]


def test_a_cancelled_restore_gives_back_what_was_there(killed: Killed) -> None:
    outcome = killed.of("back", "CANCELED")
    assert {step["status"] for step in outcome.job["steps"] if step["phase"] == "undo"} == {"SUCCEEDED"}, outcome.told()
    assert (found := restoring.not_given_back(outcome, killed.after["back"])) == {}, f"{found}\n{outcome.told()}"
    gone = {row["type"]: row["state"] for row in outcome.job["resources"] if row["type"] in ("server", "port")}
    assert gone == {"server": "removed", "port": "removed"}


def test_a_machine_that_was_copied_is_as_before(killed: Killed) -> None:
    outcome = killed.of("copied", "SUCCEEDED")
    server = killed.tenant.server(killed.yard.ids["copied"])
    for name in ("status", "name", "locked", "metadata", "updated"):
        assert server[name] == outcome.before.server[name]


def test_nothing_is_there_twice_or_unknown_and_nothing_else_is_gone(killed: Killed) -> None:
    jobs = {outcome.job["id"]: outcome for outcome in killed.ended_as.values()}
    killed.nothing_is_lost(list(jobs))
    rows = [row for outcome in jobs.values() for row in outcome.job["resources"]]
    there = {row["id"] for row in rows if row["state"] in ("made", "handed_over")}
    for type, found in killed.own().items():
        noted = {row["id"] for row in rows if row["type"] == type}
        unknown = {id: row.get("name") for id, row in found.items() if id not in noted}
        assert not unknown, f"no job knows the {type} {unknown}"
        assert not set(found) - there, f"a {type} is noted as gone, and is there"
        assert {id for id in noted & there if id not in found} == set(), f"a {type} is noted as there, and is not"
    for port in killed.own()["port"].values():
        assert port["id"] in {row["id"] for row in jobs[owners_job(port)].job["resources"]}


def test_all_that_was_made_is_the_projects_own(killed: Killed) -> None:
    for outcome in killed.ended_as.values():
        rows = [row for row in outcome.job["resources"] if row["state"] in ("made", "handed_over")]
        assert rows
        restoring.check_owners(rows, killed.yard.project)


def test_the_role_is_lent_and_taken_back(killed: Killed) -> None:
    assert killed.lent == [killed.yard.project.roles["member"]]
    wait_for(lambda: roles(killed.admin, killed.user, killed.yard.project), lambda found: found == [], 20)
    assert killed.client.get("/q/audit/verification")["ok"] is True


def test_there_was_enough_to_prove_something(killed: Killed) -> None:
    for kind, steps in TAKES.items():
        seen = {step for step, _, _ in killed.places("kill", kind, ["middle"])}
        assert steps <= seen, f"{kind} was not killed in {sorted(steps - seen)}"
    faults = {kind: killed.places("fault", kind) for kind in ("disturbed", "back")}
    for kind, found in faults.items():
        calls = {(step, call) for step, call, _ in found}
        assert len(found) == len(calls) * len(RULES[kind]["faults"])
        assert {step for step, _ in calls} >= TAKES["replaced"] - AFTER_PROOF[kind]
    kills = {kind: len(killed.places("kill", kind)) for kind in RULES}
    died = restarts(killed)
    print(f"\n{sum(kills.values())} places at which a restore was killed: {kills}; the engine died {died} times;")
    print(f"{ {kind: len(found) for kind, found in faults.items()} } faults; {killed.seconds:.0f} s")
    assert sum(kills[kind] for kind in ("replaced", "rebuilt", "copied")) >= KILLS and died >= KILLS
