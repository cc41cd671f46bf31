"""What goes wrong elsewhere: one odd thing of every kind, in the projects of the domain `plant`.

Ports with several addresses, without port security, with allowed address pairs or on a network of another project; a
trunk with a sub-port; a volume on two machines; a server group that is full; a consistent group; a subnet without a
free address; a machine on a host that is down; a flavor that is deleted, an image that is deactivated; a full quota;
backups of all volumes of a machine, an image of another's root disk.
"""

from __future__ import annotations

from typing import Any

from tests.lab.client import wait
from tests.lab.company import (
    BACKED_UP_SERVER,
    CONSISTENT,
    FULL,
    IMAGED_SERVER,
    MULTIATTACH,
    RETIRED_FLAVOR,
    RETIRED_IMAGE,
    RETIRED_SERVER,
    SERVERS,
    STRANDED_SERVER,
    ServerPlan,
)
from tests.lab.filling import ProjectFiller
from tests.lab.places import COMPUTES
from tests.lab.tenants import make_image

STORAGE = "3.60"


def make_special(admin: Any) -> None:
    """Volume type, group type, and for as long as their server is not there, the flavor and the image that go."""
    storage = admin.block_storage
    if MULTIATTACH not in {kind.name for kind in storage.types()}:
        specs = {"volume_backend_name": "ssd", "multiattach": "<is> True"}
        storage.create_type(name=MULTIATTACH, description="for clusters", extra_specs=specs)
    if CONSISTENT not in {kind.name for kind in storage.group_types()}:
        kind = storage.create_group_type(name=CONSISTENT, description="snapshots of all volumes at once")
        storage.create_group_type_group_specs(kind, {"consistent_group_snapshot_enabled": "<is> True"})
    if RETIRED_SERVER in {server.name for server in admin.compute.servers(all_projects=True)}:
        return
    if RETIRED_FLAVOR not in {flavor.name for flavor in admin.compute.flavors(is_public=None)}:
        admin.compute.create_flavor(name=RETIRED_FLAVOR, vcpus=2, ram=1024, disk=5)
    if RETIRED_IMAGE not in {image.name for image in admin.image.images()}:
        make_image(admin.image, RETIRED_IMAGE, 5, os_distro="centos", os_version="6")


