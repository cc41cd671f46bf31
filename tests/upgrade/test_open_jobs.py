"""Restores that an earlier build left open, with another dbos: this one finishes them, in every state and way.

The kept files are what make_database.py wrote at their time; the clouds of their jobs lie beside them.
"""

from __future__ import annotations

import contextlib
import json
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from engine.jobs.models import OPEN
from engine.restore.steps import hands
from store.ops.migrations import LATEST
from tests.engine.jobs.backend import CALLER
from tests.engine.process.running import wait_for
from tests.engine.restore.steps.cloud import FakeCloud
from tests.engine.restore.steps.conftest import MEMORY
from tests.upgrade import files, yard
from tests.upgrade.yard import Doc, Restores, Yard

FILES = sorted(folder for folder in files.KEPT.iterdir() if "restore" in files.about(folder)["open_jobs"])
SECONDS = 120.0  # for all jobs of a file, on a machine that has other things to do


class Kept:
    """A copy of a kept file with its clouds, taken up by an engine of this build."""

    def __init__(self, kept: Path, folder: Path, runner: type[Restores] = Restores) -> None:
        self.jobs = files.unpack(kept, folder)
        self.yard = Yard(folder, runner)
        self.clouds: dict[str, FakeCloud] = {}
        for id, job in self.jobs.items():
            self.clouds[id] = yard.read(job["now"], job.get("later"))
            self.yard.runner.add(id, self.clouds[id])

    def begin(self) -> None:
        """Take the jobs up; people answer what they are asked."""
        for id, job in self.jobs.items():
            if job["answer"]:
                with self.yard.ops.begin() as connection:
                    assert self.yard.records.say(connection, id, job["answer"], "anna")
        self.yard.jobs.begin()

    def job(self, id: str) -> Doc:
        return self.yard.jobs.job(id)

    def until_ended(self, ids: Sequence[str]) -> None:
        wait_for(lambda: not {one["id"] for one in self.yard.jobs.status()} & set(ids), SECONDS)

    def until_told(self) -> None:
        """Until every open job says why it does not go on."""
        wait_for(lambda: all(one["problem"] for one in self.yard.jobs.status()), SECONDS)


