"""Operations on security groups and their rules: create and delete."""

from __future__ import annotations

import ipaddress
from typing import Any

from engine.gate.models import Call, Change, Check, Context, Operation, Settled, Target
from engine.network.making import Command, Options, description, find, listed, project_problem, same_name
from store.types.actions import ACTIONS

_PORTS = ("tcp", "udp", "udplite", "sctp", "dccp", "6", "17", "33", "132", "136")
_ICMP = ("icmp", "icmpv6", "ipv6-icmp", "1", "58")
_ICMP_V6 = ("icmpv6", "ipv6-icmp", "58")
# Names that Neutron knows; every other protocol goes by its number.
_PROTOCOLS = frozenset(
    (*_PORTS, *_ICMP, "ah", "egp", "esp", "gre", "hopopt", "igmp", "ip", "ipip", "ipv6-encap", "ipv6-frag",
     "ipv6-nonxt", "ipv6-opts", "ipv6-route", "ospf", "pgm", "rsvp", "vrrp", "any")
)  # fmt: skip
_NUMBERS = {"6": "tcp", "17": "udp", "1": "icmp", "58": "icmpv6", "ipv6-icmp": "icmpv6", "ip": "any"}
_EVERYWHERE = ("0.0.0.0/0", "::/0")
_RULE = ("direction", "ethertype", "protocol", "port_range_min", "port_range_max", "remote_ip_prefix")


def operations() -> list[Operation]:
    """What can be done to security groups and their rules."""
    return [
        Operation(
            ACTIONS["security_group.create"],
            _create_check,
            _create_calls,
            commands=_create_commands,
            find=lambda ctx, target, options: find(ctx, "/security-groups", "security_groups", options),
            settled=lambda ctx, target, options: Settled(f"created {target.name}"),
            seconds=30,
            touches=("security_group_rule",),
        ),
        Operation(
            ACTIONS["security_group.delete"],
            _delete_check,
            _delete_calls,
            commands=lambda ctx, target, options: [("security", "group", "delete", target.id)],
            already=lambda ctx, target, options: not target.doc,
            settled=lambda ctx, target, options: None if target.doc else Settled("deleted"),
            seconds=60,
            touches=("security_group_rule",),
        ),
        Operation(
            ACTIONS["security_group_rule.create"],
            _rule_check,
            _rule_calls,
            commands=_rule_commands,
            find=_find_rule,
            settled=lambda ctx, target, options: Settled("created the rule"),
            seconds=30,
            touches=("security_group",),
        ),
        Operation(
            ACTIONS["security_group_rule.delete"],
            _delete_rule_check,
            _delete_rule_calls,
            commands=lambda ctx, target, options: [("security", "group", "rule", "delete", target.id)],
            already=lambda ctx, target, options: not target.doc,
            settled=lambda ctx, target, options: None if target.doc else Settled("deleted"),
            seconds=60,
            touches=("security_group",),
        ),
    ]


# Groups


def _create_check(ctx: Context, target: Target, options: Options) -> Check:
    if options["name"] == "default":
        return Check("the cloud makes each project's group called default itself: choose another name")
    problem, warnings = project_problem(ctx, str(options["project"]))
    if problem:
        return Check(problem)
    if ctx.attempt <= 1:
        warnings += same_name(ctx, "/security-groups", "security_groups", options)
    shown = {key: options.get(key) for key in ("name", "description")}
    return Check(changes=tuple(Change(key, None, value) for key, value in shown.items() if value), warnings=warnings)


def _create_calls(ctx: Context, target: Target, options: Options) -> list[Call]:
    body: dict[str, Any] = {"name": options["name"], "project_id": options["project"]}
    body["description"] = description(ctx, options)
    return [
        Call(
            ctx.cloud,
            ctx.region,
            "network",
            "POST",
            "/security-groups",
            {"security_group": body},
            project_id=str(options["project"]),
            what=f"create the security group {options['name']}",
            type="security_group",
            creates=True,
        )
    ]


def _create_commands(ctx: Context, target: Target, options: Options) -> list[Command]:
    words = ["security", "group", "create", "--project", str(options["project"])]
    if text := description(ctx, options):
        words += ["--description", text]
    return [(*words, str(options["name"]))]


