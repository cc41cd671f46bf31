"""Makes the networks: what the operator shares, and for each tenant networks, router, groups and rules."""

from __future__ import annotations

from dataclasses import dataclass, field

from engine.demo.network_records import FloatingIp, Network, Port, Router, Rule, SecurityGroup, Subnet
from engine.demo.people import Project
from engine.demo.state import State
from engine.demo.tenants import DAY

PER_NETWORK = 200
GROUP_RULES: dict[str, list[tuple[str | None, int | None, int | None, str | None]]] = {
    "web": [("tcp", 80, 80, "0.0.0.0/0"), ("tcp", 443, 443, "0.0.0.0/0"), ("icmp", None, None, None)],
    "app": [("tcp", 8080, 8099, "10.0.0.0/8"), ("tcp", 10250, 10259, "10.0.0.0/8")],
    "db": [("tcp", 5432, 5432, "10.0.0.0/8"), ("tcp", 3306, 3306, "10.0.0.0/8")],
    "admin": [("tcp", 22, 22, "172.16.0.0/12"), ("tcp", 3389, 3389, "172.16.0.0/12"), ("icmp", None, None, None)],
}


@dataclass
class TenantNet:
    """What a tenant's machines are plugged into."""

    project: Project
    user: str
    groups: dict[str, SecurityGroup]
    router: Router | None
    subnets: list[Subnet] = field(default_factory=list)
    storage: list[Subnet] = field(default_factory=list)
    placed: int = 0


