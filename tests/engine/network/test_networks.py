"""Networks: which are made and deleted, what is sent, and what goes with them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from engine.gate.models import Operation
from engine.gate.refusals import NotDone
from engine.network import making, networks, operations
from store.types.actions import ACTIONS
from tests.engine.compute.operating import Answers, by_id, context, target

PROJECT: Answers = {"/projects/p-1": {"project": {"enabled": True}}}


def operation(verb: str) -> Operation:
    return by_id(networks.operations(), f"network.{verb}")


def values(**more: Any) -> dict[str, Any]:
    found, problems = ACTIONS["network.create"].values({"name": "web", "project": "p-1"} | more)
    assert not problems
    return found


def test_every_declared_action_of_the_network_has_its_operation() -> None:
    declared = {one.id for one in ACTIONS.values() if one.type in ("network", "security_group", "security_group_rule")}
    assert {one.id for one in operations.operations()} == declared


@pytest.mark.parametrize(
    ("provider", "problem"),
    [
        ({}, None),
        ({"network_type": "vlan", "physical_network": "physnet1", "segmentation_id": 100}, None),
        ({"network_type": "vlan", "physical_network": "physnet1"}, None),
        ({"network_type": "vxlan", "segmentation_id": 70_000}, None),
        ({"network_type": "flat", "physical_network": "physnet1"}, None),
        ({"segmentation_id": 100}, "needs the provider type too"),
        ({"physical_network": "physnet1"}, "needs the provider type too"),
        ({"network_type": "flat"}, "a flat network needs the physical network"),
        ({"network_type": "vlan", "segmentation_id": 9}, "a vlan network needs the physical network"),
        ({"network_type": "vxlan", "physical_network": "physnet1"}, "a vxlan network has no physical network"),
        ({"network_type": "local", "segmentation_id": 9}, "a local network has no segment"),
        ({"network_type": "vlan", "physical_network": "x", "segmentation_id": 4095}, "1 to 4094, not 4095"),
    ],
)
def test_provider_fields(provider: dict[str, Any], problem: str | None) -> None:
    given = {f"provider_{key}": value for key, value in provider.items()}
    found = operation("create").check(context(PROJECT), target("network", "", "web"), values(**given)).problem
    assert (found is None) if problem is None else (found is not None and problem in found)


@pytest.mark.parametrize(
    ("answers", "problem", "warning"),
    [
        (PROJECT, None, None),
        ({}, "there is no project p-1", None),
        ({"/projects/p-1": {"project": {"enabled": False}}}, None, "is disabled"),
        ({"/projects/p-1": NotDone("403")}, None, "could not be asked"),
        ({**PROJECT, "/networks": {"networks": [{"id": "n-9"}]}}, None, "has one called web already (n-9)"),
    ],
)
def test_create_looks_at_the_project(answers: Answers, problem: str | None, warning: str | None) -> None:
    check = operation("create").check(context(answers), target("network", "", "web"), values())
    assert check.problem == problem
    assert (warning is None and not check.warnings) or (warning is not None and warning in check.warnings[0])


def test_what_is_sent() -> None:
    done, options = operation("create"), values(description="for web", external=True, mtu=1400)
    ctx = context(token="0123456789abcdef", ticket="CHG7", reason="new tier")
    (call,) = done.calls(ctx, target("network", "", "web"), options)
    assert (call.method, call.path, call.creates, call.project_id) == ("POST", "/networks", True, "p-1")
    assert call.body == {
        "network": {
            "name": "web", "project_id": "p-1", "admin_state_up": True, "router:external": True, "mtu": 1400,
            "description": "for web (CHG7: new tier) [qdeck 0123456789ab]",
        }
    }  # fmt: skip
    assert done.commands is not None
    (command,) = done.commands(context(), target("network", "", "web"), options)
    assert command == (
        "network", "create", "--project", "p-1", "--description", "for web", "--external", "--mtu", "1400", "web",
    )  # fmt: skip


@pytest.mark.parametrize("given", ["", "short", "x" * 200, "x" * 255])
@pytest.mark.parametrize("reason", ["", "why", "y" * 900])
def test_the_mark_always_fits_into_the_description(given: str, reason: str) -> None:
    made = making.description(context(token="f" * 32, reason=reason), {"description": given})
    assert len(made) <= making.MOST_DESCRIPTION
    assert made.endswith("[qdeck ffffffffffff]")
    assert made.startswith(given[:200])


def test_a_create_is_found_by_its_mark() -> None:
    options, ctx = values(), context(token="f" * 32)
    words = making.description(ctx, options)
    made = context({f"/networks?description={words}": {"networks": [{"id": "n-1"}]}}, token="f" * 32)
    find = operation("create").find
    assert find is not None
    assert find(made, target("network", ""), options) == "n-1"
    assert find(context(token="f" * 32), target("network", ""), options) is None
    assert find(context(), target("network", ""), options) is None


@pytest.mark.parametrize(
    ("owners", "problem"),
    [
        ([], None),
        (["network:dhcp", "network:distributed"], None),
        (["network:dhcp", "compute:nova", "compute:az1"], "2 ports are in use on web (machines)"),
        (["network:router_interface"], "1 port is in use on web (router interface)"),
        ([""], "(nobody's)"),
    ],
)
def test_a_network_in_use_stays(owners: list[str], problem: str | None) -> None:
    ports = {"ports": [{"id": str(i), "device_owner": owner} for i, owner in enumerate(owners)]}
    answers: Answers = {"/ports": ports, "/subnets": {"subnets": [{"name": "a", "cidr": "10.0.0.0/24"}]}}
    check = operation("delete").check(context(answers), target("network", "n-1", "web", shared=True), {})
    if problem is None:
        assert check.problem is None
        assert check.lost == ("subnet a 10.0.0.0/24",)
        assert check.warnings
    else:
        assert check.problem is not None
        assert problem in check.problem


def test_a_delete_is_over_when_it_is_gone() -> None:
    done, there = operation("delete"), target("network", "n-1")
    gone = replace(there, doc={})
    assert done.settled is not None
    assert done.already is not None
    assert done.settled(context(), there, {}) is None
    assert done.settled(context(), gone, {}) is not None
    assert (done.already(context(), gone, {}), done.already(context(), there, {})) == (True, False)
    assert done.check(context(attempt=2), gone, {}).problem is None
    (call,) = done.calls(context(), there, {})
    assert (call.method, call.path, call.key, call.project_id) == ("DELETE", "/networks/n-1", there.key, "p-1")