@contextlib.contextmanager
def taken_up(kept: Path, runner: type[Restores] = Restores) -> Iterator[Kept]:
    with tempfile.TemporaryDirectory(prefix="upgrade-", dir=MEMORY if MEMORY.is_dir() else None) as folder:
        one = Kept(kept, Path(folder), runner)
        try:
            yield one
        finally:
            one.yard.close()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The simulated clouds have done what was asked of them long ago, or never will."""
    monkeypatch.setattr(hands, "LOST_SECONDS", 0.3)
    monkeypatch.setattr(hands, "AGAIN_SECONDS", 0.3)


every = pytest.mark.parametrize("kept", FILES, ids=lambda folder: folder.name)


@every
def test_every_open_job_is_finished(kept: Path) -> None:
    with taken_up(kept) as one:
        left = {id: one.job(id) for id in one.jobs}
        assert all(job["state"] in OPEN for job in left.values())
        cut = {id: [step["name"] for step in job["steps"] if step["state"] == "running"] for id, job in left.items()}
        assert cut == {id: [job["step"]] if job["step"] else [] for id, job in one.jobs.items()}, "left where it says"
        one.begin()
        one.until_ended(list(one.jobs))
        assert one.yard.ops.schema_version() == LATEST
        for id, job in one.jobs.items():
            ended = one.job(id)
            failed = [step["detail"] for step in ended["steps"] if step["state"] == "failed"]
            why = (job["name"], ended["detail"], failed)
            assert ended["state"] == job["ends"], why
            cloud = one.clouds[id]
            cloud.settle()
            if ended["state"] == "done":
                worked(cloud, job)
            else:
                as_before(cloud, job)
            nothing_is_lost(one, id)
            was = {step["seq"]: step for step in left[id]["steps"]}
            again = [step["name"] for step in ended["steps"] if step["attempt"] > max(was[step["seq"]]["attempt"], 1)]
            assert len(again) <= 1, f"{job['name']}: done again were {again}"
            kept_results = [step["detail"] for step in ended["steps"] if was[step["seq"]]["state"] == "done"]
            assert kept_results == [step["detail"] for step in left[id]["steps"] if step["state"] == "done"]
        wait_for(lambda: set(one.yard.runner.over) == set(one.jobs))
        assert one.yard.audit.verify().ok
        ends, _ = one.yard.audit.page(action="job.end", limit=1000)
        assert ends == len(one.jobs), "each end is in the audit once"


def as_before(cloud: FakeCloud, job: Doc) -> None:
    """The machine is as it was."""
    now = yard.portrait(cloud, job["server"], set(job["first"]))
    for name, value in job["before"].items():
        assert now[name] == value, (job["name"], name)
    assert set(cloud.servers) == {job["server"]}, job["name"]


def worked(cloud: FakeCloud, job: Doc) -> None:
    """The machine is what the restore was for."""
    way, server, before = job["way"], job["server"], job["before"]
    now, name = yard.portrait(cloud, server, set(job["first"])), job["name"]
    if way in ("NEW", "REPLACE"):
        (new,) = [one for id, one in cloud.servers.items() if id != server]
        assert new["status"] == "ACTIVE", name
        assert cloud.content(new["id"]) == "web-root then", name
    if way == "NEW":
        assert now == before, name
    elif way == "REPLACE":
        old = now["server"]
        assert old["status"] == "SHELVED_OFFLOADED" and old["locked"] and old["name"] != "web", name
        assert new["name"] == "web" and _addresses(cloud.ports_of(new["id"])) == _addresses(before["ports"]), name
        assert "db now" in [cloud.contents[id] for _, id in cloud.hanging(new["id"])], f"{name}: the kept disk"
    elif way == "IN_PLACE":
        assert now["server"] == before["server"] and now["disks"] == before["disks"], name
        assert cloud.content(server) == "root then", name
    elif way == "DISK_BESIDE":
        ((_, copy),) = [one for one in cloud.hanging(server) if one[1] not in job["first"]]
        assert cloud.contents[copy] == "root then" and now["server"] == before["server"], name
    else:
        assert now["server"] == before["server"], name
        assert dict(cloud.hanging(server))["/dev/vdb"] not in job["first"], name
        contents = [cloud.contents[id] for _, id in cloud.hanging(server)]
        assert contents == ["root now", "db then", "logs now"], name


def _addresses(ports: Sequence[Doc]) -> list[Any]:
    found = [(port["mac_address"], fixed["ip_address"]) for port in ports for fixed in port["fixed_ips"]]
    return sorted(json.loads(json.dumps(found)))


def nothing_is_lost(one: Kept, id: str) -> None:
    """Nothing was asked for twice, and whatever is there was there before or is in the records."""
    job, cloud = one.jobs[id], one.clouds[id]
    asked = Counter([*job["made"], *yard.marks(cloud.calls)])
    assert not [mark for mark, count in asked.items() if count > 1], f"{job['name']}: made twice"
    noted = {row["id"]: row["state"] for row in one.yard.records.of_job(id) if row["id"]}
    for type, ids in yard.there(cloud).items():
        for own in ids - set(job["first"]):
            assert noted.get(own) in ("made", "handed_over"), f"{job['name']}: no record knows the {type} {own}"
        gone = {own for own in job["first"] if own in job["now"][f"{type}s"]} - ids
        assert not gone, f"{job['name']}: the {type} {gone} was the owner's"


class Later(Restores):
    """Of a release whose restores have plans of another version, and that still reads those of the file."""

    versions: Sequence[int] = (99,)


class Much(Later):
    """Of a release that cannot even read them."""

    def takes_back(self, version: int, names: Sequence[str]) -> bool:
        return False


@pytest.mark.faults
@every
def test_a_release_that_cannot_run_them_takes_them_back_when_they_are_cancelled(kept: Path) -> None:
    with taken_up(kept, Later) as one:
        one.begin()
        one.until_told()
        waiting = [id for id in one.jobs if one.job(id)["state"] in OPEN]
        assert {job["state"] for id, job in one.jobs.items() if id not in waiting} == {
            "takes back", "result of taking back not written", "cancel not noticed",
        }, "who asked to cancel before need not ask again"  # fmt: skip
        for id in waiting:
            found = one.job(id)
            assert "can't run version 1" in found["detail"] and found["can"] == ["cancel"], found["detail"]
            assert not one.clouds[id].sent and not one.clouds[id].asked, "nothing is done unasked"
            one.yard.jobs.cancel(id, CALLER)
        one.until_ended(waiting)
        for id, job in one.jobs.items():
            cloud, ended = one.clouds[id], one.job(id)
            cloud.settle()
            assert ended["state"] == ("partial" if job["state"] == "tidies" else "cancelled"), (job["name"], ended)
            if job["state"] != "tidies":
                as_before(cloud, job)
            nothing_is_lost(one, id)
        assert one.yard.audit.verify().ok


@every
def test_one_that_cannot_even_be_read_is_given_up_without_touching_the_cloud(kept: Path) -> None:
    with taken_up(kept, Much) as one:
        one.begin()
        one.until_told()
        for id in one.jobs:
            assert one.job(id)["state"] in OPEN and "taken back" not in one.job(id)["detail"]
            ended = one.yard.jobs.cancel(id, CALLER)
            assert ended["state"] not in OPEN
            assert not one.clouds[id].sent and not one.clouds[id].asked
        assert one.yard.jobs.status() == []
