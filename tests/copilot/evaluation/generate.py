"""Makes a world from a style: first what was there in the beginning, then what happened at known times."""

from __future__ import annotations

import random
import uuid
from datetime import datetime, timedelta
from typing import Any

from tests.copilot.evaluation import events, fabric, identity, maze, rooms
from tests.copilot.evaluation.styles import Style
from tests.copilot.evaluation.world import Row, World

# Nothing is so old that "older than N days" is a matter of hours.
_ROUND = (60, 90, 100, 120, 150, 180, 183, 200, 250, 300, 365, 366, 400, 500, 600)
AGES = [age for age in range(40, 700) if all(abs(age - edge) > 2 for edge in _ROUND)]


class Maker:
    """What the parts of a world are made with."""

    def __init__(self, style: Style) -> None:
        self.style = style
        self.chance = random.Random(style.seed)
        self.world = World(style)
        self.began = self.world.began
        self.numbers: dict[str, int] = {}
        self.addresses = 0

    def id(self, short: bool = False) -> str:
        """A new id, as Nova or as Keystone makes them."""
        made = uuid.UUID(int=self.chance.getrandbits(128), version=4)
        return made.hex if short else str(made)

    def number(self, of: str) -> int:
        """1, 2, 3 ... of each kind of thing."""
        self.numbers[of] = self.numbers.get(of, 0) + 1
        return self.numbers[of]

    def age(self) -> datetime:
        """A time of creation long ago."""
        return self.world.now - timedelta(days=self.chance.choice(AGES), hours=4)

    def address(self, net: int) -> str:
        """A fixed address never given before."""
        self.addresses += 1
        return f"10.{self.style.prefix}.{net + 16 * (self.addresses // 200)}.{10 + self.addresses % 200}"

    def mac(self) -> str:
        """A MAC address."""
        return "fa:16:3e:" + ":".join(f"{self.chance.randrange(256):02x}" for _ in range(3))

    def add(self, type: str, place: tuple[str, str], since: datetime | None = None, **fields: Any) -> Row:
        """A row of the place, with an id."""
        row = {"cloud": place[0], "region": place[1], "id": fields.pop("id", None) or self.id(), **fields}
        return self.world.add(type, row, since or self.began)


def world(style: Style) -> World:
    """The style's world; the same style makes the same one."""
    make = Maker(style)
    for number, (cloud, regions) in enumerate(style.clouds):
        projects, users = identity.fill(make, cloud, style.projects[number])
        for region in regions:
            _region(make, (cloud, region), projects, users)
    if style.name == "maze":
        maze.twist(make)
    events.happen(make)
    _usage(make)
    rooms.fill(make)
    return make.world


