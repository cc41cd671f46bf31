"""What a restore does, step by step: pure, from a plan that has its disks and ports.

Every step that changes something has an undo step, which runs only when the job fails, or is cancelled, before its
commit. Nothing that was there before is removed before the commit: that is where the machine has shown that it answers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from engine.restore.models import Disk, Nic, Plan, PlannedStep, Way

Test = Callable[[Plan], bool]
_Row = tuple[str, Test] | str  # a step, and when the plan has it ("always" where nothing is said)

NO_HELPER = "none"  # Request.helper: the copy of a disk is made, and attached to nothing


def restored(plan: Plan) -> tuple[Disk, ...]:
    """The disks that come from a restore point: of each a new volume is made."""
    return tuple(disk for disk in plan.disks if disk.choice == "restore_point" and disk.source is not None)


def builds(plan: Plan) -> bool:
    """Whether volumes are made."""
    return bool(restored(plan))


def moved(plan: Plan) -> tuple[Disk, ...]:
    """The disks that go from the old machine to the new one."""
    if plan.way != "REPLACE":
        return ()
    return tuple(disk for disk in plan.disks if disk.choice == "keep_current")


def safe(plan: Plan) -> bool:
    """Whether what is overwritten or moved is snapshotted first; in IN_PLACE that cannot be switched off."""
    if plan.way == "IN_PLACE":
        return True
    return (
        plan.way == "REPLACE" and bool(moved(plan)) and plan.request.safety_snapshot is not False and not asleep(plan)
    )


def asleep(plan: Plan) -> bool:
    """Whether the machine is shelved already: Cinder makes no snapshot of what is reserved for it."""
    return plan.machine.vm_state.startswith("shelved")


def safety(plan: Plan) -> dict[str, Any]:
    """What gets a safety snapshot: volume ids, and whether an image is made of a root that is no volume."""
    if not safe(plan):
        return {"volumes": [], "image": False}
    if plan.way == "REPLACE":
        return {"volumes": [disk.volume_id for disk in moved(plan)], "image": False}
    root = [disk.volume_id for disk in plan.disks if disk.root]
    return {"volumes": root, "image": not root}


def shares(nic: Nic, address: str) -> bool:
    """Whether the old machine's port has that address now."""
    return any(fixed.address == address for fixed in nic.fixed)


def takes_addresses(plan: Plan) -> bool:
    """Whether the new machine gets an address or a MAC that the old one has: they move first."""
    held = {fixed.address for nic in plan.nics for fixed in nic.fixed}
    return plan.way == "REPLACE" and any(
        nic.keep_mac or any(wanted.address in held for wanted in nic.wanted) for nic in plan.nics
    )


def copies_root(plan: Plan) -> bool:
    """Whether an image has to be made of the point first: Nova rebuilds from images only."""
    return plan.way == "IN_PLACE" and plan.machine.boot == "volume"


def stops(plan: Plan) -> bool:
    """Whether the machine is stopped on the way."""
    if plan.way == "REPLACE":
        return plan.park in ("shelve", "stop") and not asleep(plan)
    # One that is paused or suspended does not run, and cannot be stopped nor started.
    return plan.way == "DATA_VOLUME_BACK" and plan.request.stop and plan.machine.vm_state == "active"


def _parks(plan: Plan) -> bool:
    return plan.park in ("shelve", "stop")


def _attaches(plan: Plan) -> bool:
    return plan.request.helper != NO_HELPER


def _floats(plan: Plan) -> bool:
    return any(nic.floating for nic in plan.nics)


def _deletes(plan: Plan) -> bool:
    return plan.request.end == "delete" and plan.park != "leave"


def _keeps(plan: Plan) -> bool:
    return not _deletes(plan)


def _cleans(plan: Plan) -> bool:
    old = plan.way == "REPLACE" and plan.request.cleanup_old_storage
    return old or plan.request.delete_source_snapshot


def _raises(plan: Plan) -> bool:
    return bool(plan.raises)


