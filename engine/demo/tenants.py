"""Makes what everything else stands on: domains, projects, people, flavors, images, hosts, agents."""

from __future__ import annotations

import math

from engine.demo import names
from engine.demo.network_records import Agent
from engine.demo.people import Domain, Group, Project, User
from engine.demo.records import Flavor, Host, Image
from engine.demo.state import ROLES, Assignment, State

DAY = 86400
# Quotas of a project nobody changed, as the services ship them.
COMPUTE_QUOTA: dict[str, int] = {
    "instances": 10,
    "cores": 20,
    "ram": 51200,
    "key_pairs": 100,
    "metadata_items": 128,
    "server_groups": 10,
    "server_group_members": 10,
}
VOLUME_QUOTA: dict[str, int] = {
    "volumes": 10,
    "per_volume_gigabytes": -1,
    "snapshots": 10,
    "gigabytes": 1000,
    "backups": 10,
    "backup_gigabytes": 1000,
    "groups": 10,
}
NETWORK_QUOTA: dict[str, int] = {
    "network": 100,
    "subnet": 100,
    "subnetpool": -1,
    "port": 500,
    "router_route": 30,
    "router": 10,
    "floatingip": 50,
    "rbac_policy": 10,
    "security_group": 10,
    "security_group_rule": 100,
    "trunk": -1,
}

HOST_VCPUS, HOST_RAM, HOST_DISK = 64, 524288, 12000
LOGINS = ("admin", "member", "reader", "manager")


