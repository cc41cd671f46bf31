"""Changing the lab from the command line: read-only first, then several machines with one that is locked, and networks;
what the audit says is found in the services' own logs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.contract.wire import Actor, wait_for
from tests.lab.places import LOG
from tests.live.lab_cloud import LabCloud
from tests.live.projects import COMPUTE, Project
from tests.live.test_command_line import Shell

pytestmark = pytest.mark.live
WHY = ("--reason", "disk swap", "--ticket", "CHG4711")


@pytest.fixture(scope="module")
def shell(lab: LabCloud, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    """A shell whose engine watches the lab as its administrator."""
    made = Shell(tmp_path_factory.mktemp("home"), lab.clouds_yaml)
    try:
        made.ok("cloud", "add", "lab-admin", "--as", "lab")
        yield made
    finally:
        made.run("engine", "stop")


def collect(shell: Shell, *types: str) -> None:
    shell.ok("collect", "--wait", "--full", *(word for type in types for word in ("--type", type)))


def server(project: Project, id: str) -> dict[str, Any]:
    found: dict[str, Any] = project.member.get("compute", f"/servers/{id}", COMPUTE)["server"]
    return found


def audited(shell: Shell, action: str) -> list[dict[str, Any]]:
    """How the action's calls ended, the newest first."""
    rows: list[dict[str, Any]] = shell.json("audit", "--ticket", "CHG4711", "--action", action, "-o", "json")
    return [row for row in rows if row["outcome"] != "intent"]


def test_machines_are_worked_and_found_in_the_services_logs(shell: Shell, admin: Actor, project: Project) -> None:
    ids = [project.server(name)["id"] for name in ("web-1", "web-2")]
    collect(shell, "project", "server")
    # Nothing passes before somebody lifts read-only mode.
    refused = shell.run("server", "stop", *ids, "--yes", *WHY)
    assert refused.returncode == 5 and "lab is read-only" in refused.stderr, refused.stderr
    assert {server(project, id)["status"] for id in ids} == {"ACTIVE"}
    shell.ok("writes", "lift", "lab", "--minutes", "30")
    # One of them is locked in Nova, which an administrator's token would walk through.
    lock = {"lock": {"locked_reason": "month end"}}
    path = f"/servers/{ids[1]}/action"
    assert admin("compute", path, "POST", json=lock, version=COMPUTE).status_code == 202
    stopped = shell.run("server", "stop", *ids, "--yes", *WHY, "-o", "json")
    assert stopped.returncode == 6, stopped.stderr
    answer = json.loads(stopped.stdout)
    assert {row["name"]: (row["state"], row["detail"]) for row in answer["results"]} == {
        "web-1": ("done", "stopped"),
        "web-2": ("refused", "web-2 is locked: month end"),
    }
    assert [server(project, id)["status"] for id in ids] == ["SHUTOFF", "ACTIVE"]
    record, refusal = audited(shell, "server.stop")
    assert (refusal["outcome"], refusal["detail"]["ticket"]) == ("refused", "CHG4711")
    (request,) = record["detail"]["request_ids"]
    assert (record["outcome"], record["detail"]["status"], record["detail"]["reason"]) == ("ok", 202, "disk swap")
    assert answer["results"][0]["request_id"] == request
    wait_for(lambda: request in (LOG / "nova-api.log").read_text(errors="replace"), lambda found: found, 10)
    # By name, by filter, and the rest of the verbs.
    shell.ok("server", "unlock", "web-2", "--yes", *WHY)
    shell.ok("server", "start", "web-1", "--yes", *WHY)
    shell.ok("server", "reboot", "--filter", f"id:={ids[0]},={ids[1]}", "--type", "hard", "--yes", *WHY)
    shell.ok("server", "rename", *ids, "--name", "{name}-{n}", "--yes", *WHY)
    assert [server(project, id)["name"] for id in ids] == ["web-1-1", "web-2-2"]
    jobs = shell.json("jobs", "-o", "json")
    assert {job["state"] for job in jobs} == {"done"} and {job["ticket"] for job in jobs} == {"CHG4711"}


def test_what_is_made_is_deleted_again(shell: Shell, admin: Actor, project: Project) -> None:
    collect(shell, "project")
    shell.ok("writes", "lift", "lab", "--minutes", "30")
    made = shell.json(
        "network", "create", "made-here", "--project", project.name, "--yes", *WHY, "-o", "json"
    )["results"][0]  # fmt: skip
    network = admin.get("network", f"/v2.0/networks/{made['id']}")["network"]
    assert network["project_id"] == project.id and "CHG4711: disk swap" in network["description"]
    log = LOG / "neutron-access.log"
    wait_for(lambda: made["id"] in log.read_text(errors="replace"), lambda found: found, 10)
    collect(shell, "network")
    silent = shell.run("network", "delete", made["id"], "--yes", *WHY)
    assert silent.returncode == 2 and '--yes-typed "made-here"' in silent.stderr
    shell.ok("network", "delete", made["id"], "--yes-typed", "made-here", *WHY)
    assert admin("network", f"/v2.0/networks/{made['id']}").status_code == 404
    (deleted,) = audited(shell, "network.delete")
    assert deleted["detail"]["status"] == 204 and deleted["detail"]["request_ids"][0].startswith("req-")
    # The documented API does the same, with the same audit.
    group = shell.json("api", "POST", "/admin/security-groups", "-f", "name=made-here", "-f",
                       f"project_id={project.id}", "-f", "ticket=CHG4711")  # fmt: skip
    assert group["project_id"] == project.id
    shell.ok("api", "DELETE", f"/admin/security-groups/{group['id']}?ticket=CHG4711")
    assert admin("network", f"/v2.0/security-groups/{group['id']}").status_code == 404
    assert len(audited(shell, "security_group.*")) == 2
