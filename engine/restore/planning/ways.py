"""Which of the five ways a machine can be restored by, in which order they are offered, and why not the others: pure.

The smallest comes first: a copy of one disk beside the machine answers most calls and touches nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from engine.restore.models import WAYS, Machine, Park, Way
from engine.restore.planning.choosing import root_of, usable
from engine.restore.planning.facts import Facts
from engine.restore.planning.triage import host_dead

TITLES: Mapping[Way, str] = {
    "DISK_BESIDE": "a copy of one disk beside the machine",
    "DATA_VOLUME_BACK": "one data volume back as it was",
    "IN_PLACE": "in place: the root disk back, everything else stays",
    "NEW": "a new machine beside the old one",
    "REPLACE": "a new machine in the old one's place",
}
REBUILD_COMPUTE, REBUILD_VOLUME = (2, 93), (3, 68)  # from which volume-booted machines can be rebuilt
TOUCHES_MACHINE: tuple[Way, ...] = ("DATA_VOLUME_BACK", "IN_PLACE", "REPLACE")
MAKES_MACHINE: tuple[Way, ...] = ("NEW", "REPLACE")
_REBUILDABLE = ("active", "stopped", "error")
_REPLACEABLE = ("active", "stopped", "error", "paused", "suspended", "shelved", "shelved_offloaded")
_ATTACHABLE = ("active", "stopped", "paused", "shelved", "shelved_offloaded")


@dataclass(frozen=True, slots=True)
class Offer:
    """One way: whether it is possible for this machine, the sentence why not, and whether it is the suggested one."""

    way: Way
    title: str
    possible: bool
    why: str = ""
    first: bool = False


def offers(facts: Facts, now: datetime) -> tuple[Offer, ...]:
    """All ways: those that are possible first, the smallest first, and one of them suggested."""
    reasons = {way: why_not(way, facts, now) for way in WAYS}
    possible = [way for way in WAYS if not reasons[way]]
    first = suggested(facts, now, possible)
    order = [*possible, *(way for way in WAYS if reasons[way])]
    return tuple(Offer(way, TITLES[way], not reasons[way], reasons[way], way == first) for way in order)


def suggested(facts: Facts, now: datetime, possible: list[Way]) -> Way | None:
    """The way that fits the case; None when there is none."""
    machine = facts.machine
    if machine.gone or host_dead(facts, now):
        wished: tuple[Way, ...] = ("NEW",)
    elif machine.boot == "image":
        wished = ("IN_PLACE",)
    elif machine.vm_state == "active" and not _failing(facts):
        wished = ("DISK_BESIDE",)
    else:
        wished = ("IN_PLACE", "NEW")
    return next((way for way in (*wished, *WAYS) if way in possible), None)


def _failing(facts: Facts) -> bool:
    """Whether the machine's last action ended with an error."""
    return bool(facts.events and facts.events[0].error)


def why_not(way: Way, facts: Facts, now: datetime) -> str:
    """Why a way is not possible; "" when it is. What depends on the request is planner.py's."""
    for problem in (_forbidden(way, facts), _states(way, facts, now), _means(way, facts), _points(way, facts)):
        if problem:
            return problem
    return ""


def _forbidden(way: Way, facts: Facts) -> str:
    """What the gate refuses, and where the engine may not act at all."""
    for name in ("held", "hands_off"):
        if name in facts.refused:
            return facts.refused[name]
    if way in TOUCHES_MACHINE and (facts.machine.locked or "locked" in facts.refused):
        return facts.refused.get("locked") or locked(facts.machine)
    if facts.rights.access == "none":
        why = facts.rights.access_problem or "the engine may not act in the machine's project"
        command = facts.rights.access_command
        return f"{why}; an administrator has to run: {command}" if command else why
    return ""


def locked(machine: Machine) -> str:
    """The sentence for a locked machine."""
    reason = f": {machine.locked_reason}" if machine.locked_reason else " (no reason was given)"
    return f"{machine.name or machine.key[2]} is locked{reason}; unlock it first, if that is yours to decide"