_BEGIN: tuple[_Row, ...] = ("VALIDATE_LIVE_STATE", "ENSURE_SERVICE_USER", ("RAISE_QUOTA", _raises), "QUOTA_CHECK")
_END: tuple[_Row, ...] = (("LOWER_QUOTA", _raises), "FINALIZE")
_SAFETY: tuple[_Row, ...] = (("SAFETY_SNAPSHOT", safe), ("WAIT_SAFETY_SNAPSHOT", safe))
_VOLUMES: tuple[_Row, ...] = (("CREATE_VOLUME_FROM_SNAPSHOT", builds), ("WAIT_VOLUME_AVAILABLE", builds))
_MACHINE: tuple[_Row, ...] = ("CREATE_PORTS", "CREATE_SERVER", "WAIT_SERVER_ACTIVE")

_DO: Mapping[Way, tuple[_Row, ...]] = {
    "NEW": (
        *_BEGIN, *_VOLUMES, *_MACHINE, "PROVE_IT_ANSWERS", "PROTECT", ("CLEANUP_OLD_STORAGE", _cleans), *_END,
    ),
    "REPLACE": (
        *_BEGIN, *_SAFETY, *_VOLUMES,
        ("PRESERVE_OLD_VOLUMES", lambda plan: bool(plan.disks)), ("STOP_OLD_MACHINE", stops),
        ("PARK_OLD_MACHINE", _parks), ("MOVE_VOLUMES", lambda plan: bool(moved(plan))),
        ("MOVE_ADDRESSES", takes_addresses), *_MACHINE, ("MOVE_FLOATING_IPS", _floats), "PROVE_IT_ANSWERS", "PROTECT",
        ("KEEP_OLD_MACHINE", _keeps), ("DELETE_OLD_MACHINE", _deletes), ("CLEANUP_OLD_STORAGE", _cleans), *_END,
    ),
    "IN_PLACE": (
        *_BEGIN, *_SAFETY,
        ("CREATE_VOLUME_FROM_SNAPSHOT", copies_root), ("WAIT_VOLUME_AVAILABLE", copies_root),
        ("CREATE_IMAGE", copies_root), ("WAIT_IMAGE_ACTIVE", copies_root),
        "REBUILD_SERVER", "WAIT_SERVER_REBUILT", "PROVE_IT_ANSWERS",
        ("REMOVE_TEMPORARY", copies_root), "PROTECT", *_END,
    ),
    # FINALIZE commits: a quota that cannot be given back takes no copy back.
    "DISK_BESIDE": (*_BEGIN, *_VOLUMES, ("ATTACH_VOLUME", _attaches), "FINALIZE", ("LOWER_QUOTA", _raises)),
    "DATA_VOLUME_BACK": (
        *_BEGIN, *_VOLUMES, "PRESERVE_OLD_VOLUMES", ("STOP_OLD_MACHINE", stops), "DETACH_CURRENT_VOLUME",
        "ATTACH_RESTORED_VOLUME", ("START_MACHINE", stops), ("PROVE_IT_ANSWERS", stops), "PROTECT",
        "KEEP_OLD_VOLUME", *_END,
    ),
}  # fmt: skip

