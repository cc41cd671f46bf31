"""A machine and its disks, from the documents of Nova and Cinder. Pure: documents in, vocabulary out.

Written for what every cloud since Pike answers; what an older microversion or a session without an administrator's
rights leaves out is empty.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from engine.inventory.events_rules import items, moment
from engine.restore.models import Boot, Disk, Key, Machine
from engine.restore.planning.asking import Doc, number, pairs, text, texts
from engine.restore.planning.facts import Event
from store.redact import HIDDEN
from store.types.extract import boolean

SERVER = "2.100"  # pinned zone 2.96, host name 2.90, server group 2.71, embedded flavor 2.47, host status 2.16
ATTACHMENTS = "2.89"  # tag 2.70, delete_on_termination 2.79
VOLUME = "3.71"
FLAVORS = "2.61"  # extra specs in the list
ACTIONS, DETAILS = "2.58", "2.84"  # limit; details of an event
FLAVOR = ("vcpus", "ram", "disk", "ephemeral", "swap")
_FLAVOR_NAMES = {"ephemeral": "OS-FLV-EXT-DATA:ephemeral"}
_USER_DATA = "OS-EXT-SRV-ATTR:user_data"
_GONE = ("detached", "deleted", "reserved", "error_attaching")


def machine_of(
    key: Key,
    doc: Doc,
    *,
    boot: Boot = "image",
    project: tuple[str, str] = ("", ""),
    gone: bool = False,
) -> Machine:
    """The machine of a server's document, without what lies elsewhere: flavor of today, server group.

    project  names of its project and domain
    """
    data = doc.get(_USER_DATA)
    digest = data if isinstance(data, Mapping) else {}
    return Machine(
        key=key,
        name=text(doc.get("name")) or key[2],
        project_id=text(doc.get("tenant_id")),
        project_name=project[0],
        domain_name=project[1],
        user_id=text(doc.get("user_id")),
        gone=gone,
        status=text(doc.get("status")),
        vm_state=text(doc.get("OS-EXT-STS:vm_state")),
        task_state=text(doc.get("OS-EXT-STS:task_state")),
        power_state=_power(doc.get("OS-EXT-STS:power_state")),
        locked=doc.get("locked") is True,
        locked_reason=text(doc.get("locked_reason")),
        host=text(doc.get("OS-EXT-SRV-ATTR:host")),
        host_status=text(doc.get("host_status")),
        zone=text(doc.get("OS-EXT-AZ:availability_zone")),
        pinned_zone=text(doc.get("pinned_availability_zone")),
        boot=boot,
        image_id=image_id(doc),
        flavor=embedded(doc),
        hostname=text(doc.get("OS-EXT-SRV-ATTR:hostname")),
        description=text(doc.get("description")),
        key_name=text(doc.get("key_name")),
        config_drive=boolean(doc.get("config_drive")) is True,
        metadata=pairs(doc.get("metadata")),
        tags=texts(doc.get("tags")),
        security_groups=tuple(dict.fromkeys(text(one.get("name")) for one in items(doc.get("security_groups")))),
        user_data_bytes=number(digest.get("size")),
        user_data_sha256=text(digest.get("sha256")),
        created_at=text(doc.get("created")),
        updated_at=text(doc.get("updated")),
    )


def readable_user_data(doc: Doc) -> bool:
    """Whether the session is told the machine's user data: nobody but an administrator is."""
    return _USER_DATA in doc and doc[_USER_DATA] != HIDDEN


def image_id(doc: Doc) -> str:
    """Id of the image that Nova names; "" for a machine that boots from a volume."""
    image = doc.get("image")
    return text(image.get("id")) if isinstance(image, Mapping) else ""


def volume_ids(doc: Doc) -> list[str]:
    """Ids of the volumes that Nova has on the machine, in its order."""
    return [id for one in items(doc.get("os-extended-volumes:volumes_attached")) if (id := text(one.get("id")))]


def volume_of(attachment: Doc) -> str:
    """Id of the volume of one of Nova's attachments."""
    return text(attachment.get("volumeId")) or text(attachment.get("id"))


