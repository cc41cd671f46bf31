"""What people would type to do the same, and how long it will take about: pure, from the plan."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from engine.restore.models import Disk, Nic, Plan
from engine.restore.planning import steps
from engine.restore.planning.choosing import size_gb

# Seconds that the acts of a cloud take when nothing is in the way, for estimates.
_STEP_SECONDS = {
    "CREATE_SERVER": 5, "WAIT_SERVER_ACTIVE": 25, "STOP_OLD_MACHINE": 30, "PARK_OLD_MACHINE": 10, "MOVE_ADDRESSES": 5,
    "MOVE_VOLUMES": 10, "SAFETY_SNAPSHOT": 5, "REBUILD_SERVER": 5, "WAIT_SERVER_REBUILT": 30, "PROVE_IT_ANSWERS": 40,
    "DETACH_CURRENT_VOLUME": 5, "ATTACH_RESTORED_VOLUME": 5, "ATTACH_VOLUME": 5, "START_MACHINE": 10,
}  # fmt: skip
_MB = 1024


def seconds(plan: Plan, copy_mb_s: int) -> int | None:
    """About how long the restore takes; None when how long its volumes take is not known."""
    sources = [
        disk.source for disk in steps.restored(plan) if disk.source is not None and disk.volume_id not in plan.reused
    ]
    known = [one.seconds for one in sources]
    if any(one is None for one in known):
        return None
    volumes = max((one for one in known if one is not None), default=0)  # they are made side by side
    planned, _ = steps.planned(plan)
    total = volumes + sum(_STEP_SECONDS.get(step.name, 1) for step in planned if step.phase == "do")
    if steps.copies_root(plan):
        # To the image service, and from there onto the root disk again.
        total += 2 * sum(size_gb(disk) for disk in steps.restored(plan)) * _MB // max(1, copy_mb_s)
    elif plan.way == "IN_PLACE" and plan.point is not None:
        total += plan.point.size_gb * _MB // max(1, copy_mb_s)
    return total


def lines(plan: Plan) -> tuple[str, ...]:
    """Commands of the OpenStack client, for people: they show what is done, and are never run."""
    return tuple(_lines(plan))


def _lines(plan: Plan) -> Iterator[str]:
    for volume_id in steps.safety(plan)["volumes"]:
        yield _line("volume", "snapshot", "create", "--force", "--volume", volume_id, "safety")
    if steps.safety(plan)["image"]:
        yield _line("server", "image", "create", "--name", "safety", plan.machine.key[2])
    for disk in steps.restored(plan):
        yield _volume(disk)
    if plan.way == "IN_PLACE":
        yield from _rebuild(plan)
    elif plan.way == "DISK_BESIDE":
        yield from _beside(plan)
    elif plan.way == "DATA_VOLUME_BACK":
        yield from _back(plan)
    else:
        yield from _machine(plan)


def _line(*words: str) -> str:
    """What is made is referred to by the name that it gets; every word is quoted, for names are tenants' own."""
    return shlex.join(["openstack", *words])


def made(disk: Disk) -> str:
    """Name of the volume that is made for a disk."""
    return f"restore-{disk.name or disk.volume_id[:8] or 'root'}"


def _volume(disk: Disk) -> str:
    source = disk.source
    if source is None:
        return ""
    if source.kind == "backup":
        return _line("volume", "backup", "restore", source.id, made(disk))
    kind = "--image" if source.kind == "image" else "--snapshot"
    kept = ["--type", disk.volume_type] if disk.volume_type else []
    return _line("volume", "create", kind, source.id, "--size", str(size_gb(disk)), *kept, made(disk))


def _rebuild(plan: Plan) -> Iterator[str]:
    image = plan.root_image
    if not image:
        image = "restore-image"
        for disk in steps.restored(plan):
            yield _line("image", "create", "--volume", made(disk), image)
    extra = ["--reimage-boot-volume"] if plan.machine.boot == "volume" else []
    yield _line("server", "rebuild", "--image", image, *extra, "--wait", plan.machine.key[2])


def _beside(plan: Plan) -> Iterator[str]:
    if not any(step.name == "ATTACH_VOLUME" for step in steps.planned(plan)[0]):
        return
    server = (plan.helper or plan.machine.key)[2]
    for disk in steps.restored(plan):
        yield _line("server", "add", "volume", server, made(disk))
    # In the guest: read-only, and blind to UUIDs that are there twice.
    yield "mount -o ro,nouuid /dev/vdX /mnt  # XFS; others: mount -o ro; LVM: vgimportclone /dev/vdX"


def _back(plan: Plan) -> Iterator[str]:
    server = plan.machine.key[2]
    if steps.stops(plan):
        yield _line("server", "stop", server)
    for disk in steps.restored(plan):
        yield _line("server", "remove", "volume", server, disk.volume_id)
        tag = ["--tag", disk.tag] if disk.tag else []
        yield _line("server", "add", "volume", *tag, server, made(disk))
    if steps.stops(plan):
        yield _line("server", "start", server)


def _machine(plan: Plan) -> Iterator[str]:
    server = plan.machine.key[2]
    if steps.stops(plan):
        yield _line("server", "stop", server)
    if plan.park == "shelve":
        yield _line("server", "shelve", "--offload", server)
    for disk in steps.moved(plan):
        yield _line("server", "remove", "volume", server, disk.volume_id)
    if steps.takes_addresses(plan):
        for nic in plan.nics:
            yield _line("port", "set", "--no-fixed-ip", nic.port_id)
    for nic in plan.nics:
        yield _port(nic, plan)
    yield _server(plan)
    if plan.way == "REPLACE":
        for nic in plan.nics:
            for floating in nic.floating:
                yield _line("floating", "ip", "set", "--port", _port_name(nic), floating.id)
        ends = any(step.name == "DELETE_OLD_MACHINE" for step in steps.planned(plan)[0])
        yield _line("server", "delete", server) if ends else _line("server", "lock", "--reason", "kept", server)


def _port_name(nic: Nic) -> str:
    return f"restore-port-{nic.order + 1}"


def _port(nic: Nic, plan: Plan) -> str:
    words = ["port", "create", "--network", nic.network_id, "--project", plan.machine.project_id]
    for wanted in nic.wanted:
        parts = [f"subnet={wanted.subnet_id}"] if wanted.subnet_id else []
        parts += [f"ip-address={wanted.address}"] if wanted.address else []
        words += ["--fixed-ip", ",".join(parts)] if parts else []
    words += ["--mac-address", nic.mac] if nic.keep_mac else []
    for group in nic.security_groups:
        words += ["--security-group", group]
    return _line(*words, _port_name(nic))


def _server(plan: Plan) -> str:
    machine = plan.machine
    words = ["server", "create", "--flavor", machine.flavor_id]
    root = next((disk for disk in plan.disks if disk.root), None)
    if root is not None:
        words += ["--volume", made(root) if root.choice == "restore_point" else root.volume_id]
    elif plan.root_image:
        words += ["--image", plan.root_image]
    for disk in plan.disks:
        if not disk.root and disk.choice != "leave_out":
            volume = made(disk) if disk.choice == "restore_point" else disk.volume_id
            words += ["--block-device", f"uuid={volume},source_type=volume,destination_type=volume"]
    for nic in plan.nics:
        words += ["--port", _port_name(nic)]
    words += ["--key-name", machine.key_name] if machine.key_name else []
    words += ["--hint", f"group={machine.group_id}"] if machine.group_id else []
    return _line(*words, "--wait", plan.new_name)