_UNDO_RAISE = ("UNDO_RAISE_QUOTA", ("RAISE_QUOTA",))
# In the order in which they run: an undo step, and the do-steps that it takes back.
_UNDO: Mapping[Way, tuple[tuple[str, tuple[str, ...]], ...]] = {
    "NEW": (
        ("UNDO_SERVER", ("CREATE_SERVER",)),
        ("UNDO_PORTS", ("CREATE_PORTS",)),
        ("UNDO_VOLUMES", ("CREATE_VOLUME_FROM_SNAPSHOT",)),
        _UNDO_RAISE,
    ),
    "REPLACE": (
        ("UNDO_SERVER", ("CREATE_SERVER",)),
        ("UNDO_PORTS", ("CREATE_PORTS",)),
        ("UNDO_ADDRESSES", ("MOVE_ADDRESSES",)),
        ("UNDO_FLOATING_IPS", ("MOVE_FLOATING_IPS",)),
        ("UNDO_MOVE_VOLUMES", ("MOVE_VOLUMES",)),
        ("UNDO_PARK", ("STOP_OLD_MACHINE", "PARK_OLD_MACHINE")),
        ("UNDO_PRESERVE", ("PRESERVE_OLD_VOLUMES",)),
        ("UNDO_VOLUMES", ("SAFETY_SNAPSHOT", "CREATE_VOLUME_FROM_SNAPSHOT")),
        _UNDO_RAISE,
    ),
    "IN_PLACE": (
        ("UNDO_REBUILD", ("REBUILD_SERVER",)),
        ("UNDO_VOLUMES", ("SAFETY_SNAPSHOT", "CREATE_VOLUME_FROM_SNAPSHOT", "CREATE_IMAGE")),
        _UNDO_RAISE,
    ),
    "DISK_BESIDE": (
        ("UNDO_ATTACH", ("ATTACH_VOLUME",)),
        ("UNDO_VOLUMES", ("CREATE_VOLUME_FROM_SNAPSHOT",)),
        _UNDO_RAISE,
    ),
    "DATA_VOLUME_BACK": (
        ("UNDO_DATA_VOLUME", ("DETACH_CURRENT_VOLUME", "ATTACH_RESTORED_VOLUME")),
        ("UNDO_START", ("STOP_OLD_MACHINE", "START_MACHINE")),
        ("UNDO_PRESERVE", ("PRESERVE_OLD_VOLUMES",)),
        ("UNDO_VOLUMES", ("CREATE_VOLUME_FROM_SNAPSHOT",)),
        _UNDO_RAISE,
    ),
}

NAMES = frozenset(row if isinstance(row, str) else row[0] for rows in _DO.values() for row in rows) | frozenset(
    name for rows in _UNDO.values() for name, _ in rows
)


def undone_by(way: Way) -> dict[str, str]:
    """{do-step: the undo step that takes it back}; what is not in it changes nothing that must be taken back."""
    return {name: undo for undo, names in _UNDO[way] for name in names}


def planned(plan: Plan) -> tuple[tuple[PlannedStep, ...], str]:
    """(all steps of the plan, the ones that take back last; the name of the one that commits)."""
    does = [row if isinstance(row, str) else row[0] for row in _DO[plan.way] if isinstance(row, str) or row[1](plan)]
    undoes = [undo for undo, names in _UNDO[plan.way] if any(name in does for name in names)]
    steps = [PlannedStep(name, "do", _args(name, plan), _target(name, plan)) for name in does]
    steps += [PlannedStep(name, "undo", {}, _target(name, plan)) for name in undoes]
    return tuple(steps), _commit(plan, does)


def _commit(plan: Plan, does: list[str]) -> str:
    if plan.way == "DISK_BESIDE":
        return "FINALIZE"
    return "PROVE_IT_ANSWERS" if "PROVE_IT_ANSWERS" in does else "ATTACH_RESTORED_VOLUME"


def _args(name: str, plan: Plan) -> dict[str, Any]:
    if name in ("SAFETY_SNAPSHOT", "WAIT_SAFETY_SNAPSHOT"):
        return safety(plan)
    if name in ("CREATE_VOLUME_FROM_SNAPSHOT", "WAIT_VOLUME_AVAILABLE"):
        return {"volumes": [disk.volume_id for disk in restored(plan)]}
    if name in ("MOVE_VOLUMES", "UNDO_MOVE_VOLUMES"):
        return {"volumes": [disk.volume_id for disk in moved(plan)]}
    return {}


def _target(name: str, plan: Plan) -> str:
    """Name of what the step is about, for people."""
    if name in ("CREATE_SERVER", "WAIT_SERVER_ACTIVE", "CREATE_PORTS", "UNDO_SERVER", "UNDO_PORTS"):
        return plan.new_name or plan.machine.name
    return plan.machine.name
