"""What can cause which field to change: Nova's instance actions, and requests to a cloud's services. Pure tables.

An action is a candidate for an event only when it can bring about its very value: `stop` explains SHUTOFF, not ACTIVE.
What Nova does not record (rename, metadata, tags, security groups) is in no table of actions, and stays unknown.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Effect = tuple[str, str, tuple[str, ...]]  # type, field, lower-cased values; () = any value

_HOST: tuple[Effect, ...] = (("server", "hypervisor_hostname", ()), ("server", "host_id", ()))
_FLAVOR: tuple[Effect, ...] = (("server", "flavor_id", ()),)
_PORT: tuple[Effect, ...] = (("port", "status", ()),)
_FLOATING: tuple[Effect, ...] = tuple(("floating_ip", field, ()) for field in ("port_id", "router_id", "status"))
_LINKED: tuple[Effect, ...] = (("port", "device_id", ()), *_PORT)


def _state(status: str, vm_state: str) -> tuple[Effect, ...]:
    return (
        ("server", "status", tuple(status.split())),
        ("server", "vm_state", tuple(vm_state.split())),
        *_PORT,
    )


def _volume(*statuses: str) -> tuple[Effect, ...]:
    return (("volume", "server_id", ()), ("volume", "status", statuses))


_RUNS = _state("active", "active")
_EITHER = _state("active shutoff", "active stopped")
_SHELVED = _state("shelved shelved_offloaded", "shelved shelved_offloaded")
_RESIZED = _state("verify_resize active", "resized active")

# Nova's name of an instance action -> what it changes, on the server and on what belongs to it.
NOVA: Mapping[str, tuple[Effect, ...]] = {
    "create": (*_LINKED, *_volume("in-use")),
    "stop": _state("shutoff", "stopped"),
    "start": _RUNS,
    "reboot": _RUNS,
    "pause": _state("paused", "paused"),
    "unpause": _RUNS,
    "suspend": _state("suspended", "suspended"),
    "resume": _RUNS,
    "rescue": _state("rescue", "rescued"),
    "unrescue": _RUNS,
    "shelve": (*_SHELVED, *_HOST),
    "shelveOffload": (*_SHELVED, *_HOST),
    "unshelve": (*_RUNS, *_HOST),
    "resize": (*_FLAVOR, *_RESIZED, *_HOST),
    "migrate": (*_RESIZED, *_HOST),
    "confirmResize": _EITHER,
    "revertResize": (*_FLAVOR, *_EITHER, *_HOST),
    "live-migration": (*_HOST, *_PORT),
    "evacuate": (*_EITHER, *_HOST),
    "rebuild": _EITHER,
    "attach_volume": _volume("in-use"),
    "detach_volume": _volume("available"),
    "swap_volume": _volume("in-use", "available"),
    "extend_volume": (("volume", "size", ()),),
    "attach_interface": _LINKED,
    "detach_interface": (*_LINKED, *_FLOATING),
    "restore": _RUNS,
    "delete": (
        ("server", "existence", ("deleted",)),
        ("server", "status", ("deleted", "soft_deleted")),
        ("server", "vm_state", ("deleted", "soft-delete")),
        ("volume", "existence", ("deleted",)),
        *_volume("available"),
        *_LINKED,
        *_FLOATING,
    ),
}
# Whatever failed may have left a machine broken; and these two are all that an action which failed explains.
_BROKEN: tuple[Effect, ...] = (("server", "status", ("error",)), ("server", "vm_state", ("error",)))
# Nova records them as done by the service that asked it to.
OF_SERVICES = frozenset({"extend_volume"})
# Types of which a server's actions may tell.
TOLD_BY_NOVA = frozenset(effect[0] for effects in NOVA.values() for effect in effects)


def explains(action: str, type: str, field: str, new: str | None, *, failed: bool = False) -> bool:
    """Whether an instance action can have brought that value about. A `failed` one leaves a machine in ERROR only."""
    value = (new or "").lower()
    effects = _BROKEN if failed else (*NOVA.get(action, ()), *(_BROKEN if action in NOVA else ()))
    return any((type, field) == effect[:2] and (not effect[2] or value in effect[2]) for effect in effects)


def is_told(type: str, field: str) -> bool:
    """Whether any instance action can cause a change of the field: else Nova need not be asked."""
    return any((type, field) == effect[:2] for effects in NOVA.values() for effect in effects)


# The body of `POST /servers/{id}/action` -> Nova's name of the action; "" = one that is not recorded.
SERVER_ACTIONS: Mapping[str, str] = {
    "os-stop": "stop", "os-start": "start", "reboot": "reboot", "pause": "pause", "unpause": "unpause",
    "suspend": "suspend", "resume": "resume", "rescue": "rescue", "unrescue": "unrescue", "shelve": "shelve",
    "shelveOffload": "shelveOffload", "unshelve": "unshelve", "resize": "resize", "migrate": "migrate",
    "confirmResize": "confirmResize", "revertResize": "revertResize", "os-migrateLive": "live-migration",
    "evacuate": "evacuate", "rebuild": "rebuild", "restore": "restore", "forceDelete": "delete",
}  # fmt: skip

# Path of a collection -> type; the item's path is "<collection>/<id>".
COLLECTIONS: Mapping[tuple[str, str], str] = {
    ("compute", "servers"): "server", ("compute", "flavors"): "flavor", ("compute", "os-quota-sets"): "quota",
    ("block-storage", "volumes"): "volume", ("block-storage", "snapshots"): "snapshot",
    ("block-storage", "os-quota-sets"): "quota", ("image", "images"): "image",
    ("network", "networks"): "network", ("network", "subnets"): "subnet", ("network", "ports"): "port",
    ("network", "routers"): "router", ("network", "floatingips"): "floating_ip",
    ("network", "security-groups"): "security_group", ("network", "security-group-rules"): "security_group_rule",
    ("network", "quotas"): "quota",
}  # fmt: skip

# (type, key of a request's body) -> the fields of drift that it sets. A key of the same name as a field needs no line.
SETS: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("network", "router:external"): ("external",),
    ("network", "provider:network_type"): ("segment",),
    ("network", "provider:physical_network"): ("segment",),
    ("network", "provider:segmentation_id"): ("segment",),
    ("port", "binding:host_id"): ("status",),
    ("router", "external_gateway_info"): ("external_network", "external_ips", "enable_snat", "status"),
    ("floating_ip", "port_id"): ("port_id", "router_id", "status"),
    ("network", "admin_state_up"): ("admin_state_up", "status"),
    ("port", "admin_state_up"): ("admin_state_up", "status"),
    ("router", "admin_state_up"): ("admin_state_up", "status"),
    ("port", "device_id"): ("device_id", "status"),
    ("image", "min_disk"): ("requirements",),
    ("image", "min_ram"): ("requirements",),
    ("quota", "ram"): ("ram_mb_limit",),
    ("quota", "floatingip"): ("floating_ips_limit",),
}
# Neutron names the limits of a quota in the singular.
_SINGULAR = frozenset({"network", "subnet", "port", "router", "security_group", "security_group_rule"})
# Action of `POST /volumes/{id}/action` or snapshots -> the fields that it sets.
VOLUME_ACTIONS: Mapping[str, tuple[str, ...]] = {
    "os-extend": ("size", "status"),
    "os-retype": ("volume_type", "status"),
    "os-reset_status": ("status",),
    "os-attach": ("server_id", "status"),
    "os-detach": ("server_id", "status"),
    "os-force_detach": ("server_id", "status"),
    "os-update_snapshot_status": ("status",),
    "revert": ("status", "size"),
}
# Where the service answers before it is done: the change may be seen later than the request.
SLOW = frozenset({"os-extend", "os-retype", "revert"})


def set_by(type: str, key: str) -> tuple[str, ...]:
    """The fields of drift that a key of a request's body sets."""
    known = SETS.get((type, key))
    if known is not None:
        return known
    if type == "quota":
        return (f"{key}s_limit" if key in _SINGULAR else f"{key}_limit",)
    return (key,)


def same_value(type: str, field: str, given: Any, new: str | None) -> bool | None:
    """Whether what a request gave is the event's new value; None where that cannot be told."""
    if given is None:
        return new is None
    if isinstance(given, bool):
        return (new or "").lower() == str(given).lower()
    if isinstance(given, int | str):
        return str(given) == (new or "")
    return None
