"""How the sentences of a plan say lengths of time, moments, disks and points: the same everywhere."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from engine.restore.models import Disk, Machine, Source

_KINDS = {"snapshot": "snapshot", "image": "image snapshot", "backup": "backup"}


def hours(seconds: float) -> str:
    """A length of time for people: "40 s", "12 min", "26.5 h", "9 days"."""
    seconds = max(0, int(seconds))
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3600:
        return f"{seconds // 60} min"
    if seconds < 72 * 3600:
        return f"{seconds / 3600:.1f} h".replace(".0 h", " h")
    return f"{seconds // 86400} days"


def moment(at: datetime | None) -> str:
    """A moment to the minute, in UTC."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC") if at is not None else "an unknown time"


def disk_name(disk: Disk) -> str:
    """What people call a disk: its name or the start of its id, and whether the machine boots from it."""
    name = disk.name or disk.volume_id[:8] or "the root disk"
    return f"the root disk {name}" if disk.root and disk.volume_id else f"the disk {name}"


def point_name(source: Source) -> str:
    """What people call a restore point."""
    return f"the {_KINDS[source.kind]} {source.name or source.id[:8]}"


def machine_name(machine: Machine) -> str:
    """Its name, or the start of its id where it has none."""
    return machine.name or machine.key[2][:8]


def listed(words: Iterable[str]) -> str:
    """ "a", "a and b", "a, b and c"."""
    found = list(words)
    return " and ".join([", ".join(found[:-1]), found[-1]]) if len(found) > 1 else "".join(found)
