"""A machine with all that belongs to it, before and after a restore, field by field. Pure: documents in, paths out.

The paths are those of `Difference.field` in a plan. What a plan does not name must be equal, down to the last field of
every document; only what says when and how often something was touched is left out, and what another document says.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

Doc = Mapping[str, Any]
Get = Callable[[str, str, str | None], Any]  # get(service, path, microversion) -> the document of a GET that succeeded
Pairs = Collection[tuple[int, str, str]]  # (number in the plan, id of the original, id of its successor or "")
SERVER, ATTACHMENTS, VOLUME = "2.100", "2.89", "3.71"

# Field of the document -> name in a path, where they are not the same.
_SERVER = {
    "OS-DCF:diskConfig": "disk_config",
    "OS-EXT-AZ:availability_zone": "zone",
    "OS-EXT-SRV-ATTR:host": "host",
    "OS-EXT-SRV-ATTR:hostname": "hostname",
    "OS-EXT-SRV-ATTR:user_data": "user_data",
    "OS-EXT-SRV-ATTR:hypervisor_hostname": "hypervisor",
    "OS-EXT-STS:power_state": "power_state",
    "OS-EXT-STS:task_state": "task_state",
    "OS-EXT-STS:vm_state": "vm_state",
    "OS-SRV-USG:launched_at": "launched",
    "OS-SRV-USG:terminated_at": "terminated",
    "pinned_availability_zone": "pinned_zone",
    "tenant_id": "project_id",
}
_PORT = {
    "id": "port_id",
    "mac_address": "mac",
    "fixed_ips": "fixed",
    "port_security_enabled": "port_security",
    "trunk_details": "trunk_id",
}
_VOLUME = {
    "created_at": "created",
    "size": "size_gb",
    "volume_image_metadata": "image_metadata",
    "os-vol-host-attr:host": "host",
    "os-vol-tenant-attr:tenant_id": "project_id",
}
# Not compared: times and counts of being touched, addresses of documents, and what is compared where it belongs
# (addresses with the ports, attachments with the disks).
_NOT = {
    "server": {"updated", "links", "addresses", "os-extended-volumes:volumes_attached", "progress", "fault"},
    "nic": {"updated_at", "revision_number", "standard_attr_id", "device_id", "binding:host_id", "tenant_id"},
    "disk": {"updated_at", "links", "attachments"},
}
# What a difference brings with it: field -> any of these must be in the plan.
_FOLLOWS: dict[str, tuple[str, ...]] = {
    "server.launched": ("server.created", "server.updated"),
    "server.OS-EXT-SRV-ATTR:instance_name": ("server.id",),
    "server.OS-EXT-SRV-ATTR:reservation_id": ("server.id",),
    "server.hypervisor": ("server.host",),
    "server.hostId": ("server.host",),
    "server.host_status": ("server.host",),
    "server.vm_state": ("server.status",),
    "server.power_state": ("server.status",),
    "server.locked_reason": ("server.locked",),
    "nic.created_at": ("nic.port_id",),
    "nic.dns_assignment": ("nic.fixed",),
    "disk.created": ("disk.id",),
    "disk.snapshot_id": ("disk.created",),
    "disk.host": ("disk.created",),
    "disk.service_uuid": ("disk.created",),
    "disk.user_id": ("disk.created",),
}


@dataclass(frozen=True)
class Whole:
    """A machine as the services tell it to an administrator.

    ports, volumes, attachments  by the id of the port or volume
    floating                     {port id: {floating IP: fixed address}}
    """

    server: Doc
    ports: Mapping[str, Doc] = field(default_factory=dict)
    volumes: Mapping[str, Doc] = field(default_factory=dict)
    attachments: Mapping[str, Doc] = field(default_factory=dict)
    floating: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


def read(get: Get, server_id: str) -> Whole:
    """Everything of a machine that is there."""
    server = get("compute", f"/servers/{server_id}", SERVER)["server"]
    ports = {port["id"]: port for port in get("network", f"/v2.0/ports?device_id={server_id}", None)["ports"]}
    listed = get("compute", f"/servers/{server_id}/os-volume_attachments", ATTACHMENTS)["volumeAttachments"]
    attachments = {item["volumeId"]: item for item in listed}
    volumes = {id: get("block-storage", f"/volumes/{id}", VOLUME)["volume"] for id in attachments}
    floating: dict[str, dict[str, str]] = {}
    for id in ports:
        for item in get("network", f"/v2.0/floatingips?port_id={id}", None)["floatingips"]:
            floating.setdefault(id, {})[item["floating_ip_address"]] = item["fixed_ip_address"]
    return Whole(server, ports, volumes, attachments, floating)


def differences(before: Whole, after: Whole, nics: Pairs = (), disks: Pairs = ()) -> dict[str, tuple[Any, Any]]:
    """{path: (before, after)} of everything that is not equal. A NIC or disk without a successor is one path."""
    found = dict(_unequal("server", "server", _server(before.server), _server(after.server)))
    for number, old, new in nics:
        where = f"nic.{number}"
        if new not in after.ports:
            found[where] = (old, new)
        else:
            found |= _unequal(where, "nic", _nic(before, old), _nic(after, new))
    for number, old, new in disks:
        where = f"disk.{number}"
        if new not in after.volumes:
            found[where] = (old, new)
        else:
            found |= _unequal(where, "disk", _disk(before, old), _disk(after, new))
    extra = set(after.volumes) - {new for _, _, new in disks}
    if disks and extra:
        found["disk.more"] = ((), tuple(sorted(extra)))
    if nics and (more := set(after.ports) - {new for _, _, new in nics}):
        found["nic.more"] = ((), tuple(sorted(more)))
    return found


def unexplained(found: Mapping[str, Any], differs: Collection[str]) -> dict[str, Any]:
    """The differences that a plan does not name."""
    return {path: what for path, what in found.items() if not _named(path, set(differs))}


def _named(path: str, differs: set[str]) -> bool:
    kind, _, rest = path.partition(".")
    number, _, name = rest.partition(".") if kind != "server" else ("", "", rest)
    if path in differs or (number and f"{kind}.{number}" in differs):
        return True
    causes = _FOLLOWS.get(f"{kind}.{name}", ())
    # `disk.created` stands for `disk.N.created` of the same disk.
    return any(_named(_numbered(cause, number), differs) for cause in causes)


def _numbered(cause: str, number: str) -> str:
    kind, _, name = cause.partition(".")
    return f"{kind}.{number}.{name}" if number else cause


def _unequal(where: str, kind: str, old: Doc, new: Doc) -> Iterator[tuple[str, tuple[Any, Any]]]:
    for name in sorted({*old, *new}):
        if old.get(name) != new.get(name):
            yield f"{where}.{name}", (old.get(name), new.get(name))


# Documents as what they mean


def _server(server: Doc) -> dict[str, Any]:
    found = _renamed(server, "server", _SERVER)
    found["metadata"] = _others(server.get("metadata"))
    found["tags"] = sorted(server.get("tags") or ())
    found["security_groups"] = sorted({item["name"] for item in server.get("security_groups") or ()})
    image = server.get("image")
    found["image"] = image["id"] if image else ""
    return found


def _nic(whole: Whole, id: str) -> dict[str, Any]:
    port = whole.ports[id]
    found = _renamed(port, "nic", _PORT)
    found["fixed"] = sorted((item["ip_address"], item["subnet_id"]) for item in port["fixed_ips"])
    found["tags"] = sorted(tag for tag in port.get("tags") or () if not tag.startswith("qdeck_"))
    found["security_groups"] = sorted(port.get("security_groups") or ())
    found["allowed_address_pairs"] = sorted(_pair(pair, port["mac_address"]) for pair in port["allowed_address_pairs"])
    found["extra_dhcp_opts"] = sorted(sorted(one.items()) for one in port.get("extra_dhcp_opts") or ())
    found["device_owner"] = str(port.get("device_owner")).partition(":")[0]  # the rest is the zone, as of the machine
    found["trunk_id"] = (port.get("trunk_details") or {}).get("trunk_id", "")
    found["floating"] = dict(whole.floating.get(id, {}))
    return found


def _pair(pair: Mapping[str, str], mac: str) -> tuple[str, str]:
    """Neutron writes the port's own MAC where none was given."""
    own = pair.get("mac_address", mac) == mac
    return pair["ip_address"], "" if own else pair["mac_address"]


def _disk(whole: Whole, id: str) -> dict[str, Any]:
    volume, attachment = whole.volumes[id], whole.attachments.get(id, {})
    found = _renamed(volume, "disk", _VOLUME)
    found["metadata"] = _others(volume.get("metadata"))
    found["description"] = volume.get("description") or ""  # null where nobody gave one
    found["image_metadata"] = dict(volume.get("volume_image_metadata") or {})
    mine = whole.server["id"]
    found["attached_elsewhere"] = sorted(
        item["server_id"] for item in volume.get("attachments") or () if item["server_id"] != mine
    )
    found |= {name: attachment.get(name) for name in ("device", "tag", "delete_on_termination")}
    return found


def _renamed(document: Doc, kind: str, names: Mapping[str, str]) -> dict[str, Any]:
    return {names.get(name, name): value for name, value in document.items() if name not in _NOT[kind]}


def _others(metadata: Any) -> dict[str, Any]:
    """Without what the console writes to know its own again, and Cinder into what it made of a backup."""
    found = dict(metadata or {}).items()
    return {name: value for name, value in found if not name.startswith("qdeck_") and name != "src_backup_id"}
