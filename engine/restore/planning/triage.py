"""What is broken, before anything is restored: pure.

A restore loses what was written since the restore point. So what loses less is named first: a machine on a dead host is
evacuated, one that is paused or was deleted a moment ago is woken up. One finding "ok" means that nothing was found.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from engine.restore.models import Disk, Finding, Machine
from engine.restore.planning.facts import Facts
from engine.restore.planning.wording import disk_name, hours, machine_name, moment

SILENT = timedelta(minutes=5)  # a compute service that was not heard of for so long is taken for dead
RECENT = timedelta(days=7)  # failed actions that are older are no news
MOST_EVENTS = 3
_DEAD_WORDS = ("DOWN", "UNKNOWN")
_POWER = {0: "no state", 1: "running", 3: "paused", 4: "shut down", 6: "crashed", 7: "suspended"}
_RUNNING = 1
_TROUBLE = (
    "kernel panic",
    "not syncing",
    "emergency mode",
    "no bootable device",
    "i/o error",
    "grub rescue",
    "oom-kill",
)

# States in which a smaller act than a restore may be all that is needed: {vm_state: (sentence, command)}.
_ASLEEP = {
    "paused": ("it is paused: running on may be all it needs", "openstack server unpause {id}"),
    "suspended": ("it is suspended: resuming it may be all it needs", "openstack server resume {id}"),
    "rescued": ("it is in rescue mode, with its disk beside: end that first", "openstack server unrescue {id}"),
    "resized": ("its resize waits for a decision: confirm or revert it first", "openstack server resize revert {id}"),
    "soft-delete": ("it is deleted, but can still be brought back as it was", "openstack server restore {id}"),
}


def host_dead(facts: Facts, now: datetime) -> bool:
    """whether the machine's host is down, forced down, or was not heard of for minutes."""
    machine = facts.machine
    if machine.gone or not (machine.host or machine.host_status):
        return False
    if machine.host_status in _DEAD_WORDS:
        return True
    if facts.service is None:
        return False
    state, seen = facts.service
    return state == "down" or (machine.host_status != "UP" and seen is not None and now - seen > SILENT)


def fence_phrase(machine: Machine) -> str:
    """What has to be typed before a machine on a dead host is replaced."""
    return f"the old host {machine.host or 'of this machine'} is fenced"


def evacuation(machine: Machine) -> str:
    """The command that starts a machine of a dead host elsewhere, with its disks as they are."""
    return f"openstack server evacuate {machine.key[2]}"


def findings(facts: Facts, now: datetime, lost: tuple[Disk, ...] = ()) -> tuple[Finding, ...]:
    """Everything that triage sees, the gravest first; one that is ok when there is nothing.

    lost  the disks that come from a restore point, once one is chosen
    """
    found = [*_host(facts, now), *_refused(facts), *_state(facts.machine), *_events(facts, now), *_console(facts)]
    found += [Finding("warning", sentence) for sentence in facts.disagreements]
    if facts.root_image_problem:
        found.append(Finding("warning", facts.root_image_problem))
    found += list(_unread(facts))
    found.sort(key=lambda one: ("problem", "warning", "ok").index(one.level))
    if not found:
        found.append(Finding("ok", _fine(facts.machine)))
    return (*found, *_losses(lost))


def _fine(machine: Machine) -> str:
    name = machine_name(machine)
    if machine.gone:
        return f"{name} is deleted: what follows is what was last known of it"
    where = f" on {machine.host}" if machine.host else ""
    return f"{name} is {machine.status or 'in an unknown state'}{where}, and its host is up"


def _host(facts: Facts, now: datetime) -> Iterator[Finding]:
    machine = facts.machine
    seen = facts.service[1] if facts.service is not None else None
    silent = f", not heard of for {hours((now - seen).total_seconds())}" if seen is not None else ""
    where = f"the host {machine.host}" if machine.host else "its host"
    if host_dead(facts, now):
        yield Finding(
            "problem",
            f"{where} is dead{silent}: evacuating the machine starts it elsewhere and loses nothing, "
            "a restore loses everything since the restore point",
            evacuation(machine),
        )
    elif machine.host_status == "MAINTENANCE":
        yield Finding("warning", f"{where} is disabled, but up")
    elif seen is not None and now - seen > SILENT:
        yield Finding("warning", f"{where} is said to be up, but was{silent.removeprefix(',')}")


def _refused(facts: Facts) -> Iterator[Finding]:
    for what, sentence in sorted(facts.refused.items()):
        yield Finding("warning" if what == "read_only" else "problem", sentence)


def _state(machine: Machine) -> Iterator[Finding]:
    if machine.gone:
        return
    if machine.vm_state in _ASLEEP:
        text, command = _ASLEEP[machine.vm_state]
        yield Finding("problem", text, command.format(id=machine.key[2]))
    if machine.vm_state == "error":
        command = f"openstack server reboot --hard {machine.key[2]}"
        yield Finding("warning", "it is in ERROR: a hard reboot may be all it needs, and loses nothing", command)
    if machine.task_state:
        yield Finding("warning", f"Nova is still busy with it ({machine.task_state}): wait until that is over")
    power = _POWER.get(machine.power_state if machine.power_state is not None else -1)
    if machine.vm_state == "active" and power is not None and machine.power_state != _RUNNING:
        yield Finding(
            "warning",
            f"Nova says it is active, but its power state is {power}: starting it again may be all it needs",
            f"openstack server reboot --hard {machine.key[2]}",
        )
    if machine.locked:
        yield Finding("warning", "it is locked" + (f": {machine.locked_reason}" if machine.locked_reason else ""))


def _events(facts: Facts, now: datetime) -> Iterator[Finding]:
    failed = [one for one in facts.events or () if one.error and (one.at is None or now - one.at < RECENT)]
    for event in failed[:MOST_EVENTS]:
        yield Finding("warning", f"its {event.action} of {moment(event.at)} failed: {event.error}"[:300])


def _console(facts: Facts) -> Iterator[Finding]:
    for line in reversed(facts.console or ()):
        if any(word in line.lower() for word in _TROUBLE):
            yield Finding("warning", f"its console says: {line.strip()}"[:300])
            return


def _unread(facts: Facts) -> Iterator[Finding]:
    """What nobody could look at is said: silence would look like health."""
    yield from (Finding("warning", sentence) for sentence in facts.unread)
    if facts.machine.gone:
        return
    if not facts.machine.host_status and facts.service is None and not facts.machine.vm_state.startswith("shelved"):
        yield Finding("warning", "whether its host is up may not be seen with this session: look before you restore")
    if facts.events is None:
        yield Finding("warning", "its last actions could not be read")


def _losses(lost: tuple[Disk, ...]) -> Iterator[Finding]:
    for disk in lost:
        if disk.lost_seconds is not None:
            yield Finding("ok", f"{disk_name(disk)}: what comes back is {hours(disk.lost_seconds)} old")
