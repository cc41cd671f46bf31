"""Snapshot policies over the lab, with a clock that tests move: an engine that looks when it is told to."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from engine.snapshots.policies.models import AssignmentBody, ExclusionBody, PolicyBody, SetBody
from store import times
from store.estate.reading.models import Scope
from tests.contract.operating import CLOUD, OPS, Operator
from tests.contract.wire import Actor, rows_of
from tests.live.projects import STORAGE, Project

REGION = "RegionOne"
TYPES = ("project", "domain", "server", "volume", "snapshot", "image")
RUN_SECONDS = 120.0


class Keeper(Operator):
    """An engine that may make snapshots of one project's volumes; all other projects of the lab are left alone."""

    def __init__(self, home: Path, auth: Mapping[str, Any], project: Project, *, lend: bool = False) -> None:
        """`lend`: it may give its own user a role for the length of a job."""
        home.mkdir(mode=0o700, exist_ok=True)
        if lend:
            file = home / "qdeck.toml"
            file.write_text(f"[clouds.{CLOUD}]\ngrant_member = true\n")
            file.chmod(0o600)
        super().__init__(home, auth)
        self.project = project
        self.room = self.parts.snapshots
        self.now = times.utcnow()
        self.parts.reads.clock = lambda: self.now
        self.room.standing.enable(OPS, CLOUD, "tests")
        self.collect(*TYPES)
        for (id,) in self.rows("SELECT id FROM projects WHERE id <> ?", project.id):
            body = ExclusionBody(reason="another project of the lab", tenant_id=id, cloud=CLOUD)
            self.room.desk.giving.exclude(OPS, body)

    def rows(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """What a query of the store answers."""
        with self.parts.estate.reader() as reader:
            return reader.execute(sql, list(parameters)).fetchall()

    # -- what people decide ------------------------------------------------------
    def policy(self, name: str, schedule: str, keep: int, **more: Any) -> None:
        """Make a policy."""
        self.room.desk.changing.add_policy(OPS, PolicyBody(name=name, schedule=schedule, keep=keep, **more))

    def set(self, name: str, *policies: str, **more: Any) -> None:
        """Make a set for the project's volumes."""
        body = SetBody(name=name, tenant_id=self.project.id, cloud=CLOUD, policies=list(policies), **more)
        self.room.desk.changing.add_set(OPS, body)

    def assign(self, volume: str, *policies: str) -> None:
        """Give one volume policies of its own."""
        self.room.desk.giving.assign(OPS, AssignmentBody(volume_id=volume, policies=list(policies)))

    def exclude(self, volume: str, reason: str, expires: datetime) -> None:
        """Except one volume for a time."""
        body = ExclusionBody(reason=reason, volume_id=volume, cloud=CLOUD, region=REGION, expires_at=str(expires))
        self.room.desk.giving.exclude(OPS, body)

    # -- time ----------------------------------------------------------------------
    def at(self, now: datetime) -> list[dict[str, Any]]:
        """It becomes that time: whatever is due is done to its end; the runs that began, oldest first."""
        self.now = now
        before = self.last()
        self.until_idle()
        _, runs = self.room.runs.page(OPS, limit=50)
        return [run for run in reversed(runs) if run["id"] > before]

    def last(self) -> int:
        """The number of the newest run."""
        _, runs = self.room.runs.page(OPS, limit=1)
        return int(runs[0]["id"]) if runs else 0

    def until_idle(self, phase: str = "") -> None:
        """Take the open run on until there is none, or (with `phase`) until it has got there."""
        deadline = time.monotonic() + RUN_SECONDS
        while True:
            moved = self.room.runs.tick(self.now)
            assert self.room.runs.state()["problems"] == {}
            active = self.room.runs.active()
            if (not moved and not active["active"]) or (phase and active["active"] and active["run"]["phase"] == phase):
                return
            assert time.monotonic() < deadline, f"the run does not end: {active['run']}"
            if not moved:
                time.sleep(0.02)

    def before_the_jobs(self, happens: Callable[[], object]) -> None:
        """Once a run has been planned, and before its first step, this happens; once."""
        driver, submit = self.room.driver, self.room.driver._submit

        def interrupted(*given: Any) -> None:
            driver._submit = submit  # type: ignore[method-assign]
            happens()
            submit(*given)

        driver._submit = interrupted  # type: ignore[method-assign]

    def run(self, *policies: str, volumes: list[str] | None = None, phase: str = "") -> dict[str, Any]:
        """Ask for a run now, and take it to its end (or to a phase)."""
        keys = None if volumes is None else [(CLOUD, REGION, id) for id in volumes]
        begun = self.room.runs.start(OPS, CLOUD, REGION, policies, keys=keys)
        self.until_idle(phase)
        return dict(self.room.runs.run(begun["id"]))

    # -- what came of it -------------------------------------------------------------
    def noted(self, run: Mapping[str, Any]) -> list[dict[str, Any]]:
        """The run's records."""
        return self.room.runs.records(run["id"])[1]

    def judged(self, volume: str) -> dict[str, str]:
        """policy -> status of compliance ("" for an excluded volume), as of the moved clock."""
        self.collect("volume", "snapshot", "image")
        rows = self.room.compliance.service.rows(Scope(in_clouds=(CLOUD,)))
        return {row.promise.policy: row.status for row in rows if row.volume.id == volume}


def snapshots(actor: Actor, **wanted: str) -> list[dict[str, Any]]:
    """Snapshots that somebody's token shows, oldest first; of the volume or status that is wanted."""
    found = rows_of(actor.get("block-storage", "/snapshots/detail?limit=1000", STORAGE))
    rows = [row for row in found if all(row[name] == value for name, value in wanted.items())]
    return sorted(rows, key=lambda row: (row["metadata"].get("qdeck_taken_at", ""), row["created_at"]))


def taken(actor: Actor, volume: str) -> dict[str, list[datetime]]:
    """policy -> when its points of a volume were taken, oldest first, by what the snapshots say themselves."""
    found = defaultdict(list)
    for row in snapshots(actor, volume_id=volume):
        if row["metadata"].get("created_by") == "p9_auto_snapshots":
            assert row["status"] == "available", row
            found[row["metadata"]["policy"]].append(times.parse(row["metadata"]["qdeck_taken_at"]))
    return dict(found)


def limit(project: Project, **limits: int) -> None:
    """Change the project's quota of block storage."""
    path = f"/os-quota-sets/{project.id}"
    answer = project.admin("block-storage", path, "PUT", json={"quota_set": limits})
    assert answer.status_code == 200, answer.text


def check_owner(project: Project) -> None:
    """All its snapshots belong to it: its member and its reader see the same ones, and what they say fits."""
    rows = snapshots(project.member)
    assert {row["id"] for row in rows} == {row["id"] for row in snapshots(project.reader)}
    listed = f"/snapshots/detail?all_tenants=1&project_id={project.id}"
    assert {row["id"] for row in rows_of(project.admin.get("block-storage", listed, STORAGE))} == {
        row["id"] for row in rows
    }
    volumes = {row["id"] for row in rows_of(project.member.get("block-storage", "/volumes?limit=1000", STORAGE))}
    for row in rows:
        assert row["os-extended-snapshot-attributes:project_id"] == project.id and row["volume_id"] in volumes
        if row["metadata"].get("created_by"):
            assert row["metadata"]["original_project_id"] == project.id
            assert row["metadata"]["original_volume_id"] == row["volume_id"]
    # And none of them is anywhere else, where its owner would not see what stands in the way.
    every = rows_of(project.admin.get("block-storage", "/snapshots/detail?all_tenants=1&limit=1000", STORAGE))
    assert not [row["id"] for row in every if row["volume_id"] in volumes and row["id"] not in {r["id"] for r in rows}]
