"""What people call the states of things, as conditions: data, one table for each entity."""

from __future__ import annotations

from copilot.model.declaration import State
from copilot.model.state_words import DISTROS, ERROR_WORDS, PORTS, TO_WORLD, UNUSED_WORDS, WORLD_WORDS
from copilot.query import All, AnyOf, Condition, Not, Related, Test


def _is(column: str, *values: str | bool | int) -> Condition:
    return Test(column, "=", values)


def _any(column: str) -> Condition:
    return Test(column, "any")


def _none(column: str) -> Condition:
    return Test(column, "none")


def _has(column: str, text: str) -> Condition:
    return Test(column, "contains", (text,))


def _opens(port: int) -> Condition:
    return All((Test("port_range_min", "<=", (port,)), Test("port_range_max", ">=", (port,))))


WORLD = AnyOf(
    (_is("remote_ip_prefix", "0.0.0.0/0", "::/0"), All((_none("remote_ip_prefix"), _none("remote_group_id"))))
)
OPEN = All((_is("direction", "ingress"), WORLD))


_UP = State(
    ("up", "up and running", "up and healthy", "alive", "online", "running", "healthy", "reachable", "working"),
    _is("state", "up"),
    "up",
)
_DOWN = State(
    (
        "down",
        "dead",
        "offline",
        "unreachable",
        "not running",
        "unhealthy",
        "not working",
        "crashed",
        "not responding",
        "gone down",
        "went down",
        "went offline",
        "gone offline",
        "in error",
        "failed",
        "broken",
        "faulty",
    ),
    Not(_is("state", "up")),
    "down",
)
_ENABLED = State(("enabled", "in service", "schedulable"), _is("status", "enabled"), "enabled")
_DISABLED = State(
    (
        "disabled",
        "in maintenance",
        "maintenance",
        "under maintenance",
        "out of service",
        "in maintenance mode",
        "scheduling disabled",
        "disabled for scheduling",
        "unschedulable",
        "not schedulable",
        "cordoned",
        "drained",
        "out of rotation",
        "taken out of service",
        "not enabled",
    ),
    _is("status", "disabled"),
    "disabled",
)
_ON = State(("enabled", "active"), _is("enabled", True), "enabled")
_OFF = State(
    ("disabled", "inactive", "deactivated", "locked out", "locked", "blocked", "turned off", "switched off"),
    _is("enabled", False),
    "disabled",
)
_NET = (
    State(("active", "up", "working", "online"), _is("status", "ACTIVE"), "active"),
    State(("down", "inactive", "offline"), _is("status", "DOWN"), "down"),
    State(ERROR_WORDS, _is("status", "ERROR"), "in error"),
    State(("building", "in build", "build"), _is("status", "BUILD"), "being built"),
)

_CORES = tuple(
    State(
        (f"{word} core", f"{word} cpu", f"{word} vcpu", f"{word} core cpu", f"{word} cored"),
        Test("vcpus", "=", (number,)),
        f"with {number} vCPUs" if number > 1 else "with one vCPU",
    )
    for word, number in (("single", 1), ("dual", 2), ("quad", 4), ("octa", 8))
)

