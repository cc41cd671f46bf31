"""What machines live on: images, hosts, networks and security groups of a region."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.copilot.evaluation.world import Row

if TYPE_CHECKING:
    from tests.copilot.evaluation.generate import Maker


def images(make: Maker, place: tuple[str, str], projects: list[Row]) -> None:
    """Public images, and two private ones."""
    sizes = (600, 350, 900, 9500, 20, 1400)
    for n, name in enumerate(make.style.images):
        make.add(
            "image",
            place,
            name=name,
            size_mb=sizes[n],
            status="active",
            visibility="public",
            format="raw" if n % 2 else "qcow2",
            project=projects[-1]["name"],
            project_id=projects[-1]["id"],
            created=make.age(),
            protected=n == 0,
        )
    for n, project in enumerate(projects[:2]):
        make.add(
            "image",
            place,
            name=f"{project['name']}-golden-{n + 1}",
            size_mb=2500 + n * 100,
            status="active",
            visibility="private",
            format="qcow2",
            project=project["name"],
            project_id=project["id"],
            created=make.age(),
            protected=False,
        )


def hosts(make: Maker, place: tuple[str, str]) -> list[Row]:
    """Six hosts: the fifth disabled, the sixth down."""
    hosts = []
    for n in range(1, 7):
        number = make.number("host")
        zone = make.style.zones[n % len(make.style.zones)]
        name = make.style.host.format(n=number)
        state = "down" if n == 6 else "up"
        status = "disabled" if n == 5 else "enabled"
        hosts.append(
            make.add(
                "hypervisor",
                place,
                name=name,
                state=state,
                status=status,
                zone=zone,
                vcpus=288,
                memory_mb=4194304,
                local_gb=4000,
                ip=f"192.168.{make.style.prefix}.{number}",
                reason="firmware update" if status == "disabled" else None,
            )
        )
        make.add(
            "compute_service",
            place,
            host=name,
            binary="nova-compute",
            state=state,
            status=status,
            zone=zone,
            reason=hosts[-1]["reason"],
        )
        make.add(
            "network_agent",
            place,
            host=name,
            binary="neutron-openvswitch-agent",
            kind="Open vSwitch agent",
            state=state,
            zone=zone,
        )
    for zone in make.style.zones:
        inside = [host["name"] for host in hosts if host["zone"] == zone]
        make.add("availability_zone", place, id=zone, name=zone, available=True, hosts=inside)
        make.add("aggregate", place, name=f"agg-{zone}", zone=zone, hosts=inside, created=make.age())
    return hosts


def networks(make: Maker, place: tuple[str, str], projects: list[Row]) -> list[Row]:
    """An external network, the inner ones, and routers between them."""
    networks = []
    outside = make.add(
        "network",
        place,
        name=f"ext-{place[1]}",
        status="ACTIVE",
        shared=True,
        external=True,
        kind="flat",
        project=projects[-1]["name"],
        project_id=projects[-1]["id"],
        subnets=[],
        cidr="",
        created=make.age(),
    )
    for n, name in enumerate(make.style.networks):
        project = projects[n % 3]
        number = make.number("net")
        subnet_id, cidr = make.id(), f"10.{make.style.prefix}.{number}.0/24"
        network = make.add(
            "network",
            place,
            name=name,
            status="ACTIVE" if n != 3 else "DOWN",
            shared=n == 0,
            external=False,
            kind="vxlan",
            project=project["name"],
            project_id=project["id"],
            subnets=[subnet_id],
            cidr=cidr,
            number=number,
            created=make.age(),
        )
        networks.append(network)
        make.add(
            "subnet",
            place,
            id=subnet_id,
            name=f"{name}-subnet",
            cidr=cidr,
            gateway=f"10.{make.style.prefix}.{number}.1",
            network=name,
            network_id=network["id"],
            project=project["name"],
            project_id=project["id"],
            dhcp=n != 2,
            created=make.age(),
        )
    for n, project in enumerate(projects[:3]):
        make.add(
            "router",
            place,
            name=f"router-{project['name'].replace(' ', '-').lower()}",
            status="ACTIVE",
            project=project["name"],
            project_id=project["id"],
            external_network_id=outside["id"],
            external_network=outside["name"],
            external_ip=f"203.0.{make.style.prefix}.{make.number('fip')}",
            created=make.age(),
            routed=networks[n]["id"],
        )
    return networks


def group(make: Maker, place: tuple[str, str], project: Row, name: str) -> None:
    """A security group with its rules."""
    group = make.add(
        "security_group", place, name=name, project=project["name"], project_id=project["id"], created=make.age()
    )
    rules: list[tuple[str, str | None, int | None, str | None]] = [("egress", None, None, None)]
    if name != "default":
        port = {"web-in": 443, "ssh-only": 22, "db-access": 5432, "icmp": None}[name]
        open_ = "0.0.0.0/0" if make.chance.random() < 0.5 else "10.0.0.0/8"
        rules.append(("ingress", "icmp" if port is None else "tcp", port, open_))
    for direction, protocol, port, remote in rules:
        make.add(
            "security_group_rule",
            place,
            group=name,
            group_id=group["id"],
            direction=direction,
            protocol=protocol,
            port=port,
            remote=remote,
            project=project["name"],
            project_id=project["id"],
            created=make.age(),
        )
