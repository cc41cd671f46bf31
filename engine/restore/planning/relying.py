"""What a plan relies on, and what of it is no longer so when it is carried out: pure.

Plans are up to half an hour old when they are executed, and jobs wait. So everything that would make the plan wrong is
in `relied`, as JSON values, and is read again; what changes by itself and does no harm (quotas, the console, times) is
not in it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from ipaddress import ip_address
from typing import Any

from engine.gate.rules import sealed
from engine.restore.models import Disk, Machine, Nic, Plan, Source
from engine.restore.planning import steps
from engine.restore.planning.facts import Facts
from engine.restore.planning.networks import KEEPS_PORTS
from engine.restore.planning.triage import host_dead

GONE = "gone"
_MOST_WORDS = 120  # characters of a value in a sentence


def relied(plan: Plan, facts: Facts, now: datetime) -> dict[str, Any]:
    """{name: value} of everything that the plan relies on, as `facts` have it.

    The names come from the plan, the values from the facts: a volume, port or point that is no longer there has the
    value "gone".
    """
    found: dict[str, Any] = {}
    _machine(found, "machine", facts.machine)
    found["machine.host_dead"] = host_dead(facts, now)
    # Whether by a role of its own or a lent one does not matter: another job may have one lent just now.
    found["rights.access"], found["rights.admin"] = facts.rights.access != "none", facts.rights.admin
    found["refused"] = sorted(name for name in facts.refused if name != "read_only")
    if plan.request.user_data:
        found["machine.user_data"] = facts.machine.user_data_sha256
    disks = {disk.volume_id: disk for disk in facts.disks}
    found["machine.disks"] = sorted(disks)
    for disk in plan.disks:
        if disk.volume_id:
            found[f"disk.{disk.volume_id}"] = _disk(disks.get(disk.volume_id))
    for volume_id, source in _sources(plan):
        found[f"point.{source.id}"] = _point(source, facts.points.get(volume_id, ()))
    if plan.way not in KEEPS_PORTS:
        _ports(found, plan, facts)
    if plan.helper is not None:
        _machine(found, "helper", facts.helper)
    return json.loads(json.dumps(found))  # type: ignore[no-any-return]


def hashed(values: Mapping[str, Any]) -> str:
    """SHA-256 over them."""
    return sealed(dict(values))


def _machine(found: dict[str, Any], word: str, machine: Machine | None) -> None:
    if machine is None:
        found[f"{word}.status"] = GONE
        return
    names = (
        "name", "project_id", "gone", "status", "vm_state", "task_state", "locked", "host", "boot", "image_id",
        "flavor_id", "group_id", "key_name",
    )  # fmt: skip
    found |= {f"{word}.{name}": getattr(machine, name) for name in names}
    found[f"{word}.flavor"] = {name: machine.flavor.get(name) for name in ("name", "vcpus", "ram", "disk")}


def _disk(disk: Disk | None) -> Any:
    if disk is None:
        return GONE
    return {
        "status": disk.status, "size_gb": disk.size_gb, "type": disk.volume_type, "root": disk.root,
        "others": sorted(disk.attached_elsewhere), "encrypted": disk.encrypted,
    }  # fmt: skip


def _sources(plan: Plan) -> list[tuple[str, Source]]:
    found = [(disk.volume_id, disk.source) for disk in steps.restored(plan) if disk.source is not None]
    known = {source.id for _, source in found}
    if plan.point is not None and plan.point.id not in known:
        found.append((plan.point.volume_id, plan.point))
    return found


def _point(source: Source, points: tuple[Source, ...]) -> Any:
    now = next((one for one in points if one.id == source.id), None)
    if now is None:
        return GONE
    return {"status": now.status, "size_gb": now.size_gb, "project": now.project_id}


def _ports(found: dict[str, Any], plan: Plan, facts: Facts) -> None:
    """The old ports, and whether the addresses that are asked for are still free (or the old machine's own)."""
    old = {nic.port_id: nic for nic in facts.nics}
    for nic in plan.nics:
        found[f"port.{nic.port_id}"] = _port(old.get(nic.port_id))
    own = {fixed.address for nic in facts.nics for fixed in nic.fixed}
    for nic in plan.nics:
        for wanted in nic.wanted:
            if not wanted.address or wanted.address in own or nic.fall_back:
                continue
            network = facts.networks.get(nic.network_id)
            used = network is not None and str(ip_address(wanted.address)) in network.used
            found[f"address.{wanted.address}"] = "in use" if used else "free"


def _port(nic: Nic | None) -> Any:
    if nic is None:
        return GONE
    return {
        "network": nic.network_id, "mac": nic.mac, "addresses": sorted(fixed.address for fixed in nic.fixed),
        "floating": sorted(floating.id for floating in nic.floating), "trunk": nic.trunk_id,
    }  # fmt: skip


def differences(was: Mapping[str, Any], now: Mapping[str, Any]) -> tuple[str, ...]:
    """A sentence for each value that is not as it was."""
    return tuple(
        f"{_called(name)} was {_said(was.get(name))} when it was planned, and is {_said(now.get(name))} now"
        for name in sorted(set(was) | set(now))
        if was.get(name) != now.get(name)
    )


def _called(name: str) -> str:
    head, _, rest = name.partition(".")
    words = {"machine": "the machine's", "helper": "the helper machine's", "rights": "the right"}
    return (
        f"{words.get(head, 'the ' + head)} {rest}".strip().replace("_", " ")
        if head in words
        else f"the {head} {rest}".strip()
    )


def _said(value: Any) -> str:
    if value is None or value in ("", [], {}):
        return "none"
    if isinstance(value, bool):
        return "so" if value else "not so"
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True)
    return text if len(text) <= _MOST_WORDS else text[: _MOST_WORDS - 1] + "…"
