"""Which restore point each disk comes from, and what becomes of the disks that have none: pure.

The root decides the time: the point that was asked for, else the newest usable one. The other disks follow it: with the
snapshot that was made together with it, else with the one that is nearest in time. A plan never hides that it mixes
times.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from engine.restore.models import Choice, Disk, Machine, Request, Source
from engine.restore.planning.facts import Facts
from engine.restore.planning.triage import host_dead
from engine.restore.planning.wording import disk_name, hours, moment, point_name

TOGETHER = timedelta(minutes=60)  # points so near each other belong to the same round of a policy
SAME_MOMENT = timedelta(seconds=60)
_USABLE = {"snapshot": "available", "image": "active", "backup": "available"}
_CHOICES = ("restore_point", "keep_current", "leave_out")
SAFETY = "safety-"  # how names of safety snapshots begin (steps/safety.py)
ROOT = "root"  # in Request.disks: the root of a machine that boots from an image


@dataclass(slots=True)
class Chosen:
    """What was chosen: the point that the restore is called after, every disk with its choice, and what is wrong."""

    point: Source | None = None
    disks: tuple[Disk, ...] = ()
    problems: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def size_gb(disk: Disk) -> int:
    """Of the volume that is made: never smaller than the original, nor than its source."""
    return max(disk.size_gb, disk.source.size_gb if disk.source is not None else 0)


def root_of(facts: Facts) -> Disk | None:
    """The volume that the machine boots from; None when it boots from an image (or nobody knows from what)."""
    return next((disk for disk in facts.disks if disk.root), None)


def point_problem(source: Source, machine: Machine) -> str | None:
    """Why nothing can be restored from a point; None when something can."""
    name = point_name(source)
    if source.project_id and source.project_id != machine.project_id:
        return f"{name} belongs to the project {source.project_id}, not to the machine's: what comes of it would too"
    if source.status != _USABLE[source.kind]:
        return f"{name} is {source.status or 'in an unknown state'}, not {_USABLE[source.kind]}: choose another one"
    return None


def usable(points: Sequence[Source], machine: Machine, at: datetime | None = None) -> list[Source]:
    """The points that something can be restored from, the newest first; those after `at` are left out."""
    found = [one for one in points if one.taken_at is not None and point_problem(one, machine) is None]
    found = [one for one in found if at is None or (one.taken_at is not None and one.taken_at <= at)]
    return sorted(found, key=lambda one: (one.taken_at, one.id), reverse=True)


def companion(source: Source, points: Sequence[Source], machine: Machine) -> Source | None:
    """The point of another disk that goes with this one: made together, else within an hour, the nearest."""
    mine = usable(points, machine)
    if source.group and (same := [one for one in mine if one.group == source.group]):
        return same[0]
    if source.taken_at is None:
        return None
    near = [one for one in mine if apart(one, source) <= TOGETHER]
    return min(near, key=lambda one: (apart(one, source), one.policy != source.policy, one.id), default=None)


def apart(one: Source, other: Source) -> timedelta:
    """The time between two points; a point without a time is as far away as can be."""
    if one.taken_at is None or other.taken_at is None:
        return timedelta.max
    return abs(one.taken_at - other.taken_at)


def choose(facts: Facts, request: Request, now: datetime) -> Chosen:
    """The disks of the plan, with their choices and sources."""
    chosen = Chosen()
    known = {disk.volume_id for disk in facts.disks}
    for volume_id, word in request.disks.items():
        if volume_id not in known and not (volume_id == ROOT and root_of(facts) is None):
            chosen.problems.append(f"{volume_id!r:.60} is no disk of this machine: look at the list of its disks")
        elif word not in _CHOICES and not word.startswith("point:"):
            chosen.problems.append(
                f"{word!r:.60} is no choice for a disk: it is restore_point, keep_current, leave_out or point:<id>"
            )
    if chosen.problems:
        return chosen
    if request.way in ("DISK_BESIDE", "DATA_VOLUME_BACK"):
        _one_disk(facts, request, now, chosen)
    else:
        _machine(facts, request, now, chosen)
    chosen.disks = tuple(_judged(disk, facts.machine, request, chosen) for disk in chosen.disks)
    _say_mixed(chosen, request, now)
    return chosen


# The point that was asked for


def _asked(facts: Facts, wanted: str, subject: str | None, chosen: Chosen) -> tuple[str, Source] | None:
    """(volume, point) for an id out of a request: of a point, or of points made as one (then that of the subject)."""
    every = [(volume, one) for volume, points in facts.points.items() for one in points]
    found = [pair for pair in every if pair[1].id == wanted] or [pair for pair in every if pair[1].group == wanted]
    if subject is not None:
        groups = {one.group for _, one in found if one.group}
        mine = [pair for pair in found if pair[0] == subject]
        mine += [pair for pair in every if pair[0] == subject and pair[1].group in groups]
        if found and not mine:
            chosen.problems.append(
                f"the restore point {wanted!r:.60} is of another disk than the one that is restored: choose one of that"
            )
            return None
        found = mine
    if not found:
        chosen.problems.append(
            f"the restore point {wanted!r:.60} is not of this machine's disks, or is gone: choose one of the list"
        )
        return None
    return found[0]


def _pick(facts: Facts, request: Request, subject: str, word: str, chosen: Chosen) -> Source | None:
    """The point of the disk that the restore is about, with a problem when there is none."""
    asked = word.removeprefix("point:") if word.startswith("point:") else request.restore_point_id
    if asked:
        pair = _asked(facts, asked, subject, chosen)
        if pair is None:
            return None
        if problem := point_problem(pair[1], facts.machine):
            chosen.problems.append(problem)
            return None
        return pair[1]
    points = facts.points.get(subject, ())
    found = usable(points, facts.machine, request.at)
    if not found:
        what = "the root disk" if subject in ("", _root_id(facts)) else f"the disk {subject[:8]}"
        when = f" that was taken by {moment(request.at)}" if request.at is not None else ""
        spoilt = f" ({len(points)} cannot be used)" if points and request.at is None else ""
        chosen.problems.append(f"{what} has no usable restore point{when}{spoilt}: nothing can be restored from it")
        return None
    # A safety snapshot is of what a restore was to mend: it is taken only when it is asked for, or the only one.
    return next((one for one in found if not one.name.startswith(SAFETY)), found[0])


def _root_id(facts: Facts) -> str:
    root = root_of(facts)
    return root.volume_id if root is not None else ""


# One disk


def subject_of(facts: Facts, request: Request) -> str | None:
    """Which disk a restore of one disk is about: the one that was named, that of the point, the root (for a copy
    beside), or the only data disk. None when that is not clear."""
    data = [disk.volume_id for disk in facts.disks if not disk.root]
    if request.volume_id:
        return "" if request.volume_id == ROOT and root_of(facts) is None else request.volume_id
    if request.restore_point_id:
        for volume, points in facts.points.items():
            if any(one.id == request.restore_point_id for one in points):
                return volume
    if request.way == "DISK_BESIDE" and (root_of(facts) is not None or facts.machine.boot == "image"):
        return _root_id(facts)
    return data[0] if len(data) == 1 else None


def _one_disk(facts: Facts, request: Request, now: datetime, chosen: Chosen) -> None:
    subject = subject_of(facts, request)
    chosen.disks = tuple(replace(disk, choice="keep_current", source=None, lost_seconds=None) for disk in facts.disks)
    if subject is None:
        chosen.problems.append("which disk comes back is not clear: name one (volume_id)")
        return
    if (strange := {volume for volume in request.disks if volume not in (subject, ROOT)}) and any(
        request.disks[volume] != "keep_current" for volume in strange
    ):
        chosen.problems.append("this way is about one disk; the others stay as they are: leave them out of `disks`")
    disk = next((one for one in facts.disks if one.volume_id == subject), None)
    if disk is None and subject == "" and facts.machine.boot == "image":
        # The root of a machine that boots from an image is no volume: a copy of it is made from the image.
        size = facts.machine.flavor.get("disk")
        disk = Disk("", f"{facts.machine.name} root", int(size) if isinstance(size, int) else 0, root=True)
        chosen.disks = (disk, *chosen.disks)
    if disk is None:
        chosen.problems.append(f"{subject!r:.60} is no disk of this machine: look at the list of its disks")
        return
    if request.way == "DATA_VOLUME_BACK" and disk.root:
        chosen.problems.append("the root disk of a machine cannot be taken off it: restore it in place")
        return
    source = _pick(facts, request, subject, request.disks.get(subject or ROOT, ""), chosen)
    chosen.point = source
    if source is not None:
        changed = _from(disk, source, now)
        chosen.disks = tuple(changed if one.volume_id == subject else one for one in chosen.disks)


# A machine


def _machine(facts: Facts, request: Request, now: datetime, chosen: Chosen) -> None:
    root = root_of(facts)
    if root is None and facts.machine.boot == "volume":
        chosen.problems.append("which volume the machine boots from is not known: a machine cannot be made of the rest")
        return
    key = root.volume_id if root is not None else ""
    word = request.disks.get(key or ROOT, "")
    whole = not (request.restore_point_id or request.at or word)  # nothing was asked for
    if facts.machine.gone and key in facts.survived and (word == "keep_current" or whole):
        source = None
    elif word in ("keep_current", "leave_out"):
        chosen.problems.append("the root disk comes from a restore point: without one there is nothing to restore")
        return
    else:
        source = _pick(facts, request, key, word, chosen)
        if source is None:
            return
    chosen.point = source
    chosen.disks = tuple(
        (_from(disk, source, now) if source is not None else replace(disk, choice="keep_current", source=None,
         note="it survived the machine and is used as it is"))
        if disk.root
        else _data(disk, facts, request, source, now, chosen)
        for disk in facts.disks
    )  # fmt: skip


def _data(disk: Disk, facts: Facts, request: Request, root: Source | None, now: datetime, chosen: Chosen) -> Disk:
    """A data disk with what was asked for it, else with what suits the root."""
    word = request.disks.get(disk.volume_id, "")
    if request.way == "IN_PLACE":
        if word not in ("", "keep_current"):
            chosen.problems.append(f"in place only the root disk changes: {disk_name(disk)} stays as it is")
        return replace(disk, choice="keep_current", source=None, lost_seconds=None, note="it is not touched")
    if word in ("keep_current", "leave_out"):
        return _without(disk, word, facts, request, now, chosen)  # type: ignore[arg-type]
    points = facts.points.get(disk.volume_id, ())
    if word.startswith("point:"):
        wanted = word.removeprefix("point:")
        pair = _asked(facts, wanted, disk.volume_id, chosen)
        if pair is None:
            return disk
        if problem := point_problem(pair[1], facts.machine):
            chosen.problems.append(problem)
        return _from(disk, pair[1], now)
    source = _suitable(disk, points, facts, request, root, word)
    if source is not None:
        return _from(disk, source, now)
    if word == "restore_point":
        chosen.problems.append(f"{disk_name(disk)} has no usable restore point: keep it as it is, or leave it out")
        return disk
    kept = disk.volume_id in facts.survived if facts.machine.gone else request.way == "REPLACE"
    return _without(
        disk, "keep_current" if kept and not _dead(facts, request, now) else "leave_out", facts, request, now, chosen
    )


def _suitable(
    disk: Disk, points: Sequence[Source], facts: Facts, request: Request, root: Source | None, word: str
) -> Source | None:
    """The point that goes with the root's."""
    # What others use, too, is not copied unasked; and beside a root as it was last, the data is as it was last.
    if word == "" and (disk.attached_elsewhere or (root is None and disk.volume_id in facts.survived)):
        return None
    if root is None:
        found = usable(points, facts.machine, request.at)
        return found[0] if found else None
    if request.at is not None and not request.restore_point_id:
        same = companion(root, points, facts.machine) if root.group else None
        if same is not None and same.group == root.group:
            return same
        found = usable(points, facts.machine, request.at)
        return found[0] if found else None
    near = companion(root, points, facts.machine)
    if near is not None or word == "":
        return near
    return min(usable(points, facts.machine), key=lambda one: (apart(one, root), one.id), default=None)


