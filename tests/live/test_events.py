"""The time line over the real services: actions with steps and errors, faults, messages, for who may see them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.inventory.events import Timeline
from engine.inventory.events_cloud import CloudLines
from engine.inventory.reads import InventoryReads
from store.estate.reading.models import Scope
from store.types import registry
from tests.contract.wire import Actor
from tests.live.console import TESTER, Console
from tests.live.lab_cloud import LabCloud
from tests.live.projects import COMPUTE, Project
from tests.live.test_on_demand import failed, nowhere  # noqa: F401  (fixtures)

pytestmark = pytest.mark.live


class Desk:
    """A console that watches the lab as its administrator, and the time lines over it."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.reads = InventoryReads(console.estate)
        self.lines = CloudLines(console.clouds)

    def events(self, type: str, id: str) -> dict[str, Any]:
        declared = registry.ALL[type]
        (key,) = self.reads.keys(declared, id, None, Scope())
        timeline = Timeline(self.reads, self.lines, None, seconds=15.0)
        return timeline.of(TESTER, declared, key, Scope(), None, 200)


@pytest.fixture
def desk(tmp_path: Path, lab: LabCloud) -> Iterator[Desk]:
    console = Console(tmp_path / "console")
    console.add("lab-admin", lab.clouds_yaml, "lab")
    made = Desk(console)
    yield made
    made.lines.close()
    made.reads.close()
    console.close()


def of(answer: dict[str, Any], source: str) -> list[dict[str, Any]]:
    return [event for event in answer["items"] if event["source"] == source]


def test_who_stopped_it_and_what_was_seen(desk: Desk, lab: LabCloud, project: Project) -> None:
    server = project.server()
    desk.console.collect("project", "user", "server", "port", "volume")
    path = f"/servers/{server['id']}"
    assert project.member("compute", f"{path}/action", "POST", json={"os-stop": None}, version=COMPUTE).ok
    project.delete("compute", path)
    desk.console.collect("server", "port")
    answer = desk.events("server", server["id"])
    assert answer["problems"] == []
    told = {event["kind"]: event for event in of(answer, "nova")}
    assert {"create", "stop", "delete"} <= set(told)
    assert (told["stop"]["actor"], told["stop"]["grade"]) == (f"{project.name}-member", "cloud")
    assert (told["delete"]["actor"], told["delete"]["grade"]) == (
        lab.entries["lab-admin"]["auth"]["username"],
        "cloud",
    )
    assert told["create"]["children"][0]["title"].startswith("compute__do_build")
    assert "gone" in {event["kind"] for event in of(answer, "state") if event["about"] is None}


def test_a_boot_that_failed_says_why(desk: Desk, project: Project) -> None:
    server = project.server(status="ERROR", metadata={"lab_fault": "boot"})
    desk.console.collect("project", "user", "server")
    answer = desk.events("server", server["id"])
    assert answer["problems"] == []
    (fault,) = of(answer, "fault")
    assert fault["title"] and fault["level"] == "error"
    # Nova itself says that the action succeeded: what went wrong stands in the fault alone.
    (create,) = of(answer, "nova")
    assert create["kind"] == "create" and create["children"]


def test_why_a_volume_failed(desk: Desk, admin: Actor, failed: str) -> None:  # noqa: F811
    desk.console.collect("project", "user", "volume")
    answer = desk.events("volume", failed)
    (message,) = of(answer, "cinder")
    assert "weighted backend" in message["title"] and message["request_id"].startswith("req-")
    created = next(event for event in of(answer, "state") if event["kind"] == "created")
    assert created["grade"] == "creator" and created["actor"].endswith("-member")
