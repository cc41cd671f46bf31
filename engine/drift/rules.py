"""What is drift: the 24 documented rules, and those for what they miss. Declarations only; engine/drift/watching.py
makes SQL of them, engine/drift/reference.py the page docs/drift.md.

`field` is the documented word where there is one. What NULL means is stated per rule: usually a first assignment (NULL
to a value) is no drift and losing a value is; `first` tells the first one too; `unseen` takes NULL for "was not to be
had". Values that are only the way from one state to the next (`passing`) are looked through: a machine that was ACTIVE,
then RESIZE, then ACTIVE has not drifted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["changed", "created", "deleted", "unseen"]
Severity = Literal["critical", "warning", "info"]
SEVERITIES: tuple[Severity, ...] = ("critical", "warning", "info")
DOCUMENTED = 24  # rules with numbers up to here are the documented ones


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule.

    number       what the API calls `id`; never given to another rule
    type, field  what is watched
    columns      columns of the type that make the value; several are compared together
    grave        SQL condition over the version `v` under which its events are critical
    names        type of the resource whose id the value is, so that a name can be shown
    state        moves by itself: see store.estate.drift_models.Watch
    only_hidden  looks only where this column is hidden from the token
    """

    number: int
    type: str
    field: str
    severity: Severity
    name: str
    description: str
    columns: tuple[str, ...] = ()
    kind: Kind = "changed"
    grave: str = ""
    passing: tuple[str, ...] = ()
    first: bool = False
    unseen: bool = False
    state: bool = False
    names: str = ""
    only_hidden: str = ""

    @property
    def documented(self) -> bool:
        """Whether it is one of the 24."""
        return self.number <= DOCUMENTED


# Not states, but the way from one to the next.
SERVER_PASSING = ("build", "reboot", "hard_reboot", "resize", "revert_resize", "migrating", "password", "rebuild")
VM_PASSING = ("building",)
VOLUME_PASSING = (
    "creating", "attaching", "detaching", "extending", "retyping", "deleting", "downloading", "uploading", "reserved",
    "backing-up", "restoring-backup", "awaiting-transfer", "managing", "unmanaging", "maintenance",
)  # fmt: skip
SNAPSHOT_PASSING = ("creating", "deleting", "updating", "backing-up", "unmanaging", "restoring")
PORT_PASSING = ("build",)
IMAGE_PASSING = ("queued", "saving", "importing", "uploading", "pending_delete")

_FLAVOR = ("flavor_name", "vcpus", "ram_mb", "flavor_disk_gb", "ephemeral_gb", "swap_mb", "flavor_extra_specs")
_OPEN = "v.remote_group_id IS NULL AND coalesce(v.remote_ip_prefix, '0.0.0.0/0') IN ('0.0.0.0/0', '::/0')"
_ENTERS = "v.direction = 'ingress' AND v.remote_address_group_id IS NULL AND " + _OPEN

_DOCUMENTED_RULES: tuple[Rule, ...] = (
    Rule(1, "server", "flavor_id", "critical", "Server Flavor Change",
         "Detects when a server's flavor (size) is changed", _FLAVOR, unseen=True),
    Rule(2, "server", "status", "warning", "Server Status Change",
         "Detects when a server's power status changes unexpectedly", ("status",), passing=SERVER_PASSING, state=True),
    Rule(3, "server", "vm_state", "warning", "Server VM State Change",
         "Detects changes to the underlying VM state", ("vm_state",), passing=VM_PASSING, state=True),
    Rule(4, "server", "hypervisor_hostname", "info", "Server Migration Detected",
         "Detects when a server is live-migrated to a different host", ("host",)),
    Rule(5, "server", "host_id", "info", "Server Host Change",
         "Detects a move to another host where the token may not see the host's name", ("host_id",),
         only_hidden="host"),
    Rule(6, "volume", "status", "warning", "Volume Status Change",
         "Detects when a volume's status changes", ("status",), passing=VOLUME_PASSING, state=True),
    Rule(7, "volume", "server_id", "critical", "Volume Attachment Change",
         "Detects when a volume leaves its server or is attached to another one", ("server_ids",), names="server"),
    Rule(8, "volume", "size", "warning", "Volume Size Change",
         "Detects when a volume is extended", ("size_gb",)),
    Rule(9, "volume", "volume_type", "warning", "Volume Type Change",
         "Detects when a volume is retyped", ("volume_type",)),
    Rule(10, "network", "status", "warning", "Network Status Change",
         "Detects when a network's status changes", ("status",), passing=PORT_PASSING, state=True),
    Rule(11, "network", "admin_state_up", "critical", "Network Admin State Change",
         "Detects when a network is switched off or on", ("admin_state_up",)),
    Rule(12, "network", "shared", "critical", "Network Sharing Change",
         "Detects when a network is shared with all projects, or no longer", ("shared",)),
    Rule(13, "port", "device_id", "warning", "Port Attachment Change",
         "Detects when a port leaves its device or is given to another one", ("device_id",), names="server"),
    Rule(14, "port", "status", "info", "Port Status Change",
         "Detects when a port's status changes", ("status",), passing=PORT_PASSING, state=True),
    Rule(15, "port", "mac_address", "critical", "Port MAC Address Change",
         "Detects when a port's MAC address changes, as in spoofing", ("mac_address",)),
    Rule(16, "floating_ip", "port_id", "warning", "Floating IP Reassigned",
         "Detects when a floating IP leaves its port or is given to another one", ("port_id",), names="port"),
    Rule(17, "floating_ip", "router_id", "warning", "Floating IP Router Change",
         "Detects when a floating IP is served by another router", ("router_id",), names="router"),
    Rule(18, "floating_ip", "status", "info", "Floating IP Status Change",
         "Detects when a floating IP's status changes", ("status",), state=True),
    Rule(19, "security_group", "description", "info", "Security Group Description Change",
         "Detects when a security group's description changes", ("description",)),
    Rule(20, "snapshot", "status", "warning", "Snapshot Status Change",
         "Detects when a snapshot's status changes", ("status",), passing=SNAPSHOT_PASSING, state=True),
    Rule(21, "snapshot", "size", "info", "Snapshot Size Change",
         "Detects when a snapshot's size changes", ("size_gb",)),
    Rule(22, "subnet", "gateway_ip", "critical", "Subnet Gateway Change",
         "Detects when a subnet's gateway changes, is taken away or set", ("gateway_ip",), first=True),
    Rule(23, "subnet", "cidr", "critical", "Subnet CIDR Change",
         "Detects when a subnet's address range changes", ("cidr",)),
    Rule(24, "subnet", "enable_dhcp", "warning", "Subnet DHCP Change",
         "Detects when DHCP of a subnet is switched off or on", ("enable_dhcp",)),
)  # fmt: skip

