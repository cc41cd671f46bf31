"""A server as Nova writes it, for each microversion and for who asks."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import Any

from engine.demo.clock import micro_time, nova_time
from engine.demo.records import Flavor, Server
from engine.demo.routing import Version

Document = dict[str, Any]
VM_STATES = {
    "ACTIVE": "active", "SHUTOFF": "stopped", "ERROR": "error", "BUILD": "building", "REBOOT": "active",
    "HARD_REBOOT": "active", "RESIZE": "active", "VERIFY_RESIZE": "resized", "DELETED": "deleted",
    "PAUSED": "paused", "SUSPENDED": "suspended", "SHELVED": "shelved", "SHELVED_OFFLOADED": "shelved_offloaded",
}  # fmt: skip
POWER = {
    "ACTIVE": 1,
    "REBOOT": 1,
    "HARD_REBOOT": 1,
    "RESIZE": 1,
    "REBUILD": 1,
    "VERIFY_RESIZE": 1,
    "PAUSED": 3,
    "SHUTOFF": 4,
    "SUSPENDED": 4,
}


@lru_cache(maxsize=65536)
def host_id(project: str, host: str) -> str:
    """What a tenant may know of a host: a hash of project and host, as Nova makes it."""
    return hashlib.sha224((project + host).encode()).hexdigest()


def addresses(server: Server) -> Document:
    """Fixed and floating addresses by network name."""
    found: Document = {}
    for port in server.ports:
        entries = found.setdefault(port.network.name, [])
        for _, ip in port.fixed_ips:
            entries.append(
                {
                    "version": 6 if ":" in ip else 4,
                    "addr": ip,
                    "OS-EXT-IPS:type": "fixed",
                    "OS-EXT-IPS-MAC:mac_addr": port.mac,
                }
            )
        if port.floating:
            entries.append(
                {
                    "version": 4,
                    "addr": port.floating.ip,
                    "OS-EXT-IPS:type": "floating",
                    "OS-EXT-IPS-MAC:mac_addr": port.mac,
                }
            )
    return found


def server_flavor(flavor: Flavor, version: Version, url: str) -> Document:
    """An id and a link up to 2.46, the flavor's values without its id from 2.47."""
    if version < (2, 47):
        return {"id": flavor.id, "links": [{"rel": "bookmark", "href": f"{url}/flavors/{flavor.id}"}]}
    return {
        "vcpus": flavor.vcpus,
        "ram": flavor.ram,
        "disk": flavor.disk,
        "ephemeral": flavor.ephemeral,
        "swap": flavor.swap,
        "original_name": flavor.name,
        "extra_specs": flavor.extra_specs,
    }


def links(kind: str, id: str, url: str) -> list[Document]:
    """The self and bookmark links of a resource of Nova; `url` is the service's root."""
    return [
        {"rel": "self", "href": f"{url}/v2.1/{kind}/{id}"},
        {"rel": "bookmark", "href": f"{url}/{kind}/{id}"},
    ]


def bare_server(server: Server, url: str) -> Document:
    """What an API at 2.69 knows of a server whose cell doesn't answer."""
    return {
        "id": server.id,
        "status": "UNKNOWN",
        "tenant_id": server.project,
        "created": nova_time(server.created),
        "links": links("servers", server.id, url),
    }


def bare_brief(server: Server, url: str) -> Document:
    """The brief row of a server whose cell doesn't answer."""
    return {"id": server.id, "status": "UNKNOWN", "links": links("servers", server.id, url)}


def brief_server(server: Server, url: str) -> Document:
    """The row of GET /servers: id, name and links."""
    return {"id": server.id, "name": server.name, "links": links("servers", server.id, url)}


