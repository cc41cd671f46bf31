"""The new machine: asked for once, waited for, and compared with what was asked for.

It is made with a token of the machine's own project, so that it belongs there. Until the restore has been proven no
volume goes with it when it is deleted: a roll-back must never take a disk of the old machine with it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from engine.gate.models import Call
from engine.gate.refusals import NotDone
from engine.jobs.models import StepResult
from engine.restore.models import Disk
from engine.restore.steps import finding, keypairs, looking, parking
from engine.restore.steps.addresses import port_purpose
from engine.restore.steps.failing import Cancelled, Failed
from engine.restore.steps.looking import Doc, settled, status
from engine.restore.steps.ports import token_of
from engine.restore.steps.work import Work
from store.redact import HIDDEN

PURPOSE = "server"
VERSION = "2.94"  # host name (2.90), also with a domain (2.94); tags (2.52), description (2.19)
ACTIVE_SECONDS = 1200.0
MOST = 255  # characters of a value of Nova's metadata
# What a cloud that is older than the field does not know; it is left out then, and said.
_OPTIONAL = ("hostname", "tags", "description")
_UNKNOWN = re.compile(r"'(\w+)'(?=[^()]*unexpected)|attribute (\w+)")


# Asking for it


def create_server(work: Work) -> StepResult:
    """CREATE_SERVER: the new machine, with the old one's disks, ports and properties."""
    if id := work.made(PURPOSE):
        keypairs.forget(work)
        return work.done(f"{work.plan.new_name} ({id})", created=id, server_id=id)
    notes: list[str] = []
    with keypairs.borrowed(work) as key:
        id = _create(work, key.name, notes)
    if key.note:
        notes.append(key.note)
    return work.done("; ".join([f"{work.plan.new_name} ({id})", *notes]), created=id, server_id=id, differs=notes)


def _create(work: Work, key_name: str, notes: list[str]) -> str:
    """Its id. What an older cloud does not know is left out, and noted."""
    left_out: set[str] = set()
    whole = body(work, key_name)
    while True:
        server = {name: value for name, value in whole["server"].items() if name not in left_out}
        if "tag" in left_out:
            server["block_device_mapping_v2"] = [_untagged(one) for one in server["block_device_mapping_v2"]]
        try:
            id = work.create(PURPOSE, "server", _call(work, whole | {"server": server}), lambda: find(work),
                             name=work.plan.new_name)  # fmt: skip
        except Cancelled:
            raise
        except Failed as problem:
            if not (unknown := _unknown(problem, server) - left_out):
                raise
            left_out |= unknown
            continue
        notes += [f"this cloud does not take a {name}" for name in sorted(left_out)]
        return id


def _call(work: Work, sent: Doc) -> Call:
    return work.call(
        "compute", "POST", "/servers", sent, microversion=VERSION, creates=True, what=f"create {work.plan.new_name}",
        type="server",
    )  # fmt: skip


def find(work: Work) -> Doc | None:
    """The machine that carries the mark."""
    return finding.server(work.get, token_of(work, PURPOSE)[:MOST])


def _unknown(problem: Failed, server: Mapping[str, Any]) -> set[str]:
    """What the cloud refused because it does not know it."""
    cause = problem.__cause__
    if not isinstance(cause, NotDone) or cause.cloud_status != 400:
        return set()
    named = {name for found in _UNKNOWN.findall(problem.detail) for name in found if name}
    tagged = any("tag" in one for one in server.get("block_device_mapping_v2", ()))
    return {name for name in _OPTIONAL if name in named and name in server} | ({"tag"} if "tag" in named and tagged
                                                                              else set())  # fmt: skip


def _untagged(mapping: Mapping[str, Any]) -> Doc:
    return {name: value for name, value in mapping.items() if name != "tag"}


def body(work: Work, key_name: str) -> Doc:
    """What Nova is sent. User data goes through memory only."""
    plan, machine = work.plan, work.plan.machine
    metadata = {key: value for key, value in machine.metadata.items() if value != HIDDEN}
    server: Doc = {
        "name": plan.new_name or machine.name,
        "flavorRef": machine.flavor_id,
        "networks": _networks(work),
        "metadata": metadata | work.marks(PURPOSE),
        "block_device_mapping_v2": mappings(work),
    }
    if machine.boot == "image":
        server["imageRef"] = plan.root_image
    optional = {
        "hostname": machine.hostname,
        "description": machine.description,
        "tags": list(machine.tags),
        "key_name": key_name,
        "config_drive": machine.config_drive,
        "availability_zone": machine.pinned_zone or (machine.zone if plan.request.zone else ""),
    }
    server |= {name: value for name, value in optional.items() if value}
    if plan.request.user_data and machine.user_data_bytes and not machine.gone:
        if text := work.kit.gate.user_data(work.cloud, work.region, work.server_id):
            server["user_data"] = text
        else:
            raise Failed(
                "the machine's user data is to be kept, and cannot be read: it needs an administrator's account"
            )
    sent: Doc = {"server": server}
    if machine.group_id:
        sent["os:scheduler_hints"] = {"group": machine.group_id}
    return sent