_MORE_RULES: tuple[Rule, ...] = (
    # Servers
    Rule(101, "server", "metadata", "info", "Server Metadata Change",
         "Detects when a server's metadata change", ("metadata",), first=True),
    Rule(102, "server", "name", "info", "Server Renamed", "Detects when a server gets another name", ("name",)),
    Rule(103, "server", "existence", "warning", "Server Deleted", "Detects when a server is gone", kind="deleted"),
    # Volumes, snapshots, images
    Rule(110, "volume", "existence", "warning", "Volume Deleted", "Detects when a volume is gone", kind="deleted"),
    Rule(111, "snapshot", "existence", "info", "Snapshot Deleted", "Detects when a snapshot is gone", kind="deleted"),
    Rule(112, "image", "status", "warning", "Image Status Change",
         "Detects when an image can no longer be used", ("status",), passing=IMAGE_PASSING, state=True),
    Rule(113, "image", "visibility", "critical", "Image Visibility Change",
         "Detects when an image is shown to others, or no longer", ("visibility",)),
    Rule(114, "image", "checksum", "critical", "Image Content Change",
         "Detects when an image has other bytes than before", ("checksum",)),
    Rule(115, "image", "protected", "warning", "Image Protection Change",
         "Detects when an image may be deleted now, or no longer", ("protected",)),
    Rule(116, "image", "requirements", "info", "Image Requirements Change",
         "Detects when an image asks for another disk or memory size", ("min_disk_gb", "min_ram_mb")),
    Rule(117, "image", "existence", "warning", "Image Deleted", "Detects when an image is gone", kind="deleted"),
    # Networks
    Rule(120, "network", "external", "critical", "Network External Change",
         "Detects when a network becomes external, or no longer is", ("external",)),
    Rule(121, "network", "port_security_enabled", "critical", "Network Port Security Change",
         "Detects when new ports of a network go unfiltered", ("port_security_enabled",)),
    Rule(122, "network", "mtu", "warning", "Network MTU Change", "Detects when a network's MTU changes", ("mtu",)),
    Rule(123, "network", "segment", "critical", "Network Segment Change",
         "Detects when a network lies on another segment",
         ("network_type", "physical_network", "segmentation_id"), unseen=True),
    Rule(124, "network", "existence", "warning", "Network Deleted", "Detects when a network is gone", kind="deleted"),
    Rule(125, "network", "revision_number", "info", "Network Changed and Back",
         "Detects writes between two listings that left nothing to see", kind="unseen"),
    Rule(130, "subnet", "dns_nameservers", "warning", "Subnet DNS Change",
         "Detects when a subnet hands out other name servers", ("dns_nameservers",), first=True),
    Rule(131, "subnet", "host_routes", "warning", "Subnet Routes Change",
         "Detects when a subnet hands out other routes", ("host_routes",), first=True),
    Rule(132, "subnet", "allocation_pools", "info", "Subnet Pools Change",
         "Detects when addresses are given from other pools", ("allocation_pools",)),
    Rule(133, "subnet", "existence", "critical", "Subnet Deleted", "Detects when a subnet is gone", kind="deleted"),
    Rule(134, "subnet", "revision_number", "info", "Subnet Changed and Back",
         "Detects writes between two listings that left nothing to see", kind="unseen"),
    # Ports
    Rule(140, "port", "allowed_address_pairs", "critical", "Port Allowed Addresses Change",
         "Detects when a port may send as other addresses", ("allowed_addresses",), first=True),
    Rule(141, "port", "port_security_enabled", "critical", "Port Security Change",
         "Detects when a port is no longer filtered, or is again", ("port_security_enabled",)),
    Rule(142, "port", "security_groups", "warning", "Port Security Groups Change",
         "Detects when a port has other security groups", ("security_group_ids",), first=True),
    Rule(143, "port", "fixed_ips", "warning", "Port Addresses Change",
         "Detects when a port has other addresses", ("fixed_ips",)),
    Rule(144, "port", "admin_state_up", "warning", "Port Admin State Change",
         "Detects when a port is switched off or on", ("admin_state_up",)),
    Rule(145, "port", "revision_number", "info", "Port Changed and Back",
         "Detects writes between two listings that left nothing to see", kind="unseen"),
    # Floating IPs
    Rule(150, "floating_ip", "existence", "info", "Floating IP Released",
         "Detects when a floating IP is gone", kind="deleted"),
    Rule(151, "floating_ip", "revision_number", "info", "Floating IP Changed and Back",
         "Detects writes between two listings that left nothing to see", kind="unseen"),
    # Routers
    Rule(160, "router", "status", "warning", "Router Status Change",
         "Detects when a router's status changes", ("status",), passing=PORT_PASSING, state=True),
    Rule(161, "router", "admin_state_up", "critical", "Router Admin State Change",
         "Detects when a router is switched off or on", ("admin_state_up",)),
    Rule(162, "router", "external_network", "critical", "Router Gateway Change",
         "Detects when a router's external network changes or is taken away", ("external_network_id",),
         names="network"),
    Rule(163, "router", "external_ips", "warning", "Router Gateway Address Change",
         "Detects when a router speaks to the outside from another address", ("external_ips",)),
    Rule(164, "router", "enable_snat", "warning", "Router SNAT Change",
         "Detects when address translation is switched off or on", ("enable_snat",)),
    Rule(165, "router", "routes", "critical", "Router Routes Change",
         "Detects when a router has other static routes", ("routes",), first=True),
    Rule(166, "router", "existence", "critical", "Router Deleted", "Detects when a router is gone", kind="deleted"),
    # Security groups
    Rule(170, "security_group", "stateful", "critical", "Security Group Stateful Change",
         "Detects when a group no longer keeps state, or does again", ("stateful",)),
    Rule(171, "security_group", "existence", "warning", "Security Group Deleted",
         "Detects when a security group is gone", kind="deleted"),
    Rule(172, "security_group_rule", "existence", "warning", "Security Group Rule Added",
         "Detects a new rule; critical when it lets everybody in", kind="created", grave=_ENTERS),
    Rule(173, "security_group_rule", "existence", "warning", "Security Group Rule Removed",
         "Detects that a rule is gone", kind="deleted"),
    # Flavors
    Rule(180, "flavor", "size", "critical", "Flavor Definition Change",
         "Detects a flavor that was made anew under its id with another size",
         ("vcpus", "ram_mb", "disk_gb", "ephemeral_gb", "swap_mb")),
    Rule(181, "flavor", "extra_specs", "warning", "Flavor Extra Specs Change",
         "Detects when a flavor's extra specs change", ("extra_specs",), first=True),
    Rule(182, "flavor", "is_public", "warning", "Flavor Access Change",
         "Detects when a flavor is offered to all projects, or no longer", ("is_public",)),
    Rule(183, "flavor", "existence", "warning", "Flavor Deleted", "Detects when a flavor is gone", kind="deleted"),
    # Access
    Rule(190, "role_assignment", "existence", "warning", "Role Granted",
         "Detects a new role assignment; critical for an administrator's role", kind="created",
         grave="lower(v.role_name) = 'admin'"),
    Rule(191, "role_assignment", "existence", "warning", "Role Revoked",
         "Detects that a role assignment is gone", kind="deleted"),
)  # fmt: skip

_QUOTAS = (
    ("instances", "servers"), ("cores", "vCPU"), ("ram_mb", "memory"), ("server_groups", "server groups"),
    ("volumes", "volumes"), ("gigabytes", "volume space"), ("snapshots", "snapshots"), ("backups", "backups"),
    ("backup_gigabytes", "backup space"), ("networks", "networks"), ("subnets", "subnets"), ("ports", "ports"),
    ("routers", "routers"), ("floating_ips", "floating IPs"), ("security_groups", "security groups"),
    ("security_group_rules", "security group rules"),
)  # fmt: skip

# A service that did not answer leaves its limits out of the document.
_QUOTA_RULES = tuple(
    Rule(201 + index, "quota", f"{name}_limit", "warning", f"Quota Change: {words}",
         f"Detects when the limit of {words} changes", (f"{name}_limit",), unseen=True)
    for index, (name, words) in enumerate(_QUOTAS)
)  # fmt: skip

RULES: dict[int, Rule] = {rule.number: rule for rule in (*_DOCUMENTED_RULES, *_MORE_RULES, *_QUOTA_RULES)}
TYPES: tuple[str, ...] = tuple(dict.fromkeys(rule.type for rule in RULES.values()))
