"""Looking at machines, their disks and their ports as the clouds have them now, and acting on a machine.

What a step does next is decided by what is there, never by what an earlier attempt believed: it may have been killed
between the two.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from engine.gate.models import Call
from engine.restore.models import Key
from engine.restore.steps.failing import Failed
from engine.restore.steps.work import Work

Doc = dict[str, Any]
VERSION = "2.96"  # of reads: locked_reason (2.73), description and tags, and the pinned zone
ATTACHMENTS = "2.89"  # attachments say delete_on_termination since 2.79
SHELVED = ("SHELVED", "SHELVED_OFFLOADED")
STILL = ("SHUTOFF", *SHELVED)  # the guest does not run, and nothing but a person's command starts it
GONE = ("", "DELETED", "SOFT_DELETED")
_AUTOMATIC = ("slaac", "dhcpv6-stateless")


# Machines


def server(work: Work, id: str, *, admin: bool = False) -> Doc | None:
    """A machine; None when it is gone. `admin`: with what only an administrator sees, such as its host."""
    found = work.get("compute", f"/servers/{id}", VERSION, kind="admin" if admin else "tenant")
    document = (found or {}).get("server")
    return document if isinstance(document, dict) and status(document) not in GONE else None


def status(document: Mapping[str, Any] | None) -> str:
    """Nova's status in capitals; "" for a machine that is gone."""
    return "" if document is None else str(document.get("status") or "").upper()


def task(document: Mapping[str, Any] | None) -> str:
    """What Nova is doing with it just now; "" for nothing."""
    return str((document or {}).get("OS-EXT-STS:task_state") or "")


def settled(document: Mapping[str, Any] | None, *states: str) -> bool:
    """Whether it is in one of these states and nothing is being done with it."""
    return status(document) in states and not task(document)


def host(document: Mapping[str, Any] | None) -> str:
    """Where it is; "" for nowhere, or where that may not be seen."""
    return str((document or {}).get("OS-EXT-SRV-ATTR:host") or "")


def fault(document: Mapping[str, Any] | None) -> str:
    """Why Nova put it into ERROR, in its own words."""
    found = (document or {}).get("fault")
    words = found.get("message") if isinstance(found, Mapping) else None
    return line(words) if words else "the cloud does not say why"


def line(text: Any) -> str:
    """Somebody else's words on one line, without what could act on a terminal."""
    return " ".join("".join(c if c.isprintable() else " " for c in str(text)).split())[:300]


def name(work: Work) -> str:
    """What the old machine is called."""
    return work.plan.machine.name or work.server_id


def old_machine(work: Work) -> Doc:
    """The old machine, if it may be touched. Raises Failed when it is gone, or was locked since the plan was made."""
    found = server(work, work.server_id)
    if found is None:
        raise Failed(f"{name(work)} is gone: somebody deleted it since the plan was made; restore it as NEW")
    if found.get("locked") is True and not work.plan.machine.locked:
        reason = found.get("locked_reason")
        said = f": {line(reason)}" if reason else ""
        raise Failed(f"{name(work)} was locked since the plan was made{said}; it is left alone until that is undone")
    return found


def action(
    work: Work, id: str, body: Mapping[str, Any], what: str, *, admin: bool = False, microversion: str = ""
) -> Call:
    """One of Nova's actions on a machine."""
    return work.call(
        "compute", "POST", f"/servers/{id}/action", body, microversion=microversion,
        session="admin" if admin else "tenant", what=what, type="server", id=id,
    )  # fmt: skip


# Disks


def attachments(work: Work, server_id: str) -> list[Doc]:
    """The machine's attachments: volumeId, device, tag, delete_on_termination; [] for a machine that is gone."""
    found = work.get("compute", f"/servers/{server_id}/os-volume_attachments", ATTACHMENTS)
    rows = (found or {}).get("volumeAttachments")
    return [row for row in rows or () if isinstance(row, dict) and row.get("volumeId")]


def attached(work: Work, server_id: str) -> set[str]:
    """Ids of the machine's volumes, as Nova has them."""
    return {str(row["volumeId"]) for row in attachments(work, server_id)}


def keep_at_end(work: Work, server_id: str, volume_id: str, keep: bool, called: str) -> Call:
    """Have a volume stay (or not) when its machine is deleted."""
    body = {"volumeAttachment": {"volumeId": volume_id, "delete_on_termination": not keep}}
    return work.call(
        "compute", "PUT", f"/servers/{server_id}/os-volume_attachments/{volume_id}", body, microversion="2.85",
        what=f"{'keep' if keep else 'delete'} the volume {called or volume_id} when its machine is deleted",
        type="server", id=server_id,
    )  # fmt: skip


# Ports and floating IPs


def port(work: Work, id: str) -> Doc | None:
    """A port, with what only an administrator sees of it; None when it is gone."""
    found = (work.get("network", f"/ports/{id}", kind="admin") or {}).get("port")
    return found if isinstance(found, dict) else None


def floating(work: Work, id: str) -> Doc | None:
    """A floating IP; None when it is gone."""
    found = (work.get("network", f"/floatingips/{id}", kind="admin") or {}).get("floatingip")
    return found if isinstance(found, dict) else None


def change(work: Work, type: str, id: str, body: Mapping[str, Any], what: str) -> Call:
    """PUT of a port or a floating IP, as an administrator."""
    path, key = {"port": ("/ports", "port"), "floating_ip": ("/floatingips", "floatingip")}[type]
    return work.call("network", "PUT", f"{path}/{id}", {key: body}, session="admin", what=what, type=type, id=id)


def automatic(work: Work, network_id: str) -> frozenset[str]:
    """Subnets whose addresses Neutron makes of the MAC by itself: none can be asked for, or taken away."""
    query = [("network_id", network_id), ("ip_version", "6")]
    rows = (work.get("network", "/subnets", "", query, kind="admin") or {}).get("subnets")
    found = [row for row in rows or () if isinstance(row, dict) and row.get("network_id", network_id) == network_id]
    return frozenset(str(row.get("id")) for row in found if row.get("ipv6_address_mode") in _AUTOMATIC)


def addresses(document: Mapping[str, Any] | None, but: frozenset[str] = frozenset()) -> tuple[tuple[str, str], ...]:
    """(subnet, address) of a port in order, without those of the subnets in `but`."""
    found: Sequence[Any] = (document or {}).get("fixed_ips") or ()
    rows = [row for row in found if isinstance(row, Mapping)]
    return tuple(
        (str(row.get("subnet_id") or ""), str(row.get("ip_address") or ""))
        for row in rows
        if row.get("subnet_id") not in but
    )


def server_key(work: Work, id: str) -> Key:
    """The key of a machine of the same region."""
    return (work.cloud, work.region, id)