# Flavors


def embedded(doc: Doc) -> dict[str, Any]:
    """The numbers of the flavor in a server's document (2.47); {} where it only has an id."""
    found = doc.get("flavor")
    if not isinstance(found, Mapping) or "vcpus" not in found:
        return {}
    return {"name": text(found.get("original_name")), **_numbers(found), "extra_specs": pairs(found.get("extra_specs"))}


def listed(flavor: Doc) -> dict[str, Any]:
    """The same numbers of a flavor as Nova lists them."""
    named = {**flavor, **{short: flavor.get(long) for short, long in _FLAVOR_NAMES.items()}}
    return {"name": text(flavor.get("name")), **_numbers(named), "extra_specs": pairs(flavor.get("extra_specs"))}


def flavor_of(doc: Doc, flavors: Sequence[Doc]) -> dict[str, Any]:
    """The numbers of the flavor with the id that a machine names (below 2.47); {} when it is gone."""
    inner = doc.get("flavor")
    id = text(inner.get("id")) if isinstance(inner, Mapping) else ""
    return next((listed(one) for one in flavors if id and one.get("id") == id), {})


def flavor_now(wanted: Mapping[str, Any], flavors: Sequence[Doc]) -> str:
    """Id of the flavor that has that name and those numbers now; "" = there is none any more."""
    for flavor in flavors:
        found = listed(flavor)
        if all(found[name] == wanted.get(name) for name in ("name", *FLAVOR)):
            return text(flavor.get("id"))
    return ""


def _numbers(found: Mapping[str, Any]) -> dict[str, int]:
    return {name: number(found.get(name)) for name in FLAVOR}  # a swap of none is "" before 2.47


# Disks


def boots_from_volume(doc: Doc, attachments: Sequence[Doc]) -> bool:
    """Nova names no image, or it does and the root device is a volume all the same.

    An attached volume that could boot says nothing: a copy of a disk beside the machine is one.
    """
    if not image_id(doc):
        return True
    root = text(doc.get("OS-EXT-SRV-ATTR:root_device_name"))
    return bool(root) and any(text(one.get("device")) == root for one in attachments)


def disks_of(doc: Doc, attachments: Sequence[Doc], volumes: Mapping[str, Doc]) -> tuple[Disk, ...]:
    """The machine's volumes, the root first, then by device.

    attachments  Nova's, of os-volume_attachments
    volumes      {id: Cinder's document}; a volume that Cinder does not have has an empty status
    """
    server_id = text(doc.get("id"))
    rows = {volume_of(one): one for one in attachments}
    rows |= {id: {} for id in volume_ids(doc) if id not in rows}
    delete = {text(one.get("id")): one for one in items(doc.get("os-extended-volumes:volumes_attached"))}
    ids = sorted((id for id in rows if id), key=lambda id: _place(_device(rows[id], volumes.get(id, {}), server_id)))
    root = _root(doc, ids, rows, volumes) if boots_from_volume(doc, attachments) else ""
    ids.sort(key=lambda id: id != root)
    return tuple(
        disk_of(
            volumes.get(id, {"id": id}),
            server_id,
            order=order,
            root=id == root,
            device=_device(rows[id], volumes.get(id, {}), server_id),
            tag=text(rows[id].get("tag")),
            delete=(rows[id].get("delete_on_termination") or delete.get(id, {}).get("delete_on_termination")) is True,
        )
        for order, id in enumerate(ids)
    )


def disk_of(
    volume: Doc, server_id: str, *, order: int = 0, root: bool = False, device: str = "", tag: str = "",
    delete: bool = False,
) -> Disk:  # fmt: skip
    """A disk from Cinder's document of the volume and what its attachment says."""
    others = [text(one.get("server_id")) for one in items(volume.get("attachments"))]
    return Disk(
        volume_id=text(volume.get("id")),
        name=text(volume.get("name")),
        size_gb=number(volume.get("size")),
        volume_type=text(volume.get("volume_type")),
        status=text(volume.get("status")).lower(),
        root=root,
        order=order,
        device=device,
        tag=tag,
        delete_on_termination=delete,
        bootable=boolean(volume.get("bootable")) is True,
        multiattach=boolean(volume.get("multiattach")) is True,
        encrypted=boolean(volume.get("encrypted")) is True,
        zone=text(volume.get("availability_zone")),
        description=text(volume.get("description")),
        metadata=pairs(volume.get("metadata")),
        image_metadata=pairs(volume.get("volume_image_metadata")),
        attached_elsewhere=tuple(dict.fromkeys(one for one in others if one and one != server_id)),
    )


