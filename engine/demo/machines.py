"""Makes machines: servers with their ports, volumes, floating IPs, snapshots and backups."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from engine.demo import names
from engine.demo.network_records import Port
from engine.demo.records import Attachment, Backup, Flavor, Host, Image, Server, ServerGroup, Snapshot, Volume
from engine.demo.state import State
from engine.demo.tenants import DAY
from engine.demo.wiring import TenantNet, Wiring

POOLS = {
    "standard": "store-1@hdd#bulk-a",
    "premium": "store-1@ssd#fast",
    "archive": "store-2@hdd#bulk-b",
    "shared": "store-1@ssd#fast",
}
DEVICES = "bcdefghijklmnop"
DATA_TYPES = ("standard", "standard", "archive")
PILOT = 6000  # machines that ever had policies: nights of a large cloud must not take longer than its days
ENVIRONMENTS = ("prod", "prod", "prod", "stage", "dev")


class Maker:
    """Makes one machine after another; also used while the clock runs."""

    def __init__(
        self, state: State, wiring: Wiring, flavors: dict[str, Flavor], images: dict[str, Image], hosts: list[Host]
    ) -> None:
        self.state, self.wiring, self.flavors, self.images = state, wiring, flavors, images
        self.hosts = [host for host in hosts if host.enabled]
        self.kinds = [machine for machine in names.MACHINES for _ in range(machine[1])]
        self._counts: dict[tuple[str, str], int] = {}
        self._next_host = 0

    def name(self, net: TenantNet, stem: str) -> str:
        count = self._counts[net.project.id, stem] = self._counts.get((net.project.id, stem), 0) + 1
        if stem == "db" and count <= 3:
            return f"{net.project.name}-db-{names.PRIMARY[count - 1]}"
        return f"{net.project.name}-{stem}-{count:02d}"

    def host_for(self, flavor: Flavor, when: int, fits: Callable[[Host], bool] | None = None) -> Host | None:
        """The next host that works and has room, in turn, so that all are filled alike; None when nothing fits."""
        for _ in range(len(self.hosts)):
            # The list gets shorter when a host is closed.
            self._next_host = (self._next_host + 1) % len(self.hosts)
            host = self.hosts[self._next_host]
            if (not host.up and when >= (host.stopped_at or 0)) or (fits is not None and not fits(host)):
                continue
            if host.ram_used + flavor.ram <= host.ram * 0.92 and host.vcpus_used + flavor.vcpus <= host.vcpus * 4:
                return host
        return None

    def server(self, net: TenantNet, created: int, *, full: bool = True) -> Server:
        """A running machine made at `created`; `full`: with snapshots and backups of the time since."""
        state, dice = self.state, self.state.dice
        stem, _, flavor_names, image_name, data, group = dice.choice(self.kinds)
        flavor = self.flavors[dice.choice(flavor_names)]
        from_volume = flavor.disk == 0
        image = self.images[image_name]
        server = Server(
            dice.uuid(), state.next_number, self.name(net, stem), net.project.id, net.user, flavor,
            None if from_volume else image, from_volume, None, "ACTIVE", created, created + 20, created + 19,
            net.project.key, "nova", (net.groups[group].name, "default"), [], [],
        )  # fmt: skip
        state.next_number += 1
        server.hostname = server.name
        host = self.host_for(flavor, created)
        if host:
            self.place(server, host)
        if net.placed % 3:
            server.metadata = {"role": stem, "env": dice.choice(ENVIRONMENTS), "owner": f"{net.project.name}-ops"}
            server.tags = (stem, server.metadata["env"])
        self._plug(net, server, (net.groups[group].id, net.groups["default"].id), created, group)
        self._volumes(net, server, image, data, created, full)
        net.placed += 1
        return state.servers.add(server)

    def place(self, server: Server, host: Host) -> None:
        server.host, server.zone = host, host.zone
        host.place(server)

    def _plug(self, net: TenantNet, server: Server, groups: tuple[str, ...], made: int, stem: str) -> None:
        dice = self.state.dice
        self.bind(server, self.wiring.plug(net, self.wiring.subnet_for(net, "app", made), groups, made))
        if dice.random() < 0.42:
            self.bind(server, self.wiring.plug(net, self.wiring.subnet_for(net, "storage", made), groups, made))
        if (stem == "web" and dice.random() < 0.6) or dice.random() < 0.08:
            self.wiring.float(net, server.ports[0], made)
        if dice.random() < 0.16:
            # Addresses that keepalived or a load balancer holds: ports of no machine.
            name = f"{server.name}-vip"
            self.wiring.plug(net, self.wiring.subnet_for(net, "app", made), groups[:1], made, name=name)

    @staticmethod
    def bind(server: Server, port: Port) -> None:
        port.device_id, port.device_owner = server.id, f"compute:{server.zone}"
        port.host, port.status = (server.host.name, "ACTIVE") if server.host else ("", "DOWN")
        server.ports.append(port)

    def _volumes(
        self, net: TenantNet, server: Server, image: Image, data: tuple[int, ...], made: int, full: bool
    ) -> None:
        dice = self.state.dice
        if server.from_volume:
            size = max(image.min_disk, dice.choice((10, 20, 20, 40, 60, 80)))
            name = "" if dice.random() < 0.6 else f"{server.name}-root"
            root = self.volume(net, name, size, "premium" if "db" in server.name else "standard", made, image=image)
            self.attach(root, server, "/dev/vda", made + 8, delete_on_termination=dice.random() < 0.3, root=True)
            self._protect(net, server, root, full)
        for index, size in enumerate(data):
            kind = "premium" if size >= 100 and "db" in server.name else dice.choice(DATA_TYPES)
            volume = self.volume(net, f"{server.name}-data-{index + 1}", size, kind, made + 30)
            self.attach(volume, server, f"/dev/vd{DEVICES[index]}", made + 60)
            if index == 0:
                self._protect(net, server, volume, full)
        if dice.random() < 0.12:
            spare = self.volume(
                net, f"{net.project.name}-spare-{net.placed}", dice.choice((1, 5, 10, 50)), "standard", made
            )
            if full and dice.random() < 0.3:
                self._backups(net, spare)

    def attach(self, volume: Volume, server: Server, device: str, when: int, **more: Any) -> Attachment:
        volume.status, volume.updated = "in-use", when
        return self.state.add_attachment(volume, server, device, when, **more)

    def volume(
        self, net: TenantNet, name: str, size: int, kind: str, made: int, *, image: Image | None = None
    ) -> Volume:
        volume = Volume(
            self.state.dice.uuid(), name, net.project.id, net.user, size, kind, "available", made, made + 6,
            image is not None, POOLS[kind], [], image=image,
        )  # fmt: skip
        return self.state.volumes.add(volume)

    def _protect(self, net: TenantNet, server: Server, volume: Volume, full: bool) -> None:
        """Half of the volumes are under a snapshot policy; the newest few of its snapshots exist."""
        dice, state = self.state.dice, self.state
        chance = dice.random()
        if chance < 0.24:
            days = dice.choice((2, 3, 5))
            policy, metadata = protection(chance, days)
            if server.number <= PILOT:
                volume.metadata = metadata
            if not full:
                return
            night = state.epoch - state.epoch % DAY + 2 * 3600
            for back in range(min(days, 1 + int(chance * 9))):
                self.nightly(net, server, volume, policy, night - back * DAY)
        elif chance > 0.975:
            volume.metadata = {"auto_snapshot": "no"}  # its owner wants none
        elif chance < 0.29 and full:
            made = state.epoch - int(dice.random() * 40) * DAY
            self.by_hand(net, f"before-upgrade-{dice.randrange(100, 999)}", volume, max(made, volume.created + 99))

    def nightly(self, net: TenantNet, server: Server | None, volume: Volume, policy: str, night: int) -> Snapshot:
        """A snapshot of some night in the past: some minutes into the run, and after the volume came."""
        made = max(night, volume.created + 600) + self.state.dice.randrange(900)
        return self.snapshot(net, server, volume, policy, made)

    def snapshot(self, net: TenantNet, server: Server | None, volume: Volume, policy: str, made: int) -> Snapshot:
        """A snapshot as the snapshot policies make them: their names, their metadata."""
        stamp = datetime.fromtimestamp(made, UTC).strftime("%Y%m%d-%H%M%S")
        middle = f"{server.name[:40]}-" if server else ""
        name = f"auto-{net.project.name[:40]}-{policy}-{middle}{(volume.name or volume.id)[:40]}-{stamp}"
        made_by = {"created_by": "p9_auto_snapshots", "policy": policy, "original_project_id": net.project.id}
        snapshot = self.by_hand(net, name, volume, made)
        snapshot.metadata = {**made_by, "original_volume_id": volume.id}
        snapshot.description = f"Snapshot of policy {policy}, made by p9_auto_snapshots"
        return snapshot

    def by_hand(self, net: TenantNet, name: str, volume: Volume, made: int) -> Snapshot:
        """A snapshot that says nothing of why it is there."""
        snapshot = Snapshot(
            self.state.dice.uuid(), name, net.project.id, net.user, volume.id, volume.size, "available", made, made + 3
        )
        return self.state.snapshots.add(snapshot)

    def _backups(self, net: TenantNet, volume: Volume) -> None:
        dice, state = self.state.dice, self.state
        parent = None
        for week in (2, 1):
            made = max(state.epoch - week * 7 * DAY, volume.created + 3600)
            backup = Backup(
                dice.uuid(), f"{volume.name}-weekly", net.project.id, net.user, volume.id, volume.size,
                "available", made, made + 240, incremental=parent is not None, description="weekly", parent=parent,
            )  # fmt: skip
            parent = state.backups.add(backup).id

    def group(self, net: TenantNet, policy: str, members: list[Server]) -> ServerGroup:
        group = ServerGroup(
            self.state.dice.uuid(), f"{net.project.name}-spread", net.project.id, net.user, policy,
            [server.id for server in members],
        )  # fmt: skip
        for server in members:
            server.server_group = group.id
        return self.state.server_groups.add(group)


def protection(chance: float, days: int) -> tuple[str, dict[str, str]]:
    """(daily policy, metadata) of a volume, `chance` being below 0.24: some have a second policy, some write it the old
    way.
    """
    if chance > 0.22:
        return "daily", {"auto_snapshot": "yes", "snapshot_policy": "daily", "retention": str(days)}
    policies = {f"daily_{days}": days}
    if chance < 0.09:
        policies |= {"monthly_1st": 1} if chance < 0.03 else {"weekly_4": 4}
    kept = {f"retention_{name}": str(keep) for name, keep in policies.items()}
    return f"daily_{days}", {"auto_snapshot": "true", "snapshot_policies": ",".join(policies), **kept}