def server_document(server: Server, version: Version, admin: bool, url: str, *, single: bool = False) -> Document:
    """The whole server; `single` adds what only GET of one server carries."""
    host = server.host
    image: Any = ""
    if server.image:
        image = {"id": server.image.id, "links": [{"rel": "bookmark", "href": f"{url}/images/{server.image.id}"}]}
    status = server.status
    document: Document = {
        "accessIPv4": "",
        "accessIPv6": "",
        "addresses": {} if server.deleted or (status == "BUILD" and not host) else addresses(server),
        "created": nova_time(server.created),
        "flavor": server_flavor(server.flavor, version, url),
        "hostId": host_id(server.project, host.name) if host else "",
        "id": server.id,
        "image": image,
        "links": links("servers", server.id, url),
        "metadata": server.metadata or {},
        "name": server.name,
        "status": status,
        "tenant_id": server.project,
        "user_id": server.user,
        "updated": nova_time(server.updated),
        "OS-DCF:diskConfig": "MANUAL",
    }
    if status in ("ACTIVE", "BUILD", "REBOOT", "REBUILD", "RESIZE", "VERIFY_RESIZE"):
        document["progress"] = 0
    if server.fault and status in ("ERROR", "DELETED") and not server.deleted:
        code, message, when = server.fault
        document["fault"] = {"code": code, "created": nova_time(when), "message": message}
        if admin:
            document["fault"]["details"] = f"Traceback (most recent call last):\n  nova.exception: {message}\n"
    document["OS-EXT-AZ:availability_zone"] = server.zone
    document["config_drive"] = "True" if server.config_drive else ""
    document["key_name"] = server.key
    document["OS-SRV-USG:launched_at"] = micro_time(server.launched) if server.launched else None
    document["OS-SRV-USG:terminated_at"] = micro_time(server.terminated) if server.terminated else None
    if admin:
        _administrators(document, server, version)
    elif version >= (2, 90):
        document["OS-EXT-SRV-ATTR:hostname"] = server.hostname
    document["OS-EXT-STS:task_state"] = server.task
    document["OS-EXT-STS:vm_state"] = vm_state(server)
    document["OS-EXT-STS:power_state"] = 0 if server.deleted else POWER.get(status, 0)
    volumes: list[Document] = []
    if not server.deleted:
        for attachment in server.volumes:
            entry: Document = {"id": attachment.volume}
            if version >= (2, 3):
                entry["delete_on_termination"] = attachment.delete_on_termination
            volumes.append(entry)
    document["os-extended-volumes:volumes_attached"] = volumes
    _later(document, server, version, single)
    if admin and version >= (2, 16):
        document["host_status"] = _host_status(server)
    if server.groups and server.ports and not server.deleted:
        document["security_groups"] = [{"name": name} for name in server.groups]
    return document


def vm_state(server: Server) -> str:
    """What the machine is; one that is being rebuilt is still what it was."""
    return VM_STATES.get(server.was if server.status == "REBUILD" else server.status, "active")


def _host_status(server: Server) -> str:
    host = server.host
    if host is None:
        return ""
    if not host.up:
        return "DOWN"
    return "UP" if host.enabled else "MAINTENANCE"


def _administrators(document: Document, server: Server, version: Version) -> None:
    host = server.host.name if server.host else None
    document["OS-EXT-SRV-ATTR:host"] = host
    document["OS-EXT-SRV-ATTR:instance_name"] = f"instance-{server.number:08x}"
    document["OS-EXT-SRV-ATTR:hypervisor_hostname"] = host
    if version >= (2, 3):
        document["OS-EXT-SRV-ATTR:hostname"] = server.hostname
        document["OS-EXT-SRV-ATTR:kernel_id"] = ""
        document["OS-EXT-SRV-ATTR:launch_index"] = 0
        document["OS-EXT-SRV-ATTR:ramdisk_id"] = ""
        document["OS-EXT-SRV-ATTR:reservation_id"] = f"r-{server.id[:8]}"
        document["OS-EXT-SRV-ATTR:root_device_name"] = "/dev/vda"
        document["OS-EXT-SRV-ATTR:user_data"] = server.user_data


def _later(document: Document, server: Server, version: Version, single: bool) -> None:
    """What came with the microversions, in their order."""
    if version >= (2, 9):
        document["locked"] = server.locked
    if version >= (2, 19):
        document["description"] = server.description
    if version >= (2, 26):
        document["tags"] = list(server.tags)
    if version >= (2, 63):
        document["trusted_image_certificates"] = None
    if single and version >= (2, 71):
        document["server_groups"] = [server.server_group] if server.server_group else []
    if version >= (2, 73):
        document["locked_reason"] = server.locked_reason
    if version >= (2, 96):
        document["pinned_availability_zone"] = server.pinned_zone
    if version >= (2, 100):
        document["scheduler_hints"] = {"group": [server.server_group]} if server.server_group else {}


def flavor_document(flavor: Flavor, version: Version, url: str, specs: bool) -> Document:
    """The whole flavor at a microversion; `specs` adds the extra specs where the caller may see them."""
    document: Document = {
        "id": flavor.id,
        "name": flavor.name,
        "ram": flavor.ram,
        "disk": flavor.disk,
        "swap": flavor.swap if flavor.swap or version >= (2, 75) else "",
        "OS-FLV-EXT-DATA:ephemeral": flavor.ephemeral,
        "OS-FLV-DISABLED:disabled": False,
        "vcpus": flavor.vcpus,
        "os-flavor-access:is_public": flavor.public,
        "rxtx_factor": 1.0,
        "links": links("flavors", flavor.id, url),
    }
    if version >= (2, 55):
        document["description"] = flavor.description
    if specs and version >= (2, 61):
        document["extra_specs"] = flavor.extra_specs
    return document