def _region(make: Maker, place: tuple[str, str], projects: list[Row], users: list[Row]) -> None:
    style = make.style
    for name, vcpus, ram, disk in style.flavors:
        make.add("flavor", place, name=name, vcpus=vcpus, ram_mb=ram, disk_gb=disk, public=not name.startswith("r1"))
    fabric.images(make, place, projects)
    hosts = fabric.hosts(make, place)
    for name in style.types:
        make.add("volume_type", place, name=name, public=True)
    networks = fabric.networks(make, place, projects)
    for project in projects:
        for name in ("default", *make.chance.sample(("web-in", "ssh-only", "db-access", "icmp"), 2)):
            fabric.group(make, place, project, name)
    for _ in range(style.servers):
        server(
            make,
            place,
            make.chance.choices(projects, [8, 5, 4, 4, 3, 2, 2, 1][: len(projects)])[0],
            users,
            hosts,
            networks,
        )
    for k in range(style.servers // 4):  # volumes that nothing uses
        project = make.chance.choice(projects)
        volume(make, place, project, f"{make.chance.choice(('spare', 'old', 'scratch'))}-{k:02d}-{place[1]}", None)
    _copies(make, place)
    for project in projects[:3]:
        for _ in range(2):
            floating(make, place, project, None)


def server(
    make: Maker,
    place: tuple[str, str],
    project: Row,
    users: list[Row],
    hosts: list[Row],
    networks: list[Row],
    at: datetime | None = None,
    name: str = "",
) -> Row:
    """A server with its port, its volumes and perhaps a floating IP."""
    chance, style, world = make.chance, make.style, make.world
    role = chance.choice(style.roles)
    name = name or style.server.format(role=role, n=make.number(f"server {role}"))
    flavor = chance.choice([f for f in world.rows("flavor") if (f["cloud"], f["region"]) == place])
    image = chance.choice(
        [i for i in world.rows("image") if (i["cloud"], i["region"]) == place and i["visibility"] == "public"]
    )
    status = (
        chance.choices(("ACTIVE", "SHUTOFF", "ERROR", "PAUSED", "SUSPENDED"), (80, 13, 3, 2, 2))[0]
        if at is None
        else "ACTIVE"
    )
    host = chance.choice(hosts[:5])
    network = networks[0] if chance.random() < 0.5 else chance.choice(networks)
    from_volume = chance.random() < 0.3
    user = chance.choice(users)
    created = at - timedelta(minutes=2) if at else make.age()
    fixed, mac, id = make.address(network["number"]), make.mac(), make.id()
    groups = [
        g["name"]
        for g in world.rows("security_group")
        if g["project_id"] == project["id"] and (g["cloud"], g["region"]) == place
    ]
    group = chance.choice(groups)
    row = make.add(
        "server",
        place,
        at,
        id=id,
        name=name,
        status=status,
        project=project["name"],
        project_id=project["id"],
        domain=project["domain"],
        user=user["name"],
        user_id=user["id"],
        host=host["name"],
        flavor=flavor["name"],
        vcpus=flavor["vcpus"],
        ram_mb=flavor["ram_mb"],
        flavor_disk=flavor["disk_gb"],
        image=None if from_volume else image["name"],
        image_id=None if from_volume else image["id"],
        boot_image=image["name"],
        network=network["name"],
        network_id=network["id"],
        fixed=fixed,
        mac=mac,
        fip=None,
        volumes=[],
        zone=host["zone"],
        locked=chance.random() < 0.06,
        key=chance.choice((f"key-{user['name']}", None)),
        group=group,
        created=created,
        tags=["critical"] if chance.random() < 0.08 else [],
        metadata={"tier": chance.choice(("gold", "silver"))},
        fault="No valid host was found." if status == "ERROR" else None,
    )
    group_id = next(
        g["id"]
        for g in world.rows("security_group")
        if g["project_id"] == project["id"] and g["name"] == group and (g["cloud"], g["region"]) == place
    )
    port = make.add(
        "port",
        place,
        at,
        name="",
        status="ACTIVE" if status == "ACTIVE" else "DOWN",
        mac=mac,
        fixed=fixed,
        owner="compute:nova",
        device_id=id,
        server=name,
        network=network["name"],
        network_id=network["id"],
        subnet_id=network["subnets"][0],
        project=project["name"],
        project_id=project["id"],
        group_ids=[group_id],
        host=host["name"],
        created=created,
    )
    disks = [
        volume(
            make,
            place,
            project,
            style.volume.format(server=name, k=k + 1),
            row,
            at,
            image if from_volume and k == 0 else None,
        )
        for k in range(max(int(from_volume), chance.choices((0, 1, 2, 3), (40, 35, 17, 8))[0]))
    ]
    row["volumes"] = [disk["id"] for disk in disks]
    if chance.random() < 0.2 and at is None:
        row["fip"] = floating(make, place, project, (row, port))["address"]
    return row


def volume(
    make: Maker,
    place: tuple[str, str],
    project: Row,
    name: str,
    server: Row | None,
    at: datetime | None = None,
    image: Row | None = None,
) -> Row:
    """A volume, attached to the server if there is one."""
    chance = make.chance
    status = "in-use" if server else chance.choices(("available", "error"), (9, 1))[0]
    return make.add(
        "volume",
        place,
        at,
        name=name,
        status=status,
        size_gb=chance.choice((10, 20, 50, 100, 100, 250, 500, 1000)),
        kind=chance.choices(make.style.types, (6, 3, 1)[: len(make.style.types)])[0],
        project=project["name"],
        project_id=project["id"],
        domain=project["domain"],
        user_id=server["user_id"] if server else None,
        server=server["name"] if server else None,
        server_id=server["id"] if server else None,
        bootable=image is not None,
        encrypted=chance.random() < 0.1,
        image=image["name"] if image else None,
        image_id=image["id"] if image else None,
        created=at - timedelta(minutes=2) if at else make.age(),
    )


def floating(make: Maker, place: tuple[str, str], project: Row, to: tuple[Row, Row] | None) -> Row:
    """A floating IP, free or of a server's port."""
    outside = make.world.one("network", lambda n: n["external"] and (n["cloud"], n["region"]) == place)
    return make.add(
        "floating_ip",
        place,
        address=f"203.0.{make.style.prefix}.{20 + make.number('fip')}",
        status="ACTIVE" if to else "DOWN",
        fixed=to[0]["fixed"] if to else None,
        server=to[0]["name"] if to else None,
        server_id=to[0]["id"] if to else None,
        port_id=to[1]["id"] if to else None,
        network=outside["name"],
        network_id=outside["id"],
        project=project["name"],
        project_id=project["id"],
        created=make.age(),
    )


def _copies(make: Maker, place: tuple[str, str]) -> None:
    """Snapshots and backups of some volumes; all of the past two weeks but the last day."""
    for disk in make.world.rows("volume"):
        if (disk["cloud"], disk["region"]) != place:
            continue
        of = {
            "volume": disk["name"],
            "volume_id": disk["id"],
            "size_gb": disk["size_gb"],
            "project": disk["project"],
            "project_id": disk["project_id"],
        }
        for day in (-40, -45, -50)[: make.chance.choices((0, 1, 2, 3), (50, 25, 15, 10))[0]]:
            status = "error" if make.chance.random() < 0.05 else "available"
            make.add(
                "snapshot",
                place,
                name=f"snap-{disk['name']}-{-day}",
                status=status,
                created=make.world.at(day, 3),
                **of,
            )
        if make.chance.random() < 0.15:
            make.add(
                "backup",
                place,
                name=f"backup-{disk['name']}",
                status="available",
                created=make.world.at(-42, 4),
                incremental=make.chance.random() < 0.4,
                **of,
            )


def _usage(make: Maker) -> None:
    """What hosts and projects use now."""
    world = make.world
    for host in world.rows("hypervisor"):
        inside = [s for s in world.rows("server") if s["host"] == host["name"] and s["cloud"] == host["cloud"]]
        host["vcpus_used"], host["memory_used"] = sum(s["vcpus"] for s in inside), sum(s["ram_mb"] for s in inside)
        host["running"] = len(inside)
        host["local_used"] = sum(s["flavor_disk"] for s in inside if s["image"])
    for project in world.rows("project"):
        own = [s for s in world.rows("server") if s["project_id"] == project["id"]]
        disks = [v for v in world.rows("volume") if v["project_id"] == project["id"]]
        used = {
            "instances": len(own),
            "cores": sum(s["vcpus"] for s in own),
            "ram": sum(s["ram_mb"] for s in own),
            "volumes": len(disks),
            "gigabytes": sum(v["size_gb"] for v in disks),
        }
        limits = {
            "instances": len(own) + 7,
            "cores": max(10, int(used["cores"] * 1.05)),
            "ram": used["ram"] * 2 + 1024,
            "volumes": -1,
            "gigabytes": used["gigabytes"] + 500,
        }
        world.quotas[project["cloud"], project["id"]] = [
            {
                "cloud": project["cloud"],
                "region": region,
                "resource": name,
                "used": used[name] if n == 0 else 0,
                "limit": limits[name],
                "service": "compute" if name in ("instances", "cores", "ram") else "volume",
            }
            for n, region in enumerate(dict(make.style.clouds)[project["cloud"]])
            for name in used
        ]