def disagreements(
    server_id: str, nova: Sequence[str], volumes: Mapping[str, Doc], cinder: Sequence[Doc] | str
) -> tuple[str, ...]:
    """Sentences for attachments that only one of Nova and Cinder has.

    nova     ids of the volumes that Nova has on the machine
    volumes  Cinder's documents of them; one that is not there is gone
    cinder   Cinder's own attachments of the machine, or why they cannot be read
    """
    found = []
    for id in nova:
        volume = volumes.get(id)
        if volume is None:
            found.append(f"Nova has the volume {id} on the machine, and Cinder has no such volume")
        elif not any(text(one.get("server_id")) == server_id for one in items(volume.get("attachments"))):
            state = text(volume.get("status")) or "in an unknown state"
            if state.lower() != "reserved":  # as it is while the machine is shelved
                name = text(volume.get("name")) or id
                found.append(f"Nova has the volume {name} ({id}) on the machine, and Cinder does not: it is {state}")
    for one in [] if isinstance(cinder, str) else cinder:
        id = text(one.get("volume_id"))
        if id and id not in nova and text(one.get("status")).lower() not in _GONE:
            found.append(f"Cinder has the volume {id} on the machine ({text(one.get('status'))}), and Nova does not")
    return tuple(dict.fromkeys(found))


def _root(doc: Doc, ids: Sequence[str], rows: Mapping[str, Doc], volumes: Mapping[str, Doc]) -> str:
    """The volume it boots from: on the root device, else the first that can boot, else the first."""
    device = text(doc.get("OS-EXT-SRV-ATTR:root_device_name"))
    on_root = [id for id in ids if device and text(rows[id].get("device")) == device]
    can_boot = [id for id in ids if boolean(volumes.get(id, {}).get("bootable")) is True]
    return next(iter((*on_root, *can_boot, *ids)), "")


def _device(attachment: Doc, volume: Doc, server_id: str) -> str:
    if device := text(attachment.get("device")):
        return device
    mine = (one for one in items(volume.get("attachments")) if text(one.get("server_id")) == server_id)
    return next((text(one.get("device")) for one in mine), "")


def _place(device: str) -> tuple[bool, int, str]:
    """/dev/vdb before /dev/vdaa; what has no device comes last."""
    return not device, len(device), device


# Beside them


def group_policy(group: Doc) -> str:
    """The policy of a server group: one since 2.64, a list of one before."""
    return text(group.get("policy")) or next(iter(texts(group.get("policies"))), "")


def events_of(actions: Sequence[Doc], details: Mapping[str, Doc | str | None]) -> tuple[Event, ...]:
    """The machine's instance actions, newest first.

    details  {request id: the action with its events} of those that failed, where they could be read
    """
    found = []
    for one in actions:
        error = ""
        if failed(one):
            more = details.get(text(one.get("request_id")))
            error = (_error(more) if isinstance(more, Mapping) else "") or "it failed; Nova does not say why"
        found.append(Event(text(one.get("action")), moment(one.get("start_time")), error))
    return tuple(found)


def failed(action: Doc) -> bool:
    """Whether Nova says of an action that it failed."""
    return bool(action.get("message"))


def _error(action: Doc) -> str:
    for event in reversed(items(action.get("events"))):
        if text(event.get("result")).lower() == "error":
            lines = text(event.get("details")) or text(event.get("traceback")).strip().rpartition("\n")[2]
            what = re.sub(r"^compute_+", "", text(event.get("event"))).replace("_", " ")
            return ": ".join(filter(None, (what, " ".join(lines.split())[:300])))
    return ""


def _power(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