class PlantFiller(ProjectFiller):
    """Fills `plant-scada`."""

    def ground(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """See ProjectFiller; first comes the server that stays on the host which is then forced down."""
        try:
            networks, groups = super().ground()
            stranded = [plan for plan in SERVERS[self.name] if f"{self.name}-{plan.name}" == STRANDED_SERVER]
            for _, server in self.ask_for(stranded, networks, groups):
                wait(lambda server=server: self.cloud.compute.get_server(server.id), "ACTIVE", 180)
            for service in self.admin.compute.services(host=COMPUTES[-1], binary="nova-compute"):
                if not service.is_forced_down:
                    self.admin.compute.update_service_forced_down(service, service.host, service.binary, forced=True)
        finally:
            self.host_down.set()
        return networks, groups

    # -- ports -----------------------------------------------------------------
    def networks(self) -> dict[str, Any]:
        """Besides the tiers one network with addresses of both families, without a router."""
        made = super().networks()
        network, title = self.cloud.network, f"{self.name}-dual"
        made["dual"] = network.find_network(title, **self.project)
        if made["dual"] is None:
            made["dual"] = network.create_network(name=title)
            for family, cidr in ((4, f"10.{20 + self.number}.8.0/24"), (6, f"fd00:{20 + self.number}::/64")):
                more = {"ipv6_address_mode": "slaac", "ipv6_ra_mode": "slaac"} if family == 6 else {}
                network.create_subnet(
                    name=f"{title}-v{family}", network_id=made["dual"].id, ip_version=family, cidr=cidr, **more
                )
        return made

    def port(self, title: str, plan: ServerPlan, kind: str, networks: dict[str, Any], group: str) -> Any:
        """`dual`: three addresses; `open`: no port security; `pairs`: chosen address and MAC, two allowed pairs."""
        network = self.cloud.network
        if kind == "dual":
            subnets = {subnet.ip_version: subnet.id for subnet in network.subnets(network_id=networks["dual"].id)}
            prefix = f"10.{20 + self.number}.8"
            addresses = [{"subnet_id": subnets[4], "ip_address": f"{prefix}.{last}"} for last in (10, 11)]
            addresses.append({"subnet_id": subnets[6]})
            more: dict[str, Any] = {"fixed_ips": addresses, "security_group_ids": [group]}
            return network.create_port(name=title, network_id=networks["dual"].id, **more)
        if kind == "open":
            return network.create_port(
                name=f"{title}-open",
                network_id=networks["db"].id,
                is_port_security_enabled=False,
                security_group_ids=[],
            )
        if kind == "pairs":
            prefix = f"10.{20 + self.number}.0"
            subnet = next(iter(network.subnets(network_id=networks["app"].id)))
            pairs = [
                {"ip_address": f"{prefix}.200"},
                {"ip_address": "192.0.2.0/28", "mac_address": "fa:16:3e:00:00:01"},
            ]
            made = network.create_port(
                name=title,
                description="front of the historian",
                network_id=networks["app"].id,
                fixed_ips=[{"subnet_id": subnet.id, "ip_address": f"{prefix}.77"}],
                mac_address=f"fa:16:3e:{20 + self.number:02x}:00:77",
                allowed_address_pairs=pairs,
                security_group_ids=[group],
            )
            return network.set_tags(made, ["front", "historian"])
        return super().port(title, plan, kind, networks, group)

    # -- at the end ------------------------------------------------------------
    def last(self) -> None:
        """Sub-port, shared volume, consistent group, restore points; then the old server's flavor and image go."""
        self.sub_port()
        self.cluster_volume()
        self.group()
        self.points()
        compute, image = self.admin.compute, self.admin.image
        for flavor in compute.flavors(is_public=None):
            if flavor.name == RETIRED_FLAVOR:
                compute.delete_flavor(flavor)
        for item in image.images(name=RETIRED_IMAGE):
            if item.status == "active":
                image.deactivate_image(item.id)

    def sub_port(self) -> None:
        """VLAN 101 of the trunk."""
        network = self.cloud.network
        trunk = next(iter(network.trunks(**self.project)))
        if not trunk.sub_ports:
            child = network.create_port(
                name=f"{trunk.name}-101", network_id=network.find_network(f"{self.name}-app", **self.project).id
            )
            part = {"port_id": child.id, "segmentation_type": "vlan", "segmentation_id": 101}
            network.add_trunk_subports(trunk, [part])

    def cluster_volume(self) -> None:
        """One volume on all machines of the cluster."""
        storage, title = self.cloud.block_storage, f"{self.name}-quorum"
        found = [volume for volume in storage.volumes() if volume.name == title]
        volume = found[0] if found else self.volume(title, 1, volume_type=MULTIATTACH)
        names = {f"{self.name}-{plan.name}" for plan in SERVERS[self.name] if plan.cluster}
        attached = {item["server_id"] for item in storage.get_volume(volume.id).attachments}
        for server in self.cloud.compute.servers():
            if server.name in names and server.id not in attached:
                self.attach(server, volume)

    def group(self) -> None:
        """Two volumes in a group whose snapshots are taken at once."""
        storage, title = self.cloud.block_storage, f"{self.name}-ledger"
        if title in {group.name for group in storage.groups()}:
            return
        kinds = {kind.name: kind.id for kind in storage.types()}
        consistent = next(kind for kind in storage.group_types() if kind.name == CONSISTENT)
        made = storage.create_group(name=title, group_type=consistent.id, volume_types=[kinds["premium"]])
        wait(lambda: storage.get_group(made.id), "available")
        for number in (1, 2):
            volume = {"name": f"{title}-{number}", "size": 1, "volume_type": "premium", "group_id": made.id}
            answer = storage.post("/volumes", json={"volume": volume}, microversion=STORAGE)
            id = answer.json()["volume"]["id"]
            wait(lambda id=id: storage.get_volume(id), "available")

    def points(self) -> None:
        """What a machine can come back from beside snapshots: backups of all its volumes, an image of its root disk."""
        compute, storage, image = self.cloud.compute, self.cloud.block_storage, self.cloud.image
        servers = {server.name: server.id for server in compute.servers()}
        have = {backup.name for backup in storage.backups()}
        for attached in compute.volume_attachments(servers[BACKED_UP_SERVER]):
            volume = storage.get_volume(attached.volume_id)
            if f"{volume.name}-weekly" not in have:
                made = storage.create_backup(volume_id=volume.id, name=f"{volume.name}-weekly", force=True)
                wait(lambda made=made: storage.get_backup(made.id), "available")
        if not list(image.images(name=f"{IMAGED_SERVER}-weekly")):
            made = compute.create_server_image(servers[IMAGED_SERVER], f"{IMAGED_SERVER}-weekly")
            wait(lambda: image.get_image(made), "active")


class GuestFiller(ProjectFiller):
    """Fills `plant-guest`, whose machine is on a network of the cloud's owner."""

    def port(self, title: str, plan: ServerPlan, kind: str, networks: dict[str, Any], group: str) -> Any:
        """`backbone`: on the shared network."""
        shared = self.cloud.network.find_network(kind)
        return self.cloud.network.create_port(name=title, network_id=shared.id, security_group_ids=[group])


class FullFiller(ProjectFiller):
    """Fills `plant-full` to its limits."""

    def last(self) -> None:
        """A subnet whose only address is taken; then every limit becomes what is used."""
        network, title = self.cloud.network, f"{self.name}-tight"
        if network.find_network(title, **self.project) is None:
            tight = network.create_network(name=title)
            prefix = f"10.{20 + self.number}.9"
            network.create_subnet(
                name=f"{title}-v4",
                network_id=tight.id,
                ip_version=4,
                cidr=f"{prefix}.0/29",
                allocation_pools=[{"start": f"{prefix}.2", "end": f"{prefix}.2"}],
                is_dhcp_enabled=False,
            )
            network.create_port(name=f"{title}-taken", network_id=tight.id)
        self.use_up()

    def use_up(self) -> None:
        """Limits of machines, ports, volumes and snapshots, of one volume type too."""
        project, storage, compute = self.project["project_id"], self.admin.block_storage, self.admin.compute
        answer = storage.get(f"/os-quota-sets/{project}?usage=true").json()["quota_set"]
        names = [f"{what}{kind}" for what in ("volumes", "snapshots", "gigabytes") for kind in ("", "_premium")]
        storage.put(
            f"/os-quota-sets/{project}",
            json={"quota_set": {name: answer[name]["in_use"] for name in names}},
        )
        used = compute.get(f"/os-quota-sets/{project}/detail").json()["quota_set"]
        limits = {name: used[name]["in_use"] for name in ("instances", "cores", "ram")}
        compute.put(f"/os-quota-sets/{project}", json={"quota_set": limits})
        taken = self.admin.network.get(f"/quotas/{project}/details.json").json()["quota"]
        self.admin.network.put(f"/quotas/{project}", json={"quota": {"port": taken["port"]["used"]}})


FILLERS = {STRANDED_SERVER.rsplit("-", 2)[0]: PlantFiller, FULL: FullFiller, "plant-guest": GuestFiller}
