"""Fills one project: networks, security groups, servers, volumes, and some loose ends."""

from __future__ import annotations

from typing import Any

from tests.lab.client import wait
from tests.lab.company import SERVERS, ServerPlan

# What the state at the end asks for, once the server runs.
ENDINGS = {
    "SHUTOFF": lambda compute, server: compute.stop_server(server),
    "PAUSED": lambda compute, server: compute.pause_server(server),
    "SUSPENDED": lambda compute, server: compute.suspend_server(server),
    "LOCKED": lambda compute, server: compute.lock_server(server, locked_reason="month end"),
}
RULES = {"web": (22, 80, 443), "db": (3306, 5432)}


class ProjectFiller:
    """Makes what is missing in one project, as its own member. Safe to run again."""

    def __init__(self, cloud: Any, name: str, number: int) -> None:
        self.cloud = cloud
        self.name = name
        self.number = number
        self.project = {"project_id": cloud.current_project_id}

    def fill(self) -> None:
        """Everything, in an order that lets the servers boot while volumes are made."""
        networks = self.networks()
        groups = self.security_groups()
        self.key_pair()
        started = self.start_servers(networks, groups)
        self.loose_ends()
        for plan, server in started:
            self.finish_server(plan, server)

    # -- network -------------------------------------------------------------
    def networks(self) -> dict[str, Any]:
        """Two tiers behind one router."""
        network = self.cloud.network
        made = {}
        for index, tier in enumerate(("app", "db")):
            title = f"{self.name}-{tier}"
            made[tier] = network.find_network(title, **self.project)
            if made[tier] is None:
                made[tier] = network.create_network(name=title, description=f"{tier} tier")
                network.create_subnet(
                    name=f"{title}-v4",
                    network_id=made[tier].id,
                    ip_version=4,
                    cidr=f"10.{20 + self.number}.{index}.0/24",
                    dns_nameservers=["9.9.9.9"],
                )
        if network.find_router(f"{self.name}-router", **self.project) is None:
            gateway = {"network_id": network.find_network("public").id}
            router = network.create_router(name=f"{self.name}-router", external_gateway_info=gateway)
            for subnet in network.subnets(**self.project):
                network.add_interface_to_router(router, subnet_id=subnet.id)
            # A floating IP that belongs to nothing, and a port for a moving address.
            network.create_ip(floating_network_id=gateway["network_id"], description=f"spare of {self.name}")
            network.create_port(name=f"{self.name}-vip", network_id=made["app"].id)
        return made

    def security_groups(self) -> dict[str, Any]:
        """`web` open to all, `db` open to `web` only."""
        network = self.cloud.network
        made: dict[str, Any] = {}
        for part, ports in RULES.items():
            title = f"{self.name}-{part}"
            made[part] = network.find_security_group(title, **self.project)
            if made[part] is not None:
                continue
            made[part] = network.create_security_group(name=title, description=f"{part} servers of {self.name}")
            source = {"remote_group_id": made["web"].id} if part == "db" else {"remote_ip_prefix": "0.0.0.0/0"}
            for port in ports:
                network.create_security_group_rule(
                    security_group_id=made[part].id,
                    direction="ingress",
                    ether_type="IPv4",
                    protocol="tcp",
                    port_range_min=port,
                    port_range_max=port,
                    **source,
                )
        return made

    # -- servers -------------------------------------------------------------
    def key_pair(self) -> None:
        """One key pair, in the first project only."""
        compute = self.cloud.compute
        if self.number == 0 and not compute.find_keypair(f"{self.name}-key"):
            compute.create_keypair(name=f"{self.name}-key")

    def start_servers(self, networks: dict[str, Any], groups: dict[str, Any]) -> list[tuple[ServerPlan, Any]]:
        """Ask for the servers that are missing, and return them while they still build."""
        compute, network = self.cloud.compute, self.cloud.network
        have = {server.name for server in compute.servers()}
        missing = [plan for plan in SERVERS[self.name] if f"{self.name}-{plan.name}" not in have]
        if not missing:
            return []
        images = {image.name: image.id for image in self.cloud.image.images()}
        flavors = {flavor.name: flavor.id for flavor in compute.flavors()}
        spread = next(compute.server_groups(), None) or compute.create_server_group(
            name=f"{self.name}-spread", policy="soft-anti-affinity"
        )
        started = []
        for plan in missing:
            title = f"{self.name}-{plan.name}"
            port = network.create_port(
                name=f"{title}-port",
                network_id=networks[plan.tier].id,
                security_group_ids=[groups["db" if plan.tier == "db" else "web"].id],
            )
            if plan.trunk:
                network.create_trunk(name=f"{title}-trunk", port_id=port.id)
            arguments: dict[str, Any] = {
                "name": title,
                "flavor_id": flavors[plan.flavor],
                "networks": [{"port": port.id}],
                "metadata": {"owner": f"{self.name}-member", **plan.metadata},
                "scheduler_hints": {"group": spread.id} if plan.tier == "app" else {},
            }
            if plan.user_data:
                arguments["user_data"] = plan.user_data
            if self.number == 0:
                arguments["key_name"] = f"{self.name}-key"
            arguments |= boot_source(plan, images[plan.image])
            started.append((plan, compute.create_server(**arguments)))
            if plan.floating:
                outside = network.find_network("public").id
                network.create_ip(floating_network_id=outside, port_id=port.id, description=title)
        return started

    def finish_server(self, plan: ServerPlan, server: Any) -> None:
        """Wait for it, name and snapshot its volumes, attach data volumes, bring it to its state."""
        compute, storage = self.cloud.compute, self.cloud.block_storage
        wait(lambda: compute.get_server(server.id), "ERROR" if plan.end == "ERROR" else "ACTIVE", 180)
        if plan.end == "ERROR":
            return
        compute.add_tag_to_server(server, plan.tier)
        volumes = [item.volume_id for item in compute.volume_attachments(server.id)]
        for volume_id in volumes:
            storage.update_volume(volume_id, name=f"{server.name}-root")
        for number, (size, kind) in enumerate(plan.data, 1):
            volume = self.volume(f"{server.name}-data{number}", size, volume_type=kind)
            compute.create_volume_attachment(server.id, volume.id)
            wait(lambda volume=volume: storage.get_volume(volume.id), "in-use")
            volumes.append(volume.id)
        for volume_id in volumes:
            for number in range(plan.snapshots):
                self.snapshot(volume_id, f"{server.name}-nightly-{number + 1}")
        if plan.end in ENDINGS:
            ENDINGS[plan.end](compute, server)

    # -- volumes -------------------------------------------------------------
    def volume(self, name: str, size: int, **more: Any) -> Any:
        """A new volume, available."""
        storage = self.cloud.block_storage
        made = storage.create_volume(name=name, size=size, **more)
        return wait(lambda: storage.get_volume(made.id), "available")

    def snapshot(self, volume_id: str, name: str) -> Any:
        """A new snapshot, available."""
        storage = self.cloud.block_storage
        made = storage.create_snapshot(volume_id=volume_id, name=name, is_forced=True)
        return wait(lambda: storage.get_snapshot(made.id), "available")

    def loose_ends(self) -> None:
        """A spare volume with a snapshot; in the first project also a copy and a backup of it."""
        storage = self.cloud.block_storage
        if f"{self.name}-spare" in {volume.name for volume in storage.volumes()}:
            return
        spare = self.volume(f"{self.name}-spare", 5, description="not attached to anything")
        snapshot = self.snapshot(spare.id, f"{self.name}-spare-1")
        if self.number == 0:
            self.volume(f"{self.name}-from-snapshot", 5, snapshot_id=snapshot.id)
            backup = storage.create_backup(volume_id=spare.id, name=f"{self.name}-spare-weekly")
            wait(lambda: storage.get_backup(backup.id), "available")


def boot_source(plan: ServerPlan, image_id: str) -> dict[str, Any]:
    """The arguments that make a server boot from the image, or from a volume made of it."""
    if not plan.volume:
        return {"image_id": image_id}
    disk = {
        "boot_index": 0,
        "uuid": image_id,
        "source_type": "image",
        "destination_type": "volume",
        "volume_size": plan.volume,
        "delete_on_termination": True,
    }
    return {"block_device_mapping": [disk]}