def _states(way: Way, facts: Facts, now: datetime) -> str:
    machine = facts.machine
    if machine.gone:
        allowed = way in ("NEW", "DISK_BESIDE")
        return "" if allowed else "the machine is deleted: it comes back as a new one only"
    if machine.vm_state == "building":
        return "the machine is still being built: wait until it is there"
    if way in TOUCHES_MACHINE and machine.task_state:
        return f"Nova is busy with the machine ({machine.task_state}): wait until that is over"
    if way in ("IN_PLACE", "DATA_VOLUME_BACK") and host_dead(facts, now):
        return "the machine's host is dead and would not do it: evacuate the machine, which loses nothing"
    states: Mapping[Way, tuple[str, ...]] = {
        "IN_PLACE": _REBUILDABLE, "REPLACE": _REPLACEABLE, "DATA_VOLUME_BACK": _ATTACHABLE,
    }  # fmt: skip
    if way in states and machine.vm_state not in states[way]:
        word = machine.vm_state or machine.status or "in an unknown state"
        return f"the machine is {word}: this works only when it is {' or '.join(states[way])}"
    return ""


def _means(way: Way, facts: Facts) -> str:
    """What the cloud must be able to do, and what must still be there."""
    machine = facts.machine
    if way == "IN_PLACE" and machine.boot == "volume":
        for service, top, least in (
            ("Nova", facts.compute_top, REBUILD_COMPUTE), ("Cinder", facts.volume_top, REBUILD_VOLUME),
        ):  # fmt: skip
            if version(top) < least:
                have = f"has {top}" if top else "does not tell its version"
                return (
                    f"machines that boot from a volume are rebuilt from {service} {least[0]}.{least[1]} on; it {have}"
                )
    loose = [disk for disk in facts.disks if disk.status == "available"]
    if way == "IN_PLACE" and not machine.gone and loose:
        names = ", ".join(disk.name or disk.volume_id for disk in loose)
        return f"Nova has the volume {names} on the machine, Cinder has not: a rebuild is refused until they agree"
    if way in MAKES_MACHINE and not machine.flavor_id:
        name = machine.flavor.get("name") or machine.flavor.get("original_name") or "of the machine"
        return f"the flavor {name} does not exist any more: restoring in place keeps it, a new machine cannot have it"
    if way == "REPLACE" and any(nic.trunk_id for nic in facts.nics):
        return (
            "a port of the machine is the parent of a trunk, which cannot change over: restore it in place, or as new"
        )
    if way == "DATA_VOLUME_BACK" and not any(not disk.root for disk in facts.disks):
        return "the machine has no data volume"
    return ""


def _points(way: Way, facts: Facts) -> str:
    """What it would come back from."""
    root = root_of(facts)
    has = {volume for volume, points in facts.points.items() if usable(points, facts.machine)}
    if way in ("DISK_BESIDE", "DATA_VOLUME_BACK"):
        wanted = {disk.volume_id for disk in facts.disks if way == "DISK_BESIDE" or not disk.root}
        if way == "DISK_BESIDE" and facts.machine.boot == "image":
            wanted.add("")
        return "" if has & wanted else "no disk that it could be about has a usable restore point"
    if root is None and facts.machine.boot == "volume":
        return "which volume the machine boots from is not known"
    key = root.volume_id if root is not None else ""
    if key in has or (facts.machine.gone and key in facts.survived):
        return ""
    kind = "image snapshot" if root is None else "restore point"
    return f"the root disk has no usable {kind}"


def attach_problem(machine: Machine, *, dead: bool = False) -> str:
    """Why a machine cannot be given a disk now; "" when it can."""
    name = machine.name or machine.key[2]
    if machine.gone:
        return f"{name} is deleted"
    if machine.locked:
        return locked(machine)
    if dead:
        return f"the host of {name} is dead"
    if machine.task_state:
        return f"Nova is busy with {name} ({machine.task_state})"
    if machine.vm_state not in _ATTACHABLE:
        return f"{name} is {machine.vm_state or machine.status or 'in an unknown state'}"
    return ""


def park(facts: Facts, now: datetime) -> Park:
    """How the old machine makes room in a REPLACE.

    Shelving frees host, group and ports. A machine that boots from an image would upload its disk for that, so it is
    only stopped, unless there is no room beside it. On a dead host nothing can be done with it.
    """
    machine = facts.machine
    if host_dead(facts, now):
        return "leave"
    if machine.vm_state.startswith(("shelved", "paused", "suspended")):
        return "shelve"  # the latter two cannot be stopped
    tight = facts.hosts.candidates == 0 or facts.hosts.beside == 0
    return "shelve" if machine.boot == "volume" or tight else "stop"


def version(text: str) -> tuple[int, int]:
    """A microversion as numbers; (0, 0) for what is none."""
    found = re.fullmatch(r"(\d{1,3})\.(\d{1,4})", text.strip())
    return (int(found[1]), int(found[2])) if found else (0, 0)
