"""Drift over the real services: what was changed is told, nothing else, and with the grade that docs/drift.md prints.

Then a service goes away in the middle of a collection: nothing of that looks like a deletion.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from engine.drift.reference import EXAMPLES
from engine.drift.rules import RULES
from tests.contract.wire import Actor, rows_of, wait_for
from tests.lab import databases, processes, services
from tests.live.console import write_entry
from tests.live.drifting import Drift, Told, told
from tests.live.fault_proxy import Fault, FaultProxy
from tests.live.lab_cloud import LabCloud
from tests.live.projects import COMPUTE, STORAGE, Project

pytestmark = pytest.mark.live

TYPES = (
    "project", "user", "server", "volume", "network", "subnet", "port", "router", "floating_ip", "security_group",
    "security_group_rule",
)  # fmt: skip
SERVERS = ("resized", "stopped", "renamed", "tagged", "deleted", "disks")
SERVICE = "cinder (a service of the cloud)"


@pytest.fixture
def drift(tmp_path: Path) -> Iterator[Drift]:
    made = Drift(tmp_path / "console")
    yield made
    made.close()


@dataclass
class Plant:
    """Things of a project that the test changes, by name."""

    project: Project
    servers: dict[str, str] = field(default_factory=dict)
    volumes: dict[str, str] = field(default_factory=dict)
    network: dict[str, str] = field(default_factory=dict)

    @property
    def member(self) -> Actor:
        return self.project.member

    def build(self, public: str) -> None:
        """Machines, disks, networks, a floating IP on one port, a group."""
        self.project.server("machine", min_count=len(SERVERS), max_count=len(SERVERS))
        made = rows_of(self.member.get("compute", "/servers?sort_key=display_name&sort_dir=asc", COMPUTE))
        self.servers = dict(zip(SERVERS, (server["id"] for server in made), strict=True))
        for name in SERVERS:
            self.server_is(name, "ACTIVE")
        self.volumes = {name: self.project.volume(name)["id"] for name in ("extended", "detached")}
        self.volumes["retyped"] = self.project.volume("retyped", volume_type="standard")["id"]
        for name in ("extended", "detached"):
            path = f"/servers/{self.servers['disks']}/os-volume_attachments"
            self.do("compute", path, {"volumeAttachment": {"volumeId": self.volumes[name]}})
            self.settled(name, status="in-use")
        self._connect(public)

    def _connect(self, public: str) -> None:
        create = self.project.create
        second = create("network", "/v2.0/networks", {"network": {"name": "second"}})["network"]["id"]
        pools = [{"start": "10.98.0.100", "end": "10.98.0.200"}]
        for name, cidr in (("gateway", "10.98.0.0/24"), ("dhcp", "10.97.0.0/24")):
            body: dict[str, Any] = {"network_id": second, "ip_version": 4, "cidr": cidr}
            body |= {"allocation_pools": pools} if name == "gateway" else {}
            self.network[name] = create("network", "/v2.0/subnets", {"subnet": body})["subnet"]["id"]
        gateway = {"external_gateway_info": {"network_id": public}}
        router = create("network", "/v2.0/routers", {"router": {"name": "way-out", **gateway}})["router"]["id"]
        (first,) = self.listed(f"/v2.0/subnets?network_id={self.project.network_id}")
        self.do("network", f"/v2.0/routers/{router}/add_router_interface", {"subnet_id": first["id"]}, "PUT")
        (port,) = self.listed(f"/v2.0/ports?device_id={self.servers['stopped']}")
        body = {"floating_network_id": public, "port_id": port["id"]}
        made = create("network", "/v2.0/floatingips", {"floatingip": body})["floatingip"]["id"]
        self.network["floating ip"] = made
        body = {"name": "doors", "description": "before"}
        group = create("network", "/v2.0/security-groups", {"security_group": body})["security_group"]["id"]
        self.network["group"] = group
        self.floating_ip_is("ACTIVE")

    # -- calls as the member ---------------------------------------------------
    def listed(self, path: str) -> list[dict[str, Any]]:
        """Rows of a listing of Neutron."""
        return rows_of(self.member.get("network", path))

    def do(self, service: str, path: str, body: Any = None, method: str = "POST") -> Any:
        """A call that must be accepted."""
        version = {"compute": COMPUTE, "block-storage": STORAGE}.get(service)
        response = self.member(service, path, method, json=body, version=version)
        assert response.ok, f"{path}: {response.text}"
        return response.json() if response.content else None

    def server(self, name: str) -> dict[str, Any]:
        """The machine as Nova tells it now."""
        found: dict[str, Any] = self.member.get("compute", f"/servers/{self.servers[name]}", COMPUTE)["server"]
        return found

    def settled(self, volume: str, **values: Any) -> None:
        """Wait until the volume has these values."""
        path = f"/volumes/{self.volumes[volume]}"

        def read() -> dict[str, Any]:
            found = self.member.get("block-storage", path, STORAGE)["volume"]
            return {name: found[name] for name in values}

        wait_for(read, lambda found: found == values)

    def server_is(self, name: str, status: str) -> None:
        """Wait until the machine has the status."""
        wait_for(lambda: self.server(name)["status"], lambda found: found == status, 120)

    def floating_ip_is(self, status: str) -> None:
        """Wait until it has the status."""
        path = f"/v2.0/floatingips/{self.network['floating ip']}"
        wait_for(lambda: self.member.get("network", path)["floatingip"]["status"], lambda found: found == status)


@pytest.fixture
def plant(project: Project) -> Iterator[Plant]:
    """Not built yet. Its machines are asked to go together, so that removing the project need not wait for each."""
    made = Plant(project)
    yield made
    for id in made.servers.values():
        made.member("compute", f"/servers/{id}", "DELETE", version=COMPUTE)


def change_machines(plant: Plant) -> None:
    """Resize, stop, rename, tag, delete."""
    current = plant.server("resized")["flavor"]
    flavors = rows_of(plant.member.get("compute", "/flavors/detail"))
    others = [one for one in flavors if one["name"] != current["original_name"] and one["disk"] >= current["disk"]]
    flavor = min(others, key=lambda one: (one["ram"], one["disk"]))["id"]
    action = f"/servers/{plant.servers['resized']}/action"
    plant.do("compute", action, {"resize": {"flavorRef": flavor}})
    plant.do("compute", f"/servers/{plant.servers['stopped']}/action", {"os-stop": None})
    plant.do("compute", f"/servers/{plant.servers['renamed']}", {"server": {"name": "renamed-now"}}, "PUT")
    plant.do("compute", f"/servers/{plant.servers['tagged']}/metadata", {"metadata": {"owner": "nobody"}})
    plant.do("compute", f"/servers/{plant.servers['deleted']}", method="DELETE")
    plant.server_is("resized", "VERIFY_RESIZE")
    plant.do("compute", action, {"confirmResize": None})
    plant.server_is("resized", "ACTIVE")
    plant.server_is("stopped", "SHUTOFF")
    gone = f"/servers/{plant.servers['deleted']}"
    wait_for(lambda: plant.member("compute", gone, version=COMPUTE).status_code, lambda status: status == 404)


def change_disks(plant: Plant) -> None:
    """Extend one that is in use, retype one that is not, detach one."""
    of = {name: f"/volumes/{id}/action" for name, id in plant.volumes.items()}
    plant.do("block-storage", of["extended"], {"os-extend": {"new_size": 2}})
    retype = {"new_type": "premium", "migration_policy": "on-demand"}
    plant.do("block-storage", of["retyped"], {"os-retype": retype})
    plant.settled("extended", size=2, status="in-use")
    path = f"/servers/{plant.servers['disks']}/os-volume_attachments/{plant.volumes['detached']}"
    plant.do("compute", path, method="DELETE")
    plant.settled("detached", status="available")
    plant.settled("retyped", volume_type="premium", status="available")


def change_networks(plant: Plant) -> str:
    """Gateway, DHCP, floating IP, a group's description, a rule that lets everybody in; answers the rule's id."""
    put = lambda path, body: plant.do("network", f"/v2.0/{path}", body, "PUT")  # noqa: E731
    put(f"subnets/{plant.network['gateway']}", {"subnet": {"gateway_ip": "10.98.0.9"}})
    put(f"subnets/{plant.network['dhcp']}", {"subnet": {"enable_dhcp": False}})
    put(f"floatingips/{plant.network['floating ip']}", {"floatingip": {"port_id": None}})
    put(f"security-groups/{plant.network['group']}", {"security_group": {"description": "after"}})
    rule = {"security_group_id": plant.network["group"], "direction": "ingress", "protocol": "tcp",
            "port_range_min": 22, "port_range_max": 22, "remote_ip_prefix": "0.0.0.0/0"}  # fmt: skip
    made = plant.project.create("network", "/v2.0/security-group-rules", {"security_group_rule": rule})
    plant.floating_ip_is("DOWN")
    return str(made["security_group_rule"]["id"])


def done_to(plant: Plant, rule: str) -> dict[str, dict[str, str]]:
    """What was done, as docs/drift.md calls it -> what it was done to: type -> id."""
    server, volume, net = plant.servers, plant.volumes, plant.network
    return {
        "resize, confirmed": {"server": server["resized"]},
        "stop": {"server": server["stopped"]},
        "rename a server": {"server": server["renamed"]},
        "metadata of a server": {"server": server["tagged"]},
        "delete a server": {"server": server["deleted"]},
        "detach a volume": {"volume": volume["detached"]},
        "extend an attached volume": {"volume": volume["extended"]},
        "retype a volume": {"volume": volume["retyped"]},
        "gateway of a subnet": {"subnet": net["gateway"]},
        "DHCP of a subnet": {"subnet": net["dhcp"]},
        "take a floating IP from its port": {"floating_ip": net["floating ip"]},
        "description of a security group": {"security_group": net["group"]},
        "add a rule to a security group": {"security_group_rule": rule},
    }


def expected(plant: Plant, rule: str, moved: bool) -> list[Told]:
    """All that these changes are told as, by the page; `moved`: whether the resize led to another host."""
    done = done_to(plant, rule)
    if moved:
        done["the same, when it went to another host"] = {"server": plant.servers["resized"]}
    page = {example.change: example for example in EXAMPLES}
    actors = {"": "", "the person": f"{plant.project.name}-member", "the service's user, marked as a service": SERVICE}
    found = []
    for change, ids in done.items():
        for number in page[change].rules:
            looked = RULES[number]
            severity = "critical" if looked.grave else looked.severity  # the new rule lets everybody in
            told_as = (ids[looked.type], looked.field, severity, page[change].grade, actors[page[change].actor])
            found.append(Told(looked.type, *told_as))
    return sorted(found)


def test_what_is_changed_is_told_and_nothing_else(drift: Drift, lab: LabCloud, project: Project, plant: Plant) -> None:
    admin = lab.actor("lab-admin")
    drift.console.add("lab-admin", lab.clouds_yaml, "lab")
    (public,) = rows_of(admin.get("network", "/v2.0/networks?name=public"))
    plant.build(public["id"])
    for _ in range(2):  # what is there first is no drift, and neither is seeing it again
        drift.collect(*TYPES)
        assert drift.events(project.id) == []

    def host() -> str:
        found = admin.get("compute", f"/servers/{plant.servers['resized']}", COMPUTE)["server"]
        return str(found["OS-EXT-SRV-ATTR:host"])

    before = host()
    change_machines(plant)
    change_disks(plant)
    rule = change_networks(plant)
    drift.collect(*TYPES)
    items = drift.events(project.id)
    assert told(items) == expected(plant, rule, moved=host() != before)
    assert {item["state"] for item in items} == {"open"}
    assert {item["project_name"] for item in items} == {project.name}
    for item in items:
        # Whoever is named, is named by a record with its request; and it lies between the two listings.
        named = item["grade"] in ("cloud", "service")
        assert bool(item["request_id"] and item["source"].startswith("nova: ")) == named, item
        assert item["seen_before"] < item["opened_at"] <= item["seen_at"], item
    detached = {item["field_changed"]: item for item in items if item["resource_id"] == plant.volumes["detached"]}
    assert detached["server_id"]["old_value"] == plant.servers["disks"] and detached["server_id"]["new_value"] is None
    assert detached["server_id"]["old_name"] == plant.server("disks")["name"]

    drift.collect(*TYPES)  # told once
    assert drift.events(project.id) == []
    plant.do("compute", f"/servers/{plant.servers['stopped']}/action", {"os-start": None})
    plant.server_is("stopped", "ACTIVE")
    drift.collect("server")
    assert drift.events(project.id) == []
    again = {item["id"]: item for item in drift.all_events(project.id)}
    back = [again[item["id"]]["state"] for item in items if item["resource_id"] == plant.servers["stopped"]]
    assert back == ["resolved_unseen", "resolved_unseen"]


class StoppingProxy(FaultProxy):
    """Stops a service of the lab once it is asked for the second page of a listing."""

    def __init__(self) -> None:
        super().__init__()
        self.page_limit = 3
        self.stops: Callable[[], None] | None = None

    def fault_for(self, path: str) -> Fault | None:
        """See FaultProxy."""
        if self.stops is not None and "/volumes/detail" in path and "marker=" in path:
            stop, self.stops = self.stops, None
            stop()
        return super().fault_for(path)


def test_a_service_that_stops_during_a_collection_deletes_nothing(drift: Drift, lab: LabCloud, tmp_path: Path) -> None:
    (cinder,) = (service for service in services.apis() if service.name == "cinder-api")
    proxy = StoppingProxy()
    types = ("project", "volume", "snapshot", "server")
    try:
        auth = dict(lab.entries["lab-admin"]["auth"])
        auth["auth_url"] = proxy.through(auth["auth_url"])
        drift.console.add("lab", write_entry(tmp_path / "clouds.yaml", "lab", auth))
        drift.collect(*types)
        known = drift.console.current("volume")
        assert len(known) > 6, "the listing needs three pages"
        try:
            proxy.stops = lambda: processes.stop(cinder.name)
            ended = drift.collect(*types)
        finally:
            processes.start(cinder)
            databases.wait_port(cinder)
        assert proxy.stops is None, "the listing did not get to its second page"
        assert ended["volume"]["state"] in ("failed", "partial"), ended["volume"]
        assert drift.deleted() == []
        assert drift.console.current("volume") == known
        assert drift.collect("volume", "snapshot")["volume"]["state"] == "done"
        assert drift.deleted() == []
    finally:
        proxy.close()