def _dead(facts: Facts, request: Request, now: datetime) -> bool:
    """Whether the old machine's host is dead: nothing can be taken off that machine."""
    return request.way == "REPLACE" and host_dead(facts, now)


def _without(disk: Disk, choice: Choice, facts: Facts, request: Request, now: datetime, chosen: Chosen) -> Disk:
    """A disk that does not come from a restore point."""
    name = disk_name(disk)
    if choice == "leave_out":
        return replace(disk, choice=choice, source=None, lost_seconds=None, note="the new machine does not have it")
    if request.way == "NEW" and disk.volume_id not in facts.survived:
        chosen.problems.append(
            f"{name} cannot be kept in a new machine beside the old one, which goes on using it: leave it out, "
            "or take a restore point of it"
        )
    if _dead(facts, request, now):
        chosen.problems.append(
            f"{name} cannot be taken off a machine whose host is dead: evacuate it, which loses nothing, "
            "or take a restore point of the disk, or leave it out"
        )
    moves = "it goes over to the new machine as it is" if request.way == "REPLACE" else "it is used as it is"
    return replace(disk, choice=choice, source=None, lost_seconds=None, note=moves)


def _from(disk: Disk, source: Source, now: datetime) -> Disk:
    """A disk that comes from that point."""
    lost = None if source.taken_at is None else max(0, int((now - source.taken_at).total_seconds()))
    note = f"from {point_name(source)} of {moment(source.taken_at)}"
    if source.kind == "backup":
        note += ", which is copied from where backups are kept"
    if 0 < source.size_gb < disk.size_gb:
        note += f"; it had {source.size_gb} GB then, and gets {disk.size_gb} GB: partitions are as they were"
    return replace(disk, choice="restore_point", source=source, lost_seconds=lost, note=note)


