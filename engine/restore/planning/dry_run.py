"""What every step of a plan would do, told from the plan alone.

A code path of its own: nothing here, nor anything that it imports, can reach a cloud. It shares no function with the
steps that do the work, so a mistake in one cannot make the other act.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from engine.restore.models import Disk, Nic, Plan
from engine.restore.planning import steps
from engine.restore.planning.choosing import size_gb
from engine.restore.planning.wording import disk_name, listed, machine_name, point_name


def render(plan: Plan) -> list[dict[str, str]]:
    """[{step, phase, would}]: for each step of the plan what it would do; that of an undo, if the job failed."""
    return [
        {"step": step.name, "phase": step.phase, "would": _RENDERINGS[step.name](plan)}
        for step in plan.steps
    ]  # fmt: skip


def _old(plan: Plan) -> str:
    return machine_name(plan.machine)


def _new(plan: Plan) -> str:
    return plan.new_name or machine_name(plan.machine)


def _disks(found: Sequence[Disk]) -> str:
    return listed(disk_name(disk) for disk in found)


def _attached(plan: Plan) -> str:
    return plan.helper_name or _old(plan)


def _volumes(plan: Plan) -> str:
    made = [
        f"a volume of {size_gb(disk)} GB from {point_name(disk.source)} for {disk_name(disk)}"
        for disk in steps.restored(plan)
        if disk.source is not None and disk.volume_id not in plan.reused
    ]
    used = [f"the volume {plan.reused[disk.volume_id]} again for {disk_name(disk)}"
            for disk in steps.restored(plan) if disk.volume_id in plan.reused]  # fmt: skip
    parts = [f"make {listed(made)}"] * bool(made) + [f"use {listed(used)}"] * bool(used)
    return ", and ".join(parts)


def _safety(plan: Plan) -> str:
    wanted = steps.safety(plan)
    if wanted["image"]:
        return f"make an image of the root disk of {_old(plan)}, to take the restore back with"
    found = [disk for disk in plan.disks if disk.volume_id in wanted["volumes"]]
    return f"make a snapshot of {_disks(found)}, to take the restore back with"


def _ports(plan: Plan) -> str:
    if not plan.nics:
        return "make no port: the machine has none"
    return "make " + listed(_port(nic) for nic in plan.nics)


def _port(nic: Nic) -> str:
    asked = [one.address for one in nic.wanted if one.address]
    words = f"a port on {nic.network_name or nic.network_id}"
    words += f" with {listed(asked)}" if asked else " with an address that the network gives"
    if asked and nic.fall_back:
        words += ", or another address where that cannot be had"
    return words + (f" and the MAC address {nic.mac}" if nic.keep_mac else "")


def _addresses(plan: Plan) -> str:
    held = {fixed.address for nic in plan.nics for fixed in nic.fixed}
    moved = [one.address for nic in plan.nics for one in nic.wanted if one.address in held]
    macs = [nic.mac for nic in plan.nics if nic.keep_mac]
    freed = "free the old machine's ports from its dead host, and " if plan.park == "leave" else ""
    return f"{freed}take {listed([*moved, *macs]) or 'what is asked for'} from the old machine's ports"


def _floating(plan: Plan) -> str:
    return (
        "point "
        + listed(one.address for nic in plan.nics for one in nic.floating)
        + f" at the new ports of {_new(plan)}"
    )


def _park(plan: Plan) -> str:
    if plan.park == "shelve":
        return f"shelve {_old(plan)} and have it give up its host"
    return f"leave {_old(plan)} stopped on its host"


def _server(plan: Plan) -> str:
    kept = [disk for disk in plan.disks if disk.choice == "keep_current" and not disk.root]
    root = next((disk for disk in plan.disks if disk.root), None)
    source = "its new root volume" if root is not None else f"the image {plan.root_image}"
    if root is not None and root.choice == "keep_current":
        source = disk_name(root)
    more = f", with {_disks(kept)} as it is" if kept else ""
    data = "" if plan.request.user_data else "out"
    return f"start {_new(plan)} from {source}{more}, with{data} the user data"


def _prove(plan: Plan) -> str:
    ways = [f"its console says {listed(plan.request.prove.console)}"] if plan.request.prove.console else []
    ways += [f"port {plan.request.prove.tcp_port} answers"] if plan.request.prove.tcp_port else []
    ways += ["the configured command succeeds"] if plan.request.prove.command else []
    asks = f"; else a person is asked for {plan.request.prove.answer_minutes} min" if plan.request.prove.ask else ""
    return (
        f"wait up to {plan.request.prove.seconds} s until {' or '.join(ways) or 'somebody says that it answers'}{asks}"
    )


def _rebuild(plan: Plan) -> str:
    image = f"the image {plan.root_image}" if plan.root_image else "the image made of the restore point"
    return f"overwrite the root disk of {_old(plan)} with {image}; everything else of it stays"


def _keep(plan: Plan) -> str:
    how = "as it is on its dead host" if plan.park == "leave" else "shelved" if plan.park == "shelve" else "stopped"
    return f"keep {_old(plan)} {how}, renamed and locked, for {plan.request.keep_days} days"


def _clean(plan: Plan) -> str:
    parts = []
    if plan.way == "REPLACE" and plan.request.cleanup_old_storage:
        parts.append("delete the old root volume, unless something still needs it")
    if plan.request.delete_source_snapshot:
        parts.append("delete the restore point, unless something still needs it")
    return listed(parts)


def _protect(plan: Plan) -> str:
    if plan.way == "IN_PLACE":
        return "see that the machine's disks are protected as before"
    made = steps.restored(plan)
    return (
        f"give the new volumes the policies of {_disks(made)}" if made else "see that the disks are protected as before"
    )


def _finalize(plan: Plan) -> str:
    if plan.way == "DISK_BESIDE":
        return f"keep the copy for {plan.request.keep_days} days, and note what was done"
    return "note what was done, and give back a role that was lent"


def _raise(plan: Plan) -> str:
    return "have an administrator's account raise " + listed(
        f"the quota {one.name} from {one.was} to {one.needed}" for one in plan.raises
    )


_RENDERINGS: Mapping[str, Callable[[Plan], str]] = {
    "VALIDATE_LIVE_STATE": lambda plan: f"read {_old(plan)}, its disks, ports and points again: end if they changed",
    "ENSURE_SERVICE_USER": lambda plan: (
        "have a role lent in the project for the time of the job" if plan.access == "lend"
        else "see that the engine may act in the machine's project"
    ),
    "RAISE_QUOTA": _raise,
    "LOWER_QUOTA": lambda plan: "give back what the quota was raised by, unless somebody changed it meanwhile",
    "UNDO_RAISE_QUOTA": lambda plan: "give back what the quota was raised by, unless somebody changed it meanwhile",
    "QUOTA_CHECK": lambda plan: "read quotas and hosts again, and end if it does not fit",
    "SAFETY_SNAPSHOT": _safety,
    "WAIT_SAFETY_SNAPSHOT": lambda plan: "wait until that can be used",
    "CREATE_VOLUME_FROM_SNAPSHOT": _volumes,
    "WAIT_VOLUME_AVAILABLE": lambda plan: "wait until that can be used, and compare it with the original",
    "CREATE_IMAGE": lambda plan: "make a temporary image of that volume",
    "WAIT_IMAGE_ACTIVE": lambda plan: "wait until that can be used",
    "PRESERVE_OLD_VOLUMES": lambda plan: f"see that no volume of {_old(plan)} is deleted together with it",
    "STOP_OLD_MACHINE": lambda plan: f"shut {_old(plan)} down, and end if it does not stop",
    "PARK_OLD_MACHINE": _park,
    "MOVE_VOLUMES": lambda plan: f"take {_disks(steps.moved(plan))} off {_old(plan)}",
    "MOVE_ADDRESSES": _addresses,
    "CREATE_PORTS": _ports,
    "CREATE_SERVER": _server,
    "WAIT_SERVER_ACTIVE": lambda plan: f"wait until {_new(plan)} runs",
    "MOVE_FLOATING_IPS": _floating,
    "PROVE_IT_ANSWERS": _prove,
    "PROTECT": _protect,
    "KEEP_OLD_MACHINE": _keep,
    "DELETE_OLD_MACHINE": lambda plan: f"delete {_old(plan)}; its volumes stay",
    "CLEANUP_OLD_STORAGE": _clean,
    "FINALIZE": _finalize,
    "REBUILD_SERVER": _rebuild,
    "WAIT_SERVER_REBUILT": lambda plan: f"wait until {_old(plan)} is rebuilt",
    "REMOVE_TEMPORARY": lambda plan: "remove the temporary volume and image",
    "ATTACH_VOLUME": lambda plan: f"attach the copy to {_attached(plan)}",
    "DETACH_CURRENT_VOLUME": lambda plan: f"take {_disks(steps.restored(plan))} off {_old(plan)}",
    "ATTACH_RESTORED_VOLUME": lambda plan: f"attach the new volume to {_old(plan)} in its place",
    "START_MACHINE": lambda plan: f"start {_old(plan)}",
    "KEEP_OLD_VOLUME": lambda plan: f"keep the volume that was taken off for {plan.request.keep_days} days",
    "UNDO_SERVER": lambda plan: f"delete the new {_new(plan)}",
    "UNDO_PORTS": lambda plan: "delete the new ports",
    "UNDO_ADDRESSES": lambda plan: f"give {_old(plan)} its addresses and MAC addresses back",
    "UNDO_FLOATING_IPS": lambda plan: f"point the floating IPs at {_old(plan)} again",
    "UNDO_MOVE_VOLUMES": lambda plan: f"attach {_disks(steps.moved(plan))} to {_old(plan)} again",
    "UNDO_PARK": lambda plan: f"unshelve {_old(plan)}, and start it if it ran",
    "UNDO_PRESERVE": lambda plan: f"set again which volumes are deleted together with {_old(plan)}",
    "UNDO_VOLUMES": lambda plan: "remove temporary images; new volumes stay for a retry, or go where settings say so",
    "UNDO_REBUILD": lambda plan: f"rebuild {_old(plan)} from the safety snapshot, if it was touched",
    "UNDO_ATTACH": lambda plan: f"take the copy off {_attached(plan)}",
    "UNDO_DATA_VOLUME": lambda plan: f"attach {_disks(steps.restored(plan))} to {_old(plan)} again as it was",
    "UNDO_START": lambda plan: f"start {_old(plan)}, if it ran",
}  # fmt: skip

RENDERED = frozenset(_RENDERINGS)
