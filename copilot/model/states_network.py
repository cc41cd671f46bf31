"""What people call the states of networks and what belongs to them. See `copilot.model.states`."""

from __future__ import annotations

from copilot.model.conditions import OPEN, WORLD, any_, has, is_, none, opens
from copilot.model.declaration import State
from copilot.model.state_words import (
    DOWN,
    ERROR_WORDS,
    EVERYTHING_WORDS,
    PORTS,
    TO_WORLD,
    UNUSED_WORDS,
    UP,
    WORLD_WORDS,
)
from copilot.query import All, Not, Related

_NET = (
    State(("active", "up", "working", "online"), is_("status", "ACTIVE"), "active"),
    State(("down", "inactive", "offline"), is_("status", "DOWN"), "down"),
    State(ERROR_WORDS, is_("status", "ERROR"), "in error"),
    State(("building", "in build", "build"), is_("status", "BUILD"), "being built"),
)


NETWORK_STATES: dict[str, tuple[State, ...]] = {
    "network_agent": (State(UP, is_("state", "up"), "up"), State(DOWN, Not(is_("state", "up")), "down"),
        State(("disabled", "admin down", "administratively down"), is_("admin_state_up", False), "disabled"),
        State(("enabled", "admin up", "administratively up"), is_("admin_state_up", True), "enabled"), *(
        State((f"{kind} agent", ("metadata agents" if kind == "metadata" else kind)), has("agent_type", kind),
            kind.upper())
        for kind in ("l3", "dhcp", "metadata", "ovn", "open vswitch")
    )),
    "network": (
        *_NET,
        State(("shared", "shared between projects", "shared between tenants", "shared across projects",
            "shared among projects",
               "shared with all projects", "shared with everyone", "shared with all tenants", "shared across tenants",
               "shared with other projects"),
              is_("shared", True), "shared"),
        State(("external", "public", "provider"), is_("external", True), "external"),
        State(("internal", "private", "not external"), Not(is_("external", True)), "internal"),
        State(("not shared",), Not(is_("shared", True)), "not shared"),
        State(("empty", *UNUSED_WORDS), Not(Related("port")), "without ports"),
        State(("with dhcp", "dhcp enabled", "dhcp"), Related("subnet", is_("enable_dhcp", True)), "with DHCP"),
        State(("without dhcp", "dhcp disabled", "no dhcp"), Not(Related("subnet", is_("enable_dhcp", True))),
              "without DHCP"),
        State(("disabled", "admin down"), is_("admin_state_up", False), "administratively down"),
        State(("without port security", "port security disabled", "with port security disabled", "port security off"),
              is_("port_security_enabled", False), "without port security"),
        *(State((kind,), is_("network_type", kind), kind) for kind in ("vxlan", "geneve", "gre", "flat")),
    ),
    "subnet": (
        State(("ipv4", "v4", "ip v4"), is_("ip_version", 4), "IPv4"),
        State(("ipv6", "v6", "ip v6"), is_("ip_version", 6), "IPv6"),
        State(("with dhcp", "dhcp enabled", "dhcp"), is_("enable_dhcp", True), "with DHCP"),
        State(("without dhcp", "no dhcp", "dhcp disabled"), Not(is_("enable_dhcp", True)), "without DHCP"),
    ),
    "port": (
        *_NET,
        State(("attached", "used", "in use", "bound", "plugged"), any_("device_id"), "in use"),
        State(("unattached", "detached", "free", "not attached", "unbound", "unplugged", *UNUSED_WORDS),
            none("device_id"), "unused"),
        State(("disabled", "admin down"), is_("admin_state_up", False), "administratively down"),
        State(("without port security", "port security disabled"), is_("port_security_enabled", False),
            "without port security"),
        State(("trunk", "router"), has("device_owner", "router"), "of routers"),
        State(("dhcp",), is_("device_owner", "network:dhcp"), "of DHCP"),
    ),
    "router": (
        *_NET,
        State(("ha", "highly available", "high availability", "redundant"), is_("ha", True), "highly available"),
        State(("distributed", "dvr"), is_("distributed", True), "distributed"),
        State(("without gateway", "without external gateway", "without uplink", "no gateway", "without a gateway",
               "without external network", "without an external gateway", "no external network", "with no gateway",
               "with no external network", "without an external network", "no external gateway",
                   "with no external gateway",
               "without any gateway", "without external connectivity", "without internet", "without internet access",
               "not connected to an external network", "not connected to any external network", "without an uplink"),
              none("external_network_id"), "without a gateway"),
        State(("with gateway", "with a gateway", "with external gateway", "with an external gateway", "with uplink"),
              any_("external_network_id"), "with a gateway"),
        State(("without snat", "snat disabled"), is_("enable_snat", False), "without SNAT"),
    ),
    "floating_ip": (
        State(("associated", "assigned", "attached", "used", "in use", "bound", "allocated to a server", "taken",
            "mapped", "busy",
               "allocated to a vm"),
              any_("port_id"), "in use"),
        State(("unassociated", "unassigned", "unattached", "detached", "free", "available", "wasted",
            "not associated",
            "not assigned", "spare",
               "not attached", "dangling", "unbound", "not attached to a vm", "not attached to any vm",
                   "not attached to anything",
                "not attached to a server", "not attached to any server", "not assigned to a vm",
                    "not assigned to anything",
                "without port", "without server", "not mapped",
                   "disassociated", "unatached",
               *UNUSED_WORDS),
              none("port_id"), "unused"),
        State(("active", "up"), is_("status", "ACTIVE"), "active"),
        State(("down",), is_("status", "DOWN"), "down"),
        State(ERROR_WORDS, is_("status", "ERROR"), "in error"),
    ),
    "security_group": (
        State(UNUSED_WORDS, Not(Related("port")), "unused"),
        State(("used", "in use"), Related("port"), "in use"),
        State((*WORLD_WORDS, "too open"),
              Related("security_group_rule", OPEN), "open to the world"),
        *(State(tuple(f"{said} {to}" for said in (name, f"port {port}", str(port), f"{name} port")
                      for to in (*WORLD_WORDS, *TO_WORLD)),
                Related("security_group_rule", All((OPEN, opens(port)))), f"with {name} open to the world")
          for name, port in PORTS),
        *(State(tuple(f"{verb} {what}" for verb in ("allow", "allows", "allowing", "permit", "permits",
            "that allow", "open for")
                for what in (name, f"{name} access", f"{name} traffic", f"port {port}"))
                + tuple(f"{what} {is_open}" for what in (name, f"port {port}", f"{name} port", str(port))
                    for is_open in ("open", "opened", "allowed", "access", "enabled", "permitted")),
                Related("security_group_rule", All((is_("direction", "ingress"), opens(port)))),
                    f"that allow {name}")
          for name, port in PORTS),
        *(State(tuple(f"{verb} {what} {to}" for verb in ("allow", "allows", "allowing", "permit", "that allow",
            "open")
                for what in (name, f"{name} access", f"{name} traffic", f"port {port}") for to in TO_WORLD),
                Related("security_group_rule", All((OPEN, opens(port)))), f"with {name} open to the world")
          for name, port in PORTS),
        State(EVERYTHING_WORDS, Related("security_group_rule", All((OPEN, none("protocol")))), "that allow everything"),
        State(("without rules", "without rule", "empty"), Not(Related("security_group_rule")), "without rules"),
        State(("shared",), is_("shared", True), "shared"),
        State(("default",), is_("name", "default"), "called default"),
    ),
    "security_group_rule": (
        State(("ingress", "inbound", "incoming"), is_("direction", "ingress"), "ingress"),
        State(("egress", "outbound", "outgoing"), is_("direction", "egress"), "egress"),
        State((*WORLD_WORDS, *TO_WORLD, "allowing everyone", "allow everyone", "too open"),
              OPEN, "open to the world"),
        *(State((name, f"allow {name}", f"port {port}", *(f"{verb} {what}" for what in (f"port {port}", name,
            str(port))
                for verb in ("open", "opens", "opening", "allows", "allowing", "permit", "permitting", "that open",
                    "which open")),
                f"allow port {port}", f"tcp port {port}"), opens(port), f"for port {port} ({name})")
          for name, port in PORTS),
        State((*EVERYTHING_WORDS, "allow all", "allow any", "any any"),
              All((none("protocol"), WORLD)), "that allow everything"),
        State(("tcp",), is_("protocol", "tcp"), "TCP"),
        State(("udp",), is_("protocol", "udp"), "UDP"),
        State(("icmp",), has("protocol", "icmp"), "ICMP"),
        State(("ipv4", "v4"), is_("ethertype", "IPv4"), "IPv4"),
        State(("ipv6", "v6"), is_("ethertype", "IPv6"), "IPv6"),
    ),
    "trunk": _NET,
}  # fmt: skip
