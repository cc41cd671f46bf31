"""Security groups and rules: what Neutron would refuse is refused in the plan, and what goes with a group is said."""

from __future__ import annotations

from typing import Any

import pytest

from engine.gate.models import Operation
from engine.network import security_groups
from store.types.actions import ACTIONS
from tests.engine.compute.operating import Answers, by_id, context, target

HTTPS = {"protocol": "tcp", "port_range_min": 443, "port_range_max": 443, "remote_ip_prefix": "0.0.0.0/0"}
GROUP = {"id": "g-1", "name": "web", "project_id": "p-9", "security_group_rules": []}
ANSWERS: Answers = {"/security-groups/g-1": {"security_group": GROUP}, "/projects/p-1": {"project": {}}}


def operation(id: str) -> Operation:
    return by_id(security_groups.operations(), id)


def rule(**more: Any) -> dict[str, Any]:
    found, problems = ACTIONS["security_group_rule.create"].values({"security_group": "g-1"} | more)
    assert not problems
    return found


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        (HTTPS, None),
        ({}, None),
        ({"protocol": "icmp", "port_range_min": 8, "port_range_max": 0}, None),
        ({"protocol": "icmp", "port_range_min": 8}, None),
        ({"protocol": "112"}, None),
        ({"protocol": "any"}, None),
        ({"protocol": "ipv6-icmp", "ethertype": "IPv6"}, None),
        ({"remote_ip_prefix": "fe80::/64", "ethertype": "IPv6"}, None),
        ({"protocol": "bogus"}, "is no protocol"),
        ({"protocol": "256"}, "is no protocol"),
        ({"protocol": "icmpv6"}, "belongs to IPv6"),
        ({"protocol": "icmp", "port_range_max": 8}, "needs the type (from) too"),
        ({"protocol": "icmp", "port_range_min": 256}, "256 is no ICMP type"),
        ({"protocol": "gre", "port_range_min": 1, "port_range_max": 2}, "ports need a protocol that has them"),
        ({"port_range_min": 1, "port_range_max": 2}, "ports need a protocol that has them"),
        ({"protocol": "tcp", "port_range_min": 1}, "both ends"),
        ({"protocol": "tcp", "port_range_min": 9, "port_range_max": 2}, "ends before it begins: 9 to 2"),
        ({"protocol": "tcp", "port_range_min": 0, "port_range_max": 2}, "ports begin at 1"),
        ({"remote_ip_prefix": "10.0.0.0/33"}, "is no prefix"),
        ({"remote_ip_prefix": "fe80::/64"}, "fe80::/64 is no IPv4 prefix"),
        ({"remote_ip_prefix": "10.0.0.0/8", "remote_group": "g-1"}, "not both"),
        ({"security_group": "nope"}, "there is no security group nope"),
        ({"remote_group": "nope"}, "there is no security group nope"),
        ({"remote_group": "g-1"}, None),
    ],
)
def test_rules(fields: dict[str, Any], problem: str | None) -> None:
    found = operation("security_group_rule.create").check(
        context(ANSWERS), target("security_group_rule", ""), rule(**fields)
    )
    assert (found.problem is None) if problem is None else (found.problem is not None and problem in found.problem)


@pytest.mark.parametrize(
    ("has", "wanted", "twin"),
    [
        (HTTPS, HTTPS, True),
        ({**HTTPS, "remote_ip_prefix": None}, HTTPS, True),
        ({**HTTPS, "protocol": "6"}, HTTPS, True),
        ({**HTTPS, "ethertype": "IPv6"}, HTTPS, False),
        ({**HTTPS, "direction": "egress"}, HTTPS, False),
        ({**HTTPS, "remote_ip_prefix": "10.0.0.1/8"}, {**HTTPS, "remote_ip_prefix": "10.0.0.0/8"}, False),
        ({"remote_group_id": "g-1"}, {"remote_group": "g-1"}, True),
        ({}, {"remote_group": "g-1"}, False),
    ],
)
def test_a_rule_that_is_there_is_not_made_again(has: dict[str, Any], wanted: dict[str, Any], twin: bool) -> None:
    group = GROUP | {"security_group_rules": [{"id": "r-1", "direction": "ingress", "ethertype": "IPv4", **has}]}
    ctx = context({"/security-groups/g-1": {"security_group": group}})
    done = operation("security_group_rule.create")
    problem = done.check(ctx, target("security_group_rule", ""), rule(**wanted)).problem
    assert problem == ("web has this rule already (r-1)" if twin else None)
    # The second attempt of a step takes it for its own.
    assert done.find is not None
    assert done.find(ctx, target("security_group_rule", ""), rule(**wanted)) == ("r-1" if twin else None)


