"""Snapshot runs on the lab when something is in the way: quotas, a volume that goes, a role that is taken away."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.contract.operating import OPS
from tests.contract.wire import Actor, wait_for
from tests.live.keeping import Keeper, check_owner, limit, snapshots, taken
from tests.live.lab_cloud import LabCloud
from tests.live.projects import Project

pytestmark = pytest.mark.live
POLICY = "nightly"


def decide(keeper: Keeper) -> None:
    """A policy for all volumes of the project."""
    keeper.policy(POLICY, "daily 02:00", 2)
    keeper.set("of the tenant", POLICY)
    assert keeper.at(keeper.now) == []


def next_night(keeper: Keeper) -> list[dict[str, Any]]:
    """The runs of the next night."""
    return keeper.at((keeper.now + timedelta(days=1)).replace(hour=5, minute=30))


def outcomes(keeper: Keeper, run: dict[str, Any], project: Project) -> dict[str, tuple[str, str]]:
    """volume name -> (status, code) of the run's records in the project; points that were removed are left out."""
    rows = [row for row in keeper.noted(run) if row["project_id"] == project.id and row["action"] != "deleted"]
    assert len({row["volume_name"] for row in rows}) == len(rows), rows
    return {row["volume_name"]: (row["status"], row["code"]) for row in rows}


@pytest.fixture
def keeper(tmp_path: Path, lab: LabCloud, project: Project) -> Iterator[Keeper]:
    """An engine whose user is a member of the project."""
    project.grant(project.admin.token["user"]["id"], "member")
    with Keeper(tmp_path / "home", lab.entries["lab-admin"]["auth"], project) as made:
        yield made


def test_a_quota_that_is_full_is_seen_before_anything_is_made(keeper: Keeper, project: Project) -> None:
    volumes = {name: project.volume(name, size)["id"] for name, size in (("a", 1), ("b", 1), ("large", 2))}
    fast = project.volume("fast", 1, volume_type="premium")["id"]
    limit(project, snapshots=3, snapshots_premium=0)
    keeper.collect("volume")
    decide(keeper)
    (run,) = next_night(keeper)
    assert (run["status"], run["quota_blocked"]) == ("partial", 1)
    # The limit of the type leaves its volume out, and then the smallest of the others keep their places.
    assert outcomes(keeper, run, project) == {
        "a": ("OK", ""), "b": ("OK", ""), "large": ("OK", ""), "fast": ("QUOTA_BLOCKED", "quota"),
    }  # fmt: skip
    assert keeper.judged(fast) == {POLICY: "quota_blocked"}
    (block,) = keeper.room.runs.blocked(OPS, run["id"])
    found = (block["volume_id"], block["reason"], block["resource"], block["limit"])
    assert found == (fast, "snapshots_exceeded", "snapshots_premium", 0)

    # Full, and two points are kept: nothing is made, so nothing of what is there goes.
    before = {id: taken(project.member, id) for id in volumes.values()}
    (run,) = next_night(keeper)
    assert {status for status, _ in outcomes(keeper, run, project).values()} == {"QUOTA_BLOCKED"}
    assert {id: taken(project.member, id) for id in volumes.values()} == before
    limit(project, snapshots=100, snapshots_premium=-1)
    (run,) = next_night(keeper)
    assert run["status"] == "completed" and len(snapshots(project.member)) == 3 * 2 + 1
    assert keeper.judged(fast) == {POLICY: "compliant"}
    check_owner(project)


def test_a_quota_that_runs_full_half_way_is_made_up_for(keeper: Keeper, project: Project) -> None:
    volumes = {name: project.volume(name)["id"] for name in ("a", "b", "c")}
    limit(project, snapshots=100)
    keeper.collect("volume")
    decide(keeper)
    keeper.before_the_jobs(lambda: limit(project, snapshots=1))
    (run,) = next_night(keeper)
    found = outcomes(keeper, run, project)
    assert sorted(status for status, _ in found.values()) == ["OK", "QUOTA_BLOCKED", "QUOTA_BLOCKED"]
    assert run["status"] == "partial" and run["retry_at"]
    (made,) = (name for name, (status, _) in found.items() if status == "OK")
    assert {name: keeper.judged(id)[POLICY] for name, id in volumes.items()} == {
        name: "compliant" if name == made else "quota_blocked" for name in volumes
    }
    # There is room again: the next attempt makes what is missing, and nothing twice.
    limit(project, snapshots=100)
    (again,) = keeper.at(keeper.now + timedelta(hours=2))
    assert again["status"] == "completed" and again["snapshots_created"] == 2
    assert {len(taken(project.member, id)[POLICY]) for id in volumes.values()} == {1}
    assert len(snapshots(project.member)) == 3
    check_owner(project)


