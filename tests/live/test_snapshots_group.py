"""A machine whose volumes are a consistent group of Cinder, on the lab: one group snapshot, kept and removed as one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.contract.wire import rows_of, wait_for
from tests.lab.company import CONSISTENT
from tests.live.keeping import Keeper, limit, snapshots
from tests.live.lab_cloud import LabCloud
from tests.live.projects import STORAGE, Project

pytestmark = pytest.mark.live


@pytest.fixture
def keeper(tmp_path: Path, lab: LabCloud, project: Project) -> Iterator[Keeper]:
    """An engine whose user is a member of the project."""
    limit(project, snapshots=20, gigabytes=100)
    project.grant(project.admin.token["user"]["id"], "member")
    with Keeper(tmp_path / "home", lab.entries["lab-admin"]["auth"], project) as made:
        yield made


@pytest.fixture
def disks(project: Project) -> Iterator[list[str]]:
    """Both volumes of a machine that boots from the first, in a group that their owner made."""
    kinds = {row["name"]: row["id"] for row in rows_of(project.admin.get("block-storage", "/types", STORAGE))}
    types = {row["name"]: row["id"] for row in rows_of(project.admin.get("block-storage", "/group_types", STORAGE))}
    body = {"group": {"name": "ledger", "group_type": types[CONSISTENT], "volume_types": [kinds["premium"]]}}
    group = project.create("block-storage", "/groups", body, STORAGE)["group"]["id"]

    def shown() -> dict[str, Any]:
        return dict(project.member.get("block-storage", f"/groups/{group}", STORAGE)["group"])

    wait_for(shown, lambda one: one["status"] == "available", 60)
    images = rows_of(project.member.get("image", "/v2/images?limit=100"))
    image = min(images, key=lambda one: (one["min_disk"], one["name"]))["id"]
    root = project.volume("root", 2, imageRef=image, volume_type="premium", group_id=group)["id"]
    data = project.volume("data", 1, volume_type="premium", group_id=group)["id"]
    mapping = [{"boot_index": place, "uuid": id, "source_type": "volume", "destination_type": "volume"}
               for place, id in ((0, root), (-1, data))]  # fmt: skip
    machine = project.server("ledger", imageRef="", block_device_mapping_v2=mapping)
    yield [root, data]
    for row in grouped(project):
        response = project.admin("block-storage", f"/group_snapshots/{row['id']}", "DELETE", version=STORAGE)
        assert response.status_code in (202, 404), response.text
    wait_for(lambda: grouped(project), lambda rows: not rows, 60)
    project.delete("compute", f"/servers/{machine['id']}")
    path, body = f"/groups/{group}/action", {"delete": {"delete-volumes": True}}
    wait_for(
        lambda: project.admin("block-storage", path, "POST", json=body, version=STORAGE).status_code,
        lambda status: status in (202, 404), 60,
    )  # fmt: skip


def grouped(project: Project) -> list[dict[str, Any]]:
    """The project's group snapshots, as its member sees them."""
    return rows_of(project.member.get("block-storage", "/group_snapshots/detail", STORAGE))


def test_a_group_is_one_point_made_and_removed_as_a_whole(keeper: Keeper, project: Project, disks: list[str]) -> None:
    keeper.collect("server", "volume")
    keeper.policy("ledgers", "daily 05:00", 1, method="server", group_type=CONSISTENT)
    keeper.set("all", "ledgers")
    first = (keeper.now + timedelta(days=1)).replace(hour=5, minute=30)
    keeper.at(keeper.now)
    seen = []
    for day in range(3):
        (run,) = keeper.at(first + timedelta(days=day))
        assert run["status"] == "completed", keeper.noted(run)
        (made,) = grouped(project)
        assert made["id"] not in seen and made["status"] == "available"
        seen.append(made["id"])
        members = snapshots(project.member)
        assert {row["volume_id"] for row in members} == set(disks) and len(members) == 2
        assert {row["group_snapshot_id"] for row in members} == {made["id"]}
        told = [record for record in keeper.noted(run) if record["action"] == "created"]
        assert len(told) == 2 and all(made["id"] in record["detail"] for record in told), told
