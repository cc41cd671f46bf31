"""Whether a restore fits: quotas with what is used, per volume type too, and hosts. Pure.

The old machine stays until the new one has shown that it answers, so both must fit at once. A quota that could not be
read is said and tried; one that is known to be full ends the plan.
"""

from __future__ import annotations

import shlex
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace

from engine.restore.models import Disk, Fit, Plan, Raise
from engine.restore.planning.choosing import size_gb
from engine.restore.planning.facts import Entries, Facts, Hosts
from engine.restore.planning.steps import restored, safety

Needs = Mapping[str, Mapping[str, int]]  # {service: {the service's own name: how much}}
COMPUTE, STORAGE, NETWORK = "compute", "block storage", "network"
MACHINES = ("NEW", "REPLACE")  # ways that make a machine
# Limits that every service of the kind has; a limit per volume type is only there where somebody set it.
_ALWAYS = ("instances", "cores", "ram", "volumes", "gigabytes", "snapshots", "port")
_UNITS = {"gigabytes": "GB", "ram": "MB"}
# What `openstack quota set` calls them; those of Cinder are there for each volume type, too.
_OPTIONS = {
    "instances": "--instances", "cores": "--cores", "ram": "--ram", "volumes": "--volumes", "gigabytes": "--gigabytes",
    "snapshots": "--snapshots", "port": "--ports", "per_volume_gigabytes": "--per-volume-gigabytes",
}  # fmt: skip
_BY_TYPE = ("volumes_", "gigabytes_", "snapshots_")
# What may be raised for the time of a job.
_RAISED = {
    **dict.fromkeys(("instances", "cores", "ram"), "compute"),
    **dict.fromkeys(("volumes", "gigabytes", "snapshots"), "block-storage"),
}
_MOST_NAME = 200  # characters of a limit's name


def needs(plan: Plan) -> dict[str, dict[str, int]]:
    """What the plan takes of which limit, at its worst moment: nothing of the old machine is given back before."""
    storage: dict[str, int] = defaultdict(int)
    for disk in restored(plan):
        if disk.volume_id not in plan.reused:
            _add(storage, "volumes", disk, size_gb(disk))
    safe = set(safety(plan)["volumes"])
    for disk in plan.disks:
        if disk.volume_id in safe:
            _add(storage, "snapshots", disk, disk.size_gb)
    found: dict[str, dict[str, int]] = {STORAGE: dict(storage)} if storage else {}
    if plan.way in MACHINES:
        flavor = plan.machine.flavor
        found[COMPUTE] = {"instances": 1, "cores": _whole(flavor.get("vcpus")), "ram": _whole(flavor.get("ram"))}
        if plan.nics:
            found[NETWORK] = {"port": len(plan.nics)}
    return found


def _add(storage: dict[str, int], kind: str, disk: Disk, size: int) -> None:
    """One volume or snapshot, and its gigabytes: of the project, and of the type."""
    for name, amount in ((kind, 1), ("gigabytes", size)):
        storage[name] += amount
        if disk.volume_type:
            storage[f"{name}_{disk.volume_type}"] += amount


