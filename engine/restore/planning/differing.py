"""What a restore does not bring back: what is lost, what will be another, what still points at the old machine. Pure.

The paths of `Difference.field` are those of a comparison, field by field, of the original with what came of it: what is
not named here must be equal.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from engine.restore.models import Difference, Disk, Nic, Plan
from engine.restore.planning import steps
from engine.restore.planning.choosing import size_gb
from engine.restore.planning.facts import Facts
from engine.restore.planning.networks import KEEPS_PORTS, expected, label
from engine.restore.planning.wording import disk_name, hours, machine_name, moment, point_name
from store.redact import HIDDEN

_MAKES_MACHINE = ("NEW", "REPLACE")
# Metadata that says who else keeps a record of the machine: {start of a key: who}.
_MARKS = {
    "heat": "Heat", "metering.stack": "Heat", "terraform": "Terraform", "magnum": "Magnum", "kubernetes": "Kubernetes",
    "k8s": "Kubernetes", "gardener": "Gardener", "openshift": "OpenShift",
}  # fmt: skip


def lost(plan: Plan) -> tuple[str, ...]:
    """A sentence per disk: how much is not there any more, or, in a copy, is not there."""
    return tuple(_lost(plan))


def _lost(plan: Plan) -> Iterator[str]:
    copy = plan.way in ("NEW", "DISK_BESIDE") and not plan.machine.gone
    root = plan.way in (*_MAKES_MACHINE, "IN_PLACE") and not any(disk.root for disk in plan.disks)
    if root and plan.machine.boot == "image" and plan.point is not None:
        at = plan.point.taken_at
        age = max(0, int((plan.created_at - at).total_seconds())) if at is not None else None
        yield _sentence("the root disk", age, at, copy=copy)
    for disk in plan.disks:
        if disk.choice == "restore_point" and disk.source is not None:
            yield _sentence(disk_name(disk), disk.lost_seconds, disk.source.taken_at, copy=copy)
        elif disk.choice == "leave_out":
            where = "the old one keeps it" if plan.way == "NEW" and not plan.machine.gone else "it stays where it is"
            if plan.way == "REPLACE":
                where = "it stays with the old machine"
            yield f"{disk_name(disk)} is left out: {where}"
    if plan.way == "IN_PLACE" or (plan.way == "REPLACE" and plan.request.end == "delete") or plan.machine.gone:
        yield from _local(plan)


def _sentence(name: str, age: int | None, at: datetime | None, *, copy: bool) -> str:
    if age is None:
        return f"{name}: how much is lost is not known"
    if copy:
        return f"{name}: the copy is {hours(age)} old, of {moment(at)}; the original goes on as it is"
    return f"{name}: what was written in the last {hours(age)}, since {moment(at)}"


def _local(plan: Plan) -> Iterator[str]:
    for name, unit in (("ephemeral", "GB"), ("swap", "MB")):
        size = plan.machine.flavor.get(name)
        if isinstance(size, int) and size > 0:
            yield f"the local {name} disk ({size} {unit}): nothing brings its content back"


# What will be another


def differs(plan: Plan, facts: Facts) -> tuple[Difference, ...]:
    """Everything that will not be as it was, with the path of the field."""
    if plan.way == "DISK_BESIDE":
        return ()
    if plan.way == "DATA_VOLUME_BACK":
        return tuple(_disks(plan))
    if plan.way == "IN_PLACE":
        return (*_in_place(plan), *_flavor_disks(plan))
    found = [
        *_server(plan),
        *_passed_on(plan, facts),
        *_disks(plan),
        *_devices(plan),
        *_ports(plan, facts),
        *_inside(plan),
    ]
    return (*found, *_flavor_disks(plan))


def _in_place(plan: Plan) -> Iterator[Difference]:
    if plan.machine.boot == "image":
        yield Difference("server.image", "the machine's image is the image snapshot that it was rebuilt from")
    for number, disk in enumerate(plan.disks):
        if disk.root:
            yield Difference(
                f"disk.{number}.image_metadata", "the root volume's image metadata is that of the image made for it"
            )
    if plan.machine.vm_state == "error":
        yield Difference("server.status", "the machine is in ERROR now, and ACTIVE when it is rebuilt")
    yield Difference(
        "inside.ssh_host_keys", "SSH host keys are those of the restore point, or made again by cloud-init"
    )
    yield Difference("server.updated", "Nova notes the rebuild as an action, and the machine as launched again")


def _server(plan: Plan) -> Iterator[Difference]:
    machine = plan.machine
    yield Difference("server.id", "the machine has another UUID, which is cloud-init's instance-id, too")
    yield Difference("server.user_id", "its owner is the user that the engine acts as, for good")
    yield Difference("server.created", "it is new: created and launched now")
    yield Difference("server.host", "the scheduler chooses its host")
    if not machine.pinned_zone and not plan.request.zone:
        yield Difference("server.zone", "it is not pinned to a zone, so the scheduler chooses that, too")
    if machine.pinned_zone and not plan.request.zone:
        yield Difference("server.pinned_zone", f"it was pinned to the zone {machine.pinned_zone}, and will be again")
    if plan.new_name != machine.name:
        yield Difference(
            "server.name", f"it is called {plan.new_name}; its host name stays {machine.hostname or machine.name}"
        )
    if machine.vm_state != "active":
        yield Difference("server.status", f"it is started: the old one was {machine.status or 'not running'}")
    if machine.locked:
        yield Difference("server.locked", "it is not locked, as the old one is")
    if machine.boot == "image":
        yield Difference("server.image", "its image is the image snapshot that it was made from")
    if _hidden(machine.metadata):
        yield Difference("server.metadata", f"{_hidden(machine.metadata)} of its metadata not copied")
    yield Difference("server.scheduler_hints", "hints to the scheduler, beside the server group, are not given again")
    if plan.request.security_group_ids is not None:
        yield Difference("server.security_groups", "it has the security groups that were asked for")


def _passed_on(plan: Plan, facts: Facts) -> Iterator[Difference]:
    machine = plan.machine
    if machine.user_data_bytes and not plan.request.user_data:
        yield Difference(
            "server.user_data",
            f"its user data ({machine.user_data_bytes} bytes) is not passed on: cloud-init would run it once more",
        )
    if machine.key_name and facts.rights.key in ("unreadable", "clash"):
        why = (
            "the acting user has another key of that name" if facts.rights.key == "clash"
            else "only its owner or an administrator may read it"
        )  # fmt: skip
        yield Difference("server.key_name", f"its key pair {machine.key_name} is not set: {why}; keys on the disk stay")


def _disks(plan: Plan) -> Iterator[Difference]:
    for number, disk in enumerate(plan.disks):
        name = disk_name(disk)
        if disk.choice == "leave_out":
            yield Difference(f"disk.{number}", f"{name} is left out")
        elif disk.choice == "restore_point" and disk.source is not None:
            yield Difference(f"disk.{number}.id", f"{name} is another volume, with another /dev/disk/by-id name")
            yield Difference(f"disk.{number}.created", f"{name} is a new volume, made from {point_name(disk.source)}")
            if disk.root or not disk.name:
                yield Difference(f"disk.{number}.name", f"the new volume of {name} is called after the machine")
            if _hidden(disk.metadata):
                yield Difference(
                    f"disk.{number}.metadata", f"{name}: {_hidden(disk.metadata)} of its metadata not copied"
                )
            if disk.volume_id and size_gb(disk) != disk.size_gb:
                yield Difference(f"disk.{number}.size_gb", f"{name} gets {size_gb(disk)} GB, as its restore point has")
            if disk.attached_elsewhere:
                yield Difference(f"disk.{number}.attached_elsewhere", f"{name} is no longer shared with other machines")
        if plan.machine.gone and disk.choice != "leave_out":
            yield Difference(f"disk.{number}.tag", f"{name} has no device tag: of a deleted machine it is not known")


def _hidden(metadata: Mapping[str, str]) -> str:
    """Which entries look like secrets, whose values are never read; "" for none."""
    keys = sorted(key for key, value in metadata.items() if value == HIDDEN)
    return f"{', '.join(keys)} (it looks like a secret)" if keys else ""


def _devices(plan: Plan) -> Iterator[Difference]:
    """Disks that get another device name: hypervisors give them out in order, without the gaps of the old machine."""
    there = [(number, disk) for number, disk in enumerate(plan.disks) if disk.choice != "leave_out"]
    before = ""
    for number, disk in sorted(there, key=lambda one: (not one[1].root, one[1].order)):
        if len(disk.device) < 2:
            continue
        expected = before[:-1] + chr(ord(before[-1]) + 1) if before else disk.device
        if plan.machine.boot == "volume" and disk.root:
            expected = disk.device[:-1] + "a"
        if expected != disk.device:
            yield Difference(f"disk.{number}.device", f"{disk_name(disk)} is {expected}, no longer {disk.device}")
        before = expected


def _ports(plan: Plan, facts: Facts) -> Iterator[Difference]:
    old = {nic.port_id: nic for nic in facts.nics}
    for number, nic in enumerate(plan.nics):
        before, where = old.get(nic.port_id, nic), f"nic.{number}"
        yield Difference(f"{where}.port_id", f"{label(nic)} is a new port")
        if not nic.keep_mac:
            yield Difference(
                f"{where}.mac", f"{label(nic)} has another MAC address: network settings bound to it are dead"
            )
        if nic.network_id != before.network_id:
            yield Difference(f"{where}.network_id", f"it is on another network than {label(before)} was")
        if sorted(expected(nic)) != sorted(one.address for one in nic.fixed):
            yield Difference(f"{where}.fixed", f"{label(nic)} has other addresses: {_addresses(nic)}")
        elif nic.fall_back:
            yield Difference(f"{where}.fixed", f"{label(nic)} may get other addresses, if the old ones cannot be had")
        yield from _port_details(plan, nic, before, where)


def _addresses(nic: Nic) -> str:
    given = [address or "any" for address in expected(nic)]
    return ", ".join(given) if given else "what the network gives"


def _port_details(plan: Plan, nic: Nic, before: Nic, where: str) -> Iterator[Difference]:
    if plan.way == "NEW" and nic.floating:
        word = ", ".join(one.address for one in nic.floating)
        yield Difference(f"{where}.floating", f"{label(nic)} has no floating IP: {word} stays with the old machine")
    for name in ("allowed_address_pairs", "port_security", "security_groups", "qos_policy_id"):
        if getattr(nic, name) != getattr(before, name):
            yield Difference(
                f"{where}.{name}", f"{label(nic)} has other {name.replace('_', ' ').removesuffix(' id')} than before"
            )
    if nic.trunk_id:
        yield Difference(f"{where}.trunk_id", f"{label(nic)} is no trunk parent: the trunk stays with the old port")
    if nic.dns_name:
        yield Difference(f"{where}.dns_assignment", f"{label(nic)} is known to DNS by its new addresses")


def _inside(plan: Plan) -> Iterator[Difference]:
    """What nobody but the guest sees."""
    yield Difference("inside.ssh_host_keys", "cloud-init may make new SSH host keys: clients will warn")
    yield Difference(
        "inside.firmware", "UEFI variables and the contents of a virtual TPM are not part of a restore point"
    )
    yield Difference("inside.licences", "licences bound to the UUID or a MAC address may have to be renewed")
    if plan.machine.config_drive:
        yield Difference("inside.config_drive", "the config drive is a new one, with the new instance-id")


def _flavor_disks(plan: Plan) -> Iterator[Difference]:
    for name in ("ephemeral", "swap"):
        size = plan.machine.flavor.get(name)
        if isinstance(size, int) and size > 0:
            yield Difference(f"inside.{name}", f"the local {name} disk is empty")


# What points at the old one, and what is made


def points_at_old(plan: Plan, facts: Facts) -> tuple[str, ...]:
    """Sentences: who knows the old machine by its UUID, addresses or ports. In place nothing has to be told."""
    if plan.way in KEEPS_PORTS:
        return ()
    found = list(facts.references)
    for nic in facts.nics:
        floating = [one.address for one in nic.floating]
        if floating and plan.way == "NEW":
            found.append(f"floating IP {', '.join(floating)} stays with {label(nic)} of the old machine")
        if nic.allowed_address_pairs:
            shared = ", ".join(str(pair.get("ip_address", "")) for pair in nic.allowed_address_pairs)
            found.append(f"{label(nic)} may use {shared} too: whatever keeps that address knows the old machine")
        if nic.dns_name:
            found.append(f"the DNS name {nic.dns_name} belongs to {label(nic)}")
        if nic.trunk_id:
            found.append(f"the trunk {nic.trunk_id} has {label(nic)} as its parent")
    if facts.machine.group_id:
        group = facts.machine.group_name or facts.machine.group_id
        found.append(f"the server group {group} has the old machine as a member; the new one joins it")
    found += [
        f"{who} keeps a record of the machine ({key} in its metadata)" for key, who in _marks(facts.machine.metadata)
    ]
    return tuple(dict.fromkeys(found))


def _marks(metadata: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for key in sorted(metadata):
        who = next((who for start, who in _MARKS.items() if key.lower().startswith(start)), "")
        if who:
            yield key, who


def creates(plan: Plan) -> tuple[str, ...]:
    """What will be there that was not, a sentence each."""
    return tuple(_creates(plan))


def _creates(plan: Plan) -> Iterator[str]:
    safety = steps.safety(plan)
    for disk in plan.disks:
        if disk.volume_id in safety["volumes"]:
            yield f"a safety snapshot of {disk_name(disk)}, {disk.size_gb} GB"
    if safety["image"]:
        yield f"a safety image of the root disk of {machine_name(plan.machine)}"
    passing = "a temporary volume" if steps.copies_root(plan) else "a volume"
    for disk in steps.restored(plan):
        if disk.source is not None:
            there = " (made already by the job that failed)" if disk.volume_id in plan.reused else ""
            yield f"{passing} of {size_gb(disk)} GB{_type(disk)} from {point_name(disk.source)}{there}"
    if steps.copies_root(plan):
        yield "a temporary image of the root disk, removed afterwards"
    if plan.way in _MAKES_MACHINE:
        if plan.nics:
            yield f"{len(plan.nics)} {'port' if len(plan.nics) == 1 else 'ports'}"
        flavor = plan.machine.flavor.get("name") or plan.machine.flavor.get("original_name") or "its flavor"
        yield f"the machine {plan.new_name} ({flavor})"


def _type(disk: Disk) -> str:
    return f" of the type {disk.volume_type}" if disk.volume_type else ""
