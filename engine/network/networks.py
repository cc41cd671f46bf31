"""Operations on networks: create and delete. A network goes with its subnets; one whose ports are in use does not."""

from __future__ import annotations

from typing import Any

from engine.gate.models import Call, Change, Check, Context, Operation, Settled, Target
from engine.network.making import Command, Options, description, find, listed, project_problem, same_name
from store.types.actions import ACTIONS

# Ports that Neutron takes away itself with the network.
_OWN_PORTS = ("network:dhcp", "network:distributed", "network:floatingip_agent_gateway")
_NEEDS_PHYSICAL = ("flat", "vlan")
_SEGMENTS = {"vlan": (1, 4094), "vxlan": (1, 16_777_215), "gre": (1, 16_777_215), "geneve": (1, 16_777_215)}
_PROVIDER = {
    "provider_network_type": "provider:network_type",
    "provider_physical_network": "provider:physical_network",
    "provider_segmentation_id": "provider:segmentation_id",
}
_FLAGS = {
    "provider_network_type": "--provider-network-type",
    "provider_physical_network": "--provider-physical-network",
    "provider_segmentation_id": "--provider-segment",
    "mtu": "--mtu",
}


def operations() -> list[Operation]:
    """What can be done to networks."""
    return [
        Operation(
            ACTIONS["network.create"],
            _create_check,
            _create_calls,
            commands=_create_commands,
            find=lambda ctx, target, options: find(ctx, "/networks", "networks", options),
            settled=lambda ctx, target, options: Settled(f"created {target.name}"),
            seconds=30,
        ),
        Operation(
            ACTIONS["network.delete"],
            _delete_check,
            _delete_calls,
            commands=lambda ctx, target, options: [("network", "delete", target.id)],
            already=lambda ctx, target, options: not target.doc,
            settled=lambda ctx, target, options: None if target.doc else Settled("deleted"),
            seconds=60,
            touches=("subnet", "port"),
        ),
    ]


def provider_problem(options: Options) -> str | None:
    """What is wrong with the provider's fields together; None when nothing is."""
    kind = options.get("provider_network_type")
    physical, segment = options.get("provider_physical_network"), options.get("provider_segmentation_id")
    if kind is None:
        return "a physical network or segment needs the provider type too" if physical or segment is not None else None
    if kind in _NEEDS_PHYSICAL and not physical:
        return f"a {kind} network needs the physical network that carries it"
    if kind not in _NEEDS_PHYSICAL and physical:
        return f"a {kind} network has no physical network"
    if segment is None:
        return None
    if kind not in _SEGMENTS:
        return f"a {kind} network has no segment"
    low, high = _SEGMENTS[str(kind)]
    return None if low <= segment <= high else f"the segment of a {kind} network is {low} to {high}, not {segment}"


def _create_check(ctx: Context, target: Target, options: Options) -> Check:
    if problem := provider_problem(options):
        return Check(problem)
    problem, warnings = project_problem(ctx, str(options["project"]))
    if problem:
        return Check(problem)
    if ctx.attempt <= 1:
        warnings += same_name(ctx, "/networks", "networks", options)
    if options.get("shared") or options.get("external"):
        warnings += ("every project of the cloud will see it",)
    shown = {key: value for key, value in options.items() if key != "project" and value not in (None, "", False)}
    return Check(changes=tuple(Change(key, None, value) for key, value in shown.items()), warnings=warnings)


def _create_calls(ctx: Context, target: Target, options: Options) -> list[Call]:
    body: dict[str, Any] = {"name": options["name"], "project_id": options["project"]}
    body["admin_state_up"] = options.get("admin_state_up", True)
    if words := description(ctx, options):
        body["description"] = words
    # What only administrators may give is left out unless it is asked for.
    for name, key in (("shared", "shared"), ("external", "router:external")):
        if options.get(name):
            body[key] = True
    for name, key in {**_PROVIDER, "mtu": "mtu"}.items():
        if options.get(name) is not None:
            body[key] = options[name]
    return [
        Call(
            ctx.cloud,
            ctx.region,
            "network",
            "POST",
            "/networks",
            {"network": body},
            project_id=str(options["project"]),
            what=f"create the network {options['name']}",
            type="network",
            creates=True,
        )
    ]


def _create_commands(ctx: Context, target: Target, options: Options) -> list[Command]:
    words = ["network", "create", "--project", str(options["project"])]
    if text := description(ctx, options):
        words += ["--description", text]
    for name in ("shared", "external"):
        if options.get(name):
            words.append({"shared": "--share", "external": "--external"}[name])
    if options.get("admin_state_up") is False:
        words.append("--disable")
    for name, flag in _FLAGS.items():
        if options.get(name) is not None:
            words += [flag, str(options[name])]
    return [(*words, str(options["name"]))]


def _delete_check(ctx: Context, target: Target, options: Options) -> Check:
    if not target.doc:
        return Check() if ctx.attempt > 1 else Check(f"{target.name} is gone")
    own = (("network_id", target.id),)
    ports = listed(ctx, "/ports", "ports", (*own, ("fields", "id"), ("fields", "device_owner")))
    used = [port for port in ports if port.get("device_owner") not in _OWN_PORTS]
    if used:
        whose = sorted({_owner(str(port.get("device_owner") or "")) for port in used})
        many = "1 port is" if len(used) == 1 else f"{len(used)} ports are"
        return Check(f"{many} in use on {target.name} ({', '.join(whose)}): take them away first")
    subnets = listed(ctx, "/subnets", "subnets", (*own, ("fields", "name"), ("fields", "cidr")))
    lost = tuple(f"subnet {row.get('name') or ''} {row.get('cidr')}".replace("  ", " ") for row in subnets)
    warnings = ("other projects use it too: it is shared",) if target.doc.get("shared") is True else ()
    change = Change("network", target.name, None)
    return Check(changes=(change,), lost=lost, warnings=warnings, relies_on={"subnets": len(subnets)})


def _owner(owner: str) -> str:
    if owner.startswith("compute:"):
        return "machines"
    return owner.partition(":")[2].replace("_", " ") if ":" in owner else owner or "nobody's"


def _delete_calls(ctx: Context, target: Target, options: Options) -> list[Call]:
    return [
        Call(
            target.cloud,
            target.region,
            "network",
            "DELETE",
            f"/networks/{target.id}",
            project_id=target.project_id,
            what=f"delete the network {target.name}",
            key=target.key,
            type="network",
        )
    ]
