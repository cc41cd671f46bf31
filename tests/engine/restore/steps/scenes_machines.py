"""Whole restores of machines in the simulated cloud, and what is there when they are over."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from engine.restore.models import Disk, FixedIp, Floating, Nic, Source
from engine.restore.records import Records
from tests.engine.restore.steps.cloud import FakeCloud
from tests.engine.restore.steps.cloud_machines import USERS_KEY
from tests.engine.restore.steps.job import Job, disk, plan

OLD_HOST = "cmp-1"


@dataclass
class Scene:
    """A machine with two disks beside its root and ports on two networks, and the job that restores it."""

    cloud: FakeCloud
    job: Job
    server: str

    def __post_init__(self) -> None:
        self.first = {*self.cloud.volumes, *self.cloud.ports, *self.cloud.servers, *self.cloud.snapshots}

    @property
    def does(self) -> tuple[str, ...]:
        return tuple(step.name for step in self.job.plan.steps if step.phase == "do")

    @property
    def before_commit(self) -> tuple[str, ...]:
        return self.does[: self.does.index(self.job.plan.commit) + 1]

    @property
    def undoes(self) -> tuple[str, ...]:
        return tuple(step.name for step in self.job.plan.steps if step.phase == "undo")

    @property
    def new(self) -> dict[str, Any]:
        """The one machine that was not there before."""
        (found,) = [one for id, one in self.cloud.servers.items() if id not in self.first]
        return found

    def old(self) -> dict[str, Any]:
        """How the machine is, as far as its owner sees it: everything but the host that it happens to run on."""
        self.cloud.settle()
        cloud, server = self.cloud, self.cloud.servers[self.server]
        kept = ("name", "status", "locked", "OS-EXT-STS:task_state")
        ports = [
            {key: value for key, value in one.items() if not key.startswith("binding:")}
            for one in sorted(cloud.ports.values(), key=lambda one: one["id"])
            if one["id"] in self.first
        ]
        wired = [bool(one["binding:host_id"]) for id, one in sorted(cloud.ports.items()) if id in self.first]
        rows = cloud.attachments[self.server]
        disks = [(one["volumeId"], one["device"], one["delete_on_termination"]) for one in rows]
        return {
            "server": {name: server[name] for name in kept},
            "ports": [{**one, "fixed_ips": sorted(one["fixed_ips"], key=str)} for one in ports],
            "wired": wired,
            "floatings": dict(cloud.floatings),
            "disks": sorted(disks),
            "contents": {id: cloud.contents[id] for id in sorted(self.first & cloud.volumes.keys())},
        }

    def picture(self) -> dict[str, Any]:
        """All there is, so that two ends can be compared."""
        self.cloud.settle()
        cloud = self.cloud
        return {
            "old": self.old(),
            "servers": {id: one for id, one in sorted(cloud.servers.items()) if id != self.server},
            "ports": {id: one for id, one in sorted(cloud.ports.items()) if id not in self.first},
            "attachments": cloud.attachments,
            "volumes": cloud.volumes,
            "keypairs": cloud.keypairs,
        }

    def rows(self) -> list[tuple[str, str]]:
        """What the records have of it: (purpose, state)."""
        return [(row["purpose"], row["state"]) for row in self.job.records.of_job(self.job.plan.id)]


def _machine(cloud: FakeCloud, *, image: str = "", host: str = OLD_HOST, **more: Any) -> tuple[str, list[Disk]]:
    root = [] if image else [cloud.add_volume("root now", name="web-root", bootable="true")]
    data = [cloud.add_volume(f"{name} now", name=name) for name in ("db", "logs")]
    server = cloud.add_server([*root, *data], image=image, **{"OS-EXT-SRV-ATTR:host": host, **more})
    rows = {row["volumeId"]: row for row in cloud.attachments[server]}
    rows[data[0]] |= {"tag": "database", "delete_on_termination": True}
    cloud.contents[server] = "root now"
    disks = []
    for number, id in enumerate([*root, *data]):
        name = cloud.volumes[id]["name"]
        kept = name == "db"
        point = None if kept else Source("snapshot", cloud.add_snapshot(id, f"{name} then"), volume_id=id, size_gb=1)
        row = rows[id]
        disks.append(disk(cloud, id, point, root=name == "web-root", order=number, device=row["device"],
                          tag=row["tag"] or "", delete_on_termination=row["delete_on_termination"]))  # fmt: skip
    return server, disks


def _nics(cloud: FakeCloud, server: str, *, same: bool, mac: bool, fall_back: bool = False) -> tuple[Nic, ...]:
    plain, slaac = cloud.add_subnet("net-a"), cloud.add_subnet("net-a", ipv6_address_mode="slaac")
    second = cloud.add_subnet("net-b")
    a = cloud.add_port(server, "net-a", [(plain, "10.0.0.5")], "fa:16:3e:00:00:0a", name="eth0")
    b = cloud.add_port(server, "net-b", [(second, "10.1.0.5"), (second, "10.1.0.6")], "fa:16:3e:00:00:0b",
                       description="second", tags=["inner"], port_security_enabled=False)  # fmt: skip
    floating = cloud.add_floating("198.51.100.7", a, "10.0.0.5")
    nics = []
    for order, id in enumerate((a, b)):
        port = cloud.ports[id]
        fixed = tuple(FixedIp(one["ip_address"], one["subnet_id"]) for one in port["fixed_ips"])
        wanted = tuple(FixedIp(one.address if same and one.subnet_id != slaac else "", one.subnet_id) for one in fixed)
        nics.append(Nic(
            id, port["network_id"], order=order, name=port["name"], description=port["description"],
            mac=port["mac_address"], fixed=fixed, port_security=port["port_security_enabled"], tags=tuple(port["tags"]),
            floating=(Floating(floating, "198.51.100.7", "10.0.0.5"),) if id == a else (), wanted=wanted, keep_mac=mac,
            fall_back=fall_back, security_groups=("sg-web",) if id == a else (),
        ))  # fmt: skip
    return tuple(nics)


def _scene(records: Records, cloud: FakeCloud, way: Any, server: str, disks: list[Disk], nics: tuple[Nic, ...],
           boot: str = "volume", **more: Any) -> Scene:  # fmt: skip
    made = plan(way, server, *disks, boot=boot, new_name=more.pop("new_name", "web"), nics=nics, **more)
    machine = replace(
        made.machine, flavor_id="f1", hostname="web-host", key_name="mykey", user_id="owner", zone="az1", host=OLD_HOST,
        description="the shop", tags=("prod",), metadata={"role": "web"}, group_id="group-1",
        status=cloud.servers[server]["status"], vm_state="active" if made.was_running else "stopped",
    )  # fmt: skip
    cloud.keypairs["owner"] = {"mykey": {"name": "mykey", "public_key": USERS_KEY}}
    job = Job(cloud, records, replace(made, machine=machine), prove_command=())
    return Scene(cloud, job, server)


def shelved(records: Records) -> Scene:
    """Booted from a volume, with one disk that is kept: shelved, same addresses and MACs."""
    cloud = FakeCloud()
    server, disks = _machine(cloud)
    nics = _nics(cloud, server, same=True, mac=True)
    return _scene(records, cloud, "REPLACE", server, disks, nics, park="shelve", strategy="SAME_IPS_OR_FAIL")


def offloaded(records: Records) -> Scene:
    """The same of a machine that is off, where the cloud takes a shelved machine off its host only when it is told."""
    cloud = FakeCloud()
    cloud.delays = True
    server, disks = _machine(cloud, status="SHUTOFF")
    nics = _nics(cloud, server, same=True, mac=True)
    return _scene(records, cloud, "REPLACE", server, disks, nics, park="shelve", was_running=False)


def stopped(records: Records) -> Scene:
    """Booted from an image: stopped, its ports unbound for the moment."""
    cloud = FakeCloud()
    image = cloud.add_image("root then")
    server, disks = _machine(cloud, image=image)
    nics = _nics(cloud, server, same=True, mac=True, fall_back=True)
    return _scene(records, cloud, "REPLACE", server, disks, nics, boot="image", root_image=image, park="stop")


def dead(records: Records) -> Scene:
    """Its host is dead and fenced: nothing is asked of it; no disk is kept, for none can be taken off."""
    cloud = FakeCloud()
    server, disks = _machine(cloud)
    cloud.refuses = dict.fromkeys(("stop", "shelve", "start", "unshelve"), 500)
    disks = [replace(one, choice="leave_out") if one.source is None else one for one in disks]
    nics = _nics(cloud, server, same=True, mac=True)
    return _scene(records, cloud, "REPLACE", server, disks, nics, park="leave")


def other_addresses(records: Records) -> Scene:
    """New addresses: only the floating IP goes over."""
    cloud = FakeCloud()
    server, disks = _machine(cloud)
    nics = _nics(cloud, server, same=False, mac=False)
    return _scene(records, cloud, "REPLACE", server, disks, nics, park="shelve", strategy="NEW_IPS")


def beside(records: Records) -> Scene:
    """A second machine, beside the old one, which goes on."""
    cloud = FakeCloud()
    server, disks = _machine(cloud)
    disks = [replace(one, choice="leave_out") if one.source is None else one for one in disks]
    nics = _nics(cloud, server, same=False, mac=False)
    return _scene(records, cloud, "NEW", server, disks, nics, new_name="web-restored")


ALL: tuple[Callable[[Records], Scene], ...] = (shelved, offloaded, stopped, dead, other_addresses, beside)
