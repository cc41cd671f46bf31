"""Sixty days of snapshot policies on the lab, by a clock that is moved: retention is exact in every week of them."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.contract.wire import rows_of
from tests.live.keeping import Keeper, check_owner, limit, snapshots, taken
from tests.live.lab_cloud import LabCloud
from tests.live.projects import COMPUTE, Project

pytestmark = pytest.mark.live

DAYS = 60
EXCLUDED_DAYS = 20
NOT_RUNNING = 5  # days for which the engine is off: from two days before a first of the month
KEEP = {"nightly": 5, "sundays": 4, "monthly_1st": 1, "monthly_15th": 1, "machines": 2}


@pytest.fixture
def keeper(tmp_path: Path, lab: LabCloud, project: Project) -> Iterator[Keeper]:
    """An engine whose user is a member of the project."""
    limit(project, snapshots=200, gigabytes=1000)
    project.grant(project.admin.token["user"]["id"], "member")
    with Keeper(tmp_path / "home", lab.entries["lab-admin"]["auth"], project) as made:
        yield made


def machine(project: Project) -> tuple[str, list[str]]:
    """A machine that boots from a volume, with a second one, whose guest can be frozen: (its id, its volumes)."""
    images = {row["name"]: row["id"] for row in rows_of(project.member.get("image", "/v2/images?limit=100"))}
    flavors = {row["name"]: row["id"] for row in rows_of(project.member.get("compute", "/flavors/detail"))}
    data = project.volume("machine-data")
    disks = [
        {"boot_index": 0, "uuid": images["debian-12-agent"], "source_type": "image", "destination_type": "volume",
         "volume_size": 2, "delete_on_termination": True},
        {"boot_index": -1, "uuid": data["id"], "source_type": "volume", "destination_type": "volume"},
    ]  # fmt: skip
    made = project.server("machine", imageRef="", flavorRef=flavors["v1.small"], block_device_mapping_v2=disks)
    path = f"/servers/{made['id']}/os-volume_attachments"
    attached = rows_of(project.member.get("compute", path, COMPUTE))
    return made["id"], [row["volumeId"] for row in attached]


def occurrences(policy: str, after: datetime, now: datetime) -> int:
    """How often the policy came due in that time, counted by hand: all of them fall before 05:30 UTC."""
    count, day = 0, after.replace(hour=5, minute=30)
    while (day := day + timedelta(days=1)) <= now:
        match = {
            "nightly": True,
            "sundays": day.weekday() == 6,
            "machines": day.weekday() == 2,
            "monthly_1st": day.day == 1,
            "monthly_15th": day.day == 15,
        }
        count += match[policy]
    return count


def calendar(start: datetime) -> list[datetime]:
    """05:30 UTC of each day on which the engine runs."""
    days = [(start + timedelta(days=number)).replace(hour=5, minute=30) for number in range(1, DAYS + 1)]
    first = next(place for place, day in enumerate(days) if day.day == 1 and place > 5)
    return days[: first - 2] + days[first - 2 + NOT_RUNNING :]


def image_points(project: Project) -> list[list[str]]:
    """Machine points, oldest first: the snapshots that belong to each, as the image itself says."""
    images = rows_of(project.member.get("image", f"/v2/images?owner={project.id}&limit=100&sort=created_at:asc"))
    found = []
    for image in images:
        assert image["status"] == "active" and image["created_by"] == "p9_auto_snapshots", image
        assert image["qdeck_consistency"] == "quiesced", image
        parts = json.loads(image["block_device_mapping"])
        found.append(sorted(part["snapshot_id"] for part in parts))
    return found


class Story:
    """What is there, and what should have been made."""

    def __init__(self, keeper: Keeper, project: Project) -> None:
        self.keeper, self.project = keeper, project
        self.data = project.volume("data")["id"]
        self.own = project.volume("own", metadata={
            "auto_snapshot": "true", "snapshot_policies": "monthly_1st,monthly_15th",
        })["id"]  # fmt: skip
        self.later = project.volume("later")["id"]
        self.server, self.disks = machine(project)
        self.start = self.before = keeper.now
        self.expected: dict[tuple[str, str], list[datetime]] = {}
        self.points: list[datetime] = []

    def decide(self) -> None:
        """As people do, before the first look."""
        keeper = self.keeper
        keeper.collect("volume", "snapshot", "server", "image")
        keeper.policy("nightly", "daily 02:00", KEEP["nightly"], timezone="Europe/Berlin")
        keeper.policy("sundays", "weekly sun 03:00", KEEP["sundays"])
        keeper.policy("machines", "weekly wed 01:00", KEEP["machines"], method="server")
        keeper.set("of the tenant", "nightly", "sundays")
        for volume in self.disks:
            keeper.assign(volume, "machines")
        keeper.exclude(self.later, "it is being filled", self.start + timedelta(days=EXCLUDED_DAYS))
        assert keeper.at(self.start) == []  # what is new is due from its next occurrence on

    def day(self, now: datetime) -> None:
        """One look, and what should have come of it."""
        runs = self.keeper.at(now)
        assert all(run["status"] == "completed" for run in runs), [run["detail"] for run in runs]
        for volume, policies in (
            (self.data, ("nightly", "sundays")),
            (self.own, ("monthly_1st", "monthly_15th")),
            (self.later, ("nightly", "sundays")),
        ):
            for policy in policies:
                excluded = volume == self.later and now < self.start + timedelta(days=EXCLUDED_DAYS)
                if occurrences(policy, self.before, now) and not excluded:
                    self.expected.setdefault((volume, policy), []).append(now)
        if occurrences("machines", self.before, now):
            self.points.append(now)
        self.before = now

    def check(self) -> None:
        """Exactly the newest of each policy are there, one for one, and machine points are whole."""
        for volume in (self.data, self.own, self.later):
            held = {policy: times_ for (id, policy), times_ in self.expected.items() if id == volume}
            kept = {policy: made[-KEEP[policy] :] for policy, made in held.items()}
            assert taken(self.project.member, volume) == kept
        points = image_points(self.project)
        assert len(points) == min(len(self.points), KEEP["machines"])
        parts = sorted(row["id"] for disk in self.disks for row in snapshots(self.project.member, volume_id=disk))
        assert parts == sorted(id for point in points for id in point) and len(parts) == 2 * len(points)


def test_sixty_days(keeper: Keeper, project: Project) -> None:
    story = Story(keeper, project)
    story.decide()
    by_hand: list[dict[str, Any]] = []
    days = calendar(story.start)
    assert any(later - day > timedelta(days=NOT_RUNNING) for day, later in itertools.pairwise(days))
    for number, day in enumerate(days, 1):
        story.day(day)
        if number in (9, 31):
            by_hand += [project.snapshot(story.data, "by hand"), project.snapshot(story.own, "by hand")]
        if number % 7 == 0:
            story.check()
            assert keeper.judged(story.data)["nightly"] == "compliant"
            status = keeper.judged(story.later)
            assert status == {"": "excluded"} if number < EXCLUDED_DAYS - 1 else status["nightly"] == "compliant"
    story.check()
    assert len(story.expected[story.data, "nightly"]) == len(days) and len(story.points) >= 7
    assert len(story.expected[story.own, "monthly_1st"]) == 2  # one of them was caught up

    # What people made is there, whatever went around it; and everything is the tenant's own.
    listed = {row["id"] for row in snapshots(project.member)}
    assert {row["id"] for row in by_hand} <= listed
    check_owner(project)
    assert keeper.judged(story.data) == {"nightly": "compliant", "sundays": "compliant"}
    assert keeper.judged(story.own) == {"monthly_1st": "compliant", "monthly_15th": "compliant"}
    assert {policy for disk in story.disks for policy in keeper.judged(disk).items()} == {("machines", "compliant")}
    # Three days without the engine: what is made every night is late, what is made once a week or month is not.
    keeper.now = days[-1] + timedelta(days=3)
    assert keeper.judged(story.own) == {"monthly_1st": "compliant", "monthly_15th": "compliant"}
    assert keeper.judged(story.data)["nightly"] == "missing"
    assert keeper.parts.audit.verify().ok
    _, calls = keeper.parts.audit.page(action="snapshot.policy", limit=1000)
    assert calls and not [row for row in calls if "cascade" in str(row["detail"])]