class Wiring:
    """Makes networks, ports and addresses; each tenant gets a new /24 for every 200 machines."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.dice = state.dice
        self._blocks = 0
        self._segments = 100
        self.admin = next(project.id for project in state.projects if project.name == "admin")
        made = state.epoch - 600 * DAY
        self.public = self._network("public", self.admin, made, external=True, kind="flat", physical="physnet1")
        self.public.mtu = 1500
        self.public_subnet = self._subnet(self.public, "public-v4", "198.18.0.0/16", made, size=65000, dhcp=False)
        self.backbone = self._network("backbone", self.admin, made, shared=True, kind="vlan", physical="physnet1")
        self.backbone.segment, self.backbone.mtu = 200, 1500
        self._subnet(self.backbone, "backbone-v4", "172.20.0.0/20", made, size=4000)
        self.default_groups: dict[str, SecurityGroup] = {}

    def tenant(self, project: Project, user: str, made: int) -> TenantNet:
        groups = {"default": self.default_group(project.id, made)}
        for stem, rules in GROUP_RULES.items():
            group = SecurityGroup(
                self.dice.uuid(), f"{project.name}-{stem}", project.id, f"{stem} servers", made, made + 5
            )
            self.state.security_groups.add(group)
            self.allow_out(group, made)
            for protocol, low, high, prefix in rules:
                self._rule(group, "ingress", "IPv4", protocol, low, high, prefix, made)
            groups[stem] = group
        router = self._router(project, made)
        return TenantNet(project, user, groups, router)

    def default_group(self, project: str, made: int) -> SecurityGroup:
        """The group every project has; Neutron makes it when the project is first looked at."""
        group = self.default_groups.get(project)
        if group is None:
            group = SecurityGroup(self.dice.uuid(), "default", project, "Default security group", made, made)
            self.default_groups[project] = self.state.security_groups.add(group)
            for ethertype in ("IPv4", "IPv6"):
                self._rule(group, "ingress", ethertype, None, None, None, None, made, group.id, text=None)
            self.allow_out(group, made, text=None)
        return group

    def allow_out(self, group: SecurityGroup, made: int, text: str | None = "") -> None:
        for ethertype in ("IPv4", "IPv6"):
            self._rule(group, "egress", ethertype, None, None, None, None, made, text=text)

    def open_port(self, group: SecurityGroup, number: int, made: int) -> None:
        """One more TCP port that the tenant's networks may reach."""
        self._rule(group, "ingress", "IPv4", "tcp", number, number, "10.0.0.0/8", made)

    def _rule(
        self,
        group: SecurityGroup,
        direction: str,
        ethertype: str,
        protocol: str | None,
        low: int | None,
        high: int | None,
        prefix: str | None,
        made: int,
        remote: str | None = None,
        text: str | None = "",
    ) -> None:
        self.state.add_rule(
            Rule(
                self.dice.uuid(),
                group.id,
                group.project,
                direction,
                ethertype,
                protocol,
                low,
                high,
                prefix,
                remote,
                made,
                text,
            )
        )

    def _network(self, name: str, project: str, made: int, **more: object) -> Network:
        network = Network(self.dice.uuid(), name, project, made, made + 1, **more)  # type: ignore[arg-type]
        if network.kind == "vxlan":
            self._segments += 1
            network.segment = self._segments
        return self.state.networks.add(network)

    def _subnet(self, network: Network, name: str, cidr: str, made: int, **more: object) -> Subnet:
        base = cidr.split("/")[0]
        gateway = base.rsplit(".", 1)[0] + ".1"
        subnet = Subnet(
            self.dice.uuid(), name, network.project, network, cidr, base, gateway, made, made, **more,  # type: ignore[arg-type]
        )  # fmt: skip
        subnet.dns = ("9.9.9.9",)
        network.subnets.append(subnet)
        return self.state.subnets.add(subnet)

    def _router(self, project: Project, made: int) -> Router:
        ip = self.public_subnet.address()
        router = Router(
            self.dice.uuid(), f"{project.name}-router", project.id, self.public, self.public_subnet.id, ip, made, made
        )
        self.state.routers.add(router)
        self._infrastructure(
            self.public, "", router.id, "network:router_gateway", self.public_subnet.id, ip, "net-1", made
        )
        return router

    def _infrastructure(
        self, network: Network, project: str, device: str, owner: str, subnet: str, ip: str, host: str, made: int
    ) -> Port:
        status = "N/A" if owner == "network:floatingip" else "ACTIVE"
        port = Port(
            self.dice.uuid(), "", network, project, self.dice.mac(), status, device, owner,
            [(subnet, ip)], (), host, made, made + 1, security=False,
        )  # fmt: skip
        return self.state.ports.add(port)

    def _next_subnet(self, net: TenantNet, stem: str, made: int) -> Subnet:
        number = len(net.subnets if stem == "app" else net.storage) + 1
        name = f"{net.project.name}-{stem}" + (f"-{number}" if number > 1 else "")
        network = self._network(name, net.project.id, made, description=f"{stem} tier")
        high, low = divmod(self._blocks, 256)
        self._blocks += 1
        subnet = self._subnet(network, f"{name}-v4", f"10.{high}.{low}.0/24", made)
        if stem == "app" and net.router:
            self._infrastructure(
                network, net.project.id, net.router.id, "network:router_interface",
                subnet.id, subnet.gateway or "", "net-1", made,
            )  # fmt: skip
        if stem == "app":
            net.subnets.append(subnet)
        else:
            subnet.gateway = None
            net.storage.append(subnet)
        base = subnet.base.rsplit(".", 1)[0]
        self._infrastructure(
            network, net.project.id, f"dhcp{self.dice.uuid()}", "network:dhcp", subnet.id, f"{base}.2", "net-1", made
        )
        return subnet

    def subnet_for(self, net: TenantNet, stem: str, made: int) -> Subnet:
        subnets = net.subnets if stem == "app" else net.storage
        if not subnets or subnets[-1].next_host >= 10 + PER_NETWORK:
            return self._next_subnet(net, stem, min(made, self.state.now()))
        return subnets[-1]

    def plug(self, net: TenantNet, subnet: Subnet, groups: tuple[str, ...], made: int, **more: object) -> Port:
        """A port with an address on the subnet, not yet of any machine."""
        port = Port(
            self.dice.uuid(), str(more.get("name", "")), subnet.network, net.project.id, self.dice.mac(), "DOWN",
            "", "", [(subnet.id, subnet.address())], groups, "", made, made + 4,
        )  # fmt: skip
        return self.state.ports.add(port)

    def float(self, net: TenantNet, port: Port | None, made: int) -> FloatingIp | None:
        """A floating IP, to the port if there is one; None when the pool is used up."""
        if self.public_subnet.next_host > self.public_subnet.size:
            return None
        ip = self.public_subnet.address()
        floating = FloatingIp(
            self.dice.uuid(), net.project.id, self.public, ip, net.router.id if port and net.router else None, port,
            "ACTIVE" if port else "DOWN", made, made + 2,
        )  # fmt: skip
        if port:
            port.floating = floating
        self.state.floating_ips.add(floating)
        self._infrastructure(self.public, "", floating.id, "network:floatingip", self.public_subnet.id, ip, "", made)
        return floating