STATES: dict[str, tuple[State, ...]] = {
    "server": (
        *_CORES,
        State(
            ("active", "running", "up", "powered on", "turned on", "switched on", "poweredon", "power on", "started",
             "online", "alive", "live", "on", "up and running", "working"),
            _is("status", "ACTIVE"), "running",
        ),
        State(
            ("shutoff", "shut off", "stopped", "powered off", "turned off", "switched off", "poweredoff",
                "power off", "off",
             "down", "shutdown", "shut down", "offline", "halted", "gone down", "went down", "turned of",
                 "powered of", "powered down",
                 "stoped"),
            _is("status", "SHUTOFF"), "stopped",
        ),
        State(ERROR_WORDS, _is("status", "ERROR"), "in error"),
        State(("paused", "on pause"), _is("status", "PAUSED"), "paused"),
        State(("suspended", "in suspend", "hibernated"), _is("status", "SUSPENDED"), "suspended"),
        State(("building", "in build", "build", "spawning", "being built", "being created"), _is("status", "BUILD"),
            "being built"),
        State(("shelved", "parked"), _is("status", "SHELVED", "SHELVED_OFFLOADED"), "shelved"),
        State(("offloaded", "shelved offloaded"), _is("status", "SHELVED_OFFLOADED"), "shelved and offloaded"),
        State(("waiting for confirmation", "verify resize", "resized"), _is("status", "VERIFY_RESIZE"),
            "waiting for a resize to be confirmed"),
        State(("rescued", "in rescue", "in rescue mode", "rescue"), _is("status", "RESCUE"), "in rescue mode"),
        State(("rebooting", "restarting"), _is("status", "REBOOT", "HARD_REBOOT"), "rebooting"),
        State(("migrating", "in migration"), _is("status", "MIGRATING"), "migrating"),
        State(("unhealthy", "problematic", "in trouble", "not healthy", "unwell", "sick"),
              _is("status", "ERROR", "SHUTOFF", "SUSPENDED", "PAUSED"), "in trouble"),
        State(("locked",), _is("locked", True), "locked"),
        State(("unlocked", "not locked"), Not(_is("locked", True)), "not locked"),
        State(("booted from volume", "boot from volume", "booting from volume", "volume backed",
            "booted from a volume",
               "boot from a volume", "volume booted", "bfv", "boots from volume", "boots from a volume",
                   "boot from disk",
               "booted from cinder", "boot off volume", "boot from volumes", "booting from a volume"),
              _none("image_id"), "booted from a volume"),
        State(("booted from image", "boot from image", "booting from image", "image backed", "booted from an image",
            "image booted",
               "boot from an image", "boots from image", "boots from an image", "local disk", "ephemeral",
                   "boot from images",
               "ephemeral disk"),
              _any("image_id"), "booted from an image"),
        State(("stuck", "in transition", "with a task", "busy", "in progress"), _any("task_state"),
            "with a task in progress"),
        State(("protected",), Related("volume", _is("protected", True)), "protected"),
        State(("unprotected", "not protected"), Not(Related("volume", _is("protected", True))), "not protected"),
        State(WORLD_WORDS,
              Related("port", Related("security_group", Related("security_group_rule", OPEN))), "open to the world"),
        *(State(tuple(f"{said} {to}" for said in (name, f"port {port}") for to in (*WORLD_WORDS, *TO_WORLD)),
                Related("port", Related("security_group", Related("security_group_rule", All((OPEN, _opens(port)))))),
                f"with {name} open to the world")
          for name, port in PORTS),
        *(State((name, f"{name} based"), _has("boot_image_name", name.split()[0]),
            name.capitalize()) for name in DISTROS),
    ),
    "hypervisor": (
        _UP, _DOWN, _ENABLED, _DISABLED,
        State(("empty", "idle", "unused", "without load", "where nothing runs", "with nothing running",
            "with nothing on",
               "running nothing", "that run nothing", "with nothing on it", "with nothing on them", "nothing runs on",
               "without anything running", "without anything on it", "where nothing is running", "not used", "vacant",
               "doing nothing", "that do nothing", "without workload", "without workloads", "without any workload"),
              Not(Related("server")), "empty"),
        State(("kvm", "qemu"), _is("hypervisor_type", "QEMU", "KVM"), "KVM"),
    ),
    "compute_service": (_UP, _DOWN, _ENABLED, _DISABLED),
    "volume_service": (_UP, _DOWN, _ENABLED, _DISABLED),
    "network_agent": (_UP, _DOWN, *(
        State((f"{kind} agent", ("metadata agents" if kind == "metadata" else kind)), _has("agent_type", kind),
            kind.upper())
        for kind in ("l3", "dhcp", "metadata", "ovn", "open vswitch")
    )),
    "storage_pool": (_UP, _DOWN),
    "volume": (
        State(("in use", "status in use", "state in use", "in state in use", "in status in use", "with status in use",
               "with state in use"), _is("status", "in-use"), "in use"),
        State(("attached", "mounted", "connected", "used", "assigned", "plugged in", "in use by any server",
            "in use by a server",
               "in use by any vm", "in use by a vm", "attached to any vm", "attached to any server",
                   "attached to a vm",
               "attached to a server", "attached to anything", "attached to something"), _any("server_ids"),
                   "attached"),
        State(("unattached", "detached", "not attached", "wasted", "is wasted", "free", "unmounted", "dangling",
            "loose", "spare",
            "floating around",
               "attached to nothing", "attached to no vm", "attached to no server", "not mounted", "not connected",
                   "unassigned",
               "attached to none", "attached nowhere", "without attachment", "unatached", "not attached to anything",
               "not attached to any vm", "not attached to any server", "not attached to a vm",
                   "not attached to a server",
               *UNUSED_WORDS),
              _none("server_ids"), "unattached"),
        State(("available",), _is("status", "available"), "available"),
        State(ERROR_WORDS, _has("status", "error"), "in error"),
        State(("creating", "being created"), _is("status", "creating"), "being created"),
        State(("deleting", "being deleted"), _is("status", "deleting"), "being deleted"),
        State(("stuck", "in transition", "busy", "in progress", "in between"),
              _is("status", "creating", "deleting", "attaching", "detaching", "extending", "downloading", "uploading",
                  "retyping", "backing-up", "restoring-backup", "maintenance"), "in transition"),
        State(("reserved",), _is("status", "reserved"), "reserved"),
        State(("bootable", "boot", "root", "system"), _is("bootable", True), "bootable"),
        State(("data", "not bootable", "non bootable"), Not(_is("bootable", True)), "data"),
        State(("encrypted",), _is("encrypted", True), "encrypted"),
        State(("unencrypted", "not encrypted", "plain"), Not(_is("encrypted", True)), "not encrypted"),
        State(("multiattach", "multi attach", "shared", "multi attached"), _is("multiattach", True), "multi-attach"),
        State(("protected", "covered"), _is("protected", True), "protected"),
        State(("unprotected", "not protected", "not covered", "uncovered"), Not(_is("protected", True)),
            "not protected"),
        State(("created from a snapshot", "created from snapshot", "created from snapshots", "made from a snapshot",
               "made from snapshots", "restored from a snapshot", "restored from snapshots", "from a snapshot",
                   "from snapshots",
               "based on a snapshot", "based on snapshots"), _any("snapshot_id"), "made from a snapshot"),
        State(("cloned", "clones", "cloned from a volume", "created from a volume", "created from another volume",
               "cloned from another volume", "created from volumes"), _any("source_volid"), "cloned from a volume"),
        State(("created from an image", "created from images", "made from an image", "made from images",
            "from an image",
               "based on an image", "based on images"), _any("image_id"), "made from an image"),
        State(("backed up",), Related("backup"), "backed up"),
        State(("not backed up", "never backed up"), Not(Related("backup")), "without a backup"),
        State(("snapshotted", "snapshoted"), Related("snapshot"), "with a snapshot"),
        State(("not snapshotted", "never snapshotted", "unsnapshotted"),
            Not(Related("snapshot")), "without a snapshot"),
    ),
    "snapshot": (
        State(("available", "ready", "usable", "good", "ok"), _is("status", "available"), "available"),
        State(ERROR_WORDS, _has("status", "error"), "in error"),
        State(("creating", "being created"), _is("status", "creating"), "being created"),
        State(("orphan", "orphaned"), Not(Related("volume")), "without a volume"),
    ),
    "backup": (
        State(("available", "ready", "usable", "good", "ok"), _is("status", "available"), "available"),
        State(ERROR_WORDS, _has("status", "error"), "in error"),
        State(("creating", "being created"), _is("status", "creating"), "being created"),
        State(("incremental",), _is("is_incremental", True), "incremental"),
        State(("full",), Not(_is("is_incremental", True)), "full"),
    ),
    "image": (
        State(("active", "ready", "usable"), _is("status", "active"), "active"),
        State(("queued",), _is("status", "queued"), "queued"),
        State(("deactivated", "inactive"), _is("status", "deactivated"), "deactivated"),
        State(("public",), _is("visibility", "public"), "public"),
        State(("private",), _is("visibility", "private"), "private"),
        State(("shared",), _is("visibility", "shared"), "shared"),
        State(("community",), _is("visibility", "community"), "community"),
        State(("protected",), _is("protected", True), "protected"),
        State(("unprotected", "not protected"), Not(_is("protected", True)), "not protected"),
        State(("hidden",), _is("hidden", True), "hidden"),
        State(UNUSED_WORDS, Not(Related("server")), "not used by any server"),
        State(("used", "in use"), Related("server"), "used by servers"),
        *(State((kind,), _is("disk_format", kind), kind) for kind in ("qcow2", "raw", "iso", "vmdk", "vhd", "vdi",
            "ami")),
        *(State((name,), AnyOf((_has("os_distro", name.split()[0]), _has("name", name.split()[0]))),
            name.capitalize())
          for name in DISTROS),
    ),
    "network": (
        *_NET,
        State(("shared", "shared between projects", "shared between tenants", "shared across projects",
            "shared among projects",
               "shared with all projects", "shared with everyone", "shared with all tenants", "shared across tenants",
               "shared with other projects"),
              _is("shared", True), "shared"),
        State(("external", "public", "provider"), _is("external", True), "external"),
        State(("internal", "private", "not external"), Not(_is("external", True)), "internal"),
        State(("not shared",), Not(_is("shared", True)), "not shared"),
        State(("empty", *UNUSED_WORDS), Not(Related("port")), "without ports"),
        State(("disabled", "admin down"), _is("admin_state_up", False), "administratively down"),
        State(("without port security", "port security disabled", "with port security disabled", "port security off"),
              _is("port_security_enabled", False), "without port security"),
        *(State((kind,), _is("network_type", kind), kind) for kind in ("vxlan", "geneve", "gre", "flat")),
    ),
    "subnet": (
        State(("ipv4", "v4", "ip v4"), _is("ip_version", 4), "IPv4"),
        State(("ipv6", "v6", "ip v6"), _is("ip_version", 6), "IPv6"),
        State(("with dhcp", "dhcp enabled", "dhcp"), _is("enable_dhcp", True), "with DHCP"),
        State(("without dhcp", "no dhcp", "dhcp disabled"), Not(_is("enable_dhcp", True)), "without DHCP"),
    ),
    "port": (
        *_NET,
        State(("attached", "used", "in use", "bound", "plugged"), _any("device_id"), "in use"),
        State(("unattached", "detached", "free", "not attached", "unbound", "unplugged", *UNUSED_WORDS),
            _none("device_id"), "unused"),
        State(("disabled", "admin down"), _is("admin_state_up", False), "administratively down"),
        State(("without port security", "port security disabled"), _is("port_security_enabled", False),
            "without port security"),
        State(("trunk", "router"), _has("device_owner", "router"), "of routers"),
        State(("dhcp",), _is("device_owner", "network:dhcp"), "of DHCP"),
    ),
    "router": (
        *_NET,
        State(("ha", "highly available", "high availability", "redundant"), _is("ha", True), "highly available"),
        State(("distributed", "dvr"), _is("distributed", True), "distributed"),
        State(("without gateway", "without external gateway", "without uplink", "no gateway", "without a gateway",
               "without external network", "without an external gateway", "no external network", "with no gateway",
               "with no external network", "without an external network", "no external gateway",
                   "with no external gateway",
               "without any gateway", "without external connectivity", "without internet", "without internet access",
               "not connected to an external network", "not connected to any external network", "without an uplink"),
              _none("external_network_id"), "without a gateway"),
        State(("with gateway", "with a gateway", "with external gateway", "with an external gateway", "with uplink"),
              _any("external_network_id"), "with a gateway"),
        State(("without snat", "snat disabled"), _is("enable_snat", False), "without SNAT"),
    ),
    "floating_ip": (
        State(("associated", "assigned", "attached", "used", "in use", "bound", "allocated to a server", "taken",
            "mapped", "busy",
               "allocated to a vm"),
              _any("port_id"), "in use"),
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
              _none("port_id"), "unused"),
        State(("active", "up"), _is("status", "ACTIVE"), "active"),
        State(("down",), _is("status", "DOWN"), "down"),
        State(ERROR_WORDS, _is("status", "ERROR"), "in error"),
    ),
    "security_group": (
        State(UNUSED_WORDS, Not(Related("port")), "unused"),
        State(("used", "in use"), Related("port"), "in use"),
        State((*WORLD_WORDS, "too open"),
              Related("security_group_rule", OPEN), "open to the world"),
        *(State(tuple(f"{said} {to}" for said in (name, f"port {port}", str(port), f"{name} port")
                      for to in (*WORLD_WORDS, *TO_WORLD)),
                Related("security_group_rule", All((OPEN, _opens(port)))), f"with {name} open to the world")
          for name, port in PORTS),
        *(State(tuple(f"{verb} {what}" for verb in ("allow", "allows", "allowing", "permit", "permits",
            "that allow", "open for")
                for what in (name, f"{name} access", f"{name} traffic", f"port {port}"))
                + tuple(f"{what} {is_open}" for what in (name, f"port {port}", f"{name} port", str(port))
                    for is_open in ("open", "opened", "allowed", "access", "enabled", "permitted")),
                Related("security_group_rule", All((_is("direction", "ingress"), _opens(port)))),
                    f"that allow {name}")
          for name, port in PORTS),
        *(State(tuple(f"{verb} {what} {to}" for verb in ("allow", "allows", "allowing", "permit", "that allow",
            "open")
                for what in (name, f"{name} access", f"{name} traffic", f"port {port}") for to in TO_WORLD),
                Related("security_group_rule", All((OPEN, _opens(port)))), f"with {name} open to the world")
          for name, port in PORTS),
        State(("without rules", "without rule", "empty"), Not(Related("security_group_rule")), "without rules"),
        State(("shared",), _is("shared", True), "shared"),
        State(("default",), _is("name", "default"), "called default"),
    ),
    "security_group_rule": (
        State(("ingress", "inbound", "incoming"), _is("direction", "ingress"), "ingress"),
        State(("egress", "outbound", "outgoing"), _is("direction", "egress"), "egress"),
        State((*WORLD_WORDS, *TO_WORLD, "allowing everyone", "allow everyone", "that are open", "which are open",
            "too open"),
              OPEN, "open to the world"),
        *(State((name, f"allow {name}", f"port {port}", *(f"{verb} {what}" for what in (f"port {port}", name,
            str(port))
                for verb in ("open", "opens", "opening", "allows", "allowing", "permit", "permitting", "that open",
                    "which open")),
                f"allow port {port}", f"tcp port {port}"), _opens(port), f"for port {port} ({name})")
          for name, port in PORTS),
        State(("allow everything", "that allow everything", "allows everything", "allow all", "allow any",
            "allow any traffic",
               "allow all traffic", "any any"),
              All((_none("protocol"), WORLD)), "that allow everything"),
        State(("tcp",), _is("protocol", "tcp"), "TCP"),
        State(("udp",), _is("protocol", "udp"), "UDP"),
        State(("icmp",), _has("protocol", "icmp"), "ICMP"),
        State(("ipv4", "v4"), _is("ethertype", "IPv4"), "IPv4"),
        State(("ipv6", "v6"), _is("ethertype", "IPv6"), "IPv6"),
    ),
    "user": (_ON, _OFF, State(("without mail", "without email", "without an email"), _none("email"),
        "without a mail address")),
    "project": (
        _ON, _OFF,
        State(("empty", *UNUSED_WORDS), All((Not(Related("server")), Not(Related("volume")))), "empty"),
    ),
    "domain": (_ON, _OFF),
    "service": (_ON, _OFF),
    "endpoint": (
        _ON, _OFF,
        *(State((kind,), _is("interface", kind), kind) for kind in ("public", "internal", "admin")),
    ),
    "flavor": (
        *_CORES,
        State(("public",), _is("is_public", True), "public"),
        State(("private", "not public"), Not(_is("is_public", True)), "private"),
        State(("disabled",), _is("disabled", True), "disabled"),
        State(UNUSED_WORDS, Not(Related("server")), "not used by any server"),
        State(("used", "in use"), Related("server"), "used by servers"),
    ),
    "keypair": (
        State(UNUSED_WORDS, Not(Related("server")), "not used by any server"),
        State(("used", "in use"), Related("server"), "used by servers"),
    ),
    "volume_type": (
        State(("public",), _is("is_public", True), "public"),
        State(("private",), Not(_is("is_public", True)), "private"),
        State(UNUSED_WORDS, Not(Related("volume")), "not used by any volume"),
        State(("used", "in use"), Related("volume"), "used by volumes"),
    ),
    "server_group": (
        State(("anti affinity", "antiaffinity", "soft anti affinity"), _has("policy", "anti-affinity"),
            "with anti-affinity"),
        State(("affinity",), _is("policy", "affinity", "soft-affinity"), "with affinity"),
        State(("empty",), Test("member_count", "=", (0,)), "empty"),
    ),
    "aggregate": (State(("empty",), Test("host_count", "=", (0,)), "empty"),),
    "availability_zone": (
        State(("available",), _is("available", True), "available"),
        State(("unavailable", "not available"), Not(_is("available", True)), "not available"),
    ),
    "trunk": _NET,
    "role": (
        State((*UNUSED_WORDS, "unassigned", "not assigned"), Not(Related("role_assignment")),
            "not granted to anybody"),
        State(("used", "in use", "assigned", "granted"), Related("role_assignment"), "granted to somebody"),
    ),
    "role_assignment": (State(("inherited",), _is("inherited", True), "inherited"),),
    "quota": (
        State(("full", "exhausted", "used up", "at the limit", "maxed out", "reached", "exceeded", "over the limit",
            "over limit", "over quota", "hit", "at its limit", "at their limit", "completely used"),
                Test("fullest_percent",
            ">=", (100,)), "used up"),
        State(("almost full", "nearly full", "nearly exhausted", "close to the limit", "tight", "almost exhausted",
               "running out", "near the limit"),
              Test("fullest_percent", ">=", (90,)), "at 90 % or more"),
    ),
    "cinder_message": (State(ERROR_WORDS, _is("message_level", "ERROR"), "errors"),),
    "volume_attachment": (State(("attached",), _is("status", "attached"), "attached"),),
}  # fmt: skip