def test_a_rule_belongs_to_its_groups_project() -> None:
    done, options = operation("security_group_rule.create"), rule(**HTTPS, description="Allow HTTPS")
    (call,) = done.calls(context(ANSWERS), target("security_group_rule", ""), options)
    assert (call.path, call.project_id, call.creates) == ("/security-group-rules", "p-9", True)
    assert call.body == {
        "security_group_rule": {
            **HTTPS, "direction": "ingress", "ethertype": "IPv4", "security_group_id": "g-1", "project_id": "p-9",
            "description": "Allow HTTPS",
        }
    }  # fmt: skip
    assert done.commands is not None
    (command,) = done.commands(context(), target("security_group_rule", ""), options)
    assert command == (
        "security", "group", "rule", "create", "--ingress", "--ethertype", "IPv4", "--protocol", "tcp", "--dst-port",
        "443", "--remote-ip", "0.0.0.0/0", "--description", "Allow HTTPS", "g-1",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"protocol": "icmp", "port_range_min": 8, "port_range_max": 0}, ("--icmp-type", "8", "--icmp-code", "0")),
        ({"protocol": "udp", "port_range_min": 1, "port_range_max": 9}, ("--dst-port", "1:9")),
    ],
)
def test_commands_of_rules(fields: dict[str, Any], words: tuple[str, ...]) -> None:
    commands = operation("security_group_rule.create").commands
    assert commands is not None
    (command,) = commands(context(), target("security_group_rule", ""), rule(**fields))
    assert set(words) <= set(command)


def test_open_rules_are_pointed_out() -> None:
    check = operation("security_group_rule.create").check
    for fields, warned in (({}, True), (HTTPS, False), ({"remote_ip_prefix": "10.0.0.0/8"}, False)):
        found = check(context(ANSWERS), target("security_group_rule", ""), rule(**fields))
        assert bool(found.warnings) is warned


def test_a_group_is_made_in_its_project() -> None:
    done, options = operation("security_group.create"), {"name": "web", "project": "p-1"}
    assert done.check(context(ANSWERS), target("security_group", ""), options).problem is None
    assert "choose another name" in str(
        done.check(context(ANSWERS), target("security_group", ""), options | {"name": "default"}).problem
    )
    (call,) = done.calls(context(token="f" * 32), target("security_group", ""), options)
    made = {"name": "web", "project_id": "p-1", "description": "[qdeck ffffffffffff]"}
    assert call.body == {"security_group": made}
    assert (call.project_id, call.creates) == ("p-1", True)


@pytest.mark.parametrize(
    ("name", "ports", "problem"),
    [
        ("web", 0, None),
        ("web", 1, "1 port uses web"),
        ("web", 3, "3 ports use web"),
        ("default", 0, "a project's default group cannot be deleted"),
    ],
)
def test_a_group_in_use_stays(name: str, ports: int, problem: str | None) -> None:
    rules = [{"security_group_id": group} for group in ("g-1", "g-2", "g-3", "g-3")]
    ctx = context(
        {"/ports": {"ports": [{"id": str(n)} for n in range(ports)]},
         "/security-group-rules": {"security_group_rules": rules}}
    )  # fmt: skip
    group = target("security_group", "g-1", name, security_group_rules=[{}, {}])
    check = operation("security_group.delete").check(ctx, group, {})
    if problem is None:
        assert check.problem is None
        assert check.lost == ("its 2 rules", "3 rules of 2 other groups that let its members in")
    else:
        assert check.problem is not None
        assert problem in check.problem


def test_deleting_a_rule() -> None:
    found = target("security_group_rule", "r-1", "ingress", direction="ingress", protocol="tcp", port_range_min=None)
    done = operation("security_group_rule.delete")
    changes = done.check(context(), found, {}).changes
    assert {(change.field, change.before) for change in changes} == {("direction", "ingress"), ("protocol", "tcp")}
    (call,) = done.calls(context(), found, {})
    assert (call.method, call.path, call.type) == ("DELETE", "/security-group-rules/r-1", "security_group_rule")
