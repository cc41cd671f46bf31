"""The new ports: all that the old ones had, and what happens when an address cannot be had."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from engine.restore.models import JOB, FixedIp, Nic
from engine.restore.records import Records
from tests.engine.restore.steps import scenes_machines as scenes
from tests.engine.restore.steps.cloud_base import PROJECT
from tests.engine.restore.steps.scenes_machines import Scene


def _new(scene: Scene) -> list[dict[str, Any]]:
    return [one for id, one in scene.cloud.ports.items() if id not in scene.first]


def _first(scene: Scene, **more: Any) -> Nic:
    """Only one port, changed."""
    nic = replace(scene.job.plan.nics[0], **more)
    scene.job.plan = replace(scene.job.plan, nics=(nic,))
    return nic


def test_they_are_as_the_old_ones_were(records: Records) -> None:
    scene = scenes.shelved(records)
    before = {nic.order: dict(scene.cloud.ports[nic.port_id]) for nic in scene.job.plan.nics}
    scene.job.run("STOP_OLD_MACHINE", "PARK_OLD_MACHINE", "MOVE_ADDRESSES", "CREATE_PORTS")
    made = _new(scene)
    assert len(made) == 2
    for order, port in enumerate(made):
        for name in ("name", "description", "mac_address", "port_security_enabled", "network_id"):
            assert port[name] == before[order][name], name
        assert sorted(port["fixed_ips"], key=str) == sorted(before[order]["fixed_ips"], key=str)
        assert port["tags"] == [*before[order]["tags"], f"{JOB}:{scene.job.plan.id}"]
        assert port["project_id"] == PROJECT
    assert made[0]["security_groups"] == ["sg-web"] and made[1]["security_groups"] == []


def test_all_that_a_port_may_have(records: Records) -> None:
    scene = scenes.beside(records)
    pair = {"ip_address": "10.0.0.99"}
    option = {"opt_name": "mtu", "opt_value": "1400"}
    _first(scene, allowed_address_pairs=(pair,), vnic_type="direct", qos_policy_id="qos-1", dns_name="web",
           extra_dhcp_opts=(option,), admin_state_up=False)  # fmt: skip
    scene.job.run("CREATE_PORTS")
    (port,) = _new(scene)
    assert (port["allowed_address_pairs"], port["extra_dhcp_opts"]) == ([pair], [option])
    assert (port["binding:vnic_type"], port["qos_policy_id"], port["dns_name"]) == ("direct", "qos-1", "web")
    assert port["admin_state_up"] is False


def test_same_addresses_or_none(records: Records) -> None:
    scene = scenes.beside(records)
    nic = _first(scene, wanted=(FixedIp("10.0.0.5", scene.job.plan.nics[0].fixed[0].subnet_id),))
    said = scene.job.attempt("CREATE_PORTS")
    assert "10.0.0.5 already allocated" in said and not _new(scene)
    assert scene.rows() == [(f"port:{nic.order}", "removed")]


@pytest.mark.parametrize(
    ("taken", "address", "mac"),
    [("none", True, True), ("address", False, True), ("mac", True, False), ("both", False, False)],
)
def test_try_the_same_and_take_another(records: Records, taken: str, address: bool, mac: bool) -> None:
    scene = scenes.beside(records)
    subnet = scene.job.plan.nics[0].fixed[0].subnet_id
    old = "fa:16:3e:00:00:0a" if taken in ("mac", "both") else "fa:16:3e:00:00:77"
    wanted = FixedIp("10.0.0.5" if taken in ("address", "both") else "10.0.0.9", subnet)
    nic = _first(scene, wanted=(wanted,), keep_mac=True, mac=old, fall_back=True)
    result = scene.job.step("CREATE_PORTS")
    (port,) = _new(scene)
    assert (port["fixed_ips"][0]["ip_address"] == wanted.address) is address
    assert (port["mac_address"] == nic.mac) is mac
    # What could not be had is said.
    assert len(result.more["differs"]) == (not address) + (not mac)


def test_a_refusal_of_something_else_is_no_reason_for_another_address(records: Records) -> None:
    scene = scenes.beside(records)
    _first(scene, fall_back=True)
    scene.cloud.fault("403", "POST network/ports")
    assert "403" in scene.job.attempt("CREATE_PORTS") and not _new(scene)


def test_only_addresses_that_follow_from_the_mac(records: Records) -> None:
    scene = scenes.beside(records)
    automatic = next(id for id, one in scene.cloud.subnets.items() if one["ipv6_address_mode"])
    _first(scene, wanted=(FixedIp("", automatic),))
    scene.job.run("CREATE_PORTS")
    (port,) = _new(scene)
    assert [one["subnet_id"] for one in port["fixed_ips"]] == [automatic]


def test_a_port_that_somebody_deleted_is_made_anew(records: Records) -> None:
    scene = scenes.beside(records)
    scene.job.run("CREATE_PORTS")
    gone = _new(scene)[0]["id"]
    del scene.cloud.ports[gone]
    scene.job.run("CREATE_PORTS")
    assert len(_new(scene)) == 2 and gone not in scene.cloud.ports


def test_look_alikes_are_nobodys(records: Records) -> None:
    """A port with the same name, tag and description as ours, but not of ours, is never taken or removed."""
    scene = scenes.beside(records)
    scene.job.run("CREATE_PORTS")
    own = _new(scene)[0]
    scene.cloud.ports["theirs"] = {**own, "id": "theirs", "mac_address": "fa:16:3e:00:00:99", "fixed_ips": []}
    scene.first.add("theirs")
    scene.job.run("CREATE_PORTS", "UNDO_PORTS")
    assert not _new(scene) and "theirs" in scene.cloud.ports
