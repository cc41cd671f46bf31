"""Why a volume failed: Cinder's messages, read when asked, by its member and by an administrator of another project."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.clouds.errors import CloudError
from engine.inventory.ondemand import Wanted
from store.types import registry
from tests.contract.wire import Actor, wait_for
from tests.live.console import Console, write_entry
from tests.live.lab_cloud import LabCloud
from tests.live.projects import STORAGE, Project
from tests.live.test_command_line import Shell

pytestmark = pytest.mark.live
MESSAGE = registry.ALL["cinder_message"]


@pytest.fixture
def console(tmp_path: Path) -> Iterator[Console]:
    made = Console(tmp_path / "console")
    yield made
    made.close()


@pytest.fixture
def nowhere(admin: Actor) -> Iterator[str]:
    """A volume type that no back end has."""
    body = {
        "volume_type": {"name": f"test-{secrets.token_hex(4)}", "extra_specs": {"volume_backend_name": "none-has-this"}}
    }
    answer = admin("block-storage", "/types", "POST", json=body, version=STORAGE)
    assert answer.status_code == 200, answer.text
    id = str(answer.json()["volume_type"]["id"])
    yield id
    wait_for(lambda: admin("block-storage", f"/types/{id}", "DELETE").status_code, lambda status: status in (202, 404))


@pytest.fixture
def failed(nowhere: str, project: Project) -> Iterator[str]:
    """A volume of the type, in error."""
    body = {"volume": {"name": "stuck", "size": 1, "volume_type": nowhere}}
    id = str(project.create("block-storage", "/volumes", body, STORAGE)["volume"]["id"])

    def status() -> str:
        return str(project.member.get("block-storage", f"/volumes/{id}", STORAGE)["volume"]["status"])

    wait_for(status, lambda status: status == "error", 60)
    yield id
    project.delete("block-storage", f"/volumes/{id}")


def test_the_reason_is_read_by_member_and_foreign_administrator(
    lab: LabCloud, console: Console, project: Project, failed: str, tmp_path: Path
) -> None:
    auth = {
        **lab.entries["lab-admin"]["auth"],
        "username": f"{project.name}-member",
        "password": project.password,
        "project_name": project.name,
    }
    member = Console(tmp_path / "member")
    try:
        member.add("member", write_entry(tmp_path / "clouds.yaml", "member", auth), "lab")
        console.add("lab-outsider-admin", lab.clouds_yaml, "lab")
        for one in (member, console):
            found = one.collections.on_demand.read(Wanted(MESSAGE, "lab", "", failed, project.id))
            assert (found.rows, found.state, found.region) == (1, "ok", "RegionOne")
            ((words, level, about),) = one.rows(
                "SELECT user_message, message_level, resource_id FROM cinder_message_versions WHERE valid_to IS NULL"
            )
            assert about == failed
            assert words.startswith("schedule allocate volume:")
            assert level == "ERROR"
    finally:
        member.close()


def test_a_member_of_another_project_is_not_believed(
    lab: LabCloud, console: Console, project: Project, failed: str
) -> None:
    """Cinder answers 200 with nothing."""
    console.add("lab-member", lab.clouds_yaml, "lab")
    with pytest.raises(CloudError, match="no account of lab sees the project"):
        console.collections.on_demand.read(Wanted(MESSAGE, "lab", "", failed, project.id))


def test_the_command_line_reads_them_now(lab: LabCloud, failed: str, tmp_path: Path) -> None:
    shell = Shell(tmp_path / "home", lab.clouds_yaml)
    try:
        shell.ok("cloud", "add", "lab-outsider-admin", "--as", "lab")
        (row,) = shell.json("ls", "cinder_messages", f"resource_id:={failed}", "--cloud", "lab", "-o", "json")
        assert row["user_message"].startswith("schedule allocate volume:")
        shell.ok("collect", "--wait", "--type", "volume")
        links = shell.json("api", "GET", f"/q/resources/volume/{failed}")["links"]
        (link,) = (link for link in links if link["on_demand"])
        assert (link["type"], link["count"]) == ("cinder_message", 1)
        (again,) = shell.json("ls", "messages", link["filter"], "-o", "json")
        assert (again["id"], again["volume_name"]) == (row["id"], "stuck")
        assert shell.run("ls", "messages", "resource_id:=nothing").returncode == 4
    finally:
        shell.run("engine", "stop")
