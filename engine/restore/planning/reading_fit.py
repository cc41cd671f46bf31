"""Whether there is room, as the cloud says now: quotas with what is used, and hosts that could take the machine.

Hosts are those that Placement would allow for the machine's flavor, less what the server group's policy forbids. What
cannot be said exactly (a flavor that asks for groups of resources, a cloud without Placement) is not said.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.clouds.quota import every
from engine.gate.refusals import NotDone
from engine.inventory.events_rules import items
from engine.restore.models import Boot, Machine, Request
from engine.restore.planning.asking import Asking, Doc, Tried, number, or_else, text, texts
from engine.restore.planning.facts import Entries, Hosts
from engine.restore.planning.reading_machine import SERVER, group_policy

PLACEMENT = "1.31"  # forbidden traits 1.22, any of several aggregates 1.24
_QUOTAS = {
    "compute": ("compute", "/os-quota-sets/{project}/detail", "2.87", ()),
    "storage": ("block-storage", "/os-quota-sets/{project}", "3.65", (("usage", "true"),)),
    "network": ("network", "/quotas/{project}/details", "", ()),
}
_MOST_HOSTS = "1000"
_MEMBERS = 40  # of a server group whose hosts are looked up: one question each
_TRAIT = re.compile(r"[A-Z0-9_]{1,255}")
_SHARES = ("affinity", "anti-affinity")  # the soft ones forbid nothing


# Quotas


def quotas(ask: Asking, project_id: str) -> dict[str, Tried[Entries]]:
    """Ask for the project's limits with what is used, of each service; or the sentence why they cannot be read."""
    return {name: ask.try_later(_quota, ask, name, project_id) for name in _QUOTAS}


def _quota(ask: Asking, name: str, project_id: str) -> Entries:
    service, path, version, query = _QUOTAS[name]
    found = ask.get(service, path.format(project=project_id), version, query) or {}
    key = "quota" if name == "network" else "quota_set"
    limits = found.get(key)
    if not isinstance(limits, dict):
        return {}
    # Neutron says "used" where the others say "in_use".
    return every({
        what: {**entry, "in_use": entry.get("in_use", entry.get("used"))} if isinstance(entry, dict) else entry
        for what, entry in limits.items()
    })  # fmt: skip


# Hosts


@dataclass(frozen=True, slots=True)
class Fitting:
    """What hosts are judged by.

    services    Nova's compute services; None: may not be read
    candidates  the hosts of these services that Placement would allow; None: not known, or not asked by name
    count       how many Placement would allow; None: not known
    members     {host: how many machines of the group, without this one, run there}; None: not known
    """

    services: Sequence[Doc] | None = None
    candidates: frozenset[str] | None = None
    count: int | None = None
    members: Mapping[str, int] | None = None