# What is said of the choice


def _judged(disk: Disk, machine: Machine, request: Request, chosen: Chosen) -> Disk:
    """Refuses what cannot be carried out, and says what is not known."""
    name = disk_name(disk)
    touched = disk.choice == "restore_point" or (disk.choice == "keep_current" and request.way in ("NEW", "REPLACE"))
    if disk.encrypted and touched:
        chosen.problems.append(
            f"{name} is encrypted: whether its key may be read is not known, and this was never tried; "
            "nothing is made of it"
        )
    if disk.choice != "restore_point" or disk.source is None:
        return disk
    if size_gb(disk) <= 0:
        chosen.problems.append(f"how large {name} was is not known: no volume can be made of its point")
    if disk.source.taken_at is None:
        chosen.warnings.append(f"when the point of {name} was taken is not known, nor what will be lost")
    if disk.attached_elsewhere:
        chosen.warnings.append(
            f"{name} is used by {len(disk.attached_elsewhere)} other machines, too: they go on with the original, "
            "the copy is a disk of its own"
        )
    return disk


def _say_mixed(chosen: Chosen, request: Request, now: datetime) -> None:
    """A plan that would mix times says by how much."""
    point = chosen.point
    if request.way in ("DISK_BESIDE", "DATA_VOLUME_BACK"):
        rest = [disk for disk in chosen.disks if disk.choice == "keep_current"]
        if request.way == "DATA_VOLUME_BACK" and point is not None and rest:
            lost = max((disk.lost_seconds or 0 for disk in chosen.disks), default=0)
            chosen.warnings.append(f"the other disks stay as they are: the one that comes back is {hours(lost)} older")
        return
    restored = [disk for disk in chosen.disks if disk.choice == "restore_point" and disk.source is not None]
    for disk in restored:
        if point is None or disk.source is None or disk.root:
            continue
        gap = apart(disk.source, point)
        if SAME_MOMENT < gap < timedelta.max and not (point.group and disk.source.group == point.group):
            older = "older" if (disk.source.taken_at or point.taken_at) < point.taken_at else "newer"  # type: ignore[operator]
            chosen.warnings.append(
                f"this mixes times: {disk_name(disk)} is {hours(gap.total_seconds())} {older} than the root disk"
            )
    kept = [disk for disk in chosen.disks if disk.choice == "keep_current"]
    if point is not None and point.taken_at is not None and kept:
        since = hours((now - point.taken_at).total_seconds())
        for disk in kept:
            chosen.warnings.append(
                f"this mixes times: {disk_name(disk)} is as it is now, {since} newer than the root disk"
            )