def _delete_check(ctx: Context, target: Target, options: Options) -> Check:
    if not target.doc:
        return Check() if ctx.attempt > 1 else Check(f"{target.name} is gone")
    if target.doc.get("name") == "default":
        return Check("a project's default group cannot be deleted: the cloud would make it again, with its own rules")
    query = (("security_groups", target.id), ("fields", "id"), ("fields", "device_owner"))
    if used := len(listed(ctx, "/ports", "ports", query)):
        return Check(f"{'1 port uses' if used == 1 else f'{used} ports use'} {target.name}: take the group away first")
    lost = []
    if rules := len(target.doc.get("security_group_rules") or ()):
        lost.append(f"its {rules} rules")
    # Neutron deletes these with the group, whosever they are.
    others = listed(ctx, "/security-group-rules", "security_group_rules", (("remote_group_id", target.id),))
    if foreign := [rule for rule in others if rule.get("security_group_id") != target.id]:
        groups = len({rule.get("security_group_id") for rule in foreign})
        lost.append(f"{len(foreign)} rules of {groups} other groups that let its members in")
    return Check(changes=(Change("security_group", target.name, None),), lost=tuple(lost))


def _delete_calls(ctx: Context, target: Target, options: Options) -> list[Call]:
    return [_delete(target, "/security-groups", f"delete the security group {target.name}")]


def _delete(target: Target, path: str, what: str) -> Call:
    return Call(
        target.cloud,
        target.region,
        "network",
        "DELETE",
        f"{path}/{target.id}",
        project_id=target.project_id,
        what=what,
        key=target.key,
        type=target.type,
    )


# Rules


def rule_problem(options: Options) -> str | None:
    """What is wrong with a rule's fields together; None when nothing is."""
    protocol = str(options.get("protocol") or "").lower()
    if protocol and protocol not in _PROTOCOLS and not (protocol.isdecimal() and int(protocol) <= 255):
        return f"{protocol!r} is no protocol that the cloud knows: tcp, udp, icmp, ... or a number up to 255"
    if protocol in _ICMP_V6 and options.get("ethertype") == "IPv4":
        return f"{protocol} belongs to IPv6: give the ether type IPv6"
    return _range_problem(protocol, options.get("port_range_min"), options.get("port_range_max")) or _remote_problem(
        options
    )


def _range_problem(protocol: str, low: int | None, high: int | None) -> str | None:
    if low is None and high is None:
        return None
    if protocol in _ICMP:
        if low is None:
            return "an ICMP code (to) needs the type (from) too"
        return next((f"{one} is no ICMP type or code: 0 to 255" for one in (low, high) if (one or 0) > 255), None)
    if protocol not in _PORTS:
        return "ports need a protocol that has them: tcp, udp, sctp, dccp or udplite"
    if low is None or high is None:
        return "give both ends of the range of ports"
    if low > high:
        return f"the range of ports ends before it begins: {low} to {high}"
    return None if low >= 1 else "ports begin at 1"


def _remote_problem(options: Options) -> str | None:
    prefix = options.get("remote_ip_prefix")
    if not prefix:
        return None
    if options.get("remote_group"):
        return "give a remote prefix or a remote group, not both"
    try:
        network = ipaddress.ip_network(str(prefix), strict=False)
    except ValueError:
        return f"{prefix!r} is no prefix: for example 10.0.0.0/8"
    wanted = options.get("ethertype") or "IPv4"
    return None if f"IPv{network.version}" == wanted else f"{prefix} is no {wanted} prefix"


def _group(ctx: Context, id: str) -> dict[str, Any] | None:
    found = ctx.get("network", f"/security-groups/{id}")
    return None if found is None else found.get("security_group")


def _rule_check(ctx: Context, target: Target, options: Options) -> Check:
    if problem := rule_problem(options):
        return Check(problem)
    if (group := _group(ctx, str(options["security_group"]))) is None:
        return Check(f"there is no security group {options['security_group']}")
    remote = options.get("remote_group")
    if remote and remote != group.get("id") and _group(ctx, str(remote)) is None:
        return Check(f"there is no security group {remote}")
    if ctx.attempt <= 1 and (twin := _twin(group, options)) is not None:
        return Check(f"{group.get('name')} has this rule already ({twin})")
    shown = {key: options.get(key) for key in (*_RULE, "remote_group", "description")}
    changes = [Change("security_group", None, group.get("name")), *(Change(k, None, v) for k, v in shown.items() if v)]
    return Check(changes=tuple(changes), warnings=_open(options))