def resources(flavor: Mapping[str, Any], boot: Boot) -> list[tuple[str, str]] | None:
    """Placement's query for a machine of that flavor; None for what Placement alone cannot be asked so.

    A root that is a volume takes nothing of the host's disk.
    """
    specs: Mapping[str, str] = flavor.get("extra_specs") or {}
    if any(re.match(r"(resources|trait)(_|\d)|group_policy|accel:", key) for key in specs):
        return None
    dedicated = specs.get("hw:cpu_policy") == "dedicated"
    wanted = {
        "PCPU" if dedicated else "VCPU": number(flavor.get("vcpus")),
        "MEMORY_MB": number(flavor.get("ram")),
        "DISK_GB": (number(flavor.get("disk")) if boot == "image" else 0)
        + number(flavor.get("ephemeral"))
        + -(-number(flavor.get("swap")) // 1024),
    }
    required = ["!COMPUTE_STATUS_DISABLED"]
    for key, value in specs.items():
        head, _, name = key.partition(":")
        if head == "resources" and _TRAIT.fullmatch(name):
            wanted[name] = number(value)
        if head == "trait" and _TRAIT.fullmatch(name):
            required.append(name if value == "required" else f"!{name}")
    asked = ",".join(f"{name}:{amount}" for name, amount in wanted.items() if amount)
    return [("resources", asked), ("required", ",".join(required)), ("limit", _MOST_HOSTS)] if asked else None


def candidates(ask: Asking, query: Sequence[tuple[str, str]]) -> list[str]:
    """Ids of Placement's providers that could take it: one for each host. Raises NotDone where it cannot be asked."""
    found = ask.get("placement", "/allocation_candidates", PLACEMENT, query)
    if found is None:
        raise NotDone(f"the placement service of {ask.cloud} is too old to say which hosts have room", status=404)
    summaries = found.get("provider_summaries")
    roots: dict[str, None] = {}
    for one in items(found.get("allocation_requests")):
        allocations = one.get("allocations")
        for provider in allocations if isinstance(allocations, dict) else ():
            summary = summaries.get(provider) if isinstance(summaries, dict) else None
            root = text(summary.get("root_provider_uuid")) if isinstance(summary, dict) else ""
            roots[root or str(provider)] = None
    return list(roots)


def provider_names(ask: Asking) -> dict[str, str]:
    """{id: name} of Placement's providers; a host's has the name of its hypervisor."""
    found = ask.rows("placement", "/resource_providers", "resource_providers", PLACEMENT)
    return {text(one.get("uuid")): text(one.get("name")) for one in found}


def named(providers: Sequence[str], names: Mapping[str, str], services: Sequence[Doc]) -> frozenset[str] | None:
    """The hosts of Placement's providers as Nova's services call them; None where one of them is not known by name.

    A provider has the name of the hypervisor, which may be the host's with its domain.
    """
    hosts = {text(one.get("host")) for one in services}
    short = {host.partition(".")[0]: host for host in hosts}
    found = set()
    for id in providers:
        name = names.get(id, "")
        host = name if name in hosts else short.get(name.partition(".")[0], "")
        if not name or not host:
            return None
        found.add(host)
    return frozenset(found)


def group_of(ask: Asking, server: Doc) -> dict[str, Any] | None:
    """The machine's server group; None when it is in none."""
    if "server_groups" in server:
        id = next(iter(texts(server.get("server_groups"))), "")
        return ask.one("compute", f"/os-server-groups/{id}", "server_group", "2.64") if id else None
    # Below 2.71 the machine does not say it.
    everybody = [("all_projects", "true")] if ask.admin else []
    rows = ask.rows("compute", "/os-server-groups", "server_groups", "2.64", everybody)
    return next((one for one in rows if text(server.get("id")) in texts(one.get("members"))), None)


def binds(group: Doc | None) -> bool:
    """Whether its policy forbids hosts."""
    return group is not None and group_policy(group) in _SHARES


def members(ask: Asking, group: Doc, but: str) -> list[Tried[dict[str, Any] | None]] | None:
    """Ask where its other members run; None for more than are asked about."""
    ids = [id for id in texts(group.get("members")) if id != but]
    if len(ids) > _MEMBERS:
        return None
    return [ask.try_later(ask.one, "compute", f"/servers/{id}", "server", SERVER) for id in ids]


def spread(answers: Sequence[Tried[dict[str, Any] | None]] | None) -> dict[str, int] | None:
    """{host: members there}; None when it is not known of each. A member without a host is nowhere yet."""
    if answers is None:
        return None
    found: dict[str, int] = {}
    for one in answers:
        answer = one.result()
        if isinstance(answer, str):
            return None
        host = text((answer or {}).get("OS-EXT-SRV-ATTR:host"))
        if answer is not None and "OS-EXT-SRV-ATTR:host" not in answer:
            return None  # only an administrator is told
        if host:
            found[host] = found.get(host, 0) + 1
    return found


def hosts_of(machine: Machine, group: Doc | None, known: Fitting, zone: str = "") -> Hosts:
    """Where the machine could run, in that zone ("" = in any). Pure."""
    up = _up(known.services, zone)
    able = known.candidates
    if able is not None and up is not None:
        able = able & up
    count = known.count if able is None else len(able)
    if group is None or not binds(group) or known.members is None:
        return Hosts(candidates=count)
    free = able if able is not None else up
    if free is None:
        return Hosts(candidates=count)
    # Its own host is one more when the machine gives it up: what it has there is free then.
    own = frozenset([machine.host]) if machine.host and (up is None or machine.host in up) else frozenset[str]()
    beside = dict(known.members)
    if machine.host:
        beside[machine.host] = beside.get(machine.host, 0) + 1
    return Hosts(
        candidates=count,
        parked=len(_allowed(group, free | own, known.members)),
        beside=len(_allowed(group, free, beside)),
    )


def _allowed(group: Doc, hosts: frozenset[str], taken: Mapping[str, int]) -> frozenset[str]:
    if group_policy(group) == "affinity":
        return hosts & frozenset(taken) if taken else hosts
    rules = group.get("rules")
    most = number(rules.get("max_server_per_host")) if isinstance(rules, Mapping) else 0
    return frozenset(host for host in hosts if taken.get(host, 0) < (most or 1))


def _up(services: Sequence[Doc] | None, zone: str) -> frozenset[str] | None:
    if services is None:
        return None
    return frozenset(
        text(one.get("host"))
        for one in services
        if text(one.get("state")).lower() == "up"
        and text(one.get("status")).lower() == "enabled"
        and (not zone or text(one.get("zone")) == zone)
    )


def service_of(services: Sequence[Doc], host: str) -> Doc | None:
    """The compute service of a host."""
    return next((one for one in services if text(one.get("host")) == host), None)


def compute_services(ask: Asking, host: str = "") -> list[dict[str, Any]]:
    """Nova's compute services, of one host or of all."""
    query = [("binary", "nova-compute"), *([("host", host)] if host else [])]
    return ask.rows("compute", "/os-services", "services", "2.69", query)


def zone_of(machine: Machine, request: Request) -> str:
    """The zone that a successor would be pinned to: the one that was asked for before, or is asked for now."""
    return machine.pinned_zone or (machine.zone if request.zone else "")


def hosts_now(ask: Asking, machine: Machine, zone: str) -> Hosts:
    """Where a machine that is known could run, asked anew."""
    services = ask.try_later(compute_services, ask)
    names = ask.try_later(provider_names, ask)
    query = resources(machine.flavor, machine.boot)
    able = ask.try_later(candidates, ask, query) if query else None
    path = f"/os-server-groups/{machine.group_id}"
    group = ask.try_later(ask.one, "compute", path, "server_group", "2.64").result() if machine.group_id else None
    return hosts_from(ask, machine, or_else(group, None), services.result(), names.result(), able, zone)


def hosts_from(
    ask: Asking,
    machine: Machine,
    group: Doc | None,
    services: Sequence[Doc] | str,
    names: Mapping[str, str] | str,
    able: Tried[list[str]] | None,
    zone: str,
) -> Hosts:
    """Where the machine could run, from these answers; asks where the members of its group are."""
    asked = members(ask, group, machine.key[2]) if group is not None and binds(group) else None
    # To anybody but an administrator a list without a host looks like a cloud without one.
    known = None if isinstance(services, str) or not ask.admin else services
    providers = able.result() if able is not None else "not asked"
    if isinstance(providers, str):
        return hosts_of(machine, group, Fitting(known, members=spread(asked)), zone)
    by_name = named(providers, names, known) if known is not None and not isinstance(names, str) else None
    return hosts_of(machine, group, Fitting(known, by_name, len(providers), spread(asked)), zone)