def _networks(work: Work) -> Any:
    """The new ports in the old order."""
    ports = []
    for nic in sorted(work.plan.nics, key=lambda nic: nic.order):
        id = work.made(port_purpose(nic))
        if not id:
            raise Failed(f"the new port on {nic.network_name or nic.network_id} is not there: retry the restore")
        ports.append({"port": id})
    return ports or "none"


def disks(work: Work) -> list[tuple[Disk, str]]:
    """(disk, id of the volume that the new machine gets for it), in the old order."""
    found = []
    for disk in sorted(work.plan.disks, key=lambda disk: disk.order):
        if disk.choice == "leave_out" or not disk.volume_id:
            continue
        id = disk.volume_id if disk.choice == "keep_current" else work.made(f"volume:{disk.volume_id}")
        if not id:
            raise Failed(f"the new volume of {disk.name or disk.volume_id} is not there: retry the restore")
        if disk.choice == "keep_current" and work.plan.way != "REPLACE" and not work.plan.machine.gone:
            continue  # it stays with the old machine, which goes on
        found.append((disk, id))
    return found


def mappings(work: Work) -> list[Doc]:
    """Nova's block device mapping: the root first, then the data disks in their order."""
    found: list[Doc] = []
    if work.plan.machine.boot == "image":
        found.append({
            "boot_index": 0, "uuid": work.plan.root_image, "source_type": "image", "destination_type": "local",
            "delete_on_termination": True,
        })  # fmt: skip
    for disk, id in sorted(disks(work), key=lambda one: not one[0].root):
        mapping: Doc = {
            "boot_index": 0 if disk.root and work.plan.machine.boot == "volume" else -1,
            "uuid": id,
            "source_type": "volume",
            "destination_type": "volume",
            "delete_on_termination": False,
        }
        if disk.tag:
            mapping["tag"] = disk.tag
        found.append(mapping)
    return found


# Waiting for it


def wait_server_active(work: Work) -> StepResult:
    """WAIT_SERVER_ACTIVE: until it runs, with the disks and ports that were asked for."""
    id = work.made(PURPOSE)
    if not id:
        raise Failed(f"{work.plan.new_name} is not there any more: retry the restore")
    found = work.until("server", id, _ended, ACTIVE_SECONDS)
    if found is None:
        raise Failed(f"{work.plan.new_name} was not ACTIVE after {ACTIVE_SECONDS / 60:g} minutes")
    if not found:
        raise Failed(f"{work.plan.new_name} is gone: somebody deleted it while it was built")
    if status(found) == "ERROR":
        raise Failed(
            f"the cloud put {work.plan.new_name} into ERROR: {looking.fault(looking.server(work, id) or found)}"
        )
    if problem := compared(work, id):
        raise Failed(problem)
    return work.done("ACTIVE, with the disks and ports that were asked for", created=id)


def _ended(found: Doc | None) -> Doc | None:
    if found is None or status(found) in looking.GONE:
        return {}
    return found if settled(found, "ACTIVE") or status(found) == "ERROR" else None


def compared(work: Work, id: str) -> str:
    """What of its disks and ports is not as it was asked for; "" when all is."""
    asked, has = {volume for _, volume in disks(work)}, looking.attached(work, id)
    if missing := asked - has:
        return f"{work.plan.new_name} runs without the volume {', '.join(sorted(missing))}"
    if more := has - asked:
        return f"{work.plan.new_name} has the volume {', '.join(sorted(more))}, which nobody asked for"
    for nic in work.plan.nics:
        port = looking.port(work, work.made(port_purpose(nic)))
        if port is None or port.get("device_id") != id:
            return f"{work.plan.new_name} runs without its port on {nic.network_name or nic.network_id}"
    return ""


# When it is proven


def settle(work: Work) -> list[str]:
    """After the commit: volumes go with the machine again where the old one's did; sentences of what could not be."""
    id, notes = work.made(PURPOSE), []
    for disk, volume in disks(work) if id else ():
        if not disk.delete_on_termination:
            continue
        try:
            parking.goes_with(work, id, volume, True)
        except Failed as problem:
            work.look_up()
            notes.append(
                f"the volume {disk.name or volume} stays when its machine is deleted, unlike before: {problem}"
            )
    return notes


STEPS = {"CREATE_SERVER": create_server, "WAIT_SERVER_ACTIVE": wait_server_active}
