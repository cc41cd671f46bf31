"""Which hosts could take something: Placement's allocation candidates, from what hosts have and what is used."""

from __future__ import annotations

import uuid
from typing import Any

from engine.demo.answers import Refusal, answer
from engine.demo.records import Host
from engine.demo.routing import Call
from engine.demo.serving import Response
from engine.demo.state import State

TRAITS = ["COMPUTE_NODE", "COMPUTE_VOLUME_MULTI_ATTACH", "HW_CPU_X86_AVX2", "COMPUTE_STATUS_DISABLED"]
RATIOS = {"VCPU": 4.0, "MEMORY_MB": 1.0, "DISK_GB": 1.0}


def inventory(host: Host) -> dict[str, dict[str, Any]]:
    """What a host has, by resource class."""
    rows = {}
    for name, total, reserved in (("VCPU", host.vcpus, 0), ("MEMORY_MB", host.ram, 4096), ("DISK_GB", host.disk, 0)):
        rows[name] = {
            "total": total,
            "reserved": reserved,
            "min_unit": 1,
            "max_unit": total,
            "step_size": 1,
            "allocation_ratio": RATIOS[name],
        }
    return rows


def traits_of(host: Host) -> list[str]:
    """What a host can, and that it is closed."""
    return TRAITS if not host.enabled else TRAITS[:-1]


def aggregates_of(state: State, host: Host) -> list[str]:
    """The ids of the host aggregates that Nova tells of the host."""
    names = [*(["zone-b"] if host.zone == "zone-b" else []), *(["ssd"] if host.number % 3 == 0 else [])]
    return [str(uuid.UUID(state.named_id(f"aggregate/{name}"))) for name in names]


def summary(host: Host) -> dict[str, dict[str, int]]:
    """Capacity and use of each class, as the summaries of candidates tell it."""
    used = {"VCPU": host.vcpus_used, "MEMORY_MB": host.ram_used, "DISK_GB": host.disk_used}
    return {
        name: {"capacity": int((row["total"] - row["reserved"]) * row["allocation_ratio"]), "used": used[name]}
        for name, row in inventory(host).items()
    }


def candidates(state: State, call: Call) -> Response:
    """GET /allocation_candidates. Raises Refusal(400) for a question that Placement does not understand."""
    if call.version < (1, 10):
        raise Refusal(404, "The resource could not be found.\n\n   ")
    wanted = _resources(call.request.first("resources"))
    required = [name for value in call.request.all("required") for name in value.split(",") if name]
    groups = [value.removeprefix("in:").split(",") for value in call.request.all("member_of")]
    limit = call.request.first("limit") or ""
    found = [host for host in sorted(state.hosts, key=lambda row: row.number) if _fits(host, wanted, required)]
    for group in groups:
        found = [host for host in found if set(group) & set(aggregates_of(state, host))]
    if limit.isdigit() and int(limit):
        found = found[: int(limit)]
    requests: list[dict[str, Any]] = []
    for host in found:
        row: dict[str, Any] = {"allocations": {host.provider_id: {"resources": wanted}}}
        if call.version >= (1, 34):
            row["mappings"] = {"": [host.provider_id]}
        requests.append(row)
    return answer(
        {
            "allocation_requests": requests,
            "provider_summaries": {host.provider_id: _summary(host, call, wanted) for host in found},
        }
    )


def _summary(host: Host, call: Call, wanted: dict[str, int]) -> dict[str, Any]:
    told = summary(host)
    if call.version < (1, 27):
        told = {name: row for name, row in told.items() if name in wanted}
    document: dict[str, Any] = {"resources": told}
    if call.version >= (1, 17):
        document["traits"] = traits_of(host)
    if call.version >= (1, 29):
        document |= {"parent_provider_uuid": None, "root_provider_uuid": host.provider_id}
    return document


def _resources(text: str | None) -> dict[str, int]:
    wanted: dict[str, int] = {}
    for part in (text or "").split(","):
        name, _, amount = part.partition(":")
        if name not in RATIOS or not amount.isdigit() or int(amount) < 1:
            raise Refusal(
                400,
                "The server could not comply with the request since it is either malformed or otherwise incorrect."
                f"\n\n Invalid resource class in resources parameter: {text}  ",
                "placement.undefined_code",
            )
        wanted[name] = int(amount)
    return wanted


def _fits(host: Host, wanted: dict[str, int], required: list[str]) -> bool:
    told, traits = summary(host), traits_of(host)
    room = all(told[name]["used"] + amount <= told[name]["capacity"] for name, amount in wanted.items())
    return room and all((name[1:] not in traits) if name.startswith("!") else name in traits for name in required)
