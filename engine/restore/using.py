"""Whether something in a cloud is used, whose it is, and whose mark it carries: read live, before it is deleted.

What cannot be read counts as used.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from engine.restore.models import MARK, Plan

Get = Callable[..., dict[str, Any] | None]  # get(service, path, microversion="", query=())
Doc = Mapping[str, Any]
_ATTACHMENTS = "2.89"  # os-volume_attachments with delete_on_termination
_READS: Mapping[str, tuple[str, str, str, str]] = {
    "server": ("compute", "/servers/{id}", "server", "2.79"),
    "port": ("network", "/ports/{id}", "port", ""),
    "image": ("image", "/images/{id}", "", ""),
    "volume": ("block-storage", "/volumes/{id}", "volume", ""),
    "snapshot": ("block-storage", "/snapshots/{id}", "snapshot", ""),
}
_OWNERS: Mapping[str, tuple[str, ...]] = {
    "server": ("tenant_id",),
    "port": ("project_id", "tenant_id"),
    "image": ("owner",),
    "volume": ("os-vol-tenant-attr:tenant_id",),
    "snapshot": ("os-extended-snapshot-attributes:project_id",),
}
DELETABLE_VOLUME = ("available", "error")


class Unsure(Exception):
    """It cannot be said whether it is used; one sentence. So it is left alone."""


def read(get: Get, type: str, id: str) -> dict[str, Any] | None:
    """Its document now; None when it is gone. Raises Unsure for an answer that is none, and what `get` does."""
    service, path, name, microversion = _READS[type]
    found = get(service, path.format(id=id), microversion)
    if found is None:
        return None
    document = found.get(name) if name else found
    if not isinstance(document, dict) or document.get("id") != id:
        raise Unsure(f"the cloud did not answer with the {type} that it was asked for")
    return document if type != "image" or document.get("status") != "deleted" else None


def owner(type: str, document: Doc) -> str:
    """Id of the project that owns it; "" when the cloud does not say."""
    return next((found for name in _OWNERS[type] if isinstance(found := document.get(name), str) and found), "")


def carries(type: str, document: Doc, token: str) -> bool:
    """Whether it carries the token: a port in its description, an image as a property (or as its name, where Cinder
    uploaded it), others in their metadata."""
    if not token:
        return False
    if type == "port":
        return document.get("description") == token
    if type == "image" and document.get("name") == token:
        return True
    marked = document if type == "image" else document.get("metadata")
    return isinstance(marked, Mapping) and marked.get(MARK) == token


def why_used(
    get: Get, plan: Plan, type: str, document: Doc, own: Collection[tuple[str, str]], delete_volume: bool
) -> str | None:
    """Why something that a job made is left alone: what uses it; None when nothing does.

    own  (type, id) of all that the same job made. Raises Unsure, and what `get` does.
    """
    if type == "port":
        return port_used(get, document)
    if type == "volume":
        return volume_used(get, document)
    if type == "image":
        return image_used(get, plan, document)
    if type == "server":
        return server_used(get, document, own, delete_volume) or old_machine_missing(get, plan)
    return f"a {type} is not deleted here"


def port_used(get: Get, document: Doc) -> str | None:
    """What uses a port: a device, a floating IP, a trunk."""
    if document.get("device_id"):
        return f"it is in use by {document.get('device_owner') or 'a device'} {document['device_id']}"
    if document.get("trunk_details"):
        return "it is the parent of a trunk"
    floating = _list(get, "network", "/floatingips", "floatingips", [("port_id", str(document["id"]))])
    return f"the floating IP {floating[0].get('floating_ip_address')} points at it" if floating else None


def volume_used(get: Get, document: Doc) -> str | None:
    """What uses a volume: attachments, a state that is not at rest, snapshots, which are restore points."""
    attached = document.get("attachments")
    if not isinstance(attached, list):
        raise Unsure("the cloud does not say whether it is attached")
    if attached:
        server = attached[0].get("server_id") if isinstance(attached[0], Mapping) else ""
        return f"it is attached to {server or 'something'}"
    status = str(document.get("status") or "").lower()
    if status not in DELETABLE_VOLUME:
        return f"it is {status or 'in an unknown state'}"
    if document.get("migration_status") not in (None, "", "success", "error"):
        return "it is being migrated"
    query = [("volume_id", str(document["id"])), ("limit", "10")]
    snapshots = _list(get, "block-storage", "/snapshots/detail", "snapshots", query)
    mine = [one for one in snapshots if one.get("volume_id") == document["id"]]
    return f"it has snapshots ({len(mine)}), which are restore points" if mine else None


def image_used(get: Get, plan: Plan, document: Doc) -> str | None:
    """What uses an image: protection, others who may see it, machines that were built from it."""
    if document.get("protected") is not False:
        return "it is protected"
    if document.get("visibility") not in ("private", "shared"):
        return f"it is {document.get('visibility')}: others may use it"
    query = [("image", str(document["id"])), ("limit", "1")]
    if _list(get, "compute", "/servers", "servers", query):
        return "a machine was built from it"
    machine = read(get, "server", plan.machine.key[2])
    image = (machine or {}).get("image")
    if isinstance(image, Mapping) and image.get("id") == document["id"]:
        return f"{plan.machine.name} was built from it"
    return None


def server_used(get: Get, document: Doc, own: Collection[tuple[str, str]], delete_volume: bool) -> str | None:
    """What hangs on a machine that is not of the same job, or would go with it against the wish."""
    id = str(document["id"])
    if document.get("locked") is not False:
        return "it is locked" if document.get("locked") else "the cloud does not say whether it is locked"
    if document.get("OS-EXT-STS:task_state"):
        return f"it is {document['OS-EXT-STS:task_state']} just now"
    for one in attachments(get, id):
        volume = str(one.get("volumeId") or "")
        if ("volume", volume) not in own:
            return f"the volume {volume} is attached to it, which this job did not make"
        if one.get("delete_on_termination") is not False and not delete_volume:
            return f"its volume {volume} would be deleted with it: use delete_volume=true, or detach it first"
    for port in port_list(get, id):
        if ("port", port.get("id")) not in own:
            return f"the port {port.get('id')} is on it, which this job did not make"
        if _list(get, "network", "/floatingips", "floatingips", [("port_id", str(port["id"]))]):
            return "a floating IP points at it"
    return None


def attachments(get: Get, server_id: str) -> list[Doc]:
    """The volumes of a machine as Nova has them. Raises Unsure when it does not say."""
    return _list(get, "compute", f"/servers/{server_id}/os-volume_attachments", "volumeAttachments", (), _ATTACHMENTS)


def port_list(get: Get, server_id: str) -> list[Doc]:
    """The ports of a machine."""
    return _list(get, "network", "/ports", "ports", [("device_id", server_id)])


def old_machine_missing(get: Get, plan: Plan) -> str | None:
    """REPLACE: why the new machine is all that there is; None when the old one is back as it was.

    It has to be there, to run if it ran, and to have its ports with their addresses.
    """
    if plan.way != "REPLACE":
        return None
    machine = plan.machine
    document = read(get, "server", machine.key[2])
    if document is None:
        return f"the old machine {machine.name} is not there: this may be all that is left of it"
    status = str(document.get("status") or "")
    ran = plan.was_running and status != "ACTIVE"
    lost = status.startswith("SHELVED") or status in ("", "ERROR", "DELETED")
    if ran or (lost and status != machine.status):
        return f"the old machine {machine.name} is not back as it was (it is {status or 'in an unknown state'})"
    for nic in plan.nics:
        port = read(get, "port", nic.port_id)
        has = {one.get("ip_address") for one in (port or {}).get("fixed_ips") or () if isinstance(one, Mapping)}
        if port is None or port.get("device_id") != machine.key[2] or not {one.address for one in nic.fixed} <= has:
            return f"the old machine {machine.name} does not have all its addresses back"
    return None


def _list(get: Get, service: str, path: str, name: str, query: Any, microversion: str = "") -> list[Doc]:
    found = (get(service, path, microversion, query) or {}).get(name)
    if not isinstance(found, list):
        raise Unsure(f"the cloud does not say what uses it (no {name} in its answer)")
    return [one for one in found if isinstance(one, Mapping)]