def _open(options: Options) -> tuple[str, ...]:
    prefix = options.get("remote_ip_prefix")
    anywhere = not options.get("remote_group") and (not prefix or str(prefix).endswith("/0"))
    if options.get("direction", "ingress") == "ingress" and anywhere and not options.get("port_range_min"):
        return ("every address may reach every port",)
    return ()


def _twin(group: dict[str, Any], options: Options) -> str | None:
    """Id of the group's rule that lets the same through: Neutron refuses a second one."""
    wanted = _same(dict(options) | {"remote_group_id": options.get("remote_group")})
    rules = group.get("security_group_rules") or ()
    return next((str(rule.get("id")) for rule in rules if isinstance(rule, dict) and _same(rule) == wanted), None)


def _same(rule: dict[str, Any]) -> tuple[Any, ...]:
    protocol = str(rule.get("protocol") or "any").lower()
    # Neutron takes a prefix that holds every address for none, and every other as it is written.
    prefix = str(rule.get("remote_ip_prefix") or "")
    prefix = "" if prefix in _EVERYWHERE else prefix
    return (
        rule.get("direction") or "ingress",
        rule.get("ethertype") or "IPv4",
        _NUMBERS.get(protocol, protocol),
        rule.get("port_range_min"),
        rule.get("port_range_max"),
        prefix,
        rule.get("remote_group_id") or "",
    )


def _rule_calls(ctx: Context, target: Target, options: Options) -> list[Call]:
    group = _group(ctx, str(options["security_group"])) or {}
    # A rule belongs to its group's project, whoever makes it: its own people must see it.
    project = str(group.get("project_id") or group.get("tenant_id") or "")
    body: dict[str, Any] = {key: options[key] for key in _RULE if options.get(key) is not None}
    if str(body.get("protocol") or "").lower() == "any":
        del body["protocol"]
    body["security_group_id"] = options["security_group"]
    if options.get("remote_group"):
        body["remote_group_id"] = options["remote_group"]
    if text := description(ctx, options):
        body["description"] = text
    if project:
        body["project_id"] = project
    return [
        Call(
            ctx.cloud,
            ctx.region,
            "network",
            "POST",
            "/security-group-rules",
            {"security_group_rule": body},
            project_id=project,
            what=f"create a rule in the security group {group.get('name') or options['security_group']}",
            type="security_group_rule",
            creates=True,
        )
    ]


def _rule_commands(ctx: Context, target: Target, options: Options) -> list[Command]:
    words = ["security", "group", "rule", "create", f"--{options.get('direction', 'ingress')}"]
    words += ["--ethertype", str(options.get("ethertype", "IPv4"))]
    if options.get("protocol"):
        words += ["--protocol", str(options["protocol"])]
    low, high = options.get("port_range_min"), options.get("port_range_max")
    if str(options.get("protocol") or "").lower() in _ICMP:
        words += [] if low is None else ["--icmp-type", str(low)]
        words += [] if high is None else ["--icmp-code", str(high)]
    elif low is not None:
        words += ["--dst-port", str(low) if low == high else f"{low}:{high}"]
    for name, flag in (("remote_ip_prefix", "--remote-ip"), ("remote_group", "--remote-group")):
        if options.get(name):
            words += [flag, str(options[name])]
    if text := description(ctx, options):
        words += ["--description", text]
    return [(*words, str(options["security_group"]))]


def _find_rule(ctx: Context, target: Target, options: Options) -> str | None:
    if (made := find(ctx, "/security-group-rules", "security_group_rules", options)) is not None:
        return made
    # There cannot be two alike, so an equal one is what we were asked for.
    group = _group(ctx, str(options["security_group"]))
    return None if group is None else _twin(group, options)


def _delete_rule_check(ctx: Context, target: Target, options: Options) -> Check:
    if not target.doc:
        return Check() if ctx.attempt > 1 else Check(f"{target.name} is gone")
    doc = target.doc
    changes = tuple(Change(key, doc[key], None) for key in (*_RULE, "remote_group_id") if doc.get(key) is not None)
    return Check(changes=changes or (Change("rule", target.name, None),))


def _delete_rule_calls(ctx: Context, target: Target, options: Options) -> list[Call]:
    return [_delete(target, "/security-group-rules", f"delete the rule {target.id}")]
