"""Fills one project: networks, security groups, servers, volumes, and some loose ends."""

from __future__ import annotations

import threading
from typing import Any

from tests.lab.client import wait
from tests.lab.company import SERVERS, WITH_KEY, ServerPlan

# What the state at the end asks for, once the server runs.
ENDINGS = {
    "SHUTOFF": lambda compute, server: compute.stop_server(server),
    "PAUSED": lambda compute, server: compute.pause_server(server),
    "SUSPENDED": lambda compute, server: compute.suspend_server(server),
    "LOCKED": lambda compute, server: compute.lock_server(server, locked_reason="month end"),
}
# The policy by which another tool is said to have made a snapshot.
POLICY = "daily_5"
RULES = {"web": (22, 80, 443), "db": (3306, 5432)}


class ProjectFiller:
    """Makes what is missing in one project, as its own member. Safe to run again."""

    def __init__(self, cloud: Any, name: str, number: int, admin: Any, host_down: threading.Event) -> None:
        """`host_down` is set once the host that goes down is down: servers asked for later don't come to it."""
        self.cloud = cloud
        self.name = name
        self.number = number
        self.admin = admin
        self.host_down = host_down
        self.project = {"project_id": cloud.current_project_id}

    def fill(self) -> None:
        """Everything, in an order that lets the servers boot while volumes are made."""
        networks, groups = self.ground()
        self.host_down.wait()
        started = self.start_servers(networks, groups)
        self.loose_ends()
        for plan, server in started:
            self.finish_server(plan, server)
        self.last()

    def ground(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """What servers need: networks by tier, security groups by part, the key pair."""
        networks, groups = self.networks(), self.security_groups()
        self.key_pair()
        return networks, groups

    def last(self) -> None:
        """What comes after the servers; nothing in most projects."""

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
        """One key pair, in some projects."""
        compute = self.cloud.compute
        if self.name in WITH_KEY and not compute.find_keypair(f"{self.name}-key"):
            compute.create_keypair(name=f"{self.name}-key")

    def start_servers(self, networks: dict[str, Any], groups: dict[str, Any]) -> list[tuple[ServerPlan, Any]]:
        """Ask for the servers that are missing, and return them while they still build."""
        return self.ask_for(SERVERS[self.name], networks, groups)

    def ask_for(
        self, plans: list[ServerPlan], networks: dict[str, Any], groups: dict[str, Any]
    ) -> list[tuple[ServerPlan, Any]]:
        """Ask for those of the plans that are not there yet."""
        compute = self.cloud.compute
        have = {server.name for server in compute.servers()}
        missing = [plan for plan in plans if f"{self.name}-{plan.name}" not in have]
        if not missing:
            return []
        images = {image.name: image.id for image in self.cloud.image.images()}
        flavors = {flavor.name: flavor.id for flavor in compute.flavors()}
        started = []
        for plan in missing:
            title = f"{self.name}-{plan.name}"
            group = groups["db" if plan.tier == "db" else "web"].id
            ports = [self.port(f"{title}-port", plan, kind, networks, group) for kind in plan.nics]
            if plan.trunk:
                self.cloud.network.create_trunk(name=f"{title}-trunk", port_id=ports[-1].id)
            arguments: dict[str, Any] = {
                "name": title,
                "flavor_id": flavors[plan.flavor],
                "networks": [{"port": port.id} for port in ports],
                "metadata": {"owner": f"{self.name}-member", **plan.metadata},
                "scheduler_hints": self.hints(plan),
            }
            if plan.user_data:
                arguments["user_data"] = plan.user_data
            if plan.zone:
                arguments["availability_zone"] = plan.zone
            if plan.config_drive:
                arguments["has_config_drive"] = True
            if self.name in WITH_KEY:
                arguments["key_name"] = f"{self.name}-key"
            arguments |= boot_source(plan, images[plan.image])
            started.append((plan, compute.create_server(**arguments)))
            if plan.floating:
                outside = self.cloud.network.find_network("public").id
                self.cloud.network.create_ip(floating_network_id=outside, port_id=ports[0].id, description=title)
        return started

    def port(self, title: str, plan: ServerPlan, kind: str, networks: dict[str, Any], group: str) -> Any:
        """A port on the network of the plan's tier; other kinds are made in `special.py`."""
        return self.cloud.network.create_port(name=title, network_id=networks[plan.tier].id, security_group_ids=[group])

    def hints(self, plan: ServerPlan) -> dict[str, str]:
        """The group that the scheduler is asked to respect, made at the first need."""
        kind = "apart" if plan.apart else "spread" if plan.tier == "app" else ""
        if not kind:
            return {}
        title = f"{self.name}-{kind}"
        policy = {"apart": "anti-affinity", "spread": "soft-anti-affinity"}[kind]
        have = [group for group in self.cloud.compute.server_groups() if group.name == title]
        group = have[0] if have else self.cloud.compute.create_server_group(name=title, policy=policy)
        return {"group": group.id}

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
            self.attach(server, volume, delete_on_termination=plan.data_goes)
            volumes.append(volume.id)
        for volume_id in volumes if plan.policy else ():
            storage.set_volume_metadata(volume_id, **plan.policy)
        for volume_id in volumes:
            for number in range(plan.snapshots):
                self.snapshot(volume_id, f"{server.name}-nightly-{number + 1}")
            if plan.policy and plan.snapshots:
                self.snapshot(volume_id, f"auto-{self.name}-{POLICY}-{server.name}", metadata=self.made_by(volume_id))
        if plan.end in ENDINGS:
            ENDINGS[plan.end](compute, server)

    # -- volumes -------------------------------------------------------------
    def made_by(self, volume_id: str) -> dict[str, str]:
        """What the tool writes to a snapshot that it makes for a policy."""
        origin = {"original_project_id": self.project["project_id"], "original_volume_id": volume_id}
        return {"created_by": "p9_auto_snapshots", "policy": POLICY, **origin}

    def attach(self, server: Any, volume: Any, **more: Any) -> None:
        """Attach a volume, and wait until it is."""
        self.cloud.compute.create_volume_attachment(server.id, volume_id=volume.id, **more)
        wait(lambda: self.cloud.block_storage.get_volume(volume.id), "in-use")

    def volume(self, name: str, size: int, **more: Any) -> Any:
        """A new volume, available."""
        storage = self.cloud.block_storage
        made = storage.create_volume(name=name, size=size, **more)
        return wait(lambda: storage.get_volume(made.id), "available")

    def snapshot(self, volume_id: str, name: str, **more: Any) -> Any:
        """A new snapshot, available."""
        storage = self.cloud.block_storage
        made = storage.create_snapshot(volume_id=volume_id, name=name, is_forced=True, **more)
        return wait(lambda: storage.get_snapshot(made.id), "available")

    def loose_ends(self) -> None:
        """A spare volume with a snapshot; in the first project also a copy and a backup of it."""
        storage = self.cloud.block_storage
        if f"{self.name}-spare" in {volume.name for volume in storage.volumes()}:
            return
        more = {"metadata": {"auto_snapshot": "no"}} if self.number == 1 else {}  # its owner wants no snapshots
        spare = self.volume(f"{self.name}-spare", 5, description="not attached to anything", **more)
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