def make_tenants(state: State, servers: int) -> list[tuple[Project, int]]:
    """Domains, projects, users and roles; returns the tenants' projects with how many servers each gets."""
    dice = state.dice
    for role in ROLES:
        state.role_ids[role] = dice.hex()
    default = state.domains.add(Domain("default", "Default", "The default domain"))
    domains = [state.domains.add(Domain(dice.hex(), name, text)) for name, text in names.DOMAINS]
    state.domains.add(Domain(dice.hex(), "retired", "kept for its audit trail", enabled=False))
    admin = new_project(state, "admin", default, "Bootstrap project for initializing the cloud.")
    service = new_project(state, "service", default, "Project of the services")
    demo = new_project(state, "demo", default, "people try things")
    tenants = [demo]
    for index in range(_tenant_count(servers) - 1):
        domain = domains[index % len(domains)]
        round_, team = divmod(index // len(domains) + index % 7, len(names.TEAMS))
        suffix = f"-{round_ + 1}" if round_ else ""
        name = f"{domain.name}-{names.TEAMS[team]}{suffix}"
        if any(project.name == name for project in tenants):
            name += f"-{index}"
        tenants.append(new_project(state, name, domain, f"{name} team", tags=(domain.name,)))
    new_project(state, "retail-old-shop", domains[0], "closed in spring", enabled=False)
    _make_people(state, default, admin, service, demo, tenants)
    return _sizes(tenants, servers)


def _tenant_count(servers: int) -> int:
    return max(6, min(400, round(math.sqrt(servers) * 1.5)))


def _sizes(tenants: list[Project], servers: int) -> list[tuple[Project, int]]:
    """A few tenants are large, most are small; the sum is exact."""
    weights = [1 / (rank + 1) ** 0.9 for rank in range(len(tenants))]
    # The project that `member` and `reader` see is neither the largest nor empty.
    weights[0], weights[2] = weights[2], weights[0]
    total = sum(weights)
    sizes = [int(servers * weight / total) for weight in weights]
    for index in range(servers - sum(sizes)):
        sizes[index % len(sizes)] += 1
    return list(zip(tenants, sizes, strict=True))


def new_project(state: State, name: str, domain: Domain, text: str, **more: object) -> Project:
    """A project with the quotas the services ship with."""
    project = Project(state.dice.hex(), name, domain, text, key=f"{name}-key", **more)  # type: ignore[arg-type]
    project.compute_quota = dict(COMPUTE_QUOTA)
    project.volume_quota = dict(VOLUME_QUOTA)
    project.network_quota = dict(NETWORK_QUOTA)
    return state.projects.add(project)


def _make_people(
    state: State, default: Domain, admin: Project, service: Project, demo: Project, tenants: list[Project]
) -> None:
    dice = state.dice

    def give(role: str, **where: object) -> None:
        state.assignments[Assignment(role, **where)] = None  # type: ignore[arg-type]

    logins = {
        name: state.users.add(User(dice.hex(), name, default, login=True, email=f"{name}@example.org"))
        for name in LOGINS
    }
    give("admin", user=logins["admin"].id, project=admin.id)
    give("admin", user=logins["admin"].id, system=True)
    give("member", user=logins["member"].id, project=demo.id)
    give("reader", user=logins["reader"].id, project=demo.id)
    give("manager", user=logins["manager"].id, domain=tenants[1].domain.id)
    give("member", user=logins["manager"].id, project=tenants[1].id)
    for name in ("nova", "cinder", "neutron", "glance", "placement"):
        user = state.users.add(User(dice.hex(), name, default, "service account"))
        give("service", user=user.id, project=service.id)
        if name != "placement":
            give("admin", user=user.id, project=service.id)
    groups = {
        domain.id: state.groups.add(Group(dice.hex(), f"{domain.name}-staff", domain, f"everybody in {domain.name}"))
        for domain in state.domains
        if domain.enabled and domain is not default
    }
    for index, project in enumerate(tenants):
        for count in range(2 if index % 3 else 3):
            first = names.FIRST_NAMES[(index * 3 + count) % len(names.FIRST_NAMES)]
            name = f"{first}.{project.name}"
            enabled = dice.random() > 0.06
            user = User(dice.hex(), name, project.domain, email=f"{name}@example.org", enabled=enabled)
            user.default_project = project.id
            state.users.add(user)
            give("member" if count < 2 else "reader", user=user.id, project=project.id)
            if project.domain.id in groups:
                groups[project.domain.id].members.add(user.id)
        if project.domain.id in groups and index % 4 == 1:
            give("reader", group=groups[project.domain.id].id, project=project.id)


def project_owner(state: State, project: Project) -> str:
    """The user whose machines stand in the project, or the administrator when it has none of its own."""
    for user in state.users:
        if user.default_project == project.id:
            return user.id
    return next(user.id for user in state.users if user.name == "admin")


def make_catalogue(state: State) -> tuple[dict[str, Flavor], dict[str, Image]]:
    """Flavors, public images and volume types, by name."""
    dice, epoch = state.dice, state.epoch
    admin = next(project.id for project in state.projects if project.name == "admin")
    flavors, images = {}, {}
    for index, (name, vcpus, ram, disk, ephemeral, swap, public, specs) in enumerate(names.FLAVORS):
        flavor = Flavor(dice.uuid(), name, vcpus, ram, disk, ephemeral, swap, public, specs)
        flavor.created = epoch - 900 * DAY + index
        flavors[name] = state.flavors.add(flavor)
    for index, (name, size, virtual, kind, min_disk, min_ram, properties) in enumerate(names.IMAGES):
        made = epoch - 400 * DAY + index * 9 * DAY
        more = {"hw_qemu_guest_agent": "yes", "hw_disk_bus": "virtio"} if name != "cirros-0.6" else {}
        image = Image(
            dice.uuid(), name, admin, "public", size, virtual << 30, kind, min_disk, min_ram,
            {**properties, **more}, made, made + 300,
        )  # fmt: skip
        images[name] = state.images.add(image)
    images["centos-7-legacy"].hidden = True
    images["cirros-0.6"].protected = True
    state.volume_types = [
        (dice.uuid(), "standard", "spinning disks", {"volume_backend_name": "hdd"}),
        (dice.uuid(), "premium", "solid state disks", {"volume_backend_name": "ssd"}),
        (dice.uuid(), "archive", "slow and cheap", {"volume_backend_name": "hdd"}),
        (dice.uuid(), "shared", "may be attached twice", {"volume_backend_name": "ssd", "multiattach": "<is> True"}),
    ]
    return flavors, images


def make_hosts(state: State, servers: int) -> list[Host]:
    """Compute hosts for the servers, one of them down and one closed for maintenance; and the network's agents."""
    dice, epoch = state.dice, state.epoch
    # About 3 vCPUs and 9 GB a server: hosts end up well filled, as they are in a cloud that is paid for.
    count = max(4, math.ceil(servers * 3.4 / (HOST_VCPUS * 1.6)), math.ceil(servers * 9200 / (HOST_RAM * 0.62)))
    hosts = []
    for number in range(1, count + 1):
        host = Host(
            dice.uuid(), number, f"cmp-{number:03d}", f"172.16.{number // 250}.{number % 250 + 1}",
            "zone-b" if number % 4 == 0 else "nova", HOST_VCPUS, HOST_RAM, HOST_DISK, dice.uuid(), dice.uuid(),
        )  # fmt: skip
        hosts.append(state.hosts.add(host))
    hosts[2].up, hosts[2].stopped_at = False, epoch - 5 * 3600
    if count > 4:
        hosts[-1].enabled, hosts[-1].reason = False, "memory replaced, see CHG10422"
    _make_agents(state, hosts)
    return hosts


def _make_agents(state: State, hosts: list[Host]) -> None:
    dice, made = state.dice, state.epoch - 400 * DAY
    for host in hosts:
        state.agents.add(
            Agent(dice.uuid(), "Open vSwitch agent", "neutron-openvswitch-agent", "N/A", host.name, None, made,
                  {"bridge_mappings": {"physnet1": "br-ex"}, "tunnel_types": ["vxlan"], "devices": 12},
                  alive=host.up, stopped_at=host.stopped_at)
        )  # fmt: skip
    for index in (1, 2):
        name = f"net-{index}"
        for kind, binary, topic, more in (
            ("L3 agent", "neutron-l3-agent", "l3_agent", {"agent_mode": "legacy", "routers": 4}),
            ("DHCP agent", "neutron-dhcp-agent", "dhcp_agent", {"dhcp_driver": "dnsmasq", "networks": 9}),
            ("Metadata agent", "neutron-metadata-agent", "N/A", {"nova_metadata_port": 8775}),
        ):
            agent = Agent(dice.uuid(), kind, binary, topic, name, "nova" if topic != "N/A" else None, made, dict(more))
            state.agents.add(agent)
            if index == 2 and kind == "DHCP agent":
                agent.alive, agent.stopped_at = False, state.epoch - 7400
