"""The whole way: clouds.yaml, `qdeck cloud add`, `qdeck collect --wait`, and what the commands then show."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.contract.wire import Actor
from tests.lab.company import SERVERS
from tests.lab.places import PORT
from tests.live.console import write_entry
from tests.live.lab_cloud import LabCloud
from tests.live.projects import Project

pytestmark = pytest.mark.live
QDECK = Path(sys.executable).with_name("qdeck")

# The answer of GET /servers, as documented; cloud and region come on top.
SERVER_FIELDS = {
    *("vm_id", "vm_name", "domain_name", "tenant_name", "status", "flavor_name", "vcpus", "ram_mb", "disk_gb", "ips"),
    *("image_name", "hypervisor_hostname", "host_vcpus_total", "host_vcpus_used", "host_ram_total_mb"),
    *("host_ram_used_mb", "host_disk_total_gb", "host_disk_used_gb", "host_running_vms", "cloud", "region"),
}


class Shell:
    """Runs qdeck with a home of its own."""

    def __init__(self, home: Path, clouds_yaml: Path) -> None:
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("OS_", "QDECK_"))}
        self.env = kept | {"QDECK_HOME": str(home), "OS_CLIENT_CONFIG_FILE": str(clouds_yaml), "NO_COLOR": "1"}

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """One command, to its end."""
        return subprocess.run([QDECK, *arguments], env=self.env, capture_output=True, text=True, timeout=120, cwd="/")

    def ok(self, *arguments: str) -> str:
        """What a command that must succeed wrote to stdout."""
        done = self.run(*arguments)
        assert done.returncode == 0, f"{arguments}: {done.stdout}{done.stderr}"
        return done.stdout

    def json(self, *arguments: str) -> Any:
        """The same, as JSON."""
        return json.loads(self.ok(*arguments))


@pytest.fixture(scope="module")
def shell(lab: LabCloud, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    """A shell whose engine has collected the lab."""
    made = Shell(tmp_path_factory.mktemp("home"), lab.clouds_yaml)
    try:
        made.ok("cloud", "add", "lab-admin", "--as", "lab")
        made.ok("collect", "--wait")
        yield made
    finally:
        made.run("engine", "stop")


def test_servers_are_listed_with_the_names_of_what_they_belong_to(shell: Shell) -> None:
    rows = shell.json("ls", "servers", "-o", "json")
    expected = {f"{project}-{plan.name}" for project, plans in SERVERS.items() for plan in plans}
    assert {row["name"] for row in rows} >= expected
    (row,) = (row for row in rows if row["name"] == "retail-web-db-01")
    assert (row["project_name"], row["domain_name"], row["status"]) == ("retail-web", "retail", "ACTIVE")
    assert (row["flavor_name"], row["vcpus"], row["ram_mb"]) == ("v1.large", 4, 8192)


def test_documented_servers_have_exactly_the_documented_fields(shell: Shell) -> None:
    answer = shell.json("api", "GET", "/servers", "-f", "limit=100")
    rows = {row["vm_name"]: row for row in answer["results"]}
    assert set(rows["retail-web-db-01"]) == SERVER_FIELDS
    # Volume-booted: the flavor has no disk, the volumes have 10 + 10 GB. Image-booted: the flavor's disk.
    assert rows["retail-web-db-01"]["disk_gb"] == 20
    assert rows["retail-web-web-01"]["disk_gb"] == 20
    assert rows["retail-web-web-01"]["image_name"] == "debian-12"
    assert rows["retail-web-web-01"]["ips"].count("198.18.") == 1


def test_host_totals_are_those_of_the_hypervisor(shell: Shell, admin: Actor) -> None:
    hosts = {
        host["hypervisor_hostname"]: host
        for host in admin.get("compute", "/os-hypervisors/detail", "2.87")["hypervisors"]
    }
    rows = shell.json("api", "GET", "/servers", "-f", "limit=100")["results"]
    row = next(row for row in rows if row["vm_name"] == "research-hpc-batch-01")
    host = hosts[row["hypervisor_hostname"]]
    assert (row["host_vcpus_total"], row["host_ram_total_mb"]) == (host["vcpus"], host["memory_mb"])
    assert row["host_disk_total_gb"] == host["local_gb"]


def test_one_server_by_name_and_by_the_start_of_its_id(shell: Shell, admin: Actor) -> None:
    listed = admin.get("compute", "/servers?all_tenants=1")["servers"]
    server = next(server for server in listed if server["name"] == "retail-pay-broken-01")
    by_name = shell.json("show", "server", "retail-pay-broken-01", "-o", "json")
    by_id = shell.json("show", "server", server["id"][:8], "-o", "json")
    assert by_name == by_id
    assert "ERROR" in json.dumps(by_name)


def test_filters_reach_the_store(shell: Shell) -> None:
    rows = shell.json("ls", "servers", "status:error", "-o", "json")
    assert "retail-pay-broken-01" in {row["name"] for row in rows}
    assert {row["status"] for row in rows} == {"ERROR"}


def test_collecting_again_changes_nothing(shell: Shell) -> None:
    ended = shell.json("collect", "--wait", "--full", "-o", "json")
    text = json.dumps(ended)
    assert '"failed"' not in text
    status = shell.json("engine", "status", "-o", "json")
    assert status["clouds"][0]["state"] == "ok"


def test_hostile_names_are_text(shell: Shell, project: Project) -> None:
    """What a tenant writes into a name reaches the terminal neither as an escape nor as markup."""
    name = "\x1b[2J\x1b]0;owned\x07[bold red]evil[/]\r\n\u202egnp"
    volume = project.volume(name)
    shell.ok("collect", "--wait", "--type", "volume")
    table = shell.ok("ls", "volumes")
    assert "evil" in table
    assert not set(table) & {"\x1b", "\x07", "\r", "\u202e"}
    rows = shell.json("ls", "volumes", "-o", "json")
    stored = next(row["name"] for row in rows if row["id"] == volume["id"])
    assert stored == volume["name"]


@pytest.mark.parametrize("change", ["password", "port", "host", "project"])
def test_a_cloud_that_cannot_be_read_is_one_sentence(lab: LabCloud, shell: Shell, tmp_path: Path, change: str) -> None:
    auth = dict(lab.entries["lab-member"]["auth"])
    if change == "password":
        auth["password"] = "not-the-password"
    elif change == "project":
        auth["project_name"] = "no-such-project"
    else:
        url = f"http://127.0.0.1:{PORT['keystone']}"
        auth["auth_url"] = auth["auth_url"].replace(
            url, "http://127.0.0.1:9" if change == "port" else "http://no-such-host.invalid:5000"
        )
    file = write_entry(tmp_path / "clouds.yaml", "broken", auth)
    done = shell.run("cloud", "add", "broken", "--file", str(file))
    assert done.returncode != 0
    assert done.stdout == ""
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    assert "Traceback" not in done.stderr
    assert auth["password"] not in done.stderr
    assert [cloud["name"] for cloud in shell.json("clouds", "-o", "json")] == ["lab"]