def _whole(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def fits(plan: Plan, facts: Facts) -> tuple[Fit, ...]:
    """Every limit with its sum, quotas first."""
    quotas: Mapping[str, Entries | str] = {
        COMPUTE: facts.compute_quota, STORAGE: facts.storage_quota, NETWORK: facts.network_quota,
    }  # fmt: skip
    found: list[Fit] = []
    for service, wanted in needs(plan).items():
        found += _quota(service, wanted, quotas[service])
    found += _largest(plan, facts.storage_quota)
    if plan.way in MACHINES:
        found += _hosts(plan, facts.hosts)
    return tuple(found)


def _quota(service: str, wanted: Mapping[str, int], quota: Entries | str) -> Iterator[Fit]:
    if isinstance(quota, str):
        yield Fit(f"{service} quota", True, f"the {service} quota could not be read, so it is tried: {quota}")
        return
    for name, need in wanted.items():
        if name not in quota and name not in _ALWAYS:
            continue
        yield _limit(name, need, quota.get(name))


def _limit(name: str, need: int, entry: Mapping[str, int | None] | None) -> Fit:
    unit = _UNITS.get(name.split("_", 1)[0], "")
    more = f"{need} {unit}".strip()
    if entry is None or (limit := entry.get("limit")) is None:
        return Fit(name, True, f"the quota of {name} is not told, so it is tried: {more} needed", need)
    if limit < 0:
        return Fit(name, True, f"quota {name}: no limit, {more} needed", need, entry.get("in_use"), limit)
    in_use = entry.get("in_use")
    if in_use is None:
        ok = need <= limit
        return Fit(
            name, ok, f"quota {name}: {limit} in all, what is used is not told, {more} needed", need, None, limit
        )
    used = in_use + (entry.get("reserved") or 0)
    text = f"quota {name}: {used} of {limit} used, {more} more needed"
    return Fit(name, used + need <= limit, text, need, used, limit)


def _largest(plan: Plan, quota: Entries | str) -> Iterator[Fit]:
    """The limit on a single volume, where there is one."""
    limit = (quota.get("per_volume_gigabytes") or {}).get("limit") if not isinstance(quota, str) else None
    largest = max((size_gb(disk) for disk in restored(plan)), default=0)
    if limit is None or limit < 0 or not largest:
        return
    text = f"quota per_volume_gigabytes: a volume may have {limit} GB, the largest one needs {largest} GB"
    yield Fit("per_volume_gigabytes", largest <= limit, text, largest, None, limit)


def _hosts(plan: Plan, hosts: Hosts) -> Iterator[Fit]:
    """Room on the hosts. A machine that is shelved gives up its own before the new one is started."""
    gives_up = plan.park == "shelve"
    if hosts.candidates is not None:
        room = hosts.candidates
        if room:
            text = f"{room} {'host has' if room == 1 else 'hosts have'} room for it"
        elif gives_up:
            text = "no host has room for it now; there will be when the old machine is shelved, if its host can take it"
        else:
            text = "no host has room for a second machine of this flavor"
        yield Fit("hosts", room > 0 or gives_up, text, 1, None, room)
    free = hosts.parked if gives_up else hosts.beside
    if free is not None:
        policy = plan.machine.group_policy or "policy"
        group = plan.machine.group_name or plan.machine.group_id[:8]
        text = f"the server group {group} ({policy}) leaves {free} {'host' if free == 1 else 'hosts'} for it"
        if not free and not gives_up and hosts.parked:
            text += "; replacing the machine by shelving it makes room"
        yield Fit("server group", free > 0, text, 1, None, free)


def raised(found: tuple[Fit, ...], project: str) -> tuple[tuple[Fit, ...], tuple[Raise, ...]]:
    """(the fits with those that are raised for the time of the job, what is raised).

    What is no quota of Nova's or Cinder's, or has no number of what is used, is left as it does not fit.
    """
    fits, raises = [], []
    for fit in found:
        service = "block-storage" if fit.what.startswith(_BY_TYPE) else _RAISED.get(fit.what, "")
        if fit.ok or not service or fit.used is None or fit.limit is None or len(fit.what) > _MOST_NAME:
            fits.append(fit)
            continue
        one = Raise(service, fit.what, project, fit.limit, fit.used + fit.need)
        raises.append(one)
        text = f"{fit.text}; raised from {one.was} to {one.needed} for the job, and given back"
        fits.append(replace(fit, ok=True, text=text))
    return tuple(fits), tuple(raises)


def amount(plan: Plan, one: Raise) -> int:
    """What the plan takes of a limit that is raised for it."""
    return needs(plan).get(COMPUTE if one.service == "compute" else STORAGE, {}).get(one.name, 0)


def over(raises: tuple[Raise, ...]) -> list[str]:
    """What people should know of quotas that are raised."""
    return [
        f"the quota {one.name} is raised from {one.was} to {one.needed} for the job, and given back; the project may "
        "then use more than its quota, and gets no more of it until something is removed"
        for one in raises
    ]


def problems(found: tuple[Fit, ...], *, in_place: bool, project: str) -> list[str]:
    """A sentence for what does not fit. `in_place`: the machine can be restored in place, which needs less."""
    told = []
    for fit in found:
        if fit.ok:
            continue
        more = _raise(fit, project)
        ways = ["restoring it in place needs no second machine"] if in_place else []
        ways += [f"an administrator raises it with: {more}"] if more else [] if in_place else ["ask an administrator"]
        told.append(f"it does not fit: {fit.text}; {', or '.join(ways)}")
    return told


def _raise(fit: Fit, project: str) -> str:
    """The command that makes a quota large enough; "" for what is no quota."""
    name, _, type = fit.what.partition("_") if fit.what.startswith(_BY_TYPE) else (fit.what, "", "")
    if name not in _OPTIONS:
        return ""
    of = ["--volume-type", type] if type else []
    words = ["openstack", "quota", "set", *of, _OPTIONS[name], str((fit.used or 0) + fit.need), project]
    return shlex.join(words)


def warnings(found: tuple[Fit, ...]) -> list[str]:
    """What could not be looked at."""
    return [fit.text for fit in found if fit.ok and fit.limit is None and "is tried" in fit.text]