def test_a_volume_that_goes_half_way_is_no_failure(keeper: Keeper, project: Project) -> None:
    volumes = {name: project.volume(name)["id"] for name in ("a", "goes", "c")}
    keeper.collect("volume")
    decide(keeper)
    keeper.before_the_jobs(lambda: project.delete("block-storage", f"/volumes/{volumes['goes']}"))
    (run,) = next_night(keeper)
    assert outcomes(keeper, run, project) == {"a": ("OK", ""), "c": ("OK", ""), "goes": ("SKIPPED", "gone")}
    assert (run["status"], run["snapshots_failed"], run["volumes_skipped"] >= 1) == ("completed", 0, True)
    (run,) = next_night(keeper)
    assert outcomes(keeper, run, project) == {"a": ("OK", ""), "c": ("OK", "")}
    assert {row["volume_id"] for row in snapshots(project.member)} == {volumes["a"], volumes["c"]}
    check_owner(project)


# -- roles ---------------------------------------------------------------------------


def roles(admin: Actor, user: str, project: Project) -> list[str]:
    """Ids of the roles that a user has in the project."""
    path = f"/role_assignments?user.id={user}&scope.project.id={project.id}"
    return [row["role"]["id"] for row in admin.get("identity", path)["role_assignments"]]


def nowhere_else(admin: Actor, volume: str) -> None:
    """Nothing was made in the engine's own project."""
    assert snapshots(admin, volume_id=volume) == [], "a snapshot in the wrong project"


def test_without_a_role_nothing_is_made_and_it_says_why(tmp_path: Path, lab: LabCloud, project: Project) -> None:
    outsider = lab.actor("lab-outsider-admin")
    user = outsider.token["user"]["id"]
    volume = project.volume("a")["id"]
    project.grant(user, "member")
    with Keeper(tmp_path / "home", lab.entries["lab-outsider-admin"]["auth"], project) as keeper:
        decide(keeper)
        (run,) = next_night(keeper)
        assert outcomes(keeper, run, project) == {"a": ("OK", "")}
        check_owner(project)
        before = snapshots(project.member)
        # Taken away half-way, with a token of it in hand, which the services remember for some seconds: nights go by.
        keeper.before_the_jobs(lambda: project.revoke(user, "member"))

        def night() -> tuple[dict[str, Any], dict[str, Any]]:
            (run,) = next_night(keeper)
            (row,) = (
                row for row in keeper.noted(run) if row["project_id"] == project.id and row["action"] != "deleted"
            )
            return run, row

        run, row = wait_for(night, lambda found: found[1]["status"] == "ERROR", 60)
        after = snapshots(project.member)
        assert len(before) <= len(after) <= 3, "of two that are kept one more may be there, whose removal was refused"
        for said in ("no role in the project", "openstack role add"):  # a login that is refused; then the whole reason
            assert (row["status"], run["status"]) == ("ERROR", "failed") and run["retry_at"]
            assert said in row["detail"] or "openstack role add" in row["detail"]
            run, row = night()
        assert snapshots(project.member) == after
        nowhere_else(outsider, volume)
        # Given back, it goes on by itself, as soon as it is asked for again: not for every call of a job.
        project.grant(user, "member")

        def later() -> list[str]:
            return [run["status"] for run in keeper.at(keeper.now + timedelta(hours=6))]

        wait_for(later, lambda statuses: "completed" in statuses, 60)
        assert keeper.judged(volume) == {POLICY: "compliant"}
        check_owner(project)


def test_a_role_is_lent_for_the_job_and_taken_back(tmp_path: Path, lab: LabCloud, project: Project) -> None:
    outsider = lab.actor("lab-outsider-admin")
    user = outsider.token["user"]["id"]
    volumes = [project.volume(name)["id"] for name in ("a", "b")]
    during: list[list[str]] = []
    with Keeper(tmp_path / "home", lab.entries["lab-outsider-admin"]["auth"], project, lend=True) as keeper:
        decide(keeper)
        assert roles(project.admin, user, project) == []
        watched = keeper.parts.gate.perform

        def perform(*given: Any, **more: Any) -> Any:
            answer = watched(*given, **more)
            during.append(roles(project.admin, user, project))
            return answer

        keeper.parts.gate.perform = perform  # type: ignore[method-assign]
        (run,) = next_night(keeper)
        assert run["status"] == "completed", run["detail"]
        assert outcomes(keeper, run, project) == {"a": ("OK", ""), "b": ("OK", "")}
        assert [project.roles["member"]] in during, "it was never a member"
        assert all(found in ([], [project.roles["member"]]) for found in during), "more than a member"
        assert roles(project.admin, user, project) == []
        assert {len(taken(project.reader, id)[POLICY]) for id in volumes} == {1}
        check_owner(project)
        (run,) = next_night(keeper)
        assert run["status"] == "completed" and roles(project.admin, user, project) == []
